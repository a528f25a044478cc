"""Regression trees where tied features rival each other: the bits of sums over samples of equal value decide between them."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.tree

from .tree_cases import assert_same_tree

COMPONENT = "DecisionTreeRegressor"


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_ties_decides_between_two_equal_features(seed, engine, implementation, parity):
    rng = np.random.default_rng(seed)
    tied = rng.standard_normal((400, 1)).round(1)
    X = np.hstack([tied, -tied, tied, rng.standard_normal((400, 3))])  # half of the features have no ties
    y = np.sin(3 * tied[:, 0]) + 0.1 * rng.standard_normal(400)
    ours, theirs = (
        Model(random_state=seed).fit(X, y)
        for Model in (implementation("DecisionTreeRegressor"), sklearn.tree.DecisionTreeRegressor)
    )
    assert_same_tree(parity, ours.tree_, theirs.tree_, data=f"rivals with ties, seed {seed}")
