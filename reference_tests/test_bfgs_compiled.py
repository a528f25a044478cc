"""With a compiled objective all of BFGS runs compiled, and gives the bits that SciPy gives for the same objective."""

import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.optimize
from numba import njit

import minimal
import minimal.optimize
import minimal.optimize.bfgs
from minimal.optimize import blas_numba

from .problems import LARGE, PROBLEMS
from .test_bfgs import OPTIONS, assert_same, quietly, recorder

COMPONENT = "minimize"
DEFAULT = ("rosenbrock 2", "rosenbrock 10", "beale", "wood")
REASON = "NumPy here is not linked to OpenBLAS with 64-bit integers, whose sums the compiled text would repeat"


def claim(parity, ours, theirs, data="", option=""):
    if blas_numba.SAME_AS_NUMPY:
        assert_same(parity, ours, theirs, data, option)
    else:  # plain loops add up in another order
        parity.rounding(ours.x, theirs.x, what="x", bound=1e-4, reason=REASON, data=data, option=option)


@pytest.fixture
def only_compiled(monkeypatch, engine):
    """On the Numba engine, fail if the Python driver runs."""

    def refuse(*args, **kwargs):
        raise AssertionError("the Python driver ran")

    if engine == "numba":
        monkeypatch.setattr(minimal.optimize.bfgs, "iterate", refuse)


@pytest.fixture
def python_driver(monkeypatch):
    """Count the runs of the Python driver."""
    runs = []
    iterate = minimal.optimize.bfgs.iterate

    def counted(*args, **kwargs):
        runs.append(1)
        return iterate(*args, **kwargs)

    monkeypatch.setattr(minimal.optimize.bfgs, "iterate", counted)
    return runs


def compare(parity, fun, x0, data="", options=None, **how):
    options = options or {}
    ours = quietly(minimal.optimize.minimize, fun, x0, options=options, **how)
    theirs = quietly(scipy.optimize.minimize, fun, x0, method="BFGS", options=options, **how)
    claim(parity, ours, theirs, data, f"compiled, {options or ''}")
    return ours


def _wide_unless_default(problems):
    return [p if p.name in DEFAULT else pytest.param(p, marks=pytest.mark.wide) for p in problems]


@pytest.mark.parametrize("problem", _wide_unless_default([*PROBLEMS, *LARGE]), ids=lambda p: p.name)
def test_the_iterates_are_scipy_s(problem, engine, only_compiled, parity):
    fun, jac = problem.compiled()
    for gradient in (jac, None, "2-point", "3-point"):
        if gradient is jac or len(problem.x0) < 20:
            compare(parity, fun, np.array(problem.x0), problem.name, jac=gradient)


@njit
def valley(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


@njit
def valley_gradient(x):
    g = np.zeros_like(x)
    for i in range(x.size - 1):
        off = x[i + 1] - x[i] ** 2
        g[i] += -400 * x[i] * off - 2 * (1 - x[i])
        g[i + 1] += 200 * off
    return g


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30, 100])
@pytest.mark.parametrize("gradient", ["analytic", None])
def test_rosenbrock_s_valley_in_many_dimensions(n, gradient, engine, only_compiled, parity):
    x0 = np.where(np.arange(n) % 2, 1.0, -1.2)
    jac = valley_gradient if gradient else None
    compare(parity, valley, x0, f"rosenbrock {n}", options={} if gradient or n < 50 else {"maxiter": 40}, jac=jac)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options_are_scipy_s(options, engine, parity):
    for jac in (valley_gradient, None):
        compare(parity, valley, [-1.2, 1.0, -1.2, 1.0], "rosenbrock 4", options=options, jac=jac)


@pytest.mark.parametrize(
    "options",
    [{"finite_diff_rel_step": 1e-7}, {"finite_diff_rel_step": [1e-7, 1e-6]}, {"finite_diff_rel_step": 0.0}, {}],
    ids=str,
)
@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_relative_steps(jac, options, engine, only_compiled, parity):
    compare(parity, valley, [-1.2, 1.0], "rosenbrock 2", options=options, jac=jac)


@pytest.mark.parametrize("eps", [1e-4, 1e-30, [1e-7, 1e-6]], ids=str)
def test_absolute_steps(eps, engine, only_compiled, parity):
    compare(parity, valley, [-1.2, 1.0], "rosenbrock 2", options={"eps": eps})


# The last number of x says which way of ending the objective takes.
@njit
def ending(x):
    kind, y = int(x[-1]), x[:-1]
    total = 0.0
    for v in y:
        if kind == 0:
            total += abs(v)
        elif kind == 1:
            total += v - math.log(v) if v > 0 else math.nan
        elif kind == 2:
            total -= math.exp(v)
        elif kind == 3:
            total += v**2 if abs(v) < 1.5 else math.inf
        elif kind == 4:
            total += v**3
        elif kind == 5:
            total += 1e-200 * v * v
        elif kind == 6:
            total = v * v + math.cos(v)  # overlooks all but the last
    return total


@njit
def ending_gradient(x):
    kind = int(x[-1])
    g = np.zeros(x.size)
    for i in range(x.size - 1):
        v = x[i]
        if kind == 0:
            g[i] = np.sign(v)
        elif kind == 1:
            g[i] = 1 - 1 / v if v != 0 else math.inf
        elif kind == 2:
            g[i] = -math.exp(v)
        elif kind == 3:
            g[i] = 2 * v
        elif kind == 4:
            g[i] = 3 * v * v
        elif kind == 5:
            g[i] = 2e-200 * v
        elif kind == 6 and i == x.size - 2:
            g[i] = 2 * v - math.sin(v)
    return g


@pytest.mark.parametrize("kind", range(7))
@pytest.mark.parametrize("start", [[1.0, -0.7], [30.0, 1.4], [0.3, 0.2], [math.nan, 1.0], [math.inf, 1.0], [0.0, 0.0]])
def test_every_end_is_scipy_s(kind, start, engine, only_compiled, parity):
    for jac in (ending_gradient, "3-point" if kind % 2 else None):
        for options in ({}, {"gtol": 0.0, "maxiter": 30}):
            # jac's last entry is 0, so the kind stays; differences would move it, but never by a whole number
            compare(parity, ending, [*start, kind + 0.5], f"ending {kind} from {start}", options=options, jac=jac)


@njit
def shifted(x, shift, scale):
    return scale * ((x - shift) ** 4).sum()


@njit
def shifted_gradient(x, shift, scale):
    return scale * 4 * (x - shift) ** 3


@njit
def mixed(x, shift, pair, name):
    return ((x - shift) ** 2).sum() * pair[0] + pair[1] + len(name)


@pytest.mark.parametrize("jac", ["analytic", None])
def test_args_go_into_the_compiled_driver(jac, engine, only_compiled, parity):
    args = (np.array([1.0, 2.0]), 3.0)
    compare(parity, shifted, [5.0, -1.0], "shifted", jac=shifted_gradient if jac else None, args=args)


@pytest.mark.wide
def test_args_of_many_types(engine, only_compiled, parity):
    compare(parity, mixed, [5.0, -1.0], "mixed", args=(np.arange(4.0)[::2], (2, 1.5), "four"))


@njit
def both(x):
    return valley(x), valley_gradient(x)


@njit
def entire(x):
    return (x[0] - 1) ** 4 + x[0] * x[0] + x[1] ** 2


@njit
def listed(x):
    return [2 * x[0], 2 * x[1]]


@njit
def whole(x):
    return round(x[0] * x[0] + 3 * x[1] * x[1])


def python_gradient(x):
    return valley_gradient(x)


FALLBACKS = {
    "return_all": (valley, {"jac": valley_gradient, "options": {"return_all": True}}),
    "jac=True": (both, {"jac": True}),
    "cs": (entire, {"jac": "cs"}),
    "workers": (valley, {"options": {"workers": map}}),
    "gradient in Python": (valley, {"jac": python_gradient}),
    "gradient as a list": (njit(lambda x: x[0] ** 2 + x[1] ** 2), {"jac": listed}),
    "an integer value": (whole, {}),
    "a fixed signature of another layout": (njit("float64(float64[:])")(lambda x: (x[0] - 1) ** 4 + x[1] ** 2), {}),
    "a parameter with a default": (njit(lambda x, power=2: (x[0] - 1) ** power + x[1] ** 2), {}),
    "another norm": (valley, {"jac": valley_gradient, "options": {"norm": 3}}),
}


@pytest.mark.filterwarnings("ignore:.*reflected list")
@pytest.mark.parametrize("why", FALLBACKS)
def test_python_drives_what_the_compiled_driver_cannot(why, engine, parity, python_driver):
    fun, how = FALLBACKS[why]
    compare(parity, fun, [-1.2, 1.0], why, **how)
    assert python_driver


@pytest.mark.parametrize("form", ["xk", "intermediate_result"])
@pytest.mark.parametrize("stop_after", [None, 3])
def test_callbacks_work(form, stop_after, engine, parity):
    runs = []
    for minimize, method in ((minimal.optimize.minimize, None), (scipy.optimize.minimize, "BFGS")):
        seen, callback = recorder(form, stop_after)
        runs.append((minimize(valley, [-1.2, 1.0], jac=valley_gradient, method=method, callback=callback), seen))
    (ours, our_points), (theirs, their_points) = runs
    assert_same(parity, ours, theirs, "rosenbrock 2", f"compiled, callback({form}), stop={stop_after}")
    parity.identical(np.array(our_points), np.array(their_points), what="points told")


@njit
def refuses(x):
    if x[0] < 0.5:
        raise ValueError("x is too small")
    return x[0] ** 2


@njit
def too_long(x):
    return np.ones(x.size + 1)


def test_errors_come_through(engine):
    minimize = minimal.optimize.minimize
    with pytest.raises(ValueError, match="x is too small"):
        minimize(refuses, [3.0])
    with pytest.raises(ValueError, match="shape of x0"):
        minimize(valley, [1.0, 2.0], jac=too_long)
    with pytest.raises(ValueError, match="c1"):
        minimize(valley, [1.0, 2.0], jac=valley_gradient, options={"c1": 0.9, "c2": 0.1})
    with pytest.raises(ValueError, match="positive definite"):
        minimize(valley, [1.0, 2.0], options={"hess_inv0": -np.eye(2)})
    assert minimize(valley, [-1.2, 1.0]).success  # the driver survives its errors


@njit
def rude(x):
    value = ((x - 1) ** 4).sum()
    x[:] = 99.0
    return value


@njit
def rude_gradient(x):
    x[:] = 4 * (x - 1) ** 3
    return x


def test_objectives_may_write_into_x(engine, only_compiled, parity):
    x0, H0 = np.array([3.0, -1.0]), np.array([[2.0, 0.5], [0.5, 1.0]])
    for jac in (rude_gradient, None):
        compare(parity, rude, x0, "rude", jac=jac, options={"hess_inv0": H0})
    assert x0.tolist() == [3.0, -1.0]
    assert H0.tolist() == [[2.0, 0.5], [0.5, 1.0]]


def test_disp_says_the_same(engine, only_compiled, capsys):
    minimal.optimize.minimize(valley, [-1.2, 1.0], jac=valley_gradient, options={"disp": True})
    ours = capsys.readouterr().out
    scipy.optimize.minimize(valley, [-1.2, 1.0], jac=valley_gradient, method="BFGS", options={"disp": True})
    assert ours == capsys.readouterr().out


@pytest.mark.parametrize(
    "options", [{"cache": True}, {"nogil": True, "error_model": "numpy"}, {"signature_or_function": "float64(float64[::1])"}],
    ids=str,
)  # fmt: skip
def test_objectives_compiled_in_other_ways(options, engine, only_compiled, parity):
    compare(parity, njit(**options)(beside), [3.0, -1.0, 2.0], str(options))


def beside(x):
    return ((x - 1.5) ** 4).sum() + x[0] ** 2


def test_a_recompiled_objective_is_found_at_its_new_address(engine):
    factor = [1.0]

    def fun(x):
        return scale * (x[0] - 3.0) ** 2

    scale = factor[0]
    compiled = njit(fun)
    before = minimal.optimize.minimize(compiled, [1.0])
    compiled.recompile()
    after = minimal.optimize.minimize(compiled, [1.0])
    assert before.x.tolist() == after.x.tolist()
    assert before.nfev == after.nfev


def parabola_around(target):
    return lambda x: (x[0] - target) ** 2


def test_many_short_lived_objectives(engine):
    """Addresses are kept no longer than the functions they belong to."""
    for target in range(8):
        result = minimal.optimize.minimize(njit(parabola_around(float(target))), [0.5])
        assert result.x[0] == pytest.approx(target, abs=1e-6)


def test_blas_is_numpy_s(parity):
    """The kernels' products have NumPy's bits at every size at which OpenBLAS changes its way of adding up."""
    if not blas_numba.SAME_AS_NUMPY:
        pytest.skip(REASON)
    rng = np.random.default_rng(0)
    for n in [*range(1, 40), 64, 65, 100, 129]:
        x, y = rng.standard_normal((2, n))
        A, B = rng.standard_normal((2, n, n))
        product, applied = np.empty((n, n)), np.empty(n)
        blas_numba.matrix_dot(A, B, product)
        blas_numba.matrix_vector(A, x, applied)
        parity.identical(blas_numba.dot(x, y), np.dot(x, y), what="dot", data=str(n))
        parity.identical(applied, np.dot(A, x), what="matrix times vector", data=str(n))
        parity.identical(product, np.dot(A, B), what="matrix times matrix", data=str(n))


def test_the_loops_that_stand_in_for_blas_multiply():
    """They are Python text here; compiled, they run only where NumPy has another BLAS."""
    rng = np.random.default_rng(0)
    A, B, x = rng.standard_normal((4, 4)), rng.standard_normal((4, 4)), rng.standard_normal(4)
    assert blas_numba.LOOPS["ddot"](4, x, 1, x, 1) == pytest.approx(x @ x, rel=1e-14)
    out = np.empty(4)
    blas_numba.LOOPS["dgemv"](101, 111, 4, 4, 1.0, A.ravel(), 4, x, 1, 0.0, out, 1)
    np.testing.assert_allclose(out, A @ x, rtol=1e-13)
    product = np.empty(16)
    blas_numba.LOOPS["dgemm"](101, 111, 111, 4, 4, 4, 1.0, A.ravel(), 4, B.ravel(), 4, 0.0, product, 4)
    np.testing.assert_allclose(product.reshape(4, 4), A @ B, rtol=1e-13)


def test_plain_objectives_need_no_numba():
    """Neither importing nor using the optimizers on Python functions loads Numba."""
    code = (
        "import sys, minimal.optimize as o; r = o.minimize(lambda x: float(x @ x), [1.0, 2.0]); "
        "assert r.success and 'numba' not in sys.modules and 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
