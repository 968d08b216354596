"""to_html: the file that it writes, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.export import to_html
from minilayer.export.html_layers import KNOWN_TO_PAGE
from minilayer.utils.types import Array
from tests.helpers.paths import ROOT


def network() -> ml.Sequential:
    return ml.mlp(9, 4, 3, hidden=ml.Sigmoid, output=ml.Softmax, seed=0)


def stored(page: Path) -> dict[str, Any]:
    """Return the data in a page."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_digits_page_is_one_small_file(tmp_path: Path, digits: tuple[Array, Array]) -> None:
    page = tmp_path / "draw.html"
    to_html(ml.mlp(400, 25, 10, seed=0), page, examples=digits[0][::500])
    assert page.stat().st_size < 200_000
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"https?:|@import|url\(|\ssrc=", text)
    assert [path.name for path in tmp_path.iterdir()] == ["draw.html"]


def test_equal_models_give_equal_bytes(tmp_path: Path) -> None:
    pages = [tmp_path / name for name in ("a.html", "b.html")]
    for page in pages:
        to_html(network(), str(page), examples=np.eye(9)[:2], labels=[2, 0], title="x")
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_every_layer_of_minilayer_is_known_to_the_page() -> None:
    layers = {kind for name in ml.nn.__all__ if is_final_layer(kind := getattr(ml.nn, name))}
    assert layers == KNOWN_TO_PAGE
    script = (ROOT / "minilayer" / "export" / "page" / "network.js").read_text(encoding="utf-8")
    assert all(re.search(rf'(\b|"){kind.__name__}("|:)', script) for kind in layers)


def is_final_layer(kind: object) -> bool:
    is_layer = isinstance(kind, type) and issubclass(kind, ml.Layer)
    return is_layer and getattr(kind, "__final__", False)


@pytest.mark.parametrize(
    ("layers", "heading", "tiles"),
    [
        ([ml.Dense(4, 25), ml.Tanh(), ml.Dense(25, 2)], "The 25 hidden units", 25),
        ([ml.Dense(4, 1), ml.Tanh(), ml.Dense(1, 2)], "The hidden unit", 1),
        ([ml.Dense(4, 3), ml.Softmax()], "The 3 outputs", 3),
        ([ml.Dense(4, 120), ml.ReLU(), ml.Dense(120, 2)], "The first 100 of 120 hidden units", 100),
    ],
)
def test_the_heading_counts_the_units(
    tmp_path: Path, layers: list[ml.Layer], heading: str, tiles: int
) -> None:
    to_html(ml.Sequential(layer.unbound_copy() for layer in layers), tmp_path / "a.html")
    data = stored(tmp_path / "a.html")
    assert (data["units_heading"], data["tiles"]) == (heading, tiles)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (ml.mlp(4, 3, 1, output=ml.Sigmoid), ["0", "1"]),
        (ml.mlp(4, 3, 1), ["0"]),
        (ml.mlp(4, 3, 3, output=ml.Softmax), ["0", "1", "2"]),
    ],
)
def test_outputs_without_names_have_numbers(
    tmp_path: Path, model: ml.Sequential, names: list[str]
) -> None:
    to_html(model, tmp_path / "a.html")
    assert stored(tmp_path / "a.html")["outputs"]["names"] == names


class Square(ml.Activation):
    """A layer of the user's own."""

    def function(self, x: Array, out: Array) -> None:
        np.multiply(x, x, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.multiply(dy, 2 * x, out=out)


def not_finite() -> ml.Sequential:
    model = network()
    model.parameters[3] = np.nan
    return model


WRONG_MODELS = [
    ([], TypeError, "model: expected a Sequential, found []"),
    (
        ml.Sequential([ml.Dense(9, 2), Square()]),
        TypeError,
        "model: expected the layers of minilayer, found Square(): "
        "the page's script does not compute it",
    ),
    (
        ml.Sequential([ml.Standardize.of(np.eye(9)), ml.Sigmoid()]),
        ValueError,
        "model: expected a Dense layer, found Sequential([Standardize(9 columns), Sigmoid()])",
    ),
    (
        ml.mlp(8, 3, 2),
        ValueError,
        "model: expected square images, found 8 inputs: use image_shape=(height, width)",
    ),
    (not_finite(), ValueError, "model: expected finite parameters, found NaN or infinity"),
]
WRONG_ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"path": 3}, TypeError, "path: expected a file's path, found 3"),
    ({"title": None}, TypeError, "title: expected a string, found None"),
    ({"class_names": ["a"]}, ValueError, "class_names: expected 3, one a class, found 1"),
    (
        {"examples": np.ones((2, 8))},
        ValueError,
        "examples: expected 9 columns (inputs of the model), found 8",
    ),
    (
        {"examples": [[np.inf] * 9]},
        ValueError,
        "examples: expected finite numbers, found inf in row 0, column 0",
    ),
    ({"labels": [1]}, ValueError, "labels: expected one for each of 0 examples, found 1"),
    (
        {"examples": np.eye(9), "labels": range(9)},
        ValueError,
        "labels: expected 0..2 for 3 classes, found 8",
    ),
    ({"image_shape": 9}, TypeError, "image_shape: expected a tuple (height, width), found 9"),
    (
        {"image_shape": (2, 4)},
        ValueError,
        "image_shape: expected 9 pixels, one an input, found 2 x 4 = 8",
    ),
    (
        {"image_shape": (9, 0)},
        ValueError,
        "width of image_shape: expected at least 1, found 0",
    ),
    ({"order": "F"}, ValueError, "order: expected 'column' or 'row', found 'F'"),
    ({"background": "white"}, TypeError, "background: expected a number, found 'white'"),
    (
        {"background": 2, "ink": 2.0},
        ValueError,
        "ink: expected another number than background, found 2.0",
    ),
    ({"box": 2}, ValueError, "box: expected a part of the image, at most 1, found 2"),
    ({"box": 0}, ValueError, "box: expected a finite number > 0, found 0"),
    (
        {"box": 0.5, "stroke": 0.5},
        ValueError,
        "stroke: expected a number below box, 0.5, found 0.5",
    ),
]


@pytest.mark.parametrize(("model", "kind", "message"), WRONG_MODELS)
def test_wrong_models_are_refused(
    tmp_path: Path, model: Any, kind: type[Exception], message: str
) -> None:
    page = tmp_path / "old.html"
    page.write_text("the page before")
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        to_html(model, page)
    assert page.read_text() == "the page before"


@pytest.mark.parametrize(("arguments", "kind", "message"), WRONG_ARGUMENTS)
def test_wrong_arguments_are_refused(
    tmp_path: Path, arguments: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        to_html(**{"model": network(), "path": tmp_path / "a.html", **arguments})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected a folder to write it to, found none"):
        to_html(network(), tmp_path / "none" / "a.html")
