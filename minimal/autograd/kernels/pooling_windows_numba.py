"""Pooling over any windows: one pixel of a window after another, and for each pixel all windows of a row at once.

So the inner loops run over numbers that lie side by side, and the image needs no padding: the windows whose pixel would be
outside are left out of the range.  (What ``large``, ``small`` and lines are: ``pooling_rows_numba``.)
"""

from __future__ import annotations

import numpy as np

from minimal.autograd.kernels.pooling_rows_numba import door, inlined, larger, pixel_of, row_of


@inlined
def _inside(pixel, size, stride, padding, dilation, count):
    """Where a pixel of the first window is, and the range of windows whose pixel of that number is inside the image."""
    start = pixel * dilation - padding
    first = max(0, -(start // stride)) if start < 0 else 0
    stop = min(count, (size - 1 - start) // stride + 1) if start < size else 0
    return start + first * stride, first, max(first, stop)


@inlined
def _keep_larger(seen, best, place, number):
    for k in range(np.uintp(len(best))):
        best[k], place[k] = larger(seen[k], number, best[k], place[k])


@inlined
def _keep_larger_in_row(row, start, best, place, number, stride, inner):
    """For windows side by side: pixels start, start + stride, ... of a row against the largest so far."""
    if stride == 1:
        _keep_larger(row[start * inner : start * inner + len(best)], best, place, number)
    elif inner == 1:
        for j in range(np.uintp(len(best))):
            best[j], place[j] = larger(row[start + j * stride], number, best[j], place[j])
    else:
        for j in range(len(best) // inner):
            _keep_larger(
                row[pixel_of(start + j * stride, inner)], best[pixel_of(j, inner)], place[pixel_of(j, inner)], number
            )


@inlined
def _add(seen, total):
    for k in range(np.uintp(len(total))):
        total[k] += seen[k]


@door
def largest(x, out, place, large, small, low, kernel, stride, padding, dilation):
    inner, byte = small[2], place.dtype.type
    out[:] = low
    for n in range(len(out) // (small[0] * small[1] * small[2])):
        for i in range(small[0]):
            best, numbers = out[row_of(small, n * small[0] + i)], place[row_of(small, n * small[0] + i)]
            _first_places(numbers, i, inner, kernel, stride, padding, dilation)
            for number in range(kernel[0] * kernel[1]):
                h = i * stride[0] - padding[0] + number // kernel[1] * dilation[0]
                if 0 <= h < large[0]:
                    row, column = x[row_of(large, n * large[0] + h)], number % kernel[1]
                    start, first, stop = _inside(column, large[1], stride[1], padding[1], dilation[1], small[1])
                    seen_by = best[first * inner : stop * inner], numbers[first * inner : stop * inner]
                    _keep_larger_in_row(row, start, *seen_by, byte(number), stride[1], inner)


@inlined
def _first_places(place, i, inner, kernel, stride, padding, dilation):
    """For a row of windows the numbers of their first pixels inside the image: the places where nothing is larger."""
    row = max(0, padding[0] - i * stride[0] + dilation[0] - 1) // dilation[0]
    for j in range(len(place) // inner):
        column = max(0, padding[1] - j * stride[1] + dilation[1] - 1) // dilation[1]
        place[j * inner : (j + 1) * inner] = row * kernel[1] + column


@inlined
def _add_from_row(row, start, total, stride, inner):
    """For windows side by side: add pixels start, start + stride, ... of a row to the totals."""
    if stride == 1:
        _add(row[start * inner : start * inner + len(total)], total)
    elif inner == 1:
        for j in range(np.uintp(len(total))):
            total[j] += row[start + j * stride]
    else:
        for j in range(len(total) // inner):
            _add(row[pixel_of(start + j * stride, inner)], total[pixel_of(j, inner)])


@door
def sums(x, out, large, small, kernel, stride, padding):
    inner = small[2]
    out[:] = 0
    for n in range(len(out) // (small[0] * small[1] * small[2])):
        for i in range(small[0]):
            total = out[row_of(small, n * small[0] + i)]
            for number in range(kernel[0] * kernel[1]):
                h = i * stride[0] - padding[0] + number // kernel[1]
                if 0 <= h < large[0]:
                    row, column = x[row_of(large, n * large[0] + h)], number % kernel[1]
                    start, first, stop = _inside(column, large[1], stride[1], padding[1], 1, small[1])
                    _add_from_row(row, start, total[first * inner : stop * inner], stride[1], inner)


@door
def give_to_all(dx, share, large, small, kernel, stride, padding):
    inner = small[2]
    dx[:] = 0
    for n in range(len(share) // (small[0] * small[1] * small[2])):
        for i in range(small[0]):
            given = share[row_of(small, n * small[0] + i)]
            for number in range(kernel[0] * kernel[1] - 1, -1, -1):
                h = i * stride[0] - padding[0] + number // kernel[1]
                if 0 <= h < large[0]:
                    row, column = dx[row_of(large, n * large[0] + h)], number % kernel[1]
                    start, first, stop = _inside(column, large[1], stride[1], padding[1], 1, small[1])
                    _give_row(row, start, given[first * inner : stop * inner], stride[1], inner)


@inlined
def _give_row(row, start, given, stride, inner):
    """Add pixels to the pixels start, start + stride, ... of a row."""
    if stride == 1:
        _add(given, row[start * inner : start * inner + len(given)])
    elif inner == 1:
        for j in range(len(given)):
            row[start + j * stride] += given[j]
    else:
        for j in range(len(given) // inner):
            _add(given[pixel_of(j, inner)], row[pixel_of(start + j * stride, inner)])


# ---------------------------------------------------------------- gradients that know their pixel


@door
def count_in_image(place, indices, large, small, corner, within):
    inner = small[2]
    for window in range(len(place) // inner):
        from_corner = corner[window % len(corner)]
        for k in range(window * inner, (window + 1) * inner):
            indices[k] = from_corner + within[place[k]]


@door
def give_to_the_largest(dx, g, place, large, small, corner, within):
    inner, image = small[2], large[0] * large[1] * large[2]
    dx[:] = 0
    for n in range(len(dx) // image):
        pixels = dx[n * image : (n + 1) * image]
        for window in range(len(corner)):
            at = (n * len(corner) + window) * inner
            for k in range(inner):
                pixels[(corner[window] + within[place[at + k]]) * inner + k] += g[at + k]


@door
def give_to_pixels(dx, g, indices, large, small):
    inner, image, windows = small[2], large[0] * large[1] * large[2], small[0] * small[1]
    dx[:] = 0
    for n in range(len(dx) // image):
        pixels = dx[n * image : (n + 1) * image]
        for at in range(n * windows * inner, (n + 1) * windows * inner, inner):
            for k in range(inner):
                pixels[indices[at + k] * inner + k] += g[at + k]


# ---------------------------------------------------------------- windows of adaptive pooling


@inlined
def _total(row):
    total = row.dtype.type(0)
    for k in range(np.uintp(len(row))):
        total += row[k]
    return total


@door
def mean_of_cells(x, out, large, small, rows, columns):
    inner, T = small[2], out.dtype.type
    out[:] = 0
    for n in range(len(out) // (small[0] * small[1] * small[2])):
        for i in range(small[0]):
            for j in range(small[1]):
                at = ((n * small[0] + i) * small[1] + j) * inner
                total = out[at : at + inner]
                for h in range(rows[i, 0], rows[i, 1]):
                    row = x[row_of(large, n * large[0] + h)][columns[j, 0] * inner : columns[j, 1] * inner]
                    if inner == 1:
                        total[0] += _total(row)
                    else:
                        for w in range(0, len(row), inner):
                            _add(row[w : w + inner], total)
                height, width = T(rows[i, 1] - rows[i, 0]), T(columns[j, 1] - columns[j, 0])
                for k in range(np.uintp(inner)):
                    total[k] = total[k] / height / width


@door
def give_to_cells(dx, share, large, small, rows, columns):
    inner = small[2]
    dx[:] = 0
    for n in range(len(share) // (small[0] * small[1] * small[2])):
        for i in range(small[0]):
            given = share[row_of(small, n * small[0] + i)]
            for h in range(rows[i, 0], rows[i, 1]):
                row = dx[row_of(large, n * large[0] + h)]
                for j in range(small[1]):
                    for w in range(columns[j, 0], columns[j, 1]):
                        _add(given[pixel_of(j, inner)], row[pixel_of(w, inner)])
