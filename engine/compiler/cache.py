"""Modules made of text, whose machine code is kept on disk: numba compiles them once a machine."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import secrets
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import platformdirs


def load_cached_module(text: str, uses: Iterable[ModuleType]) -> ModuleType:
    """The module of this text, which uses those modules of ours."""
    made_of = "\n".join([numba.__version__, *map(inspect.getsource, uses), text])
    name = f"kernels_{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
    path = _folder() / f"{name}.py"
    if not path.exists():
        temporary = path.with_name(f"{secrets.token_hex(8)}.tmp")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    watched = (sys.stderr and sys.stderr.isatty()) or "ipykernel" in sys.modules
    if watched and not list(path.parent.glob(f"__pycache__/{name}.*.nbi")):
        print("glassgrad compiles its kernels for this machine, once; it takes about 20 seconds ...", file=sys.stderr)
    spec: Any = importlib.util.spec_from_file_location(name, path)
    made = sys.modules[name] = importlib.util.module_from_spec(spec)  # where numba looks for it
    spec.loader.exec_module(made)
    return made


def _folder() -> Path:
    """Where they are kept: the user's cache, or where there is none, a folder for this time alone."""
    folder: Path = platformdirs.user_cache_path("glassgrad")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="glassgrad-"))
