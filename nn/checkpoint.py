"""Models on disk: JSON that a person can read, exact to the last bit."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any, TypeVar

from engine.validation import describe
from nn.module import Module

FORMAT = "glassgrad model 1"

AnyModule = TypeVar("AnyModule", bound=Module)


def save(model: Module, path: str | os.PathLike[str]) -> None:
    """Write the parameters of a model to a file, whole or not at all: what breaks off leaves the old file.

    Args:
        model: its parameters are written by name, each with as many digits as tell it from every other float.
        path: a name that ends in .json, by custom.

    Raises:
        OSError: the file cannot be written.
        TypeError: `model` is no Module.

    >>> import tempfile
    >>> from nn import Perceptron
    >>> path = Path(tempfile.mkdtemp(), "line.json")
    >>> save(Perceptron(1, "linear", init=[0.1, 2.0]), path)
    >>> print(path.read_text())
    {
      "format": "glassgrad model 1",
      "model": "Perceptron(1, 'linear')",
      "sha256": "4360583a389c510f2ecafa9d1bbcace9ba1574f4a576dbe7c0406b56f42ce481",
      "parameters": {
        "w0": 0.1,
        "w1": 2.0
      }
    }
    <BLANKLINE>
    >>> load(Perceptron(1, "linear"), path).state_dict()
    {'w0': 0.1, 'w1': 2.0}
    """
    if not isinstance(model, Module):
        raise TypeError(f"save takes a Module, got {describe(model)}")
    content = {"model": repr(model), "parameters": model.state_dict()}
    text = json.dumps(
        {"format": FORMAT, "model": content["model"], "sha256": _digest(content), "parameters": content["parameters"]},
        indent=2,
    )
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename, error.filename2 = os.fspath(path), None  # the file that the user knows
        raise


def load(model: AnyModule, path: str | os.PathLike[str]) -> AnyModule:
    """Read the parameters that `save` wrote into a model of the same making, and give it back.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or it is of another model; this one is then as it was.
        TypeError: `model` is no Module.
    """
    if not isinstance(model, Module):
        raise TypeError(f"load takes a Module to load into, got {describe(model)}")
    try:
        content = json.loads(Path(os.fsdecode(path)).read_bytes().decode(), object_pairs_hook=_once)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ValueError(f"it is no {FORMAT}")
        digest = content.pop("sha256", "")
        if content.keys() != {"model", "parameters"}:
            raise ValueError(f"a {FORMAT} has a model and parameters; beside them it has {', '.join(content)}")
        if digest not in ("", _digest(content)):
            raise ValueError("its content is not what its sha256 says; if you changed it by hand, delete that line")
        if content["model"] != repr(model):
            raise ValueError(f"it is of {content['model']}, not of {model!r}")
        model.load_state_dict(content["parameters"])
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)} does not load: {error}") from None
    return model


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _once(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    """The entries of a JSON object, each name there once."""
    if len(dict(entries)) < len(entries):
        raise ValueError("a name stands twice in it")
    return dict(entries)
