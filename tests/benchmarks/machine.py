"""The machine that the figures belong to."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy  # noqa: F401 (so that its BLAS is there to be found)
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
    """The CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def version(package: str) -> str | None:
    """A package's version, None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def machine() -> dict[str, Any]:
    """CPU, BLAS, cores, system and the versions of all packages that take part."""
    versions = {
        name: version(name) or ("source tree" if name == "minilayer" else None) for name in PACKAGES
    }
    return {
        "cpu": _cpu_model(),
        "blas": _numpy_blas(),
        "usable_cpus": usable_cpus(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": versions,
    }


def machine_line() -> str:
    """The same, to print above a table."""
    facts = machine()
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items() if number)
    return f"{facts['cpu']}, {facts['usable_cpus']} usable CPUs, {facts['blas']}, Python {facts['python']}, {packages}"


def busy_cpus(seconds: float = 0.5) -> float | None:
    """How many CPUs all processes of the machine keep busy just now; None where the system does not tell."""
    before = _cpu_times()
    time.sleep(seconds)
    after = _cpu_times()
    if before is None or after is None:
        return None
    busy, total = (b - a for a, b in zip(before, after, strict=True))
    return busy / total * (os.cpu_count() or 1) if total else None


def _cpu_times() -> tuple[int, int] | None:
    """Ticks that all CPUs were busy, and all ticks, since the system started."""
    listing = Path("/proc/stat")
    if not listing.is_file():
        return None
    ticks = [int(field) for field in listing.read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def _numpy_blas() -> str:
    """The library and the instruction set that it chose: Haswell stands for AVX2, SkylakeX for AVX-512."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return (
        " ".join(f"{pool['internal_api']} {pool.get('architecture', '')}" for pool in pools[:1])
        or "unknown BLAS"
    )


def _cpu_model() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
