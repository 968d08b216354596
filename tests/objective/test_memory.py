"""Memory: an evaluation allocates nothing that grows with the rows."""

import gc
import threading
import tracemalloc

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.layers import Hooked
from tests.helpers.problems import random_objective


def peak_of_evaluation(objective: ml.Objective, x: Array) -> int:
    """Return the bytes that an evaluation allocates; other threads may add some of their own."""
    tracemalloc.start()
    try:
        objective(x)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("copy", [True, False])
def test_an_evaluation_allocates_nothing_that_grows_with_the_rows(dtype: str, copy: bool) -> None:
    peaks = []
    for rows in (100_000, 300_000):  # both beyond the size of NumPy's own buffers for conversions
        objective = random_objective(rows=rows, shards=2, workers=1, dtype=dtype, copy=copy)
        x = objective.x0
        objective(x)
        peaks.append(min(peak_of_evaluation(objective, x) for _ in range(3)))
    assert peaks[1] < 200_000  # a single column of a shard would be 600,000 bytes or more
    assert peaks[1] < peaks[0] + 2000


def test_work_memory_is_bounded_by_workers_times_shard() -> None:
    """Shards wait for each other in pairs, so that both workers always have one."""
    peaks = []
    for rows in (10_000, 80_000):
        meeting = threading.Barrier(2, timeout=60)
        layers = [
            Hooked(meeting.wait),
            ml.Dense(8, 20),
            ml.Sigmoid(),
            ml.Dense(20, 3),
            ml.Sigmoid(),
        ]
        model = ml.Sequential(layers, seed=0)
        rng = np.random.default_rng(0)
        X = rng.standard_normal((rows, 8))
        Y = rng.random((rows, 3))
        tracemalloc.start()
        objective = ml.Objective(
            model, X, Y, ml.BinaryCrossEntropy(), shards=rows // 1000, workers=2, copy=False
        )
        gc.collect()  # garbage that is freed meanwhile would hide work memory
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(80_000 // rows):  # as many chances for both workers to be at their peak
            objective(objective.x0)
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
