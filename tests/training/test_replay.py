"""UnfinishedIteration: evaluations since the last whole iteration, given back once."""

import numpy as np

from minilayer.training.resume.replay import UnfinishedIteration


def test_it_counts_the_evaluations_that_it_gave_back() -> None:
    points = [np.array([float(k), 1.0]) for k in range(3)]
    replay = UnfinishedIteration()
    for k, x in enumerate(points):
        assert replay.next(x) is None
        replay.record(x, float(k), -x, 0.25 * k)
    assert replay.replayed == 0
    again = UnfinishedIteration()
    again.restore(replay.as_state())
    for k, x in enumerate(points):
        assert again.next(x) is not None
        assert again.replayed == k + 1
    assert again.next(points[0]) is None
    assert again.replayed == 3
