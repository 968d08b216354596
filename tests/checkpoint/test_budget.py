"""The work and the memory of load grow with the file at most, whatever the file says.

Work is counted, never timed.
"""

import io
import json
import struct
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import h5py
import numpy as np
import pytest

import minilayer as ml
from minilayer.checkpoint import hdf5, metadata
from minilayer.checkpoint.format import MAX_BYTES, VERSION, checksum
from minilayer.checkpoint.hdf5 import ATTRIBUTE, CONTINUATION, MalformedError, PlainFile
from minilayer.checkpoint.reader import read_checkpoint, read_content
from tests.checkpoint.plain_hdf5 import (
    Layer,
    PlainHDF5,
    add_layer,
    add_metadata,
    attribute,
    checkpoint,
    dense,
    message,
    root_attributes,
    standardize,
    symbol_table_entry,
    with_metadata,
    write,
)

CALLS_PER_BYTE = 2
MEMORY_PER_BYTE = 16
METADATA_MEMORY_PER_BYTE = 40
"""Of load_metadata: the smallest mapping in JSON has 7 letters, and takes 200 bytes."""
MEMORY_BYTES = 1 << 20
"""What load may take beside that: one mebibyte."""

TANH: Layer = ("Tanh", "{}", {})


def repeated_leaves() -> bytes:
    """A tree of 64 * 64 * 64 leaves that are all the same one, 64 names in it."""
    file = PlainHDF5(compact=True)
    heap = file.heap(b"\0" * 8 + b"0" + b"\0" * 7)
    node = file.symbol_table_node([symbol_table_entry(8, 8)] * 64)
    for level in range(3):
        node = file.tree_node(level, [(node, 8)] * 64)
    layers = file.header([file.symbol_table_message(node, heap)])
    return file.finish(file.group({"layers": layers}, root_attributes([TANH], None, {})))


def repeated_empty_leaves() -> bytes:
    """The same without a name."""
    file = PlainHDF5(compact=True)
    node = file.symbol_table_node([])
    for level in range(3):
        node = file.tree_node(level, [(node, 8)] * 64)
    layers = file.header([file.symbol_table_message(node, file.heap(bytes(16)))])
    return file.finish(file.group({"layers": layers}, root_attributes([TANH], None, {})))


def one_header_for_all_layers() -> bytes:
    """1000 links to one object header of 65,000 messages."""
    file = PlainHDF5(compact=True)
    messages = [attribute("class", "Tanh"), attribute("config", "{}"), *[(0, b"")] * 65_000]
    header = file.header(messages)
    layers = file.group({str(index): header for index in range(1000)})
    return file.finish(file.group({"layers": layers}, root_attributes([TANH] * 1000, None, {})))


def one_continuation_for_all_layers() -> bytes:
    """1000 object headers that go on in one block of 65,000 messages."""
    file = PlainHDF5(compact=True)
    shared = file.add(message(0, b"") * 65_000)
    start = [attribute("class", "Tanh"), attribute("config", "{}")]
    going_on = (CONTINUATION, struct.pack("<QQ", shared, 8 * 65_000))
    links = {str(k): file.header([*start, going_on], count=65_003) for k in range(1000)}
    layers = file.group(links)
    return file.finish(file.group({"layers": layers}, root_attributes([TANH] * 1000, None, {})))


def state_of(names: list[str], length: int) -> str:
    described = {"values": {}, "arrays": {name: [length] for name in names}}
    return json.dumps(described, separators=(",", ":"))


NUMBERS = np.arange(99_999.0)
NAMES = [f"{index:x}" for index in range(4300)]


def with_state(file: PlainHDF5, links: dict[str, int]) -> bytes:
    """Finish a checkpoint of one layer and this state."""
    text = state_of(list(links), NUMBERS.size)
    members = {"layers": file.group({"0": add_layer(file, TANH)}), "state": file.group(links)}
    return file.finish(file.group(members, root_attributes([TANH], text, {})))


def one_dataset_for_all_arrays() -> bytes:
    """4300 arrays of a state that are hard links to one dataset of 0.8 megabytes."""
    file = PlainHDF5(compact=True)
    return with_state(file, dict.fromkeys(NAMES, file.dataset(NUMBERS)))


def one_place_for_all_arrays() -> bytes:
    """4300 datasets whose numbers are the same 0.8 megabytes of the file."""
    file = PlainHDF5(compact=True)
    data = file.add(NUMBERS.tobytes())
    about = (data, NUMBERS.shape, checksum(NUMBERS))
    return with_state(file, {name: file.dataset_at(*about) for name in NAMES})


ATTACKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "repeated leaves": (repeated_leaves, "one link of each name"),
    "repeated empty leaves": (repeated_empty_leaves, "in one structure"),
    "one header for all layers": (one_header_for_all_layers, "an object of its own"),
    "one continuation for all layers": (one_continuation_for_all_layers, "in one structure"),
    "one dataset for all arrays": (one_dataset_for_all_arrays, "an object of its own"),
    "one place for all arrays": (one_place_for_all_arrays, "in one structure"),
}


class TooMuchWorkError(BaseException):
    """Not an Exception, so that nothing on the way catches it."""


def calls_of(read: Callable[[Path], object], path: Path, limit: int) -> int:
    """Return how many functions a reader calls; TooMuchWorkError above the limit."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")
        if calls > limit:
            raise TooMuchWorkError(f"{path}: expected at most {limit} calls, found more")

    sys.setprofile(count)
    try:
        read(path)
    finally:
        sys.setprofile(None)
    return calls


def peak_of(path: Path, read: Callable[[Path], object] | None = None) -> int:
    """Return the most memory that load, or another reader, takes at a time, in bytes."""
    tracemalloc.start()
    try:
        (read or try_to_load)(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def try_to_load(path: Path) -> str:
    try:
        ml.load(path)
    except ml.CheckpointError as error:
        return str(error)
    return "loaded"


@pytest.fixture(params=ATTACKS)
def attack(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A file, and what load must say of it."""
    build, message = ATTACKS[request.param]
    return write(tmp_path / "attack.h5", build()), message


def test_attacks_are_refused_with_little_work(attack: tuple[Path, str]) -> None:
    path, expected = attack
    assert expected in try_to_load(path)
    assert calls_of(try_to_load, path, limit=CALLS_PER_BYTE * path.stat().st_size) > 0


def test_attacks_are_refused_with_little_memory(attack: tuple[Path, str]) -> None:
    path, _ = attack
    assert peak_of(path) <= MEMORY_PER_BYTE * path.stat().st_size + MEMORY_BYTES


def test_attacks_visit_no_more_than_the_file_has(attack: tuple[Path, str]) -> None:
    with attack[0].open("rb") as file:
        content = PlainFile(file)
        with pytest.raises(MalformedError):
            read_content(content, MAX_BYTES)
    assert content.structures <= content.size // 8
    assert content.bytes_read <= content.size


def one_wide_layer() -> bytes:
    return checkpoint([dense(1000, 1000)])


def one_wide_layer_of_constants() -> bytes:
    return checkpoint([standardize(100_000), dense(100_000, 1)])


def many_narrow_layers() -> bytes:
    return checkpoint([dense(1, 1)] * 500)


def one_large_array() -> bytes:
    shape = {"values": {}, "arrays": {"velocity": [NUMBERS.size]}}
    return checkpoint([dense(1, 1)], json.dumps(shape), {"velocity": NUMBERS})


def many_attributes() -> bytes:
    """An object header of 42,000 attributes that nobody asks for."""
    messages = [
        (ATTRIBUTE, struct.pack("<BBHHHBBBBB", 3, 0, 4, 0, 0, 0, 1 + k % 250, 1 + k // 250, 7, 7))
        for k in range(42_000)
    ]
    file = PlainHDF5(compact=True)
    about = [attribute("class", "Dense"), attribute("config", dense(1, 1)[1])]
    theta = file.dataset(dense(1, 1)[2]["theta"])
    layers = file.group({"0": file.group({"theta": theta}, [*about, *messages])})
    return file.finish(file.group({"layers": layers}, root_attributes([dense(1, 1)], None, {})))


def many_values() -> bytes:
    return with_metadata({"values": f'{{"a": [{"{},".join([""] * 300_000)}0]}}'})


def many_names() -> bytes:
    """As many as there are columns."""
    columns = 20_000
    file = PlainHDF5(compact=True)
    layer = dense(columns, 1)
    group, sums = add_metadata(file, {"feature_names": "é\0" * columns})
    links = {"layers": file.group({"0": add_layer(file, layer)}), "metadata": group}
    return file.finish(file.group(links, root_attributes([layer], None, {}, VERSION, sums)))


@pytest.fixture(
    params=[
        many_values,
        many_names,
        one_wide_layer,
        one_wide_layer_of_constants,
        many_narrow_layers,
        one_large_array,
        many_attributes,
    ]
)
def valid(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file that loads."""
    path = write(tmp_path / "model.h5", request.param())
    assert try_to_load(path) == "loaded"
    return path


def test_a_valid_file_takes_little_memory(valid: Path) -> None:
    assert peak_of(valid) <= MEMORY_PER_BYTE * valid.stat().st_size + MEMORY_BYTES


VALUES = {
    "lists": "[],",
    "mappings": "{},",
    "mappings of one": '{"":0},',
    "numbers": "1.5,",
    "texts": '"é☃",',
    "wide letters": '"é☃\N{PILE OF POO}",',
}


@pytest.mark.parametrize("kind", VALUES)
def test_metadata_take_a_bounded_memory(kind: str, tmp_path: Path) -> None:
    values = f'{{"a": [{VALUES[kind] * 100_000}0]}}'
    path = write(tmp_path / "model.h5", with_metadata({"values": values}))
    peak = peak_of(path, ml.load_metadata)
    assert peak <= METADATA_MEMORY_PER_BYTE * path.stat().st_size + MEMORY_BYTES
    assert peak_of(path, ml.load) <= MEMORY_PER_BYTE * path.stat().st_size + MEMORY_BYTES


def test_metadata_are_read_with_little_work(tmp_path: Path) -> None:
    path = write(tmp_path / "model.h5", many_values())
    assert calls_of(ml.load_metadata, path, limit=CALLS_PER_BYTE * path.stat().st_size) > 0


def test_values_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "MAX_VALUES_BYTES", 1000)
    path = write(tmp_path / "model.h5", many_values())
    with pytest.raises(ml.CheckpointError, match="at most 1000 letters of JSON, found 900007"):
        ml.load_metadata(path)


def test_a_valid_file_is_read_with_little_work(valid: Path) -> None:
    def read(path: Path) -> None:
        read_checkpoint(path, MAX_BYTES)

    assert calls_of(read, valid, limit=CALLS_PER_BYTE * valid.stat().st_size) > 0


def test_a_file_has_a_limit_of_structures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "model.h5", many_narrow_layers())
    monkeypatch.setattr(hdf5, "MAX_STRUCTURES", 1000)
    assert "expected at most 1000 structures in a file, found more" in try_to_load(path)


def test_libhdf5_reads_what_the_builder_of_these_files_writes(tmp_path: Path) -> None:
    """So that an attack is refused for what is attacked in it, not for a mistake of the builder."""
    layers = [dense(2, 3), TANH, dense(3, 1)]
    state = state_of(["v"], 3)
    content = checkpoint(layers, state, {"v": np.arange(3.0)})
    with h5py.File(io.BytesIO(content)) as file:
        np.testing.assert_array_equal(file["layers/0/theta"], layers[0][2]["theta"])
        np.testing.assert_array_equal(file["state/v"], np.arange(3.0))
        assert file.attrs["state"] == state.encode()
    path = write(tmp_path / "model.h5", content)
    assert repr(ml.load(path)) == "Sequential([Dense(2, 3), Tanh(), Dense(3, 1)])"
    np.testing.assert_array_equal(ml.load(path).parameters[9:], np.arange(4) / 7)
    np.testing.assert_array_equal(ml.load_state(path)["v"], np.arange(3.0))
