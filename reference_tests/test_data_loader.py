"""Datasets, samplers and loaders: PyTorch's batches in PyTorch's order from one seed, drawing no number more or less."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pytest
import torch
import torch.utils.data
from hypothesis import given, settings
from hypothesis import strategies as st

import minimal
import minimal.utils.data

COMPONENT = "DataLoader"
OURS, THEIRS = minimal.utils.data, torch.utils.data
SIDES = [(minimal, OURS), (torch, THEIRS)]


def plain(value):
    """Tensors of either side as (dtype, numbers); containers gone through."""
    if isinstance(value, (minimal.Tensor, torch.Tensor)):
        array = value.detach().numpy()
        return ("tensor", str(array.dtype), array.shape, array.tolist())
    if isinstance(value, Mapping):
        return type(value).__name__, {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(each) for each in value]
    return value


def next_numbers(library, generator=None):
    return library.randint(0, 2**31, (3,), generator=generator).tolist()


def data(library, n=23):
    random = np.random.default_rng(5)
    x, y = random.normal(size=(n, 2, 3)).astype(np.float32), random.integers(0, 9, n)
    return library.from_numpy(x), library.from_numpy(y)


class Samples:
    """A dataset that is no TensorDataset: read sample by sample."""

    def __init__(self, *tensors):
        self.tensors = tensors

    def __getitem__(self, i):
        return tuple(tensor[i] for tensor in self.tensors)

    def __len__(self):
        return len(self.tensors[0])


def datasets(library, utils):
    x, y = data(library)
    odd = [3, 1, 4, 1, 5, 9, 2, 6, 21, -1]
    return {
        "tensors": utils.TensorDataset(x, y),
        "one tensor": utils.TensorDataset(x),
        "transposed tensors": utils.TensorDataset(x.transpose(0, 2).contiguous().transpose(0, 2), y),
        "subset": utils.Subset(utils.TensorDataset(x, y), odd),
        "subset of a subset": utils.Subset(utils.Subset(utils.TensorDataset(x, y), odd), [7, 0, 0, 5, -2]),
        "subset by a range": utils.Subset(utils.TensorDataset(x, y), range(3, 20, 2)),
        "joined": utils.TensorDataset(x, y) + utils.Subset(utils.TensorDataset(x, y), odd),
        "samples": Samples(x, y),
        "a list": list(range(17)),
        "subset of a list": utils.Subset(list(range(17)), odd[:6]),
    }


def global_generator(library):
    return None


def own_generator(library):
    return library.Generator().manual_seed(11)


LOADERS = {
    "batches": {"batch_size": 4},
    "one by one": {},
    "shuffled": {"batch_size": 4, "shuffle": True},
    "shuffled, last dropped": {"batch_size": 4, "shuffle": True, "drop_last": True},
    "no rest": {"batch_size": 1, "shuffle": True, "drop_last": True},
    "larger than all": {"batch_size": 50, "shuffle": True},
    "single samples": {"batch_size": None, "shuffle": True},
    "single samples in order": {"batch_size": None},
    "with threads": {"batch_size": 4, "shuffle": True},
}


@pytest.mark.parametrize("generator", [global_generator, own_generator])
@pytest.mark.parametrize("options", LOADERS)
@pytest.mark.parametrize("dataset", datasets(*SIDES[0]))
def test_epochs_are_the_references(dataset, options, generator, implementation):
    """After every batch both sides must have drawn the same numbers, so the next ones are compared too."""
    told = []
    for library, utils in SIDES:
        library.manual_seed(3)
        loader_class = implementation("DataLoader") if library is minimal else utils.DataLoader
        source = generator(library)
        threads = {"num_workers": 3} if options == "with threads" and library is minimal else {}
        loader = loader_class(datasets(library, utils)[dataset], generator=source, **LOADERS[options], **threads)
        story = [len(loader)]
        for _ in range(3):
            for batch in loader:
                story.append(plain(batch))
                if options != "with threads":  # which fetch ahead: their numbers are compared where an epoch ends
                    story.append(clone_state(library, source))
            story += [next_numbers(library), clone_state(library, source)]
        told.append(story)
    assert told[0] == told[1]
    assert len(told[0]) > 9


def clone_state(library, generator):
    """What the generators would draw next, without drawing it."""
    states = [library.get_rng_state(), *([generator.get_state()] if generator is not None else [])]
    after = []
    for state in states:
        copy = library.Generator()
        copy.set_state(state)
        after += next_numbers(library, copy)
    return np.array(after).tobytes()


@pytest.mark.parametrize("batches", [0, 1, 3])
@pytest.mark.parametrize("options", ["shuffled", "batches", "shuffled, last dropped"])
def test_an_epoch_that_is_broken_off_draws_no_more(options, batches, implementation):
    left = []
    for library, utils in SIDES:
        library.manual_seed(3)
        source = own_generator(library)
        loader = (implementation("DataLoader") if library is minimal else utils.DataLoader)(
            utils.TensorDataset(*data(library)), generator=source, **LOADERS[options]
        )
        epoch = iter(loader)
        seen = [plain(next(epoch)) for _ in range(batches)]
        left.append((seen, clone_state(library, source), next_numbers(library)))
    assert left[0] == left[1]


@pytest.mark.parametrize("dtype", ["float64", "float16", "uint8", "int16", "bool"])
def test_batches_of_every_dtype(dtype, implementation):
    told = []
    for library, utils in SIDES:
        library.manual_seed(0)
        tensor = library.from_numpy(np.random.default_rng(1).integers(0, 2, (11, 3)).astype(dtype))
        loader = implementation("DataLoader") if library is minimal else utils.DataLoader
        told.append([plain(batch) for batch in loader(utils.TensorDataset(tensor), batch_size=4, shuffle=True)])
    assert told[0] == told[1]


def test_a_batch_is_a_copy(implementation):
    tensor = minimal.zeros(6, 2)
    for batch_size in (3, 6):
        for options in ({}, {"shuffle": True}):
            for (batch,) in implementation("DataLoader")(OURS.TensorDataset(tensor), batch_size, **options):
                batch.array[...] = 1
    assert not tensor.array.any()


def test_gradients_flow_through_a_batch(implementation):
    tensor = minimal.ones(6, 2).requires_grad_()
    for (batch,) in implementation("DataLoader")(OURS.TensorDataset(tensor), 4):
        (batch * 3).sum().backward()
    np.testing.assert_array_equal(tensor.grad.array, np.full((6, 2), 3.0))


def test_whole_batches_only_where_nobody_can_see_it(implementation):
    """A subclass that changes what a sample is, or a sampler or collate_fn of one's own, is asked."""

    class Doubled(OURS.TensorDataset):
        def __getitem__(self, i):
            return tuple(tensor * 2 for tensor in super().__getitem__(i))

    class Backwards(OURS.SequentialSampler):
        def __iter__(self):
            return iter(range(len(self.data_source))[::-1])

    loader = implementation("DataLoader")
    tensor = minimal.arange(4)
    assert [batch[0].tolist() for batch in loader(Doubled(tensor), 4)] == [[0, 2, 4, 6]]
    subset = OURS.Subset(Doubled(tensor), [3, 1])
    assert [batch[0].tolist() for batch in loader(subset, 4)] == [[6, 2]]
    plain_set = OURS.TensorDataset(tensor)
    assert [batch[0].tolist() for batch in loader(plain_set, 4, sampler=Backwards(tensor))] == [[3, 2, 1, 0]]
    assert list(loader(plain_set, 4, collate_fn=len)) == [4]


# ---------------------------------------------------------------- samplers


def samplers(utils, library):
    source = range(13)
    own = own_generator(library)
    return {
        "sequential": utils.SequentialSampler(source),
        "random": utils.RandomSampler(source),
        "random, own generator": utils.RandomSampler(source, generator=own),
        "random, fewer": utils.RandomSampler(source, num_samples=5),
        "random, more": utils.RandomSampler(source, num_samples=30, generator=own),
        "replaced": utils.RandomSampler(source, replacement=True),
        "replaced, more": utils.RandomSampler(source, replacement=True, num_samples=75, generator=own),
        "replaced, 64": utils.RandomSampler(source, replacement=True, num_samples=64),
        "subset": utils.SubsetRandomSampler([5, 3, 8, 8, 1]),
        "weighted": utils.WeightedRandomSampler([0.1, 5, 0, 2, 0.7], 40),
        "weighted, once": utils.WeightedRandomSampler([0.1, 5, 0, 2, 0.7], 1, generator=own),
        "weighted, not replaced": utils.WeightedRandomSampler([0.1, 5, 1, 2, 0.7], 4, replacement=False),
        "own": [4, 4, 2],
    }


@pytest.mark.parametrize("name", samplers(OURS, minimal))
def test_samplers_are_the_references(name, engine):
    told = []
    for library, utils in SIDES:
        library.manual_seed(8)
        sampler = samplers(utils, library)[name]
        story = [len(sampler)]
        for _ in range(2):
            story += [list(sampler), next_numbers(library)]
        for drop_last in (False, True):
            batches = utils.BatchSampler(sampler, 4, drop_last)
            story += [len(batches), list(batches), next_numbers(library)]
        told.append(story)
    assert told[0] == told[1]


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 40),
    batch_size=st.integers(1, 45),
    drop_last=st.booleans(),
    replacement=st.booleans(),
    num_samples=st.none() | st.integers(1, 90),
    stop=st.integers(0, 50),
)
def test_arrays_of_numbers_are_lists_of_numbers(n, batch_size, drop_last, replacement, num_samples, stop):
    """The quick way of a loader through the samplers: the same numbers, drawn at the same moments."""
    told = []
    for quick in (False, True):
        generator = own_generator(minimal)
        sampler = OURS.RandomSampler(range(n), replacement, num_samples, generator)
        batches = OURS.BatchSampler(sampler, batch_size, drop_last)
        walk = batches._arrays(sampler) if quick else iter(batches)
        story = []
        for _, batch in zip(range(stop), walk):
            story.append((list(batch), clone_state(minimal, generator)))
        told.append((story, clone_state(minimal, generator)))
    assert told[0] == told[1]


@pytest.mark.parametrize("lengths", [[3, 20], [23], [0, 11, 12], [0.5, 0.5], [0.3, 0.3, 0.4], [1.0], [0.7, 0.2, 0.1]])
@pytest.mark.parametrize("generator", [global_generator, own_generator])
@pytest.mark.component("random_split")
def test_splits_are_the_references(lengths, generator, engine, implementation):
    told = []
    for library, utils in SIDES:
        library.manual_seed(4)
        split = implementation("random_split") if library is minimal else utils.random_split
        options = {} if generator is global_generator else {"generator": generator(library)}
        parts = split(range(23), lengths, **options)
        told.append([[list(part.indices) for part in parts], [list(part) for part in parts], next_numbers(library)])
    assert told[0] == told[1]


@pytest.mark.component("random_split")
def test_an_empty_part_is_told(implementation):
    for library, utils in SIDES:
        split = implementation("random_split") if library is minimal else utils.random_split
        with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
            parts = split(range(3), [0.9, 0.1])
        assert [len(part) for part in parts] == [3, 0]


# ---------------------------------------------------------------- collate

Point = namedtuple("Point", "x y")


def batches(library):
    tensor, array = library.tensor, np.array
    return {
        "floats": [1.0, 2.5],
        "integers": [1, 2**40],
        "booleans": [True, False],
        "float scalars": [np.float32(1), np.float32(2)],
        "double scalars": [np.float64(1), np.float64(2)],
        "integer scalars": [np.int16(1), np.int16(2)],
        "boolean scalars": [np.True_, np.False_],
        "text": ["a", "b"],
        "bytes": [b"a", b"b"],
        "tensors": [tensor([1.0, 2]), tensor([3.0, 4])],
        "tensors without dimensions": [tensor(1), tensor(2)],
        "tensors of two dtypes": [tensor([1, 2]), tensor([3.0, 4])],
        "arrays": [array([1.0, 2]), array([3.0, 4])],
        "arrays of two dtypes": [array([1, 2]), array([3, 4], np.float32)],
        "transposed arrays": [np.arange(6).reshape(2, 3).T, np.ones((3, 2), int)],
        "tuples": [(1, tensor(2.0), "a"), (3, tensor(4.0), "b")],
        "lists": [[1, 2.0], [3, 4.0]],
        "dicts": [{"a": 1, "b": [1.0, 2.0]}, {"a": 2, "b": [3.0, 4.0]}],
        "ordered": [OrderedDict(b=1, a=2), OrderedDict(b=3, a=4)],
        "read only dicts": [MappingProxyType({"a": 1}), MappingProxyType({"a": 2})],
        "namedtuples": [Point(1, (2.0, "x")), Point(3, (4.0, "y"))],
        "ranges": [range(3), range(4, 7)],
        "a single one": [array(3)],
    }


@pytest.mark.parametrize("name", batches(minimal))
def test_collating_is_the_references(name):
    ours, theirs = (plain(utils.default_collate(batches(library)[name])) for library, utils in SIDES)
    assert ours == theirs
    ours, theirs = (plain(utils.default_convert(batches(library)[name])) for library, utils in SIDES)
    assert ours == theirs


WRONG_BATCHES = {
    "sets": lambda library: [{1}, {2}],
    "None": lambda library: [None, None],
    "lists of two lengths": lambda library: [[1, 2], [1]],
    "tensors of two shapes": lambda library: [library.zeros(2), library.zeros(3)],
    "arrays of objects": lambda library: [np.array([None])],
    "arrays of text": lambda library: [np.array(["a"])],
}


@pytest.mark.parametrize("name", WRONG_BATCHES)
def test_what_cannot_be_collated(name):
    with pytest.raises((TypeError, RuntimeError)) as theirs:
        THEIRS.default_collate(WRONG_BATCHES[name](torch))
    with pytest.raises(type(theirs.value)) as ours:
        OURS.default_collate(WRONG_BATCHES[name](minimal))
    assert str(ours.value)[:15] == str(theirs.value)[:15]


# ---------------------------------------------------------------- streams, own datasets, threads


def stream(utils, n, says=None):
    class Stream(utils.IterableDataset):
        def __iter__(self):
            return iter(range(n))

    if says is not None:
        Stream.__len__ = lambda self: says
    return Stream()


@pytest.mark.parametrize("n", [0, 7, 8])
@pytest.mark.parametrize("options", [{}, {"batch_size": 4}, {"batch_size": 4, "drop_last": True}, {"batch_size": None}])
def test_streams_are_the_references(options, n, implementation):
    told = []
    for library, utils in SIDES:
        library.manual_seed(1)
        loader = (implementation("DataLoader") if library is minimal else utils.DataLoader)(
            stream(utils, n, n), **options
        )
        told.append([len(loader), [[plain(batch) for batch in loader] for _ in range(2)], next_numbers(library)])
    assert told[0] == told[1]


def test_a_stream_that_is_longer_than_it_said(implementation):
    for library, utils in SIDES:
        loader = (implementation("DataLoader") if library is minimal else utils.DataLoader)(
            stream(utils, 5, 3), batch_size=None
        )
        assert len([batch for batch in loader]) == 5  # noqa: C416 (list() would ask for the length)
        len(loader)
        with pytest.warns(UserWarning, match="was reported to be 3"):
            list(loader)


def test_many_samples_at_once_are_asked_for(implementation):
    class Many(Samples):
        def __getitems__(self, indices):
            asked.append(indices)
            return [self[i] for i in indices]

    asked = []
    dataset = Many(minimal.arange(5))
    for wrapped in (dataset, OURS.Subset(dataset, [4, 3, 2])):
        list(implementation("DataLoader")(wrapped, 2))
    assert asked == [[0, 1], [2, 3], [4], [4, 3], [2]]


def test_threads_keep_the_order_and_pass_on_errors(implementation):
    import threading
    import time

    class Slow:
        def __getitem__(self, i):
            time.sleep(0.002 * (3 - i % 4))
            names.add(threading.current_thread().name)
            if i == 30:
                raise KeyError("sample 30")
            return i

        def __len__(self):
            return 40

    names = set()
    seen = []
    with pytest.raises(KeyError, match="sample 30"):
        seen.extend(batch.tolist() for batch in implementation("DataLoader")(Slow(), 4, num_workers=3))
    assert seen == np.arange(28).reshape(-1, 4).tolist()
    assert len(names) > 1
    assert threading.current_thread().name not in names
    for _ in implementation("DataLoader")(Slow(), 4, num_workers=3):
        break  # the threads of an epoch that is broken off end
    time.sleep(0.2)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("minimal-data")]


# ---------------------------------------------------------------- what is refused

TEN = range(10)
WRONG = {
    "workers below zero": lambda u: u.DataLoader(TEN, num_workers=-1),
    "fetching ahead without workers": lambda u: u.DataLoader(TEN, prefetch_factor=2),
    "fetching behind": lambda u: u.DataLoader(TEN, num_workers=1, prefetch_factor=-2),
    "persistent without workers": lambda u: u.DataLoader(TEN, persistent_workers=True),
    "shuffle and sampler": lambda u: u.DataLoader(TEN, shuffle=True, sampler=[1]),
    "batches twice": lambda u: u.DataLoader(TEN, batch_size=2, batch_sampler=[[1]]),
    "batches and drop_last": lambda u: u.DataLoader(TEN, batch_sampler=[[1]], drop_last=True),
    "no batches and drop_last": lambda u: u.DataLoader(TEN, batch_size=None, drop_last=True),
    "batch size zero": lambda u: u.DataLoader(TEN, batch_size=0),
    "batch size half": lambda u: u.DataLoader(TEN, batch_size=0.5),
    "batch size True": lambda u: u.DataLoader(TEN, batch_size=True),
    "drop_last 1": lambda u: u.BatchSampler(TEN, 2, 1),
    "shuffled stream": lambda u: u.DataLoader(stream(u, 3), shuffle=True),
    "sampled stream": lambda u: u.DataLoader(stream(u, 3), sampler=[1]),
    "batched stream": lambda u: u.DataLoader(stream(u, 3), batch_sampler=[[1]]),
    "nothing to shuffle": lambda u: u.DataLoader([], shuffle=True),
    "set afterwards": lambda u: setattr(u.DataLoader(TEN), "batch_size", 3),
    "length of a stream": lambda u: len(u.DataLoader(stream(u, 3))),
    "replacement 1": lambda u: u.RandomSampler(TEN, replacement=1),
    "no samples": lambda u: u.RandomSampler(TEN, num_samples=0),
    "half a sample": lambda u: u.RandomSampler(TEN, num_samples=1.5),
    "weights of two dimensions": lambda u: u.WeightedRandomSampler([[1.0]], 1),
    "weighted, no samples": lambda u: u.WeightedRandomSampler([1.0], 0),
    "weighted, replacement 1": lambda u: u.WeightedRandomSampler([1.0], 1, 1),
    "a negative weight": lambda u: list(u.WeightedRandomSampler([1.0, -1.0], 1)),
    "weights of zero": lambda u: list(u.WeightedRandomSampler([0.0, 0.0], 2)),
    "too few to draw": lambda u: list(u.WeightedRandomSampler([1.0, 1.0], 3, replacement=False)),
    "nothing to join": lambda u: u.ConcatDataset([]),
    "a stream to join": lambda u: u.ConcatDataset([stream(u, 3)]),
    "joined, out of range": lambda u: u.ConcatDataset([TEN])[-11],
    "lengths that do not add up": lambda u: u.random_split(TEN, [3, 8]),
    "a negative part": lambda u: u.random_split(TEN, [1.5, -0.5]),
    "fractions above one": lambda u: u.random_split(TEN, [0.6, 0.6]),
    "a dataset without samples": lambda u: u.Dataset()[0],
    "subset half overridden": lambda u: type("Half", (u.Subset,), {"__getitem__": lambda self, i: 1})(TEN, [1]),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_are_the_references(case):
    with pytest.raises(Exception) as theirs:  # noqa: PT011 (whatever PyTorch raises)
        WRONG[case](THEIRS)
    with pytest.raises(type(theirs.value)) as ours:
        WRONG[case](OURS)
    assert str(ours.value)[:25] == str(theirs.value)[:25]


def test_tensors_of_two_lengths():
    for library, utils in SIDES:
        with pytest.raises(AssertionError, match="Size mismatch between tensors"):
            utils.TensorDataset(library.zeros(3), library.zeros(4))


def test_a_stream_has_one_reader(implementation):
    with pytest.raises(NotImplementedError, match="one reader"):
        implementation("DataLoader")(stream(OURS, 3), num_workers=2)
