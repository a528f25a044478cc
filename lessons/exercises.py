"""The tests behind the lessons' exercises.

Each function examines the reader's function of the same name, and says why an answer is wrong.  ``solutions`` has a
function of the same name that passes.  To add an exercise, write both and put ``check(name)`` below a stub in a lesson.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minimal

Answer = Callable[..., Any]


class NotYet(Exception):
    """The stub is still empty: the answer returned nothing."""


class Wrong(Exception):
    """The answer is wrong; the message says to the reader how."""


def expect(got: Any, wanted: Any, when: str, hint: str = "", tolerance: float = 1e-12) -> None:
    """Compare one result with the right one, relative to the largest right number.

    Raises
    ------
    NotYet
        If nothing came back.
    Wrong
        If the shape or a number differs; ``when`` and ``hint`` go into the message.
    """
    if got is None:
        raise NotYet("The function returns nothing so far. Replace `pass` and run the cell again.")
    try:
        result, right = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"{when}: expected numbers, got {type(got).__name__}. {hint}") from None
    if result.shape != right.shape:
        raise Wrong(f"{when}: expected shape {right.shape}, got {result.shape}. {hint}")
    if np.any(np.isnan(result) != np.isnan(right)):
        raise Wrong(f"{when}: expected {_short(right)}, got {_short(result)}. {hint}")
    finite = np.abs(right[np.isfinite(right)])
    scale = finite.max() if finite.size and finite.max() > 0 else 1.0
    same = (result == right) | (np.abs(result - right) <= tolerance * scale) | np.isnan(right)
    if not np.all(same):
        raise Wrong(f"{when}: expected {_short(right)}, got {_short(result)}. {hint}")


def _short(value: np.ndarray) -> str:
    return np.array2string(value, precision=6, threshold=8, separator=", ")


# Arrays and standardization


def element(answer: Answer) -> None:
    """``element(strip, strides, i, j)``: the number at (i, j), from the strip and the strides in bytes."""
    X = np.arange(12.0).reshape(3, 4) ** 2
    flat = X.ravel()
    hint = "The address is i * strides[0] + j * strides[1] bytes; one number takes strip.itemsize bytes."
    expect(answer(flat, (32, 8), 0, 3), 9.0, "C order, element (0, 3)", hint)
    expect(answer(flat, (32, 8), 2, 1), 81.0, "C order, element (2, 1)", hint)
    expect(answer(X.ravel("F"), (8, 24), 2, 1), 81.0, "Fortran order, element (2, 1)", hint)
    expect(
        answer(flat[:4], (0, 8), 2, 1),
        1.0,
        "broadcast row, element (2, 1)",
        "A stride of zero stays where it is.",
    )
    small = flat.astype(np.float32)
    expect(
        answer(small, (16, 4), 2, 1),
        81.0,
        "float32, element (2, 1)",
        "A float32 takes 4 bytes: ask the strip.",
    )


def variance(answer: Answer) -> None:
    """``variance(x)``: the population variance of a 1-D array, NaN left out, safe far from zero."""
    expect(
        answer(np.array([1.0, 2.0, 3.0, 4.0])),
        1.25,
        "x = [1, 2, 3, 4]",
        "Divide by n, not by n - 1.",
    )
    far = np.array([1.0, 2.0, 3.0, 4.0]) + 1e9
    expect(answer(far), 1.25, "x = [1, 2, 3, 4] + 10**9", "Subtract the mean before you square.")
    hint = "Leave NaN out of the sums and of the count."
    expect(answer(np.array([1.0, np.nan, 3.0])), 1.0, "x = [1, NaN, 3]", hint)
    # 0.1 has no exact float, so the mean of these is rounded; the deviations must still vanish to rounding.
    expect(answer(np.full(10, 0.1)) + 1.0, 1.0, "ten times 0.1", "A constant has variance zero.")


def standardize(answer: Answer) -> None:
    """``standardize(X)``: columns with mean 0 and standard deviation 1; constant ones only lose their mean."""
    X = np.array([[1.0, 5.0], [3.0, 5.0]])
    before = X.copy()
    hint = "Where the standard deviation is 0, divide by 1."
    with np.errstate(all="ignore"):
        expect(answer(X), [[-1.0, 0.0], [1.0, 0.0]], "X = [[1, 5], [3, 5]]", hint)
        if not np.array_equal(X, before):
            raise Wrong("The function changed its input. Return a new array.")
        holes = np.array([[1.0], [np.nan], [3.0]])
        expect(
            answer(holes),
            [[-1.0], [np.nan], [1.0]],
            "X = [[1], [NaN], [3]]",
            "A hole stays a hole (np.nanmean).",
        )


def merge_moments(answer: Answer) -> None:
    """``merge_moments(n_a, mean_a, m2_a, n_b, mean_b, m2_b)``: count, mean and m2 of both parts together."""
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    for shift, when in (
        (0.0, "parts [1, 2] and [4, 8, 16]"),
        (1e6, "the same parts, shifted by 10**6"),
    ):
        parts = [
            y
            for part in (x[:2] + shift, x[2:] + shift)
            for y in (len(part), part.mean(), len(part) * part.var())
        ]
        got = answer(*parts)
        whole = x + shift
        wanted = (5, whole.mean(), 5 * whole.var())
        if got is None or len(got) != 3:
            expect(got, wanted, when, "Return the three numbers (n, mean, m2).")
        for name, ours, right in zip(("n", "mean", "m2"), got, wanted):
            hint = (
                "m2 gains (mean_b - mean_a)**2 * n_a * n_b / n."
                if name == "m2"
                else "Weigh the means with the counts."
            )
            expect(ours, right, f"{name} of {when}", hint, tolerance=1e-9)


# Finding minima


def beale_gradient(answer: Answer) -> None:
    """``beale_gradient(p)``: the gradient of Beale's function."""
    hint = "By the chain rule, each square (c - x + x y**k)**2 gives 2 (c - x + x y**k) times (y**k - 1, k x y**(k-1))."
    expect(answer(np.array([3.0, 0.5])), [0.0, 0.0], "at the minimum (3, 0.5)", hint)
    expect(answer(np.array([1.0, 1.0])), [0.0, 27.75], "at (1, 1)", hint)
    expect(answer(np.array([2.0, -1.0])), [15.5, -44.5], "at (2, -1)", hint)


def is_good_step(answer: Answer) -> None:
    """``is_good_step(f0, slope0, alpha, f, slope, c1, c2)``: both Wolfe conditions."""
    expect(
        answer(1.0, -1.0, 0.5, 0.6, -0.1),
        True,
        "a step that falls and flattens",
        "Both conditions hold here.",
    )
    expect(
        answer(1.0, -1.0, 0.5, 1.1, 0.1),
        False,
        "a step that climbs",
        "f <= f0 + c1 * alpha * slope0 fails.",
    )
    expect(
        answer(1.0, -1.0, 0.01, 0.99, -0.98), False, "a tiny step", "The curve has not flattened."
    )
    hint = "The second condition is about |slope|: too steep upwards is not flat, either."
    expect(answer(1.0, -1.0, 0.5, 0.6, 2.0), False, "a step that ends on a steep climb", hint)
    expect(
        answer(1.0, -1.0, 1.0, 0.95, 0.0, c1=0.1),
        False,
        "c1 = 0.1, a fall of 0.05",
        "Is c1 multiplied by alpha?",
    )
    expect(answer(1.0, -1.0, 1.0, 0.85, -0.5, c2=0.4), False, "c2 = 0.4, slope -0.5", "Is c2 used?")


def secant_step(answer: Answer) -> None:
    """``secant_step(x0, g0, x1, g1)``: where the line through both slopes is zero."""
    hint = "H = s / y with s = x1 - x0 and y = g1 - g0; the next point is x1 - H g1."
    expect(answer(0.0, -4.0, 1.0, -2.0), 2.0, "slopes -4 at 0 and -2 at 1", hint)
    expect(answer(5.0, 6.0, 3.0, 2.0), 2.0, "slopes 6 at 5 and 2 at 3", hint)


def limited_memory_direction(answer: Answer) -> None:
    """``limited_memory_direction(g, steps, changes)``: -H g after the BFGS updates of the identity."""
    random = np.random.default_rng(3)
    A = np.diag([1.0, 2.0, 3.0, 4.0, 5.0])
    g, steps = random.normal(size=5), random.normal(size=(3, 5))
    changes = steps @ A
    H = np.eye(5)
    for k, s in enumerate(steps):
        y = changes[k]
        V = np.eye(5) - np.outer(y, s) / (y @ s)
        H = V.T @ H @ V + np.outer(s, s) / (y @ s)
        if k == 0:
            hint = "One pair: q = g - (s'g / y's) y, then q + s (s'g - y'q) / y's, and the sign."
            expect(answer(g, steps[:1], changes[:1]), -H @ g, "one pair", hint, tolerance=1e-9)
    hint = "On the way in, the newest pair comes first; on the way back, the oldest."
    expect(answer(g, steps, changes), -H @ g, "three pairs", hint, tolerance=1e-9)
    expect(
        answer(g, steps[:0], changes[:0]), -g, "no pair", "With nothing learned, H is the identity."
    )


# Logistic regression


def sigmoid(answer: Answer) -> None:
    """``sigmoid(z)``: probabilities, exact at both ends."""
    expect(answer(np.array([0.0, np.log(3)])), [0.5, 0.75], "z = [0, log 3]", "1 / (1 + exp(-z)).")
    try:
        with np.errstate(over="raise", invalid="raise"):
            large = answer(np.array([-1000.0, 1000.0]))
    except FloatingPointError:
        raise Wrong(
            "z = [-1000, 1000] overflows. Give exp negative numbers only: exp(-abs(z))."
        ) from None
    expect(large, [0.0, 1.0], "z = [-1000, 1000]", "Never divide infinity by infinity.")
    hint = "For negative z, use exp(z) / (1 + exp(z)), which keeps all digits."
    expect(answer(np.array([-700.0])), [np.exp(-700)], "z = -700", hint)


def log_sigmoid(answer: Answer) -> None:
    """``log_sigmoid(z)``: log-probabilities, finite and exact."""
    with np.errstate(all="ignore"):
        expect(answer(np.array([0.0])), [-np.log(2)], "z = 0", "sigmoid(0) is one half.")
        expect(
            answer(np.array([-1000.0])),
            [-1000.0],
            "z = -1000",
            "log sigmoid(z) = -log(1 + exp(-z)), made safe.",
        )
        expect(
            answer(np.array([40.0])),
            [-np.exp(-40)],
            "z = 40",
            "log1p keeps what 1 + t rounds away.",
        )


def _small_problem() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    X, y, w = (
        random.normal(size=(12, 3)),
        random.integers(0, 2, 12).astype(float),
        random.normal(size=3),
    )
    return X, y, w, 1 / (1 + np.exp(-X @ w))


def mean_loss_gradient(answer: Answer) -> None:
    """``mean_loss_gradient(w, X, y)``: X^T (p - y) / n."""
    hint = "Each row contributes (p - y) times itself; it is a mean, so divide by n."
    expect(
        answer(np.zeros(1), np.array([[2.0]]), np.array([1.0])),
        [-1.0],
        "one row, x = 2, y = 1, w = 0",
        hint,
    )
    X, y, w, p = _small_problem()
    expect(answer(w, X, y), X.T @ (p - y) / 12, "twelve rows", hint)


def newton_step(answer: Answer) -> None:
    """``newton_step(w, X, y, penalty)``: w - H^-1 g of the penalized mean loss."""
    X, y, w, p = _small_problem()
    for penalty, when, hint in (
        (0.0, "no penalty", "H = X^T diag(p (1 - p)) X / n and g = X^T (p - y) / n."),
        (
            0.5,
            "penalty 0.5",
            "The penalty adds penalty * w to g, and penalty to the diagonal of H.",
        ),
    ):
        H = (X.T * (p * (1 - p))) @ X / 12 + penalty * np.eye(3)
        g = X.T @ (p - y) / 12 + penalty * w
        expect(answer(w, X, y, penalty), w - np.linalg.solve(H, g), when, hint, tolerance=1e-10)


def noise_floor(answer: Answer) -> None:
    """``noise_floor(fit, X, y, orders)``: how far a fit moves when its rows are permuted."""
    X, y, _, _ = _small_problem()

    def fit(X: np.ndarray, y: np.ndarray) -> np.ndarray:
        return X[0] * (1 + y[0])  # depends on the order so strongly that any slip shows

    orders = [np.roll(np.arange(12), shift) for shift in (1, 5, 7)]
    apart = [np.abs(fit(X[order], y[order]) - fit(X, y)).max() for order in orders]
    expect(
        answer(fit, X, y, orders[:1]),
        apart[0],
        "one order",
        "Permute X and y together: X[order], y[order].",
    )
    expect(
        answer(fit, X, y, orders),
        max(apart),
        "three orders",
        "The floor is the largest of all differences.",
    )


# Trees and forests


def best_cut_for_numbers(answer: Answer) -> None:
    """``best_cut_for_numbers(x, y)``: the threshold that leaves the smallest squared deviations on both sides."""
    x, y = np.array([3.0, 1.0, 2.0, 8.0]), np.array([5.0, 1.0, 1.0, 5.0])
    hint = "Sort x, and sort y with it."
    expect(answer(x, y), 2.5, "x = [3, 1, 2, 8], y = [5, 1, 1, 5]", hint)
    x, y = np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, 0.0, 9.0, 8.0])
    expect(answer(x[::-1], y[::-1]), 0.5, "x = [2, 1, 1, 0]", "Equal values cannot be separated.")
    x = np.arange(9.0)
    y = np.r_[np.zeros(7), 10.0, 10.0]
    hint = "The sides count by their sizes: do not average the two variances."
    expect(answer(x, y), 6.5, "seven zeros, then two tens", hint)
    y = np.array([2.0, 4.0, 3.0, 2.0, 8.0, 8.0, 1.0, 9.0])
    expect(answer(x[:8], y), 3.5, "y = [2, 4, 3, 2, 8, 8, 1, 9]", hint)


def price_of_a_branch(answer: Answer) -> None:
    """``price_of_a_branch(risk, leaf_risks)``: what each leaf beyond the first saves."""
    expect(answer(0.5, [0.125, 0.125]), 0.25, "risk 0.5, two leaves of 0.125")
    hint = "Collapsing k leaves into one saves k - 1 leaves."
    expect(answer(0.5, [0.0, 0.125, 0.0, 0.125, 0.0]), 0.0625, "risk 0.5, five leaves", hint)


def importances(answer: Answer) -> None:
    """``importances(left, right, feature, impurity, weight, n_features)``: shares of the decrease of impurity."""
    left, right = np.array([1, -1, 3, -1, -1]), np.array([2, -1, 4, -1, -1])
    feature = np.array([2, -2, 0, -2, -2])
    impurity = np.array([0.5, 0.0, 0.375, 0.0, 0.0])
    weight = np.array([8.0, 4.0, 4.0, 3.0, 1.0])
    hint = "Weigh each impurity with its node's weight; leaves split nothing."
    wanted = np.array([1.5, 0.0, 2.5]) / 4
    expect(answer(left, right, feature, impurity, weight, 3), wanted, "a tree of two splits", hint)
    left, right = np.array([1, 3, 5, -1, -1, -1, -1]), np.array([2, 4, 6, -1, -1, -1, -1])
    feature = np.array([1, 0, 1, -2, -2, -2, -2])
    impurity, weight = np.array([0.5, 0.5, 0.375, 0, 0, 0, 0]), np.array([8.0, 4, 4, 2, 2, 3, 1])
    when = "a tree that asks one feature twice"
    hint = "A feature that is asked twice gets both decreases (np.bincount or np.add.at)."
    expect(answer(left, right, feature, impurity, weight, 2), [0.5, 0.5], when, hint)


def out_of_bag_rows(answer: Answer) -> None:
    """``out_of_bag_rows(drawn, n)``: the rows that a bootstrap sample left out."""
    hint = "A row may be drawn more than once."
    expect(answer(np.array([3, 0, 3, 5, 0, 0]), 6), [1, 2, 4], "drawn = [3, 0, 3, 5, 0, 0]", hint)
    few = answer(np.array([1, 1]), 5)
    expect(few, [0, 2, 3, 4], "two draws of five rows", "n says how many rows there are.")


# k-means


def nearest_centers(answer: Answer) -> None:
    """``nearest_centers(X, centers)``: the index of the nearest centre of each row, the first of several."""
    X = np.array([[0.0, 0.0], [3.0, 4.0], [-1.0, 5.0], [6.0, 1.0], [2.0, 2.0]])
    centers = np.array([[0.0, 1.0], [4.0, 4.0], [0.0, 6.0]])
    hint = "Squared distances to all centres, then the index of the least in each row (argmin)."
    expect(answer(X, centers), [0, 1, 2, 1, 0], "five rows and three centres", hint)
    tie = answer(np.array([[0.0], [2.0]]), np.array([[1.0], [-1.0], [1.0]]))
    expect(tie, [0, 0], "centres at 1, -1 and 1", "Of several nearest ones the first counts.")
    hint = "Far from zero |x|^2 - 2 x.c + |c|^2 keeps no digits: subtract first."
    expect(
        answer(X + 1e9, centers + 1e9), [0, 1, 2, 1, 0], "the same five rows, moved by 10**9", hint
    )


def price_of_a_union(answer: Answer) -> None:
    """``price_of_a_union(n_a, mean_a, n_b, mean_b)``: the rise of the inertia when two clusters become one."""
    hint = "The common mean is (n_a mean_a + n_b mean_b) / (n_a + n_b): how far is each from it?"
    expect(answer(1, np.array([0.0]), 1, np.array([2.0])), 2.0, "one sample at 0, one at 2", hint)
    hint = "A larger cluster pulls the common mean towards itself."
    expect(
        answer(3, np.array([0.0]), 1, np.array([4.0])), 12.0, "three samples at 0, one at 4", hint
    )
    random = np.random.default_rng(0)
    a, b = random.normal(size=(7, 3)), random.normal(size=(12, 3)) + 1
    apart = sum(((part - part.mean(axis=0)) ** 2).sum() for part in (a, b))
    both = np.concatenate([a, b])
    rise = ((both - both.mean(axis=0)) ** 2).sum() - apart
    got = answer(7, a.mean(axis=0), 12, b.mean(axis=0))
    expect(got, rise, "7 and 12 samples in three dimensions", hint, tolerance=1e-10)


def chances_of_the_next_seed(answer: Answer) -> None:
    """``chances_of_the_next_seed(X, chosen, weight)``: proportional to weight times squared distance."""
    X, once = np.array([[0.0], [1.0], [3.0], [5.0]]), np.ones(4)
    hint = "In proportion to the squared distance, not to the distance."
    expect(answer(X, np.array([0]), once), np.array([0, 1, 9, 25]) / 35, "one seed at 0", hint)
    hint = "Only the nearest of the seeds counts."
    expect(answer(X, np.array([0, 3]), once), np.array([0, 1, 4, 0]) / 5, "seeds at 0 and 5", hint)
    weight = np.array([1.0, 6.0, 1.0, 2.0])
    hint = "A sample of weight two has the chance of two samples in the same place."
    expect(answer(X, np.array([0]), weight), np.array([0, 6, 9, 50]) / 65, "with weights", hint)


def must_look(answer: Answer) -> None:
    """``must_look(upper, lower, labels, shift)``: whose nearest centre may have changed."""
    upper, lower = np.array([1.0, 1.0, 1.0, 2.0]), np.array([3.0, 3.0, 1.5, 2.0])
    labels, shift = np.array([0, 1, 2, 0]), np.array([0.1, 0.2, 0.1])
    hint = "u + s < l - s_max: nobody needs to look."
    wanted = [False, False, False, True]
    expect(answer(upper, lower, labels, shift), wanted, "small shifts, the bounds far apart", hint)
    got = answer(upper, lower, labels, np.array([0.3, 0.3, 0.3]))
    expect(got, [False, False, True, True], "each centre moved by 0.3", "Both bounds move.")
    hint = "Of the sample's own centre the upper bound knows; the lower one is about all *other* centres."
    got = answer(
        np.array([1.0, 1.0]), np.array([2.5, 2.5]), np.array([0, 1]), np.array([1.2, 0.1, 0.2])
    )
    expect(got, [False, False], "one centre moved much further than the others", hint)
    got = answer(
        np.array([1.0, 1.0]), np.array([2.25, 2.25]), np.array([0, 1]), np.array([1.2, 0.1, 0.2])
    )
    expect(got, [True, True], "the same with lower bounds of 2.25", hint)


# Automatic differentiation


def division_backward(answer: Answer) -> None:
    """``division_backward(g, x, y)``: the gradients of x and y, where z = x / y and g is that of z."""
    x, y, one = np.array([6.0, 1.0]), np.array([2.0, -4.0]), np.ones(2)
    got = answer(one, x, y)
    if got is None or len(got) != 2:
        expect(
            got, np.zeros((2, 2)), "g = [1, 1]", "Return two arrays: the gradient of x, that of y."
        )
    expect(
        got[0], 1 / y, "gradient of x, g = [1, 1]", "z = x / y is linear in x, with slope 1 / y."
    )
    hint = "The slope of x / y in y is -x / y**2."
    expect(got[1], -x / y**2, "gradient of y, g = [1, 1]", hint)
    g = np.array([3.0, -2.0])
    for name, ours, right in zip("xy", answer(g, x, y), (g / y, -g * x / y**2)):
        expect(ours, right, f"gradient of {name}, g = [3, -2]", "Multiply each slope by g.")


def add_up_to(answer: Answer) -> None:
    """``add_up_to(g, shape)``: the gradient of an array of this shape that was broadcast to the shape of g."""
    g = np.arange(24.0).reshape(2, 3, 4) ** 2
    expect(answer(g, (2, 3, 4)), g, "no broadcasting, shape (2, 3, 4)", "Nothing is added up here.")
    hint = "The missing axes were put in front."
    expect(answer(g, (3, 4)), g.sum(axis=0), "shape (3, 4)", hint)
    hint = "An axis of length one was stretched, and stays: keepdims=True."
    expect(answer(g, (2, 1, 4)), g.sum(axis=1, keepdims=True), "shape (2, 1, 4)", hint)
    hint = "Both at once: axes in front, and one of length one."
    expect(answer(g, (3, 1)), g.sum(axis=(0, 2))[:, np.newaxis], "shape (3, 1)", hint)
    expect(answer(g, ()), g.sum(), "a single number, shape ()", "Every axis was put in front.")


def order_of_the_walk(answer: Answer) -> None:
    """``order_of_the_walk(inputs, last)``: all nodes behind ``last``, each before those that it was made of."""
    hint = "Node 1 is made of 0, node 2 of 1, twice: node 1 must be there once."
    _expect_order(
        answer([[], [0, 0], [1, 1]], 2), [[], [0, 0], [1, 1]], 2, "b = a + a, c = b + b", hint
    )
    bypass = [[], [0], [1], [2, 0], [3, 1]]
    hint = "0 and 1 are also made use of directly: they must wait for the long way round."
    _expect_order(answer(bypass, 4), bypass, 4, "a short and a long way", hint)
    any_numbers = [[2], [], [1, 4], [0, 2], [1], [3]]
    hint = "The numbers of the nodes say nothing here about when they were made."
    _expect_order(answer(any_numbers, 3), any_numbers, 3, "nodes with any numbers", hint)
    chain: list[list[int]] = [[], *([i] for i in range(5000))]
    _expect_order(
        answer(chain, 5000), chain, 5000, "a chain of 5000", "Keep a stack of your own, a list."
    )


def _expect_order(got: Any, inputs: list[list[int]], last: int, when: str, hint: str) -> None:
    """Many orders are right; this says what is wrong with one that is not."""
    if got is None:
        expect(got, 0, when)
    order = [int(node) for node in got]
    reached, waiting = {last}, [last]
    while waiting:
        new = set(inputs[waiting.pop()]) - reached
        reached |= new
        waiting += new
    if sorted(order) != sorted(reached):
        nodes = sorted(reached) if len(reached) < 10 else f"{len(reached)} nodes"
        raise Wrong(f"{when}: expected each of {nodes} once, got {_short(np.array(order))}. {hint}")
    place = {node: i for i, node in enumerate(order)}
    for node in order:
        for source in inputs[node]:
            if place[source] < place[node]:
                raise Wrong(f"{when}: {source} stands before {node}, which is made of it. {hint}")


def hessian_times(answer: Answer) -> None:
    """``hessian_times(f, x, v)``: the Hessian of f at x, times v."""
    x, v = np.array([1.0, -2.0, 0.5]), np.array([2.0, 1.0, -1.0])
    hint = "The gradient of x**3 is 3 x**2; its product with v, differentiated again, is 6 x v."
    expect(answer(lambda t: (t**3).sum(), x, v), 6 * x * v, "f = sum of x**3", hint, 1e-10)
    A = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, -1.0], [4.0, 0.0, 1.0]])
    hint = "Differentiate (gradient * v).sum(): v must stay the constant that it is, and f may mix variables."
    matrix = minimal.tensor(A)
    got = answer(lambda t: t @ (matrix @ t), x, v)
    expect(got, (A + A.T) @ v, "f = x^T A x", hint, 1e-10)


# Convolution and digits


def output_side(answer: Answer) -> None:
    """``output_side(size, kernel, stride, padding)``: how many patches fit along one side of an image."""
    expect(
        answer(8, 3, 1, 0),
        6,
        "8 pixels, kernel 3",
        "The first patch begins at 0, the last at 8 - 3.",
    )
    expect(answer(8, 3, 1, 1), 8, "the same, padding 1", "Padding is added at both ends.")
    expect(
        answer(8, 2, 2, 0),
        4,
        "8 pixels, kernel 2, stride 2",
        "A patch begins at every second pixel.",
    )
    hint = "A patch that sticks out does not count: round down, then add the first one."
    expect(answer(8, 3, 2, 0), 3, "8 pixels, kernel 3, stride 2", hint)


def patches_as_rows(answer: Answer) -> None:
    """``patches_as_rows(image, k)``: the k x k patches of an image, in reading order, each as a row."""
    image = np.arange(12.0).reshape(3, 4)
    wanted = [[0, 1, 4, 5], [1, 2, 5, 6], [2, 3, 6, 7], [4, 5, 8, 9], [5, 6, 9, 10], [6, 7, 10, 11]]
    hint = "Patches overlap: one begins at every pixel where it fits, row by row."
    expect(answer(image, 2), wanted, "3 x 4 pixels, k = 2", hint)
    expect(answer(image, 1), image.reshape(12, 1), "k = 1", "Each pixel is a patch of its own.")
    random = np.random.default_rng(7)
    image, w = random.normal(size=(6, 5)), random.normal(size=(3, 3))
    products = [(image[i : i + 3, j : j + 3] * w).sum() for i in range(4) for j in range(3)]
    rows = answer(image, 3)
    expect(
        rows @ w.ravel(),
        products,
        "6 x 5 pixels, k = 3, times a filter",
        "Pixels of a patch: row by row, too.",
    )


def filter_gradient(answer: Answer) -> None:
    """``filter_gradient(g, image)``: the gradient of the filter, where g is that of the correlation's result."""
    image = np.arange(12.0).reshape(3, 4)
    one = np.zeros((2, 3))
    one[0, 0] = 1.0
    hint = "Only the first output pixel counts here, and it saw the upper left patch."
    expect(answer(one, image), image[:2, :2], "g is 1 at the first pixel, else 0", hint)
    hint = "dw[k, l] = sum over i, j of g[i, j] image[i + k, j + l]: a correlation of the image with g."
    g = np.array([[1.0, -2.0, 0.5], [3.0, 1.0, -1.0]])
    wanted = [[(g * image[k : k + 2, l : l + 3]).sum() for l in range(2)] for k in range(2)]
    expect(answer(g, image), wanted, "a 3 x 4 image and a 2 x 2 filter", hint)


def pooling_backward(answer: Answer) -> None:
    """``pooling_backward(g, image)``: the gradient of the image, where g is that of its 2 x 2 max-pooling."""
    image = np.array([[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 1.0, 9.0]])
    wanted = np.zeros((2, 4))
    wanted[0, 1], wanted[1, 3] = 7.0, -1.0
    hint = "The gradient goes to the largest of the four, and nowhere else."
    expect(
        answer(np.array([[7.0, -1.0]]), image), wanted, "windows with 5 and 9 as the largest", hint
    )
    hint = "Of equal ones only the first gets the gradient, as in the reference."
    expect(
        answer(np.array([[2.0]]), np.ones((2, 2))),
        [[2.0, 0.0], [0.0, 0.0]],
        "four equal pixels",
        hint,
    )
    hint = "A last odd row or column belongs to no window: its gradient is 0."
    odd = np.array([[1.0, 2.0, 9.0], [3.0, 0.0, 9.0], [9.0, 9.0, 9.0]])
    right = np.zeros((3, 3))
    right[1, 0] = 4.0
    expect(answer(np.array([[4.0]]), odd), right, "3 x 3 pixels", hint)


ALL = (
    "element",
    "variance",
    "standardize",
    "merge_moments",
    "beale_gradient",
    "is_good_step",
    "secant_step",
    "limited_memory_direction",
    "sigmoid",
    "log_sigmoid",
    "mean_loss_gradient",
    "newton_step",
    "noise_floor",
    "best_cut_for_numbers",
    "price_of_a_branch",
    "importances",
    "out_of_bag_rows",
    "nearest_centers",
    "price_of_a_union",
    "chances_of_the_next_seed",
    "must_look",
    "division_backward",
    "add_up_to",
    "order_of_the_walk",
    "hessian_times",
    "output_side",
    "patches_as_rows",
    "filter_gradient",
    "pooling_backward",
)
