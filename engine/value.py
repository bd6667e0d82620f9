"""Value: one node of the computation graph."""

from __future__ import annotations

import copy
import numbers
import operator
import reprlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from math import isfinite
from typing import Any, TypeAlias, cast, final

from engine import errors, pickling
from engine.comparisons import warn_of_frozen
from engine.foreign import FOREIGN_NAMES, FOREIGN_OPERATORS, ForeignName, missing_operator, usage
from engine.formatting import format_number
from engine.graph import topological_order
from engine.notebook import Pictured
from engine.recording import is_recording, noted_comparisons, noted_reads
from engine.restore import restored
from engine.rules import CONSTANT, LEAF, RULES, Rule
from engine.ufuncs import apply_ufunc
from engine.validation import Number, as_finite, as_float, conversion, describe

Operand: TypeAlias = "Value | Number"


@final
class Value(Pictured):
    """A number that remembers how it was computed, so that it can be differentiated with respect to its inputs.

    Args:
        data: any finite real number (int, float, Fraction, Decimal, a NumPy scalar); kept as a float.
        label: a name for pictures and for the stepper; any text.

    Raises:
        TypeError: `data` is not a real number (a str, a complex, a bool, None, an array, another Value).
        ValueError: `data` is infinite or not a number.

    `Value(...)` creates a leaf. Arithmetic (`+ - * / **`, `abs`) and the methods below, which are
    functions of `engine` too, create inner nodes. A plain number among the operands becomes a constant, which takes no
    gradient; `0 + v` and `1 * v` are `v` itself. In the methods, `a` is this node and `b` the other operand. `<`, `<=`,
    `>` and `>=` compare data; `==` is identity. A graph contains the branch that a comparison decided, not the
    comparison: `maximum`, `minimum`, `relu` and `abs` are computed again at other data.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> L = a * b + a**2
    >>> L.backward()
    >>> L.data, a.grad, b.grad
    (-2.0, 1.0, 2.0)
    >>> a
    Value(data=2.0, grad=1.0, label='a')
    """

    __slots__ = ("__weakref__", "_a", "_b", "_data", "_grad", "_label", "_rule")

    _data: float
    _rule: Rule
    _a: Any  # the first operand, or the first tuple of operands; None in a leaf or a constant
    _b: Any  # the second
    _grad: Any  # a float; None in a constant
    _label: str

    @usage('Value(2.0, "x"), which takes a gradient')
    def __init__(self, data: Number, label: str = "") -> None:
        self._data = data if type(data) is float and isfinite(data) else as_finite(data, "data of a Value")
        self._rule = LEAF
        self._a = self._b = None
        self._grad = 0.0
        if type(label) is str:
            self._label = label
        else:
            self.label = label

    def __init_subclass__(cls) -> None:
        raise TypeError("Value must not be subclassed: keep a Value as an attribute of your class")

    @property
    def data(self) -> float:
        """The number itself, a finite float. It can be set in a leaf; `forward()` then refreshes the graph.

        Until then the graph is stale: whatever computes derivatives raises a RuntimeError, and pictures warn.
        """
        reads = noted_reads()
        if reads is not None:
            reads.append(self)
        return self._data

    @data.setter
    def data(self, data: Number) -> None:
        if self._a is not None:
            raise AttributeError(
                f"data must be set in a leaf, got the inner node {self!r}: "
                "set the data of the leaves that it depends on, then call forward()"
            )
        self._data = as_finite(data, "data of a Value")

    @property
    def grad(self) -> float:
        """The gradient: the derivative of the output with respect to this node, 0.0 before `backward()`."""
        return 0.0 if self._grad is None else self._grad

    @grad.setter
    def grad(self, grad: Number) -> None:
        number = as_float(grad)
        if number is None:
            raise TypeError(f"grad of a Value must be a real number, got {describe(grad)}: write 0.0 to clear it")
        if not self.is_constant:
            self._grad = number

    @property
    def label(self) -> str:
        """The name in pictures and in the stepper."""
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise TypeError(f"label of a Value must be a str, got {describe(label)}")
        self._label = label

    @property
    def op(self) -> str:
        """The symbol of the operation; "" for a leaf or a constant."""
        return self._rule.symbol

    @property
    def parents(self) -> tuple[Value, ...]:
        """The operands in order, repeated where one is used twice; for `dot(ws, xs)` all of ws, then all of xs."""
        lists = (x if isinstance(x, tuple) else (x,) for x in (self._a, self._b) if x is not None)
        return tuple(chain.from_iterable(lists))

    @property
    def is_constant(self) -> bool:
        """Whether this is a plain number in the graph, or was computed inside `no_grad()`: it takes no gradient."""
        return self._rule is CONSTANT

    @usage("L.backward(), which keeps the graph; for another gradient to start with, (5 * L).backward()")
    def backward(self) -> None:
        """For each leaf x, add the derivative of this node with respect to x to `x.grad`.

        Reverse-mode differentiation (P34-P46): walk the topological order in reverse; at each node the chain rule
        passes the gradient back to the parents. Leaves accumulate: a second call doubles their gradients (`zero_grad`
        clears them). Inner nodes start at 0.0 at every call.

        Raises:
            RuntimeError: a leaf was changed since the graph was recorded; or this is a constant, without a graph.
            ArithmeticError: a derivative has no value here (sqrt at 0) or overflows.
            In each case every gradient is as it was.

        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        if self.is_constant:
            raise errors.no_graph(self)
        order = topological_order(self)
        inner = [node for node in order if node._a is not None]
        with restored(order, on_error=True):
            for node in inner:
                node._grad = 0.0
            self._grad += 1.0  # not =, since this node may be a leaf
            for node in reversed(inner):
                try:
                    node._rule.backward(node)
                except errors.RULE_ERRORS:
                    raise errors.no_derivative(node) from None
            for node in reversed(order):
                if node._grad is not None and not isfinite(node._grad):
                    raise errors.gradient_overflow(node, [user for user in inner if node in user.parents])

    def forward(self) -> None:
        """Recompute this node and everything it depends on, after leaves have changed.

        The gradients of inner nodes belong to the old point and become 0.0; leaves keep theirs.

        Raises:
            ArithmeticError: an operation has no value at the new point; the graph stays unchanged.

        Warns:
            FrozenBranchWarning: a comparison of leaves, or of what was computed from them and plain numbers, may have
                decided what the graph is; it is not made again. Comparisons of `v.data` cannot be seen.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> x.data = 5.0
        >>> y.forward()
        >>> y.data
        25.0
        """
        order = topological_order(self)
        inner = [node for node in order if node._a is not None]
        with restored(inner, on_error=True):
            for node in inner:
                node._grad = 0.0
                try:
                    node._data = data = node._rule.evaluate(node)
                    if data - data != 0.0:  # infinite or not a number
                        raise OverflowError
                except errors.RULE_ERRORS as error:
                    raise errors.no_value(node, error) from None
        comparisons = noted_comparisons()
        if comparisons is not None:
            warn_of_frozen(
                comparisons.frozen([self], [], order),
                "forward() repeats the outcome: record the graph again, or use engine.maximum, minimum, relu or abs",
                again=False,
            )

    def zero_grad(self) -> None:
        """Set the gradient of this node and of everything it depends on to 0.0."""
        for node in topological_order(self):
            node.grad = 0.0

    def __add__(self, other: Operand) -> Value:
        return _operate(RULES["+"], self, other)

    def __radd__(self, other: Operand) -> Value:
        return _operate(RULES["+"], self, other, reflected=True)

    def __sub__(self, other: Operand) -> Value:
        return _operate(RULES["-"], self, other)

    def __rsub__(self, other: Operand) -> Value:
        return _operate(RULES["-"], self, other, reflected=True)

    def __mul__(self, other: Operand) -> Value:
        return _operate(RULES["*"], self, other)

    def __rmul__(self, other: Operand) -> Value:
        return _operate(RULES["*"], self, other, reflected=True)

    def __truediv__(self, other: Operand) -> Value:
        return _operate(RULES["/"], self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return _operate(RULES["/"], self, other, reflected=True)

    def __pow__(self, other: Operand) -> Value:
        return _operate(RULES["**"], self, other)

    def __rpow__(self, other: Operand) -> Value:
        return _operate(RULES["**"], self, other, reflected=True)

    def __neg__(self) -> Value:
        return record(RULES["neg"], self)

    def __abs__(self) -> Value:
        return record(RULES["abs"], self)

    def exp(self) -> Value:
        """Return e to the power a."""
        return record(RULES["exp"], self)

    def log(self) -> Value:
        """Return the natural logarithm."""
        return record(RULES["log"], self)

    def log1p(self) -> Value:
        """Return log(1 + a), exact for small a."""
        return record(RULES["log1p"], self)

    def sqrt(self) -> Value:
        """Return the square root."""
        return record(RULES["sqrt"], self)

    def sin(self) -> Value:
        """Return the sine of a, in radians."""
        return record(RULES["sin"], self)

    def cos(self) -> Value:
        """Return the cosine of a, in radians."""
        return record(RULES["cos"], self)

    def tan(self) -> Value:
        """Return the tangent of a, in radians."""
        return record(RULES["tan"], self)

    def erfc(self) -> Value:
        """Return the complementary error function, 1 - erf(a)."""
        return record(RULES["erfc"], self)

    def tanh(self) -> Value:
        """Return the hyperbolic tangent, in (-1, 1)."""
        return record(RULES["tanh"], self)

    def sigmoid(self) -> Value:
        """Return 1/(1 + exp(-a)), in (0, 1) (P14)."""
        return record(RULES["sigmoid"], self)

    def softplus(self) -> Value:
        """Return log(1 + exp(a)), a smooth relu."""
        return record(RULES["softplus"], self)

    def relu(self) -> Value:
        """Return the larger of a and 0; slope 0 at 0."""
        return record(RULES["relu"], self)

    def leaky_relu(self) -> Value:
        """Return a if a > 0, else 0.01*a."""
        return record(RULES["leaky_relu"], self)

    def elu(self) -> Value:
        """Return a if a > 0, else exp(a) - 1."""
        return record(RULES["elu"], self)

    def gelu(self) -> Value:
        """Return a times the normal distribution function of a, exact (Hendrycks and Gimpel 2016)."""
        return record(RULES["gelu"], self)

    def silu(self) -> Value:
        """Return a times sigmoid(a)."""
        return record(RULES["silu"], self)

    def sign(self) -> Value:
        """Return the threshold: 1 if a > 0, else -1 (P7)."""
        return record(RULES["sign"], self)

    def maximum(self, other: Operand) -> Value:
        """Return the larger of a and b; at a tie each has slope 1/2."""
        return record(RULES["maximum"], *as_values((self, other), "maximum"))

    def minimum(self, other: Operand) -> Value:
        """Return the smaller of a and b; at a tie each has slope 1/2."""
        return record(RULES["minimum"], *as_values((self, other), "minimum"))

    def _compared(self) -> float:
        """Return the data, for a condition in the text of a partial derivative."""
        _note(self)
        return self._data

    def _record(self, rule: Rule, operands: tuple[Operand, ...]) -> Value:
        """Return the node of `rule`, for the text of a partial derivative."""
        return record(rule, *as_values(operands, rule.symbol))

    def propagate(self) -> None:
        """Pass the gradient of this node back to its parents: one application of the chain rule, by hand.

        `backward()` is this at every node, in reverse topological order. Here the order, and the gradient to start
        with, are yours: `L.grad = 1.0`, then `L.propagate()`. A leaf or a constant has no parents, and nothing happens.

        Raises:
            RuntimeError: an operand was changed since this node was recorded.
            ArithmeticError: a derivative has no value here or overflows; every gradient is as it was.

        >>> a, b = Value(2.0), Value(-3.0)
        >>> c = a * b
        >>> c.grad = 1.0
        >>> c.propagate()
        >>> a.grad, b.grad
        (-3.0, 2.0)
        """
        if self._a is None:
            return
        with restored(self.parents, on_error=True):
            try:
                self._rule.backward(self)
            except errors.RULE_ERRORS:
                raise errors.no_derivative(self) from None
            for node in self.parents:
                if not isfinite(node.grad):
                    raise errors.gradient_overflow(node, [self])

    def detach(self) -> Value:
        """Return a constant with the same data and label, through which no gradient passes.

        >>> x = Value(3.0, "x")
        >>> (x * x.detach()).backward()
        >>> x.grad
        3.0
        """
        return constant(self._data, "detach", self._label)

    def __format__(self, specification: str) -> str:
        """Format the data: `f"{v:.3f}"`; without a specification, as `str(v)`."""
        return format(self._data, specification) if specification else str(self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Return a function of NumPy on this node and other operands: `np.tanh(v)`, `array * v`."""
        return apply_ufunc(ufunc, method, inputs, options)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__()} - FOREIGN_NAMES.keys())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, numbers.Number):
            return self is other
        raise TypeError(
            f"a Value must be compared with a number by its data, got v == {reprlib.repr(other)}: "
            f"write v.data == {reprlib.repr(other)}"
        )

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise TypeError("a condition must be a comparison, got a Value: write `if v.data != 0:` or `if v > 0:`")

    def __float__(self) -> float:
        raise TypeError(
            "a Value must stay a Value to keep its gradient, got float(v), which math.exp(v) and arrays of floats call "
            "too: write v.exp() for math.exp(v), v.data for the number"
        )

    def __int__(self) -> int:
        raise TypeError("int() must get a number, got a Value: write int(v.data)")

    def __round__(self, digits: int | None = None) -> float:
        raise TypeError('round() must get a number, got a Value: write round(v.data, 2), or f"{v:.2f}"')

    def __pos__(self) -> Value:
        return self

    def __lt__(self, other: Operand) -> bool:
        return _compare(operator.lt, self, other)

    def __le__(self, other: Operand) -> bool:
        return _compare(operator.le, self, other)

    def __gt__(self, other: Operand) -> bool:
        return _compare(operator.gt, self, other)

    def __ge__(self, other: Operand) -> bool:
        return _compare(operator.ge, self, other)

    def __copy__(self) -> Value:
        """Return a node with the same operands."""
        return pickling.restore_node(Value, self._rule, self._a, self._b, self._data, self._grad, self._label)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        """Copy the whole graph."""
        twins: dict[Value, Value] = {}
        for node in topological_order(self, stop=lambda node: id(node) in memo):
            twin = memo[id(node)] = twins[node] = copy.copy(node)
            twin._a, twin._b = copy.deepcopy(node._a, memo), copy.deepcopy(node._b, memo)
        comparisons = noted_comparisons()
        if comparisons is not None:
            comparisons.copy(twins)
        copied: Value = memo[id(self)]
        return copied

    def __reduce__(self) -> pickling.Reduced:
        return pickling.reduce_node(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        op = f", op={self.op!r}" if self.op else ""
        return f"Value(data={format_number(self._data)}, grad={format_number(self.grad)}{label}{op})"


def record(rule: Rule, a: Value | tuple[Value, ...], b: Value | tuple[Value, ...] | None = None) -> Value:
    """Return the node of an operation on its operands, or on its lists of operands.

    Inside `no_grad()` it is a constant.

    Raises:
        ArithmeticError: the operation has no value there.
    """
    node = _new(Value)
    node._rule = rule
    node._a = a
    node._b = b
    node._grad = 0.0
    node._label = ""
    try:
        node._data = data = rule.evaluate(node)
        if data - data != 0.0:  # infinite or not a number; cheaper than isfinite
            raise OverflowError
    except errors.RULE_ERRORS as error:
        raise errors.no_value(node, error) from None
    if not is_recording():
        node._rule = CONSTANT
        node._a = node._b = node._grad = None
    return node


def constant(data: Number, name: str, label: str = "") -> Value:
    """Wrap a plain number as a constant; errors call it `name`."""
    node = _new(Value)
    node._data = data if type(data) is float and isfinite(data) else as_finite(data, name)
    node._rule = CONSTANT
    node._a = node._b = node._grad = None
    node._label = label
    return node


def as_values(operands: Iterable[Operand], caller: str) -> tuple[Value, ...]:
    """Return Values and plain numbers as Values; a tuple of Values is returned as it is.

    Raises:
        TypeError: `operands` is not iterable, has no order, or holds something else.
    """
    if type(operands) is not tuple:
        if not isinstance(operands, Iterable) or isinstance(operands, set | frozenset):
            raise TypeError(f"the operands of {caller} must be a list of Values and numbers, got {describe(operands)}")
        operands = tuple(operands)
    for x in operands:
        if type(x) is not Value:
            name = f"an operand of {caller}"
            return tuple([x if type(x) is Value else constant(x, name) for x in operands])
    return cast("tuple[Value, ...]", operands)


def number_of(x: Operand) -> float:
    """Return the data of a Value, or a plain number as a float."""
    return x._data if type(x) is Value else float(x)


def _operate(rule: Rule, node: Value, other: Operand, *, reflected: bool = False) -> Value:
    """Record the operator between `node` and `other`; `other` stands on the left if `reflected`."""
    if type(other) is not Value:
        number = as_float(other)
        if number is None:
            if type(other).__module__ == "builtins":
                raise TypeError(
                    f"an operand of {rule.symbol} must be a Value or a number, got {describe(other)}{conversion(other)}"
                )
            return NotImplemented  # type: ignore[no-any-return]
        if number == rule.identity:
            return node
        other = constant(number, f"an operand of {rule.symbol}")
    return record(rule, other, node) if reflected else record(rule, node, other)


def _compare(comparison: Callable[[Any, Any], bool], value: Value, other: Operand) -> bool:
    if isinstance(other, Value):
        _note(value, other)
        return comparison(value._data, other._data)
    is_number = isinstance(other, (numbers.Real, Decimal)) and not isinstance(other, bool)
    if is_number:
        _note(value)
    if is_number and not isinstance(other, (int, Fraction, Decimal)):  # Python compares a float with these exactly
        other = int(other) if isinstance(other, numbers.Integral) else float(other)
    return comparison(value._data, other) if is_number else NotImplemented


def _note(*operands: Value) -> None:
    """Note a comparison, for the warning if the graph is replayed."""
    comparisons = noted_comparisons()
    if comparisons is not None and is_recording():
        comparisons.note(operands, caller=4)  # of `<`, which called _compare


_new = object.__new__

for _name in FOREIGN_NAMES:
    setattr(Value, _name, ForeignName(_name))

for _name, _advice in FOREIGN_OPERATORS.items():
    for _method in (f"__{_name}__", f"__r{_name}__"):
        setattr(Value, _method, missing_operator(*_advice))
