"""Each picture draws what it says, into the Axes it is given."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

import minilayer as ml
from minilayer import plots
from minilayer.checks import Array
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
    result = ml.GradientDescent(0.1, max_iterations=5).minimize(lambda x: (float(x @ x), 2 * x), [1.0])
    axes = plots.cost_curve(result.history)
    line = axes.lines[0]
    np.testing.assert_array_equal(line.get_xdata(), result.history.evaluations)
    np.testing.assert_array_equal(line.get_ydata(), result.history.cost)


def test_confident_mistakes_come_worst_first() -> None:
    labels, scores = np.array([0, 1, 0, 1]), np.array([[0.4, 0.6], [0.9, 0.1], [0.8, 0.2], [0.2, 0.8]])
    axes = plots.confident_mistakes(np.eye(4), labels, scores)
    assert [text.get_text() for text in axes.texts] == ["1>0 0.90", "0>1 0.60"]
    assert axes.get_title() == "the 2 most confident of 2 mistakes"
    assert plots.confident_mistakes(np.eye(4), labels, np.eye(2)[labels]).get_title() == "no mistakes"


def test_a_drawing_goes_where_it_is_told(tmp_path: Path, digits: tuple[Array, Array]) -> None:
    axes = plt.subplots()[1]
    assert plots.digit_grid(digits[0], ax=axes) is axes
    drawings = {"one": lambda ax: ax.plot([1, 2]), "two": lambda ax: plots.digit_grid(digits[0], ax=ax)}
    files = plots.save_figures(tmp_path / "new", drawings)
    assert [file.name for file in files] == ["one.png", "two.png", "overview.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
