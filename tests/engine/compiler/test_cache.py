"""The cache of machine code: it belongs to the user alone, and what is damaged in it is compiled again."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")

from engine.compiler import cache
from engine.compiler.python_to_llvm import definitions, pack, translate

ROOT = Path(__file__).parents[3]
TEXT = """
def double(x: int) -> int:
    return 2 * x
"""
PROGRAM = f"""
from engine.compiler.cache import load_machine_code
from engine.compiler.python_to_llvm import definitions, pack, translate
text = {TEXT!r}
code = load_machine_code(text, lambda: translate(definitions(text), packed=["double"]))
print(code.call("double", pack(3)))
"""


@pytest.fixture
def environment(tmp_path):
    return os.environ | {"XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}


def run(environment, program=PROGRAM):
    """Return what a new process prints, and its warnings."""
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True, env=environment
    )
    return process.stdout.strip(), process.stderr


def files(tmp_path):
    return [path for path in (tmp_path / "glassgrad").rglob("*") if path.is_file()]


def test_machine_code_is_kept_and_used(tmp_path, environment):
    assert run(environment) == ("6", "")
    (path,) = files(tmp_path)
    before = path.read_bytes(), path.stat().st_ino
    assert run(environment) == ("6", "")
    assert (path.read_bytes(), path.stat().st_ino) == before


@pytest.mark.parametrize("damage", ["empty", "truncated", "one bit", "foreign name"])
def test_a_damaged_file_is_compiled_again_with_one_message(tmp_path, environment, damage):
    run(environment)
    for path in files(tmp_path):
        content = path.read_bytes()
        if damage == "foreign name":
            other = PROGRAM.replace("2 * x", "5 * x")
            run(environment, other)
            (foreign,) = set(files(tmp_path)) - {path}
            path.write_bytes(foreign.read_bytes())
        elif damage == "one bit":
            path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        else:
            path.write_bytes(content[: len(content) // 2 if damage == "truncated" else 0])
    result, warnings = run(environment)
    assert result == "6"
    assert warnings.count("\n") == 1
    assert str(tmp_path) in warnings
    assert "damaged" in warnings
    assert run(environment) == ("6", ""), "it is healed"


def test_no_text_in_the_folder_is_run(tmp_path, environment):
    run(environment)
    for path in (tmp_path / "glassgrad").rglob("*.py"):
        path.write_text("print('stranger')")
    assert run(environment)[0] == "6"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_folder_is_the_users_alone(tmp_path, environment):
    folder = tmp_path / "glassgrad"
    folder.mkdir(mode=0o755)
    folder.chmod(0o777)
    run(environment)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user")
def test_a_folder_of_another_user_is_not_used(tmp_path, environment):
    folder = tmp_path / "glassgrad"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    assert run(environment)[0] == "6"
    assert files(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user")
def test_a_file_of_another_user_is_not_run(tmp_path, environment):
    run(environment)
    (path,) = files(tmp_path)
    os.chown(path, 12345, 12345)
    result, warnings = run(environment)
    assert result == "6"
    assert "damaged" in warnings
    assert path.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("obstacle", ["a file", "a link"])
def test_where_nothing_can_be_kept_nothing_is_left_behind(tmp_path, environment, obstacle):
    if obstacle == "a file":
        (tmp_path / "glassgrad").write_text("")
    else:
        (tmp_path / "target").mkdir()
        (tmp_path / "glassgrad").symlink_to(tmp_path / "target")
    before = sorted(tmp_path.rglob("*"))
    assert run(environment)[0] == "6"
    assert sorted(tmp_path.rglob("*")) == before


def test_without_a_home_directory(monkeypatch):
    def fail(name):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(cache.platformdirs, "user_cache_path", fail)
    code = cache.load_machine_code(TEXT, lambda: translate(definitions(TEXT), packed=["double"]))
    assert code.call("double", pack(4)) == 8


def test_what_was_not_used_for_a_month_is_deleted(tmp_path, environment):
    run(environment)
    (used,) = files(tmp_path)
    month_ago = time.time() - 31 * 24 * 3600
    old = [tmp_path / "glassgrad" / name for name in ("kernels_1.py", "kernels_2.run.3", "__pycache__/kernels_1.nbc")]
    recent = tmp_path / "glassgrad" / "kernels_3.run.4"
    (tmp_path / "glassgrad" / "__pycache__").mkdir()
    for path in (*old, recent):
        path.write_text("")
    for path in (*old, used):
        os.utime(path, (month_ago, month_ago))
    run(environment)
    assert time.time() - used.stat().st_mtime < 1000, "use renews it"
    run(environment, PROGRAM.replace("2 * x", "5 * x"))
    assert not any(path.exists() for path in old)
    assert used.exists()
    assert recent.exists()


def test_another_process_compiles_the_same(monkeypatch):
    text = translate(definitions(TEXT), packed=["double"])
    ours = cache._compile(text)
    monkeypatch.setattr(cache, "MAX_MODULES", 0)
    monkeypatch.setattr(cache, "_compile_here", None)
    assert cache._compile(text) == ours
