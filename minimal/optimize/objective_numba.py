"""The objective inside a compiled optimizer: the compiled twin of ``scalar_function`` and of the schemes in ``differences``.

The optimizer gets the compiled objective as a number, the address of its machine code.  So the optimizer itself is compiled
once for all objectives (of the same types of extra arguments) and kept on disk, and a call costs what a call in C costs.

Arrays in compiled text carry a count of who holds them, which every call moves up and down, atomically: more work than an
iteration in two dimensions.  All arrays here are held by the caller in Python for the whole run, so the optimizer works on
:func:`uncounted` views of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.core.imputils import impl_ret_new_ref
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array

__all__ = ["Memo", "Problem", "gradient_at", "uncounted", "value_at"]

kernel = njit(nogil=True, error_model="numpy")  # not cached: the drivers that contain them are

VECTOR = types.Array(types.float64, 1, "C")
ABSOLUTE_2, RELATIVE_2, RELATIVE_3 = 0, 1, 2  # schemes of finite differences
F, HAS_F, HAS_G, NFEV, NJEV, N_UPDATES, N_ZERO_CURVATURE = range(7)  # places in Memo.numbers


class Problem(NamedTuple):
    """What to minimize: the addresses of two functions (None: no gradient), their arguments, and how to difference."""

    fun: int
    jac: int | None
    args: tuple[Any, ...]
    scheme: int
    step: np.ndarray  # of finite differences, shape (n,); NaN for the default


class Memo(NamedTuple):
    """What is remembered of the last point x: value, gradient and the counts; and room for the user's copy of x."""

    x: np.ndarray
    g: np.ndarray
    copy: np.ndarray
    numbers: np.ndarray


def _call(returns: types.Type) -> Any:
    """A compiled call, ``call(address, x, args)``, of a compiled function; what it raises is raised here."""

    def call(typing_context: Any, address: Any, x: Any, args: Any) -> Any:
        takes = (VECTOR, *args.types)

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            convention = context.call_conv
            pointer_type = convention.get_function_type(returns, takes).as_pointer()
            pointer = builder.inttoptr(arguments[0], pointer_type)
            values = [arguments[1], *cgutils.unpack_tuple(builder, arguments[2], len(args.types))]
            status, result = convention.call_function(builder, pointer, returns, takes, values)
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return impl_ret_new_ref(context, builder, returns, result)

        return returns(types.int64, VECTOR, args), codegen

    return intrinsic(call)


value_of = _call(types.float64)
gradient_of = _call(VECTOR)


def _uncounted(typing_context: Any, array: Any) -> Any:
    """A view that is not counted; the caller sees to it that the array lives longer."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = make_array(array)(context, builder, value=arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()

    return array(array), codegen


uncounted: Any = intrinsic(_uncounted)


@kernel
def go_to(memo, x, p, step):
    """Make x + step p the last point, unless it is already (then all evaluations are known); NaN is equal to nothing."""
    here = True
    for i in range(x.size):
        here = here and x[i] + step * p[i] == memo.x[i]
    if not here:
        for i in range(x.size):
            memo.x[i] = x[i] + step * p[i]
        memo.numbers[HAS_F] = memo.numbers[HAS_G] = 0.0


@kernel
def value_at(problem, memo, x, p, step):
    """f(x + step p), from memory if that is the last point; twin of ``ScalarFunction.fun``."""
    go_to(memo, x, p, step)
    refresh_value(problem, memo)
    return memo.numbers[F]


@kernel
def gradient_at(problem, memo, x, p, step):
    """Put the gradient at x + step p into ``memo.g``; twin of ``ScalarFunction.grad``."""
    go_to(memo, x, p, step)
    refresh_gradient(problem, memo)


@kernel
def refresh_value(problem, memo):
    """Evaluate f at the last point if that has not been done."""
    if memo.numbers[HAS_F] == 0.0:
        memo.copy[:] = memo.x
        memo.numbers[NFEV] += 1.0
        memo.numbers[F] = value_of(problem.fun, memo.copy, problem.args)
        memo.numbers[HAS_F] = 1.0


def refresh_gradient(problem: Problem, memo: Memo) -> None:
    """Evaluate the gradient at the last point if that has not been done."""
    raise NotImplementedError("for compiled text")


@overload(refresh_gradient, jit_options={"nogil": True, "error_model": "numpy"})
def _refresh_gradient(problem, memo):
    differences = isinstance(problem[1], types.NoneType)

    def by_differences(problem, memo):
        if memo.numbers[HAS_G] == 0.0:
            refresh_value(problem, memo)
            memo.numbers[NJEV] += 1.0
            difference_quotients(problem, memo)
            memo.numbers[HAS_G] = 1.0

    def by_function(problem, memo):
        if memo.numbers[HAS_G] == 0.0:
            memo.copy[:] = memo.x
            memo.numbers[NJEV] += 1.0
            gradient = gradient_of(problem.jac, memo.copy, problem.args)
            if gradient.size != memo.g.size:
                raise ValueError("The gradient must have the shape of x0.")
            memo.g[:] = gradient
            memo.numbers[HAS_G] = 1.0

    return by_differences if differences else by_function


@kernel
def step_at(scheme, wish, x):
    """The step of one coordinate; twin of ``differences.steps``."""
    sign = 1.0 if x >= 0 else -1.0
    size = 1.0 if abs(x) < 1.0 else abs(x)
    default = (EPS_CUBE_ROOT if scheme == RELATIVE_3 else EPS_SQUARE_ROOT) * sign * size
    step = default
    if not np.isnan(wish):
        step = wish if scheme == ABSOLUTE_2 else wish * sign * abs(x)
        if (x + step) - x == 0.0:
            step = default
    return abs(step) if scheme == RELATIVE_3 else step


EPS_SQUARE_ROOT = float(np.finfo(np.float64).eps ** 0.5)
EPS_CUBE_ROOT = float(np.finfo(np.float64).eps ** (1 / 3))


@kernel
def value_beside(problem, memo, i, coordinate):
    """f at the last point with its i-th coordinate replaced."""
    memo.copy[:] = memo.x
    memo.copy[i] = coordinate
    memo.numbers[NFEV] += 1.0
    return value_of(problem.fun, memo.copy, problem.args)


@kernel
def difference_quotients(problem, memo):
    """The gradient at the last point by finite differences, into ``memo.g``; twin of the function in ``differences``."""
    for i in range(memo.x.size):
        x = memo.x[i]
        h = step_at(problem.scheme, problem.step[i], x)
        if problem.scheme == RELATIVE_3:
            below = value_beside(problem, memo, i, x - h)
            above = value_beside(problem, memo, i, x + h)
            memo.g[i] = (above - below) / ((x + h) - (x - h))
        else:
            memo.g[i] = (value_beside(problem, memo, i, x + h) - memo.numbers[F]) / ((x + h) - x)
