"""Journal: what an objective answered, evaluation by evaluation, so that a run can be taken up where it was cut off.

SciPy's methods hide their state, but they are deterministic: given the same answers they ask the same questions. A
resumed run starts anew and is answered from the journal until that is used up; each question is checked to be the one
that was answered. Where a method asks something else, the run is refused.

A line of JSON says whose run it is, 8 n + 4 bytes where it starts, for n parameters; then each evaluation takes
36 + 8 n bytes: a digest of x, the cost, the seconds since the beginning, the gradient, a checksum. A kill while one is
written loses that one.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ...errors import ResumeError
from ...utils.files import lock_file
from ...utils.types import Array

FORMAT = "minilayer journal 1"
DIGEST = 16


class Journal:
    """The journal of one run, open for as long as the run lasts, by one process at a time."""

    def __init__(self, path: Path, identity: str, start: Array) -> None:
        self._path, self._size = path, start.size
        self._record = DIGEST + 16 + 8 * start.size + 4
        header = (json.dumps({"format": FORMAT, "run": identity, "parameters": start.size}) + "\n").encode()
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        try:
            if not lock_file(self._file):
                raise ResumeError(f"{path}: expected a journal that no run is writing, found one in use")
            found = self._file.read(len(header))
            if not header.startswith(found):
                raise ResumeError(
                    f"{path}: expected the journal of this run (same data, layers and options), found another: "
                    "move it away"
                )
            known = _unsealed(self._file.read(8 * start.size + 4), 8 * start.size + 4)
            if known is None:  # a new one, or one that was cut off before its first evaluation
                self._file.seek(0)
                self._file.truncate()
                self._file.write(header + _sealed(start.astype("<f8").tobytes()))
                self._file.flush()
            self.start = start if known is None else np.frombuffer(known, "<f8").astype(np.float64)
        except BaseException:
            self._file.close()
            raise
        self._replaying, self.replayed = True, 0

    def answer(self, x: Array) -> tuple[float, Array, float] | None:
        """Cost, gradient and seconds of the next evaluation, if the journal has it; None from the first it has not."""
        if not self._replaying:
            return None
        start = self._file.tell()
        record = _unsealed(self._file.read(self._record), self._record)
        if record is None:
            self._replaying = False
            self._file.seek(start)
            self._file.truncate()
            return None
        if record[:DIGEST] != _digest(x):
            raise ResumeError(
                f"{self._path}: expected evaluation {self.replayed + 1} at the point of the journal, found another: "
                "the machine's arithmetic or the library's version has changed"
            )
        self.replayed += 1
        cost, seconds = struct.unpack_from("<dd", record, DIGEST)
        return cost, np.frombuffer(record, "<f8", self._size, DIGEST + 16).astype(np.float64), seconds

    def append(self, x: Array, cost: float, gradient: Array, seconds: float) -> None:
        """Write an evaluation down; it is safe from a kill of the process when this returns."""
        body = _digest(x) + struct.pack("<dd", cost, seconds) + np.ascontiguousarray(gradient, "<f8").tobytes()
        self._file.write(_sealed(body))
        self._file.flush()

    def close(self) -> None:
        """Let another run open it."""
        self._file.close()


def _sealed(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "little")


def _unsealed(record: bytes, length: int) -> bytes | None:
    """The body of a whole record, None for one that was cut off or is damaged."""
    return record[:-4] if len(record) == length and _sealed(record[:-4]) == record else None


def _digest(x: Array) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(x, "<f8").tobytes(), digest_size=DIGEST).digest()
