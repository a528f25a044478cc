"""x y + z, rounded once: the instruction that compilers put for a product and a sum wherever the machine has it."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils

intrinsic: Any = extending.intrinsic  # what it makes is called with the arguments after the first


@intrinsic
def fused(typingctx, x, y, z):
    """x * y + z for three float32 or three float64, rounded once on every machine (slowly where it must be computed)."""

    def codegen(context, builder, signature, args):
        number = args[0].type
        name = f"llvm.fma.f{x.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(number, [number] * 3), name)
        return builder.call(function, args)

    return x(x, x, x), codegen
