"""L-BFGS-B without bounds against ``scipy.optimize.minimize(method="L-BFGS-B")``: iterate for iterate, bit for bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import rosen, rosen_der
from threadpoolctl import threadpool_limits

import minimal
from minimal.optimize import lbfgs as lbfgs_module
from minimal.optimize.lbfgs import LbfgsInvHessProduct, lbfgs
from minimal.optimize.lbfgs_lapack import AVAILABLE

from .problems import LARGE, PROBLEMS

COMPONENT = "minimize"
METHOD = "L-BFGS-B"
BY_NAME = {problem.name: problem for problem in PROBLEMS + LARGE}
FIELDS = ("x", "fun", "jac", "nit", "nfev", "njev", "status", "success", "message")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """SciPy's triangular solves round by the number of threads on some processors; the claim is about one."""
    with threadpool_limits(1):
        yield


needs_openblas = pytest.mark.skipif(
    not AVAILABLE, reason="this NumPy does not bring OpenBLAS, so bits are no claim here"
)


# ---------------------------------------------------------------- one run of each, and everything that must agree


def both(minimize, fun, x0, **options):
    """The results of ours and SciPy's, each with the path of its iterates."""
    results = []
    for solver in (minimize, scipy.optimize.minimize):
        path = []
        with np.errstate(all="ignore"):
            result = solver(fun, x0, method=METHOD, callback=lambda x, path=path: path.append(x.copy()), **options)
        results.append((result, np.array(path)))
    return results


def assert_identical(parity, minimize, fun, x0, *, data, option="", but=(), **options):
    """Every iterate and every field, to the last bit; but for the value of a run that ends as ABNORMAL.

    Which runs do, rounding decides, and so the processor.
    """
    (ours, our_path), (theirs, their_path) = both(minimize, fun, x0, **options)
    if theirs.message == "ABNORMAL: ":
        but = (*but, "fun")
        parity.known(
            "fun of an ABNORMAL run",
            "SciPy reports the value at the last point tried, minimal the value at x.",
            data=data,
        )
    assert set(ours) == set(theirs)
    parity.identical(our_path, their_path, what="iterates", data=data, option=option)
    for name in FIELDS:
        if name not in but:
            parity.identical(ours[name], theirs[name], what=name, data=data, option=option)
    dense = ours.hess_inv.todense(), theirs.hess_inv.todense()
    parity.identical(*dense, what="hess_inv", data=data, option=option)
    return ours, theirs


@needs_openblas
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.wide if name.endswith("quadratic 40") else ()) for name in BY_NAME]
)
def test_iterates_with_a_gradient(name, engine, implementation, parity):
    fun, gradient = BY_NAME[name].plain()
    ours, _ = assert_identical(parity, implementation("minimize"), fun, BY_NAME[name].x0, jac=gradient, data=name)
    assert ours.nfev > 3  # a run worth comparing


@needs_openblas
@pytest.mark.parametrize("jac", [None, "2-point", "3-point"])
@pytest.mark.parametrize("name", [problem.name for problem in PROBLEMS])
def test_iterates_with_finite_differences(name, jac, engine, implementation, parity):
    fun, _ = BY_NAME[name].plain()
    x0, minimize = BY_NAME[name].x0, implementation("minimize")
    assert_identical(parity, minimize, fun, x0, jac=jac, data=name, option=f"jac={jac!r}")


@needs_openblas
@pytest.mark.parametrize("n", [2, 7])
def test_iterates_with_complex_steps(n, engine, implementation, parity):
    start = np.linspace(-1.0, 2.0, n)
    assert_identical(
        parity, implementation("minimize"), rosen, start, jac="cs", data=f"rosenbrock {n}", option="jac='cs'"
    )


OPTIONS = [
    {"maxcor": 1},
    {"maxcor": 3},
    {"maxcor": 25},
    {"ftol": 0.0, "gtol": 1e-12},
    {"ftol": 1e-4},
    {"gtol": 10.0},
    {"gtol": -1.0},
    {"ftol": float("nan")},
    {"maxiter": 0},
    {"maxiter": 5},
    {"maxfun": 0},
    {"maxfun": 9},
    {"maxls": 2},
    {"eps": 1e-5, "jac": None},
    {"maxfun": 30, "jac": None},
    {"finite_diff_rel_step": 1e-6, "jac": "2-point"},
    {"workers": map, "jac": None},
]


@needs_openblas
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", ["rosenbrock 2", "wood"])
def test_iterates_with_options(name, options, engine, implementation, parity):
    fun, gradient = BY_NAME[name].plain()
    x0, jac = BY_NAME[name].x0, options.get("jac", gradient)
    rest = {key: value for key, value in options.items() if key != "jac"}
    assert_identical(
        parity, implementation("minimize"), fun, x0, jac=jac, options=rest, data=name, option=str(sorted(options))
    )


@needs_openblas
def test_value_and_gradient_from_one_function(engine, implementation, parity):
    def pair(x, scale):
        return scale * rosen(x), scale * rosen_der(x)

    assert_identical(
        parity,
        implementation("minimize"),
        pair,
        [-1.2, 1.0],
        jac=True,
        args=(3.0,),
        data="rosenbrock 2",
        option="jac=True",
    )


@needs_openblas
@pytest.mark.parametrize("x0", [[2, 3], np.array([2, 3], np.float32), np.array([[2.0, 9], [3, 9]])[:, 0]], ids=repr)
def test_starts_of_other_types(x0, engine, implementation, parity):
    assert_identical(parity, implementation("minimize"), rosen, x0, jac=rosen_der, data="rosenbrock 2", option="x0")


# ---------------------------------------------------------------- runs that do not end well

UNHAPPY = {
    "NaN everywhere": (lambda x: np.nan, lambda x: np.full(2, np.nan), [1.0, 2.0]),
    "NaN value": (lambda x: np.nan, lambda x: np.ones(2), [1.0, 2.0]),
    "infinite at the start": (lambda x: np.inf if x[0] == 1 else float(x @ x), lambda x: 2 * x, [1.0, 2.0]),
    "infinite everywhere": (lambda x: np.inf, lambda x: 2 * x, [1.0, 2.0]),
    "NaN beyond the minimum": (lambda x: float(x @ x) if x[0] > 0.5 else np.nan, lambda x: 2 * x, [1.0, 2.0]),
    "logarithm of what is not positive": (lambda x: float((x - np.log(x))[0]), lambda x: 1 - 1 / x, [5.0]),
    "minus infinity": (
        lambda x: float(np.log(x[0])) if x[0] > 0 else -np.inf,
        lambda x: 1 / x if x[0] > 0 else np.zeros(1),
        [1.0],
    ),
    "no lower bound": (lambda x: float((x**3).sum()), lambda x: 3 * x * x, [-1.0, -2.0]),
    "start is NaN": (rosen, rosen_der, [np.nan, 2.0]),
    "start is the minimum": (rosen, rosen_der, [1.0, 1.0]),
    "constant": (lambda x: 1.0, lambda x: np.zeros(2), [1.0, 2.0]),
    "corner": (lambda x: float(np.abs(x).sum() + 1e-3 * x @ x), lambda x: np.sign(x) + 2e-3 * x, [1.0, 2.3]),
}


@needs_openblas
@pytest.mark.parametrize("name", UNHAPPY)
def test_what_is_not_finite_and_other_misfortunes(name, engine, implementation, parity):
    fun, gradient, x0 = UNHAPPY[name]
    assert_identical(parity, implementation("minimize"), fun, x0, jac=gradient, data=name)


@needs_openblas
@pytest.mark.parametrize(
    ("name", "fun", "gradient", "options"),
    [
        ("wrong gradient", lambda x: float(x @ x), lambda x: -2 * x, {}),
        ("one trial", rosen, rosen_der, {"maxls": 1}),
        ("gradient becomes NaN", lambda x: float(x @ x), lambda x: 2 * x if x[0] > 0.9 else np.full(2, np.nan), {}),
        ("NaN after one step", lambda x: float(np.sum(np.sqrt(x) - 0.001 * np.log(x))), lambda x: 0.5 / np.sqrt(x), {}),
    ],
)
def test_abnormal_end(name, fun, gradient, options, engine, implementation, parity):
    ours, theirs = assert_identical(
        parity, implementation("minimize"), fun, [1.0, 2.0], jac=gradient, options=options, data=name
    )
    with np.errstate(all="ignore"):
        assert ours.fun == fun(ours.x)
    if name == "wrong gradient" and theirs.message != "ABNORMAL: ":
        pytest.skip("on this processor SciPy's own run ends otherwise: rounding decides, and ours ended like it")
    assert ours.message == "ABNORMAL: "
    with np.errstate(all="ignore"):
        assert theirs.fun != fun(theirs.x)


@needs_openblas
@pytest.mark.parametrize(
    ("name", "fun", "gradient", "options"),
    [
        # The slope never changes: every step is the longest, and no pair is kept, as s'y = 0.
        ("straight down", lambda x: -float(x.sum()), lambda x: -np.ones(2), {"maxiter": 4}),
        ("no slope, no tolerance", lambda x: 1.0, lambda x: np.zeros(2), {"gtol": 0.0}),
    ],
)
def test_no_curvature(name, fun, gradient, options, engine, implementation, parity):
    assert_identical(
        parity,
        implementation("minimize"),
        fun,
        [1.0, 2.0],
        jac=gradient,
        options=options,
        data=name,
        option=str(options),
    )


def test_precision_lost_far_from_zero(engine, implementation, parity):
    """x is so large that x + d == x: steepest descent does not move, and the run ends where it began."""

    def far(x):
        return 1e-20 * float((x - 1e8) @ (x - 1e8))

    (ours, _), (theirs, _) = both(
        implementation("minimize"), far, [1e9, 2e9], jac=lambda x: 2e-20 * (x - 1e8), options={"gtol": 1e-30}
    )
    assert ours.message == "ABNORMAL: "
    for name in ("x", "fun", "jac", "nit", "nfev", "status", "message"):
        parity.identical(ours[name], theirs[name], what=name, data="far from zero")


# ---------------------------------------------------------------- callbacks


@pytest.mark.parametrize("at", [1, 4])
def test_callback_may_stop(at, engine, implementation, parity):
    results = []
    for solver in (implementation("minimize"), scipy.optimize.minimize):
        seen = []

        def stop(intermediate_result):
            seen.append((intermediate_result.x.copy(), intermediate_result.fun))  # noqa: B023
            if len(seen) == at:  # noqa: B023
                raise StopIteration

        results.append((solver(rosen, [-1.2, 1.0], jac=rosen_der, method=METHOD, callback=stop), seen))
    (ours, our_seen), (theirs, their_seen) = results
    assert (ours.nit, ours.status, ours.message) == (at, 99, theirs.message)
    assert (theirs.nit, theirs.status) == (at, 99)
    for (x, f), (their_x, their_f) in zip(our_seen, their_seen):
        parity.rounding(x, their_x, what="x shown", data="rosenbrock 2", option="callback", reason="Without OpenBLAS.")
        parity.rounding(
            f, their_f, what="fun shown", data="rosenbrock 2", option="callback", reason="Without OpenBLAS."
        )


def test_what_the_callback_keeps_stays(engine, implementation):
    kept = []
    implementation("minimize")(rosen, [-1.2, 1.0], jac=rosen_der, method=METHOD, callback=kept.append)
    assert len({tuple(x) for x in kept}) == len(kept) > 5


# ---------------------------------------------------------------- without an oracle


def test_by_hand(engine, implementation):
    """f = x^2 / 2 from x = 4.  The first step has length 1: x = 3, slope -12 against -16, accepted, as 12 <= 0.9 * 16.
    Then s = y = -1, so theta = 1 and H = 1: d = -3 leads to 0, where the gradient vanishes.  Three evaluations in all."""
    points, path = [], []

    def pair(x):
        points.append(x.item())
        return 0.5 * x.item() ** 2, x.copy()

    for two_loop, error in ((True, 0.0), (False, 2e-15)):  # the compact form cancels: one rounding at 3 is left over
        points.clear()
        path.clear()
        result = implementation("minimize")(
            pair,
            [4.0],
            jac=True,
            method=METHOD,
            callback=lambda x: path.append(x.item()),
            options={"two_loop": two_loop},
        )
        assert points[:2] == [4.0, 3.0]
        assert path[:1] == [3.0]
        assert (len(points), len(path)) == (3, 2)
        assert abs(points[2]) <= error
        assert path[1] == points[2] == result.x.item()
        assert (result.nit, result.nfev, result.njev) == (2, 3, 3)
    assert result.success
    assert result.message == "CONVERGENCE: NORM OF PROJECTED GRADIENT <= PGTOL"


@pytest.mark.parametrize("two_loop", [False, True])
@pytest.mark.parametrize("exponent", [-8, 6, 60])  # even: the compact form takes square roots
def test_a_power_of_two_times_the_objective_changes_no_bit_of_x(exponent, two_loop, engine, implementation):
    minimize, scale = implementation("minimize"), 2.0**exponent
    wood, wood_gradient = BY_NAME["wood"].plain()
    paths = []
    for factor in (1.0, scale):
        path = []
        minimize(
            lambda x, factor=factor: factor * wood(x),
            [-3.0, -1.0, -3.0, -1.0],
            jac=lambda x, factor=factor: factor * wood_gradient(x),
            method=METHOD,
            callback=lambda x, path=path: path.append(x.copy()),
            options={"ftol": 0.0, "gtol": 1e-3 * factor, "two_loop": two_loop},
        )
        paths.append(np.array(path))
    assert len(paths[0]) > 10
    np.testing.assert_array_equal(*paths)


def test_directions_obey_the_secant_equation_and_the_dense_formula(engine):
    """Both directions are -H g for the H of the textbook: (I - s y'/s'y) H (I - y s'/s'y) + s s'/s'y, from I / theta."""
    from minimal.engine import twin
    from minimal.optimize.lbfgs_state import EVALUATE, G_OLD, MAXCOR, N_FIXED, NEWEST, STORED, THETA, begin

    for compact in (False, AVAILABLE):
        kernels = twin("minimal.optimize.lbfgs")
        x = np.array([-1.2, 1.0, 0.3, -0.7, 2.0])
        memory, state = begin(x, 4, 0.0, 0.0, 20, compact)
        task = EVALUATE
        for _ in range(25):  # so that the ring of four pairs has gone round
            if task == EVALUATE:
                f, g = float(rosen(x)), rosen_der(x)
            task = kernels.advance(x, f, g, memory, state)
        m, stored, newest = (int(state[place]) for place in (MAXCOR, STORED, NEWEST))
        assert stored == m == 4
        H = np.eye(5) / state[THETA]
        for i in [(newest - k) % m for k in reversed(range(m))]:
            s, y = memory[i], memory[m + i]
            assert state[N_FIXED + i] == pytest.approx(s @ y, rel=1e-9)
            A = np.eye(5) - np.outer(s, y) / (s @ y)
            H = A @ H @ A.T + np.outer(s, s) / (s @ y)
        np.testing.assert_allclose(H @ memory[m + newest], memory[newest], rtol=1e-9)
        d = np.empty(5)
        module = twin("minimal.optimize.lbfgs_compact" if compact else "minimal.optimize.lbfgs")
        module.direction(memory[G_OLD].copy(), memory, state, d)
        np.testing.assert_allclose(d, -H @ memory[G_OLD], rtol=1e-8)


# ---------------------------------------------------------------- the two-loop recursion, and lbfgs() for the estimators


SHORT = ["rosenbrock 2", "beale", "himmelblau", "wood", "powell singular", "helical valley", "box"]


@pytest.mark.parametrize("name", SHORT)
def test_two_loops_take_the_same_way(name, engine, implementation, parity):
    """Same counts, and iterates to rounding, which a run of a few dozen iterations does not amplify much."""
    fun, gradient = BY_NAME[name].plain()
    x0 = BY_NAME[name].x0
    ours = implementation("minimize")(fun, x0, jac=gradient, method=METHOD, options={"two_loop": True})
    theirs = scipy.optimize.minimize(fun, x0, jac=gradient, method=METHOD)
    for count in ("nit", "nfev", "njev", "message"):
        parity.identical(ours[count], theirs[count], what=count, data=name, option="two_loop")
    parity.rounding(
        ours.x, theirs.x, what="x", data=name, option="two_loop", bound=1e-10, reason="The same H by another formula."
    )


@pytest.mark.parametrize("name", ["rosenbrock 30", "rosenbrock 100"])
def test_two_loops_on_long_runs(name, engine, implementation, parity):
    """Hundreds of iterations amplify last bits: as far from SciPy as SciPy is from itself when the start moves by an ulp."""
    fun, gradient = BY_NAME[name].plain()
    x0 = np.array(BY_NAME[name].x0, dtype=float)

    def scipy_from(start):
        return scipy.optimize.minimize(fun, start, jac=gradient, method=METHOD)

    ours = implementation("minimize")(fun, x0, jac=gradient, method=METHOD, options={"two_loop": True})
    theirs = scipy_from(x0)
    rng = np.random.default_rng(0)
    nudged = [scipy_from(np.nextafter(x0, x0 + rng.choice([-1.0, 1.0], x0.size))) for _ in range(12)]
    assert ours.message == theirs.message
    for what in ("nit", "nfev", "x"):
        values = [np.asarray(run[what], dtype=float) for run in (theirs, *nudged)]
        floor = max(np.abs(a - b).max() for a in values for b in values) / np.abs(values[0]).max()
        parity.noise_floor(ours[what], theirs[what], what=what, data=name, option="two_loop", floor=floor)


def test_lbfgs_is_minimize_without_ceremony(engine, implementation):
    """The estimators' door: value and gradient from one function, in a buffer that is used again."""
    x0 = np.array([-1.2, 1.0, 0.5])
    buffer = np.empty(3)

    def pair(x):
        buffer[:] = rosen_der(x)
        return rosen(x), buffer

    for compact in (False, AVAILABLE):
        direct = lbfgs(pair, x0, compact=compact)
        result = minimal.optimize.minimize(rosen, x0, jac=rosen_der, method=METHOD, options={"two_loop": not compact})
        for name in (name for name in FIELDS if name != "jac"):
            np.testing.assert_array_equal(direct[name], result[name])
    np.testing.assert_array_equal(x0, [-1.2, 1.0, 0.5])


def test_without_openblas_the_two_loops_run(engine, monkeypatch):
    monkeypatch.setattr(lbfgs_module, "AVAILABLE", False)
    without = minimal.optimize.minimize(rosen, [-1.2, 1.0, 0.5], jac=rosen_der, method=METHOD)
    monkeypatch.undo()
    wanted = minimal.optimize.minimize(
        rosen, [-1.2, 1.0, 0.5], jac=rosen_der, method=METHOD, options={"two_loop": True}
    )
    np.testing.assert_array_equal(without.x, wanted.x)
    assert without.nfev == wanted.nfev


# ---------------------------------------------------------------- compiled objectives


@needs_openblas
@pytest.mark.parametrize("jac", ["given", None, "3-point"])
@pytest.mark.parametrize("name", ["rosenbrock 2", "rosenbrock 30", "wood", "biggs", "powell badly scaled"])
def test_compiled_objectives(name, jac, implementation, parity):
    """The whole optimizer runs compiled, and takes the same way, bit for bit."""
    fun, gradient = BY_NAME[name].compiled()
    jac = gradient if jac == "given" else jac
    with minimal.engine("numba"):
        ours = implementation("minimize")(fun, BY_NAME[name].x0, jac=jac, method=METHOD)
    with np.errstate(all="ignore"):
        theirs = scipy.optimize.minimize(fun, BY_NAME[name].x0, jac=jac, method=METHOD)
    for field in FIELDS:
        parity.identical(ours[field], theirs[field], what=field, data=name, option="compiled objective")
    dense = ours.hess_inv.todense(), theirs.hess_inv.todense()
    parity.identical(*dense, what="hess_inv", data=name, option="compiled objective")


@needs_openblas
@pytest.mark.parametrize(
    "options", [{"maxiter": 7}, *({"maxfun": k} for k in range(9, 13)), {"maxcor": 2, "gtol": 1e-9}], ids=str
)
def test_options_of_compiled_runs(options, implementation, parity):
    fun, gradient = BY_NAME["wood"].compiled()
    x0 = BY_NAME["wood"].x0
    with minimal.engine("numba"):
        ours = implementation("minimize")(fun, x0, jac=gradient, method=METHOD, options=options)
    theirs = scipy.optimize.minimize(fun, x0, jac=gradient, method=METHOD, options=options)
    for field in FIELDS:
        parity.identical(ours[field], theirs[field], what=field, data="wood", option=f"compiled, {options}")


def test_compiled_run_from_nan(implementation, parity):
    """A point with NaN is equal to nothing, itself included: SciPy evaluates twice at the start."""
    fun, gradient = BY_NAME["wood"].compiled()
    start = [np.nan, 1.0, 1.0, 1.0]
    with minimal.engine("numba"):
        ours = implementation("minimize")(fun, start, jac=gradient, method=METHOD)
    theirs = scipy.optimize.minimize(fun, start, jac=gradient, method=METHOD)
    for field in ("x", "nit", "nfev", "njev", "message"):
        parity.identical(ours[field], theirs[field], what=field, data="wood from NaN", option="compiled objective")


def test_compiled_runs_never_call_back_into_python(monkeypatch):
    """Were the Python driver used, it would make a ScalarFunction."""
    monkeypatch.setattr(lbfgs_module, "ScalarFunction", None)
    fun, gradient = BY_NAME["wood"].compiled()
    with minimal.engine("numba"):
        assert minimal.optimize.minimize(fun, BY_NAME["wood"].x0, jac=gradient, method=METHOD).success
        with pytest.raises(TypeError):
            minimal.optimize.minimize(*BY_NAME["wood"].plain()[:1], BY_NAME["wood"].x0, method=METHOD)


# ---------------------------------------------------------------- the inverse Hessian as an operator


def test_the_operator_multiplies_like_scipys(parity):
    rng = np.random.default_rng(0)
    S = rng.normal(size=(4, 6))
    Y = S + 0.1 * rng.normal(size=(4, 6))
    ours, theirs = LbfgsInvHessProduct(S, Y), scipy.optimize.LbfgsInvHessProduct(S, Y)
    x, X = rng.normal(size=6), rng.normal(size=(6, 3))
    for what, mine, other in (
        ("matvec", ours.matvec(x), theirs.matvec(x)),
        ("matvec of a column", ours.matvec(x[:, None]), theirs.matvec(x[:, None])),
        ("matmat", ours @ X, theirs @ X),
        ("dot", ours.dot(x), theirs.dot(x)),
        ("todense", ours.todense(), theirs.todense()),
    ):
        parity.rounding(mine, other, what=f"LbfgsInvHessProduct.{what}", bound=1e-14, reason="One product at a time.")
    assert repr(ours) == repr(theirs)
    assert (ours.shape, ours.dtype, ours.n_corrs) == (theirs.shape, theirs.dtype, theirs.n_corrs)
    np.testing.assert_allclose(ours @ Y[-1], S[-1])  # the secant equation of the last pair
    np.testing.assert_array_equal(np.asarray(ours), ours.todense())
    with pytest.raises(ValueError, match="shape"):
        LbfgsInvHessProduct(S, Y[:3])
    with pytest.raises(ValueError, match="shape"):
        ours.matvec(x[:5])


# ---------------------------------------------------------------- bad input

BAD = [
    ({"maxcor": 0}, ValueError, "maxcor"),
    ({"maxcor": -1}, ValueError, "maxcor"),
    ({"maxcor": 2.5}, TypeError, "integer"),
    ({"maxls": 0}, ValueError, "maxls"),
    ({"ftol": -1.0}, ValueError, "ftol"),
]


@pytest.mark.parametrize(("options", "error", "match"), BAD, ids=str)
def test_bad_options(options, error, match, engine, implementation, parity):
    with pytest.raises(error, match=match):
        implementation("minimize")(rosen, [-1.2, 1.0], jac=rosen_der, method=METHOD, options=options)
    if options in ({"maxcor": 0}, {"ftol": -1.0}):
        theirs = scipy.optimize.minimize(rosen, [-1.2, 1.0], jac=rosen_der, method=METHOD, options=options)
        assert theirs.message.startswith("ERROR")
        parity.known("maxcor=0, ftol < 0, empty x0", "SciPy's result says ERROR; minimal raises ValueError.")


def test_dependent_pairs_at_a_kink(engine, implementation, parity):
    def kink(x):
        return float(np.abs(x - 1.0).sum())

    (ours, _), (theirs, _) = both(implementation("minimize"), kink, [0.0, 0.0, 207.0], jac=None)
    assert ours.message == theirs.message == "ABNORMAL: "
    assert max(ours.fun, theirs.fun) < 1e-6
    parity.known(
        "pairs that have become linearly dependent, as at a kink",
        "There SciPy may drop its memory and go on by steepest descent where minimal goes on. What decides, to rounding, is "
        "not known: a test of the matrix T, which only bounds need, does not repeat it. Both end as ABNORMAL beside the "
        "minimum, by other iterates.",
    )


def test_infinite_gradient(engine, implementation, parity):
    (ours, _), (theirs, _) = both(
        implementation("minimize"), lambda x: float(x @ x), [1.0, 2.0], jac=lambda x: np.array([np.inf, 1.0])
    )
    assert ours.message == theirs.message == "ABNORMAL: "
    assert ours.nit != theirs.nit
    parity.known(
        "infinite gradient at the start",
        "SciPy's first direction is scaled by g'g / g'g, which is NaN here; minimal's is -g. Both end as ABNORMAL.",
    )


@pytest.mark.parametrize("bounds", [[(0, None), (None, None)], scipy.optimize.Bounds([-np.inf, 0], [np.inf, np.inf])])
def test_bounds_are_not_there_yet(bounds, engine, implementation):
    with pytest.raises(NotImplementedError, match="without bounds"):
        implementation("minimize")(rosen, [-1.2, 1.0], method=METHOD, bounds=bounds)


@needs_openblas
@pytest.mark.parametrize(
    "bounds", [[(None, None), (-np.inf, np.inf)], scipy.optimize.Bounds(), scipy.optimize.Bounds([-np.inf] * 2, np.inf)]
)
def test_infinite_bounds_are_no_bounds(bounds, engine, implementation, parity):
    assert_identical(
        parity, implementation("minimize"), rosen, [-1.2, 1.0], jac=rosen_der, bounds=bounds, data="rosenbrock 2"
    )


@pytest.mark.parametrize(
    ("fun", "jac", "x0", "error", "match"),
    [
        (rosen, lambda x: np.ones(3), [1.0, 2.0], ValueError, "gradient must have 2 elements"),
        (rosen, lambda x: 1.0, [1.0, 2.0], ValueError, "gradient must have 2 elements"),
        (lambda x: None, rosen_der, [1.0, 2.0], TypeError, "objective function must return"),
        (lambda x: x, rosen_der, [1.0, 2.0], ValueError, "objective function must return a scalar"),
        (rosen, rosen_der, [], ValueError, "at least one element"),
        (rosen, rosen_der, [[1.0, 2.0]], ValueError, "one dimension"),
        (rosen, rosen_der, ["a", "b"], ValueError, "could not convert"),
    ],
)
def test_bad_functions_and_starts(fun, jac, x0, error, match, engine, implementation, parity):
    with pytest.raises(error, match=match):
        implementation("minimize")(fun, x0, jac=jac, method=METHOD)
    if "gradient" in match:
        parity.known("a gradient of the wrong size", "SciPy reads memory beside it; minimal raises ValueError.")


def test_unknown_options_are_named(engine, implementation):
    with pytest.warns(scipy.optimize.OptimizeWarning, match="Unknown solver options: foo, bar"):
        implementation("minimize")(rosen, [1.0, 1.0], jac=rosen_der, method=METHOD, options={"foo": 1, "bar": 2})


@pytest.mark.parametrize("name", ["disp", "iprint"])
def test_options_that_printed_once(name, engine, implementation):
    with pytest.warns(DeprecationWarning, match=name):
        implementation("minimize")(rosen, [1.0, 1.0], jac=rosen_der, method=METHOD, options={name: 1})


def test_an_error_in_the_objective_comes_through(engine, implementation):
    def fails(x):
        raise RuntimeError("no value here")

    with pytest.raises(RuntimeError, match="no value here"):
        implementation("minimize")(fails, [1.0, 2.0], method=METHOD)


def test_nothing_of_the_users_is_changed(engine, implementation):
    x0 = np.array([-1.2, 1.0])
    x0.flags.writeable = False
    gradients = []

    def gradient(x):
        gradients.append((rosen_der(x), rosen_der(x)))
        gradients[-1][0].flags.writeable = False
        return gradients[-1][0]

    implementation("minimize")(rosen, x0, jac=gradient, method=METHOD)
    for given, copy in gradients:
        np.testing.assert_array_equal(given, copy)


def test_where_numpy_brings_no_openblas():
    """In a process where NumPy's library cannot be opened, both engines still run, by two loops."""
    program = """
import ctypes, sys
open_library = ctypes.CDLL
def refuse(name, *rest, **more):
    if "umath" in str(name):
        raise OSError("not here")
    return open_library(name, *rest, **more)
ctypes.CDLL = refuse
import minimal
from minimal.optimize import minimize, rosen, rosen_der
from minimal.optimize.lbfgs_lapack import AVAILABLE
assert not AVAILABLE
for engine in ("numba", "numpy"):
    with minimal.engine(engine):
        result = minimize(rosen, [-1.2, 1.0], jac=rosen_der, method="L-BFGS-B")
    print(result.nit, result.nfev, result.success)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert done.stderr == ""
    assert done.stdout == "36 44 True\n" * 2
