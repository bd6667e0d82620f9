"""Files of the user that hide a package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


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
