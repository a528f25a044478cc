"""Check a gradient against finite differences: the first thing to do with an operation of your own.

For each input x_j and output y_i, dy_i/dx_j is measured as  (y_i(x_j + eps) - y_i(x_j - eps)) / (2 eps)  and compared with
what ``backward`` says.  :func:`gradgradcheck` does the same to the gradient itself, and so checks second derivatives.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minimal.autograd.differentiate import grad
from minimal.autograd.modes import enable_grad
from minimal.autograd.tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A gradient is not what finite differences say, or cannot be checked."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_grad_dtypes: bool = False,
    check_undefined_grad: bool = True,
    fast_mode: bool = False,
) -> bool:
    """Whether the gradients of ``func`` agree with finite differences.

    Parameters
    ----------
    func : callable
        Takes the inputs, returns a Tensor or several.
    inputs : Tensor or sequence
        Those that require a gradient should be float64: in float32 the differences drown in rounding.
    eps : float, default=1e-6
        How far an input is moved to either side.
    atol, rtol : float, default=1e-5, 1e-3
        |analytical - numerical| <= atol + rtol |numerical| passes.
    raise_exception : bool, default=True
        Raise an error that shows both Jacobians, instead of returning False.
    nondet_tol : float, default=0.0
        How far two backward passes on the same graph may differ.
    check_grad_dtypes : bool, default=False
        Also ask each gradient for the dtype of its input.
    check_undefined_grad, fast_mode : bool
        As in PyTorch's signature, without effect: every output is differentiated alone in any case, so that the others have
        no gradient, and every entry of the Jacobians is compared.

    Returns
    -------
    bool

    Raises
    ------
    GradcheckError
        If something disagrees.
    ValueError
        If no input requires a gradient.
    RuntimeError
        If an input that requires one repeats an element in memory, which cannot be moved alone.

    Warns
    -----
    UserWarning
        If such an input is not float64.

    Source: torch.autograd.gradcheck, 2.13.0, without its parts for sparse tensors, forward mode and batched gradients.
    """
    arguments = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    _check_inputs(arguments)
    try:
        with enable_grad():
            _check(func, arguments, (eps, atol, rtol), nondet_tol, check_grad_dtypes)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(
    func: Callable[..., Any],
    inputs: tuple[Any, ...],
    steps_and_tolerances: tuple[float, float, float],
    nondet_tol: float,
    check_dtypes: bool,
) -> None:
    eps, atol, rtol = steps_and_tolerances
    outputs = _outputs(func, inputs)
    for i, output in enumerate(outputs):

        def again(i: int = i) -> Tensor:
            return _outputs(func, inputs)[i]

        analytical = _analytical(output, inputs, nondet_tol, check_dtypes) if output.requires_grad else None
        numerical = _numerical(again, inputs, eps)
        for j, measured in numerical.items():
            if analytical is None:
                if not np.allclose(measured, 0.0, rtol, atol):
                    raise GradcheckError(
                        f"Numerical gradient for function expected to be zero: output {i} does not require a gradient, but "
                        f"input {j} moves it:\n{measured}"
                    )
            elif not np.allclose(analytical[j], measured, rtol, atol):
                raise GradcheckError(
                    f"Jacobian mismatch for output {i} with respect to input {j},\nnumerical:{measured}\n"
                    f"analytical:{analytical[j]}\n(a row for each element of the input, a column for each of the output)"
                )
        if analytical is not None:
            _check_scaling(output, inputs)


def _check_inputs(inputs: tuple[Any, ...]) -> None:
    some = False
    for i, x in enumerate(inputs):
        if not (isinstance(x, Tensor) and x.requires_grad):
            continue
        some = True
        if x.dtype != np.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point. This check will likely fail if "
                "all the inputs are not of double precision floating point.",
                stacklevel=3,
            )
        if x.array.size and any(stride == 0 and n > 1 for stride, n in zip(x.array.strides, x.shape)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to "
                "be able to compute the numerical gradients correctly. You should call .contiguous on the input before "
                "passing it to gradcheck."
            )
    if not some:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True."
        )


def _outputs(func: Callable[..., Any], inputs: tuple[Any, ...]) -> list[Tensor]:
    """The floating point outputs: those that can have a gradient."""
    result = func(*inputs)
    several = result if isinstance(result, tuple | list) else (result,)
    return [out for out in several if isinstance(out, Tensor) and out.array.dtype.kind == "f"]


def _moved(inputs: tuple[Any, ...]) -> Iterator[tuple[int, Tensor]]:
    """The inputs by which the outputs are differentiated, with their places."""
    for j, x in enumerate(inputs):
        if isinstance(x, Tensor) and x.requires_grad:
            yield j, x


def _numerical(output: Callable[[], Tensor], inputs: tuple[Any, ...], eps: float) -> dict[int, np.ndarray]:
    """For each input its Jacobian, a row for each of its elements, by moving this element to both sides."""
    jacobians = {}
    for j, x in _moved(inputs):
        rows = []
        for place in np.ndindex(x.shape):
            was = x.array[place].copy()
            sides = []
            for step in (eps, -eps):
                x.array[place] = was + step
                sides.append(output().array.astype(np.float64).ravel())
                x.array[place] = was
            rows.append((sides[0] - sides[1]) / (2 * eps))
        jacobians[j] = np.array(rows).reshape(x.array.size, -1) if rows else np.zeros((0, 0))
    return jacobians


def _analytical(
    output: Tensor, inputs: tuple[Any, ...], nondet_tol: float, check_dtypes: bool
) -> dict[int, np.ndarray]:
    """For each input its Jacobian, a column for each element of the output, by sending a 1 back from it."""
    moved = dict(_moved(inputs))
    jacobians = {j: np.zeros((x.array.size, output.array.size)) for j, x in moved.items()}
    if not output.array.size:
        return {j: np.zeros((x.array.size, 0)) if x.array.size else np.zeros((0, 0)) for j, x in moved.items()}
    for column, place in enumerate(np.ndindex(output.shape)):
        one = np.zeros_like(output.array)
        one[place] = 1
        for turn in range(2):
            found = grad(output, list(moved.values()), Tensor(one.copy()), retain_graph=True, allow_unused=True)
            for (j, x), g in zip(moved.items(), found):
                values = _checked(g, x, check_dtypes)
                if turn == 0:
                    jacobians[j][:, column] = values
                elif np.any(np.abs(jacobians[j][:, column] - values) > nondet_tol):
                    raise GradcheckError(
                        "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                        f"gives different values. The tolerance for nondeterminism was {nondet_tol}: {values} after "
                        f"{jacobians[j][:, column]} for input {j}."
                    )
    return {j: jacobian if jacobian.size else np.zeros((0, 0)) for j, jacobian in jacobians.items()}


def _checked(g: Tensor | None, x: Tensor, check_dtypes: bool) -> np.ndarray:
    """A gradient as one row; none is zero."""
    if g is None:
        return np.zeros(x.array.size)
    if g.shape != x.shape:
        raise GradcheckError(f"Gradient has incorrect size: {list(g.shape)} for an input of {list(x.shape)}")
    if check_dtypes and g.dtype != x.dtype:
        raise GradcheckError(f"Gradient has dtype mismatch: {g.dtype} for an input of {x.dtype}")
    return g.array.astype(np.float64).ravel()


def _check_scaling(output: Tensor, inputs: tuple[Any, ...]) -> None:
    """A gradient of zero must come back as zero."""
    moved = [x for _, x in _moved(inputs)]
    zero = Tensor(np.zeros_like(output.array))
    for g in grad(output, moved, zero, retain_graph=True, allow_unused=True):
        if g is not None and np.any(g.array != 0):
            raise GradcheckError(f"backward not multiplied by grad_output: a gradient of zeros gave {g.array}")


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_grad_dtypes: bool = False,
    check_undefined_grad: bool = True,
    fast_mode: bool = False,
) -> bool:
    """Whether the gradients of the gradients of ``func`` agree with finite differences.

    Parameters
    ----------
    func : callable
        Takes the inputs, returns a Tensor or several.
    inputs : Tensor or sequence
    grad_outputs : Tensor or sequence of Tensor, optional
        The gradients to send back from the outputs.  Default: drawn from [-1, 1].
    eps, atol, rtol, raise_exception, nondet_tol, check_grad_dtypes, check_undefined_grad, fast_mode
        As in :func:`gradcheck`.

    Returns
    -------
    bool

    Raises
    ------
    As :func:`gradcheck`.

    Source: torch.autograd.gradgradcheck, 2.13.0.  Differs from the reference in the drawn gradients, which are the same each
    time and leave the random numbers of :func:`minimal.manual_seed` alone.
    """
    arguments = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    with enable_grad():
        outputs = [out for out in _outputs(func, arguments) if out.requires_grad]
    given = _gradients_for(outputs, grad_outputs)
    n = len(arguments)

    def gradients(*args: Any) -> tuple[Tensor, ...]:
        ends = [out for out in _outputs(func, args[:n]) if out.requires_grad]
        starts = [x for _, x in _moved(args[:n])]
        found = grad(ends, starts, args[n:], create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    return gradcheck(
        gradients,
        (*arguments, *given),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_grad_dtypes=check_grad_dtypes,
    )


def _gradients_for(outputs: Sequence[Tensor], given: Any) -> tuple[Tensor, ...]:
    if given is not None:
        return (given,) if isinstance(given, Tensor) else tuple(given)
    rng = np.random.default_rng(0)
    return tuple([Tensor(rng.uniform(-1, 1, out.shape).astype(out.dtype)).requires_grad_(True) for out in outputs])
