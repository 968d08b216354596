"""JSON and shapes that are not what they should be, under valid checksums: CheckpointError."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from minilayer.checkpoint.format import checksum
from tests.checkpoint.plain_hdf5 import (
    Layer,
    PlainHDF5,
    add_layer,
    attribute,
    checkpoint,
    dense,
    root_attributes,
    write,
)

LAYERS: list[Layer] = [dense(2, 3), ("Tanh", "{}", {})]
THREE = np.arange(3.0)


def arrays(shape: str, name: str = '"v"') -> str:
    return f'{{"values": {{}}, "arrays": {{{name}: {shape}}}}}'


def nested(depth: int) -> str:
    return '{"values": ' + '{"a": ' * depth + "{}" + "}" * depth + ', "arrays": {}}'


STATES = {
    "an infinite length": arrays("[Infinity]"),
    "a length beyond float64": arrays("[1e999]"),
    "a length that is NaN": arrays("[NaN]"),
    "a length with a fraction": arrays("[3.5]"),
    "a length as a float": arrays("[3.0]"),
    "a length as a boolean": arrays("[true]"),
    "a length as a string": arrays('["3"]'),
    "a length of None": arrays("[null]"),
    "a negative length": arrays("[-3]"),
    "two negative lengths": arrays("[-3, -1]"),
    "a length of 0": arrays("[0]"),
    "a length of 0 beside an overflow": arrays("[0, 4611686018427387904, 8]"),
    "an overflow": arrays("[4611686018427387904, 8]"),
    "a length of 400 digits": arrays("[1" + "0" * 400 + "]"),
    "a length of 5000 digits": arrays("[1" + "0" * 5000 + "]"),
    "a nested shape": arrays("[[3]]"),
    "33 dimensions": arrays(json.dumps([1] * 32 + [3])),
    "65 dimensions": arrays(json.dumps([1] * 64 + [3])),
    "255 dimensions": arrays(json.dumps([1] * 254 + [3])),
    "300 dimensions": arrays(json.dumps([1] * 299 + [3])),
    "a shape that is a number": arrays("3"),
    "a shape that is a string": arrays('"3"'),
    "no shape": arrays("null"),
    "shapes in a group that is no state": arrays('{"w": [3]}'),
    "half of a surrogate pair": arrays("[3]", r'"\ud800"'),
    "an empty name": arrays("[3]", '""'),
    "a path": arrays("[3]", '"v/w"'),
    "the group itself": arrays("[3]", '"."'),
    "a NUL in a name": arrays("[3]", r'"v\u0000"'),
    "a name of 256 bytes": arrays("[3]", json.dumps("v" * 256)),
    "a value without a name": '{"values": {"": 1}, "arrays": {}}',
    "a value with a path": '{"values": {"a/b": 1}, "arrays": {}}',
    "a value with half of a surrogate pair": r'{"values": {"\ud800": 1}, "arrays": {}}',
    "a control character": arrays("[3]", r'"\u001b[31m"'),
    "a name that is not there": arrays("[3]", '"w"'),
    "a value and an array of one name": '{"values": {"v": 1}, "arrays": {"v": [3]}}',
    "a value and a group of one name": '{"values": {"v": 1}, "arrays": {"v": {"w": [3]}}}',
    "a state and an array of one name": '{"values": {"v": {}}, "arrays": {"v": [3]}}',
    "a group that is a dataset": '{"values": {"v": {}}, "arrays": {"v": {"w": [3]}}}',
    "values of None": '{"values": null, "arrays": {}}',
    "values as a list": '{"values": [1], "arrays": {}}',
    "values as a number": '{"values": 1, "arrays": {}}',
    "arrays as a list": '{"values": {}, "arrays": [3]}',
    "arrays as an empty list": '{"values": {}, "arrays": []}',
    "arrays of None": '{"values": {}, "arrays": null}',
    "a value that is a list": '{"values": {"a": [1]}, "arrays": {}}',
    "a value of None": '{"values": {"a": null}, "arrays": {}}',
    "a value of 5000 digits": '{"values": {"a": 1' + "0" * 5000 + '}, "arrays": {}}',
    "no values": '{"arrays": {}}',
    "no arrays": '{"values": {}}',
    "something else": '{"values": {}, "arrays": {}, "code": {}}',
    "a list": "[1]",
    "a number": "1",
    "None": "null",
    "no JSON": "state",
    "nothing": " ",
    "JSON and more": '{"values": {}, "arrays": {}} {}',
    "nested 9 deep": nested(9),
    "nested 400 deep": nested(400),
    "nested 900 deep": nested(900),
    "nested 9000 deep": nested(9000),
    "lists 900 deep": '{"values": ' + "[" * 900 + "]" * 900 + ', "arrays": {}}',
    "lists 30,000 deep": "[" * 30_000 + "]" * 30_000,
    "brackets without an end": "[" * 60_000,
}


def refusals(path: Path) -> list[str]:
    """What each reader says of a file; each must refuse it in the same words."""
    target = ml.Sequential([ml.Dense(2, 3), ml.Tanh()])
    target.parameters[:] = 7
    readers: list[Callable[[], object]] = [
        lambda: ml.load(path),
        lambda: ml.load_state(path),
        lambda: ml.load_parameters(target, path),
    ]
    said = []
    for read in readers:
        with pytest.raises(ml.CheckpointError) as caught:
            read()
        said.append(str(caught.value))
    assert (target.parameters == 7).all()
    return said


def assert_refused(path: Path) -> None:
    for said in refusals(path):
        assert re.match(rf"{re.escape(str(path))}: /[^:]*: expected .*(, found |: )", said), said
        assert said.isprintable()
        assert len(said) < 1000


@pytest.mark.parametrize("kind", STATES)
def test_a_malformed_state_is_refused(tmp_path: Path, kind: str) -> None:
    assert_refused(write(tmp_path / "m.h5", checkpoint(LAYERS, STATES[kind], {"v": THREE})))


def test_the_states_are_refused_for_their_JSON(tmp_path: Path) -> None:
    """The same file with a right state loads."""
    path = write(tmp_path / "m.h5", checkpoint(LAYERS, arrays("[3]"), {"v": THREE}))
    np.testing.assert_array_equal(ml.load_state(path)["v"], THREE)
    path = write(tmp_path / "m.h5", checkpoint(LAYERS, nested(8)))
    assert list(ml.load_state(path)) == ["a"]


@pytest.mark.parametrize("rank", [33, 65, 255])
def test_a_dataset_of_many_dimensions_is_refused(tmp_path: Path, rank: int) -> None:
    """Here the dataset itself has as many as the state says."""
    shape = [1] * (rank - 1) + [3]
    file = PlainHDF5()
    data = file.add(THREE.tobytes())
    value = file.dataset_at(data, shape, checksum(THREE))
    text = arrays(json.dumps(shape))
    sums = {"v": checksum(THREE)}
    attributes = root_attributes(LAYERS, text, sums)
    links = {str(index): add_layer(file, layer) for index, layer in enumerate(LAYERS)}
    members = {"layers": file.group(links), "state": file.group({"v": value})}
    assert_refused(write(tmp_path / "m.h5", file.finish(file.group(members, attributes))))


CONFIGS = {
    "nothing": " ",
    "None": "null",
    "a list": "[2, 3]",
    "a number": "2",
    "a string": '"Dense"',
    "NaN": '{"inputs": NaN, "units": 3}',
    "an infinity": '{"inputs": Infinity, "units": 3}',
    "beyond float64": '{"inputs": 1e999, "units": 3}',
    "a boolean as a size": '{"inputs": true, "units": 3}',
    "a float as a size": '{"inputs": 2.0, "units": 3}',
    "a negative size": '{"inputs": -2, "units": 3}',
    "a size of 400 digits": '{"inputs": 2, "units": 1' + "0" * 400 + "}",
    "a size of 5000 digits": '{"inputs": 2, "units": 1' + "0" * 5000 + "}",
    "a number as a flag": dense(2, 3, bias=1)[1],
    "a string as an initializer": dense(2, 3, initializer="Glorot")[1],
    "a layer as an initializer": dense(2, 3, initializer={"class": "Tanh", "config": {}})[1],
    "an unknown initializer": dense(2, 3, initializer={"class": "os.system", "config": {}})[1],
    "an initializer without config": dense(2, 3, initializer={"class": "Glorot"})[1],
    "an initializer with more": dense(2, 3, initializer={"class": "Glorot", "config": {}, "a": 1})[
        1
    ],
    "an initializer's config as a list": dense(2, 3, initializer={"class": "Glorot", "config": []})[
        1
    ],
    "a class that is a list": dense(2, 3, initializer={"class": ["Glorot"], "config": {}})[1],
    "a huge epsilon": dense(
        2, 3, initializer={"class": "UniformEpsilon", "config": {"epsilon": 10**400}}
    )[1],
    "an epsilon of NaN": dense(
        2, 3, initializer={"class": "UniformEpsilon", "config": {"epsilon": float("nan")}}
    )[1],
    "an argument with half of a surrogate pair": r'{"inputs": 2, "units": 3, "\ud800": 1}',
    "an argument with a control character": r'{"inputs": 2, "units": 3, "\u001b[31m": 1}',
    "an argument of 60,000 letters": json.dumps({"inputs": 2, "units": 3, "a" * 60_000: 1}),
    "initializers 500 deep": '{"inputs": 2, "units": 3, "initializer": '
    + '{"class": "Dense", "config": {"initializer": ' * 500
    + "1"
    + "}}" * 500
    + "}",
    "lists 900 deep": '{"inputs": 2, "units": ' + "[" * 900 + "]" * 900 + "}",
    "lists 30,000 deep": "[" * 30_000 + "]" * 30_000,
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_malformed_configuration_is_refused(tmp_path: Path, kind: str) -> None:
    layers: list[Layer] = [("Dense", CONFIGS[kind], LAYERS[0][2]), LAYERS[1]]
    assert_refused(write(tmp_path / "m.h5", checkpoint(layers)))


CLASSES = [
    "",
    " ",
    "Layer",
    "Activation",
    "Glorot",
    "os.system",
    "x" * 60_000,
    "Tanh\x1b[31m",
    "é\n",
]


@pytest.mark.parametrize("name", CLASSES)
def test_another_class_is_refused(tmp_path: Path, name: str) -> None:
    assert_refused(write(tmp_path / "m.h5", checkpoint([LAYERS[0], (name, "{}", {})])))


def test_layers_that_make_no_network_are_refused(tmp_path: Path) -> None:
    for layers in ([LAYERS[1]], [dense(2, 3), dense(2, 3)]):
        path = write(tmp_path / "m.h5", checkpoint(layers))
        with pytest.raises(ml.CheckpointError, match=r"m\.h5: /layers: expected layers that make"):
            ml.load(path)


ROOT = {
    "layers": [0, -1, 10_001, 2**62],
    "version": [0, -1, 1, 2, 4, 2**62],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in ROOT.items() for value in values]
)
def test_another_number_at_the_root_is_refused(tmp_path: Path, name: str, value: int) -> None:
    assert_refused(write(tmp_path / "m.h5", with_root_attribute(name, value)))


@pytest.mark.parametrize("name", ["layers", "version", "format", "sha256", "state"])
def test_another_string_at_the_root_is_refused(tmp_path: Path, name: str) -> None:
    for value in ("", "True", "2.0", "\x1b[31m", "x" * 60_000):
        assert_refused(write(tmp_path / "m.h5", with_root_attribute(name, value)))


@pytest.mark.parametrize("written", [1, 2, 3])
@pytest.mark.parametrize("marked", [1, 2, 3])
def test_a_file_marked_with_another_version_is_refused(
    tmp_path: Path, written: int, marked: int
) -> None:
    """Earlier versions, whose checksum does not cover it, can still be taken for each other."""
    attributes = [
        one
        for one in root_attributes(LAYERS, None, {}, written)
        if not one[1][8:].startswith(b"version")
    ]
    file = PlainHDF5()
    links = {str(index): add_layer(file, layer) for index, layer in enumerate(LAYERS)}
    attributes.append(attribute("version", marked))
    content = file.finish(file.group({"layers": file.group(links)}, attributes))
    path = write(tmp_path / "m.h5", content)
    if written == marked or 3 not in (written, marked):
        assert len(ml.load(path)) == len(LAYERS)
    else:
        assert_refused(path)


def with_root_attribute(name: str, value: int | str) -> bytes:
    file = PlainHDF5()
    links = {str(index): add_layer(file, layer) for index, layer in enumerate(LAYERS)}
    kept = [
        one for one in root_attributes(LAYERS, None, {}) if not one[1][8:].startswith(name.encode())
    ]
    return file.finish(file.group({"layers": file.group(links)}, [*kept, attribute(name, value)]))
