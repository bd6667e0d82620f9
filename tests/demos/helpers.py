"""Helpers for the tests of the demos."""

import contextlib
import importlib
import io
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*arguments, cwd):
    """Run `python -m` in a folder, as a user does."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60
    )


@cache
def run_once(name, *arguments):
    """Run a lesson in this process without saving its pictures; return its text, and its pictures by file name."""
    module, pictures = importlib.import_module(f"demos.{name}"), {}
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as text:
        patch.setattr(module, "save", lambda picture, folder, name: pictures.update({name: picture}))
        module.main([*arguments, "--output", tempfile.mkdtemp()])
    return text.getvalue(), pictures
