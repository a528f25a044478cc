"""Trees for people: the same text and the same picture as scikit-learn's, and trees of ours in scikit-learn's tools.

The trees are scikit-learn's own here, so that only the telling is under test.
"""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import sklearn.tree
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.tree._export import _color_brew

import minimal.tree
from minimal.tree.growth import LEAF
from minimal.tree.plot import hues
from minimal.tree.tidy import tidy_positions

COMPONENT = "plot_tree"


def _trees():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 4))
    y, target, weight = rng.integers(0, 3, 60), rng.standard_normal(60), rng.uniform(0.2, 2.0, 60)
    Classifier, Regressor = sklearn.tree.DecisionTreeClassifier, sklearn.tree.DecisionTreeRegressor
    return {
        "classes": Classifier(random_state=0).fit(X, np.array(["ash", "beech", "cedar"])[y]),
        "weighted classes": Classifier(random_state=0, max_depth=3).fit(X, y, weight),
        "entropy, best-first": Classifier(random_state=0, criterion="entropy", max_leaf_nodes=9).fit(X, y),
        "one class": Classifier().fit(X, 0 * y),
        "two outputs of classes": Classifier(random_state=0).fit(X, np.c_[y, y > 1]),
        "regression": Regressor(random_state=0).fit(X, target),
        "constant regression": Regressor().fit(X, np.full(60, 2.0)),
        "two outputs": Regressor(random_state=0, max_depth=4).fit(X, np.c_[target, y]),
    }


TREES = _trees()

TEXT_OPTIONS = {
    "plain": {},
    "shallow": {"max_depth": 2},
    "root": {"max_depth": 0},
    "narrow": {"max_depth": 4, "spacing": 1, "decimals": 0},
    "weights": {"show_weights": True, "decimals": 4},
    "feature names": {"feature_names": list("wxyz")},
    "class names": {"class_names": ["one", "two", "three"]},
}

PLOT_OPTIONS = {
    "plain": {},
    "shallow and filled": {"max_depth": 2, "filled": True},
    "root": {"max_depth": 0},
    "round": {"filled": True, "rounded": True, "class_names": True},
    "labels at the root": {"label": "root", "node_ids": True, "precision": 1},
    "names": {
        "feature_names": list("wxyz"),
        "class_names": list("abc"),
        "proportion": True,
        "filled": True,
        "fontsize": 7,
        "label": "none",
        "impurity": False,
    },
}


def answer(job):
    """What a call returns, or the kind and words of its error."""
    try:
        return job()
    except Exception as error:
        return type(error).__name__, str(error)


@pytest.mark.component("export_text")
@pytest.mark.parametrize("options", TEXT_OPTIONS.values(), ids=TEXT_OPTIONS)
@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_text_is_the_references(tree, options, implementation):
    ours, theirs = (
        answer(lambda export=export: export(tree, **options))
        for export in (implementation("export_text"), sklearn.tree.export_text)
    )
    assert ours == theirs


def drawing(plot_tree, tree, options):
    """Everything that can be seen of a drawn tree."""
    figure, ax = plt.subplots(figsize=(8, 5))
    notes = answer(lambda: plot_tree(tree, ax=ax, **options))
    plt.close(figure)
    if isinstance(notes, tuple):
        return notes
    return [
        {
            "text": note.get_text(),
            "places": (note.xy, note.xyann, note.get_ha(), note.get_zorder()),
            "size": note.get_fontsize(),
            "arrow": note.arrowprops,
            "box": None if (box := note.get_bbox_patch()) is None else (box.get_facecolor(), type(box.get_boxstyle())),
        }
        for note in notes
    ]


@pytest.mark.parametrize("options", PLOT_OPTIONS.values(), ids=PLOT_OPTIONS)
@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_picture_is_the_references(tree, options, implementation):
    ours = drawing(implementation("plot_tree"), tree, options)
    assert ours == drawing(sklearn.tree.plot_tree, tree, options)


def test_picture_goes_to_the_current_axes(implementation):
    figure, ax = plt.subplots()
    ax.plot([0, 1], [0, 1])
    notes = implementation("plot_tree")(TREES["classes"], max_depth=1)
    assert {note.axes for note in notes} == {ax}
    assert not ax.lines
    plt.close(figure)


def test_colours_are_the_references():
    for n in range(1, 40):
        assert hues(n) == [tuple(colour) for colour in _color_brew(n)]


@pytest.mark.parametrize("name", ["export_text", "plot_tree"])
@pytest.mark.parametrize("options", [{"max_depth": -1}, {"max_depth": 1.5}, {"max_depth": "2"}], ids=str)
def test_bad_options_are_the_references_error(name, options):
    for module in (minimal.tree, sklearn.tree):
        with pytest.raises(sklearn.utils._param_validation.InvalidParameterError, match="'max_depth'"):
            getattr(module, name)(TREES["classes"], **options)


@pytest.mark.parametrize("name", ["export_text", "plot_tree"])
def test_tree_must_be_fitted(name):
    for module in (minimal.tree, sklearn.tree):
        with pytest.raises(NotFittedError):
            getattr(module, name)(module.DecisionTreeClassifier())


# ---------------------------------------------------------------- ours in scikit-learn's tools


@pytest.mark.parametrize("kind", ["DecisionTreeClassifier", "DecisionTreeRegressor"])
def test_scikit_learns_tools_tell_our_trees_as_their_own(kind, engine):
    X, y = load_iris(return_X_y=True)
    ours, theirs = (getattr(module, kind)(random_state=0).fit(X, y) for module in (minimal.tree, sklearn.tree))
    assert sklearn.tree.export_text(ours, show_weights=True) == sklearn.tree.export_text(theirs, show_weights=True)
    assert minimal.tree.export_text(ours) == sklearn.tree.export_text(theirs)
    told = [drawing(sklearn.tree.plot_tree, tree, {"filled": True}) for tree in (ours, theirs)]
    assert told[0] == told[1]
    assert len(told[0]) > 10
    assert sklearn.tree.export_graphviz(ours) == sklearn.tree.export_graphviz(theirs)


# ---------------------------------------------------------------- places


def test_small_tree_by_hand():
    #      0
    #    1   4
    #   2 3      the root stands over the middle of its children, and so does 1
    x = tidy_positions(np.array([1, 2, LEAF, LEAF, LEAF]), np.array([4, 3, LEAF, LEAF, LEAF]))
    assert x.tolist() == [1.0, 0.5, 0.0, 1.0, 1.5]


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_on_a_level_are_clear_of_each_other(seed):
    rng = np.random.default_rng(seed)
    tree = sklearn.tree.DecisionTreeRegressor().fit(rng.standard_normal((80, 2)), rng.standard_normal(80)).tree_
    x = tidy_positions(tree.children_left, tree.children_right)
    depth = np.zeros(tree.node_count, dtype=int)
    for node in range(tree.node_count):
        if tree.children_left[node] != LEAF:
            children = [tree.children_left[node], tree.children_right[node]]
            depth[children] = depth[node] + 1
            assert x[children].mean() == pytest.approx(x[node], abs=1e-9)
    for level in range(depth.max() + 1):
        assert np.diff(x[depth == level]).min(initial=1.0) >= 1 - 1e-9  # in preorder: from left to right
    assert x.min() == 0


def stairs(n_steps):
    """A regressor whose every decision sends one sample left: node 2i decides, node 2i + 1 is its left leaf."""
    nodes = np.arange(2 * n_steps + 1)
    inner = (nodes % 2 == 0) & (nodes < 2 * n_steps)
    tree = SimpleNamespace(
        children_left=np.where(inner, nodes + 1, LEAF),
        children_right=np.where(inner, nodes + 2, LEAF),
        feature=np.where(inner, 0, -2),
        threshold=np.where(inner, nodes / 2, -2.0),
        value=nodes.reshape(-1, 1, 1) * 1.0,
        n_features=1,
        n_outputs=1,
        n_classes=np.array([1]),
    )
    return SimpleNamespace(tree_=tree, n_features_in_=1)


def test_tree_deeper_than_pythons_recursion_is_told():
    n_steps = 3000
    lines = minimal.tree.export_text(stairs(n_steps), max_depth=n_steps, spacing=1).splitlines()
    assert len(lines) == 3 * n_steps + 1
    assert lines[-1] == "| " * n_steps + "|- value: [6000.00]"
    assert minimal.tree.export_text(stairs(n_steps), max_depth=8).splitlines()[-1].endswith("of depth 2992")
    x = tidy_positions(stairs(1500).tree_.children_left, stairs(1500).tree_.children_right)
    assert np.diff(x[::2]).tolist() == [0.5] * 1500
