"""From the text of the rows to machine code: kernels that run a tape on many rows of data.

A block is some rows of data side by side, its lanes. Every node of the tape has a slot with a number for each, so
that an operation is a short loop over the lanes, which the processor does in a few vector instructions. The loops are
made from the texts of `engine.rules`, as the eager kernels are, and numba compiles them: once a machine, for what it
made is kept on disk.

The weighted sums of a layer, with the same operands and weights that are the same in every row, are one operation:
blocks of sums stay in registers while the operands go by.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib.util
import math
import os
import re
import secrets
import sys
import tempfile
from functools import cache
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import platformdirs

from engine.rules import RULES, Rule

LAYER = 0  # the opcode of the weighted sums of a layer; those of the rules follow

# What an operation on the tape tells: its opcode; which operands want a gradient, 1 the first and 2 the second; at
# which p it begins in `index`; for how many items n it stands; of a layer how many operands m and the first weight w.
MODULE = """\
import numba
import numpy as np
from math import cos, erfc, exp, expm1, inf, log, log1p, pi, sin, sqrt, tan, tanh
from numba import uint64 as U  # an index that cannot be negative needs no check for it

exact = numba.njit(error_model="numpy")
sums = numba.njit(error_model="numpy", fastmath={{"reassoc", "contract"}})
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
def backward(L, tape, index, M, V, S, G, T, K, Z, gW):
    for k in range(tape.shape[0] - 1, -1, -1):
        op, mask, p, n = tape[k, 0], tape[k, 1], U(tape[k, 2]), U(tape[k, 3])
        if op == 0:
            if mask & 1:
                layer_operands(L, p, n, U(tape[k, 4]), U(tape[k, 5]), index, M, G, Z)
            if mask & 2:
                layer_weights(L, p, n, U(tape[k, 4]), U(tape[k, 5]), index, V, G, T, K, Z, gW)
{backward}

@sums
def is_finite(V):
    poison = 0.0
    for i in range(U(V.size)):
        poison += V[i] * 0.0
    return poison == 0.0


@entry
def run(tape, index, V, S):
    forward(U(1), tape, index, V, V, S)
    return is_finite(V)


@entry
def pull(tape, index, V, S, G):
    backward(U(1), tape, index, V, V, S, G, S, np.zeros(1, np.uint32), S, S)


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
        total = 0.0
        for l in range(L):
            total += G[(first + i) * L + l]
        numbers[i] += total


@exact
def transpose(tape, W, M):
    for k in range(tape.shape[0]):
        if tape[k, 0] == 0:
            n, m, w = U(tape[k, 3]), U(tape[k, 4]), U(tape[k, 5])
            for j in range(n):
                for i in range(m):
                    M[w + i * n + j] = W[w + j * m + i]


@entry
def replay(lanes, tape, index, W, M, B, data, rows, first, last, outputs, results, V, S, seed, G, T, K, Z, gW, gB):
    if seed != 0.0:
        transpose(tape, W, M)
    L, columns = U(lanes), U(data.shape[1])
    spread(L, B, columns, V)
    for start in range(U(first), U(last), L):
        load(L, data, rows, start, U(last), V)
        forward(L, tape, index, W, V, S)
        if not is_finite(V):
            return start
        full = min(L, U(last) - start)
        for l in range(full):
            for k in range(U(outputs.size)):
                results[start + l, k] = V[outputs[k] * L + l]
        if seed != 0.0:
            G[:] = 0.0
            for l in range(full):
                G[outputs[0] * L + l] = seed
            backward(L, tape, index, M, V, S, G, T, K, Z, gW)
            gather(L, G, columns, gB)
    return U(last)
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

# In these a line that begins with [j], [l] or [j, l] stands for one each of j < height, of l < 8, and of both. The sums
# go through Z, because LLVM makes vectors of what is stored, and not of what is added to memory.
# V[out j] = sum over i of w[j, i] V[x i]
LAYER_SUMS = """\
    while j + U({height}) <= n:
        for b in range(U(0), L, U(8)):
            [j, l] s{j}_{l} = 0.0
            for i in range(m):
                x = U(index[p + i]) * L + b
                [l] x{l} = V[x + U({l})]
                [j] w{j} = W[w + (j + U({j})) * m + i]
                [j, l] s{j}_{l} += w{j} * x{l}
            [j] o{j} = U(index[p + m + j + U({j})]) * L + b
            [j, l] V[o{j} + U({l})] = s{j}_{l}
        j += U({height})
"""

# G[x i] += sum over j of w[j, i] G[out j]; here i goes in blocks, as j above, and M has the weights transposed
LAYER_OPERANDS = """\
    while i + U({height}) <= m:
        for b in range(U(0), L, U(8)):
            [j, l] s{j}_{l} = 0.0
            for j in range(n):
                o = U(index[p + m + j]) * L + b
                [l] x{l} = G[o + U({l})]
                [j] w{j} = M[w + (i + U({j})) * n + j]
                [j, l] s{j}_{l} += w{j} * x{l}
            [j, l] Z[U(8 * {j} + {l})] = s{j}_{l}
            for k in range(U({height})):
                x = U(index[p + i + k]) * L + b
                for l in range(U(8)):
                    G[x + l] += Z[k * U(8) + l]
        i += U({height})
"""

# gW[j, i] += sum over the lanes of G[out j] V[x i], where T has the operands by lane
LAYER_WEIGHTS = """\
    while j + U({height}) <= n:
        [j] o{j} = U(index[p + m + j + U({j})]) * L
        i = U(0)
        while i < m:
            first = i if i + U(8) <= m else m - min(m, U(8))  # the last block begins where it ends with the operands
            [j, l] s{j}_{l} = 0.0
            for lane in range(L):
                x = U(K[lane]) + first
                [l] x{l} = T[x + U({l})]
                [j] g{j} = G[o{j} + lane]
                [j, l] s{j}_{l} += g{j} * x{l}
            [j, l] Z[U(8 * {j} + {l})] = s{j}_{l}
            for k in range(U({height})):
                x = w + (j + k) * m + first
                if i + U(8) <= m:
                    for l in range(U(8)):
                        gW[x + l] += Z[k * U(8) + l]
                else:
                    for l in range(i - first, min(m - first, U(8))):
                        gW[x + l] += Z[k * U(8) + l]
            i += U(8)
        j += U({height})
"""

TRANSPOSE = """\
    if n < U(4):  # too few for blocks to be worth it
        for j in range(n):
            o = U(index[p + m + j]) * L
            for i in range(m):
                x = U(index[p + i]) * L
                total = 0.0
                for lane in range(L):
                    total += G[o + lane] * V[x + lane]
                gW[w + j * m + i] += total
        return
    for lane in range(L):
        K[lane] = lane * m
    for i in range(m):
        x = U(index[p + i]) * L
        for lane in range(L):
            T[lane * m + i] = V[x + lane]
"""


@cache
def load() -> ModuleType:
    """The kernels, compiled when they are first called on this machine."""
    text = module_text()
    name = f"kernels_{hashlib.sha256(f'{numba.__version__} {text}'.encode()).hexdigest()[:16]}"
    path = _folder() / f"{name}.py"
    if not path.exists():
        temporary = path.with_name(f"{secrets.token_hex(8)}.tmp")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    watched = (sys.stderr and sys.stderr.isatty()) or "ipykernel" in sys.modules
    if watched and not list(path.parent.glob(f"__pycache__/{name}.*.nbi")):
        print("glassgrad compiles its kernels for this machine, once; it takes half a minute ...", file=sys.stderr)
    spec: Any = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # where numba looks for it
    spec.loader.exec_module(module)
    return module


def _folder() -> Path:
    """Where the kernels are kept: the user's cache, or where there is none, a folder for this time alone."""
    folder: Path = platformdirs.user_cache_path("glassgrad")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="glassgrad-"))


def opcodes() -> dict[Rule, int]:
    """The opcode of every row of the table."""
    return {rule: code for code, rule in enumerate(RULES.values(), start=LAYER + 1)}


def module_text() -> str:
    """The kernels as a Python module."""
    functions = [_function(rule) for rule in RULES.values()]
    for name, begin, block, arguments in (
        ("layer", "    j = U(0)\n", LAYER_SUMS, "index, W, V"),
        ("layer_operands", "    i = U(0)\n", LAYER_OPERANDS, "index, M, G, Z"),
        ("layer_weights", f"{TRANSPOSE}    j = U(0)\n", LAYER_WEIGHTS, "index, V, G, T, K, Z, gW"),
    ):
        blocks = [_unrolled(block, height) for height in (8, 4, 2, 1)]
        functions.append("".join([f"@sums\ndef {name}(L, p, n, m, w, {arguments}):\n{begin}", *blocks]))
    calls: dict[str, str] = {}
    for name, arguments in (("forward", "L, p, n, index, V, S"), ("backward", "L, mask, p, n, index, V, S, G")):
        for rule, code in opcodes().items():
            functions.append(_kernel(rule, name).format(name=name, code=code, arguments=arguments))
        calls[name] = "".join(CALLS.format(name=name, code=code, arguments=arguments) for code in opcodes().values())
    return MODULE.format(functions="\n\n".join(filter(None, functions)), **calls)


def _function(rule: Rule) -> str:
    """A row as a function of one number, for the texts that call it; "" where Python has it."""
    known = hasattr(math, rule.symbol) or hasattr(builtins, rule.symbol)
    if rule.arity > 1 or rule.fold or known or not rule.symbol.isidentifier():
        return ""
    return f"@exact\ndef {rule.symbol}(a):\n    return {rule.value}\n"


def _kernel(rule: Rule, name: str) -> str:
    """The kernel of a row over items that lie in `index`: an item's operands and its slot, or for a fold how many, its
    slot, and then the operands."""
    letters = "ab"[: rule.arity]
    forward = name == "forward"
    gives = [f"G[x{x} + l] += G[o + l] * ({partial})" for x, partial in zip(letters, rule.partials, strict=True)]
    if not rule.fold:
        slots = [f"{slot} = U(index[p + U({i})]) * L" for i, slot in enumerate([*(f"x{x}" for x in letters), "o"])]
        loops = [_loop(f"V[o + l] = {rule.value}", letters)] if forward else _asked(gives, letters)
        return _filled(ITEMS, symbol=rule.symbol, slots=slots, taken=rule.arity + 1, loops=loops)
    slots = [f"x{x} = U(index[p + U({i}) * m + i]) * L" for i, x in enumerate(letters)]
    before = [TOP] if re.search(r"\btop\b", " ".join((rule.fold, rule.value, *rule.partials))) else []
    after = []
    if forward:
        before.append(TOTAL)
        after.append(FOLDED.format(fold=rule.fold))
    loops = [_loop(f"S[L + l] += {rule.value}", letters)] if forward else _asked(gives, letters)
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


def _unrolled(template: str, height: int) -> str:
    lines = []
    for line in template.splitlines():
        kind = re.match(r"( *)\[(j|l|j, l)\] (.*)", line)
        if not kind:
            lines.append(line.format(height=height))
            continue
        indent, letters, statement = kind.groups()
        for j, lane in product(range(height) if "j" in letters else [0], range(8) if "l" in letters else [0]):
            lines.append(f"{indent}{statement.format(j=j, l=lane)}")
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
