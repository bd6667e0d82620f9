"""What tests of pages share: graphs, the data of a page, and its state in the browser."""

import json
import re

import nn
from engine import Value, topological_order

# JavaScript for the state of a page: its lines, the ids that are lit, the texts and aria-labels by id.
PAGE_STATE = """() => ({
    title: document.querySelector("#page-lines h2").textContent,
    lines: [...document.querySelectorAll("#page-lines p:not(.formula, .head, [hidden])")].map((p) => p.textContent),
    lit: [...document.querySelectorAll("#page-stage .lit")].map((element) => element.id),
    now: [...document.querySelectorAll("#page-stage .now")].map((element) => element.id),
    aria_labels: Object.fromEntries(
        [...document.querySelectorAll("#page-stage .node[aria-label]")].map((node) => [node.id, node.ariaLabel])
    ),
    texts: Object.fromEntries(
        [...document.querySelectorAll("#page-stage text[id]")].map((text) => [text.id, text.textContent])
    ),
})"""


def example(c=7.0):
    """Return L = tanh(a*b + c), whose nodes are n0 to n5."""
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(c, "c")
    root = (a * b + c).tanh()
    root.label = "L"
    return root


def loss_of_a_network():
    error = (nn.MLP(2, [3, 1], seed=1)([0.5, -1.0]) - 1.0) ** 2
    error.label = "E"
    return error


def chain(size):
    """Return a graph of `size` nodes that forks and meets again."""
    nodes = [Value(0.5, "x"), Value(-0.25, "y")]
    while len(nodes) < size:
        nodes.append((nodes[-1] * nodes[-2]).tanh() if len(nodes) % 3 else nodes[-1] + nodes[-3 % len(nodes)])
        nodes = topological_order(nodes[-1])
    return nodes[-1]


def data_of(path):
    """Return the data in the file of a page."""
    data = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', path.read_text(encoding="utf-8"), re.S)
    return json.loads(data[1])


def title(tab):
    return tab.locator("#page-lines h2").text_content()


def states_of_all_steps(tab):
    """Return the state of a page at every step, going from the first to the last by the right arrow key."""
    tab.keyboard.press("Home")
    shown = [tab.evaluate(PAGE_STATE)]
    while tab.get_attribute("#page-next", "aria-disabled") != "true":
        tab.keyboard.press("ArrowRight")
        shown.append(tab.evaluate(PAGE_STATE))
    return shown


def bounding_box(tab, selector):
    return tab.locator(selector).bounding_box()
