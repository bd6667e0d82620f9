"""Checkpoints: the parameters of a model in a JSON file that people can read, exact to the last bit."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from engine.foreign import usage
from engine.validation import describe
from nn.module import Module

FORMAT = "glassgrad model 1"

AnyModule = TypeVar("AnyModule", bound=Module)


AnyPath: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]


@usage('nn.save(model, "model.json")')
def save(model: Module, path: AnyPath) -> None:
    """Save a model's parameters atomically: an interrupted save leaves the previous file intact.

    Only what is not a file with one name, such as a device, a pipe or a file with hard links, is written in place.

    Args:
        model: its parameters are written by name, each with enough digits to restore it exactly.
        path: the file, by convention with the ending .json.

    Raises:
        OSError: the file cannot be written, or is read-only.
        TypeError: `model` is not a Module, or `path` is not a path.

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
        raise TypeError(f"model must be a Module, got {describe(model)}: write nn.save(model, path)")
    path = os.fspath(path)  # open() takes the number of an open file too
    content = {"format": FORMAT, "model": repr(model), "sha256": "", "parameters": model.state_dict()}
    content["sha256"] = _digest(content)
    text = json.dumps(content, indent=2) + "\n"
    try:
        status = os.stat(path)
    except FileNotFoundError:
        status = None
    if status and not (stat.S_ISREG(status.st_mode) and status.st_nlink == 1):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    if status and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only", path)
    target = Path(os.path.realpath(os.fsdecode(path)))
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if status:
            temporary.chmod(stat.S_IMODE(status.st_mode))
        os.replace(temporary, target)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None  # with the file that the user knows
    finally:
        temporary.unlink(missing_ok=True)


@usage('nn.load(model, "model.json")')
def load(model: AnyModule, path: AnyPath) -> AnyModule:
    """Load the parameters that `save` wrote into a model with the same `repr`, and return the model.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or of another model; `model` has not changed.
        TypeError: `model` is not a Module.
    """
    if not isinstance(model, Module):
        raise TypeError(f"model must be a Module, got {describe(model)}: write nn.load(model, path)")
    try:
        content = json.loads(Path(os.fsdecode(path)).read_bytes().decode(), object_pairs_hook=_unique)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"its format must be {FORMAT!r}")
        if content.keys() - {"sha256"} != {"format", "model", "parameters"}:
            raise ValueError(f"it must have format, model, sha256 and parameters, got {', '.join(content)}")
        if content.get("sha256", "") not in ("", _digest(content)):
            raise ValueError("its content does not match its sha256; if you changed it by hand, delete that line")
        if content["model"] != repr(model):
            raise ValueError(f"its model must be {model!r}, got {content['model']}")
        model.load_state_dict(content["parameters"])
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{os.fsdecode(path)} does not load: {error}") from None
    return model


def _digest(content: dict[str, Any]) -> str:
    signed = {name: content[name] for name in ("model", "parameters")}
    return hashlib.sha256(json.dumps(signed, sort_keys=True).encode()).hexdigest()


def _unique(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the entries of a JSON object as a dict; every name may occur once."""
    if len(dict(entries)) < len(entries):
        raise ValueError("a name occurs twice in it")
    return dict(entries)
