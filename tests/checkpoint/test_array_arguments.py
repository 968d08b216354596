"""Arguments that are arrays: datasets of the file, back bit for bit, or a clear refusal."""

import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import minilayer as ml
from minilayer.nn import ConfigValue, configured
from minilayer.utils.types import Array
from tests.checkpoint.plain_hdf5 import Layer, checkpoint, dense, standardize, write
from tests.helpers.paths import ROOT

X = np.random.default_rng(0).standard_normal((9, 2))


class Shift(ml.Layer):
    """y = x + shift, with a shift of any shape that the test chooses."""

    def __init__(self, shift: Array, factor: float = 1.0) -> None:
        self.shift = shift
        self.factor = factor

    def forward(self, x: Array) -> Array:
        return np.asarray(x + self.factor * np.sum(self.shift))

    def input_gradient(self, dy: Array) -> Array:
        return dy


class Start(ml.Initializer):
    """Starts at numbers that are given."""

    def __init__(self, values: Array) -> None:
        self.values = values

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> Array:
        return np.resize(self.values, shape)


class Scale(ml.Layer):
    """y = x * scale, whose start is an argument of the parameter's name."""

    def __init__(self, scale: Array) -> None:
        self.scale = scale
        self.inputs = self.units = len(scale)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"scale": self.scale.shape}

    def initialize(self, rng: np.random.Generator) -> None:
        self.parameters["scale"][:] = self.scale

    def forward(self, x: Array) -> Array:
        return np.asarray(x * self.parameters["scale"])

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(dy * self.parameters["scale"])


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configured, "_REGISTRY", dict(configured._REGISTRY))
    for kind in (Shift, Start, Scale):
        ml.register(kind)


def model(*first: ml.Layer) -> ml.Sequential:
    return ml.Sequential([*first, ml.Dense(2, 1)], seed=0)


def trip(network: ml.Sequential, folder: Path) -> ml.Sequential:
    ml.save(network, folder / "model.h5")
    return ml.load(folder / "model.h5")


def test_constants_come_back_bit_for_bit(tmp_path: Path) -> None:
    mean = np.array([0.1, -1e300])
    scale = np.array([5e-324, 1 / 3])
    network = ml.Sequential(
        [ml.Standardize(mean, scale), ml.Dense(2, 2), ml.Rescale(-mean, 2 * scale)], seed=0
    )
    again = trip(network, tmp_path)
    assert repr(again) == repr(network)
    for layer, twin in zip(network, again, strict=True):
        for name, value in layer.config().items():
            if isinstance(value, np.ndarray):
                found = twin.config()[name]
                assert isinstance(found, np.ndarray)
                assert found.tobytes() == value.tobytes()
                assert not found.flags.writeable
    np.testing.assert_array_equal(again.predict(X), network.predict(X))


def test_the_file_explains_itself(tmp_path: Path) -> None:
    ml.save(model(ml.Standardize([1, 2], [3, 4])), tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        layer = file["layers/0"]
        assert dict(layer.attrs) == {
            "class": b"Standardize",
            "config": b"{}",
            "arrays": b'{"mean": [2], "scale": [2]}',
        }
        assert (layer["config/mean"].dtype, list(layer["config/mean"])) == (np.float64, [1, 2])
        assert list(layer["config/scale"]) == [3, 4]
        assert "arrays" not in file["layers/1"].attrs


@given(
    shift=npst.arrays("f8", npst.array_shapes(min_dims=0), elements=st.floats(-1e300, 1e300)),
    factor=st.floats(-2, 2),
)
def test_a_layer_of_ones_own(tmp_path_factory: Any, shift: Array, factor: float) -> None:
    network = model(Shift(shift, factor))
    again = trip(network, tmp_path_factory.mktemp("trip"))[0]
    assert isinstance(again, Shift)
    assert (again.shift.shape, again.shift.tobytes()) == (shift.shape, shift.tobytes())
    assert again.factor == factor


def test_arrays_of_an_argument_with_arguments_and_of_a_parameters_name(tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(2, 3)
    network = ml.Sequential([Scale(np.array([2.0, 3.0])), ml.Dense(2, 2, Start(values))], seed=0)
    network.parameters[:] = np.arange(8)
    again = trip(network, tmp_path)
    initializer = again[1].config()["initializer"]
    assert isinstance(initializer, Start)
    np.testing.assert_array_equal(initializer.values, values)
    np.testing.assert_array_equal(again[0].config()["scale"], [2, 3])
    np.testing.assert_array_equal(again.parameters, np.arange(8))


def test_parameters_load_only_into_a_model_of_the_same_constants(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    ml.save(model(ml.Standardize([1, 2], [3, 4])), path)
    same = model(ml.Standardize([1, 2], [3, 4]))
    same.parameters[:] = 0
    ml.load_parameters(same, path)
    assert same.parameters.any()
    other = model(ml.Standardize([1, 2], [3, np.nextafter(4, 5)]))
    with pytest.raises(ml.CheckpointError, match=r"found \[.*\] with other arguments$"):
        ml.load_parameters(other, path)


class Named(Scale):
    """A parameter of the name under which arrays of arguments are stored."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"config": self.scale.shape}

    def initialize(self, rng: np.random.Generator) -> None:
        pass


def nested(depth: int) -> ConfigValue:
    layer: ml.Layer = ml.Standardize([0], [1])
    for _ in range(depth):
        layer = Shift(layer)  # type: ignore[arg-type]
    return layer


FLOAT = r"shift: expected a non-empty float64 array, found an array of shape "
REFUSED: dict[str, tuple[Any, str]] = {
    "integers": (np.arange(3), FLOAT + r"\(3,\) and dtype int64: numpy.asarray\(shift, float\) ma"),
    "single precision": (np.ones(2, "f4"), FLOAT + r"\(2,\) and dtype float32: numpy.asarray"),
    "booleans": (np.ones(2, bool), FLOAT + r"\(2,\) and dtype bool: numpy.asarray"),
    "big-endian": (np.ones(2, ">f8"), FLOAT + r"\(2,\) and dtype >f8: numpy.asarray"),
    "texts": (np.array(["a"]), FLOAT + r"\(1,\) and dtype <U1$"),
    "objects": (np.array([None]), FLOAT + r"\(1,\) and dtype object$"),
    "nothing": (np.ones((2, 0)), FLOAT + r"\(2, 0\) and dtype float64"),
    "33 dimensions": (np.ones((1,) * 33), FLOAT + r"\(1, 1, .* and dtype float64"),
    "NaN": (np.array([np.nan]), r"shift: expected finite numbers: save\(\.\.\., allow_non_finite"),
    "a list of arrays": ([np.ones(2)], "ndarray is not JSON serializable"),
    "nested too deep": (nested(7), "shift: expected arguments nested at most 8 deep"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_the_format_cannot_hold_is_refused_before_writing(tmp_path: Path, kind: str) -> None:
    value, message = REFUSED[kind]
    with pytest.raises(ml.CheckpointError, match=rf"^layers\[0\] Shift\(.*{message}"):
        ml.save(model(Shift(value)), tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []


def test_a_parameter_under_the_name_of_the_arrays_is_refused(tmp_path: Path) -> None:
    ml.register(Named)
    message = r"layers\[0\] Named\(scale=an array of shape \(2,\)\), config: expected another name"
    with pytest.raises(ml.CheckpointError, match=message):
        ml.save(model(Named(np.ones(2))), tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []


def test_numbers_that_are_not_finite_are_stored_on_demand(tmp_path: Path) -> None:
    shift = np.array([np.nan, np.inf, -0.0])
    ml.save(model(Shift(shift)), tmp_path / "model.h5", allow_non_finite=True)
    again = ml.load(tmp_path / "model.h5")[0]
    assert isinstance(again, Shift)
    assert again.shift.tobytes() == shift.tobytes()


def test_arguments_nested_as_deep_as_allowed_come_back(tmp_path: Path) -> None:
    network = model(Shift(nested(6)))  # type: ignore[arg-type]
    assert repr(trip(network, tmp_path)) == repr(network)


def test_files_of_version_3_keep_loading() -> None:
    again = ml.load(ROOT / "tests" / "fixtures" / "checkpoint-3-arrays.h5")
    layers = "Standardize(2 columns), Dense(2, 3), Tanh(), Dense(3, 1), Rescale(1 column)"
    assert repr(again) == f"Sequential([{layers}])"
    np.testing.assert_array_equal(again.parameters, np.arange(13) / 7)
    first, last = again[0], again[-1]
    assert isinstance(first, ml.Standardize)
    assert isinstance(last, ml.Rescale)
    np.testing.assert_array_equal(first.mean, [0.5, 1e300])
    np.testing.assert_array_equal(first.scale, [0.25, 1e299])
    np.testing.assert_array_equal([last.mean, last.scale], [[-3.0], [1 / 3]])


# Files that somebody made


def with_shapes(shapes: str, config: str = "{}") -> Layer:
    name, _, parts = standardize(2)
    return name, config, {**parts, "": shapes}


def with_array(name: str, value: Any) -> Layer:
    kind, config, parts = standardize(2)
    return kind, config, {**parts, f"config/{name}": np.array(value)}


BOTH = '{"mean": [2], "scale": [2]}'
DEEP = '{"a": ' * 900 + "{}" + "}" * 900

MALFORMED: dict[str, tuple[Layer, str]] = {
    "no JSON": (with_shapes("shapes"), "layers/0: expected arrays = a JSON object, found"),
    "brackets without an end": (with_shapes("[" * 60_000), "expected arrays = a JSON object"),
    "a list": (with_shapes("[2]"), "expected arrays = shapes by name as arrays"),
    "None": (with_shapes("null"), "expected arrays = shapes by name as arrays"),
    "a missing one": (with_shapes('{"mean": [2]}'), "missing 1 required positional argument"),
    "one too many": (with_shapes('{"mean": [2], "scale": [2], "x": [2]}'), "/config/x: expected"),
    "another length": (with_shapes('{"mean": [3], "scale": [2]}'), r"expected shape \(3,\)"),
    "a length of 0": (with_shapes('{"mean": [0], "scale": [2]}'), "integers from 1 up"),
    "a length beyond int64": (with_shapes('{"mean": [1e30], "scale": [2]}'), "integers from 1 up"),
    "an overflow": (with_shapes('{"mean": [4611686018427387904, 8]}'), "expected shape"),
    "a length that is true": (with_shapes('{"mean": [true], "scale": [2]}'), "integers from 1 up"),
    "33 dimensions": (with_shapes(json.dumps({"mean": [1] * 33})), "at most 32 integers"),
    "a path": (with_shapes('{"a/b": [2]}'), "expected arrays = names of at most 255 bytes"),
    "half of a surrogate pair": (with_shapes(r'{"\ud800": [2]}'), "names of at most 255 bytes"),
    "a value too": (with_shapes(BOTH, '{"mean": 3}'), "either a value or an array of each name"),
    "nested in what is no object": (with_shapes('{"mean": {"a": [2]}}'), "integers from 1 up"),
    "nested 900 deep": (with_shapes(DEEP, DEEP), "expected "),
    "a configuration that is a list": (with_shapes(BOTH, "[]"), "those of a JSON object"),
    "NaN": (with_array("mean", [0, np.nan]), "mean of Standardize: expected finite numbers"),
    "infinity": (with_array("scale", [1, np.inf]), "scale of Standardize: expected finite numbers"),
    "a scale of 0": (with_array("scale", [1, 0]), "expected numbers > 0, found 0 in column 1"),
    "other columns": (with_array("scale", [1, 2, 3]), r"expected shape \(2,\), found \(3,\)"),
    "an array for a layer without": (("Tanh", "{}", standardize(2)[2]), "Tanh"),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_arrays_are_refused(tmp_path: Path, kind: str) -> None:
    layer, message = MALFORMED[kind]
    path = write(tmp_path / "model.h5", checkpoint([layer, dense(2, 1)]))
    for read in (ml.load, ml.load_state):
        with pytest.raises(ml.CheckpointError, match=rf"^.*model\.h5: /.*{message}"):
            read(path)


def test_other_numbers_are_damage(tmp_path: Path) -> None:
    content = checkpoint([standardize(2), dense(2, 1)])
    assert repr(ml.load(write(tmp_path / "good.h5", content)).layers[0]) == "Standardize(2 columns)"
    place = content.index(np.float64(1 + 1 / 7).tobytes())
    damaged = content[:place] + b"\x01" + content[place + 1 :]
    with pytest.raises(ml.CheckpointError, match="/layers/0/config/scale: expected its checksum"):
        ml.load(write(tmp_path / "model.h5", damaged))
