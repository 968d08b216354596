"""Runs a target on one generated file after the other."""

from __future__ import annotations

import hashlib
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.source import RandomSource, Source

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where files cost nothing, on systems that have it."""


@dataclass(frozen=True)
class Target:
    """A reader of files.

    ``generate`` returns a file's content. ``execute`` gives it to the reader, under a path that it
    may write to, and returns what came of it in a word; any exception is a finding.
    """

    name: str
    generate: Callable[[Source], bytes]
    execute: Callable[[bytes, Path], str]


@dataclass
class Report:
    """How often each outcome came, and the first finding."""

    outcomes: Counter[str] = field(default_factory=Counter)
    finding: bytes | None = None
    error: str = ""

    @property
    def executions(self) -> int:
        return self.outcomes.total()

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.most_common())
        return f"{self.executions} executions: {counts}"


def run(
    target: Target, *, seed: int = 0, executions: int | None = None, seconds: float | None = None
) -> Report:
    """Run until a finding, or until that many executions or seconds have passed.

    Execution k of a seed is the same file each time.
    """
    report = Report()
    end = None if seconds is None else time.monotonic() + seconds
    with TemporaryDirectory(dir=IN_MEMORY) as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        path = Path(folder) / "file"
        while executions is None or report.executions < executions:
            if end is not None and time.monotonic() >= end:
                break
            content = target.generate(RandomSource((seed << 40) + report.executions))
            try:
                report.outcomes[target.execute(content, path)] += 1
            except Exception:
                report.finding = content
                report.error = traceback.format_exc()
                break
    return report


def save_finding(name: str, content: bytes, folder: Path) -> Path:
    """Write a finding to a file of its own."""
    path = folder / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}.bin"
    path.write_bytes(content)
    return path
