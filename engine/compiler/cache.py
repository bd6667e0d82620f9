"""Modules of generated text, with their machine code on disk, so that numba compiles them once per machine."""

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


def load_cached_module(text: str, dependencies: Iterable[ModuleType]) -> ModuleType:
    """Import `text` as a module; its name is a hash of numba's version, of `dependencies` and of the text itself.

    Args:
        text: the source of the module.
        dependencies: the modules of this package that it imports.
    """
    key = "\n".join([numba.__version__, *map(inspect.getsource, dependencies), text])
    name = f"kernels_{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    path = _cache_folder() / f"{name}.py"
    if not path.exists():
        temporary = path.with_name(f"{secrets.token_hex(8)}.tmp")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    watched = (sys.stderr and sys.stderr.isatty()) or "ipykernel" in sys.modules
    if watched and not list(path.parent.glob(f"__pycache__/{name}.*.nbi")):
        print("glassgrad compiles its kernels once for this machine; this takes about 20 seconds ...", file=sys.stderr)
    spec: Any = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # where numba looks for it
    spec.loader.exec_module(module)
    return module


def _cache_folder() -> Path:
    """Return the user's cache folder, or a temporary one if that is not writeable."""
    folder: Path = platformdirs.user_cache_path("glassgrad")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="glassgrad-"))
