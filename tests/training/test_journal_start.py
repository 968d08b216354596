"""A journal whose start is damaged still gives back its evaluations."""

from pathlib import Path

import numpy as np
import pytest

from minilayer.training.resume.journal import CHECKSUM_BYTES, Journal
from minilayer.utils.types import Array


def points(size: int) -> list[Array]:
    return [np.arange(float(size)) + k for k in range(3)]


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("identity", ["a" * length for length in range(8)])
def test_the_evaluations_follow_a_damaged_start(identity: str, size: int, tmp_path: Path) -> None:
    """For headers of every length modulo 8."""
    path = tmp_path / "run.journal"
    start = points(size)[0]
    journal = Journal(path, identity, start)
    for k, x in enumerate(points(size)):
        assert journal.next(x) is None
        journal.record(x, 10.0 + k, -x, 0.5 * k)
    journal.close()
    content = bytearray(path.read_bytes())
    header = content.index(b"\n") + 1
    content[header + 8 * size + CHECKSUM_BYTES - 1] ^= 1
    path.write_bytes(content)
    again = Journal(path, identity, np.zeros(size), checkpointed_start=start)
    np.testing.assert_array_equal(again.start, start)
    for k, x in enumerate(points(size)):
        known = again.next(x)
        assert known is not None
        assert (known[0], known[2]) == (10.0 + k, 0.5 * k)
        np.testing.assert_array_equal(known[1], -x)
    assert again.next(start) is None
    again.close()
    assert path.read_bytes() == content
