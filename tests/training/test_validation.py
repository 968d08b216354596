"""Rows that are held out: what is measured on them, when a run ends for them, and which point is returned."""

import math
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.utils.types import Array
from tests.conftest import small_model
from tests.helpers.trainers import START, TRAINERS, Curved, Make
from tests.training.resume.test_resume import Killed, columns, in_child


def noisy(rows: int = 40) -> tuple[Array, Array]:
    """Labels that are half chance: a network with many units soon learns what is not so elsewhere."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((rows, 3))
    return X, (X[:, 0] + 1.5 * rng.standard_normal(rows) > 0).astype(int)


def problem() -> tuple[ml.Objective, Array, Array]:
    X, labels = noisy()
    model = small_model([3, 8, 1], ml.Tanh, ml.Sigmoid, 0)
    return (
        ml.Objective(model, X[:25], labels[:25], ml.BinaryCrossEntropy(), l2=0.01),
        X[25:],
        labels[25:],
    )


def share_right(labels: Any, predictions: Array) -> float:
    return ml.accuracy(labels, (predictions[:, 0] > 0.5).astype(int))


def test_every_iteration_is_measured_on_the_held_out_rows(make: Make) -> None:
    objective, X, labels = problem()
    held_out = ml.Objective(objective.model, X, labels, ml.BinaryCrossEntropy())  # no penalty
    told: list[ml.Iteration] = []
    points = [objective.x0]

    def look(iteration: ml.Iteration) -> None:
        told.append(iteration)
        points.append(iteration.x.copy())

    validation = ml.Validation(X, labels, metric=share_right)
    result = make(max_evaluations=40).minimize(objective, validation=validation, callback=look)
    assert len(told) >= 2
    for x, cost, metric in zip(
        points, result.history.validation_cost, result.history.metric, strict=True
    ):
        assert cost == pytest.approx(held_out(x)[0], rel=1e-12)
        assert metric == share_right(labels, objective.model.replica(x).predict(X))
    assert [iteration.validation_cost for iteration in told] == result.history.validation_cost[1:]
    assert [iteration.metric for iteration in told] == result.history.metric[1:]
    lines = str(result.history).splitlines()
    assert lines[0].split() == [
        "iteration",
        "evaluations",
        "cost",
        "|gradient|",
        "validation",
        "metric",
        "seconds",
    ]
    assert all(len(line) == len(lines[0]) for line in lines)


def test_the_best_iteration_for_the_held_out_rows_is_returned_unless_one_says_no(
    make: Make,
) -> None:
    objective, X, labels = problem()
    points = [objective.x0]
    whole = make(max_evaluations=60).minimize(
        objective,
        validation=ml.Validation(X, labels),
        callback=lambda iteration: points.append(iteration.x.copy()),
    )
    best = int(np.argmin(whole.history.validation_cost))
    assert whole.best_iteration == best
    np.testing.assert_array_equal(whole.x, points[best])
    np.testing.assert_array_equal(objective.model.parameters, points[best])
    assert whole.fun == whole.history.cost[best]
    np.testing.assert_array_equal(whole.jac, objective(points[best])[1])
    objective.set_parameters(points[0])
    kept = ml.Validation(X, labels, restore_best=False)
    lowest = make(max_evaluations=60).minimize(objective, validation=kept)
    assert lowest.best_iteration == best
    assert lowest.fun <= min(whole.history.cost)
    np.testing.assert_array_equal(
        lowest.x, make(max_evaluations=60).minimize(objective, points[0]).x
    )


def test_patience_ends_the_run(make: Make) -> None:
    objective, X, labels = problem()
    patient = {"gradient descent": 40}.get(make().name, 3)
    result = make().minimize(objective, validation=ml.Validation(X, labels, patience=patient))
    assert (result.status, result.success) == (ml.Status.STOPPED_EARLY, True)
    assert result.best_iteration is not None
    assert (
        result.nit
        == result.best_iteration + patient
        == np.argmin(result.history.validation_cost) + patient
    )
    best = min(result.history.validation_cost)
    expected = f"has not improved for {patient} iterations (best {best:.6g}, at iteration {result.best_iteration})"
    assert result.message.endswith(f"the validation cost {expected}")


class Scripted(Curved):
    """Whose held-out rows have these costs and metrics, iteration by iteration, whatever the point."""

    def __init__(self, costs: list[float]) -> None:
        super().__init__()
        self.costs = costs

    def validation_rows(self, X: object, Y: object) -> Callable[[Array], tuple[float, Array]]:
        costs = iter(self.costs)
        return lambda x: (cost := next(costs), np.array([[-cost]]))


def first_number(Y: object, predictions: Array) -> float:
    return float(predictions[0, 0])


@pytest.mark.parametrize("monitor", ["cost", "metric"])
@given(
    st.lists(st.integers(0, 9), min_size=12, max_size=12),
    st.integers(1, 5),
    st.sampled_from([0.0, 1.0, 2.5]),
)
def test_patience_is_counted_from_the_last_improvement(
    monitor: str, costs: list[int], patience: int, minimum: float
) -> None:
    """Against the definition, for any course of the validation."""
    reference, improved, end = costs[0], 0, 11
    for iteration, cost in enumerate(costs):
        if iteration and cost < reference - minimum:
            reference, improved = cost, iteration
        if iteration - improved >= patience:
            end = iteration
            break
    validation = ml.Validation(
        [], [], metric=first_number, monitor=monitor, patience=patience, min_delta=minimum
    )
    objective = Scripted([float(cost) for cost in costs])
    trainer = ml.GradientDescent(0.01, tolerance=0, max_iterations=11)
    result = trainer.minimize(objective, START, validation=validation)
    assert result.nit == end
    assert result.status == (ml.Status.STOPPED_EARLY if end < 11 else ml.Status.MAX_ITERATIONS)
    assert result.best_iteration == int(np.argmin(costs[: end + 1]))


@pytest.mark.parametrize("first", [0.2, math.nan])
def test_a_metric_that_is_not_a_number_is_no_improvement(first: float) -> None:
    values = iter([first, math.nan, 0.3, math.nan, math.nan])
    validation = ml.Validation(
        [], [], metric=lambda Y, P: next(values), monitor="metric", patience=2
    )
    result = ml.GradientDescent(0.01).minimize(Scripted([1.0] * 5), START, validation=validation)
    assert (result.nit, result.best_iteration) == (4, 2)


def test_a_metric_that_is_never_a_number_can_be_resumed(tmp_path: Path) -> None:
    def run(iterations: int, path: Path | None) -> Any:
        objective, X, labels = problem()
        validation = ml.Validation(X, labels, metric=nothing, monitor="metric", patience=8)
        return ml.GradientDescent(0.1, max_iterations=iterations).minimize(
            objective, validation=validation, checkpoint=path
        )

    run(3, tmp_path / "run.h5")
    resumed, whole = run(20, tmp_path / "run.h5"), run(20, None)
    assert (
        (resumed.nit, resumed.status) == (whole.nit, whole.status) == (8, ml.Status.STOPPED_EARLY)
    )
    np.testing.assert_array_equal(resumed.x, whole.x)


def nothing(Y: object, predictions: Array) -> float:
    return math.nan


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked children")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
@pytest.mark.parametrize("trainer", ["TNC", "L-BFGS-B", "Newton-CG", "gradient descent"])
def test_a_run_that_was_killed_ends_alike(trainer: str, tmp_path: Path) -> None:
    make, path = TRAINERS[trainer], tmp_path / "run.h5"
    patience = 40 if trainer == "gradient descent" else 5

    def fresh() -> tuple[ml.Objective, ml.Validation]:
        objective, X, labels = problem()
        return objective, ml.Validation(X, labels, metric=share_right, patience=patience)

    objective, validation = fresh()
    whole = make().minimize(objective, validation=validation)
    assert whole.status == ml.Status.STOPPED_EARLY
    statuses = []
    for fatal in (3, 3):
        objective, validation = fresh()
        killed = Killed(objective, fatal)
        statuses.append(
            in_child(
                partial(
                    make().minimize,
                    killed,
                    validation=validation,
                    checkpoint=path,
                    checkpoint_every=2,
                )
            )
        )
    assert statuses == [-signal.SIGKILL] * 2
    for _ in range(2):  # the second time it has ended already
        objective, validation = fresh()
        result = make().minimize(objective, validation=validation, checkpoint=path)
        np.testing.assert_array_equal(result.x, whole.x)
        assert (result.status, result.best_iteration) == (whole.status, whole.best_iteration)
        assert result.message.startswith(f"{whole.message} (")
        assert columns(result) == columns(whole)
        np.testing.assert_array_equal(ml.load(path).parameters, whole.x)


def test_another_validation_is_another_run(tmp_path: Path) -> None:
    objective, X, labels = problem()
    run = partial(
        ml.ScipyTrainer(max_evaluations=5).minimize, objective, checkpoint=tmp_path / "run.h5"
    )
    run(validation=ml.Validation(X, labels, patience=3))
    for other in (None, ml.Validation(X, labels), ml.Validation(X[1:], labels[1:], patience=3)):
        with pytest.raises(ml.ResumeError, match="found another run's"):
            run(validation=other)


class Share:
    """A metric that is an object."""

    def __call__(self, Y: Any, predictions: Array) -> float:
        return share_right(Y, predictions)


@pytest.mark.parametrize(
    "metric",
    [share_right, Share, partial(ml.top_k_accuracy, k=2)],
    ids=["function", "object", "partial"],
)
def test_a_metric_is_known_by_its_name_in_every_process(metric: Any, tmp_path: Path) -> None:
    """Each time a new object, as another process would have: repr has its place in memory."""
    X, labels = noisy()
    model = small_model([3, 8, 2], ml.Tanh, ml.Softmax, 0)
    for iterations in (2, 4):
        objective = ml.Objective(model, X[:25], labels[:25], ml.CategoricalCrossEntropy())
        made = (
            Share()
            if metric is Share
            else partial(metric.func, k=2)
            if isinstance(metric, partial)
            else metric
        )
        validation = ml.Validation(X[25:], labels[25:], metric=made)
        trainer = ml.GradientDescent(0.1, max_iterations=iterations)
        result = trainer.minimize(objective, validation=validation, checkpoint=tmp_path / "run.h5")
    assert result.nit == 4
    other = ml.Validation(X[25:], labels[25:], metric=partial(ml.top_k_accuracy, k=1))
    with pytest.raises(ml.ResumeError, match="found another run's"):
        ml.GradientDescent(0.1).minimize(
            objective, validation=other, checkpoint=tmp_path / "run.h5"
        )


def test_the_least_improvement_is_told_of() -> None:
    validation = ml.Validation([], [], patience=2, min_delta=0.5)
    result = ml.GradientDescent(0.01).minimize(
        Scripted([1.0, 0.9, 0.8]), START, validation=validation
    )
    message = "the validation cost has not improved by more than 0.5 for 2 iterations (best 0.8, at iteration 2)"
    assert result.message.endswith(message)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"metric": "accuracy"},
            TypeError,
            "metric: expected a function of Y and the predictions, found 'accuracy'",
        ),
        ({"monitor": "loss"}, ValueError, "monitor: expected 'cost' or 'metric', found 'loss'"),
        (
            {"monitor": "metric"},
            ValueError,
            "monitor: expected 'cost' without a metric, found 'metric'",
        ),
        ({"patience": 0}, ValueError, "patience: expected at least 1, found 0"),
        ({"min_delta": -1}, ValueError, "min_delta: expected a finite number >= 0, found -1"),
        ({"restore_best": 1}, TypeError, "restore_best: expected True or False, found 1"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ml.Validation([[1.0]], [1], **arguments)


def test_mistakes_are_told_before_anything_changes(make: Make) -> None:
    objective, X, labels = problem()
    start = objective.x0
    for validation, error, message in (
        (
            (X, labels),
            TypeError,
            r"validation: expected Validation\(X, Y\), found \(an array of shape",
        ),
        (ml.Validation(X[:, :2], labels), ValueError, "^validation: X: expected 3 columns"),
        (
            ml.Validation(X, labels[:3]),
            ValueError,
            "^validation: Y: expected as many rows as X, 15, found 3",
        ),
        (
            ml.Validation(X, labels, metric=lambda Y, P: "x"),  # type: ignore[arg-type, return-value]
            TypeError,
            "metric: expected a function that returns a num",
        ),
    ):
        with pytest.raises(error, match=message):
            make().minimize(objective, validation=validation)  # type: ignore[arg-type]
        np.testing.assert_array_equal(objective.model.parameters, start)
    with pytest.raises(
        TypeError, match="validation: expected an Objective, which can evaluate other rows, found <"
    ):
        make().minimize(Curved(), START, validation=ml.Validation(X, labels))
