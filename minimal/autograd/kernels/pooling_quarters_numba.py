"""Pooling over squares of four pixels that lie side by side, as most networks do it.

All four numbers of a window are at hand at once, and no pixel belongs to two windows: a gradient is written, never added.
(What ``large``, ``small`` and lines are: ``pooling_rows_numba``.)
"""

from __future__ import annotations

import numpy as np

from minimal.autograd.kernels.pooling_rows_numba import door, inlined, larger, pixel_of, row_of


@inlined
def _first_of_four(a, b, c, d):
    """The largest of four numbers and which one it is: the first of equals, or the last NaN."""
    best, number = larger(b, np.uint8(1), a, np.uint8(0))
    best, number = larger(c, np.uint8(2), best, number)
    return larger(d, np.uint8(3), best, number)


@door
def largest_of_four(x, out, place, large, small):
    inner = small[2]
    for n in range(len(out) // (small[0] * small[1] * small[2])):
        for i in range(small[0]):
            upper, lower = x[row_of(large, n * large[0] + 2 * i)], x[row_of(large, n * large[0] + 2 * i + 1)]
            best, number = out[row_of(small, n * small[0] + i)], place[row_of(small, n * small[0] + i)]
            if inner == 1:
                _largest_of_pairs(upper, lower, best, number)
                continue
            for j in range(small[1]):
                left, right = pixel_of(2 * j, inner), pixel_of(2 * j + 1, inner)
                a, b, c, d = upper[left], upper[right], lower[left], lower[right]
                out_pixel, place_pixel = best[pixel_of(j, inner)], number[pixel_of(j, inner)]
                for k in range(np.uintp(inner)):
                    out_pixel[k], place_pixel[k] = _first_of_four(a[k], b[k], c[k], d[k])


@inlined
def _largest_of_pairs(upper, lower, best, number):
    for j in range(np.uintp(len(best))):
        left, right = np.uintp(2) * j, np.uintp(2) * j + np.uintp(1)
        best[j], number[j] = _first_of_four(upper[left], upper[right], lower[left], lower[right])


@door
def give_to_one_of_four(dx, g, place, large, small):
    inner = small[2]
    for n in range(len(dx) // (large[0] * large[1] * large[2])):
        for h in range(large[0]):
            row = dx[row_of(large, n * large[0] + h)]
            if h >= 2 * small[0]:
                row[:] = 0
                continue
            given, numbers = g[row_of(small, n * small[0] + h // 2)], place[row_of(small, n * small[0] + h // 2)]
            for j in range(small[1]):
                from_above, number = given[pixel_of(j, inner)], numbers[pixel_of(j, inner)]
                _give_if(from_above, number, np.uint8(h % 2 * 2), row[pixel_of(2 * j, inner)])
                _give_if(from_above, number, np.uint8(h % 2 * 2 + 1), row[pixel_of(2 * j + 1, inner)])
            row[2 * small[1] * inner :] = 0


@inlined
def _give_if(g, place, number, dx):
    zero = g.dtype.type(0)
    for k in range(np.uintp(len(dx))):
        dx[k] = g[k] if place[k] == number else zero


@door
def mean_of_four(x, out, large, small, divisor):
    inner = small[2]
    for n in range(len(out) // (small[0] * small[1] * small[2])):
        for i in range(small[0]):
            upper, lower = x[row_of(large, n * large[0] + 2 * i)], x[row_of(large, n * large[0] + 2 * i + 1)]
            mean = out[row_of(small, n * small[0] + i)]
            if inner == 1:
                _mean_of_pairs(upper, lower, mean, divisor)
                continue
            for j in range(small[1]):
                left, right, pixel = pixel_of(2 * j, inner), pixel_of(2 * j + 1, inner), mean[pixel_of(j, inner)]
                a, b, c, d = upper[left], upper[right], lower[left], lower[right]
                for k in range(np.uintp(inner)):
                    pixel[k] = (a[k] + b[k] + c[k] + d[k]) / divisor


@inlined
def _mean_of_pairs(upper, lower, mean, divisor):
    for j in range(np.uintp(len(mean))):
        left, right = np.uintp(2) * j, np.uintp(2) * j + np.uintp(1)
        mean[j] = (upper[left] + upper[right] + lower[left] + lower[right]) / divisor


@door
def give_to_four(dx, g, large, small, divisor):
    inner = small[2]
    for n in range(len(dx) // (large[0] * large[1] * large[2])):
        for h in range(large[0]):
            row = dx[row_of(large, n * large[0] + h)]
            if h >= 2 * small[0]:
                row[:] = 0
                continue
            given = g[row_of(small, n * small[0] + h // 2)]
            if inner == 1:
                for j in range(np.uintp(len(given))):
                    row[np.uintp(2) * j] = row[np.uintp(2) * j + np.uintp(1)] = given[j] / divisor
            else:
                for j in range(small[1]):
                    _divide(given[pixel_of(j, inner)], divisor, row[pixel_of(2 * j, inner)])
                    _divide(given[pixel_of(j, inner)], divisor, row[pixel_of(2 * j + 1, inner)])
            row[2 * small[1] * inner :] = 0


@inlined
def _divide(g, divisor, share):
    for k in range(np.uintp(len(share))):
        share[k] = g[k] / divisor
