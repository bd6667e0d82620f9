"""The engine's sentences about operations that have no value, with slots for the numbers of a page."""

from __future__ import annotations

from collections.abc import Iterable

from engine import Value
from engine.custom import CUSTOM_RULES
from engine.errors import gradient_overflow, no_value, numbers_of, place, tangent_overflow, undefined_derivative
from engine.labels import short_expression, summarize_operands, unparse
from engine.restore import restored
from viz.pages.tape import Tape
from viz.pages.words import SlotNumbers


def error_words(tape: Tape, nodes: Iterable[Value] | None = None, *, tangents: bool = False) -> dict[str, str]:
    """Return the sentences of the engine about operations that have no value, as templates with slots.

    The id of a template is `error-N-KIND`, with the number of a node and the kind of a `Trouble` of the script. An
    operation on lists is blamed on the operand that is largest when it fails: an element with `data-largest="N"` shows
    the template `largest-X`, where X is the largest operand of node N. The script writes that of a leaf with a label.

    Args:
        tape: the graph.
        nodes: the nodes to write sentences for; by default all.
        tangents: whether tangents may overflow, instead of gradients.

    >>> x = Value(2.0, "x")
    >>> print(error_words(Tape(x.log()))["error-1-domain"])
    log(x) has no value at x = <span data-slot="data 0"></span>: it needs x &gt; 0
    """
    words: dict[str, str] = {}
    users: dict[Value, list[Value]] = {node: [] for node in tape.order}
    for node in tape.order:
        for x in dict.fromkeys(node.parents):
            users[x].append(node)
    with restored(tape.order):
        slots = SlotNumbers()
        for i, node in enumerate(tape.order):
            if not node.is_constant:
                node._data = slots.of(f"data {i}")
        for node in tape.order if nodes is None else nodes:
            i = tape.index[node]
            errors: dict[str, Exception] = {}
            if node.parents:
                errors["overflow"] = no_value(node, OverflowError())
                is_custom = node.op in CUSTOM_RULES
                if node._rule.domain or is_custom:
                    errors["domain"] = no_value(node, ValueError())
                    for x in dict.fromkeys(x for x in node.parents if not x.is_constant):
                        errors[f"derivative-{tape.index[x]}"] = undefined_derivative(node, x)
                if node.op == "/" or is_custom:
                    errors["zero"] = no_value(node, ZeroDivisionError())
            if tangents and node.parents:
                errors["tangent"] = tangent_overflow(node)
            elif not node.is_constant:
                errors["gradient"] = gradient_overflow(node, users[node], name=unparse(short_expression(node)))
            for kind, error in errors.items():
                sentence = slots.markup(str(error))
                for fold in filter(_is_fold, users[node] if kind == "gradient" else [node]):
                    largest = f'<span data-largest="{tape.index[fold]}"></span>'
                    before, operation, after = sentence.partition(summarize_operands(fold))
                    sentence = before + operation + after.replace(slots.markup(place(fold)), largest, 1)
                words[f"error-{i}-{kind}"] = sentence
        operands = dict.fromkeys(x for fold in filter(_is_fold, tape.order) for x in fold.parents if not _is_named(x))
        words |= {f"largest-{tape.index[x]}": slots.markup(numbers_of([x])) for x in operands}
    return words


def _is_named(node: Value) -> bool:
    return bool(node.label) and not node.parents


def _is_fold(node: Value) -> bool:
    return bool(node._rule.finalize)
