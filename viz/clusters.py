"""Clusters in the graph of a model, one per layer and per neuron, and how they are folded into single nodes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile

from engine import Value

Path = tuple[str, ...]  # the names of the clusters around a value, the outermost first

DOTTED = re.compile(r"(?:[^\W\d]\w*\.)+\w[\w,]*")  # layer1.w12, but neither 3.14 nor a sentence
SIGNAL = re.compile(r"[a-z](\d+)")  # the sum a1, the output z1
WEIGHT = re.compile(r"[a-z](\d)\d|[a-z](\d+),\d+")  # w12, or w1,12 if an index has two digits
INPUT = re.compile(r"[xr]\d*")
MAX_INPUTS = 8  # inputs with the same users that are drawn one by one beside folded clusters


@dataclass(eq=False, slots=True)
class DrawnNode:
    """A node of the drawing: one value, several values of the same kind, or a folded cluster."""

    path: Path
    name: str = ""  # of a folded cluster
    values: list[Value] = field(default_factory=list)
    operands: list[DrawnNode] = field(default_factory=list)
    inputs: dict[Value, None] = field(default_factory=dict)  # of a folded cluster: the values from outside that it uses
    outputs: dict[Value, None] = field(default_factory=dict)  # of a folded cluster: its values that are used outside

    @property
    def is_folded(self) -> bool:
        """Whether the node is a folded cluster."""
        return bool(self.name)

    @property
    def is_constant(self) -> bool:
        """Whether the node shows constants."""
        return not self.name and self.values[0].is_constant


class Clusters:
    """The clusters of a graph, from the dotted labels of its values.

    `layer1.w12` lies in the cluster `layer1`, and if sums or outputs in it are numbered (`layer1.a1`, `layer1.z1`), in
    its cluster `neuron 1`. An unlabelled value joins the innermost cluster shared by all of its users, if one of its
    operands is in that cluster. Clusters with a single value are dropped.

    >>> from engine import Value, topological_order
    >>> w, x = Value(2.0, "layer1.w11"), Value(3.0, "x1")
    >>> z = w * x
    >>> z.label = "layer1.z1"
    >>> clusters = Clusters(topological_order(z))
    >>> clusters.path[w], clusters.name(w), clusters.path[x]
    (('layer1', 'neuron 1'), 'w11', ())
    """

    def __init__(self, order: list[Value]) -> None:
        self.order = order
        self.path: dict[Value, Path] = {}
        self._parts: dict[Value, list[str]] = {
            value: value.label.split(".") for value in order if "." in value.label and DOTTED.fullmatch(value.label)
        }
        if not self._parts:
            return
        layers = self._layers()
        for value, (*prefix, name) in self._parts.items():
            pattern = SIGNAL if value.parents else WEIGHT
            match = pattern.fullmatch(name) if tuple(prefix) in layers else None
            neuron = [f"neuron {number}" for number in match.groups() if number] if match else []
            self.path[value] = (*prefix, *neuron)
        self._place_unlabelled()
        sizes = Counter(path[:i] for path in self.path.values() for i in range(1, len(path) + 1))
        for value, path in self.path.items():
            self.path[value] = tuple(name for i, name in enumerate(path) if sizes[path[: i + 1]] > 1)

    @cached_property
    def users(self) -> dict[Value, list[Value]]:
        """For each value the values of which it is an operand."""
        users: dict[Value, list[Value]] = {value: [] for value in self.order}
        for value in self.order:
            for operand in dict.fromkeys(value.parents):
                users[operand].append(value)
        return users

    @property
    def depth(self) -> int:
        """The largest number of clusters around a value."""
        return max(map(len, self.path.values()), default=0)

    def name(self, value: Value) -> str:
        """Return the label of a value without the names of the clusters around it."""
        parts = self._parts.get(value)
        return ".".join(parts[min(len(self.path[value]), len(parts) - 1) :]) if parts else value.label

    def layer(self, value: Value) -> Path:
        """Return the clusters around the neuron of a value."""
        path = self.path.get(value, ())
        return path[:-1] if path and path[-1].startswith("neuron ") else path

    def _layers(self) -> set[Path]:
        """Return the prefixes of labels under which neurons are numbered."""
        signals: dict[Path, list[str]] = defaultdict(list)
        weights: dict[Path, list[str]] = defaultdict(list)
        for value, (*prefix, name) in self._parts.items():
            (signals if value.parents else weights)[tuple(prefix)].append(name)
        without_signals = {path for path in weights.keys() - signals if all(map(WEIGHT.fullmatch, weights[path]))}
        return without_signals | {path for path, names in signals.items() if any(map(SIGNAL.fullmatch, names))}

    def _place_unlabelled(self) -> None:
        for value in reversed(self.order):
            if value not in self.path:
                self.path[value] = () if value.label else self._path_of_users(value)
        for value in self.order:
            path = self.path[value]
            if value.parents and not value.label:
                inside = any(self.path[x][: len(path)] == path for x in value.parents if not x.is_constant)
                self.path[value] = path if inside else ()
        for value in self.order:
            if value.is_constant and not value.label:
                self.path[value] = self._path_of_users(value)

    def _path_of_users(self, value: Value) -> Path:
        """Return the clusters that are around all users of a value."""
        levels = zip(*(self.path[user] for user in self.users[value]), strict=False)
        return tuple(names[0] for names in takewhile(lambda names: len(set(names)) == 1, levels))


def fold_graph(clusters: Clusters, *, depth: int | None = None, merge_equal: bool = False) -> list[DrawnNode]:
    """Return the nodes to draw of a graph, each after its operands unless folding makes that impossible.

    Args:
        clusters: the clusters of the graph.
        depth: fold the clusters that lie in `depth` others; None folds none.
        merge_equal: draw values with the same operation, label and operands as one node.
    """
    folding = _Folding(clusters, depth, merge_equal)
    for value in clusters.order:
        folding.add(value)
    nodes = list(folding.nodes.values())
    return nodes if depth is None else _merge_inputs(nodes)


class _Folding:
    """The nodes to draw, to which values are added in topological order."""

    def __init__(self, clusters: Clusters, depth: int | None, merge_equal: bool) -> None:
        self.clusters, self.merge_equal = clusters, merge_equal
        self.nodes: dict[object, DrawnNode] = {}  # by a key that is equal for values drawn as one node
        self.node: dict[Value, DrawnNode] = {}
        self.terms: dict[Value, list[DrawnNode]] = {}  # of partial sums, which are not drawn
        constants = [value for value in clusters.order if value.is_constant]
        # The x0 = 1 of networks is drawn once per layer, and a plain number once per user.
        self.bias_units = {value for value in constants if clusters.path and value.label == "x0"}
        self.numbers = {value for value in constants if merge_equal and not value.label}
        self.folded: dict[Value, Path] = {}  # for each value in a folded cluster, the path that ends with that cluster
        if depth is not None:
            self.folded = {value: path[: depth + 1] for value, path in clusters.path.items() if len(path) > depth}

    def add(self, value: Value) -> None:
        """Add a value to the node that shows it."""
        if value in self.bias_units or value in self.numbers:
            return
        if value in self.folded:
            self._fold(value)
            return
        operands = [y for x in value.parents for y in self._operands(x, value)]
        if self._is_partial_sum(value):
            self.terms[value] = list(dict.fromkeys(self._operand_nodes(value, operands, value)))
            return
        key = self._key(value, operands)
        nodes = self._operand_nodes(value, operands, key)
        if self.merge_equal and value.op in ("sum", "+"):
            nodes = list(dict.fromkeys(nodes))
        self._node(key, self._path(value), value).operands = nodes

    def _fold(self, value: Value) -> None:
        """Add a value to its folded cluster, and the inputs and outputs of the cluster."""
        path = self.folded[value]
        node = self._node(("cluster", path), path[:-1], value)
        node.name = path[-1]
        for x in value.parents:
            if x in self.numbers:
                node.values.append(x)
            elif x not in self.bias_units and self.folded.get(x) != path:
                node.inputs[x] = None
                node.operands += [y for y in self.terms.get(x) or [self.node[x]] if y not in node.operands]
        users = self.clusters.users[value]
        if not users or any(self.folded.get(user) != path for user in users):
            node.outputs[value] = None

    def _node(self, key: object, path: Path, value: Value) -> DrawnNode:
        """Return the node with a key, to which `value` is added."""
        node = self.node[value] = self.nodes.setdefault(key, DrawnNode(path))
        node.values.append(value)
        return node

    def _path(self, value: Value) -> Path:
        return self.clusters.path.get(value, ())

    def _key(self, value: Value, operands: list[DrawnNode | Value]) -> object:
        """Return a key that is equal for values to draw as one node."""
        is_input = value.label and (value.is_constant or INPUT.fullmatch(value.label))
        if not (self.merge_equal and (value.parents or is_input)):
            return value
        ids = tuple(id(x) if isinstance(x, DrawnNode) else None for x in operands)
        return value.op, value.label, self._path(value), ids

    def _operands(self, x: Value, user: Value) -> Sequence[DrawnNode | Value]:
        """Return the nodes of an operand, those of its terms for a partial sum, or a plain number itself."""
        if x in self.numbers:
            return [x]
        if x in self.bias_units:
            path = self.clusters.layer(user)
            return [self._node(("bias unit", path), path, x)]
        return self.terms.get(x) or [self.node[x]]

    def _operand_nodes(self, value: Value, operands: list[DrawnNode | Value], key: object) -> list[DrawnNode]:
        """Return the operands, with a node in place of each plain number."""
        path = self._path(value)
        return [self._node(("number", key, i), path, x) if isinstance(x, Value) else x for i, x in enumerate(operands)]

    def _is_partial_sum(self, value: Value) -> bool:
        """Return whether a value is only a step in the computation of a longer sum."""
        is_merged_sum = self.merge_equal and value.op == "+" and not value.label
        return is_merged_sum and [user.op for user in self.clusters.users[value]] == ["+"]


def _merge_inputs(nodes: list[DrawnNode]) -> list[DrawnNode]:
    """Return the nodes with one node in place of many inputs that have the same users."""
    users: dict[DrawnNode, list[int]] = {node: [] for node in nodes}
    for i, node in enumerate(nodes):
        for operand in node.operands:
            users[operand].append(i)
    groups: dict[tuple[int, ...], list[DrawnNode]] = defaultdict(list)
    for node in nodes:
        if not node.operands and not node.is_folded and re.fullmatch(r"x\d+", node.values[0].label):
            groups[tuple(users[node])].append(node)
    merged: dict[DrawnNode, DrawnNode] = {}
    for group in groups.values():
        if len(group) > MAX_INPUTS:
            inputs = DrawnNode((), f"{len(group)} inputs", [value for node in group for value in node.values])
            inputs.outputs = dict.fromkeys(node.values[0] for node in group)
            merged |= dict.fromkeys(group, inputs)
    for node in nodes:
        if not merged.keys().isdisjoint(node.operands):
            node.operands = list(dict.fromkeys(merged.get(x, x) for x in node.operands))
    return list(dict.fromkeys(merged.get(node, node) for node in nodes))
