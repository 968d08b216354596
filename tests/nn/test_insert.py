"""Leading layers, and a model that takes in a layer of constants."""

from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.layers import SquaredScale
from tests.helpers.problems import HIDDEN

X = np.random.default_rng(0).standard_normal((6, 2))


def line(*first: ml.Layer) -> ml.Sequential:
    return ml.Sequential([*first, ml.Dense(2, 2), ml.Tanh(), ml.Dense(2, 1)], seed=0)


class Slope(ml.Layer):
    """y = slope * x, with one parameter for any number of columns."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"slope": ()}

    def forward(self, x: Array) -> Array:
        return np.asarray(x * self.parameters["slope"])

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(dy * self.parameters["slope"])

    def parameter_gradient(self, dy: Array) -> None:
        raise NotImplementedError


LEADING: dict[str, tuple[list[ml.Layer], int]] = {
    "none": ([ml.Dense(2, 1)], 0),
    "one": ([ml.Standardize([0, 0], [1, 1]), ml.Dense(2, 1)], 1),
    "two": ([ml.Standardize([0, 0], [1, 1]), ml.Tanh(), ml.Dense(2, 1), ml.Sigmoid()], 2),
    "one parameter": ([ml.Tanh(), SquaredScale(2), ml.Dense(2, 1)], 1),
    "no parameters": ([ml.Standardize([0], [1])], 0),
    "no parameters before the output": ([ml.Standardize([0], [1]), ml.Sigmoid()], 0),
    "no parameters, three layers": ([ml.Standardize([0], [1]), ml.Tanh(), ml.Sigmoid()], 0),
    "parameters without a width": ([ml.Standardize([0, 0], [1, 1]), Slope(), ml.Sigmoid()], 1),
}


@pytest.mark.parametrize("kind", LEADING)
def test_leading_layers_are_those_before_the_first_with_parameters(kind: str) -> None:
    """Without parameters none does: a loss overwrites the pre-activation, not the data."""
    layers, count = LEADING[kind]
    model = ml.Sequential([layer.unbound_copy() for layer in layers])
    assert model.leading_layers == model.layers[:count]
    behind = model.without_leading_layers()
    assert [repr(layer) for layer in behind] == [repr(layer) for layer in model.layers[count:]]
    assert behind.parameters is model.parameters
    assert (behind.n_inputs, behind.n_outputs) == (model.n_inputs, model.n_outputs)


class Once(ml.Activation):
    """The identity, without a gradient: it must not be asked for."""

    def function(self, x: Array, out: Array) -> None:
        np.copyto(out, x)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        raise AssertionError("a gradient of the data")


@pytest.mark.parametrize("leading", [0, 1, 2])
def test_no_gradient_is_computed_behind_the_last_that_is_needed(
    leading: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = line(*[Once() for _ in range(leading)])
    expected = line()
    first = model[leading]
    with monkeypatch.context() as patch:
        patch.setattr(first, "input_gradient", None)
        for network in (model, expected):
            network.forward(X)
        dy = np.ones((6, 1))
        np.testing.assert_array_equal(model.backward(dy), expected.backward(dy))
        np.testing.assert_array_equal(
            model.backward_pre_activation(dy), expected.backward_pre_activation(dy)
        )


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_leading_layers_compute_in_float64_within_a_float32_replica(size: float) -> None:
    model = line(ml.Standardize.of(size * X))
    single = model.replica(model.parameters.astype(np.float32))
    for data in (size * X, (size * X).tolist()):
        output = single.forward(data)
        assert output.dtype == np.float32
        np.testing.assert_allclose(output, model.forward(size * X), rtol=1e-5)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("kind", [*HIDDEN, ml.Standardize, ml.Rescale])
def test_insert_equals_a_model_that_is_made_with_the_layer(place: int, kind: Any) -> None:
    def new() -> ml.Layer:
        if kind in HIDDEN:
            made: ml.Layer = kind()
            return made
        columns = 1 if place == 3 else 2
        layer: ml.Layer = kind(np.arange(columns) - 0.3, np.arange(columns) + 1.5)
        return layer

    model = line()
    vector = model.parameters
    theta = model[0].parameters["theta"]
    replica = model.replica()
    before = replica.predict(X)
    layer = new()
    model.insert(place, layer)
    layers = list(line().layers)
    expected = ml.Sequential(
        [one.unbound_copy() for one in (*layers[:place], new(), *layers[place:])], seed=0
    )
    assert repr(model) == repr(expected)
    assert model[place] is layer
    assert model.parameters is vector
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    for network in (model, expected):
        network.forward(X)
    dy = np.ones((6, 1))
    np.testing.assert_array_equal(model.backward(dy), expected.backward(dy))
    np.testing.assert_array_equal(replica.predict(X), before)  # the network as it was
    assert np.shares_memory(theta, model.parameters)
    model.parameters[:] = 0
    assert (theta == 0).all()
    assert (replica.parameters == 0).all()


def test_backward_needs_a_forward_after_insert() -> None:
    model = line()
    model.forward(X)
    model.insert(0, ml.Standardize([0, 0], [1, 1]))
    with pytest.raises(RuntimeError, match="backward: expected a forward before it, found none"):
        model.backward(np.ones((6, 1)))


@pytest.mark.parametrize(
    ("index", "layer", "message"),
    [
        (0, ml.Dense(2, 2), r"layer: expected one without parameters, found Dense\(2, 2\): make a"),
        (0, ml.Standardize([1], [1]), r"layers\[1\]: Dense\(2, 2\) takes 2 columns, but layers\[0"),
        (3, ml.Rescale([1, 2], [1, 1]), r"layers\[3\]: Rescale\(2 columns\) takes 2 columns"),
        (4, ml.Tanh(), "index: expected 0 to 3, found 4"),
        (-1, ml.Tanh(), "index: expected at least 0, found -1"),
        (True, ml.Tanh(), "index: expected an integer, found True"),
        (0, ml.Tanh, r"layer: expected a Layer, found .*: write Tanh\(\.\.\.\)"),
        (0, "tanh", "layer: expected a Layer, found 'tanh'"),
        (0, line()[1], r"layer: Tanh\(\) is part of a model: make a new layer for each model"),
    ],
)
def test_what_cannot_be_inserted_leaves_the_model(index: Any, layer: Any, message: str) -> None:
    model = line()
    before = (model.layers, model.predict(X).tolist())
    was_bound = isinstance(layer, ml.Layer) and layer.is_bound
    with pytest.raises((TypeError, ValueError), match=message):
        model.insert(index, layer)
    assert (model.layers, model.predict(X).tolist()) == before
    assert (isinstance(layer, ml.Layer) and layer.is_bound) == was_bound


@pytest.mark.parametrize("place", range(4))
def test_remove_takes_an_insertion_back(place: int) -> None:
    model = line()
    layers, vector = model.layers, model.parameters
    before = model.predict(X)
    columns = 1 if place == 3 else 2
    model.insert(place, ml.Standardize(np.arange(columns) + 0.5, np.full(columns, 2)))
    assert (model.predict(X) != before).any()
    replica = model.replica()
    changed = model.predict(X)
    model.remove(place)
    assert model.layers == layers
    assert model.parameters is vector
    np.testing.assert_array_equal(model.predict(X), before)
    np.testing.assert_array_equal(replica.predict(X), changed)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (0, r"index: expected that of a layer without parameters, found Dense\(2, 2\)"),
        (2, r"layers\[2\]: Dense\(4, 1\) takes 4 columns, but layers\[0\] Dense\(2, 2\) gives 2"),
        (4, "index: expected 0 to 3, found 4"),
        (-1, "index: expected at least 0, found -1"),
        ("first", "index: expected an integer, found 'first'"),
    ],
)
def test_what_cannot_be_removed_leaves_the_model(index: Any, message: str) -> None:
    model = ml.Sequential([ml.Dense(2, 2), ml.Tanh(), Twice(), ml.Dense(4, 1)], seed=0)
    before = (model.layers, model.predict(X).tolist())
    with pytest.raises((TypeError, ValueError), match=message):
        model.remove(index)
    assert (model.layers, model.predict(X).tolist()) == before


class Twice(ml.Layer):
    """Two columns side by side with themselves."""

    inputs = 2
    units = 4

    def forward(self, x: Array) -> Array:
        return np.concatenate([x, x], axis=1)

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(dy[:, :2] + dy[:, 2:])
