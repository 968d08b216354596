"""Replacing a file in one step, so that a reader finds the old one or the new one, whole, whatever happens."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # not on Windows; what a killed process leaves behind there is not cleared away
    fcntl = None  # type: ignore[assignment]


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``: written beside it, flushed to the disk, moved into place, the folder flushed.

    The new file has the permissions of an ordinary new file. What was at ``path`` stays after any failure. Temporary
    files of processes that were killed in the middle are removed: whoever writes one holds a lock on it.

    Raises OSError where the folder cannot be written or the disk is full.
    """
    path = Path(os.path.realpath(path))  # a link stays a link, to the new content
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{path}: expected a folder to write it to, found none at {path.parent}"
        )
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected a file to write, found a folder")
    _clear_abandoned(path)
    temporary, file = _create_beside(path)
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _flush_folder(path.parent)


def _create_beside(path: Path) -> tuple[Path, BinaryIO]:
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
        file = temporary.open("xb")
        if (
            lock_file(file) and os.fstat(file.fileno()).st_nlink
        ):  # else it was cleared away before the lock
            return temporary, file
        file.close()


def _clear_abandoned(path: Path) -> None:
    if fcntl is None:
        return
    for other in path.parent.glob(f".{_literal(path.name)}.????????????.tmp"):
        with suppress(OSError), other.open("r+b") as file:
            if lock_file(file):
                other.unlink()


class LockFile:
    """``<path>.lock``, held by one process at a time while it writes ``path``.

    The file at ``path`` itself is replaced in each write, so a lock on it would not last. The lock
    ends with its process, and the file is removed on release.

    Attributes
    ----------
    is_held : bool
        False if another holder was there first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        while True:
            self._file = self._path.open("ab")
            self.is_held = lock_file(self._file)
            if not self.is_held:
                self._file.close()
                return
            if os.fstat(self._file.fileno()).st_nlink:  # else its last holder has removed it
                return
            self._file.close()

    def release(self) -> None:
        """Let another process hold it."""
        if self.is_held:
            self.is_held = False
            with suppress(OSError):
                self._path.unlink()
            self._file.close()


def lock_file(file: BinaryIO) -> bool:
    """Take the file's lock, which the system gives back when the process ends; False where another holds it."""
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
    return True


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _flush_folder(folder: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened to be flushed
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
