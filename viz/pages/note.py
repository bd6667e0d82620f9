"""The teacher's note beside the drawing of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from engine.formatting import printable
from engine.validation import describe


class _NoteRenderer(RendererHTML):
    """Write links so that they open in a new tab."""

    def link_open(self, tokens: Sequence[Token], i: int, options: OptionsDict, env: EnvType) -> str:
        """Write the beginning of a link."""
        tokens[i].attrSet("target", "_blank")
        tokens[i].attrSet("rel", "noopener noreferrer")
        return self.renderToken(tokens, i, options, env)


def note_markup(text: Any) -> str:
    r"""Return a note in Markdown as HTML.

    HTML in the note is shown as text, and a surrogate, which a file cannot hold, as its code. Only http and https links
    work. Images become links, since a page loads nothing.

    Args:
        text: the note, in CommonMark.

    Raises:
        TypeError: `text` is not a string.

    >>> note_markup("Which leaf matters **most**?")
    '<p>Which leaf matters <strong>most</strong>?</p>\n'
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {describe(text)}")
    markdown = MarkdownIt("commonmark", {"html": False}, renderer_cls=_NoteRenderer).disable("image")
    markdown.validateLink = lambda url: url.lower().startswith(("http://", "https://"))  # type: ignore[method-assign]
    html: str = markdown.render(re.sub("[\ud800-\udfff]", lambda surrogate: printable(surrogate[0]), text))
    return html
