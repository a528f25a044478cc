"""Sums of products over indices that a line of text, or a list of dimensions, names: einsum and tensordot."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from minimal.autograd import dtypes
from minimal.autograd.functions.shapes import axis_in
from minimal.autograd.operations import linear_algebra as ops
from minimal.autograd.tensor import Tensor

LETTERS = string.ascii_uppercase + string.ascii_lowercase


def einsum(equation: Any, *operands: Any) -> Tensor:
    """The sum of products over all indices that the result does not have.

    ``"ij,jk->ik"`` is a product of matrices: out[i, k] = sum_j x[i, j] y[j, k].  ``"ii->i"`` is a diagonal, and
    ``"...ij->...ji"`` a transpose of each of a stack.  Without an arrow the result has the indices that come once, in
    alphabetical order.

    Parameters
    ----------
    equation : str
        The indices of each operand, one letter a dimension, ``...`` for any number of further ones, which broadcast.
    *operands : Tensor
        Also instead of an equation: operand, list of index numbers, operand, list, ..., list of the result.

    Raises
    ------
    RuntimeError
        If the equation cannot be read, or does not go with the shapes.

    Source: torch.einsum, 2.13.0.
    """
    if isinstance(equation, Tensor):
        equation, operands = _from_lists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    if not operands:
        raise ValueError("einsum(): must specify the equation string and at least one operand")
    return _contract(equation.replace(" ", ""), operands)


def _from_lists(args: tuple[Any, ...]) -> tuple[str, tuple[Tensor, ...]]:
    """The equation for operands that come each with a list of index numbers."""

    def word(indices: Sequence[Any]) -> str:
        return "".join(["..." if i is Ellipsis else LETTERS[int(i)] for i in indices])

    operands = args[0 : len(args) - len(args) % 2 : 2]
    equation = ",".join([word(indices) for indices in args[1 : len(args) - len(args) % 2 : 2]])
    return equation + (f"->{word(args[-1])}" if len(args) % 2 else ""), operands


def _contract(equation: str, operands: tuple[Tensor, ...]) -> Tensor:
    left, arrow, right = equation.partition("->")
    words = left.split(",")
    if len(words) != len(operands):
        which = "fewer" if len(operands) < len(words) else "more"
        raise RuntimeError(f"einsum(): {which} operands were provided than specified in the equation")
    _refuse_mixed(operands)
    for k, word in enumerate(words):
        _check(word, f"operand {k}")
    # The dimensions under "..." get letters that nobody else has, counted from the last.
    hidden = [x.ndim - len(word.replace("...", "")) for word, x in zip(words, operands)]
    for k, (word, n, x) in enumerate(zip(words, hidden, operands)):
        if n < 0 or (n and "..." not in word):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(word.replace('...', ''))}) does not match the "
                f"number of dimensions ({x.ndim}) for operand {k}{'' if '...' in word else ' and no ellipsis was given'}"
            )
    most = max(n if "..." in word else 0 for word, n in zip(words, hidden))
    spare = [letter for letter in LETTERS if letter not in equation][:most]
    full = [word.replace("...", "".join(spare[most - n :])) for word, n in zip(words, hidden)]
    if arrow:
        out = _output(right, left, "".join(spare))
    else:
        once = [letter for letter in LETTERS if letter not in spare and left.count(letter) == 1]
        out = "".join(spare) + "".join(once)
    pairs = [_without_repeats(word, x, k) for k, (word, x) in enumerate(zip(full, operands))]
    pairs, sizes = _fitted(pairs)
    indices, tensors = zip(*pairs)
    if tensors[0].array.dtype.kind != "f" and _sums_alone(indices, out):
        tensors = tuple([x.to(dtypes.INT64) for x in tensors])
    result = ops.Einsum.apply(*tensors, *indices, "".join([letter for letter in out if letter in "".join(indices)]))
    return result.reshape([sizes[letter] for letter in out])


def _sums_alone(indices: Sequence[str], out: str) -> bool:
    """Whether some operand has an index that nobody else has, over which it is summed: in int64 for whole numbers."""
    return any("".join([*indices, out]).count(letter) == 1 for letter in "".join(indices))


def _refuse_mixed(operands: tuple[Tensor, ...]) -> None:
    for x in operands[1:]:
        if x.dtype != operands[0].dtype:
            raise RuntimeError(f"expected scalar type {operands[0].dtype} but found {x.dtype}")


def _check(word: str, whose: str) -> None:
    """Refuse what is neither a letter nor one ellipsis."""
    rest = word.replace("...", "", 1)
    if "..." in rest or ("." in rest and "..." in word):
        raise RuntimeError(f"einsum(): found '.' for {whose} for which an ellipsis was already found")
    if "." in rest:
        raise RuntimeError(f"einsum(): found '.' for {whose} that is not part of any ellipsis")
    for letter in rest:
        if letter not in LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given for {whose}: {letter!r}; subscripts must be in [a-zA-Z]"
            )


def _output(right: str, left: str, spare: str) -> str:
    _check(right, "the output")
    for letter in right.replace("...", ""):
        if right.count(letter) > 1:
            raise RuntimeError(f"einsum(): output subscript {letter} appears more than once in the output")
        if letter not in left:
            raise RuntimeError(
                f"einsum(): output subscript {letter} does not appear in the equation for any input operand"
            )
    return right.replace("...", spare)


def _without_repeats(word: str, x: Tensor, k: int) -> tuple[str, Tensor]:
    """An index that comes twice takes the diagonal."""
    for letter in dict.fromkeys(word):
        while word.count(letter) > 1:
            first = word.index(letter)
            second = word.index(letter, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {letter} is repeated for operand {k} but the sizes don't match, "
                    f"{x.shape[second]} != {x.shape[first]}"
                )
            x = x.diagonal(0, first, second)
            word = word[:first] + word[first + 1 : second] + word[second + 1 :] + letter
    return word, x


def _fitted(pairs: list[tuple[str, Tensor]]) -> tuple[list[tuple[str, Tensor]], dict[str, int]]:
    """The size of each index, and the operands without the dimensions of size 1 that another one stretches."""
    sizes: dict[str, int] = {}
    for k, (word, x) in enumerate(pairs):
        for letter, n in zip(word, x.shape):
            known = sizes.get(letter, 1)
            if n != known and n != 1 and known != 1:
                raise RuntimeError(
                    f"einsum(): subscript {letter} has size {n} for operand {k} which does not broadcast with previously "
                    f"seen size {known}"
                )
            sizes[letter] = n if known == 1 else known
    fitted = []
    for word, x in pairs:
        kept = [i for i, letter in enumerate(word) if x.shape[i] == sizes[letter]]
        if len(kept) < len(word):
            x = x.reshape([x.shape[i] for i in kept])
        fitted.append(("".join([word[i] for i in kept]), x))
    return fitted, sizes


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sum of products over dimensions of both.

    Parameters
    ----------
    a, b : Tensor
    dims : int, or pair of sequences of int, default=2
        The last ``dims`` of a with the first of b; or which of a with which of b.

    Raises
    ------
    RuntimeError
        If the dimensions do not match.

    Source: torch.tensordot, 2.13.0.
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        of_a, of_b = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        of_a, of_b = ([axis_in(d, t.ndim) for d in _listed(side)] for side, t in zip(dims, (a, b)))
    if len(of_a) != len(of_b):
        raise RuntimeError("both dimension lists should have same length")
    if a.dtype != b.dtype:
        raise RuntimeError(f"both inputs should have same dtype: {a.dtype} and {b.dtype}")
    for i, j in zip(of_a, of_b):
        if a.shape[i] == 1 and b.shape[j] != 1:  # stretched: what it meets may be added up before
            b = b.sum(j, keepdim=True)
        elif b.shape[j] == 1 and a.shape[i] != 1:
            a = a.sum(i, keepdim=True)
        elif a.shape[i] != b.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} and second has size "
                f"{b.shape[j]} in dim {j}"
            )
    free_a, free_b = ([i for i in range(t.ndim) if i not in used] for t, used in ((a, of_a), (b, of_b)))
    inner = math.prod([a.shape[i] for i in of_a])
    rows = a.permute(*free_a, *of_a).reshape(math.prod([a.shape[i] for i in free_a]), inner)
    columns = b.permute(*of_b, *free_b).reshape(inner, math.prod([b.shape[j] for j in free_b]))
    out = ops.MatMul.apply(rows, columns)
    return out.reshape([*(a.shape[i] for i in free_a), *(b.shape[j] for j in free_b)])


def _listed(dims: Any) -> Sequence[int]:
    return [dims] if isinstance(dims, int) else dims
