"""Vectors of eight doubles, for code that numba compiles; LLVM maps them to the registers that the machine has.

A tile is a tuple of vectors. Its operations are unrolled, so that its vectors stay in registers. Functions that return
a tile take another one of the same length.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types
from numba.np.arrayobj import make_array

WIDTH = 8  # doubles in a vector
EIGHT = ir.VectorType(ir.DoubleType(), WIDTH)
REDUCE = ir.FunctionType(ir.DoubleType(), [ir.DoubleType(), EIGHT])
FUSED = ("contract",)  # a product and a sum may become one instruction
intrinsic: Any = extending.intrinsic  # its own type takes the context for an argument of every call


class Vector(types.Type):
    """The type of a vector."""


@extending.register_model(Vector)
class _Model(extending.models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, EIGHT)


vector = Vector(name="vector")


@intrinsic(prefer_literal=True)
def zeros(context: Any, count: Any) -> Any:
    """Return a tile of `count` vectors of zeros."""
    tile = types.UniTuple(vector, count.literal_value)
    return tile(count), lambda context, builder, signature, args: context.get_constant_null(tile)


@intrinsic
def get(context: Any, array: Any, i: Any) -> Any:
    """Return the vector array[i : i + 8]."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_vector_at(builder, _data(context, builder, array, args[0]), args[1]), align=8)

    return vector(array, i), code


@intrinsic
def splats(context: Any, tile: Any, array: Any, first: Any, stride: Any) -> Any:
    """Return a tile in which all eight numbers of vector k are array[first + k * stride]."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        nothing, zero = ir.Constant(EIGHT, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        all_first = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        data, i, vectors = _data(context, builder, array, args[1]), args[2], []
        for _ in range(tile.count):
            number = builder.insert_element(nothing, builder.load(builder.gep(data, [i])), zero)
            vectors.append(builder.shuffle_vector(number, nothing, all_first))
            i = builder.add(i, args[3])
        return cgutils.pack_array(builder, vectors)

    return tile(tile, array, first, stride), code


@intrinsic
def gather(context: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any) -> Any:
    """Return a tile in which vector k begins in lane `block` of slot index[first + k]."""

    def code(*emit: Any) -> Any:
        return cgutils.pack_array(emit[1], [emit[1].load(place, align=8) for place in _places(*emit)])

    return tile(tile, array, index, first, lanes, block), code


@intrinsic
def scatter(context: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any) -> Any:
    """Store a tile where `gather` would load it."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for k, place in enumerate(_places(context, builder, signature, args)):
            builder.store(builder.extract_value(args[0], k), place, align=8)
        return context.get_dummy_value()

    return types.void(tile, array, index, first, lanes, block), code


@intrinsic
def scatter_add(context: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any) -> Any:
    """Add a tile where `gather` would load it, one vector after another, since slots may be equal."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for k, place in enumerate(_places(context, builder, signature, args)):
            total = builder.fadd(builder.extract_value(args[0], k), builder.load(place, align=8))
            builder.store(total, place, align=8)
        return context.get_dummy_value()

    return types.void(tile, array, index, first, lanes, block), code


@intrinsic
def add_products(context: Any, sums: Any, factor: Any, factors: Any) -> Any:
    """Return a tile with the vectors sums[k] + factor * factors[k]."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = []
        for k in range(sums.count):
            product = builder.fmul(builder.extract_value(args[2], k), args[1], flags=FUSED)
            vectors.append(builder.fadd(builder.extract_value(args[0], k), product, flags=FUSED))
        return cgutils.pack_array(builder, vectors)

    return sums(sums, factor, factors), code


@intrinsic
def add_totals(context: Any, tile: Any, array: Any, first: Any) -> Any:
    """Add to array[first + k] the sum of the eight numbers of vector k."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data, zero = _data(context, builder, array, args[1]), ir.Constant(ir.DoubleType(), 0.0)
        reduce = cgutils.get_or_insert_function(builder.module, REDUCE, f"llvm.vector.reduce.fadd.v{WIDTH}f64")
        for k in range(tile.count):
            total = builder.call(reduce, [zero, builder.extract_value(args[0], k)], fastmath=("reassoc",))
            place = builder.gep(data, [builder.add(args[2], args[2].type(k))])
            builder.store(builder.fadd(builder.load(place), total), place)
        return context.get_dummy_value()

    return types.void(tile, array, first), code


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Return the address of the first number of an array of type `kind`."""
    return make_array(kind)(context, builder, array).data


def _vector_at(builder: Any, data: Any, i: Any) -> Any:
    return builder.bitcast(builder.gep(data, [i]), EIGHT.as_pointer())


def _places(context: Any, builder: Any, signature: Any, args: Any) -> list[Any]:
    """Return the addresses of the vectors of a tile, for the arguments of `gather`."""
    first, lanes, block = args[3:]
    data, index = (_data(context, builder, signature.args[k], args[k]) for k in (1, 2))
    places = []
    for k in range(signature.args[0].count):
        slot = builder.load(builder.gep(index, [builder.add(first, first.type(k))]))
        places.append(_vector_at(builder, data, builder.add(builder.mul(builder.zext(slot, lanes.type), lanes), block)))
    return places
