"""The command ``minilayer``: a table of commands with their output, and of mistakes."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import h5py
import numpy as np
import pytest

import minilayer as ml
from minilayer.command_line import main
from minilayer.utils.version import library_version
from tests.helpers.paths import ROOT

ROWS = np.array([[5.0, 3.5], [6.25, 2.0], [0.0, -1.0]])
FEATURES = ["length", "width"]
CLASSES = ["no", "yes, perhaps"]


def network() -> ml.Sequential:
    model = ml.Sequential([ml.Dense(2, 3), ml.Tanh(), ml.Dense(3, 2), ml.Softmax()])
    model.parameters[:] = np.arange(17) / 17
    return model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with networks and rows, where the commands run."""
    monkeypatch.chdir(tmp_path)
    ml.save(network(), "plain.h5")
    named = network()
    named.feature_names = FEATURES
    named.class_names = CLASSES
    metadata = {"data": "flowers", "scores": np.zeros((2, 3), np.float32), "limit": float("inf")}
    ml.save(named, "named.h5", loss=ml.CategoricalCrossEntropy(), metadata=metadata)
    ml.save(ml.mlp(2, 3, 1, seed=0), "numbers.h5", state={"epoch": 3})
    np.save("X.npy", ROWS)
    numbers = "5,3.5\n6.25,2\n0,-1\n"
    Path("X.csv").write_text(numbers)
    Path("header.csv").write_text(f"length,width\n{numbers}")
    Path("spreadsheet.csv").write_bytes(f'"length","width"\n{numbers}'.encode("utf-8-sig"))
    Path("other order.csv").write_text(f"width,length\n{numbers}")
    return tmp_path


PLAIN = """plain.h5: format 3, written by minilayer VERSION
checksums: right, all content is as it was written

layer        output  parameters
Dense(2, 3)  (m, 3)           9
Tanh()       (m, 3)           0
Dense(3, 2)  (m, 2)           8
Softmax()    (m, 2)           0
total                        17
"""
NAMED = """named.h5: format 4, written by minilayer VERSION
checksums: right, all content is as it was written

layer        output  parameters
Dense(2, 3)  (m, 3)           9
Tanh()       (m, 3)           0
Dense(3, 2)  (m, 2)           8
Softmax()    (m, 2)           0
total                        17

loss: CategoricalCrossEntropy()
feature names: length, width
class names: no, yes, perhaps
metadata:
  data: 'flowers'
  limit: inf
  scores: array of float32, shape (2, 3)
"""

COMMANDS: dict[str, str] = {
    "inspect plain.h5": PLAIN,
    "inspect named.h5": NAMED,
    "predict plain.h5 X.npy out.npy": "out.npy: 3 rows, 2 outputs\n",
    "predict plain.h5 X.csv out.csv": "out.csv: 3 rows, 2 outputs\n",
    "predict plain.h5 header.csv OUT.CSV": "OUT.CSV: 3 rows, 2 outputs\n",
    "predict named.h5 header.csv out.csv": "out.csv: 3 rows, 2 outputs\n",
    "predict numbers.h5 X.npy out.csv": "out.csv: 3 rows, 1 output\n",
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_and_their_output(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command.split()) == 0
    out, err = capsys.readouterr()
    assert out.rstrip("\n") == COMMANDS[command].replace("VERSION", library_version()).rstrip("\n")
    assert err == ""


MISTAKES: dict[str, str] = {
    "inspect nothing.h5": "nothing.h5: expected a checkpoint, found no file there",
    "inspect X.npy": "X.npy: /: expected an HDF5 file, found other bytes",
    "inspect .": ".: expected a checkpoint, found a folder",
    "predict plain.h5 nothing.npy out.npy": "nothing.npy: No such file or directory",
    "predict plain.h5 plain.h5 out.npy": "X: expected a file that ends in .npy or .csv, found "
    "plain.h5",
    "predict plain.h5 X.npy out.txt": "OUT: expected a file that ends in .npy or .csv, found "
    "out.txt",
    "predict plain.h5 wide.npy out.npy": "wide.npy: X: expected 2 columns (inputs of Dense(2, 3)), "
    "found 3",
    "predict plain.h5 nan.npy out.npy": "nan.npy: X: expected finite numbers, found nan in row 1, "
    "column 0",
    "predict plain.h5 objects.npy out.npy": "objects.npy: expected an array that numpy.save wrote: "
    "Object arrays cannot be loaded when allow_pickle=False",
    "predict plain.h5 empty.csv out.npy": "empty.csv: expected rows of numbers, found none",
    "predict plain.h5 semicolons.csv out.npy": "semicolons.csv: expected commas between columns, "
    "found semicolons",
    "predict plain.h5 text.csv out.npy": "text.csv: expected rows of numbers: could not convert "
    "string 'abc' to float64 at row 1, column 2.",
    "predict plain.h5 latin.csv out.npy": "latin.csv: expected a table in UTF-8: 'utf-8' codec",
    "predict named.h5 other_order.csv out.npy": "other_order.csv: X: expected 'length' in column "
    "0, as the model was trained, found 'width'",
    "predict plain.h5 X.npy nowhere/out.npy": "expected a folder to write it to, found none",
    "export plain.h5 out.pdf": "OUT: expected a file that ends in .onnx or .html, found out.pdf",
    "export X.npy out.onnx": "X.npy: /: expected an HDF5 file, found other bytes",
}


def write_wrong_files() -> None:
    np.save("wide.npy", np.ones((2, 3)))
    np.save("nan.npy", np.array([[1.0, 2.0], [np.nan, 1.0]]))
    np.save("objects.npy", np.array([{}], object), allow_pickle=True)
    Path("empty.csv").write_text("")
    Path("semicolons.csv").write_text("1;2\n3;4\n")
    Path("text.csv").write_text("1,2\n3,abc\n")
    Path("latin.csv").write_bytes("Länge,b\n1,2\n".encode("latin-1"))
    Path("other order.csv").rename("other_order.csv")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", MISTAKES)
def test_mistakes_are_one_line_and_leave_nothing_behind(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wrong_files()
    before = sorted(os.listdir())
    assert main(command.split()) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("minilayer: ")
    assert MISTAKES[command] in err
    assert err.count("\n") == 1
    assert sorted(os.listdir()) == before


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_replaced_stays_as_it_was_after_a_mistake() -> None:
    Path("out.csv").write_text("precious")
    np.save("nan.npy", np.array([[1.0, np.nan]]))
    assert main(["predict", "plain.h5", "nan.npy", "out.csv"]) == 1
    assert Path("out.csv").read_text() == "precious"
    assert main(["predict", "plain.h5", "X.npy", "out.csv"]) == 0
    assert Path("out.csv").read_text() != "precious"


@pytest.mark.parametrize("command", ["", "train x", "inspect", "predict a.h5", "inspect --yaml x"])
def test_wrong_usage_is_argparse_s_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(command.split())
    assert caught.value.code == 2
    assert "usage: minilayer" in capsys.readouterr().err


# inspect


@pytest.mark.usefixtures("folder")
def test_json_holds_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "named.h5", "--json"]) == 0

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    about = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert about == {
        "file": "named.h5",
        "format": 4,
        "written_by": library_version(),
        "checksums": "right",
        "inputs": 2,
        "outputs": 2,
        "parameters": 17,
        "layers": [
            {"class": "Dense", "layer": "Dense(2, 3)", "shapes": {"theta": [3, 3]}},
            {"class": "Tanh", "layer": "Tanh()", "shapes": {}},
            {"class": "Dense", "layer": "Dense(3, 2)", "shapes": {"theta": [2, 4]}},
            {"class": "Softmax", "layer": "Softmax()", "shapes": {}},
        ],
        "loss": "CategoricalCrossEntropy()",
        "state": [],
        "feature_names": FEATURES,
        "class_names": CLASSES,
        "metadata": {
            "data": "flowers",
            "limit": "inf",
            "scores": {"dtype": "float32", "shape": [2, 3]},
        },
    }


@pytest.mark.usefixtures("folder")
def test_the_checkpoint_of_a_run_shows_its_cost(capsys: pytest.CaptureFixture[str]) -> None:
    result = ml.fit(
        network(), ROWS, [0, 1, 0], l2=0.5, checkpoint="run.h5", trainer=ml.LBFGS(max_iterations=3)
    )
    assert main(["inspect", "run.h5"]) == 0
    out = capsys.readouterr().out
    assert f"loss: CategoricalCrossEntropy()\ncost: {result.fun}\nl2: 0.5\nrows: 3\n" in out
    assert f"method: L-BFGS\niterations: {result.nit}\nevaluations: {result.nfev}" in out


@pytest.mark.parametrize("name", ["1", "2", "3", "3-arrays", "3-loss", "4"])
def test_files_of_every_version_are_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = ROOT / "tests" / "fixtures" / f"checkpoint-{name}.h5"
    assert main(["inspect", str(path)]) == 0
    out = capsys.readouterr().out
    assert f"checkpoint-{name}.h5: format {name[0]}, written by minilayer " in out
    assert "checksums: right" in out


@pytest.mark.usefixtures("folder")
def test_a_damaged_file_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with h5py.File("plain.h5", "r+") as file:
        file["layers/0/theta"][0, 0] = 5
    assert main(["inspect", "plain.h5"]) == 1
    message = "minilayer: plain.h5: /layers/0/theta: expected its checksum, found other numbers"
    assert capsys.readouterr().err == f"{message}: damaged\n"


@pytest.mark.usefixtures("folder")
def test_a_stranger_s_letters_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = network()
    model.class_names = ["\x1b[31m", "two\nlines"]
    ml.save(model, "model.h5", metadata={"\x1b[2J": "\x1b[31m", "half": "\ud800", "list": ["\x07"]})
    for options in ([], ["--json"]):
        assert main(["inspect", "model.h5", *options]) == 0
        out = capsys.readouterr().out
        assert all(line.isprintable() for line in out.split("\n"))


# predict


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("rows", ["X.npy", "X.csv", "header.csv", "spreadsheet.csv"])
@pytest.mark.parametrize("model", ["plain.h5", "named.h5"])
def test_predictions_are_those_of_predict(model: str, rows: str) -> None:
    expected = network().predict(ROWS)
    assert main(["predict", model, rows, "out.npy"]) == 0
    np.testing.assert_array_equal(np.load("out.npy"), expected)
    assert main(["predict", model, rows, "out.csv"]) == 0
    table = np.loadtxt("out.csv", delimiter=",", skiprows=1, usecols=(0, 1))
    np.testing.assert_array_equal(table, expected)


@pytest.mark.usefixtures("folder")
def test_a_table_has_names_and_classes_where_they_are_known() -> None:
    main(["predict", "named.h5", "X.npy", "out.csv"])
    lines = Path("out.csv").read_text().splitlines()
    assert lines[0] == 'no,"yes, perhaps",class'
    assert all(line.endswith(',"yes, perhaps"') for line in lines[1:])
    main(["predict", "plain.h5", "X.npy", "out.csv"])
    assert Path("out.csv").read_text().splitlines()[0] == "output 0,output 1"
    main(["predict", "numbers.h5", "X.npy", "out.csv"])
    assert Path("out.csv").read_text().splitlines()[0] == "output"
    binary = ml.mlp(2, 3, 1, output=ml.Sigmoid, seed=0)
    binary.class_names = ["no", "yes"]
    ml.save(binary, "binary.h5")
    main(["predict", "binary.h5", "X.npy", "out.csv"])
    expected = [["no", "yes"][code] for code in binary.predict_class(ROWS)]
    lines = Path("out.csv").read_text().splitlines()
    assert lines[0] == "output,class"
    assert [line.partition(",")[2] for line in lines[1:]] == expected


# export


@pytest.mark.usefixtures("folder")
def test_onnx_files_know_the_names() -> None:
    onnx = pytest.importorskip("onnx")
    assert main(["export", "named.h5", "out.onnx"]) == 0
    about = {entry.key: entry.value for entry in onnx.load("out.onnx").metadata_props}
    assert json.loads(about["class_names"]) == CLASSES
    assert json.loads(about["feature_names"]) == FEATURES


@pytest.mark.usefixtures("folder")
def test_pages_know_the_classes() -> None:
    model = ml.mlp(16, 3, 2, output=ml.Softmax, seed=0)
    model.class_names = ["cat", "rabbit"]
    ml.save(model, "images.h5")
    assert main(["export", "images.h5", "out.html"]) == 0
    assert re.search("rabbit", Path("out.html").read_text(encoding="utf-8"))


# The process


@pytest.mark.usefixtures("folder")
def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "minilayer", "inspect", "nothing.h5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "minilayer: nothing.h5: expected a checkpoint, found no file there\n"


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(os.name != "posix", reason="needs a shell with pipes")
def test_a_reader_that_has_had_enough_is_no_error() -> None:
    ml.save(network(), "long.h5", metadata={f"{k}": "x" * 150 for k in range(2000)})
    command = f"'{sys.executable}' -m minilayer inspect long.h5 | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("long.h5: format 4")
    assert done.stderr == ""


def test_the_command_is_installed() -> None:
    scripts = [one for one in entry_points(group="console_scripts") if one.name == "minilayer"]
    if not scripts:
        pytest.skip("minilayer is not installed, or from before the command")
    assert scripts[0].load() is main


def test_the_version_is_that_of_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"minilayer {library_version()}\n"
