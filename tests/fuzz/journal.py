"""Journals that are cut, damaged or of another run, some of them under checksums that are right."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from minilayer.training.resume.journal import FORMAT, Journal
from minilayer.utils.types import Array
from tests.fuzz.engine import Target
from tests.fuzz.source import Source

IDENTITY = "0123456789abcdef" * 4
START = np.array([0.5, -1.0, 2.0])
OTHER_START = np.zeros(3)
"""Where the model is when the journal is opened again."""
POINTS = [START * (1 + k) for k in range(12)]
"""Where the run evaluates."""
MAX_RECORDS = 5
"""Of a generated journal, apart from mistakes."""


def header(identity: str = IDENTITY, parameters: int = START.size, about: str = FORMAT) -> bytes:
    described = {"format": about, "run": identity, "parameters": parameters}
    return (json.dumps(described) + "\n").encode()


def with_checksum(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "little")


def record(x: Array, cost: float, gradient: Array, seconds: float) -> bytes:
    digest = hashlib.blake2b(x.tobytes(), digest_size=16).digest()
    return digest + struct.pack("<dd", cost, seconds) + gradient.tobytes()


HEADER = header()
START_BYTES = 8 * START.size + 4
RECORD_BYTES = 16 + 16 + 8 * START.size + 4


def generate(source: Source) -> bytes:
    """Return a journal of a few evaluations, right or with a few mistakes."""
    start = source.choice((START,) * 9 + (START * 3, np.full(3, np.nan), np.zeros(2)))
    pieces = [source.choice((HEADER,) * 9 + OTHER_HEADERS), with_checksum(start.tobytes())]
    pieces += [_record(source, x) for x in POINTS[: source.integer(0, MAX_RECORDS)]]
    if source.chance(4):
        index = source.integer(0, len(pieces) - 1)
        pieces[index] = _damaged(source, pieces[index])
    if source.chance(10):
        index = source.integer(0, len(pieces) - 1)
        pieces[index : index + 1] = source.choice(([], [pieces[index]] * 2, [source.data(7)]))
    content = b"".join(pieces)
    if source.chance(4):
        content = content[: source.integer(0, len(content))]
    return content + source.data(source.choice((0, 0, 0, 1, 59)))


OTHER_HEADERS = (
    header(identity="f" * 64),
    header(parameters=4),
    header(about="minilayer journal 2"),
    HEADER[:-1],
    HEADER.replace(b" ", b""),
    b"{}\n",
    b"",
)


def _record(source: Source, x: Array) -> bytes:
    if source.chance(20):
        x = x + 1
    cost = source.choice((1.5, -2.0, np.nan, np.inf))
    gradient = x if source.integer(0, 3) else np.full(3, np.nan)
    body = record(x, cost, gradient, source.choice((0.25, -1.0, np.inf)))
    if source.chance(20):
        body = _damaged(source, body)
    return with_checksum(body)


def _damaged(source: Source, piece: bytes) -> bytes:
    """One bit is another, or the end is missing."""
    if not piece or source.chance(3):
        return piece[: source.integer(0, len(piece))]
    place = source.integer(0, len(piece) - 1)
    bit = 1 << source.integer(0, 7)
    return piece[:place] + bytes([piece[place] ^ bit]) + piece[place + 1 :]


def intact(piece: bytes, count: int) -> bytes | None:
    """The body of a piece of that many bytes, if its checksum is right."""
    return piece[:-4] if len(piece) == count and with_checksum(piece[:-4]) == piece else None


def execute(content: bytes, path: Path) -> str:
    """Open a journal, replay it and go on: what is intact comes back, what is damaged is mended.

    Nothing is thrown away: a journal that is refused stays as it was, one that is replayed keeps
    its intact records, and one that begins anew had none.
    """
    path.write_bytes(content)
    checkpointed_start = START if zlib.crc32(content) % 2 else None
    try:
        journal = Journal(path, IDENTITY, OTHER_START, checkpointed_start)
    except ml.ResumeError as error:
        _check_refusal(error, content, path)
        assert not content.startswith(HEADER) or not _is_start_known(content, checkpointed_start)
        return "refused"
    try:
        return _replay(journal, content, path, checkpointed_start)
    finally:
        journal.close()


def _start(content: bytes) -> bytes:
    return content[len(HEADER) : len(HEADER) + START_BYTES]


def _is_start_known(content: bytes, checkpointed_start: Array | None) -> bool:
    """Whether journal or checkpoint know the start, and do not contradict each other."""
    start = intact(_start(content), START_BYTES)
    if start is None or checkpointed_start is None:
        return start is not None or checkpointed_start is not None
    return start == checkpointed_start.tobytes()


def _check_refusal(error: ml.ResumeError, content: bytes, path: Path) -> None:
    assert str(error).startswith(f"{path}: expected"), error
    assert path.read_bytes() == content, "a refused journal was changed"


def _replay(journal: Journal, content: bytes, path: Path, checkpointed_start: Array | None) -> str:
    assert HEADER.startswith(content[: len(HEADER)]), "a journal of another run was opened"
    known = _records(content[len(HEADER) + START_BYTES :])
    start = intact(_start(content), START_BYTES)
    if start is None:
        assert checkpointed_start is not None or len(content) <= len(HEADER) + START_BYTES
        start = (OTHER_START if checkpointed_start is None else checkpointed_start).tobytes()
    assert journal.start.tobytes() == start
    expected: list[bytes] = []
    for index, x in enumerate(POINTS):
        body = known[index] if index < len(known) else None
        if body is not None and body[:16] != record(x, 0, x, 0)[:16]:
            return _expect_another_point(journal, x, content, path, expected)
        found = journal.next(x)
        if body is None:
            assert found is None, "a damaged record was replayed"
            body = record(x, 0.125, 2 * x, 7.5)
            journal.record(x, 0.125, 2 * x, 7.5)
        else:
            _check_evaluation(found, body)
        expected.append(body)
    assert path.read_bytes()[len(HEADER) + START_BYTES :] == _with_rest(expected, content)
    journal.close()
    _check_again(path, expected, checkpointed_start)
    if None in known:
        return "mended"
    return "replayed" if known else "begun"


def _records(content: bytes) -> list[bytes | None]:
    """The bodies of the records of full length; None for one that is damaged."""
    firsts = range(0, len(content) - RECORD_BYTES + 1, RECORD_BYTES)
    return [intact(content[first : first + RECORD_BYTES], RECORD_BYTES) for first in firsts]


def _with_rest(bodies: list[bytes], content: bytes) -> bytes:
    """The records of all points, and what was behind them in the file."""
    rest = content[len(HEADER) + START_BYTES + RECORD_BYTES * len(bodies) :]
    return b"".join(map(with_checksum, bodies)) + rest


def _expect_another_point(
    journal: Journal, x: Array, content: bytes, path: Path, before: list[bytes]
) -> str:
    """Expect a refusal; all is as it was, but for what was damaged before a record that fits."""
    with pytest.raises(ml.ResumeError) as refusal:
        journal.next(x)
    place = len(HEADER) + START_BYTES
    known = _records(content[place:])[: len(before)]
    last_that_fits = max((k for k, body in enumerate(known) if body is not None), default=-1)
    mended = b"".join(map(with_checksum, before[: last_that_fits + 1]))
    as_it_should_be = content[:place] + mended + content[place + len(mended) :]
    _check_refusal(refusal.value, as_it_should_be, path)
    return "another point"


def _check_evaluation(found: tuple[float, Array, float] | None, body: bytes) -> None:
    assert found is not None, "an intact record was not replayed"
    cost, gradient, seconds = found
    assert struct.pack("<dd", cost, seconds) + gradient.tobytes() == body[16:]
    assert gradient.flags.writeable


def _check_again(path: Path, bodies: list[bytes], checkpointed_start: Array | None) -> None:
    """Open the journal a second time: all that was replayed and recorded is there."""
    journal = Journal(path, IDENTITY, OTHER_START, checkpointed_start)
    try:
        for x, body in zip(POINTS, bodies, strict=True):
            _check_evaluation(journal.next(x), body)
        assert journal.damaged == 0
    finally:
        journal.close()


TARGET = Target("journal", generate, execute)
