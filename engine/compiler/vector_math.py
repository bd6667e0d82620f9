"""exp and tanh without branches, so that LLVM can vectorize loops over them, and the other functions of formulas.

exp and tanh are within 2 ulp. The first functions, which select a value or reinterpret bits, take one instruction each.
Python's `math` functions are those of the C library.
"""

from __future__ import annotations

from math import copysign, floor, fmod, nan
from typing import Any

from llvmlite import ir

from engine.compiler.python_to_llvm import F64, I64, INTRINSICS, choice, declared, inlined, intrinsic
from engine.formulas import BINARY_FUNCTIONS, MATH_FUNCTIONS

LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # log(2) to 32 bits, so that k * LN2_HIGH is exact
LN2_LOW = 1.90821492927058770002e-10  # log(2) - LN2_HIGH
ROUND = 6755399441055744.0  # 1.5 * 2**52: x + ROUND has x, rounded to an integer, in its last bits
ONE = 0x3FF0000000000000  # the bits of 1.0

OF_LLVM = ("abs", "copysign", "cos", "exp", "floor", "log", "log10", "pow", "sin", "sqrt")
C_NAMES = {"gamma": "tgamma"}  # of functions that `math` calls by another name


def math_function(name: str) -> Any:
    """Return an intrinsic that calls a function of `math`: one of LLVM's, or of the C library."""
    arity = 2 if name in ("copysign", "fmod", *BINARY_FUNCTIONS) else 1
    kind = ir.FunctionType(F64, [F64] * arity)

    def emit(builder: Any, *operands: Any) -> Any:
        llvm_name = f"llvm.{'fabs' if name == 'abs' else name}.f64" if name in OF_LLVM else C_NAMES.get(name, name)
        return builder.call(declared(builder, llvm_name, kind), operands)

    return emit


INTRINSICS |= {name: math_function(name) for name in {"copysign", "floor", "fmod", *MATH_FUNCTIONS} - {"max"}}


@intrinsic
def bits(builder: Any, x: Any) -> Any:
    """Return the bits of a double as an int."""
    return builder.bitcast(x, I64)


@intrinsic
def double(builder: Any, x: Any) -> Any:
    """Return the double with these bits."""
    return builder.bitcast(x, F64)


@inlined
def undefined(result: float, a: float, b: float) -> float:
    """Return NaN if Python's `math` raises an error instead of this result of a function of `a` and `b`, else 0.

    Python raises one where finite numbers give an infinite result, and where numbers that are not NaN give NaN.
    """
    if 0.0 * a == 0.0 and 0.0 * b == 0.0:
        return 0.0 * result
    return nan if result != result and a == a and b == b else 0.0


@inlined
def remainder(a: float, b: float) -> float:
    """Return a % b as Python does: with the sign of b; NaN if b is 0."""
    rest = fmod(a, b)
    if rest == 0.0:
        return copysign(0.0, b)
    return rest + b if (b < 0.0) != (rest < 0.0) else rest


@inlined
def floor_divide(a: float, b: float) -> float:
    """Return a // b as Python does; NaN if b is 0."""
    rest = fmod(a, b)
    quotient = (a - rest) / b - (1.0 if rest != 0.0 and (b < 0.0) != (rest < 0.0) else 0.0)
    if quotient == 0.0:
        return copysign(0.0, a / b)
    whole = floor(quotient)
    return whole + 1.0 if quotient - whole > 0.5 else whole


@inlined
def exp(x: float) -> float:
    """Return e to the power x: 2**k times 14 terms of the Taylor series of exp at x - k log(2)."""
    x = min(max(x, -746.0), 710.0)  # beyond, the result is 0 or infinity
    shifted = x * LOG2_E + ROUND
    k = shifted - ROUND
    r = (x - k * LN2_HIGH) - k * LN2_LOW  # at most log(2) / 2 from 0
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r * r + r + 1.0
    # 2**k has two factors, because k may exceed the exponents of doubles.
    whole: int = bits(shifted) - bits(ROUND)
    half = whole >> 1
    return p * double((half << 52) + ONE) * double(((whole - half) << 52) + ONE)


@inlined
def tanh(x: float) -> float:
    """Return the hyperbolic tangent: near 0 the rational function of Moshier's Cephes, else 1 - 2/(exp(2x) + 1)."""
    z = x * x
    p = (-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z - 1.61468768441708447952e3
    q = ((z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3) * z + 4.84406305325125486048e3
    near = x + x * z * (p / q)
    far = 1.0 - 2.0 / (exp(2.0 * abs(x)) + 1.0)
    return copysign(choice(z < 0.390625, near, far), x)  # tanh(-0.0) is -0.0
