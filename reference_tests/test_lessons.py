"""The lessons' machinery: the exercises tell right from wrong, and nothing is missing.

Whole lessons are executed by ``python -m lessons build`` and ``python -m lessons check``, not here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import lessons
import minimal
from lessons import LESSONS, pages

FOLDER = Path(lessons.__file__).parent
sys.path.insert(0, str(FOLDER))  # as in a lesson, whose own folder comes first

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

import exercises  # noqa: E402
import solutions  # noqa: E402
import toolkit  # noqa: E402

SCRIPTS = {name: FOLDER / f"{name}.py" for name in LESSONS}


def named(name, function):
    """The function under the name of an exercise: what a reader would have written."""

    def answer(*args, **kwargs):
        return function(*args, **kwargs)

    answer.__name__ = name
    return answer


# What readers write: plausible, and wrong; each with a word that the explanation must contain.
def mean_of_squares(x):
    return np.nanmean(x**2) - np.nanmean(x) ** 2


def no_second_condition(f0, slope0, alpha, f, slope, c1=1e-4, c2=0.9):
    return f <= f0 + c1 * alpha * slope0


def only_too_steep_downwards(f0, slope0, alpha, f, slope, c1=1e-4, c2=0.9):
    return f <= f0 + c1 * alpha * slope0 and slope >= c2 * slope0


def forgets_all_but_the_last(g, steps, changes):
    return solutions.limited_memory_direction(g, steps[-1:], changes[-1:])


def newton_without_penalty_in_the_hessian(w, X, y, penalty):
    p = 1 / (1 + np.exp(-X @ w))
    return w - np.linalg.solve((X.T * (p * (1 - p))) @ X / len(X), X.T @ (p - y) / len(X) + penalty * w)


def beale_with_a_slip(p):
    x, y = p
    terms = [(1.5, 1), (2.25, 2), (2.625, 3)]
    return sum(2 * (c - x + x * y**k) * np.array([y**k - 1, x * y ** (k - 1)]) for c, k in terms)


def cut_by_plain_variances(x, y):
    thresholds = np.unique(x)[:-1] + 0.5
    return min(thresholds, key=lambda t: y[x <= t].var() + y[x > t].var())


def importances_without_weights(left, right, feature, impurity, weight, n_features):
    return solutions.importances(left, right, feature, impurity, np.ones_like(weight), n_features)


def importances_of_last_questions(left, right, feature, impurity, weight, n_features):
    inner = np.flatnonzero(left != -1)
    decrease = np.zeros(n_features)
    total = weight * impurity
    decrease[feature[inner]] += total[inner] - total[left[inner]] - total[right[inner]]
    return decrease / decrease.sum()


def squared_norms_first(X, centers):
    return ((X**2).sum(axis=1)[:, None] - 2 * X @ centers.T + (centers**2).sum(axis=1)).argmin(axis=1)


def last_of_several(X, centers):
    squared = ((X[:, None] - centers) ** 2).sum(axis=2)
    return len(centers) - 1 - squared[:, ::-1].argmin(axis=1)


def chances_by_distance(X, chosen, weight):
    distance = np.abs(X[:, None] - X[chosen]).sum(axis=2).min(axis=1)
    return distance / distance.sum()


def chances_of_the_last_seed_alone(X, chosen, weight):
    squared = ((X - X[chosen[-1]]) ** 2).sum(axis=1)
    return weight * squared / (weight * squared).sum()


def chances_without_weights(X, chosen, weight):
    return solutions.chances_of_the_next_seed(X, chosen, np.ones(len(X)))


def adds_up_only_axes_in_front(g, shape):
    return g.sum(axis=tuple(range(g.ndim - len(shape))))


def adds_up_only_stretched_axes(g, shape):
    extra = g.ndim - len(shape)
    axes = tuple(i for i in range(extra, g.ndim) if shape[i - extra] == 1)
    return g.sum(axis=axes, keepdims=True) if axes else g


def adds_up_without_keeping_axes(g, shape):
    extra = g.ndim - len(shape)
    return g.sum(axis=(*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1)))


def first_come_first(inputs, last):
    order = [last]
    for node in order:
        order += [source for source in dict.fromkeys(inputs[node]) if source not in order]
    return order


def every_path(inputs, last):
    return [last, *(node for source in inputs[last] for node in every_path(inputs, source))]


def in_calls(inputs, last):
    order = []

    def visit(node):
        if node not in order:
            for source in inputs[node]:
                visit(source)
            order.append(node)

    visit(last)
    return order[::-1]


def gradient_times(f, x, v):
    x = minimal.tensor(x, requires_grad=True)
    return minimal.autograd.grad(f(x), x)[0].numpy() * v


def diagonal_times(f, x, v):
    x = minimal.tensor(x, requires_grad=True)
    (g,) = minimal.autograd.grad(f(x), x, create_graph=True)
    rows = [minimal.autograd.grad(g[i], x, retain_graph=True)[0].numpy() for i in range(len(v))]
    return np.diag(rows) * v


def pixels_backwards(image, k):
    return solutions.patches_as_rows(image, k)[:, ::-1]


def largest_of_four(image):
    return image.reshape(image.shape[0] // 2, 2, image.shape[1] // 2, 2).max(axis=(1, 3))


def gradient_to_all_that_are_largest(g, image):
    large = np.repeat(np.repeat(g, 2, 0), 2, 1)
    return large * (image == np.repeat(np.repeat(largest_of_four(image), 2, 0), 2, 1))


WRONG = [
    ("element", lambda strip, strides, i, j: strip[i * strides[0] + j], "IndexError"),
    ("element", lambda strip, strides, i, j: strip[i * 4 + j], "Fortran"),
    ("element", lambda strip, strides, i, j: strip[(i * strides[0] + j * strides[1]) // 8], "float32"),
    ("variance", lambda x: np.var(x, ddof=1), "n - 1"),
    ("variance", mean_of_squares, "10**9"),
    ("variance", np.var, "NaN"),
    ("standardize", lambda X: (X - X.mean(axis=0)) / X.std(axis=0), "divide by 1"),
    ("standardize", lambda X: X - X.mean(axis=0), "NaN"),
    ("merge_moments", lambda a, b, c, d, e, f: (a + d, (b + e) / 2, c + f), "Weigh"),
    ("merge_moments", lambda a, b, c, d, e, f: (a + d, (a * b + d * e) / (a + d), c + f), "m2"),
    ("beale_gradient", beale_with_a_slip, "chain rule"),
    ("is_good_step", no_second_condition, "flattened"),
    ("is_good_step", only_too_steep_downwards, "upwards"),
    ("is_good_step", lambda *a, **k: True, "climbs"),
    ("secant_step", lambda x0, g0, x1, g1: x1 - g1, "s / y"),
    ("limited_memory_direction", lambda g, steps, changes: -g, "one pair"),
    ("limited_memory_direction", forgets_all_but_the_last, "three pairs"),
    ("sigmoid", lambda z: 1 / (1 + np.exp(-z)), "overflows"),
    ("sigmoid", lambda z: 0.5 * (1 + np.tanh(z / 2)), "-700"),
    ("log_sigmoid", lambda z: np.log(1 / (1 + np.exp(-z))), "-1000"),
    ("log_sigmoid", lambda z: np.minimum(z, 0) - np.log(1 + np.exp(-np.abs(z))), "z = 40"),
    ("mean_loss_gradient", lambda w, X, y: X.T @ (1 / (1 + np.exp(-X @ w)) - y), "divide by n"),
    ("mean_loss_gradient", lambda w, X, y: X.T @ (y - 1 / (1 + np.exp(-X @ w))) / len(X), "one row"),
    ("newton_step", newton_without_penalty_in_the_hessian, "diagonal"),
    ("newton_step", lambda w, X, y, penalty: w, "no penalty"),
    ("noise_floor", lambda fit, X, y, orders: np.abs(fit(X[orders[0]], y) - fit(X, y)).max(), "together"),
    ("noise_floor", lambda fit, X, y, orders: solutions.noise_floor(fit, X, y, orders[:1]), "largest"),
    ("best_cut_for_numbers", lambda x, y: solutions.best_cut_for_numbers(np.sort(x), y), "sort y with it"),
    ("best_cut_for_numbers", cut_by_plain_variances, "sizes"),
    ("best_cut_for_numbers", lambda x, y: (x.min() + x.max()) / 2, "Sort"),
    ("price_of_a_branch", lambda risk, leaf_risks: risk - sum(leaf_risks), "k - 1"),
    ("price_of_a_branch", lambda risk, leaf_risks: (risk - sum(leaf_risks)) / len(leaf_risks), "two leaves"),
    ("importances", importances_without_weights, "Weigh"),
    ("importances", importances_of_last_questions, "both decreases"),
    ("out_of_bag_rows", lambda drawn, n: np.setdiff1d(np.arange(drawn.max()), drawn), "n says"),
    ("out_of_bag_rows", lambda drawn, n: np.arange(n)[np.bincount(drawn, minlength=n) != 1], "more than once"),
    ("nearest_centers", lambda X, centers: ((X[:, None] - centers) ** 2).sum(axis=2).argmax(axis=1), "argmin"),
    ("nearest_centers", last_of_several, "the first counts"),
    ("nearest_centers", squared_norms_first, "subtract first"),
    ("price_of_a_union", lambda n, a, m, b: np.sum((a - b) ** 2), "common mean"),
    ("price_of_a_union", lambda n, a, m, b: (n + m) / 4 * np.sum((a - b) ** 2), "larger cluster"),
    ("chances_of_the_next_seed", chances_by_distance, "not to the distance"),
    ("chances_of_the_next_seed", chances_of_the_last_seed_alone, "nearest of the seeds"),
    ("chances_of_the_next_seed", chances_without_weights, "weight two"),
    ("must_look", lambda u, low, labels, s: u >= low, "Both bounds"),
    ("must_look", lambda u, low, labels, s: u + s[labels] >= low - s.max(), "other* centres"),
    ("must_look", lambda u, low, labels, s: u + s[labels] >= low, "Both bounds"),
    ("division_backward", lambda g, x, y: (1 / y, -x / y**2), "by g"),
    ("division_backward", lambda g, x, y: (g / y, g * x / y**2), "-x / y**2"),
    ("division_backward", lambda g, x, y: g / y, "gradient of x"),
    ("add_up_to", adds_up_only_axes_in_front, "keepdims"),
    ("add_up_to", adds_up_only_stretched_axes, "in front"),
    ("add_up_to", adds_up_without_keeping_axes, "keepdims"),
    ("order_of_the_walk", first_come_first, "long way"),
    ("order_of_the_walk", every_path, "once"),
    ("order_of_the_walk", lambda inputs, last: range(last, -1, -1), "numbers of the nodes"),
    ("order_of_the_walk", in_calls, "RecursionError"),
    ("hessian_times", gradient_times, "3 x**2"),
    ("hessian_times", diagonal_times, "mix variables"),
    ("output_side", lambda size, kernel, stride, padding: (size + 2 * padding) // stride, "first patch"),
    ("output_side", lambda size, kernel, stride, padding: (size + padding - kernel) // stride + 1, "both ends"),
    ("output_side", lambda size, kernel, stride, padding: size + 2 * padding - kernel + 1, "second pixel"),
    ("output_side", lambda size, kernel, stride, padding: -((kernel - size - 2 * padding) // stride) + 1, "sticks out"),
    ("patches_as_rows", lambda image, k: image[: len(image) // k * k].reshape(-1, k * k), "overlap"),
    ("patches_as_rows", pixels_backwards, "overlap"),
    ("filter_gradient", lambda g, image: solutions.filter_gradient(g, image)[::-1, ::-1], "upper left"),
    ("filter_gradient", lambda g, image: solutions.filter_gradient(np.abs(g), image), "correlation"),
    ("pooling_backward", gradient_to_all_that_are_largest, "Of equal ones"),
    ("pooling_backward", lambda g, image: np.repeat(np.repeat(g, 2, 0), 2, 1) / 4, "nowhere else"),
]


@pytest.mark.parametrize("name", exercises.ALL)
def test_the_solution_is_right_and_the_stub_not_yet(name, capsys):
    assert toolkit.check(getattr(solutions, name))
    assert "right" in capsys.readouterr().out
    stub = named(name, lambda *args, **kwargs: None)
    verdict = toolkit.check(stub)
    assert verdict.state == "not yet"
    assert not verdict
    assert "not yet" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "function", "word"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_answer_is_told_wrong_and_why(name, function, word):
    with np.errstate(all="ignore"):
        verdict = toolkit.judge(named(name, function))
    assert verdict.state == "wrong"
    assert word in verdict.why


def test_every_exercise_has_a_wrong_answer_here():
    assert {name for name, _, _ in WRONG} == set(exercises.ALL)


@pytest.mark.parametrize("name", exercises.ALL)
def test_an_answer_that_raises_or_is_no_number_is_wrong(name):
    def fails(*args, **kwargs):
        raise KeyError("lost")

    verdict = toolkit.judge(named(name, fails))
    assert (verdict.state, "KeyError" in verdict.why) == ("wrong", True)
    assert toolkit.judge(named(name, lambda *a, **k: "three words here")).state == "wrong"


def test_a_verdict_on_the_page_folds_the_solution_away_and_escapes_what_it_says():
    page = toolkit._verdict_html(toolkit.Verdict("wrong", "1 < 2, see `pass`"), "def variance(x): ...")
    assert "Wrong." in page
    assert "1 &lt; 2, see <code>pass</code>" in page
    assert page.index("<details>") < page.index("<summary>") < page.index("variance") < page.index("</details>")


def test_a_solution_that_fails_stops_the_lesson(monkeypatch):
    monkeypatch.setattr(solutions, "variance", named("variance", mean_of_squares))
    with pytest.raises(AssertionError, match="solution of variance does not pass"):
        toolkit.check(named("variance", lambda x: None))


def test_a_function_that_no_exercise_knows_is_an_error():
    with pytest.raises(LookupError, match="no exercise 'varianz'"):
        toolkit.check(named("varianz", np.var))


def test_what_is_shown_is_the_real_source(capsys):
    from minimal.linear_model import vector_math_numba
    from minimal.preprocessing import moments_numpy

    toolkit.show(moments_numpy.column_sums, vector_math_numba.exp_of_minus)
    shown = capsys.readouterr().out
    for module, function in ((moments_numpy, "column_sums"), (vector_math_numba, "exp_of_minus")):
        text = Path(module.__file__).read_text()
        start = text.index(f"def {function}(")
        assert text[start : text.index("\n\n\n", start)] in shown


@pytest.mark.parametrize("name", LESSONS)
def test_what_a_lesson_shows_exists(name):
    text = SCRIPTS[name].read_text()
    scope = {}
    exec("\n".join(re.findall(r"^from minimal[^(]*? import (?:\([^)]*\)|.*)$", text, re.MULTILINE)), scope)
    shown = [
        word.strip() for words in re.findall(r"^show\(([^)]*)\)$", text, re.MULTILINE) for word in words.split(",")
    ]
    assert len(shown) >= 2
    for expression in filter(None, shown):
        assert toolkit.source(eval(expression, scope))


def test_a_docstring_for_the_terminal_is_set_for_the_page():
    pytest.importorskip("latex2mathml")
    pytest.importorskip("sphinx")
    from lessons.conf import typeset

    lines = ["Use mean_ and x_{i}.", "", "The rule", "", "    a_ = b_", "", "Attributes", "----------", "mean_ : var_"]
    lines += ["|x - y| of ``|a|`` and (n, *size), as *in* torch.add_."]
    typeset(None, "class", "", None, None, lines)
    assert lines == [
        "Use ``mean_`` and x_{i}.",
        *["", "The rule", "", "::", "", "    a_ = b_", ""],
        *["Attributes", "----------", "mean_ : ``var_``"],
        r"\|x - y\| of ``|a|`` and (n, \*size), as *in* ``torch.add_``.",
    ]


def test_a_remark_below_the_sections_is_a_note_and_no_item():
    pytest.importorskip("latex2mathml")
    pytest.importorskip("sphinx")
    from lessons.conf import remarks_as_notes

    section = ["Raises", "------", "ValueError", ""]
    assert remarks_as_notes([*section, "Source: x.y, 1."]) == [*section, "Notes", "-----", "Source: x.y, 1."]
    for lines in (["Source: above the sections.", "", *section], [*section, "Notes", "-----", "Source: in notes."]):
        assert remarks_as_notes(lines) == lines


def test_the_page_of_functions_has_a_line_for_each_and_keeps_signs_as_they_are():
    page = pages.functions_page()
    assert "| `exp` · | out = e^x" in page.replace("\\", "")
    assert len(re.findall(r"^\| `", page, re.MULTILINE)) > 300
    assert pages._first_sentence(pages.table) == "A Markdown table."


def test_each_name_is_described_once_among_the_rooms():
    names = [name for room in pages.ROOMS for name in pages.public_names(room) if not room.startswith("minimal.nn.")]
    assert len(names) == len(set(names))


def test_the_list_of_lessons_is_complete():
    on_disk = {path.stem for path in FOLDER.glob("*.py") if path.read_text().startswith("# %%")}
    assert on_disk == set(LESSONS)
    contents = (FOLDER / "index.md").read_text()
    assert all(re.search(rf"^{name}$", contents, re.MULTILINE) for name in LESSONS)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_compiles_asserts_and_has_two_to_five_exercises(name):
    text = SCRIPTS[name].read_text()
    compile(text, name, "exec")
    assert text.count("\nassert ") + text.count("    assert ") >= 10
    assert len(re.findall(r"^picture\(", text, re.MULTILINE)) >= 4
    asked = re.findall(r"^check\((\w+)\)$", text, re.MULTILINE)
    assert 2 <= len(asked) <= 5
    assert all(re.search(rf"^def {exercise}\(.*\):\n    pass  # your turn$", text, re.MULTILINE) for exercise in asked)


def test_every_exercise_is_asked_in_one_lesson():
    asked = [e for path in SCRIPTS.values() for e in re.findall(r"^check\((\w+)\)$", path.read_text(), re.MULTILINE)]
    assert sorted(asked) == sorted(exercises.ALL)


RECORDS = [
    {"component": "A", "what": "x|y", "level": "identical", "difference": 0.0, "engine": "numpy", "dtype": "float64"},
    {"component": "A", "what": "z", "level": "rounding", "difference": 2e-13, "bound": 1e-12, "reason": "sums"},
    {"component": "B", "what": "odd", "level": "known difference", "difference": float("nan"), "reason": "a choice"},
    {"component": "B", "what": "w", "level": "identical", "difference": 1.0, "passed": False},
]
EMPTY = {
    "engine": "",
    "data": "",
    "option": "",
    "dtype": "",
    "bound": 0.0,
    "reason": "",
    "reference": "",
    "passed": True,
}


def test_the_ledger_page_hides_nothing():
    page = pages.ledger_page([EMPTY | record for record in RECORDS])
    assert "3 comparisons, 1 failed" in page
    assert "| x\\|y | identical |" in page
    assert "2.0e-13" in page
    assert "| B | odd | a choice |" in page


RACE = {
    **{"component": "A", "against": "L", "job": "fit", "data": "wine", "size": None, "threads": 1, "failure": None},
    **{"skipped": None, "goal": 3.0, "goal_met": False, "parity": "identical", "largest_difference": 0.0},
}


def test_the_report_page_keeps_losses_and_failures():
    results = [
        RACE | {"ours": 0.002, "theirs": 0.001, "ratio": 0.5},
        {key: RACE[key] for key in RACE if key != "parity"} | {"failure": "differs by 3"},
    ]
    card = {"heading": {"machine": "two cores"}, "notes": [], "results": results, "skipped": {}, "broken": {}}
    page = pages.report_page(card)
    assert "1 races agree, 1 failed; ahead in 0, behind in 1" in page
    assert "**0.5x** | 3x not reached |" in page
    assert "**failed**: differs by 3" in page


def test_a_page_without_its_file_says_how_to_make_it():
    assert "pytest reference_tests --ledger" in pages.ledger_page(None)
    assert "python -m benchmarks --json" in pages.report_page(None)
