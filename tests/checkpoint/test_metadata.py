"""Metadata and names in checkpoints: what goes in comes out, and what else is refused."""

import json
import os
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import minilayer as ml
from minilayer.checkpoint.format import VERSION, VERSION_WITHOUT_METADATA
from minilayer.utils.types import Array
from tests.checkpoint.hostile import model
from tests.checkpoint.plain_hdf5 import with_metadata, write
from tests.helpers.paths import ROOT

NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60
).filter(lambda name: name != ".")
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda values: (
        st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=9), values, max_size=3)
    ),
    max_leaves=6,
)
DTYPES: tuple[str, ...] = (
    "?",
    "i1",
    "u1",
    "<i2",
    ">i4",
    "<i8",
    "u8",
    "f2",
    ">f4",
    "f8",
    "c8",
    ">c16",
)
DTYPES += ("U3", ">U7", "S5", "M8[D]", "<M8[25s]", ">m8[ns]", "m8")
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda name: npst.arrays(np.dtype(name), npst.array_shapes(min_dims=0, min_side=0))
)


def trip(metadata: dict[str, Any], folder: Path) -> dict[str, Any]:
    ml.save(model(), folder / "model.h5", metadata=metadata)
    return ml.load_metadata(folder / "model.h5")


@given(metadata=st.dictionaries(NAMES, VALUES | ARRAYS, max_size=4))
def test_metadata_come_back_as_they_were(tmp_path_factory: Any, metadata: dict[str, Any]) -> None:
    again = trip(metadata, tmp_path_factory.mktemp("trip"))
    assert set(again) == set(metadata)
    for name, value in metadata.items():
        if isinstance(value, np.ndarray):
            assert again[name].dtype == value.dtype.newbyteorder("=")
            assert again[name].shape == value.shape
            assert again[name].tobytes() == value.astype(again[name].dtype).tobytes()
        else:
            assert again[name] == value
            assert type(again[name]) is type(value)


def test_a_text_may_exceed_what_an_attribute_of_hdf5_holds(tmp_path: Path) -> None:
    text = "Übung 4 ☃" * 30_000
    names = [f"a column with a long name, number {k}" for k in range(5000)]
    again = trip({"notes": text, "columns": names}, tmp_path)
    assert again == {"notes": text, "columns": names}


def test_scalars_of_numpy_and_tuples_come_back_as_those_of_python(tmp_path: Path) -> None:
    given = {
        "a": np.float32(0.1),
        "b": np.int8(3),
        "c": np.True_,
        "d": (1, (2,)),
        "e": np.str_("x"),
    }
    again = trip(given, tmp_path)
    assert again == {"a": float(np.float32(0.1)), "b": 3, "c": True, "d": [1, [2]], "e": "x"}
    assert [type(value) for value in again.values()] == [float, int, bool, list, str]


def test_hdf5_programs_see_names_metadata_and_arrays(tmp_path: Path) -> None:
    named = model()
    named.feature_names = ["Länge", "Höhe"]
    metadata = {
        "rows": 7,
        "pixels": np.arange(3, dtype=np.uint8),
        "best": np.array([[1, 2]], np.float32),
    }
    ml.save(named, tmp_path / "model.h5", metadata=metadata)
    with h5py.File(tmp_path / "model.h5") as file:
        assert file["metadata/feature_names"][()].decode() == "Länge\0Höhe"
        assert file["metadata/values"][()] == b'{"rows": 7}'
        np.testing.assert_array_equal(file["metadata/arrays/pixels"], np.arange(3))
        assert file["metadata/arrays/best"].dtype == np.float32
        about = json.loads(file["metadata"].attrs["arrays"])
        assert about == {"pixels": ["|u1", [3]], "best": ["<f4", [1, 2]]}


# Names


def test_names_come_back_with_the_model(tmp_path: Path) -> None:
    named = model()
    named.feature_names = ["Länge", ""]
    named.class_names = np.array([3, 7])
    ml.save(named, tmp_path / "model.h5")
    again = ml.load(tmp_path / "model.h5")
    assert again.feature_names == ("Länge", "")
    assert again.class_names == ("3", "7")
    assert ml.load_metadata(tmp_path / "model.h5") == {}


@pytest.mark.parametrize("name", ["a\0b", "half \ud800"])
def test_names_that_a_file_cannot_hold_are_refused(tmp_path: Path, name: str) -> None:
    named = model()
    named.feature_names = ["a", name]
    message = f"feature_names: expected names in UTF-8 without NUL, found {name!r}"
    with pytest.raises(ml.CheckpointError, match=re.escape(message)):
        ml.save(named, tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []


# Versions


def test_a_file_without_metadata_is_one_that_older_versions_read(tmp_path: Path) -> None:
    versions = []
    for metadata in (None, {}, {"rows": 7}):
        ml.save(model(), tmp_path / "model.h5", metadata=metadata)
        with h5py.File(tmp_path / "model.h5") as file:
            versions.append(int(file.attrs["version"]))
    assert versions == [VERSION_WITHOUT_METADATA, VERSION_WITHOUT_METADATA, VERSION]


@pytest.mark.parametrize("name", ["1", "2", "3", "3-arrays", "3-loss"])
def test_a_file_of_an_older_version_has_none(name: str) -> None:
    assert ml.load_metadata(ROOT / "tests" / "fixtures" / f"checkpoint-{name}.h5") == {}


def test_files_of_version_4_keep_loading() -> None:
    path = ROOT / "tests" / "fixtures" / "checkpoint-4.h5"
    again = ml.load(path)
    assert repr(again) == "Sequential([Dense(2, 3), Tanh(), Dense(3, 2), Softmax()])"
    np.testing.assert_array_equal(again.parameters, np.arange(17) / 8)
    assert again.feature_names == ("Länge", "width")
    assert again.class_names == ("no", "yes")
    assert repr(ml.load_loss(path)) == "CategoricalCrossEntropy()"
    assert ml.load_state(path) == {"epoch": 3}
    metadata = ml.load_metadata(path)
    arrays = {name: metadata.pop(name) for name in list(metadata) if name.endswith(" array")}
    assert metadata == {
        "text": "written by format 4",
        "numbers": [1, 2.5, True, None],
        "nested": {"a": ["b"]},
    }
    assert {name: (value.dtype.str, value.tolist()) for name, value in arrays.items()} == {
        "bool array": ("|b1", [True, False]),
        "int array": ("<i2", [[-1, 2]]),
        "float array": ("<f4", [0.5, float("inf")]),
        "complex array": ("<c16", [1 + 2j]),
        "string array": ("<U2", ["é", "ab"]),
        "bytes array": ("|S2", [b"ab"]),
        "date array": ("<M8[D]", np.array(["2024-02-29"], "M8[D]").tolist()),
        "empty array": ("<f8", []),
    }


# What save refuses


class Thing:
    def __repr__(self) -> str:
        return "Thing()"


def nested(depth: int) -> list[Any]:
    return [nested(depth - 1)] if depth else []


NOT_STORABLE: dict[str, tuple[Any, type[Exception], str]] = {
    "a list": ([1], TypeError, "metadata: expected values and arrays by name, found [1]"),
    "a name that is a number": (
        {1: "a"},
        TypeError,
        "metadata: expected names that are strings of at most 255 bytes without /, found 1",
    ),
    "a path as a name": ({"a/b": 1}, TypeError, "bytes without /, found 'a/b'"),
    "an object": (
        {"a": Thing()},
        TypeError,
        "metadata['a']: expected strings, numbers, booleans, None, arrays, or lists and mappings "
        "of these, found Thing(): str(...) makes a string",
    ),
    "an object in a list": ({"a": [1, Thing()]}, TypeError, "metadata['a']: expected strings,"),
    "bytes": ({"a": b"x"}, TypeError, "of these, found b'x': str(...) makes a string"),
    "a number as a name in a mapping": (
        {"a": {1: 2}},
        TypeError,
        "metadata['a']: expected names that are strings, found 1",
    ),
    "an array in a list": (
        {"a": [np.ones(2)]},
        TypeError,
        "metadata['a']: expected an array under a name of its own, found one in a list or mapping",
    ),
    "nested too deep": (
        {"a": nested(9)},
        TypeError,
        "metadata['a']: expected lists and mappings nested at most 8 deep",
    ),
    "an array of objects": (
        {"a": np.array([None])},
        TypeError,
        "metadata['a']: expected an array of numbers, booleans, strings, dates or durations of at "
        "most 31 dimensions, found an array of shape (1,) and dtype object",
    ),
    "an array of records": (
        {"a": np.zeros(2, "i4,f4")},
        TypeError,
        "found an array of shape (2,) and dtype [('f0', '<i4'), ('f1', '<f4')]",
    ),
    "32 dimensions": ({"a": np.ones((1,) * 32)}, TypeError, "of at most 31 dimensions"),
    "a masked array": ({"a": np.ma.masked_array([1, 2])}, TypeError, "and dtype int64"),
    "an integer without end": ({"a": 10**5000}, ml.CheckpointError, "metadata: expected values"),
    "a long text": (
        {"a": "x" * 2**24},
        ml.CheckpointError,
        "metadata: expected at most 16777216 bytes as JSON, found 16777225: an array has room for "
        "more",
    ),
    "many arrays": (
        {f"{k:0>200}": np.ones(1) for k in range(400)},
        ml.CheckpointError,
        "names and shapes of the arrays in metadata: expected at most 64000 bytes as JSON",
    ),
}


@pytest.mark.parametrize("kind", NOT_STORABLE)
def test_what_a_file_cannot_hold_is_refused_before_writing(kind: str, tmp_path: Path) -> None:
    metadata, error, message = NOT_STORABLE[kind]
    with pytest.raises(error, match=re.escape(message)):
        ml.save(model(), tmp_path / "model.h5", metadata=metadata)
    assert os.listdir(tmp_path) == []


# Files that somebody made, under valid checksums

THREE = np.arange(3.0)
ABOUT = '{"a": ["<f8", [3]]}'

REFUSED: dict[str, tuple[bytes, str]] = {
    "a dtype of objects": (with_metadata({}, '{"a": ["|O", [3]]}', a=THREE), "a plain dtype"),
    "a dtype of records": (with_metadata({}, '{"a": ["i4,f4", [3]]}', a=THREE), "a plain dtype"),
    "a dtype of much": (
        with_metadata({}, '{"a": ["<U999999999", [3]]}', a=THREE),
        "/metadata/arrays/a: expected",
    ),
    "a dtype of much and a shape of nothing": (
        with_metadata({}, '{"a": ["<U999999999", [0]]}', a=THREE[:0]),
        "/metadata/arrays/a: expected",
    ),
    "a unit of dates that there is not": (
        with_metadata({}, '{"a": ["<M8[0s]", [3]]}', a=np.arange(3)),
        "a plain dtype and a shape of each array, found ['<M8[0s]', [3]]",
    ),
    "another dtype": (
        with_metadata({}, '{"a": ["<i8", [3]]}', a=THREE),
        "/metadata/arrays/a: expected int64, found",
    ),
    "another shape": (
        with_metadata({}, '{"a": ["<f8", [4]]}', a=THREE),
        "/metadata/arrays/a: expected shape (4,), found (3,)",
    ),
    "a negative shape": (with_metadata({}, '{"a": ["<f8", [-3]]}', a=THREE), "integers from 0 up"),
    "an overflow beside a 0": (
        with_metadata({}, '{"a": ["<f8", [0, 4611686018427387904, 8]]}', a=THREE[:0]),
        "/metadata/arrays/a: expected",
    ),
    "a boolean that is 2": (
        with_metadata({}, '{"a": ["|b1", [3]]}', a=np.arange(3, dtype=np.uint8)),
        "/metadata/arrays/a: expected |b1: expected booleans 0 and 1, found 2",
    ),
    "a letter beyond all": (
        with_metadata({}, '{"a": ["<U1", [1]]}', a=np.full((1, 1), 0x110000, "<u4")),
        "/metadata/arrays/a: expected <U1: expected code points of letters, found 1114112",
    ),
    "an array that is not there": (with_metadata({}, ABOUT), "/metadata/arrays/a: expected a hard"),
    "a path": (with_metadata({}, '{"../a": ["<f8", [3]]}', a=THREE), "without /, found '../a'"),
    "no description": (with_metadata({}, "[]", a=THREE), "dtypes and shapes by name, found []"),
    "no JSON": (with_metadata({}, "{", a=THREE), "/metadata: expected arrays = a JSON object"),
    "too few names of features": (
        with_metadata({"feature_names": "a\0"}),
        "/metadata: expected feature_names = 2 names that end with NUL, found 1",
    ),
    "a name without an end": (
        with_metadata({"feature_names": "a\0b\0c"}),
        "/metadata: expected feature_names = 2 names that end with NUL, found 2",
    ),
    "too many names of classes": (
        with_metadata({"class_names": "a\0" * 4}),
        "/metadata: expected class_names = 3 names that end with NUL, found 4",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_metadata_of_other_kinds_are_refused(kind: str, tmp_path: Path) -> None:
    content, message = REFUSED[kind]
    path = write(tmp_path / "model.h5", content)
    with pytest.raises(ml.CheckpointError, match=re.escape(message)) as caught:
        ml.load(path)
    assert str(caught.value).startswith(f"{path}: /metadata")


VALUES_REFUSED = {
    "no JSON": ("{", "/metadata/values: Expecting property name"),
    "a list": ("[1]", "/metadata/values: expected a JSON object, found [1]"),
    "nested without end": ("[" * 100_000, "/metadata/values: expected JSON that is less nested"),
    "nested too deep": (
        '{"a": ' + "[" * 9 + "]" * 9 + "}",
        "/metadata/values: expected lists and mappings nested at most 8 deep",
    ),
    "a path as a name": ('{"b/c": 1}', "names of at most 255 bytes without /, found 'b/c'"),
    "an integer without end": ('{"a": 1' + "0" * 5000 + "}", "/metadata/values: Exceeds the limit"),
    "a control character": ('{"a": \x1b[31m}', "/metadata/values: Expecting value"),
    "an array of the same name": ('{"a": 1}', "/metadata/values: expected one entry a name, found"),
}


@pytest.mark.parametrize("kind", VALUES_REFUSED)
def test_values_are_read_by_load_metadata_alone(kind: str, tmp_path: Path) -> None:
    """As a loss: a network loads whatever is said about it."""
    values, message = VALUES_REFUSED[kind]
    path = write(tmp_path / "model.h5", with_metadata({"values": values}, ABOUT, a=THREE))
    assert repr(ml.load(path)) == "Sequential([Dense(2, 3)])"
    with pytest.raises(ml.CheckpointError, match=re.escape(message)) as caught:
        ml.load_metadata(path)
    assert str(caught.value).isprintable()


def test_all_of_it_is_under_the_checksum(tmp_path: Path) -> None:
    """Whoever changes a part with its own checksum is found by that of all content."""

    def refusal(change: Any) -> str:
        named = model()
        named.class_names = ["no", "yes"]
        ml.save(named, tmp_path / "m.h5", metadata={"rows": 7, "a": np.arange(3)})
        with h5py.File(tmp_path / "m.h5", "r+", libver="earliest") as file:
            change(file["metadata"])
        with pytest.raises(ml.CheckpointError) as caught:
            ml.load(tmp_path / "m.h5")
        return str(caught.value)

    def other_text(group: h5py.Group) -> None:
        group["values"][()] = b'{"rows": 8}'

    def other_numbers(group: h5py.Group) -> None:
        group["arrays/a"][0] = 5

    def other_dtype(group: h5py.Group) -> None:
        group.attrs["arrays"] = np.bytes_(b'{"a": ["<m8", [3]]}')

    def no_names(group: h5py.Group) -> None:
        del group["class_names"]

    def no_arrays(group: h5py.Group) -> None:
        del group.attrs["arrays"]

    assert "/metadata/values: expected its checksum, found other letters" in refusal(other_text)
    assert "/metadata/arrays/a: expected its checksum, found other" in refusal(other_numbers)
    for change in (other_dtype, no_names, no_arrays):
        assert "/: expected the checksum of all content, found another" in refusal(change)


def test_arrays_are_their_own(tmp_path: Path) -> None:
    numbers: Array = np.arange(6.0)[::2]
    again = trip({"a": numbers, "b": np.array(5)}, tmp_path)
    again["a"][0] = 9
    assert numbers[0] == 0
    assert again["b"].shape == ()
