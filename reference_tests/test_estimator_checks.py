"""Every check that scikit-learn has for estimators, on every estimator and both engines, with no expected failure."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest
import sklearn.cluster
import sklearn.ensemble
import sklearn.linear_model
from sklearn.utils.estimator_checks import estimator_checks_generator

import minimal
from minimal.cluster import KMeans
from minimal.ensemble import RandomForestClassifier, RandomForestRegressor
from minimal.linear_model import LogisticRegression
from minimal.preprocessing import StandardScaler
from minimal.tree import DecisionTreeClassifier, DecisionTreeRegressor

ESTIMATORS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    LogisticRegression(),
    LogisticRegression(solver="newton-cg"),
    LogisticRegression(solver="newton-cholesky"),
    LogisticRegression(solver="sag", random_state=0),
    LogisticRegression(solver="saga", random_state=0),
    DecisionTreeClassifier(),
    DecisionTreeClassifier(max_leaf_nodes=8, max_features="sqrt"),
    DecisionTreeRegressor(),
    DecisionTreeRegressor(splitter="random", max_depth=5),
    RandomForestClassifier(n_estimators=5),
    RandomForestRegressor(n_estimators=5),
    KMeans(n_clusters=3),
    KMeans(n_clusters=3, algorithm="elkan"),
]

# Where samples are drawn one by one, a sample of weight two is not drawn like two samples of weight one.  With the same seed
# as scikit-learn's, ours do what scikit-learn's do, and fail there too, which the last test asserts.
UNEQUAL_DRAWS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")

DRAWING_KINDS = (RandomForestClassifier, RandomForestRegressor, KMeans)

# This one runs only where SciPy was imported with an environment variable set: the second test does that.
NEEDS_ENVIRONMENT = "check_array_api_input"


def _checks(estimator):
    """Pairs of the check's name and the check."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Estimator .* does not inherit from"
        )  # as intended: it is not imported
        checks = [check for _, check in estimator_checks_generator(estimator)]
    for check in checks:
        yield getattr(check, "func", check).__name__, check


def _draws_samples(estimator):
    return getattr(estimator, "solver", "") in ("sag", "saga") or isinstance(estimator, DRAWING_KINDS)


def _cases():
    for estimator in ESTIMATORS:
        for name, check in _checks(estimator):
            if name != NEEDS_ENVIRONMENT and not (_draws_samples(estimator) and name in UNEQUAL_DRAWS):
                options = getattr(check, "keywords", None) or ""
                yield pytest.param(estimator, check, id=f"{estimator!r}-{name}{options}")


@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings on purpose and look at them themselves
@pytest.mark.parametrize(("estimator", "check"), list(_cases()))
def test_scikit_learn_check(estimator, check, engine):
    check(estimator)


def test_array_api_checks_pass_too():
    program = f"from {__name__} import run_array_api_checks; run_array_api_checks()"
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    command = [sys.executable, "-W", "ignore", "-c", program]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.split()[-1] == str(2 * len(ESTIMATORS))


def run_array_api_checks() -> None:
    """Run what needs SCIPY_ARRAY_API on every estimator and engine; print how many checks passed."""
    passed = 0
    for engine in ("numba", "numpy"):
        for estimator in ESTIMATORS:
            for name, check in _checks(estimator):
                if name == NEEDS_ENVIRONMENT:
                    with minimal.engine(engine):
                        check(estimator)
                    passed += 1
    print(passed)


DRAWING = {
    "sag": lambda library: library.linear_model.LogisticRegression(solver="sag", random_state=0),
    "saga": lambda library: library.linear_model.LogisticRegression(solver="saga", random_state=0),
    "k-means": lambda library: library.cluster.KMeans(n_clusters=3),
    "forest classifier": lambda library: library.ensemble.RandomForestClassifier(n_estimators=5),
    "forest regressor": lambda library: library.ensemble.RandomForestRegressor(n_estimators=5),
}


@pytest.mark.parametrize("name", DRAWING)
@pytest.mark.parametrize("library", [minimal, sklearn], ids=["ours", "theirs"])
@pytest.mark.filterwarnings("ignore")
def test_what_draws_samples_fails_the_weight_checks_in_both_libraries(library, name):
    estimator = DRAWING[name](library)
    for check_name, check in _checks(estimator):
        if check_name in UNEQUAL_DRAWS:
            with pytest.raises(AssertionError, match="not equivalent to fitting with removed or repeated"):
                check(estimator)
