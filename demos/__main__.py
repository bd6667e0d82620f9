"""List the demos."""

import ast
import pkgutil
from pathlib import Path

import demos

print("The demos, each run by: python -m demos.NAME (--help tells its options)\n")
for module in pkgutil.iter_modules(demos.__path__):
    if not module.name.startswith("_"):
        source = Path(demos.__path__[0], f"{module.name}.py").read_text(encoding="utf-8")
        summary = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
        print(f"  {module.name:17} {summary}")
