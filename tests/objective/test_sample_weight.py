"""Rows that count more than once, classes that count alike, labels for one-hot targets; some rows, other rows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

import minilayer as ml
from minilayer.utils.types import Array
from tests.conftest import PAIRS, small_model, targets_for

ROWS = 12


def parts(pair: str, rows: int = ROWS) -> tuple[ml.Sequential, Array, Array]:
    rng = np.random.default_rng(1)
    model = small_model([4, 5, 3], ml.Tanh, PAIRS[pair][0], seed=2)
    return model, rng.standard_normal((rows, 4)), targets_for(pair, rows, 3, rng)


def agree(one: ml.Objective, other: ml.Objective, tolerance: float = 1e-13) -> None:
    """Cost, gradient and products with the Hessian are the same."""
    x, v = one.x0, np.random.default_rng(0).standard_normal(one.x0.size)
    assert one(x)[0] == pytest.approx(other(x)[0], rel=tolerance)
    for a, b in ((one(x)[1], other(x)[1]), (one.hessp(x, v), other.hessp(x, v))):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1.0, float(np.abs(b).max())))


@pytest.mark.parametrize(
    "options", [{}, {"shards": 5, "workers": 2}, {"copy": False, "shards": 2}], ids=str
)
@pytest.mark.parametrize("pair", PAIRS)
@given(st.lists(st.integers(0, 3), min_size=ROWS, max_size=ROWS).filter(any))
def test_a_weight_is_a_number_of_copies_of_the_row(
    pair: str, options: dict[str, Any], counts: list[int]
) -> None:
    model, X, Y = parts(pair)
    loss = PAIRS[pair][1]()
    weighted = ml.Objective(model, X, Y, loss, l2=0.7, sample_weight=counts, **options)
    repeated = ml.Objective(
        model, np.repeat(X, counts, axis=0), np.repeat(Y, counts, axis=0), loss, l2=0.7
    )
    agree(weighted, repeated)


@pytest.mark.parametrize("pair", PAIRS)
def test_weights_of_one_change_nothing(pair: str) -> None:
    model, X, Y = parts(pair)
    loss = PAIRS[pair][1]()
    agree(
        ml.Objective(model, X, Y, loss, l2=0.7, sample_weight=np.ones(ROWS)),
        ml.Objective(model, X, Y, loss, l2=0.7),
    )


@pytest.mark.parametrize("pair", PAIRS)
def test_weighted_gradients_are_differences(pair: str) -> None:
    model, X, Y = parts(pair)
    weights = np.random.default_rng(3).random(ROWS)
    objective = ml.Objective(model, X, Y, PAIRS[pair][1](), l2=0.7, sample_weight=weights)
    assert ml.check_gradient(objective).worst < 1e-7


def test_weights_in_single_precision() -> None:
    model, X, Y = parts("sigmoid")
    weights = np.random.default_rng(3).random(ROWS)
    double, single = (
        ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), sample_weight=weights, dtype=dtype)
        for dtype in ("float64", "float32")
    )
    agree(single, double, 1e-5)


LABELS = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0])


@pytest.mark.parametrize("pair", ["sigmoid", "softmax"])
@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [
        (
            "balanced",
            dict(enumerate(compute_class_weight("balanced", classes=np.arange(3), y=LABELS))),
        ),
        ([1.0, 2.0, 0.5], {0: 1.0, 1: 2.0, 2: 0.5}),
        ({1: 4}, {0: 1.0, 1: 4.0, 2: 1.0}),
    ],
)
def test_a_class_weight_is_the_weight_of_its_rows(
    pair: str, class_weight: Any, expected: dict[int, float]
) -> None:
    model, X, _ = parts(pair)
    loss = PAIRS[pair][1]()
    rows = [expected[label] for label in LABELS]
    by_class = ml.Objective(model, X, LABELS, loss, l2=0.7, class_weight=class_weight)
    agree(by_class, ml.Objective(model, X, LABELS, loss, l2=0.7, sample_weight=rows))
    own = np.arange(1.0, ROWS + 1)
    both = ml.Objective(
        model, X, LABELS, loss, l2=0.7, class_weight=class_weight, sample_weight=own
    )
    if class_weight == "balanced":  # of rows that count so often
        often = np.repeat(LABELS, own.astype(int))
        expected = dict(enumerate(compute_class_weight("balanced", classes=np.arange(3), y=often)))
        rows = [expected[label] for label in LABELS]
    agree(both, ml.Objective(model, X, LABELS, loss, l2=0.7, sample_weight=own * rows))


def test_balanced_counts_rows_as_often_as_they_count() -> None:
    model, X, _ = parts("softmax")
    counts = np.arange(ROWS) % 3 + 1
    loss = ml.CategoricalCrossEntropy()
    weighted = ml.Objective(
        model, X, LABELS, loss, l2=0.7, sample_weight=counts, class_weight="balanced"
    )
    rows, labels = np.repeat(X, counts, axis=0), np.repeat(LABELS, counts)
    agree(weighted, ml.Objective(model, rows, labels, loss, l2=0.7, class_weight="balanced"))


def test_balanced_leaves_out_a_class_that_is_not_there() -> None:
    model, X, _ = parts("softmax")
    labels = np.where(LABELS == 2, 1, LABELS)
    rows = compute_class_weight("balanced", classes=np.arange(2), y=labels)[labels]
    balanced = ml.Objective(model, X, labels, ml.CategoricalCrossEntropy(), class_weight="balanced")
    agree(
        balanced, ml.Objective(model, X, labels, ml.CategoricalCrossEntropy(), sample_weight=rows)
    )


def test_one_column_has_two_classes() -> None:
    model = small_model([4, 1], ml.Tanh, ml.Sigmoid, 0)
    _, X, _ = parts("sigmoid")
    labels = (LABELS > 0).astype(int)
    by_class = ml.Objective(model, X, labels, ml.BinaryCrossEntropy(), class_weight=[1, 3])
    agree(
        by_class,
        ml.Objective(
            model, X, labels[:, None], ml.BinaryCrossEntropy(), sample_weight=1 + 2 * labels
        ),
    )


@pytest.mark.parametrize("pair", ["sigmoid", "softmax"])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, list])
def test_labels_stand_for_one_hot_targets(pair: str, dtype: Any) -> None:
    model, X, _ = parts(pair)
    loss = PAIRS[pair][1]()
    labels = LABELS.tolist() if dtype is list else LABELS.astype(dtype)
    agree(
        ml.Objective(model, X, labels, loss), ml.Objective(model, X, ml.one_hot(LABELS, 3), loss), 0
    )


@pytest.mark.parametrize(
    "values", [np.linspace(0, 1, ROWS), LABELS > 0], ids=["numbers", "booleans"]
)
def test_a_row_of_numbers_is_the_one_column(values: Array) -> None:
    model = small_model([4, 1], ml.Tanh, ml.Identity, 0)
    X = parts("identity")[1]
    loss = ml.SquaredError()
    agree(ml.Objective(model, X, values, loss), ml.Objective(model, X, values[:, None], loss), 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_weight": np.ones(5)}, r"sample_weight: expected shape \(12,\), found \(5,\)"),
        (
            {"sample_weight": -np.arange(12)},
            "sample_weight: expected numbers >= 0, found -11 in row 11",
        ),
        (
            {"sample_weight": np.full(12, np.nan)},
            "sample_weight: expected finite numbers, found nan in row 0",
        ),
        ({"sample_weight": ["a"] * 12}, "sample_weight: expected numbers, found dtype <U1"),
        (
            {"sample_weight": np.zeros(12)},
            "sample_weight and class_weight: expected at least one row of positive weight, found 0",
        ),
        (
            {"class_weight": "equal"},
            "class_weight: expected 'balanced' or a weight for each class, found 'equal'",
        ),
        (
            {"class_weight": [1, 2]},
            r"class_weight: expected 3 weights, one a class, found \[1, 2\]",
        ),
        ({"class_weight": 3.0}, "class_weight: expected 3 weights, one a class, found 3.0"),
        ({"class_weight": {3: 1.0}}, "class_weight: expected classes 0..2, found 3"),
        ({"class_weight": {1.0: 2}}, "class_weight: expected classes 0..2, found 1.0"),
        ({"Y": [[1, 0, 0]] * 11 + [[1]]}, "Y: expected a rectangular array of numbers"),
        (
            {"class_weight": {1: -1.0}},
            "class_weight of class 1: expected a finite number >= 0, found -1.0",
        ),
        ({"class_weight": [1, 2, "x"]}, "class_weight of class 2: expected a number, found 'x'"),
        (
            {"class_weight": "balanced", "Y": np.ones((12, 3))},
            "class_weight: expected one class a row, found targets that sum to 3 in row 0",
        ),
    ],
)
def test_wrong_weights_are_named(arguments: dict[str, Any], message: str) -> None:
    model, X, _ = parts("sigmoid")
    with pytest.raises((ValueError, TypeError), match=message):
        ml.Objective(
            **{"model": model, "X": X, "Y": LABELS, "loss": ml.BinaryCrossEntropy(), **arguments}
        )


def test_numbers_have_no_classes() -> None:
    model, X, Y = parts("identity")
    with pytest.raises(
        ValueError, match=r"class_weight: expected a loss for classes, .* found SquaredError\(\)"
    ):
        ml.Objective(model, X, Y, ml.SquaredError(), class_weight="balanced")


def test_rows_of_several_numbers_are_no_row_of_numbers() -> None:
    model, X, _ = parts("identity")
    with pytest.raises(
        ValueError, match=r"Y: expected 3 columns \(outputs of the model\), found shape \(12,\)"
    ):
        ml.Objective(model, X, np.ones(ROWS), ml.SquaredError())


def test_booleans_are_labels_of_two_classes() -> None:
    model = small_model([4, 2], ml.Tanh, ml.Softmax, 0)
    X, loss = parts("softmax")[1], ml.CategoricalCrossEntropy()
    agree(
        ml.Objective(model, X, LABELS > 0, loss),
        ml.Objective(model, X, (LABELS > 0).astype(int), loss),
        0,
    )


@pytest.mark.parametrize(
    "options", [{}, {"shards": 5}, {"copy": False, "shards": 2}, {"dtype": "float32"}], ids=str
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
@given(st.permutations(range(ROWS)), st.integers(1, ROWS))
def test_a_batch_is_its_rows_and_batches_make_the_whole(
    pair: str, weighted: bool, options: dict[str, Any], order: list[int], size: int
) -> None:
    model, X, Y = parts(pair)
    loss, weights = PAIRS[pair][1](), np.linspace(0.5, 1.5, ROWS) if weighted else np.ones(ROWS)
    objective = ml.Objective(
        model, X, Y, loss, sample_weight=weights if weighted else None, **options
    )
    tolerance = 1e-5 if "dtype" in options else 1e-12
    x = objective.x0
    chosen = order[:size]
    own = ml.Objective(model, X[chosen], Y[chosen], loss, sample_weight=weights[chosen])
    scale = weights[chosen].mean() / weights.mean()
    cost, gradient = objective.minibatch(x, chosen)
    assert cost == pytest.approx(own(x)[0] * scale, rel=tolerance)
    np.testing.assert_allclose(gradient, own(x)[1] * scale, atol=tolerance * 10)
    rest = order[size:]
    if rest:
        pieces = [(len(rows), *objective.minibatch(x, rows)) for rows in (chosen, rest)]
        whole_cost, whole = objective(x)
        assert sum(count * cost for count, cost, _ in pieces) / ROWS == pytest.approx(
            whole_cost, rel=tolerance
        )
        np.testing.assert_allclose(
            sum(c * g for c, _, g in pieces) / ROWS, whole, atol=tolerance * 10
        )


def test_a_batch_carries_the_penalty_of_the_whole() -> None:
    model, X, Y = parts("sigmoid")
    with_penalty, without = (
        ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), l2=l2) for l2 in (0.7, 0.0)
    )
    x = model.parameters
    penalty = with_penalty(x)[0] - without(x)[0]
    assert with_penalty.minibatch(x, [3, 4])[0] - without.minibatch(x, [3, 4])[0] == pytest.approx(
        penalty, rel=1e-12
    )


@pytest.mark.parametrize("rows", [[], [[1]], [0.5], [-1], [ROWS]])
def test_wrong_row_numbers_are_named(rows: Any) -> None:
    model, X, Y = parts("sigmoid")
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy())
    with pytest.raises(
        ValueError, match=r"rows: expected (a 1-D array of row numbers|numbers from 0 to 11), found"
    ):
        objective.minibatch(objective.x0, rows)
    with pytest.raises(
        ValueError, match=r"rows: expected a 1-D array .*: use numpy.flatnonzero\(rows\)$"
    ):
        objective.minibatch(objective.x0, np.arange(ROWS) < 3)


@pytest.mark.parametrize("pair", PAIRS)
def test_held_out_rows_have_the_loss_without_penalty_and_the_predictions(pair: str) -> None:
    model, X, Y = parts(pair, 30)
    loss = PAIRS[pair][1]()
    objective = ml.Objective(model, X[:20], Y[:20], loss, l2=0.7, sample_weight=np.arange(20))
    held_out = objective.validation_rows(X[20:], Y[20:])
    x = model.parameters + 0.1
    cost, predictions = held_out(x)
    assert cost == pytest.approx(ml.Objective(model, X[20:], Y[20:], loss)(x)[0], rel=1e-13)
    np.testing.assert_allclose(predictions, model.replica(x).predict(X[20:]), rtol=1e-13)


def test_held_out_rows_are_checked() -> None:
    model, X, Y = parts("sigmoid")
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy())
    with pytest.raises(ValueError, match="X: expected 4 columns"):
        objective.validation_rows(X[:, :3], Y)
    with pytest.raises(ValueError, match="expects targets in"):
        objective.validation_rows(X, 2 * np.ones_like(Y))
