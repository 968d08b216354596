"""Where a generator of files takes its decisions from: random numbers, or the bytes of a fuzzer."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Source(ABC):
    """Decisions. A source at its end decides for the first of everything, and for no mutation."""

    @abstractmethod
    def integer(self, low: int, high: int) -> int:
        """Return an integer from low to high."""

    @abstractmethod
    def data(self, count: int) -> bytes:
        """Return that many bytes."""

    def choice(self, items: Sequence[Item]) -> Item:
        return items[self.integer(0, len(items) - 1)]

    def chance(self, one_in: int) -> bool:
        """Return True once in that many times."""
        return self.integer(0, one_in - 1) == one_in - 1


class RandomSource(Source):
    """Random numbers of a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        return low + int(self._random.random() * (high - low + 1))

    def data(self, count: int) -> bytes:
        return self._random.randbytes(count)


class ByteSource(Source):
    """The input of a coverage-guided fuzzer, which learns which of its bytes lead where."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def integer(self, low: int, high: int) -> int:
        width = ((high - low).bit_length() + 7) // 8
        return low + int.from_bytes(self.data(width), "little") % (high - low + 1)

    def data(self, count: int) -> bytes:
        taken = self._content[self._position : self._position + count]
        self._position += count
        return taken.ljust(count, b"\0")
