"""The battery itself: it passes layers that are right, and names what is wrong with the others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.errors import LayerError
from minilayer.testing import check_layer, layer_check
from minilayer.utils.types import Array
from tests.objective.test_hessian_product import difference


@ml.register
class Scale(ml.Layer):
    """y = x * scale**2, one parameter a column: bent in its parameter, with all that a layer can define."""

    def __init__(self, inputs: int) -> None:
        self.inputs = self.units = inputs

    def config(self) -> dict[str, Any]:
        return {"inputs": self.inputs}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"scale": (self.inputs or 0,)}

    @property
    def scale(self) -> Array:
        return self.parameters["scale"]

    def initialize(self, rng: np.random.Generator) -> None:
        self.scale[:] = 1

    def l2_mask(self, name: str) -> Array | bool:
        return True

    def forward(self, x: Array) -> Array:
        self._x = x
        return np.asarray(x * self.scale**2)

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(dy * self.scale**2)

    def parameter_gradient(self, dy: Array) -> None:
        self.gradients["scale"][:] = 2 * self.scale * np.sum(dy * self._x, axis=0)

    def jvp(self, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
        self._dx = np.zeros_like(self._x) if dx is None else dx
        return np.asarray(
            self._dx * self.scale**2 + 2 * self._x * self.scale * dparameters["scale"]
        )

    def second_order_term(self, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
        r = dparameters["scale"]
        self.gradients["scale"][:] += np.sum(
            dy * (2 * r * self._x + 2 * self.scale * self._dx), axis=0
        )
        return np.asarray(dy * 2 * self.scale * r)


def test_a_layer_that_is_right_passes_with_all_it_defines() -> None:
    report = check_layer(Scale(3))
    assert [what.split("), ")[1] for what in report.errors] == [
        "gradient by the input",
        "gradient by scale",
        "jvp without a change of x",
        "jvp",
        "second_order_term, change of the gradient by the input",
        "second_order_term, change of the gradient by scale",
    ]
    assert report.worst < 1e-8


def test_its_curvature_goes_into_products_with_the_hessian() -> None:
    """The layer in front, between and behind, against differences of the gradient."""
    rng = np.random.default_rng(0)
    layers = [
        Scale(3),
        ml.Dense(3, 4),
        Scale(4),
        ml.Tanh(),
        ml.Dense(4, 2),
        Scale(2),
        ml.Identity(),
    ]
    model = ml.Sequential(layers, seed=0)
    objective = ml.Objective(
        model, rng.standard_normal((9, 3)), rng.random((9, 2)), ml.SquaredError(), l2=0.3
    )
    x, v = objective.x0, rng.standard_normal(objective.x0.size)
    np.testing.assert_allclose(objective.hessp(x, v), difference(objective, x, v), atol=1e-6)


def test_a_layer_without_curvature_passes_without() -> None:
    class Plain(Scale):
        jvp = ml.Layer.jvp
        second_order_term = ml.Layer.second_order_term

    assert len(check_layer(Plain(3), checkpoint=False).errors) == 2


def test_the_layer_is_left_alone() -> None:
    layer = Scale(3)
    check_layer(layer)
    assert not layer.is_bound
    assert vars(layer) == {"inputs": 3, "units": 3}


def broken(**methods: Any) -> ml.Layer:
    kind: type[Scale] = type("Scale", (Scale,), methods)
    return kind(3)


def forward_writes(self: Any, x: Array) -> Array:
    x *= 2
    return Scale.forward(self, x)


def forward_mixes_rows(self: Any, x: Array) -> Array:
    return Scale.forward(self, x - x.mean(axis=0))


def forward_doubles(self: Any, x: Array) -> Array:
    return Scale.forward(self, x).astype(np.float64)


def gradient_adds(self: Any, dy: Array) -> None:
    self.gradients["scale"][:] += 2 * self.scale * np.sum(dy * self._x, axis=0)


def gradient_writes(self: Any, dy: Array) -> None:
    dy *= 2


def wrong_jvp(self: Any, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
    Scale.jvp(self, dx, dparameters)
    return np.zeros_like(self._x)


def wrong_second_order_term(self: Any, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
    return None


def forward_keeps(self: Any, x: Array) -> Array:
    self._y = Scale.forward(self, x)
    return np.asarray(self._y)


def gradient_reuses(self: Any, dy: Array) -> Array:
    np.multiply(dy, self.scale**2, out=self._y)
    return np.asarray(self._y)


def jvp_writes(self: Any, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
    if dx is not None:
        dx *= 2
    return Scale.jvp(self, dx, dparameters)


def late_write(self: Any, dy: Array) -> Array:
    self._x *= 2
    return Scale.input_gradient(self, dy)


SHARED: dict[str, Array] = {}


def forward_shares(self: Any, x: Array) -> Array:
    SHARED["x"] = x
    self._x = x
    return np.asarray(x * self.scale**2)


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "writes to x": (
        {"forward": forward_writes},
        "expected forward to leave its argument alone, found that it writes",
    ),
    "double gradient": (
        {"input_gradient": lambda self, dy: (dy * self.scale**2).astype(np.float64)},
        "expected single precision to stay single, found float64",
    ),
    "writes to dx": (
        {"jvp": jvp_writes},
        "expected jvp to leave its argument alone, found that it writes",
    ),
    "writes to x late": (
        {"input_gradient": late_write},
        "expected input_gradient to leave its argument alone",
    ),
    "writes to dy": (
        {"parameter_gradient": gradient_writes},
        "expected parameter_gradient to leave its argument",
    ),
    "mixes rows": (
        {"forward": forward_mixes_rows},
        "expected each row's output to depend on that row alone, found",
    ),
    "adds": (
        {"parameter_gradient": gradient_adds},
        "expected parameter_gradient to overwrite the gradient of scale",
    ),
    "double": (
        {"forward": forward_doubles},
        "expected single precision to stay single, found float64",
    ),
    "wrong shape": (
        {"forward": lambda self, x: x[:, :2]},
        r"expected an output of shape \(6, 3\), found shape",
    ),
    "integers": (
        {"forward": lambda self, x: x.astype(int)},
        "expected an output of float64, found int64",
    ),
    "not finite": (
        {"forward": lambda self, x: x * np.nan},
        "expected finite numbers for a standard normal input",
    ),
    "overwrites": (
        {"forward": forward_keeps, "input_gradient": gradient_reuses},
        "expected the output to stay until the next forward, found numbers that are off by",
    ),
    "wrong gradient shape": (
        {"input_gradient": lambda self, dy: dy[:2]},
        r"expected an input gradient of shape \(6, 3\), found shape \(2, 3\)",
    ),
    "wrong config": (
        {"config": lambda self: {"inputs": 4}},
        r"expected config\(\) to hold the arguments .*, found",
    ),
    "no config": (
        {"config": lambda self: {}},
        r"expected config\(\) to hold the arguments .*: .*missing",
    ),
    "penalty": (
        {"l2_mask": lambda self, name: np.ones(2, bool)},
        r"expected l2_mask\('scale'\) to be True, False or booleans of shape \(3,\), found \[ True  True\]",
    ),
    "shares": (
        {"forward": forward_shares, "input_gradient": lambda self, dy: dy * SHARED["x"]},
        "expected copies that share nothing, found numbers that are off",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake: str) -> None:
    methods, message = MISTAKES[mistake]
    with pytest.raises(LayerError, match=message):
        check_layer(broken(**methods), checkpoint=False)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "input": ({"input_gradient": lambda self, dy: 1.001 * dy}, "gradient by the input"),
    "parameter": (
        {
            "parameter_gradient": lambda self, dy: self.gradients["scale"].__setitem__(
                slice(None), 0
            )
        },
        "gradient by scale",
    ),
    "jvp": ({"jvp": wrong_jvp}, "jvp without a change of x"),
    "second_order_term": (
        {"second_order_term": wrong_second_order_term},
        "second_order_term, change of the gradient by the input",
    ),
}


@pytest.mark.parametrize("derivative", WRONG)
def test_wrong_derivatives_are_named(derivative: str) -> None:
    methods, what = WRONG[derivative]
    with pytest.raises(ml.GradientError, match=f"{what}: analytic"):
        check_layer(broken(**methods), checkpoint=False)


def test_a_layer_that_checkpoints_cannot_hold_is_named() -> None:
    class Unknown(Scale):
        """Not registered."""

    with pytest.raises(
        LayerError, match="expected @register above its class, found a class that is not registered"
    ):
        check_layer(Unknown(3))


def test_a_layer_that_loses_something_in_a_checkpoint_is_named() -> None:
    @ml.register
    class Forgetful(ml.Activation):
        """Its config gives another factor."""

        def __init__(self, factor: float = 1.0) -> None:
            self.factor = factor

        def config(self) -> dict[str, float]:
            return {"factor": 1.0}

        def function(self, x: Array, out: Array) -> None:
            np.multiply(x, self.factor, out=out)

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            np.multiply(dy, self.factor, out=out)

    check_layer(Forgetful())
    with pytest.raises(
        LayerError,
        match=r"expected config\(\) to hold the arguments .*, found that they make factor = 1.0",
    ):
        check_layer(Forgetful(2.0))


def test_a_layer_that_keeps_an_argument_to_itself_is_named() -> None:
    class Silent(ml.Activation):
        """Its factor is not in its config."""

        def __init__(self, factor: float = 1.0) -> None:
            self._factor = factor

        def function(self, x: Array, out: Array) -> None:
            np.multiply(x, self._factor, out=out)

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            np.multiply(dy, self._factor, out=out)

    with pytest.raises(LayerError, match=r"expected config\(\) to hold .*, found none for factor"):
        check_layer(Silent(), checkpoint=False)
    message = r"layers\[0\]: expected Silent.config\(\) to give every argument of Silent\(...\)"
    with pytest.raises(TypeError, match=message):
        ml.Sequential([Silent(), ml.Dense(2, 1)])


def test_a_layer_that_a_checkpoint_changes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_halved(path: Path) -> ml.Sequential:
        model = ml.load(path)
        model.parameters[:] /= 2
        return model

    monkeypatch.setattr(layer_check, "load", load_halved)
    message = "expected the same output after a checkpoint, found numbers that are off by"
    with pytest.raises(LayerError, match=message):
        check_layer(Scale(3))


def test_arguments_are_checked() -> None:
    with pytest.raises(TypeError, match="layer: expected a Layer, found 3"):
        check_layer(3)  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"layer: expected a Layer, found <class .*Tanh'>: write Tanh\(\.\.\.\)"
    ):
        check_layer(ml.Tanh)  # type: ignore[arg-type]
    bound = ml.Dense(2, 1)
    ml.Sequential([bound])
    with pytest.raises(
        ValueError, match=r"layer: expected one that no model holds yet, found Dense\(2, 1\): make"
    ):
        check_layer(bound)
    with pytest.raises(ValueError, match="tolerance: expected a finite number > 0, found 0"):
        check_layer(ml.Tanh(), tolerance=0)
