"""The code of the README runs as it stands there."""

import re
from pathlib import Path

import pytest

from minilayer.nn import configured
from tests.conftest import ROOT

BLOCKS = re.findall(
    r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
)


@pytest.mark.parametrize("code", BLOCKS, ids=lambda code: code.splitlines()[2][:30])
def test_code_of_the_readme_runs(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configured, "_REGISTRY", dict(configured._REGISTRY))
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    exec(
        compile(code.replace("max_evaluations=250", "max_evaluations=20"), "README.md", "exec"),
        {"__name__": "readme"},
    )


def test_the_ten_lines_are_ten() -> None:
    assert len([line for line in BLOCKS[0].splitlines() if line]) == 10
