"""Validation: its measurements, when they end a run, and which point is returned."""

import math
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.training.history import Evaluation
from minilayer.training.stopping import Stop
from minilayer.training.validation import ValidationMonitor
from minilayer.utils.types import Array
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.objectives import Killed, Rosenbrock, ScriptedValidation
from tests.helpers.problems import START, overfitting_problem, rosenbrock, small_model
from tests.helpers.processes import forks, in_child
from tests.helpers.trainers import TRAINERS, Make


def share_right(labels: Any, predictions: Array) -> float:
    return ml.accuracy(labels, (predictions > 0.5).astype(int))


def test_every_iteration_is_measured_on_the_validation_rows(make: Make) -> None:
    objective, X, labels = overfitting_problem()
    without_penalty = ml.Objective(objective.model, X, labels, ml.BinaryCrossEntropy())
    iterations: list[ml.Iteration] = []
    points = [objective.x0]

    def record(iteration: ml.Iteration) -> None:
        iterations.append(iteration)
        points.append(iteration.x.copy())

    validation = ml.Validation(X, labels, metric=share_right)
    result = make(max_evaluations=40).minimize(objective, validation=validation, callback=record)
    assert len(iterations) >= 2
    history = result.history
    for x, cost, metric in zip(points, history.validation_cost, history.metric, strict=True):
        assert cost == pytest.approx(without_penalty(x)[0], rel=1e-12)
        assert metric == share_right(labels, objective.model.replica(x).predict(X)[:, 0])
    assert [one.validation_cost for one in iterations] == history.validation_cost[1:]
    assert [one.metric for one in iterations] == history.metric[1:]
    lines = str(history).splitlines()
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


def test_the_best_iteration_for_the_validation_is_returned(make: Make) -> None:
    objective, X, labels = overfitting_problem()
    points = [objective.x0]
    result = make(max_evaluations=60).minimize(
        objective,
        validation=ml.Validation(X, labels),
        callback=lambda iteration: points.append(iteration.x.copy()),
    )
    best = int(np.argmin(result.history.validation_cost))
    assert result.best_iteration == best
    np.testing.assert_array_equal(result.x, points[best])
    np.testing.assert_array_equal(objective.model.parameters, points[best])
    assert result.fun == result.history.cost[best]
    np.testing.assert_array_equal(result.jac, objective(points[best])[1])


def test_without_restore_best_the_lowest_cost_is_returned(make: Make) -> None:
    objective, X, labels = overfitting_problem()
    start = objective.x0

    def train(validation: ml.Validation | None) -> ml.TrainingResult:
        return make(max_evaluations=60).minimize(objective, start, validation=validation)

    restored = train(ml.Validation(X, labels))
    result = train(ml.Validation(X, labels, restore_best=False))
    assert result.best_iteration == restored.best_iteration
    assert result.fun <= min(restored.history.cost)
    np.testing.assert_array_equal(result.x, train(None).x)


def test_patience_ends_the_run(make: Make) -> None:
    objective, X, labels = overfitting_problem()
    patience = 40 if make().name == "gradient descent" else 3
    validation = ml.Validation(X, labels, patience=patience)
    result = make().minimize(objective, validation=validation)
    costs = result.history.validation_cost
    assert (result.status, result.success) == (ml.Status.STOPPED_EARLY, True)
    best = int(np.argmin(costs))
    assert result.best_iteration == best
    assert result.nit == best + patience
    expected = (
        f"the validation cost has not improved for {patience} iterations "
        f"(best {min(costs):.6g}, at iteration {best})"
    )
    assert result.message.endswith(expected)


# The course of the validation, written by the test


def first_prediction(Y: object, predictions: Array) -> float:
    return float(predictions[0])


@pytest.mark.parametrize("monitor", ["cost", "metric"])
@given(
    st.lists(st.integers(0, 9), min_size=12, max_size=12),
    st.integers(1, 5),
    st.sampled_from([0.0, 1.0, 2.5]),
)
def test_patience_counts_from_the_last_improvement(
    monitor: str, costs: list[int], patience: int, min_delta: float
) -> None:
    reference = costs[0]
    improved = 0
    end = 11
    for iteration, cost in enumerate(costs):
        if iteration and cost < reference - min_delta:
            reference = cost
            improved = iteration
        if iteration - improved >= patience:
            end = iteration
            break
    validation = ml.Validation(
        [],
        [],
        metric=first_prediction,
        monitor=monitor,
        patience=patience,
        min_delta=min_delta,
    )
    objective = ScriptedValidation([float(cost) for cost in costs])
    trainer = ml.GradientDescent(0.01, tolerance=0, max_iterations=11)
    result = trainer.minimize(objective, START, validation=validation)
    assert result.nit == end
    assert result.status == (ml.Status.STOPPED_EARLY if end < 11 else ml.Status.MAX_ITERATIONS)
    assert result.best_iteration == int(np.argmin(costs[: end + 1]))


@pytest.mark.parametrize(("monitor", "best"), [("cost", 2), ("metric", 3)])
def test_only_what_is_monitored_chooses_the_best_iteration(monitor: str, best: int) -> None:
    """The metric improves where the cost rises."""
    validation = ml.Validation(
        [], [], metric=lambda Y, predictions: -first_prediction(Y, predictions), monitor=monitor
    )
    objective = ScriptedValidation([5.0, 4.0, 2.0, 7.0, 3.0])
    trainer = ml.GradientDescent(0.01, tolerance=0, max_iterations=4)
    assert trainer.minimize(objective, START, validation=validation).best_iteration == best


def test_patience_has_run_out_at_every_later_iteration() -> None:
    objective = ScriptedValidation([1.0])
    monitor = ValidationMonitor(ml.Validation([], [], patience=3), objective)
    x = np.array(START)
    monitor.measure(Evaluation(x, *rosenbrock(x), 1.0), 0)
    for iteration in (0, 1, 2):
        monitor.check_patience(iteration)
    for iteration in (3, 4, 30):
        with pytest.raises(Stop, match="has not improved for 3 iterations"):
            monitor.check_patience(iteration)


@pytest.mark.parametrize("first", [0.2, math.nan])
def test_a_metric_of_nan_is_no_improvement(first: float) -> None:
    values = iter([first, math.nan, 0.3, math.nan, math.nan])
    validation = ml.Validation(
        [], [], metric=lambda Y, predictions: next(values), monitor="metric", patience=2
    )
    objective = ScriptedValidation([1.0] * 5)
    result = ml.GradientDescent(0.01).minimize(objective, START, validation=validation)
    assert (result.nit, result.best_iteration) == (4, 2)


def test_the_message_names_min_delta() -> None:
    validation = ml.Validation([], [], patience=2, min_delta=0.5)
    objective = ScriptedValidation([1.0, 0.9, 0.8])
    result = ml.GradientDescent(0.01).minimize(objective, START, validation=validation)
    expected = (
        "the validation cost has not improved by more than 0.5 for 2 iterations "
        "(best 0.8, at iteration 2)"
    )
    assert result.message.endswith(expected)


# Resuming


def always_nan(Y: object, predictions: Array) -> float:
    return math.nan


def test_a_run_whose_metric_is_always_nan_can_be_resumed(tmp_path: Path) -> None:
    def run(iterations: int, checkpoint: Path | None) -> ml.TrainingResult:
        objective, X, labels = overfitting_problem()
        validation = ml.Validation(X, labels, metric=always_nan, monitor="metric", patience=8)
        trainer = ml.GradientDescent(0.1, max_iterations=iterations)
        return trainer.minimize(objective, validation=validation, checkpoint=checkpoint)

    run(3, tmp_path / "run.h5")
    resumed = run(20, tmp_path / "run.h5")
    whole = run(20, None)
    assert (whole.nit, whole.status) == (8, ml.Status.STOPPED_EARLY)
    np.testing.assert_equal(same_in_every_run(resumed), same_in_every_run(whole))


@forks
@pytest.mark.parametrize("trainer", ["TNC", "L-BFGS-B", "Newton-CG", "L-BFGS", "gradient descent"])
def test_a_run_that_was_killed_twice_ends_as_the_whole_run(trainer: str, tmp_path: Path) -> None:
    make = TRAINERS[trainer]
    path = tmp_path / "run.h5"
    patience = 40 if trainer == "gradient descent" else 5

    def fresh() -> tuple[ml.Objective, ml.Validation]:
        objective, X, labels = overfitting_problem()
        return objective, ml.Validation(X, labels, metric=share_right, patience=patience)

    objective, validation = fresh()
    whole = make().minimize(objective, validation=validation)
    assert whole.status == ml.Status.STOPPED_EARLY
    for _ in range(2):
        objective, validation = fresh()
        run = partial(
            make().minimize,
            Killed(objective, 3),
            validation=validation,
            checkpoint=path,
            checkpoint_every=2,
        )
        assert in_child(run) == -signal.SIGKILL
    for _ in range(2):  # the second time it has ended already
        objective, validation = fresh()
        result = make().minimize(objective, validation=validation, checkpoint=path)
        np.testing.assert_equal(same_in_every_run(result), same_in_every_run(whole))
        np.testing.assert_array_equal(ml.load(path).parameters, whole.x)


def test_another_validation_is_another_run(tmp_path: Path) -> None:
    objective, X, labels = overfitting_problem()
    trainer = ml.ScipyTrainer(max_evaluations=5)
    run = partial(trainer.minimize, objective, checkpoint=tmp_path / "run.h5")
    run(validation=ml.Validation(X, labels, patience=3))
    others = (
        None,
        ml.Validation(X, labels),
        ml.Validation(X, labels, patience=3, min_delta=0.1),
        ml.Validation(X, labels, patience=3, restore_best=False),
        ml.Validation(X[1:], labels[1:], patience=3),
    )
    for other in others:
        with pytest.raises(ml.ResumeError, match="found another run's"):
            run(validation=other)


class Share:
    """A metric that is an object."""

    def __call__(self, Y: Any, predictions: Array) -> float:
        return share_right(Y, predictions)


@pytest.mark.parametrize(
    "new_metric",
    [lambda: share_right, Share, lambda: partial(ml.top_k_accuracy, k=2)],
    ids=["function", "object", "partial"],
)
def test_a_metric_is_identified_by_its_name(new_metric: Any, tmp_path: Path) -> None:
    """Each run has a new object, as another process would; its repr holds a place in memory."""
    path = tmp_path / "run.h5"
    _, X, labels = overfitting_problem()
    model = small_model([3, 8, 2], ml.Tanh, ml.Softmax, 0)
    start = model.parameters.copy()
    for iterations in (2, 4):
        model.parameters[:] = start
        objective = ml.Objective(model, X[:10], labels[:10], ml.CategoricalCrossEntropy())
        validation = ml.Validation(X[10:], labels[10:], metric=new_metric())
        trainer = ml.GradientDescent(0.1, max_iterations=iterations)
        result = trainer.minimize(objective, validation=validation, checkpoint=path)
    assert result.nit == 4
    other = ml.Validation(X[10:], labels[10:], metric=partial(ml.top_k_accuracy, k=1))
    with pytest.raises(ml.ResumeError, match="found another run's"):
        ml.GradientDescent(0.1).minimize(objective, validation=other, checkpoint=path)


# What a metric is given


def given_to_the_metric(model: ml.Sequential, X: Any, Y: Any, loss: ml.Loss) -> tuple[Any, Any]:
    """Return the arguments of a metric at the start of a run."""
    given: list[tuple[Any, Any]] = []

    def metric(targets: Array, predictions: Array) -> float:
        given.append((targets, predictions))
        return 0.0

    validation = ml.Validation(X, Y, metric=metric)
    trainer = ml.LBFGS(max_evaluations=1)
    trainer.minimize(ml.Objective(model, X, Y, loss), validation=validation)
    return given[0]


@pytest.mark.parametrize(
    "targets", [[0.5, 2.0, 1.0], [[0.5], [2.0], [1.0]]], ids=["(m,)", "(m, 1)"]
)
def test_one_output_gives_a_metric_two_vectors(targets: Any) -> None:
    model, X = ml.mlp(1, 3, 1, seed=0), [[0.0], [1.0], [2.0]]
    expected = model.predict(X)[:, 0]
    truth, predictions = given_to_the_metric(model, X, targets, ml.SquaredError())
    np.testing.assert_array_equal(truth, [0.5, 2.0, 1.0])
    np.testing.assert_array_equal(predictions, expected)


def test_several_outputs_give_a_metric_two_matrices() -> None:
    model, X, Y = ml.mlp(1, 3, 2, seed=0), [[0.0], [1.0]], [[1.0, 2.0], [3.0, 4.0]]
    expected = model.predict(X)
    truth, predictions = given_to_the_metric(model, X, Y, ml.SquaredError())
    np.testing.assert_array_equal(truth, Y)
    np.testing.assert_array_equal(predictions, expected)


def test_labels_stay_labels_beside_the_scores_of_the_classes() -> None:
    model, X, labels = ml.mlp(1, 3, output=ml.Softmax, seed=0), [[0.0], [1.0]], [2, 0]
    expected = model.predict(X)
    truth, scores = given_to_the_metric(model, X, labels, ml.CategoricalCrossEntropy())
    np.testing.assert_array_equal(truth, labels)
    np.testing.assert_array_equal(scores, expected)
    np.testing.assert_array_equal(ml.predicted_classes(scores), expected.argmax(axis=1))


def test_a_squared_error_of_ones_own_is_the_mean_squared_error() -> None:
    """With targets (m,) and predictions (m, 1) it would be a mean over m * m differences."""
    rng = np.random.default_rng(0)
    X, targets = rng.standard_normal((20, 1)), rng.standard_normal(20)
    histories = []
    for metric in (lambda y, p: ((y - p) ** 2).mean(), "mse", ml.mean_squared_error):
        model = ml.mlp(1, 3, 1, seed=0)
        validation = ml.Validation(X, targets, metric=metric)
        result = ml.fit(model, X, targets, max_iterations=3, validation=validation)
        histories.append(result.history)
    for history in histories:
        np.testing.assert_allclose(history.metric, 2 * np.array(history.validation_cost))


@pytest.mark.parametrize("metric", ["accuracy", ml.accuracy])
@pytest.mark.parametrize("outputs", [1, 2])
def test_accuracy_is_a_metric_of_labels(metric: Any, outputs: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2))
    labels = (X[:, 0] > 0).astype(int)
    model = ml.mlp(2, outputs, output=ml.Sigmoid if outputs == 1 else ml.Softmax, seed=1)
    validation = ml.Validation(X, labels, metric=metric, restore_best=False)
    result = ml.fit(model, X, labels, max_iterations=20, validation=validation)
    assert result.history.metric[-1] == np.mean(model.predict_class(X) == labels) > 0.9


def test_accuracy_takes_one_hot_targets() -> None:
    X, labels = [[0.0], [1.0], [2.0]], [2, 0, 1]
    validations = [
        ml.Validation(X, Y, metric="accuracy") for Y in (labels, ml.one_hot(labels, 3).tolist())
    ]
    metrics = [
        ml.fit(ml.mlp(1, 3, output=ml.Softmax, seed=0), X, labels, validation=one).history.metric
        for one in validations
    ]
    assert metrics[0] == metrics[1]


def test_an_error_to_monitor_is_best_where_it_is_lowest() -> None:
    objective, X, labels = overfitting_problem()
    validation = ml.Validation(X, labels, metric="mae", monitor="metric", patience=5)
    result = ml.LBFGS().minimize(objective, validation=validation)
    errors = result.history.metric
    assert result.best_iteration == int(np.argmin(errors))
    assert result.message.endswith(
        f"the validation metric has not improved for 5 iterations (best {min(errors):.6g}, "
        f"at iteration {result.best_iteration})"
    )


# Refusals


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"metric": "f1"},
            ValueError,
            "metric: expected one of 'accuracy', 'mse', 'mae' or a function of targets and "
            "predictions, found 'f1'",
        ),
        (
            {"metric": 3},
            TypeError,
            "metric: expected a function of targets and predictions, or one of "
            "'accuracy', 'mse', 'mae', found 3",
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
def test_wrong_arguments_are_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ml.Validation([[1.0]], [1], **arguments)


def metric_of_strings(Y: object, predictions: Array) -> Any:
    return "x"


_, X, LABELS = overfitting_problem()


@pytest.mark.parametrize(
    ("validation", "error", "message"),
    [
        (
            (X, LABELS, LABELS),
            TypeError,
            r"validation: expected Validation\(X, Y\), found \(an array of shape",
        ),
        (ml.Validation(X[:, :2], LABELS), ValueError, "^validation: X: expected 3 columns"),
        (
            ml.Validation(X, LABELS[:3]),
            ValueError,
            "^validation: Y: expected as many rows as X, 15, found 3",
        ),
        (
            ml.Validation(X, LABELS, metric=metric_of_strings),
            TypeError,
            "metric: expected a function that returns a number, found 'x' from .*metric_of_strings",
        ),
    ],
    ids=["triple", "columns", "rows", "metric"],
)
def test_a_wrong_validation_is_refused_and_the_model_stays(
    make: Make, validation: Any, error: type[Exception], message: str
) -> None:
    objective, _, _ = overfitting_problem()
    start = objective.x0
    with pytest.raises(error, match=message):
        make().minimize(objective, validation=validation)
    np.testing.assert_array_equal(objective.model.parameters, start)


def test_a_function_without_validation_rows_is_refused(make: Make) -> None:
    expected = "validation: expected an Objective, which can evaluate other rows, found <function"
    with pytest.raises(TypeError, match=expected):
        make().minimize(Rosenbrock(), START, validation=ml.Validation(X, LABELS))
