"""save never loses the last good file.

Kills, full disks, folders that may not be written, two writers at once.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils import files
from tests.helpers.paths import ROOT

WRITER = """
import sys
import minilayer as ml
path, first = sys.argv[1], int(sys.argv[2])
models = [ml.Sequential([ml.Dense(60, 50), ml.Sigmoid()], seed=seed) for seed in (first, first + 1)]
print("ready", flush=True)
while True:
    for model in models:
        ml.save(model, path)
"""

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning"),
]


def writer(path: Path, first: int = 0) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, path, str(first)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def parameters(seed: int) -> bytes:
    return ml.Sequential([ml.Dense(60, 50), ml.Sigmoid()], seed=seed).parameters.tobytes()


def test_killed_at_random_moments_the_file_is_one_of_the_two(tmp_path: Path) -> None:
    """200 times; a process that is forked from one that has everything loaded is quick to start."""
    path, rng = tmp_path / "model.h5", random.Random(0)
    models = [ml.Sequential([ml.Dense(60, 50), ml.Sigmoid()], seed=seed) for seed in (0, 1)]
    ml.save(models[0], path)
    for _ in range(200):
        child = os.fork()
        if child == 0:
            while True:
                for model in models:
                    ml.save(model, path)
        time.sleep(rng.random() * 0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert ml.load(path).parameters.tobytes() in (parameters(0), parameters(1))
    ml.save(models[0], path)
    assert os.listdir(tmp_path) == ["model.h5"]


def test_two_writers_at_once(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    processes = [writer(path, 0), writer(path, 2)]
    try:
        expected = [parameters(seed) for seed in range(4)]
        seen: set[int] = set()
        loads = 0
        give_up = time.monotonic() + 300  # a writer that never comes to write would be a defect
        while time.monotonic() < give_up and (len(seen) < 4 or loads < 1000):
            if path.exists():
                seen.add(expected.index(ml.load(path).parameters.tobytes()))
                loads += 1
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert {number // 2 for number in seen} == {0, 1}
    ml.save(ml.load(path), path)
    assert os.listdir(tmp_path) == ["model.h5"]


FULL = """
import resource, signal, sys
import minilayer as ml
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    ml.save(ml.Sequential([ml.Dense(200, 50)], seed=0), sys.argv[1])
except OSError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    ml.save(ml.Sequential([ml.Dense(2, 1)], seed=0), path)
    old = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL, path], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "File too large" in done.stdout
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["model.h5"]


def test_a_read_only_folder_leaves_the_old_file() -> None:
    """In a child that is nobody, as root may write everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        ml.save(ml.Sequential([ml.Dense(2, 1)], seed=0), path)
        old = path.read_bytes()
        os.chmod(folder, 0o555)
        child = os.fork()
        if child == 0:
            if os.geteuid() == 0:
                os.seteuid(65534)
            try:
                ml.save(ml.Sequential([ml.Dense(2, 1)], seed=1), path)
            except PermissionError as error:
                os._exit(0 if "model.h5" in str(error) else 2)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        os.chmod(folder, 0o755)
        assert path.read_bytes() == old
        assert os.listdir(folder) == ["model.h5"]


def test_only_abandoned_files_are_cleared_away(tmp_path: Path) -> None:
    path = tmp_path / "a[1]*.h5"
    abandoned, alien = tmp_path / ".a[1]*.h5.0123456789ab.tmp", tmp_path / ".a1.h5.0123456789ab.tmp"
    abandoned.write_bytes(b"half")
    alien.write_bytes(b"of another file")
    with (tmp_path / ".a[1]*.h5.ba9876543210.tmp").open("wb") as busy:
        assert files.lock_file(busy)
        ml.save(ml.Sequential([ml.Dense(2, 1)]), path)
        assert not abandoned.exists()
        assert alien.exists()
        assert Path(busy.name).exists()
    np.testing.assert_equal(
        sorted(os.listdir(tmp_path)), sorted([path.name, alien.name, Path(busy.name).name])
    )


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    link, target = tmp_path / "latest.h5", tmp_path / "store" / "model.h5"
    link.symlink_to(target)
    for seed in (0, 1):
        ml.save(ml.Sequential([ml.Dense(60, 50), ml.Sigmoid()], seed=seed), link)
        assert link.is_symlink()
        assert ml.load(target).parameters.tobytes() == parameters(seed)
    assert os.listdir(tmp_path / "store") == ["model.h5"]


def test_a_relative_path_and_an_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ml.save(ml.Sequential([ml.Dense(2, 1)], seed=0), "model.h5")
    old = Path("model.h5").read_bytes()

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ml.save(ml.Sequential([ml.Dense(2, 1)], seed=1), "model.h5")
    assert Path("model.h5").read_bytes() == old
    assert os.listdir() == ["model.h5"]
