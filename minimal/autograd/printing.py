"""How a tensor looks when it is printed: as PyTorch shows it, with NumPy's columns."""

from __future__ import annotations

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd.tensor import Tensor, node_of

_PLAIN = {"float32", "int64", "bool"}


def _number(value: float) -> str:
    if value != value:
        return "nan"
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    return f"{value:.4f}"


def _floats(array: np.ndarray) -> str:
    finite = array[np.isfinite(array)].astype(np.float64)
    absolute = np.abs(finite)
    nonzero = absolute[absolute > 0]
    whole = bool((finite == np.round(finite)).all()) if finite.size else False
    if (
        nonzero.size
        and (nonzero.max() > 1e8 or nonzero.max() / nonzero.min() > 1000 or nonzero.min() < 1e-4)
        and not (whole and nonzero.max() < 1e8)
    ):
        style = "{:.4e}"
    else:
        style = "{:.0f}." if whole else "{:.4f}"
    words = lambda v: style.format(v) if np.isfinite(v) else _number(v)  # noqa: E731
    width = max((len(words(v)) for v in array.reshape(-1)[:1000].tolist()), default=0)
    return np.array2string(
        array,
        separator=", ",
        prefix="tensor(",
        formatter={"float_kind": lambda v: words(float(v)).rjust(width)},
        max_line_width=80,
        threshold=1000,
    )


def text_of(tensor: Tensor) -> str:
    """``tensor([1., 2.], requires_grad=True)`` and the like."""
    array = tensor.array
    if array.ndim == 0:
        body = _floats(array.reshape(1))[1:-1].strip() if array.dtype.kind == "f" else str(array.item())
    elif array.size == 0:
        body = "[]" if array.ndim == 1 else f"[], size={array.shape}"
    elif array.dtype.kind == "f":
        body = _floats(array)
    else:
        body = np.array2string(array, separator=", ", prefix="tensor(", max_line_width=80, threshold=1000)
    facts = ""
    if str(array.dtype) not in _PLAIN or (array.dtype.kind == "f" and array.dtype != dtypes.get_default_dtype()):
        facts += f", dtype={array.dtype}"
    edge = node_of(tensor)
    if edge is tensor:
        facts += ", requires_grad=True"
    elif edge is not None:
        facts += f", grad_fn=<{edge.name()}>"
    return f"tensor({body}{facts})"
