"""Runs in unusual surroundings: floating-point errors that raise, and no standard error."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.problems import xor
from tests.helpers.trainers import Make


@pytest.fixture
def all_raise() -> Iterator[object]:
    """Every floating-point error raises; nothing may change that."""
    with np.errstate(all="raise"):
        before = np.geterr()
        yield before
        assert np.geterr() == before


def test_errors_that_raise_change_no_run(make: Make) -> None:
    expected = make(max_evaluations=40).minimize(xor().objective)
    with np.errstate(all="raise"):
        result = make(max_evaluations=40).minimize(xor().objective)
    assert result.message == expected.message
    np.testing.assert_array_equal(result.x, expected.x)


def test_tiny_gradients_end_a_run_well(make: Make, all_raise: object) -> None:
    """Squares of the gradient's numbers are below what float64 can hold."""
    model = ml.Sequential([ml.Dense(1, 1), ml.Sigmoid()])
    model.parameters[:] = -500.0, 0.0
    objective = ml.Objective(model, [[1.0], [2.0]], [[0.0], [0.0]], ml.BinaryCrossEntropy())
    result = make(max_evaluations=20).minimize(objective)
    assert result.fun <= 2 * np.exp(-500.0)
    assert np.isfinite(result.x).all()


def test_the_users_functions_see_the_users_state(make: Make, all_raise: object) -> None:
    seen = []

    def note(iteration: ml.Iteration) -> None:
        seen.append(np.geterr())

    class Noting(ml.ProblemWrapper):
        def __call__(self, x: Array, /) -> tuple[float, Array]:
            seen.append(np.geterr())
            return super().__call__(x)

    make(max_evaluations=5).minimize(Noting(xor().objective), callback=note)
    assert len(seen) >= 2
    assert all(state == all_raise for state in seen)


def test_an_error_in_the_users_objective_is_raised(all_raise: object) -> None:
    def overflowing(x: Array) -> tuple[float, Array]:
        return float(np.exp(1000 + x[0])), x

    with pytest.raises(FloatingPointError):
        ml.LBFGS().minimize(overflowing, [0.0])


@pytest.mark.parametrize("progress", [None, True, False])
def test_a_process_without_standard_error_can_train(
    progress: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services have none, nor does pythonw on Windows."""
    monkeypatch.setattr(sys, "stderr", None)
    result = ml.LBFGS(max_iterations=3).minimize(xor().objective, progress=progress)
    assert result.nit == 3
