"""The small examples as their users run them: their output, figures and exit codes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.running import (
    example,
    figures,
    hide,
    interrupt,
    numbers,
    run,
    succeed,
)
from tests.helpers.paths import ROOT

NAMES = ("regression", "xor", "multilabel")
OTHERS = ("own_layer", "early_stopping", "optimizers", "export_onnx")
ALL = (*NAMES, *OTHERS, "digits")
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
            ["--hidden", "2", "--seed", "5"],
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
    errors = [line for line in out.splitlines() if "gradient by" in line]
    assert [line.split("  ")[-1] for line in errors] == [
        "Scale(inputs=3), gradient by the input",
        "Scale(inputs=3), gradient by factor",
        "Residual(inputs=3), gradient by the input",
        "Residual(inputs=3), gradient by weight",
    ]
    assert all(float(line.split()[0]) < 1e-8 for line in errors)
    assert numbers(out.split("RMSE of x * y ")[1])[0] < 0.02
    assert "own_layer.h5: the loaded model predicts the same" in out
    source = example("own_layer").read_text(encoding="utf-8")
    for layer in source[source.index("@ml.register") : source.index("def main")].split("\n\n\n"):
        assert len(layer.splitlines()) <= 30
    assert figures(tmp_path / "results" / "own_layer") == {"product"}


def test_onnx_files_compute_what_the_network_does(tmp_path: Path) -> None:
    out = succeed(tmp_path, "export_onnx")
    right, double, single = (line for line in out.splitlines() if line.count("%") == 1)
    assert float(double.split()[-1]) < 1e-13 < float(single.split()[-1]) < 1e-5
    assert double.split()[3] == right.split()[2]
    folder = tmp_path / "results" / "export_onnx"
    assert {file.name for file in folder.glob("*.onnx")} == {
        "digits_float32.onnx",
        "digits_float64.onnx",
    }
    assert figures(folder) == {"differences"}


def test_without_onnxruntime_the_example_says_what_to_install(tmp_path: Path) -> None:
    environment = hide(tmp_path, "onnxruntime")
    done = run(tmp_path, "export_onnx", env=environment)
    message = "it needs onnxruntime: pip install 'minilayer[onnx]' onnxruntime"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"export_onnx.py: error: {message}\n"


@pytest.mark.parametrize("name", ALL)
def test_a_wrong_folder_is_told_of_before_any_training(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("where a folder would have to be")
    found = "--figures: expected a folder to write to, found file/x: Not a directory"
    check_mistake(tmp_path, name, ["--figures", "file/x"], found)
    assert os.listdir(tmp_path) == ["file"]


def test_a_picture_that_cannot_be_written_is_told_of_before_training(tmp_path: Path) -> None:
    (tmp_path / "pictures" / "a.png").mkdir(parents=True)
    found = "--figures: expected a folder to write to, found pictures/a.png: Is a directory"
    check_mistake(tmp_path, "xor", ["--figures", "pictures"], found)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("regression", ["--seed", "-1"], "argument --seed: expected a whole number from 0 up, fou"),
        ("own_layer", ["--seed", "one"], "argument --seed: expected a whole number from 0 up, fou"),
        ("xor", ["--colour"], "unrecognized arguments: --colour"),
        (
            "xor",
            ["--hidden", "0"],
            "argument --hidden: expected a whole number from 1 up, found '0",
        ),
        ("xor", ["--hidden", str(10**14)], "Unable to allocate"),
        ("multilabel", ["--data", "x.mat"], "x.mat: expected a MATLAB file with X and y"),
        ("early_stopping", ["--data", "."], ".: expected a MATLAB file with X and y"),
        (
            "early_stopping",
            ["--patience", "0"],
            "argument --patience: expected a whole number from",
        ),
        ("early_stopping", ["--l2", "nan"], "argument --l2: expected a finite number from 0 up"),
        ("early_stopping", ["--l2", "-1"], "argument --l2: expected a finite number from 0 up"),
        (
            "optimizers",
            ["--evaluations", "0"],
            "argument --evaluations: expected a whole number fr",
        ),
        ("optimizers", ["--evaluations", "1.5"], "argument --evaluations: expected a whole number"),
        (
            "optimizers",
            ["--only", "SGD"],
            "--only: expected some of LBFGS, L-BFGS-B (memory 50), T",
        ),
    ],
)
def test_mistakes_are_one_line_before_any_training(
    tmp_path: Path, name: str, arguments: list[str], message: str
) -> None:
    check_mistake(tmp_path, name, arguments, message)


def check_mistake(folder: Path, name: str, arguments: list[str], message: str) -> None:
    done = run(folder, name, *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(f"{name}.py: error: {message}")


SHORT = {
    "early_stopping": ["--evaluations", "5"],
    "optimizers": ["--evaluations", "5", "--only", "LBFGS"],
    "digits": ["--evaluations", "5"],
    "export_onnx": ["--evaluations", "5"],
}
"""Arguments of short runs."""
INTERRUPTED = [
    ("regression", [], ["L-BFGS: interrupted after", "training RMSE"], {"fit", "cost"}),
    ("xor", [], ["L-BFGS: interrupted after", "0 1          1 "], {"surface", "network"}),
    ("multilabel", [], ["interrupted after", "even  "], {"answers", "network", "cost"}),
    ("own_layer", [], ["L-BFGS: interrupted after", "RMSE"], {"product"}),
    ("early_stopping", [], ["to the end  ", "interrupted after"], {"cost", "confusion"}),
    ("optimizers", ["--only", "TNC"], ["lowest cost\nTNC"], {"evaluations", "seconds"}),
    ("export_onnx", [], ["L-BFGS: interrupted after", "onnx, 41 kB"], {"differences"}),
    ("digits", [], ["TNC: interrupted", "identically  True"], {"cost", "mistakes"}),
]


@pytest.mark.parametrize(("name", "arguments", "lines", "pictures"), INTERRUPTED)
def test_ctrl_c_leaves_the_table_and_the_figures(
    tmp_path: Path, name: str, arguments: list[str], lines: list[str], pictures: set[str]
) -> None:
    done = interrupt(tmp_path, 9, name, *arguments, "--figures", "f")
    assert (done.returncode, done.stderr) == (130, f"{name}.py: interrupted\n")
    assert all(line in done.stdout for line in lines), done.stdout
    assert pictures <= figures(tmp_path / "f")


@pytest.mark.parametrize("name", ALL)
def test_ctrl_c_in_the_first_evaluation_is_one_line(tmp_path: Path, name: str) -> None:
    done = interrupt(tmp_path, 1, name, *SHORT.get(name, []))
    assert (done.returncode, done.stderr) == (130, f"{name}.py: interrupted\n")
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize("name", ["xor", "digits"])
def test_ctrl_c_while_drawing_is_one_line(tmp_path: Path, name: str) -> None:
    done = interrupt(tmp_path, 0, name, *SHORT.get(name, []))
    assert (done.returncode, done.stderr) == (130, f"{name}.py: interrupted\n")
    assert "evaluations" in done.stdout


def test_ctrl_c_keeps_the_rows_of_optimizers_that_have_ended(tmp_path: Path) -> None:
    done = interrupt(tmp_path, 200, "optimizers", "--only", "LBFGS,CG")
    assert (done.returncode, done.stderr) == (130, "optimizers.py: interrupted\n")
    first, second = done.stdout.splitlines()[1:3]
    assert len(first.split()) == 6
    assert second.rstrip() == "CG"
    assert figures(tmp_path / "results" / "optimizers") == {"evaluations", "seconds", "overview"}


def test_ctrl_c_keeps_the_row_of_the_run_before(tmp_path: Path) -> None:
    done = interrupt(tmp_path, 29, "early_stopping", "--evaluations", "20")
    assert (done.returncode, done.stderr) == (130, "early_stopping.py: interrupted\n")
    rows = [numbers(line)[:1] for line in done.stdout.splitlines() if line.startswith(RUNS)]
    assert len(rows) == 2
    assert "L-BFGS-B: interrupted after" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe as head does")
@pytest.mark.parametrize("name", ALL)
def test_a_pipe_that_nobody_reads_ends_it_quietly(tmp_path: Path, name: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, str(example(name))]
    done = subprocess.run(
        command, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_lines_come_through_a_pipe_at_once(tmp_path: Path) -> None:
    command = [sys.executable, str(example("optimizers")), "--evaluations", "1000000"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("to 0.339")  # long before it ends
        process.kill()


def test_a_narrow_terminal_gets_a_line_for_each_value(tmp_path: Path) -> None:
    arguments = ["--evaluations", "20", "--figures", "f"]
    done = run(tmp_path, "early_stopping", *arguments, env={**os.environ, "COLUMNS": "40"})
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:2] == ["accuracy, lambda 0", "to the end"]
    assert [line.split()[0] for line in lines[2:8]] == [
        "iterations",
        "kept",
        "cost",
        "training",
        "validation",
        "test",
    ]
    assert lines[8] == "early stopping"
    assert all(len(line) <= 40 for line in lines[:15])


@pytest.mark.parametrize("name", ALL)
def test_without_matplotlib_they_say_what_to_install(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, name, *SHORT.get(name, []), env=hide(tmp_path, "matplotlib"))
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "no figures: minilayer.plots needs matplotlib: pip install 'minilayer[plots]'"
        in done.stdout
    )


@pytest.mark.parametrize("name", [*NAMES, *OTHERS])
def test_they_stay_short(name: str) -> None:
    source = example(name).read_text(encoding="utf-8")
    assert 30 <= len(source.splitlines()) <= (100 if name == "own_layer" else 60)
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


@pytest.mark.parametrize("name", ALL)
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


@pytest.mark.parametrize("name", ALL)
def test_help_shows_the_first_sentence_and_every_default(tmp_path: Path, name: str) -> None:
    wide = {**os.environ, "COLUMNS": "200"}
    out = run(tmp_path, name, "--help", env=wide).stdout
    first = example(name).read_text(encoding="utf-8").splitlines()[0].removeprefix('"""')
    assert " ".join(first.split()) in " ".join(out.split())
    options = [line for line in out.splitlines() if line.startswith("  --")]
    assert any("--figures DIR" in option for option in options)
    assert all(option.endswith(")") for option in options), out  # each tells its default
    assert os.listdir(tmp_path) == []
