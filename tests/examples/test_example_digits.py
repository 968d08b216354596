"""examples/digits.py as its users run it: a process, its output, its exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from tests.examples.running import example, hide_matplotlib, run


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("digits")
    return folder, run(
        folder, "digits", "--evaluations", "40", "--check-gradient", "--test-share", "0.2"
    )


def test_it_reports_draws_and_saves(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = finished
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line.strip())
    assert float(lines["cost"]) < 2
    assert lines["evaluations"] == "40"
    assert "Dense(400, 25)  " in done.stdout
    assert "gradient check: largest relative error" in done.stdout
    for text in (
        "training accuracy",
        "test accuracy",
        "reloaded predicts identically  True",
        "true\\predicted",
    ):
        assert text in done.stdout
    table = [line.split() for line in done.stdout.split("right\n")[1].splitlines()[:10]]
    assert sum(int(count) for row in table for count in row[1:-1] if count != ".") == 1000
    names = {
        "digits.h5",
        "overview.png",
        "digits.png",
        "hidden_units.png",
        "cost.png",
        "mistakes.png",
    }
    assert set(os.listdir(folder / "results")) == names


def test_it_goes_on_from_a_checkpoint(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, first = finished
    again = [
        "--load",
        "results/digits.h5",
        "--save",
        "b.h5",
        "--evaluations",
        "10",
        "--test-share",
        "0.2",
        "--json",
    ]
    done = run(folder, "digits", *again)
    report = json.loads(done.stdout)
    assert report["reloaded predicts identically"] is True
    assert report["evaluations"] == 10
    start = float(
        next(line.split()[1] for line in first.stdout.splitlines() if line.startswith("cost"))
    )
    assert report["cost"] < start
    assert ml.load(folder / "b.h5").layers[0].units == 25


@pytest.mark.parametrize("method", ["TNC", "l-bfgs-b", "CG", "GradientDescent", "LBFGS"])
def test_methods_iterations_and_hidden_units(tmp_path: Path, method: str) -> None:
    flags = ["--iterations", "2", "--hidden", "5", "--json", "--l2", "0", "--figures", "f"]
    done = run(tmp_path, "digits", "--method", method, *flags)
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["iterations"] == 2
    assert (tmp_path / "f" / "cost.png").exists()
    assert ml.load(tmp_path / "results" / "digits.h5").layers[0].units == 5


def test_the_seed_is_the_article_start(tmp_path: Path) -> None:
    done = run(tmp_path, "digits", "--evaluations", "1", "--seed", "2", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    model = ml.load(tmp_path / "results" / "digits.h5")
    np.testing.assert_array_equal(
        model.parameters, (np.random.default_rng(2).random(10285) - 0.5) * 0.25
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--data", "none.mat"],
            1,
            "digits.py: error: none.mat: expected a MATLAB file with X and y, found no file",
        ),
        (
            ["--load", "none.h5"],
            1,
            "digits.py: error: none.h5: expected a checkpoint, found no file there",
        ),
        (["--method", "Adam"], 1, "digits.py: error: method: expected one of TNC"),
        (
            ["--hidden", "0"],
            1,
            "digits.py: error: inputs|units of Dense: expected at least 1, found 0",
        ),
        (
            ["--learning-rate", "3"],
            1,
            "digits.py: error: --learning-rate: expected with --method GradientDescent, fo",
        ),
        (["--l2", "-1"], 1, "digits.py: error: l2: expected a finite number >= 0, found -1.0"),
        (
            ["--test-share", "2"],
            1,
            "digits.py: error: test_size: expected a share between 0 and 1, found 2.0",
        ),
        (
            ["--evaluations", "0"],
            1,
            "digits.py: error: max_evaluations: expected at least 1, found 0",
        ),
        (
            ["--load", "x.h5", "--hidden", "9"],
            1,
            "digits.py: error: --hidden: expected without --load",
        ),
        (
            ["--save", "/proc/none/x.h5"],
            1,
            "digits.py: error: --save: expected a folder to write to, found /proc/none: ",
        ),
        (["--save", "."], 1, "digits.py: error: --save: expected a file, found the folder ."),
        (
            ["--figures", "/proc/none"],
            1,
            "digits.py: error: --figures: expected a folder to write to, found /proc/none: ",
        ),
        (
            ["--evaluations", "many"],
            2,
            "digits.py: error: argument --evaluations: invalid int value: 'many'",
        ),
        (["--color"], 2, "digits.py: error: unrecognized arguments: --color"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    done = run(tmp_path, "digits", *arguments)
    assert done.returncode == code
    assert done.stdout == ""
    assert any(part in done.stderr.splitlines()[-1] for part in message.split("|"))
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == code  # a wrong option adds the line of usage


@pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C")
def test_ctrl_c_prints_the_result_and_keeps_the_model(tmp_path: Path) -> None:
    command = [sys.executable, str(example("digits")), "--evaluations", "1000000"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith(
            "total"
        ):  # the summary comes before the training
            pass
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr == ""
    assert "TNC: interrupted after" in stdout
    assert "reloaded predicts identically  True" in stdout
    assert (tmp_path / "results" / "digits.h5").exists()


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path) -> None:
    done = run(tmp_path, "digits", "--evaluations", "2", env=hide_matplotlib(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "no figures: minilayer.plots needs matplotlib: pip install 'minilayer[plots]'"
        in done.stdout
    )


def test_it_stays_a_show_window() -> None:
    assert len(example("digits").read_text(encoding="utf-8").splitlines()) < 120
