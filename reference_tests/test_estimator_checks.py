"""Every check that scikit-learn has for estimators, on every estimator and both engines, with no expected failure."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

import minimal
from minimal.linear_model import LogisticRegression
from minimal.preprocessing import StandardScaler

ESTIMATORS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    LogisticRegression(),
    LogisticRegression(solver="newton-cg"),
    LogisticRegression(solver="newton-cholesky"),
    LogisticRegression(solver="sag", max_iter=300, random_state=0),
    LogisticRegression(solver="saga", max_iter=300, random_state=0),
]

# This one runs only where SciPy was imported with an environment variable set: the second test does that.
NEEDS_ENVIRONMENT = "check_array_api_input"


def _checks(estimator):
    """Pairs of the check's name and the check."""
    for _, check in estimator_checks_generator(estimator):
        yield getattr(check, "func", check).__name__, check


def _cases():
    for estimator in ESTIMATORS:
        for name, check in _checks(estimator):
            if name != NEEDS_ENVIRONMENT:
                options = getattr(check, "keywords", None) or ""
                yield pytest.param(estimator, check, id=f"{estimator!r}-{name}{options}")


@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings on purpose and look at them themselves
@pytest.mark.parametrize(("estimator", "check"), _cases())
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
