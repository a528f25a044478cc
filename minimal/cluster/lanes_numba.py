"""Lanes: as many numbers as a 64-byte register holds, 16 of single or 8 of double precision, and what can be done to them.

A kernel that is written with lanes says which numbers stay in registers; of a loop over arrays the compiler has to guess it.
A compiler for a machine with narrower registers takes two or four for one.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.extending import models, register_model

BYTES = 64

intrinsic: Any = extending.intrinsic  # what it makes is called with the arguments after the first


class Lanes(types.Type):
    """The type of several numbers side by side, or with ``dtype`` boolean of as many answers."""

    def __init__(self, dtype: Any, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(name=f"Lanes({dtype}, {count})")


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """In a register."""

    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        is_answer = fe_type.dtype == types.boolean
        number = ir.IntType(1) if is_answer else dmm.lookup(fe_type.dtype).get_value_type()
        super().__init__(dmm, fe_type, ir.VectorType(number, fe_type.count))


def _lanes_of(dtype: Any) -> Lanes:
    return Lanes(dtype, BYTES // (dtype.bitwidth // 8))


def _address(context, builder, array_type, array, offset, lanes):
    data = cgutils.create_struct_proxy(array_type)(context, builder, value=array).data
    place = builder.gep(data, [offset])
    return builder.bitcast(place, context.get_value_type(lanes).as_pointer())


@intrinsic
def load(typingctx, array, offset):
    """The lanes that begin ``offset`` numbers after the first of a C-contiguous array."""
    lanes = _lanes_of(array.dtype)

    def codegen(context, builder, signature, args):
        place = _address(context, builder, array, args[0], args[1], lanes)
        return builder.load(place, align=array.dtype.bitwidth // 8)

    return lanes(array, types.uintp), codegen


@intrinsic
def store(typingctx, array, offset, lanes):
    """Write the lanes to where ``load`` would read them."""

    def codegen(context, builder, signature, args):
        place = _address(context, builder, array, args[0], args[1], lanes)
        builder.store(args[2], place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.uintp, lanes), codegen


def _spread(builder, number, count):
    vector = ir.VectorType(number.type, count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


@intrinsic
def spread(typingctx, number):
    """One number in all lanes."""
    lanes = _lanes_of(number)
    return lanes(number), lambda context, builder, signature, args: _spread(builder, args[0], lanes.count)


@intrinsic
def multiply_add(typingctx, x, number, total):
    """x * number + total, rounded once where the machine can."""

    def codegen(context, builder, signature, args):
        factor = _spread(builder, args[1], x.count)
        of_three = ir.FunctionType(args[0].type, [args[0].type] * 3)
        name = f"llvm.fmuladd.v{x.count}f{x.dtype.bitwidth}"
        fused = cgutils.get_or_insert_function(builder.module, of_three, name)
        return builder.call(fused, [args[0], factor, args[2]])

    return total(x, x.dtype, total), codegen


@intrinsic
def add(typingctx, a, b):
    """a + b."""
    return a(a, a), lambda context, builder, signature, args: builder.fadd(*args)


@intrinsic
def is_less(typingctx, a, b):
    """In which lanes a < b."""
    return Lanes(types.boolean, a.count)(a, a), lambda context, builder, signature, args: builder.fcmp_ordered(
        "<", *args
    )


@intrinsic
def pick(typingctx, where, a, b):
    """a where it is asked for, else b."""
    return a(where, a, a), lambda context, builder, signature, args: builder.select(*args)


@intrinsic
def multiply(typingctx, a, number):
    """a * number."""
    return a(a, a.dtype), lambda context, builder, signature, args: builder.fmul(
        args[0], _spread(builder, args[1], a.count)
    )
