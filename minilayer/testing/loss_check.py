"""check_loss: the tests that every loss of minilayer passes, for a loss of your own."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial

import numpy as np
import numpy.typing as npt

from ..checkpoint.stored_loss import decode_loss, encode_loss
from ..errors import CheckpointError, CurvatureError, LossError
from ..nn import ElementwiseLoss, Loss, Workspace, registered
from ..nn.configured import undescribed_arguments
from ..nn.loss import CanonicalLoss, required_activation
from ..utils.checks import check_instance, check_matrix, check_number, check_seed
from ..utils.types import Array
from .comparing import DIRECTIONS, SINGLE_PRECISION, deviation, read_only
from .finite_differences import Comparison, GradientReport, compare, rademacher, report

ROWS = 6
COLUMNS = 3
ROUNDING = 1e-11
"""How far results may differ that should be equal, relative to the largest."""
LARGE_Z = (30.0, 300.0, 1e4)
OVERFLOWING = 1e100
"""A loss that is larger than this at z = 300 may be infinite at 1e4."""


def check_loss(
    loss: Loss,
    *,
    targets: npt.ArrayLike | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientReport:
    """Test a loss on random rows.

    A loss passes if:

    - its class names an ``output_activation``, and ``config`` gives all constructor arguments
    - its error agrees with central differences of its value
    - ``error_jvp`` or ``second_derivative``, if defined, agrees with differences of the error, and
      the Gauss-Newton part of it is never negative
    - it is a sum over rows, each counted as often as its weight says
    - it leaves its arguments alone and gives the same result twice, whatever the memory order
    - it computes single precision in single precision
    - value and error are finite for z up to 1e4 either way, unless the loss really is that large
    - ``check_targets`` raises ValueError for targets that the loss is not defined for
    - what a checkpoint stores of it makes it again, if the class is registered

    Parameters
    ----------
    loss : Loss
        The loss.
    targets : array_like, shape (m, n), optional
        Valid targets. Default: of random numbers, counts and one-hot rows all that
        ``check_targets`` accepts.
    tolerance : float, default 1e-6
        Of the relative errors of derivatives.
    seed : int, default 0
        Of rows and directions.

    Returns
    -------
    GradientReport
        The relative errors of the derivatives.

    Raises
    ------
    LossError, GradientError
        For the first thing that is wrong.
    TypeError, ValueError
        For arguments of another kind, and from a method that returns no array of the right shape.

    Examples
    --------
    >>> from minilayer import Huber
    >>> check_loss(Huber(0.5)).worst < 1e-8
    True
    """
    check_instance("loss", loss, Loss, "a Loss")
    check_number("tolerance", tolerance, above=True)
    rng = check_seed(seed)
    _check_class(loss)
    _check_config(loss)
    comparisons: list[Comparison] = []
    for name, target in _targets(loss, targets, rng).items():
        battery = _Battery(loss, name, target, rng)
        comparisons += battery.compare_derivatives(tolerance)
        battery.check_sums()
        battery.check_single_precision()
        battery.check_large_z()
    _check_refused_targets(loss, rng)
    return report(comparisons, tolerance)


def _expect(is_right: bool, loss: Loss, expected: str, found: object) -> None:
    if not is_right:
        raise LossError(f"{loss!r}: expected {expected}, found {found}")


def _check_class(loss: Loss) -> None:
    try:
        required_activation(loss)
    except TypeError as error:
        raise LossError(str(error).removeprefix("loss: ")) from None


def _check_config(loss: Loss) -> None:
    """Check that ``config`` makes an equal loss, directly and through what a file holds of it."""
    expected = "config() to hold the arguments that make it again"
    missing = undescribed_arguments(loss)
    _expect(not missing, loss, expected, f"none for {', '.join(missing)}")
    try:
        copies = [type(loss)(**loss.config())]
    except TypeError as error:
        raise LossError(f"{loss!r}: expected {expected}: {error}") from None
    if registered(type(loss).__name__) is type(loss):
        try:
            copies.append(decode_loss(encode_loss(loss)))
        except CheckpointError as error:
            raise LossError(f"{loss!r}: expected {expected} from a checkpoint: {error}") from None
    for copy in copies:
        _expect(copy.config() == loss.config(), loss, expected, f"that they make {copy!r}")
        for name, value in vars(loss).items():
            if isinstance(value, bool | int | float | str):
                again = vars(copy).get(name)
                _expect(again == value, loss, expected, f"that they make {name} = {again!r}")
    for name, value in loss.config().items():
        is_shown = f"{name}={value!r}" in repr(loss) or repr(value) in repr(loss)
        _expect(is_shown, loss, f"a repr that shows {name}={value!r}", repr(loss))


def _candidates(rng: np.random.Generator) -> dict[str, Array]:
    return {
        "random targets": rng.standard_normal((ROWS, COLUMNS)),
        "counts": rng.poisson(2.0, (ROWS, COLUMNS)).astype(float),
        "one-hot targets": np.eye(COLUMNS)[rng.integers(0, COLUMNS, ROWS)],
    }


def _accepts(loss: Loss, targets: Array) -> bool:
    """Return whether ``check_targets`` takes them."""
    with _unwritten(loss, "check_targets", targets):
        try:
            loss.check_targets(targets)
        except ValueError as error:
            if "read-only" in str(error):
                raise
            return False
    return True


def _targets(loss: Loss, given: npt.ArrayLike | None, rng: np.random.Generator) -> dict[str, Array]:
    """Return valid targets by name."""
    if given is not None:
        own = np.array(check_matrix("targets", given), dtype=np.float64)
        loss.check_targets(own)
        return {"targets": own}
    accepted = {
        name: targets for name, targets in _candidates(rng).items() if _accepts(loss, targets)
    }
    found = "that it refuses random numbers, counts and one-hot rows: pass targets="
    _expect(bool(accepted), loss, "check_targets to accept targets", found)
    if loss.takes_labels:
        expected = "check_targets to accept one-hot targets, as takes_labels is True"
        _expect("one-hot targets" in accepted, loss, expected, "that it refuses them")
    return accepted


def _check_refused_targets(loss: Loss, rng: np.random.Generator) -> None:
    """Check that the loss is a number for all targets that it accepts."""
    for targets in (-5.0, -1.0, 0.0, 0.5, 1.0, 2.0, 100.0):
        row = np.full((1, COLUMNS), targets)
        if not _accepts(loss, row):
            continue
        value, error = _evaluate(loss, rng.standard_normal(row.shape), row)
        is_number = bool(np.isfinite(value) and np.isfinite(error).all())
        expected = f"check_targets to refuse targets of {targets:g}"
        found = f"that it accepts them, and the loss is {value:g}, its error {error[0, 0]:g}"
        _expect(is_number, loss, expected, found)


def _unwritten(loss: Loss, method: str, *arguments: Array) -> AbstractContextManager[None]:
    """Refuse a method that writes to its arguments."""
    expected = f"{method} to leave its arguments alone"
    breach = LossError(f"{loss!r}: expected {expected}, found that it writes to them")
    return read_only(breach, *arguments)


def _evaluate(
    loss: Loss, z: Array, target: Array, weight: Array | None = None
) -> tuple[float, Array]:
    """Return value and error, as in an Objective: without floating-point errors."""
    error = np.array(z, order="F")
    arguments = (target,) if weight is None else (target, weight)
    method = "value" if isinstance(loss, ElementwiseLoss) else "value_and_error_"
    with np.errstate(all="ignore"), _unwritten(loss, method, *arguments):
        value = loss.value_and_error_(error, target, Workspace(), weight)
    is_number = np.ndim(value) == 0 and value is not None
    _expect(is_number, loss, "value_and_error_ to return a number", repr(value))
    return float(value), error


class _Battery:
    """The tests of a loss for one kind of targets."""

    def __init__(self, loss: Loss, name: str, target: Array, rng: np.random.Generator) -> None:
        self.loss = loss
        self.name = name
        self.target = target
        self.rng = rng
        self.z = np.asfortranarray(rng.standard_normal(target.shape))
        self.weight = rng.random((len(target), 1)) + 0.5
        self.value, self.error = _evaluate(loss, self.z, target)
        is_finite = np.isfinite(self.value) and np.isfinite(self.error).all()
        found = f"value {self.value:g}, error {self.error.ravel()[:3]}"
        _expect(bool(is_finite), loss, f"finite numbers for standard normal z and {name}", found)

    def compare_derivatives(self, tolerance: float) -> list[Comparison]:
        """Compare error and second derivative with differences, the error first."""
        directions = rademacher(self.z.shape, DIRECTIONS, self.rng)
        what = self._what("derivative" if isinstance(self.loss, ElementwiseLoss) else "error")
        comparisons = [
            compare(what, self._value_at, self.z, self.error, directions, self._error_at)
        ]
        report(comparisons, tolerance)
        if isinstance(self.loss, CanonicalLoss):
            self._check_canonical()
        try:
            self.loss.require_hessian_support()
        except CurvatureError:
            return comparisons
        return comparisons + self._compare_second_derivative(tolerance)

    def _what(self, derivative: str) -> str:
        return f"{self.loss!r}, {derivative} by z for {self.name}"

    def _value_at(self, z: Array) -> float:
        return _evaluate(self.loss, z, self.target)[0]

    def _error_at(self, z: Array) -> Array:
        return _evaluate(self.loss, z, self.target)[1]

    def _check_canonical(self) -> None:
        activation = required_activation(self.loss)
        prediction = self.z if activation is None else activation().forward(self.z)
        what = "an error of prediction - target, as the loss is a CanonicalLoss"
        self._expect_equal(what, self.error, prediction - self.target)

    def _jvp(self, dz: Array, weight: Array | None = None, gauss_newton: bool = False) -> Array:
        arguments = [self.z, dz, self.target, *([] if weight is None else [weight])]
        method = "second_derivative" if isinstance(self.loss, ElementwiseLoss) else "error_jvp"
        with np.errstate(all="ignore"), _unwritten(self.loss, method, *arguments):
            found = self.loss.error_jvp(
                self.z, dz, self.target, Workspace(), weight, gauss_newton=gauss_newton
            )
        shape = getattr(found, "shape", None)
        expected = f"error_jvp to return an array of shape {dz.shape}"
        _expect(shape == dz.shape, self.loss, expected, f"shape {shape}")
        return np.array(found)

    def _compare_second_derivative(self, tolerance: float) -> list[Comparison]:
        is_elementwise = isinstance(self.loss, ElementwiseLoss)
        what = self._what("second derivative" if is_elementwise else "error_jvp")
        comparisons = []
        for dz in rademacher(self.z.shape, DIRECTIONS, self.rng):
            probe = self.rng.standard_normal(self.z.shape)
            along = partial(self._probed_error, dz, probe)
            change = np.array([np.sum(probe * self._jvp(dz))])
            comparisons.append(compare(what, along, np.zeros(1), change, [np.ones(1)]))
            report(comparisons, tolerance)
            part = self._jvp(dz, gauss_newton=True)
            curvature = float(np.sum(dz * part))
            expected = "sum(dz * error_jvp(..., gauss_newton=True)) >= 0"
            slack = ROUNDING * float(np.abs(part).sum())
            _expect(curvature >= -slack, self.loss, expected, f"{curvature:g}")
            for gauss_newton in (False, True):
                weighted = self._jvp(dz, self.weight, gauss_newton)
                expected = "error_jvp to count each row as often as its weight says"
                own = self._jvp(dz, None, gauss_newton) * self.weight
                self._expect_equal(expected, weighted, own)
        return comparisons

    def _probed_error(self, dz: Array, probe: Array, length: Array) -> float:
        return float(np.sum(probe * self._error_at(self.z + length[0] * dz)))

    def _expect_equal(
        self, what: str, found: npt.ArrayLike, expected: npt.ArrayLike, tolerance: float = ROUNDING
    ) -> None:
        off = deviation(found, expected)
        _expect(off <= tolerance, self.loss, what, f"numbers that are off by {off:.1e}")

    def check_sums(self) -> None:
        """Check that the loss is a weighted sum over rows, and nothing but its arguments."""
        z, target, weight = self.z, self.target, self.weight
        rows = [_evaluate(self.loss, z[[row]], target[[row]]) for row in range(len(z))]
        values = np.array([value for value, _ in rows])
        errors = np.concatenate([error for _, error in rows])
        what = "a sum over rows, each row's loss depending on that row alone"
        self._expect_equal(what, self.value, values.sum())
        self._expect_equal(what, self.error, errors)
        weights = {
            "value and error to count each row as often as its weight says": weight,
            "a weight of 1 to be as none": np.ones_like(weight),
            "a row of weight 0 to count nothing": np.arange(len(z))[:, None] % 2.0,
        }
        for what, own in weights.items():
            value, error = _evaluate(self.loss, z, target, own)
            self._expect_equal(what, value, values @ own[:, 0])
            self._expect_equal(what, error, errors * own)
        again = _evaluate(self.loss, z, target)
        self._expect_equal("the same value twice", again[0], self.value)
        self._expect_equal("the same error twice", again[1], self.error)
        other_order = _evaluate(self.loss, z, np.asfortranarray(target))
        self._expect_equal("the same value for any memory order", other_order[0], self.value)
        self._expect_equal("the same error for any memory order", other_order[1], self.error)

    def check_single_precision(self) -> None:
        """Check the result of single precision, and that formulas stay in it."""
        z, target = self.z.astype(np.float32), self.target.astype(np.float32)
        value, error = _evaluate(self.loss, z, target)
        what = "nearly the same {} in single precision"
        self._expect_equal(what.format("value"), value, self.value, SINGLE_PRECISION)
        self._expect_equal(what.format("error"), error, self.error, SINGLE_PRECISION)
        if not isinstance(self.loss, ElementwiseLoss):
            return
        methods = {"value": self.loss.value, "derivative": self.loss.derivative}
        if type(self.loss).second_derivative is not ElementwiseLoss.second_derivative:
            methods["second_derivative"] = self.loss.second_derivative
        for name, method in methods.items():
            with np.errstate(all="ignore"):
                dtype = method(z, target).dtype
            stays = dtype == np.float32 or dtype.kind in "bui"
            hint = ": NumPy scalars do so, Python's math.log(2) does not"
            _expect(stays, self.loss, f"{name} of float32 to be float32", f"{dtype}{hint}")

    def check_large_z(self) -> None:
        """Check value and error for z of several sizes and signs, a row at a time."""
        columns = self.target.shape[1]
        signs = (np.ones(columns), -np.ones(columns), (-1.0) ** np.arange(columns))
        for sign in signs:
            may_overflow = False
            for size in LARGE_Z:
                value, error = _evaluate(self.loss, size * sign[None], self.target[:1])
                has_nan = np.isnan(value) or bool(np.isnan(error).any())
                is_finite = bool(np.isfinite(value) and np.isfinite(error).all())
                found = f"value {value:g}, error {error[0, 0]:g}"
                expected = f"finite numbers for z = {size * sign[0]:g}"
                is_right = not has_nan and (is_finite or may_overflow)
                _expect(is_right, self.loss, expected, found)
                may_overflow = may_overflow or abs(value) > OVERFLOWING
