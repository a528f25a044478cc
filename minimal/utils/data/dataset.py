"""Datasets: what can be asked for a sample by its number, or read one sample after another; and how to cut and join them."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

from minimal.autograd.tensor import Tensor
from minimal.generator import Generator, default_generator, random_permutation

Sample = TypeVar("Sample", covariant=True)


class Dataset(Generic[Sample]):
    """Samples that are found by number.  Subclasses write ``__getitem__`` and, as a rule, ``__len__``.

    A subclass that can bring many samples at once faster than one by one may write ``__getitems__(indices)``, which takes
    a list of numbers and returns the list of samples; the loader asks for it.  (torch.utils.data.Dataset, 2.13.0.)
    """

    def __getitem__(self, index: Any) -> Sample:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[Sample]):
    """Samples that come one after another, from a stream say.  Subclasses write ``__iter__``.

    (torch.utils.data.IterableDataset, 2.13.0.)
    """

    def __iter__(self) -> Iterator[Sample]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset[Any]) -> Any:
        raise NotImplementedError("Streams are not joined by +: chain their iterators in a dataset of your own.")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors with one entry for each sample along the first dimension: sample ``i`` is ``(a[i], b[i], ...)``.

    Parameters
    ----------
    *tensors : Tensor
        At least one; all of the same length.

    Attributes
    ----------
    tensors : tuple of Tensor

    Raises
    ------
    AssertionError
        If the lengths differ.

    Notes
    -----
    torch.utils.data.TensorDataset, 2.13.0.  A :class:`DataLoader` with the default ``collate_fn`` indexes a whole batch at
    once, also through a :class:`Subset`; the batches are those of the way sample by sample.
    """

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [tensor.shape[0] for tensor in tensors]
        if any(length != lengths[0] for length in lengths):
            raise AssertionError(f"Size mismatch between tensors: the first dimensions are {lengths}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


class Subset(Dataset[Sample]):
    """Some samples of a dataset, in an order of your choice.

    Parameters
    ----------
    dataset : Dataset
    indices : sequence of int
        Which samples, by their numbers in ``dataset``.

    Raises
    ------
    NotImplementedError
        If a subclass overrides ``__getitem__`` alone: the loader asks ``__getitems__``, and would never notice.

    Notes
    -----
    torch.utils.data.Subset, 2.13.0.
    """

    def __init__(self, dataset: Dataset[Sample], indices: Sequence[int]) -> None:
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ but not __getitems__, which a DataLoader asks for batches. Add\n\n"
                "def __getitems__(self, indices):\n"
                "    return [self.__getitem__(i) for i in indices]"
            )
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        chosen = [self.indices[i] for i in indices]
        many = getattr(self.dataset, "__getitems__", None)
        return many(chosen) if callable(many) else [self.dataset[i] for i in chosen]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[Any]):
    """Datasets one after another.

    Parameters
    ----------
    datasets : iterable of Dataset
        At least one; none of them a stream.

    Attributes
    ----------
    datasets : list of Dataset
    cumulative_sizes : list of int
        How many samples end with each dataset.

    Raises
    ------
    AssertionError
        If there is no dataset, or one is an :class:`IterableDataset`.

    Notes
    -----
    torch.utils.data.ConcatDataset, 2.13.0.
    """

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))  # type: ignore[arg-type]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            if -index > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]


def random_split(
    dataset: Dataset[Sample], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[Sample]]:
    """Cut a dataset at random into parts that share no sample.

    Parameters
    ----------
    dataset : Dataset
        With a length.
    lengths : sequence of int, or of float
        The sizes of the parts, which add up to ``len(dataset)``; or fractions that add up to 1, each rounded down, what is
        left being dealt out one by one from the first part on.
    generator : Generator, optional
        Where the permutation is drawn from: all of it at once, as PyTorch does.  Default: the global generator.

    Returns
    -------
    list of Subset

    Raises
    ------
    ValueError
        If the sizes do not add up, or a fraction is not between 0 and 1.

    Notes
    -----
    torch.utils.data.random_split, 2.13.0: the same parts from the same seed.
    """
    total = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _sizes_of_fractions(total, lengths)
    if sum(lengths) != total:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"The lengths add up to {sum(lengths)}, the dataset has {total} samples."
        )
    sizes = [int(length) for length in lengths]
    indices = random_permutation(generator or default_generator, total).tolist()
    return [Subset(dataset, indices[end - size : end]) for end, size in zip(accumulate(sizes), sizes)]


def _sizes_of_fractions(total: int, fractions: Sequence[float]) -> list[int]:
    for i, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ValueError(f"Fraction at index {i} is not between 0 and 1")
    sizes = [math.floor(total * fraction) for fraction in fractions]
    for i in range(total - sum(sizes)):
        sizes[i % len(sizes)] += 1
    for i, size in enumerate(sizes):
        if size == 0:
            warnings.warn(
                f"Length of split at index {i} is 0. This might result in an empty dataset.", UserWarning, stacklevel=3
            )
    return sizes
