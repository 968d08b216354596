"""One battery for all layers: every row of the table goes through every test."""

from collections.abc import Callable

import numpy as np
import pytest

import minilayer as ml
from minilayer.testing import check_layer
from minilayer.utils.types import Array

LAYERS: dict[str, Callable[[], ml.Layer]] = {
    "dense": lambda: ml.Dense(4, 3),
    "standardize": lambda: ml.Standardize([1, -2, 3], [2, 0.1, 1]),
    "rescale": lambda: ml.Rescale([1, -2, 3], [2, 0.1, 1]),
    "dense one by one": lambda: ml.Dense(1, 1),
    "dense wide": lambda: ml.Dense(2, 70),
    "dense without bias": lambda: ml.Dense(4, 3, bias=False),
    "dense one by one without bias": lambda: ml.Dense(1, 1, bias=False),
    "dense wide without bias": lambda: ml.Dense(2, 70, bias=False),
    "identity": ml.Identity,
    "sigmoid": ml.Sigmoid,
    "tanh": ml.Tanh,
    "relu": ml.ReLU,
    "softmax": ml.Softmax,
    "leaky relu": ml.LeakyReLU,
    "leaky relu, slope": lambda: ml.LeakyReLU(0.3),
    "elu": ml.ELU,
    "elu, alpha": lambda: ml.ELU(0.4),
    "softplus": ml.Softplus,
    "silu": ml.SiLU,
    "gelu": ml.GELU,
    "sin": ml.Sin,
    "exp": ml.Exp,
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_layers_pass_check_layer_with_second_derivatives(make: Callable[[], ml.Layer]) -> None:
    report = check_layer(make(), tolerance=1e-8)
    checked = {what.split("), ")[1] for what in report.errors}
    assert checked >= {
        "gradient by the input",
        "jvp",
        "second_order_term, change of the gradient by the input",
    }


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest) -> ml.Layer:
    """Return the layer as the first of a model."""
    made = LAYERS[request.param]()
    ml.Sequential([made] if made.inputs else [made, ml.Dense(4, 1)], seed=3)
    return made


def rows(layer: ml.Layer, count: int = 6) -> Array:
    return np.random.default_rng(1).standard_normal((count, layer.inputs or 4))


def test_work_space_is_used_again(layer: ml.Layer) -> None:
    first = layer.forward(rows(layer, 9))
    assert np.shares_memory(first, layer.forward(rows(layer, 5)))


def test_an_unbound_copy_has_no_parameters(layer: ml.Layer) -> None:
    layer.forward(rows(layer))
    twin = layer.unbound_copy()
    assert not twin.is_bound
    assert repr(twin) == repr(layer)
    with pytest.raises(RuntimeError, match="has no parameters before a Sequential is made of it"):
        _ = twin.parameters


@pytest.mark.parametrize("views", ["parameters", "gradients"])
def test_views_cannot_be_rebound(views: str) -> None:
    """A rebound view would no longer reach the model's vector, and the layer would never train."""
    layer = ml.mlp(2, 1, seed=0)[0]
    with pytest.raises(TypeError, match=r"^'theta' cannot be rebound, it is a view of the model's"):
        getattr(layer, views)["theta"] = np.zeros((1, 3))
