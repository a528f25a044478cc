"""Two-dimensional convolution as one matrix product, with its gradients.

After this page you can compute what a convolutional layer computes without a loop over pixels.  Each output pixel is a
dot product of a filter with the patch of the image below it.  Write the patches as rows of a matrix (the step is known as
im2col) and the filters as columns of another, and all the dot products are one product of two matrices:

    out = patches @ filters

A matrix product has simple gradients, so a convolution has them too:

    d patches = g @ filters.T        then every pixel adds up what the patches that hold it received
    d filters = patches.T @ g

Shapes are PyTorch's, (samples, channels, height, width).  Inside, channels come last: the channels of a pixel lie side by
side in memory, as they do in a patch, and results are given back as views of such memory.  With groups, the channels
fall into that many independent convolutions, a stack of matrix products.

The last section fuses what stands in a row in most networks: convolution, relu, and the largest of each 2 x 2 pixels.
Here it is only composed; the compiled twin does it in one pass, and its gradients never visit what pooling threw away.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.floating]
Pair = tuple[int, int]
Shape = tuple[int, ...]

DEAD = 4  # where one of the four pixels of a pooled window is named: none, for relu let nothing through


def conv2d(x: Array, w: Array, bias: Array | None, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Array:
    """Slide filters over images: out[n, o, i, j] = bias[o] + sum over c, k, l of w[o, c, k, l] x[n, c, i + k, j + l].

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
    w : ndarray of shape (O, C / groups, kh, kw)
    bias : ndarray of shape (O,) or None
    stride : (int, int)
        Pixels from one patch to the next, down and right: i, j above become i * stride.
    padding : (int, int)
        How many rows and columns of zeros surround each image.
    dilation : (int, int)
        Pixels from one tap of the filter to the next: k, l above become k * dilation.
    groups : int
        Output channels see only the input channels of their group.

    Returns
    -------
    ndarray of shape (N, O, OH, OW)
        A view of memory in which channels come last.  OH = (H + 2 padding - dilation (kh - 1) - 1) // stride + 1.
    """
    patches = _patches(x, w.shape, stride, padding, dilation, groups)
    out = _merge_groups(patches @ _filters(w, groups), out_shape(x.shape, w.shape, stride, padding, dilation))
    if bias is not None:
        out += bias[:, np.newaxis, np.newaxis]
    return out


def conv2d_input_grad(
    g: Array, w: Array, input_shape: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """The gradient of :func:`conv2d` in x, given the gradient g in its output.  Also the forward of conv_transpose2d.

    Parameters
    ----------
    g : ndarray of shape (N, O, OH, OW)
    w : ndarray of shape (O, C / groups, kh, kw)
    input_shape : tuple
        (N, C, H, W), the shape of x.
    stride, padding, dilation, groups
        Those of the convolution.

    Returns
    -------
    ndarray of shape (N, C, H, W)
        A view of memory in which channels come last.
    """
    n, channels, height, width = input_shape
    (_, _, oh, ow), (_, depth, kh, kw) = g.shape, w.shape
    d_patches = _split_groups(g, groups) @ _filters(w, groups).swapaxes(1, 2)
    d_patches = d_patches.reshape(groups, n, oh, ow, kh, kw, depth)
    dx = np.zeros((n, height + 2 * padding[0], width + 2 * padding[1], groups, depth), d_patches.dtype)
    for k in range(kh):
        for l in range(kw):
            rows, columns = _seen(k, oh, stride[0], dilation[0]), _seen(l, ow, stride[1], dilation[1])
            dx[:, rows, columns] += np.moveaxis(d_patches[:, :, :, :, k, l], 0, 3)
    dx = dx[:, padding[0] : padding[0] + height, padding[1] : padding[1] + width]
    return dx.reshape(n, height, width, channels).transpose(0, 3, 1, 2)


def conv2d_weight_grad(
    g: Array, x: Array, weight_shape: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """The gradient of :func:`conv2d` in w, given the gradient g in its output.

    Parameters
    ----------
    g : ndarray of shape (N, O, OH, OW)
    x : ndarray of shape (N, C, H, W)
    weight_shape : tuple
        (O, C / groups, kh, kw), the shape of w.
    stride, padding, dilation, groups
        Those of the convolution.

    Returns
    -------
    ndarray of shape (O, C / groups, kh, kw)
    """
    o, depth, kh, kw = weight_shape
    patches = _patches(x, weight_shape, stride, padding, dilation, groups)
    dw = patches.swapaxes(1, 2) @ _split_groups(g, groups)
    dw = dw.reshape(groups, kh, kw, depth, o // groups)
    return np.ascontiguousarray(dw.transpose(0, 4, 3, 1, 2)).reshape(weight_shape)


def conv2d_bias_grad(g: Array) -> Array:
    """The gradient of :func:`conv2d` in its bias: g of shape (N, O, OH, OW) summed over samples and pixels."""
    return g.sum(axis=(0, 2, 3))


def out_shape(input_shape: Shape, weight_shape: Shape, stride: Pair, padding: Pair, dilation: Pair) -> Shape:
    """The shape (N, O, OH, OW) of what :func:`conv2d` gives: as many patches as fit, down and right."""
    height, width = (
        (input_shape[axis] + 2 * padding[axis - 2] - dilation[axis - 2] * (weight_shape[axis] - 1) - 1)
        // stride[axis - 2]
        + 1
        for axis in (2, 3)
    )
    return input_shape[0], weight_shape[0], height, width


# ---------------------------------------------------------------- images as matrices


def _patches(x: Array, weight_shape: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Array:
    """The patch below each output pixel as a row: (groups, N OH OW, kh kw C / groups)."""
    n, _, oh, ow = out_shape(x.shape, weight_shape, stride, padding, dilation)
    _, depth, kh, kw = weight_shape
    x = np.pad(x.transpose(0, 2, 3, 1), ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)))
    reach = (dilation[0] * (kh - 1) + 1, dilation[1] * (kw - 1) + 1)
    windows = sliding_window_view(x, reach, axis=(1, 2))  # no copy yet
    windows = windows[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
    windows = windows.reshape(n, oh, ow, groups, depth, kh, kw) if groups > 1 else windows[:, :, :, np.newaxis]
    return windows.transpose(3, 0, 1, 2, 5, 6, 4).reshape(groups, n * oh * ow, kh * kw * depth)


def _filters(w: Array, groups: int) -> Array:
    """The filters as columns: (groups, kh kw C / groups, O / groups)."""
    o, depth, kh, kw = w.shape
    return w.reshape(groups, o // groups, depth, kh, kw).transpose(0, 3, 4, 2, 1).reshape(groups, -1, o // groups)


def _split_groups(g: Array, groups: int) -> Array:
    """Output pixels as rows: (groups, N OH OW, O / groups)."""
    n, o, oh, ow = g.shape
    return g.transpose(0, 2, 3, 1).reshape(n * oh * ow, groups, o // groups).swapaxes(0, 1)


def _merge_groups(rows: Array, shape: Shape) -> Array:
    """Back from rows of output pixels to an image (N, O, OH, OW)."""
    n, o, oh, ow = shape
    return np.ascontiguousarray(rows.swapaxes(0, 1)).reshape(n, oh, ow, o).transpose(0, 3, 1, 2)


def _seen(tap: int, count: int, stride: int, dilation: int) -> slice:
    """The rows (or columns) of an image that one tap of the filter sees, over all ``count`` output pixels."""
    first = tap * dilation
    return slice(first, first + stride * (count - 1) + 1, stride)


# ---------------------------------------------------------------- convolution, relu and pooling in a row


def conv_relu_pool(
    x: Array, w: Array, bias: Array | None, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> tuple[Array, NDArray[np.int8]]:
    """max_pool2d(relu(conv2d(x, w, bias)), 2), and where each maximum came from.

    Parameters
    ----------
    x, w, bias, stride, padding, dilation, groups
        As for :func:`conv2d`, whose output must have at least two rows and two columns.  A last odd row or column
        belongs to no window.

    Returns
    -------
    out : ndarray of shape (N, O, OH // 2, OW // 2)
        A view of memory in which channels come last, as is ``argmax``.
    argmax : ndarray of the same shape, int8
        Which of the four pixels of the window gave the maximum, in reading order: the first of equals, the last NaN if
        there is one.  4 where the maximum is not above zero: relu passes no gradient there.
    """
    first, *others = _quarters(conv2d(x, w, bias, stride, padding, dilation, groups))
    largest, argmax = first, np.zeros_like(first, np.int8)
    for position, value in enumerate(others, start=1):
        is_better = (value > largest) | np.isnan(value)
        largest = np.where(is_better, value, largest)
        argmax[is_better] = position
    is_dead = largest <= 0
    argmax[is_dead] = DEAD
    return np.where(is_dead, 0, largest), argmax


def conv_relu_pool_backward(
    g: Array,
    argmax: NDArray[np.int8],
    x: Array,
    w: Array,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    need_input_grad: bool,
) -> tuple[Array | None, Array, Array]:
    """The gradients of :func:`conv_relu_pool` in x, w and bias.

    Parameters
    ----------
    g : ndarray of shape (N, O, OH // 2, OW // 2)
        The gradient in ``out``.
    argmax : ndarray of the same shape, int8
        What :func:`conv_relu_pool` gave.
    x, w, stride, padding, dilation, groups
        What it was given.
    need_input_grad : bool
        Without need no time is spent on dx: images have no parameters.

    Returns
    -------
    dx : ndarray of the shape of x, or None
    dw : ndarray of the shape of w
    db : ndarray of shape (O,)
    """
    n, o, oh, ow = out_shape(x.shape, w.shape, stride, padding, dilation)
    d_conv = np.zeros((n, oh, ow, o), g.dtype).transpose(0, 3, 1, 2)
    for position, quarter in enumerate(_quarters(d_conv)):
        np.copyto(quarter, g, where=argmax == position)
    dx = conv2d_input_grad(d_conv, w, x.shape, stride, padding, dilation, groups) if need_input_grad else None
    dw = conv2d_weight_grad(d_conv, x, w.shape, stride, padding, dilation, groups)
    return dx, dw, conv2d_bias_grad(d_conv)


def _quarters(image: Array) -> list[Array]:
    """The four pixels of each 2 x 2 window, in reading order, as views."""
    rows, columns = image.shape[2] // 2 * 2, image.shape[3] // 2 * 2
    return [image[:, :, k:rows:2, l:columns:2] for k in (0, 1) for l in (0, 1)]
