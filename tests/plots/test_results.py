"""Cost curves and confusion heatmaps: what they draw, and in which numbers."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

import minilayer as ml
from minilayer import plots
from minilayer.utils.types import Array
from tests.plots.reading import legend_texts, pixels, texts, tick_labels


def square(x: Array) -> tuple[float, Array]:
    return float(x @ x), 2 * x


def history_of(costs: list[float]) -> ml.History:
    count = len(costs)
    return ml.History(
        iteration=list(range(count)),
        evaluations=list(range(1, count + 1)),
        cost=costs,
        gradient_norm=[1.0] * count,
        seconds=[0.5 * (row + 1) for row in range(count)],
    )


def test_cost_curve_is_the_history() -> None:
    result = ml.GradientDescent(0.1, max_iterations=5).minimize(square, [1.0])
    axes = plots.cost_curve(result.history)
    line = axes.lines[0]
    np.testing.assert_array_equal(line.get_xdata(), result.history.evaluations)
    np.testing.assert_array_equal(line.get_ydata(), result.history.cost)

    assert axes.get_legend() is None


def test_cost_curve_wants_the_history_of_a_result() -> None:
    with pytest.raises(
        TypeError, match=r"history: expected a History such as result.history, found "
    ):
        plots.cost_curve(OptimizeResult(history=ml.History()))


def test_cost_curve_has_the_validation_cost_beside_it() -> None:
    model = ml.Sequential([ml.Dense(1, 1), ml.Identity()], seed=0)
    objective = ml.Objective(model, [[1.0], [2.0]], [1.0, 3.0], ml.SquaredError())
    validation = ml.Validation([[3.0]], [4.0])
    history = (
        ml.GradientDescent(0.1, max_iterations=5).minimize(objective, validation=validation).history
    )
    axes = plots.cost_curve(history)
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), history.evaluations)
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), history.validation_cost)
    assert legend_texts(axes) == [
        "training (any l2 penalty included)",
        "validation (no penalty)",
    ]


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([6.8, 2.0, 0.34], ["0.3", "0.5", "1", "2", "3", "5"]),
        ([30.0, 0.0004], ["0.001", "0.01", "0.1", "1", "10"]),
        ([40.0, 0.9], ["1", "2", "3", "5", "10", "20", "30"]),
        ([300.0, 0.9], ["1", "3", "10", "30", "100", "300"]),
        ([2e6, 9e3], ["10000", "30000", "100000", "300000", "1000000"]),
    ],
)
def test_costs_have_plain_numbers(costs: list[float], expected: list[str]) -> None:
    axes = plots.cost_curve(history_of(costs))
    axes.figure.canvas.draw()
    assert tick_labels(axes.yaxis) == expected


def test_a_narrow_range_of_costs_has_numbers_too() -> None:
    axes = plots.cost_curve(history_of([0.36, 0.33, 0.31]))
    axes.figure.canvas.draw()
    labels = tick_labels(axes.yaxis)
    assert len(labels) >= 3
    assert all(0.3 < float(label) < 0.37 for label in labels)


def test_a_wide_range_of_costs_has_few_numbers() -> None:
    axes = plots.cost_curve(history_of([1e8, 1e-12]))
    axes.figure.canvas.draw()
    labels = tick_labels(axes.yaxis)
    assert 4 <= len(labels) <= 9
    assert not any("e" in label or "$" in label for label in labels)


def test_a_comparison_shows_the_lowest_cost_so_far() -> None:
    histories = {"one": history_of([5.0, 9.0, 2.0]), "two": history_of([4.0, 1.0, 3.0])}
    axes = plots.cost_comparison(histories)
    assert legend_texts(axes) == ["one", "two"]
    assert [list(np.asarray(line.get_ydata())) for line in axes.lines] == [[5, 5, 2], [4, 1, 1]]
    assert [list(np.asarray(line.get_xdata())) for line in axes.lines] == [[1, 2, 3]] * 2
    assert len({line.get_marker() for line in axes.lines}) == 2
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "evaluations of cost and gradient"
    seconds = plots.cost_comparison(histories, against="seconds")
    assert list(np.asarray(seconds.lines[0].get_xdata())) == [0.5, 1, 1.5]
    assert seconds.get_xlabel() == "seconds"


def test_targets_are_named_lines() -> None:
    targets = {"the article": 0.339, "near the minimum": 0.31}
    axes = plots.cost_comparison({"run": history_of([5.0, 0.31])}, targets=targets)
    assert texts(axes) == ["the article: 0.339", "near the minimum: 0.31"]
    heights = [list(np.asarray(line.get_ydata())) for line in axes.lines[1:]]
    assert heights == [[0.339] * 2, [0.31] * 2]
    assert legend_texts(axes) == ["run"]  # the lines have names of their own
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    assert all(axes.bbox.y0 <= box.y0 for box in boxes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"histories": {}}, "histories: expected at least one, found none"),
        ({"histories": {"a": [1.0]}}, r"histories\['a'\]: expected a History, found \[1.0\]"),
        ({"against": "time"}, "against: expected 'evaluations' or 'seconds', found 'time'"),
        ({"targets": {"low": 0}}, r"targets\['low'\]: expected a finite number > 0, found 0"),
    ],
)
def test_what_cannot_be_compared_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        plots.cost_comparison(**{"histories": {"run": history_of([1.0])}, **arguments})


def test_the_confusion_heatmap_shows_counts_and_lets_mistakes_be_seen() -> None:
    axes = plots.confusion_heatmap([[95, 5, 0], [1, 99, 0], [0, 0, 0]])
    assert texts(axes) == ["95", "5", ".", "1", "99", ".", ".", ".", "."]
    colour = pixels(axes)
    assert colour.shape == (3, 3, 3)
    assert colour[0, 0].argmax() == colour[1, 1].argmax() == 2  # blue
    # Red, and far from the white of no mistake, though it is but 5 % of its row.
    assert colour[0, 1].argmax() == 0
    assert (
        np.abs(colour[0, 1] - colour[0, 2]).max()
        > 0.5
        > np.abs(colour[1, 0] - colour[1, 2]).max()
        > 0.1
    )
    assert axes.get_title() == "blue: right, 194 of 200\nred: mistakes, up to 5.0% of a row"
    assert (
        plots.confusion_heatmap(np.eye(2, dtype=int)).get_title()
        == "blue: right, 2 of 2\nno mistakes"
    )
    assert plots.confusion_heatmap([[3]]).get_title() == "blue: right, 3 of 3\nno mistakes"


def test_the_confusion_heatmap_has_class_names_at_both_axes() -> None:
    axes = plots.confusion_heatmap([[5, 1], [0, 4]], class_names=("no", "yes"))
    axes.figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["no", "yes"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["no", "yes"]
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {0}
    plain = plots.confusion_heatmap([[5, 1], [0, 4]])
    assert [label.get_text() for label in plain.get_xticklabels()] == ["0", "1"]


def test_long_class_names_are_turned() -> None:
    names = np.array([f"class number {label}" for label in range(8)])
    axes = plots.confusion_heatmap(np.eye(8, dtype=int), class_names=names)
    axes.figure.canvas.draw()
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {45}
    assert axes.get_xticklabels()[7].get_text() == "class number 7"


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 2]], "matrix: expected as many columns as rows, 1, found 2"),
        ([[0.5]], "matrix: expected integers, found dtype float64"),
        ([[1, 0], [-2, 1]], "matrix: expected counts from 0 up, found -2"),
        ([1, 2], "matrix: expected 2 dimensions"),
    ],
)
def test_what_is_no_confusion_matrix_is_named(matrix: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        plots.confusion_heatmap(matrix)


def test_a_heatmap_wants_a_name_for_each_class() -> None:
    with pytest.raises(ValueError, match="class_names: expected 2, one a class, found 3"):
        plots.confusion_heatmap([[1, 0], [0, 1]], class_names=["a", "b", "c"])
