"""Threads and processes: shards side by side, calls from several threads, forks, pickles."""

import gc
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.layers import Hooked
from tests.helpers.problems import random_objective
from tests.helpers.processes import forks


def test_calls_from_several_threads_do_not_mix() -> None:
    objective = random_objective(workers=2, shards=4)
    points = [objective.x0 * scale for scale in np.linspace(0, 2, 40)]
    expected = [objective(x)[0] for x in points]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda x: objective(x)[0], points)) == expected


def test_an_objective_can_be_pickled() -> None:
    objective = random_objective(workers=2, shards=4)
    twin = pickle.loads(pickle.dumps(objective))
    assert twin(objective.x0)[0] == objective(objective.x0)[0]


def test_threads_end_with_the_objective() -> None:
    before = set(threading.enumerate())
    objective = random_objective(workers=3, shards=6)
    objective(objective.x0)
    own = set(threading.enumerate()) - before
    assert own
    del objective
    gc.collect()
    for thread in own:
        thread.join(10)
    assert not any(thread.is_alive() for thread in own)


def test_an_exception_in_a_shard_is_raised_and_the_objective_works_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objective = random_objective(workers=3, shards=6)
    expected = objective(objective.x0)[0]
    right = ml.BinaryCrossEntropy.value_and_error_
    with monkeypatch.context() as patch:
        patch.setattr(ml.BinaryCrossEntropy, "value_and_error_", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            objective(objective.x0)
    assert ml.BinaryCrossEntropy.value_and_error_ is right
    assert objective(objective.x0)[0] == expected


def cost_in_child(objective: ml.Objective) -> float:
    return objective(objective.x0)[0]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_an_objective_works_in_child_processes(method: str) -> None:
    objective = random_objective(workers=2, shards=5)
    expected = objective(objective.x0)[0]  # its threads run when the children are made
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        assert list(pool.map(cost_in_child, [objective] * 4, timeout=60)) == [expected] * 4


@forks
def test_a_fork_during_an_evaluation_leaves_a_working_child() -> None:
    """The child inherits an objective whose lock a thread holds that does not exist there."""
    objective = random_objective(rows=4000, workers=2, shards=40)
    expected = objective(objective.x0)[0]
    stop = threading.Event()

    def evaluate_until_stopped() -> None:
        while not stop.is_set():
            objective(objective.x0)

    busy = threading.Thread(target=evaluate_until_stopped)
    busy.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                os._exit(0 if objective(objective.x0)[0] == expected else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        busy.join()


def hooked(hook: Callable[[], object], shards: int = 2) -> ml.Objective:
    """Return an objective of two workers, with two rows a shard, that calls the hook in each."""
    model = ml.Sequential([ml.Dense(2, 2), Hooked(hook), ml.Dense(2, 1)], seed=0)
    X = np.random.default_rng(0).standard_normal((2 * shards, 2))
    return ml.Objective(model, X, X[:, :1], ml.SquaredError(), workers=2, shards=shards)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity masks")
def test_threads_use_all_allowed_cpus_and_the_callers_mask_stays() -> None:
    allowed = os.sched_getaffinity(0)
    masks: list[set[int]] = []
    meeting = threading.Barrier(2, timeout=20)

    def record_mask() -> None:
        meeting.wait()
        masks.append(os.sched_getaffinity(0))

    objective = hooked(record_mask)
    objective(objective.x0)
    assert masks == [allowed, allowed]
    assert os.sched_getaffinity(0) == allowed


def test_two_workers_evaluate_two_shards_at_once() -> None:
    """Each shard waits for the other."""
    objective = hooked(threading.Barrier(2, timeout=20).wait)
    assert np.isfinite(objective(objective.x0)[0])


@pytest.mark.parametrize("ahead", [1, 2, 3])
def test_a_slow_shard_does_not_hold_up_the_others(ahead: int) -> None:
    """The first shard waits until the one ``ahead`` of it begins; those between have ended."""
    begun = 0
    is_far_enough = threading.Event()

    def wait() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            assert is_far_enough.wait(timeout=20)
        elif begun == 1 + ahead:
            is_far_enough.set()

    objective = hooked(wait, shards=6)
    expected = hooked(lambda: None, shards=6)
    cost, gradient = objective(objective.x0)
    assert cost == expected(objective.x0)[0]
    np.testing.assert_array_equal(gradient, expected(objective.x0)[1])
