"""examples/draw_digit.py as its users run it: a process, its page, its exit code."""

import os
from pathlib import Path

import pytest

import minilayer as ml
from tests.examples.running import example, interrupt, run, succeed
from tests.helpers.paths import EX4, ROOT

PAGE = Path("results/draw_digit.html")


def test_it_trains_and_writes_the_page(tmp_path: Path) -> None:
    lines = succeed(tmp_path, "draw_digit").splitlines()
    accuracy = next(line for line in lines if line.startswith("accuracy on the digits: "))
    assert float(accuracy.split()[-1].removesuffix("%")) > 98
    assert lines[-1] == f"open {PAGE} in a browser and draw"
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert "<title>Draw a digit</title>" in page
    assert "Dense(400, 25) → Sigmoid() → Dense(25, 10) → Sigmoid()" in page
    assert '"labels": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]' in page


def test_it_takes_a_trained_network(tmp_path: Path) -> None:
    model = ml.mlp(400, 7, 10, output=ml.Softmax, seed=0)
    ml.save(model, tmp_path / "own.h5")
    out = succeed(tmp_path, "draw_digit", "--model", "own.h5", "--page", "pages/own.html")
    X, labels = ml.load_ex4(EX4)
    accuracy = ml.accuracy(labels, model.predict_class(X))
    assert out.splitlines()[0] == f"accuracy on the digits: {accuracy:.1%}"
    assert "The 7 hidden units" in (tmp_path / "pages" / "own.html").read_text(encoding="utf-8")
    assert not (tmp_path / "results").exists()


def test_ctrl_c_writes_the_page_of_the_best_network_so_far(tmp_path: Path) -> None:
    done = interrupt(tmp_path, 20, "draw_digit")
    assert (done.returncode, done.stderr) == (130, "draw_digit.py: interrupted\n")
    assert "L-BFGS: interrupted after 19 evaluations" in done.stdout
    assert (tmp_path / PAGE).exists()


def test_ctrl_c_in_the_first_evaluation_writes_nothing(tmp_path: Path) -> None:
    done = interrupt(tmp_path, 1, "draw_digit")
    assert (done.returncode, done.stderr) == (130, "draw_digit.py: interrupted\n")
    assert not (tmp_path / PAGE).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "none.mat"], "none.mat: expected a MATLAB file with X and y, found no file"),
        (["--model", "none.h5"], "none.h5: expected a checkpoint, found no file there"),
        (["--seed", "-1"], "argument --seed: expected a whole number from 0 up, found '-1'"),
        (["--page", "."], "--page: expected a file, found the folder ."),
        (
            ["--page", "file/x.html"],
            "--page: expected a folder to write to, found file: Not a directory",
        ),
        (["--model", "xor.h5"], "X: expected 2 columns (inputs of Dense(2, 3)), found 400"),
    ],
)
def test_mistakes_are_one_line_before_any_training(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "file").write_text("where a folder would have to be")
    if "xor.h5" in arguments:
        ml.save(ml.mlp(2, 3, 10), tmp_path / "xor.h5")
    done = run(tmp_path, "draw_digit", *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(f"draw_digit.py: error: {message}")
    assert not (tmp_path / PAGE).exists()


def test_help_shows_the_first_sentence_and_every_default(tmp_path: Path) -> None:
    out = run(tmp_path, "draw_digit", "--help", env={**os.environ, "COLUMNS": "200"}).stdout
    assert example("draw_digit").read_text(encoding="utf-8").splitlines()[0][3:] in out
    options = [line for line in out.splitlines() if line.startswith("  --")]
    assert len(options) == 4
    assert all(option.endswith(")") for option in options), out


def test_the_gallery_shows_it() -> None:
    gallery = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert "python examples/draw_digit.py" in gallery
    assert "](draw_digit.png)" in gallery
    picture = ROOT / "examples" / "draw_digit.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 256_000
