"""Memory of training from a file: it does not grow with the file."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.row_source_memory import KINDS, SHARD_BYTES, WORKERS, write


def peak_bytes(kind: str, path: Path, shards: int) -> int:
    command = [sys.executable, "-m", "tests.helpers.row_source_memory"]
    command += [kind, str(path), str(shards)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_memory_grows_by_less_than_three_shards_a_worker_for_twenty_times_the_rows(
    kind: str, tmp_path: Path
) -> None:
    peaks = []
    for shards in (2, 40):
        path = tmp_path / f"{shards}.npy"
        write(kind, path, shards)
        peaks.append(peak_bytes(kind, path, shards))
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    assert peaks[1] - peaks[0] < 3 * SHARD_BYTES * WORKERS, peaks
