"""Pooling on arrays, and the rectifier: both twins against PyTorch, for any geometry and any order of memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minimal.autograd.kernels.windows import pooled_shape
from minimal.engine import twin

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
ALL_LAYOUTS = pytest.mark.parametrize("layout", ["channels last", "channels first", "strided"])
LAYOUTS = pytest.mark.parametrize(
    "layout", ["channels last", "channels first", pytest.param("strided", marks=pytest.mark.wide)]
)

# kernel, stride, padding, dilation, ceil_mode, height and width
GEOMETRIES = [
    ((2, 2), (2, 2), (0, 0), (1, 1), False, (8, 6)),
    ((2, 2), (2, 2), (0, 0), (1, 1), False, (7, 9)),
    ((2, 2), (2, 2), (0, 0), (1, 1), True, (7, 9)),
    ((2, 2), (2, 2), (1, 1), (1, 1), True, (7, 8)),
    ((3, 3), (1, 1), (1, 1), (1, 1), False, (6, 5)),
    ((3, 3), (2, 2), (1, 1), (1, 1), True, (8, 9)),
    ((3, 2), (2, 3), (1, 0), (1, 1), True, (9, 10)),
    ((2, 3), (1, 2), (0, 1), (2, 3), False, (9, 11)),
    ((3, 3), (2, 2), (1, 1), (2, 2), True, (9, 10)),
    ((5, 4), (3, 4), (2, 2), (1, 1), True, (11, 13)),
    ((2, 2), (3, 3), (0, 0), (1, 1), True, (8, 8)),  # pixels between the windows, and a last window that is left out
]
GEOMETRY = pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
PLAIN = [g for g in GEOMETRIES if g[3] == (1, 1)]


def laid_out(a, layout):
    """The same numbers in another order of memory."""
    if layout == "channels last":
        return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    if layout == "channels first":
        return np.ascontiguousarray(a)
    wide = np.zeros((*a.shape[:3], 2 * a.shape[3]), a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def images(size, dtype, layout, ties=False, channels=19):
    rng = np.random.default_rng(sum(size) + channels)
    x = rng.standard_normal((2, channels, *size))
    return laid_out((np.round(2 * x) if ties else x).astype(dtype), layout)


def pooling():
    return twin("minimal.autograd.kernels.pooling")


def same(ours, theirs):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def is_channels_last(a):
    return a.transpose(0, 2, 3, 1).flags.c_contiguous


@DTYPES
@ALL_LAYOUTS
@GEOMETRY
def test_the_largest_and_its_place(geometry, layout, dtype, engine):
    kernel, stride, padding, dilation, ceil_mode, size = geometry
    x = images(size, dtype, layout, ties=True)
    t = torch.tensor(x, requires_grad=True)
    theirs, their_indices = F.max_pool2d(t, kernel, stride, padding, dilation, ceil_mode, return_indices=True)
    out, indices = pooling().max_pool2d(x, kernel, stride, padding, dilation, ceil_mode)
    same(out, theirs)
    same(indices, their_indices)

    g = laid_out(np.random.default_rng(1).standard_normal(out.shape).astype(dtype), layout)
    theirs.backward(torch.tensor(g))
    same(pooling().max_pool2d_backward(g, indices, x.shape), t.grad)


@DTYPES
@LAYOUTS
@GEOMETRY
def test_places_say_in_a_byte_what_indices_say(geometry, layout, dtype, engine):
    kernel, stride, padding, dilation, ceil_mode, size = geometry
    x = images(size, dtype, layout, ties=True)
    t = torch.tensor(x, requires_grad=True)
    theirs = F.max_pool2d(t, kernel, stride, padding, dilation, ceil_mode)
    out, place = pooling().max_pool2d_places(x, kernel, stride, padding, dilation, ceil_mode)
    assert place.itemsize == 1
    same(out, theirs)
    g = laid_out(np.random.default_rng(1).standard_normal(out.shape).astype(dtype), layout)
    theirs.backward(torch.tensor(g))
    same(pooling().max_pool2d_places_backward(g, place, x.shape, kernel, stride, padding, dilation), t.grad)


@LAYOUTS
@pytest.mark.parametrize("fill", [np.nan, -np.inf])
@pytest.mark.parametrize("size", [(6, 6), (7, 7)])
def test_nan_wins_and_minus_infinity_has_a_place(fill, size, layout, engine):
    x = images(size, np.float32, layout)
    x[np.random.default_rng(2).random(x.shape) < 0.4] = fill
    x[0, 0] = fill
    for kernel, stride, padding in [((2, 2), (2, 2), (0, 0)), ((3, 3), (1, 1), (1, 1)), ((3, 3), (2, 2), (1, 1))]:
        theirs, their_indices = F.max_pool2d(torch.tensor(x), kernel, stride, padding, return_indices=True)
        out, indices = pooling().max_pool2d(x, kernel, stride, padding, (1, 1), False)
        same(out, theirs)
        same(indices, their_indices)
        places = pooling().max_pool2d_places(x, kernel, stride, padding, (1, 1), False)
        same(places[0], theirs)


def test_windows_of_more_than_a_byte_of_pixels(engine):
    x = images((20, 24), np.float32, "channels last", channels=3)
    theirs = F.max_pool2d(torch.tensor(x), (17, 19), (2, 1), (4, 5), return_indices=True)
    ours = pooling().max_pool2d(x, (17, 19), (2, 1), (4, 5), (1, 1), False)
    same(ours[0], theirs[0])
    same(ours[1], theirs[1])


def test_whole_numbers_have_a_largest_too(engine):
    x = np.random.default_rng(0).integers(-9, 0, (2, 3, 5, 6))
    theirs = F.max_pool2d(torch.tensor(x), 3, 2, 1, return_indices=True)
    ours = pooling().max_pool2d(x, (3, 3), (2, 2), (1, 1), (1, 1), False)
    same(ours[0], theirs[0])
    same(ours[1], theirs[1])


@DTYPES
@LAYOUTS
@pytest.mark.parametrize("count_include_pad", [True, False])
@pytest.mark.parametrize("divisor_override", [None, pytest.param(5, marks=pytest.mark.wide)])
@pytest.mark.parametrize("geometry", PLAIN, ids=str)
def test_the_mean(geometry, divisor_override, count_include_pad, layout, dtype, engine):
    kernel, stride, padding, _, ceil_mode, size = geometry
    x = images(size, dtype, layout)
    t = torch.tensor(x, requires_grad=True)
    theirs = F.avg_pool2d(t, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)
    out = pooling().avg_pool2d(x, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)
    same(out, theirs)
    g = laid_out(np.random.default_rng(1).standard_normal(out.shape).astype(dtype), layout)
    theirs.backward(torch.tensor(g))
    options = kernel, stride, padding, count_include_pad, divisor_override
    same(pooling().avg_pool2d_backward(g, x.shape, *options), t.grad)


@DTYPES
@ALL_LAYOUTS
@pytest.mark.parametrize("size", [(6, 8), (7, 5)])
@pytest.mark.parametrize("output_size", [(1, 1), (2, 4), (3, 3), (7, 9), (6, 8)])
def test_means_over_as_many_windows_as_asked_for(output_size, size, layout, dtype, engine):
    x = images(size, dtype, layout)
    t = torch.tensor(x, requires_grad=True)
    theirs = F.adaptive_avg_pool2d(t, output_size)
    out = pooling().adaptive_avg_pool2d(x, output_size)
    bound = 8 * np.finfo(dtype).eps  # PyTorch sums in another order where one window is the image, and on other layouts
    assert out.dtype == dtype
    np.testing.assert_allclose(out, theirs.detach().numpy(), rtol=0, atol=bound)
    g = laid_out(np.random.default_rng(1).standard_normal(out.shape).astype(dtype), layout)
    theirs.backward(torch.tensor(g))
    np.testing.assert_allclose(
        pooling().adaptive_avg_pool2d_backward(g, x.shape), t.grad.numpy(), rtol=0, atol=bound * np.abs(g).max()
    )


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (9, 9)])
def test_the_mean_with_a_divisor_of_ones_own(size, engine):
    x = images(size, np.float32, "strided")
    for kernel in (2, 3):
        options = (kernel, kernel), (2, 2), (1, 1), True, True, 5
        t = torch.tensor(x, requires_grad=True)
        theirs = F.avg_pool2d(t, *options)
        theirs.sum().backward()
        out = pooling().avg_pool2d(x, *options)
        same(out, theirs)
        same(pooling().avg_pool2d_backward(np.ones_like(out), x.shape, *options[:3], *options[4:]), t.grad)


@pytest.mark.parametrize("layout", ["channels last", "channels first"])
def test_the_order_of_memory_stays(layout, engine):
    x = images((8, 6), np.float32, layout)
    window = (2, 2), (2, 2), (0, 0)
    out, indices = pooling().max_pool2d(x, *window, (1, 1), False)
    _, place = pooling().max_pool2d_places(x, *window, (1, 1), False)
    mean = pooling().avg_pool2d(x, *window, False, True, None)
    made = [
        out,
        place,
        mean,
        pooling().adaptive_avg_pool2d(x, (2, 3)),
        pooling().max_pool2d_backward(out, indices, x.shape),
        pooling().max_pool2d_places_backward(out, place, x.shape, *window, (1, 1)),
        pooling().avg_pool2d_backward(mean, x.shape, *window, True, None),
        pooling().adaptive_avg_pool2d_backward(mean, x.shape),
    ]
    assert [is_channels_last(a) for a in made] == [layout == "channels last"] * len(made)
    assert [a.flags.c_contiguous for a in made] == [layout == "channels first"] * len(made)


def test_no_samples_and_read_only_memory(engine):
    nothing = np.zeros((0, 3, 4, 4), np.float32)
    out, place = pooling().max_pool2d_places(nothing, (2, 2), (2, 2), (0, 0), (1, 1), False)
    assert out.shape == place.shape == (0, 3, 2, 2)
    x = images((4, 4), np.float32, "channels last")
    x.flags.writeable = False
    same(pooling().max_pool2d(x, (2, 2), (2, 2), (0, 0), (1, 1), False)[0], F.max_pool2d(torch.tensor(np.array(x)), 2))


@pytest.mark.parametrize(
    ("window", "size"),
    [
        (((2, 2), (2, 2), (2, 2)), (8, 8)),
        (((9, 9), (1, 1), (0, 0)), (4, 4)),
        (((2, 2), (0, 2), (0, 0)), (4, 4)),
        (((0, 2), (1, 2), (0, 0)), (4, 4)),
        (((2, 2), (1, 2), (-1, 0)), (4, 4)),
    ],
    ids=str,
)
def test_windows_that_cannot_be(window, size):
    with pytest.raises(RuntimeError):
        F.max_pool2d(torch.zeros(1, 1, *size), *window)
    with pytest.raises(RuntimeError, match=r"kernel|stride|pad|too small"):
        pooled_shape((1, 1, *size), *window)


@DTYPES
@ALL_LAYOUTS
def test_the_rectifier(layout, dtype, engine):
    rectifier = twin("minimal.autograd.kernels.rectifier")
    rng = np.random.default_rng(3)
    x, g = (rng.standard_normal((3, 17, 5, 7)).astype(dtype) for _ in range(2))
    for a in (x, g):
        a.flat[:: 7 if a is x else 5] = np.nan
        a.flat[1::11], a.flat[2::13], a.flat[3::9] = 0.0, np.inf, -np.inf
    x, g = laid_out(x, layout), laid_out(g, layout)
    t = torch.tensor(x, requires_grad=True)
    theirs = torch.relu(t)
    theirs.backward(torch.tensor(g))
    out = rectifier.relu(x)
    same(out, theirs)
    same(rectifier.relu_backward(g, out), t.grad)
    same(rectifier.relu_backward(laid_out(g, "channels first"), out), t.grad)  # two orders of memory in one call
    same(rectifier.relu(x[0, 0, 0, :3]), theirs[0, 0, 0, :3])
    same(rectifier.relu(np.array(-2.0, dtype)), torch.relu(torch.tensor(-2.0, dtype=theirs.dtype)))
