"""Layers for one row of data, which has one lane; translated by `python_to_llvm`.

Vectors contain numbers of eight operands, not of eight lanes. A layer has `height` sums over the same `width` operands.
From `start` on, `index` has the slots of the operands, which are copied behind the values, then that of the first sum;
the others follow it. The matrix of weights begins at `weight`.
"""

from __future__ import annotations

from engine.compiler.python_to_llvm import inlined
from engine.compiler.simd import add_products, add_vectors, get, put, splats, totals, zeros


def forward_layer(start, height, width, weight, index, weights, values):
    """Multiply the matrix of weights by the operands."""
    out, x = index[start + width], len(values)
    copy_operands(start, width, index, values)
    tall, whole = height >> 3 << 3, width >> 3 << 3
    for j in range(0, tall, 8):
        sums = zeros(8)
        for i in range(0, whole, 8):
            rows = get(zeros(8), weights, weight + j * width + i, width)
            sums = add_products(sums, rows, get(zeros(1), values, x + i, 8))
        put(totals(sums), values, out + j, 8)
    for j in range(height):
        first = whole if j < tall else 0
        total = values[out + j] if j < tall else 0.0
        for i in range(first, width):
            total += weights[weight + j * width + i] * values[x + i]
        values[out + j] = total


def backward_operands_of_layer(start, height, width, weight, index, weights, gradients):
    """Multiply the transposed matrix by the gradients of the sums, and add the products to those of the operands."""
    out, x = index[start + width], len(gradients)
    i = add_columns(zeros(4), 0, out, x, height, width, weight, weights, gradients)
    i = add_columns(zeros(2), i, out, x, height, width, weight, weights, gradients)
    i = add_columns(zeros(1), i, out, x, height, width, weight, weights, gradients)
    for k in range(i, width):
        total = 0.0
        for j in range(height):
            total += weights[weight + j * width + k] * gradients[out + j]
        gradients[x + k] = total
    for k in range(width):
        gradients[index[start + k]] += gradients[x + k]


@inlined
def add_columns(tile, i, out, x, height, width, weight, weights, gradients) -> int:
    """Compute as many vectors of operands at a time as `tile` has, from operand i on. Return the first left over."""
    while i + 8 * len(tile) <= width:
        sums = tile
        for j in range(height):
            columns = get(tile, weights, weight + j * width + i, 8)
            sums = add_products(sums, splats(zeros(1), gradients, out + j, 0), columns)
        put(sums, gradients, x + i, 8)
        i += 8 * len(tile)
    return i


def backward_weights_of_layer(start, height, width, weight, index, values, gradients, weight_gradients):
    """Add to the gradient of weights[j, i] the gradient of sum j times operand i."""
    out, x = index[start + width], len(values)
    copy_operands(start, width, index, values)
    whole = width >> 3 << 3
    for i in range(0, whole, 8):
        operands = get(zeros(1), values, x + i, 8)
        for j in range(height):
            products = add_products(zeros(1), splats(zeros(1), gradients, out + j, 0), operands)
            add_vectors(products, weight_gradients, weight + j * width + i, 0)
    for j in range(height):
        for i in range(whole, width):
            weight_gradients[weight + j * width + i] += gradients[out + j] * values[x + i]


@inlined
def copy_operands(start, width, index, values):
    """Copy the operands of a layer behind the values, where a program with more lanes has theirs."""
    x = len(values)
    for i in range(width):
        values[x + i] = values[index[start + i]]
