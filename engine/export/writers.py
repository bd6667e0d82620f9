"""The lines of a program as text in Python, NumPy, C and JavaScript."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping
from dataclasses import replace

from engine.export.lines import Function, Line
from engine.export.program import Program
from engine.formula_guard import guarded
from engine.formulas import MATH_FUNCTIONS
from engine.languages import NUMPY, PLAIN_JAVASCRIPT, PYTHON, C, Language, translate

WIDEST = 100  # characters per line
FROM_MATH = MATH_FUNCTIONS.keys() - {"abs", "max"} | {"isfinite", "pi"}  # names of a program in Python


class Writer:
    """The text of a program in one language; this class writes Python."""

    language: Language = PYTHON
    comment = "# "
    declaration = ""  # before the name of a new variable
    end = ""  # of a statement
    closing: tuple[str, ...] = ()  # the last line of a function
    gap = "\n\n\n"  # between functions
    several_outputs, output_and_gradient = "[...]", "{}, [...]"  # what a program returns
    helpers: Mapping[str, str] = {}  # functions that the language lacks, each before those that it calls

    def write(self, program: Program, name: str, single: bool) -> str:
        """Return the whole text."""
        text = self.gap.join([*map(self.function, program.functions.values()), self.main(program, name, single)])
        for helper, definition in self.helpers.items():
            if re.search(rf"\b{helper}\(", text):
                text = f"{definition}{self.gap}{text}"
        return self.gap.join([*filter(None, [self.start(text)]), text])

    def start(self, text: str) -> str:
        """Return the lines before the functions."""
        names = {x for x in re.findall(r"\w+", text) if x in FROM_MATH}
        return f"from math import {', '.join(sorted(names))}" if names else ""

    def function(self, function: Function) -> str:
        """Return a function that the lines call."""
        result = fill("    return ", self.result_of(function), self.end)
        return "\n".join([*self.head(function.name, function.arguments), *result, *self.closing])

    def result_of(self, function: Function) -> str:
        """Return the expression of a function."""
        return self.expression(function.text)

    def main(self, program: Program, name: str, single: bool) -> str:
        """Return the program's function."""
        text = self.main_head(program, name, single)
        declared = set(program.inputs)
        backward = [Line(program.seed, self.seed(program)), *program.backward] if program.seed else []
        sections = {"parameters": program.parameters, "forward": program.forward, "backward": backward}
        for title, lines in sections.items():
            if lines:
                text.append(f"    {self.comment}{title}")
            for line in lines:
                text += self.statement(line, "" if line.name in declared else self.declaration)
                declared.add(line.name)
            if title == "forward" and program.unsafe:
                text += self.check(program)
        return "\n".join([*text, *self.result(program, single), *self.closing])

    def main_head(self, program: Program, name: str, single: bool) -> list[str]:
        """Return the lines up to the inputs."""
        return self.head(name, program.inputs)

    def head(self, name: str, arguments: list[str]) -> list[str]:
        """Return the first line of a function."""
        return fill(f"def {name}(", ", ".join(arguments), "):")

    def statement(self, line: Line, declaration: str) -> list[str]:
        """Return a line of the program, with its comment beside it or above it."""
        sign = "+=" if line.adds else "="
        statement = fill(f"    {declaration}{line.name} {sign} ", self.expression(line.text), self.end)
        if not line.comment:
            return statement
        beside = f"{statement[-1]}  {self.comment}{line.comment}"
        if len(statement) == 1 and len(beside) <= WIDEST:
            return [beside]
        return [f"    {self.comment}{line.comment}", *statement]

    def expression(self, text: str) -> str:
        """Return an expression in this language, without brackets around the whole."""
        translated = translate(text, self.language)
        has_brackets = translated.startswith("(") and isinstance(ast.parse(text, mode="eval").body, ast.IfExp)
        return translated[1:-1] if has_brackets else translated

    def seed(self, program: Program) -> str:
        """Return the derivative of the output with respect to itself."""
        return "1.0"

    def check(self, program: Program) -> list[str]:
        """Return the lines that handle infinite or nan numbers which the output would hide."""
        name, *others = program.unsafe
        test = f"all(map(isfinite, [{', '.join(program.unsafe)}]))" if others else f"isfinite({name})"
        what = "a number" if others else name
        return [*fill("    if not ", test, ":"), f'        raise OverflowError("{what} is not finite")']

    def result(self, program: Program, single: bool) -> list[str]:
        """Return the lines that return the outputs and the gradient."""
        output, outputs, gradient = program.outputs[0], ", ".join(program.outputs), ", ".join(program.gradient)
        if not single:
            return self.returned(self.several_outputs, outputs)
        if not program.seed:
            return self.returned(output)
        return self.returned(self.output_and_gradient.format(output), gradient)

    def returned(self, form: str, names: str = "") -> list[str]:
        """Return the lines that return a form with names in place of "..."."""
        before, _, after = form.partition("...")
        return fill(f"    return {before}", names, after + self.end)


class _NanWriter(Writer):
    """A writer for a language without exceptions: the program returns nan where the engine raises an error."""

    def result_of(self, function: Function) -> str:
        return self.expression(guarded(function.text) if function.may_hide else function.text)

    def seed(self, program: Program) -> str:
        return f"1.0 if isfinite({program.outputs[0]}) else nan" if program.unsafe else "1.0"

    def check(self, program: Program) -> list[str]:
        are_finite = " and ".join(f"isfinite({name})" for name in program.unsafe)
        lines = [Line(x, f"{x} if {are_finite} else nan") for x in dict.fromkeys(program.outputs)]
        return [text for line in lines for text in self.statement(line, "")]


class _NumpyWriter(_NanWriter):
    language = NUMPY
    several_outputs = "np.stack(np.broadcast_arrays(...), axis=1)"
    output_and_gradient = "{}, np.stack([...], axis=1)"
    helpers: Mapping[str, str] = {
        "nan_if_error": """\
def nan_if_error(result, a, b):
    if_infinite = np.where(np.isnan(result) & ~np.isnan(a + b), np.nan, 0.0)
    return np.where(np.isfinite(a) & np.isfinite(b), 0.0 * result, if_infinite)""",
    } | {name: f"{name} = np.vectorize(math.{name}, otypes=[float])" for name in ("erf", "erfc", "gamma", "lgamma")}

    def start(self, text: str) -> str:
        return "import math\n\nimport numpy as np" if "(math." in text else "import numpy as np"

    def main_head(self, program: Program, name: str, single: bool) -> list[str]:
        rows = f"np.asarray(rows, float).reshape(-1, {len(program.inputs)}).T"
        inputs = fill("    [", ", ".join(program.inputs), f"] = {rows}")
        return ['@np.errstate(all="ignore")', f"def {name}(rows):", *inputs]

    def statement(self, line: Line, declaration: str) -> list[str]:
        if line.adds:  # += would change the array of another variable with the same numbers
            line = replace(line, text=f"{line.name} + ({line.text})", adds=False)
        return super().statement(line, declaration)

    def seed(self, program: Program) -> str:
        return super().seed(program) if program.unsafe else f"ones_like({program.outputs[0]})"


class _BraceWriter(_NanWriter):
    """A writer for a language whose blocks stand in braces."""

    comment = "// "
    end = ";"
    closing = ("}",)
    gap = "\n\n"


class _CWriter(_BraceWriter):
    language = C
    declaration = "double "
    helpers: Mapping[str, str] = {
        "nan_if_error": """\
static double nan_if_error(double result, double a, double b) {
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

    def head(self, name: str, arguments: list[str]) -> list[str]:
        return fill(f"static double {name}(", ", ".join(f"double {x}" for x in arguments), ") {")

    def main_head(self, program: Program, name: str, single: bool) -> list[str]:
        arrays = [f"const double inputs[{len(program.inputs)}]"]
        if not single:
            arrays.append(f"double outputs[{len(program.outputs)}]")
        if program.seed:
            arrays.append(f"double gradient[{len(program.inputs)}]")
        inputs = [f"    double {x} = inputs[{i}];" for i, x in enumerate(program.inputs)]
        return [f"{'double' if single else 'void'} {name}({', '.join(arrays)}) {{", *inputs]

    def result(self, program: Program, single: bool) -> list[str]:
        if not single:
            return [f"    outputs[{i}] = {x};" for i, x in enumerate(program.outputs)]
        gradient = [f"    gradient[{i}] = {x};" for i, x in enumerate(program.gradient)]
        return [*gradient, f"    return {program.outputs[0]};"]


class _JavascriptWriter(_BraceWriter):
    language = PLAIN_JAVASCRIPT
    declaration = "let "
    output_and_gradient = "[{}, [...]]"
    helpers: Mapping[str, str] = {
        "nan_if_error": """\
function nan_if_error(result, a, b) {
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
function erfc(x) { // beyond 1.5 Abramowitz and Stegun 7.1.14
    if (x < 1.5) return 1.0 - erf(x);
    let denominator = x;
    for (let n = 160; n > 0; n--) denominator = x + n / 2.0 / denominator;
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / denominator;
}""",
        "erf": """\
function erf(x) { // Abramowitz and Stegun 7.1.6
    if (Math.abs(x) > 6.0) return Math.sign(x);
    let [term, sum] = [x, x];
    for (let n = 1; n < 200; n++) sum += term *= (2.0 * x * x) / (2 * n + 1);
    return 2.0 * Math.exp(-x * x) / Math.sqrt(Math.PI) * sum;
}""",
        "gamma": """\
function gamma(x) {
    if (Number.isInteger(x) && x <= 0.0) return NaN;
    return x < 0.5 ? Math.PI / (Math.sin(Math.PI * x) * gamma(1.0 - x)) : Math.exp(lgamma(x));
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
    }

    def start(self, text: str) -> str:
        return ""

    def head(self, name: str, arguments: list[str]) -> list[str]:
        return fill(f"function {name}(", ", ".join(arguments), ") {")


LANGUAGES = {"python": Writer(), "numpy": _NumpyWriter(), "c": _CWriter(), "javascript": _JavascriptWriter()}


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
