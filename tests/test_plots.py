"""Each picture draws what it says, into the Axes it is given."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from scipy.optimize import OptimizeResult

import minilayer as ml
from minilayer import plots
from minilayer.utils.types import Array
from tests.conftest import ex4_model


@pytest.fixture(autouse=True)
def closed() -> object:
    yield
    plt.close("all")


def pixels(axes: Axes) -> Array:
    return np.asarray(axes.images[0].get_array())


def test_digit_grid_shows_upright_images(digits: tuple[Array, Array]) -> None:
    axes = plots.digit_grid(digits[0], count=4)
    shown = pixels(axes)
    assert shown.shape == (43, 43)
    rows = np.sort(np.random.default_rng(0).choice(5000, 4, replace=False))
    first = digits[0][rows[0]].reshape(20, 20).T
    assert np.corrcoef(shown[1:21, 1:21].ravel(), first.ravel())[0, 1] == pytest.approx(1)
    assert axes.get_title() == "4 of 5000 digits"


def test_hidden_units_are_scaled_each_by_itself() -> None:
    model = ex4_model()
    model.layers[0].parameters["theta"][0, 1:] *= 100
    shown = pixels(plots.hidden_units(model))
    assert shown.shape == (106, 106)
    for top in (1, 22):
        tile = shown[top : top + 20, 1:21]
        assert max(tile.max(), 1 - tile.min()) == pytest.approx(1)
    with pytest.raises(ValueError, match="expected square images, found 3 pixels"):
        plots.hidden_units(ml.Sequential([ml.Dense(3, 2)]))


def test_cost_curve_is_the_history() -> None:
    result = ml.GradientDescent(0.1, max_iterations=5).minimize(
        lambda x: (float(x @ x), 2 * x), [1.0]
    )
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
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]


def test_the_confusion_heatmap_shows_counts_and_lets_mistakes_be_seen() -> None:
    axes = plots.confusion_heatmap([[95, 5, 0], [1, 99, 0], [0, 0, 0]])
    written = [text.get_text() for text in axes.texts]
    assert written == ["95", "5", ".", "1", "99", ".", ".", ".", "."]
    colour = pixels(axes)
    assert colour.shape == (3, 3, 3)
    assert colour[0, 0].argmax() == colour[1, 1].argmax() == 2  # blue
    assert (
        colour[0, 1].argmax() == 0
    )  # red, and far from the white of no mistake, though it is but 5 % of its row
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


class Pairs(ml.Layer):
    """The sum of each column and the next: a layer that is not Dense and changes the width."""

    def __init__(self, units: int) -> None:
        self.inputs, self.units = units + 1, units

    def forward(self, x: Array) -> Array:
        return np.asarray(x[:, 1:] + x[:, :-1])

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(np.pad(dy, ((0, 0), (1, 0))) + np.pad(dy, ((0, 0), (0, 1))))


def lines(axes: Axes) -> list[LineCollection]:
    return [piece for piece in axes.collections if isinstance(piece, LineCollection)]


def units(axes: Axes) -> list[int]:
    """Drawn units of each column."""
    return [
        len(np.asarray(p.get_offsets()))
        for p in axes.collections
        if not isinstance(p, LineCollection)
    ]


def test_the_network_diagram_shows_every_weight_of_a_small_network() -> None:
    model = ml.Sequential([ml.Dense(2, 3), ml.Tanh(), ml.Dense(3, 1), ml.Sigmoid()], seed=0)
    model.layers[0].parameters["theta"][:] = [[9, 1, -2], [9, 0, 4], [9, 3, -1]]
    axes = plots.network_diagram(model)
    assert units(axes) == [2, 3, 1]
    assert [text.get_text() for text in axes.texts] == [
        "2 inputs",
        "3 units\nTanh",
        "1 output\nSigmoid",
    ]
    assert axes.get_title() == "2-3-1: 13 parameters"
    first, second = lines(axes)
    assert len(second.get_segments()) == 3
    segments = [np.asarray(segment) for segment in first.get_segments()]
    top = max(segment[0, 1] for segment in segments)
    strongest = segments[-1]  # 4, from the second input to the second unit, is drawn last
    assert strongest[0].tolist() == [0, -top]
    assert strongest[1].tolist() == [1, 0]
    widths = np.array(first.get_linewidth())
    assert widths.argmax() == 5
    red = [colour[0] > colour[2] for colour in np.asarray(first.get_colors())]
    assert sum(red[1:]) == 2  # -1 and -2; the first is the weight of 0


def test_the_network_diagram_shortens_wide_columns() -> None:
    axes = plots.network_diagram(ex4_model())
    assert units(axes) == [10, 10, 10]
    assert [len(piece.get_segments()) for piece in lines(axes)] == [100, 100]
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["\u22ee", "400 inputs", "\u22ee", "25 units\nSigmoid", "10 outputs\nSigmoid"]
    assert axes.get_title() == "400-25-10: 10,285 parameters"


def test_the_network_diagram_of_layers_without_weights() -> None:
    axes = plots.network_diagram(ml.Sequential([ml.Tanh(), Pairs(2), ml.Dense(2, 2)]))
    assert [text.get_text() for text in axes.texts] == [
        "3 inputs\nTanh",
        "2 units\nPairs",
        "2 outputs",
    ]
    assert len(set(np.atleast_1d(lines(axes)[0].get_linewidth()))) == 1
    still = ml.Sequential([ml.Dense(1, 1, ml.Zeros())])
    assert plots.network_diagram(still).get_title() == "1-1: 2 parameters"


def test_the_decision_surface_of_one_output_has_a_line_at_a_half() -> None:
    model = ml.Sequential([ml.Dense(2, 1), ml.Sigmoid()])
    model.parameters[:] = [-5, 10, 0]  # a half where the first input is 0.5
    axes = plots.decision_surface(model, [[0, 0], [1, 1], [1, 0]], [0, 1, 1])
    assert axes.get_xlim() == pytest.approx((-0.2, 1.2))
    contour = axes.collections[0].get_paths()[0].vertices
    np.testing.assert_allclose(np.asarray(contour)[:, 0], 0.5, atol=1e-3)
    assert [np.asarray(line.get_xydata()).tolist() for line in axes.lines[1:]] == [
        [[0, 0]],
        [[1, 1], [1, 0]],
    ]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "prediction 0.5",
        "class 0",
        "class 1",
    ]
    shade = pixels(axes)
    assert shade[0, 0].argmax() == 2  # blue where the prediction is 0, orange where it is 1
    assert shade[0, -1].argmax() == 0
    model.parameters[:] = [5, 0, 0]
    assert len(plots.decision_surface(model, [[3, 4]], [1]).collections) == 0  # nowhere a half


@pytest.mark.parametrize("classes", [3, 12])
def test_the_decision_surface_of_several_outputs_has_a_region_for_each(classes: int) -> None:
    model = ml.Sequential([ml.Dense(2, classes), ml.Softmax()], seed=1)
    points = np.random.default_rng(0).standard_normal((20, 2))
    model.parameters[:] = 0
    model.layers[0].parameters["theta"][0] = [0, 10, 0]
    model.layers[0].parameters["theta"][2] = [0, -10, 0]
    axes = plots.decision_surface(model, points, np.arange(20) % classes)
    shade = pixels(axes)
    regions = np.unique(shade.reshape(-1, 3), axis=0)
    assert len(regions) == 2
    assert (shade[:, 0] == shade[0, 0]).all()
    assert (shade[:, -1] == shade[0, -1]).all()
    assert len(axes.lines) == classes


@pytest.mark.parametrize(
    ("widths", "X", "labels", "message"),
    [
        ((3, 1), [[0, 0, 0]], [0], "model: expected 2 inputs, found 3"),
        ((2, 1), [[0, 0, 0]], [0], "X: expected 2 columns, found 3"),
        ((2, 1), [[0, np.inf]], [0], "X: expected finite numbers, found inf in row 0, column 1"),
        ((2, 1), [[0, 0]], [0, 1], "labels: expected one for each of 1 rows of X, found 2"),
        ((2, 1), [[0, 0]], [2], "labels: expected 0..1 for 1 output, found 2"),
        ((2, 3), [[0, 0]], [3], "labels: expected 0..2 for 3 outputs, found 3"),
        ((2, 3), [[0, 0]], [0.5], "labels: expected integers, found dtype float64"),
    ],
)
def test_what_no_surface_can_be_drawn_of_is_named(
    widths: tuple[int, int], X: Any, labels: Any, message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        plots.decision_surface(ml.Sequential([ml.Dense(*widths), ml.Identity()]), X, labels)


def test_confident_mistakes_come_worst_first() -> None:
    labels, scores = (
        np.array([0, 1, 0, 1]),
        np.array([[0.4, 0.6], [0.9, 0.1], [0.8, 0.2], [0.2, 0.8]]),
    )
    axes = plots.confident_mistakes(np.eye(4), labels, scores)
    assert [text.get_text() for text in axes.texts] == ["1>0 0.90", "0>1 0.60"]
    assert axes.get_title() == "the 2 most confident of 2 mistakes"
    assert (
        plots.confident_mistakes(np.eye(4), labels, np.eye(2)[labels]).get_title() == "no mistakes"
    )


def test_a_drawing_goes_where_it_is_told(tmp_path: Path, digits: tuple[Array, Array]) -> None:
    axes = plt.subplots()[1]
    model = ml.Sequential([ml.Dense(2, 1)])
    assert plots.digit_grid(digits[0], ax=axes) is axes
    assert plots.confusion_heatmap([[1, 2], [3, 4]], axes) is axes
    assert plots.network_diagram(model, axes) is axes
    assert plots.decision_surface(model, [[0, 0]], [0], axes) is axes
    drawings = {
        "one": lambda ax: ax.plot([1, 2]),
        "two": lambda ax: plots.digit_grid(digits[0], ax=ax),
    }
    files = plots.save_figures(tmp_path / "new", drawings)
    assert [file.name for file in files] == ["one.png", "two.png", "overview.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
