"""Who takes part: the seats of those that can be made, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .contestants import Entry, make
from .turns import ContestantFailed, Seat


class Field:
    """The contestants of one cell, each in its process; leave the ``with`` block to end them."""

    def __init__(self, entries: Iterable[Entry], *arguments: Any) -> None:
        self.seats: dict[str, Seat] = {}
        self.absent: dict[str, str] = {}
        self.titles = {}
        for entry in entries:
            self.titles[entry.name] = entry.title
            if entry.missing is not None:
                self.absent[entry.name] = entry.missing
                continue
            try:
                self.seats[entry.name] = Seat(make, entry, *arguments)
            except ContestantFailed as failure:
                self.absent[entry.name] = f"left out: {failure}"

    @property
    def idle_share(self) -> float:
        """The most CPU that any of them used while waiting, in CPUs."""
        return max((seat.idle_share for seat in self.seats.values()), default=0.0)

    def __enter__(self) -> Field:
        return self

    def __exit__(self, *_: object) -> None:
        for seat in self.seats.values():
            seat.close()


def choose(entries: Sequence[Entry], only: Sequence[str]) -> list[Entry]:
    """The entries that ``only`` names, all where it names none."""
    known = [entry.name for entry in entries]
    unknown = [name for name in only if name not in known]
    if unknown:
        raise SystemExit(f"--only: expected some of {', '.join(known)}, found {', '.join(unknown)}")
    return [entry for entry in entries if not only or entry.name in only]
