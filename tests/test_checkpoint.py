"""save and load: the same network again, or a clear refusal and the old file intact."""

import errno
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.checks import Array
from tests.conftest import HIDDEN


def small() -> ml.Sequential:
    return ml.Sequential([ml.Dense(2, 3), ml.Tanh(), ml.Dense(3, 1), ml.Sigmoid()], seed=0)


@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    hidden=st.lists(st.sampled_from(HIDDEN), min_size=4, max_size=4),
    scale=st.sampled_from([0.0, 1e-310, 1.0, 1e300]),
)
def test_round_trip(tmp_path_factory: Any, widths: list[int], hidden: list[type[ml.Activation]], scale: float) -> None:
    layers: list[ml.Layer] = []
    for inputs, units, activation in zip(widths[:-1], widths[1:], hidden, strict=False):
        layers += [ml.Dense(inputs, units), activation()]
    model = ml.Sequential(layers, seed=1)
    model.parameters[:] *= scale
    path = tmp_path_factory.mktemp("trip") / "model.h5"
    ml.save(model, path)
    twin = ml.load(path)
    assert repr(twin) == repr(model)
    assert twin.parameters.tobytes() == model.parameters.tobytes()
    assert np.shares_memory(twin.layers[0].parameters["theta"], twin.parameters)


def test_the_file_explains_itself(tmp_path: Path) -> None:
    ml.save(small(), tmp_path / "small.h5")
    with h5py.File(tmp_path / "small.h5") as file:
        assert (file.attrs["format"], file.attrs["version"], file.attrs["layers"]) == ("minilayer", 1, 4)
        assert dict(file["layers/0"].attrs) == {"class": "Dense", "inputs": 2, "units": 3}
        assert file["layers/0/theta"].shape == (3, 3)
        assert file["layers/1"].attrs["class"] == "Tanh"


def test_an_ordinary_file_with_no_litter(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    for _ in range(3):
        ml.save(small(), tmp_path / "model.h5")
    assert sorted(os.listdir(tmp_path)) == ["model.h5", "plain"]
    assert (tmp_path / "model.h5").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("step", ["fsync", "replace", "write"])
def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    path = tmp_path / "model.h5"
    ml.save(small(), path)
    old = path.read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "fsync":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr(Path, step if step == "replace" else "open", full)
        with pytest.raises(OSError, match="No space left on device"):
            ml.save(ml.Sequential([ml.Dense(9, 9)]), path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["model.h5"]


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere"):
        ml.save(small(), tmp_path / "nowhere" / "model.h5")


def test_an_unregistered_layer_is_not_saved(tmp_path: Path) -> None:
    class Cube(ml.Activation):
        """x ** 3."""

        def function(self, x: Array, out: Array) -> None:
            np.power(x, 3, out=out)

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            np.multiply(dy, 3 * x**2, out=out)

    with pytest.raises(ml.CheckpointError, match=r"found Cube\(\): put @minilayer\.register before `class Cube`"):
        ml.save(ml.Sequential([ml.Dense(1, 1), Cube()]), tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []
    with pytest.raises(TypeError, match="model: expected a Sequential, found 3"):
        ml.save(3, tmp_path / "model.h5")  # type: ignore[arg-type]


def edit(path: Path, change: Any) -> None:
    with h5py.File(path, "r+") as file:
        change(file)


def replace_theta(file: h5py.File, value: Array) -> None:
    del file["layers/0/theta"]
    file["layers/0/theta"] = value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.attrs.__setitem__("format", "keras"), "expected a file with format = 'minilayer', found 'keras'"),
        (lambda f: f.attrs.__delitem__("format"), "expected a file with format = 'minilayer', found None"),
        (lambda f: f.attrs.__setitem__("version", 2), "expected version 1 to 1, found 2: a newer minilayer wrote it"),
        (lambda f: f.attrs.__setitem__("version", "1"), "expected version 1 to 1, found 1"),
        (lambda f: f.attrs.__setitem__("layers", 5), "expected a Group /layers/4, found None"),
        (lambda f: f.attrs.__setitem__("layers", 0), "expected layers = 1 to 10000, found"),
        (lambda f: f["layers/1"].attrs.__setitem__("class", "Cosine"), "found Cosine: put @minilayer.register before"),
        (lambda f: f["layers/0"].attrs.__setitem__("units", 0), "/layers/0: expected arguments of Dense"),
        (lambda f: f["layers/0"].attrs.__setitem__("color", 1), "/layers/0: expected arguments of Dense"),
        (lambda f: f["layers/2"].attrs.__setitem__("inputs", 4), r"layers\[2\]: Dense\(4, 1\) takes 4 columns"),
        (lambda f: f.__delitem__("layers/0/theta"), "expected a Dataset /layers/0/theta, found None"),
        (
            lambda f: replace_theta(f, np.zeros((3, 4))),
            r"/layers/0/theta: expected float64 \(3, 3\), .* \(3, 4\)",
        ),
        (lambda f: replace_theta(f, np.zeros((3, 3), "f4")), r"expected float64 \(3, 3\), found float32 \(3, 3\)"),
        (lambda f: f["layers/0/theta"].__setitem__((0, 0), 7.0), "expected its checksum, found other numbers"),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    path = tmp_path / "model.h5"
    ml.save(small(), path)
    edit(path, change)
    with pytest.raises(ml.CheckpointError, match=message) as caught:
        ml.load(path)
    assert "model.h5" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"text", b"\x89HDF\r\n\x1a\n", bytes(4000)])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.h5").write_bytes(content)
    with pytest.raises(ml.CheckpointError, match=r"other\.h5: expected a checkpoint, found a file that cannot be read"):
        ml.load(tmp_path / "other.h5")
    with pytest.raises(FileNotFoundError, match=r"none\.h5: expected a checkpoint, found no file there"):
        ml.load(tmp_path / "none.h5")
