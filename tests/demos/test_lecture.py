"""The lecture page by page: everything that demos/README.md names exists, and no page of the code is missing in it."""

import doctest
import importlib
import json
import re
from pathlib import Path

import pytest

import nn

ROOT = Path(__file__).parents[2]
README = ROOT / "demos" / "README.md"
TEXT = README.read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.DOTALL | re.MULTILINE)
SPANS = re.findall(r"`([^`]+)`", PROSE)
COMMANDS = sorted({" ".join(span.split()) for span in SPANS if span.startswith("python -m")})
NAMES = sorted({match[0] for span in SPANS if (match := re.match(r"(engine|nn|viz|demos)(\.\w+)+", span))})
LECTURE = [(6, 8), (11, 14), (17, 17), (21, 22), (24, 31), (34, 46), (52, 77)]  # the pages that have a formula
menu = importlib.import_module("demos.__main__")


def pages(text):
    """The page numbers in a text; both ends and everything between for a range such as P34-P46."""
    ranges = re.findall(r"\bP(\d+)(?:[-\N{EN DASH}]P?(\d+))?", text)
    return {page for first, last in ranges for page in range(int(first), int(last or first) + 1)}


def sources():
    """Every file of the packages that a page number may stand in, with its text."""
    for package in ("engine", "nn", "viz", "demos"):
        for path in sorted((ROOT / package).rglob("*")):
            text = path.read_text(encoding="utf-8") if path.suffix in (".py", ".md", ".ipynb", ".js", ".html") else ""
            if path.suffix == ".ipynb":  # without its outputs
                text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
            if path != README and path.parent.name != "pages":
                yield path, text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_lesson_with_these_options(command, capsys):
    match = re.fullmatch(r"python -m demos(?: (\w+)(.*))?", command)
    assert match, "written python -m demos NAME"
    name, arguments = match.groups()
    if name:
        assert name in menu.catalogue()
        with pytest.raises(SystemExit):
            importlib.import_module(f"demos.{name}").main(["--help"])
        options = capsys.readouterr().out
        assert all(option in options for option in re.findall(r"--\w+", arguments))


def test_every_lesson_is_mentioned():
    assert menu.catalogue().keys() <= {command.split()[3] for command in COMMANDS if command != "python -m demos"}


@pytest.mark.parametrize("name", NAMES)
def test_every_dotted_name_exists(name):
    package, *rest = name.split(".")
    found = importlib.import_module(package)
    for attribute in rest:
        if not hasattr(found, attribute):
            importlib.import_module(f"{found.__name__}.{attribute}")
        found = getattr(found, attribute)


def test_every_initialization_exists():
    assert set(re.findall(r'init="(.*?)"', PROSE)) <= nn.SCHEMES.keys()


def test_every_code_span_with_a_dot_is_checked():
    dotted = {match[0] for span in SPANS if (match := re.match(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", span))}
    assert dotted == set(NAMES)
    assert len(NAMES) > 20


def test_every_link_leads_to_a_file_or_to_a_section_of_the_notebook():
    notebook = json.loads((ROOT / "demos" / "lecture.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    headings = re.findall(r"^#+ (.*)", "\n".join(cells), re.MULTILINE)
    links = re.findall(r"\[([^\]]+)\]\(([^)]+)\)", PROSE)
    assert len(links) > 10
    for text, target in links:
        assert (README.parent / target).exists(), target
        if target == "lecture.ipynb" and text != "The notebook":
            assert any(heading.startswith(text) for heading in headings), text


def test_every_page_number_of_the_code_has_its_section():
    sections = pages("\n".join(re.findall(r"^### .*", TEXT, re.MULTILINE)))
    assert sections == {page for first, last in LECTURE for page in range(first, last + 1)}
    mentioned = 0
    for path, text in sources():
        ends = {int(page) for page in re.findall(r"\bP(\d+)\b", text)}
        mentioned += len(ends)
        assert ends <= sections, path
    assert mentioned > 40


def test_sections_are_in_the_order_of_the_lecture_and_have_a_formula_in_both_notations():
    sections = re.split(r"^### ", TEXT.split("## Beyond the slides")[0], flags=re.MULTILINE)[1:]
    firsts = [min(pages(section.splitlines()[0])) for section in sections]
    assert firsts == sorted(firsts)
    for section in sections:
        title = section.splitlines()[0]
        if title.startswith("P21-P22"):  # pictures
            continue
        assert "\n$$" in section, title
        assert "\n```text\n" in section, title
        assert "hown by" in section, title


def test_the_python_sessions_run():
    result = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0
