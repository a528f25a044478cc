"""Which feature a node looks at next: draws without replacement that know the constant features.

The permutation ``order`` of the features lives as long as the tree, and every draw swaps two of its places.  While a node
draws, it is made of five stretches:

    [0, drawn)          features known to be constant, drawn
    [drawn, known)      features known to be constant, not drawn yet
    [known, total)      features found to be constant in this node
    [total, last)       not drawn yet
    [last, n_features)  drawn, and not constant

A splitter's loop over the features of a node is

    begin_draws(features, node.n_constants)
    place = next_feature(features, max_features)
    while place >= 0:
        feature = features.order[place]
        ...
        set_constant(features, place)  # or set_varying(...): one of the two, before the next draw
        place = next_feature(features, max_features)
    n_constants = end_draws(features)

Source: ``node_split_best`` in scikit-learn 1.9.1, which samples by Fisher and Yates's shuffle.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minimal import random
from minimal.tree.splitting_numba import inlined

next_state = inlined(random.next_state)
random_index = inlined(random.random_index)

DRAWN, KNOWN, TOTAL, LAST, VISITED = range(5)  # places in Features.draws


class Features(NamedTuple):
    """The features' permutation, those known to be constant on the way from the root, and the random state.

    ``order`` and ``constant`` have shape (n_features,), ``draws`` shape (5,), ``state`` shape (1,), all int64.
    """

    order: NDArray[np.int64]
    constant: NDArray[np.int64]
    draws: NDArray[np.int64]
    state: NDArray[np.int64]


def new_features(n_features: int, seed: int) -> Features:
    """The features of a tree before its first draw."""
    constant, draws = np.empty(n_features, dtype=np.int64), np.zeros(5, dtype=np.int64)
    return Features(np.arange(n_features), constant, draws, np.array([seed]))


@inlined
def draw(features, low, high):
    """A random integer in [low, high)."""
    features.state[0] = next_state(features.state[0])
    return random_index(features.state[0], low, high)


@inlined
def begin_draws(features, n_known):
    """A new node, in which the first ``n_known`` features of ``constant`` are known to be constant."""
    draws = features.draws
    draws[DRAWN], draws[KNOWN], draws[TOTAL], draws[LAST], draws[VISITED] = 0, n_known, n_known, len(features.order), 0


@inlined
def next_feature(features, max_features):
    """Draw until a feature comes that is not known to be constant: its place in ``order``, or -1 at the end.

    The end has come when only constants are left, or when ``max_features`` are drawn, one of them not constant.
    """
    order, draws = features.order, features.draws
    while draws[LAST] > draws[TOTAL]:
        n_found = draws[TOTAL] - draws[KNOWN]
        if draws[VISITED] >= max_features and draws[VISITED] > n_found + draws[DRAWN]:
            return -1
        draws[VISITED] += 1
        place = draw(features, draws[DRAWN], draws[LAST] - n_found)
        if place >= draws[KNOWN]:
            return place + n_found
        order[draws[DRAWN]], order[place] = order[place], order[draws[DRAWN]]
        draws[DRAWN] += 1
    return -1


@inlined
def set_constant(features, place):
    """The feature drawn last turned out to be constant in this node."""
    order, draws = features.order, features.draws
    order[place], order[draws[TOTAL]] = order[draws[TOTAL]], order[place]
    draws[TOTAL] += 1


@inlined
def set_varying(features, place):
    """The feature drawn last is not constant."""
    order, draws = features.order, features.draws
    draws[LAST] -= 1
    order[draws[LAST]], order[place] = order[place], order[draws[LAST]]


@inlined
def end_draws(features):
    """Hand the constants on to the children, in an order that siblings agree on, and return how many they are."""
    order, constant, draws = features.order, features.constant, features.draws
    for i in range(draws[KNOWN]):
        order[i] = constant[i]
    for i in range(draws[KNOWN], draws[TOTAL]):
        constant[i] = order[i]
    return draws[TOTAL]
