"""Elementwise functions under PyTorch's names."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd.operation import Elementwise, broadcasting, number_in, quiet, shape_error
from minimal.autograd.operations import elementwise as ops
from minimal.autograd.tensor import Tensor


def _one(operation: type[Elementwise], name: str, refuses: str = "", keeps: str = "") -> Callable[[Tensor], Tensor]:
    """The function on one tensor.  ``refuses`` and ``keeps`` name kinds of dtypes: i and u whole numbers, b bool."""

    def function(input: Tensor) -> Tensor:
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")
        kind = input.array.dtype.kind
        if kind != "f" and kind in refuses:
            raise NotImplementedError(f'"{name}_cpu" not implemented for {input.dtype}')
        if kind != "f" and kind in keeps:
            return Tensor(input.array.copy())
        return operation.unary(input)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{operation.__doc__}\n\n    Elementwise.  Source: torch.{name}, 2.13.0.\n    "
    return function


exp = _one(ops.Exp, "exp")
exp2 = _one(ops.Exp2, "exp2")
expm1 = _one(ops.Expm1, "expm1")
log = _one(ops.Log, "log")
log2 = _one(ops.Log2, "log2")
log10 = _one(ops.Log10, "log10")
log1p = _one(ops.Log1p, "log1p")
sqrt = _one(ops.Sqrt, "sqrt")
rsqrt = _one(ops.Rsqrt, "rsqrt")
reciprocal = _one(ops.Reciprocal, "reciprocal")
sin = _one(ops.Sin, "sin")
cos = _one(ops.Cos, "cos")
tan = _one(ops.Tan, "tan")
asin = arcsin = _one(ops.Asin, "asin")
acos = arccos = _one(ops.Acos, "acos")
atan = arctan = _one(ops.Atan, "atan")
sinh = _one(ops.Sinh, "sinh")
cosh = _one(ops.Cosh, "cosh")
tanh = _one(ops.Tanh, "tanh")
asinh = arcsinh = _one(ops.Asinh, "asinh")
acosh = arccosh = _one(ops.Acosh, "acosh")
atanh = arctanh = _one(ops.Atanh, "atanh")
erf = _one(ops.Erf, "erf")
erfc = _one(ops.Erfc, "erfc")
sigmoid = _one(ops.Sigmoid, "sigmoid")
sinc = _one(ops.Sinc, "sinc")
deg2rad = _one(ops.Deg2rad, "deg2rad")
rad2deg = _one(ops.Rad2deg, "rad2deg")
sign = sgn = _one(ops.Sign, "sign", keeps="b")
floor = _one(ops.Floor, "floor", refuses="b", keeps="iu")
ceil = _one(ops.Ceil, "ceil", refuses="b", keeps="iu")
trunc = fix = _one(ops.Trunc, "trunc", refuses="b", keeps="iu")
frac = _one(ops.Frac, "frac", refuses="iub")
abs = absolute = _one(ops.Abs, "abs", refuses="b")


def neg(input: Tensor) -> Tensor:
    """out = -x.  Source: torch.neg, 2.13.0.

    Raises
    ------
    RuntimeError
        On a bool tensor: use ``logical_not``.
    """
    if input.array.dtype.kind == "b":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
            "`~` or `logical_not()` operator instead."
        )
    return ops.Neg.unary(input)


negative = neg


def positive(input: Tensor) -> Tensor:
    """out = x, the tensor itself.  Source: torch.positive, 2.13.0."""
    if input.array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def square(input: Tensor) -> Tensor:
    """out = x^2; bools become int64.  Source: torch.square, 2.13.0."""
    return ops.Square.unary(input if input.array.dtype.kind != "b" else input.to(dtypes.INT64))


def _binary(operation: type[Elementwise], name: str, refuses: str = "") -> Callable[[Any, Any], Tensor]:
    def function(input: Any, other: Any) -> Tensor:
        if refuses and dtypes.result_type(input, other).kind in refuses:
            raise NotImplementedError(f'"{name}_cpu" not implemented for {dtypes.result_type(input, other)}')
        return operation.binary(input, other)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"{operation.__doc__}\n\n    Elementwise, broadcast together.  Source: torch.{name}, 2.13.0.\n    "
    )
    return function


def _times(alpha: Any, input: Any, other: Any) -> Any:
    """alpha y, for x + alpha y.

    Raises
    ------
    RuntimeError
        If x and y are whole numbers and alpha is not.
    """
    if alpha == 1 and not isinstance(alpha, float):
        return other
    common = dtypes.result_type(input, other)
    if isinstance(alpha, float) and common.kind != "f":
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if not isinstance(other, Tensor):
        return other * alpha
    return ops.Mul.binary(other.to(common), alpha)


def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """out = x + alpha y.  Source: torch.add, 2.13.0."""
    return ops.Add.binary(input, _times(alpha, input, other))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """out = x - alpha y.  Source: torch.sub, 2.13.0.

    Raises
    ------
    RuntimeError
        With a bool tensor: use ``logical_xor`` or ``~``.
    """
    if _is_bool(input) or _is_bool(other):
        words, hint = ("two bool tensors", "Use the `^` or `logical_xor()` operator instead.")
        if not (_is_bool(input) and _is_bool(other)):
            words = "a bool tensor"
            hint = "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        raise RuntimeError(f"Subtraction, the `-` operator, with {words} is not supported. {hint}")
    return ops.Sub.binary(input, _times(alpha, input, other))


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, Tensor) and value.array.dtype.kind == "b")


subtract = sub


def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """out = y - alpha x.  Source: torch.rsub, 2.13.0."""
    return sub(other, input, alpha=alpha)


mul = multiply = _binary(ops.Mul, "mul")
atan2 = arctan2 = _binary(ops.Atan2, "atan2")
hypot = _binary(ops.Hypot, "hypot", refuses="iub")
maximum = _binary(ops.Maximum, "maximum")
minimum = _binary(ops.Minimum, "minimum")
fmax = _binary(ops.Fmax, "fmax")
fmin = _binary(ops.Fmin, "fmin")
logaddexp = _binary(ops.Logaddexp, "logaddexp", refuses="iub")
logaddexp2 = _binary(ops.Logaddexp2, "logaddexp2", refuses="iub")
xlogy = _binary(ops.Xlogy, "xlogy")
copysign = _binary(ops.Copysign, "copysign")


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """out = x / y, rounded if asked.  Source: torch.div, 2.13.0.

    Parameters
    ----------
    input, other : Tensor or number
    rounding_mode : {None, "floor", "trunc"}
        None is true division, which makes whole numbers floating point.
    """
    if rounding_mode is None:
        return ops.Div.binary(input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    if dtypes.result_type(input, other).kind != "f":
        return _whole_quotient(input, other, rounding_mode)
    return (ops.DivFloor if rounding_mode == "floor" else ops.DivTrunc).binary(input, other)


def _whole_quotient(input: Any, other: Any, rounding_mode: str) -> Tensor:
    _refuse_zero(input, other)
    common = dtypes.result_type(input, other)
    if common.kind == "b":
        raise NotImplementedError(f'"div_{rounding_mode}_cpu" not implemented for bool')
    x, y = _array(input, common), _array(other, common)
    quotient = broadcasting(np.floor_divide, x, y)
    if rounding_mode == "trunc":
        remains = quiet.run(np.remainder, x, y)
        quotient = quotient + ((quotient < 0) & (remains != 0)).astype(common)
    return Tensor(np.asarray(quotient).astype(common, copy=False))


divide = true_divide = div


def _array(value: Any, dtype: Any = None) -> np.ndarray:
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    return array if dtype is None else array.astype(dtype, copy=False)


def floor_divide(input: Any, other: Any) -> Tensor:
    """out = floor(x / y).  Source: torch.floor_divide, 2.13.0."""
    if dtypes.result_type(input, other).kind != "f":
        return _whole_quotient(input, other, "floor")
    return ops.FloorDivide.binary(input, other)


def remainder(input: Any, other: Any) -> Tensor:
    """out = x - y floor(x / y), with the sign of y.  Source: torch.remainder, 2.13.0."""
    if dtypes.result_type(input, other).kind == "b":
        raise NotImplementedError('"remainder_cpu" not implemented for bool')
    _refuse_zero(input, other)
    return ops.Remainder.binary(input, other)


def fmod(input: Any, other: Any) -> Tensor:
    """out = x - y trunc(x / y), with the sign of x.  Source: torch.fmod, 2.13.0."""
    if dtypes.result_type(input, other).kind == "b":
        raise NotImplementedError('"fmod_cpu" not implemented for bool')
    _refuse_zero(input, other)
    return ops.Fmod.binary(input, other)


def _refuse_zero(x: Any, y: Any) -> None:
    if dtypes.result_type(x, y).kind != "f" and not np.all(_array(y)):
        raise RuntimeError("ZeroDivisionError")


def pow(input: Any, exponent: Any) -> Tensor:
    """out = x^y.  Source: torch.pow, 2.13.0.

    Raises
    ------
    RuntimeError
        For a whole number to a negative whole power, which is no whole number.
    """
    if isinstance(exponent, bool | int | float) and isinstance(input, Tensor) and input.array.dtype.kind == "f":
        if exponent == 2:
            return ops.Square.unary(input)
        return ops.Pow.apply(input, float(exponent))
    common = dtypes.result_type(input, exponent)
    if common.kind == "b":
        if not isinstance(exponent, bool):
            raise NotImplementedError('"pow" not implemented for bool')
        return Tensor(input.array.copy() if exponent else np.ones_like(input.array))
    if common.kind in "iu" and isinstance(exponent, int) and exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return ops.Pow.apply(*ops.Pow.promoted(input, exponent))


def float_power(input: Any, exponent: Any) -> Tensor:
    """out = x^y in float64.  Source: torch.float_power, 2.13.0."""
    double = [v.to(dtypes.FLOAT64) if isinstance(v, Tensor) else float(v) for v in (input, exponent)]
    return pow(*double)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """out = the nearest multiple of 10^-decimals, the even one of two.  Source: torch.round, 2.13.0."""
    if input.array.dtype.kind == "b":
        raise NotImplementedError('"round_vml_cpu" not implemented for bool')
    if input.array.dtype.kind != "f":
        return Tensor(input.array.copy())
    if decimals == 0:
        return ops.Round.unary(input)
    scale = 10.0 ** builtins.abs(decimals)
    return (
        div(ops.Round.unary(mul(input, scale)), scale)
        if decimals > 0
        else mul(ops.Round.unary(div(input, scale)), scale)
    )


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """out = ln(x / (1 - x)), x first clamped to [eps, 1 - eps] if given.  Source: torch.logit, 2.13.0."""
    return ops.Logit.unary(input if eps is None else clamp(input, eps, 1 - eps))


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """out = x within [min, max], each bound a number, a tensor or None.  Source: torch.clamp, 2.13.0.

    Raises
    ------
    RuntimeError
        If there is no bound.
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    bounds = [b for b in (min, max) if b is not None]
    dtype = dtypes.result_type(input, *bounds)
    low, high = (b if b is None else b.to(dtype) if isinstance(b, Tensor) else number_in(b, dtype) for b in (min, max))
    return ops.Clamp.apply(input.to(dtype), low, high)


clip = clamp


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """out = x, at least ``min``.  Source: torch.clamp_min, 2.13.0."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """out = x, at most ``max``.  Source: torch.clamp_max, 2.13.0."""
    return clamp(input, max=max)


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """out = x where the condition holds, y elsewhere; with the condition alone, the indices where it holds.

    Source: torch.where, 2.13.0.
    """
    if input is None and other is None:
        return tuple(Tensor(index) for index in np.nonzero(condition.array))
    if condition.array.dtype.kind not in "bu":
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}"
        )
    try:
        return ops.where_of(condition, input, other)
    except ValueError as error:
        raise shape_error(*[x.shape for x in (condition, input, other) if isinstance(x, Tensor)]) from error


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 where x is negative, 1 where it is positive, ``values`` where it is zero.  Source: torch.heaviside, 2.13.0."""
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return ops.Heaviside.apply(input, values)


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """out = x + w (y - x).  Source: torch.lerp, 2.13.0."""
    if input.dtype != end.dtype:
        raise RuntimeError(f"expected dtype {input.dtype} for `end` but got dtype {end.dtype}")
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f'"lerp_kernel_scalar" not implemented for {input.dtype}')
    return ops.Lerp.apply(input, end, weight if isinstance(weight, Tensor) else float(weight))


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """out = x + value a b; among whole numbers ``value`` loses its fraction.  Source: torch.addcmul, 2.13.0."""
    common = dtypes.result_type(input, tensor1, tensor2)
    if common.kind == "b":
        raise NotImplementedError('"addcmul_cpu_out" not implemented for bool')
    product = mul(tensor1, tensor2)
    value = value if common.kind == "f" else int(value)
    return add(input, product if value == 1 else mul(product.to(common), value))


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """out = x + value a / b.  Source: torch.addcdiv, 2.13.0.

    Raises
    ------
    RuntimeError
        If a and b are whole numbers: make them floating point, or use ``div``.
    """
    if dtypes.result_type(tensor1, tensor2).kind != "f":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported: give floating point tensors, or write "
            "input + value * div(tensor1, tensor2, rounding_mode='trunc')."
        )
    quotient = div(tensor1, tensor2)
    return add(input, quotient if value == 1 else mul(quotient, value))


def nan_to_num(input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """out = x with NaN and infinities replaced, infinities by the largest numbers.  Source: torch.nan_to_num, 2.13.0."""
    return ops.NanToNum.apply(input, nan, posinf, neginf)


def clone(input: Tensor) -> Tensor:
    """A copy, through which gradients pass.  Source: torch.clone, 2.13.0."""
    return ops.Clone.apply(input)
