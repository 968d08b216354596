"""Every layer in ONNX computes what ``predict`` does: two runtimes, two precisions, any input."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minilayer as ml
from minilayer.export import to_onnx
from minilayer.export.onnx_layers import TRANSLATIONS
from minilayer.utils.types import Array
from tests.helpers.onnx_runtimes import RUNTIMES, assert_close, run_onnxruntime
from tests.helpers.problems import ACTIVATIONS, HIDDEN

COLUMNS = 4
ROWS_OF_EACH_SIZE = 200
SIZES = (0.0, 1e-3, 1.0, 40.0, 800.0)
LAYERS: dict[str, Callable[[], ml.Layer]] = {
    **{activation.__name__: activation for activation in ACTIVATIONS},
    "LeakyReLU of slope 0.3": lambda: ml.LeakyReLU(0.3),
    "LeakyReLU of slope 2": lambda: ml.LeakyReLU(2),
    "ELU of alpha 0.4": lambda: ml.ELU(0.4),
    "Dense": lambda: ml.Dense(COLUMNS, 3, ml.UniformEpsilon(1)),
    "Dense without bias": lambda: ml.Dense(COLUMNS, 3, ml.UniformEpsilon(1), bias=False),
    "Dense to one": lambda: ml.Dense(COLUMNS, 1, ml.UniformEpsilon(1)),
    "Standardize": lambda: ml.Standardize([1, -2, 3, 1e-3], [2, 0.1, 1, 3]),
    "Standardize far from 0": lambda: ml.Standardize([1e6 + 0.3, -5e3, 0.1, 0], [2, 9, 0.1, 3]),
    "Rescale": lambda: ml.Rescale([1, -2, 3, 1e6], [2, 0.1, 1, 3]),
}
MIXING = ("Dense", "Softmax")
"""Layers whose outputs depend on a whole row, so their errors are relative to the row."""


def model_of(layer: ml.Layer) -> ml.Sequential:
    """Return a network of that layer; Dense with the unit matrix says how many columns it has."""
    if layer.inputs is not None:
        return ml.Sequential([layer], seed=0)
    unit = ml.Dense(COLUMNS, COLUMNS, bias=False)
    model = ml.Sequential([unit, layer], seed=0)
    unit.theta[:] = np.eye(COLUMNS)
    return model


def rows() -> Array:
    """Return numbers of all sizes that float32 holds, 0 and the largest among them."""
    rng = np.random.default_rng(0)
    parts = [size * rng.uniform(-1, 1, (ROWS_OF_EACH_SIZE, COLUMNS)) for size in SIZES]
    X = np.concatenate(parts).astype(np.float32)
    X[-1] = [800, -800, 800, 799]
    X[-2] = [-800, -88, 88, 0]
    return X


def test_the_table_has_every_layer_of_minilayer() -> None:
    pending: list[type] = [ml.Layer]
    finals = set()
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if kind.__module__.startswith("minilayer.nn.") and getattr(kind, "__final__", False):
            finals.add(kind)
    assert {kind.__name__ for kind in TRANSLATIONS} == {kind.__name__ for kind in finals}
    assert {type(make()) for make in LAYERS.values()} == set(TRANSLATIONS)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", LAYERS)
def test_outputs_are_those_of_predict(tmp_path: Path, name: str, dtype: str, runtime: str) -> None:
    model = model_of(LAYERS[name]())
    path = tmp_path / "layer.onnx"
    to_onnx(model, path, dtype)
    X = rows()
    expected = model.predict(X)
    scale = np.abs(expected)
    if name.startswith(MIXING):
        scale = scale.max(axis=1, keepdims=True)
    for count in (0, 1, 1000):
        (found,) = RUNTIMES[runtime](path, X[:count].astype(dtype))
        assert found.dtype == dtype
        assert_close(found, expected[:count], scale[:count])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["Softplus", "SiLU", "GELU", "ELU"])
def test_small_results_keep_their_digits(tmp_path: Path, name: str, dtype: str) -> None:
    """A Softplus of 1e-13, such as the mean of rare counts, is no 0."""
    model = model_of(LAYERS[name]())
    to_onnx(model, tmp_path / "layer.onnx", dtype)
    X = np.array([[-30, -5, -1e-3, -1e-6]] if name != "GELU" else [[-3, -1, -1e-3, -1e-6]])
    X = X.astype(np.float32)
    (found,) = run_onnxruntime(tmp_path / "layer.onnx", X.astype(dtype))
    np.testing.assert_allclose(found, model.predict(X), rtol=1e-14 if dtype == "float64" else 3e-6)


def test_standardize_in_float32_does_not_round_the_mean(tmp_path: Path) -> None:
    """Columns of mean 1e6 + 0.3 and deviation 1; float32 rounds the mean by 0.01."""
    rng = np.random.default_rng(0)
    mean = 1e6 + 0.3
    X = (mean + rng.standard_normal((1000, 1))).astype(np.float32)
    model = ml.Sequential([ml.Standardize([mean], [1.0]), ml.Dense(1, 1), ml.Tanh()], seed=0)
    model.parameters[:] = [0.1, 1.0]
    path = tmp_path / "far.onnx"
    to_onnx(model, path, "float32")
    expected = model.predict(X)
    (found,) = run_onnxruntime(path, X)
    assert np.abs(found - expected).max() < 3e-7
    rounded = np.tanh(0.1 + X - np.float32(mean))
    assert np.abs(rounded - expected).max() > 1e-3


@st.composite
def networks(draw: st.DrawFn) -> ml.Sequential:
    """Return networks of up to four Dense layers, with constants before and after them."""
    widths = draw(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    layers: list[ml.Layer] = []
    rng = np.random.default_rng(draw(st.integers(0, 100)))
    if draw(st.booleans()):
        layers.append(ml.Standardize.of(rng.normal(5, 2, (9, widths[0]))))
    for inputs, units in pairwise(widths):
        layers.append(ml.Dense(inputs, units, bias=draw(st.booleans())))
        layers.append(draw(st.sampled_from(HIDDEN))())
    if draw(st.booleans()):
        layers.append(ml.Rescale.of(rng.normal(5, 2, (9, widths[-1]))))
    elif draw(st.booleans()):
        layers.append(ml.Exp())
    return ml.Sequential(layers, seed=rng)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@settings(max_examples=25)
@given(model=networks())
def test_any_network_computes_what_predict_does(
    tmp_path_factory: pytest.TempPathFactory, dtype: str, model: ml.Sequential
) -> None:
    path = tmp_path_factory.mktemp("onnx") / "network.onnx"
    to_onnx(model, path, dtype)
    X = np.random.default_rng(1).normal(5, 2, (20, model.n_inputs)).astype(np.float32)
    expected = model.predict(X)
    for run in RUNTIMES.values():
        (found,) = run(path, X.astype(dtype))
        assert_close(found, expected, np.abs(expected).max())
