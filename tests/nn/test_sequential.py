"""The flat vector, its views, and the passes through the network."""

import copy
import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from tests.conftest import HIDDEN, small_model


def xor_model(seed: int = 0) -> ml.Sequential:
    return ml.Sequential([ml.Dense(2, 3), ml.Sigmoid(), ml.Dense(3, 1), ml.Sigmoid()], seed=seed)


@given(widths=st.lists(st.integers(1, 6), min_size=2, max_size=5), seed=st.integers(0, 99))
def test_views_alias_the_vector_both_ways(widths: list[int], seed: int) -> None:
    model = small_model(widths, ml.Tanh, ml.Identity, seed)
    dense = [layer for layer in model.layers if isinstance(layer, ml.Dense)]
    assert model.parameters.size == sum((1 + a) * b for a, b in pairwise(widths))
    np.testing.assert_array_equal(
        np.concatenate([layer.theta.ravel() for layer in dense]), model.parameters
    )
    for layer in dense:
        assert np.shares_memory(layer.theta, model.parameters)
        layer.theta[0, 0] = 123.0
        assert 123.0 in model.parameters
    model.parameters[:] = np.arange(model.parameters.size)
    np.testing.assert_array_equal(
        np.concatenate([layer.theta.ravel() for layer in dense]), model.parameters
    )


def test_the_vector_is_never_rebound() -> None:
    model = xor_model()
    vector = model.parameters
    with pytest.raises(
        AttributeError, match=r"parameters cannot be rebound.*model\.parameters\[:\] = x"
    ):
        model.parameters = np.zeros(13)
    model.parameters += 1
    assert model.parameters is vector


def test_the_seed_fixes_the_start() -> None:
    np.testing.assert_array_equal(xor_model(3).parameters, xor_model(3).parameters)
    assert (xor_model(3).parameters != xor_model(4).parameters).any()
    generator = np.random.default_rng(3)
    model = ml.Sequential(
        [ml.Dense(2, 3), ml.Sigmoid(), ml.Dense(3, 1), ml.Sigmoid()], seed=generator
    )
    np.testing.assert_array_equal(model.parameters, xor_model(3).parameters)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "layers: expected at least one layer with a size"),
        ([ml.Sigmoid()], "layers: expected at least one layer with a size"),
        (
            [ml.Dense(2, 3), ml.Dense(4, 1)],
            r"layers\[1\]: Dense\(4, 1\) takes 4 columns, but layers\[0\] Dense\(2, 3\)",
        ),
        (
            [ml.Dense(2, 3), ml.Tanh(), ml.Dense(4, 1)],
            r"layers\[2\]: Dense\(4, 1\) takes 4 columns, but layers\[0\] D",
        ),
        (
            [ml.Dense(2, 3), ml.Sigmoid],
            r"layers\[1\]: expected a Layer, found .*: write Sigmoid\(...\)",
        ),
        (ml.Dense(2, 3), r"layers: expected a list of layers, found Dense\(2, 3\)"),
        (3, "layers: expected a list of layers, found 3"),
        ([ml.Dense(2, 3), "sigmoid"], r"layers\[1\]: expected a Layer, found 'sigmoid'"),
    ],
)
def test_layers_that_cannot_stand_in_a_row(layers: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.Sequential(layers)
    parts = layers if isinstance(layers, list) else [layers]
    assert not any(isinstance(layer, ml.Layer) and layer.is_bound for layer in parts)


@pytest.mark.parametrize("seed", ["a", -1, 1.5, ml.Sigmoid()])
def test_a_wrong_seed_is_named(seed: Any) -> None:
    with pytest.raises(
        (ValueError, TypeError), match="seed: expected an integer from 0 up or a Generator, found"
    ):
        ml.Sequential([ml.Dense(2, 1)], seed=seed)


def test_backward_belongs_to_the_last_forward() -> None:
    model = xor_model()
    with pytest.raises(RuntimeError, match=r"^backward: expected a forward before it, found none$"):
        model.backward(np.ones((6, 1)))
    model.forward(X_GOOD)
    with pytest.raises(
        ValueError, match=r"dy: expected \(6, 1\) as of the last forward, found \(6, 2\)"
    ):
        model.backward(np.ones((6, 2)))


def test_a_layer_is_used_once() -> None:
    sigmoid = ml.Sigmoid()
    with pytest.raises(
        ValueError, match=r"layers\[3\]: Sigmoid\(\) is used twice: make a new layer for each place"
    ):
        ml.Sequential([ml.Dense(2, 2), sigmoid, ml.Dense(2, 2), sigmoid])
    model = ml.Sequential([ml.Dense(2, 2), sigmoid])
    before = model.parameters.copy()
    with pytest.raises(
        ValueError, match=r"layers\[0\]: Dense\(2, 2\) is part of another model: make a new layer"
    ):
        ml.Sequential([model.layers[0], ml.Sigmoid()])
    np.testing.assert_array_equal(model.parameters, before)


def test_activations_may_come_first() -> None:
    model = ml.Sequential([ml.Tanh(), ml.Dense(2, 1)])
    assert (model.n_inputs, model.n_outputs) == (2, 1)


X_GOOD = np.arange(12).reshape(6, 2)


@pytest.mark.parametrize(
    "X",
    [
        X_GOOD.astype(np.uint8),
        X_GOOD.astype(np.float32),
        X_GOOD.astype(np.float16),
        X_GOOD.tolist(),
        np.asfortranarray(X_GOOD.astype(float)),
        np.repeat(X_GOOD, 3, axis=0)[::3],
        np.repeat(X_GOOD, 2, axis=1)[:, ::2],
        X_GOOD[::-1][::-1],
    ],
)
def test_any_numeric_input_predicts_the_same(X: Any) -> None:
    np.testing.assert_allclose(
        xor_model().predict(X), xor_model().predict(X_GOOD.astype(float)), rtol=1e-12
    )


def test_booleans_and_memory_maps_are_inputs(tmp_path: Any) -> None:
    model = xor_model()
    np.testing.assert_array_equal(model.predict([[True, False]]), model.predict([[1.0, 0.0]]))
    mapped = np.memmap(tmp_path / "x.bin", np.uint8, "w+", shape=(6, 2))
    mapped[:] = X_GOOD
    np.testing.assert_array_equal(model.predict(mapped), model.predict(X_GOOD))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1, 2, 3]], r"X: expected 2 columns \(inputs of Dense\(2, 3\)\), found 3"),
        (
            [1, 2],
            r"X: expected 2 dimensions .*found 1 of length 2: use X.reshape\(1, -1\) for one example",
        ),
        ([1, 2, 3], r"X: expected 2 dimensions .*use X.reshape\(-1, 1\) for one column"),
        (1.0, r"X: expected 2 dimensions \(rows are examples\), found shape \(\)"),
        (np.zeros((0, 2)), r"X: expected at least one row and one column, found shape \(0, 2\)"),
        ([["a", "b"]], "X: expected numbers, found dtype <U1"),
        (np.array([[None, 1]]), "X: expected numbers, found dtype object"),
        ([[1, 2], [3]], "X: expected a rectangular array of numbers"),
        ([[1j, 2]], "X: expected numbers, found dtype complex128"),
        ([[np.nan, 1.0]], "X: expected finite numbers, found nan in row 0, column 0"),
        ([[1.0, 2.0], [3.0, -np.inf]], "X: expected finite numbers, found -inf in row 1, column 1"),
        (np.ma.masked_array([[1.0, 2.0]], [[True, False]]), "X: expected an array without a mask"),
    ],
)
def test_other_inputs_are_refused(X: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        xor_model().predict(X)


def test_predict_is_forward_in_pieces_and_new_each_time() -> None:
    X = np.random.default_rng(0).standard_normal((5000, 2))
    model = xor_model()
    first = model.predict(X)
    np.testing.assert_allclose(first, model.forward(X), rtol=1e-14)
    assert not np.shares_memory(first, model.predict(X))


def test_forward_pre_activation_stops_before_the_output_activation() -> None:
    model = xor_model()
    z = model.forward_pre_activation([[1.0, 2.0]]).copy()
    np.testing.assert_allclose(model.forward([[1.0, 2.0]]), 1 / (1 + np.exp(-z)), rtol=1e-15)


def test_backward_goes_through_the_last_layer_or_starts_before_it() -> None:
    model = xor_model()
    p = model.forward(X_GOOD).copy()
    dy = np.ones_like(p)
    whole = model.backward(dy).copy()
    model.forward(X_GOOD)
    np.testing.assert_allclose(model.backward_pre_activation(dy * p * (1 - p)), whole, rtol=1e-12)
    assert (dy == 1).all()


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_replica_shares_parameters_and_owns_the_rest(hidden: type[ml.Activation]) -> None:
    model = small_model([2, 3, 1], hidden, ml.Sigmoid, 0)
    twin = model.replica()
    assert twin.parameters is model.parameters
    assert not np.shares_memory(twin.gradient, model.gradient)
    kept = model.forward(X_GOOD)
    before = kept.copy()
    twin.forward(X_GOOD * 0.5)
    np.testing.assert_array_equal(kept, before)
    model.parameters[:] = 0
    assert all((piece == 0).all() for layer in twin.layers for piece in layer.parameters.values())


def test_a_single_precision_replica_computes_so() -> None:
    model = xor_model()
    twin = model.replica(model.parameters.astype(np.float32))
    assert twin.forward(X_GOOD).dtype == np.float32
    np.testing.assert_allclose(twin.forward(X_GOOD), model.forward(X_GOOD), rtol=1e-5)
    with pytest.raises(ValueError, match=r"parameters: expected shape \(13,\), found \(12,\)"):
        model.replica(np.zeros(12))


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_copies_keep_their_views(duplicate: Any) -> None:
    model = xor_model()
    model.forward(X_GOOD)
    twin = duplicate(model)
    np.testing.assert_array_equal(twin.predict(X_GOOD), model.predict(X_GOOD))
    twin.parameters[:] = 0
    assert (twin.layers[0].theta == 0).all()
    assert (model.parameters != 0).any()


def test_a_pickle_holds_no_data() -> None:
    model = xor_model()
    small = len(pickle.dumps(model))
    model.forward(np.ones((10_000, 2)))
    model.backward(np.ones((10_000, 1)))
    assert len(pickle.dumps(model)) == small


def test_repr_and_summary() -> None:
    model = xor_model()
    assert repr(model) == "Sequential([Dense(2, 3), Sigmoid(), Dense(3, 1), Sigmoid()])"
    assert model.summary().splitlines() == [
        "layer        output  parameters",
        "Dense(2, 3)  (m, 3)           9",
        "Sigmoid()    (m, 3)           0",
        "Dense(3, 1)  (m, 1)           4",
        "Sigmoid()    (m, 1)           0",
        "total                        13",
    ]
