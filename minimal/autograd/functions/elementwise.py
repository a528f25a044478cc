"""Elementwise functions under PyTorch's names."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from minimal.autograd import dtypes
from minimal.autograd.operation import Elementwise, broadcasting, number_in, quiet
from minimal.autograd.operations import elementwise as ops
from minimal.autograd.tensor import Tensor


def _one(operation: type[Elementwise], name: str, keeps_integers: bool = False) -> Callable[[Tensor], Tensor]:
    def function(input: Tensor) -> Tensor:
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")
        if keeps_integers and input.array.dtype.kind in "iub":
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
square = _one(ops.Square, "square")
sign = sgn = _one(ops.Sign, "sign")
floor = _one(ops.Floor, "floor", keeps_integers=True)
ceil = _one(ops.Ceil, "ceil", keeps_integers=True)
trunc = fix = _one(ops.Trunc, "trunc", keeps_integers=True)
frac = _one(ops.Frac, "frac")


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


def abs(input: Tensor) -> Tensor:
    """out = |x|.  Source: torch.abs, 2.13.0."""
    return ops.Abs.unary(input)


absolute = abs


def _binary(operation: type[Elementwise], name: str) -> Callable[[Any, Any], Tensor]:
    def function(input: Any, other: Any) -> Tensor:
        return operation.binary(input, other)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"{operation.__doc__}\n\n    Elementwise, broadcast together.  Source: torch.{name}, 2.13.0.\n    "
    )
    return function


def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """out = x + alpha y.  Source: torch.add, 2.13.0."""
    return ops.Add.binary(
        input, other if alpha == 1 else ops.Mul.binary(other, alpha) if isinstance(other, Tensor) else other * alpha
    )


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """out = x - alpha y.  Source: torch.sub, 2.13.0.

    Raises
    ------
    RuntimeError
        On two bool tensors: use ``logical_xor``.
    """
    if all(isinstance(x, bool) or (isinstance(x, Tensor) and x.dtype.kind == "b") for x in (input, other)):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    return ops.Sub.binary(
        input, other if alpha == 1 else ops.Mul.binary(other, alpha) if isinstance(other, Tensor) else other * alpha
    )


subtract = sub


def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """out = y - alpha x.  Source: torch.rsub, 2.13.0."""
    return sub(other, input, alpha=alpha)


mul = multiply = _binary(ops.Mul, "mul")
atan2 = arctan2 = _binary(ops.Atan2, "atan2")
hypot = _binary(ops.Hypot, "hypot")
maximum = _binary(ops.Maximum, "maximum")
minimum = _binary(ops.Minimum, "minimum")
fmax = _binary(ops.Fmax, "fmax")
fmin = _binary(ops.Fmin, "fmin")
logaddexp = _binary(ops.Logaddexp, "logaddexp")
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
    common = dtypes.result_type(input, other)
    if common.kind != "f":
        if not np.all(_array(other)):
            raise RuntimeError("ZeroDivisionError")
        quotient = broadcasting(np.floor_divide, _array(input, common), _array(other, common))
        if rounding_mode == "trunc":
            remains = quiet.run(np.remainder, _array(input, common), _array(other, common))
            quotient = quotient + ((quotient < 0) & (remains != 0)).astype(common)
        return Tensor(np.asarray(quotient).astype(common, copy=False))
    if rounding_mode == "floor":
        return Tensor(np.asarray(broadcasting(np.floor_divide, _array(input, common), _array(other, common))))
    return trunc(ops.Div.binary(input, other))


divide = true_divide = div


def _array(value: Any, dtype: Any = None) -> np.ndarray:
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    return array if dtype is None else array.astype(dtype, copy=False)


def floor_divide(input: Any, other: Any) -> Tensor:
    """out = floor(x / y).  Source: torch.floor_divide, 2.13.0."""
    return div(input, other, rounding_mode="floor")


def remainder(input: Any, other: Any) -> Tensor:
    """out = x - y floor(x / y), with the sign of y.  Source: torch.remainder, 2.13.0."""
    _refuse_zero(input, other)
    return ops.Remainder.binary(input, other)


def fmod(input: Any, other: Any) -> Tensor:
    """out = x - y trunc(x / y), with the sign of x.  Source: torch.fmod, 2.13.0."""
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
    if dtypes.result_type(input, exponent).kind in "iu" and isinstance(exponent, int) and exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return ops.Pow.apply(*ops.Pow.promoted(input, exponent))


def float_power(input: Any, exponent: Any) -> Tensor:
    """out = x^y in float64.  Source: torch.float_power, 2.13.0."""
    double = [v.to(dtypes.FLOAT64) if isinstance(v, Tensor) else float(v) for v in (input, exponent)]
    return pow(*double)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """out = the nearest multiple of 10^-decimals, the even one of two.  Source: torch.round, 2.13.0."""
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
    return ops.where_of(condition, input, other)


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """out = x + w (y - x).  Source: torch.lerp, 2.13.0."""
    if input.dtype != end.dtype:
        raise RuntimeError(f"expected dtype {input.dtype} for `end` but got dtype {end.dtype}")
    return ops.Lerp.apply(input, end, weight if isinstance(weight, Tensor) else float(weight))


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """out = x + value a b.  Source: torch.addcmul, 2.13.0."""
    product = mul(tensor1, tensor2)
    return add(input, product if value == 1 else mul(product, value))


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """out = x + value a / b.  Source: torch.addcdiv, 2.13.0."""
    quotient = div(tensor1, tensor2)
    return add(input, quotient if value == 1 else mul(quotient, value))


def nan_to_num(input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """out = x with NaN and infinities replaced, infinities by the largest numbers.  Source: torch.nan_to_num, 2.13.0."""
    return ops.NanToNum.apply(input, nan, posinf, neginf)


def clone(input: Tensor) -> Tensor:
    """A copy, through which gradients pass.  Source: torch.clone, 2.13.0."""
    return ops.Clone.apply(input)


# ---------------------------------------------------------------- questions: nothing to differentiate


def _question(ufunc: Any, name: str, meaning: str) -> Callable[[Any, Any], Tensor]:
    def function(input: Any, other: Any) -> Tensor:
        a, b = (v.array if isinstance(v, Tensor) else v for v in (input, other))
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.dtype != b.dtype:
            common = dtypes.result_type(a, b)
            a, b = a.astype(common, copy=False), b.astype(common, copy=False)
        elif isinstance(a, np.ndarray) and isinstance(b, float) and a.dtype.kind != "f":
            a = a.astype(dtypes.get_default_dtype())
        return Tensor(broadcasting(ufunc, a, b))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Whether {meaning}, elementwise.  Source: torch.{name}, 2.13.0."
    return function


eq = _question(np.equal, "eq", "x = y")
ne = not_equal = _question(np.not_equal, "ne", "x differs from y")
lt = less = _question(np.less, "lt", "x < y")
le = less_equal = _question(np.less_equal, "le", "x <= y")
gt = greater = _question(np.greater, "gt", "x > y")
ge = greater_equal = _question(np.greater_equal, "ge", "x >= y")
logical_and = _question(np.logical_and, "logical_and", "x and y are both not zero")
logical_or = _question(np.logical_or, "logical_or", "x or y is not zero")
logical_xor = _question(np.logical_xor, "logical_xor", "one of x and y is zero and the other is not")


def _bits(ufunc: Any, name: str) -> Callable[[Any, Any], Tensor]:
    def function(input: Any, other: Any) -> Tensor:
        common = dtypes.result_type(input, other)
        if common.kind == "f":
            raise RuntimeError(f'"{name}_cpu" not implemented for {common}: bits are those of whole numbers')
        return Tensor(broadcasting(ufunc, _array(input, common), _array(other, common)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Bit by bit {name.rpartition('_')[2]} of whole numbers or bools.  Source: torch.{name}, 2.13.0."
    return function


bitwise_and = _bits(np.bitwise_and, "bitwise_and")
bitwise_or = _bits(np.bitwise_or, "bitwise_or")
bitwise_xor = _bits(np.bitwise_xor, "bitwise_xor")


def bitwise_not(input: Tensor) -> Tensor:
    """Bit by bit not of whole numbers or bools.  Source: torch.bitwise_not, 2.13.0."""
    return Tensor(np.invert(input.array))


def logical_not(input: Tensor) -> Tensor:
    """Whether x is zero, elementwise.  Source: torch.logical_not, 2.13.0."""
    return Tensor(np.logical_not(input.array))


def isnan(input: Tensor) -> Tensor:
    """Whether x is NaN, elementwise.  Source: torch.isnan, 2.13.0."""
    return Tensor(np.isnan(input.array))


def isinf(input: Tensor) -> Tensor:
    """Whether x is infinite, elementwise.  Source: torch.isinf, 2.13.0."""
    return Tensor(np.isinf(input.array))


def isfinite(input: Tensor) -> Tensor:
    """Whether x is neither infinite nor NaN, elementwise.  Source: torch.isfinite, 2.13.0."""
    return Tensor(np.isfinite(input.array))


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether |x - y| <= atol + rtol |y|, elementwise.  Source: torch.isclose, 2.13.0."""
    return Tensor(np.isclose(input.array, other.array, rtol=rtol, atol=atol, equal_nan=equal_nan))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether ``isclose`` holds everywhere.  Source: torch.allclose, 2.13.0."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape and the same elements.  Source: torch.equal, 2.13.0."""
    return input.shape == other.shape and bool(np.array_equal(input.array, other.array))
