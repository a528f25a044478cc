"""Convolution on arrays, and relu and pooling fused behind it: both twins against PyTorch.

Small whole numbers add up without rounding in any order, so on them every result is held to PyTorch's to the last bit,
ties of pooling included.  On other numbers the error of a sum of n products is at most about n units in the last place of
the sum of their sizes, and that is the bound (Higham, 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1).
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minimal.autograd.kernels import convolution_layout_numba
from minimal.engine import twin
from minimal.threads import get_num_threads, set_num_threads

pytestmark = pytest.mark.usefixtures("engine")
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# images (N, C, H, W), filters, kernel, stride, padding, dilation, groups
CASES = [
    ((2, 1, 8, 8), 32, (3, 3), (1, 1), (0, 0), (1, 1), 1),  # the first layer: one channel
    ((3, 32, 7, 6), 64, (3, 3), (1, 1), (0, 0), (1, 1), 1),  # whole tiles, whole lines
    ((2, 16, 6, 9), 16, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((2, 3, 9, 8), 31, (3, 3), (1, 1), (1, 1), (1, 1), 1),  # no whole tile in sight
    ((2, 33, 5, 7), 33, (3, 3), (1, 1), (1, 0), (1, 1), 1),
    ((2, 32, 9, 8), 20, (5, 5), (1, 1), (2, 2), (1, 1), 1),
    ((17, 4, 3, 3), 5, (2, 2), (1, 1), (0, 0), (1, 1), 1),  # many small images in one table
    ((11, 5, 4, 4), 3, (1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 32, 9, 10), 16, (3, 3), (2, 2), (1, 1), (1, 1), 1),
    ((2, 3, 11, 12), 4, (3, 2), (2, 3), (1, 0), (1, 1), 1),  # the stride leaves out the last rows and columns
    ((2, 2, 9, 9), 3, (1, 1), (2, 2), (0, 0), (1, 1), 1),  # pixels that no patch holds
    ((2, 16, 9, 9), 8, (3, 3), (1, 1), (2, 2), (2, 2), 1),
    ((2, 16, 9, 9), 8, (3, 3), (2, 1), (2, 1), (2, 1), 1),
    ((2, 3, 12, 10), 4, (2, 3), (1, 2), (0, 2), (3, 2), 1),
    ((2, 4, 6, 7), 6, (3, 3), (1, 1), (1, 1), (1, 1), 2),
    ((2, 48, 6, 5), 96, (3, 3), (1, 1), (1, 1), (1, 1), 3),
    ((2, 5, 7, 7), 10, (3, 3), (2, 2), (1, 1), (1, 1), 5),  # every channel for itself
    ((1, 2, 3, 4), 2, (3, 4), (1, 1), (0, 0), (1, 1), 1),  # one patch
]
CASE = pytest.mark.parametrize("case", CASES, ids=str)
POOLED = pytest.mark.parametrize("case", CASES[:-1], ids=str)
WIDE = [
    ((n, c, h, w), o, kernel, stride, padding, dilation, groups)
    for (n, c, h, w), o, kernel, stride, padding, dilation, groups in itertools.product(
        [(1, 1, 9, 9), (2, 6, 8, 11), (3, 32, 10, 9), (20, 12, 7, 7)],
        [6, 18, 48],
        [(1, 1), (3, 3), (2, 3), (5, 4)],
        [(1, 1), (2, 2), (1, 3)],
        [(0, 0), (1, 2)],
        [(1, 1), (2, 1), (1, 2)],
        [1, 2, 6],
    )
    if c % groups == 0 and h + 2 * padding[0] > dilation[0] * kernel[0] and w + 2 * padding[1] > dilation[1] * kernel[1]
][::5]


def convolution():
    return twin("minimal.autograd.kernels.convolution")


def whole_numbers(rng, shape):
    return rng.integers(-3, 4, shape).astype(np.float64)


def real_numbers(rng, shape):
    return rng.standard_normal(shape)


def problem(case, dtype, draw=whole_numbers):
    """x, w and bias, and the rest of a convolution's arguments."""
    size, o, kernel, *rest = case
    rng = np.random.default_rng(sum(size) + o)
    arrays = draw(rng, size), draw(rng, (o, size[1] // rest[-1], *kernel)), draw(rng, (o,))
    return [a.astype(dtype) for a in arrays], rest


def gradient_like(out, draw=whole_numbers):
    return draw(np.random.default_rng(out.size), out.shape).astype(out.dtype)


def tensors(arrays):
    """For PyTorch, in double precision."""
    return [torch.tensor(a.astype(np.float64), requires_grad=True) for a in arrays]


def numbers(tensor):
    return tensor.detach().numpy()


def same(ours, theirs, dtype):
    assert ours.shape == theirs.shape
    assert ours.dtype == dtype
    np.testing.assert_array_equal(ours, numbers(theirs))


def gradients(out, g, wanted):
    return torch.autograd.grad(out, wanted, torch.tensor(g.astype(np.float64)))


# ---------------------------------------------------------------- the plain convolution


def check_on_whole_numbers(case, dtype):
    (x, w, bias), rest = problem(case, dtype)
    kernels, (tx, tw, tb) = convolution(), tensors((x, w, bias))
    theirs = F.conv2d(tx, tw, tb, *rest)
    ours = kernels.conv2d(x, w, bias, *rest)
    same(ours, theirs, dtype)
    same(kernels.conv2d(x, w, None, *rest), theirs - tb[:, None, None], dtype)
    g = gradient_like(ours)
    dx, dw, db = gradients(theirs, g, (tx, tw, tb))
    same(kernels.conv2d_input_grad(g, w, x.shape, *rest), dx, dtype)
    same(kernels.conv2d_weight_grad(g, x, w.shape, *rest), dw, dtype)
    same(kernels.conv2d_bias_grad(g), db, dtype)
    assert ours.transpose(0, 2, 3, 1).flags.c_contiguous


@CASE
@DTYPES
def test_convolution_is_exact_on_whole_numbers(case, dtype):
    check_on_whole_numbers(case, dtype)


@pytest.mark.wide
@pytest.mark.parametrize("case", WIDE, ids=str)
def test_convolution_is_exact_over_many_shapes(case):
    check_on_whole_numbers(case, np.float32)


@CASE
@DTYPES
def test_convolution_rounds_as_a_sum_may(case, dtype):
    (x, w, bias), rest = problem(case, dtype, real_numbers)
    kernels = convolution()
    ours = kernels.conv2d(x, w, bias, *rest)
    g = gradient_like(ours, real_numbers)
    results = (
        ours,
        kernels.conv2d_input_grad(g, w, x.shape, *rest),
        kernels.conv2d_weight_grad(g, x, w.shape, *rest),
        kernels.conv2d_bias_grad(g),
    )
    terms = w[0].size + 1, g.shape[1] * w[0, 0].size, g[:, 0].size, g[:, 0].size
    exact, sizes = (
        [out, *gradients(out, h, parts)]
        for parts, h in ((tensors((x, w, bias)), g), (tensors(map(np.abs, (x, w, bias))), np.abs(g)))
        for out in [F.conv2d(*parts, *rest)]
    )
    for result, theirs, size, n in zip(results, exact, sizes, terms):
        assert np.all(np.abs(result - numbers(theirs)) <= n * np.finfo(dtype).eps * numbers(size))


@CASE
def test_the_gradient_in_the_input_is_the_transposed_convolution(case):
    (_, w, _), (stride, padding, dilation, groups) = problem(case, np.float64)
    rng = np.random.default_rng(0)
    g = whole_numbers(rng, (2, w.shape[0], 4, 5))
    theirs = F.conv_transpose2d(torch.tensor(g), torch.tensor(w), None, stride, padding, 0, groups, dilation)
    ours = convolution().conv2d_input_grad(g, w, tuple(theirs.shape), stride, padding, dilation, groups)
    same(ours, theirs, np.float64)


# ---------------------------------------------------------------- with relu and pooling


def pooled(x, w, bias, rest):
    return F.max_pool2d(F.relu(F.conv2d(x, w, bias, *rest)), 2, return_indices=True)


def where_from(indices, values, width):
    """PyTorch's positions in the whole image as positions in the window, 4 where relu lets nothing through."""
    row, column = np.divmod(numbers(indices), width)
    return np.where(numbers(values) > 0, row % 2 * 2 + column % 2, 4)


def check_pooled_on_whole_numbers(case, dtype):
    (x, w, bias), rest = problem(case, dtype)
    kernels, parts = convolution(), tensors((x, w, bias))
    out, argmax = kernels.conv_relu_pool(x, w, bias, *rest)
    theirs, indices = pooled(*parts, rest)
    same(out, theirs, dtype)
    assert argmax.dtype == np.int8
    np.testing.assert_array_equal(argmax, where_from(indices, theirs, F.conv2d(*parts, *rest).shape[3]))
    g = gradient_like(out)
    wanted = gradients(theirs, g, parts)
    for ours, gradient in zip(kernels.conv_relu_pool_backward(g, argmax, x, w, *rest, True), wanted):
        same(ours, gradient, dtype)
    dx, dw, db = kernels.conv_relu_pool_backward(g, argmax, x, w, *rest, False)
    assert dx is None
    same(dw, wanted[1], dtype)
    same(db, wanted[2], dtype)
    assert out.transpose(0, 2, 3, 1).flags.c_contiguous


@POOLED
@DTYPES
def test_fused_pooling_is_exact_on_whole_numbers(case, dtype):
    check_pooled_on_whole_numbers(case, dtype)


@pytest.mark.wide
@pytest.mark.parametrize("case", WIDE, ids=str)
def test_fused_pooling_is_exact_over_many_shapes(case):
    (x, w, _), rest = problem(case, np.float32)
    if min(F.conv2d(torch.tensor(x), torch.tensor(w), None, *rest).shape[2:]) > 1:
        check_pooled_on_whole_numbers(case, np.float32)


@pytest.mark.parametrize("channels", [1, 32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fused_layers_agree_with_separate_ones_to_the_bit(channels, dtype):
    case = (4, channels, 13, 12), 64, (3, 3), (1, 1), (0, 0), (1, 1), 1
    (x, w, bias), rest = problem(case, dtype, real_numbers)
    kernels = convolution()
    theirs = F.max_pool2d(F.relu(torch.tensor(kernels.conv2d(x, w, bias, *rest))), 2)
    np.testing.assert_array_equal(kernels.conv_relu_pool(x, w, bias, *rest)[0], theirs.numpy())


@pytest.mark.parametrize("channels", [1, 32])
def test_nan_and_infinity_take_pytorchs_way_forward(channels):
    case = (2, channels, 10, 10), 24, (3, 3), (1, 1), (0, 0), (1, 1), 1
    (x, w, bias), rest = problem(case, np.float32, real_numbers)
    x[0, 0, 2, 3], x[1, 0, 5, 5], x[1, 0, 8, 1] = np.nan, np.inf, -np.inf
    parts = tensors((x, w, bias))
    theirs, indices = pooled(*parts, rest)
    out, argmax = convolution().conv_relu_pool(x, w, bias, *rest)
    np.testing.assert_allclose(out, numbers(theirs), rtol=1e-4, atol=1e-4)  # to see which are NaN, infinite and zero
    row, column = np.divmod(numbers(indices), 8)
    assert np.isnan(out).sum() > 0
    np.testing.assert_array_equal(argmax[np.isnan(out)], (row % 2 * 2 + column % 2)[np.isnan(out)])
    ours = convolution().conv2d(x, w, bias, *rest)
    np.testing.assert_allclose(ours, numbers(F.conv2d(*parts, *rest)), rtol=1e-4, atol=1e-4)


# ---------------------------------------------------------------- memory, threads, processors


def everything(case, dtype, draw, change=lambda a: a):
    """All results of the module, from arrays as ``change`` lays them out."""
    arrays, rest = problem(case, dtype, draw)
    (x, w, bias), kernels = map(change, arrays), convolution()
    out = kernels.conv2d(x, w, bias, *rest)
    g = change(gradient_like(out, draw))
    values, argmax = kernels.conv_relu_pool(x, w, bias, *rest)
    h = change(gradient_like(values, draw))
    return [
        out,
        kernels.conv2d_input_grad(g, w, x.shape, *rest),
        kernels.conv2d_weight_grad(g, x, w.shape, *rest),
        kernels.conv2d_bias_grad(g),
        values,
        argmax,
        *kernels.conv_relu_pool_backward(h, change(argmax), x, w, *rest, True),
    ]


def all_equal(ours, theirs):
    for a, b in zip(ours, theirs):
        np.testing.assert_array_equal(a, b)


def channels_last(a):
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if a.ndim == 4 else a


def scattered(a):
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def read_only(a):
    b = channels_last(a).copy()
    b.flags.writeable = False
    return b


@pytest.mark.parametrize("change", [channels_last, scattered, read_only])
@pytest.mark.parametrize("case", [CASES[0], CASES[1], CASES[4], CASES[15]], ids=str)
def test_the_order_of_memory_does_not_matter(case, change):
    all_equal(everything(case, np.float32, whole_numbers, change), everything(case, np.float32, whole_numbers, np.copy))


@pytest.mark.parametrize("channels", [1, 32])
def test_any_number_of_threads_gives_the_same_bits(channels):
    case = (37, channels, 13, 12), 64, (3, 3), (1, 1), (0, 0), (1, 1), 1
    before, results = get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            set_num_threads(threads)
            results.append(everything(case, np.float32, real_numbers))
    finally:
        set_num_threads(before)
    all_equal(results[0], results[1])
    all_equal(results[0], results[2])


def test_a_processor_without_wide_vectors_multiplies_matrices(monkeypatch):
    case = CASES[1]
    expected = everything(case, np.float32, whole_numbers)
    monkeypatch.setattr(convolution_layout_numba, "HAS_VECTORS", False)
    all_equal(everything(case, np.float32, whole_numbers), expected)


def test_no_samples_give_no_pixels():
    kernels, rest = convolution(), ((1, 1), (0, 0), (1, 1), 1)
    x, w = np.zeros((0, 3, 5, 5), np.float32), np.ones((4, 3, 3, 3), np.float32)
    out = kernels.conv2d(x, w, None, *rest)
    assert out.shape == (0, 4, 3, 3)
    assert kernels.conv2d_input_grad(out, w, x.shape, *rest).shape == x.shape
    np.testing.assert_array_equal(kernels.conv2d_weight_grad(out, x, w.shape, *rest), np.zeros_like(w))
    np.testing.assert_array_equal(kernels.conv2d_bias_grad(out), np.zeros(4))
    values, argmax = kernels.conv_relu_pool(x, w, None, *rest)
    assert values.shape == argmax.shape == (0, 4, 1, 1)
