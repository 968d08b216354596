"""Replacing a file in one step: a reader finds the old one or the new one, each of them whole."""

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
    """Replace a file, or create it, in one step.

    The content is written beside the target, flushed to the disk and moved into place; the folder
    is flushed too. After any failure, ``path`` holds what it held. The new file has the
    permissions of an ordinary new file. Temporary files of killed processes are removed; a living
    process holds a lock on its own.

    Parameters
    ----------
    path : Path
        The file. A symbolic link stays one, and what it points to is replaced.
    content : bytes
        All that the file is to hold.

    Raises
    ------
    OSError
        If the folder cannot be written, or the disk is full.
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
        if lock_file(file) and os.fstat(file.fileno()).st_nlink:
            return temporary, file
        file.close()  # it was cleared away before it was locked


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
    """Take a file's lock, which ends with the process.

    Parameters
    ----------
    file : binary file
        An open file.

    Returns
    -------
    bool
        False if another process holds the lock. True on systems without locks.
    """
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
