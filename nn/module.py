"""Module: whatever has parameters and can be called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine import Value
from engine.validation import as_finite


class Module:
    """A function with parameters. A subclass sets Values and other Modules as attributes and defines `__call__`.

    Its parameters are the leaf Values found in its attributes, in lists, tuples and dicts there too, and those of
    the Modules among them; one that is found twice counts once.

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
        raise NotImplementedError(f"{type(self).__name__} defines no __call__")

    def children(self) -> Iterable[tuple[str, object]]:
        """What the parameters are looked for in, with names: the attributes, unless a subclass says otherwise."""
        return vars(self).items()

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Every parameter with its name, `layer1.w12`; parts of a list are named by their index."""
        seen: dict[int, object] = {id(self): self}  # by identity; kept, so that no two have the same
        stack: list[tuple[str, Iterator[tuple[object, object]]]] = [("", iter(self.children()))]
        while stack:
            prefix, parts = stack[-1]
            for part, thing in parts:
                inner: Iterable[tuple[object, object]]
                match thing:
                    case Value():
                        if id(thing) not in seen and not thing.op and not thing.is_constant:
                            seen[id(thing)] = thing
                            yield f"{prefix}{part}", thing
                        continue
                    case Module():
                        inner = thing.children()
                    case dict():
                        inner = thing.items()
                    case list() | tuple():
                        inner = enumerate(thing)
                    case _:
                        continue
                if id(thing) not in seen:
                    seen[id(thing)] = thing
                    stack.append((f"{prefix}{part}.", iter(inner)))
                    break
            else:
                stack.pop()

    def parameters(self) -> list[Value]:
        """Every parameter, in the order of `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, float]:
        """The data of every parameter by its name.

        Raises:
            ValueError: two parameters have one name.
        """
        return {name: parameter.data for name, parameter in self._by_name().items()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set the data of every parameter from `state`; when anything is wrong, of none.

        Raises:
            ValueError: a parameter is missing in `state`, or `state` has a name that is no parameter.
            TypeError, ValueError: an entry is no finite real number.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict takes a dict of numbers by name, got {type(state).__name__}")
        parameters = self._by_name()
        for problem, names in (
            ("the state lacks", [name for name in parameters if name not in state]),
            ("the state has what this model lacks:", [name for name in state if name not in parameters]),
        ):
            if names:
                listed = ", ".join(map(str, names[:5])) + f" and {len(names) - 5} more" * (len(names) > 5)
                raise ValueError(
                    f"{problem} {listed}; {self!r} has {len(parameters)} parameters, the state {len(state)}"
                )
        data = {name: as_finite(number, name) for name, number in state.items()}
        for name, parameter in parameters.items():
            parameter.data = data[name]

    def _by_name(self) -> dict[str, Value]:
        parameters: dict[str, Value] = {}
        for name, parameter in self.named_parameters():
            if parameters.setdefault(name, parameter) is not parameter:
                raise ValueError(f"two parameters of {self!r} have the name {name}")
        return parameters

    def __repr__(self) -> str:
        return f"{type(self).__name__} with {len(self.parameters())} parameters"
