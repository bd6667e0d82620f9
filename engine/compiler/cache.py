"""Generated modules whose machine code is kept on disk, so that numba compiles them once per machine."""

from __future__ import annotations

import hashlib
import inspect
import os
import pickle
import secrets
import stat
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import numba
import platformdirs
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

DAYS = 30  # machine code that was not used for as long is deleted
DIGEST = hashlib.sha256().digest_size  # bytes at the beginning of a file


def load_cached_module(text: str, dependencies: Iterable[ModuleType], entries: Iterable[str]) -> ModuleType:
    """Run `text` as a module; its name is a hash of the versions of numba and Python, of `dependencies` and of `text`.

    Args:
        text: the source of the module.
        dependencies: the modules of this package that it imports.
        entries: the functions, compiled by numba, whose machine code is kept on disk.
    """
    versions = numba.__version__, llvmlite.__version__, sys.implementation.cache_tag
    key = "\n".join([*versions, *map(inspect.getsource, dependencies), text])
    name = f"kernels_{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    folder = _cache_folder()
    watched = (sys.stderr and sys.stderr.isatty()) or "ipykernel" in sys.modules
    if watched and folder is None:
        _warn("glassgrad compiles its kernels, which takes about 20 seconds; no cache folder is there to keep them")
    elif watched and folder and not list(folder.glob(f"{name}.*")):
        _warn("glassgrad compiles its kernels once for this machine; this takes about 20 seconds ...")
    module = ModuleType(name)
    sys.modules[name] = ModuleType(name)  # numba looks for the name only, and the module itself can be freed
    exec(compile(text, f"<{name}>", "exec"), vars(module))
    if folder:
        for entry in entries:
            getattr(module, entry)._cache = _MachineCode(folder, f"{name}.{entry}")
    return module


class _MachineCode:
    """The machine code of one function on disk, as numba's dispatchers use it: a file for every signature.

    A file begins with a digest of its name and of the rest, and no file is unpickled whose digest differs.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the compiled function, or None if it is not on disk."""
        target.refresh()
        path = self._path(signature, target.codegen())
        try:
            with path.open("rb") as file:
                foreign = hasattr(os, "geteuid") and os.fstat(file.fileno()).st_uid != os.geteuid()
                content = file.read()
        except OSError:
            return None
        with suppress(Exception):  # a damaged file may raise any error
            if not foreign and content[:DIGEST] == _digest(path, content[DIGEST:]):
                result = CompileResult._rebuild(target, *pickle.loads(content[DIGEST:]))
                with suppress(OSError):
                    os.utime(path)
                return result
        _warn(f"glassgrad compiles its kernels again, because {path} was damaged; this takes about 20 seconds ...")
        with suppress(OSError):
            path.unlink()
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Write a compiled function, and delete what was not used for a long time."""
        path = self._path(signature, result.codegen)
        payload = dumps(result._reduce())
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with suppress(OSError):  # without the file the next process compiles again
            temporary.write_bytes(_digest(path, payload) + payload)
            os.replace(temporary, path)
        for old in self.folder.rglob("kernels_*"):
            with suppress(OSError):
                if time.time() - old.stat().st_mtime > DAYS * 24 * 3600:
                    old.unlink()

    def _path(self, signature: Any, codegen: Any) -> Path:
        processor = hashlib.sha256(repr((signature, codegen.magic_tuple())).encode()).hexdigest()[:16]
        return self.folder / f"{self.name}.{processor}"


def _digest(path: Path, payload: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + payload).digest()


def _warn(message: str) -> None:
    if sys.stderr:
        print(message, file=sys.stderr)


def _cache_folder() -> Path | None:
    """Return the user's cache folder, which nobody else can read or write; None if there is no such folder."""
    try:
        folder: Path = platformdirs.user_cache_path("glassgrad")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or (hasattr(os, "geteuid") and status.st_uid != os.geteuid()):
            return None
        folder.chmod(0o700)
        return folder if os.access(folder, os.W_OK) else None
    except (OSError, RuntimeError):  # RuntimeError: the user has no home directory
        return None
