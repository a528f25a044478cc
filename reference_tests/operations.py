"""How an operation is held to PyTorch: one line of code, the same numbers, every output and every gradient compared.

``minimal`` has PyTorch's names, so a case is a function of the namespace, and both sides run the same text:

    Case("mul", lambda torch, F, x, y: torch.mul(x, y), [(real(3, 4), real(4))])

The tables of cases are in ``*_cases.py``; a new operation needs one line there.  Each case runs on several shapes, orders
of memory and dtypes; its outputs are compared, then a random cotangent goes backward and the gradients are compared.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import torch

# ---------------------------------------------------------------- the numbers that go in


@dataclass(frozen=True)
class Input:
    """One tensor of a case: how its numbers are drawn, and its shape.  Whole numbers keep their own dtype."""

    draw: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    shape: tuple[int, ...]
    gradient: bool = True
    dtype: str = ""


Kind = Callable[..., Input]


def _kind(draw: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray], **options: Any) -> Kind:
    return lambda *shape: Input(draw, shape, **options)


def _apart(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    n = int(np.prod(shape))
    return (rng.permutation(n) - n / 2 + 0.3).reshape(shape) / max(n / 4, 1)


real = _kind(lambda rng, shape: 1.5 * rng.standard_normal(shape))
apart = _kind(_apart)  # no two the same, none of them zero: where the largest counts, or a function has a corner
positive = _kind(lambda rng, shape: rng.uniform(0.3, 3.0, shape))
unit = _kind(lambda rng, shape: rng.uniform(0.05, 0.95, shape))
inside = _kind(lambda rng, shape: rng.uniform(-0.9, 0.9, shape))
above_one = _kind(lambda rng, shape: rng.uniform(1.1, 4.0, shape))
not_zero = _kind(lambda rng, shape: rng.choice([-1.0, 1.0], shape) * rng.uniform(0.3, 2.0, shape))
not_whole = _kind(lambda rng, shape: rng.integers(-4, 4, shape) + rng.uniform(0.1, 0.4, shape))
mask = _kind(lambda rng, shape: rng.random(shape) < 0.5, gradient=False, dtype="bool")
buffer = _kind(
    lambda rng, shape: rng.uniform(0.3, 3.0, shape), gradient=False
)  # running statistics, weights of classes


def index(n: int) -> Kind:
    """Whole numbers from 0 to n - 1, with repetition: labels and positions."""
    return _kind(lambda rng, shape: rng.integers(0, n, shape), gradient=False, dtype="int64")


def probabilities(*shape: int) -> Input:
    """Positive numbers that add up to one along axis 1."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        p = rng.uniform(0.1, 1.0, shape)
        return p / p.sum(axis=1, keepdims=True)

    return Input(draw, shape)


# ---------------------------------------------------------------- a case


@dataclass(frozen=True)
class Case:
    """One operation with one set of options, on several shapes."""

    operation: str
    call: Callable[..., Any]
    inputs: list[tuple[Input, ...]]
    option: str = ""
    values: str = "rounding"  # or "identical": what is claimed of the outputs ...
    gradients: str = "rounding"  # ... and of the gradients
    differentiable: bool = True
    twice: bool = True  # whether the reference has a second derivative
    smooth: bool = True  # whether finite differences in float64 tell its derivative
    stretched: bool = True  # whether rows may be stretched from one (stride 0), which gives equal numbers
    loose: float = 1.0  # how far the ordinary bound is widened
    loose_twice: float = 1.0  # the same for second derivatives
    reason: str = ""  # why

    def __str__(self) -> str:
        return f"{self.operation} {self.option}".strip()


@dataclass(frozen=True)
class Named:
    """A call of the function of that name, with these keywords: of the namespace, or of ``nn.functional`` for "F.name"."""

    name: str
    keywords: dict[str, Any]

    def __call__(self, torch: Any, F: Any, *tensors: Any) -> Any:
        function = getattr(F, self.name[2:]) if self.name.startswith("F.") else getattr(torch, self.name)
        return function(*tensors, **self.keywords)

    def as_method(self, torch: Any, F: Any, first: Any, *others: Any) -> Any:
        """The same as a method of the first tensor."""
        return getattr(first, self.name)(*others, **self.keywords)


def named(name: str, **keywords: Any) -> Named:
    """``named("sum", dim=0)``: see :class:`Named`."""
    return Named(name, keywords)


def described(keywords: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in keywords.items())


# ---------------------------------------------------------------- orders of memory

LAYOUTS = ("contiguous", "transposed", "stepped", "stretched", "inner first", "offset")


def laid_out(array: np.ndarray, layout: str) -> np.ndarray:
    """A fresh array of the same shape whose memory has another order; gaps are filled with what must not be read."""
    gap = np.nan if array.dtype.kind == "f" else 1
    if layout == "transposed":
        return array.T.copy().T
    if layout == "stepped" and array.ndim:
        room = np.full((*array.shape[:-1], 2 * array.shape[-1]), gap, array.dtype)
        room[..., ::2] = array
        return room[..., ::2]
    if layout == "stretched" and array.ndim and array.size:
        row = array[:1].copy()
        return np.lib.stride_tricks.as_strided(row, array.shape, (0, *row.strides[1:]))
    if layout == "inner first" and array.ndim > 2:  # channels last, for images
        return np.moveaxis(np.moveaxis(array, 1, -1).copy(), -1, 1)
    if layout == "offset" and array.ndim:
        room = np.full(tuple(n + 3 for n in array.shape), gap, array.dtype)
        part = room[tuple(slice(2, 2 + n) for n in array.shape)]
        part[...] = array
        return part
    return array.copy()


def drawn(case: Case, inputs: tuple[Input, ...], dtype: str, layout: str) -> list[np.ndarray]:
    """The arrays of one run: the same for the same case, whoever asks."""
    rng = np.random.default_rng(zlib.crc32(f"{case} {[one.shape for one in inputs]}".encode()))
    arrays = [np.asarray(one.draw(rng, one.shape), dtype=one.dtype or dtype) for one in inputs]
    if layout == "stretched" and not case.stretched:
        layout = "contiguous"
    return [laid_out(array, layout) for array in arrays]


# ---------------------------------------------------------------- one side of a comparison


class Side(NamedTuple):
    """A namespace with PyTorch's names, and its ``nn.functional``."""

    torch: Any
    F: Any

    @classmethod
    def of(cls, namespace: Any) -> Side:
        return cls(namespace, getattr(getattr(namespace, "nn", None), "functional", None))


THEIRS = Side.of(torch)


def flat(outputs: Any) -> list[Any]:
    """The tensors of an output: one, several, or lists of them."""
    if isinstance(outputs, tuple | list):
        return [one for part in outputs for one in flat(part)]
    return [outputs]


def is_tensor(thing: Any) -> bool:
    return hasattr(thing, "requires_grad")


def plain(thing: Any) -> Any:
    """A tensor's numbers as a NumPy array; anything else as it is."""
    if isinstance(thing, torch.Tensor):
        return thing.numpy(force=True).copy()  # forced, because some of its gradients are zeros without memory
    return thing.detach().numpy().copy() if is_tensor(thing) else thing


def leaves(side: Side, case: Case, inputs: tuple[Input, ...], arrays: list[np.ndarray]) -> list[Any]:
    """The tensors of a run: those that a gradient is asked for require one."""
    tensors = [side.torch.from_numpy(array) for array in arrays]
    for one, tensor, array in zip(inputs, tensors, arrays):
        if case.differentiable and one.gradient and array.dtype.kind == "f":
            tensor.requires_grad_()
    return tensors


def _cotangents(side: Side, outputs: list[Any], seed: int, *, requires_grad: bool = False) -> list[Any]:
    rng = np.random.default_rng(seed)
    found = []
    for out in outputs:
        array = np.asarray(rng.uniform(-1.0, 1.0, tuple(out.shape)), dtype=plain(out).dtype)
        found.append(side.torch.from_numpy(array).requires_grad_(requires_grad))
    return found


def _or_zeros(gradients: Any, tensors: list[Any]) -> list[np.ndarray]:
    return [np.zeros_like(plain(x)) if g is None else plain(g) for g, x in zip(gradients, tensors)]


def steps(
    side: Side, case: Case, inputs: tuple[Input, ...], arrays: list[np.ndarray], *, twice: bool = False
) -> Iterator[tuple[str, Any]]:
    """What one side gives, named, one thing after another: outputs, gradients and, if asked, second derivatives."""
    tensors = leaves(side, case, inputs, arrays)
    outputs = flat(case.call(side.torch, side.F, *tensors))
    yield from ((f"output {k}", plain(out)) for k, out in enumerate(outputs))
    yield "requires_grad", [out.requires_grad for out in outputs if is_tensor(out)]
    ends = [out for out in outputs if is_tensor(out) and out.requires_grad]
    wanted = [x for x in tensors if x.requires_grad]
    if not ends or not wanted:
        return
    cotangents = _cotangents(side, ends, 1, requires_grad=twice)
    options = {"allow_unused": True, "create_graph": twice}
    first = side.torch.autograd.grad(ends, wanted, cotangents, **options)
    yield from ((f"gradient {k}", g) for k, g in enumerate(_or_zeros(first, wanted)))
    if twice:
        weighted = [(g, w) for g, w in zip(first, _cotangents(side, wanted, 2)) if g is not None and g.requires_grad]
        sources = wanted + cotangents
        second: Any = [None] * len(sources)
        if weighted:
            ends, weights = zip(*weighted)
            second = side.torch.autograd.grad(ends, sources, weights, allow_unused=True)
        yield from ((f"second {k}", g) for k, g in enumerate(_or_zeros(second, sources)))


# ---------------------------------------------------------------- the comparison

VALUES = {"float64": 1e-13, "float32": 1e-6}
GRADIENTS = {"float64": 1e-13, "float32": 2e-6}
SECOND = {"float64": 1e-12, "float32": 1e-5}
ORDER = "the same formula, added up in another order or with another exp or log"


class Compared(NamedTuple):
    """Two arrays that should agree, how strictly, and where they come from."""

    what: str
    ours: Any
    theirs: Any
    bound: float  # 0 for identical

    @property
    def excess(self) -> float:
        """The difference in units of what is allowed: above one fails."""
        return distance(self.ours, self.theirs) / (self.bound or 1e-300)


def distance(ours: Any, theirs: Any) -> float:
    """max|ours - theirs| / max|theirs|, infinite where non-finite numbers differ."""
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.dtype.kind not in "biufc" or b.dtype.kind not in "biufc":
        return 0.0 if np.array_equal(a, b) else np.inf
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True) or not np.isfinite(a[finite]).all():
        return np.inf
    if not finite.any():
        return 0.0
    return float(np.abs(a[finite] - b[finite]).max() / (np.abs(b[finite]).max() or 1.0))


def same_form(what: str, ours: Any, theirs: Any) -> None:
    """Assert the same kind of thing: a tensor of the same shape and dtype, or a Python number of the same type."""
    assert type(ours) is type(theirs), f"{what}: {type(ours).__name__} instead of {type(theirs).__name__}"
    if isinstance(theirs, np.ndarray):
        assert ours.shape == theirs.shape, f"{what}: shape {ours.shape} instead of {theirs.shape}"
        assert ours.dtype == theirs.dtype, f"{what}: dtype {ours.dtype} instead of {theirs.dtype}"
    elif not isinstance(theirs, float):
        assert ours == theirs, f"{what}: {ours!r} instead of {theirs!r}"


def bound_of(case: Case, what: str, dtype: str) -> float:
    """How far apart the two may be; 0 for identical."""
    kind = what.split()[0]
    if kind == "output":
        return 0.0 if case.values == "identical" else case.loose * VALUES[dtype]
    if kind == "gradient":
        return 0.0 if case.gradients == "identical" else case.loose * GRADIENTS[dtype]
    return case.loose * case.loose_twice * SECOND[dtype]


def compared(
    ours: Side, case: Case, inputs: tuple[Input, ...], dtype: str, layout: str = "contiguous", *, twice: bool = False
) -> list[Compared]:
    """Run both sides in step: outputs are compared in form before gradients are asked for."""
    where = f"{', '.join(str(one.shape) for one in inputs)} {layout}"
    mine, yours = drawn(case, inputs, dtype, layout), drawn(case, inputs, dtype, layout)
    both = zip_longest(steps(ours, case, inputs, mine, twice=twice), steps(THEIRS, case, inputs, yours, twice=twice))
    found = []
    for one, other in both:
        missing = [side for side, step in (("minimal", one), ("PyTorch", other)) if step is None]
        assert not missing, f"{case} {where}: {missing[0]} has no {(one or other)[0]}"
        (what, a), (_, b) = one, other
        same_form(f"{case}: {what} of {where}", a, b)
        if what != "requires_grad":
            if not what.startswith("output"):
                a, b = a + 0.0, b + 0.0  # the sign of a gradient's zero is nobody's concern
            found.append(Compared(f"{what} of {where}", a, b, bound_of(case, what, dtype)))
    assert not case.differentiable or any(one.what.startswith("gradient") for one in found), f"{case}: no gradient"
    return found


def record(parity: Any, case: Case, found: list[Compared], *, what: str = "") -> None:
    """Assert all that was found by asserting the worst of each level, which also goes into the ledger."""
    for level in (True, False):
        rows = [one for one in found if (one.bound == 0) == level]
        if not rows:
            continue
        worst = max(rows, key=lambda one: one.excess)
        names = {"what": f"{case.operation}{what}: {worst.what.partition(' of ')[0]}"}
        names |= {"data": worst.what.partition(" of ")[2], "option": case.option}
        if level:
            parity.identical(worst.ours, worst.theirs, **names)
        else:
            parity.rounding(worst.ours, worst.theirs, bound=worst.bound, reason=case.reason or ORDER, **names)
