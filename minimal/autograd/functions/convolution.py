"""Convolutions under PyTorch's names: shapes are checked here, and whatever has one axis or no batch gets two and one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from minimal.autograd.functions.padding import zeros_around
from minimal.autograd.operations import convolution as ops
from minimal.autograd.operations.convolution import Slide
from minimal.autograd.tensor import Tensor

Size: TypeAlias = int | Sequence[int]


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """out[n, o, i, j] = bias[o] + sum over c, k, l of  weight[o, c, k, l] input[n, c, i stride + k, j stride + l].

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
    weight : Tensor of shape (O, C / groups, kh, kw)
    bias : Tensor of shape (O,), optional
    stride, padding, dilation : int or (int, int)
        Default: 1, 0, 1.  ``padding`` may be "valid" (none) or "same" (as much as keeps the size; stride 1).
    groups : int
        Output channels see only the input channels of their group.  Default: 1.

    Returns
    -------
    Tensor of shape (N, O, OH, OW) or (O, OH, OW)
        OH = (H + 2 padding - dilation (kh - 1) - 1) // stride + 1, and OW alike.  Channels may come last in its memory.

    Raises
    ------
    RuntimeError
        If shapes or dtypes do not go together, or a stride, padding or dilation makes no sense.

    Source: torch.conv2d, 2.13.0.
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """out[n, o, t] = bias[o] + sum over c, s of  weight[o, c, s] input[n, c, t stride + s].

    Parameters and errors are those of :func:`conv2d`, with shapes (N, C, L) or (C, L) and (O, C / groups, k).

    Source: torch.conv1d, 2.13.0.
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """What the gradient of :func:`conv2d` by its input is, plus a bias: each pixel of the input spreads out a filter.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
    weight : Tensor of shape (C, O / groups, kh, kw)
    bias : Tensor of shape (O,), optional
    stride, padding, output_padding, dilation : int or (int, int)
        Those of the convolution; ``output_padding`` says how much larger the output is, since several sizes have the same
        convolution.  Default: 1, 0, 0, 1.
    groups : int
        Default: 1.

    Returns
    -------
    Tensor of shape (N, O, OH, OW) or (O, OH, OW)
        OH = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1, and OW alike.

    Raises
    ------
    RuntimeError
        As for :func:`conv2d`, and if ``output_padding`` is as large as stride and dilation.

    Source: torch.conv_transpose2d, 2.13.0.
    """
    return _spread("conv_transpose2d", 2, input, weight, bias, (stride, padding, dilation, output_padding), groups)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """As :func:`conv_transpose2d`, with shapes (N, C, L) or (C, L) and (C, O / groups, k).

    Source: torch.conv_transpose1d, 2.13.0.
    """
    return _spread("conv_transpose1d", 1, input, weight, bias, (stride, padding, dilation, output_padding), groups)


def conv_relu_pool(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Size = 1, padding: Size = 0
) -> Tensor:
    """max_pool2d(relu(conv2d(input, weight, bias, stride, padding)), 2) for a batch of images, in one operation.

    Parameters and errors are those of :func:`conv2d`.  Where the convolution gives no 2 x 2 pixels, RuntimeError.
    """
    steps, pad = _pairs(2, stride=stride, padding=padding)
    slide = Slide(steps, pad)
    _check(2, input, weight, bias, slide)
    if input.ndim != 4:
        raise RuntimeError(
            f"conv_relu_pool takes a batch of images (N, C, H, W), but got input of size {list(input.shape)}"
        )
    height, width = _room(input.shape, weight.shape, slide)
    if min(height // slide.stride[0], width // slide.stride[1]) < 1:
        rows, columns = height // slide.stride[0] + 1, width // slide.stride[1] + 1
        raise RuntimeError(
            f"Given input size: ({weight.shape[0]}x{rows}x{columns}). Calculated output size: "
            f"({weight.shape[0]}x{rows // 2}x{columns // 2}). Output size is too small: use a smaller kernel or more padding"
        )
    return ops.ConvReluPool.apply(input, weight, bias, slide)


# ---------------------------------------------------------------- one way through for one axis and for two


def _convolve(
    name: str,
    n_axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: str | Size,
    dilation: Size,
    groups: int,
) -> Tensor:
    _check_dimensions(name, n_axes, input, weight)
    if isinstance(padding, str):
        input, padding = _padded_by_name(padding, n_axes, input, weight, stride, dilation)
    steps, pad, spread = _pairs(n_axes, stride=stride, padding=padding, dilation=dilation)
    slide = Slide(steps, pad, spread, groups)
    _check(n_axes, input, weight, bias, slide)
    if n_axes == 2 and input.ndim == 4:
        return ops.Conv2d.apply(input, weight, bias, slide)
    x, w = _as_images(input, n_axes), weight if n_axes == 2 else weight.unsqueeze(-2)
    return _as_given(ops.Conv2d.apply(x, w, bias, slide), input, n_axes)


def _spread(
    name: str, n_axes: int, input: Tensor, weight: Tensor, bias: Tensor | None, sizes: tuple[Any, ...], groups: int
) -> Tensor:
    _check_dimensions(name, n_axes, input, weight)
    stride, padding, dilation, extra = _pairs(
        n_axes, **dict(zip(("stride", "padding", "dilation", "output_padding"), sizes))
    )
    slide = Slide(stride, padding, dilation, groups)
    _check_transposed(n_axes, input, weight, bias, slide, extra)
    x, w = _as_images(input, n_axes), weight if n_axes == 2 else weight.unsqueeze(-2)
    if any(e >= s for e, s in zip(extra, stride)):  # as far as another pixel would reach, if it were zero
        x = zeros_around(x, [(0, e // s) for e, s in zip(extra, stride)])
        extra = extra[0] % stride[0], extra[1] % stride[1]
    size = [
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, k, s, p, d, e in zip(x.shape[2:], w.shape[2:], stride, padding, dilation, extra)
    ]
    if min(size) < 1:
        raise RuntimeError(
            f"Given input size per channel: {list(input.shape[-n_axes:])}. Calculated output size per channel: "
            f"{size[-n_axes:]}. Output size is too small"
        )
    out = ops.ConvInput.apply(x, w, (x.shape[0], groups * w.shape[1], *size), slide)
    if bias is not None:
        out = out + bias.reshape(-1, 1, 1)
    return _as_given(out, input, n_axes)


def _as_images(input: Tensor, n_axes: int) -> Tensor:
    """A batch of images: what has one axis gets one row, what has no batch becomes a batch of one."""
    x = input if n_axes == 2 else input.unsqueeze(-2)
    return x if x.ndim == 4 else x.unsqueeze(0)


def _as_given(out: Tensor, input: Tensor, n_axes: int) -> Tensor:
    if n_axes == 1:
        out = out.squeeze(-2)
    return out if out.ndim == input.ndim else out.squeeze(0)


def _pairs(n_axes: int, **sizes: Any) -> list[tuple[int, int]]:
    """Each size as one for rows and one for columns; with one axis, rows stay as they are."""
    return [_pair(name, size, n_axes) for name, size in sizes.items()]


def _pair(name: str, size: Any, n_axes: int) -> tuple[int, int]:
    sizes = (size,) if isinstance(size, int) else tuple(map(int, size))
    if len(sizes) == 1:
        sizes *= n_axes
    if len(sizes) != n_axes:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {n_axes} values to match the convolution "
            f"dimensions, but got {name}={list(size)}"
        )
    return (sizes[0], sizes[1]) if n_axes == 2 else (_NEUTRAL[name], sizes[0])


_NEUTRAL = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}


def _padded_by_name(
    padding: str, n_axes: int, input: Tensor, weight: Tensor, stride: Size, dilation: Size
) -> tuple[Tensor, Size]:
    """ "same" and "valid" as numbers; what "same" needs on one side only is added here."""
    if padding == "valid":
        return input, 0
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    strides, dilations = _pairs(n_axes, stride=stride, dilation=dilation)
    if strides != (1, 1):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for d, k in zip(dilations[-n_axes:], weight.shape[2:])]
    if any(total % 2 for total in totals):
        input = zeros_around(input, [(0, total % 2) for total in totals])
    return input, [total // 2 for total in totals]


# ---------------------------------------------------------------- what goes together


def _check_dimensions(name: str, n_axes: int, input: Tensor, weight: Tensor) -> None:
    for argument, value in (("input", input), ("weight", weight)):
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {type(value).__name__}")
    if input.ndim not in (n_axes + 1, n_axes + 2):
        raise RuntimeError(
            f"Expected {n_axes + 1}D (unbatched) or {n_axes + 2}D (batched) input to {name}, but got input of size: "
            f"{list(input.shape)}"
        )
    if weight.ndim != n_axes + 2:
        raise RuntimeError(
            f"{name} expects a weight of {n_axes + 2} dimensions, but got one of size {list(weight.shape)}"
        )


def _check(n_axes: int, input: Tensor, weight: Tensor, bias: Tensor | None, slide: Slide) -> None:
    _check_numbers(input, weight, bias, slide)
    groups, shape = slide.groups, weight.shape
    if shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{list(shape)} instead"
        )
    if shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size "
            f"[{list(shape)}] instead"
        )
    channels = input.shape[-n_axes - 1]
    if channels != shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(shape)}, expected input{list(input.shape)} to have "
            f"{shape[1] * groups} channels, but got {channels} channels instead"
        )
    _check_bias(f"Given weight of size {list(shape)}", bias, shape[0])
    room = (
        _room((1, 1, *input.shape[-n_axes:]), (1, 1, *shape[2:]), slide)
        if n_axes == 2
        else (input.shape[-1] + 2 * slide.padding[1] - slide.dilation[1] * (shape[2] - 1) - 1,)
    )
    if min(room) < 0:
        padded = [n + 2 * p for n, p in zip(input.shape[-n_axes:], slide.padding[-n_axes:])]
        kernel = [d * (k - 1) + 1 for k, d in zip(shape[2:], slide.dilation[-n_axes:])]
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
            f"({' x '.join(map(str, kernel))}). Kernel size can't be greater than actual input size"
        )


def _room(input_shape: Sequence[int], weight_shape: Sequence[int], slide: Slide) -> tuple[int, int]:
    """By how many pixels a filter can move down and right."""
    _, _, height, width = input_shape
    _, _, kh, kw = weight_shape
    (top, left), (down, right) = slide.padding, slide.dilation
    return height + 2 * top - down * (kh - 1) - 1, width + 2 * left - right * (kw - 1) - 1


def _check_transposed(
    n_axes: int, input: Tensor, weight: Tensor, bias: Tensor | None, slide: Slide, extra: tuple[int, int]
) -> None:
    _check_numbers(input, weight, bias, slide)
    groups, shape = slide.groups, weight.shape
    channels = input.shape[-n_axes - 1]
    if shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size "
            f"[{list(shape)}] instead"
        )
    if channels != shape[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(shape)}, expected input{list(input.shape)} to have {shape[0]} "
            f"channels, but got {channels} channels instead"
        )
    _check_bias(f"Given transposed=1, weight of size {list(shape)}", bias, shape[1] * groups)
    if min(extra) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if any(e >= s and e >= d for e, s, d in zip(extra, slide.stride, slide.dilation)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got output_padding: {list(extra)}, "
            f"stride: {list(slide.stride)}, dilation: {list(slide.dilation)}"
        )


def _check_bias(given: str, bias: Tensor | None, count: int) -> None:
    if bias is not None and bias.shape != (count,):
        raise RuntimeError(
            f"{given}, expected bias to be 1-dimensional with {count} elements, but got bias of size {list(bias.shape)} "
            "instead"
        )


def _check_numbers(input: Tensor, weight: Tensor, bias: Tensor | None, slide: Slide) -> None:
    if input.array.dtype != weight.array.dtype:
        raise RuntimeError(
            f"Input type ({input.dtype}) and weight type ({weight.dtype}) should be the same, for input of size "
            f"{list(input.shape)} and weight of size {list(weight.shape)}"
        )
    if bias is not None and input.array.dtype != bias.array.dtype:
        raise RuntimeError(f"Input type ({input.dtype}) and bias type ({bias.dtype}) should be the same")
    if min(slide.padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(slide.stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(slide.dilation) <= 0:
        raise RuntimeError("non-positive dilation is not supported")
    if slide.groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
