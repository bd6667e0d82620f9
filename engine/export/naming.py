"""The names of a program's variables and functions: the labels of the graph, where every language allows them."""

from __future__ import annotations

import keyword
import re
import unicodedata

from engine.formulas import MATH_FUNCTIONS

# Words that mean something in one of the languages, so that variables have the same names in all of them.
_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while main NAN INFINITY
arguments catch class debugger delete eval export extends function implements import in instanceof interface let new
null package private protected public super this throw try undefined var with yield await async of Math NaN
Infinity Number inf nan np rows inputs outputs gradient isfinite fabs fmod round tgamma larger modulo floor_divide
floorDivide nan_if_error true false bool nullptr constexpr thread_local typeof typeof_unqual alignas alignof
static_assert asm linux unix HUGE_VAL HUGE_VALF HUGE_VALL FP_NAN FP_INFINITE FP_ZERO FP_SUBNORMAL FP_NORMAL MATH_ERRNO
MATH_ERREXCEPT math_errhandling M_E M_LOG2E M_LOG10E M_LN2 M_LN10 M_PI M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2
M_SQRT1_2
"""
# Functions of C, whose names a generated function must not have.
_C_FUNCTIONS = """
cbrt ceil copysign exp2 fdim floor fma fmax fmin frexp ilogb isinf isnan isnormal j0 j1 jn ldexp llrint llround log2
logb lrint lround modf nearbyint nextafter nexttoward remainder remquo rint scalbln scalbn signbit trunc y0 y1 yn
"""
RESERVED = {*keyword.kwlist, *MATH_FUNCTIONS, "pi", *_WORDS.split()}
RESERVED_FUNCTIONS = RESERVED | {*_C_FUNCTIONS.split()}


def identifier(label: str) -> str:
    """Return a label as a name in ASCII, or "".

    >>> identifier("layer1.w12"), identifier("θ'"), identifier("2nd"), identifier("+")
    ('layer1_w12', 'theta', '_2nd', '')
    """
    text = ""
    for c in unicodedata.normalize("NFKD", label):
        words = unicodedata.name(c, "").split()
        if c.isascii():
            text += c if c.isalnum() else "_"
        elif words[:1] == ["GREEK"] and c.isalpha():
            text += words[-1].capitalize() if c.isupper() else words[-1].lower()
        elif c.isalnum():
            text += f"u{ord(c):x}"
    text = re.sub("__+", "_", text).strip("_")
    return f"_{text}" if text[:1].isdigit() else text
