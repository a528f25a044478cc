"""Samples drawn with replacement: each tree of a forest sees its own draw, and is tested on what it did not see."""

from __future__ import annotations

import warnings
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from minimal.random import borrowed_generator


def number_to_draw(max_samples: float | None, n_samples: int, sample_weight: NDArray[np.floating] | None) -> int:
    """How many samples to draw: all, so many, or a fraction of the (weighted) number of samples.

    Warns
    -----
    UserWarning
        If a fraction gives very few.
    """
    if max_samples is None:
        return n_samples
    if isinstance(max_samples, Integral):
        return int(max_samples)
    if sample_weight is None:
        total, words = n_samples, f"the number of samples is {n_samples} "
    else:
        total = sample_weight.sum()
        words = f"the total sum of sample weights is {total} "
    n_drawn = max(int(max_samples * total), 1)
    if n_drawn < max(10, n_samples ** (1 / 3)):
        warnings.warn(
            f"Using the fractional value {max_samples=} when {words}results in a low number ({n_drawn}) of bootstrap "
            "samples. We recommend passing `max_samples` as an integer instead.",
            UserWarning,
            stacklevel=4,
        )
    return n_drawn


def draw(seed: int, n_samples: int, n_drawn: int, sample_weight: NDArray[np.floating] | None) -> NDArray[np.int32]:
    """The indices of the samples that a tree with this seed sees, in the order in which they were drawn.

    Parameters
    ----------
    seed : int
        The tree's ``random_state``; the same seed draws the same samples.
    n_samples, n_drawn : int
    sample_weight : ndarray of shape (n_samples,), or None
        Probabilities, up to a factor.

    Returns
    -------
    ndarray of int32 of shape (n_drawn,)
    """
    generator = borrowed_generator(seed)
    if sample_weight is None:
        return generator.randint(0, n_samples, n_drawn).astype(np.int32)
    share = sample_weight / np.sum(sample_weight)
    return generator.choice(n_samples, n_drawn, replace=True, p=share).astype(np.int32)
