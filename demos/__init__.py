"""Lessons: `glassgrad` lists them, `glassgrad NAME` runs one; in a checkout, `python -m demos` instead."""

from importlib.util import find_spec
from pathlib import Path

for _name in ("engine", "nn", "viz"):  # a file of the user may hide a package
    _origin = getattr(find_spec(_name), "origin", None)
    if Path(str(_origin)).parent.parent != Path(__file__).parent.parent:
        raise ImportError(f"`import {_name}` must find a package of glassgrad, got {_origin}: rename it")
