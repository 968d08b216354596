"""Images of data, of hidden units and of mistakes: upright, scaled and captioned."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import minilayer as ml
from minilayer import plots
from minilayer.utils.types import Array
from tests.helpers.problems import ex4_model
from tests.plots.reading import pixels, texts

LABELS = np.array([0, 1, 0, 1])
SCORES = np.array([[0.4, 0.6], [0.9, 0.1], [0.8, 0.2], [0.2, 0.8]])


def correlation(first: Array, second: Array) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def test_digit_grid_shows_upright_images(digits: tuple[Array, Array]) -> None:
    axes = plots.digit_grid(digits[0], count=4)
    shown = pixels(axes)
    assert shown.shape == (43, 43)
    rows = np.sort(np.random.default_rng(0).choice(5000, 4, replace=False))
    first = digits[0][rows[0]].reshape(20, 20).T
    assert correlation(shown[1:21, 1:21], first) == pytest.approx(1)
    assert axes.get_title() == "4 of 5000 digits"


def test_digit_grid_takes_images_row_by_row() -> None:
    data = load_digits()
    shown = pixels(plots.digit_grid(data.data, count=1, seed=3, order="row"))
    chosen = np.random.default_rng(3).choice(len(data.data), 1, replace=False)[0]
    assert shown.shape == (10, 10)
    assert correlation(shown[1:9, 1:9], data.images[chosen]) == pytest.approx(1)
    lying = pixels(plots.digit_grid(data.data, count=1, seed=3))[1:9, 1:9]
    np.testing.assert_array_equal(lying, shown[1:9, 1:9].T)


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
    with pytest.raises(ValueError, match="model: expected a Dense layer, found Sequential"):
        plots.hidden_units(ml.Sequential([FourPixels()]))


class FourPixels(ml.Layer):
    """A layer with a width and without weights."""

    inputs = 4
    units = 4

    def forward(self, x: Array) -> Array:
        return x

    def input_gradient(self, dy: Array) -> Array:
        return dy


def test_hidden_units_see_pixels_in_the_order_of_the_data() -> None:
    model = ml.Sequential([ml.Dense(4, 1)])
    model.layers[0].parameters["theta"][:] = [[9, 4, 2, -4, 0]]
    by_columns = pixels(plots.hidden_units(model))[1:3, 1:3]
    by_rows = pixels(plots.hidden_units(model, order="row"))[1:3, 1:3]
    np.testing.assert_array_equal(by_rows, [[1, 0.75], [0, 0.5]])
    np.testing.assert_array_equal(by_columns, by_rows.T)


def test_confident_mistakes_come_worst_first() -> None:
    axes = plots.confident_mistakes(np.eye(4), LABELS, SCORES)
    assert texts(axes) == ["true 1,\npredicted 0 (90 %)", "true 0,\npredicted 1 (60 %)"]
    assert axes.get_title() == "the 2 most confident of 2 mistakes"
    right = plots.confident_mistakes(np.eye(4), LABELS, np.eye(2)[LABELS])
    assert right.get_title() == "no mistakes"
    assert texts(right) == []
    one = plots.confident_mistakes(np.eye(4), LABELS, SCORES, count=1)
    assert one.get_title() == "the 1 most confident of 2 mistakes"


def test_captions_have_class_names_and_numbers_that_are_no_shares() -> None:
    axes = plots.confident_mistakes(np.eye(4), LABELS, 10 * SCORES, class_names=("cat", "dog"))
    assert texts(axes) == ["true dog,\npredicted cat (9.00)", "true cat,\npredicted dog (6.00)"]


def test_captions_stand_above_their_images_and_never_on_them() -> None:
    images = np.zeros((9, 400))  # black
    images[:, 210] = 1  # but for a dot in the middle
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    wrong = np.tile([0.2, 0.8], (9, 1))
    axes = plots.confident_mistakes(images, [0] * 9, wrong, ax=figure.subplots(), order="row")
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    in_data = [box.transformed(axes.transData.inverted()) for box in boxes]
    shown = pixels(axes)
    for box in in_data:
        left, right = int(np.floor(box.x0)), int(np.ceil(box.x1))
        top, bottom = sorted((box.y0, box.y1))
        covered = shown[max(0, round(top)) : round(bottom), max(0, left) : right]
        assert (covered == 1).all()  # white paper
    for one, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[one + 1 :])
    assert min(float(text.get_fontsize()) for text in axes.texts) >= 8


def test_captions_of_many_images_are_smaller() -> None:
    wrong = np.tile([0.2, 0.8], (25, 1))
    few = plots.confident_mistakes(np.eye(4), LABELS, SCORES)
    many = plots.confident_mistakes(np.ones((25, 4)), [0] * 25, wrong, count=25)
    assert len(many.texts) == 25
    assert float(many.texts[0].get_fontsize()) < float(few.texts[0].get_fontsize())


def test_mistakes_are_upright_in_either_order() -> None:
    image = np.arange(4.0) / 3
    by_columns = pixels(plots.confident_mistakes([image], [0], [[0.2, 0.8]]))
    by_rows = pixels(plots.confident_mistakes([image], [0], [[0.2, 0.8]], order="row"))
    np.testing.assert_allclose(by_rows[2:4, 1:3], image.reshape(2, 2))
    np.testing.assert_allclose(by_columns[2:4, 1:3], image.reshape(2, 2).T)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"X": np.eye(3)}, "labels: expected one for each of 3 rows of X, found 4"),
        ({"predictions": SCORES[:3]}, "predictions: expected a row for each of 4 rows of X, found"),
        ({"labels": [0, 1, 2, 0]}, "labels: expected 0..1 for 2 columns of predictions, found 2"),
        ({"X": np.ones((4, 3))}, "X: expected square images, found 3 pixels"),
        ({"order": "C"}, "order: expected 'column' or 'row', found 'C'"),
        ({"count": 0}, "count: expected at least 1, found 0"),
        ({"class_names": ["a"]}, "class_names: expected 2, one a class, found 1"),
        ({"class_names": "ab"}, "class_names: expected a list of strings, such as "),
        ({"class_names": [None, 1]}, "class_names: expected strings, found None"),
    ],
)
def test_what_no_mistakes_can_be_shown_of_is_named(changed: dict[str, Any], message: str) -> None:
    arguments = {"X": np.eye(4), "labels": LABELS, "predictions": SCORES, **changed}
    with pytest.raises((ValueError, TypeError), match=message):
        plots.confident_mistakes(**arguments)


@pytest.mark.parametrize("draw", [plots.digit_grid, plots.hidden_units])
def test_another_order_is_refused(draw: Any) -> None:
    subject = np.eye(4) if draw is plots.digit_grid else ml.Sequential([ml.Dense(4, 1)])
    with pytest.raises(ValueError, match="order: expected 'column' or 'row', found 'F'"):
        draw(subject, order="F")
