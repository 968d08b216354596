"""examples/digits.py as its users run it: a process, its output, its exit code."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from tests.examples.running import example, figures, hide, interrupt, run


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
    ("arguments", "message"),
    [
        (["--data", "none.mat"], "none.mat: expected a MATLAB file with X and y, found no file"),
        (["--load", "none.h5"], "none.h5: expected a checkpoint, found no file there"),
        (["--method", "Adam"], "method: expected one of TNC"),
        (["--hidden", "0"], "argument --hidden: expected a whole number from 1 up, found '0'"),
        (["--learning-rate", "3"], "--learning-rate: expected with --method GradientDescent, fo"),
        (
            ["--learning-rate", "0", "--method", "gradientdescent"],
            "learning_rate: expected a finite number > 0, found 0.0",
        ),
        (["--l2", "-1"], "argument --l2: expected a finite number from 0 up, found '-1'"),
        (["--test-share", "2"], "test_size: expected a share between 0 and 1, found 2.0"),
        (["--evaluations", "0"], "argument --evaluations: expected a whole number from 1 up"),
        (["--evaluations", "many"], "argument --evaluations: expected a whole number from 1 up"),
        (["--load", "x.h5", "--hidden", "9"], "--hidden: expected without --load"),
        (
            ["--save", "file/none/x.h5"],
            "--save: expected a folder to write to, found file/none: Not a directory",
        ),
        (["--save", "."], "--save: expected a file, found the folder ."),
        (["--figures", "file"], "--figures: expected a folder to write to, found file: Not a dir"),
        (["--color"], "unrecognized arguments: --color"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "file").write_text("where a folder would have to be")
    done = run(tmp_path, "digits", *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(f"digits.py: error: {message}")
    assert os.listdir(tmp_path) == ["file"]


def test_ctrl_c_prints_the_result_and_keeps_the_model(tmp_path: Path) -> None:
    done = interrupt(tmp_path, 20, "digits", "--test-share", "0.2")
    assert (done.returncode, done.stderr) == (130, "digits.py: interrupted\n")
    assert "TNC: interrupted after 19 evaluations" in done.stdout
    assert "reloaded predicts identically  True" in done.stdout
    assert "true\\predicted" in done.stdout
    assert ml.load(tmp_path / "results" / "digits.h5").layers[0].units == 25
    assert figures(tmp_path / "results") >= {"cost", "hidden_units"}


def test_ctrl_c_keeps_the_json(tmp_path: Path) -> None:
    done = interrupt(tmp_path, 20, "digits", "--json")
    assert (done.returncode, done.stderr) == (130, "digits.py: interrupted\n")
    assert json.loads(done.stdout)["evaluations"] == 19


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path) -> None:
    done = run(tmp_path, "digits", "--evaluations", "2", env=hide(tmp_path, "matplotlib"))
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "no figures: minilayer.plots needs matplotlib: pip install 'minilayer[plots]'"
        in done.stdout
    )


def test_it_stays_a_show_window() -> None:
    assert len(example("digits").read_text(encoding="utf-8").splitlines()) < 120
