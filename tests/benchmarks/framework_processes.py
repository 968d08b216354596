"""The processes of one comparison: one for each framework that is installed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .frameworks import Entry, make
from .worker_process import WorkerFailed, WorkerProcess


class FrameworkProcesses:
    """One worker process for each entry that can be made. Leaving the ``with`` block ends them.

    Parameters
    ----------
    entries : iterable of Entry
        The frameworks.
    *arguments
        What each framework is made with.

    Attributes
    ----------
    running : dict of name to WorkerProcess
        The processes.
    missing : dict of name to str
        Why the others have none.
    titles : dict of name to str
        The names in tables, of all entries.
    """

    def __init__(self, entries: Iterable[Entry], *arguments: Any) -> None:
        self.running: dict[str, WorkerProcess] = {}
        self.missing: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        for entry in entries:
            self.titles[entry.name] = entry.title
            if not entry.is_installed:
                self.missing[entry.name] = f"left out: {entry.requires} is not installed"
                continue
            try:
                self.running[entry.name] = WorkerProcess(make, entry, *arguments)
            except WorkerFailed as failure:
                self.missing[entry.name] = f"left out: {failure}"

    @property
    def idle_share(self) -> float:
        """The most that any of them used while it waited, in CPUs."""
        return max((process.idle_share for process in self.running.values()), default=0.0)

    def __enter__(self) -> FrameworkProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running.values():
            process.close()


def select(entries: Sequence[Entry], only: Sequence[str]) -> list[Entry]:
    """Return the entries of the names in ``only``, or all of them if it is empty.

    SystemExit for a name that no entry has.
    """
    names = select_names([entry.name for entry in entries], only)
    return [entry for entry in entries if entry.name in names]


def select_names(names: Sequence[str], only: Sequence[str]) -> list[str]:
    """Return the names in ``only``, or all of them if it is empty.

    SystemExit for a name that is not among them.
    """
    unknown = [name for name in only if name not in names]
    if unknown:
        raise SystemExit(f"--only: expected some of {', '.join(names)}, found {', '.join(unknown)}")
    return [name for name in names if not only or name in only]
