"""The lines of a program as text in Python, NumPy, C and JavaScript."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate

from engine.export.expressions import functions_in
from engine.export.lines import Function, Line
from engine.export.program import Program
from engine.formulas import MATH_FUNCTIONS, guarded
from engine.languages import NUMPY, PLAIN_JAVASCRIPT, PYTHON, C, Language, translate

WIDEST = 100  # characters per line
FROM_MATH = MATH_FUNCTIONS.keys() - {"abs", "max"} | {"isfinite", "pi"}  # names of a program in Python


class Writer:
    """The text of a program in one language; this class writes Python."""

    language: Language = PYTHON
    comment = "# "
    end = ""
    constant = variable = ""  # what declares a variable that is set once, or more often
    closing = ""  # the last line of a function
    gap = "\n\n\n"  # between functions
    infinity = "inf"
    helpers: Mapping[str, str] = {}  # functions that the language lacks, by name

    def write(self, program: Program, name: str, single: bool) -> str:
        """Return the whole text."""
        functions = [*map(self.function, _used_functions(program)), self.main(program, name, single)]
        text = self.gap.join(functions)
        helpers = [helper for key, helper in self.helpers.items() if re.search(rf"\b{key}\(", text)]
        return self.gap.join([*filter(None, [self.start(text)]), *helpers, text])

    def start(self, text: str) -> str:
        """Return the lines before the functions."""
        names = {x for x in re.findall(r"\w+", text) if x in FROM_MATH}
        return f"from math import {', '.join(sorted(names))}" if names else ""

    def function(self, function: Function) -> str:
        """Return a function that the lines call."""
        head = f"def {function.name}({', '.join(function.arguments)}):"
        return "\n".join([head, *fill("    return ", self.result_of(function))])

    def main(self, program: Program, name: str, single: bool) -> str:
        """Return the program's function."""
        sets = Counter(line.name for line in (*program.forward, *program.backward))
        if program.unsafe:
            sets.update(program.outputs)
        declared = set(program.inputs)
        seed = [Line(program.seed, "1.0")] if program.seed else []
        sections = {
            "parameters": program.parameters, "forward": program.forward, "backward": [*seed, *program.backward]
        }  # fmt: skip
        text = self.head(program, name, single)
        for title, lines in sections.items():
            if lines:
                text.append(f"    {self.comment}{title}")
            for line in lines:
                declaration = self.constant if sets[line.name] < 2 else self.variable
                text += self.statement(line, "" if line.name in declared else declaration, program)
                declared.add(line.name)
            if title == "forward" and program.unsafe:
                text += self.check(program)
        return "\n".join([*text, *self.result(program, single), *filter(None, [self.closing])])

    def head(self, program: Program, name: str, single: bool) -> list[str]:
        """Return the lines up to the inputs."""
        return fill(f"def {name}(", ", ".join(program.inputs), "):")

    def statement(self, line: Line, declaration: str, program: Program) -> list[str]:
        """Return a line of the program, with its comment beside it or above it."""
        text = self.seed(program) if line.name == program.seed else self.expression(line.text)
        statement = fill(f"    {declaration}{line.name} {'+=' if line.adds else '='} ", text, self.end)
        if not line.comment:
            return statement
        beside = f"{statement[-1]}  {self.comment}{line.comment}"
        if len(statement) == 1 and len(beside) <= WIDEST:
            return [beside]
        return [f"    {self.comment}{line.comment}", *statement]

    def expression(self, text: str) -> str:
        """Return an expression in this language, without brackets around the whole."""
        translated = translate(text, self.language)
        if not (translated.startswith("(") and translated.endswith(")")):
            return translated
        depths = accumulate({"(": 1, ")": -1}.get(c, 0) for c in translated)
        return translated[1:-1] if 0 not in [*depths][:-1] else translated

    def result_of(self, function: Function) -> str:
        """Return the expression of a function; Python has errors, and needs no guard."""
        return self.expression(function.text)

    def seed(self, program: Program) -> str:
        """Return the derivative of the output with respect to itself."""
        return "1.0"

    def check(self, program: Program) -> list[str]:
        """Return the lines that act on a number that is not finite and that the output may hide."""
        what = program.unsafe[0] if len(program.unsafe) == 1 else "a number"
        test = f"isfinite({program.unsafe[0]})"
        if len(program.unsafe) > 1:
            test = f"all(map(isfinite, [{', '.join(program.unsafe)}]))"
        return [*fill("    if not ", test, ":"), f'        raise OverflowError("{what} is not finite")']

    def result(self, program: Program, single: bool) -> list[str]:
        """Return the lines that return the outputs and the gradient."""
        outputs = program.outputs[0] if single else ""
        if not single:
            return fill("    return [", ", ".join(program.outputs), "]")
        if not program.seed:
            return [f"    return {outputs}"]
        return fill(f"    return {outputs}, [", ", ".join(program.gradient), "]")


class _GuardingWriter(Writer):
    """A writer for a language without errors: nan passes through the functions of custom rules."""

    def result_of(self, function: Function) -> str:
        text = self.expression(guarded(function.text) if function.may_hide else function.text)
        return re.sub(r"\binf\b", self.infinity, text.replace("_undefined(", "undefined("))


class _NumpyWriter(_GuardingWriter):
    language = NUMPY
    infinity = "np.inf"
    helpers: Mapping[str, str] = {
        "undefined": """\
def undefined(result, a, b):
    if_infinite = np.where(np.isnan(result) & ~np.isnan(a + b), np.nan, 0.0)
    return np.where(np.isfinite(a) & np.isfinite(b), 0.0 * result, if_infinite)""",
    } | {name: f"{name} = np.vectorize(math.{name}, otypes=[float])" for name in ("erf", "erfc", "gamma", "lgamma")}

    def start(self, text: str) -> str:
        needs_math = any(re.search(rf"\b{name}\(", text) for name in self.helpers)
        return "import math\n\nimport numpy as np" if needs_math else "import numpy as np"

    def head(self, program: Program, name: str, single: bool) -> list[str]:
        rows = f"np.asarray(rows, float).reshape(-1, {len(program.inputs)}).T"
        inputs = fill("    [", ", ".join(program.inputs), f"] = {rows}")
        return ['@np.errstate(all="ignore")', f"def {name}(rows):", *inputs]

    def statement(self, line: Line, declaration: str, program: Program) -> list[str]:
        if line.adds:  # += would change the array of another variable with the same numbers
            line = replace(line, text=f"{line.name} + ({line.text})", adds=False)
        return super().statement(line, declaration, program)

    def seed(self, program: Program) -> str:
        (output,) = program.outputs
        return f"np.where(np.isfinite({output}), 1.0, np.nan)" if program.unsafe else f"np.ones_like({output})"

    def check(self, program: Program) -> list[str]:
        test = " & ".join(f"np.isfinite({name})" for name in program.unsafe)
        return [line for x in program.outputs for line in fill(f"    {x} = np.where(", f"{test}, {x}, np.nan", ")")]

    def result(self, program: Program, single: bool) -> list[str]:
        if not single:
            return fill("    return np.stack(np.broadcast_arrays(", ", ".join(program.outputs), "), axis=1)")
        if not program.seed:
            return [f"    return {program.outputs[0]}"]
        return fill(f"    return {program.outputs[0]}, np.stack([", ", ".join(program.gradient), "], axis=1)")


class _CWriter(_GuardingWriter):
    language = C
    comment = "// "
    end = ";"
    constant, variable = "const double ", "double "
    closing = "}"
    gap = "\n\n"
    infinity = "INFINITY"
    finite, undefined = "isfinite({})", "NAN"
    helpers: Mapping[str, str] = {
        "undefined": """\
static double undefined(double result, double a, double b) {
    if (isfinite(a) && isfinite(b)) return 0.0 * result;
    return isnan(result) && !isnan(a) && !isnan(b) ? NAN : 0.0;
}""",
        "larger": "static double larger(double a, double b) {\n    return b > a ? b : a;\n}",
        "modulo": """\
static double modulo(double a, double b) {
    const double rest = fmod(a, b);
    return rest != 0.0 && (rest < 0.0) != (b < 0.0) ? rest + b : rest;
}""",
        "floor_divide": """\
static double floor_divide(double a, double b) {
    const double rest = fmod(a, b);
    return round((a - (rest != 0.0 && (rest < 0.0) != (b < 0.0) ? rest + b : rest)) / b);
}""",
    }

    def start(self, text: str) -> str:
        return "#include <math.h>"

    def function(self, function: Function) -> str:
        arguments = ", ".join(f"double {x}" for x in function.arguments)
        body = fill("    return ", self.result_of(function), ";")
        return "\n".join([f"static double {function.name}({arguments}) {{", *body, "}"])

    def head(self, program: Program, name: str, single: bool) -> list[str]:
        arrays = [f"const double inputs[{len(program.inputs)}]"]
        if not single:
            arrays.append(f"double outputs[{len(program.outputs)}]")
        if program.seed:
            arrays.append(f"double gradient[{len(program.inputs)}]")
        head = f"{'double' if single else 'void'} {name}({', '.join(arrays)}) {{"
        return [head, *(f"    const double {x} = inputs[{i}];" for i, x in enumerate(program.inputs))]

    def seed(self, program: Program) -> str:
        test = self.finite.format(program.outputs[0])
        return f"{test} ? 1.0 : {self.undefined}" if program.unsafe else "1.0"

    def check(self, program: Program) -> list[str]:
        tests = " || ".join(f"!{self.finite.format(name)}" for name in program.unsafe)
        outputs = " = ".join([*dict.fromkeys(program.outputs), self.undefined])
        return fill("    if (", tests, f") {outputs};")

    def result(self, program: Program, single: bool) -> list[str]:
        if not single:
            return [f"    outputs[{i}] = {x};" for i, x in enumerate(program.outputs)]
        gradient = [f"    gradient[{i}] = {x};" for i, x in enumerate(program.gradient)]
        return [*gradient, f"    return {program.outputs[0]};"]


class _JavascriptWriter(_CWriter):
    language = PLAIN_JAVASCRIPT
    constant, variable = "const ", "let "
    infinity = "Infinity"
    finite, undefined = "Number.isFinite({})", "NaN"
    helpers: Mapping[str, str] = {
        "undefined": """\
function undefined(result, a, b) {
    if (Number.isFinite(a) && Number.isFinite(b)) return 0.0 * result;
    return Number.isNaN(result) && !Number.isNaN(a) && !Number.isNaN(b) ? NaN : 0.0;
}""",
        "modulo": """\
function modulo(a, b) {
    const rest = a % b;
    return rest !== 0.0 && rest < 0.0 !== b < 0.0 ? rest + b : rest;
}""",
        "floorDivide": """\
function floorDivide(a, b) {
    const rest = a % b;
    return Math.round((a - (rest !== 0.0 && rest < 0.0 !== b < 0.0 ? rest + b : rest)) / b);
}""",
        "erfc": """\
function erfc(x) { // Abramowitz and Stegun 7.1.14, and the series 7.1.6 below 1.5
    if (x < 0.0) return 2.0 - erfc(-x);
    const factor = Math.exp(-x * x) / Math.sqrt(Math.PI);
    if (x < 1.5) {
        let [term, sum] = [x, x];
        for (let n = 1; n < 60; n++) sum += term *= (2.0 * x * x) / (2 * n + 1);
        return 1.0 - 2.0 * factor * sum;
    }
    let denominator = x;
    for (let n = 160; n > 0; n--) denominator = x + n / 2.0 / denominator;
    return factor / denominator;
}""",
        "erf": """\
function erf(x) { // Abramowitz and Stegun 7.1.6
    if (x < 0.0) return -erf(-x);
    if (x > 6.0) return 1.0;
    let [term, sum] = [x, x];
    for (let n = 1; n < 200; n++) sum += term *= (2.0 * x * x) / (2 * n + 1);
    return 2.0 * Math.exp(-x * x) / Math.sqrt(Math.PI) * sum;
}""",
        "lgamma": """\
function lgamma(x) { // Stirling's series from 10 on (Abramowitz and Stegun 6.1.41), and the reflection formula
    if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgamma(1.0 - x);
    let shift = 1.0;
    for (; x < 10.0; x++) shift *= x;
    const q = 1.0 / (x * x);
    const series = (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q * (1 / 1680 - q * (1 / 1188 - q * 691 / 360360))))) / x;
    return (x - 0.5) * Math.log(x) - x + Math.log(2.0 * Math.PI) / 2.0 + series - Math.log(shift);
}""",
        "gamma": """\
function gamma(x) {
    if (Number.isInteger(x) && x <= 0.0) return NaN;
    if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1.0 - x));
    let shift = 1.0;
    for (; x < 10.0; x++) shift *= x;
    const q = 1.0 / (x * x);
    const series = (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q * (1 / 1680 - q * (1 / 1188 - q * 691 / 360360))))) / x;
    return Math.sqrt(2.0 * Math.PI) * x ** (x / 2.0 - 0.25) * Math.exp(series - x) * x ** (x / 2.0 - 0.25) / shift;
}""",
    }

    def start(self, text: str) -> str:
        return ""

    def function(self, function: Function) -> str:
        body = fill("    return ", self.result_of(function), ";")
        return "\n".join([f"function {function.name}({', '.join(function.arguments)}) {{", *body, "}"])

    def head(self, program: Program, name: str, single: bool) -> list[str]:
        return fill(f"function {name}(", ", ".join(program.inputs), ") {")

    def result(self, program: Program, single: bool) -> list[str]:
        if not single:
            return fill("    return [", ", ".join(program.outputs), "];")
        if not program.seed:
            return [f"    return {program.outputs[0]};"]
        return fill(f"    return [{program.outputs[0]}, [", ", ".join(program.gradient), "]];")


LANGUAGES = {"python": Writer(), "numpy": _NumpyWriter(), "c": _CWriter(), "javascript": _JavascriptWriter()}


def _used_functions(program: Program) -> list[Function]:
    """Return the functions that the lines call, or that those call; sharing has made some unnecessary."""
    used: set[str] = set()
    for line in (*program.forward, *program.backward):
        used |= functions_in(line.text)
    for function in reversed(program.functions):
        if function.name in used:
            used |= functions_in(function.text)
    return [function for function in program.functions if function.name in used]


def fill(before: str, text: str, after: str = "") -> list[str]:
    """Return one line, or several if it is too long, with the text between brackets."""
    line = f"{before}{text}{after}"
    if len(line) <= WIDEST:
        return [line]
    if not before.endswith(("(", "[")):
        before, after = f"{before}(", f"){after}"
    margin = before[: len(before) - len(before.lstrip())]
    inside = f"{margin}    "
    wrapped = textwrap.wrap(text, WIDEST, initial_indent=inside, subsequent_indent=inside, break_long_words=False)
    return [before, *wrapped, f"{margin}{after}"]
