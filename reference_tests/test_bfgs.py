"""BFGS is SciPy's, bit for bit: every point on the way, every count, every message, on landscapes kind and cruel."""

import copy
import math
import pickle
import warnings

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

import minimal
import minimal.optimize
from minimal.exceptions import OptimizeWarning

from .ledger import plainly
from .problems import BY_NAME, LARGE, PROBLEMS

COMPONENT = "minimize"
GRADIENTS = ("analytic", None, "2-point", "3-point")
FIELDS = ("x", "fun", "jac", "hess_inv", "nit", "nfev", "njev", "status", "success", "message")


def quietly(function, *args, **kwargs):
    """Overflow warnings come from the objectives, and differ by who computes what."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def assert_same(parity, ours, theirs, data="", option=""):
    assert list(ours) == list(theirs)
    for field in FIELDS:
        parity.identical(ours[field], theirs[field], what=field, data=data, option=option)
    if "allvecs" in theirs:
        parity.identical(np.array(ours.allvecs), np.array(theirs.allvecs), what="allvecs", data=data, option=option)


def compare(minimize, parity, fun, x0, data="", option="", **how):
    how = {"method": "BFGS", **how}
    ours = quietly(minimize, fun, x0, **how)
    theirs = quietly(scipy.optimize.minimize, fun, x0, **how)
    assert_same(parity, ours, theirs, data, option or str(how.get("options", "")))
    return ours


# ---------------------------------------------------------------- the classic problems


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_the_iterates_are_scipy_s(problem, gradient, engine, implementation, parity):
    fun, jac = problem.plain()
    result = compare(
        implementation("minimize"),
        parity,
        fun,
        np.array(problem.x0),
        problem.name,
        f"jac={gradient}",
        jac=jac if gradient == "analytic" else gradient,
        options={"return_all": True},
    )
    if gradient == "analytic" and problem.lowest is not None and result.success:
        assert result.fun == pytest.approx(problem.lowest, rel=1e-2, abs=1e-7)


@pytest.mark.parametrize("problem", LARGE, ids=lambda p: p.name)
def test_the_iterates_are_scipy_s_in_many_dimensions(problem, engine, implementation, parity):
    fun, jac = problem.plain()
    compare(implementation("minimize"), parity, fun, np.array(problem.x0), problem.name, "jac=analytic", jac=jac)


@pytest.mark.parametrize("n", [2, 10, 30, 100])
def test_the_iterates_on_rosen_are_scipy_s(n, engine, implementation, parity):
    x0 = np.where(np.arange(n) % 2, 1.0, -1.2)
    rosen, rosen_der = scipy.optimize.rosen, scipy.optimize.rosen_der
    compare(implementation("minimize"), parity, rosen, x0, f"rosen {n}", "jac=analytic", jac=rosen_der)


@pytest.mark.wide
@pytest.mark.parametrize("gradient", [None, "2-point", "3-point"])
@pytest.mark.parametrize("problem", LARGE, ids=lambda p: p.name)
def test_differences_in_many_dimensions_are_scipy_s(problem, gradient, engine, implementation, parity):
    compare(
        implementation("minimize"),
        parity,
        problem.plain()[0],
        np.array(problem.x0),
        problem.name,
        f"jac={gradient}",
        jac=gradient,
        options={"maxiter": 60},
    )


# ---------------------------------------------------------------- by hand


def test_a_parabola_takes_the_two_steps_that_can_be_computed_by_hand(engine, implementation):
    # f = x^2 from 1: g = 2, the value before is taken as f + |g| / 2 = 2, so the first step is
    # 2.02 (1 - 2) / (-4) = 0.505 along p = -2, to x = -0.01, where both Wolfe conditions hold.
    # Then s = -1.01, y = -2.02, H = s / y = 1/2: Newton's step, to 0.
    result = implementation("minimize")(
        lambda x: float(x[0] * x[0]), [1.0], jac=lambda x: 2 * x, method="BFGS", options={"return_all": True}
    )
    np.testing.assert_allclose(np.ravel(result.allvecs), [1.0, -0.01, 0.0], atol=1e-15)
    assert (result.nit, result.nfev, result.njev) == (2, 3, 3)
    np.testing.assert_allclose(result.hess_inv, [[0.5]], rtol=1e-12)


def test_the_minimum_is_a_minimum(engine, implementation):
    """The gradient vanishes there, H is symmetric positive definite, and H y = s holds along the way (secant equation)."""
    fun, jac = BY_NAME["wood"].plain()
    result = implementation("minimize")(fun, BY_NAME["wood"].x0, jac=jac, method="BFGS")
    assert np.abs(jac(result.x)).max() <= 1e-5
    np.testing.assert_allclose(result.x, np.ones(4), atol=1e-5)
    H = result.hess_inv
    np.testing.assert_allclose(H, H.T, rtol=1e-8, atol=1e-8)
    assert (np.linalg.eigvalsh(H) > 0).all()


def test_a_quadratic_s_inverse_hessian_is_found(engine, implementation):
    A = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
    result = implementation("minimize")(
        lambda x: 0.5 * x @ A @ x, [1.0, -2.0, 3.0], jac=lambda x: A @ x, method="BFGS", options={"gtol": 1e-10}
    )
    # With exact line searches it would be exact after three steps; with Wolfe's conditions it comes close at the end.
    np.testing.assert_allclose(result.hess_inv @ A, np.eye(3), atol=1e-2)


# ---------------------------------------------------------------- how runs end


def absolute(x):
    return np.abs(x).sum()


ENDINGS = {
    "too many iterations": (scipy.optimize.rosen, scipy.optimize.rosen_der, [-1.2, 1.0], {"maxiter": 5}),
    "no iteration allowed": (scipy.optimize.rosen, scipy.optimize.rosen_der, [-1.2, 1.0], {"maxiter": 0}),
    "a kink": (absolute, np.sign, [1.0, -0.7], {}),
    "a kink, differences": (absolute, None, [1.0, -0.7], {}),
    "gtol below rounding": (scipy.optimize.rosen, scipy.optimize.rosen_der, [-1.2, 1.0], {"gtol": 0.0}),
    "uphill gradient": (scipy.optimize.rosen, lambda x: -scipy.optimize.rosen_der(x), [-1.2, 1.0], {}),
    "wrong gradient": (scipy.optimize.rosen, np.ones_like, [-1.2, 1.0], {}),
    "no lower bound": (
        lambda x: float(-x[0] - np.exp(x[1])),
        lambda x: np.array([-1.0, -np.exp(x[1])]),
        [0.0, 1.0],
        {},
    ),
    "down to minus infinity": (lambda x: -np.exp(x[0]), lambda x: -np.exp(x), [1.0], {}),
    "infinite walls": (lambda x: x[0] ** 2 if abs(x[0]) < 1.5 else math.inf, lambda x: 2 * x, [1.4], {}),
    "NaN beyond a border": (lambda x: x[0] - np.log(x[0]), lambda x: 1 - 1 / x, [30.0], {}),
    "NaN beyond a border, differences": (lambda x: x[0] - np.log(x[0]), None, [30.0], {}),
    "NaN gradient": (lambda x: float(x @ x), lambda x: np.where(np.abs(x) < 0.5, np.nan, 2 * x), [2.0, 1.0], {}),
    "NaN value": (lambda x: np.nan if abs(x[0]) < 0.5 else float(x @ x), lambda x: 2 * x, [2.0, 1.0], {}),
    "NaN start": (scipy.optimize.rosen, scipy.optimize.rosen_der, [np.nan, 1.0], {}),
    "NaN start, differences": (scipy.optimize.rosen, None, [np.nan, 1.0], {}),
    "a NaN that the objective overlooks": (
        lambda x: float(x[1] ** 2 + np.cos(x[1])),
        lambda x: np.array([0.0, 2 * x[1] - np.sin(x[1])]),
        [np.nan, 3.0],
        {},
    ),
    "infinite differences": (lambda x: float(x @ x) if x[0] <= 1 else math.inf, None, [1.0, 2.0], {}),
    "infinite start": (scipy.optimize.rosen, scipy.optimize.rosen_der, [np.inf, 1.0], {}),
    "huge start": (scipy.optimize.rosen, scipy.optimize.rosen_der, [1e200, 1.0], {}),
    "large start": (scipy.optimize.rosen, None, [1e30, 1.0], {}),
    "tiny scale": (lambda x: 1e-200 * float(x @ x), lambda x: 2e-200 * x, [1.0, 2.0], {"gtol": 1e-210}),
    "at the minimum": (scipy.optimize.rosen, scipy.optimize.rosen_der, [1.0, 1.0, 1.0], {}),
    "constant": (lambda x: 1.0, None, [1.0, 2.0], {}),
    "linear": (lambda x: float(x.sum()), np.ones_like, [1.0, 2.0], {}),
    "cubic saddle": (lambda x: float((x**3).sum()), lambda x: 3 * x**2, [1.0, 2.0], {}),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_end_is_scipy_s(ending, engine, implementation, parity):
    fun, jac, x0, options = ENDINGS[ending]
    compare(implementation("minimize"), parity, fun, x0, ending, jac=jac, options={"return_all": True, **options})


def test_the_endings_are_of_every_kind():
    seen = set()
    for fun, jac, x0, options in ENDINGS.values():
        seen.add(quietly(minimal.optimize.minimize, fun, x0, jac=jac, options=options).status)
    assert seen == {0, 1, 2, 3}


# ---------------------------------------------------------------- options

OPTIONS = [
    {"gtol": 1e-2},
    {"gtol": 1e-12},
    {"norm": 1},
    {"norm": 2},
    {"norm": 2.0, "gtol": 1e-9},
    {"norm": 3},
    {"norm": -np.inf},
    {"xrtol": 1e-2},
    {"xrtol": 1e-6, "gtol": 0},
    {"c1": 0.1, "c2": 0.5},
    {"c1": 1e-5, "c2": 0.1},
    {"c1": 0.4, "c2": 0.41},
    {"maxiter": 1},
    {"maxiter": 7},
    {"maxiter": 0, "c1": 0.5, "c2": 0.1},  # constants that no line search ever meets
    {"hess_inv0": np.diag([1.0, 2.0, 3.0, 4.0])},
    {"hess_inv0": np.asfortranarray(np.full((4, 4), 0.1) + np.eye(4))},
    {"hess_inv0": [[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "maxiter": 0},
    {"return_all": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("gradient", ["analytic", None])
def test_options_are_scipy_s(options, gradient, engine, implementation, parity):
    fun, jac = BY_NAME["wood"].plain()
    jac = jac if gradient == "analytic" else None
    compare(implementation("minimize"), parity, fun, BY_NAME["wood"].x0, "wood", jac=jac, options=options)


@pytest.mark.parametrize(
    ("gradient", "options"),
    [
        (None, {"eps": 1e-4}),
        (None, {"eps": np.array([1e-7, 1e-6, 1e-5, 1e-4])}),
        (None, {"eps": [1e-7, 1e-6, 1e-5, 1e-4]}),
        (None, {"eps": 1e-30}),
        ("2-point", {"finite_diff_rel_step": 1e-7}),
        ("2-point", {"finite_diff_rel_step": [1e-7, 1e-6, 1e-5, 1e-4]}),
        ("3-point", {"finite_diff_rel_step": 1e-5}),
        ("3-point", {"finite_diff_rel_step": 0.0}),
        ("2-point", {"workers": map}),
        (None, {"workers": lambda f, xs: [f(x) for x in xs]}),
        (None, {"workers": 1}),
        (False, {}),
        ("nonsense", {}),
    ],
    ids=plainly,
)
def test_finite_differences_inside_are_scipy_s(gradient, options, engine, implementation, parity):
    fun = BY_NAME["wood"].plain()[0]
    compare(implementation("minimize"), parity, fun, BY_NAME["wood"].x0, "wood", jac=gradient, options=options)


def smooth(x):
    return ((x - 1) ** 4).sum() + (x[0] * x[1]) ** 2


def test_complex_step_is_scipy_s(engine, implementation, parity):
    compare(implementation("minimize"), parity, smooth, [2.0, -1.0, 0.5], "smooth", "jac=cs", jac="cs")


def test_a_function_that_returns_its_gradient_too(engine, implementation, parity):
    fun, jac = BY_NAME["wood"].plain()
    calls = []

    def both(x):
        calls.append(x)
        return fun(x), jac(x)

    ours = compare(implementation("minimize"), parity, both, BY_NAME["wood"].x0, "wood", "jac=True", jac=True)
    assert len(calls) == 2 * ours.nfev  # ours and theirs, once a point each


@pytest.mark.parametrize("tol", [1e-3, 1e-9])
def test_tol_is_gtol(tol, engine, implementation, parity):
    fun, jac = BY_NAME["wood"].plain()
    compare(implementation("minimize"), parity, fun, BY_NAME["wood"].x0, "wood", f"tol={tol}", jac=jac, tol=tol)
    compare(implementation("minimize"), parity, fun, BY_NAME["wood"].x0, "wood", "tol and gtol", jac=jac, tol=tol,
            options={"gtol": 1e-6})  # fmt: skip


@pytest.mark.parametrize("args", [(2.0, np.array([1.0, 3.0])), 2.0], ids=["tuple", "single"])
def test_args_reach_both_functions(args, engine, implementation, parity):
    def fun(x, a, b=0.0):
        return float(((x - b) ** 2).sum() * a + (x**4).sum())

    def jac(x, a, b=0.0):
        return 2 * a * (x - b) + 4 * x**3

    for gradient in (jac, None):
        compare(implementation("minimize"), parity, fun, [3.0, -1.0], "args", jac=gradient, args=args)


STARTS = {
    "integers": [3, -1],
    "a list": [3.0, -1.0],
    "bool": np.array([True, False]),
    "unsigned": np.array([3, 1], dtype=np.uint8),
    "float32": np.array([3.0, -1.0], dtype=np.float32),
    "strided": np.arange(4.0)[::2],
    "a scalar": 3.0,
    "one": [3.0],
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("gradient", ["analytic", None, "3-point"])
def test_starts_of_every_type(start, gradient, engine, implementation, parity):
    def fun(x):
        return ((x - 1) ** 4).sum() + (x**2).sum()

    jac = (lambda x: 4 * (x - 1) ** 3 + 2 * x) if gradient == "analytic" else gradient
    compare(implementation("minimize"), parity, fun, STARTS[start], start, f"jac={gradient}", jac=jac)


@pytest.mark.parametrize(
    "convert", [float, np.float64, np.float32, np.array, lambda v: np.array([v]), round], ids=plainly
)
def test_values_of_every_type(convert, engine, implementation, parity):
    compare(
        implementation("minimize"),
        parity,
        lambda x: convert(((x - 1.5) ** 2).sum() * 10),
        [3.0, -1.0],
        f"value {convert}",
        jac=lambda x: 20 * (x - 1.5),
    )


def test_a_gradient_may_be_a_list(engine, implementation, parity):
    compare(
        implementation("minimize"),
        parity,
        lambda x: x[0] ** 2 + x[1] ** 2,
        [3.0, -1.0],
        jac=lambda x: [2 * v for v in x],
    )


# ---------------------------------------------------------------- callbacks


def recorder(form, stop_after):
    """A list, and a callback of the given form that writes to it and stops at the given length."""
    seen = []

    def note(x, value):
        seen.append([*x, value])
        if len(seen) == stop_after:
            raise StopIteration

    def with_point(xk):
        note(xk, 0.0)

    def with_result(intermediate_result):
        assert set(intermediate_result) == {"x", "fun"}
        note(intermediate_result.x, intermediate_result.fun)

    return seen, with_point if form == "xk" else with_result


@pytest.mark.parametrize("form", ["xk", "intermediate_result"])
@pytest.mark.parametrize("stop_after", [None, 1, 4])
def test_callbacks_see_what_scipy_s_see(form, stop_after, engine, implementation, parity):
    fun, jac = BY_NAME["wood"].plain()
    runs = []
    for minimize in (implementation("minimize"), scipy.optimize.minimize):
        seen, callback = recorder(form, stop_after)
        result = minimize(fun, BY_NAME["wood"].x0, jac=jac, method="BFGS", callback=callback)
        runs.append((result, np.array(seen)))
    (ours, our_points), (theirs, their_points) = runs
    assert_same(parity, ours, theirs, "wood", f"callback({form}), stop={stop_after}")
    parity.identical(our_points, their_points, what="points told", data="wood")
    assert (ours.status == 99) == (stop_after is not None)


def test_a_callback_may_write_into_what_it_gets(engine, implementation):
    fun, jac = BY_NAME["wood"].plain()

    def rude_point(xk):
        xk[:] = 99.0

    def rude_result(intermediate_result):
        intermediate_result.x[:] = 99.0

    quiet = implementation("minimize")(fun, BY_NAME["wood"].x0, jac=jac, method="BFGS")
    callbacks = [rude_point]
    if implementation("minimize") is minimal.optimize.minimize:
        callbacks.append(rude_result)  # SciPy hands out its own x here
    for callback in callbacks:
        result = implementation("minimize")(fun, BY_NAME["wood"].x0, jac=jac, method="BFGS", callback=callback)
        np.testing.assert_array_equal(result.x, quiet.x)


def test_a_callback_without_a_signature_gets_the_point(engine, implementation):
    points = []
    implementation("minimize")(smooth, [2.0, -1.0, 0.5], method="BFGS", callback=points.append)
    assert len(points) > 3
    assert points[0].shape == (3,)


# ---------------------------------------------------------------- doors: bad input, same class of error


BAD_CALLS = {
    "x0 of two dimensions": {"fun": smooth, "x0": np.ones((2, 2))},
    "x0 empty": {"fun": lambda x: 1.0, "x0": []},
    "x0 text": {"fun": smooth, "x0": ["a", "b"]},
    "value of two numbers": {"fun": lambda x: x, "x0": [1.0, 2.0]},
    "value complex": {"fun": lambda x: 1j, "x0": [1.0, 2.0]},
    "value None": {"fun": lambda x: None, "x0": [1.0, 2.0]},
    "value text": {"fun": lambda x: "low", "x0": [1.0, 2.0]},
    "gradient too long": {"fun": smooth, "x0": [1.0, 2.0], "jac": lambda x: np.ones(3)},
    "gradient scalar": {"fun": smooth, "x0": [1.0, 2.0], "jac": lambda x: 1.0},
    "gradient of two dimensions": {"fun": smooth, "x0": [1.0, 2.0], "jac": lambda x: np.ones((2, 2))},
    "c2 below c1": {"fun": smooth, "x0": [1.0, 2.0], "options": {"c1": 0.5, "c2": 0.1}},
    "c2 above 1": {"fun": smooth, "x0": [1.0, 2.0], "options": {"c2": 1.5}},
    "hess_inv0 indefinite": {"fun": smooth, "x0": [1.0, 2.0], "options": {"hess_inv0": [[1.0, 2.0], [2.0, 1.0]]}},
    "hess_inv0 not symmetric": {"fun": smooth, "x0": [1.0, 2.0], "options": {"hess_inv0": [[1.0, 0.5], [0.0, 1.0]]}},
    "hess_inv0 not square": {"fun": smooth, "x0": [1.0, 2.0], "options": {"hess_inv0": np.ones((2, 3))}},
    "hess_inv0 of another size": {"fun": smooth, "x0": [1.0, 2.0], "options": {"hess_inv0": np.eye(3)}},
    "hess_inv0 NaN": {"fun": smooth, "x0": [1.0, 2.0], "options": {"hess_inv0": np.full((2, 2), np.nan)}},
    "eps of another size": {"fun": smooth, "x0": [1.0, 2.0], "options": {"eps": [1e-8] * 3}},
    "workers that are no map": {"fun": smooth, "x0": [1.0, 2.0], "options": {"workers": lambda f: f}},
    "an unknown method": {"fun": smooth, "x0": [1.0, 2.0], "method": "steepest"},
    "an objective that raises": {"fun": lambda x: 1 / 0, "x0": [1.0, 2.0]},
}


@pytest.mark.parametrize("call", BAD_CALLS)
def test_bad_input_is_refused_with_scipy_s_class(call, engine, implementation):
    how = {"method": "BFGS", **BAD_CALLS[call]}
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - whatever SciPy raises is the oracle
        quietly(scipy.optimize.minimize, **how)
    with pytest.raises(theirs.type, match=r"\w"):
        quietly(implementation("minimize"), **how)


def test_messages_help():
    minimize = minimal.optimize.minimize
    with pytest.raises(ValueError, match="BFGS, L-BFGS-B"):
        minimize(smooth, [1.0, 2.0], method="Nelder-Mead")
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        minimize(smooth, [1.0, 2.0], jac=lambda x: np.ones(3))
    with pytest.raises(ValueError, match="map-like"):
        minimize(smooth, [1.0, 2.0], options={"workers": 2})
    with pytest.raises(NotImplementedError, match="bounds"):
        minimize(smooth, [1.0, 2.0], method="L-BFGS-B", bounds=[(0, 1), (0, 1)])


def test_unknown_options_warn_with_scipy_s_class(engine, implementation):
    with pytest.warns(scipy.optimize.OptimizeWarning, match="Unknown solver options: colour, taste") as caught:
        implementation("minimize")(smooth, [1.0, 2.0], method="BFGS", options={"colour": 1, "taste": 2})
    assert len(caught) == 1


def test_our_warning_class_is_ours_too():
    with pytest.warns(OptimizeWarning, match="colour"):
        minimal.optimize.minimize(smooth, [1.0, 2.0], options={"colour": 1})


@pytest.mark.parametrize(
    "unused", [{"hess": np.eye}, {"hessp": np.eye}, {"bounds": [(0, 1), (0, 1)]}, {"constraints": ({"type": "eq"},)}]
)
def test_what_bfgs_does_not_use_is_told(unused, engine, implementation):
    def messages(minimize):
        with pytest.warns(RuntimeWarning) as caught:
            minimize(lambda x: x @ x, [1.0, 2.0], method="BFGS", **unused)
        return [str(w.message) for w in caught]

    if "constraints" in unused:  # SciPy then goes on and reads the constraint
        assert "cannot handle constraints" in messages(implementation("minimize"))[0]
    else:
        assert messages(implementation("minimize")) == messages(scipy.optimize.minimize)


@pytest.mark.parametrize("options", [{}, {"maxiter": 2}], ids=str)
def test_disp_says_what_scipy_says(options, engine, implementation, capsys):
    said = []
    for minimize in (implementation("minimize"), scipy.optimize.minimize):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            minimize(smooth, [2.0, -1.0, 0.5], method="BFGS", options={"disp": True, **options})
        said.append((capsys.readouterr().out, [(str(w.message), w.category.__name__) for w in caught]))
    assert said[0] == said[1]
    assert "Iterations" in said[0][0]


def test_inputs_are_not_changed_and_objectives_may_write_into_x(engine, implementation, parity):
    def rude(x):
        value = ((x - 1) ** 4).sum()
        x[:] = 99.0
        return value

    def rude_gradient(x):
        g = 4 * (x - 1) ** 3
        x[:] = 99.0
        return g

    x0, H0 = np.array([3.0, -1.0]), np.array([[2.0, 0.5], [0.5, 1.0]])
    for jac in (rude_gradient, None, "3-point"):
        compare(implementation("minimize"), parity, rude, x0, "rude", jac=jac, options={"hess_inv0": H0})
    assert x0.tolist() == [3.0, -1.0]
    assert H0.tolist() == [[2.0, 0.5], [0.5, 1.0]]


numbers = st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 1e-300, 1e150, np.inf, -np.inf, np.nan])


@given(x0=st.lists(numbers, min_size=1, max_size=4), gradient=st.sampled_from(["analytic", *GRADIENTS]))
@settings(max_examples=60, deadline=None)
def test_any_start_gives_scipy_s_answer(x0, gradient):
    def fun(x):
        return float((x**2).sum() + np.cos(3 * x).sum())

    jac = (lambda x: 2 * x - 3 * np.sin(3 * x)) if gradient == "analytic" else gradient
    ours = quietly(minimal.optimize.minimize, fun, x0, jac=jac)
    theirs = quietly(scipy.optimize.minimize, fun, x0, jac=jac, method="BFGS")
    for field in FIELDS:
        np.testing.assert_array_equal(ours[field], theirs[field])


# ---------------------------------------------------------------- the result, and the other doors


def test_the_result_prints_and_behaves_as_scipy_s(engine, implementation):
    fun, jac = BY_NAME["rosenbrock 10"].plain()
    ours = implementation("minimize")(fun, BY_NAME["rosenbrock 10"].x0, jac=jac, method="BFGS")
    theirs = scipy.optimize.minimize(fun, BY_NAME["rosenbrock 10"].x0, jac=jac, method="BFGS")
    assert repr(ours) == repr(theirs)
    assert dir(ours) == dir(theirs)
    with pytest.raises(AttributeError):
        _ = ours.colour
    for twin in (copy.copy(ours), copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert twin.x.tolist() == ours.x.tolist()
    ours.note = 1
    assert ours["note"] == 1
    del ours.note
    assert "note" not in ours


def test_an_empty_result_and_one_with_nan_print_as_scipy_s():
    assert repr(minimal.optimize.OptimizeResult()) == repr(scipy.optimize.OptimizeResult())
    content = {"x": np.array([np.nan, np.inf, -np.inf, 1.0]), "H": np.eye(20), "message": "two\nlines", "nit": 3}
    assert repr(minimal.optimize.OptimizeResult(content)) == repr(scipy.optimize.OptimizeResult(content))


@pytest.mark.component("fmin_bfgs")
@pytest.mark.parametrize("full_output", [0, 1])
@pytest.mark.parametrize("retall", [0, 1])
@pytest.mark.parametrize("gradient", ["analytic", None])
def test_fmin_bfgs_is_scipy_s(full_output, retall, gradient, engine, implementation, parity, capsys):
    fun, jac = BY_NAME["wood"].plain()
    outputs = []
    for fmin_bfgs in (implementation("fmin_bfgs"), scipy.optimize.fmin_bfgs):
        points = []
        output = fmin_bfgs(
            fun,
            np.array(BY_NAME["wood"].x0).reshape(2, 2),
            jac if gradient else None,
            full_output=full_output,
            retall=retall,
            callback=points.append,
        )
        outputs.append((output if full_output or retall else (output,), points, capsys.readouterr().out))
    (ours, our_points, our_words), (theirs, their_points, their_words) = outputs
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs):
        parity.identical(np.asarray(mine), np.asarray(other), what="output of fmin_bfgs", data="wood")
    parity.identical(np.array(our_points), np.array(their_points), what="points told", data="wood")
    assert our_words == their_words


@pytest.mark.parametrize("shape", [(2,), (3,), (10,), (101,), (4, 3)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("name", ["rosen", "rosen_der"])
def test_rosenbrock_s_valley_is_scipy_s(name, shape, dtype, implementation, parity):
    x = (np.random.default_rng(0).standard_normal(shape) * 3).astype(dtype)
    parity.identical(implementation(name)(x), getattr(scipy.optimize, name)(x), what=name, data=str(shape))


def test_the_rank_two_update_is_the_same_formula(engine):
    """O(n^2) instead of O(n^3): the same H but for rounding after one update, the same minimum after many."""
    fun, jac = BY_NAME["wood"].plain()
    x0 = BY_NAME["wood"].x0
    for maxiter in (1, 2, 3):
        slow = minimal.optimize.minimize(fun, x0, jac=jac, options={"maxiter": maxiter + 1})
        fast = minimal.optimize.minimize(fun, x0, jac=jac, options={"maxiter": maxiter + 1, "rank_two": True})
        np.testing.assert_allclose(fast.hess_inv, slow.hess_inv, rtol=1e-9)
    fast = minimal.optimize.minimize(fun, x0, jac=jac, options={"rank_two": True})
    assert fast.success
    np.testing.assert_allclose(fast.x, np.ones(4), atol=1e-5)
    np.testing.assert_array_equal(fast.hess_inv, fast.hess_inv.T)


def test_any_spelling_of_the_method_will_do(implementation):
    for method in ("bfgs", "BFGS", "Bfgs", None):
        assert implementation("minimize")(smooth, [1.0, 2.0], method=method).success
