"""The frame itself: which twin runs, how work is shared, what importing costs, and a ledger that cannot be fooled."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from numba.core import event

import minimal
from minimal.compiling import announce_slow_compiling
from minimal.threads import run_blocks

from .conftest import tells_of_a_check
from .ledger import Parity, summary


def test_engine_block_ends_with_the_block_and_with_an_error():
    before = minimal.get_engine()
    with minimal.engine("numpy"):
        assert minimal.get_engine() == "numpy"
        with minimal.engine("numba"):
            assert minimal.get_engine() == "numba"
        assert minimal.get_engine() == "numpy"
    with pytest.raises(ZeroDivisionError), minimal.engine("numpy"):
        1 / 0  # noqa: B018
    assert minimal.get_engine() == before


def test_engine_block_belongs_to_its_thread():
    seen = []
    with minimal.engine("numpy"):
        thread = threading.Thread(target=lambda: seen.append(minimal.get_engine()))
        thread.start()
        thread.join()
    assert seen == [minimal.get_engine()]


def test_unknown_engine_is_told_what_exists():
    with pytest.raises(ValueError, match="'numba', 'numpy'"):
        minimal.set_engine("fortran")
    with pytest.raises(ValueError, match="'numba', 'numpy'"), minimal.engine("fortran"):
        pass


@pytest.mark.parametrize("variable", ["numpy", "numba"])
def test_engine_comes_from_the_environment(variable, monkeypatch):
    monkeypatch.setenv("MINIMAL_ENGINE", variable)
    out = _python("import minimal; print(minimal.get_engine())")
    assert out.strip() == variable


def test_import_loads_neither_numba_nor_a_reference_library():
    out = _python("import sys, minimal; print(*(m for m in sys.modules if '.' not in m))")
    loaded = set(out.split())
    assert "minimal" in loaded
    assert not loaded & {"numba", "llvmlite", "sklearn", "scipy", "torch", "pandas", "matplotlib", "joblib"}


def test_numpy_engine_never_loads_numba():
    program = """
import sys, numpy as np, minimal
minimal.set_engine("numpy")
X = np.arange(12.0).reshape(6, 2) ** 2
minimal.preprocessing.StandardScaler().fit_transform(X)
minimal.linear_model.LogisticRegression().fit(X, [0, 1, 0, 1, 1, 0]).predict(X)
minimal.optimize.minimize(minimal.optimize.rosen, [0.0, 0.5])
minimal.tree.DecisionTreeClassifier(ccp_alpha=0.01).fit(X, [0, 1, 0, 1, 1, 0]).predict(X)
minimal.tree.DecisionTreeRegressor(criterion="absolute_error").fit(X, [0, 1, 0, 1, 1, 0]).predict(X)
minimal.ensemble.RandomForestClassifier(3, n_jobs=2).fit(X, [0, 1, 0, 1, 1, 0]).predict(X)
minimal.cluster.KMeans(2).fit(X).predict(X)
minimal.cluster.KMeans(2, algorithm="elkan").fit(X).predict(X)
print("numba" in sys.modules)
"""
    assert _python(program).strip() == "False"


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_blocks_run_once_each_whatever_the_number_of_threads(n_threads, threads):
    minimal.set_num_threads(n_threads)
    times = np.zeros(11, dtype=int)

    def work(block):
        times[block] += 1

    run_blocks(work, 11)
    assert (times == 1).all()


def test_error_in_a_block_is_raised_and_the_next_call_works(threads):
    minimal.set_num_threads(2)

    def work(block):
        if block == 3:
            raise RuntimeError("block three")

    with pytest.raises(RuntimeError, match="block three"):
        run_blocks(work, 4)
    run_blocks(lambda block: None, 4)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_no_block_begins_after_an_error(error, threads):
    minimal.set_num_threads(2)
    begun, failed = [], threading.Event()

    def work(block):
        begun.append(block)
        if block == 0:
            failed.set()
            raise error
        failed.wait()
        time.sleep(0.01)

    with pytest.raises(error):
        run_blocks(work, 1000)
    assert len(begun) < 10


def test_blocks_inside_a_block_run_in_its_thread(threads):
    minimal.set_num_threads(2)
    outer, inner = [None] * 4, [[None] * 4 for _ in range(4)]

    def work(block):
        outer[block] = threading.get_ident()
        run_blocks(lambda i: inner[block].__setitem__(i, threading.get_ident()), 4)

    run_blocks(work, 4)
    assert inner == [[thread] * 4 for thread in outer]


def test_blocks_know_the_engine_and_can_use_more_threads_than_the_kernels(threads):
    minimal.set_num_threads(1)
    together = threading.Barrier(3, timeout=30)  # breaks unless three threads arrive
    engines = [""] * 3

    def work(block):
        together.wait()
        engines[block] = minimal.get_engine()

    with minimal.engine("numpy"):
        run_blocks(work, 3, n_threads=3)
    assert engines == ["numpy"] * 3


def test_number_of_threads_must_be_positive():
    with pytest.raises(ValueError, match="at least 1"):
        minimal.set_num_threads(0)


@pytest.mark.parametrize(("variable", "told"), [("3", "3"), ("", str(minimal.get_num_threads())), ("-1", "at least 1")])
def test_number_of_threads_comes_from_the_environment(variable, told, monkeypatch):
    monkeypatch.setenv("MINIMAL_NUM_THREADS", variable)
    command = [sys.executable, "-c", "import minimal; print(minimal.get_num_threads())"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert told in run.stdout + run.stderr


@pytest.fixture
def threads():
    before = minimal.get_num_threads()
    yield
    minimal.set_num_threads(before)


@pytest.mark.parametrize(("seconds", "terminal", "said"), [(0.3, True, True), (0.0, True, False), (0.3, False, False)])
def test_slow_compiling_is_announced_once_on_a_terminal(seconds, terminal, said, monkeypatch):
    stderr = io.StringIO()
    stderr.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", stderr)
    announcer = announce_slow_compiling.__wrapped__(patience=0.1)
    try:
        for _ in range(2):
            with event.trigger_event("numba:compile"), event.trigger_event("numba:compile"):
                time.sleep(seconds)
    finally:
        event.unregister("numba:compile", announcer)
    assert stderr.getvalue().count("compiling") == said


# ---------------------------------------------------------------- the ledger


@pytest.fixture
def book():
    records = []
    return Parity("Example", "numpy", "library 1.0", records.append), records


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (np.array([1.0, np.nextafter(2.0, 3.0)]), np.array([1.0, 2.0])),
        (np.array([0.0]), np.array([-0.0])),
        (np.array([1.0], dtype=np.float32), np.array([1.0])),
        (np.array([[1.0]]), np.array([1.0])),
        (np.array([np.nan]), np.array([1.0])),
        (1.0, np.array([1.0])),
        (np.array(["a"]), np.array(["b"])),
    ],
)
def test_identical_sees_every_difference(ours, theirs, book):
    parity, records = book
    with pytest.raises(AssertionError, match="not identical"):
        parity.identical(ours, theirs, what="it")
    assert [record["passed"] for record in records] == [False]


def test_identical_accepts_the_same_bits_and_missing_values(book):
    parity, records = book
    parity.identical(np.array([np.nan, 1.0, -0.0]), np.array([np.nan, 1.0, -0.0]), what="it")
    parity.identical(np.int64(3), 3, what="a count")
    assert [record["difference"] for record in records] == [0.0, 0.0]


@pytest.mark.parametrize("ours", [[1.0, 2.0 + 3e-12], [1.0, np.nan], [1.0, np.inf], [1.0]])
def test_rounding_sees_what_exceeds_its_bound(ours, book):
    parity, _ = book
    with pytest.raises(AssertionError):
        parity.rounding(np.array(ours), np.array([1.0, 2.0]), what="it", bound=1e-12)


def test_rounding_measures_relative_to_the_largest_entry(book):
    parity, records = book
    parity.rounding(np.array([1.0, 1000.5]), np.array([1.0, 1000.0]), what="it", bound=6e-4)
    assert records[0]["difference"] == pytest.approx(5e-4)


def test_noise_floor_sees_what_exceeds_it(book):
    parity, _ = book
    with pytest.raises(AssertionError, match="reference from itself"):
        parity.noise_floor(np.array([1.1]), np.array([1.0]), what="it", floor=0.05)


def test_records_are_plain_enough_for_json_and_for_worker_processes(book):
    parity, records = book
    parity.noise_floor(np.float64(1.0), np.float64(1.0), what="it", floor=np.float64(0.1))
    assert [type(value) for value in records[0].values() if isinstance(value, np.generic)] == []
    assert json.loads(json.dumps(records)) == records


def test_summary_counts_failures_and_names_known_differences(book):
    parity, records = book
    parity.identical(1, 1, what="it")
    parity.known("the last bit of exp", "another libm")
    with pytest.raises(AssertionError):
        parity.identical(1, 2, what="it")
    text = "\n".join(summary(records))
    row = next(line for line in text.splitlines() if line.startswith("Example"))
    assert row.split()[:5] == ["Example", "identical", "numpy", "2", "1"]
    assert "- Example: the last bit of exp. another libm" in text


# ---------------------------------------------------------------- checking anybody's class

_MINE = """
from minimal.preprocessing import StandardScaler


class Right(StandardScaler):
    pass


class Wrong(StandardScaler):
    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.mean_ = self.mean_ + 1e-9
        return self
"""


@pytest.mark.parametrize(("name", "code", "mark"), [("Right", 0, "pass  "), ("Wrong", 1, "FAIL  ")])
def test_anybodys_class_is_checked_in_place_of_ours(name, code, mark, tmp_path):
    (tmp_path / "mine.py").write_text(_MINE)
    run = _pytest("--implementation", f"StandardScaler={tmp_path / 'mine.py'}:{name}", "-k", "by_hand or order_of_rows")
    assert run.returncode == code, run.stdout
    assert f"\n{mark}by hand: " in run.stdout
    assert "pass  order of rows is rounding: " in run.stdout  # it compares the class with itself


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("StandardScaler=nowhere.py:Scaler", "there is no file"),
        ("StandardScaler=minimal.preprocessing:Nothing", "has no 'Nothing'"),
        ("StandardScaler=no_such_package:Scaler", "cannot be imported"),
        ("Unknown=minimal.preprocessing:StandardScaler", "NAME must be one of"),
        ("StandardScaler=minimal", "file.py:Object"),
    ],
)
def test_wrong_implementation_option_is_explained(given, message):
    run = _pytest("--implementation", given, "--collect-only")
    assert run.returncode != 0
    assert message in run.stdout + run.stderr


def _pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    return subprocess.run(
        [*command, "reference_tests/test_standard_scaler.py"], capture_output=True, text=True, timeout=300
    )


def _python(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True
    ).stdout


@pytest.mark.parametrize(
    ("when", "outcome", "tells"),
    [
        ("setup", "passed", False),
        ("setup", "failed", True),
        ("setup", "skipped", False),
        ("call", "passed", True),
        ("call", "failed", True),
        ("call", "skipped", False),
        ("teardown", "failed", True),
    ],
)
def test_skipped_check_is_no_failure_of_anybodys_class(when, outcome, tells):
    report = pytest.TestReport("test_x", ("", 0, ""), {}, outcome, None, when)
    assert tells_of_a_check(report) is tells
