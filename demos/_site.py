"""The site: lessons with their pictures and live pages, and the documentation, in a folder for any server."""

from __future__ import annotations

import html
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
PACKAGES = ("engine", "nn", "viz")
WITHOUT = ("!engine.micrograd", "!nn.micrograd")  # whose import gives every Value more names
GUIDES = {
    "The lecture page by page": "demos/README.md",
    "How the engine works": "engine/README.md",
    "How the compiler works": "engine/compiler/README.md",
    "How the live pages work": "viz/pages/README.md",
    "Numerical conventions": "engine/numerics.md",
}
LINKS = """<h1>glassgrad</h1>
<h2>Lessons</h2>
<p><a href="gallery.html">All lessons, with their pictures and live pages</a></p>
<h2>How it works</h2>
<ul>
{guides}</ul>
<h2>Documentation of every function</h2>
<ul>
{packages}</ul>
"""


def write_documentation(folder: Path) -> Path:
    """Write the guides, the documentation of the packages and index.html into a folder, and return index.html.

    Raises:
        ModuleNotFoundError: a package of the extra `site` is missing.
    """
    import pdoc
    import pdoc.render

    pdoc.render.configure(docformat="google", show_source=False)
    with warnings.catch_warnings(action="ignore"):  # of types that only a type checker imports
        pdoc.pdoc(*PACKAGES, *WITHOUT, output_directory=folder / "api")
    guides = {title: _write_guide(title, ROOT / name, folder) for title, name in GUIDES.items()}
    packages = {name: f"api/{name}.html" for name in PACKAGES}
    links = LINKS.format(guides=_list(guides.items()), packages=_list(packages.items()))
    return _write_page("glassgrad", links, folder / "index.html")


def _list(links: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<li><a href="{target}">{html.escape(title)}</a></li>\n' for title, target in links)


def _write_guide(title: str, source: Path, folder: Path) -> str:
    """Write a file of Markdown as a page, with its formulas as MathML, and return the name of the page.

    Links to other files, which the site does not have, become plain text.
    """
    from latex2mathml.converter import convert
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(latex: str, options: Mapping[str, Any]) -> str:
        return convert(latex, display="block" if options["display_mode"] else "inline")

    parser = MarkdownIt().enable("table").use(dollarmath_plugin, renderer=formula)
    tokens = parser.parse(source.read_text(encoding="utf-8"))
    for token in tokens:
        _remove_links_to_files(token.children or [])
    name = f"{source.relative_to(ROOT).with_suffix('').as_posix().replace('/', '-').lower()}.html"
    _write_page(title, parser.renderer.render(tokens, parser.options, {}), folder / name)
    return name


def _remove_links_to_files(tokens: list[Token]) -> None:
    is_inside = False
    for token in tokens:
        if token.type == "link_open" and not str(token.attrs["href"]).startswith("http"):
            token.tag, token.attrs, is_inside = "span", {}, True
        elif token.type == "link_close" and is_inside:
            token.tag, is_inside = "span", False
        elif token.type == "image":
            token.type = "text"


def _write_page(title: str, content: str, path: Path) -> Path:
    page = Template(Path(__file__).with_name("_site.html").read_text(encoding="utf-8"))
    path.write_text(page.substitute(title=html.escape(title), content=content), encoding="utf-8")
    return path
