"""The small examples as their users run them: their output, figures and exit codes."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.running import example, figures, hide_matplotlib, numbers, run, succeed
from tests.helpers.paths import ROOT

NAMES = ("regression", "xor", "multilabel")
OTHERS = ("own_layer", "early_stopping", "optimizers")
RUNS = ("to the end", "early stopping")


def test_regression_comes_closer_to_the_truth_than_the_data_are(tmp_path: Path) -> None:
    out = succeed(tmp_path, "regression")
    report = dict(re.split(r"\s{2,}", line) for line in out.splitlines() if "  " in line)
    noise = float(report["noise of the data"])
    assert noise == 0.2
    assert float(report["training RMSE"]) == pytest.approx(noise, rel=0.15)
    assert float(report["RMSE from the truth"]) < noise / 2
    assert figures(tmp_path / "results" / "regression") == {"fit", "cost", "overview"}


@pytest.mark.parametrize("seed", range(2))
def test_xor_is_learned(tmp_path: Path, seed: int) -> None:
    out = succeed(tmp_path, "xor", "--seed", str(seed), "--figures", "f")
    rows = [numbers(line) for line in out.split("prediction\n")[1].splitlines()[:4]]
    assert [row[:3] for row in rows] == [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert all(abs(prediction - target) < 0.05 for *_, target, prediction in rows)
    assert "not learned" not in out
    assert figures(tmp_path / "f") == {"surface", "network", "overview"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hidden", "1"], "not learned: one hidden unit is too few"),
        (
            ["--hidden", "2", "--seed", "4"],
            "not learned: this start leads to a local minimum, try another --seed",
        ),
    ],
)
def test_xor_says_when_it_was_not_learned(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = run(tmp_path, "xor", *arguments)
    assert (done.returncode, done.stderr) == (1, "")
    assert message in done.stdout


def test_multilabel_knows_four_properties_of_a_digit(tmp_path: Path) -> None:
    out = succeed(tmp_path, "multilabel")
    for name in ("even", "prime", "above 4", "loop"):
        line = next(line for line in out.splitlines() if line.startswith(name))
        shares = numbers(line.removeprefix(name))
        assert len(shares) == 3
        assert all(90 < share < 100 for share in shares), line
    test, training = (
        numbers(out.split(f"all 4 right, {part}: ")[1])[0] for part in ("test", "training")
    )
    assert 85 < test < training <= 100
    assert figures(tmp_path / "results" / "multilabel") == {
        "answers",
        "network",
        "cost",
        "overview",
    }


def test_a_layer_of_ones_own_is_checked_trained_and_short(tmp_path: Path) -> None:
    out = succeed(tmp_path, "own_layer")
    assert "SmoothReLU(), second_order_term, change of the gradient by the input" in out
    assert "Newton-CG: Optimization terminated successfully" in out
    line = next(line for line in out.splitlines() if "Hessian products" in line)
    evaluations, products, error = numbers(line)
    assert products > evaluations > 10
    assert error < 0.02
    source = example("own_layer").read_text(encoding="utf-8")
    layer = source[source.index("@ml.register") : source.index("def main")].strip()
    assert len(layer.splitlines()) <= 20
    assert figures(tmp_path / "results" / "own_layer") == {"product"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--seed", "-1"],
            1,
            "error: seed: expected an integer from 0 up or a Generator, found -1",
        ),
        (
            ["--figures", "file/x"],
            1,
            "error: --figures: expected a folder to write to, found file/x: ",
        ),
        (["--seed", "one"], 2, "error: argument --seed: invalid int value: 'one'"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, name: str, arguments: list[str], code: int, message: str
) -> None:
    (tmp_path / "file").write_text("where a folder would have to be")
    done = run(tmp_path, name, *arguments)
    assert (done.returncode, done.stdout) == (code, "")  # before any training
    assert done.stderr.splitlines()[-1].startswith(f"{name}.py: {message}")
    assert len(done.stderr.splitlines()) == code  # a wrong option adds the line of usage


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("xor", ["--hidden", "0"], "xor.py: error: units of Dense: expected at least 1, found 0"),
        (
            "multilabel",
            ["--data", "x.mat"],
            "multilabel.py: error: x.mat: expected a MATLAB file with X and y",
        ),
    ],
)
def test_mistakes_of_one_example(
    tmp_path: Path, name: str, arguments: list[str], message: str
) -> None:
    done = run(tmp_path, name, *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith(message)


@pytest.mark.parametrize("name", NAMES)
def test_without_matplotlib_they_say_what_to_install(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, name, env=hide_matplotlib(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "no figures: minilayer.plots needs matplotlib: pip install 'minilayer[plots]'"
        in done.stdout
    )


@pytest.mark.parametrize("name", [*NAMES, *OTHERS])
def test_they_stay_short(name: str) -> None:
    source = example(name).read_text(encoding="utf-8")
    assert 30 <= len(source.splitlines()) <= 60
    assert "argparse" not in source
    assert "import *" not in source


def test_optimizers_are_compared_from_the_same_start(tmp_path: Path) -> None:
    names = ("L-BFGS-B (memory 50)", "Newton-CG", "Adam (batches of 128)", "LBFGS")
    out = succeed(
        tmp_path, "optimizers", "--only", "l-bfgs, newton,adam,lbfgs", "--evaluations", "90"
    )
    rows = {
        name: line.removeprefix(name).split()
        for line in out.splitlines()
        for name in names
        if name in line
    }
    evaluations, seconds, *lower, cost = rows["L-BFGS-B (memory 50)"]
    assert 60 < int(evaluations) <= 90
    assert float(seconds) > 0
    assert lower == ["-", "-"]
    assert 0.31 < float(cost) < 0.339
    assert int(rows["LBFGS"][0]) < 60
    for name in names[1:3]:
        assert rows[name][:4] == ["-"] * 4
        assert 0.339 < float(rows[name][4]) < 3
    assert figures(tmp_path / "results" / "optimizers") == {"evaluations", "seconds", "overview"}
    done = run(tmp_path, "optimizers", "--only", "SGD")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "optimizers.py: error: --only: expected some of LBFGS, L-BFGS-B (memory 50), TNC"
    )


@pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C")
def test_ctrl_c_ends_a_comparison(tmp_path: Path) -> None:
    command = [sys.executable, str(example("optimizers")), "--only", "gradient", "--evaluations"]
    with subprocess.Popen(
        [*command, "1000000"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("to 0.339")  # the training comes next
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "optimizers.py: interrupted\n")


def test_early_stopping_keeps_what_is_best_for_the_validation_digits(tmp_path: Path) -> None:
    out = succeed(tmp_path, "early_stopping", "--evaluations", "120")
    rows = {
        name: numbers(line.removeprefix(name))
        for line in out.splitlines()
        for name in RUNS
        if name in line
    }
    ended, kept, cost, training, validation, test = rows["early stopping"]
    all_iterations, _, lowest, all_training, all_validation, all_test = rows["to the end"]
    assert kept + 30 == ended < all_iterations
    assert cost > lowest
    assert training < all_training
    assert validation > all_validation + 1
    assert test > all_test + 1
    best = f"(best {validation / 100:g}, at iteration {kept:.0f})"
    assert f"has not improved for 30 iterations {best}" in out
    assert figures(tmp_path / "results" / "early_stopping") == {"cost", "confusion", "overview"}


@pytest.mark.parametrize("name", [*NAMES, *OTHERS, "digits"])
def test_the_gallery_shows_each_example(name: str) -> None:
    folder = ROOT / "examples"
    gallery = (folder / "README.md").read_text(encoding="utf-8")
    assert f"python examples/{name}.py" in gallery
    assert f"]({name}.png)" in gallery
    picture = folder / f"{name}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 256_000


def test_links_of_the_gallery_lead_somewhere() -> None:
    gallery = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", gallery):
        assert target.startswith("http") or (ROOT / "examples" / target).exists(), target


@pytest.mark.parametrize("name", [*NAMES, *OTHERS, "digits"])
def test_help_shows_the_first_sentence_and_every_default(tmp_path: Path, name: str) -> None:
    out = succeed(tmp_path, name, "--help")
    first = example(name).read_text(encoding="utf-8").splitlines()[0].removeprefix('"""')
    assert " ".join(first.split()) in " ".join(out.split())
    assert "--figures DIR" in out
    assert os.listdir(tmp_path) == []
