"""What the stochastic average gradient remembers between samples, between calls, and what it is told to do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
SMALLEST_SCALE = 1e-9
"""Below it the scale is put into the weights, before it underflows."""


class Memory(NamedTuple):
    """Everything that a run changes, and that a later run can start from.

    There are ``n_outputs`` columns of weights: one for two classes, one a class for three and more.  All floats have the
    dtype of the data.
    """

    weights: Floats
    """(n_features, n_outputs): the coefficients; inside an epoch divided by the scale that L2 shrinks."""
    intercept: Floats
    """(n_outputs,)"""
    sum_gradient: Floats
    """(n_features, n_outputs): the sum of the last known gradients of all samples."""
    sum_intercept: Floats
    """(n_outputs,): the same for the intercept."""
    gradients: Floats
    """(n_samples, n_outputs): each sample's last known derivative with respect to its decision value."""
    seen: NDArray[np.int32]
    """(n_samples,): 1 once a sample was drawn."""


class Rules(NamedTuple):
    """What to minimize and how."""

    alpha: float
    """L2 strength of the mean loss: alpha / 2 * sum(w**2)."""
    beta: float
    """L1 strength of the mean loss: beta * sum(abs(w)); only for saga."""
    step: float
    """The step size."""
    intercept_decay: float
    """The intercept's share of a step: 1, or 0.01 for sparse data, whose columns move less often than the intercept."""
    tol: float
    """Stop when, over one epoch, the largest change of a weight is at most tol times the largest weight."""
    max_iter: int
    """The most epochs, each of n_samples draws."""
    fit_intercept: bool
    saga: bool
    """Whether the step is SAGA's (unbiased) or SAG's."""


class Waiting(NamedTuple):
    """The steps of this epoch that some columns have yet to take (only its own columns matter to a sparse row).

    Step t moves a weight by ``path[t + 1] - path[t]`` times its summed gradient, and shrinks it by the same difference of
    ``shrinkage``.  A column that took the steps before ``done[j]`` catches up with the difference at once.
    """

    path: Floats
    """(n_samples + 1,): the steps' lengths, added up; 0 at the start of an epoch."""
    shrinkage: Floats
    """(n_samples + 1,): the L1 thresholds, added up."""
    done: NDArray[np.int64]
    """(n_features,): how many steps each column has taken."""


class Step(NamedTuple):
    """What all weights have in common when they take a step; for the dense kernel."""

    correction: float
    """SAGA: rules.step times this times the change of the gradient comes on top (1 - 1 / n_seen)."""
    scale: float
    """What the weights are to be multiplied by to be the model's."""
    length: float
    """How far to go along the summed gradient."""
    threshold: float
    """How far to shrink (L1)."""
