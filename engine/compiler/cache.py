"""The cache of machine code on disk: a module is compiled once per machine."""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import llvmlite
import numpy as np
import numpy.typing as npt
import platformdirs
from llvmlite import binding as llvm

MAX_MODULES = 64  # the most modules that a process compiles: LLVM never frees about 0.2 MB of each
MAX_DAYS = 30  # until machine code that is not used is deleted
DIGEST = hashlib.sha256().digest_size  # bytes at the beginning of a file

_compiled = count()  # the number of modules compiled so far


class MachineCode:
    """The machine code of a module of LLVM IR, which is freed with this object."""

    def __init__(self, code: bytes) -> None:
        self._functions: dict[str, Any] = {}
        # The empty module is in LLVM's global context: one of its own would be freed before the engine that uses it.
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def call(self, name: str, words: npt.NDArray[np.int64]) -> int:
        """Call a packed function (`python_to_llvm.translate`) and return its result."""
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(self.address(name))
        memory: Any = words
        result: int = function(ctypes.addressof(ctypes.c_char.from_buffer(memory)))  # faster than words.ctypes.data
        return result

    def address(self, name: str) -> int:
        """Return the address of a function."""
        address: int = self._engine.get_function_address(name)
        return address


def load_machine_code(key: str, emit: Callable[[], str]) -> MachineCode:
    """Return machine code from the cache, or compile it.

    Args:
        key: a text that determines the machine code on this processor, with this version of LLVM.
        emit: a function that returns the LLVM IR.
    """
    processor = llvm.get_host_cpu_name(), _features(), llvm.get_default_triple(), llvmlite.__version__
    folder, name = _cache_folder(), f"kernels_{hashlib.sha256(repr((processor, key)).encode()).hexdigest()[:32]}"
    code = _read(folder / name) if folder else None
    if code is None:
        code = _compile(emit())
        if folder:
            _write(folder / name, code)
    return MachineCode(code)


def _compile(text: str) -> bytes:
    """Compile LLVM IR; after `MAX_MODULES` modules in a separate process, whose end frees all memory."""
    if next(_compiled) < MAX_MODULES or not sys.executable:
        return _compile_here(text)
    command = [sys.executable, "-P", __file__]  # -P: without this folder on the path of modules
    return subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout


def _compile_here(text: str) -> bytes:
    module, machine = llvm.parse_assembly(text, llvm.create_context()), _target_machine()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization, options.loop_unrolling = True, False  # without copies of loops it takes 0.8 of the time
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code


@cache
def _initialize() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    if os.name == "nt":  # where LLVM does not look for the functions of the C library by itself
        for library in ("ucrtbase.dll", "vcruntime140.dll"):
            llvm.load_library_permanently(library)


def _target_machine() -> Any:
    _initialize()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(llvm.get_host_cpu_name(), _features(), opt=3, jit=True)


@cache
def _features() -> str:
    try:
        features: str = llvm.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM does not know this processor
        return ""
    return f"{features},-prefer-256-bit" if "+avx512f" in features else features  # a block of lanes in one vector


def _read(path: Path) -> bytes | None:
    """Return the content of a file without its digest; None if there is no file or it cannot be trusted."""
    try:
        with path.open("rb") as file:
            foreign = hasattr(os, "geteuid") and os.fstat(file.fileno()).st_uid != os.geteuid()
            content = file.read()
    except OSError:
        return None
    if foreign or content[:DIGEST] != _digest(path, content[DIGEST:]):
        if sys.stderr:
            print(f"glassgrad compiles some kernels again, because {path} was damaged", file=sys.stderr)
        with suppress(OSError):
            path.unlink()
        return None
    with suppress(OSError):
        os.utime(path)
    return content[DIGEST:]


def _write(path: Path, code: bytes) -> None:
    """Write a file, and delete files that were not used for `MAX_DAYS` days."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with suppress(OSError):  # without the file the next process compiles again
        temporary.write_bytes(_digest(path, code) + code)
        os.replace(temporary, path)
    for old in path.parent.rglob("kernels_*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > MAX_DAYS * 24 * 3600:
                old.unlink()


def _digest(path: Path, code: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + code).digest()


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


if __name__ == "__main__":
    sys.stdout.buffer.write(_compile_here(sys.stdin.read()))
