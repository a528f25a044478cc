"""Elementwise mathematics: one formula forward, one for each partial derivative.

Every class is one rule of calculus.  ``g`` is dL/d(out); ``dx``, ``dy``, ``dz`` are dL/d(input), before they are summed
back over broadcast axes.  Where a function has a corner or a tie, the convention is PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minimal.autograd.broadcasting import sum_to
from minimal.autograd.operation import Elementwise, Operation
from minimal.autograd.operations.special import erf_of, erfc_of
from minimal.autograd.tensor import Tensor, wrap

# ---------------------------------------------------------------- arithmetic


class Add(Elementwise):
    """out = x + y."""

    forward = np.add

    @staticmethod
    def dx(g: Any) -> Any:
        return g

    @staticmethod
    def dy(g: Any) -> Any:
        return g


class Sub(Elementwise):
    """out = x - y."""

    forward = np.subtract

    @staticmethod
    def dx(g: Any) -> Any:
        return g

    @staticmethod
    def dy(g: Any) -> Any:
        return -g


class Mul(Elementwise):
    """out = x y,  so  dx = g y  and  dy = g x."""

    saves = "others"
    forward = np.multiply

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return g * y

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return g * x


class Div(Elementwise):
    """out = x / y,  so  dx = g / y  and  dy = -g x / y^2."""

    saves = "inputs"
    promotes = "float"
    forward = np.true_divide

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return g / y

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return -g * ((x / y) / y)


class Pow(Elementwise):
    """out = x^y,  so  dx = g y x^(y-1)  (0 where y = 0)  and  dy = g out log x  (0 where x = 0 and y >= 0)."""

    saves = "both"

    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return x**y

    @staticmethod
    def dx(g: Any, x: Any, y: Any, out: Any) -> Any:
        if not hasattr(y, "shape"):
            return np.zeros_like(g) if y == 0 else g * (y * x ** (y - 1))
        return np.where(y == 0, 0.0, g * (y * x ** (y - 1)))

    @staticmethod
    def dy(g: Any, x: Any, y: Any, out: Any) -> Any:
        if not hasattr(x, "shape"):
            return (
                g * out * math.log(x) if x > 0 else np.where(y >= 0, 0.0, g * (out * -math.inf if x == 0 else math.nan))
            )
        return np.where((x == 0) & (y >= 0), 0.0, g * (out * np.log(x)))


class Remainder(Elementwise):
    """out = x - y floor(x / y), with the sign of y."""

    saves = "inputs"
    forward = np.remainder

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return g

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return -g * np.floor(x / y)


class Fmod(Elementwise):
    """out = x - y trunc(x / y), with the sign of x."""

    saves = "inputs"
    forward = np.fmod

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return g

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return -g * np.trunc(x / y)


class Neg(Elementwise):
    """out = -x."""

    forward = np.negative

    @staticmethod
    def dx(g: Any) -> Any:
        return -g


class Abs(Elementwise):
    """out = |x|,  so  dx = g sign(x)."""

    saves = "inputs"
    forward = np.absolute

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g * sign_of(x)


class Square(Elementwise):
    """out = x^2,  so  dx = 2 g x."""

    saves = "inputs"
    forward = np.square

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g * (2.0 * x)


class Reciprocal(Elementwise):
    """out = 1 / x,  so  dx = -g out^2."""

    saves = "output"
    promotes = "float"

    @staticmethod
    def forward(x: Any) -> Any:
        return 1.0 / x

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return -g * (out * out)


class Sqrt(Elementwise):
    """out = sqrt(x),  so  dx = g / (2 out)."""

    saves = "output"
    promotes = "float"
    forward = np.sqrt

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return g / (2.0 * out)


class Rsqrt(Elementwise):
    """out = 1 / sqrt(x),  so  dx = -g out^3 / 2."""

    saves = "output"
    promotes = "float"

    @staticmethod
    def forward(x: Any) -> Any:
        return 1.0 / np.sqrt(x)

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return -0.5 * g * (out * out * out)


# ---------------------------------------------------------------- exponentials and logarithms


class Exp(Elementwise):
    """out = e^x,  so  dx = g out."""

    saves = "output"
    promotes = "float"
    forward = np.exp

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return g * out


class Exp2(Elementwise):
    """out = 2^x,  so  dx = g out ln 2."""

    saves = "output"
    promotes = "float"
    forward = np.exp2

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return g * out * math.log(2.0)


class Expm1(Elementwise):
    """out = e^x - 1,  so  dx = g (out + 1)."""

    saves = "output"
    promotes = "float"
    forward = np.expm1

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return g * (out + 1.0)


class Log(Elementwise):
    """out = ln x,  so  dx = g / x."""

    saves = "inputs"
    promotes = "float"
    forward = np.log

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g / x


class Log2(Elementwise):
    """out = log2 x,  so  dx = g / (x ln 2)."""

    saves = "inputs"
    promotes = "float"
    forward = np.log2

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g / (x * math.log(2.0))


class Log10(Elementwise):
    """out = log10 x,  so  dx = g / (x ln 10)."""

    saves = "inputs"
    promotes = "float"
    forward = np.log10

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g / (x * math.log(10.0))


class Log1p(Elementwise):
    """out = ln(1 + x),  so  dx = g / (1 + x)."""

    saves = "inputs"
    promotes = "float"
    forward = np.log1p

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g / (x + 1.0)


class Logaddexp(Elementwise):
    """out = ln(e^x + e^y),  so  dx = g e^(x - out)  and  dy = g e^(y - out)."""

    saves = "both"
    forward = np.logaddexp

    @staticmethod
    def dx(g: Any, x: Any, y: Any, out: Any) -> Any:
        return g * np.exp(x - out)

    @staticmethod
    def dy(g: Any, x: Any, y: Any, out: Any) -> Any:
        return g * np.exp(y - out)


class Logaddexp2(Elementwise):
    """out = log2(2^x + 2^y),  so  dx = g 2^(x - out)  and  dy = g 2^(y - out)."""

    saves = "both"
    forward = np.logaddexp2

    @staticmethod
    def dx(g: Any, x: Any, y: Any, out: Any) -> Any:
        return g * np.exp2(x - out)

    @staticmethod
    def dy(g: Any, x: Any, y: Any, out: Any) -> Any:
        return g * np.exp2(y - out)


class Logit(Elementwise):
    """out = ln(x / (1 - x)),  so  dx = g / (x (1 - x))."""

    saves = "inputs"
    promotes = "float"

    @staticmethod
    def forward(x: Any) -> Any:
        return np.log(x / (1.0 - x))

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return np.where((x < 0) | (x > 1), math.nan, g / (x * (1.0 - x)))


class Xlogy(Elementwise):
    """out = x ln y, and 0 where x = 0 (unless y is NaN);  dx = g ln y  and  dy = g x / y."""

    saves = "inputs"
    promotes = "float"

    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return np.where((x == 0) & ~np.isnan(y), 0.0, x * np.log(y)).astype(np.result_type(x, y), copy=False)

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return np.where((x == 0) & (y <= 0), 0.0, g * np.log(y))

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return g * x / y


# ---------------------------------------------------------------- angles


class Sin(Elementwise):
    """out = sin x,  so  dx = g cos x."""

    saves = "inputs"
    promotes = "float"
    forward = np.sin

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g * np.cos(x)


class Cos(Elementwise):
    """out = cos x,  so  dx = -g sin x."""

    saves = "inputs"
    promotes = "float"
    forward = np.cos

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g * -np.sin(x)


class Tan(Elementwise):
    """out = tan x,  so  dx = g (1 + out^2)."""

    saves = "output"
    promotes = "float"
    forward = np.tan

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return g * (1.0 + out * out)


class Asin(Elementwise):
    """out = arcsin x,  so  dx = g / sqrt(1 - x^2)."""

    saves = "inputs"
    promotes = "float"
    forward = np.arcsin

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g / np.sqrt(1.0 - x * x)


class Acos(Elementwise):
    """out = arccos x,  so  dx = -g / sqrt(1 - x^2)."""

    saves = "inputs"
    promotes = "float"
    forward = np.arccos

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return -g / np.sqrt(1.0 - x * x)


class Atan(Elementwise):
    """out = arctan x,  so  dx = g / (1 + x^2)."""

    saves = "inputs"
    promotes = "float"
    forward = np.arctan

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g / (x * x + 1.0)


class Atan2(Elementwise):
    """out = the angle of (y, x), here called x / y as they come:  dx = g y / (x^2 + y^2)  and  dy = -g x / (x^2 + y^2)."""

    saves = "inputs"
    promotes = "float"
    forward = np.arctan2

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return g * y * _reciprocal_or_zero(x * x + y * y)

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return -g * x * _reciprocal_or_zero(x * x + y * y)


def _reciprocal_or_zero(r: Any) -> Any:
    return np.where(r == 0, 0.0, 1.0 / r)


class Sinh(Elementwise):
    """out = sinh x,  so  dx = g cosh x."""

    saves = "inputs"
    promotes = "float"
    forward = np.sinh

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g * np.cosh(x)


class Cosh(Elementwise):
    """out = cosh x,  so  dx = g sinh x."""

    saves = "inputs"
    promotes = "float"
    forward = np.cosh

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g * np.sinh(x)


class Tanh(Elementwise):
    """out = tanh x,  so  dx = g (1 - out^2)."""

    saves = "output"
    promotes = "float"
    forward = np.tanh

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return g * (1.0 - out * out)


class Asinh(Elementwise):
    """out = arsinh x,  so  dx = g / sqrt(x^2 + 1)."""

    saves = "inputs"
    promotes = "float"
    forward = np.arcsinh

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g / np.sqrt(x * x + 1.0)


class Acosh(Elementwise):
    """out = arcosh x,  so  dx = g / sqrt(x^2 - 1)."""

    saves = "inputs"
    promotes = "float"
    forward = np.arccosh

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g / np.sqrt(x * x - 1.0)


class Atanh(Elementwise):
    """out = artanh x,  so  dx = g / (1 - x^2)."""

    saves = "inputs"
    promotes = "float"
    forward = np.arctanh

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g / (1.0 - x * x)


class Hypot(Elementwise):
    """out = sqrt(x^2 + y^2),  so  dx = g x / out  and  dy = g y / out."""

    saves = "both"
    forward = np.hypot

    @staticmethod
    def dx(g: Any, x: Any, y: Any, out: Any) -> Any:
        return g * (x / out)

    @staticmethod
    def dy(g: Any, x: Any, y: Any, out: Any) -> Any:
        return g * (y / out)


class Sinc(Elementwise):
    """out = sin(pi x) / (pi x), and 1 at 0;  dx = g (cos(pi x) - out) / x, and 0 at 0."""

    saves = "both"
    promotes = "float"

    @staticmethod
    def forward(x: Any) -> Any:
        return np.sinc(x).astype(x.dtype, copy=False)

    @staticmethod
    def dx(g: Any, x: Any, out: Any) -> Any:
        return np.where(x == 0, 0.0, g * ((np.cos(math.pi * x) - out) / x))


class Deg2rad(Elementwise):
    """out = x pi / 180."""

    promotes = "float"

    @staticmethod
    def forward(x: Any) -> Any:
        return x * (math.pi / 180)

    @staticmethod
    def dx(g: Any) -> Any:
        return g * (math.pi / 180)


class Rad2deg(Elementwise):
    """out = x 180 / pi."""

    promotes = "float"

    @staticmethod
    def forward(x: Any) -> Any:
        return x * (180 / math.pi)

    @staticmethod
    def dx(g: Any) -> Any:
        return g * (180 / math.pi)


# ---------------------------------------------------------------- the normal distribution's integral


class Erf(Elementwise):
    """out = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x,  so  dx = g 2 / sqrt(pi) e^(-x^2)."""

    saves = "inputs"
    promotes = "float"
    asks_twin = True
    forward = staticmethod(erf_of)

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g * ((2 / math.sqrt(math.pi)) * np.exp(-(x * x)))


class Erfc(Elementwise):
    """out = 1 - erf x, exact where erf x is almost 1."""

    saves = "inputs"
    promotes = "float"
    asks_twin = True
    forward = staticmethod(erfc_of)

    @staticmethod
    def dx(g: Any, x: Any) -> Any:
        return g * ((-2 / math.sqrt(math.pi)) * np.exp(-(x * x)))


class Sigmoid(Elementwise):
    """out = 1 / (1 + e^-x),  so  dx = g out (1 - out)."""

    saves = "output"
    promotes = "float"

    @staticmethod
    def forward(x: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-x))

    @staticmethod
    def dx(g: Any, out: Any) -> Any:
        return g * (out * (1.0 - out))


# ---------------------------------------------------------------- steps: flat almost everywhere


class _Flat(Elementwise):
    """A step function: its derivative is zero wherever it has one."""

    @staticmethod
    def dx(g: Any) -> Any:
        return np.zeros_like(g)


class Sign(_Flat):
    """out = -1, 0 or 1; 0 for NaN too."""

    @staticmethod
    def forward(x: Any) -> Any:
        return np.subtract(x > 0, x < 0, dtype=x.dtype)


def sign_of(x: Any) -> Any:
    """-1, 0 or 1 for each element of an array or a Tensor."""
    return x.sign() if isinstance(x, Tensor) else Sign.forward(x)


class Floor(_Flat):
    """out = the largest whole number that is not above x."""

    forward = np.floor


class Ceil(_Flat):
    """out = the smallest whole number that is not below x."""

    forward = np.ceil


class Trunc(_Flat):
    """out = x without its fraction."""

    forward = np.trunc


class DivFloor(_Flat):
    """out = the largest whole number that is not above x / y."""

    forward = np.floor_divide
    dy = _Flat.dx


class DivTrunc(_Flat):
    """out = x / y without its fraction."""

    dy = _Flat.dx

    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return np.trunc(x / y)


class FloorDivide(DivFloor):
    """out = the largest whole number that is not above x / y, without a derivative, as PyTorch has it."""

    @staticmethod
    def dx(g: Any) -> Any:
        raise RuntimeError("derivative for aten::floor_divide is not implemented: use div(rounding_mode='floor')")

    dy = dx


class Fill(_Flat):
    """out = one value everywhere."""

    @staticmethod
    def forward(x: Any, value: Any) -> Any:
        return np.full_like(x, value)


class Heaviside(Elementwise):
    """out = 0 below 0, y at 0, 1 above, and 0 for NaN; without a derivative, as PyTorch has it."""

    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return np.where(x == 0, y, (x > 0).astype(y.dtype))

    @staticmethod
    def dx(g: Any) -> Any:
        raise RuntimeError("derivative for aten::heaviside is not implemented")

    dy = dx


class Round(_Flat):
    """out = the nearest whole number, the even one of two."""

    forward = np.rint


class Frac(Elementwise):
    """out = x - trunc(x)."""

    @staticmethod
    def forward(x: Any) -> Any:
        return x - np.trunc(x)

    @staticmethod
    def dx(g: Any) -> Any:
        return g


class Copysign(Elementwise):
    """out = |x| with the sign of y,  so  dx = g, turned where the sign was  (0 where x = 0)."""

    saves = "both"
    promotes = "float"
    forward = np.copysign

    @staticmethod
    def dx(g: Any, x: Any, y: Any, out: Any) -> Any:
        return np.where(x == 0, 0.0, g * np.sign(x) * np.sign(out))

    @staticmethod
    def dy(g: Any, x: Any, y: Any, out: Any) -> Any:
        return np.zeros_like(g)


# ---------------------------------------------------------------- choices


class Maximum(Elementwise):
    """out = the larger of x and y, NaN if one is; at a tie each gets half of the gradient."""

    saves = "inputs"
    forward = np.maximum

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return np.where(x == y, g / 2, np.where(x > y, g, 0.0))

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return np.where(x == y, g / 2, np.where(x < y, g, 0.0))


class Minimum(Elementwise):
    """out = the smaller of x and y, NaN if one is; at a tie each gets half of the gradient."""

    saves = "inputs"
    forward = np.minimum

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return np.where(x == y, g / 2, np.where(x < y, g, 0.0))

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return np.where(x == y, g / 2, np.where(x > y, g, 0.0))


class Fmax(Elementwise):
    """out = the larger of x and y, the other one if one is NaN; at a tie x gets the gradient."""

    saves = "inputs"
    forward = np.fmax

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return np.where((x >= y) | (y != y), g, 0.0)

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return np.where((x >= y) | (y != y), 0.0, g)


class Fmin(Elementwise):
    """out = the smaller of x and y, the other one if one is NaN; at a tie x gets the gradient."""

    saves = "inputs"
    forward = np.fmin

    @staticmethod
    def dx(g: Any, x: Any, y: Any) -> Any:
        return np.where((x <= y) | (y != y), g, 0.0)

    @staticmethod
    def dy(g: Any, x: Any, y: Any) -> Any:
        return np.where((x <= y) | (y != y), 0.0, g)


class Clamp(Elementwise):
    """out = x within [low, high], where each bound is a number, a tensor or None; the gradient passes there, ends too."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, low: Any, high: Any) -> Any:
        out = x if low is None else np.maximum(x, low)
        return out if high is None else np.minimum(out, high)

    @staticmethod
    def _inside(x: Any, low: Any, high: Any) -> Any:
        above = True if low is None else x >= low
        below = True if high is None else x <= high
        return above & below

    @staticmethod
    def dx(g: Any, x: Any, low: Any, high: Any) -> Any:
        return np.where(Clamp._inside(x, low, high), g, 0.0)

    @staticmethod
    def dy(g: Any, x: Any, low: Any, high: Any) -> Any:
        return np.where((x < low) if high is None else (x < low) & (low < high), g, 0.0)

    @staticmethod
    def dz(g: Any, x: Any, low: Any, high: Any) -> Any:
        return np.where((x > high) if low is None else (x > high) | (low > high), g, 0.0)


class Where(Operation):
    """out = x where the condition holds, y elsewhere; each gets the gradient of its places (a number gets none)."""

    keeps = ("condition",)

    def forward(self, condition: Any, x: Any, y: Any) -> Any:
        self.condition, self.shapes = condition, [getattr(v, "shape", None) for v in (x, y)]
        return np.where(condition, x, y)

    def backward(self, g: Any) -> Any:
        x_shape, y_shape = self.shapes
        back = [None]  # the condition's
        if x_shape is not None:
            back.append(sum_to(np.where(self.condition, g, 0.0), x_shape))
        if y_shape is not None:
            back.append(sum_to(np.where(self.condition, 0.0, g), y_shape))
        return tuple(back)


class NanToNum(Elementwise):
    """out = x with NaN and infinities replaced; the gradient passes where x was finite."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
        return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)

    @staticmethod
    def dx(g: Any, x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
        return np.where((x - x) == 0, g, 0.0)


class Lerp(Elementwise):
    """out = x + w (y - x),  so  dx = g (1 - w),  dy = g w  and  dw = g (y - x)."""

    saves = "inputs"

    @staticmethod
    def forward(x: Any, y: Any, w: Any) -> Any:
        small = abs(w) < 0.5
        if isinstance(w, np.ndarray):
            return np.where(small, x + w * (y - x), y - (y - x) * (1.0 - w))
        return x + w * (y - x) if small else y - (y - x) * (1.0 - w)

    @staticmethod
    def dx(g: Any, x: Any, y: Any, w: Any) -> Any:
        return g * (1.0 - w)

    @staticmethod
    def dy(g: Any, x: Any, y: Any, w: Any) -> Any:
        return g * w

    @staticmethod
    def dz(g: Any, x: Any, y: Any, w: Any) -> Any:
        return g * (y - x)


class Cast(Operation):
    """out = x in another dtype; the gradient goes back in the dtype of x."""

    def forward(self, x: Any, dtype: np.dtype) -> Any:
        self.source = x.dtype
        return x.astype(dtype, copy=True, order="K")

    def backward(self, g: Any) -> Any:
        return g.to(self.source) if isinstance(g, Tensor) else np.asarray(g, dtype=self.source)


class Clone(Operation):
    """out = a copy of x, in the same memory layout."""

    def forward(self, x: Any) -> Any:
        return x.copy("C" if 0 in x.strides else "K")

    def backward(self, g: Any) -> Any:
        return g


class Contiguous(Operation):
    """out = x with its rows one after another in memory."""

    def forward(self, x: Any) -> Any:
        return np.array(x, order="C")

    def backward(self, g: Any) -> Any:
        return g


def where_of(condition: Any, x: Any, y: Any) -> Tensor:
    """``numpy.where`` for tensors, arrays and numbers that have one dtype together."""
    condition = wrap(condition)
    pair = Add.promoted(*(wrap(v) if isinstance(v, np.ndarray) else v for v in (x, y)))
    return Where.apply(condition, *pair)
