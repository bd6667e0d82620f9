"""WebAssembly modules of single functions of floats, run by wasmtime with Python's functions."""

import wasmtime

from engine.formulas import BINARY_FUNCTIONS, MATH_FUNCTIONS
from viz.pages.wasm import CHECKED_OPERATORS, F64

CHECKED = {"divide": lambda a, b: a / b, "modulo": lambda a, b: a % b, "floorDivide": lambda a, b: a // b}
BINARY = {*BINARY_FUNCTIONS, *CHECKED_OPERATORS.values()}


def sized(items):
    """Return a vector: bytes, or a list of bytes, after their number."""
    return bytes([len(items) & 127 | 128, len(items) >> 7]) + (items if isinstance(items, bytes) else b"".join(items))


def name(text):
    return sized(text.encode())


def function_of(formulas, code, letters):
    """Return code of `Formulas` as a function of the operands with these letters."""
    functions = {**formulas.functions, "": (code, len(letters))}
    calls = {part for body, _ in functions.values() for part in body if isinstance(part, str)}
    imports = sorted(calls - functions.keys() - {*letters, "a", "b"})
    numbers = {call: i for i, call in enumerate([*imports, *functions])}

    def body(code, letters):
        get = {letter: b"\x20" + bytes([i]) for i, letter in enumerate(letters)}
        call = {x: b"\x10" + bytes([number]) for x, number in numbers.items()}
        return sized(b"\x00" + b"".join({**call, **get}.get(x, x) for x in code) + b"\x0b")

    arities = [2 if x in BINARY else 1 for x in imports] + [arity for _, arity in functions.values()]
    types = [b"\x60" + sized(F64 * arity) + sized(F64) for arity in arities]
    bodies = [body(code, letters if x == "" else "ab"[:arity]) for x, (code, arity) in functions.items()]
    sections = {
        1: sized(types),
        2: sized([name("math") + name(x) + b"\x00" + bytes([i]) for i, x in enumerate(imports)]),
        3: sized([bytes([len(imports) + i]) for i in range(len(functions))]),
        7: sized([name("f") + b"\x00" + bytes([numbers[""]])]),
        10: sized(bodies),
    }
    store = wasmtime.Store()
    binary = b"\0asm\1\0\0\0" + b"".join(bytes([number]) + sized(section) for number, section in sections.items())
    kinds = [wasmtime.FuncType([wasmtime.ValType.f64()] * arity, [wasmtime.ValType.f64()]) for arity in arities]
    linked = [
        wasmtime.Func(store, kind, {**MATH_FUNCTIONS, **CHECKED}[x]) for x, kind in zip(imports, kinds, strict=False)
    ]
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, binary), linked).exports(store)
    return lambda *operands: exports["f"](store, *operands)
