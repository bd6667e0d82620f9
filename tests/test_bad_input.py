"""Wrong arguments for every public name: an error of a documented kind that says what is wrong, and nothing changed."""

import inspect
import math
import random
import re

import matplotlib.pyplot
import numpy as np
import pytest

import engine
import nn
import viz
from engine import Backprop, Value

matplotlib.use("Agg")

CYCLE: list = []
CYCLE.append(CYCLE)
RING: dict = {}
RING["a"] = RING

BAD = [
    None, True, False, Ellipsis, NotImplemented, object(), object, type, len, lambda *a: None, lambda x: x,
    0, -1, 1, 2, 3, 10**400, -(10**400), 0.0, -0.0, 0.5, 1.5, 1e-8, 5e-324, 1e308, -1e308, math.nan, math.inf,
    -math.inf, 1j, "", "x", "tanh", "he", "a.json", "a.html", "a\0b", "\ud83c", "🎉", b"", b"x", bytearray(b"a"),
    [], (), {}, set(), [[[]]], [None], ["x"], [1.0], [1, 0], [0.5, 0.5], [math.nan], [1e308, 1e308], [[1, 2], [3]],
    [[1, 2], [3, 4]], [(1, 2)], [((0, 0), 0)], [((1, 2), "x")], frozenset([1]), range(3), slice(1), CYCLE, RING,
    {"w0": 1.0}, {"w0": math.nan}, {1: 2}, np.float32(1), np.int64(-3), np.bool_(True), np.array(1.0), np.array([]),
    np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array(["x"]), np.array([math.nan]),
]  # fmt: skip
METHODS = ["__call__", "__add__", "__radd__", "__truediv__", "__mul__", "__pow__", "__rpow__", "__lt__"]
SETTABLE = [("a", "data"), ("L", "data"), ("sgd", "learning_rate"), ("adam", "learning_rate")]
DOCUMENTED = (TypeError, ValueError, ArithmeticError, RuntimeError, OSError, AttributeError, NotImplementedError)
# What Python says by itself when something is used as what it is not.
BY_PYTHON = re.compile(
    "not iterable|non-iterable|unsupported operand|object has no attribute|not subscriptable|out of range$|must be real"
    "|not callable|could not convert|is ambiguous|invalid literal|too large to convert|unhashable|not supported between"
    "|has no len|argument of type|to unpack|indices must be|cannot be interpreted|(embedded|contain) null|surrogates"
)
# Made by the library, for its users to read.
MADE_FOR_READING = {"Step", "Contribution", "Rule", "History", "Tree", "Drawing", "Animation", "update"}
# What these are given is used as it comes: an axes of matplotlib, a function or a loss of one's own, a kept example.
USED_AS_IT_COMES = {"plot_activations", "plot_decision_boundary", "plot_descent", "plot_gradients", "plot_loss"}
USED_AS_IT_COMES |= {"evaluate", "train", "embed", "animation", "respond"}


class World:
    """One of everything, and what can be called on it."""

    def __init__(self):
        a, b = Value(2.0, "a"), Value(-3.0, "b")
        root = (a * b + a).tanh()
        root.label = "L"
        history = nn.History()
        history.add(1.0, 0.5)
        self.things = {
            "a": a,
            "b": b,
            "L": root,
            "constant": engine.sum([]),
            "steep": (a * Value(0.0)).sqrt(),  # whose backward fails on the way
            "mlp": nn.MLP(2, [2, 1], seed=1),
            "layer": nn.Layer(2, 2, seed=2),
            "perceptron": nn.Perceptron(2, seed=3),
            "sgd": nn.SGD([a]),
            "adam": nn.Adam([b]),
            "history": history,
        }
        self.walk = Backprop(b * 2 + 1)  # not among the arguments: going through it makes its steps

    def callables(self, module):
        for name in module.__all__:
            if callable(getattr(module, name)) and name not in MADE_FOR_READING:
                yield name, getattr(module, name)
        for thing in [*self.things.values(), self.walk]:
            if type(thing).__module__.split(".")[0] == module.__name__:
                for name, _ in inspect.getmembers(type(thing), callable):
                    if name not in MADE_FOR_READING and (not name.startswith("_") or name in METHODS):
                        yield name, getattr(thing, name)
        for key, name in SETTABLE:
            if type(self.things[key]).__module__.split(".")[0] == module.__name__:
                yield name, lambda value, key=key, name=name: setattr(self.things[key], name, value)

    def arguments(self, function, rng):
        pool = BAD + 2 * [*self.things.values(), [self.things["a"], 1.0], (self.things["b"],), [[self.things["a"]]]]
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError:  # a type of Python's
            return [], {}
        args, options = [], {}
        for p in parameters:
            if p.name == "key":  # of the lambda above
                break
            given = p.default is p.empty or rng.random() < 0.3
            if p.kind is p.KEYWORD_ONLY and given:
                options[p.name] = rng.choice(pool)
            elif p.kind is p.POSITIONAL_OR_KEYWORD and given:
                args.append(rng.choice(pool))
            elif p.kind is p.POSITIONAL_OR_KEYWORD:
                break
        if "epochs" in {p.name for p in parameters}:
            options["epochs"] = rng.choice([0, 1, -1, "x", None, 1.5])
        return args, options

    def state(self):
        """All that a call could change, as text: nan is nan."""
        models = [self.things[name] for name in ("mlp", "layer", "perceptron")]
        roots = [
            self.things["L"],
            self.things["steep"],
            self.walk.root,
            *(p for model in models for p in model.parameters()),
        ]
        nodes = [(id(x), x.data, x.grad, x.label, x.parents) for x in engine.topological_order(*roots)]
        optimizers = [vars(self.things[name]) for name in ("sgd", "adam")]
        return repr((nodes, [*engine.RULES], optimizers, vars(self.things["history"]), self.walk.position, models))


@pytest.fixture(autouse=True)
def _figures_are_closed():
    yield
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("module", [engine, nn, viz], ids=lambda module: module.__name__)
def test_errors_say_what_is_wrong_and_change_nothing(module, tmp_path, monkeypatch, tried):
    monkeypatch.chdir(tmp_path)
    rng, world, refused = random.Random(1), World(), 0
    before = world.state()
    for _ in range(4000):
        name, function = rng.choice([*world.callables(module)])
        args, options = world.arguments(function, rng)
        called = f"{name}({', '.join([*map(repr, args), *(f'{k}={v!r}' for k, v in options.items())])[:300]})"
        error = outcome(function, args, options)
        if error is None:  # a call that does something
            world = World()
            before = world.state()
            continue
        refused += 1
        assert world.state() == before, called
        if name not in USED_AS_IT_COMES:
            assert isinstance(error, DOCUMENTED), called
            assert not isinstance(error, RecursionError), called
            assert len(str(error)) > 12, called
            assert not BY_PYTHON.search(str(error)), called
    assert refused > 1000
    tried["calls with wrong arguments: an error that tells, and nothing changed"] += refused


def outcome(function, args, options):
    try:
        function(*args, **options)
    except Exception as error:
        return error
    return None
