"""Eight numbers side by side, as the vector instructions of a processor take them, for code that numba compiles.

LLVM makes of them what the machine has: one register, two or four.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import make_array

WIDTH = 8
EIGHT = ir.VectorType(ir.DoubleType(), WIDTH)
FUSED = ("contract",)  # a product and a sum may be one instruction


class Vector(types.Type):
    """The type of eight numbers, each a double."""


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, EIGHT)


vector = Vector(name="vector")


@intrinsic
def zeros(context: Any) -> Any:
    """Eight zeros."""
    return vector(), lambda context, builder, signature, args: ir.Constant(EIGHT, [0.0] * WIDTH)


@intrinsic
def get(context: Any, array: Any, i: Any) -> Any:
    """array[i : i + 8]"""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args), align=8)

    return vector(array, i), code


@intrinsic
def put(context: Any, array: Any, i: Any, v: Any) -> Any:
    """array[i : i + 8] = v"""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args), align=8)
        return context.get_dummy_value()

    return types.void(array, i, v), code


@intrinsic
def add_product(context: Any, total: Any, a: Any, b: Any) -> Any:
    """total + a * b; `a` may be one number."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        total, a, b = args
        if signature.args[1] == types.float64:
            nothing, first = ir.Constant(EIGHT, ir.Undefined), ir.VectorType(ir.IntType(32), WIDTH)
            a = builder.insert_element(nothing, a, ir.Constant(ir.IntType(32), 0))
            a = builder.shuffle_vector(a, nothing, ir.Constant(first, [0] * WIDTH))
        return builder.fadd(total, builder.fmul(a, b, flags=FUSED), flags=FUSED)

    return vector(total, a, b), code


@intrinsic
def total(context: Any, v: Any) -> Any:
    """The sum of the eight."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        name = f"llvm.vector.reduce.fadd.v{WIDTH}f64"
        reduce = cgutils.get_or_insert_function(builder.module, REDUCE, name)
        return builder.call(reduce, [ir.Constant(ir.DoubleType(), 0.0), args[0]], fastmath=("reassoc",))

    return types.float64(v), code


REDUCE = ir.FunctionType(ir.DoubleType(), [ir.DoubleType(), EIGHT])


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = make_array(signature.args[0])(context, builder, args[0])
    return builder.bitcast(builder.gep(array.data, [args[1]]), EIGHT.as_pointer())
