"""The functions of the engine: their names, their documentation."""

import pickle

import engine
from engine import Value


class TestNames:
    def test_operators_have_names_and_documentation(self):
        assert Value.__add__.__name__ == "__add__"
        assert Value.__radd__.__qualname__ == "Value.__radd__"
        assert Value.__mul__.__doc__ == (
            "Return the product.\n\nValue: a*b\nDerivative with respect to a: b\nDerivative with respect to b: a"
        )
        assert engine.tanh.__module__ == "engine"
        assert engine.tanh.__name__ == engine.tanh.__qualname__ == "tanh"

    def test_the_documentation_of_a_function(self):
        assert engine.log.__doc__ == (
            "Return the natural logarithm.\n\nValue: log(a)\nDerivative with respect to a: 1/a\n"
            "Defined for a > 0; elsewhere an ArithmeticError.\n\n"
            ">>> log(0.5)\nValue(data=-0.693147, grad=0.0, op='log')"
        )
        assert engine.sigmoid.__doc__.startswith("Return 1/(1 + exp(-a)), in (0, 1) (P14).\n")
        assert engine.tanh.__doc__.startswith("Return the hyperbolic tangent, in (-1, 1).\n")
        assert engine.maximum.__doc__.startswith("Return the larger of a and b; at a tie each has slope 1/2.\n")
        assert engine.sigmoid.__doc__.splitlines()[2:4] == [
            "Value: sigmoid(a)",
            "Derivative with respect to a: sigmoid(a)*(1 - sigmoid(a))",
        ]
        assert ">>> maximum(0.5, 2.0)" in engine.maximum.__doc__

    def test_functions_go_through_pickle(self):
        assert pickle.loads(pickle.dumps(engine.tanh)) is engine.tanh
