"""Functions that change shapes, join and cut, under PyTorch's names.

Those that PyTorch calls views share memory with their input here too: a change in place of one is seen by the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minimal.autograd.operations import shapes as ops
from minimal.autograd.operations.indexing import SliceOf
from minimal.autograd.tensor import Tensor


def _view(base: Tensor, recipe: Callable[[Tensor], Tensor]) -> Tensor:
    """What ``recipe`` makes of ``base``, known as a view of it if both share memory."""
    out = recipe(base)
    if np.may_share_memory(out.array, base.array) and base.array.size:
        out._looks_into(base, recipe)
    return out


def axis_in(dim: int, ndim: int) -> int:
    """A dimension counted from either end, as an axis from the front.

    Raises
    ------
    IndexError
        If there is no such dimension.
    """
    size = max(ndim, 1)
    if not -size <= dim < size:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-size}, {size - 1}], but got {dim})")
    return int(dim) % size


def sizes_in(args: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    if len(args) == 1 and not isinstance(args[0], int | np.integer):
        first = args[0]
        args = tuple(first) if isinstance(first, tuple | list) else (int(first),)
    return tuple([int(n) for n in args])


def _completed(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """The shape with a -1 filled in.

    Raises
    ------
    RuntimeError
        If ``size`` numbers have no such shape.
    """
    known = 1
    for n in shape:
        if n < -1:
            raise RuntimeError(f"invalid shape dimension {n}")
        known *= n if n != -1 else 1
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if -1 in shape:
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {size} elements into shape {list(shape)} because the unspecified dimension "
                "size -1 can be any value and is ambiguous"
            )
        if size % known:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
        return tuple([size // known if n == -1 else n for n in shape])
    if known != size:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {size}")
    return shape


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same numbers, read row by row, in another shape; one size may be -1.  Source: torch.reshape, 2.13.0."""
    sizes = _completed(sizes_in(shape), input.array.size)
    return _view(input, lambda t: ops.Reshape.apply(t, sizes))


def view(input: Tensor, *shape: Any) -> Tensor:
    """As ``reshape``, without ever copying; or, given a dtype, the same bytes read as that dtype.

    Raises
    ------
    RuntimeError
        If the memory does not allow it: use ``reshape``.

    Source: torch.Tensor.view, 2.13.0.
    """
    if len(shape) == 1 and isinstance(shape[0], np.dtype):
        return Tensor(input.array.view(shape[0]))
    sizes = _completed(sizes_in(shape), input.array.size)
    if input.array.size and not np.may_share_memory(input.array.reshape(sizes), input.array):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return _view(input, lambda t: ops.Reshape.apply(t, sizes))


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``view`` in the shape of another tensor.  Source: torch.Tensor.view_as, 2.13.0."""
    return view(input, other.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``reshape`` to the shape of another tensor.  Source: torch.Tensor.reshape_as, 2.13.0."""
    return reshape(input, other.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the dimensions from ``start_dim`` to ``end_dim``.  Source: torch.flatten, 2.13.0."""
    start, end = axis_in(start_dim, input.ndim), axis_in(end_dim, input.ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    shape = input.shape or (1,)
    joined = math.prod(shape[start : end + 1])
    if start == end and input.ndim:
        return input
    return reshape(input, (*shape[:start], joined, *shape[end + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """One long row.  Source: torch.ravel, 2.13.0."""
    return reshape(input, -1)


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split one dimension into several; one size may be -1.  Source: torch.unflatten, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    n = input.shape[axis]
    try:
        parts = _completed(tuple(sizes), n)
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({n}) in the input tensor"
        ) from None
    return reshape(input, (*input.shape[:axis], *parts, *input.shape[axis + 1 :]))


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in another order.  Source: torch.permute, 2.13.0."""
    order = sizes_in(dims)
    if len(order) != input.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(order)}"
        )
    axes = tuple([axis_in(d, input.ndim) for d in order])
    if len(set(axes)) != len(axes):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _view(input, lambda t: ops.Permute.apply(t, axes))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions in each other's place.  Source: torch.transpose, 2.13.0."""
    axes = list(range(input.ndim))
    a, b = axis_in(dim0, input.ndim), axis_in(dim1, input.ndim)
    if input.ndim:
        axes[a], axes[b] = b, a
    return _view(input, lambda t: ops.Permute.apply(t, tuple(axes)))


swapaxes = swapdims = transpose


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector as it is.  Source: torch.t, 2.13.0."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return transpose(input, 0, 1) if input.ndim == 2 else transpose(input, 0, 0) if input.ndim else permute(input, ())


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Some dimensions at new places, the others in their order.  Source: torch.movedim, 2.13.0."""
    sources = [axis_in(d, input.ndim) for d in (source if isinstance(source, tuple | list) else (source,))]
    targets = [
        axis_in(d, input.ndim) for d in (destination if isinstance(destination, tuple | list) else (destination,))
    ]
    order = [d for d in range(input.ndim) if d not in sources]
    for target, origin in sorted(zip(targets, sources)):
        order.insert(target, origin)
    return permute(input, order)


moveaxis = movedim


def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Repeat along dimensions of size 1 without copying; -1 keeps a size.  Source: torch.Tensor.expand, 2.13.0."""
    wanted = sizes_in(sizes)
    extra = len(wanted) - input.ndim
    if extra < 0:
        raise RuntimeError(
            f"expand({list(input.shape)}, size={list(wanted)}): the number of sizes provided ({len(wanted)}) must be "
            f"greater or equal to the number of dimensions in the tensor ({input.ndim})"
        )
    shape = []
    for i, n in enumerate(wanted):
        old = 1 if i < extra else input.shape[i - extra]
        if n == -1 and i < extra:
            raise RuntimeError(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if n not in (-1, old) and old != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at non-singleton dimension "
                f"{i}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(input.shape)}"
            )
        shape.append(old if n == -1 else n)
    return _view(input, lambda t: ops.Expand.apply(t, tuple(shape)))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``expand`` to the shape of another tensor.  Source: torch.Tensor.expand_as, 2.13.0."""
    return expand(input, other.shape)


def broadcast_to(input: Tensor, shape: Sequence[int]) -> Tensor:
    """``expand`` to a shape.  Source: torch.broadcast_to, 2.13.0."""
    return expand(input, tuple(shape))


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that these shapes broadcast to.  Source: torch.broadcast_shapes, 2.13.0."""
    from minimal.autograd.operation import shape_error

    try:
        return np.broadcast_shapes(*[(s,) if isinstance(s, int) else tuple(s) for s in shapes])
    except ValueError as error:
        raise shape_error(*[tuple(s) for s in shapes]) from error


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors expanded to the shape they have together.  Source: torch.broadcast_tensors, 2.13.0."""
    shape = broadcast_shapes(*[tensor.shape for tensor in tensors])
    return tuple([expand(tensor, shape) for tensor in tensors])


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """Copies side by side along each dimension.  Source: torch.Tensor.repeat, 2.13.0."""
    times = sizes_in(repeats)
    extra = len(times) - input.ndim
    if extra < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: "
            f"{len(times)} repeats for {input.ndim} dimensions"
        )
    shape = (1,) * extra + input.shape
    # Between any two dimensions one more, of size 1, that expand repeats and reshape joins.
    spread = reshape(input, [n for size in shape for n in (1, size)])
    stretched = expand(spread, [n for pair in zip(times, shape) for n in pair])
    out = reshape(stretched, [n * size for n, size in zip(times, shape)])
    return out.clone() if out._base is not None else out


def tile(input: Tensor, *dims: Any) -> Tensor:
    """As ``repeat``, with missing repeats taken for 1.  Source: torch.tile, 2.13.0."""
    times = sizes_in(dims)
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None) -> Tensor:
    """Each element (along a dimension) several times in a row.  Source: torch.repeat_interleave, 2.13.0."""
    source = ravel(input) if dim is None else input
    axis = 0 if dim is None else axis_in(dim, input.ndim)
    times = repeats.array if isinstance(repeats, Tensor) else repeats
    order = np.repeat(np.arange(source.shape[axis]), times)
    return source.index_select(axis, Tensor(order))


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without dimensions of size 1, all or the named ones.  Source: torch.squeeze, 2.13.0."""
    named = range(input.ndim) if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
    axes = {axis_in(d, input.ndim) for d in named}
    shape = tuple([n for i, n in enumerate(input.shape) if not (n == 1 and i in axes)])
    return _view(input, lambda t: ops.Reshape.apply(t, shape))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With one more dimension, of size 1, at ``dim``.  Source: torch.unsqueeze, 2.13.0."""
    axis = axis_in(dim, input.ndim + 1)
    shape = (*input.shape[:axis], 1, *input.shape[axis:])
    return _view(input, lambda t: ops.Reshape.apply(t, shape))


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """The ``length`` entries from ``start`` on along a dimension.  Source: torch.narrow, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    n = input.shape[axis]
    if not (-n <= start <= n) or length < 0 or start % max(n, 1) + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    start = start + n if start < 0 else start
    place = (slice(None),) * axis + (slice(start, start + length),)
    return _view(input, lambda t: SliceOf.apply(t, place))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The entry at ``index`` along a dimension, without it.  Source: torch.select, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    n = input.shape[axis] if input.ndim else 0
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {axis}"
        )
    place = (slice(None),) * axis + (int(index),)
    return _view(input, lambda t: SliceOf.apply(t, place))


def flip(input: Tensor, *dims: Any) -> Tensor:
    """A copy with some dimensions in reverse.  Source: torch.flip, 2.13.0."""
    axes = tuple([axis_in(d, input.ndim) for d in sizes_in(dims)])
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"dim {axes[0]} appears multiple times in the list of dims")
    return ops.Flip.apply(input, axes)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """A copy turned k times by 90 degrees, from the first of two dimensions to the second.  Source: torch.rot90, 2.13.0."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    a, b = (axis_in(d, input.ndim) for d in dims)
    if a == b:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    turned = {0: input, 1: flip(input, b), 2: flip(input, a, b), 3: flip(input, a)}[k % 4]
    return transpose(turned, a, b).clone() if k % 2 else turned.clone()


def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse.  Source: torch.fliplr, 2.13.0."""
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """The rows in reverse.  Source: torch.flipud, 2.13.0."""
    return flip(input, 0)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Shifted around along dimensions; without dimensions, as one long row.  Source: torch.roll, 2.13.0."""
    steps = tuple(shifts) if isinstance(shifts, tuple | list) else (shifts,)
    if dims is None or dims == ():
        if len(steps) != 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:0")
        return ops.Roll.apply(input, steps, None)
    axes = tuple([axis_in(d, input.ndim) for d in (dims if isinstance(dims, tuple | list) else (dims,))])
    if len(axes) != len(steps):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(axes)}")
    return ops.Roll.apply(input, steps, axes)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle, zero above.  Source: torch.tril, 2.13.0."""
    _needs_matrix(input, "tril")
    return ops.Triangle.apply(input, diagonal, False)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle, zero below.  Source: torch.triu, 2.13.0."""
    _needs_matrix(input, "triu")
    return ops.Triangle.apply(input, diagonal, True)


def _needs_matrix(input: Tensor, name: str) -> None:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The entries whose two indices differ by ``offset``, along the last dimension.  Source: torch.diagonal, 2.13.0."""
    a, b = axis_in(dim1, input.ndim), axis_in(dim2, input.ndim)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return _view(input, lambda t: ops.Diagonal.apply(t, offset, a, b))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector on the diagonal of a matrix, or the diagonal of a matrix as a vector.  Source: torch.diag, 2.13.0."""
    if input.ndim == 1:
        n = input.shape[0] + abs(diagonal)
        return ops.DiagonalBack.apply(input, (n, n), (diagonal, 0, 1))
    if input.ndim == 2:
        return ops.Diagonal.apply(input, diagonal, 0, 1).clone()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Each row (along the last dimension) on the diagonal of a matrix of its own.  Source: torch.diag_embed, 2.13.0."""
    ndim = input.ndim + 1
    a, b = axis_in(dim1, ndim), axis_in(dim2, ndim)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for axis in sorted((a, b)):
        shape.insert(axis, n)
    return ops.DiagonalBack.apply(input, tuple(shape), (offset, a, b))


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix.  Source: torch.trace, 2.13.0."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return diagonal(input).sum()


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of ``size`` entries, ``step`` apart, along a dimension.  Source: torch.Tensor.unfold, 2.13.0."""
    axis = axis_in(dimension, input.ndim)
    n = input.shape[axis] if input.ndim else 1
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {axis} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return _view(input, lambda t: ops.Unfold.apply(t, axis, size, step))


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor with its rows one after another in memory: itself if they are.  Source: torch.Tensor.contiguous, 2.13.0."""
    if input.array.flags.c_contiguous:
        return input
    from minimal.autograd.operations.elementwise import Contiguous

    return Contiguous.apply(input)
