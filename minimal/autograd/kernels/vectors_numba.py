"""Tiles: blocks of sums that stay in the processor's registers while numbers stream by.  A page that you may skip.

A matrix product has two multiplications to do for every number that it reads, if it does them one by one; the processor
could do dozens in that time.  So fast kernels cut the result into small tiles and finish one tile at a time: with 6 rows of
16 sums in registers, a step reads 6 numbers of the one matrix and 16 of the other, and does 6 x 16 multiplications.

``add_products`` takes such steps.  In plain loops, with ``starts`` saying where each row begins to read::

    for k in range(count):
        for i in range(rows):
            for j in range(lanes):
                tile[i, j] += a[starts[first + i] + shift + reads[k]] * b[row + k * step + j]

A compiler does not find this by itself, so each function here says directly which vector instructions it stands for.  What
the host can do (how wide a register is, and how many there are) decides the size of a tile.  Arrays are one-dimensional
and C-contiguous; all positions count numbers, not bytes.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numpy.typing import DTypeLike

from minimal.cluster.lanes_numba import Lanes

_HOST = {name for name, has in llvm.get_host_cpu_features().items() if has}
_IS_ARM = llvm.get_default_triple().startswith(("aarch64", "arm64"))
HAS_VECTORS = _IS_ARM or {"avx2", "fma"} <= _HOST  # else a matrix product of the BLAS library is the faster way
_REGISTER = 64 if "avx512f" in _HOST else 32 if "avx2" in _HOST else 16  # bytes
_IS_LARGE = _IS_ARM or "avx512f" in _HOST  # 32 registers, else 16

ROWS = 12 if _IS_LARGE else 6  # of a tile, each two registers wide: what remains holds the factors
WINDOWS = 3 if _IS_LARGE else 1  # of four rows each, in a tile that is pooled
LINE_BYTES = 64  # in a piece of a line
LINE = 24 * _REGISTER // LINE_BYTES if _IS_LARGE else 6 * _REGISTER // 32  # pieces in the longest line


LANES = 2 * _REGISTER  # bytes in a row of a tile


def lanes(dtype: DTypeLike) -> int:
    """How many numbers a row of a tile holds."""
    return LANES // np.dtype(dtype).itemsize


# ---------------------------------------------------------------- the words of the language


intrinsic: Any = extending.intrinsic(prefer_literal=True)  # what it makes is called with the arguments after the first


def _row_type(array: Any, bytes_: int = LANES) -> Lanes:
    return Lanes(array.dtype, bytes_ // (array.dtype.bitwidth // 8))


class _Memory:
    """An array inside generated code: numbers and lanes at a position, read and written."""

    def __init__(self, context: Any, builder: Any, type_: Any, value: Any) -> None:
        self.builder, self.align = builder, type_.dtype.bitwidth // 8
        self.data = cgutils.create_struct_proxy(type_)(context, builder, value=value).data

    def place(self, *positions: Any) -> Any:
        total = positions[0]
        for position in positions[1:]:
            total = self.builder.add(total, position)
        return self.builder.gep(self.data, [total])

    def number(self, *positions: Any) -> Any:
        return self.builder.load(self.place(*positions))

    def lanes(self, vector: Any, *positions: Any) -> Any:
        place = self.builder.bitcast(self.place(*positions), vector.as_pointer())
        return self.builder.load(place, align=self.align)

    def write(self, vector: Any, *positions: Any) -> None:
        place = self.builder.bitcast(self.place(*positions), vector.type.as_pointer())
        self.builder.store(vector, place, align=self.align)


def _integer(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def _spread(builder: Any, number: Any, vector: Any) -> Any:
    """One number in all lanes."""
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def _multiply_add(builder: Any, a: Any, b: Any, total: Any) -> Any:
    """a * b + total, rounded once."""
    bits = 32 if isinstance(a.type.element, ir.FloatType) else 64
    name = f"llvm.fma.v{a.type.count}f{bits}"
    fused = cgutils.get_or_insert_function(builder.module, ir.FunctionType(a.type, [a.type] * 3), name)
    return builder.call(fused, [a, b, total])


# ---------------------------------------------------------------- tiles whose rows lie anywhere


@intrinsic
def repeat(typingctx, rows, a, position):
    """A tile whose rows are all a[position : position + lanes]; ``rows`` is a constant."""
    row = _row_type(a)
    tile = types.UniTuple(row, rows.literal_value)

    def codegen(context, builder, signature, args):
        vector = _Memory(context, builder, a, args[1]).lanes(context.get_value_type(row), args[2])
        return context.make_tuple(builder, tile, [vector] * tile.count)

    return tile(rows, a, types.intp), codegen


@intrinsic
def load(typingctx, rows, a, starts, first, shift):
    """The tile with tile[i, j] = a[starts[first + i] + shift + j]; ``rows`` is a constant."""
    row = _row_type(a)
    tile = types.UniTuple(row, rows.literal_value)

    def codegen(context, builder, signature, args):
        source, table = _Memory(context, builder, a, args[1]), _Memory(context, builder, starts, args[2])
        vectors = []
        for i in range(tile.count):
            start = table.number(args[3], _integer(i))
            vectors.append(source.lanes(context.get_value_type(row), start, args[4]))
        return context.make_tuple(builder, tile, vectors)

    return tile(rows, a, starts, types.intp, types.intp), codegen


@intrinsic
def store(typingctx, tile, a, starts, first, shift):
    """a[starts[first + i] + shift + j] = tile[i, j]."""

    def codegen(context, builder, signature, args):
        target, table = _Memory(context, builder, a, args[1]), _Memory(context, builder, starts, args[2])
        for i in range(tile.count):
            start = table.number(args[3], _integer(i))
            target.write(builder.extract_value(args[0], i), start, args[4])
        return context.get_dummy_value()

    return types.void(tile, a, starts, types.intp, types.intp), codegen


@intrinsic
def add_products(typingctx, tile, a, starts, first, shift, reads, count, b, row, step):
    """The tile plus the sum over k < count of a[starts[first + i] + shift + reads[k]] * b[row + k * step + j]."""

    def codegen(context, builder, signature, args):
        sums, left, table, first, shift, steps, count, right, row, step = args
        left, right = _Memory(context, builder, a, left), _Memory(context, builder, b, right)
        table, steps = _Memory(context, builder, starts, table), _Memory(context, builder, reads, steps)
        vector = context.get_value_type(tile.dtype)
        begins = [builder.add(table.number(first, _integer(i)), shift) for i in range(tile.count)]
        before = [builder.extract_value(sums, i) for i in range(tile.count)]

        def body(k: Any, row: Any, totals: list[Any]) -> list[Any]:
            read, factors = steps.number(k), right.lanes(vector, row)
            numbers = [_spread(builder, left.number(begin, read), vector) for begin in begins]
            return [_multiply_add(builder, number, factors, total) for number, total in zip(numbers, totals)]

        return context.make_tuple(builder, tile, _loop(builder, count, row, step, before, body))

    return tile(tile, a, starts, types.intp, types.intp, reads, types.intp, b, types.intp, types.intp), codegen


def _loop(builder: Any, count: Any, row: Any, step: Any, values: list[Any], body: Any) -> list[Any]:
    """``for k in range(count): values = body(k, row, values); row += step``, and the compiler must not unroll it.

    It would begin the next rounds early, and for their numbers there are no registers left.
    """
    before = builder.block
    inside, after = builder.append_basic_block("tile"), builder.append_basic_block("tile_done")
    builder.cbranch(builder.icmp_signed(">", count, _integer(0)), inside, after)
    builder.position_at_end(inside)
    k, at, *totals = (builder.phi(value.type) for value in (count, row, *values))
    results = body(k, at, totals)
    for phi, begin, following in zip(
        (k, at, *totals), (_integer(0), row, *values), (builder.add(k, _integer(1)), builder.add(at, step), *results)
    ):
        phi.add_incoming(begin, before)
        phi.add_incoming(following, builder.block)
    rounds = builder.cbranch(builder.icmp_signed("<", builder.add(k, _integer(1)), count), inside, after)
    rule = builder.module.add_metadata([ir.MetaDataString(builder.module, "llvm.loop.unroll.disable")])
    name = builder.module.add_metadata([rule, rule])
    name.operands = (name, rule)  # how LLVM tells loops apart: a node that names itself
    rounds.set_metadata("llvm.loop", name)
    builder.position_at_end(after)
    ends = []
    for value, result in zip(values, results):
        ends.append(builder.phi(value.type))
        ends[-1].add_incoming(value, before)
        ends[-1].add_incoming(result, inside)
    return ends


@intrinsic
def store_largest(typingctx, tile, values, places, starts, first, shift):
    """Relu, and the largest of each four rows: window i goes to ``starts[first + i] + shift`` of both arrays.

    ``values`` gets max(rows, 0); ``places``, of int8, the number of the row that it came from, 4 if it is not above zero.
    Of equal rows the first counts, of NaN the last.
    """

    def codegen(context, builder, signature, args):
        value_memory, place_memory = (
            _Memory(context, builder, values, args[1]),
            _Memory(context, builder, places, args[2]),
        )
        table = _Memory(context, builder, starts, args[3])
        count, bits = tile.dtype.count, tile.dtype.dtype.bitwidth
        wide = ir.VectorType(ir.IntType(bits), count)

        def every(n: int) -> Any:
            return ir.Constant(wide, [n] * count)

        for i in range(tile.count // 4):
            largest, place = builder.extract_value(args[0], 4 * i), every(0)
            for k in range(1, 4):
                row = builder.extract_value(args[0], 4 * i + k)
                is_better = builder.or_(
                    builder.fcmp_ordered(">", row, largest), builder.fcmp_unordered("uno", row, row)
                )
                largest, place = builder.select(is_better, row, largest), builder.select(is_better, every(k), place)
            zero = ir.Constant(largest.type, [0.0] * count)
            is_dead = builder.fcmp_ordered("<=", largest, zero)
            largest, place = builder.select(is_dead, zero, largest), builder.select(is_dead, every(4), place)
            start = table.number(args[4], _integer(i))
            value_memory.write(largest, start, args[5])
            place_memory.write(builder.trunc(place, ir.VectorType(ir.IntType(8), count)), start, args[5])
        return context.get_dummy_value()

    return types.void(tile, values, places, starts, types.intp, types.intp), codegen


@intrinsic
def store_apart(typingctx, values, places, position, column, to):
    """The reverse: four rows of lanes in a row, of which row k has the values from ``position`` on whose place is k.

    column[to + k * lanes + j] = values[position + j] if places[position + j] == k else 0.
    """
    row = _row_type(values)

    def codegen(context, builder, signature, args):
        source, target = _Memory(context, builder, values, args[0]), _Memory(context, builder, column, args[3])
        small = ir.VectorType(ir.IntType(8), row.count)
        wide = ir.VectorType(ir.IntType(row.dtype.bitwidth), row.count)
        vector = source.lanes(context.get_value_type(row), args[2])
        place = builder.zext(_Memory(context, builder, places, args[1]).lanes(small, args[2]), wide)
        for k in range(4):
            is_here = builder.icmp_signed("==", place, ir.Constant(wide, [k] * row.count))
            kept = builder.select(is_here, vector, ir.Constant(vector.type, [0.0] * row.count))
            target.write(kept, args[4], _integer(k * row.count))
        return context.get_dummy_value()

    return types.void(values, places, types.intp, column, types.intp), codegen


# ---------------------------------------------------------------- lines: tiles whose rows lie in a row


@intrinsic
def load_line(typingctx, length, a, position):
    """The numbers from a[position] on; the tuple ``length`` has one item for each 64 bytes of them."""
    piece = _row_type(a, LINE_BYTES)
    line = types.UniTuple(piece, length.count)

    def codegen(context, builder, signature, args):
        source = _Memory(context, builder, a, args[1])
        vectors = [
            source.lanes(context.get_value_type(piece), args[2], _integer(i * piece.count)) for i in range(line.count)
        ]
        return context.make_tuple(builder, line, vectors)

    return line(length, a, types.intp), codegen


@intrinsic
def store_line(typingctx, line, a, position):
    """Write the numbers to where ``load_line`` would read them."""

    def codegen(context, builder, signature, args):
        target = _Memory(context, builder, a, args[1])
        for i in range(line.count):
            target.write(builder.extract_value(args[0], i), args[2], _integer(i * line.dtype.count))
        return context.get_dummy_value()

    return types.void(line, a, types.intp), codegen


@intrinsic
def add_multiple(typingctx, line, number, a, position):
    """The line plus number times the numbers from a[position] on."""

    def codegen(context, builder, signature, args):
        source, vector = _Memory(context, builder, a, args[2]), context.get_value_type(line.dtype)
        factor = _spread(builder, args[1], vector)
        vectors = []
        for i in range(line.count):
            factors = source.lanes(vector, args[3], _integer(i * vector.count))
            vectors.append(_multiply_add(builder, factor, factors, builder.extract_value(args[0], i)))
        return context.make_tuple(builder, line, vectors)

    return line(line, a.dtype, a, types.intp), codegen
