"""CPUs and BLAS threads: the limits that apply, and their restoration."""

import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import minilayer as ml
from minilayer.utils import cpus
from tests.helpers.problems import random_objective


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def three_blas_threads() -> Iterator[None]:
    """Set a number that the library never chooses by itself."""
    with threadpool_limits(3, user_api="blas"):
        yield


def test_blas_is_held_to_one_thread_and_released() -> None:
    with cpus.single_threaded_blas():
        assert set(blas_threads()) == {1}
        with cpus.single_threaded_blas():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {3}


def test_blas_is_released_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), cpus.single_threaded_blas():
        _ = 1 / 0
    assert set(blas_threads()) == {3}


def test_holders_on_several_threads_release_blas_once() -> None:
    inside = threading.Barrier(4)

    def hold(_: int) -> list[int]:
        with cpus.single_threaded_blas():
            inside.wait(10)
            return blas_threads()

    with ThreadPoolExecutor(4) as pool:
        assert all(set(found) == {1} for found in pool.map(hold, range(4)))
    assert set(blas_threads()) == {3}


def test_the_last_holder_to_leave_releases_blas() -> None:
    first_is_in = threading.Event()
    first_is_out = threading.Event()
    second_is_in = threading.Event()

    def come_first() -> None:
        with cpus.single_threaded_blas():
            first_is_in.set()
            assert second_is_in.wait(10)
        first_is_out.set()

    first = threading.Thread(target=come_first)
    first.start()
    assert first_is_in.wait(10)
    with cpus.single_threaded_blas():
        second_is_in.set()
        assert first_is_out.wait(10)
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {3}
    first.join()


@pytest.mark.parametrize(
    "trainer", [ml.ScipyTrainer("TNC", max_evaluations=3), ml.GradientDescent(max_iterations=2)]
)
def test_a_run_holds_blas_and_releases_it(trainer: ml.Trainer) -> None:
    seen: list[int] = []

    def bowl(x: Any) -> Any:
        seen.extend(blas_threads())
        return float(x @ x), 2 * x

    trainer.minimize(bowl, [1.0, 2.0])
    assert set(seen) == {1}
    assert set(blas_threads()) == {3}
    with pytest.raises(ZeroDivisionError):
        trainer.minimize(lambda _: 1 / 0, [1.0])  # type: ignore[arg-type, return-value]
    assert set(blas_threads()) == {3}


def test_an_evaluation_releases_blas() -> None:
    objective = random_objective(workers=2, shards=3)
    objective(objective.x0)
    assert set(blas_threads()) == {3}


def test_the_users_blas_limit_limits_the_workers() -> None:
    with threadpool_limits(1, user_api="blas"):
        assert cpus.default_workers() == 1
        assert random_objective().workers == 1
    code = "import minilayer.utils.cpus as c; print(c.default_workers())"
    limited = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    printed = subprocess.check_output([sys.executable, "-c", code], env=limited, text=True)
    assert printed.strip() == "1"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity masks")
def test_affinity_limits_the_workers() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cpus.default_workers() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ({}, math.inf),
        ({"a/b": "max 100000"}, math.inf),
        ({"a/b": "150000 100000"}, 1.5),
        ({"a/b": "max 100000", "a": "400000 100000"}, 4),
        ({"a/b": "800000 100000", "a": "400000 100000", ".": "200000 100000"}, 2),
        ({"a/b": "nonsense"}, math.inf),
    ],
)
def test_the_strictest_container_quota_applies(
    tmp_path: Path, quotas: dict[str, str], expected: float
) -> None:
    for folder, text in quotas.items():
        (tmp_path / "root" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / folder / "cpu.max").write_text(text)
    membership = tmp_path / "cgroup"
    assert cpus._container_quota(membership, tmp_path / "root") == math.inf
    membership.write_text("12:cpu:/old\n0::/a/b\n")
    assert cpus._container_quota(membership, tmp_path / "root") == expected
