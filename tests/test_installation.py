"""The wheel, installed into an empty environment and used from another folder, and files that hide its packages."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).parents[1]
PACKAGES = ("engine", "nn", "viz", "demos")
LEFT_OUT = ("demos/pictures/", "demos/pages/", "demos/lecture.ipynb")  # what the README and demos/README.md show


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the checkout, which the build would leave files in."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source], check=True)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A function that runs a command of an environment with nothing but the wheel and what it needs, elsewhere."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    variables = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONUTF8": "1"}
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", programs / "python", "install", "-q", "--only-binary=:all:", wheel],
        env=variables, check=True,
    )  # fmt: skip

    def run(command, *arguments, cwd):
        return subprocess.run(
            [programs / command, *arguments], cwd=cwd, env=variables, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.mark.exhaustive
def test_the_wheel_has_every_file_of_the_packages(wheel):
    files = {name for name in zipfile.ZipFile(wheel).namelist() if name.split("/")[0] in PACKAGES}
    tracked = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert files == {name for name in tracked if not name.startswith(LEFT_OUT)}


@pytest.mark.exhaustive
def test_the_index_accepts_the_wheel(wheel):
    pytest.importorskip("twine")
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", wheel], check=True)


@pytest.mark.exhaustive
def test_the_command_runs_lessons_from_any_folder(installed, tmp_path):
    (tmp_path / "engine.py").write_text("", encoding="utf-8")  # does not hide ours from an installed command
    assert installed("glassgrad", "--version", cwd=tmp_path).stdout == f"glassgrad {engine.__version__}\n"
    assert "glassgrad all --output PATH" in installed("glassgrad", cwd=tmp_path).stdout
    lesson = installed("glassgrad", "backprop", "tanh(a*b + c)", "a=2", "b=-3", "c=7", cwd=tmp_path)
    assert (lesson.returncode, lesson.stderr) == (0, "")
    assert "dL/da = -1.25992" in lesson.stdout
    assert "</svg>" in (tmp_path / "backprop.svg").read_text(encoding="utf-8")
    for name in ("error_propagation", "one_page"):
        assert installed("glassgrad", name, cwd=tmp_path).returncode == 0
    wrong = installed("glassgrad", "backprop", "tanh(a", cwd=tmp_path)
    assert wrong.stderr.startswith("glassgrad backprop: ")
    missing = installed("glassgrad", "newton", cwd=tmp_path).stderr
    assert missing == "glassgrad newton: this lesson needs matplotlib: pip install 'glassgrad[demos]'\n"


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("engine.py", ["-c", "import nn"]),
        ("engine.py", ["-c", "import viz"]),
        ("engine.py", ["-m", "demos"]),
        ("engine.py", ["engine.py"]),  # a program that imports us under our name
        ("nn.py", ["-c", "import viz"]),
        ("viz/__init__.py", ["-m", "demos"]),
    ],
)
def test_a_file_of_the_user_that_hides_a_package_is_named(path, arguments, tmp_path):
    path = tmp_path / path
    path.parent.mkdir(exist_ok=True)
    path.write_text("import nn\n", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    name = path.relative_to(tmp_path).parts[0].removesuffix(".py")
    message = f"ImportError: `import {name}` must find a package of glassgrad, got {path}: rename it"
    assert result.stderr.splitlines()[-1] == message
