"""check_layer: the tests that every layer of minilayer passes, for a layer of your own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..checkpoint.writer import load, save
from ..errors import CurvatureError, LayerError
from ..nn.dense import Dense
from ..nn.layer import Layer, registered
from ..nn.sequential import Sequential
from ..utils.checks import check_instance, check_number
from ..utils.types import Array
from .finite_differences import Check, GradientReport, compare, layer_gradients, refuse_wrong

ROWS, DIRECTIONS, ROUNDING = 6, 3, 1e-12
SINGLE = 1e-4
"""How far single precision may be off."""


def check_layer(layer: Layer, *, checkpoint: bool = True, tolerance: float = 1e-6, seed: int = 0) -> GradientReport:
    """Put a layer that no model holds yet through the battery, on random rows; the layer itself is left alone.

    It must be what its ``config`` says; compute each row by itself, in any memory order, and single precision in single
    precision; write to nothing that it is given; overwrite its gradients; share nothing with its copies; have the
    derivatives that differences have, ``tangent`` and ``curvature`` too, where it defines them; and come back from a
    checkpoint as it was (``checkpoint=False`` for a layer without ``@register``).

    Raises LayerError or GradientError for the first thing that is wrong; returns what was checked, with the relative
    errors of the derivatives.

    >>> from minilayer import Sigmoid
    >>> check_layer(Sigmoid()).worst < 1e-8
    True
    """
    check_instance("layer", layer, Layer, "a Layer")
    if layer.is_bound:
        raise ValueError(f"layer: expected one that no model holds yet, found {layer!r}: make a new one")
    check_number("tolerance", tolerance, above=True)
    rng = np.random.default_rng(seed)
    _check_config(layer, checkpoint)
    model = _model(layer)
    own = model.layers[0]
    model.parameters[:] += 0.1 * rng.standard_normal(model.parameters.size)  # away from a start of zeros
    x = rng.standard_normal((ROWS, model.inputs))
    _check_forward(own, x)
    _check_backward(own, x, rng)
    _check_copies(model, x, rng)
    _check_single(model, x)
    if checkpoint:
        _check_checkpoint(model, x)
    checks = layer_gradients(repr(own), own, x, DIRECTIONS, rng)
    return refuse_wrong([*checks, *_curvature(own, x, rng)], tolerance)


def _model(layer: Layer) -> Sequential:
    """A model with a copy of the layer in front."""
    twin = layer.unbound_copy()
    return Sequential([twin] if twin.inputs is not None else [twin, Dense(4, 1)], seed=0)


def _expect(right: bool, layer: Layer, expected: str, found: object) -> None:
    if not right:
        raise LayerError(f"{layer!r}: expected {expected}, found {found}")


def _expect_equal(layer: Layer, what: str, found: Array, expected: Array, tolerance: float = ROUNDING) -> None:
    _expect(found.shape == expected.shape, layer, f"{what} of shape {expected.shape}", f"shape {found.shape}")
    error = float(np.abs(found - expected).max(initial=0)) / max(1.0, float(np.abs(expected).max(initial=0)))
    _expect(error <= tolerance, layer, what, f"numbers that are off by {error:.1e}")


@contextmanager
def _nothing_written(layer: Layer, method: str, argument: Array) -> Iterator[None]:
    argument.flags.writeable = False
    try:
        yield
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        what = f"{method} to leave its argument alone"
        raise LayerError(f"{layer!r}: expected {what}, found that it writes to it") from error
    finally:
        argument.flags.writeable = True


def _check_config(layer: Layer, checkpoint: bool) -> None:
    kind = type(layer)
    try:
        twin = kind(**layer.config())
    except TypeError as error:
        raise LayerError(f"{layer!r}: expected config() to hold the arguments that make it again: {error}") from None
    same = twin.shapes() == layer.shapes() and (twin.inputs, twin.units) == (layer.inputs, layer.units)
    same = same and twin.config() == layer.config()
    _expect(same, layer, "config() to hold the arguments that make it again", f"that they make {twin!r}")
    if checkpoint:
        _expect(registered(kind.__name__) is kind, layer, "@register above its class", "a class that is not registered")


def _check_forward(layer: Layer, x: Array) -> None:
    with _nothing_written(layer, "forward", x):
        y = np.array(layer.forward(x))
    columns = x.shape[1] if layer.units is None else layer.units
    _expect(y.shape == (ROWS, columns), layer, f"an output of shape {(ROWS, columns)}", f"shape {y.shape}")
    _expect(y.dtype == np.float64, layer, "an output of float64", y.dtype)
    _expect(bool(np.isfinite(y).all()), layer, "finite numbers for a standard normal input", "others")
    _expect_equal(layer, "the same output twice", np.array(layer.forward(x)), y)
    apart = np.concatenate([np.array(layer.forward(row[None])) for row in x])
    _expect_equal(layer, "each row's output to depend on that row alone", apart, y)
    for order in (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2]):
        _expect_equal(layer, "the same output for any memory order", np.array(layer.forward(order)), y)
    for name, shape in layer.shapes().items():
        mask = np.asarray(layer.penalized(name))
        fits = mask.dtype == bool and (mask.ndim == 0 or mask.shape == shape)
        _expect(fits, layer, f"penalized({name!r}) to be True, False or booleans of shape {shape}", mask)


def _check_backward(layer: Layer, x: Array, rng: np.random.Generator) -> None:
    dy = rng.standard_normal(layer.forward(x).shape)
    with _nothing_written(layer, "parameter_gradient", dy):
        layer.parameter_gradient(dy)
    first = {name: gradient.copy() for name, gradient in layer.gradients.items()}
    layer.parameter_gradient(dy)
    for name, gradient in layer.gradients.items():
        _expect_equal(layer, f"parameter_gradient to overwrite the gradient of {name}", gradient, first[name])
    output = layer.forward(x)
    before = np.array(output)
    with _nothing_written(layer, "input_gradient", dy), _nothing_written(layer, "input_gradient", x):
        dx = np.array(layer.input_gradient(dy))
    _expect_equal(layer, "the output to stay until the next forward", output, before)
    _expect(dx.shape == x.shape, layer, f"an input gradient of shape {x.shape}", f"shape {dx.shape}")


def _check_copies(model: Sequential, x: Array, rng: np.random.Generator) -> None:
    """Replicas work side by side: what one does must not reach the other."""
    layer, twin = model.layers[0], model.replica().layers[0]
    dy = rng.standard_normal(layer.forward(x).shape)
    expected = np.array(layer.input_gradient(dy))
    layer.forward(x)
    twin.forward(x + 1)
    twin.input_gradient(dy + 1)
    _expect_equal(layer, "copies that share nothing", np.array(layer.input_gradient(dy)), expected)


def _check_single(model: Sequential, x: Array) -> None:
    layer = model.layers[0]
    single = model.replica(model.parameters.astype(np.float32)).layers[0]
    y = single.forward(x.astype(np.float32))
    dx = single.input_gradient(np.ones_like(y, dtype=np.float32))
    for found in (y.dtype, dx.dtype):
        _expect(found == np.float32, layer, "single precision to stay single", found)
    _expect_equal(
        layer, "nearly the same output in single precision", np.array(y, np.float64), layer.forward(x), SINGLE
    )


def _check_checkpoint(model: Sequential, x: Array) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "layer.h5"
        save(model, path)
        _expect_equal(model.layers[0], "the same output after a checkpoint", load(path).predict(x), model.predict(x))


def _curvature(layer: Layer, x: Array, rng: np.random.Generator) -> list[Check]:
    """Where defined: tangent as the change of the output, curvature as that of the gradients at constant dy."""
    start = {name: parameter.copy() for name, parameter in layer.parameters.items()}
    direction = {name: rng.standard_normal(parameter.shape) for name, parameter in start.items()}
    rx, dy = rng.standard_normal(x.shape), rng.standard_normal(layer.forward(x).shape)

    def move(step: float, along: Array) -> Array:
        for name, parameter in layer.parameters.items():
            parameter[...] = start[name] + step * direction[name]
        return np.asarray(layer.forward(x + step * along))

    def input_gradient() -> Array:
        return np.asarray(layer.input_gradient(dy))

    def parameter_gradient(name: str) -> Array:
        layer.parameter_gradient(dy)
        return layer.gradients[name]

    def check(what: str, change: Array, function: Callable[[], Array] | None = None, along: Array = rx) -> Check:
        probe = rng.standard_normal(change.shape)

        def probed(step: Array) -> float:
            output = move(float(step[0]), along)
            return float(np.sum(probe * (output if function is None else function())))

        found = np.array([np.sum(probe * change)])
        return compare(f"{layer!r}, {what}", probed, np.zeros(1), found, [np.ones(1)])

    checks: list[Check] = []
    try:
        for what, along in (("tangent without a change of x", None), ("tangent", rx)):
            move(0.0, rx)
            with _nothing_written(layer, "tangent", rx):
                change = np.array(layer.tangent(along, direction))
            checks.append(check(what, change, along=np.zeros_like(x) if along is None else along))
        move(0.0, rx)
        layer.tangent(rx, direction)
        layer.parameter_gradient(np.zeros_like(dy))
        with _nothing_written(layer, "curvature", dy), _nothing_written(layer, "curvature", rx):
            bend = layer.curvature(dy, direction)
    except CurvatureError:
        return checks
    change_of_input = np.zeros_like(x) if bend is None else np.array(bend)
    change_of = {name: gradient.copy() for name, gradient in layer.gradients.items()}
    checks.append(check("curvature, change of the gradient by the input", change_of_input, input_gradient))
    for name, change in change_of.items():
        what = f"curvature, change of the gradient by {name}"
        checks.append(check(what, change, partial(parameter_gradient, name)))
    return checks
