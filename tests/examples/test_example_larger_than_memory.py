"""examples/larger_than_memory.py as its users run it: a process, its file, its picture."""

import importlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import minilayer as ml
from tests.examples.running import example, figures, hide, interrupt, numbers, run, succeed
from tests.helpers.paths import EX4, ROOT

NAME = "larger_than_memory"
SMALL = ("--gigabytes", "0.004", "--iterations", "3", "--memory", "2000")
"""Arguments of a short run; its memory is enough for any build of the libraries."""
FILE = Path("results/larger_than_memory.h5")
POLL_SECONDS = 0.05
ROWS = 2498
"""Of 1601 bytes in 4 MB."""


def test_it_trains_from_a_file_tests_and_draws(tmp_path: Path) -> None:
    out = succeed(tmp_path, NAME, "--quick", "--memory", "2000")
    assert "results/larger_than_memory.h5: 12492 rows, 0.02 GB, new" in out
    rows = [numbers(line) for line in out.splitlines() if line.endswith("%")]
    assert [digits for digits, _ in rows] == [4000, 1000, 5000]
    assert all(right > 60 for _, right in rows)
    peak, limit, size = numbers(out[out.index("peak memory") :])[:3]
    assert (limit, size) == (2000, 20)
    assert 50 < peak < limit
    assert figures(tmp_path / "results") == {NAME}
    assert {path.name for path in (tmp_path / "results").iterdir()} == {f"{NAME}.h5", f"{NAME}.png"}


def test_the_file_holds_new_digits_that_look_like_the_old_ones(tmp_path: Path) -> None:
    succeed(tmp_path, NAME, *SMALL)
    with h5py.File(tmp_path / FILE) as file:
        assert file["X"].chunks is None
        X, labels = file["X"][:], file["labels"][:]
    assert (X.shape, X.dtype, labels.dtype) == ((ROWS, 400), np.float32, np.uint8)
    assert len(np.unique(X, axis=0)) == ROWS
    assert np.bincount(labels, minlength=10).min() > ROWS / 15
    old, old_labels = ml.load_ex4(EX4)
    assert old.min() <= X.min() < X.max() <= old.max()
    model = ml.mlp(400, 25, 10, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=0)
    ml.fit(model, old, old_labels, l2=10.0, max_evaluations=60)
    assert ml.accuracy(labels, model.predict_class(X)) > 0.6  # a guess is 0.1


def test_without_distortion_and_moved_by_a_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "examples")
    module = importlib.import_module("distorted_digits")
    for name in ("TURN_RADIANS", "STRETCH", "SHEAR", "SHIFT_PIXELS", "BEND_PIXELS"):
        monkeypatch.setattr(module, name, 0)
    rng = np.random.default_rng(0)
    padded = np.pad(rng.random((3, 20, 20), np.float32), ((0, 0), (1, 1), (1, 1)))
    chosen = np.array([2, 0, 2])
    same = module.distort(padded, chosen, rng).reshape(3, 20, 20)
    np.testing.assert_allclose(same, padded[chosen, 1:-1, 1:-1], atol=1e-4)
    places = module.source_places(3, rng) + np.array([[1], [0]], np.float32)
    monkeypatch.setattr(module, "source_places", lambda *_: places.clip(0, 20.999))
    moved = module.distort(padded, chosen, rng).reshape(3, 20, 20)
    np.testing.assert_allclose(moved[:, :-1], padded[chosen, 2:-1, 1:-1], atol=1e-4)


def test_a_file_of_the_right_size_is_used_again(tmp_path: Path) -> None:
    first = succeed(tmp_path, NAME, *SMALL)
    written = (tmp_path / FILE).stat()
    again = succeed(tmp_path, NAME, *SMALL)
    assert (tmp_path / FILE).stat().st_mtime_ns == written.st_mtime_ns
    assert first.replace("GB, new", "GB, used again").split("peak")[0] == again.split("peak")[0]
    other = succeed(tmp_path, NAME, *SMALL, "--seed", "1")
    assert "GB, new" in other
    assert (tmp_path / FILE).stat().st_ino != written.st_ino


def test_ctrl_c_while_the_file_is_made_leaves_none(tmp_path: Path) -> None:
    command = [sys.executable, str(example(NAME)), "--gigabytes", "1", "--memory", "2000"]
    unfinished = tmp_path / f"{FILE}.part"
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while not (unfinished.exists() and unfinished.stat().st_size > 1e6):
            assert process.poll() is None
            time.sleep(POLL_SECONDS)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (130, f"{NAME}.py: interrupted\n")
    assert os.listdir(tmp_path / "results") == []


def test_ctrl_c_leaves_the_table_and_the_picture(tmp_path: Path) -> None:
    done = interrupt(tmp_path, 3, NAME, *SMALL)
    assert (done.returncode, done.stderr) == (130, f"{NAME}.py: interrupted\n")
    assert "L-BFGS: interrupted after 2 evaluations" in done.stdout
    assert "peak memory" in done.stdout
    assert figures(tmp_path / "results") == {NAME}


def test_ctrl_c_in_the_first_evaluation_is_one_line(tmp_path: Path) -> None:
    done = interrupt(tmp_path, 1, NAME, *SMALL)
    assert (done.returncode, done.stderr) == (130, f"{NAME}.py: interrupted\n")
    assert not list(tmp_path.rglob("*.png"))


USES_3000_MB = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
import memory_log
memory_log.megabytes = iter([(100.0, 100.0)] + [(100.0, 3000.0)] * 10**6).__next__
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs an example in which the system tells of little memory at first, and of much later."""


def test_more_memory_than_the_limit_is_an_exit_code(tmp_path: Path) -> None:
    program = [sys.executable, "-c", USES_3000_MB, str(ROOT / "examples")]
    command = [*program, str(example(NAME)), *SMALL]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (1, "")
    assert "peak memory 3000 MB, MORE THAN the limit of 2000 MB" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gigabytes", "0.001"], "--gigabytes: expected at least 0.002, found 0.001"),
        (["--gigabytes", "1e12"], "--gigabytes: expected at most the "),
        (["--iterations", "0"], "argument --iterations: expected a whole number from 1 up, found"),
        (["--memory", "10"], "--memory: expected more than "),
        (["--data", "x.mat"], "x.mat: expected a MATLAB file with X and y, found no file"),
        (["--output", "."], "--output: expected a file, found the folder ."),
        (
            ["--output", "other.h5/x.png"],
            "--output: expected a folder to write to, found other.h5: Not a directory",
        ),
        (
            ["--file", "other.h5/x.h5"],
            "--file: expected a folder to write to, found other.h5: Not a directory",
        ),
        (
            ["--file", "other.h5"],
            "--file: expected a file of this program or none, found other.h5",
        ),
    ],
)
def test_mistakes_are_one_line_before_any_work(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "other.h5").write_text("of another program")
    done = run(tmp_path, NAME, *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(f"{NAME}.py: error: {message}")
    assert (tmp_path / "other.h5").read_text() == "of another program"
    assert not list(tmp_path.rglob("*.png"))
    assert not (tmp_path / FILE).exists()


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe as head does")
def test_a_pipe_that_nobody_reads_ends_it_quietly(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, str(example(NAME)), *SMALL]
    done = subprocess.run(
        command, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path) -> None:
    done = run(tmp_path, NAME, *SMALL, env=hide(tmp_path, "matplotlib"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "minilayer.plots needs matplotlib: pip install 'minilayer[plots]'" in done.stdout


def test_help_shows_the_first_sentence_and_every_default(tmp_path: Path) -> None:
    out = run(tmp_path, NAME, "--help", env={**os.environ, "COLUMNS": "200"}).stdout
    assert example(NAME).read_text(encoding="utf-8").splitlines()[0][3:] in out
    options = [line for line in out.splitlines() if line.startswith("  --")]
    assert len(options) == 8
    assert all(re.search(r"\)$", option) for option in options), out
    assert os.listdir(tmp_path) == []


def test_the_gallery_shows_it() -> None:
    gallery = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert f"python examples/{NAME}.py" in gallery
    assert f"]({NAME}.png)" in gallery
    picture = ROOT / "examples" / f"{NAME}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 256_000
