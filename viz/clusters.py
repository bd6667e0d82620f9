"""What belongs together in the graph of a model: boxes of layers and neurons, and nodes that are alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from engine import Value

Path = tuple[str, ...]  # the boxes around a node, the outermost first

DOTTED = re.compile(r"(?:[^\W\d]\w*\.)+\w[\w,]*")  # layer1.w12, but neither 3.14 nor a sentence
SIGNAL = re.compile(r"[a-z](\d+)")  # the sum a1, the output z1
WEIGHT = re.compile(r"[a-z](\d)\d|[a-z](\d+),\d+")  # w12; where an index has two digits w1,12
INPUT = re.compile(r"[xr]\d*")
MOST_INPUTS = 8  # leaves with the same receivers that are still drawn one by one beside folded boxes


@dataclass(eq=False, slots=True)
class Item:
    """One thing to draw: a node, nodes that are alike, or a folded box."""

    path: Path
    name: str = ""  # of a folded box
    nodes: list[Value] = field(default_factory=list)
    folded: bool = False
    operands: list[Item] = field(default_factory=list)
    inputs: dict[Value, None] = field(default_factory=dict)  # of a folded box: what comes from outside
    outputs: dict[Value, None] = field(default_factory=dict)  # and what is used there

    @property
    def is_constant(self) -> bool:
        return not self.folded and self.nodes[0].is_constant


class Boxes:
    """The boxes in a graph, by its dotted labels.

    `layer1.w12` lies in the box `layer1`, and there, where sums or outputs have numbers (`layer1.a1`, `layer1.z1`), in
    that of neuron 1. What has no label lies where all who use it lie, if some of its operands do. No box has
    but one node.

    >>> from engine import Value, topological_order
    >>> w, x = Value(2.0, "layer1.w11"), Value(3.0, "x1")
    >>> z = w * x
    >>> z.label = "layer1.z1"
    >>> boxes = Boxes(topological_order(z))
    >>> boxes.path[w], boxes.name(w), boxes.path[x]
    (('layer1', 'neuron 1'), 'w11', ())
    """

    def __init__(self, order: list[Value]) -> None:
        self.order = order
        self.path: dict[Value, Path] = {}
        self._dots: dict[Value, list[str]] = {
            node: node.label.split(".") for node in order if "." in node.label and DOTTED.fullmatch(node.label)
        }
        if not self._dots:
            return
        layers = self._layers()
        for node, (*prefix, name) in self._dots.items():
            found = (WEIGHT, SIGNAL)[bool(node.parents)].fullmatch(name) if tuple(prefix) in layers else None
            number = next(filter(None, found.groups()), None) if found else None
            self.path[node] = (*prefix, f"neuron {number}") if number else tuple(prefix)
        self._place_the_nameless()
        sizes = Counter(path[:i] for path in self.path.values() for i in range(1, len(path) + 1))
        for node, path in self.path.items():
            self.path[node] = tuple(part for i, part in enumerate(path) if sizes[path[: i + 1]] > 1)

    @cached_property
    def users(self) -> dict[Value, list[Value]]:
        """What each node is an operand of."""
        users: dict[Value, list[Value]] = {node: [] for node in self.order}
        for node in self.order:
            for operand in dict.fromkeys(node.parents):
                users[operand].append(node)
        return users

    @property
    def depth(self) -> int:
        """How deep boxes lie in boxes; 0 where there is none."""
        return max(map(len, self.path.values()), default=0)

    def name(self, node: Value) -> str:
        """What its label says beyond the boxes around it."""
        dots = self._dots.get(node)
        return ".".join(dots[min(len(self.path[node]), len(dots) - 1) :]) if dots else node.label

    def layer(self, node: Value) -> Path:
        """The box around the neuron that a node belongs to."""
        path = self.path.get(node, ())
        return path[:-1] if path and path[-1].startswith("neuron ") else path

    def _layers(self) -> set[Path]:
        """The prefixes that stand for more than one neuron."""
        names: dict[Path, list[tuple[str, bool]]] = {}
        for node, (*prefix, name) in self._dots.items():
            names.setdefault(tuple(prefix), []).append((name, bool(node.parents)))
        layers = set()
        for path, labels in names.items():
            signals = [name for name, inner in labels if inner]
            weights = [name for name, inner in labels if not inner]
            if any(map(SIGNAL.fullmatch, signals)) or (not signals and all(map(WEIGHT.fullmatch, weights))):
                layers.add(path)
        return layers

    def _place_the_nameless(self) -> None:
        for node in reversed(self.order):
            if node not in self.path:
                self.path[node] = () if node.label else self._of_users(node)
        for node in self.order:
            path = self.path[node]
            if path and node.parents and not node.label:
                inside = any(self.path[x][: len(path)] == path for x in node.parents if not x.is_constant)
                self.path[node] = path if inside else ()
        for node in self.order:
            if node.is_constant and not node.label:
                self.path[node] = self._of_users(node)

    def _of_users(self, node: Value) -> Path:
        return _common(self.path[user] for user in self.users[node])


def fold_graph(boxes: Boxes, *, depth: int | None = None, alike: bool = False) -> list[Item]:
    """What to draw of a graph, in topological order as far as folding leaves one.

    Args:
        boxes: those of the graph.
        depth: fold the boxes around which there are so many; None folds none.
        alike: draw nodes once that have the same operation, label and operands.
    """
    folding = _Folding(boxes, depth, alike)
    for node in boxes.order:
        folding.add(node)
    found = list(folding.items.values())
    return found if depth is None else _inputs_folded(found)


class _Folding:
    def __init__(self, boxes: Boxes, depth: int | None, alike: bool) -> None:
        self.boxes, self.alike = boxes, alike
        self.items: dict[object, Item] = {}  # by what makes a node the same as another
        self.item: dict[Value, Item] = {}  # of a node
        self.terms: dict[Value, list[Item]] = {}  # of a partial sum, which is not drawn
        constants = [node for node in boxes.order if node.is_constant]
        # Each of those who use such a constant has it for itself: the x0 = 1 of layers, and plain numbers.
        self.bias_units = {node for node in constants if boxes.path and node.label == "x0"}
        self.numbers = {node for node in constants if alike and not node.label}
        self.folded: dict[Value, Path] = {}  # the path of the box that takes a node in, itself the last
        if depth is not None:
            self.folded = {node: path[: depth + 1] for node, path in boxes.path.items() if len(path) > depth}

    def add(self, node: Value) -> None:
        if node in self.bias_units or node in self.numbers:
            return
        box = self.folded.get(node)
        if box:
            item = self._into(box, node)
        else:
            operands: list[Item | Value] = []  # a Value is a plain number
            for x in node.parents:
                operands += self.terms.get(x) or [self._operand(x, node)]
            if self._is_partial_sum(node):
                self.terms[node] = list(dict.fromkeys(self._numbered(node, operands, node)))
                return
            same = self._same(node, operands)
            drawn = self._numbered(node, operands, same)
            item = self._item(same, self._path(node))
            item.operands = list(dict.fromkeys(drawn)) if self.alike and node.op in ("sum", "+") else drawn
        item.nodes.append(node)
        self.item[node] = item

    def _into(self, box: Path, node: Value) -> Item:
        """The folded box that takes the node in, with what the node needs and what it is needed for."""
        item = self._item(("box", box), box[:-1])
        item.folded, item.name = True, box[-1]
        for x in node.parents:
            if x in self.numbers:
                item.nodes.append(x)
            elif x not in self.bias_units and self.folded.get(x) != box:
                item.inputs[x] = None
                item.operands += [y for y in self.terms.get(x) or [self.item[x]] if y not in item.operands]
        users = self.boxes.users[node]
        if not users or any(self.folded.get(user) != box for user in users):
            item.outputs[node] = None
        return item

    def _item(self, same: object, path: Path) -> Item:
        return self.items.setdefault(same, Item(path))

    def _path(self, node: Value) -> Path:
        return self.boxes.path.get(node, ())

    def _same(self, node: Value, operands: list[Item | Value]) -> object:
        """Equal for nodes that are drawn as one."""
        if not self.alike or not (node.parents or (node.label and (node.is_constant or INPUT.fullmatch(node.label)))):
            return node
        return node.op, node.label, self._path(node), tuple(id(x) if isinstance(x, Item) else None for x in operands)

    def _operand(self, x: Value, user: Value) -> Item | Value:
        if x in self.numbers:
            return x
        if x not in self.bias_units:
            return self.item[x]
        path = self.boxes.layer(user)
        item = self._item(("bias unit", path), path)
        item.nodes.append(x)
        return item

    def _numbered(self, node: Value, operands: list[Item | Value], same: object) -> list[Item]:
        """The operands with items for the plain numbers among them."""
        found = []
        for i, operand in enumerate(operands):
            if isinstance(operand, Value):
                item = self._item(("number", same, i), self._path(node))
                item.nodes.append(operand)
                operand = item
            found.append(operand)
        return found

    def _is_partial_sum(self, node: Value) -> bool:
        """Whether a node is but a step on the way to a longer sum."""
        if not self.alike or node.op != "+" or node.label:
            return False
        users = self.boxes.users[node]
        return len(users) == 1 and users[0].op == "+"


def _inputs_folded(found: list[Item]) -> list[Item]:
    """The same with one item for many inputs that go the same way."""
    users: dict[Item, list[int]] = {item: [] for item in found}
    for i, item in enumerate(found):
        for operand in item.operands:
            users[operand].append(i)
    ways: dict[tuple[int, ...], list[Item]] = {}
    for item in found:
        if not item.operands and not item.folded and re.fullmatch(r"x\d+", item.nodes[0].label):
            ways.setdefault(tuple(users[item]), []).append(item)
    instead: dict[Item, Item] = {}
    for way in ways.values():
        if len(way) > MOST_INPUTS:
            together = Item((), f"{len(way)} inputs", [node for item in way for node in item.nodes], folded=True)
            together.outputs = dict.fromkeys(item.nodes[0] for item in way)
            instead |= dict.fromkeys(way, together)
    for item in found:
        if not instead.keys().isdisjoint(item.operands):
            item.operands = list(dict.fromkeys(instead.get(operand, operand) for operand in item.operands))
    return list(dict.fromkeys(instead.get(item, item) for item in found))


def _common(paths: Iterable[Path]) -> Path:
    """The boxes that all the paths begin with."""
    common: list[str] = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return tuple(common)
