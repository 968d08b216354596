"""The page of the checkpoints names tests that exist."""

import re

from tests.helpers.paths import ROOT

PAGE = ROOT / "minilayer" / "checkpoint" / "README.md"
TESTS = ROOT / "tests"


def test_the_page_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| .* \| (`.*`) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    rows = [row for row in rows if ".py" in row]
    assert len(rows) >= 10
    for row in rows:
        names = re.findall(r"`([^`]+)`", row)
        files = [name for name in names if name.endswith(".py")]
        content = ""
        for name in files:
            path = TESTS / "checkpoint" / name if "/" not in name else ROOT / name
            content += path.read_text(encoding="utf-8")
        for name in set(names) - set(files):
            assert f"def {name}(" in content, name
