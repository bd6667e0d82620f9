"""The part of the kernels that is the same for every table of rules, compiled by numba.

`codegen` appends to this text the formulas of the rules, and `forward_rule` and `backward_rule`, which choose among
them by opcode. The README beside this file draws the arrays. In short: the number of slot s in lane l is
`values[s * lanes + l]`, and its gradient `gradients[s * lanes + l]`. A row of a tape is a group of equal operations:

    code, mask, start, count, size, weight

Bit 1 of `mask` asks for the gradients of first operands, bit 2 for those of second ones. From `start` on, `index` has
for each of `count` operations the number of its operands (of pairs, if there are two lists), the slot of its result,
and the slots of its operands, list after list. A layer has `count` sums over the same `size` operands: `index` has the
slots of the operands, then those of the sums. The matrix of its weights begins at `weight`.

Indices are unsigned, because numba wraps negative ones, which costs a comparison. An unsigned and a signed number make
a float, therefore constants are unsigned too.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numba
import numpy as np
from numba import int64, uint64
from numba.extending import register_jitable

from engine.compiler.simd import add_products, add_totals, gather, get, scatter, scatter_add, splats, zeros

BEGIN, ROWS, FINISH = 1, 2, 4  # phases of a run: the uniform tape forward, the rows, the uniform tape backward
LAYER = 0  # opcode of the weighted sums of a layer; the opcodes of the rules follow
ZERO, ONE, TWO, EIGHT = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(8)

# Only compiled code calls the inner functions, so they need no wrappers.
inner: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
exact = numba.njit(**inner)
reordered = numba.njit(fastmath={"reassoc", "contract"}, **inner)  # sums in any order
inlined = numba.njit(forceinline=True, **inner)  # by LLVM
expanded = numba.njit(inline="always", **inner)  # by numba, before it infers types: faster to compile
formula = register_jitable(forceinline=True, **inner)  # can be an argument; a call would keep a loop from vectorizing
entry = numba.njit(error_model="numpy", nogil=True)  # `cache` keeps these on disk


@exact
def forward_rule(code, lanes, start, count, index, values, scratch):
    """Compute `count` operations of the rule `code`. A generated function replaces this one."""


@exact
def backward_rule(code, mask, lanes, start, count, index, values, gradients):
    """Pass the gradients of `count` operations of the rule `code` back. A generated function replaces this one."""


@expanded
def forward_items(value, arity, lanes, start, count, index, values):
    """Compute operations on one or two operands; the formula of one operand receives it twice."""
    for _ in range(count):
        out = uint64(index[start + ONE]) * lanes
        a = uint64(index[start + TWO]) * lanes
        b = uint64(index[start + ONE + arity]) * lanes
        start += TWO + arity
        for lane in range(lanes):
            values[out + lane] = value(values[a + lane], values[b + lane])


@expanded
def forward_fold(value, finalize, with_top, arity, lanes, start, count, index, values, scratch):
    """Compute operations on lists of operands. `scratch` holds the maxima, if `with_top` is true, and the sums."""
    for _ in range(count):
        size = uint64(index[start])
        out = uint64(index[start + ONE]) * lanes
        start += TWO
        for lane in range(lanes):
            scratch[lane] = -inf
            scratch[lanes + lane] = 0.0
        if with_top:
            for i in range(start, start + size):
                a = uint64(index[i]) * lanes
                for lane in range(lanes):
                    scratch[lane] = max(scratch[lane], values[a + lane])
        for i in range(start, start + size):
            a = uint64(index[i]) * lanes
            b = uint64(index[i + (arity - ONE) * size]) * lanes
            for lane in range(lanes):
                scratch[lanes + lane] += value(values[a + lane], values[b + lane], scratch[lane])
        for lane in range(lanes):
            values[out + lane] = finalize(scratch[lane], scratch[lanes + lane])
        start += arity * size


@expanded
def backward_operands(partial_a, partial_b, arity, mask, lanes, start, count, index, values, gradients):
    """Pass the gradients of operations back to their operands; `partial_b` is not used for one operand."""
    for _ in range(count):
        size = uint64(index[start])
        out = uint64(index[start + ONE]) * lanes
        start += TWO
        for i in range(start, start + size):
            a = uint64(index[i]) * lanes
            b = uint64(index[i + (arity - ONE) * size]) * lanes
            if mask & 1:
                propagate(partial_a, a, a, b, out, lanes, values, gradients)
            if mask & 2:
                propagate(partial_b, b, a, b, out, lanes, values, gradients)
        start += arity * size


@inlined
def propagate(partial, x, a, b, out, lanes, values, gradients):
    """Apply the chain rule: the gradient of operand `x` grows by upstream gradient times partial derivative."""
    for lane in range(lanes):
        gradients[x + lane] += gradients[out + lane] * partial(values[a + lane], values[b + lane], values[out + lane])


@exact
def multiply(accumulate, rows, height, columns, width, weight, row_stride, column_stride, lanes, index, weights, array):
    """Multiply a matrix of weights by slots of `array`: result j is the sum over i of weights[j, i] times column i.

    The result is stored in the slot of row j of `array`, or added to it if `accumulate` is true. From `rows` and from
    `columns` on, `index` has the slots of the rows and of the columns.
    """
    rest = accumulate, rows, height, columns, width, weight, row_stride, column_stride, lanes, index, weights, array
    j = multiply_tiles(zeros(8), ZERO, *rest)
    j = multiply_tiles(zeros(4), j, *rest)
    j = multiply_tiles(zeros(2), j, *rest)
    multiply_tiles(zeros(1), j, *rest)


@inlined
def multiply_tiles(
    tile, j, accumulate, rows, height, columns, width, weight, row_stride, column_stride, lanes, index, weights, array
):  # fmt: skip
    """Compute as many rows at a time as `tile` has vectors, from row j on. Return the first row left over."""
    while j + uint64(len(tile)) <= height:
        first = weight + j * row_stride
        for block in range(ZERO, lanes, EIGHT):
            sums = tile
            for i in range(width):
                x = get(array, uint64(index[columns + i]) * lanes + block)
                sums = add_products(sums, x, splats(tile, weights, first + i * column_stride, row_stride))
            if accumulate:
                scatter_add(sums, array, index, rows + j, lanes, block)
            else:
                scatter(sums, array, index, rows + j, lanes, block)
        j += uint64(len(tile))
    return j


@exact
def layer_weights(lanes, start, n, m, weight, index, values, gradients, weight_gradients):
    """Add to the gradient of weights[j, i] the sum over the lanes of the gradient of result j times operand i."""
    for j in range(ZERO, n, TWO):
        rest = j, lanes, start, n, m, weight + j * m, index, values, gradients, weight_gradients
        i = layer_weights_tiles(zeros(8), ZERO, *rest)
        i = layer_weights_tiles(zeros(4), i, *rest)
        i = layer_weights_tiles(zeros(2), i, *rest)
        layer_weights_tiles(zeros(1), i, *rest)


@inlined
def layer_weights_tiles(tile, i, j, lanes, start, n, m, weight, index, values, gradients, weight_gradients):
    """Do that for results j and j + 1, from operand i on. Return the first operand left over."""
    first = uint64(index[start + m + j]) * lanes
    second = uint64(index[start + m + min(j + ONE, n - ONE)]) * lanes
    while i + uint64(len(tile)) <= m:
        sums, second_sums = tile, tile
        for block in range(ZERO, lanes, EIGHT):
            xs = gather(tile, values, index, start + i, lanes, block)
            sums = add_products(sums, get(gradients, first + block), xs)
            second_sums = add_products(second_sums, get(gradients, second + block), xs)
        add_totals(sums, weight_gradients, weight + i)
        if j + ONE < n:
            add_totals(second_sums, weight_gradients, weight + m + i)
        i += uint64(len(tile))
    return i


@exact
def forward(lanes, tape, index, weights, values, scratch):
    """Run a tape from its first operation to its last. A layer multiplies a matrix of weights."""
    for k in range(len(tape)):
        code, start, count = tape[k, 0], uint64(tape[k, 2]), uint64(tape[k, 3])
        size, weight = uint64(tape[k, 4]), uint64(tape[k, 5])
        if code == LAYER:
            multiply(False, start + size, count, start, size, weight, size, ONE, lanes, index, weights, values)
        else:
            forward_rule(code, lanes, start, count, index, values, scratch)


@exact
def backward(lanes, tape, index, weights, values, gradients, weight_gradients):
    """Run a tape from its last operation to its first. A layer multiplies the transposed matrix."""
    for k in range(len(tape) - 1, -1, -1):
        code, mask, start, count = tape[k, 0], tape[k, 1], uint64(tape[k, 2]), uint64(tape[k, 3])
        size, weight = uint64(tape[k, 4]), uint64(tape[k, 5])
        if code != LAYER:
            backward_rule(code, mask, lanes, start, count, index, values, gradients)
            continue
        if mask & 1:
            multiply(True, start, size, start + size, count, weight, ONE, size, lanes, index, weights, gradients)
        if mask & 2:
            layer_weights(lanes, start, count, size, weight, index, values, gradients, weight_gradients)


@reordered
def is_finite(numbers):
    """Return whether all numbers are finite: a finite number times 0 is 0, any other is NaN."""
    total = 0.0
    for i in range(uint64(len(numbers))):
        total += numbers[i] * 0.0
    return total == 0.0


@exact
def load(lanes, data, rows, first, last, values):
    """Copy rows of data to the first slots. Repeat the last row in the lanes of the last block that have no row."""
    for lane in range(lanes):
        row = rows[min(first + lane, last - ONE)]
        for i in range(uint64(data.shape[1])):
            values[i * lanes + lane] = data[row, i]


@exact
def spread(lanes, numbers, first, values):
    """Copy numbers to all lanes of the slots from `first` on."""
    for i in range(uint64(len(numbers))):
        for lane in range(lanes):
            values[(first + i) * lanes + lane] = numbers[i]


@reordered
def add_lanes(lanes, gradients, first, sums):
    """Add to each sum the gradients in all lanes of its slot, from slot `first` on."""
    for i in range(uint64(len(sums))):
        total = 0.0
        for lane in range(lanes):
            total += gradients[(first + i) * lanes + lane]
        sums[i] += total


@exact
def take(numbers, slots, result):
    """Set result[i] to numbers[slots[i]]; `slots` holds only the first one if they are consecutive."""
    for i in range(uint64(len(result))):
        result[i] = numbers[uint64(slots[i])] if len(slots) == len(result) else numbers[uint64(slots[0]) + i]


@exact
def add(terms, slots, numbers):
    """Add terms[i] to numbers[slots[i]]; `slots` holds only the first one if they are consecutive."""
    for i in range(uint64(len(terms))):
        slot = uint64(slots[i]) if len(slots) == len(terms) else uint64(slots[0]) + i
        numbers[slot] += terms[i]


@entry
def propagate_flags(first, second, items, sizes, ends, varies, requires_grad, level, operands):
    """Find for every node whether it varies and requires a gradient, and its level above the leaves.

    `operands` gets four flags for each node: whether its first and its second operand varies, and whether they require
    a gradient. The other arrays are those of `tape._Dependencies`.
    """
    for n in range(len(first)):
        for k in range(2):
            x = second[n] if k else first[n]
            for i in range(ends[x] - sizes[x], ends[x]):
                operand = items[i]
                operands[n, k] |= varies[operand]
                operands[n, k + 2] |= requires_grad[operand]
                level[n] = max(level[n], level[operand] + 1)
        varies[n] |= operands[n, 0] | operands[n, 1]
        requires_grad[n] |= operands[n, 2] | operands[n, 3]


@entry
def run(
    phases, first, last,
    parameters, uniform_tape, uniform_index, weight_slots, common_slots,
    uniform_values, uniform_scratch, weights, common,
    data, rows, seed, max_lanes, tape, index, output_slots,
    values, gradients, scratch, weight_gradients, common_gradients,
    outputs, uniform_gradients, parameter_gradients,
):  # fmt: skip
    """Run both tapes for the rows of data from `first` to `last`, backward too if the `seed` is not 0.

    `phases` selects what to run (BEGIN, ROWS and FINISH, or-ed). Returns the first row of the first block that is not
    finite, `last` if all are, or -1 if the gradient is not.
    """
    if phases & BEGIN:
        for i in range(uint64(len(parameters))):
            uniform_values[i] = parameters[i]
        forward(ONE, uniform_tape, uniform_index, weights, uniform_values, uniform_scratch)
        if not is_finite(uniform_values):
            return first
        take(uniform_values, weight_slots, weights)
        take(uniform_values, common_slots, common)

    if phases & ROWS:
        count = last - first
        blocks = max(-(-count // max_lanes), 1)
        lanes = EIGHT * uint64(max(-(-count // (8 * blocks)), 1))  # the same in all blocks
        slots = uint64(len(values)) // uint64(max_lanes)
        values, gradients = values[: slots * lanes], gradients[: slots * lanes]
        columns = uint64(data.shape[1])
        weight_gradients[:] = 0.0
        common_gradients[:] = 0.0
        spread(lanes, common, columns, values)
        for start in range(uint64(first), uint64(last), lanes):
            load(lanes, data, rows, start, uint64(last), values)
            forward(lanes, tape, index, weights, values, scratch)
            if not is_finite(values):
                return int64(start)
            full = min(lanes, uint64(last) - start)
            for lane in range(full):
                for k in range(uint64(len(output_slots))):
                    outputs[start + lane, k] = values[uint64(output_slots[k]) * lanes + lane]
            if seed != 0.0:
                gradients[:] = 0.0
                for lane in range(full):
                    gradients[uint64(output_slots[0]) * lanes + lane] = seed
                backward(lanes, tape, index, weights, values, gradients, weight_gradients)
                add_lanes(lanes, gradients, columns, common_gradients)

    if phases & FINISH and seed != 0.0:
        uniform_gradients[:] = 0.0
        add(weight_gradients, weight_slots, uniform_gradients)
        add(common_gradients, common_slots, uniform_gradients)
        backward(ONE, uniform_tape, uniform_index, weights, uniform_values, uniform_gradients, weight_gradients)
        for i in range(uint64(len(parameter_gradients))):
            parameter_gradients[i] = uniform_gradients[i]
        if not is_finite(parameter_gradients):
            return -1
    return last
