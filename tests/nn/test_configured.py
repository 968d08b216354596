"""Configured: constructor arguments as attributes, copies, and the registry."""

import pytest

import minilayer as ml
from minilayer.nn.configured import undescribed_arguments
from minilayer.nn.initializers import without_initializers
from minilayer.utils.types import Array


class Power(ml.Activation):
    """x**exponent, its argument an attribute of the same name: no ``config`` is needed."""

    def __init__(self, exponent: int = 2) -> None:
        self.exponent = exponent

    def function(self, x: Array, out: Array) -> None:
        out[...] = x**self.exponent

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        out[...] = dy * self.exponent * x ** (self.exponent - 1)


def test_attributes_are_the_configuration() -> None:
    assert Power(3).config() == {"exponent": 3}
    assert repr(Power(3)) == "Power(exponent=3)"
    assert Power(3).unbound_copy().exponent == 3
    assert undescribed_arguments(Power(3)) == []


@pytest.mark.parametrize(
    "layer",
    [
        ml.Dense(3, 2),
        ml.Dense(3, 2, ml.UniformEpsilon(0.5)),
        ml.Dense(3, 2, ml.Zeros(), bias=False),
        ml.Sigmoid(),
        Power(3),
    ],
    ids=repr,
)
def test_a_copy_has_the_same_configuration(layer: ml.Layer) -> None:
    copy = layer.unbound_copy()
    assert type(copy) is type(layer)
    assert [(name, repr(value)) for name, value in copy.config().items()] == [
        (name, repr(value)) for name, value in layer.config().items()
    ]


def test_an_initializer_does_not_decide_what_a_layer_computes() -> None:
    configs = [ml.Dense(3, 2, start).config() for start in (ml.Glorot(), ml.UniformEpsilon(0.5))]
    assert without_initializers(configs[0]) == without_initializers(configs[1])
    assert without_initializers(configs[0]) == {"inputs": 3, "units": 2, "bias": True}


def test_backward_belongs_to_forward() -> None:
    model = ml.mlp(2, 3, 1, output=ml.Sigmoid, seed=0)
    z = model.forward_pre_activation([[1.0, 2.0]])
    with pytest.raises(RuntimeError, match="expected a forward before it, found a forward_pre_act"):
        model.backward(z.copy())
    model.backward_pre_activation(z.copy())
