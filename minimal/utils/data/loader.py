"""DataLoader: batches of a dataset, epoch after epoch, shuffled as PyTorch shuffles them and sooner there."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import repeat
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.autograd.modes import is_grad_enabled
from minimal.autograd.tensor import Tensor, wrap
from minimal.generator import Generator, default_generator, random_u64
from minimal.utils.data.collate import default_collate, default_convert
from minimal.utils.data.dataset import IterableDataset, Subset, TensorDataset
from minimal.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

FIXED = {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}


class DataLoader:
    """An iterable of batches; each ``for`` loop over it is an epoch.

    Parameters
    ----------
    dataset : Dataset, IterableDataset, or anything with ``__getitem__`` and ``__len__``
    batch_size : int or None, default 1
        Samples in a batch.  None: no batches, sample after sample.
    shuffle : bool, default False
        Whether each epoch takes the samples in a new random order.
    sampler : Sampler or iterable of int, optional
        The order, in place of ``shuffle``.
    batch_sampler : Sampler or iterable of lists, optional
        The batches, in place of ``batch_size``, ``shuffle``, ``sampler`` and ``drop_last``.
    num_workers : int, default 0
        How many threads fetch batches ahead.  They pay where ``__getitem__`` waits for files or works in NumPy.
    collate_fn : callable, optional
        Makes a batch of a list of samples.  Default: :func:`default_collate`, or :func:`default_convert` for single samples.
    pin_memory : bool, default False
        Without effect: there is no device to copy to.
    drop_last : bool, default False
        Whether to leave out a last batch that is smaller.
    generator : Generator, optional
        Where the order is drawn from.  Default: the global generator.
    prefetch_factor : int, optional
        Batches fetched ahead by each thread, 2 unless given; only with ``num_workers``.
    persistent_workers : bool, default False
        Without effect: threads begin and end with an epoch, which costs next to nothing.

    Raises
    ------
    ValueError
        If options contradict each other, or a number is negative; later, if an option of a made loader is set.
    NotImplementedError
        If threads are to read an :class:`IterableDataset`: a stream has one reader.

    Notes
    -----
    torch.utils.data.DataLoader, 2.13.0: the same batches in the same order from the same seed, and the generators are left
    as PyTorch leaves them after each batch: every epoch draws one 64-bit number (there the seed of worker processes), then
    what the sampler draws.  Batches of a :class:`TensorDataset`, also through a :class:`Subset`, are indexed as a whole.

    Differs from the reference when ``num_workers > 0``: workers are threads that share the dataset, not processes with
    copies of it, so there is no ``worker_init_fn``, ``timeout`` or ``multiprocessing_context``.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[int] | Iterable[int] | None = None,
        batch_sampler: Sampler[list[int]] | Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        *,
        generator: Generator | None = None,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
    ) -> None:
        _check_workers(num_workers, prefetch_factor, persistent_workers)
        self._is_stream = isinstance(dataset, IterableDataset)
        if self._is_stream:
            _check_stream(shuffle, sampler, batch_sampler, num_workers)
        _check_exclusive(batch_size, bool(shuffle), sampler, batch_sampler, drop_last)

        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.pin_memory = pin_memory
        self.generator = generator
        if sampler is None:
            sampler = _default_sampler(dataset, bool(shuffle), generator)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self._asked_length: int | None = None
        self._is_made = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and getattr(self, "_is_made", False):
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        return _Epoch(self)

    def __len__(self) -> int:
        """How many batches an epoch has.  For a stream: what its own length says.

        Raises
        ------
        TypeError
            If the sampler, or the stream, has no length.
        """
        if not self._is_stream:
            return len(self._index_sampler)
        n = self._asked_length = len(self.dataset)
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else ceil(n / self.batch_size)


class _Endless(Sampler[Any]):
    """What a stream has in place of numbers."""

    def __iter__(self) -> Iterator[None]:
        return repeat(None)


def _default_sampler(dataset: Any, shuffle: bool, generator: Generator | None) -> Sampler[Any]:
    if isinstance(dataset, IterableDataset):
        return _Endless()
    return RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)


class _Epoch:
    """One walk through the batches of a loader."""

    def __init__(self, loader: DataLoader) -> None:
        self._loader = loader
        source = _tensors_behind(loader.dataset) if loader.collate_fn is default_collate else None
        sampler = loader.batch_sampler
        whole = source is not None and type(sampler) is BatchSampler and type(sampler.sampler) in _OWN
        indices = sampler._arrays(sampler.sampler) if whole else iter(loader._index_sampler)  # type: ignore
        random_u64(loader.generator or default_generator)  # there the workers' seed; drawn without workers too
        if whole:
            fetch: Callable[[Any], Any] = _whole_batches(*source)  # type: ignore[misc]
        else:
            fetch = _from_stream(loader) if loader._is_stream else _by_number(loader)
        self._batches = _ahead(fetch, indices, loader) if loader.num_workers else map(fetch, indices)
        self._yielded = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        batch = next(self._batches)
        self._yielded += 1
        expected = self._loader._asked_length
        if expected is not None and self._yielded > expected:
            warnings.warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be {expected}"
                f"(when accessing len(dataloader)), but {self._yielded} samples have been fetched. ",
                UserWarning,
                stacklevel=2,
            )
        return batch

    def __len__(self) -> int:
        return len(self._loader._index_sampler)


# ---------------------------------------------------------------- three ways to fetch

_OWN = (RandomSampler, SequentialSampler)


def _by_number(loader: DataLoader) -> Callable[[Any], Any]:
    dataset, collate = loader.dataset, loader.collate_fn
    if loader.batch_sampler is None:
        return lambda index: collate(dataset[index])
    many = getattr(dataset, "__getitems__", None)
    if many:
        return lambda indices: collate(many(indices))
    return lambda indices: collate([dataset[i] for i in indices])


def _from_stream(loader: DataLoader) -> Callable[[Any], Any]:
    """Fetch from the iterator of a stream.  StopIteration goes through ``map`` to the end of the ``for`` loop."""
    stream, collate, drop_last = iter(loader.dataset), loader.collate_fn, loader.drop_last
    if loader.batch_sampler is None:
        return lambda _: collate(next(stream))
    ended = False

    def fetch(places: list[None]) -> Any:
        nonlocal ended
        samples = [] if ended else [sample for _, sample in zip(places, stream)]
        ended = len(samples) < len(places)
        if not samples or (ended and drop_last):
            raise StopIteration
        return collate(samples)

    return fetch


def _tensors_behind(dataset: Any) -> tuple[tuple[Tensor, ...], Any] | None:
    """The tensors and the numbers (None: all) that a dataset stands for, if it is plainly tensors or a subset of such."""
    kind = type(dataset)
    if kind is TensorDataset:
        return dataset.tensors, None
    if kind is not Subset or not len(dataset):
        return None
    found = _tensors_behind(dataset.dataset)
    if found is None:
        return None
    chosen = _as_indices(dataset.indices)
    if chosen is None:
        return None
    return found[0], chosen if found[1] is None else found[1][chosen]


def _whole_batches(tensors: tuple[Tensor, ...], numbers: Any) -> Callable[[Any], list[Tensor]]:
    if numbers is None:
        return lambda indices: [_rows(tensor, indices) for tensor in tensors]

    def fetch(indices: Any) -> list[Tensor]:
        chosen = numbers[indices]
        return [_rows(tensor, chosen) for tensor in tensors]

    return fetch


def _as_indices(indices: Any) -> NDArray[np.int64] | None:
    """The numbers of a subset as an array; None if they are no plain integers."""
    array = np.asarray(indices)
    return array.astype(np.int64) if array.ndim == 1 and array.dtype.kind in "iu" else None


def _rows(tensor: Tensor, indices: NDArray[np.int64]) -> Tensor:
    """A new tensor of some entries along the first dimension."""
    if tensor.requires_grad and is_grad_enabled():
        return tensor[wrap(indices)]
    array = tensor.array  # take() is quicker than an index, but would first copy all of what is not in C order
    return wrap(array.take(indices, axis=0) if array.flags.c_contiguous else array[indices])


def _ahead(fetch: Callable[[Any], Any], indices: Iterator[Any], loader: DataLoader) -> Iterator[Any]:
    """The batches in their order, fetched by threads a few batches ahead of what is asked for."""
    depth = max(1, loader.num_workers * (loader.prefetch_factor or 0))
    waiting: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(loader.num_workers, thread_name_prefix="minimal-data") as pool:
        try:
            for index in indices:
                waiting.append(pool.submit(fetch, index))
                if len(waiting) >= depth:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


# ---------------------------------------------------------------- what is refused


def _check_workers(num_workers: int, prefetch_factor: int | None, persistent_workers: bool) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to fetch without threads.")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified with threads. Let num_workers > 0, or leave it out."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_stream(shuffle: bool | None, sampler: Any, batch_sampler: Any, num_workers: int) -> None:
    given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
            )
    if num_workers:
        raise NotImplementedError("A stream has one reader: with an IterableDataset, leave num_workers at 0.")


def _check_exclusive(batch_size: int | None, shuffle: bool, sampler: Any, batch_sampler: Any, drop_last: bool) -> None:
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
    if batch_size is None and drop_last:
        raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
