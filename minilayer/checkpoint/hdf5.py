"""A reader for the plain part of HDF5 that checkpoints are written in, safe on any bytes.

libhdf5 follows links to other files, allocates what a file claims, and has crashed on files made to that end. A
stranger's checkpoint is therefore read here and not there: version 0 superblock, groups as symbol tables, version 1
object headers, scalar attributes, contiguous float64 datasets. Everything is read within the bounds of the file and of
fixed limits, and whatever is of another kind (links to elsewhere, virtual, external, chunked or compressed data, texts
of variable length, objects, ...) is refused. Structures have the names of the HDF5 File Format Specification.
"""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

import numpy as np

from ..utils.types import Array

HEADER_LIMIT, NODE_LIMIT, LINK_LIMIT = 1 << 20, 64, 20_000
"""The most bytes of an object's header and of a group's names, entries of a node, links of a group."""
SIGNATURE = b"\x89HDF\r\n\x1a\n"
FLOAT64 = bytes.fromhex("11203f000800000000004000340b0034ff030000")
"""The datatype message of a little-endian IEEE double."""
DATASPACE, DATATYPE, EXTERNAL, LAYOUT, FILTERS, ATTRIBUTE, CONTINUATION, SYMBOLS = (
    1,
    3,
    7,
    8,
    11,
    12,
    16,
    17,
)


class MalformedError(ValueError):
    """The file is not plain HDF5; the message names the place, what was expected and what was found."""


class _File:
    """Bytes by offset, and an error instead of anything beyond the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.size = file, os.fstat(file.fileno()).st_size

    def read(self, offset: int, count: int, place: str) -> bytes:
        if count < 0 or offset < 0 or offset + count > self.size:
            raise MalformedError(
                f"{place}: expected {count} bytes at {offset}, found a file of {self.size} bytes"
            )
        self._file.seek(offset)
        content = self._file.read(count)
        if len(content) != count:
            raise MalformedError(
                f"{place}: expected {count} bytes at {offset}, found {len(content)}"
            )
        return content

    def unpack(self, layout: str, offset: int, place: str) -> tuple[int | bytes, ...]:
        return struct.unpack(layout, self.read(offset, struct.calcsize(layout), place))


def open_root(file: BinaryIO) -> Node:
    """The root group of an open file."""
    content = _File(file)
    if content.size < 96 or content.read(0, 8, "/") != SIGNATURE:
        raise MalformedError("/: expected an HDF5 file, found other bytes")
    versions = content.read(8, 8, "/")
    if versions[0] != 0 or versions[5:7] != b"\x08\x08":
        raise MalformedError(
            f"/: expected a version 0 superblock with 8-byte offsets, found {versions.hex()}"
        )
    base, _, end, _, _, root = struct.unpack("<QQQQQQ", content.read(24, 48, "/"))
    if base != 0 or end != content.size:
        raise MalformedError(
            f"/: expected a file of {end - base} bytes from 0, found {content.size} bytes"
        )
    return Node(content, root, "/")


@dataclass(frozen=True)
class Node:
    """A group or a dataset."""

    file: _File
    address: int
    place: str

    @cached_property
    def _messages(self) -> list[tuple[int, bytes]]:
        version, count, _, length = self.file.unpack("<BxHII4x", self.address, self.place)
        self._expect(version == 1, "a version 1 object header", version)
        blocks, total = [(self.address + 16, int(length))], 0
        messages: list[tuple[int, bytes]] = []
        while blocks:
            offset, size = blocks.pop(0)
            total += size
            self._expect(total <= HEADER_LIMIT, f"a header of at most {HEADER_LIMIT} bytes", total)
            block, position = self.file.read(offset, size, self.place), 0
            while position + 8 <= size and len(messages) < int(count):
                kind, length, flags = struct.unpack_from("<HHB3x", block, position)
                body = block[position + 8 : position + 8 + length]
                self._expect(
                    len(body) == length and not flags & 2,
                    "whole messages, none of them shared",
                    kind,
                )
                messages.append((kind, body))
                position += 8 + length
                if kind == CONTINUATION:
                    self._expect(length >= 16, "a continuation of 16 bytes", length)
                    blocks.append(struct.unpack_from("<QQ", body))
        return messages

    def _only(self, kind: int, what: str, length: int) -> bytes:
        """The one message of a kind, of at least that length."""
        found = [body for other, body in self._messages if other == kind]
        self._expect(len(found) == 1 and len(found[0]) >= length, what, f"{len(found)} of them")
        return found[0]

    def _expect(self, condition: bool, expected: str, found: object) -> None:
        if not condition:
            raise MalformedError(f"{self.place}: expected {expected}, found {found}")

    def child(self, name: str) -> Node:
        """The member of a group, by a hard link."""
        place = f"{self.place.rstrip('/')}/{name}"
        header, kind = self._links.get(name.encode(), (0, 0))
        if not header:
            raise MalformedError(f"{place}: expected a hard link to it, found none")
        if kind == 2:
            raise MalformedError(f"{place}: expected a hard link, found a soft one")
        return Node(self.file, header, place)

    @cached_property
    def _links(self) -> dict[bytes, tuple[int, int]]:
        """Object header address and cache type (2: a soft link) by name."""
        tree, heap = struct.unpack_from(
            "<QQ", self._only(SYMBOLS, "a group with a symbol table", 16)
        )
        signature, size, _, segment = self.file.unpack("<4s4xQQQ", heap, self.place)
        self._expect(
            signature == b"HEAP" and int(size) <= HEADER_LIMIT, "a heap of names", signature
        )
        names = self.file.read(int(segment), int(size), self.place)
        links: dict[bytes, tuple[int, int]] = {}
        nodes, seen = [int(tree)], 0
        while nodes:
            node, seen = nodes.pop(), seen + 1
            self._expect(
                seen + len(links) <= LINK_LIMIT, f"a group of at most {LINK_LIMIT} links", "more"
            )
            signature, kind, level, used, _, _ = self.file.unpack("<4sBBHQQ", node, self.place)
            whole = signature == b"TREE" and kind == 0 and int(used) <= NODE_LIMIT
            self._expect(whole, "a node of a group's tree", signature)
            body = struct.unpack(
                f"<{2 * int(used) + 1}Q", self.file.read(node + 24, 16 * int(used) + 8, self.place)
            )
            if level:
                nodes += body[1::2]
            else:
                for leaf in body[1::2]:
                    links.update(self._leaf(leaf, names))
        return links

    def _leaf(self, leaf: int, names: bytes) -> dict[bytes, tuple[int, int]]:
        signature, version, count = self.file.unpack("<4sBxH", leaf, self.place)
        whole = signature == b"SNOD" and version == 1 and int(count) <= NODE_LIMIT
        self._expect(whole, "a symbol table node", signature)
        entries = self.file.read(leaf + 8, 40 * int(count), self.place)
        found = {}
        for name, header, kind in struct.iter_unpack("<QQI20x", entries):
            end = names.find(b"\0", name, name + 256)
            self._expect(0 <= name < end, "a name of at most 255 bytes", name)
            found[names[name:end]] = (header, kind)
        return found

    def attribute(self, name: str) -> int | str | None:
        """A scalar integer or string of fixed length; None where there is no attribute of that name."""
        for kind, body in self._messages:
            if kind == ATTRIBUTE:
                found, datatype, space, data = self._attribute_parts(body)
                if found == name.encode():
                    scalar = (
                        len(space) >= 4
                        and space[1] == 0
                        and (space[0] == 1 or (space[0], space[3]) == (2, 0))
                    )
                    self._expect(scalar, f"a scalar attribute {name}", space.hex())
                    return self._value(name, datatype, data)
        return None

    def _attribute_parts(self, body: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """Name, datatype, dataspace and data of an attribute message."""
        self._expect(
            len(body) >= 9 and body[0] in (1, 2, 3),
            "an attribute of version 1 to 3",
            body[:1].hex(),
        )
        position, parts = (9 if body[0] == 3 else 8), []
        for size in struct.unpack_from("<HHH", body, 2):
            parts.append(body[position : position + size])
            self._expect(len(parts[-1]) == size, "a whole attribute", f"{len(body)} bytes")
            position += -(-size // 8) * 8 if body[0] == 1 else size
        name, datatype, space = parts
        return name.rstrip(b"\0"), datatype, space, body[position:]

    def _value(self, name: str, datatype: bytes, data: bytes) -> int | str:
        what = f"a whole number or a text of fixed length as {name}"
        self._expect(len(datatype) >= 8, what, datatype.hex())
        kind, size = datatype[0] & 15, struct.unpack_from("<I", datatype, 4)[0]
        self._expect(
            kind in (0, 3) and len(data) >= size,
            what,
            f"a datatype of class {kind} and size {size}",
        )
        if kind == 0:
            self._expect(size <= 8 and not datatype[1] & 1, what, f"{size} bytes")
            return int.from_bytes(data[:size], "little", signed=bool(datatype[1] & 8))
        try:
            return data[:size].rstrip(b"\0").decode()
        except UnicodeDecodeError:
            raise MalformedError(
                f"{self.place}: expected {name} in UTF-8, found other bytes"
            ) from None

    def array(self, shape: tuple[int, ...]) -> Array:
        """The float64 dataset of exactly this shape, whose bytes lie in one piece in this file."""
        kinds = {kind for kind, _ in self._messages}
        self._expect(
            not kinds & {EXTERNAL, FILTERS},
            "data in one piece, not compressed and in this file",
            "otherwise",
        )
        datatype = self._only(DATATYPE, "a datatype", len(FLOAT64))
        self._expect(datatype[: len(FLOAT64)] == FLOAT64, "float64", datatype.hex())
        space = self._only(DATASPACE, "a dataspace", 4)
        start = {1: 8, 2: 4}.get(space[0], len(space))
        found = struct.unpack_from(f"<{space[1]}Q", space.ljust(start + 8 * space[1], b"\0"), start)
        self._expect(found == shape, f"shape {shape}", found)
        layout = self._only(LAYOUT, "a data layout", 18)
        self._expect(layout[:2] == b"\x03\x01", "data in one piece", f"layout {layout[:2].hex()}")
        offset, size = struct.unpack_from("<QQ", layout, 2)
        self._expect(size == 8 * math.prod(shape), f"{8 * math.prod(shape)} bytes", size)
        return np.frombuffer(self.file.read(offset, size, self.place), "<f8").reshape(shape)
