"""Value: one node of the graph."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterable
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, final

from engine import errors, pickling
from engine.formatting import format_number
from engine.graph import order_above, topological_order
from engine.recording import is_recording
from engine.rules import LEAF, Rule
from engine.validation import Number, as_finite, as_float, describe

Operand: TypeAlias = "Value | Number"


@final
class Value:
    """A number that remembers how it was made, so that it can tell its derivative by whatever it was made of.

    Args:
        data: any finite real number (int, float, Fraction, Decimal, a NumPy scalar); kept as a float.
        label: a name to show in pictures and in the stepper; any text.

    Raises:
        TypeError: `data` is no real number (a str, a complex, a bool, None, an array, another Value).
        ValueError: `data` is infinite or not a number.

    A Value made by `Value(...)` is a leaf. Arithmetic (`+ - * / **`, `abs`, and the functions of `engine`, which are
    methods too) makes inner nodes. A plain number among the operands becomes a constant, which has no gradient;
    `0 + v` and `1 * v` are `v` itself. `<` and its like compare by data, `==` is identity.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> L = a * b + a**2
    >>> L.backward()
    >>> L.data, a.grad, b.grad
    (-2.0, 1.0, 2.0)
    >>> a
    Value(data=2.0, grad=1.0, label='a')
    """

    __slots__ = ("__weakref__", "_a", "_b", "_data", "_rule", "grad", "label")

    __array_ufunc__ = None  # so that a NumPy number on the left leaves the operation to Value

    _data: float
    _rule: Rule | None  # None: a constant
    _a: Value | tuple[Value, ...] | None  # the operands, in a fold lists of them; None where there is none
    _b: Value | tuple[Value, ...] | None
    grad: float
    label: str

    if TYPE_CHECKING:
        # What engine.functions attaches, row by row.
        __add__: ClassVar[Callable[[Value, Operand], Value]]
        __radd__: ClassVar[Callable[[Value, Operand], Value]]
        __sub__: ClassVar[Callable[[Value, Operand], Value]]
        __rsub__: ClassVar[Callable[[Value, Operand], Value]]
        __mul__: ClassVar[Callable[[Value, Operand], Value]]
        __rmul__: ClassVar[Callable[[Value, Operand], Value]]
        __truediv__: ClassVar[Callable[[Value, Operand], Value]]
        __rtruediv__: ClassVar[Callable[[Value, Operand], Value]]
        __pow__: ClassVar[Callable[[Value, Operand], Value]]
        __rpow__: ClassVar[Callable[[Value, Operand], Value]]
        __neg__: ClassVar[Callable[[Value], Value]]
        __abs__: ClassVar[Callable[[Value], Value]]

        def __getattr__(self, name: str) -> Callable[..., Value]: ...

    def __init__(self, data: Number, label: str = "") -> None:
        if not isinstance(label, str):
            raise TypeError(f"the label of a Value is a str, got {describe(label)}")
        self._data = as_finite(data, "Value")
        self._rule = LEAF
        self._a = self._b = None
        self.grad = 0.0
        self.label = label

    def __init_subclass__(cls) -> None:
        raise TypeError("Value is not for subclassing: keep a Value in an object of your own")

    @property
    def data(self) -> float:
        """The number itself, a finite float. That of a leaf can be set; `forward()` then refreshes the graph."""
        return self._data

    @data.setter
    def data(self, data: Number) -> None:
        if self._a is not None:
            raise AttributeError(
                f"the data of {self!r} follows from its operands: set that of a leaf, then call forward()"
            )
        self._data = as_finite(data, "Value.data")

    @property
    def op(self) -> str:
        """The symbol of the operation that made this node, "" for a leaf or a constant."""
        return self._rule.symbol if self._rule else ""

    @property
    def parents(self) -> tuple[Value, ...]:
        """The operands, in order, each as often as it was used; `dot(ws, xs)` has all of ws, then all of xs."""
        lists = (x if isinstance(x, tuple) else (x,) for x in (self._a, self._b) if x is not None)
        return tuple(chain.from_iterable(lists))

    @property
    def is_constant(self) -> bool:
        """Whether this is a plain number in the graph, or was made inside `no_grad()`: it takes no gradient."""
        return self._rule is None

    def backward(self) -> None:
        """Add to the `grad` of every leaf the derivative of this node by that leaf.

        Walks the topological order in reverse; at each node the chain rule hands the gradient on to the parents
        (lecture P34-P46). Leaves keep what they had, so that a second call doubles it (`zero_grad` clears); inner nodes
        start at 0.0 at every call.

        Raises:
            RuntimeError: a leaf was changed since the graph was recorded; or there is no graph, because this
                is a constant.
            ArithmeticError: a derivative has no value here (that of sqrt at 0) or overflows.
            In each case every gradient is as it was.

        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        if self._rule is None:
            raise errors.no_graph(self)
        order = topological_order(self)
        before = [node.grad for node in order]
        inner = [node for node in order if node._a is not None]
        for node in inner:
            node.grad = 0.0
        self.grad += 1.0
        try:
            try:
                for node in reversed(inner):
                    node._rule.backward(node)  # type: ignore[union-attr]
            except errors.KERNEL_ERRORS:
                raise errors.no_derivative(node) from None
            for node in reversed(order):
                if not isfinite(node.grad):
                    raise errors.gradient_overflow(node, [user for user in inner if node in user.parents])
        except BaseException:
            for node, grad in zip(order, before, strict=True):
                node.grad = grad
            raise

    def forward(self) -> None:
        """Compute the data of this node and of all below it anew, after leaves were changed.

        The gradients of inner nodes, which belonged to the old point, go back to 0.0; those of leaves stay.

        Raises:
            ArithmeticError: an operation has no value at the new point; everything is as it was.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> x.data = 5.0
        >>> y.forward()
        >>> y.data
        25.0
        """
        inner = [node for node in topological_order(self) if node._a is not None]
        before = [node._data for node in inner]
        try:
            for node in inner:
                try:
                    node._data = node._rule.evaluate(node)  # type: ignore[union-attr]
                except errors.KERNEL_ERRORS as error:
                    raise errors.no_value(node, error) from None
        except BaseException:
            for node, data in zip(inner, before, strict=True):
                node._data = data
            raise
        for node in inner:
            node.grad = 0.0

    def zero_grad(self) -> None:
        """Set the gradient of this node and of all below it to 0.0."""
        for node in topological_order(self):
            node.grad = 0.0

    def __float__(self) -> float:
        return self._data

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
        """A node with the same operands."""
        return pickling.restored(Value, self._rule, self._a, self._b, self._data, self.grad, self.label)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        """The whole graph anew."""
        for node in order_above(self, lambda node: id(node) in memo):
            twin = memo[id(node)] = copy.copy(node)
            twin._a, twin._b = copy.deepcopy(node._a, memo), copy.deepcopy(node._b, memo)
        return twin

    def __reduce__(self) -> pickling.Reduced:
        return pickling.reduced(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        op = f", op={self.op!r}" if self.op else ""
        return f"Value(data={format_number(self._data)}, grad={format_number(self.grad)}{label}{op})"


def record(rule: Rule, x: Value | tuple[Value, ...], y: Value | tuple[Value, ...] | None = None) -> Value:
    """The node that `rule` makes of its operands, or of its lists of operands.

    It is a constant where the lists are empty, and inside `no_grad()`.

    Raises:
        ArithmeticError: the operation has no value there.
    """
    node = _new(Value)
    node._rule = rule
    node._a = x
    node._b = y
    node.grad = 0.0
    node.label = ""
    try:
        node._data = rule.evaluate(node)
    except errors.KERNEL_ERRORS as error:
        raise errors.no_value(node, error) from None
    if not x or not is_recording():
        node._rule = node._a = node._b = None
    return node


def constant(data: Number, taker: str) -> Value:
    """A node for a plain number among the operands of `taker`, which an error would name."""
    node = _new(Value)
    node._data = data if type(data) is float and isfinite(data) else as_finite(data, taker)
    node._rule = node._a = node._b = None
    node.grad = 0.0
    node.label = ""
    return node


def operands(values: Iterable[Operand], taker: str) -> tuple[Value, ...]:
    """Values and plain numbers as Values; a tuple of Values is given back as it is.

    Raises:
        TypeError: `values` cannot be gone through, or holds something else.
    """
    if type(values) is not tuple:
        if not isinstance(values, Iterable):
            raise TypeError(f"{taker} takes a list of Values and numbers, got {describe(values)}")
        values = tuple(values)
    for x in values:
        if type(x) is not Value:
            return tuple([x if type(x) is Value else constant(x, taker) for x in values])
    return values  # type: ignore[return-value]


def _compare(by: Callable[[float, float], bool], value: Value, other: Operand) -> bool:
    data = other._data if type(other) is Value else as_float(other)
    return NotImplemented if data is None else by(value._data, data)


_new = object.__new__
