"""The training engine of the playground: the graph of one example's loss as WebAssembly that runs over many examples.

The page keeps everything in one memory of floats: the parameters, then their gradients, then whatever it needs. A row
of it is an example: its inputs, then the numbers of its target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine import Value, topological_order
from engine.graph import operand_rows
from engine.rules import Fold
from viz.pages.wasm import (
    ADD,
    F64,
    GREATER,
    I32,
    I32_ADD,
    I32_MULTIPLY,
    MULTIPLY,
    SELECT,
    Code,
    Module,
    constant,
    get,
    integer,
    load,
    load_integer,
    loop,
    put,
    store,
)  # fmt: skip


def training_module(
    loss: Value, row: Sequence[Value], parameters: Sequence[Value], outputs: Sequence[Value], signals: Sequence[Value]
) -> bytes:
    """Return a module of three functions, which read the parameters at address 0 of the memory.

    `learn(rows, order, n, seed)` adds to the gradients, which follow the parameters, those of the losses of the `n`
    examples whose numbers are at the address `order`; `seed` is the gradient of each loss. It returns the sum of the
    losses, which is not finite if the weighted sum of a neuron is not. `evaluate(rows, n, out)` writes for each of `n`
    rows its loss and its `outputs`, and `show(rows, n, out)` its `signals`.

    Args:
        loss: the root of the graph of an example's loss.
        row: its leaves for the inputs and for the numbers of the target, in the order of a row.
        parameters: the leaves that are trained; other leaves are numbers in the code.
        outputs: the nodes whose data `evaluate` writes after the loss.
        signals: the nodes whose data `show` writes.
    """
    module = Module()
    learn = _Pass(module, row, parameters, [loss], first_local=6)
    total, address = 5, 4
    code: Code = [
        get(0), get(1), load_integer(), integer(8 * len(row)), I32_MULTIPLY, I32_ADD, put(address),
        *learn.forward(address),
        get(total), *learn.data(loss), ADD, *learn.checks(), put(total),
        *learn.backward(loss, [get(3)]),
        get(1), integer(4), I32_ADD, put(1),
    ]  # fmt: skip
    module.add_function(
        "learn", I32 * 3 + F64, F64, [*loop(2, code), get(total)], n_integers=1, n_floats=learn.n_locals + 1
    )
    for name, nodes in (("evaluate", [loss, *outputs]), ("show", signals)):
        pass_ = _Pass(module, row, parameters, nodes, first_local=3)
        writes: Code = [
            part for k, node in enumerate(nodes) for part in (get(2), *pass_.data(node), store(8 * k))
        ]  # fmt: skip
        code = [*pass_.forward(0), *writes]
        for pointer, size in ((0, len(row)), (2, len(nodes))):
            code += [get(pointer), integer(8 * size), I32_ADD, put(pointer)]
        module.add_function(name, I32 * 3, b"", loop(1, code), n_floats=pass_.n_locals)
    return module.encode()


class _Pass:
    """The code of the nodes that some results need, for one example.

    Args:
        module: the module.
        row: the leaves of the inputs and of the target.
        parameters: the leaves in the memory.
        results: the nodes to compute.
        first_local: the number of the first variable that it may use.
    """

    def __init__(
        self, module: Module, row: Sequence[Value], parameters: Sequence[Value], results: Iterable[Value],
        first_local: int,
    ) -> None:  # fmt: skip
        self.module, self.row = module, row
        self.order = topological_order(*results)
        self.parameters = {node: i for i, node in enumerate(parameters)}
        computed = [*row, *(node for node in self.order if node.parents)]
        self._locals = {node: first_local + i for i, node in enumerate(computed)}
        self._gradients: dict[Value, int] = {}
        self._next = first_local + len(computed)
        self._first = first_local
        self.trained: set[Value] = set(parameters)  # and what depends on them
        for node in self.order:
            if any(x in self.trained for operands in operand_rows(node) for x in operands):
                self.trained.add(node)

    @property
    def n_locals(self) -> int:
        """The number of variables."""
        return self._next - self._first

    def data(self, node: Value) -> Code:
        """Return the code that reads the data of a node."""
        if node in self.parameters:
            return [integer(0), load(8 * self.parameters[node])]
        return [get(self._locals[node])] if node in self._locals else [constant(node.data)]

    def _operand(self, node: Value) -> Code | float:
        is_fixed = node not in self.parameters and node not in self._locals
        return node.data if is_fixed else self.data(node)

    def forward(self, address: int) -> Code:
        """Return the forward pass of the row at the address in a variable."""
        code: Code = []
        for k, leaf in enumerate(self.row):
            code += [get(address), load(8 * k), put(self._locals[leaf])]
        for node in self.order:
            if node.parents:
                code += [*self._value(node), put(self._locals[node])]
        return code

    def _value(self, node: Value) -> Code:
        rule, rows = node._rule, operand_rows(node)
        if not isinstance(rule, Fold):
            return self.module.formula(rule, rule.value, self._letters(rows[0]))
        total, top = self._new_local(), self._new_local()
        code: Code = [constant(0.0), put(total)]
        needs_top = "top" in rule.value + rule.finalize
        if needs_top:
            code += [*self.data(rows[0][0]), put(top)]
            for a, *_ in rows[1:]:
                code += [*self.data(a), get(top), *self.data(a), get(top), GREATER, SELECT, put(top)]
        for operands in rows:
            term = self.module.formula(rule, rule.value, {**self._letters(operands), "top": [get(top)]})
            code += [get(total), *term, ADD, put(total)]
        return [*code, *self.module.formula(rule, rule.finalize, {"total": [get(total)], "top": [get(top)]})]

    def _letters(self, operands: Sequence[Value]) -> dict[str, Code | float]:
        return dict(zip("ab", map(self._operand, operands), strict=False))

    def _new_local(self) -> int:
        self._next += 1
        return self._next - 1

    def checks(self) -> Code:
        """Return code that adds 0 to the number on the stack, or nan if a sum is infinite, which tanh would hide."""
        sums = [node for node in self.order if isinstance(node._rule, Fold)]
        return [part for node in sums for part in (*self.data(node), constant(0.0), MULTIPLY, ADD)]

    def backward(self, root: Value, seed: Code) -> Code:
        """Return the backward pass: it adds to the gradients of the parameters, which follow these in the memory."""
        self._gradients[root] = self._new_local()
        code: Code = [*seed, put(self._gradients[root])]
        for node in reversed(self.order):
            if node.parents and node in self._gradients:
                for operands in operand_rows(node):
                    letters = {**self._letters(operands), "out": self.data(node)}
                    for x, text in zip(operands, node._rule.partials, strict=True):
                        if x in self.trained:
                            code += self._accumulate(x, self._amount(node, text, letters))
        return code

    def _amount(self, node: Value, text: str, letters: dict[str, Code | float]) -> Code:
        """Return the code of the upstream gradient times a local derivative."""
        local = self.module.formula(node._rule, text, letters)
        upstream = get(self._gradients[node])
        return [upstream] if local == [constant(1.0)] else [upstream, *local, MULTIPLY]

    def _accumulate(self, x: Value, amount: Code) -> Code:
        if x in self.parameters:
            place = 8 * (len(self.parameters) + self.parameters[x])
            return [integer(0), integer(0), load(place), *amount, ADD, store(place)]
        if x not in self._gradients:
            self._gradients[x] = self._new_local()
            return [*amount, put(self._gradients[x])]
        return [get(self._gradients[x]), *amount, ADD, put(self._gradients[x])]
