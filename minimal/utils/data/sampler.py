"""Samplers: in which order samples come, and which of them come together.

The order is PyTorch's, from the same seed, and the generator is left where PyTorch leaves it, also when an epoch is broken
off: numbers are drawn piece by piece, no sooner than PyTorch draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from minimal.autograd.tensor import Tensor, wrap
from minimal.generator import (
    Generator,
    default_generator,
    random_exponential,
    random_integers,
    random_permutation,
    random_u64,
    random_uniform,
)

Indices = NDArray[np.int64]
Index = TypeVar("Index", covariant=True)


class Sampler(Generic[Index]):
    """An iterable of sample numbers, or of lists of them.  Subclasses write ``__iter__`` and, as a rule, ``__len__``.

    (torch.utils.data.Sampler, 2.13.0.)
    """

    def __iter__(self) -> Iterator[Index]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ...

    Parameters
    ----------
    data_source : Sized
        Something with the length of the dataset.

    Notes
    -----
    torch.utils.data.SequentialSampler, 2.13.0.
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def _pieces(self) -> Iterator[Indices]:
        yield np.arange(len(self.data_source))

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Every sample once in random order, or random samples with replacement.

    Parameters
    ----------
    data_source : Sized
        Something with the length of the dataset, n.
    replacement : bool, default False
        Whether a sample may come again before all have come.
    num_samples : int, optional
        How many to draw.  Default: n.  Without replacement, more than n means another permutation.
    generator : Generator, optional
        Draw from this one.  Default: each epoch draws one 64-bit seed from the global generator, and the order from a fresh
        generator with that seed.

    Raises
    ------
    TypeError
        If ``replacement`` is not a bool.
    ValueError
        If ``num_samples`` is not a positive integer.

    Notes
    -----
    torch.utils.data.RandomSampler, 2.13.0.  As there, a permutation that is drawn for the last ``num_samples % n`` samples
    is drawn even where that is none: with a ``generator`` of your own, each epoch ends with one permutation more.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        """How many samples an epoch draws: asked again each time, since a dataset may grow."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def _pieces(self) -> Iterator[Indices]:
        n, wanted = len(self.data_source), self.num_samples
        generator = self.generator or Generator().manual_seed(random_u64(default_generator) % 2**63)
        if self.replacement:
            for size in [32] * (wanted // 32) + [wanted % 32]:
                yield random_integers(generator, 0, n, size)
        else:
            for _ in range(wanted // n):
                yield random_permutation(generator, n)
            yield random_permutation(generator, n)[: wanted % n]

    def __iter__(self) -> Iterator[int]:
        for piece in self._pieces():
            yield from piece.tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given sample numbers in random order.

    Parameters
    ----------
    indices : sequence of int
    generator : Generator, optional
        Default: the global generator.

    Notes
    -----
    torch.utils.data.SubsetRandomSampler, 2.13.0.
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in random_permutation(self.generator or default_generator, len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` numbers from another sampler.

    Parameters
    ----------
    sampler : Sampler or iterable
    batch_size : int
    drop_last : bool
        Whether to leave out a last list that is shorter.

    Raises
    ------
    ValueError
        If ``batch_size`` is not a positive integer, or ``drop_last`` is not a bool.

    Notes
    -----
    torch.utils.data.BatchSampler, 2.13.0.
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def _arrays(self, sampler: SequentialSampler | RandomSampler) -> Iterator[Indices]:
        """What ``__iter__`` yields, as arrays: the next piece is drawn when a batch needs it, and no sooner."""
        pieces, rest = sampler._pieces(), np.empty(0, np.int64)
        exhausted = False
        while True:
            while len(rest) < self.batch_size and not exhausted:
                piece = next(pieces, None)
                exhausted = piece is None
                if piece is not None:
                    rest = np.concatenate((rest, piece)) if len(rest) else piece
            batch, rest = rest[: self.batch_size], rest[self.batch_size :]
            if len(batch) == 0 or (self.drop_last and len(batch) < self.batch_size):
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class WeightedRandomSampler(Sampler[int]):
    """Random sample numbers, each with a probability of its own.

    Parameters
    ----------
    weights : sequence of float
        One for each sample, not negative; they need not add up to 1.
    num_samples : int
        How many to draw.
    replacement : bool, default True
        Whether a sample may come again.
    generator : Generator, optional
        Default: the global generator.

    Raises
    ------
    ValueError
        If ``num_samples`` is not a positive integer, ``replacement`` is not a bool, or ``weights`` has another shape than
        (n,).
    RuntimeError
        In an epoch: if a weight is negative or not finite, all are zero, or there are too few to draw without replacement.

    Notes
    -----
    torch.utils.data.WeightedRandomSampler, 2.13.0.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        array = np.asarray(weights, dtype=np.float64)
        if array.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {array.shape}")
        self.weights: Tensor = wrap(array)
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        weights, size = self.weights.array, self.num_samples
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        if not self.replacement and size > len(weights):
            raise RuntimeError(
                f"cannot sample n_sample > prob_dist.size(-1) samples without replacement: {size} > {len(weights)}"
            )
        if not weights.sum() > 0:
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        draw = _with_replacement if self.replacement and size > 1 else _without_replacement
        yield from draw(self.generator or default_generator, weights, size).tolist()

    def __len__(self) -> int:
        return self.num_samples


def _with_replacement(generator: Generator, weights: NDArray[np.float64], size: int) -> Indices:
    """Where uniform numbers fall among the running sums of the weights, which end at 1."""
    border = np.cumsum(weights)
    border /= border[-1]
    border[-1] = 1.0
    return np.searchsorted(border, random_uniform(generator, size, np.float64))


def _without_replacement(generator: Generator, weights: NDArray[np.float64], size: int) -> Indices:
    """The largest weight / e, with e exponential: each is the largest with a probability in proportion to its weight."""
    score = weights / random_exponential(generator, len(weights), np.float64)
    return np.argsort(-score, kind="stable")[:size]
