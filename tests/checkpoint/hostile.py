"""What load makes of a file that somebody has changed; used by tests and by their subprocesses."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import minilayer as ml

SECRET = b"not for the reader of checkpoints"


def model() -> ml.Sequential:
    return ml.Sequential([ml.Dense(2, 3), ml.Tanh(), ml.Dense(3, 1), ml.Sigmoid()], seed=0)


def save_with_state(path: Path) -> None:
    ml.save(model(), path, state={"step": 7, "velocity": np.arange(9.0).reshape(3, 3)})


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
    return "original"


def refused(path: Path) -> bool:
    """Whether load refuses the file in the form of all its refusals."""
    said = outcome(path)
    return said.startswith(f"{path}: /") and "expected" in said
