"""The import graph of the packages, read from their source: `python -m tests.import_graph [--root DIR] [--svg FILE]`.

An edge is an import that runs: at module level or inside a function, but not under `if TYPE_CHECKING:`. Python imports
the packages around a module before it; these are edges too, except to packages around the importing module. Imports by
a computed name, such as those of the lessons by `demos.__main__`, are not seen.
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("demos", "viz", "nn", "engine")  # each may import those after it
ROOT = Path(__file__).parents[1]

Graph = dict[str, set[str]]  # for each module the modules that it imports


def import_graph(root: Path = ROOT) -> Graph:
    """Return for each module of the packages in the folder `root` the modules of these packages that it imports."""
    files = {}
    for file in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        *folders, name = file.relative_to(root).with_suffix("").parts
        files[".".join(folders if name == "__init__" else [*folders, name])] = file
    graph: Graph = {}
    for module, file in files.items():
        names = _imported_names(file, module)
        targets = {_imported_module(name, files) for name in names}
        around = {package for name in targets for package in _packages(name)} - set(_packages(module))
        graph[module] = ((targets | around) & files.keys()) - {module}
    return graph


def _imported_names(file: Path, module: str) -> Iterator[str]:
    """Yield the dotted name of each module, or name in a module, that a file imports."""
    package = module.split(".") if file.stem == "__init__" else module.split(".")[:-1]
    nodes: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*start, *filter(None, [node.module])])
            yield from (f"{source}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            nodes += node.orelse
        else:
            nodes += ast.iter_child_nodes(node)


def _imported_module(name: str, modules: dict[str, Path]) -> str:
    """Return the module that a dotted name is or lies in, "" if that is not one of `modules`."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def _packages(module: str) -> list[str]:
    """Return the packages around a module: a and a.b for a.b.c."""
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def reachable(graph: Graph, start: str) -> set[str]:
    """Return all modules that `start` imports, directly or through others."""
    reached: set[str] = set()
    stack = [start]
    while stack:
        new = graph[stack.pop()] - reached
        reached |= new
        stack += new
    return reached


def cycles(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or through others."""
    reach = {module: reachable(graph, module) for module in graph}
    groups = {frozenset(x for x in reach[module] if module in reach[x]) for module in graph}
    return sorted(sorted(group) for group in groups if group)


def upward_imports(graph: Graph) -> list[tuple[str, str]]:
    """Return the imports (from, to) of a package further up in `PACKAGES`."""
    layer = {module: PACKAGES.index(module.split(".")[0]) for module in graph}
    return sorted((x, y) for x, imported in graph.items() for y in imported if layer[y] < layer[x])


def draw(graph: Graph, file: Path) -> None:
    """Draw the graph as an SVG: a box per package, its inner imports, and the number of imports of other packages.

    Imports that are part of a cycle are red, and so are upward imports.
    """
    from viz import Drawing

    drawing = Drawing(graph_attr={"compound": "true"}, node_attr={"shape": "box", "fontname": "Helvetica"})
    package_of = {module: module.split(".")[0] for module in graph}
    for package in PACKAGES:
        box = {"label": package, "fontname": "Helvetica", "fontsize": "20", "style": "filled", "fillcolor": "#f3f3f3"}
        cluster = Drawing(name=f"cluster {package}", graph_attr=box)
        for module in graph:
            if package_of[module] == package:
                cluster.node(module, style="filled", fillcolor="white")
        drawing.subgraph(cluster)
    groups = cycles(graph)
    across: Counter[tuple[str, str]] = Counter()
    for module, imported in graph.items():
        for other in sorted(imported):
            if package_of[module] != package_of[other]:
                across[package_of[module], package_of[other]] += 1
            else:
                in_cycle = any({module, other} <= set(group) for group in groups)
                drawing.edge(module, other, color="red" if in_cycle else "#888888")
    for (package, other), n in across.items():
        upward = PACKAGES.index(other) < PACKAGES.index(package)
        drawing.edge(package, other, ltail=f"cluster {package}", lhead=f"cluster {other}", penwidth="3", label=f" {n}",
                     fontname="Helvetica", fontsize="20", color="red" if upward else "#444444")  # fmt: skip
    drawing.render(outfile=file, cleanup=True)


def main() -> None:
    """Print the import graph, its cycles and its upward imports, and draw it if asked to."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.import_graph", description="the import graph of the packages"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder with the packages; default: this checkout")
    parser.add_argument("--svg", type=Path, help="the file to draw the graph to")
    options = parser.parse_args()
    graph = import_graph(options.root)
    for package in PACKAGES:
        modules = [module for module in graph if module.split(".")[0] == package]
        print(f"{package}: {len(modules)} modules")
        for module in modules:
            print(f"    {module}: {', '.join(sorted(graph[module])) or '-'}")
    groups, upward = cycles(graph), upward_imports(graph)
    print(f"cycles: {len(groups)}", *(f"    {', '.join(group)}" for group in groups), sep="\n")
    print(f"upward imports: {len(upward)}", *(f"    {x} -> {y}" for x, y in upward), sep="\n")
    if options.svg:
        draw(graph, options.svg)


if __name__ == "__main__":
    main()
