"""Configured: constructor arguments as attributes, copies, and the registry."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.nn import configured
from minilayer.nn.configured import identifying_text, identity, undescribed_arguments
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


def test_a_layer_names_the_first_argument_that_its_configuration_lacks() -> None:
    class Scaled(ml.Activation):
        def __init__(self, factor: float, offset: float) -> None:
            self._both = (factor, offset)

        def function(self, x: Array, out: Array) -> None:
            raise NotImplementedError

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            raise NotImplementedError

    assert undescribed_arguments(Scaled(2.0, 1.0)) == ["factor", "offset"]
    expected = (
        r"layers\[1\]: expected Scaled\.config\(\) to give every .*, found none for 'factor':"
    )
    with pytest.raises(TypeError, match=expected):
        ml.Sequential([ml.Dense(2, 2), Scaled(2.0, 1.0)])


# register


@pytest.mark.parametrize("kind", [int, configured.Configured])
def test_a_class_that_is_no_layer_loss_or_initializer_is_refused(kind: Any) -> None:
    expected = "register: expected a subclass of Layer, Loss or Initializer, found"
    with pytest.raises(TypeError, match=expected):
        ml.register(kind)


def test_a_name_that_is_taken_is_refused() -> None:
    class Dense(ml.Activation):
        """Another Dense."""

        def function(self, x: Array, out: Array) -> None:
            raise NotImplementedError

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            raise NotImplementedError

    expected = r"register: the name Dense is taken by minilayer\.nn\.dense\.Dense"
    with pytest.raises(ValueError, match=expected):
        ml.register(Dense)


def test_an_initializer_can_be_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configured, "_REGISTRY", dict(configured._REGISTRY))

    @ml.register
    class Ones(ml.Initializer):
        """All ones."""

        def sample(
            self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
        ) -> Array:
            return np.ones(shape)

    assert configured.registered("Ones") is Ones
    assert configured.registered("Twos") is None


# identity


@dataclass(repr=False)
class Described(configured.Configured):
    """Any argument."""

    value: Any


class Silent(Described):
    """Its repr tells nothing."""

    def __repr__(self) -> str:
        return "Silent()"


LONG = np.arange(5000.0)
OTHERS: dict[str, tuple[Any, Any]] = {
    "a number": (1.0, np.nextafter(1, 2)),
    "a number and a string": (1, "1"),
    "an array": (LONG, np.where(LONG == 2500, 0, LONG)),
    "a shape": (LONG, LONG.reshape(50, 100)),
    "a dtype": (LONG, LONG.astype(int)),
    "a zero": (np.zeros(1), -np.zeros(1)),
    "an argument's array": (Described(LONG), Described(-LONG)),
    "a class": (Described(1), Silent(1)),
    "a list of arrays": ([LONG], [-LONG]),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("make", [Described, Silent])
def test_identity_tells_arguments_from_others(make: type[Described], kind: str) -> None:
    one, other = OTHERS[kind]
    for tell in (identity, identifying_text):
        assert tell(make(one)) == tell(make(copy.deepcopy(one)))
        assert tell(make(one)) != tell(make(other))
    assert repr(identity(make(one))) != repr(identity(make(other)))


def test_a_repr_shows_the_shape_of_an_array() -> None:
    assert repr(Described(LONG)) == "Described(value=an array of shape (5000,))"
