"""Vectors of eight doubles, for translated code; LLVM maps them to the registers of the machine.

A tile is a tuple of vectors. Its operations are unrolled, so that its vectors stay in registers. Functions that load a
tile take another one of the same length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llvmlite import ir

from engine.compiler.python_to_llvm import as_operand, intrinsic

WIDTH = 8  # doubles in a vector
EIGHT = ir.VectorType(ir.DoubleType(), WIDTH)
FUSED = ("contract",)  # LLVM may compute a product and a sum in one instruction


@intrinsic
def zeros(builder: Any, count: int) -> Any:
    """Return a tile of `count` vectors of zeros."""
    return ir.Constant(ir.ArrayType(EIGHT, count), None)


@intrinsic
def get(builder: Any, tile: Any, array: Any, first: Any, stride: Any) -> Any:
    """Return a tile whose vector k is stored from array[first + k * stride] on."""
    places = [_vector_at(builder, array, i) for i in _numbers(builder, tile, first, stride)]
    return _tile(builder, [builder.load(place, align=8) for place in places])


@intrinsic
def splats(builder: Any, tile: Any, array: Any, first: Any, stride: Any) -> Any:
    """Return a tile in which all eight numbers of vector k are array[first + k * stride]."""
    nothing, zero = ir.Constant(EIGHT, ir.Undefined), ir.Constant(ir.IntType(32), 0)
    data, vectors = builder.extract_value(array, 0), []
    for i in _numbers(builder, tile, first, stride):
        number = builder.insert_element(nothing, builder.load(builder.gep(data, [i])), zero)
        vectors.append(_shuffled(builder, number, nothing, [0] * WIDTH))
    return _tile(builder, vectors)


@intrinsic
def gather(builder: Any, tile: Any, array: Any, index: Any, first: Any, last: Any, lanes: Any, block: Any) -> Any:
    """Return a tile in which vector k begins in lane `block` of slot index[first + k], or index[last] beyond `last`."""
    vectors = []
    for k in range(tile.type.count):
        i = builder.add(first, first.type(k))
        i = builder.select(builder.icmp_signed("<", i, last), i, last)
        vectors.append(builder.load(_place(builder, array, index, i, lanes, block), align=8))
    return _tile(builder, vectors)


@intrinsic
def scatter(builder: Any, rows: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any) -> None:
    """Store the vectors of `tile`, as many for each of `rows`: those of row k from lane `block` of index[first + k]."""
    for vector, place in _placed(builder, rows, tile, array, index, first, lanes, block):
        builder.store(vector, place, align=8)


@intrinsic
def scatter_add(builder: Any, rows: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any) -> None:
    """Add vectors where `scatter` would store them, one after another, since slots may be equal."""
    for vector, place in _placed(builder, rows, tile, array, index, first, lanes, block):
        builder.store(builder.fadd(vector, builder.load(place, align=8)), place, align=8)


@intrinsic
def add_products(builder: Any, sums: Any, factors: Any, others: Any) -> Any:
    """Return a tile with the vectors sums[j * len(others) + k] + factors[j] * others[k]."""
    vectors: list[Any] = []
    for j in range(factors.type.count):
        for k in range(others.type.count):
            product = builder.fmul(builder.extract_value(factors, j), builder.extract_value(others, k), flags=FUSED)
            total = builder.extract_value(sums, len(vectors))
            vectors.append(builder.fadd(total, product, flags=FUSED))
    return _tile(builder, vectors)


@intrinsic
def totals(builder: Any, tile: Any) -> Any:
    """Return a tile with a vector for every eight of `tile`; its number k is the sum of the numbers of vector k."""
    vectors = [builder.extract_value(tile, k) for k in range(tile.type.count)]
    for step in (1, 2, 4):  # each sum has the numbers of one vector where `lane & step` is 0, of another elsewhere
        lanes = [lane + WIDTH * bool(lane & step) for lane in range(WIDTH)]
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [
            builder.fadd(_shuffled(builder, a, b, lanes), _shuffled(builder, a, b, [lane ^ step for lane in lanes]))
            for a, b in pairs
        ]
    return _tile(builder, vectors)


@intrinsic
def transposed(builder: Any, tile: Any) -> Any:
    """Return a tile of eight vectors whose number l of vector k is number k of vector l."""
    vectors = [builder.extract_value(tile, k) for k in range(WIDTH)]
    for step in (1, 2, 4):  # swap two quarters of every square of 2 * step numbers
        above = [lane if not lane & step else (lane ^ step) + WIDTH for lane in range(WIDTH)]
        below = [lane ^ step if not lane & step else lane + WIDTH for lane in range(WIDTH)]
        for k in range(WIDTH):
            if not k & step:
                a, b = vectors[k], vectors[k | step]
                vectors[k], vectors[k | step] = _shuffled(builder, a, b, above), _shuffled(builder, a, b, below)
    return _tile(builder, vectors)


@intrinsic
def put(builder: Any, tile: Any, array: Any, first: Any, stride: Any) -> None:
    """Store vector k from array[first + k * stride] on."""
    for k, i in enumerate(_numbers(builder, tile, first, stride)):
        builder.store(builder.extract_value(tile, k), _vector_at(builder, array, i), align=8)


@intrinsic
def add_vectors(builder: Any, tile: Any, array: Any, first: Any, stride: Any) -> None:
    """Add vector k to the eight numbers from array[first + k * stride] on."""
    for k, i in enumerate(_numbers(builder, tile, first, stride)):
        place = _vector_at(builder, array, i)
        builder.store(builder.fadd(builder.load(place, align=8), builder.extract_value(tile, k)), place, align=8)


@intrinsic
def add_numbers(builder: Any, tile: Any, array: Any, first: Any, stride: Any, lane_stride: Any, count: Any) -> None:
    """Add number l of vector k to array[first + k * stride + l * lane_stride], for l < count."""
    data, zero = builder.extract_value(array, 0), ir.Constant(ir.DoubleType(), 0.0)
    for k in range(tile.type.count):
        place = first
        for lane in range(WIDTH):
            inside = builder.icmp_signed("<", count.type(lane), count)
            number = builder.extract_element(builder.extract_value(tile, k), ir.Constant(ir.IntType(32), lane))
            address = builder.gep(data, [builder.select(inside, place, first)])
            total = builder.fadd(builder.load(address), builder.select(inside, number, zero))
            builder.store(total, address)
            place = builder.add(place, lane_stride)
        first = builder.add(first, stride)


def _tile(builder: Any, vectors: Sequence[Any]) -> Any:
    tile = ir.Constant(ir.ArrayType(EIGHT, len(vectors)), ir.Undefined)
    for k, vector in enumerate(vectors):
        tile = builder.insert_value(tile, vector, k)
    return tile


def _numbers(builder: Any, tile: Any, first: Any, stride: Any) -> Iterator[Any]:
    """Yield first + k * stride for every vector k of a tile."""
    for _ in range(tile.type.count):
        yield first
        first = builder.add(first, as_operand(stride))


def _shuffled(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    """Return a vector of numbers of `a` (lanes 0 to 7) and `b` (8 to 15)."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), lanes))


def _vector_at(builder: Any, array: Any, i: Any) -> Any:
    return builder.bitcast(builder.gep(builder.extract_value(array, 0), [i]), EIGHT.as_pointer())


def _place(builder: Any, array: Any, index: Any, i: Any, lanes: Any, block: Any) -> Any:
    """Return the address of the vector that begins in lane `block` of slot index[i]."""
    slot = builder.zext(builder.load(builder.gep(builder.extract_value(index, 0), [i])), lanes.type)
    return _vector_at(builder, array, builder.add(builder.mul(slot, lanes), block))


def _placed(
    builder: Any, rows: Any, tile: Any, array: Any, index: Any, first: Any, lanes: Any, block: Any
) -> Iterator[tuple[Any, Any]]:
    """Yield the vectors of a tile with their addresses, for the arguments of `scatter`."""
    n = tile.type.count // rows.type.count
    for j in range(rows.type.count):
        i = builder.add(first, first.type(j))
        for k in range(n):
            place = _place(builder, array, index, i, lanes, builder.add(block, block.type(WIDTH * k)))
            yield builder.extract_value(tile, j * n + k), place
