"""From the text of the rows to machine code: kernels that run a tape on many rows of data.

A block is some rows of data side by side, its lanes. Every node of the tape has a slot with a number for each, so
that an operation is a short loop over the lanes, which the processor does in a few vector instructions. The loops are
made from the texts of `engine.rules`, as the eager kernels are, and numba compiles them.

The weighted sums of a layer, with the same operands and weights that are the same in every row, are one operation:
blocks of sums stay in registers while the operands go by.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable
from functools import cache
from itertools import product
from types import ModuleType
from typing import Any

from engine.compiler import simd, vector_math
from engine.compiler.cache import load_cached_module
from engine.custom import CUSTOM_RULES
from engine.formulas import MATH_FUNCTIONS
from engine.rules import RULES, Rule

BEGIN, ROWS, FINISH = 1, 2, 4  # the parts of a run: before the rows, the rows, after them
WHOLE = BEGIN + ROWS + FINISH
LAYER = 0  # the opcode of the weighted sums of a layer; those of the rules follow

# What an operation on the tape tells: its opcode; which operands want a gradient, 1 the first and 2 the second; at
# which p it begins in `index`; for how many items n it stands; of a layer how many operands m and the first weight w.
# Slots of the uniform tape have one number each (L = 1): `uniform`, with the gradients `slopes`. Out of it layers take
# the weights W, once for all rows, and what else the rows take is B, spread over the lanes.
MODULE = """\
import numba
import numpy as np
from math import inf, pi, {python}
from numba import int64 as I
from numba import uint64 as U  # an index that cannot be negative needs no check for it

from engine.compiler.vector_math import choice, compiled, exp, tanh
from engine.compiler.simd import add_product, get, put, total, zeros

inner = {{"no_cpython_wrapper": True, "no_cfunc_wrapper": True}}  # called by compiled code alone
exact = numba.njit(error_model="numpy", **inner)
sums = numba.njit(error_model="numpy", fastmath={{"reassoc", "contract"}}, **inner)
entry = numba.njit(error_model="numpy", nogil=True, cache=True)

{functions}

@exact
def forward(L, tape, index, W, V, S):
    for k in range(tape.shape[0]):
        op, p, n = tape[k, 0], U(tape[k, 2]), U(tape[k, 3])
        if op == 0:
            layer(L, p, n, U(tape[k, 4]), U(tape[k, 5]), index, W, V)
{forward}

@exact
def backward(L, tape, index, W, V, S, G, gW):
    for k in range(tape.shape[0] - 1, -1, -1):
        op, mask, p, n = tape[k, 0], tape[k, 1], U(tape[k, 2]), U(tape[k, 3])
        if op == 0:
            if mask & 1:
                layer_operands(L, p, n, U(tape[k, 4]), U(tape[k, 5]), index, W, G)
            if mask & 2:
                layer_weights(L, p, n, U(tape[k, 4]), U(tape[k, 5]), index, V, G, gW)
{backward}

@sums
def is_finite(V):
    poison = 0.0
    for i in range(U(V.size)):
        poison += V[i] * 0.0
    return poison == 0.0


@exact
def load(L, data, rows, first, last, V):
    for l in range(L):
        row = rows[min(first + l, last - U(1))]  # the last row fills up the last block
        for i in range(U(data.shape[1])):
            V[i * L + l] = data[row, i]


@exact
def spread(L, numbers, first, V):
    for i in range(U(numbers.size)):
        for l in range(L):
            V[(first + i) * L + l] = numbers[i]


@sums
def gather(L, G, first, numbers):
    for i in range(U(numbers.size)):
        one = 0.0
        for l in range(L):
            one += G[(first + i) * L + l]
        numbers[i] += one


@entry
def survey(first, second, ends, items, varies, learns, level, operands):
    for n in range(first.size):
        for k in range(2):
            x = second[n] if k else first[n]
            one = x >= 0
            for i in range(0 if one else ends[-2 - x], 1 if one else ends[-1 - x]) if x != -1 else range(0):
                operand = x if one else items[i]
                operands[n, k] |= varies[operand]
                operands[n, k + 2] |= learns[operand]
                level[n] = max(level[n], level[operand] + 1)
            varies[n] |= operands[n, k]
            learns[n] |= operands[n, k + 2]


# Of places that follow one another the first alone is given.
@exact
def take(numbers, places, taken):
    if places.size < taken.size:
        for i in range(U(taken.size)):
            taken[i] = numbers[U(places[0]) + i]
    else:
        for i in range(U(taken.size)):
            taken[i] = numbers[U(places[i])]


@exact
def add(given, places, numbers):
    if places.size < given.size:
        for i in range(U(given.size)):
            numbers[U(places[0]) + i] += given[i]
    else:
        for i in range(U(given.size)):
            numbers[U(places[i])] += given[i]


# What is to be done of it `parts` says, a sum of {BEGIN}, {ROWS} and {FINISH}. The result is the row up to which all is
# finite, `last` if that is every one; -1 if the gradient is not.
@entry
def run(
    parts, first, last, parameters, same, same_index, weights, common, uniform, same_S, W, B,
    data, rows, seed, most, tape, index, outputs, V, G, S, gW, gB, results, slopes, gradient,
):
    if parts & {BEGIN}:
        for i in range(U(parameters.size)):
            uniform[i] = parameters[i]
        forward(U(1), same, same_index, W, uniform, same_S)
        if not is_finite(uniform):
            return first
        take(uniform, weights, W)
        take(uniform, common, B)

    if parts & {ROWS}:
        count = last - first
        blocks = max(-(-count // most), 1)
        L, columns = U(8 * max(-(-count // (8 * blocks)), 1)), U(data.shape[1])  # all blocks alike
        slots = U(V.size) // U(most)
        V, G = V[: slots * L], G[: slots * L]
        gW[:] = 0.0
        gB[:] = 0.0
        spread(L, B, columns, V)
        for start in range(U(first), U(last), L):
            load(L, data, rows, start, U(last), V)
            forward(L, tape, index, W, V, S)
            if not is_finite(V):
                return I(start)
            full = min(L, U(last) - start)
            for l in range(full):
                for k in range(U(outputs.size)):
                    results[start + l, k] = V[U(outputs[k]) * L + l]
            if seed != 0.0:
                G[:] = 0.0
                for l in range(full):
                    G[U(outputs[0]) * L + l] = seed
                backward(L, tape, index, W, V, S, G, gW)
                gather(L, G, columns, gB)

    if parts & {FINISH} and seed != 0.0:
        slopes[:] = 0.0
        add(gW, weights, slopes)
        add(gB, common, slopes)
        backward(U(1), same, same_index, W, uniform, same_S, slopes, gW)
        for i in range(U(gradient.size)):
            gradient[i] = slopes[i]
        if not is_finite(gradient):
            return -1
    return last
"""

CALLS = """\
        elif op == {code}:
            {name}_{code}({arguments})
"""

ITEMS = """\
@exact
def {name}_{code}({arguments}):  # {symbol}
    for t in range(n):
        {slots}
        p += U({taken})
        {loops}
"""

FOLD = """\
@exact
def {name}_{code}({arguments}):  # {symbol}
    for t in range(n):
        m = U(index[p])
        o = U(index[p + U(1)]) * L
        p += U(2)
        {before}
        for i in range(m):
            {slots}
            {loops}
        {after}
        p += U({taken}) * m
"""

TOP = """\
for l in range(L):
    S[l] = -inf
for i in range(m):
    xa = U(index[p + i]) * L
    for l in range(L):
        S[l] = max(S[l], V[xa + l])"""

TOTAL = """\
for l in range(L):
    S[L + l] = 0.0"""

FOLDED = """\
for l in range(L):
    top = S[l]
    total = S[L + l]
    V[o + l] = {fold}"""

# Of the weighted sums of a layer, blocks of some sums by eight lanes stay in registers. In these texts a line that
# begins with [j], [i] or [j, i] stands for one each of j < height, of i < width, and of both.
# V[out j] = sum over i of w[j, i] V[x i]
LAYER_SUMS = """\
    while j + U({height}) <= n:
        for b in range(U(0), L, U(8)):
            [j] s{j} = zeros()
            for i in range(m):
                x = get(V, U(index[p + i]) * L + b)
                [j] s{j} = add_product(s{j}, W[w + (j + U({j})) * m + i], x)
            [j] put(V, U(index[p + m + j + U({j})]) * L + b, s{j})
        j += U({height})
"""

# G[x i] += sum over j of w[j, i] G[out j]; an operand may be there twice, so that each is added on its own
LAYER_OPERANDS = """\
    while i + U({width}) <= m:
        for b in range(U(0), L, U(8)):
            [i] s{i} = zeros()
            for j in range(n):
                g = get(G, U(index[p + m + j]) * L + b)
                [i] s{i} = add_product(s{i}, W[w + j * m + i + U({i})], g)
            [i] x{i} = U(index[p + i + U({i})]) * L + b
            [i] put(G, x{i}, add_product(s{i}, 1.0, get(G, x{i})))
        i += U({width})
"""

# gW[j, i] += sum over the lanes of G[out j] V[x i]
LAYER_WEIGHTS = """\
    while j + U({height}) <= n:
        [j] o{j} = U(index[p + m + j + U({j})]) * L
        i = U(0)
{blocks}
        j += U({height})
"""

LAYER_WEIGHTS_BLOCK = """\
        while i + U({width}) <= m:
            [i] x{i} = U(index[p + i + U({i})]) * L
            [j, i] s{j}_{i} = zeros()
            for b in range(U(0), L, U(8)):
                [j] g{j} = get(G, o{j} + b)
                [i] v{i} = get(V, x{i} + b)
                [j, i] s{j}_{i} = add_product(s{j}_{i}, g{j}, v{i})
            [j, i] gW[w + (j + U({j})) * m + i + U({i})] += total(s{j}_{i})
            i += U({width})
"""


def kernels(own: tuple[Rule, ...] = ()) -> ModuleType:
    """The kernels of the table and of `own` rules beside it, compiled when they are first called on this machine."""
    return _kernels(own, tuple(RULES.values()) if own else ())


@cache
def _kernels(own: tuple[Rule, ...], _table: tuple[Rule, ...]) -> ModuleType:
    """Own rules may name others, which may have been added anew: then these are other kernels."""
    return load_cached_module(module_text(own), [vector_math, simd])


def opcodes(own: tuple[Rule, ...] = ()) -> dict[Rule, int]:
    """The opcode of every row of the table, and of own rules."""
    table = [rule for rule in RULES.values() if rule.symbol not in CUSTOM_RULES]
    return {rule: code for code, rule in enumerate([*table, *own], start=LAYER + 1)}


def module_text(own: tuple[Rule, ...] = ()) -> str:
    """The kernels as a Python module."""
    codes = opcodes(own)
    functions = [_function(rule) for rule in (RULES.values() if own else codes)]
    sizes = (8, 4, 2, 1)
    weights = {height: _blocks(LAYER_WEIGHTS_BLOCK, [(height, width) for width in sizes]) for height in (2, 1)}
    for name, arguments, blocks in (
        ("layer", "index, W, V", [_blocks(LAYER_SUMS, [(height, 1) for height in sizes])]),
        ("layer_operands", "index, W, G", [_blocks(LAYER_OPERANDS, [(1, width) for width in sizes])]),
        ("layer_weights", "index, V, G, gW", [
            _blocks(LAYER_WEIGHTS, [(height, 1)]).replace("{blocks}\n", inner) for height, inner in weights.items()
        ]),
    ):  # fmt: skip
        functions.append("".join([f"@exact\ndef {name}(L, p, n, m, w, {arguments}):\n    i = j = U(0)\n", *blocks]))
    calls: dict[str, str] = {}
    for name, arguments in (("forward", "L, p, n, index, V, S"), ("backward", "L, mask, p, n, index, V, S, G")):
        for rule, code in codes.items():
            functions.append(_kernel(rule, name).format(name=name, code=code, arguments=arguments))
        calls[name] = "".join(CALLS.format(name=name, code=code, arguments=arguments) for code in codes.values())
    return MODULE.format(
        functions="\n\n".join(filter(None, functions)), python=", ".join(sorted(MATH_FUNCTIONS.keys() - dir(builtins))),
        BEGIN=BEGIN, ROWS=ROWS, FINISH=FINISH, **calls,
    )  # fmt: skip


def _function(rule: Rule) -> str:
    """A row as a function of numbers, for the texts that call it; "" where Python has it."""
    if rule.finalize or not rule.symbol.isidentifier() or _is_python(rule):
        return ""
    value = _called(_checked(rule, rule.value))
    return f"@compiled\ndef of_{rule.symbol}({', '.join('ab'[: rule.arity])}):\n    return {value}\n"


def _is_python(rule: Rule) -> bool:
    return rule.value == f"{rule.symbol}({', '.join('ab'[: rule.arity])})"


def _checked(rule: Rule, text: str) -> str:
    """The text of an own rule such that it is nan where Python would raise an error on the way, though what comes out
    may be finite, as of max(0, log(a)). Those of the table hide nothing."""
    return f"({text}) + {_poison(ast.parse(text, mode='eval').body)}" if text and rule.symbol in CUSTOM_RULES else text


def _poison(node: ast.expr) -> str:
    """0 where all that the expression computes is finite, else nan."""
    here = [f"0.0 * ({ast.unparse(node)})"]
    match node:
        case ast.IfExp(test, body, orelse):
            return f"({_poison(test)} + ({_poison(body)} if {ast.unparse(test)} else {_poison(orelse)}))"
        case ast.Call(_, args):
            parts = here + [_poison(x) for x in args]
        case ast.BinOp(left, operator, right):
            parts = here * isinstance(operator, ast.Div | ast.Pow) + [_poison(left), _poison(right)]
        case ast.UnaryOp(_, operand):
            parts = [_poison(operand)]
        case ast.Compare(left, _, comparators):
            parts = [_poison(x) for x in (left, *comparators)]
        case ast.BoolOp(_, [first, *_]):  # the others may not be asked for
            parts = [_poison(first)]
        case _:
            parts = []
    return f"({' + '.join([part for part in parts if part != '0.0'] or ['0.0'])})".replace("(0.0)", "0.0")


def _called(text: str) -> str:
    """The text as the kernels have it: functions of the table by names that nothing else has there, and choices
    without branches where what is chosen from is cheap."""
    return ast.unparse(_Translation().visit(ast.parse(text, mode="eval"))) if text else ""


class _Translation(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        rule = RULES.get(ast.unparse(node.func))
        return ast.Call(ast.Name(f"of_{rule.symbol}"), node.args, []) if rule and not _is_python(rule) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        cheap = _is_cheap(ast.unparse(node))
        self.generic_visit(node)
        return ast.Call(ast.Name("choice"), [node.test, node.body, node.orelse], []) if cheap else node


def _is_cheap(text: str) -> bool:
    """Whether a text needs no function of Python's but those that LLVM makes vector code of."""
    calls = set(re.findall(r"(\w+)\(", text)) - {"abs", "exp", "float", "max", "sqrt", "tanh"}
    rules = [RULES.get(name) for name in calls]
    return all(rule is not None and not _is_python(rule) and _is_cheap(rule.value) for rule in rules)


def _kernel(rule: Rule, name: str) -> str:
    """The kernel of a row over items that lie in `index`: an item's operands and its slot, or for a fold how many, its
    slot, and then the operands."""
    letters = "ab"[: rule.arity]
    value, fold, *partials = (_called(_checked(rule, text)) for text in (rule.value, rule.finalize, *rule.partials))
    forward = name == "forward"
    gives = [f"G[x{x} + l] += G[o + l] * ({partial})" for x, partial in zip(letters, partials, strict=True)]
    if not rule.finalize:
        slots = [f"{slot} = U(index[p + U({i})]) * L" for i, slot in enumerate([*(f"x{x}" for x in letters), "o"])]
        loops = [_loop(f"V[o + l] = {value}", letters)] if forward else _asked(gives, letters)
        return _filled(ITEMS, symbol=rule.symbol, slots=slots, taken=rule.arity + 1, loops=loops)
    slots = [f"x{x} = U(index[p + U({i}) * m + i]) * L" for i, x in enumerate(letters)]
    before = [TOP] if re.search(r"\btop\b", " ".join((fold, value, *partials))) else []
    after = []
    if forward:
        before.append(TOTAL)
        after.append(FOLDED.format(fold=fold))
    loops = [_loop(f"S[L + l] += {value}", letters)] if forward else _asked(gives, letters)
    return _filled(FOLD, symbol=rule.symbol, before=before, slots=slots, loops=loops, after=after, taken=rule.arity)


def _loop(statement: str, letters: str) -> str:
    """A statement for every lane, with what it names."""
    known = {x: f"V[x{x} + l]" for x in letters} | {"out": "V[o + l]", "top": "S[l]"}
    loads = [f"{name} = {place}" for name, place in known.items() if re.search(rf"\b{name}\b", statement)]
    return "\n".join(["for l in range(L):", *(f"    {line}" for line in (*loads, statement))])


def _asked(gives: list[str], letters: str) -> list[str]:
    """Each statement under the condition that its operand wants a gradient."""
    return [
        f"if mask & {bit}:\n{_indented(_loop(give, letters), '    ')}" for bit, give in zip((1, 2), gives, strict=False)
    ]


def _blocks(template: str, sizes: Iterable[tuple[int, int]]) -> str:
    """The template for blocks of each height and width; the small ones take what the large ones left."""
    lines = []
    for height, width in sizes:
        for line in template.splitlines():
            kind = re.match(r"( *)\[(j|i|j, i)\] (.*)", line)
            if not kind:
                lines.append(line.replace("{height}", str(height)).replace("{width}", str(width)))
                continue
            indent, letters, statement = kind.groups()
            for j, i in product(range(height) if "j" in letters else [0], range(width) if "i" in letters else [0]):
                lines.append(f"{indent}{statement.format(j=j, i=i)}")
    return "\n".join([*lines, ""])


def _filled(template: str, **parts: Any) -> str:
    """The template with blocks of lines in place of the names that stand alone on a line."""
    lines = []
    for line in template.splitlines():
        name = line.strip().strip("{}")
        if isinstance(parts.get(name), list):
            indent = line[: len(line) - len(line.lstrip())]
            lines += [_indented(block, indent) for block in parts[name]]
        else:
            lines.append(line)
    return "\n".join([*lines, ""]).replace("{symbol}", parts["symbol"]).replace("{taken}", str(parts["taken"]))


def _indented(text: str, indent: str) -> str:
    return "\n".join(indent + line for line in text.splitlines())
