"""Indexing with brackets, and the functions that pick and place elements, under PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimal.autograd.functions.shapes import _view, axis_in
from minimal.autograd.operations import indexing as ops
from minimal.autograd.tensor import Tensor


def _plain_index(index: Any) -> tuple[tuple[Any, ...], bool]:
    """An index as a tuple for NumPy, and whether it is a slice: without arrays of integers or masks.

    Raises
    ------
    IndexError, ValueError, TypeError
        If something cannot be an index.
    """
    parts = []
    is_slice = True
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, Tensor):
            part = part.array
        if isinstance(part, list | range):
            part = np.asarray([p.array if isinstance(p, Tensor) else p for p in part])
            part = part.astype(np.int64) if part.size == 0 else part
        if isinstance(part, slice):
            part = _plain_slice(part)
        elif isinstance(part, bool | np.bool_):
            part, is_slice = np.asarray(bool(part)), False
        elif isinstance(part, np.ndarray):
            if part.dtype.kind not in "iub":
                raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, not {part.dtype}")
            if part.ndim == 0 and part.dtype.kind != "b":
                part = int(part)
            else:
                part = part.astype(bool) if part.dtype == np.uint8 else part
                is_slice = False
        elif isinstance(part, int | np.integer):
            part = int(part)
        elif part is not None and part is not Ellipsis:
            raise TypeError(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
                f"{type(part).__name__})"
            )
        parts.append(part)
    return tuple(parts), is_slice


def _plain_slice(part: slice) -> slice:
    bounds = [None if b is None else int(b) for b in (part.start, part.stop, part.step)]
    if bounds[2] is not None and bounds[2] <= 0:
        raise ValueError("step must be greater than zero")
    return slice(*bounds)


def _explained(error: Exception, input: Tensor, place: tuple[Any, ...]) -> Exception:
    words = str(error)
    if "too many indices" in words:
        return IndexError(f"too many indices for tensor of dimension {input.ndim}")
    if "boolean index" in words:
        masks = [list(part.shape) for part in place if isinstance(part, np.ndarray) and part.dtype.kind == "b"]
        return IndexError(
            f"The shape of the mask {masks[0]} does not match the shape of the indexed tensor {list(input.shape)}: {words}"
        )
    if "broadcast" in words:
        return IndexError(f"shape mismatch: indexing tensors could not be broadcast together: {words}")
    return IndexError(f"{words} (the indexed tensor has the shape {list(input.shape)})")


def getitem(input: Tensor, index: Any) -> Tensor:
    """``input[index]``: a view for integers and slices, a copy for tensors of integers and masks.

    Raises
    ------
    IndexError
        If the index does not fit the shape.
    """
    place, is_slice = _plain_index(index)
    try:
        if is_slice:
            return _view(input, lambda t: ops.SliceOf.apply(t, place))
        chosen, place = _integers_first(input, place)
        return ops.Take.apply(chosen, place)
    except (IndexError, ValueError) as error:
        raise _explained(error, input, place) from error


def _integers_first(input: Tensor, place: tuple[Any, ...]) -> tuple[Tensor, tuple[Any, ...]]:
    """The view at the plain integers of an index, and what is left of the index.

    NumPy counts an integer beside an array as an array too, which moves its axis to the front in ``x[0, :, array]``; for
    PyTorch this is ``x[0][:, array]``.
    """
    if not any(isinstance(part, int) for part in place):
        return input, place
    first: list[Any] = []
    for part in place:
        if isinstance(part, np.ndarray):
            first += [slice(None)] * (part.ndim if part.dtype.kind == "b" else 1)
        else:
            first.append(part)
    then = [
        slice(None) if part is None or isinstance(part, slice) else part for part in place if not isinstance(part, int)
    ]
    return getitem(input, tuple(first)), tuple(then)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """``input[index] = value``, recorded if the one or the other requires a gradient."""
    from minimal.autograd.in_place import assign, change

    place, is_slice = _plain_index(index)
    if is_slice:
        assign(getitem(input, index), value, broadcast=True)
        return
    values = value if isinstance(value, Tensor) else _filling(value, input.dtype)
    chosen, place = _integers_first(input, place)
    change(chosen, lambda t: index_put(t, place, values))


def _filling(value: Any, dtype: np.dtype) -> Tensor:
    """A number (or an array of them) in a dtype that it must fit; a fraction is cut off, and -1 is 255 in uint8.

    Raises
    ------
    RuntimeError
        If it does not fit.
    """
    number = np.asarray(value)
    if dtype.kind in "iu" and number.ndim == 0:
        limits = np.iinfo(dtype)
        lowest = -limits.max if dtype.kind == "u" and number.dtype.kind != "f" else limits.min
        if not lowest <= number <= limits.max:
            raise RuntimeError(f"value cannot be converted to type {dtype} without overflow: {value}")
    return Tensor(number.astype(dtype))


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with ``values`` at ``indices`` (added there, if asked).  Source: torch.index_put, 2.13.0."""
    place, _ = _plain_index(tuple(indices))
    try:
        return ops.Put.apply(input, values.to(input.dtype), place, accumulate)
    except (IndexError, ValueError) as error:
        if "could not be broadcast" in str(error) or "shape mismatch" in str(error) or "cannot assign" in str(error):
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of shape "
                f"{list(input.array[place].shape)}"
            ) from error
        raise _explained(error, input, place) from error


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The entries at ``index`` along a dimension.  Source: torch.index_select, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.array.dtype.kind not in "iu":
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    at = index.array.reshape(-1)
    if input.ndim == 0:
        return input.reshape(1)[Tensor(at)].reshape(())
    if at.size and (at.min() < 0 or at.max() >= input.shape[axis]):
        raise IndexError("index out of range in self")
    return ops.Take.apply(input, (slice(None),) * axis + (at,))


def _check_gather(input: Tensor, axis: int, index: Tensor, name: str, source: Tensor | None = None) -> None:
    if index.array.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    if index.ndim != input.ndim and index.array.size and (index.ndim or 1) != (input.ndim or 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {'self' if source else 'input'} tensor"
        )
    for i, n in enumerate(index.shape):
        too_large = i != axis and i < input.ndim and n > input.shape[i]
        if too_large or (source is not None and source.ndim and n > source.shape[i]):
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {axis}"
                + (f" and src {list(source.shape)}" if source else "")
            )
    n = input.shape[axis] if input.ndim else 1
    if index.array.size and (index.array.min() < 0 or index.array.max() >= n):
        raise RuntimeError(f"index out of bounds for dimension {axis} with size {n}")


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """out[i][j] = x[index[i][j]][j] for dim 0, and so on.  Source: torch.gather, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    _check_gather(input, axis, index, "gather")
    if input.ndim == 0:
        return input.reshape(1)[index.reshape(-1)].reshape(index.shape)
    return ops.Take.apply(input, ops.along(index.array, axis))


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As ``gather``, broadcast in the other dimensions; without ``dim``, of one long row.

    Source: torch.take_along_dim, 2.13.0.
    """
    if dim is None:
        return input.reshape(-1)[indices.reshape(-1)].reshape(indices.shape)
    axis = axis_in(dim, input.ndim)
    shape = list(np.broadcast_shapes(*[(*s[:axis], 1, *s[axis + 1 :]) for s in (input.shape, indices.shape)]))
    source = input.expand(*shape[:axis], input.shape[axis], *shape[axis + 1 :])
    index = indices.expand(*shape[:axis], indices.shape[axis], *shape[axis + 1 :])
    return gather(source, axis, index)


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy of x in which out[index[i][j]][j] = src[i][j] for dim 0, and so on.  Source: torch.scatter, 2.13.0.

    Differs from the reference when an index comes several times and a gradient is asked for: PyTorch calls that undefined.
    """
    axis = axis_in(dim, input.ndim)
    if src is None:
        src = value
    if reduce is not None:
        if reduce != "add":
            raise RuntimeError("reduce argument must be 'add' here: for products use scatter_reduce of PyTorch")
        if not isinstance(src, Tensor):
            src = Tensor(np.full(index.shape, src, dtype=input.dtype))
        return scatter_add(input, dim, index, src)
    source = src if isinstance(src, Tensor) else None
    _check_gather(input, axis, index, "scatter", source)
    if source is not None and source.dtype != input.dtype:
        raise RuntimeError(f"scatter(): Expected self.dtype to be equal to src.dtype: {input.dtype} and {source.dtype}")
    values = _filling(src, input.dtype) if source is None else _corner(source, index.shape)
    return ops.Put.apply(input, values, ops.along(index.array, axis))


def _corner(source: Tensor, shape: tuple[int, ...]) -> Tensor:
    return source if source.shape == shape else source[tuple([slice(n) for n in shape])]


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of x with src[i][j] added to out[index[i][j]][j] for dim 0, and so on.  Source: torch.scatter_add, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    _check_gather(input, axis, index, "scatter", src)
    if src.dtype != input.dtype:
        raise RuntimeError(f"scatter(): Expected self.dtype to be equal to src.dtype: {input.dtype} and {src.dtype}")
    return ops.Put.apply(input, _corner(src, index.shape), ops.along(index.array, axis), True)


def _check_entries(input: Tensor, axis: int, index: Tensor, source: Tensor, name: str) -> None:
    """Refuse entries that do not fit, before anything is changed."""
    if index.ndim > 1 or index.array.dtype.kind not in "iu":
        raise IndexError(
            f"{name}: Index is supposed to be a vector of int32 or int64, not {index.dtype} of {index.shape}"
        )
    if source.dtype != input.dtype:
        raise RuntimeError(f"{name}: self ({input.dtype}) and source ({source.dtype}) must have the same scalar type")
    shape, given = list(input.shape), list(source.shape)
    n, size = (s[axis] if s else 1 for s in (shape, given))
    if len(shape) != len(given) or shape[:axis] + shape[axis + 1 :] != given[:axis] + given[axis + 1 :]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{shape} source.shape = {given}"
        )
    if index.array.size != size:
        error = IndexError if name == "index_copy_" else RuntimeError
        raise error(
            f"{name}: Number of indices ({index.array.size}) should be equal to source.size(dim): ({size}), for dim: {axis}"
        )
    if index.array.size and (index.array.min() < 0 or index.array.max() >= n):
        raise IndexError(f"index out of range in self: dimension {axis} has size {n}, the indices are {index.array}")


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy of x with alpha times the entries of ``source`` added at ``index`` along a dimension.

    Source: torch.index_add, 2.13.0.
    """
    axis = axis_in(dim, input.ndim)
    _check_entries(input, axis, index, source, "index_add_")
    scaled = source if alpha == 1 else source * alpha
    return ops.Put.apply(input, scaled, (slice(None),) * axis + (index.array,), True)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of x with the entries of ``source`` at ``index`` along a dimension.  Source: torch.index_copy, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    _check_entries(input, axis, index, source, "index_copy_")
    return ops.Put.apply(input, source, (slice(None),) * axis + (index.array,))


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of x with one value at ``index`` along a dimension.  Source: torch.index_fill, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    values = value.to(input.dtype) if isinstance(value, Tensor) else _filling(value, input.dtype)
    n = input.shape[axis] if input.ndim else 1
    if index.array.size and (index.array.min() < -n or index.array.max() >= n):
        raise IndexError(f"index out of bounds for dimension {axis} with size {n}: {index.array}")
    if input.ndim == 0:
        return index_fill(input.reshape(1), 0, index, value).reshape(())
    return ops.Put.apply(input, values, (slice(None),) * axis + (index.array,))


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask holds, in one row.  Source: torch.masked_select, 2.13.0."""
    if mask.array.dtype.kind != "b":
        raise RuntimeError(f"masked_select: expected BoolTensor for mask, not {mask.dtype}")
    shape = np.broadcast_shapes(input.shape, mask.shape)
    return ops.Take.apply(input.expand(*shape), (np.broadcast_to(mask.array, shape),))


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy with ``value`` where the mask holds.  Source: torch.masked_fill, 2.13.0."""
    from minimal.autograd.operations.elementwise import Where

    if mask.array.dtype.kind != "b":
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype}")
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    filling = value.to(input.dtype) if isinstance(value, Tensor) else _filling(value, input.dtype)
    return Where.apply(mask, filling, input)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy whose elements where the mask holds come from ``source``, in order.  Source: torch.masked_scatter, 2.13.0."""
    place = np.broadcast_to(mask.array, input.shape)
    n = int(place.sum())
    if source.array.size < n:
        raise RuntimeError(f"masked_scatter: expected self and source to have enough elements: {n} needed")
    return ops.Put.apply(input, source.reshape(-1)[:n], (place,))


def _with_part(input: Tensor, place: tuple[Any, ...], src: Tensor) -> Tensor:
    """A copy in which ``src`` stands at a place of its shape."""
    shape = input.array[place].shape
    if src.shape != shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. "
            f"src size = {list(src.shape)}, slice size = {list(shape)}"
        )
    return ops.Put.apply(input, src.to(input.dtype), place)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy with ``src`` at ``index`` along a dimension.  Source: torch.select_scatter, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    if not -input.shape[axis] <= index < input.shape[axis]:
        raise IndexError(f"select_scatter(): index {index} out of range for dimension {axis} of {list(input.shape)}")
    return _with_part(input, (slice(None),) * axis + (index,), src)


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy with ``src`` at a slice of a dimension.  Source: torch.slice_scatter, 2.13.0."""
    axis = axis_in(dim, input.ndim)
    return _with_part(input, (slice(None),) * axis + (_plain_slice(slice(start, end, step)),), src)


def fill_diagonal(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """A copy with one value on the main diagonal; ``wrap`` begins it again below.  As torch.Tensor.fill_diagonal_, 2.13.0."""
    if input.ndim < 2:
        raise RuntimeError(f"dimensions must larger than 1, not {input.ndim}")
    if input.ndim > 2 and len(set(input.shape)) > 1:
        raise RuntimeError(f"all dimensions of input must be of equal length, not {list(input.shape)}")
    n = min(input.shape)
    rows = np.arange(n)
    if wrap and input.ndim == 2:
        rows = np.arange(input.shape[0])
        rows = rows[rows % (n + 1) != n]
    columns = rows % (n + 1) if wrap and input.ndim == 2 else rows
    return ops.Put.apply(input, _filling(fill_value, input.dtype), (rows, *[columns] * (input.ndim - 1)))


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements of x, as one long row, at ``index``.  Source: torch.take, 2.13.0."""
    return input.reshape(-1)[index]


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero.  Source: torch.nonzero, 2.13.0."""
    if as_tuple:
        return tuple([Tensor(i) for i in np.nonzero(input.array)])
    return Tensor(np.argwhere(input.array))
