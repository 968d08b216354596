"""Which CPUs this process may use, and BLAS held to one thread while the shards have threads of their own.

NumPy's and SciPy's wheels each bring their own OpenBLAS with its own pool of threads, which spin for a while after each
product. Two pools on the same cores slow each other and the shards' threads; one thread each, and the shards side by
side, is faster.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from threadpoolctl import ThreadpoolController


def default_workers() -> int:
    """Threads for the shards: the CPUs that affinity and container allow, and no more than BLAS was limited to.

    So ``OPENBLAS_NUM_THREADS=1`` or an outer ``threadpool_limits`` holds for minilayer too.
    """
    return max(1, min([_usable_cpus(), *_blas_threads()]))


def _usable_cpus() -> int:
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _container_quota(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return cpus if quota >= cpus else max(1, math.ceil(quota))


def _container_quota(membership: Path, root: Path) -> float:
    """CPUs by the strictest of the quotas on this process's control groups (version 2); infinite without any."""
    quota = math.inf
    with suppress(OSError, ValueError):
        group = next(
            line[3:] for line in membership.read_text().splitlines() if line.startswith("0::")
        ).strip("/")
        folder = root / group
        for place in (folder, *folder.parents):
            with suppress(OSError, ValueError):
                allowed, period = (place / "cpu.max").read_text().split()
                quota = min(quota, int(allowed) / int(period))  # "max" for no limit is a ValueError
            if place == root:
                break
    return quota


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


def _blas_threads() -> list[int]:
    return [library.num_threads for library in _blas().lib_controllers]


def _set_blas_threads(counts: list[int]) -> None:
    for library, count in zip(_blas().lib_controllers, counts, strict=True):
        # threadpoolctl lets only the thread that came first set OpenBLAS's one number; the lock below keeps order here,
        # and the number must be put back by whichever thread leaves last.
        open_to_all = getattr(library, "clear_controlling_thread", lambda force: None)
        open_to_all(force=True)
        library.set_num_threads(count)
        open_to_all(force=True)


_lock = threading.Lock()
_holders = 0
_before: list[int] = []


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """BLAS at one thread; the first of several holders sets it, the last puts back what was there before."""
    global _holders, _before
    with _lock:
        if _holders == 0:
            _before = _blas_threads()
            _set_blas_threads([1] * len(_before))
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                _set_blas_threads(_before)


def _after_fork() -> None:
    """A child has none of the threads that may have held the lock, but its own holders stand in the count."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
