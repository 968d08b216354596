"""The diagram of a network, and its decision surface."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

import minilayer as ml
from minilayer import plots
from minilayer.nn import ConfigValue
from minilayer.utils.types import Array
from tests.helpers.problems import ex4_model
from tests.plots.reading import legend_texts, pixels, texts


class Pairs(ml.Layer):
    """The sum of each column and the next: a layer that is not Dense and changes the width."""

    def __init__(self, units: int) -> None:
        self.inputs = units + 1
        self.units = units

    def config(self) -> Mapping[str, ConfigValue]:
        return {"units": self.units}

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
    assert texts(axes) == [
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
    assert texts(axes) == [
        "\u22ee",
        "400 inputs",
        "\u22ee",
        "25 units\nSigmoid",
        "10 outputs\nSigmoid",
    ]
    assert axes.get_title() == "400-25-10: 10,285 parameters"


def test_the_network_diagram_of_layers_without_weights() -> None:
    axes = plots.network_diagram(ml.Sequential([ml.Tanh(), Pairs(2), ml.Dense(2, 2)]))
    assert texts(axes) == [
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
    assert legend_texts(axes) == [
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


def test_points_and_regions_have_the_names_of_their_classes() -> None:
    model = ml.Sequential([ml.Dense(2, 1), ml.Sigmoid()], seed=0)
    model.parameters[:] = [-5, 10, 0]
    axes = plots.decision_surface(model, [[0, 0], [1, 1]], [0, 1], class_names=("no", "yes"))
    assert legend_texts(axes) == ["prediction 0.5", "no", "yes"]
    several = ml.Sequential([ml.Dense(2, 3), ml.Softmax()], seed=0)
    names = np.array(["setosa", "versicolor", "virginica"])
    axes = plots.decision_surface(several, [[0, 0], [1, 1]], [0, 2], class_names=names)
    assert legend_texts(axes) == ["setosa", "virginica"]  # the classes of the points
    with pytest.raises(ValueError, match="class_names: expected 3, one a class, found 2"):
        plots.decision_surface(several, [[0, 0]], [0], class_names=["a", "b"])


def test_the_legend_of_a_surface_is_below_it() -> None:
    model = ml.Sequential([ml.Dense(2, 3), ml.Softmax()], seed=0)
    axes = plots.decision_surface(model, [[0, 0], [1, 1]], [0, 2])
    axes.figure.canvas.draw()
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_window_extent().y1 < axes.bbox.y0
