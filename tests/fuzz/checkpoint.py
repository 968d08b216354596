"""Checkpoints that are wrong somewhere, under checksums that are right."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import minilayer as ml
from minilayer.checkpoint import reader
from minilayer.checkpoint.format import checksum
from minilayer.checkpoint.hdf5 import CONTINUATION, PlainFile
from minilayer.checkpoint.metadata import to_stored
from minilayer.utils.types import Array, State
from tests.checkpoint.plain_hdf5 import (
    Layer,
    Message,
    PlainHDF5,
    add_layer,
    add_metadata,
    attribute,
    dense,
    root_attributes,
    standardize,
)
from tests.fuzz.engine import Target
from tests.fuzz.source import Source

NUMBERS = [0, 1, 2, 3, 4, 7, 8, 16, 32, 33, 64, 65, 255, 256, 2**16 - 1, 2**20, 2**31 - 1, 2**31]
NUMBERS += [2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 8, 2**64 - 1]
KINDS = (0, 1, 2, 3, 5, 7, 8, 11, 12, 16, 17, 18, 255)
"""Types of messages."""
TOKENS = (
    *("null", "true", "false", "0", "1", "-1", "2", "3", "3.0", "1e999", "NaN", "-Infinity"),
    *("1" + "0" * 400, "1" + "0" * 5000, "4611686018427387904", '""', '"a"', r'"\ud800"', '"."'),
    *('"v/w"', r'"\u0000"', r'"\u001b[31m"', "[]", "[3]", "[[3]]", "{}", '{"a": 1}', '{"a": [1]}'),
    *('{"class": "Glorot", "config": {}}', '{"class": "Dense", "config": {}}', "[" * 200),
    *("[" * 900 + "]" * 900, "[" * 2000, '{"a":' * 900 + "1" + "}" * 900, "", " ", "}"),
)
COPIED_ONE_IN = 8
"""Saving takes ten times as long as loading."""
PLAIN_VALUES: tuple[Any, ...] = (
    1,
    2.5,
    "text",
    True,
    None,
    [1, "a"],
    {"a": [None]},
    "\ud800",
    [],
    {},
)
DTYPES = ("|b1", "<i2", "|u1", "<f2", "<f4", "<f8", "<c8", "<U2", "|S3", "<M8[D]", "<m8[25s]")
WRONG_DTYPES = ("|O", ">f8", "<f16", "|V8", "i4,f4", "<U0", "<U999999999", "<M8[0s]", "<M8[q]", "")
NAMES = ("v", "w", "a", "ä", "x" * 255, "..", "\x1b", "0")


class Mutant(PlainHDF5):
    """Writes structures that are wrong now and then."""

    def __init__(self, source: Source, *, one_in: int) -> None:
        super().__init__(compact=not source.chance(8))
        self._source = source
        self._one_in = one_in
        self._places = [0, 96]

    def add(self, structure: bytes) -> int:
        if len(structure) >= 8 and self._source.chance(self._one_in):
            structure = self.with_another_field(structure)
        address = super().add(structure)
        self._places.append(address)
        return address

    def with_another_field(self, structure: bytes) -> bytes:
        """A number in it is another one: one of note, an address, or a neighbour of the old one."""
        source = self._source
        width = source.choice((1, 2, 4, 8))
        place = source.integer(0, max(0, min(len(structure), 400) - width))
        old = int.from_bytes(structure[place : place + width], "little")
        number = source.choice(
            (
                source.choice(NUMBERS),
                source.choice(self._places),
                old + source.choice((-8, -1, 1, 8)),
                old ^ 1 << source.integer(0, 8 * width - 1),
            )
        )
        field = (number % (1 << (8 * width))).to_bytes(width, "little")
        return structure[:place] + field + structure[place + width :]

    def header(self, messages: Sequence[Message], count: int | None = None) -> int:
        source = self._source
        changed = list(messages)
        if changed and source.chance(self._one_in):
            index = source.integer(0, len(changed) - 1)
            kind, body = changed[index]
            replacement: list[list[Message]] = [
                [],
                [changed[index]] * 2,
                [(source.choice(KINDS), body)],
                [(kind, body[: source.integer(0, len(body))])],
                [(kind, self.with_another_field(body.ljust(8, b"\0")))],
                [(CONTINUATION, struct.pack("<QQ", source.choice(self._places), 64)), (kind, body)],
            ]
            changed[index : index + 1] = source.choice(replacement)
        return super().header(changed, count)

    def group(self, links: Mapping[str, int], attributes: Sequence[Message] = ()) -> int:
        changed = dict(links)
        if changed and self._source.chance(self._one_in):
            name = self._source.choice(list(changed))
            address = changed.pop(name)
            change = self._source.integer(0, 2)
            if change == 1:
                changed[name] = self._source.choice([*changed.values(), *self._places])
            elif change == 2:
                changed[self._source.choice(NAMES)] = address
        return super().group(changed, attributes)


def generate(source: Source) -> bytes:
    """Return a checkpoint, right or with a few mistakes."""
    file = Mutant(source, one_in=source.choice((12, 40, 1000)))
    layers = [dense(3, 3), *[_layer(source) for _ in range(source.integer(0, 2))]]
    members = {
        "layers": file.group({str(k): add_layer(file, layer) for k, layer in enumerate(layers)})
    }
    text = None
    sums: dict[str, str] = {}
    if source.chance(2):
        values, shapes, links = _state(source, file, sums, "", 0)
        described = _mutated_state(source, values, shapes)
        text = _mutated_text(source, json.dumps(described))[:64_000]
        if links:
            members["state"] = file.group(links)
    version = source.choice((3, 4, 4, 3, 2, 1))
    metadata: dict[str, str] = {}
    if version == 4 or source.chance(20):
        members["metadata"], metadata = _metadata(source, file, layers)
    attributes = root_attributes(layers, text, sums, version, metadata)
    attributes = [_mutated_attribute(source, one) for one in attributes]
    content = file.finish(file.group(members, attributes))
    if source.chance(20):
        content = file.with_another_field(content)
    if source.chance(40):
        content = content[: source.integer(0, len(content))] + source.data(source.integer(0, 9))
    return content


def _layer(source: Source) -> Layer:
    if source.chance(20):
        return source.choice(("Glorot", "Layer", "Own", "x\n", "é", "\x1b[31m")), "{}", {}
    kind = source.integer(0, 3)
    if kind == 3:
        return _constants(source)
    if kind == 0:
        bias = bool(source.integer(0, 1))
        name, config, parameters = dense(source.choice((3, 3, 2)), source.choice((3, 3, 1)))
        described = json.loads(config) | {"bias": not bias}
        theta = parameters["theta"][:, int(bias) :]
        if source.chance(4):
            epsilon = source.choice((None, 0.5, 1e308, 5e-324, 10**400, float("nan"), True))
            described["initializer"] = {"class": "UniformEpsilon", "config": {"epsilon": epsilon}}
        return (
            name,
            _mutated_text(source, json.dumps(described)),
            {"theta": _changed(source, theta)},
        )
    if kind == 1:
        return source.choice(("Tanh", "ReLU", "Identity")), _mutated_text(source, "{}"), {}
    return dense(3, 3)


def _constants(source: Source) -> Layer:
    """A Standardize or Rescale, whose arguments are arrays."""
    name, config, parts = standardize(3, source.choice(("Standardize", "Rescale")))
    changed = {key: _changed(source, value) for key, value in parts.items() if key}
    return name, _mutated_text(source, config), {"": _mutated_text(source, parts[""]), **changed}


def _changed(source: Source, value: Array) -> Array:
    if source.chance(10):
        return np.full(value.shape, source.choice((np.nan, np.inf, -0.0, 1e308)))
    if source.chance(30):
        return value.T
    return np.ascontiguousarray(value)


def _state(
    source: Source, file: PlainHDF5, sums: dict[str, str], path: str, depth: int
) -> tuple[State, State, dict[str, int]]:
    """Return values, shapes, and links to the datasets; record the checksums by path."""
    values: State = {}
    shapes: State = {}
    links: dict[str, int] = {}
    for _ in range(source.integer(0, 3)):
        name = source.choice(NAMES)
        if name in values or name in shapes:
            continue
        kind = source.integer(0, 2)
        if kind == 0:
            shape = source.choice(((1,), (3,), (), (2, 2), (1,) * 32, (1,) * 33, (0,), (3, 1)))
            value = np.arange(float(np.prod(shape))).reshape(shape)
            shapes[name] = list(shape)
            sums[f"{path}{name}"] = checksum(value)
            links[name] = file.dataset(value)
        elif kind == 1 and depth < 10:
            below = _state(source, file, sums, f"{path}{name}/", depth + 1)
            values[name] = below[0]
            if below[1] or source.chance(20):
                shapes[name] = below[1]
                links[name] = file.group(below[2])
        else:
            values[name] = source.choice((1, 2.5, "text", True, float("nan"), 10**30, None, [1]))
    return values, shapes, links


def _mutated_state(source: Source, values: State, shapes: State) -> State:
    """What the file says of a state, now and then of another one."""
    if source.chance(8):
        part = source.choice((values, shapes))
        name = source.choice((*values, *shapes, *NAMES, "", ".", "a/b", "\0", "\ud800", "x" * 256))
        part[name] = source.choice(([3], [0], [2, -2], [True], {}, {"v": [3]}, 1, "text", None))
    if source.chance(40):
        wrong = source.choice(({}, [], [3], None, "", {"a": values}))
        return {"values": source.choice((values, wrong)), "arrays": wrong}
    return {"values": values, "arrays": shapes}


def _metadata(
    source: Source, file: PlainHDF5, layers: Sequence[Layer]
) -> tuple[int, dict[str, str]]:
    """Return the group of metadata and names, and its checksums."""
    texts = {}
    if source.chance(2):
        texts["feature_names"] = _names(source, 3)
    if source.chance(2):
        texts["class_names"] = _names(source, 3)
    if source.chance(2):
        values = {name: source.choice(PLAIN_VALUES) for name in NAMES[: source.integer(0, 3)]}
        texts["values"] = _mutated_text(source, json.dumps(values)) or " "
    about: dict[str, Any] = {}
    arrays = {}
    for _ in range(source.integer(0, 3)):
        name = source.choice(NAMES)
        dtype = np.dtype(source.choice(DTYPES))
        shape = source.choice(((), (1,), (3,), (2, 2), (0,), (0, 3), (1,) * 31))
        value = np.full(shape, source.choice((0, 1, 1)), "u1").astype(dtype)
        about[name] = [dtype.str, list(shape)]
        arrays[name] = to_stored(value)
        if source.chance(12):
            arrays[name] = np.full_like(arrays[name], source.choice((2, 100, 127)))
    if about and source.chance(8):
        name = source.choice(list(about))
        about[name] = source.choice(
            (
                [source.choice(DTYPES + WRONG_DTYPES), about[name][1]],
                [about[name][0], source.choice(([-1], [2**62, 8], [0, 2**62, 8], [3.0], 3, None))],
                source.choice(([], {}, "<f8", ["<f8"], [3], [["<f8"], [3]])),
            )
        )
    described = _mutated_text(source, json.dumps(about))[:60_000] if about else ""
    return add_metadata(file, texts, described, arrays)


def _names(source: Source, count: int) -> str:
    """Texts of so many names, now and then of others."""
    names = [source.choice(NAMES) for _ in range(count)]
    if source.chance(8):
        names = source.choice((names[1:], [*names, "a"], ["", "", ""], ["a\0", "b", "c"]))
    text = "".join(f"{name}\0" for name in names) or " "
    return text[:-1] if source.chance(20) else text


def _mutated_text(source: Source, text: str) -> str:
    """JSON, now and then with another token in it, or cut."""
    if not source.chance(12):
        return text
    starts = [k for k, letter in enumerate(text) if letter in '{["0123456789tfn'] or [0]
    start = source.choice(starts)
    end = start + source.integer(0, 12)
    token = source.choice(TOKENS)
    return text[:start] + token + text[end:]


def _mutated_attribute(source: Source, message: Message) -> Message:
    if not source.chance(30):
        return message
    name = source.choice(("format", "version", "layers", "sha256", "state", "arrays"))
    values: list[str | int] = [0, 1, 2, 3, 4, 5, -1, 2**62, "", "minilayer", "2", "\x1b", "ä"]
    return attribute(name, source.choice(values))


class _CountedFile(PlainFile):
    """Remembers the last file that was read."""

    last: PlainFile

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        _CountedFile.last = self


def execute(content: bytes, path: Path) -> str:
    """Load a file: a model whose copy is the same, or CheckpointError in the form of all."""
    path.write_bytes(content)
    with patch.object(reader, "PlainFile", _CountedFile):
        try:
            model = ml.load(path)
            said = ""
            _check_metadata(path)
        except ml.CheckpointError as error:
            said = str(error)
    read = _CountedFile.last
    assert read.bytes_read <= read.size == len(content)
    assert read.structures <= read.size // 8
    if said:
        assert said.startswith(f"{path}: /"), said
        assert "expected" in said, said
        assert said.isprintable(), said
        assert len(said) < 1500, said
        return "refused"
    if zlib.crc32(content) % COPIED_ONE_IN == 0:
        _check_copy(model, path)
    return "loaded"


def _check_metadata(path: Path) -> None:
    """Read metadata: values and arrays, or CheckpointError in the form of all."""
    said = ""
    try:
        repr(ml.load_metadata(path))  # an array whose numbers are none of its dtype fails here
    except ml.CheckpointError as error:
        said = str(error)
    assert not said or said.startswith(f"{path}: /metadata/values: "), said
    assert not said or said.isprintable(), said
    assert len(said) < 1500, said


def _check_copy(model: ml.Sequential, path: Path) -> None:
    """Save what was loaded, and load it again."""
    state = ml.load_state(path)
    copy = path.with_name("copy")
    ml.save(model, copy, state=state, metadata=_metadata_of(path), allow_non_finite=True)
    again = ml.load(copy)
    assert (again.feature_names, again.class_names) == (model.feature_names, model.class_names)
    np.testing.assert_equal(_metadata_of(copy), _metadata_of(path))
    assert repr(again) == repr(model)
    assert again.parameters.tobytes() == model.parameters.tobytes()
    np.testing.assert_equal(ml.load_state(copy), state)


def _metadata_of(path: Path) -> State:
    try:
        return ml.load_metadata(path)
    except ml.CheckpointError:
        return {}


TARGET = Target("checkpoint", generate, execute)
