"""A short run of each fuzzer, and all that longer runs have found."""

import zlib
from pathlib import Path
from typing import Any

import pytest

from minilayer.checkpoint import reader
from minilayer.training.resume.journal import Journal
from minilayer.utils import matlab5
from tests.fuzz import checkpoint, journal, matlab
from tests.fuzz.engine import Target, run, save_finding
from tests.fuzz.source import ByteSource, RandomSource
from tests.helpers.paths import ROOT

TARGETS = {target.name: target for target in (checkpoint.TARGET, matlab.TARGET, journal.TARGET)}
FINDINGS = sorted((ROOT / "tests" / "fixtures").glob("fuzz-*.bin"))
EXECUTIONS = 400


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run_finds_nothing(name: str) -> None:
    report = run(TARGETS[name], seed=1, executions=EXECUTIONS)
    assert report.finding is None, report.error
    assert report.executions == EXECUTIONS
    assert report.outcomes["refused"] < EXECUTIONS  # the files are not all nonsense
    assert len(report.outcomes) > 1


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.stem)
def test_findings_stay_mended(path: Path, tmp_path: Path) -> None:
    name = path.stem.split("-")[1]
    TARGETS[name].execute(path.read_bytes(), tmp_path / "file")


@pytest.mark.parametrize("name", TARGETS)
def test_a_source_without_decisions_makes_a_right_file(name: str, tmp_path: Path) -> None:
    outcome = TARGETS[name].execute(TARGETS[name].generate(ByteSource(b"")), tmp_path / "file")
    assert outcome in ("loaded", "empty", "begun")


def test_the_same_seed_makes_the_same_files() -> None:
    for target in TARGETS.values():
        assert target.generate(RandomSource(7)) == target.generate(RandomSource(7))


def inflate_without_care(compressed: memoryview, limit: int, *, is_whole: bool = False) -> Any:
    return memoryview(zlib.decompress(compressed))


MISTAKES: dict[str, tuple[Target, Any, str, Any]] = {
    "a state's shapes are not checked": (checkpoint.TARGET, reader, "_shape", tuple),
    "zlib's own errors come out": (matlab.TARGET, matlab5, "_inflate", inflate_without_care),
    "an evaluation is lost": (journal.TARGET, Journal, "next", lambda self, x: None),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_reader_is_found(
    mistake: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target, module, name, replacement = MISTAKES[mistake]
    monkeypatch.setattr(module, name, replacement)
    report = run(target, seed=2, executions=5000)
    assert report.finding is not None
    assert "Traceback" in report.error
    path = save_finding(target.name, report.finding, tmp_path)
    assert path.read_bytes() == report.finding
