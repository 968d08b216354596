"""save and load: the same network again, or a clear refusal and the old file intact."""

import errno
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import minilayer as ml
from minilayer.nn import configured
from minilayer.utils.types import Array
from tests.checkpoint.hostile import model
from tests.helpers.paths import ROOT
from tests.helpers.problems import HIDDEN


@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    hidden=st.lists(st.sampled_from(HIDDEN), min_size=4, max_size=4),
    scale=st.sampled_from([0.0, 1e-310, 1.0, 1e300]),
)
def test_round_trip(
    tmp_path_factory: Any, widths: list[int], hidden: list[type[ml.Activation]], scale: float
) -> None:
    parts: list[ml.Layer] = []
    for inputs, units, activation in zip(widths[:-1], widths[1:], hidden, strict=False):
        parts += [ml.Dense(inputs, units), activation()]
    model = ml.Sequential(parts, seed=1)
    model.parameters[:] *= scale
    path = tmp_path_factory.mktemp("trip") / "model.h5"
    ml.save(model, path)
    twin = ml.load(path)
    assert repr(twin) == repr(model)
    assert twin.parameters.tobytes() == model.parameters.tobytes()
    assert np.shares_memory(twin.layers[0].parameters["theta"], twin.parameters)


def test_the_file_explains_itself(tmp_path: Path) -> None:
    ml.save(model(), tmp_path / "small.h5")
    with h5py.File(tmp_path / "small.h5") as file:
        assert (file.attrs["format"], file.attrs["version"], file.attrs["layers"]) == (
            b"minilayer",
            3,
            4,
        )
        assert dict(file["layers/0"].attrs) == {
            "class": b"Dense",
            "config": b'{"inputs": 2, "units": 3, '
            b'"initializer": {"class": "UniformEpsilon", "config": {"epsilon": null}}, '
            b'"bias": true}',
        }
        np.testing.assert_array_equal(file["layers/0/theta"], model().layers[0].parameters["theta"])
        assert file["layers/1"].attrs["class"] == b"Tanh"


def test_load_draws_no_starting_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be overwritten at once."""

    def fail(*_: Any) -> Array:
        raise AssertionError("values were drawn")

    ml.save(model(), tmp_path / "model.h5")
    original = model().parameters
    monkeypatch.setattr(ml.UniformEpsilon, "sample", fail)
    loaded = ml.load(tmp_path / "model.h5")
    np.testing.assert_array_equal(loaded.parameters, original)
    assert loaded.parameters.dtype == np.dtype("=f8")
    loaded.parameters[:] = 0  # it is a vector of its own
    assert not loaded.layers[0].parameters["theta"].any()


FIXTURES = ROOT / "tests" / "fixtures"
"""A file as each version of the format wrote it; the parameters are k / 7."""


def test_files_of_version_1_keep_loading() -> None:
    path = FIXTURES / "checkpoint-1.h5"
    layers = "Dense(2, 3), Tanh(), Dense(3, 3), ReLU(), Dense(3, 2), Softmax()"
    assert repr(ml.load(path)) == f"Sequential([{layers}])"
    np.testing.assert_array_equal(ml.load(path).parameters, np.arange(29) / 7)
    state = ml.load_state(path)
    np.testing.assert_array_equal(state.pop("velocity"), np.arange(3))
    assert state == {"note": "written by format 1"}


@pytest.mark.parametrize("version", [2, 3])
def test_files_of_versions_2_and_3_keep_loading(version: int) -> None:
    path = FIXTURES / f"checkpoint-{version}.h5"
    layers = "Dense(2, 3), Tanh(), Dense(3, 3, bias=False), ReLU(), Dense(3, 2), Softmax()"
    model = ml.load(path)
    assert repr(model) == f"Sequential([{layers}])"
    initializers = [repr(layer.config().get("initializer")) for layer in model]
    assert initializers[::2] == ["UniformEpsilon(0.125)", "Glorot()", "UniformEpsilon()"]
    np.testing.assert_array_equal(ml.load(path).parameters, np.arange(26) / 7)
    state = ml.load_state(path)
    np.testing.assert_array_equal(state.pop("velocity"), np.arange(3))
    np.testing.assert_array_equal(state["best"].pop("x"), np.arange(26) / 7)
    np.testing.assert_array_equal(state["best"]["about"].pop("rows"), np.arange(6).reshape(2, 3))
    assert state == {
        "note": f"written by format {version}",
        "best": {"cost": 0.25, "about": {"finished": True}},
        "evaluations": 12,
        "empty": {},
        "limit": float("inf"),
    }


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60
)
VALUES = st.one_of(
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.text(),
    npst.arrays("f8", npst.array_shapes()),
)
STATES = st.recursive(
    st.dictionaries(NAMES.filter(lambda name: name != "."), VALUES, max_size=4),
    lambda states: st.dictionaries(
        NAMES.filter(lambda name: name != "."), states | VALUES, max_size=4
    ),
    max_leaves=6,
)


@given(state=STATES)
@example(state={"ä": {"€": np.ones(2)}})
def test_a_state_comes_back_as_it_was(tmp_path_factory: Any, state: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("trip") / "model.h5"
    ml.save(model(), path, state=state)
    np.testing.assert_equal(ml.load_state(path), state)


def test_arrays_of_a_state_can_be_changed_and_have_any_shape(tmp_path: Path) -> None:
    state = {"number": np.array(3.0), "many": np.ones((1,) * 32), "slice": np.eye(4)[::2, ::3]}
    ml.save(model(), tmp_path / "model.h5", state=state)
    again = ml.load_state(tmp_path / "model.h5")
    for name, value in state.items():
        np.testing.assert_array_equal(again[name], value)
        assert again[name].shape == value.shape
        again[name][...] = 7


def test_a_state_of_other_kinds_is_not_saved(tmp_path: Path) -> None:
    deep: dict[str, Any] = {}
    for _ in range(9):
        deep = {"a": deep}
    kinds = [
        [1],
        None,
        1j,
        b"a",
        np.ones(3, "f4"),
        np.ones(0),
        np.ones((1,) * 33),
        np.int64(3),
        deep,
    ]
    for value in kinds:
        with pytest.raises(TypeError, match="state: expected numbers, strings and non-empty"):
            ml.save(model(), tmp_path / "model.h5", state={"a": value})
    names: list[Any] = ["", ".", "a/b", "a\0b", "\ud800", "a" * 256, "ä" * 128, 3]
    for name in names:
        with pytest.raises(TypeError, match="state: expected numbers, strings and non-empty"):
            ml.save(model(), tmp_path / "model.h5", state={name: np.ones(3)})
    assert os.listdir(tmp_path) == []


def test_what_exceeds_the_format_is_not_saved(tmp_path: Path) -> None:
    """A file that load would refuse is not written."""
    path = tmp_path / "model.h5"
    with pytest.raises(ml.CheckpointError, match="state: expected at most 64000 bytes as JSON"):
        ml.save(model(), path, state={"note": "x" * 64_000})
    with pytest.raises(ml.CheckpointError, match="state: expected values that JSON can hold"):
        ml.save(model(), path, state={"count": 10**5000})
    layers = [ml.Dense(1, 1), *[ml.Tanh() for _ in range(10_000)]]
    with pytest.raises(ml.CheckpointError, match="layers: expected at most 10000, found 10001"):
        ml.save(ml.Sequential(layers), path)
    assert os.listdir(tmp_path) == []
    state = {"note": "x" * (64_000 - len('{"values": {"note": ""}, "arrays": {}}'))}
    ml.save(model(), path, state=state)
    assert ml.load_state(path) == state


def test_many_layers(tmp_path: Path) -> None:
    model = ml.Sequential(
        [layer for _ in range(150) for layer in (ml.Dense(2, 2), ml.Tanh())], seed=0
    )
    ml.save(model, tmp_path / "deep.h5")
    assert ml.load(tmp_path / "deep.h5").parameters.tobytes() == model.parameters.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_parameters_that_are_not_finite_are_stored_on_demand_only(
    tmp_path: Path, value: float
) -> None:
    changed = model()
    changed.parameters[9] = value
    with pytest.raises(
        ml.CheckpointError, match=r"layers\[2\] Dense\(3, 1\), theta: expected finite numbers"
    ):
        ml.save(changed, tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []
    ml.save(changed, tmp_path / "model.h5", allow_non_finite=True)
    assert ml.load(tmp_path / "model.h5").parameters.tobytes() == changed.parameters.tobytes()


def test_a_layer_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configured, "_REGISTRY", dict(configured._REGISTRY))

    @ml.register
    class Leaky(ml.Activation):
        """x, or slope x below 0."""

        def __init__(self, slope: float = 0.1, name: str = "leak") -> None:
            self.slope, self.name = slope, name

        def config(self) -> dict[str, Any]:
            return {"slope": self.slope, "name": self.name}

        def function(self, x: Array, out: Array) -> None:
            np.multiply(x, np.where(x > 0, 1, self.slope), out=out)

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            np.multiply(dy, np.where(x > 0, 1, self.slope), out=out)

    model = ml.Sequential([ml.Dense(2, 3), Leaky(0.3, "ä"), ml.Dense(3, 1)], seed=0)
    ml.save(model, tmp_path / "model.h5")
    twin = ml.load(tmp_path / "model.h5")
    assert (
        repr(twin)
        == repr(model)
        == "Sequential([Dense(2, 3), Leaky(slope=0.3, name='ä'), Dense(3, 1)])"
    )
    X = np.random.default_rng(0).standard_normal((9, 2))
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    monkeypatch.setattr(
        configured, "_REGISTRY", {"Dense": ml.Dense, "UniformEpsilon": ml.UniformEpsilon}
    )
    with pytest.raises(
        ml.CheckpointError, match=r"found Leaky: put @minilayer\.register before `class Leaky`"
    ):
        ml.load(tmp_path / "model.h5")


def test_an_ordinary_file_with_no_litter(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    for _ in range(3):
        ml.save(model(), tmp_path / "model.h5")
    assert sorted(os.listdir(tmp_path)) == ["model.h5", "plain"]
    assert (tmp_path / "model.h5").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("step", ["fsync", "replace", "write"])
def test_a_failure_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "model.h5"
    ml.save(model(), path)
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
    with pytest.raises(
        FileNotFoundError,
        match=r"model\.h5: expected a folder to write it to, found none at .*nowhere",
    ):
        ml.save(model(), tmp_path / "nowhere" / "model.h5")


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=r"expected a file to write, found a folder$"):
        ml.save(model(), tmp_path)
    assert os.listdir(tmp_path) == []


NO_PATHS: list[Any] = [None, True, 3, ["model.h5"]]


@pytest.mark.parametrize("path", NO_PATHS)
def test_what_is_no_path_is_named(path: Any) -> None:
    for call in (
        lambda: ml.save(model(), path),
        lambda: ml.load(path),
        lambda: ml.load_parameters(model(), path),
        lambda: ml.load_state(path),
        lambda: ml.load_ex4(path),
        lambda: ml.load_ex4_weights(path),
        lambda: ml.save_ex4_weights(model(), path),
    ):
        with pytest.raises(TypeError, match=r"^path: expected a file's path, found "):
            call()


@pytest.mark.parametrize("call", [ml.save, ml.load_parameters, ml.save_ex4_weights])
def test_what_is_no_model_is_named(call: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^model: expected a Sequential, found 'model'$"):
        call("model", tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []


def test_an_unregistered_layer_is_not_saved(tmp_path: Path) -> None:
    class Cube(ml.Activation):
        """x ** 3."""

        def function(self, x: Array, out: Array) -> None:
            np.power(x, 3, out=out)

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            np.multiply(dy, 3 * x**2, out=out)

    with pytest.raises(
        ml.CheckpointError, match=r"found Cube\(\): put @minilayer\.register before `class Cube`"
    ):
        ml.save(ml.Sequential([ml.Dense(1, 1), Cube()]), tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []
    with pytest.raises(TypeError, match="model: expected a Sequential, found 3"):
        ml.save(3, tmp_path / "model.h5")  # type: ignore[arg-type]


def edit(path: Path, change: Any) -> None:
    with h5py.File(path, "r+", libver="earliest") as file:
        change(file)


def set_attribute(place: str, name: str, value: Any) -> Any:
    def change(file: h5py.File) -> None:
        if name in file[place].attrs:
            del file[place].attrs[name]
        file[place].attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else value

    return change


def replace_theta(value: Array) -> Any:
    def change(file: h5py.File) -> None:
        del file["layers/0/theta"]
        file["layers/0/theta"] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_attribute("/", "format", "keras"), "/: expected format = 'minilayer', found 'keras'"),
        (lambda f: f.attrs.__delitem__("format"), "/: expected format = 'minilayer', found None"),
        (
            set_attribute("/", "version", 5),
            "/: expected version 1 to 4, found 5: a newer minilayer wrote it, install",
        ),
        (set_attribute("/", "version", "1"), "/: expected version 1 to 4, found '1'"),
        (set_attribute("/", "layers", 5), "/layers/4: expected a hard link to it, found none"),
        (set_attribute("/", "layers", 0), "/: expected layers = 1 to 10000, found 0"),
        (
            set_attribute("layers/1", "class", "Cosine"),
            "/layers/1: .* found Cosine: put @minilayer.register before",
        ),
        (
            set_attribute("layers/0", "config", '{"inputs": 2}'),
            "/layers/0: expected arguments of Dense, found",
        ),
        (
            set_attribute("layers/0", "config", '{"inputs": 2, "units": 3, "color": 1}'),
            "unexpected keyword argument",
        ),
        (
            set_attribute("layers/0", "config", "Dense(2, 3)"),
            "/layers/0: expected arguments of Dense",
        ),
        (
            set_attribute("layers/1", "config", '{"rate": 1}'),
            "/layers/1: expected arguments of Tanh",
        ),
        (
            lambda f: f.__delitem__("layers/0/theta"),
            "/layers/0/theta: expected a hard link to it, found none",
        ),
        (
            replace_theta(np.zeros((3, 4))),
            r"/layers/0/theta: expected shape \(3, 3\), found \(3, 4\)",
        ),
        (replace_theta(np.zeros((3, 3), "f4")), "/layers/0/theta: expected .*float"),
        (
            replace_theta(np.zeros((3, 3))),
            "/layers/0/theta: expected its checksum, found other numbers",
        ),
        (
            set_attribute("/", "sha256", "0" * 64),
            "/: expected the checksum of all content, found another",
        ),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    path = tmp_path / "model.h5"
    ml.save(model(), path)
    edit(path, change)
    with pytest.raises(ml.CheckpointError, match=message) as caught:
        ml.load(path)
    assert "model.h5" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"text", b"\x89HDF\r\n\x1a\n", bytes(4000)])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.h5").write_bytes(content)
    with pytest.raises(
        ml.CheckpointError, match=r"other\.h5: /: expected an HDF5 file, found other bytes"
    ):
        ml.load(tmp_path / "other.h5")
    with pytest.raises(
        FileNotFoundError, match=r"none\.h5: expected a checkpoint, found no file there"
    ):
        ml.load(tmp_path / "none.h5")
