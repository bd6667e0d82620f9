"""The code that puts a graph on tapes; translated by `python_to_llvm`.

Operand `x` of a node, which is a node or a list, consists of the nodes items[ends[x] - sizes[x] : ends[x]].
"""

from __future__ import annotations

from engine.compiler.python_to_llvm import Flags, Integers, Slots, Table, inlined
from engine.compiler.runtime import LAYER

SCATTER = 0x2545F4914F6CDD1D  # the multiplier of hash values


def number(
    ids: Integers, known: Slots, first: Integers, second: Integers, members: Integers, results: Integers
) -> None:  # fmt: skip
    """Replace the ids in all arrays after `known` by their indices in `ids`. `known` is a hash table of zeros."""
    for n in range(len(ids)):
        slot = slot_of(ids[n], known)
        while known[slot] > 0:
            slot = next_slot(slot, known)
        known[slot] = n + 1
    replace(first, ids, known)
    replace(second, ids, known)
    replace(members, ids, known)
    replace(results, ids, known)


def replace(numbers, ids, known):
    """Replace ids by their indices in `ids`."""
    for i in range(len(numbers)):
        slot = slot_of(numbers[i], known)
        while ids[known[slot] - 1] != numbers[i]:
            slot = next_slot(slot, known)
        numbers[i] = known[slot] - 1


def merge_equal(
    kinds: Integers, first: Integers, second: Integers, items: Integers, sizes: Integers, ends: Integers,
    same: Integers, known: Slots, known_lists: Slots,
) -> None:  # fmt: skip
    """Replace each operand by the first one that is equal: the same rule on equal operands, or an equal list.

    `same` has for every node its number, for a constant that of the first equal one, and for every list -1. It gets the
    numbers of the first equal operations and lists. `known` and `known_lists` are hash tables, 0 where they are free.
    """
    for n in range(len(kinds)):
        first[n] = merged(first[n], items, sizes, ends, same, known_lists)
        second[n] = merged(second[n], items, sizes, ends, same, known_lists)
        if kinds[n] > 1:
            slot = slot_of((kinds[n] * SCATTER + first[n]) * SCATTER + second[n], known)
            while known[slot] > 0 and (
                kinds[known[slot]] != kinds[n] or first[known[slot]] != first[n] or second[known[slot]] != second[n]
            ):
                slot = next_slot(slot, known)
            known[slot] = n if known[slot] == 0 else known[slot]
            same[n] = known[slot]


def merged(x, items, sizes, ends, same, known) -> int:
    """Return the first operand that is equal to operand x: a node, or a list of nodes that are merged already."""
    if same[x] < 0:
        key = 0
        for i in range(ends[x] - sizes[x], ends[x]):
            items[i] = same[items[i]]
            key = key * SCATTER + items[i]
        slot = slot_of(key, known)
        while known[slot] > 0 and differ(x, known[slot], items, sizes, ends):
            slot = next_slot(slot, known)
        known[slot] = x if known[slot] == 0 else known[slot]
        same[x] = known[slot]
    return same[x]


def differ(x, y, items, sizes, ends) -> bool:
    """Return whether two lists differ."""
    if sizes[x] != sizes[y]:
        return True
    i = sizes[x]
    while i > 0:
        if items[ends[x] - i] != items[ends[y] - i]:
            return True
        i -= 1
    return False


@inlined
def slot_of(key, table) -> int:
    """Return where to look for a key first; the length of the table is a power of two."""
    return key * SCATTER >> 24 & len(table) - 1


@inlined
def next_slot(slot, table) -> int:
    """Return where to look next."""
    return slot + 1 & len(table) - 1


def group(
    codes: Integers, dot: int, root: int, first: Integers, second: Integers, items: Integers, sizes: Integers,
    ends: Integers, varies: Flags, requires_grad: Flags, common: Flags, groups: Table,
) -> None:  # fmt: skip
    """Compute for every node whether it varies and whether it requires a gradient, and the group that it belongs to.

    Nodes that are equal in all four columns of `groups` are a group: the level above the leaves, the opcode, the bit
    mask of the operands that require a gradient, and for a layer the operands. A weighted sum (opcode `dot`) of
    operands that vary by weights that do not belongs to a layer; its weights become the second operand. Nodes after
    `root` pass no gradients back. `common` marks operands that do not vary of nodes that do.
    """
    for n in range(len(codes)):
        a, b = first[n], second[n]
        a_varies, b_varies = has(varies, a, items, sizes, ends), has(varies, b, items, sizes, ends)
        is_layer = codes[n] == dot and a_varies != b_varies
        if is_layer and b_varies:
            first[n] = b
            second[n] = a
        mask = has(requires_grad, first[n], items, sizes, ends) + 2 * has(requires_grad, second[n], items, sizes, ends)
        groups[n, 0] = max(top(a, groups, items, sizes, ends), top(b, groups, items, sizes, ends))
        groups[n, 1] = LAYER if is_layer else codes[n]
        groups[n, 2] = mask if n <= root else 0
        groups[n, 3] = first[n] if is_layer else 0
        if mask > 0:
            requires_grad[n] = True
        if a_varies or b_varies:
            varies[n] = True
            mark(common, first[n], items, sizes, ends)
            if not is_layer:
                mark(common, second[n], items, sizes, ends)


@inlined
def has(flags, x, items, sizes, ends) -> int:
    """Return 1 if a node of operand x has the flag, else 0."""
    for i in range(ends[x] - sizes[x], ends[x]):
        if flags[items[i]]:
            return 1
    return 0


@inlined
def top(x, groups, items, sizes, ends) -> int:
    """Return the level above the nodes of operand x; 0 if there are none."""
    level = 0
    for i in range(ends[x] - sizes[x], ends[x]):
        level = max(level, groups[items[i], 0] + 1)
    return level


@inlined
def mark(flags, x, items, sizes, ends):
    """Set the flags of the nodes of operand x."""
    for i in range(ends[x] - sizes[x], ends[x]):
        flags[items[i]] = True


def write_tape(
    nodes: Integers, groups: Table, first: Integers, second: Integers, items: Integers, sizes: Integers,
    ends: Integers, slots: Integers, operations: Table, index: Slots,
) -> int:  # fmt: skip
    """Write the operations of `nodes`, sorted by their groups, as `runtime` reads them. Return the number of groups.

    The row after the last has the length of the index.
    """
    row, end, before = -1, 0, 0
    for k in range(len(nodes)):
        n = nodes[k]
        is_layer = groups[n, 1] == LAYER
        if k == 0 or (
            groups[n, 0] != groups[before, 0] or groups[n, 1] != groups[before, 1]
            or groups[n, 2] != groups[before, 2] or groups[n, 3] != groups[before, 3]
        ):  # fmt: skip
            row += 1
            operations[row, 0] = groups[n, 1]
            operations[row, 1] = groups[n, 2]
            operations[row, 2] = end
            if is_layer:
                operations[row, 4] = sizes[first[n]]
                end = write_slots(first[n], end, items, sizes, ends, slots, index)
        operations[row, 3] += 1
        if is_layer:
            index[end] = slots[n]
            end += 1
        else:
            index[end] = sizes[first[n]]
            index[end + 1] = slots[n]
            end = write_slots(first[n], end + 2, items, sizes, ends, slots, index)
            end = write_slots(second[n], end, items, sizes, ends, slots, index)
        before = n
    operations[row + 1, 2] = end
    return row + 1


@inlined
def write_slots(x, end, items, sizes, ends, slots, index) -> int:
    """Write the slots of operand x to the index from `end` on; return the new end."""
    for i in range(ends[x] - sizes[x], ends[x]):
        index[end] = slots[items[i]]
        end += 1
    return end
