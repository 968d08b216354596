"""The flat vector, its views, and the passes through the network."""

import copy
import pickle
import sys
from itertools import pairwise
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.nn.parameter_layout import layer_widths
from tests.helpers.problems import HIDDEN, small_model


def two_layers(seed: int = 0) -> ml.Sequential:
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
    model = two_layers()
    vector = model.parameters
    with pytest.raises(
        AttributeError, match=r"parameters cannot be rebound.*model\.parameters\[:\] = x"
    ):
        model.parameters = np.zeros(13)
    model.parameters += 1
    assert model.parameters is vector


def test_the_seed_fixes_the_start() -> None:
    np.testing.assert_array_equal(two_layers(3).parameters, two_layers(3).parameters)
    assert (two_layers(3).parameters != two_layers(4).parameters).any()
    generator = np.random.default_rng(3)
    model = ml.Sequential(
        [ml.Dense(2, 3), ml.Sigmoid(), ml.Dense(3, 1), ml.Sigmoid()], seed=generator
    )
    np.testing.assert_array_equal(model.parameters, two_layers(3).parameters)


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
def test_layers_that_cannot_follow_each_other_are_refused(layers: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.Sequential(layers)
    parts = layers if isinstance(layers, list) else [layers]
    assert not any(isinstance(layer, ml.Layer) and layer.is_bound for layer in parts)


@pytest.mark.parametrize("seed", ["a", -1, 1.5, ml.Sigmoid()])
def test_a_wrong_seed_is_refused(seed: Any) -> None:
    with pytest.raises(
        (ValueError, TypeError), match="seed: expected an integer from 0 up or a Generator, found"
    ):
        ml.Sequential([ml.Dense(2, 1)], seed=seed)


def test_backward_needs_a_forward_of_as_many_rows() -> None:
    model = two_layers()
    with pytest.raises(RuntimeError, match=r"^backward: expected a forward before it, found none$"):
        model.backward(np.ones((6, 1)))
    model.forward(X_GOOD)
    with pytest.raises(
        ValueError, match=r"dy: expected \(6, 1\) as of the last forward, found \(6, 2\)"
    ):
        model.backward(np.ones((6, 2)))


def test_the_work_grows_with_the_number_of_layers_not_with_its_square() -> None:
    """Work is counted as lines that run, never timed."""

    def lines_of(count: int) -> int:
        layers = tuple(ml.Dense(1, 1) for _ in range(count))
        lines = 0

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal lines
            lines += 1
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            layer_widths(layers)
        finally:
            sys.settrace(before)
        return lines

    assert lines_of(400) < 5 * lines_of(100)


def test_a_layer_that_is_used_twice_is_refused() -> None:
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
        two_layers().predict(X), two_layers().predict(X_GOOD.astype(float)), rtol=1e-12
    )


def test_booleans_and_memory_maps_are_inputs(tmp_path: Any) -> None:
    model = two_layers()
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
            r"X: expected 2 dimensions .*found 1 of length 2: "
            r"use X.reshape\(1, -1\) for one example",
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
        two_layers().predict(X)


def test_predict_returns_a_new_array_of_what_forward_returns() -> None:
    X = np.random.default_rng(0).standard_normal((5000, 2))
    model = two_layers()
    first = model.predict(X)
    np.testing.assert_allclose(first, model.forward(X), rtol=1e-14)
    assert not np.shares_memory(first, model.predict(X))


def test_forward_pre_activation_stops_before_the_output_activation() -> None:
    model = two_layers()
    z = model.forward_pre_activation([[1.0, 2.0]]).copy()
    np.testing.assert_allclose(model.forward([[1.0, 2.0]]), 1 / (1 + np.exp(-z)), rtol=1e-15)


def test_backward_pre_activation_starts_before_the_output_activation() -> None:
    model = two_layers()
    p = model.forward(X_GOOD).copy()
    dy = np.ones_like(p)
    whole = model.backward(dy).copy()
    model.forward(X_GOOD)
    np.testing.assert_allclose(model.backward_pre_activation(dy * p * (1 - p)), whole, rtol=1e-12)
    assert (dy == 1).all()


def test_backward_needs_a_forward_to_the_same_end() -> None:
    model = two_layers()
    z = model.forward_pre_activation([[1.0, 2.0]])
    expected = "expected a forward before it, found a forward_pre_act"
    with pytest.raises(RuntimeError, match=expected):
        model.backward(z.copy())
    model.backward_pre_activation(z.copy())


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
    parameters = [value for layer in twin for value in layer.parameters.values()]
    assert all((value == 0).all() for value in parameters)


def test_a_float32_replica_computes_in_single_precision() -> None:
    model = two_layers()
    twin = model.replica(model.parameters.astype(np.float32))
    assert twin.forward(X_GOOD).dtype == np.float32
    np.testing.assert_allclose(twin.forward(X_GOOD), model.forward(X_GOOD), rtol=1e-5)
    with pytest.raises(ValueError, match=r"parameters: expected shape \(13,\), found \(12,\)"):
        model.replica(np.zeros(12))


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_copies_keep_their_views(duplicate: Any) -> None:
    model = two_layers()
    model.forward(X_GOOD)
    twin = duplicate(model)
    np.testing.assert_array_equal(twin.predict(X_GOOD), model.predict(X_GOOD))
    twin.parameters[:] = 0
    assert (twin.layers[0].theta == 0).all()
    assert (model.parameters != 0).any()


def test_a_pickle_holds_no_data() -> None:
    model = two_layers()
    small = len(pickle.dumps(model))
    model.forward(np.ones((10_000, 2)))
    model.backward(np.ones((10_000, 1)))
    assert len(pickle.dumps(model)) == small


def test_repr_can_be_typed() -> None:
    model = two_layers()
    assert repr(model) == "Sequential([Dense(2, 3), Sigmoid(), Dense(3, 1), Sigmoid()])"
    assert repr(eval(repr(model), vars(ml))) == repr(model)


SUMMARY = [
    "layer        output  parameters",
    "Dense(2, 3)  (m, 3)           9",
    "Sigmoid()    (m, 3)           0",
    "Dense(3, 1)  (m, 1)           4",
    "Sigmoid()    (m, 1)           0",
    "total                        13",
]


def test_summary_is_a_table() -> None:
    assert two_layers().summary().splitlines() == SUMMARY


def test_a_repl_shows_the_summary_as_its_lines() -> None:
    summary = two_layers().summary()
    assert isinstance(summary, str)
    assert repr(summary) == str(summary) == "\n".join(SUMMARY)


def test_len_iteration_and_index_give_the_layers() -> None:
    model = two_layers()
    assert len(model) == 4
    assert list(model) == list(model.layers)
    assert [model[index] for index in range(4)] == list(model.layers)
    assert model[-1] is model.layers[3]
    assert isinstance(model[0], ml.Dense)
    with pytest.raises(IndexError):
        _ = model[4]


@pytest.mark.parametrize("X", [[[1.0, 2.0]], X_GOOD, X_GOOD.tolist()])
def test_a_call_is_predict(X: Any) -> None:
    model = two_layers()
    np.testing.assert_array_equal(model(X), model.predict(X))
    assert not np.shares_memory(model(X), model(X))


def test_a_call_refuses_what_predict_refuses() -> None:
    with pytest.raises(ValueError, match=r"X: expected 2 columns \(inputs of Dense\(2, 3\)\)"):
        two_layers()([[1, 2, 3]])


def test_a_model_may_end_in_dense() -> None:
    with_identity = ml.Sequential(
        [ml.Dense(2, 3), ml.Tanh(), ml.Dense(3, 2), ml.Identity()], seed=0
    )
    model = ml.Sequential([ml.Dense(2, 3), ml.Tanh(), ml.Dense(3, 2)], seed=0)
    assert model.output_activation is None
    assert model.inner_layers == model.layers
    assert with_identity.inner_layers == with_identity.layers[:-1]
    assert with_identity.output_activation is with_identity[-1]
    np.testing.assert_array_equal(model.predict(X_GOOD), with_identity.predict(X_GOOD))
    output = model.forward(X_GOOD).copy()
    np.testing.assert_array_equal(model.forward_pre_activation(X_GOOD), output)
    dy = np.random.default_rng(0).standard_normal(output.shape)
    whole = model.backward(dy).copy()
    np.testing.assert_array_equal(model.backward_pre_activation(dy), whole)
    with_identity.forward(X_GOOD)
    np.testing.assert_array_equal(with_identity.backward(dy), whole)
