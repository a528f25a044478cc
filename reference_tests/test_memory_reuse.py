"""Large arrays lie in memory that is used again: never while somebody looks at it, and at once when nobody does."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

from minimal.autograd.kernels import memory
from minimal.autograd.kernels.memory import LARGE, LINE, PAGE, Shelves, aligned_empty, empty_like

COUNT = LARGE  # bytes of a large array


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def take(shelves: Shelves, size: int) -> np.ndarray:
    """A block of as many bytes, if they are whole pages."""
    return shelves.take(size - LINE)[0]


def test_arrays_that_live_never_share_memory() -> None:
    arrays = [aligned_empty(COUNT, np.uint8) for _ in range(8)]
    for number, array in enumerate(arrays):
        array[:] = number
    assert [set(array.tolist()) for array in arrays] == [{number} for number in range(8)]


def test_memory_that_nobody_looks_at_serves_the_next_array() -> None:
    shelves = Shelves()
    first = take(shelves, COUNT)
    where = address(first)
    del first
    assert address(take(shelves, COUNT)) == where


@pytest.mark.parametrize(
    "look",
    [
        lambda a: a[10:20],
        lambda a: a.reshape(2, -1).T[3:],
        lambda a: a.view(np.float64)[1:],
        memoryview,
        lambda a: np.lib.stride_tricks.sliding_window_view(a, 3),
        lambda a: [a],
    ],
)
def test_a_view_keeps_its_memory(look) -> None:
    shelves = Shelves()
    array = take(shelves, COUNT)
    where, view = address(array), look(array)
    del array
    assert address(take(shelves, COUNT)) != where
    del view
    gc.collect()
    assert where in {address(a) for a in [take(shelves, COUNT), take(shelves, COUNT)]}


def test_beyond_the_limit_memory_is_given_back() -> None:
    shelves = Shelves(limit=4 * PAGE)
    kept = [take(shelves, 2 * PAGE), take(shelves, 2 * PAGE)]
    stranger = take(shelves, PAGE)
    fate = weakref.ref(stranger)
    del stranger
    assert fate() is None  # there was no room for it
    fate = weakref.ref(kept[0])
    kept.clear()
    larger = take(shelves, 3 * PAGE)  # makes room: what nobody uses goes
    assert fate() is None
    fate = weakref.ref(larger)
    del larger
    assert fate() is not None  # there is room for it


def test_threads_never_get_the_same_memory() -> None:
    wrong = []

    def work(number: int) -> None:
        for _ in range(300):
            array = aligned_empty(COUNT, np.uint8)
            array[:] = number
            if not (array == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("count", [1, 3, COUNT, COUNT + 1])
@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float64])
def test_arrays_begin_at_a_cache_line(count: int, dtype: type) -> None:
    array = aligned_empty(count, dtype)
    assert (array.shape, array.dtype) == ((count,), np.dtype(dtype))
    assert address(array) % LINE == 0


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 1, 0, 2)])
@pytest.mark.parametrize("size", [3, 17])
def test_the_order_of_memory_is_kept(axes: tuple[int, ...], size: int) -> None:
    x = np.empty((size, size + 1, size + 2, size + 3)).transpose(axes)
    like = empty_like(x)
    assert (like.shape, like.strides, like.dtype) == (x.shape, x.strides, x.dtype)
    assert empty_like(x[:, ::2]).strides == np.empty_like(x[:, ::2]).strides


def test_a_training_step_uses_the_memory_of_the_step_before() -> None:
    import minimal
    from minimal import nn

    minimal.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 13 * 13, 10))
    x, y = minimal.rand(32, 1, 28, 28), minimal.zeros(32, dtype=minimal.int64)

    def step() -> None:
        with minimal.engine("numba"), nn.fusion(False):
            nn.functional.cross_entropy(model(x), y).backward()

    step()
    step()
    before = memory._shelves._pages
    for _ in range(3):
        step()
    assert memory._shelves._pages == before
    assert before > 0
