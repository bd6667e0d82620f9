"""The code that runs tapes: the loops over lanes, the chain rule, layers, a whole run; translated by `python_to_llvm`.

The README beside this file draws the arrays. In short: the number of slot s in lane l is `values[s * lanes + l]`, and
its gradient `gradients[s * lanes + l]`. A row of a tape is a group of equal operations:

    code, mask, start, count, size, weight

`mask` is 1 for gradients of first operands plus 2 for gradients of second operands. From `start` on, `index` has
for each of `count` operations the number of its operands (of pairs, if there are two lists), the slot of its result,
and the slots of its operands, list after list. A layer has `count` sums over the same `size` operands: `index` has the
slots of the operands, then those of the sums. The matrix of its weights begins at `weight`.

Kernels compute a block of `width` lanes at a time: 8, or 1 for the uniform tape and for a row alone, whose layers are
in `one_row`. They take an array twice, as `values` and `results` or as `upstream` and `gradients`: operations of a
group never are operands of each other, so LLVM may load operands before it stores results.

The kernels of a rule, `forward_rule` and `backward_rule`, are a module of their own; `kernels` has the addresses of
those of opcode c at 2c and 2c + 1.
"""

from __future__ import annotations

from math import inf

from engine.compiler.one_row import backward_operands_of_layer, backward_weights_of_layer, forward_layer
from engine.compiler.python_to_llvm import (
    Floats,
    Integers,
    Matrix,
    Slots,
    Static,
    Table,
    call_address,
    disjoint,
    inlined,
    reordered,
)  # fmt: skip
from engine.compiler.simd import (
    add_numbers,
    add_products,
    add_vectors,
    gather,
    get,
    put,
    scatter,
    scatter_add,
    splats,
    totals,
    transposed,
    zeros,
)  # fmt: skip

BEGIN, ROWS, FINISH = 1, 2, 4  # phases of a run: the uniform tape forward, the rows, the uniform tape backward
CHECKED = 1024  # doubles that `forward` checks at a time
LAYER = 0  # opcode of the weighted sums of a layer; the opcodes of the rules follow


@inlined
@disjoint
def forward_items(value: Static, arity: Static, width: Static, lanes, start, count, index, values, results):
    """Compute operations on one or two operands; a formula with one operand receives it twice."""
    for _ in range(count):
        out = index[start + 1] * lanes
        a = index[start + 2] * lanes
        b = index[start + 1 + arity] * lanes
        start += 2 + arity
        for block in range(0, lanes, width):
            for lane in range(width):
                results[out + block + lane] = value(values[a + block + lane], values[b + block + lane])


@inlined
@disjoint
def forward_fold(
    value: Static, finalize: Static, with_top: Static, arity: Static, width: Static,
    lanes, start, count, index, values, scratch, results,
):  # fmt: skip
    """Compute operations on lists of operands. `scratch` holds the maxima, if `with_top` is true, and the sums."""
    for _ in range(count):
        size = index[start]
        out = index[start + 1] * lanes
        start += 2
        for block in range(0, lanes, width):
            for lane in range(width):
                scratch[lane] = -inf
                scratch[width + lane] = 0.0
            if with_top:
                for i in range(start, start + size):
                    a = index[i] * lanes + block
                    for lane in range(width):
                        scratch[lane] = max(scratch[lane], values[a + lane])
            for i in range(start, start + size):
                a = index[i] * lanes + block
                b = index[i + (arity - 1) * size] * lanes + block
                for lane in range(width):
                    scratch[width + lane] += value(values[a + lane], values[b + lane], scratch[lane])
            for lane in range(width):
                results[out + block + lane] = finalize(scratch[lane], scratch[width + lane])
        start += arity * size


@inlined
def backward_operands(
    partial_a: Static, partial_b: Static, arity: Static, width: Static,
    mask, lanes, start, count, index, values, gradients,
):  # fmt: skip
    """Pass the gradients of operations back to their operands; `partial_b` is not used for one operand."""
    for _ in range(count):
        size = index[start]
        out = index[start + 1] * lanes
        start += 2
        for i in range(start, start + size):
            a = index[i] * lanes
            b = index[i + (arity - 1) * size] * lanes
            if mask & 1:
                propagate(partial_a, width, a, a, b, out, lanes, values, gradients, gradients)
            if mask & 2:
                propagate(partial_b, width, b, a, b, out, lanes, values, gradients, gradients)
        start += arity * size


@inlined
@disjoint
def propagate(partial: Static, width: Static, x, a, b, out, lanes, values, upstream, gradients):
    """Apply the chain rule: the gradient of operand `x` grows by upstream gradient times partial derivative."""
    for block in range(0, lanes, width):
        for lane in range(width):
            gradients[x + block + lane] += upstream[out + block + lane] * partial(
                values[a + block + lane], values[b + block + lane], values[out + block + lane]
            )


def multiply(
    accumulate, rows, height, columns, width, weight, row_stride, column_stride, lanes, index, weights, array
):  # fmt: skip
    """Multiply a matrix of weights by slots of `array`: result j is the sum over i of weights[j, i] times column i.

    The result is stored in the slot of row j of `array`, or added to it if `accumulate` is true. From `rows` and from
    `columns` on, `index` has the slots of the rows and of the columns. The numbers of a few blocks of lanes stay in
    the L1 cache while they are multiplied by all weights.
    """
    rest = accumulate, rows, height, columns, width, weight, row_stride, column_stride, lanes, index, weights, array
    block = 0
    while block + 32 <= lanes:
        j = multiply_tiles(zeros(4), zeros(4), 0, block, *rest)
        j = multiply_tiles(zeros(2), zeros(4), j, block, *rest)
        multiply_tiles(zeros(1), zeros(4), j, block, *rest)
        block += 32
    while block < lanes:
        j = multiply_tiles(zeros(8), zeros(1), 0, block, *rest)
        j = multiply_tiles(zeros(4), zeros(1), j, block, *rest)
        j = multiply_tiles(zeros(2), zeros(1), j, block, *rest)
        multiply_tiles(zeros(1), zeros(1), j, block, *rest)
        block += 8


@inlined
def multiply_tiles(
    tile, vectors, j, block,
    accumulate, rows, height, columns, width, weight, row_stride, column_stride, lanes, index, weights, array,
) -> int:  # fmt: skip
    """Compute as many rows at a time as `tile` has vectors, from row j on. Return the first row not computed."""
    while j + len(tile) <= height:
        first = weight + j * row_stride
        sums = zeros(len(tile) * len(vectors))
        for i in range(width):
            x = get(vectors, array, index[columns + i] * lanes + block, 8)
            sums = add_products(sums, splats(tile, weights, first + i * column_stride, row_stride), x)
        if accumulate:
            scatter_add(tile, sums, array, index, rows + j, lanes, block)
        else:
            scatter(tile, sums, array, index, rows + j, lanes, block)
        j += len(tile)
    return j


def layer_weights(lanes, start, n, m, weight, index, values, gradients, weight_gradients):
    """Add to the gradient of weights[j, i] the sum over the lanes of the gradient of result j times operand i."""
    results, whole = start + m, m >> 3 << 3
    rest = lanes, index, weight_gradients
    outer_products(values, start, whole, 1, gradients, results, n, m, weight, *rest)
    outer_products(gradients, results, n, m, values, start + whole, m - whole, 1, weight + whole, *rest)


def outer_products(
    xs, first_x, n_x, x_stride, ys, first_y, n_y, y_stride, weight, lanes, index, weight_gradients
):  # fmt: skip
    """Add the sum over the lanes of x i times y j to the number i * x_stride + j * y_stride from `weight` on."""
    rest = xs, first_x, n_x, x_stride, ys, first_y, n_y, y_stride, weight, lanes, index, weight_gradients
    for i in range(0, n_x, 8):
        j = outer_product_tiles(zeros(2), 0, i, *rest)
        outer_product_tiles(zeros(1), j, i, *rest)


@inlined
def outer_product_tiles(
    tile, j, i, xs, first_x, n_x, x_stride, ys, first_y, n_y, y_stride, weight, lanes, index, weight_gradients
) -> int:  # fmt: skip
    """Take eight xs, from x i on, and as many ys at a time as `tile` has vectors. Return the first y left over."""
    while j + len(tile) <= n_y:
        sums = zeros(8 * len(tile))
        for block in range(0, lanes, 8):
            x = gather(zeros(8), xs, index, first_x + i, first_x + n_x - 1, lanes, block)
            y = gather(tile, ys, index, first_y + j, first_y + n_y - 1, lanes, block)
            sums = add_products(sums, y, x)
        first = weight + i * x_stride + j * y_stride
        if x_stride == 1 and i + 8 <= n_x:
            add_vectors(totals(sums), weight_gradients, first, y_stride)
        else:
            add_numbers(totals(sums), weight_gradients, first, y_stride, x_stride, n_x - i)
        j += len(tile)
    return j


def forward(lanes, kernels, tape, index, weights, values, scratch) -> bool:
    """Run a tape from its first operation to its last. A layer multiplies a matrix of weights.

    Return whether all values are finite. They are checked soon after they are computed, while the cache holds them.
    """
    checked = 0
    for k in range(len(tape)):
        code, start, count = tape[k, 0], tape[k, 2], tape[k, 3]
        size, weight = tape[k, 4], tape[k, 5]
        if code == LAYER:
            if lanes == 1:
                forward_layer(start, count, size, weight, index, weights, values)
            else:
                multiply(0, start + size, count, start, size, weight, size, 1, lanes, index, weights, values)
            end = (index[start + size] + count) * lanes
        else:
            call_address(kernels[2 * code], lanes, start, count, index, values, scratch)
            end = (index[start + 1] + count) * lanes
        if end - checked >= CHECKED:
            if not is_finite(values, checked, end):
                return False
            checked = end
    return is_finite(values, checked, len(values))


def backward(lanes, kernels, tape, index, weights, values, gradients, weight_gradients):
    """Run a tape from its last operation to its first. A layer multiplies the transposed matrix."""
    for k in range(len(tape) - 1, -1, -1):
        code, mask, start, count = tape[k, 0], tape[k, 1], tape[k, 2], tape[k, 3]
        size, weight = tape[k, 4], tape[k, 5]
        if code == LAYER and lanes == 1:
            if mask & 1:
                backward_operands_of_layer(start, count, size, weight, index, weights, gradients)
            if mask & 2:
                backward_weights_of_layer(start, count, size, weight, index, values, gradients, weight_gradients)
        elif code == LAYER:
            if mask & 1:
                multiply(1, start, size, start + size, count, weight, 1, size, lanes, index, weights, gradients)
            if mask & 2:
                layer_weights(lanes, start, count, size, weight, index, values, gradients, weight_gradients)
        else:
            call_address(kernels[2 * code + 1], mask, lanes, start, count, index, values, gradients)


@reordered
def is_finite(numbers, first, last) -> bool:
    """Return whether numbers[first:last] are finite: a finite number times 0 is 0, any other is NaN."""
    total = 0.0
    for i in range(first, last):
        total += numbers[i] * 0.0
    return total == 0.0


def load(lanes, data, rows, first, last, values):
    """Copy rows of data to the first slots. Repeat the last row in the lanes of the last block that have no row."""
    columns = data.shape[1]
    whole = columns >> 3 << 3 if lanes > 1 else 0
    for block in range(0, lanes, 8):
        for i in range(0, whole, 8):
            tile = gather(zeros(8), data, rows, first + block, last - 1, columns, i)
            put(transposed(tile), values, i * lanes + block, lanes)
    for i in range(whole, columns):
        for lane in range(lanes):
            values[i * lanes + lane] = data[rows[min(first + lane, last - 1)], i]


def spread(lanes, numbers, first, values):
    """Copy numbers to all lanes of the slots from `first` on."""
    for i in range(len(numbers)):
        for lane in range(lanes):
            values[(first + i) * lanes + lane] = numbers[i]


@reordered
def add_lanes(lanes, gradients, first, sums):
    """Add to each sum the gradients in all lanes of its slot, from slot `first` on."""
    for i in range(len(sums)):
        total = 0.0
        for lane in range(lanes):
            total += gradients[(first + i) * lanes + lane]
        sums[i] += total


def take(numbers, slots, result):
    """Set result[i] to numbers[slots[i]]."""
    for i in range(len(slots)):
        result[i] = numbers[slots[i]]


def add(terms, slots, numbers):
    """Add terms[i] to numbers[slots[i]]."""
    for i in range(len(slots)):
        numbers[slots[i]] += terms[i]


def fill(numbers, first, x):
    """Set the numbers from `first` on to x."""
    for i in range(first, len(numbers)):
        numbers[i] = x


def run(
    phases: int, first: int, last: int, seed: float, data: Matrix, rows: Integers, outputs: Matrix,
    seeded: int, input_gradients: Matrix,
    kernels: Integers, n_parameters: int, max_lanes: int, output_slots: Integers,
    uniform_tape: Table, uniform_index: Slots, weight_slots: Integers, common_slots: Integers,
    tape: Table, index: Slots,
    uniform_values: Floats, uniform_gradients: Floats, uniform_scratch: Floats, weights: Floats, common: Floats,
    values: Floats, gradients: Floats, scratch: Floats, weight_gradients: Floats, common_gradients: Floats,
    mean: Floats,
) -> int:  # fmt: skip
    """Run both tapes for the rows of data from `first` to `last`, backward too if the `seed` is not 0.

    The uniform values begin with the parameters, the uniform gradients with theirs. If `weight_slots` is empty, the
    weights are a part of the uniform values, and their gradients of the uniform gradients. The gradient is that of
    output number `seeded`; `mean` becomes the sum of this output times `seed`. `outputs` may be empty. If
    `input_gradients` is not empty, it receives the gradient of each row with respect to the inputs. `phases` selects
    what to run (BEGIN, ROWS and FINISH, or-ed). Returns the first row of the first block that is not finite, `last` if
    all are, or -1 if the gradient is not.
    """
    if phases & BEGIN:
        if not forward(1, kernels, uniform_tape, uniform_index, weights, uniform_values, uniform_scratch):
            return first
        take(uniform_values, weight_slots, weights)
        take(uniform_values, common_slots, common)
        fill(uniform_gradients, 0, 0.0)
        if len(weight_slots) > 0:
            fill(weight_gradients, 0, 0.0)
        fill(common_gradients, 0, 0.0)
        mean[0] = 0.0

    if phases & ROWS:
        count = last - first
        blocks = max((count + max_lanes - 1) // max_lanes, 1)
        lanes = 1 if count == 1 else 8 * max((count + 8 * blocks - 1) // (8 * blocks), 1)  # the same in all blocks
        slots = len(values) // max_lanes
        values = values[: slots * lanes]
        gradients = gradients[: slots * lanes]
        columns = data.shape[1]
        unused = 0 if len(input_gradients) > 0 else columns * lanes  # gradients of inputs
        spread(lanes, common, columns, values)
        for start in range(first, last, lanes):
            load(lanes, data, rows, start, last, values)
            if not forward(lanes, kernels, tape, index, weights, values, scratch):
                return start
            full = min(lanes, last - start)
            if len(outputs) > 0:
                for lane in range(full):
                    for k in range(len(output_slots)):
                        outputs[start + lane, k] = values[output_slots[k] * lanes + lane]
            if seed != 0.0:
                fill(gradients, unused, 0.0)
                for lane in range(full):
                    place = output_slots[seeded] * lanes + lane
                    gradients[place] = seed
                    mean[0] += values[place] * seed
                backward(lanes, kernels, tape, index, weights, values, gradients, weight_gradients)
                add_lanes(lanes, gradients, columns, common_gradients)
                if len(input_gradients) > 0:
                    for lane in range(full):
                        for i in range(columns):
                            input_gradients[start + lane, i] = gradients[i * lanes + lane]

    if phases & FINISH and seed != 0.0:
        add(weight_gradients, weight_slots, uniform_gradients)
        add(common_gradients, common_slots, uniform_gradients)
        backward(1, kernels, uniform_tape, uniform_index, weights, uniform_values, uniform_gradients, weight_gradients)
        if not is_finite(uniform_gradients, 0, n_parameters):
            return -1
    return last
