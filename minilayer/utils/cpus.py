"""Which CPUs this process may use, and BLAS held to one thread while shards have their threads.

NumPy's and SciPy's wheels each bring an OpenBLAS with a pool of threads, which spin for a while
after each product. Two pools on the same cores slow each other and the shards' threads. One BLAS
thread, and the shards side by side, is faster.
"""

from __future__ import annotations

import math
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .forks import call_in_child
from .interrupts import deferred_interrupts

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


def default_workers() -> int:
    """Return the number of threads for the shards.

    It is the number of CPUs that affinity and container allow, and no more than BLAS was limited
    to. So ``OPENBLAS_NUM_THREADS=1`` or an outer ``threadpool_limits`` holds for minilayer too.
    """
    return max(1, min([_usable_cpus(), *_blas_threads()]))


def _usable_cpus() -> int:
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _container_quota(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return cpus if quota >= cpus else max(1, math.ceil(quota))


def _container_quota(membership: Path, root: Path) -> float:
    """Return the CPUs that the strictest quota of this process's control groups (version 2) allows.

    Infinite without any.
    """
    quota = math.inf
    with suppress(OSError, ValueError):
        lines = membership.read_text().splitlines()
        group = next(line[3:] for line in lines if line.startswith("0::"))
        folder = root / group.strip("/")
        for place in (folder, *folder.parents):
            with suppress(OSError, ValueError):
                allowed, period = (place / "cpu.max").read_text().split()
                quota = min(quota, int(allowed) / int(period))  # "max" for no limit is a ValueError
            if place == root:
                break
    return quota


@cache
def _blas() -> ThreadpoolController:
    """Return NumPy's BLAS and SciPy's, which is loaded here so that none is loaded later."""
    import scipy.linalg.blas  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def _blas_threads() -> list[int]:
    return [library.num_threads for library in _blas().lib_controllers]


def _set_blas_threads(counts: list[int]) -> None:
    for library, count in zip(_blas().lib_controllers, counts, strict=True):
        # threadpoolctl lets only the thread that came first set OpenBLAS's one number. Here the
        # lock keeps order, and whichever thread leaves last must put the number back.
        open_to_all = getattr(library, "clear_controlling_thread", lambda force: None)
        open_to_all(force=True)
        library.set_num_threads(count)
        open_to_all(force=True)


_lock = threading.Lock()
_holds: Counter[int] = Counter()
"""Holds of each thread that has any, by its ident."""
_before: list[int] | None = None
"""BLAS's threads before the first hold; None while there is none."""


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread, and defer Ctrl-C: it could strike before BLAS is put back.

    Of several holders, in any threads, the first sets the number, and the last puts back what was
    there before.
    """
    with deferred_interrupts():
        with _lock:
            _hold()
        try:
            yield
        finally:
            with _lock:
                _release()


def _hold() -> None:
    global _before
    if _before is None:
        _before = _blas_threads()  # first, as a fork may come between any two lines
        _set_blas_threads([1] * len(_before))
    _holds[threading.get_ident()] += 1


def _release() -> None:
    thread = threading.get_ident()
    _holds[thread] -= 1
    if _holds[thread] <= 0:
        del _holds[thread]
    _restore_unless_held()


def _restore_unless_held() -> None:
    global _before
    if _before is not None and not _holds:
        _set_blas_threads(_before)
        _before = None


def _forget_other_threads() -> None:
    """In a fork's child: only the thread that forked is left, with its holds."""
    global _lock, _holds
    _lock = threading.Lock()
    thread = threading.get_ident()
    _holds = Counter({thread: _holds[thread]} if thread in _holds else {})
    _restore_unless_held()


call_in_child(_forget_other_threads)
