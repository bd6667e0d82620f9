"""The widget of a notebook: Python's side with a real anywidget, the page's side in a browser with its model."""

import json
import math
import re
import sys

import pytest

import nn
import viz
from engine import Value
from viz.pages.html_page import asset

pytest.importorskip("anywidget")

# A notebook as far as a widget sees it: a model with numbers, two views of it, and the messages to Python
NOTEBOOK = """
const handlers = [], model = {
  values: { page: PAGE, height: 600, numbers: {} },
  saved: [],
  get: (name) => model.values[name],
  set: (name, value) => { model.values[name] = value; handlers.forEach((handler) => handler()); },
  save_changes: () => model.saved.push(structuredClone(model.values.numbers)),
  on: (event, handler) => handlers.push(handler),
  off: (event, handler) => handlers.splice(handlers.indexOf(handler), 1),
};
window.model = model;
for (const id of ["one", "two"]) {
  const el = document.createElement("div");
  el.id = id;
  document.body.append(el);
  window.close_last = render({ model, el });
}
null;
"""


@pytest.fixture
def graph():
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    return a, b, (a * b).exp()


def test_a_number_of_the_page_changes_the_leaf_and_the_graph(graph):
    a, b, L = graph
    widget = viz.widget(L)
    widget.numbers = {"0": 0.5}
    assert (a.data, b.data, L.data) == (0.5, -3.0, math.exp(-1.5))
    widget.numbers = {}
    assert (a.data, b.data, L.data) == (2.0, -3.0, math.exp(-6.0)), "reset in the page"
    with pytest.raises(ArithmeticError):
        widget.numbers = {"0": -1000.0}
    assert (a.data, b.data, L.data) == (2.0, -3.0, math.exp(-6.0))
    widget.numbers = {"2": 7.0, "x": 1.0}  # not leaves
    assert L.data == math.exp(-6.0)


def test_a_leaf_that_changes_in_python_goes_to_the_page(graph):
    a, b, L = graph
    widget = viz.widget(L)
    widget.update()
    assert widget.numbers == {}
    a.data, b.data = 3.0, -3.0
    widget.update()
    assert widget.numbers == {"0": 3.0}


def test_a_network_and_its_page_share_the_weights():
    model = nn.MLP(2, [3, 1], seed=1)
    widget = viz.widget(model, [0.5, -1.0], 1.0, loss=nn.mse, learning_rate=0.25)
    page = json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', widget.page, re.DOTALL)[1])
    names = {str(i): node["name"] for i, node in enumerate(page["tape"]["nodes"])}
    for name, weight in model.named_parameters():
        (i,) = [i for i, other in names.items() if other == weight.label]
        widget.numbers = {i: 0.125, "rate": 0.5, "activation1": 0.0}
        assert weight.data == 0.125, name
    nn.train(model, nn.mse, [([0.5, -1.0], 1.0)], epochs=1, seed=1)
    widget.update()
    assert {names[i]: x for i, x in widget.numbers.items() if i in names} == {
        weight.label: weight.data for weight in model.parameters()
    }
    assert widget.numbers["rate"] == 0.5
    with pytest.raises(TypeError, match="must be a Value or a model, got int 3"):
        viz.widget(3)


def test_each_cell_of_a_notebook_updates_the_page(graph, monkeypatch):
    ipython = pytest.importorskip("IPython")
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    monkeypatch.setattr(ipython, "get_ipython", lambda: shell)
    a, _, L = graph
    shell.user_ns["a"], widget = a, viz.widget(L)
    shell.run_cell("a.data = 3")
    assert widget.numbers == {"0": 3.0}


def test_an_exported_notebook_shows_the_page(graph):
    bundle = viz.widget(graph[2], height=321)._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"].startswith("<iframe sandbox")
    assert "321px" in data["text/html"]


def test_without_anywidget_the_error_says_what_installs_it(graph, monkeypatch):
    from viz import live_widget

    monkeypatch.setitem(sys.modules, "anywidget", None)
    live_widget._widget_class.cache_clear()
    with pytest.raises(ImportError, match=r"widget needs anywidget: pip install 'glassgrad\[notebook\]'"):
        viz.widget(graph[2])
    live_widget._widget_class.cache_clear()


def test_the_page_and_the_model_exchange_numbers(graph, browser):
    widget = viz.widget(graph[2])
    tab = browser.new_page()
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    script = asset("widget.js").replace("export default { render };", "")
    tab.evaluate(f"{{ {script} {NOTEBOOK.replace('PAGE', json.dumps(widget.page))} }}")
    one, two = (tab.frame_locator(f"#{name} iframe") for name in ("one", "two"))
    field = one.get_by_label("value of a", exact=True)
    field.fill("0.5")
    field.press("Enter")
    tab.wait_for_function("model.saved.length > 0")
    assert tab.evaluate("model.saved.at(-1)") == {"0": 0.5}
    two.locator("body").evaluate("() => new Promise((resolve) => setTimeout(resolve, 300))")
    assert two.locator("body").evaluate("() => page.moment.data[0]") == 0.5, "every view of the widget"
    tab.evaluate("model.set('numbers', {0: 4, 1: 0.25})")  # as from Python
    one.locator("body").evaluate("() => new Promise((resolve) => setTimeout(resolve, 300))")
    for view in (one, two):
        assert view.locator("body").evaluate("() => [page.moment.data[0], page.moment.data[1]]") == [4, 0.25]
    saved = tab.evaluate("model.saved.length")
    tab.evaluate("model.set('numbers', {0: 1e999, 2: 5, x: 1})")
    one.locator("body").evaluate("() => new Promise((resolve) => setTimeout(resolve, 300))")
    assert one.locator("body").evaluate("() => page.state.numbers") == {}
    tab.evaluate("close_last()")
    assert tab.evaluate("model.saved.length") <= saved + 2, "no messages go round in circles"
    assert complaints == []
    tab.close()
