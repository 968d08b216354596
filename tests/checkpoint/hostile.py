"""What load makes of a file that somebody has changed.

``python -m tests.checkpoint.hostile FILE bytes|fields SEED ROUNDS`` damages a checkpoint at random,
loads it, and prints how often that gave the original, how often a refusal, and the peak memory.
"""

from __future__ import annotations

import random
import resource
import sys
from pathlib import Path

import numpy as np

import minilayer as ml

SECRET = b"not for the reader of checkpoints"


def model() -> ml.Sequential:
    return ml.Sequential([ml.Dense(2, 3), ml.Tanh(), ml.Dense(3, 1), ml.Sigmoid()], seed=0)


def save_with_state(path: Path) -> None:
    """A checkpoint with a state, names and metadata."""
    named = model()
    named.feature_names = ["width", "height"]
    named.class_names = ["no", "yes"]
    state = {"step": 7, "velocity": np.arange(9.0).reshape(3, 3)}
    metadata = {"rows": [50, 60], "pixels": np.arange(9, dtype=np.uint8).reshape(3, 3)}
    ml.save(named, path, state=state, metadata=metadata)


def outcome(path: Path) -> str:
    """Return what load makes of a file; anything but these two is an error of the test."""
    try:
        loaded = ml.load(path)
    except ml.CheckpointError as error:
        said = str(error)
        return said if path.name in said and SECRET.decode() not in said else f"it says {said}"
    assert repr(loaded) == repr(model())
    assert loaded.parameters.tobytes() == model().parameters.tobytes()
    state = ml.load_state(path)
    assert state.pop("velocity").tobytes() == np.arange(9.0).tobytes()
    assert state == {"step": 7}
    assert (loaded.feature_names, loaded.class_names) == (("width", "height"), ("no", "yes"))
    metadata = ml.load_metadata(path)
    assert metadata.pop("pixels").tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert metadata == {"rows": [50, 60]}
    return "original"


def refused(path: Path) -> bool:
    """Whether load refuses the file in the form of all its refusals."""
    said = outcome(path)
    return said.startswith(f"{path}: /") and "expected" in said


def with_random_bytes(content: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        damaged[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(damaged)


def with_another_field(content: bytes, rng: random.Random) -> bytes:
    """A field of a structure is given a number that means something."""
    size = len(content)
    addresses: list[int] = [0, 2**64 - 1, 2**63, 2**32, size, size - 8, *range(0, size, 40)]
    place = rng.randrange(0, size - 8, 4)
    width = rng.choice((2, 4, 8))
    field = rng.choice(addresses) & ((1 << (8 * width)) - 1)
    return content[:place] + field.to_bytes(width, "little") + content[place + width :]


def main(path: Path, mode: str, seed: int, rounds: int) -> None:
    damage = {"bytes": with_random_bytes, "fields": with_another_field}[mode]
    content = path.read_bytes()
    rng = random.Random(seed)
    originals = 0
    for _ in range(rounds):
        path.write_bytes(damage(content, rng))
        originals += outcome(path) == "original"
    print(originals, rounds - originals, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
