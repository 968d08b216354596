"""CPUs and BLAS threads: what is allowed is used, what was set is put back."""

import math
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import minilayer as ml
from minilayer.utils import cpus
from minilayer.utils.types import Array
from tests.objective.test_objective import problem


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def three_blas_threads() -> Iterator[None]:
    """A setting that the library would never choose by itself."""
    with threadpool_limits(3, user_api="blas"):
        yield


def test_blas_is_held_to_one_thread_and_released() -> None:
    with cpus.single_threaded_blas():
        assert set(blas_threads()) == {1}
        with cpus.single_threaded_blas():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {3}


def test_it_is_released_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), cpus.single_threaded_blas():
        _ = 1 / 0
    assert set(blas_threads()) == {3}


def test_holders_on_several_threads_release_it_once() -> None:
    inside = threading.Barrier(4)

    def hold(_: int) -> list[int]:
        with cpus.single_threaded_blas():
            inside.wait(10)
            return blas_threads()

    with ThreadPoolExecutor(4) as pool:
        assert all(set(found) == {1} for found in pool.map(hold, range(4)))
    assert set(blas_threads()) == {3}


def test_the_last_to_leave_releases_it_though_another_came_first() -> None:
    first_is_in, first_is_out = threading.Event(), threading.Event()

    def come_first() -> None:
        with cpus.single_threaded_blas():
            first_is_in.set()
            assert second_is_in.wait(10)
        first_is_out.set()

    second_is_in = threading.Event()
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
def test_a_run_holds_it_and_releases_it(trainer: ml.Trainer) -> None:
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


def test_an_evaluation_releases_it() -> None:
    objective = problem(workers=2, shards=3)
    objective(objective.x0)
    assert set(blas_threads()) == {3}


def test_limits_of_the_user_limit_the_workers() -> None:
    with threadpool_limits(1, user_api="blas"):
        assert cpus.default_workers() == 1
        assert problem().workers == 1
    code = "import minilayer.utils.cpus as c; print(c.default_workers())"
    limited = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    assert (
        subprocess.check_output([sys.executable, "-c", code], env=limited, text=True).strip() == "1"
    )


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
def test_container_quotas(tmp_path: Path, quotas: dict[str, str], expected: float) -> None:
    for folder, text in quotas.items():
        (tmp_path / "root" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / folder / "cpu.max").write_text(text)
    membership = tmp_path / "cgroup"
    assert cpus._container_quota(membership, tmp_path / "root") == math.inf
    membership.write_text("12:cpu:/old\n0::/a/b\n")
    assert cpus._container_quota(membership, tmp_path / "root") == expected


def cost_in_child(objective: ml.Objective) -> float:
    return objective(objective.x0)[0]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_an_objective_works_in_child_processes(method: str) -> None:
    objective = problem(workers=2, shards=5)
    expected = objective(objective.x0)[0]  # its threads run when the children are made
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        assert list(pool.map(cost_in_child, [objective] * 4, timeout=60)) == [expected] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_fork_in_the_middle_of_an_evaluation_leaves_a_working_child() -> None:
    """The child inherits an objective whose lock is held by a thread that does not exist there."""
    objective = problem(rows=4000, workers=2, shards=40)
    expected = objective(objective.x0)[0]
    go_on = threading.Event()
    busy = threading.Thread(
        target=lambda: [objective(objective.x0) for _ in iter(go_on.is_set, True)]
    )
    busy.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                os._exit(0 if objective(objective.x0)[0] == expected else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        go_on.set()
        busy.join()


class Hooked(ml.Activation):
    """Hands rows on, after a word to the test."""

    def __init__(self, hook: Callable[[], object]) -> None:
        self.hook = hook

    def config(self) -> dict[str, Any]:
        return {"hook": self.hook}

    def function(self, x: Array, out: Array) -> None:
        self.hook()
        np.copyto(out, x)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.copyto(out, dy)


def hooked(hook: Callable[[], object], shards: int = 2) -> ml.Objective:
    """Shards of two rows for two workers, and a word from each."""
    model = ml.Sequential([Hooked(hook), ml.Dense(2, 1), ml.Identity()], seed=0)
    X = np.random.default_rng(0).standard_normal((2 * shards, 2))
    return ml.Objective(model, X, X[:, :1], ml.SquaredError(), workers=2, shards=shards)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity masks")
def test_threads_use_all_allowed_cpus_and_the_callers_mask_stays() -> None:
    allowed = os.sched_getaffinity(0)
    seen: list[set[int]] = []
    meeting = threading.Barrier(2, timeout=20)

    def look() -> None:
        meeting.wait()
        seen.append(os.sched_getaffinity(0))

    objective = hooked(look)
    objective(objective.x0)
    assert seen == [allowed, allowed]
    assert os.sched_getaffinity(0) == allowed


def test_shards_are_worked_on_side_by_side() -> None:
    """With two workers, two shards are under way at once: each waits for the other."""
    objective = hooked(threading.Barrier(2, timeout=20).wait)
    assert np.isfinite(objective(objective.x0)[0])


@pytest.mark.parametrize("ahead", [1, 2, 3])
def test_a_slow_shard_does_not_hold_up_the_others(ahead: int) -> None:
    """The first shard waits for the one ``ahead`` of it to begin, whose worker has set the ones before aside."""
    begun, enough = [0], threading.Event()
    expected = hooked(lambda: None, shards=6)

    def wait() -> None:
        begun[0] += 1
        if begun[0] == 1:
            assert enough.wait(timeout=20)
        elif begun[0] == 1 + ahead:
            enough.set()

    objective = hooked(wait, shards=6)
    cost, gradient = objective(objective.x0)
    assert cost == expected(objective.x0)[0]
    np.testing.assert_array_equal(gradient, expected(objective.x0)[1])
