"""Nothing in the package needs a reference library: with all of them blocked, every public function still works."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

import minimal

from .uses_of_networks import USES as USES_OF_NETWORKS

BLOCKED = ("sklearn", "scipy", "torch", "pandas")
MODULES = (
    "minimal",
    "minimal.preprocessing",
    "minimal.linear_model",
    "minimal.tree",
    "minimal.ensemble",
    "minimal.cluster",
    "minimal.optimize",
    "minimal.exceptions",
    "minimal.autograd",
    "minimal.generator",
    "minimal.nn",
    "minimal.optim",
    "minimal.optim.lr_scheduler",
    "minimal.serialization",
    "minimal.utils.data",
)


def _standard_scaler(Scaler):
    X = np.array([[1.0, np.nan], [2.0, 4.0], [3.0, 8.0]])
    scaler = Scaler().fit(X)
    assert np.allclose(scaler.inverse_transform(scaler.transform(X)), X, equal_nan=True)
    assert scaler.partial_fit(X).n_samples_seen_.tolist() == [6, 4]
    assert scaler.get_feature_names_out().tolist() == ["x0", "x1"]
    assert "StandardScaler" in repr(scaler) + scaler._repr_html_()


def _logistic_regression(Model):
    X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 3.0], [3.0, 1.0], [4.0, 5.0], [5.0, 2.0]])
    for y in (["a", "a", "a", "b", "b", "b"], [0, 0, 1, 1, 2, 2]):
        for solver in ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"):
            model = Model(solver=solver, max_iter=5000, random_state=0).fit(X, y)
            assert model.predict_proba(X).sum(axis=1) == pytest.approx(1.0)
            assert np.allclose(np.log(model.predict_proba(X)), model.predict_log_proba(X))
            assert model.score(X, y) == np.mean(model.predict(X) == np.array(y))
            assert len(model.decision_function(X)) == len(X)


SQUARES = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 3.0], [3.0, np.nan], [4.0, 5.0], [5.0, 2.0]])


def _classification_tree(Tree):
    for options in ({}, {"criterion": "entropy", "max_leaf_nodes": 3}, {"splitter": "random", "ccp_alpha": 0.01}):
        tree = Tree(random_state=0, **options).fit(SQUARES, list("aabbcc"))
        assert tree.predict_proba(SQUARES).sum(axis=1) == pytest.approx(1.0)
        assert tree.score(SQUARES, list("aabbcc")) > 0.5
        assert tree.apply(SQUARES).max() < tree.tree_.node_count
        assert tree.feature_importances_.sum() == pytest.approx(1.0)
    assert len(Tree().cost_complexity_pruning_path(SQUARES, list("aabbcc")).ccp_alphas) > 1


def _regression_tree(Tree):
    y = np.array([1.0, 1.5, 2.0, 2.5, 9.0, 9.5])
    for criterion in ("squared_error", "absolute_error", "poisson"):
        tree = Tree(criterion=criterion, random_state=0).fit(SQUARES[:, :1], y)
        assert tree.predict(SQUARES[:, :1]) == pytest.approx(y)
        assert tree.score(SQUARES[:, :1], y) == 1.0


def _export_text(export_text):
    tree = minimal.tree.DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    assert export_text(tree).count("class") == 2


def _plot_tree(plot_tree):
    import matplotlib as mpl

    mpl.use("agg")
    tree = minimal.tree.DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    assert len(plot_tree(tree)) == 5  # three boxes, and which way is true or false


def _forest(Forest):
    y = [0, 0, 0, 1, 1, 1]
    forest = Forest(n_estimators=5, random_state=0, n_jobs=2).fit(SQUARES, y)
    assert len(forest.predict(SQUARES)) == 6
    assert forest.score(SQUARES, y) > 0.0
    assert len(forest.estimators_) == 5


def _k_means(KMeans):
    X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    for options in ({}, {"algorithm": "elkan"}, {"init": "random", "n_init": 3}):
        model = KMeans(2, random_state=0, **options).fit(X)
        assert len(set(model.labels_)) == 2
        assert model.inertia_ == 1.0
        assert model.predict([[4.0, 4.0]])[0] == model.labels_[2]
        assert model.transform(X).shape == (4, 2)


def _minimize(minimize):
    rosen, rosen_der = minimal.optimize.rosen, minimal.optimize.rosen_der
    for method in ("BFGS", "L-BFGS-B"):
        for jac in (None, rosen_der, "2-point", "3-point"):
            assert minimize(rosen, [-1.2, 1.0], method=method, jac=jac).x == pytest.approx([1.0, 1.0], abs=1e-3)


def _engine(engine):
    with engine("numpy"):
        assert minimal.get_engine() == "numpy"


def _raises(kind):
    with pytest.raises(kind):
        raise minimal.exceptions.kin(kind)("on purpose")


# A short use of every public name.  A name without one fails the test below.
USES = {
    "minimal.engine": _engine,
    "minimal.get_engine": lambda get: get(),
    "minimal.set_engine": lambda set_: set_("numpy"),
    "minimal.get_num_threads": lambda get: get(),
    "minimal.set_num_threads": lambda set_: set_(2),
    "minimal.preprocessing.StandardScaler": _standard_scaler,
    "minimal.linear_model.LogisticRegression": _logistic_regression,
    "minimal.tree.DecisionTreeClassifier": _classification_tree,
    "minimal.tree.DecisionTreeRegressor": _regression_tree,
    "minimal.tree.export_text": _export_text,
    "minimal.tree.plot_tree": _plot_tree,
    "minimal.ensemble.RandomForestClassifier": _forest,
    "minimal.ensemble.RandomForestRegressor": _forest,
    "minimal.cluster.KMeans": _k_means,
    "minimal.cluster.k_means": lambda k_means: k_means(np.arange(6.0).reshape(-1, 1), 2, random_state=0),
    "minimal.cluster.kmeans_plusplus": lambda seed: seed(np.arange(6.0).reshape(-1, 1), 2, random_state=0),
    "minimal.optimize.minimize": _minimize,
    "minimal.optimize.fmin_bfgs": lambda fmin: fmin(minimal.optimize.rosen, [0.0, 0.0], disp=0),
    "minimal.optimize.line_search": lambda search: search(
        minimal.optimize.rosen, minimal.optimize.rosen_der, np.array([-1.2, 1.0]), np.array([1.0, 0.0])
    ),
    "minimal.optimize.approx_fprime": lambda approx: approx(np.ones(2), minimal.optimize.rosen),
    "minimal.optimize.check_grad": lambda check: check(
        minimal.optimize.rosen, minimal.optimize.rosen_der, np.array([2.0, 1.0])
    ),
    "minimal.optimize.rosen": lambda rosen: rosen([1.0, 1.0]),
    "minimal.optimize.rosen_der": lambda rosen_der: rosen_der([1.0, 1.0]),
    "minimal.optimize.OptimizeResult": lambda Result: repr(Result(x=np.ones(2), success=True)),
    "minimal.exceptions.kin": lambda kin: kin(minimal.exceptions.NotFittedError),
}
USES |= USES_OF_NETWORKS
USES |= {f"minimal.exceptions.{name}": _raises for name in minimal.exceptions.__all__ if name != "kin"}


def _public_names():
    for module in MODULES:
        for name in import_module(module).__all__:
            if f"{module}.{name}" not in MODULES:
                yield f"{module}.{name}"


def test_every_public_name_is_used_here():
    assert set(_public_names()) == set(USES)


@pytest.mark.parametrize("name", sorted(USES))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_public_name_works(name, engine):
    module, _, attribute = name.rpartition(".")
    before = minimal.get_engine(), minimal.get_num_threads()
    try:
        USES[name](getattr(import_module(module), attribute))
    finally:
        minimal.set_engine("numba")
        minimal.set_num_threads(before[1])


@pytest.mark.parametrize("engine_name", ["numba", "numpy"])
def test_every_public_name_works_without_any_reference_library(engine_name):
    program = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocked())
import minimal
from {__name__} import USES
from importlib import import_module

for name, use in USES.items():
    module, _, attribute = name.rpartition(".")
    minimal.set_engine({engine_name!r})
    use(getattr(import_module(module), attribute))
assert not set({BLOCKED!r}) & set(sys.modules)
print("all", len(USES))
"""
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["all", str(len(USES))]
