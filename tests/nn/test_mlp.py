"""mlp: Dense layers and activations in one call."""

from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array


def test_it_is_the_sequential_that_one_would_write() -> None:
    found = ml.mlp(4, 3, 5, 2, hidden=ml.Sigmoid, output=ml.Softmax, seed=3)
    layers = [
        ml.Dense(4, 3),
        ml.Sigmoid(),
        ml.Dense(3, 5),
        ml.Sigmoid(),
        ml.Dense(5, 2),
        ml.Softmax(),
    ]
    expected = ml.Sequential(layers, seed=3)
    assert repr(found) == repr(expected)
    np.testing.assert_array_equal(found.parameters, expected.parameters)


def test_by_default_it_is_a_regression_with_tanh() -> None:
    model = ml.mlp(4, 3, 2, seed=0)
    assert repr(model) == "Sequential([Dense(4, 3), Tanh(), Dense(3, 2)])"
    assert model.output_activation is None


@pytest.mark.parametrize("output", [None, ml.Sigmoid])
def test_two_widths_make_one_dense_layer(output: type[ml.Activation] | None) -> None:
    model = ml.mlp(4, 2, output=output)
    assert [type(layer) for layer in model] == [ml.Dense, *([output] if output else [])]


class Leaky(ml.Activation):
    """max(x, slope x): an activation with an argument."""

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def config(self) -> dict[str, float]:
        return {"slope": self.slope}

    def function(self, x: Array, out: Array) -> None:
        np.maximum(x, self.slope * x, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.multiply(dy, np.where(x > 0, 1, self.slope), out=out)


def test_an_instance_stands_for_new_layers_with_its_arguments() -> None:
    leaky = Leaky(0.2)
    model = ml.mlp(4, 3, 3, 2, hidden=leaky, output=ml.Identity())
    own = [layer for layer in model if isinstance(layer, Leaky)]
    assert [layer.slope for layer in own] == [0.2, 0.2]
    assert own[0] is not own[1]
    assert not leaky.is_bound
    ml.mlp(4, 3, 1, hidden=leaky, output=leaky)  # the instance can be used again


def test_the_initializer_is_that_of_every_dense_layer() -> None:
    start = ml.UniformEpsilon(0.125)
    model = ml.mlp(400, 25, 10, initializer=start, seed=5)
    assert [layer.initializer for layer in model if isinstance(layer, ml.Dense)] == [start] * 2
    expected = (np.random.default_rng(5).random(10285) - 0.5) * 0.25
    np.testing.assert_array_equal(model.parameters, expected)


def test_the_seed_may_be_a_generator() -> None:
    rng = np.random.default_rng(5)
    first = ml.mlp(3, 2, seed=rng)
    second = ml.mlp(3, 2, seed=rng)
    np.testing.assert_array_equal(first.parameters, ml.mlp(3, 2, seed=5).parameters)
    assert (second.parameters != first.parameters).any()


@pytest.mark.parametrize(
    ("widths", "options", "error", "message"),
    [
        ((), {}, ValueError, r"^widths: expected at least two, such as mlp\(4, 1\), found \[\]$"),
        ((4,), {}, ValueError, r"^widths: expected at least two, .* found \[4\]$"),
        ((4, 0, 1), {}, ValueError, "^units of Dense: expected at least 1, found 0$"),
        ((0, 3, 1), {}, ValueError, "^inputs of Dense: expected at least 1, found 0$"),
        ((4, 2.5), {}, TypeError, "^units of Dense: expected an integer, found 2.5$"),
        (([4, 3], 1), {}, TypeError, r"^inputs of Dense: expected an integer, found \[4, 3\]$"),
        (
            (4, 3, 1),
            {"hidden": "tanh"},
            TypeError,
            r"^hidden: expected an activation such as Sigmoid or Sigmoid\(\), found 'tanh'$",
        ),
        (
            (4, 3, 1),
            {"hidden": None},
            TypeError,
            "^hidden: expected an activation such as .* found None$",
        ),
        (
            (4, 3, 1),
            {"hidden": ml.Dense},
            TypeError,
            "^hidden: expected an activation such as .* found <class .*Dense'>$",
        ),
        (
            (4, 3, 1),
            {"output": ml.Dense(1, 1)},
            TypeError,
            r"^output: expected an activation such as .* found Dense\(1, 1\)$",
        ),
        (
            (4, 1),
            {"initializer": ml.Glorot},
            TypeError,
            "^initializer of Dense: expected an Initializer such as Glorot",
        ),
        ((4, 1), {"seed": "a"}, TypeError, "^seed: expected an integer from 0 up or a Generator"),
    ],
)
def test_wrong_arguments_are_refused(
    widths: tuple[Any, ...], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ml.mlp(*widths, **options)
