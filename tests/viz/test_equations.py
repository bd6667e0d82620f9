"""The equations of graphs and steps, as LaTeX that compiles and as MathML with slots."""

import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

import engine
import nn
import viz
from engine import Backprop, Value
from engine.formatting import format_number
from engine.labels import Names
from engine.rules import RULES
from tests.viz.test_typeset import HOSTILE
from viz.equations import Equations, latex_lines


def graph():
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(7.0, "c")
    L = (a * b + c).tanh()
    L.label = "L"
    return L


@pytest.fixture
def pdf(tmp_path):
    """Compile formulas to a PDF and return its text."""
    if not shutil.which("pdflatex"):
        pytest.skip("needs the program pdflatex")

    def compile_formulas(formulas, preamble=r"\usepackage{amsmath}"):
        lines = [rf"\documentclass{{article}}{preamble}\begin{{document}}", *formulas, r"\end{document}"]
        (tmp_path / "a.tex").write_text("\n\n".join(lines), encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "a.tex"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
        assert run.returncode == 0, run.stdout[-2000:]
        return (tmp_path / "a.pdf").read_bytes()

    return compile_formulas


def test_a_value_is_an_expression_in_its_leaves():
    assert viz.latex(graph()) == r"L = \tanh (a \cdot b + c)"
    assert viz.latex(graph(), numbers=True).split("\n")[1:-1] == [
        r"L & = \tanh (a \cdot b + c) \\",
        r"& = \tanh (2.0 \cdot (-3.0) + 7.0) \\",
        r"& = 0.761594",
    ]


def test_inner_labels_are_expanded_and_shared_subexpressions_named():
    x = Value(2.0, "x")
    h = (x**2 + 1.0).exp() * x
    h.label = "h"
    y = h.sin() / h.exp()
    assert viz.latex(y).split("\n")[1:-1] == [
        r"& \frac{\sin (h)}{e^{h}} \\",
        r"h & = e^{x^{2} + 1} \cdot x",
    ]


def test_a_large_graph_is_cut_off():
    x = Value(0.5, "x")
    for _ in range(100_000):
        x = (x + 1.0).tanh()
    assert viz.latex(x).count("tanh") == 20
    xs = [Value(1.0, f"x{i}") for i in range(10_000)]
    assert viz.latex(engine.sum(xs)) == r"x_{0} + x_{1} + \cdots + x_{9999}"


def test_a_derivative():
    x = Value(0.5, "x")
    assert viz.latex(engine.grad(x.sin() ** 3, x, create_graph=True)) == r"3 \sin^{2} (x) \cdot \cos (x)"


def test_a_step_is_the_chain_rule():
    walk = Backprop(graph()).run()
    assert viz.latex(walk.last).split("\n")[1:5] == [
        r"\frac{\partial L}{\partial a} & \mathrel{+}= \frac{\partial L}{\partial (a \cdot b)} \cdot "
        r"\frac{\partial (a \cdot b)}{\partial a} \\",
        r"& = \frac{\partial L}{\partial (a \cdot b)} \cdot b \\",
        r"& = 0.419974 \cdot (-3.0) \\",
        r"& = -1.25992 \\",
    ]


def test_an_accumulated_gradient_is_a_sum():
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    assert viz.latex(Backprop(y).step()).split("\n")[-3:-1] == [
        r"\frac{\partial y}{\partial x} & = 3.0 + 3.0 \\",
        "& = 6.0",
    ]


def test_a_step_of_forward_mode_multiplies_the_tangent():
    L = graph()
    walk = engine.ForwardMode(L, engine.topological_order(L)[0])
    assert viz.latex(walk.step()).split("\n")[1:-1] == [
        r"\frac{\partial (a \cdot b)}{\partial a} & \mathrel{+}= \frac{\partial (a \cdot b)}{\partial a} \cdot "
        r"\frac{\partial a}{\partial a} \\",
        r"& = b \cdot \frac{\partial a}{\partial a} \\",
        r"& = (-3.0) \cdot 1.0 \\",
        r"& = -3.0",
    ]


def test_a_notebook_typesets_it_and_the_prompt_shows_it_as_it_is():
    text = viz.latex(graph())
    assert text._repr_latex_() == rf"$\displaystyle {text}$"
    assert repr(text) == str(text)


@pytest.mark.parametrize("wrong", [3, "L", None])
def test_only_values_and_steps_have_formulas(wrong):
    with pytest.raises(TypeError, match="content must be a Value or a step"):
        viz.latex(wrong)


def every_rule():
    """A graph of each row, custom rows among them, with a label."""
    engine.rule("mish", "a * tanh(softplus(a))", "1", notation=["a * tanh(log(1 + exp(a)))"])
    engine.rule("norm", "a**2", "a/out", finalize="sqrt(total)")
    for symbol, row in RULES.items():
        operands = [Value(0.6, "w11"), Value(0.5, "beta")][: row.arity]
        y = row(*operands) if not row.finalize else getattr(engine, symbol)(*([x] * 3 for x in operands))
        y.label = f"layer1.{symbol}" if symbol.isidentifier() else "y_hat"
        yield y


def numbers_in_slots(markup):
    """The kind of each slot in MathML, its number or None, and its text."""
    for number in ET.fromstring(f"<p>{markup}</p>").iter("mn"):
        if slot := number.get("data-slot"):
            kind, _, place = slot.partition(" ")
            yield kind, int(place) if place else None, number.text.strip("()").replace("−", "-")


def test_slots_hold_the_numbers_of_the_step(tried):
    for y in every_rule():
        equations = Equations(y, slots=True)
        order = engine.topological_order(y)
        for step in Backprop(y):
            for i, pair in enumerate(equations.chain_rule(step, first=7)):
                x = step.contributions[i]
                of_step = {"upstream": step.upstream, "local": x.local, "amount": x.amount, "before": x.before,
                           "total": x.total}  # fmt: skip
                for kind, place, text in numbers_in_slots("".join(equation.mathml for equation in pair)):
                    assert text == format_number(order[place].data if kind == "data" else of_step[kind])
                    assert place == (None if kind == "upstream" else 7 + i) or kind == "data"
                    tried["slots of steps"] += 1


def test_names_are_those_of_the_words():
    L = graph()
    names = Names(L)
    assert Equations(L, names).names is names


def test_every_row_compiles(pdf):
    formulas = []
    for y in every_rule():
        formulas += [viz.latex(y, numbers=True), *map(viz.latex, Backprop(y))]
    formulas += [
        viz.latex(Value(2.0, label) * 3.0)
        for label in [*HOSTILE, "theta", "é", "w_hat", "Omega", "∂L/∂δ × 2 → −3 · ωΩ", "x₁₂"]
    ]
    model = nn.MLP(2, [2, 1], seed=1)
    formulas.append(viz.latex(nn.mse([model([1.0, 2.0])], [1.0])))
    assert pdf([f"$\\displaystyle {x}$" for x in formulas])


def test_lines_of_several_equations():
    L = graph()
    equations = Equations(L)
    text = latex_lines([equations.definition(node, numbers=False) for node in engine.topological_order(L)[-2:]])
    assert text == "\\begin{aligned}\n& a \\cdot b + c \\\\\nL & = \\tanh (a \\cdot b + c)\n\\end{aligned}"
