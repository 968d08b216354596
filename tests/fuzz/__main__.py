"""Fuzz a reader of files: ``python -m tests.fuzz checkpoint|matlab|journal --seconds N``.

With the package atheris installed, the generator's decisions are guided by the coverage of the
reader; without it they are random numbers. A finding is written to a file, and its traceback is
printed. ``--replay FILE`` executes such a file again. Files that led to a repair belong into
tests/fixtures as ``fuzz-<target>-<what>.bin``, where the suite executes them.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TARGETS = ("checkpoint", "matlab", "journal")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=float, help="how long; default: without end")
    parser.add_argument("--executions", type=int, help="how often; default: without end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", type=Path, default=Path(), help="folder for findings")
    parser.add_argument("--random", action="store_true", help="do not use atheris")
    parser.add_argument("--replay", type=Path, help="execute one file")
    options = parser.parse_args()
    if options.replay is not None:
        return replay(options.target, options.replay)
    if options.random or importlib.util.find_spec("atheris") is None:
        return run_at_random(options)
    return run_guided(options)


def replay(name: str, path: Path) -> int:
    """Execute one file."""
    target = importlib.import_module(f"tests.fuzz.{name}").TARGET
    with TemporaryDirectory() as folder:
        print(target.execute(path.read_bytes(), Path(folder) / "file"))
    return 0


def run_at_random(options: argparse.Namespace) -> int:
    """Run on random files; return 1 for a finding."""
    engine = importlib.import_module("tests.fuzz.engine")
    target = importlib.import_module(f"tests.fuzz.{options.target}").TARGET
    report = engine.run(
        target, seed=options.seed, executions=options.executions, seconds=options.seconds
    )
    print(f"{options.target}: {report}")
    if report.finding is None:
        return 0
    saved = engine.save_finding(options.target, report.finding, options.findings)
    print(f"{report.error}\nwritten to {saved}")
    return 1


def run_guided(options: argparse.Namespace) -> int:
    """Run under libFuzzer, which prints what it does, and ends the process."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["minilayer"]):
        importlib.import_module("minilayer")
        target = importlib.import_module(f"tests.fuzz.{options.target}").TARGET
    engine = importlib.import_module("tests.fuzz.engine")
    source = importlib.import_module("tests.fuzz.source")
    with TemporaryDirectory(dir=engine.IN_MEMORY) as folder:
        path = Path(folder) / "file"

        def execute(decisions: bytes) -> None:
            content = target.generate(source.ByteSource(decisions))
            try:
                target.execute(content, path)
            except Exception:
                saved = engine.save_finding(options.target, content, options.findings)
                print(f"{traceback.format_exc()}\nwritten to {saved}")
                raise

        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number in range(64):  # decisions for files of a usual length
            decisions = source.RandomSource(number).data(1000)
            (corpus / str(number)).write_bytes(decisions)
        limits = [f"-seed={options.seed + 1}", "-max_len=2000", "-len_control=0"]
        if options.seconds is not None:
            limits.append(f"-max_total_time={int(options.seconds)}")
        if options.executions is not None:
            limits.append(f"-runs={options.executions}")
        atheris.Setup([sys.argv[0], *limits, str(corpus)], execute)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
