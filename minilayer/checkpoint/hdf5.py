"""A reader for the plain part of HDF5 that checkpoints are written in, safe on any bytes.

libhdf5 follows links to other files, allocates what a file claims, and has crashed on files made to
that end. A stranger's checkpoint is therefore read here and not there: version 0 superblock, groups
as symbol tables, version 1 object headers, scalar attributes, contiguous datasets of numbers or one
string. All else is refused: links to elsewhere, virtual, external, chunked or compressed data,
strings of variable length, objects.

Three rules bound the work. An object has one link. No more bytes are read than the file has, so no
structure is visited again and again. A file has at most ``MAX_STRUCTURES`` structures. Structures
have the names of the HDF5 File Format Specification.
"""

from __future__ import annotations

import math
import os
import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.types import Array

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK_BYTES = 96
FLOAT64 = bytes.fromhex("11203f000800000000004000340b0034ff030000")
"""The datatype message of a little-endian IEEE double."""
FLOAT32 = bytes.fromhex("11201f000400000000002000170800177f000000")
FLOAT16 = bytes.fromhex("11200f0002000000000010000a05000a0f000000")

DATASPACE = 1
DATATYPE = 3
EXTERNAL_FILES = 7
DATA_LAYOUT = 8
FILTER_PIPELINE = 11
ATTRIBUTE = 12
CONTINUATION = 16
SYMBOL_TABLE = 17

MESSAGE_IS_SHARED = 2
"""The flag of a message whose content lies elsewhere."""
FIXED_POINT = 0
STRING = 3
SOFT_LINK = 2
"""The cache type of a symbol table entry that holds a path."""

FLOAT_MESSAGES = {"<f8": FLOAT64, "<f4": FLOAT32, "<f2": FLOAT16}

MAX_HEADER_BYTES = 1 << 20
"""Of an object header, with its continuations."""
MAX_HEAP_BYTES = 1 << 20
"""Of the names in a group."""
MAX_NAME_BYTES = 255
MAX_NODE_ENTRIES = 64
"""Of a tree node and of a symbol table node."""
MAX_DIMENSIONS = 32
"""HDF5's own limit."""
MAX_SHOWN = 200
"""Characters of what was found, in an error message."""
MAX_STRUCTURES = 1 << 20
"""Headers, messages, heaps, nodes and entries of a file; 10,000 Dense layers have 173,000."""


def datatype_message(dtype: np.dtype) -> bytes:
    """Return how a file describes integers or floats, little-endian."""
    if dtype.kind == "f":
        return FLOAT_MESSAGES[dtype.newbyteorder("<").str]
    is_signed = 8 * (dtype.kind == "i")
    size = dtype.itemsize
    return struct.pack("<BBBBIHH", 0x10, is_signed, 0, 0, size, 0, 8 * size)


class MalformedError(ValueError):
    """The file is not plain HDF5; the message names the place, what was expected and found."""


class PlainFile:
    """A file of which no more is read than it has, so that no byte serves again and again.

    Parameters
    ----------
    file : binary file
        The open file.

    Attributes
    ----------
    size : int
        Bytes of the file.
    bytes_read : int
        Bytes read so far; at most ``size``.
    structures : int
        Structures visited so far; at most ``size / 8`` and ``MAX_STRUCTURES``.
    """

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._places: dict[int, str] = {}
        self.size = os.fstat(file.fileno()).st_size
        self.bytes_read = 0
        self.structures = 0

    def root(self) -> Node:
        """Return the root group."""
        if self.size < SUPERBLOCK_BYTES or self.read(0, 8, "/") != SIGNATURE:
            raise MalformedError("/: expected an HDF5 file, found other bytes")
        versions = self.read(8, 8, "/")
        if versions[0] != 0 or versions[5:7] != b"\x08\x08":
            raise MalformedError(
                f"/: expected a version 0 superblock with 8-byte offsets, found {versions.hex()}"
            )
        base, _, end, _, _, root = struct.unpack("<QQQQQQ", self.read(24, 48, "/"))
        if base != 0 or end != self.size:
            raise MalformedError(
                f"/: expected a file of {end} bytes after {base}, found {self.size} bytes"
            )
        return self.node(root, "/")

    def node(self, address: int, place: str) -> Node:
        """Return the object whose header is there. An object has one link."""
        if address in self._places:
            known = self._places[address]
            raise MalformedError(f"{place}: expected an object of its own, found that of {known}")
        self._places[address] = place
        return Node(self, address, place)

    def visit(self, structures: int, place: str) -> None:
        """Count structures. The smallest, a message without content, has 8 bytes."""
        if self.structures + structures > MAX_STRUCTURES:
            raise MalformedError(
                f"{place}: expected at most {MAX_STRUCTURES} structures in a file, found more"
            )
        self.structures += structures

    def read(self, offset: int, count: int, place: str) -> bytes:
        """Return bytes of the file."""
        self._claim(offset, count, place)
        content = self._file.read(count)
        self._check_count(len(content), count, place)
        return content

    def read_array(self, offset: int, shape: tuple[int, ...], dtype: np.dtype, place: str) -> Array:
        """Return the numbers at an offset as a new array."""
        count = dtype.itemsize * math.prod(shape)
        if count:  # data without bytes have no place
            self._claim(offset, count, place)
        try:
            value = np.empty(shape, dtype)
        except ValueError as error:  # the lengths beside a 0 overflow
            raise MalformedError(f"{place}: expected another shape: {error}") from None
        if count:
            found = self._file.readinto(value.reshape(-1).view(np.uint8).data)
            self._check_count(found, count, place)
        return value

    def unpack(self, layout: str, offset: int, place: str) -> tuple[Any, ...]:
        """Return the fields of a structure."""
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout), place))

    def _claim(self, offset: int, count: int, place: str) -> None:
        """Move to an offset, before ``count`` bytes are read."""
        if not 0 <= offset <= self.size - count:
            raise MalformedError(
                f"{place}: expected {count} bytes at {offset}, found a file of {self.size} bytes"
            )
        if self.bytes_read + count > self.size:
            raise MalformedError(
                f"{place}: expected each byte in one structure, found some in several"
            )
        self.bytes_read += count
        self._file.seek(offset)

    def _check_count(self, found: int, expected: int, place: str) -> None:
        if found != expected:
            raise MalformedError(f"{place}: expected {expected} bytes, found {found}: cut off")


@dataclass(frozen=True)
class Node:
    """A group or a dataset."""

    file: PlainFile
    address: int
    place: str

    @cached_property
    def _messages(self) -> list[tuple[int, bytes]]:
        """Type and content of each message of the object header."""
        version, count, _, length = self.file.unpack("<BxHII4x", self.address, self.place)
        self.file.visit(1, self.place)
        self._expect(version == 1, "a version 1 object header", version)
        blocks = deque([(self.address + 16, length)])
        total = 0
        messages: list[tuple[int, bytes]] = []
        while blocks:
            offset, size = blocks.popleft()
            total += size
            limit = f"a header of at most {MAX_HEADER_BYTES} bytes"
            self._expect(total <= MAX_HEADER_BYTES, limit, total)
            block = self.file.read(offset, size, self.place)
            position = 0
            while position + 8 <= size and len(messages) < count:
                kind, length, flags = struct.unpack_from("<HHB3x", block, position)
                body = block[position + 8 : position + 8 + length]
                is_plain = len(body) == length and not flags & MESSAGE_IS_SHARED
                self._expect(is_plain, "whole messages, none of them shared", kind)
                messages.append((kind, body))
                position += 8 + length
                if kind == CONTINUATION:
                    self._expect(length >= 16, "a continuation of 16 bytes", length)
                    blocks.append(struct.unpack_from("<QQ", body))
        self.file.visit(len(messages), self.place)
        return messages

    def _only(self, kind: int, what: str, length: int) -> bytes:
        """Return the one message of a kind, of at least that length."""
        found = [body for other, body in self._messages if other == kind]
        self._expect(len(found) == 1 and len(found[0]) >= length, what, f"{len(found)} of them")
        return found[0]

    def _expect(self, condition: bool, expected: str, found: object) -> None:
        if not condition:
            shown = f"{found}" if len(f"{found}") <= MAX_SHOWN else f"{found}"[:MAX_SHOWN] + "..."
            raise MalformedError(f"{self.place}: expected {expected}, found {shown}")

    def has(self, name: str) -> bool:
        """Return whether a group has a member of that name."""
        return name.encode() in self._links

    def child(self, name: str) -> Node:
        """Return the member of a group, by a hard link."""
        shown = name if name.isprintable() else ascii(name)
        place = f"{self.place.rstrip('/')}/{shown}"
        header, kind = self._links.get(name.encode(errors="surrogatepass"), (0, 0))
        if not header:
            raise MalformedError(f"{place}: expected a hard link to it, found none")
        if kind == SOFT_LINK:
            raise MalformedError(f"{place}: expected a hard link, found a soft one")
        return self.file.node(header, place)

    @cached_property
    def _links(self) -> dict[bytes, tuple[int, int]]:
        """Object header address and cache type by name."""
        what = "a group with a symbol table"
        tree, heap = struct.unpack_from("<QQ", self._only(SYMBOL_TABLE, what, 16))
        signature, size, _, segment = self.file.unpack("<4s4xQQQ", heap, self.place)
        self.file.visit(1, self.place)
        is_heap = signature == b"HEAP" and size <= MAX_HEAP_BYTES
        self._expect(is_heap, "a heap of names", signature)
        names = self.file.read(segment, size, self.place)
        links: dict[bytes, tuple[int, int]] = {}
        nodes = [tree]
        while nodes:
            level, children = self._tree_node(nodes.pop())
            if level:
                nodes += children
                continue
            for child in children:
                for name, link in self._symbol_table_node(child, names):
                    self._expect(name not in links, "one link of each name", name)
                    links[name] = link
        return links

    def _tree_node(self, address: int) -> tuple[int, tuple[int, ...]]:
        """Return level and children of a version 1 B-tree node."""
        signature, kind, level, used, _, _ = self.file.unpack("<4sBBHQQ", address, self.place)
        self.file.visit(1, self.place)
        is_node = signature == b"TREE" and kind == 0 and used <= MAX_NODE_ENTRIES
        self._expect(is_node, "a node of a group's tree", signature)
        keys_and_children = self.file.unpack(f"<{2 * used + 1}Q", address + 24, self.place)
        return level, keys_and_children[1::2]

    def _symbol_table_node(
        self, address: int, names: bytes
    ) -> Iterator[tuple[bytes, tuple[int, int]]]:
        """Yield name, object header address and cache type of each entry."""
        signature, version, count = self.file.unpack("<4sBxH", address, self.place)
        is_node = signature == b"SNOD" and version == 1 and count <= MAX_NODE_ENTRIES
        self._expect(is_node, "a symbol table node", signature)
        entries = self.file.read(address + 8, 40 * count, self.place)
        self.file.visit(1 + count, self.place)
        for offset, header, kind in struct.iter_unpack("<QQI20x", entries):
            end = names.find(b"\0", offset, offset + MAX_NAME_BYTES + 1)
            self._expect(offset < end, f"a name of at most {MAX_NAME_BYTES} bytes", offset)
            yield names[offset:end], (header, kind)

    def attribute(self, name: str) -> int | str | None:
        """Return a scalar integer or string of fixed length; None if there is no such attribute."""
        if name.encode() not in self._attributes:
            return None
        datatype, space, data = self._attributes[name.encode()]
        is_simple = len(space) >= 4 and (space[0] == 1 or (space[0], space[3]) == (2, 0))
        is_scalar = is_simple and space[1] == 0
        self._expect(is_scalar, f"a scalar attribute {name}", space.hex())
        return self._value(name, datatype, data)

    @cached_property
    def _attributes(self) -> dict[bytes, tuple[bytes, bytes, bytes]]:
        """Datatype, dataspace and data of each attribute by name."""
        attributes: dict[bytes, tuple[bytes, bytes, bytes]] = {}
        for kind, body in self._messages:
            if kind == ATTRIBUTE:
                name, *parts = self._attribute_parts(body)
                self._expect(name not in attributes, "one attribute of each name", name)
                attributes[name] = (parts[0], parts[1], parts[2])
        return attributes

    def _attribute_parts(self, body: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """Return name, datatype, dataspace and data of an attribute message."""
        is_known = len(body) >= 9 and body[0] in (1, 2, 3)
        self._expect(is_known, "an attribute of version 1 to 3", body[:1].hex())
        position = 9 if body[0] == 3 else 8
        parts = []
        for size in struct.unpack_from("<HHH", body, 2):
            parts.append(body[position : position + size])
            self._expect(len(parts[-1]) == size, "a whole attribute", f"{len(body)} bytes")
            position += -(-size // 8) * 8 if body[0] == 1 else size
        name, datatype, space = parts
        return name.rstrip(b"\0"), datatype, space, body[position:]

    def _value(self, name: str, datatype: bytes, data: bytes) -> int | str:
        what = f"a little-endian integer or a string of fixed length as {name}"
        self._expect(len(datatype) >= 8, what, datatype.hex())
        kind = datatype[0] & 15
        size = struct.unpack_from("<I", datatype, 4)[0]
        found = f"a datatype of class {kind} and {size} bytes"
        self._expect(kind in (FIXED_POINT, STRING) and len(data) >= size, what, found)
        if kind == FIXED_POINT:
            is_big_endian = datatype[1] & 1
            self._expect(size <= 8 and not is_big_endian, what, found)
            return int.from_bytes(data[:size], "little", signed=bool(datatype[1] & 8))
        try:
            return data[:size].rstrip(b"\0").decode()
        except UnicodeDecodeError:
            message = f"{self.place}: expected {name} in UTF-8, found other bytes"
            raise MalformedError(message) from None

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike = "<f8") -> Array:
        """Return the dataset of exactly this shape and dtype, contiguous and in this file."""
        numbers = np.dtype(dtype)
        expected = datatype_message(numbers)
        found = self._dimensions()
        self._expect(found == shape, f"shape {shape}", found)
        datatype = self._only(DATATYPE, "a datatype", len(expected))
        self._expect(datatype[: len(expected)] == expected, numbers.name, datatype.hex())
        offset, size = self._contiguous_data()
        expected_size = numbers.itemsize * math.prod(shape)
        self._expect(size == expected_size, f"{expected_size} bytes", size)
        return self.file.read_array(offset, shape, numbers, self.place)

    def text(self) -> bytes:
        """Return the dataset that is one string of fixed length, contiguous and in this file."""
        self._expect(self._dimensions() == (), "one string", "another shape")
        datatype = self._only(DATATYPE, "a datatype", 8)
        length = struct.unpack_from("<I", datatype, 4)[0]
        self._expect(datatype[0] & 15 == STRING, "a string of fixed length", datatype.hex())
        offset, size = self._contiguous_data()
        self._expect(size == length, f"{length} bytes", size)
        return self.file.read(offset, size, self.place)

    def _contiguous_data(self) -> tuple[int, int]:
        """Return offset and size of a dataset's bytes in this file."""
        kinds = {kind for kind, _ in self._messages}
        is_plain = not kinds & {EXTERNAL_FILES, FILTER_PIPELINE}
        self._expect(is_plain, "data in this file, not compressed", "otherwise")
        layout = self._only(DATA_LAYOUT, "a data layout", 18)
        is_contiguous = layout[:2] == b"\x03\x01"
        self._expect(is_contiguous, "contiguous data", f"layout {layout[:2].hex()}")
        offset, size = struct.unpack_from("<QQ", layout, 2)
        return offset, size

    def _dimensions(self) -> tuple[int, ...]:
        """Return the shape in the dataspace message."""
        space = self._only(DATASPACE, "a dataspace", 4)
        start = {1: 8, 2: 4}.get(space[0])
        rank = space[1]
        is_whole = start is not None and rank <= MAX_DIMENSIONS and len(space) >= start + 8 * rank
        self._expect(is_whole, f"at most {MAX_DIMENSIONS} dimensions", f"{rank} of them")
        return struct.unpack_from(f"<{rank}Q", space, start or 0)
