"""What every test here shares: the engine axis, the thing under test, and the parity ledger.

pytest                                      all components, the default grids
pytest -m "wide or not wide"                the wide grids too
pytest reference_tests --ledger FILE        the ledger as JSON
pytest reference_tests --implementation StandardScaler=my.py:Scaler     the same checks on anybody's class

(The folder is named where an option of this file is used, so that pytest finds the option.)
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import minimal

from .ledger import Parity, summary

# Where the components live in the package, and the library that each is compared with.
COMPONENTS = {
    "StandardScaler": ("minimal.preprocessing", "scikit-learn"),
    "LogisticRegression": ("minimal.linear_model", "scikit-learn"),
    "KMeans": ("minimal.cluster", "scikit-learn"),
    "k_means": ("minimal.cluster", "scikit-learn"),
    "kmeans_plusplus": ("minimal.cluster", "scikit-learn"),
    "DecisionTreeClassifier": ("minimal.tree", "scikit-learn"),
    "DecisionTreeRegressor": ("minimal.tree", "scikit-learn"),
    "export_text": ("minimal.tree", "scikit-learn"),
    "plot_tree": ("minimal.tree", "scikit-learn"),
    "RandomForestClassifier": ("minimal.ensemble", "scikit-learn"),
    "RandomForestRegressor": ("minimal.ensemble", "scikit-learn"),
    "minimize": ("minimal.optimize", "scipy"),
    "fmin_bfgs": ("minimal.optimize", "scipy"),
    "line_search": ("minimal.optimize", "scipy"),
    "approx_fprime": ("minimal.optimize", "scipy"),
    "check_grad": ("minimal.optimize", "scipy"),
    "rosen": ("minimal.optimize", "scipy"),
    "rosen_der": ("minimal.optimize", "scipy"),
    "random": ("minimal.random", "scikit-learn"),
    "SGD": ("minimal.optim", "torch"),
    "Adam": ("minimal.optim", "torch"),
    "AdamW": ("minimal.optim", "torch"),
    "RMSprop": ("minimal.optim", "torch"),
    "Adagrad": ("minimal.optim", "torch"),
    "lr_scheduler": ("minimal.optim", "torch"),
    "DataLoader": ("minimal.utils.data", "torch"),
    "random_split": ("minimal.utils.data", "torch"),
    "save": ("minimal.serialization", "torch"),
    "load": ("minimal.serialization", "torch"),
    "generator": ("minimal.generator", "torch"),
    "operations": ("minimal", "torch"),
    "nn": ("minimal.nn", "torch"),
    "autograd": ("minimal.autograd", "torch"),
    "CNN": ("minimal.nn", "torch"),
    "Trainer": ("minimal.nn", "torch"),
    "CNNClassifier": ("minimal.nn", "torch"),
}
# Not one object but a whole namespace under PyTorch's names: the module itself is what is under test.
NAMESPACES = {"autograd", "nn", "operations"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("minimal")
    group.addoption(
        "--implementation",
        action="append",
        default=[],
        metavar="NAME=WHERE:OBJECT",
        help="check your own class or function in place of minimal's: NAME=file.py:Object or NAME=package.module:Object; "
        f"NAME is one of {', '.join(COMPONENTS)}. May be repeated. Only the tests of that component run.",
    )
    group.addoption("--ledger", metavar="FILE", help="write the parity ledger as JSON")


# ---------------------------------------------------------------- the thing under test


def _load(where: str) -> Any:
    """The object named by ``file.py:Object`` or ``package.module:Object``."""
    place, colon, name = where.rpartition(":")
    if not colon or not place or not name:
        raise pytest.UsageError(
            f"--implementation needs NAME=file.py:Object or NAME=package.module:Object, got {where!r}"
        )
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            raise pytest.UsageError(f"--implementation: there is no file {place!r}")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        try:
            module = importlib.import_module(place)
        except ImportError as error:
            raise pytest.UsageError(f"--implementation: {place!r} cannot be imported: {error}") from error
    if not hasattr(module, name):
        raise pytest.UsageError(f"--implementation: {place!r} has no {name!r}")
    return getattr(module, name)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "component(name): the component that a test checks, where its module has several"
    )
    given = {}
    for text in config.getoption("--implementation"):
        name, equals, where = text.partition("=")
        if not equals or name not in COMPONENTS:
            raise pytest.UsageError(f"--implementation NAME=WHERE:OBJECT: NAME must be one of {', '.join(COMPONENTS)}")
        given[name] = _load(where)
    config.stash[_given] = given
    config.stash[_records] = []
    config.stash[_outcomes] = defaultdict(list)


_given = pytest.StashKey[dict[str, Any]]()
_records = pytest.StashKey[list[dict[str, Any]]]()
_outcomes = pytest.StashKey[dict[str, list[tuple[bool, str]]]]()


def _component(node: Any) -> str:
    marker = node.get_closest_marker("component")
    return marker.args[0] if marker else getattr(node.module, "COMPONENT", "")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the wide grids unless a marker expression asks; with --implementation, keep that component's checks."""
    given = config.stash[_given]
    keep, drop = [], []
    for item in items:
        wanted = bool(config.option.markexpr) or item.get_closest_marker("wide") is None
        if given:
            engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")
            ours_to_give = "implementation" in getattr(item, "fixturenames", ())
            wanted = wanted and _component(item) in given and ours_to_give and engine in (None, "numpy")
        (keep if wanted else drop).append(item)
    if drop:
        config.hook.pytest_deselected(items=drop)
        items[:] = keep


@pytest.fixture(params=["numba", "numpy"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine axis: the test runs once on each twin."""
    with minimal.engine(request.param):
        yield request.param


@pytest.fixture
def implementation(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """``implementation(NAME)``: what is under test, minimal's own or what --implementation names."""
    given = request.config.stash[_given]

    def find(name: str) -> Any:
        if name in given:
            return given[name]
        module = importlib.import_module(COMPONENTS[name][0])
        return module if name in NAMESPACES else getattr(module, name)

    return find


@pytest.fixture
def parity(request: pytest.FixtureRequest) -> Parity:
    """Compare with the reference, assert, and leave a line in the ledger."""
    component = _component(request.node)
    library = COMPONENTS.get(component, ("", ""))[1]
    reference = f"{library} {importlib.metadata.version(library)}" if library else ""
    callspec = getattr(request.node, "callspec", None)
    chosen = callspec.params.get("engine", "") if callspec else ""
    return Parity(component, chosen, reference, lambda record: request.node.user_properties.append(("parity", record)))


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The benchmarks' frame with empty lists of cases, so that a test registers its own; the engine is as before after it."""
    from benchmarks import frame

    for name in ("CASES", "SWEEPS", "OWN_DATA"):
        monkeypatch.setattr(frame, name, [])
    monkeypatch.setattr("benchmarks.__main__.busy", lambda: None)
    before = minimal.get_engine()
    yield frame
    minimal.set_engine(before)


# ---------------------------------------------------------------- what a run tells at its end


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect records and outcomes; with several worker processes this runs where their reports arrive."""
    config = _config
    if config is None or hasattr(config, "workerinput"):
        return
    if report.when == "call":
        config.stash[_records] += [value for name, value in report.user_properties if name == "parity"]
    if tells_of_a_check(report):
        function = report.nodeid.partition("[")[0].rpartition("::")[2]
        why = "" if report.passed else _first_words(report)
        config.stash[_outcomes][function].append((report.passed, why))


def tells_of_a_check(report: pytest.TestReport) -> bool:
    """Whether a check passed or failed: not whether it was skipped, nor that its fixtures were ready."""
    return report.failed or (report.when == "call" and report.passed)


def pytest_collection_finish() -> None:
    """PyTorch on one thread: its sums may depend on their number, and several processes test side by side."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


_config: pytest.Config | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    global _config
    _config = session.config


def _first_words(report: pytest.TestReport) -> str:
    """The beginning of the error, on one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    words = " ".join(crash.message.split()) if crash is not None and crash.message else "failed"
    return words if len(words) <= 150 else words[:147] + "..."


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    records = config.stash[_records]
    if records:
        terminalreporter.section("parity ledger")
        for line in summary(records):
            terminalreporter.write_line(line)
    if config.stash[_given]:
        terminalreporter.section("checks on " + ", ".join(config.stash[_given]))
        for line in _verdict(config.stash[_outcomes]):
            terminalreporter.write_line(line)
    path = config.getoption("--ledger")
    if path:
        Path(path).write_text(json.dumps(records, indent=1) + "\n")


def _verdict(outcomes: dict[str, list[tuple[bool, str]]]) -> list[str]:
    """One line for each check: how many of its cases pass, and why the first that does not fails."""
    lines = []
    for function, results in outcomes.items():
        passed = sum(ok for ok, _ in results)
        mark = "pass" if passed == len(results) else "FAIL"
        words = function.removeprefix("test_").replace("_", " ")
        lines.append(f"{mark}  {words}: {passed} of {len(results)}")
        if passed < len(results):
            lines.append(f"      {next(why for ok, why in results if not ok)}")
    return lines or ["No check of this component was collected."]
