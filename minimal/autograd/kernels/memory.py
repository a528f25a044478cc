"""Memory for large arrays that is used again.

A training step makes the same large arrays as the step before, and lets go of them.  Given back to the operating system
each time, their memory comes back page by page, zeroed: that can take as long as the arithmetic.  So large blocks of memory
stay on a shelf, and one that nobody looks at any more serves the next array of its size.  Whether anybody looks, Python
knows: a NumPy array, and every view of it, refers to the block that it lies in, and the block counts its references.
"""

from __future__ import annotations

from collections import defaultdict
from sys import getrefcount
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Block = NDArray[np.uint8]

LARGE = 1 << 16  # bytes; the C library keeps smaller ones at hand itself
PAGE = 1 << 12
KEPT = 1 << 28  # bytes on the shelves, at most
LINE = 64  # bytes in a cache line


def new_block(size: int) -> tuple[Block, int]:
    """Memory from the operating system, and where the first cache line in it begins."""
    block = np.empty(size, np.uint8)
    return block, -block.ctypes.data % LINE


class Shelves:
    """Blocks of memory by their size in pages.  Threads may ask at the same time.

    Parameters
    ----------
    limit : int
        How many bytes may stand here; what is beyond is nobody's but the array's.
    """

    def __init__(self, limit: int = KEPT) -> None:
        self._limit = limit // PAGE
        self._pages = 0
        self._blocks: defaultdict[int, list[tuple[Block, int]]] = defaultdict(list)
        self._lock = Lock()
        shelf = [(np.empty(0, np.uint8), 0)]
        self._alone = getrefcount(shelf[0][0])  # as many references has a block that only a shelf knows

    def take(self, size: int) -> tuple[Block, int]:
        """A block that no other array lies in, and where in it a cache line begins that ``size`` bytes follow."""
        pages = -(-(size + LINE) // PAGE)
        with self._lock:
            shelf = self._blocks[pages]
            for place in range(len(shelf)):
                if getrefcount(shelf[place][0]) == self._alone:
                    return shelf[place]
            found = new_block(pages * PAGE)
            if self._has_room(pages):
                shelf.append(found)
                self._pages += pages
            return found

    def _has_room(self, pages: int) -> bool:
        """Whether so many pages fit, if need be after what nobody uses was thrown away."""
        if self._pages + pages > self._limit:
            for size, shelf in self._blocks.items():
                for place in reversed(range(len(shelf))):
                    if getrefcount(shelf[place][0]) == self._alone:
                        del shelf[place]
                        self._pages -= size
        return self._pages + pages <= self._limit


_shelves = Shelves()


def aligned_empty(count: int, dtype: DTypeLike) -> NDArray[Any]:
    """A new one-dimensional array that begins at a cache line, so that registers are filled from one line each."""
    size = count * np.dtype(dtype).itemsize
    block, begin = new_block(size + LINE) if size < LARGE else _shelves.take(size)
    return block[begin : begin + size].view(dtype)


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """A new array, row by row."""
    count = 1
    for n in shape:
        count *= n
    return aligned_empty(count, dtype).reshape(shape)


def empty_like(x: NDArray[Any]) -> NDArray[Any]:
    """A new array of the shape and dtype of x, without gaps, its axes in the order in which they lie in memory of x."""
    if x.nbytes < LARGE:
        return np.empty_like(x)
    order = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
    back = sorted(range(x.ndim), key=order.__getitem__)
    return empty(tuple([x.shape[axis] for axis in order]), x.dtype).transpose(back)
