"""Vectors of eight doubles, for translated code; LLVM maps them to the registers of the machine.

A tile is a tuple of vectors. Its operations are unrolled, so that its vectors stay in registers. Functions that return
a tile take another one of the same length.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llvmlite import ir

from engine.compiler.python_to_llvm import declared, intrinsic

WIDTH = 8  # doubles in a vector
EIGHT = ir.VectorType(ir.DoubleType(), WIDTH)
FUSED = ("contract",)  # LLVM may compute a product and a sum in one instruction


@intrinsic
def zeros(builder: Any, count: int) -> Any:
    """Return a tile of `count` vectors of zeros."""
    return ir.Constant(ir.ArrayType(EIGHT, count), None)


@intrinsic
def get(builder: Any, array: Any, i: Any) -> Any:
    """Return the vector array[i : i + 8]."""
    return builder.load(_vector_at(builder, array, i), align=8)


@intrinsic
def splats(builder: Any, tile: Any, array: Any, first: Any, stride: Any) -> Any:
    """Return a tile in which all eight numbers of vector k are array[first + k * stride]."""
    nothing, zero = ir.Constant(EIGHT, ir.Undefined), ir.Constant(ir.IntType(32), 0)
    all_first = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    data, i, vectors = builder.extract_value(array, 0), first, []
    for _ in range(tile.type.count):
        number = builder.insert_element(nothing, builder.load(builder.gep(data, [i])), zero)
        vectors.append(builder.shuffle_vector(number, nothing, all_first))
        i = builder.add(i, stride)
    return _tile(builder, tile, vectors)


@intrinsic
def gather(builder: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any) -> Any:
    """Return a tile in which vector k begins in lane `block` of slot index[first + k]."""
    places = _places(builder, tile, array, index, first, lanes, block)
    return _tile(builder, tile, [builder.load(place, align=8) for place in places])


@intrinsic
def scatter(builder: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any) -> None:
    """Store a tile where `gather` would load it."""
    for k, place in enumerate(_places(builder, tile, array, index, first, lanes, block)):
        builder.store(builder.extract_value(tile, k), place, align=8)


@intrinsic
def scatter_add(builder: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any) -> None:
    """Add a tile where `gather` would load it, one vector after another, since slots may be equal."""
    for k, place in enumerate(_places(builder, tile, array, index, first, lanes, block)):
        total = builder.fadd(builder.extract_value(tile, k), builder.load(place, align=8))
        builder.store(total, place, align=8)


@intrinsic
def add_products(builder: Any, sums: Any, factor: Any, factors: Any) -> Any:
    """Return a tile with the vectors sums[k] + factor * factors[k]."""
    vectors = []
    for k in range(sums.type.count):
        product = builder.fmul(builder.extract_value(factors, k), factor, flags=FUSED)
        vectors.append(builder.fadd(builder.extract_value(sums, k), product, flags=FUSED))
    return _tile(builder, sums, vectors)


@intrinsic
def add_totals(builder: Any, tile: Any, array: Any, first: Any) -> None:
    """Add to array[first + k] the sum of the eight numbers of vector k."""
    data, zero = builder.extract_value(array, 0), ir.Constant(ir.DoubleType(), 0.0)
    kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType(), EIGHT])
    reduce = declared(builder, f"llvm.vector.reduce.fadd.v{WIDTH}f64", kind)
    for k in range(tile.type.count):
        total = builder.call(reduce, [zero, builder.extract_value(tile, k)], fastmath=("reassoc",))
        place = builder.gep(data, [builder.add(first, first.type(k))])
        builder.store(builder.fadd(builder.load(place), total), place)


def _tile(builder: Any, like: Any, vectors: Iterable[Any]) -> Any:
    tile = ir.Constant(like.type, ir.Undefined)
    for k, vector in enumerate(vectors):
        tile = builder.insert_value(tile, vector, k)
    return tile


def _vector_at(builder: Any, array: Any, i: Any) -> Any:
    return builder.bitcast(builder.gep(builder.extract_value(array, 0), [i]), EIGHT.as_pointer())


def _places(builder: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any) -> list[Any]:
    """Return the addresses of the vectors of a tile, for the arguments of `gather`."""
    slots, places = builder.extract_value(index, 0), []
    for k in range(tile.type.count):
        slot = builder.zext(builder.load(builder.gep(slots, [builder.add(first, first.type(k))])), lanes.type)
        places.append(_vector_at(builder, array, builder.add(builder.mul(slot, lanes), block)))
    return places
