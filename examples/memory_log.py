"""The memory of this process over time, sampled in a thread, and its peak as the system counts."""

import re
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

SAMPLING_SECONDS = 0.05


def megabytes() -> tuple[float, float]:
    """Return what this process has in memory now, and the most that it ever had."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:  # not on Linux; other systems tell the peak alone
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak_megabytes = peak / (1e6 if sys.platform == "darwin" else 1e3)
        return peak_megabytes, peak_megabytes
    now, peak_now = (
        float(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) * 1024 / 1e6
        for name in ("VmRSS", "VmHWM")
    )
    return now, peak_now


class MemoryLog:
    """Samples, from ``with`` to its end, and when each part of the work began.

    Attributes
    ----------
    seconds, megabytes : list of float
        Of each sample.
    parts : dict of str to float
        The second at which each part began.
    peak : float
        Megabytes, since the start of the process.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.megabytes: list[float] = []
        self.parts: dict[str, float] = {}
        self.peak = 0.0
        self._start = time.perf_counter()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def begin(self, part: str) -> None:
        """Note that a part of the work begins."""
        self.parts[part] = time.perf_counter() - self._start

    def _sample(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._end.wait(SAMPLING_SECONDS)
            now, self.peak = megabytes()
            self.seconds.append(time.perf_counter() - self._start)
            self.megabytes.append(now)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._end.set()
        self._thread.join()
