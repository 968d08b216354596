"""The machine that the figures belong to."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy  # noqa: F401 (threadpool_info finds its BLAS only once it is loaded)
from threadpoolctl import threadpool_info

PACKAGES = (
    "minilayer",
    "numpy",
    "scipy",
    "threadpoolctl",
    "torch",
    "jax",
    "jaxlib",
    "scikit-learn",
)


def usable_cpus() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def version(package: str) -> str | None:
    """Return the version of a package, or None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def machine() -> dict[str, Any]:
    """Return CPU, BLAS, cores, system, and the versions of all packages that take part."""
    versions = {name: version(name) for name in PACKAGES}
    versions["minilayer"] = versions["minilayer"] or "source tree"
    return {
        "cpu": _cpu_model(),
        "blas": _numpy_blas(),
        "usable_cpus": usable_cpus(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": versions,
    }


def machine_line() -> str:
    """Return the same as a line to print above a table."""
    facts = machine()
    packages = [f"{name} {number}" for name, number in facts["packages"].items() if number]
    parts = [
        facts["cpu"],
        f"{facts['usable_cpus']} usable CPUs",
        facts["blas"],
        f"Python {facts['python']}",
        *packages,
    ]
    return ", ".join(parts)


def busy_cpus(seconds: float = 0.5) -> float | None:
    """Measure how many CPUs all processes of the machine keep busy.

    Parameters
    ----------
    seconds : float, default 0.5
        How long to measure.

    Returns
    -------
    float or None
        Number of CPUs; None if the system has no /proc/stat.
    """
    before = _cpu_ticks()
    time.sleep(seconds)
    after = _cpu_ticks()
    if before is None or after is None:
        return None
    busy, total = (b - a for a, b in zip(before, after, strict=True))
    return busy / total * (os.cpu_count() or 1) if total else None


def _cpu_ticks() -> tuple[int, int] | None:
    """Return the ticks that all CPUs were busy, and all ticks, since the system started."""
    listing = Path("/proc/stat")
    if not listing.is_file():
        return None
    first_line = listing.read_text().split("\n", 1)[0]
    ticks = [int(column) for column in first_line.split()[1:9]]
    idle, waiting_for_disk = ticks[3], ticks[4]
    return sum(ticks) - idle - waiting_for_disk, sum(ticks)


def _numpy_blas() -> str:
    """Return the library and its instruction set: Haswell means AVX2, SkylakeX AVX-512."""
    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            return f"{pool['internal_api']} {pool.get('architecture', '')}"
    return "unknown BLAS"


def _cpu_model() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
