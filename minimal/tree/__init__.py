"""Decision trees: questions about one feature at a time, asked until the answers agree.

Read in this order: ``growth`` (what a tree is grown from, and what grows), ``growing_numpy`` (how), ``walking_numpy`` (how a
sample finds its leaf), ``pruning``, ``structure`` (the arrays of a fitted tree), ``decision_tree`` (the estimators), and, to
look at trees, ``export`` and ``plot``.
"""

from minimal.tree.decision_tree import DecisionTreeClassifier, DecisionTreeRegressor
from minimal.tree.export import export_text
from minimal.tree.plot import plot_tree

__all__ = ["DecisionTreeClassifier", "DecisionTreeRegressor", "export_text", "plot_tree"]
