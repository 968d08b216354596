"""check_layer: right layers pass, and what is wrong with others is named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.errors import LayerError
from minilayer.nn import registered
from minilayer.testing import check_layer, layer_check
from minilayer.utils.types import Array
from tests.helpers.layers import SquaredScale


def test_a_right_layer_passes_with_all_that_it_defines() -> None:
    report = check_layer(SquaredScale(3))
    assert [what.split("), ")[1] for what in report.errors] == [
        "gradient by the input",
        "gradient by scale",
        "jvp without a change of x",
        "jvp",
        "second_order_term, change of the gradient by the input",
        "second_order_term, change of the gradient by scale",
    ]
    assert report.worst < 1e-8


def test_a_layer_without_second_derivatives_passes() -> None:
    class Plain(SquaredScale):
        jvp = ml.Layer.jvp
        second_order_term = ml.Layer.second_order_term

    assert len(check_layer(Plain(3), checkpoint=False).errors) == 2


def test_the_layer_itself_is_not_changed() -> None:
    layer = SquaredScale(3)
    check_layer(layer)
    assert not layer.is_bound
    assert vars(layer) == {"inputs": 3, "units": 3}


def broken(**methods: Any) -> ml.Layer:
    """Return a SquaredScale with other methods."""
    kind: type[SquaredScale] = type("SquaredScale", (SquaredScale,), methods)
    return kind(3)


def forward_writes(self: Any, x: Array) -> Array:
    x *= 2
    return SquaredScale.forward(self, x)


def forward_mixes_rows(self: Any, x: Array) -> Array:
    return SquaredScale.forward(self, x - x.mean(axis=0))


def forward_doubles(self: Any, x: Array) -> Array:
    return SquaredScale.forward(self, x).astype(np.float64)


def gradient_adds(self: Any, dy: Array) -> None:
    self.gradients["scale"][:] += 2 * self.scale * np.sum(dy * self._x, axis=0)


def gradient_writes(self: Any, dy: Array) -> None:
    dy *= 2


def zero_parameter_gradient(self: Any, dy: Array) -> None:
    self.gradients["scale"][:] = 0


def wrong_jvp(self: Any, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
    SquaredScale.jvp(self, dx, dparameters)
    return np.zeros_like(self._x)


def no_second_order_term(self: Any, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
    return None


def forward_keeps(self: Any, x: Array) -> Array:
    self._y = SquaredScale.forward(self, x)
    return np.asarray(self._y)


def gradient_reuses(self: Any, dy: Array) -> Array:
    np.multiply(dy, self.scale**2, out=self._y)
    return np.asarray(self._y)


def jvp_writes(self: Any, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
    if dx is not None:
        dx *= 2
    return SquaredScale.jvp(self, dx, dparameters)


def input_gradient_writes_x(self: Any, dy: Array) -> Array:
    self._x *= 2
    return SquaredScale.input_gradient(self, dy)


SHARED: dict[str, Array] = {}
"""What wrong layers share between their copies."""


def forward_shares(self: Any, x: Array) -> Array:
    SHARED["x"] = x
    return np.asarray(x**2 / 2)


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
    "input gradient writes to x": (
        {"input_gradient": input_gradient_writes_x},
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
        r"expected forward to return an output of shape \(6, 3\), found shape \(6, 2\)",
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
        r"expected input_gradient to return an input gradient of shape \(6, 3\), "
        r"found shape \(2, 3\)",
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
        r"expected l2_mask\('scale'\) to be True, False or booleans of shape \(3,\), "
        r"found \[ True  True\]",
    ),
    "shares": (
        {
            "forward": forward_shares,
            "input_gradient": lambda self, dy: dy * SHARED["x"],
            "parameter_gradient": zero_parameter_gradient,
            "jvp": ml.Layer.jvp,
        },
        "expected copies that share nothing, found numbers that are off",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_breaches_of_the_contract_are_named(mistake: str) -> None:
    methods, message = MISTAKES[mistake]
    with pytest.raises(LayerError, match=message):
        check_layer(broken(**methods), checkpoint=False)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "input": ({"input_gradient": lambda self, dy: 1.001 * dy}, "gradient by the input"),
    "parameter": ({"parameter_gradient": zero_parameter_gradient}, "gradient by scale"),
    "jvp": ({"jvp": wrong_jvp}, "jvp without a change of x"),
    "second_order_term": (
        {"second_order_term": no_second_order_term},
        "second_order_term, change of the gradient by the input",
    ),
}


@pytest.mark.parametrize("derivative", WRONG)
def test_wrong_derivatives_are_named(derivative: str) -> None:
    methods, what = WRONG[derivative]
    with pytest.raises(ml.GradientError, match=f"{what}: analytic"):
        check_layer(broken(**methods), checkpoint=False)


def test_a_layer_need_not_be_registered() -> None:
    class Unknown(SquaredScale):
        """Not registered."""

    assert check_layer(Unknown(3)).worst < 1e-8
    assert registered("Unknown") is None


def test_a_name_that_another_class_has_stays_with_it() -> None:
    other = type("SquaredScale", (SquaredScale,), {})
    assert check_layer(other(3)).worst < 1e-8
    assert registered("SquaredScale") is SquaredScale


def test_a_wrong_gradient_is_told_first() -> None:
    """This one also shares its input with its copies, and computes in double precision."""
    wrong = broken(
        forward=forward_shares,
        input_gradient=lambda self, dy: (dy * self.scale).astype(np.float64),
        parameter_gradient=zero_parameter_gradient,
    )
    with pytest.raises(ml.GradientError, match="gradient by the input: analytic"):
        check_layer(wrong)


class Returning(ml.Activation):
    """Its function returns what it should write into out."""

    def function(self, x: Array, out: Array) -> None:
        return np.abs(x)  # type: ignore[return-value]

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.multiply(dy, np.sign(x), out=out)


def test_an_activation_that_returns_is_told_to_write() -> None:
    expected = (
        r"Returning\(\): expected function to write into out and to return nothing, "
        r"found that it returns an array of shape"
    )
    with pytest.raises(LayerError, match=expected):
        check_layer(Returning())
    with pytest.raises(LayerError, match=expected):
        ml.Sequential([ml.Dense(2, 1), Returning()]).predict([[1.0, 2.0]])


def test_a_config_of_another_value_is_named() -> None:
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
    expected = r"expected config\(\) to hold the arguments .*, found that they make factor = 1.0"
    with pytest.raises(LayerError, match=expected):
        check_layer(Forgetful(2.0))


def test_a_config_without_an_argument_is_named() -> None:
    class Silent(ml.Activation):
        """Its config lacks its factor."""

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


def test_a_checkpoint_that_changes_the_layer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_halved(path: Path) -> ml.Sequential:
        model = ml.load(path)
        model.parameters[:] /= 2
        return model

    monkeypatch.setattr(layer_check, "load", load_halved)
    message = "expected the same output after a checkpoint, found numbers that are off by"
    with pytest.raises(LayerError, match=message):
        check_layer(SquaredScale(3))


def test_wrong_arguments_are_refused() -> None:
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
