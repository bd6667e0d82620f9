"""What students type by mistake, and what the answer must say: the culprit, and what to write instead.

`python -m tests.test_mistakes` prints the table with the whole answers.
"""

import ast
import warnings

import pytest

SETTING = """
import math
import numpy as np
import engine, nn, viz
from engine import Value, Backprop
a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(7.0, "c")
v = a * b
L = (v + c).tanh()
L.label = "L"
xs, rs = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
xor = list(zip(xs, rs))
model = nn.MLP(2, [4, 1], seed=1)
classes = nn.MLP(2, [4, 3], seed=1)
neuron = nn.Perceptron(2, "sign", seed=1)
"""

# What is typed after SETTING; the kind of the answer: an error, a warning or a result; and what it must contain.
MISTAKES = [
    # A Value
    ('text = "3.5"  # from input()\nValue(text)', "TypeError", ["data of a Value", "str '3.5'", "float()"]),
    ("Value([1.0, 2.0])", "TypeError", ["data of a Value", "list [1.0, 2.0]", "one number at a time"]),
    ("Value(a)", "TypeError", ["data of a Value", "Value(data=2.0, grad=0.0, label='a')", "v.data"]),
    ("Value(rs[1] == 1)", "TypeError", ["bool True", "write 1.0"]),
    ('Value(float("nan"))', "ValueError", ["data of a Value", "finite", "nan"]),
    ("Value(2.0, requires_grad=True)", "TypeError", ["'requires_grad'", 'Value(2.0, "x")']),
    ('Value(v.data, (a, b), "*")', "TypeError", ["too many", 'Value(2.0, "x")']),
    ("class MyValue(Value): pass", "TypeError", ["subclassed", "an attribute of your class"]),
    ("v.data = 5.0", "AttributeError", ["data", "inner node", "leaves", "forward()"]),
    ("a.data -= 0.1 * b", "TypeError", ["data of a Value", "v.data"]),
    ("a.grad = None", "TypeError", ["grad", "NoneType", "0.0"]),
    # Operators and conditions
    ('a * "3"', "TypeError", ["operand of *", "str '3'", "float()"]),
    ("a + None", "TypeError", ["operand of +", "None", "return"]),
    ("a ^ 2", "TypeError", ["^", "v ** w"]),
    ("a // 2", "TypeError", ["//", "v / w"]),
    ("a @ b", "TypeError", ["@", "engine.dot(ws, xs)"]),
    ("a == 2", "TypeError", ["v == 2", "v.data == 2"]),
    ("if a: pass", "TypeError", ["condition", "v.data != 0", "v > 0"]),
    ("a and b", "TypeError", ["condition", "a Value"]),
    ("float(a)", "TypeError", ["float(v)", "gradient", "v.data"]),
    ("round(a, 2)", "TypeError", ["round", "v.data", ":.2f"]),
    ("math.exp(a)", "TypeError", ["math.exp(v)", "gradient", "v.exp()"]),
    # Where mathematics has no value
    ("(a - 5).log()", "ArithmeticError", ["log(a - 5)", "a - 5 = -3.0", "a - 5 > 0"]),
    ("a / 0", "ZeroDivisionError", ["a/0", "the divisor is 0"]),
    ("b ** 0.5", "ArithmeticError", ["b**0.5", "b = -3.0", "b >= 0"]),
    ("(a * 1000).exp()", "OverflowError", ["exp(a*1000)", "2000.0", "1.8e308"]),
    ("(a - 2).sqrt().backward()", "ArithmeticError", ["derivative", "sqrt(a - 2)", "a - 2 = 0.0"]),
    # backward, grad and the stepper
    ("a.data = 5.0\nL.backward()", "RuntimeError", ["a*b", "has changed", "forward()", "record it again"]),
    ("L.backward(retain_graph=True)", "TypeError", ["'retain_graph'", "L.backward()", "keeps the graph"]),
    ("L.backward(1.0)", "TypeError", ["too many", "(5 * L).backward()"]),
    ("with engine.no_grad():\n    (a * b).backward()", "RuntimeError", ["constant", "no_grad()"]),
    ("with engine.no_grad:\n    a * b", "TypeError", ["without brackets", "with no_grad():"]),
    ("L.backward()\nBackprop(L).run()", "Backprop", ["a, b, c had before", "zero_grad()"]),
    ("engine.grad(L)", "TypeError", ["'inputs'", "engine.grad(L, [x, y])"]),
    ('engine.grad(L, "a")', "TypeError", ["input 0", "str 'a'", "Value"]),
    ("engine.grad(L, {a, b})", "TypeError", ["inputs", "in order", "set"]),
    ("Backprop(model)", "TypeError", ["output of a graph", "MLP(2, [4, 1]", "model(x)"]),
    ("y = 2 * a if a > 0 else -a\nengine.compile(y, [a])", "FrozenBranchWarning", ["typed, line 1", "maximum", "relu"]),
    ("f = engine.compile(L, [a, b])\nf(2.0, 3.0)", "TypeError", ["too many", "f([[2.0, 3.0]])"]),
    # Functions and rules
    ("engine.sum(a, b)", "TypeError", ["too many", "engine.sum([a, b])"]),
    ("engine.softmax(a)", "TypeError", ["softmax", "list of Values"]),
    ("engine.tanh([a, b])", "TypeError", ["tanh", "list", "one number at a time"]),
    ("engine.dot([a, b], [1])", "ValueError", ["dot", "equal lengths", "2 ws and 1 xs"]),
    ("engine.max(a, b)", "AttributeError", ["'max'", "engine.maximum(a, b)"]),
    ("engine.atan(a)", "AttributeError", ["'atan'", 'engine.rule("atan", "atan(a)", "1/(1 + a**2)")']),
    ('engine.rule("cube", lambda a: a**3)', "TypeError", ["value of a rule", "'a**3'", "function <lambda>"]),
    ('engine.rule("cube", "a**3")', "ValueError", ["1 partial derivative, with respect to a", "got 0"]),
    ('engine.rule("cube", "x**3", "3*x**2")', "ValueError", ["unknown name x", "a, b, pi"]),
    ('engine.rule("cube", "a^3", "3*a^2")', "ValueError", ["a ^ 3", "** for a power"]),
    ('engine.rule("cube", "a**3", "3a**2")', "ValueError", ["'3a**2'", "such as 3 * a**2"]),
    # NumPy
    ("np.arctan(a)", "TypeError", ["np.arctan", "engine.rule", "v.data"]),
    ("np.array([a, b], dtype=float)", "TypeError", ["arrays of floats", "v.data"]),
    ("ones = np.ones(3)\nones += a", "TypeError", ["np.add", "xs = xs + v"]),
    # micrograd and PyTorch
    ("a._prev", "AttributeError", ["'_prev'", "v.parents"]),
    ("a._backward()", "AttributeError", ["'_backward'", "v.propagate()"]),
    ("a.item()", "AttributeError", ["'item'", "v.data"]),
    ("from engine import Tensor", "ImportError", ["'Tensor'", "engine.Value"]),
    ("from nn import Neuron", "ImportError", ["'Neuron'", "nn.Perceptron", "nn.micrograd.Neuron"]),
    ("from viz import draw_dot", "ImportError", ["'draw_dot'", "viz.draw(L)"]),
    ("neuron.w", "AttributeError", ["'w'", "weights[1:]"]),
    ("nn.Linear(2, 3)", "AttributeError", ["'Linear'", "nn.Layer(2, 3, 'linear')"]),
    ("nn.CrossEntropyLoss()", "AttributeError", ["nn.cross_entropy", "logits"]),
    ("nn.SGD(model.parameters(), lr=0.1)", "TypeError", ["'lr'", "learning_rate=0.1"]),
    ("nn.SGD(model, 0.1)", "TypeError", ["parameters", "MLP", "model.parameters()"]),
    ("nn.SGD(model.parameters()).step(L)", "TypeError", ["optimizer.step() after loss.backward()"]),
    # Networks, and shapes
    ("nn.MLP([2, 4, 1])", "TypeError", ["'sizes'", "nn.MLP(2, [4, 1]"]),
    ("nn.MLP(2, 4, 1)", "TypeError", ["sizes", "[4, 1]", "int 4"]),
    ('nn.MLP(2, [4, 1], hidden="ReLU")', "ValueError", ["'ReLU'", "did you mean 'relu'?"]),
    ("nn.MLP(2, [4, 1], hidden=engine.tanh)", "TypeError", ["such as 'tanh'", "function tanh"]),
    ('nn.MLP(2, [4, 3], output="softmax")', "ValueError", ["'softmax'", "'linear'", "nn.cross_entropy"]),
    ("model(0, 1)", "TypeError", ["too many", "model([0.5, -1.0])"]),
    ("model([1])", "ValueError", ["2 inputs", "got 1"]),
    ("model(xs)", "ValueError", ["2 inputs", "got 4", "[model(x) for x in xs]"]),
    ('model("0 1".split())  # from input()', "TypeError", ["x1", "str '0'", "float()"]),
    ("neuron.weights = [0.5, 1.0, 1.0]", "TypeError", ["weights", "neuron.weights[1].data"]),
    ("model.weights", "AttributeError", ["'weights'", "model.layers[0].neurons[0].weights"]),
    # Training, and labels
    ("model.fit(xs, rs)", "AttributeError", ["'fit'", "nn.train(model, loss, data)"]),
    ("nn.train(model, nn.mse, xs, rs)", "TypeError", ["too many", "zip(xs, rs)"]),
    ("nn.train(nn.mse, model, xor)", "TypeError", ["loss", "MLP", "nn.train(model, loss"]),
    ("nn.train(model, nn.mse(), xor)", "TypeError", ["'outputs'", "only nn.mse in nn.train"]),
    ("nn.train(model, nn.mse, [])", "ValueError", ["pairs (x, r)", "got none"]),
    ('nn.train(model, nn.mse, zip(xs, "0110"))', "TypeError", ["data[0]", "target of mse", "str '0'", "float()"]),
    ("nn.train(model, nn.mse, [([0, 1], [1])])", "ValueError", ["data[0]", "a single output must be a number"]),
    ("nn.train(classes, nn.mse, [([0, 1], 2)])", "ValueError", ["data[0]", "nn.cross_entropy", "index of a class"]),
    ("nn.train(classes, nn.cross_entropy, [([0, 1], 3)])", "ValueError", ["data[0]", "0 to 2", "int 3"]),
    ("nn.train(model, nn.binary_cross_entropy, [([0, 1], -1)])", "ValueError", ["1, 0 or", "got -1.0"]),
    ("nn.train(nn.Perceptron(2), nn.binary_cross_entropy, xor)", "ValueError", ["a logit", "'linear'"]),
    ("neuron.fit(xor)", "ValueError", ["sign", "1 or -1", "int 0"]),
    ("nn.train(model, lambda y, r: (y.data - r)**2, xor)", "TypeError", ["loss must return a Value", "float"]),
    (
        "net = nn.MLP(2, [4, 1], hidden='sign', output='sign')\nnn.train(net, nn.mse, xor, epochs=2)",
        "History",
        ["no parameter learns", "derivative of sign is 0"],
    ),
    (
        "class Net(nn.Module):\n"
        "    def __init__(self): self.w = 0.5\n"
        "    def __call__(self, x): return self.w * x[0]\n"
        "nn.train(Net(), nn.mse, xor)",
        "ValueError",
        ["parameters", "got none", "Value(0.5, 'w')"],
    ),
    # Files and pictures
    ('nn.save("model.json", model)', "TypeError", ["Module", "'model.json'", "nn.save(model, path)"]),
    ('nn.load("model.json")', "TypeError", ["'path'", 'nn.load(model, "model.json")']),
    ('nn.load(model, "gone.json")', "FileNotFoundError", ["No such file", "gone.json"]),
    ("viz.draw(model)", "TypeError", ["output of a graph", "MLP", "model(x)", "viz.network"]),
    ('viz.draw(L, format="png")', "TypeError", ["'format'", 'viz.draw(L, "L.svg")']),
    ('viz.draw(L).save("L.png")', "ValueError", ["DOT source", "render(...)"]),
    ("viz.page(L)", "TypeError", ["'path'", 'viz.page(L, "L.html")']),
    ('viz.page(L, "L.svg")', "ValueError", ["must end in .html", "'L.svg'"]),
    ("viz.network(model, [0, 1], 1)", "ValueError", ["loss", "target", "loss=nn.mse"]),
    ("viz.plot_loss([0.7, 0.2])", "TypeError", ["history", "nn.train", "list"]),
    ("viz.show(L)", "AttributeError", ["'show'", "viz.draw(L)"]),
]


def answer(typed):
    """The error, the first warning, or else the result of the last line."""
    namespace = {}
    exec(SETTING, namespace)
    *lines, last = ast.parse(typed).body
    is_expression = isinstance(last, ast.Expr)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(ast.Module(lines if is_expression else [*lines, last], []), "typed", "exec"), namespace)
            result = eval(compile(ast.Expression(last.value), "typed", "eval"), namespace) if is_expression else None
        except Exception as error:
            return error
    return caught[0].message if caught else result


@pytest.mark.parametrize(("typed", "kind", "words"), MISTAKES, ids=[typed for typed, _, _ in MISTAKES])
def test_a_mistake_is_answered_with_what_to_write(typed, kind, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = answer(typed)
    assert type(outcome).__name__ == kind
    for word in words:
        assert word in str(outcome)
    assert len(str(outcome)) < 350
    assert "object at 0x" not in str(outcome)
    assert not [*tmp_path.iterdir()]


def test_the_table_is_long_enough():
    assert len({typed for typed, _, _ in MISTAKES}) >= 60


if __name__ == "__main__":
    for typed, _, _ in MISTAKES:
        outcome = answer(typed)
        print(f"```python\n{typed}\n```\n{type(outcome).__name__}: {outcome}\n")
