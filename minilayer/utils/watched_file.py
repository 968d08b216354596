"""WatchedFile: notices that a file has changed since its rows were checked."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import final

import numpy as np

from ..errors import DataError


@final
class WatchedFile:
    """A file that must stay as it is. Looking costs one ``os.stat``."""

    def __init__(self, path: str, *, is_written_here: bool) -> None:
        self.path = path
        self._is_written_here = is_written_here
        self._first = self._state()

    @staticmethod
    def of(source: object) -> WatchedFile | None:
        """Return the file of a memory map or an h5py dataset; None for what has no file.

        A file that this process has opened for writing may get new times and grow, for instance
        when HDF5 empties its caches. It must not vanish, shrink or be replaced.
        """
        with suppress(Exception):  # of a source of the user's own, or a file in memory
            holder = source if isinstance(source, np.memmap) else source.file  # type: ignore[attr-defined]
            path = os.path.abspath(os.fsdecode(holder.filename or ""))
            return WatchedFile(path, is_written_here=holder.mode not in ("r", "c"))
        return None

    def check(self, name: str) -> None:
        """Raise DataError if the file has changed; ``name`` is the argument's."""
        try:
            now = self._state()
        except OSError as error:
            raise DataError(
                f"{name}: expected the file {self.path} until the end, "
                f"found that it has vanished ({type(error).__name__})"
            ) from None
        is_same = now[0] == self._first[0] and now[1] >= self._first[1]
        if not self._is_written_here:
            is_same = now == self._first
        if not is_same:
            found = "another file" if now[0] != self._first[0] else "that it was written to"
            if now[1] < self._first[1]:
                found = f"{now[1]:,} bytes instead of {self._first[1]:,}"
            raise DataError(
                f"{name}: expected the file {self.path} to stay as it was, found {found}: "
                "start again with a new Objective"
            )

    def _state(self) -> tuple[tuple[int, int], int, int]:
        """Return identity, size and time of the last change."""
        found = os.stat(self.path)
        return (found.st_dev, found.st_ino), found.st_size, found.st_mtime_ns
