"""Which feature a node looks at next: draws without replacement that know which features are constant.

A feature that does not vary in a node does not vary below it either.  The constant features of a node are therefore handed
down to its children, which draw them (so that the others are drawn as often as they should) but do not look at them again.
"""

from __future__ import annotations

from minimal.random import next_state, random_index


class FeatureDraws:
    """The permutation of a tree's features, changed by every draw, and the random state.

    While a node draws, ``order`` is made of five stretches::

        [0, drawn)          features known to be constant, drawn
        [drawn, known)      features known to be constant, not drawn yet
        [known, constant)   features that turned out to be constant in this node
        [constant, left)    not drawn yet
        [left, n_features)  drawn, and not constant

    Source: Fisher and Yates's shuffle, as in ``sklearn.tree._splitter``, 1.9.1.
    """

    def __init__(self, n_features: int, seed: int) -> None:
        self.order = list(range(n_features))
        self.constants: list[int] = [0] * n_features  # those of the nodes from the root down to the present one
        self.state = seed

    def draw(self, low: int, high: int) -> int:
        """A random integer in [low, high)."""
        self.state = next_state(self.state)
        return random_index(self.state, low, high)

    def begin(self, n_known: int) -> None:
        """Begin a node in which ``n_known`` features are known to be constant."""
        self.drawn, self.known, self.constant, self.left = 0, n_known, n_known, len(self.order)
        self.visited = 0

    def next(self, max_features: int) -> int | None:
        """The next feature that is not known to be constant.

        None when only constants are left, or when ``max_features`` have been drawn and one of them was not constant.
        """
        while self.left > self.constant:
            found = self.constant - self.known
            if self.visited >= max_features and self.visited > found + self.drawn:
                return None
            self.visited += 1
            place = self.draw(self.drawn, self.left - found)
            if place >= self.known:
                self.place = place + found
                return self.order[self.place]
            self._swap(place, self.drawn)
            self.drawn += 1
        return None

    def found(self, is_constant: bool) -> None:
        """Tell what the feature drawn last turned out to be."""
        if is_constant:
            self._swap(self.place, self.constant)
            self.constant += 1
        else:
            self.left -= 1
            self._swap(self.place, self.left)

    def end(self) -> int:
        """The number of constant features that the children will know of."""
        self.order[: self.known] = self.constants[: self.known]
        self.constants[self.known : self.constant] = self.order[self.known : self.constant]
        return self.constant

    def _swap(self, i: int, j: int) -> None:
        self.order[i], self.order[j] = self.order[j], self.order[i]
