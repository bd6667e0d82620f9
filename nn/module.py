"""Module: a function with parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine import Value
from engine.notebook import Pictured
from engine.rules import LEAF
from engine.validation import as_finite, describe
from nn.foreign import MODEL_NAMES, OtherName


class Module(Pictured):
    """A function with parameters. A subclass sets Values and other Modules as attributes and defines `__call__`.

    As in PyTorch, it may define `forward` instead, and `model.forward(x)` is the same as `model(x)`.

    Its parameters are the leaf Values among its attributes, also in lists, tuples and dicts there, and the parameters
    of the Modules among them; each counts once.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.shift = Value(2.0, "slope"), Value(1.0, "shift")
    ...     def __call__(self, x):
    ...         return self.slope * x + self.shift
    >>> line = Line()
    >>> line(3.0).data, line.state_dict()
    (7.0, {'slope': 2.0, 'shift': 1.0})
    """

    def __call__(self, x: Any) -> Any:
        """Return the output for one x."""
        if type(self).forward is Module.forward:
            raise NotImplementedError(f"{type(self).__name__} must define __call__")
        return self.forward(x)

    def forward(self, x: Any) -> Any:
        """Return the output for one x."""
        return self(x)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in MODEL_NAMES or hasattr(self, name)]

    def children(self) -> Iterable[tuple[str, object]]:
        """Return the objects in which to look for parameters, with their names: the attributes."""
        return vars(self).items()

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield every parameter with its name, such as `layer1.w12`; the index in a list is a name too."""
        names: dict[Value, str] = {}
        for prefix, name, parameter in self._walk():
            names.setdefault(parameter, f"{prefix}{name}")
        yield from zip(names.values(), names, strict=True)

    def _walk(self) -> Iterator[tuple[str, object, Value]]:
        """Yield the two parts of the name of every parameter, and the parameter, which may occur several times."""
        seen: dict[int, object] = {id(self): self}  # objects by identity; they are kept, so that no two have the same
        stack: list[tuple[str, Iterator[tuple[object, object]]]] = [("", iter(self.children()))]
        while stack:
            prefix, children = stack[-1]
            for name, child in children:
                if type(child) is Value:
                    if child._rule is LEAF:
                        yield prefix, name, child
                    continue
                if id(child) in seen:
                    continue
                seen[id(child)] = child
                match child:
                    case Module():
                        inner: Iterable[tuple[object, object]] = child.children()
                    case dict():
                        inner = child.items()
                    case list() | tuple():
                        inner = enumerate(child)
                    case _:
                        continue
                stack.append((f"{prefix}{name}.", iter(inner)))
                break
            else:
                stack.pop()

    def parameters(self) -> list[Value]:
        """Return every parameter, in the order of `named_parameters`."""
        return list(dict.fromkeys([parameter for _, _, parameter in self._walk()]))

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, float]:
        """Return the data of every parameter by its name.

        Raises:
            ValueError: two parameters have the same name.
        """
        return {name: parameter.data for name, parameter in self._parameters_by_name().items()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set the data of every parameter from `state`; if anything is wrong, of none.

        Raises:
            ValueError: a parameter is missing in `state`, or `state` has a name that is not a parameter's.
            TypeError, ValueError: an entry is not a finite real number.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"state must be a dict of numbers by name, got {describe(state)}")
        parameters = self._parameters_by_name()
        for problem, names in (
            ("state lacks", [name for name in parameters if name not in state]),
            ("state has names that are not parameters:", [name for name in state if name not in parameters]),
        ):
            if names:
                more = f" and {len(names) - 5} more" if len(names) > 5 else ""
                raise ValueError(
                    f"{problem} {', '.join(map(str, names[:5]))}{more}; "
                    f"{self!r} has {len(parameters)} parameters, the state {len(state)}"
                )
        data = {name: as_finite(number, name) for name, number in state.items()}
        for name, parameter in parameters.items():
            parameter.data = data[name]

    def _parameters_by_name(self) -> dict[str, Value]:
        parameters: dict[str, Value] = {}
        for name, parameter in self.named_parameters():
            if parameters.setdefault(name, parameter) is not parameter:
                raise ValueError(f"parameters must have different names, got two with the name {name} in {self!r}")
        return parameters

    def __repr__(self) -> str:
        return f"{type(self).__name__} with {len(self.parameters())} parameters"


for _name in MODEL_NAMES:
    setattr(Module, _name, OtherName(_name))
