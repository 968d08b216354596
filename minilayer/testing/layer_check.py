"""check_layer: the tests that every layer of minilayer passes, for a layer of your own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..checkpoint import load, save
from ..errors import CurvatureError, LayerError
from ..nn import Dense, Layer, Sequential
from ..nn.configured import identity, registered_for_now, undescribed_arguments
from ..utils.checks import check_instance, check_number, check_seed
from ..utils.types import Array
from .comparing import DIRECTIONS, SINGLE_PRECISION, deviation, read_only
from .finite_differences import Comparison, GradientReport, compare, compare_layer, report

ROWS = 6
ROUNDING = 1e-12
"""How far results may differ that should be equal, relative to the largest."""


def check_layer(
    layer: Layer, *, checkpoint: bool = True, tolerance: float = 1e-6, seed: int = 0
) -> GradientReport:
    """Test a layer on random rows.

    A layer passes if:

    - ``config`` gives all its constructor arguments
    - each row's output depends on that row alone, whatever the memory order
    - it leaves its arguments alone and overwrites its gradients
    - its gradients, and ``jvp`` and ``second_order_term`` if it defines them, agree with central
      differences
    - it shares nothing with its copies
    - it computes single precision in single precision
    - a checkpoint restores it

    Parameters
    ----------
    layer : Layer
        A layer that no model holds yet. It is left alone: copies are tested.
    checkpoint : bool, default True
        Whether to test a checkpoint. The class need not be registered for that.
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
    LayerError, GradientError
        For the first thing that is wrong.
    TypeError, ValueError
        For arguments of another kind.

    Examples
    --------
    >>> from minilayer import Sigmoid
    >>> check_layer(Sigmoid()).worst < 1e-8
    True
    """
    check_instance("layer", layer, Layer, "a Layer")
    if layer.is_bound:
        raise ValueError(
            f"layer: expected one that no model holds yet, found {layer!r}: make a new one"
        )
    check_number("tolerance", tolerance, above=True)
    rng = check_seed(seed)
    _check_config(layer)
    model = _model(layer)
    own = model.layers[0]
    noise = rng.standard_normal(model.parameters.size)
    model.parameters[:] += 0.1 * noise  # away from a start of zeros
    start = model.parameters.copy()
    x = rng.standard_normal((ROWS, model.n_inputs))
    _check_forward(own, x)
    _check_backward(own, x, rng)
    comparisons = compare_layer(repr(own), own, x, DIRECTIONS, rng)
    report(comparisons, tolerance)  # a wrong gradient is told before what is less common
    comparisons += _compare_second_derivatives(own, x, rng)
    result = report(comparisons, tolerance)
    model.parameters[:] = start
    _check_copies(model, x, rng)
    _check_single_precision(model, x)
    if checkpoint:
        with registered_for_now(type(layer)):
            _check_checkpoint(model, x)
    return result


def _model(layer: Layer) -> Sequential:
    """Return a model with a copy of the layer in front."""
    copy = layer.unbound_copy()
    return Sequential([copy] if copy.inputs is not None else [copy, Dense(4, 1)], seed=0)


def _expect(is_right: bool, layer: Layer, expected: str, found: object) -> None:
    if not is_right:
        raise LayerError(f"{layer!r}: expected {expected}, found {found}")


def _expect_equal(
    layer: Layer, what: str, found: Array, expected: Array, tolerance: float = ROUNDING
) -> None:
    has_shape = found.shape == expected.shape
    _expect(has_shape, layer, f"{what} of shape {expected.shape}", f"shape {found.shape}")
    error = deviation(found, expected)
    _expect(error <= tolerance, layer, what, f"numbers that are off by {error:.1e}")


def _unwritten(layer: Layer, method: str, argument: Array) -> AbstractContextManager[None]:
    """Refuse a method that writes to its argument."""
    expected = f"{method} to leave its argument alone"
    breach = LayerError(f"{layer!r}: expected {expected}, found that it writes to it")
    return read_only(breach, argument)


def _check_config(layer: Layer) -> None:
    """Check that ``config`` makes an equal layer."""
    expected = "config() to hold the arguments that make it again"
    try:
        copy = type(layer)(**layer.config())
    except TypeError as error:
        raise LayerError(f"{layer!r}: expected {expected}: {error}") from None
    missing = undescribed_arguments(layer)
    _expect(not missing, layer, expected, f"none for {', '.join(missing)}")
    is_equal = (
        copy.shapes() == layer.shapes()
        and (copy.inputs, copy.units) == (layer.inputs, layer.units)
        and identity(copy) == identity(layer)
    )
    _expect(is_equal, layer, expected, f"that they make {copy!r}")
    for name, value in vars(layer).items():
        if isinstance(value, bool | int | float | str):
            again = vars(copy).get(name)
            _expect(again == value, layer, expected, f"that they make {name} = {again!r}")


def _check_forward(layer: Layer, x: Array) -> None:
    with _unwritten(layer, "forward", x):
        y = np.array(layer.forward(x))
    shape = (ROWS, x.shape[1] if layer.units is None else layer.units)
    _expect(y.shape == shape, layer, f"an output of shape {shape}", f"shape {y.shape}")
    _expect(y.dtype == np.float64, layer, "an output of float64", y.dtype)
    is_finite = bool(np.isfinite(y).all())
    _expect(is_finite, layer, "finite numbers for a standard normal input", "others")
    _expect_equal(layer, "the same output twice", np.array(layer.forward(x)), y)
    apart = np.concatenate([np.array(layer.forward(row[None])) for row in x])
    _expect_equal(layer, "each row's output to depend on that row alone", apart, y)
    for ordered in (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2]):
        again = np.array(layer.forward(ordered))
        _expect_equal(layer, "the same output for any memory order", again, y)
    for name, parameter_shape in layer.shapes().items():
        mask = np.asarray(layer.l2_mask(name))
        fits = mask.dtype == bool and (mask.ndim == 0 or mask.shape == parameter_shape)
        expected = f"l2_mask({name!r}) to be True, False or booleans of shape {parameter_shape}"
        _expect(fits, layer, expected, mask)


def _check_backward(layer: Layer, x: Array, rng: np.random.Generator) -> None:
    dy = rng.standard_normal(layer.forward(x).shape)
    with _unwritten(layer, "parameter_gradient", dy):
        layer.parameter_gradient(dy)
    first = {name: gradient.copy() for name, gradient in layer.gradients.items()}
    layer.parameter_gradient(dy)
    for name, gradient in layer.gradients.items():
        what = f"parameter_gradient to overwrite the gradient of {name}"
        _expect_equal(layer, what, gradient, first[name])
    output = layer.forward(x)
    before = np.array(output)
    with _unwritten(layer, "input_gradient", dy), _unwritten(layer, "input_gradient", x):
        dx = np.array(layer.input_gradient(dy))
    _expect_equal(layer, "the output to stay until the next forward", output, before)
    expected = f"an input gradient of shape {x.shape}"
    _expect(dx.shape == x.shape, layer, expected, f"shape {dx.shape}")


def _check_copies(model: Sequential, x: Array, rng: np.random.Generator) -> None:
    """Check that replicas, which work side by side, do not reach each other."""
    layer = model.layers[0]
    copy = model.replica().layers[0]
    dy = rng.standard_normal(layer.forward(x).shape)
    expected = np.array(layer.input_gradient(dy))
    layer.forward(x)
    copy.forward(x + 1)
    copy.input_gradient(dy + 1)
    found = np.array(layer.input_gradient(dy))
    _expect_equal(layer, "copies that share nothing", found, expected)


def _check_single_precision(model: Sequential, x: Array) -> None:
    layer = model.layers[0]
    single = model.replica(model.parameters.astype(np.float32)).layers[0]
    y = single.forward(x.astype(np.float32))
    dx = single.input_gradient(np.ones_like(y, dtype=np.float32))
    for found in (y.dtype, dx.dtype):
        _expect(found == np.float32, layer, "single precision to stay single", found)
    what = "nearly the same output in single precision"
    _expect_equal(layer, what, np.array(y, np.float64), layer.forward(x), SINGLE_PRECISION)


def _check_checkpoint(model: Sequential, x: Array) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "layer.h5"
        save(model, path)
        again = load(path).predict(x)
    what = "the same output after a checkpoint"
    _expect_equal(model.layers[0], what, again, model.predict(x))


def _compare_second_derivatives(
    layer: Layer, x: Array, rng: np.random.Generator
) -> list[Comparison]:
    """Compare ``jvp`` and ``second_order_term``, if they are defined."""
    line = _Line(layer, x, rng)
    comparisons: list[Comparison] = []
    try:
        comparisons.append(line.compare_jvp("jvp without a change of x", None))
        comparisons.append(line.compare_jvp("jvp", line.dx))
        comparisons += line.compare_second_order_term()
    except CurvatureError:
        pass
    return comparisons


class _Line:
    """A layer along a line: its input moves by dx and its parameters by dparameters."""

    def __init__(self, layer: Layer, x: Array, rng: np.random.Generator) -> None:
        self.layer = layer
        self.x = x
        self.rng = rng
        self.start = {name: value.copy() for name, value in layer.parameters.items()}
        self.dparameters = {
            name: rng.standard_normal(value.shape) for name, value in self.start.items()
        }
        self.dx = rng.standard_normal(x.shape)
        self.dy = rng.standard_normal(layer.forward(x).shape)

    def move(self, length: float, dx: Array) -> Array:
        """Go to a point on the line; return the output there."""
        for name, parameter in self.layer.parameters.items():
            parameter[...] = self.start[name] + length * self.dparameters[name]
        return np.asarray(self.layer.forward(self.x + length * dx))

    def compare_jvp(self, what: str, dx: Array | None) -> Comparison:
        """Compare ``jvp`` with the change of the output."""
        self.move(0.0, self.dx)
        with _unwritten(self.layer, "jvp", self.dx):
            change = np.array(self.layer.jvp(dx, self.dparameters))
        return self._compare(what, change, None, np.zeros_like(self.x) if dx is None else dx)

    def compare_second_order_term(self) -> list[Comparison]:
        """Compare ``second_order_term`` with the change of the gradients at constant dy."""
        layer = self.layer
        self.move(0.0, self.dx)
        layer.jvp(self.dx, self.dparameters)
        layer.parameter_gradient(np.zeros_like(self.dy))
        with (
            _unwritten(layer, "second_order_term", self.dy),
            _unwritten(layer, "second_order_term", self.dx),
        ):
            own = layer.second_order_term(self.dy, self.dparameters)
        by_input = np.zeros_like(self.x) if own is None else np.array(own)
        by_parameter = {name: value.copy() for name, value in layer.gradients.items()}
        what = "second_order_term, change of the gradient by"
        comparisons = [self._compare(f"{what} the input", by_input, self._input_gradient, self.dx)]
        for name, change in by_parameter.items():
            gradient = partial(self._parameter_gradient, name)
            comparisons.append(self._compare(f"{what} {name}", change, gradient, self.dx))
        return comparisons

    def _input_gradient(self) -> Array:
        return np.asarray(self.layer.input_gradient(self.dy))

    def _parameter_gradient(self, name: str) -> Array:
        self.layer.parameter_gradient(self.dy)
        return self.layer.gradients[name]

    def _compare(
        self, what: str, change: Array, function: Callable[[], Array] | None, dx: Array
    ) -> Comparison:
        """Compare a random projection of a change with that of the output or of a gradient."""
        probe = self.rng.standard_normal(change.shape)

        def projected(length: Array) -> float:
            output = self.move(float(length[0]), dx)
            return float(np.sum(probe * (output if function is None else function())))

        found = np.array([np.sum(probe * change)])
        return compare(f"{self.layer!r}, {what}", projected, np.zeros(1), found, [np.ones(1)])
