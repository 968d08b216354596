"""The pages: their code runs and prints what they show, and their links lead somewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from minilayer.nn import configured
from tests.helpers.paths import ROOT

PAGES_WITH_CODE = (
    "README.md",
    "minilayer/README.md",
    "minilayer/objective/README.md",
    "data/README.md",
)
PAGES = (*PAGES_WITH_CODE, "CONTRIBUTING.md", "CHANGELOG.md")
MAX_WORDS = 1000
MAX_LINES_OF_FIRST_EXAMPLE = 12
RELATIVE_PRECISION = 0.01
"""Of decimals in printed output: their last digits depend on the machine."""

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PRINTED_BLOCK = re.compile(
    r"^```python\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.DOTALL | re.MULTILINE
)
DECIMAL = re.compile(r"\d+\.\d+")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
CALL_AND_FILE = re.compile(r"^ +(\w+)\(.*\) +(\S+\.py)$", re.MULTILINE)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Example:
    """A block of Python, the line where it begins, and the output that the page shows under it."""

    line: int
    code: str
    output: str


def examples_of(page: str) -> list[Example]:
    text = text_of(page)
    return [
        Example(text.count("\n", 0, match.start()) + 2, match[1], match[2] or "")
        for match in PRINTED_BLOCK.finditer(text)
    ]


def assert_same_output(found: str, expected: str) -> None:
    """Words and whole numbers must be equal, decimals nearly so."""
    assert DECIMAL.split(found) == DECIMAL.split(expected), f"it prints {found}"
    numbers = [[float(number) for number in DECIMAL.findall(text)] for text in (found, expected)]
    assert numbers[0] == pytest.approx(numbers[1], rel=RELATIVE_PRECISION)


@pytest.mark.parametrize("page", PAGES_WITH_CODE)
def test_code_prints_what_the_page_shows(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(configured, "_REGISTRY", dict(configured._REGISTRY))
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    examples = examples_of(page)
    assert examples
    names: dict[str, Any] = {"__name__": "page"}  # shared: later blocks use names of earlier ones
    for example in examples:
        padding = "\n" * (example.line - 1)  # so that tracebacks name lines of the page
        exec(compile(padding + example.code, page, "exec"), names)
        assert_same_output(capsys.readouterr().out, example.output)


@pytest.mark.parametrize(
    ("found", "is_same"),
    [
        ("cost 0.325, 10 rows\n", True),
        ("cost 0.326, 10 rows\n", True),
        ("cost 0.35, 10 rows\n", False),
        ("cost 0.325, 11 rows\n", False),
        ("Cost 0.325, 10 rows\n", False),
        ("", False),
    ],
)
def test_output_is_compared_at_the_stated_precision(found: str, is_same: bool) -> None:
    try:
        assert_same_output(found, "cost 0.325, 10 rows\n")
    except AssertionError:
        assert not is_same
    else:
        assert is_same


def test_every_block_of_python_is_run() -> None:
    for page in PAGES:
        blocks = sum(language == "python" for language, _ in BLOCK.findall(text_of(page)))
        assert blocks == (len(examples_of(page)) if page in PAGES_WITH_CODE else 0), page


def test_the_first_example_is_short() -> None:
    lines = [line for line in examples_of("README.md")[0].code.splitlines() if line]
    assert len(lines) <= MAX_LINES_OF_FIRST_EXAMPLE
    assert lines[0] == "import minilayer as ml"


def test_the_readme_is_a_front_door() -> None:
    text = text_of("README.md")
    assert len(text.split()) <= MAX_WORDS
    assert len(re.findall(r"^\|---", text, re.MULTILINE)) == 1  # one table
    assert "import *" not in text


def test_the_readme_has_two_set_up_commands() -> None:
    commands = [code for _, code in BLOCK.findall(text_of("README.md")) if "-m venv" in code]
    assert [command.count("\n") for command in commands] == [1, 1]
    assert "examples/digits.py" in commands[0]
    assert "pytest" in commands[1]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in LINK.findall(text_of(page)):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            continue
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), link
        if anchor:
            headings = HEADING.findall(path.read_text(encoding="utf-8"))
            assert anchor in {anchor_of(heading) for heading in headings}, link


def anchor_of(heading: str) -> str:
    """Return the name that Markdown viewers give to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_thread_of_the_data_names_methods_that_exist() -> None:
    calls = CALL_AND_FILE.findall(text_of("minilayer/README.md"))
    assert len(calls) >= 10
    for method, file in calls:
        source = (ROOT / "minilayer" / file).read_text(encoding="utf-8")
        assert re.search(rf"^    def {method}\(", source, re.MULTILINE), f"{file}: no {method}"
