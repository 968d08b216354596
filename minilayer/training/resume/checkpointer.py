"""Checkpointer: writes a run down while it goes on, so that it can be resumed."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import numpy as np

from ...checkpoint import load_state, save
from ...checkpoint.stored_loss import storable_loss
from ...checkpoint.writer import check_storable
from ...errors import ResumeError
from ...utils.files import LockFile
from ...utils.types import Array, State
from ..problem import Problem
from .journal import Journal
from .replay import Replay, UnfinishedIteration
from .state_check import Expected, StateError


class Checkpointer:
    """The checkpoint of a run, locked while the run lasts.

    A method with explicit state has it in the checkpoint. For the others a journal of all
    evaluations is kept beside it.

    Parameters
    ----------
    problem : Problem
        The objective.
    path : Path
        The checkpoint.
    every : int
        Iterations between two writes.
    description : str
        Method, options and validation: the run's identity, together with the fingerprint.
    start : ndarray
        Where the run is to begin.
    is_explicit_start : bool
        Whether the caller gave that start; a resumed run must then have begun there.
    has_explicit_state : bool
        Whether the method gives its state.
    expected_state : Expected
        What the checkpoint must hold of the run.

    Attributes
    ----------
    start : ndarray
        Where the run began.
    state : dict
        What the checkpoint holds of the run; empty for a new run.

    Raises
    ------
    ResumeError
        For a checkpoint that is not of this run, or that another run is writing.
    CheckpointError
        For a model that a checkpoint cannot store.
    """

    def __init__(
        self,
        problem: Problem,
        path: Path,
        *,
        every: int,
        description: str,
        start: Array,
        is_explicit_start: bool,
        has_explicit_state: bool,
        expected_state: Expected,
    ) -> None:
        check_storable(problem.model)
        identity = f"{problem.fingerprint()}|{description}"
        _check_place(path)
        path = Path(os.path.realpath(path))  # so that two names of one file share a lock
        self._problem = problem
        self._stored_loss = storable_loss(problem.loss)
        self._path = path
        self._every = every
        self._identity = hashlib.sha256(identity.encode()).hexdigest()
        self._journal: Journal | None = None
        self._unfinished = UnfinishedIteration()
        self._lock = LockFile(path)
        if not self._lock.is_held:
            raise ResumeError(
                f"{path}: expected a checkpoint that no run is writing, found one in use"
            )
        try:
            self.state = self._load(expected_state)
            known = self.state.get("x0", start)
            if has_explicit_state:
                self._unfinished.restore(self.state.get("unfinished", {}))
            else:
                self._journal = self._open_journal(start)
                known = self._journal.start
            if is_explicit_start and not np.array_equal(known, start):
                raise ResumeError(f"{path}: expected x0 to be where the run started, found another")
            if not is_explicit_start and not self._is_of_this_run(start, known):
                raise ResumeError(
                    f"{path}: expected a model with the parameters that the run started with or "
                    "left, found others: use the same seed, or the model of load(path), or name "
                    "another file"
                )
        except BaseException:
            self.close()
            raise
        self.start = np.array(known, dtype=np.float64)

    @property
    def all_evaluations(self) -> int:
        """How many evaluations the checkpoint knew of when the run was taken up."""
        known: int = self.state.get("all_evaluations", 0)
        return known

    def resumed_at(self) -> int | None:
        """Return the number of evaluations of the run's earlier part; None for a new run."""
        known = 0 if self._journal is not None else self.state.get("evaluations", 0)
        total: int = known + self.replay.replayed
        return total if total or self.damaged else None

    @property
    def damaged(self) -> int:
        """How many damaged evaluations of the journal were computed again."""
        return 0 if self._journal is None else self._journal.damaged

    @property
    def replay(self) -> Replay:
        """Where evaluations are recorded and found."""
        return self._unfinished if self._journal is None else self._journal

    @property
    def unfinished(self) -> UnfinishedIteration:
        """The evaluations since the last whole iteration, for methods with explicit state."""
        return self._unfinished

    def is_due(self, iterations: int) -> bool:
        """Return whether it is time to save."""
        return iterations % self._every == 0

    def save(self, x: Array, state: State) -> None:
        """Write the model with parameters x, and the state; never an earlier one than is there."""
        if state["all_evaluations"] < self.all_evaluations:
            return
        about = {"run": self._identity, "x0": self.start}
        model = self._problem.model.replica(x)
        save(model, self._path, state={**about, **state}, loss=self._stored_loss)

    def close(self) -> None:
        """Release the files to other runs."""
        try:
            if self._journal is not None:
                self._journal.close()
        finally:
            self._lock.release()

    def _is_of_this_run(self, parameters: Array, x0: Array) -> bool:
        """Return whether the run began at these parameters or left them in the model."""
        left = self.state["left"]["x"] if self.state else x0
        if np.array_equal(parameters, x0) or np.array_equal(parameters, left):
            return True
        return self._journal is not None and self._journal.contains(parameters)

    def _load(self, expected_state: Expected) -> State:
        """Return the state in the file, after checking whose it is; empty without a file."""
        if not self._path.exists():
            return {}
        state = load_state(self._path, max_bytes=sys.maxsize)  # a run may write any size
        run = state.get("run")
        if isinstance(run, str) and run == self._identity and "best cost" not in state:
            try:
                checked: State = expected_state.checked(state, "")
            except StateError as error:
                raise ResumeError(
                    f"{self._path}: {error}: load(path) still returns the network; "
                    "to begin the run again, move the file away with its journal"
                ) from None
            return checked
        if "best cost" in state:
            found = "one of an earlier minilayer, whose networks load but whose runs do not resume"
        elif "run" in state:
            found = "another run's"
        else:
            found = "a model that no run was writing"
        raise ResumeError(
            f"{self._path}: expected the checkpoint of this run (same data, layers and options), "
            f"found {found}: name another file, or move this one away with its journal"
        )

    def _open_journal(self, start: Array) -> Journal:
        beside = self._path.with_name(f"{self._path.name}.journal")
        if self.state and not beside.exists():
            raise ResumeError(
                f"{beside}: expected the journal of {self._path.name}, found no file there"
            )
        return Journal(beside, self._identity, start, self.state.get("x0"))


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(f"checkpoint: expected a file, found a folder at {path}")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"checkpoint: expected a folder to write {path} to, found none at {path.parent}"
        )
