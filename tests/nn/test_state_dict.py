"""state_dict and load_state_dict: PyTorch's names and layout, all or nothing."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.layers import SquaredScale

TOLERANCE = 1e-12
X = np.random.default_rng(0).standard_normal((20, 4))


def model(seed: int = 0) -> ml.Sequential:
    layers = [ml.Dense(4, 5), ml.Tanh(), ml.Dense(5, 3, bias=False), ml.Sigmoid(), ml.Dense(3, 2)]
    return ml.Sequential([*layers, ml.Softmax()], seed=seed)


def test_names_and_layout_are_those_of_torch() -> None:
    """Names are the index of the layer and the name there; a weight is (units, inputs)."""
    own = model()
    state = own.state_dict()
    assert {key: value.shape for key, value in state.items()} == {
        "0.weight": (5, 4),
        "0.bias": (5,),
        "2.weight": (3, 5),
        "4.weight": (2, 3),
        "4.bias": (2,),
    }
    theta = own[0].parameters["theta"]
    np.testing.assert_array_equal(state["0.weight"], theta[:, 1:])
    np.testing.assert_array_equal(state["0.bias"], theta[:, 0])
    np.testing.assert_array_equal(state["2.weight"], own[2].parameters["theta"])


def test_the_arrays_are_copies() -> None:
    own = model()
    state = own.state_dict()
    before = state["0.weight"].copy()
    own.parameters[:] = 0
    np.testing.assert_array_equal(state["0.weight"], before)
    state["0.weight"][:] = 1
    assert not own.parameters.any()
    assert all(value.dtype == np.float64 and value.flags.c_contiguous for value in state.values())


@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    biases=st.lists(st.booleans(), min_size=3, max_size=3),
    has_constants=st.booleans(),
)
def test_any_network_takes_what_an_equal_one_gives(
    widths: list[int], biases: list[bool], has_constants: bool
) -> None:
    def network(seed: int) -> ml.Sequential:
        layers: list[ml.Layer] = []
        for inputs, units, bias in zip(widths[:-1], widths[1:], biases, strict=False):
            layers += [ml.Dense(inputs, units, bias=bias), SquaredScale(units), ml.Tanh()]
        if has_constants:
            layers.insert(0, ml.Standardize(np.full(widths[0], seed), np.full(widths[0], 1 + seed)))
            layers.append(ml.Rescale(np.full(widths[-1], seed), np.full(widths[-1], 1 + seed)))
        own = ml.Sequential(layers)
        own.parameters[:] = np.random.default_rng(seed).standard_normal(own.parameters.size)
        return own

    source = network(1)
    target = network(2)
    vector = target.parameters
    rows = np.ones((3, widths[0]))
    target.forward(rows)
    target.load_state_dict(source.state_dict())
    assert target.parameters is vector
    np.testing.assert_array_equal(target.parameters, source.parameters)
    np.testing.assert_array_equal(target.predict(rows), source.predict(rows))


def torch_network() -> Any:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    layers = [nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3, bias=False), nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Linear(3, 2), nn.Softmax(dim=1)).double()


def test_torch_takes_it() -> None:
    torch = pytest.importorskip("torch")
    net = torch_network()
    own = model()
    net.load_state_dict({key: torch.from_numpy(value) for key, value in own.state_dict().items()})
    found = net(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(found, own.predict(X), rtol=0, atol=TOLERANCE)


def test_torch_gives_it() -> None:
    torch = pytest.importorskip("torch")
    net = torch_network()
    own = model()
    own.load_state_dict(net.state_dict())
    expected = net(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(own.predict(X), expected, rtol=0, atol=TOLERANCE)
    own.load_state_dict(net.float().state_dict())  # float32 comes in as float64
    assert own.parameters.dtype == np.float64


def test_constants_are_torch_buffers() -> None:
    torch: Any = pytest.importorskip("torch")

    class Standardize(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.zeros(4, dtype=torch.float64))
            self.register_buffer("scale", torch.ones(4, dtype=torch.float64))

        def forward(self, x: Any) -> Any:
            return (x - self.mean) / self.scale

    own = ml.Sequential([ml.Standardize.of(X), ml.Dense(4, 2)], seed=0)
    net = torch.nn.Sequential(Standardize(), torch.nn.Linear(4, 2)).double()
    net.load_state_dict({key: torch.from_numpy(value) for key, value in own.state_dict().items()})
    found = net(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(found, own.predict(X), rtol=0, atol=TOLERANCE)
    again = ml.Sequential([ml.Standardize(np.zeros(4), np.ones(4)), ml.Dense(4, 2)], seed=1)
    again.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(again.predict(X), own.predict(X))


def test_a_tensor_that_requires_grad_is_refused_with_a_hint() -> None:
    net = torch_network()
    with pytest.raises(TypeError, match=re.escape(
        "state['0.weight']: expected an array, found a tensor that requires grad: "
        "use module.state_dict(), or tensor.detach()"
    )):  # fmt: skip
        model().load_state_dict(dict(net.named_parameters()))


def test_constants_that_stay_keep_their_layer() -> None:
    own = ml.Sequential([ml.Standardize.of(X), ml.Dense(4, 2)], seed=0)
    layer = own[0]
    own.load_state_dict(own.state_dict())
    assert own[0] is layer
    own.load_state_dict({**own.state_dict(), "0.mean": np.ones(4)})
    assert own[0] is not layer
    np.testing.assert_array_equal(own[0].config()["mean"], np.ones(4))


class Shifted(ml.Layer):
    """y = x * factor + shift, a parameter and a constant."""

    def __init__(self, shift: Array) -> None:
        self.shift = shift
        self.inputs = len(shift)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"factor": (len(self.shift),)}

    def forward(self, x: Array) -> Array:
        return np.asarray(x * self.parameters["factor"] + self.shift)

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(dy * self.parameters["factor"])

    def parameter_gradient(self, dy: Array) -> None:
        self.gradients["factor"][:] = 0


def test_a_layer_with_parameters_and_constants() -> None:
    own = ml.Sequential([Shifted(np.zeros(2)), ml.Dense(2, 1)], seed=0)
    state = own.state_dict()
    assert list(state) == ["0.factor", "0.shift", "1.weight", "1.bias"]
    own.load_state_dict({**state, "0.factor": [2, 3], "0.shift": [1.0, 2.0]})
    np.testing.assert_array_equal(own[0].forward(np.ones((1, 2))), [[3.0, 5.0]])
    own.parameters[:2] = 1
    np.testing.assert_array_equal(own[0].forward(np.ones((1, 2))), [[2.0, 3.0]])
    assert own.gradient.base is None
    assert np.shares_memory(own[0].gradients["factor"], own.gradient)


class Clash(Shifted):
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"shift": (2,)}


def test_a_parameter_and_a_constant_of_one_name_are_refused() -> None:
    own = ml.Sequential([Clash(np.zeros(2))], seed=0)
    with pytest.raises(ml.LayerError, match="different names, found 'shift' twice"):
        own.state_dict()


def changed(**changes: Any) -> dict[str, Any]:
    named = {f"{key[1]}.{key[3:]}": value for key, value in changes.items()}
    return {**model(1).state_dict(), **named}


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in model(1).state_dict().items() if key not in keys}


KEYS = "'0.weight', '0.bias', '2.weight', '4.weight', '4.bias'"
MISTAKES: dict[str, tuple[Any, type[Exception], str]] = {
    "a list": (
        [1.0],
        TypeError,
        "state: expected arrays by name, such as model.state_dict(), found [1.0]",
    ),
    "a key is missing": (
        without("2.weight"),
        ValueError,
        f"state: expected {KEYS}, found '0.weight', '0.bias', '4.weight', '4.bias': "
        "missing: '2.weight'",
    ),
    "a key too many": (
        changed(_2_bias=np.zeros(3)),
        ValueError,
        f"state: expected {KEYS}, found {KEYS}, '2.bias': not in the model: '2.bias'",
    ),
    "the keys of a module that holds the layers": (
        {f"net.{key}": value for key, value in model(1).state_dict().items()},
        ValueError,
        "'net.4.bias': use {key.removeprefix('net.'): value for key, value in state.items()}",
    ),
    "nothing": ({}, ValueError, f"state: expected {KEYS}, found none: missing: {KEYS}"),
    "Keras' kernel": (
        changed(_0_weight=np.zeros((4, 5))),
        ValueError,
        "state['0.weight']: expected shape (5, 4), found (4, 5): "
        "use .T, as Keras' kernels are (inputs, units): state['0.weight'].T",
    ),
    "another shape": (
        changed(_4_bias=np.zeros(3)),
        ValueError,
        "state['4.bias']: expected shape (2,), found (3,)",
    ),
    "strings": (
        changed(_4_bias=["a", "b"]),
        TypeError,
        "state['4.bias']: expected numbers, found dtype <U1",
    ),
    "an object": (
        changed(_4_bias=object()),
        TypeError,
        "state['4.bias']: expected numbers, found",
    ),
    "NaN": (
        changed(_4_bias=[0.0, np.nan]),
        ValueError,
        "state['4.bias']: expected finite numbers, found nan in row 1, column 0",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_change_nothing(mistake: str) -> None:
    state, kind, message = MISTAKES[mistake]
    own = model()
    before = own.parameters.copy()
    with pytest.raises(kind, match=re.escape(message)):
        own.load_state_dict(state)
    np.testing.assert_array_equal(own.parameters, before)


def test_constants_that_the_layer_refuses_change_nothing() -> None:
    own = ml.Sequential([ml.Standardize.of(X), ml.Dense(4, 2)], seed=0)
    before = own.parameters.copy()
    state = {**own.state_dict(), "0.scale": np.zeros(4), "1.bias": np.ones(2)}
    message = "state: expected constants for layers[0]: scale of Standardize: expected numbers > 0"
    with pytest.raises(ValueError, match=re.escape(message)):
        own.load_state_dict(state)
    np.testing.assert_array_equal(own.parameters, before)
