"""Products of matrices and vectors under PyTorch's names."""

from __future__ import annotations

from functools import reduce
from typing import Any

from minimal.autograd import dtypes
from minimal.autograd.functions.elementwise import add, mul
from minimal.autograd.functions.shapes import axis_in, broadcast_shapes, expand
from minimal.autograd.operation import shape_error
from minimal.autograd.operations import linear_algebra as ops
from minimal.autograd.operations.elementwise import Fill
from minimal.autograd.tensor import Tensor


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product: of vectors, matrices, and stacks of matrices that broadcast.  Source: torch.matmul, 2.13.0.

    Raises
    ------
    RuntimeError
        If the inner sizes differ, or the dtypes do.
    """
    x, y = input, other
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
        raise TypeError(f"matmul takes two Tensors, not {type(x).__name__} and {type(y).__name__}")
    if x.ndim == 0 or y.ndim == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {x.ndim}D and {y.ndim}D")
    rows = x.unsqueeze(0) if x.ndim == 1 else x
    columns = y.unsqueeze(1) if y.ndim == 1 else y
    out = _product(rows, columns, x, y)
    if x.ndim == 1:
        out = out.squeeze(-2)
    return out.squeeze(-1) if y.ndim == 1 else out


def _product(rows: Tensor, columns: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The product of (stacks of) matrices; errors speak of x and y, which they were made from."""
    if x.dtype != y.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {x.dtype} != {y.dtype}")
    if x.array.dtype.kind == "b":
        raise NotImplementedError('"addmm_impl_cpu_" not implemented for bool: convert to a dtype of numbers')
    if rows.shape[-1] != columns.shape[-2]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({_words(x.shape)} and {_words(y.shape)}): the inner sizes "
            f"{rows.shape[-1]} and {columns.shape[-2]} differ"
        )
    try:
        return ops.MatMul.apply(rows, columns)
    except ValueError as error:
        stacks = shape_error(x.shape[:-2], y.shape[:-2])
        raise RuntimeError(
            f"{stacks} They are the stacks of matrices in {list(x.shape)} and {list(y.shape)}."
        ) from error


def _words(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices.  Source: torch.mm, 2.13.0."""
    if input.ndim != 2 or mat2.ndim != 2:
        which = "self" if input.ndim != 2 else "mat2"
        raise RuntimeError(
            f"{which} must be a matrix: mm takes {list(input.shape)} and {list(mat2.shape)} for matrices"
        )
    return _product(input, mat2, input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two stacks of matrices, one by one.  Source: torch.bmm, 2.13.0."""
    for which, stack in (("batch1", input), ("batch2", mat2)):
        if stack.ndim != 3:
            raise RuntimeError(f"{which} must be a 3D tensor, not of shape {list(stack.shape)}")
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.shape[0]}, {input.shape[2]}] but got: "
            f"[{mat2.shape[0]}, {mat2.shape[1]}]: shapes {list(input.shape)} and {list(mat2.shape)}."
        )
    return _product(input, mat2, input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector.  Source: torch.mv, 2.13.0."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {vec.ndim}, {input.ndim}, {vec.ndim}")
    if input.shape[1] != vec.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({input.shape[0]}), mat ({_words(input.shape)}), vec ({len(vec)})"
        )
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors.  Source: torch.dot, 2.13.0."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.dtype != tensor.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {input.dtype} and {tensor.dtype}"
        )
    if input.shape != tensor.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{len(input)}] and src [{len(tensor)}] to have the same number of "
            f"elements, but got {len(input)} and {len(tensor)} elements respectively"
        )
    return matmul(input, tensor)


vdot = dot


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """out[i, j] = x[i] y[j].  Source: torch.outer, 2.13.0."""
    for which, vector in (("self", input), ("vec2", vec2)):
        if vector.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {which}, but got {vector.ndim}-D")
    return mul(input.unsqueeze(1), vec2)


ger = outer


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sums of products along the last dimension of both.  Source: torch.inner, 2.13.0."""
    if input.ndim == 0 or other.ndim == 0:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    n = input.shape[-1]
    flat = _product(_rows(input, n), _rows(other, n).transpose(0, 1), input, other)
    return flat.reshape(*input.shape[:-1], *other.shape[:-1])


def _rows(x: Tensor, n: int) -> Tensor:
    return x.reshape(x.array.size // max(n, 1) if n else _count(x.shape[:-1]), n)


def _count(shape: tuple[int, ...]) -> int:
    return reduce(lambda a, b: a * b, shape, 1)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """Each element of x times the whole of y, side by side.  Source: torch.kron, 2.13.0."""
    n = max(input.ndim, other.ndim)
    x, y = ((1,) * (n - t.ndim) + t.shape for t in (input, other))
    spread = mul(
        input.reshape([s for size in x for s in (size, 1)]), other.reshape([s for size in y for s in (1, size)])
    )
    return spread.reshape([a * b for a, b in zip(x, y)])


# ---------------------------------------------------------------- a product added to something


def _added(input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """beta input + alpha product; with beta = 0, not even NaN comes through from ``input``.

    Among whole numbers, beta and alpha lose their fractions.
    """
    if input.array.dtype.kind != "f":
        beta, alpha = int(beta), int(alpha)
    if input.dtype != product.dtype:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {input.dtype} and {product.dtype}")
    start = expand(input, product.shape)
    scaled = product if alpha == 1 else mul(product, alpha)
    if beta == 0:
        return add(Fill.apply(start, 0), scaled)
    return add(start if beta == 1 else mul(start, beta), scaled)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha (mat1 mat2).  Source: torch.addmm, 2.13.0."""
    return _added(input, mm(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha (mat vec).  Source: torch.addmv, 2.13.0."""
    return _added(input, mv(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha (the outer product of vec1 and vec2).  Source: torch.addr, 2.13.0."""
    for name, number in (("beta", beta), ("alpha", alpha)):
        if isinstance(number, float) and input.array.dtype.kind != "f":
            raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")
    return _added(input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha (batch1 batch2), for each of a stack.  Source: torch.baddbmm, 2.13.0."""
    return _added(input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta input + alpha (the sum of the products of a stack).  Source: torch.addbmm, 2.13.0."""
    return _added(input, bmm(batch1, batch2).sum(0), beta, alpha)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices, from left to right.  Source: torch.chain_matmul, 2.13.0.

    Differs from the reference in the order of the products, which PyTorch chooses by their cost.
    """
    return reduce(mm, matrices)


# ---------------------------------------------------------------- geometry


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """x cross y, at right angles to both, along a dimension of size 3 (default: the first that has it).

    Source: torch.cross, 2.13.0.
    """
    if input.ndim != other.ndim:
        raise RuntimeError(
            "linalg.cross: inputs must have the same number of dimensions: shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    shape = broadcast_shapes(input.shape, other.shape)
    if dim is None:
        if 3 not in shape:
            raise RuntimeError(f"no dimension of size 3 in input: the shape is {list(shape)}")
        dim = shape.index(3)
    axis = axis_in(dim, len(shape))
    if input.shape[axis] != 3 or other.shape[axis] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[axis]} and {other.shape[axis]}"
        )
    # out_i = x_(i+1) y_(i+2) - x_(i+2) y_(i+1), indices counted round
    next_x, next_y = input.roll(-1, axis), other.roll(-1, axis)
    last_x, last_y = input.roll(1, axis), other.roll(1, axis)
    return next_x * last_y - last_x * next_y


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: Any = None) -> Tensor:
    """The p-norm distance of each row of x1 from each row of x2.  Source: torch.cdist, 2.13.0."""
    if x1.ndim < 2 or x2.ndim < 2:
        raise RuntimeError(f"cdist only supports at least 2D tensors, not {x1.ndim}D and {x2.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    dtype = dtypes.promote_types(x1.dtype, x2.dtype)
    differences = x1.to(dtype).unsqueeze(-2) - x2.to(dtype).unsqueeze(-3)
    return differences.norm(p, -1)
