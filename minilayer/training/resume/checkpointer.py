"""Recovery: how a run is written down while it goes on, and taken up again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol, TypeGuard

import numpy as np

from ...errors import ResumeError
from ...utils.types import Array, State
from .journal import Journal


class Resumable(Protocol):
    """An objective whose runs can be resumed: minilayer's Objective, or one of your own."""

    def fingerprint(self) -> str:
        """A text that is another for other data, another model or other settings."""

    def save(self, path: Path, x: Array, state: State, /) -> None:
        """Write the model with parameters x, and the state, to the file, in one step."""

    def load_state(self, path: Path, /) -> State:
        """The state in the file."""


def _is_resumable(objective: object) -> TypeGuard[Resumable]:
    return all(hasattr(objective, name) for name in ("fingerprint", "save", "load_state"))


class Recovery:
    """The checkpoint of a run, and its journal where the method's state is hidden.

    Raises ResumeError for a checkpoint that is there but not of this run.
    """

    def __init__(
        self, objective: object, path: Path, every: int, description: str, start: Array, explicit: bool, journal: bool
    ) -> None:
        if not _is_resumable(objective):
            raise TypeError(f"checkpoint: expected an Objective, which can be saved, found {objective!r}")
        if path.is_dir():
            raise IsADirectoryError(f"checkpoint: expected a file, found a folder at {path}")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"checkpoint: expected a folder to write {path} to, found none at {path.parent}")
        self._objective, self._path, self._every = objective, path, every
        self._identity = hashlib.sha256(f"{objective.fingerprint()}|{description}".encode()).hexdigest()
        self.state: State = objective.load_state(path) if path.exists() else {}
        if path.exists() and self.state.get("run") != self._identity:
            found = "another run's" if "run" in self.state else "a model that no run was writing"
            raise ResumeError(
                f"{path}: expected the checkpoint of this run (same data, layers and options), found {found}: name "
                "another file, or move this one away with its journal"
            )
        self.journal: Journal | None = None
        if journal:
            beside = path.with_name(f"{path.name}.journal")
            if self.state and not beside.exists():
                raise ResumeError(f"{beside}: expected the journal of {path.name}, found no file there")
            self.journal = Journal(beside, self._identity, start)
        known = self.journal.start if self.journal else self.state.get("x0", start)
        if explicit and not np.array_equal(known, start):
            self.close()
            raise ResumeError(f"{path}: expected x0 to be where the run started, found another")
        self.start = np.array(known, dtype=np.float64)

    def due(self, iterations: int) -> bool:
        """Whether it is time to save."""
        return iterations % self._every == 0

    def save(self, best: Array, state: State) -> None:
        """Write the model at the best point, and the state."""
        self._objective.save(self._path, best, {**state, "run": self._identity, "x0": self.start})

    def close(self) -> None:
        """Give the journal back."""
        if self.journal is not None:
            self.journal.close()
