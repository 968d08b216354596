"""The contract of layers of one's own: what is checked, what is stored, and what costs nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.errors import LayerError
from minilayer.utils.types import Array
from tests.helpers.layers import SquaredScale

BUILT_IN = (ml.Dense, ml.Identity, ml.Sigmoid, ml.Tanh, ml.ReLU, ml.Softmax)


@ml.register
class Power(ml.Activation):
    """f(x) = factor * sign(x) * abs(x)**2."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def function(self, x: Array, out: Array) -> None:
        np.multiply(self.factor * x, np.abs(x), out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.multiply(dy, 2 * self.factor * np.abs(x), out=out)


@ml.register
class Sized(SquaredScale):
    """With an argument that a file gives back as a list."""

    def __init__(self, inputs: int, sizes: tuple[int, ...]) -> None:
        super().__init__(inputs)
        self.sizes = sizes

    def config(self) -> dict[str, Any]:
        return {"inputs": self.inputs, "sizes": self.sizes}


def is_checked(method: Any) -> bool:
    return str(method.__code__.co_filename).endswith("layer_contract.py")


def model_with(layer: ml.Layer) -> ml.Sequential:
    return ml.Sequential([ml.Dense(2, 3), layer, ml.Dense(3, 1)], seed=0)


@pytest.mark.parametrize("kind", BUILT_IN)
def test_layers_of_minilayer_are_not_wrapped(kind: type[ml.Layer]) -> None:
    for name in ("forward", "input_gradient", "parameter_gradient", "jvp", "second_order_term"):
        assert not is_checked(getattr(kind, name))


def test_methods_of_other_layers_are_wrapped_and_keep_their_names() -> None:
    assert is_checked(SquaredScale.forward)
    assert SquaredScale.forward.__name__ == "forward"

    class Plain(SquaredScale):
        """Without Hessian products."""

        jvp = ml.Layer.jvp

    assert Plain.jvp is ml.Layer.jvp
    with pytest.raises(ml.CurvatureError, match="but Plain does not define it"):
        Plain(2).require_hessian_support(gauss_newton=True)


@pytest.mark.parametrize("factor", [np.float64(0.5), np.float32(0.5), np.int64(2), np.True_])
def test_scalars_of_numpy_are_stored_as_numbers(factor: Any, tmp_path: Path) -> None:
    model = model_with(Power(factor))
    ml.save(model, tmp_path / "model.h5")
    again = ml.load(tmp_path / "model.h5")
    layer = again[1]
    assert isinstance(layer, Power)
    assert layer.factor == factor
    assert not isinstance(layer.factor, np.generic)
    X = [[1.0, 2.0], [-1.0, 0.5]]
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    first, second = (ml.Objective(one, X, [0.0, 1.0], ml.SquaredError()) for one in (model, again))
    assert first.fingerprint() == second.fingerprint()


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), -0.0])
def test_unusual_numbers_are_equal_to_themselves(factor: float, tmp_path: Path) -> None:
    model = model_with(Power(factor))
    ml.save(model, tmp_path / "model.h5")
    assert repr(ml.load(tmp_path / "model.h5")[1]) == repr(Power(factor))


def test_a_tuple_comes_back_as_a_list(tmp_path: Path) -> None:
    ml.save(ml.Sequential([Sized(2, (3, 4))]), tmp_path / "model.h5")
    layer = ml.load(tmp_path / "model.h5")[0]
    assert isinstance(layer, Sized)
    assert list(layer.sizes) == [3, 4]


class Careless(SquaredScale):
    """Raises an error of its own."""

    def forward(self, x: Array) -> Array:
        raise ValueError("the moon is full")


def test_other_errors_of_a_layer_stay_as_they_are() -> None:
    with pytest.raises(ValueError, match=r"^the moon is full$"):
        ml.Sequential([Careless(2)]).predict([[1.0, 2.0]])


class WrongProducts(SquaredScale):
    """Its products have other shapes."""

    def jvp(self, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
        return super().jvp(dx, dparameters)[:, :1]


class WrongTerm(SquaredScale):
    """Its second order term has another shape."""

    def second_order_term(self, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
        return np.ones(3)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            WrongProducts,
            r"WrongProducts\(inputs=3\): expected jvp to return a change of the output of shape "
            r"\(5, 3\), found shape \(5, 1\)",
        ),
        (
            WrongTerm,
            r"WrongTerm\(inputs=3\): expected second_order_term to return a change of the input "
            r"gradient of shape \(5, 3\), found shape \(3,\)",
        ),
    ],
)
def test_wrong_shapes_in_hessian_products_are_named(kind: type[SquaredScale], message: str) -> None:
    X = np.random.default_rng(0).standard_normal((5, 2))
    model = ml.Sequential([ml.Dense(2, 3), kind(3), ml.Dense(3, 1)], seed=0)
    objective = ml.Objective(model, X, X[:, 0], ml.SquaredError(), shards=1)
    with pytest.raises(LayerError, match=message):
        objective.hessp(objective.x0, np.ones(objective.x0.size))


class Lying(SquaredScale):
    """Its config gives another size after it has been trained."""

    is_lying = False

    def config(self) -> dict[str, int]:
        return {"inputs": 3 if self.is_lying else 2}


def test_a_layer_whose_config_lies_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ml.register(Lying)
    model = ml.Sequential([Lying(2)])
    ml.save(model, tmp_path / "model.h5")
    before = (tmp_path / "model.h5").read_bytes()
    monkeypatch.setattr(Lying, "is_lying", True)
    message = (
        r"layers\[0\] Lying\(inputs=3\): expected Lying\(\*\*config\(\)\) to make an equal layer, "
        r"found inputs = 3 instead of 2: load would give another"
    )
    with pytest.raises(ml.CheckpointError, match=message):
        ml.save(model, tmp_path / "model.h5")
    assert (tmp_path / "model.h5").read_bytes() == before
