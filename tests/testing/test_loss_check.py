"""check_loss passes all losses of minilayer, and finds each defect by name."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.nn import Workspace
from minilayer.nn.loss import CanonicalLoss
from minilayer.testing import check_loss
from minilayer.utils.types import Array


@pytest.mark.parametrize(
    "loss",
    [
        ml.BinaryCrossEntropy(),
        ml.CategoricalCrossEntropy(),
        ml.SquaredError(),
        ml.Poisson(),
        ml.Huber(),
        ml.Huber(0.3),
        ml.PinballLoss(0.1, 0.5),
        ml.PinballLoss(0.9, 0.01),
    ],
    ids=repr,
)
@pytest.mark.parametrize("seed", range(3))
def test_losses_pass_with_second_derivatives(loss: ml.Loss, seed: int) -> None:
    report = check_loss(loss, seed=seed)
    derivatives = {what.split(", ")[-1].split(" by z")[0] for what in report.errors}
    is_elementwise = isinstance(loss, ml.ElementwiseLoss)
    expected = {"derivative", "second derivative"} if is_elementwise else {"error", "error_jvp"}
    assert derivatives == expected
    assert "derivatives, relative errors:" in repr(report)


@pytest.mark.parametrize(
    "loss",
    [
        ml.BinaryCrossEntropy(),
        ml.CategoricalCrossEntropy(),
        ml.SquaredError(),
        ml.Huber(),
        ml.PinballLoss(0.3, 0.1),
    ],
    ids=repr,
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1e4, -1e4, 90.0, -800.0])
def test_losses_do_not_warn_for_large_z(
    loss: ml.Loss, dtype: type[np.floating], size: float
) -> None:
    z = np.array([[size, -size], [size, size]], dtype, order="F")
    target = np.array([[1.0, 0.0], [0.0, 1.0]], dtype)
    with np.errstate(all="warn", under="ignore"):
        value = loss.value_and_error_(z.copy(order="F"), target, Workspace())
        change = loss.error_jvp(z, np.ones_like(z), target, Workspace())
    assert np.isfinite(value)
    assert np.isfinite(change).all()


def test_poisson_does_not_warn_where_its_value_can_be_represented() -> None:
    z = np.array([[700.0, -1e4]], order="F")
    with np.errstate(all="warn", under="ignore"):
        assert np.isfinite(ml.Poisson().value_and_error_(z, np.ones((1, 2)), Workspace()))


class LogCosh(ml.ElementwiseLoss):
    """scale**2 log cosh(r / scale), right in all."""

    output_activation = None

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def value(self, z: Array, target: Array) -> Array:
        r = np.abs(z - target) / self.scale
        return np.asarray(self.scale**2 * (r + np.log1p(np.exp(-2 * r)) - math.log(2)))

    def derivative(self, z: Array, target: Array) -> Array:
        return np.asarray(self.scale * np.tanh((z - target) / self.scale))

    def second_derivative(self, z: Array, target: Array) -> Array:
        return np.asarray(1 - np.tanh((z - target) / self.scale) ** 2)


class Plain(ml.Loss):
    """The squared error as a Loss of all rows, right in all."""

    output_activation = ml.Identity

    def value_and_error_(
        self, z: Array, target: Array, work: Workspace, weight: Array | None = None
    ) -> float:
        weights = np.ones((len(z), 1)) if weight is None else weight
        r = z - target
        z[...] = weights * r
        return float(np.sum(weights * r * r) / 2)

    def error_jvp(
        self,
        z: Array,
        dz: Array,
        target: Array,
        work: Workspace,
        weight: Array | None = None,
        *,
        gauss_newton: bool = False,
    ) -> Array:
        return np.array(dz if weight is None else dz * weight)


@pytest.mark.parametrize("loss", [LogCosh(0.7), Plain()], ids=repr)
def test_losses_of_ones_own_pass(loss: ml.Loss) -> None:
    assert check_loss(loss).worst < 1e-8


def test_a_loss_without_second_derivative_passes_without_it() -> None:
    class First(LogCosh):
        """Without a second derivative."""

        second_derivative = ml.ElementwiseLoss.second_derivative

    assert all("second" not in what for what in check_loss(First()).errors)


def elementwise(**changes: Any) -> ml.Loss:
    """Return LogCosh with other methods."""
    return type("Wrong", (LogCosh,), changes)()  # type: ignore[no-any-return]


def plain(**changes: Any) -> ml.Loss:
    """Return Plain with other methods."""
    return type("Wrong", (Plain,), changes)()  # type: ignore[no-any-return]


right = Plain.value_and_error_
right_jvp = Plain.error_jvp


def hidden_argument(**changes: Any) -> ml.Loss:
    class Hidden(LogCosh):
        """Keeps its argument under another name."""

        def __init__(self, delta: float = 1.0) -> None:
            super().__init__()
            self._delta = delta

    return Hidden()


def writes_target(self: Any, z: Array, target: Array, work: Workspace, weight: Any = None) -> float:
    total = right(self, z, target, work, weight)
    target[0, 0] += 1
    return total


def forgets_weight(
    self: Any, z: Array, target: Array, work: Workspace, weight: Any = None
) -> float:
    return right(self, z, target, work)


def mean(self: Any, z: Array, target: Array, work: Workspace, weight: Any = None) -> float:
    count = len(z)
    total = right(self, z, target, work, weight)
    z /= count
    return float(total / count)


def mean_jvp(self: Any, z: Array, dz: Array, *arguments: Any, **options: Any) -> Array:
    return right_jvp(self, z, dz, *arguments, **options) / len(z)


def remembers(self: Any, z: Array, target: Array, work: Workspace, weight: Any = None) -> float:
    self.calls = getattr(self, "calls", 0) + 1
    factor = 1 + (self.calls > 60)
    total = factor * right(self, z, target, work, weight)
    z *= factor
    return float(total)


def unstable(self: Any, z: Array, target: Array) -> Array:
    return np.asarray(self.scale**2 * np.log(np.cosh((z - target) / self.scale)))


def double(self: Any, z: Array, target: Array) -> Array:
    return LogCosh.derivative(self, z, target).astype(np.float64)


def in_place(self: Any, z: Array, target: Array) -> Array:
    z -= target
    return np.asarray(np.tanh(z))


def refuses_all(self: Any, targets: Array) -> None:
    raise ValueError("never")


def refuses_zeros(self: Any, targets: Array) -> None:
    if (targets == 0).any():
        raise ValueError("zeros")


class WrongCanonical(CanonicalLoss):
    """Says that it is canonical, with twice the error."""

    output_activation = ml.Identity

    def value_and_error_(
        self, z: Array, target: Array, work: Workspace, weight: Array | None = None
    ) -> float:
        total = 2 * right(self, z, target, work, weight)  # type: ignore[arg-type]
        z *= 2
        return total


class LogTarget(LogCosh):
    """Defined for positive targets only, which it does not check."""

    def value(self, z: Array, target: Array) -> Array:
        return super().value(z, target) + np.log(target + 1.5)


def cauchy_second(self: Any, z: Array, target: Array) -> Array:
    r = z - target
    return np.asarray((1 - r * r) / (1 + r * r) ** 2)


DEFECTS: dict[str, tuple[Callable[[], ml.Loss], type[Exception], str]] = {
    "no output_activation": (
        lambda: type(
            "Without",
            (ml.ElementwiseLoss,),
            {"value": LogCosh.value, "derivative": LogCosh.derivative},
        )(),
        ml.LossError,
        r"expected Without.output_activation to be a class of activations or None for any, "
        r"found none: write",
    ),
    "an object as output_activation": (
        lambda: elementwise(output_activation=ml.Sigmoid()),
        ml.LossError,
        r"expected Wrong.output_activation to be a class .* found Sigmoid\(\)",
    ),
    "a hidden argument": (
        hidden_argument,
        ml.LossError,
        r"expected config\(\) to hold the arguments that make it again, found none for delta",
    ),
    "a repr without the argument": (
        lambda: elementwise(__repr__=lambda self: "Wrong"),
        ml.LossError,
        r"Wrong: expected a repr that shows scale=1.0, found Wrong",
    ),
    "a wrong derivative": (
        lambda: elementwise(derivative=lambda self, z, y: 1.001 * np.tanh(z - y)),
        ml.GradientError,
        r"Wrong\(scale=1.0\), derivative by z for random targets: analytic",
    ),
    "a wrong second derivative": (
        lambda: elementwise(second_derivative=lambda self, z, y: np.ones_like(z)),
        ml.GradientError,
        r"Wrong\(scale=1.0\), second derivative by z for random targets: analytic",
    ),
    "a wrong error": (
        lambda: plain(
            value_and_error_=lambda self, z, y, work, w=None: float(np.sum((z - y) ** 2))
        ),
        ml.GradientError,
        r"Wrong\(\), error by z for random targets: analytic",
    ),
    "a wrong error_jvp": (
        lambda: plain(error_jvp=lambda self, z, dz, *a, **o: 2 * dz),
        ml.GradientError,
        r"Wrong\(\), error_jvp by z for random targets: analytic",
    ),
    "an indefinite Gauss-Newton product": (
        lambda: plain(
            error_jvp=lambda self, z, dz, *a, gauss_newton=False: -dz if gauss_newton else 1 * dz
        ),
        ml.LossError,
        r"expected sum\(dz \* error_jvp\(..., gauss_newton=True\)\) >= 0, found -18",
    ),
    "an error_jvp without weights": (
        lambda: plain(error_jvp=lambda self, z, dz, *a, **o: 1 * dz),
        ml.LossError,
        "expected error_jvp to count each row as often as its weight says",
    ),
    "an error_jvp of another shape": (
        lambda: plain(error_jvp=lambda self, z, dz, *a, **o: dz.sum()),
        ml.LossError,
        r"expected error_jvp to return an array of shape \(6, 3\), found shape \(\)",
    ),
    "not canonical": (
        WrongCanonical,
        ml.LossError,
        r"expected an error of prediction - target, as the loss is a CanonicalLoss",
    ),
    "forgotten weights": (
        lambda: plain(value_and_error_=forgets_weight),
        ml.LossError,
        "expected value and error to count each row as often as its weight says",
    ),
    "a mean instead of a sum": (
        lambda: plain(value_and_error_=mean, error_jvp=mean_jvp),
        ml.LossError,
        "expected a sum over rows, each row's loss depending on that row alone",
    ),
    "a loss that remembers": (
        lambda: plain(value_and_error_=remembers),
        (ml.LossError, ml.GradientError),  # type: ignore[dict-item]
        r"Wrong\(\)",
    ),
    "a target that is written to": (
        lambda: plain(value_and_error_=writes_target),
        ml.LossError,
        "expected value_and_error_ to leave its arguments alone, found that it writes to them",
    ),
    "z that is written to": (
        lambda: elementwise(derivative=in_place),
        ml.LossError,
        "expected value to leave its arguments alone|expected derivative to leave",
    ),
    "double precision": (
        lambda: elementwise(derivative=double),
        ml.LossError,
        "expected derivative of float32 to be float32, found float64",
    ),
    "overflow at large z": (
        lambda: elementwise(value=unstable),
        ml.LossError,
        r"expected finite numbers for z = 10000, found value inf, error 1",
    ),
    "targets that are not checked": (
        LogTarget,
        ml.LossError,
        r"expected finite numbers for standard normal z|to refuse targets of -5",
    ),
    "no valid targets": (
        lambda: elementwise(check_targets=refuses_all),
        ml.LossError,
        "expected check_targets to accept targets, found that it refuses random numbers",
    ),
    "labels that are refused": (
        lambda: elementwise(takes_labels=True, check_targets=refuses_zeros),
        ml.LossError,
        "expected check_targets to accept one-hot targets, as takes_labels is True",
    ),
    "None as value": (
        lambda: elementwise(value=lambda self, z, y: None),
        TypeError,
        r"^Wrong.value: expected an array of numbers, found None$",
    ),
    "a sum as value": (
        lambda: elementwise(value=lambda self, z, y: np.sum(z - y, keepdims=True)),
        ValueError,
        r"^Wrong.value: expected shape \(6, 3\), found \(1, 1\)$",
    ),
    "a scalar as second derivative": (
        lambda: elementwise(second_derivative=lambda self, z, y: 1.0),
        TypeError,
        r"^Wrong.second_derivative: expected an array of numbers, found 1.0$",
    ),
    "complex numbers": (
        lambda: elementwise(derivative=lambda self, z, y: (z - y) * 1j),
        TypeError,
        r"^Wrong.derivative: expected an array of numbers, found dtype complex128$",
    ),
    "None as a plain loss's value": (
        lambda: plain(value_and_error_=lambda self, *a: None),
        ml.LossError,
        r"expected value_and_error_ to return a number, found None",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_found_by_name(defect: str) -> None:
    make, kind, message = DEFECTS[defect]
    with pytest.raises(kind, match=message):
        check_loss(make())


def test_an_argument_that_a_checkpoint_cannot_hold_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from minilayer.nn import configured

    monkeypatch.setattr(configured, "_REGISTRY", dict(configured._REGISTRY))
    loss = LogCosh(0.5 + 0j)  # type: ignore[arg-type]
    ml.register(LogCosh)
    with pytest.raises(ml.LossError, match="from a checkpoint: loss: Object of type complex"):
        check_loss(loss)


def test_targets_of_the_users_own() -> None:
    report = check_loss(ml.Huber(), targets=np.linspace(0, 100, 12).reshape(4, 3))
    assert next(iter(report.errors)) == "Huber(delta=1.0), derivative by z for targets"
    with pytest.raises(ValueError, match="Poisson expects targets >= 0"):
        check_loss(ml.Poisson(), targets=[[-1.0, 2.0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": ml.Huber}, r"loss: expected a Loss, found .*: write Huber\(...\)"),
        ({"loss": ml.Huber(), "tolerance": 0}, "tolerance: expected a finite number > 0"),
    ],
)
def test_arguments_of_another_kind_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        check_loss(**arguments)
