"""Journal: the evaluations of a run in a file, so that a method without explicit state can resume.

SciPy's methods hide their state, but they are deterministic: given the same cost and gradient they
evaluate the same next point. A resumed run starts again and is given the journal's results until
these are used up. Each point is compared with the recorded one; at a difference the run is refused.

The file starts with a line of JSON that says whose run it is, and the run's start (8 n + 4 bytes
for n parameters). Each evaluation then takes 36 + 8 n bytes: a digest of x, the cost, the seconds
since the beginning, the gradient, a checksum. A kill while one is being written loses that one.

A damaged evaluation is computed again: the method is deterministic, so those behind it are still
the next ones. It is written in its place as soon as the next one fits. Nothing is ever cut off.
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
DIGEST_BYTES = 16
CHECKSUM_BYTES = 4


class Journal:
    """The journal of one run, open while the run lasts, by one process at a time.

    Parameters
    ----------
    path : Path
        The file.
    identity : str
        The run's.
    start : ndarray
        Where a new run is to begin.
    checkpointed_start : ndarray or None
        Where the run began, if its checkpoint knows that.

    Attributes
    ----------
    start : ndarray
        Where the run began.
    replayed : int
        Number of the last evaluation that was given back.
    damaged : int
        Number of damaged evaluations so far, which are computed again.
    has_diverged : bool
        Whether an evaluation was at another point than in the journal.
    """

    def __init__(
        self, path: Path, identity: str, start: Array, checkpointed_start: Array | None = None
    ) -> None:
        self._path = path
        self._size = start.size
        self._record_bytes = DIGEST_BYTES + 16 + 8 * start.size + CHECKSUM_BYTES
        self._replaying = True
        self._evaluations = 0
        self._beginning = b""  # of a new journal, written with its first evaluation
        self._mended: dict[int, bytes] = {}  # by place, until the next evaluation fits
        self.replayed = 0
        self.damaged = 0
        self.has_diverged = False
        about = {"format": FORMAT, "run": identity, "parameters": start.size}
        header = (json.dumps(about) + "\n").encode()
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self._file: BinaryIO = os.fdopen(handle, "r+b")
        try:
            self.start = self._open(header, start, checkpointed_start)
        except BaseException:
            self._file.close()
            raise

    def _open(self, header: bytes, start: Array, checkpointed_start: Array | None) -> Array:
        """Check whose journal it is; return where the run began."""
        if not lock_file(self._file):
            raise ResumeError(
                f"{self._path}: expected a journal that no run is writing, found one in use"
            )
        found = self._file.read(len(header))
        if not header.startswith(found):
            raise ResumeError(
                f"{self._path}: expected the journal of this run "
                "(same data, layers and options), found another: move it away"
            )
        known = _without_checksum(self._file.read(8 * start.size + CHECKSUM_BYTES), 8 * start.size)
        if known is not None:
            return self._checked_start(np.frombuffer(known, "<f8"), checkpointed_start)
        if checkpointed_start is not None:
            start = checkpointed_start
        if self._file.read(1):  # evaluations follow
            if checkpointed_start is None:
                raise ResumeError(
                    f"{self._path}: expected the run's start, found damaged bytes: move it away"
                )
            self._file.seek(len(header) + 8 * start.size + CHECKSUM_BYTES)
            return start
        # A new journal, or one that was cut off before its first evaluation.
        self._beginning = header + _with_checksum(start.astype("<f8").tobytes())
        self._replaying = False
        return start

    def _checked_start(self, start: Array, checkpointed_start: Array | None) -> Array:
        if checkpointed_start is not None and not np.array_equal(start, checkpointed_start):
            raise ResumeError(
                f"{self._path}: expected a journal of the checkpoint's start, found another "
                "start's: move both files away, or put the right journal back"
            )
        return start.astype(np.float64)

    def next(self, x: Array) -> tuple[float, Array, float] | None:
        """Return cost, gradient and seconds of the next evaluation.

        None if it is to be computed and recorded: it is not in the journal, or it is damaged.
        """
        if not self._replaying:
            return None
        self._evaluations += 1
        start = self._file.tell()
        content = self._file.read(self._record_bytes)
        record = _without_checksum(content, self._record_bytes - CHECKSUM_BYTES)
        if record is None:
            self._file.seek(start)
            self._replaying = len(content) == self._record_bytes
            self.damaged += self._replaying
            return None
        if record[:DIGEST_BYTES] != _digest(x):
            self.has_diverged = True
            raise ResumeError(
                f"{self._path}: expected evaluation {self._evaluations} at the point of the "
                "journal, found another: the machine's arithmetic or the library's version has "
                "changed: use the old one, or drop what does not fit with "
                f"os.truncate({str(self._path)!r}, {start})"
            )
        self.replayed = self._evaluations
        self._write_mended()
        cost, seconds = struct.unpack_from("<dd", record, DIGEST_BYTES)
        gradient = np.frombuffer(record, "<f8", self._size, DIGEST_BYTES + 16)
        return cost, gradient.astype(np.float64), seconds

    def contains(self, x: Array) -> bool:
        """Return whether the run began at x or evaluated it."""
        if np.array_equal(x, self.start):
            return True
        begin = self._file.tell()
        digest = _digest(x)
        end = os.fstat(self._file.fileno()).st_size
        is_known = False
        for position in range(begin, end, self._record_bytes):
            self._file.seek(position)
            if self._file.read(DIGEST_BYTES) == digest:
                is_known = True
                break
        self._file.seek(begin)
        return is_known

    def record(self, x: Array, cost: float, gradient: Array, seconds: float) -> None:
        """Write an evaluation; a kill of the process after this returns does not lose it."""
        body = _digest(x) + struct.pack("<dd", cost, seconds)
        body += np.ascontiguousarray(gradient, "<f8").tobytes()
        if self._beginning:
            self._file.seek(0)
            self._file.truncate()  # it holds no evaluation
            self._file.write(self._beginning)
            self._beginning = b""
        if self._replaying:
            self._mended[self._file.tell()] = _with_checksum(body)
            self._file.seek(self._record_bytes, os.SEEK_CUR)
            behind = os.fstat(self._file.fileno()).st_size - self._file.tell()
            if behind < self._record_bytes:
                self._write_mended()
            return
        self._file.write(_with_checksum(body))
        self._file.flush()

    def _write_mended(self) -> None:
        """Write the evaluations that were damaged, now that what follows them fits."""
        if not self._mended:
            return
        here = self._file.tell()
        for place, record in self._mended.items():
            self._file.seek(place)
            self._file.write(record)
        self._mended.clear()
        self._file.flush()
        self._file.seek(here)

    def close(self) -> None:
        """Release the file to other runs."""
        self._file.close()


def _with_checksum(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(CHECKSUM_BYTES, "little")


def _without_checksum(record: bytes, length: int) -> bytes | None:
    """Return the body of a whole record, None for one that was cut off or is damaged."""
    body = record[:length]
    return body if _with_checksum(body) == record else None


def _digest(x: Array) -> bytes:
    content = np.ascontiguousarray(x, "<f8").tobytes()
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()
