"""Builds the plain part of HDF5 by hand: valid files, and files that no library would write."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minilayer.checkpoint.format import (
    VERSION,
    VERSION_WITHOUT_METADATA,
    bytes_checksum,
    checksum,
    content_checksum,
)
from minilayer.checkpoint.hdf5 import (
    ATTRIBUTE,
    DATA_LAYOUT,
    DATASPACE,
    DATATYPE,
    FLOAT64,
    SIGNATURE,
    SUPERBLOCK_BYTES,
    SYMBOL_TABLE,
    datatype_message,
)
from minilayer.utils.types import Array

Message = tuple[int, bytes]
"""Type and content."""
NODE_ENTRIES = 64
EMPTY: Mapping[str, Any] = {}
UNDEFINED = 2**64 - 1
"""The address of what is not there."""


class PlainHDF5:
    """Bytes of a file to which structures are added; each method returns an address.

    ``compact`` leaves out the room that libhdf5 keeps in nodes for further entries.
    """

    def __init__(self, *, compact: bool = False) -> None:
        self.content = bytearray(SUPERBLOCK_BYTES)
        self._compact = compact

    def add(self, structure: bytes) -> int:
        address = len(self.content)
        self.content += structure + bytes(-len(structure) % 8)
        return address

    def header(self, messages: Sequence[Message], count: int | None = None) -> int:
        """An object header in one block."""
        block = b"".join(message(kind, body) for kind, body in messages)
        number = len(messages) if count is None else count
        return self.add(struct.pack("<BxHII4x", 1, number, 1, len(block)) + block)

    def group(self, links: Mapping[str, int], attributes: Sequence[Message] = ()) -> int:
        """A group with these links to object headers."""
        return self.header([self.symbol_table(links), *attributes])

    def symbol_table(self, links: Mapping[str, int]) -> Message:
        """A group's links, as libhdf5 would write them, in sorted order."""
        names = bytearray(8)  # the empty name comes first: the key before all others
        places = []
        entries = []
        for name in sorted(links, key=str.encode):
            places.append(len(names))
            entries.append(symbol_table_entry(len(names), links[name]))
            text = name.encode() + b"\0"
            names += text + bytes(-len(text) % 8)
        children = [
            (
                self.symbol_table_node(entries[first : first + NODE_ENTRIES]),
                places[min(first + NODE_ENTRIES, len(places)) - 1],
            )
            for first in range(0, len(entries), NODE_ENTRIES)
        ]
        return self.symbol_table_message(self.tree(children), self.heap(bytes(names)))

    def symbol_table_message(self, tree: int, heap: int) -> Message:
        return SYMBOL_TABLE, struct.pack("<QQ", tree, heap)

    def heap(self, names: bytes) -> int:
        segment = self.add(names)
        no_free_block = 1
        return self.add(struct.pack("<4s4xQQQ", b"HEAP", len(names), no_free_block, segment))

    def symbol_table_node(self, entries: Sequence[bytes]) -> int:
        node = struct.pack("<4sBxH", b"SNOD", 1, len(entries)) + b"".join(entries)
        return self.add(self._with_room(node, 8 + 40 * NODE_ENTRIES))

    def tree(self, children: Sequence[tuple[int, int]]) -> int:
        """The root of a tree over symbol table nodes, each with the place of its last name."""
        level = 0
        while len(children) > NODE_ENTRIES:
            groups = [children[k : k + NODE_ENTRIES] for k in range(0, len(children), NODE_ENTRIES)]
            children = [(self.tree_node(level, group), group[-1][1]) for group in groups]
            level += 1
        return self.tree_node(level, children)

    def tree_node(self, level: int, children: Sequence[tuple[int, int]]) -> int:
        head = struct.pack("<4sBBHQQ", b"TREE", 0, level, len(children), UNDEFINED, UNDEFINED)
        keys_and_children = [0, *(number for child in children for number in child)]
        node = head + struct.pack(f"<{len(keys_and_children)}Q", *keys_and_children)
        return self.add(self._with_room(node, 32 + 16 * NODE_ENTRIES))

    def _with_room(self, node: bytes, full: int) -> bytes:
        return node if self._compact else node.ljust(full, b"\0")

    def dataset(self, value: Array, sha256: str | None = None) -> int:
        data = np.ascontiguousarray(value, "<f8").tobytes()
        return self.dataset_at(self.add(data), value.shape, sha256 or checksum(value))

    def text(self, content: bytes, sha256: str | None = None) -> int:
        """A dataset that is one string of fixed length."""
        datatype = struct.pack("<BBBBI", 0x13, 0x11, 0, 0, len(content))
        return self.header(
            [
                dataspace(()),
                (DATATYPE, datatype),
                (DATA_LAYOUT, struct.pack("<BBQQ", 3, 1, self.add(content), len(content))),
                attribute("sha256", sha256 or bytes_checksum(content)),
            ]
        )

    def numbers(self, value: Array, sha256: str | None = None) -> int:
        """A dataset of integers or floats of any size."""
        content = value.tobytes()
        return self.header(
            [
                dataspace(value.shape),
                (DATATYPE, datatype_message(value.dtype)),
                (DATA_LAYOUT, struct.pack("<BBQQ", 3, 1, self.add(content), len(content))),
                attribute("sha256", sha256 or bytes_checksum(content)),
            ]
        )

    def dataset_at(self, address: int, shape: Sequence[int], sha256: str) -> int:
        """A dataset whose bytes are at that address."""
        return self.header(
            [
                dataspace(shape),
                (DATATYPE, FLOAT64.ljust(24, b"\0")),
                layout(address, shape),
                attribute("sha256", sha256),
            ]
        )

    def finish(self, root: int) -> bytes:
        """The file's bytes, with the superblock in front."""
        versions = bytes([0, 0, 0, 0, 0, 8, 8, 0])
        sizes = struct.pack("<HHI", NODE_ENTRIES // 2, NODE_ENTRIES // 2, 0)
        places = struct.pack("<QQQQ", 0, UNDEFINED, len(self.content), UNDEFINED)
        entry = struct.pack("<QQI4x16x", 0, root, 0)
        self.content[:SUPERBLOCK_BYTES] = SIGNATURE + versions + sizes + places + entry
        return bytes(self.content)


def symbol_table_entry(name: int, header: int, kind: int = 0) -> bytes:
    """A link: the place of its name in the heap, and the address of an object header."""
    return struct.pack("<QQI20x", name, header, kind)


def message(kind: int, body: bytes) -> bytes:
    padded = body + bytes(-len(body) % 8)
    return struct.pack("<HHB3x", kind, len(padded), 0) + padded


def attribute(name: str, value: str | int) -> Message:
    """A version 1 attribute: a string of fixed length, or an integer of 8 bytes."""
    if isinstance(value, int):
        datatype = struct.pack("<BBBBIHH", 0x10, 8, 0, 0, 8, 0, 64)
        data = struct.pack("<q", value)
    else:
        data = value.encode()
        datatype = struct.pack("<BBBBI", 0x13, 0, 0, 0, len(data))
    text = name.encode() + b"\0"
    space = struct.pack("<BBBx4x", 1, 0, 0)
    head = struct.pack("<BxHHH", 1, len(text), len(datatype), len(space))
    parts = [part + bytes(-len(part) % 8) for part in (text, datatype, space, data)]
    return ATTRIBUTE, head + b"".join(parts)


def dataspace(shape: Sequence[int]) -> Message:
    return DATASPACE, struct.pack(f"<BBBx4x{len(shape)}Q", 1, len(shape), 0, *shape)


def layout(address: int, shape: Sequence[int]) -> Message:
    size = 8
    for length in shape:
        size *= length
    return DATA_LAYOUT, struct.pack("<BBQQ", 3, 1, address, size % 2**64)


Layer = tuple[str, str, Mapping[str, Any]]
"""Class, configuration as JSON, parameters by name.

If arguments are arrays: their shapes as JSON under "", and the arrays by path, "config/mean".
"""


def add_layer(file: PlainHDF5, layer: Layer) -> int:
    name, config, parts = layer
    attributes = [attribute("class", name), attribute("config", config)]
    if "" in parts:
        attributes.append(attribute("arrays", parts[""]))
    return file.group(_links(file, parts), attributes)


def _links(file: PlainHDF5, parts: Mapping[str, Any]) -> dict[str, int]:
    links = {key: file.dataset(value) for key, value in parts.items() if key and "/" not in key}
    for group in {key.partition("/")[0] for key in parts if "/" in key}:
        below = {key.partition("/")[2]: parts[key] for key in parts if key.startswith(f"{group}/")}
        links[group] = file.group(_links(file, below))
    return links


def layer_checksums(layers: Sequence[Layer]) -> list[tuple[str, str, dict[str, str]]]:
    return [
        (name, config, {key: checksum(value) if key else value for key, value in parts.items()})
        for name, config, parts in layers
    ]


def add_metadata(
    file: PlainHDF5, texts: Mapping[str, str], about: str = "", arrays: Mapping[str, Array] = EMPTY
) -> tuple[int, dict[str, str]]:
    """Metadata and names; return the group and its checksums.

    ``about`` is the JSON of the arrays' dtypes and shapes, and ``arrays`` are in their stored form.
    """
    sums = {name: bytes_checksum(text.encode()) for name, text in texts.items()}
    links = {name: file.text(text.encode()) for name, text in texts.items()}
    if not about:
        return file.group(links), sums
    links["arrays"] = file.group({name: file.numbers(value) for name, value in arrays.items()})
    own = {f"arrays/{name}": bytes_checksum(value.tobytes()) for name, value in arrays.items()}
    return file.group(links, [attribute("arrays", about)]), {**sums, "": about, **own}


def with_metadata(texts: Mapping[str, str], about: str = "", **arrays: Array) -> bytes:
    """A checkpoint of one layer with this metadata, under valid checksums."""
    file = PlainHDF5()
    layers = [dense(2, 3)]
    group, sums = add_metadata(file, texts, about, arrays)
    links = {"layers": file.group({"0": add_layer(file, layers[0])}), "metadata": group}
    attributes = root_attributes(layers, None, {}, VERSION, sums)
    return file.finish(file.group(links, attributes))


def root_attributes(
    layers: Sequence[Layer],
    state: str | None,
    state_checksums: Mapping[str, str],
    version: int = VERSION_WITHOUT_METADATA,
    metadata: Mapping[str, str] = EMPTY,
) -> list[Message]:
    """The attributes of a checkpoint's root, with the checksum of all content."""
    about_state = {} if state is None else {"": state, **state_checksums}
    sums = layer_checksums(layers)
    total = content_checksum(sums, about_state, version, None, dict(metadata))
    attributes = [
        attribute("format", "minilayer"),
        attribute("version", version),
        attribute("layers", len(layers)),
        attribute("sha256", total),
    ]
    return attributes if state is None else [*attributes, attribute("state", state)]


def checkpoint(
    layers: Sequence[Layer], state: str | None = None, arrays: Mapping[str, Array] | None = None
) -> bytes:
    """A checkpoint with valid checksums; ``arrays`` are those of the state, not nested."""
    file = PlainHDF5()
    numbers = {} if arrays is None else arrays
    links = {
        "layers": file.group(
            {str(index): add_layer(file, layer) for index, layer in enumerate(layers)}
        )
    }
    if numbers:
        links["state"] = file.group({name: file.dataset(value) for name, value in numbers.items()})
    sums = {name: checksum(value) for name, value in numbers.items()}
    return file.finish(file.group(links, root_attributes(layers, state, sums)))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def dense(inputs: int, units: int, **changes: Any) -> Layer:
    """A Dense layer whose parameters are k / 7."""
    config = {
        "inputs": inputs,
        "units": units,
        "initializer": {"class": "Glorot", "config": {}},
        "bias": True,
        **changes,
    }
    size = units * (1 + inputs)
    return "Dense", json.dumps(config), {"theta": np.arange(size).reshape(units, 1 + inputs) / 7}


def standardize(columns: int, name: str = "Standardize") -> Layer:
    """A layer of constants."""
    shapes = json.dumps({"mean": [columns], "scale": [columns]})
    arrays = {
        "config/mean": np.arange(columns) / 7,
        "config/scale": 1 + np.arange(columns) / 7,
    }
    return name, "{}", {"": shapes, **arrays}
