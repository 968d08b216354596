"""Preconditioner: quasi-Newton steps as if each layer's inputs were whitened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import numpy as np

from ..nn import Layer, Sequential
from ..utils.cpus import single_threaded_blas
from ..utils.types import Array

DAMPING = 0.1
"""Added to the diagonal of a Gram matrix, as a share of its mean."""
ROWS_PER_INPUT = 4
MIN_ROWS = 1000
MAX_EVALUATIONS_PER_INVERSE = 10
"""An inverse that costs more evaluations than this is not computed."""
MAX_INPUTS = 4096
"""Of a preconditioned layer: its inverse takes 67 MB."""


@final
class Preconditioner:
    """A function ``v -> P v``, P a fixed symmetric positive definite guess at 1 / Hessian.

    A unit's weights w meet the rows as ``X @ w``, so their block of the Hessian is a weighted mean
    of x x' over the rows x of the layer's inputs (with a 1 for the bias). P takes the plain mean A,
    damped: the block is ``inv(A + d I)``, d = 0.1 times the mean of A's diagonal. Steps along P are
    those of a network whose inputs, at every layer, were decorrelated and scaled to one size.

    These layers are left as they are: those without ``input_gram``; those with more inputs than a
    quarter of the rows, where products with P would take longer than they save; those whose inverse
    would take the time of ten evaluations; and those with more than 4096 inputs.

    Parameters
    ----------
    model : Sequential
        The network.
    rows : ndarray, shape (k, n_inputs)
        Some rows of the data.
    of_rows : int
        How many rows there are in all.

    References
    ----------
    LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998, on whitened inputs. A is the input
    factor of K-FAC: Martens and Grosse, Optimizing neural networks with Kronecker-factored
    approximate curvature, 2015.

    Examples
    --------
    >>> from minilayer import Dense
    >>> model = Sequential([Dense(1, 1)])
    >>> preconditioner = Preconditioner(model, np.array([[3.0], [-3.0]] * 4), of_rows=8)
    >>> preconditioner.refresh(model.parameters)
    >>> preconditioner(np.array([1.0, 1.0])).round(4)  # 1 / (1 + 0.5) and 1 / (9 + 0.5)
    array([0.6667, 0.1053])
    """

    @staticmethod
    def rows_for(model: Sequential, of_rows: int) -> int:
        """Return how many rows are enough: 1000, and 4 for each input of a layer."""
        sizes = (layer.shapes()[name][-1] for _, layer, name in _preconditioned(model, of_rows))
        return max([MIN_ROWS, *(ROWS_PER_INPUT * size for size in sizes)])

    def __init__(self, model: Sequential, rows: Array, of_rows: int) -> None:
        self._vector = np.empty(model.parameters.size, np.float32)  # precise enough for a guess
        self._replica = model.replica(self._vector)
        with np.errstate(all="ignore"):  # layers of such inputs are left as they are
            self._rows = rows.astype(np.float32)
        self._blocks = list(_preconditioned(self._replica, of_rows))
        self._inverses: dict[int, Array | None] = {}

    def refresh(self, x: Array) -> None:
        """Take the layers' inputs at parameters x. Those of the first layer never change."""
        with single_threaded_blas(), np.errstate(all="ignore"):
            self._vector[:] = x
            self._replica.forward(self._rows)
            for index, (_, layer, name) in enumerate(self._blocks):
                if index not in self._inverses or layer is not self._replica.layers[0]:
                    self._inverses[index] = self._inverse(layer, name)

    def __call__(self, v: Array) -> Array:
        """Return P v, a new float64 array."""
        product = np.array(v, dtype=np.float64)
        with np.errstate(all="ignore"):  # beyond single precision: the caller sees an infinity
            for index, (place, _, _) in enumerate(self._blocks):
                inverse = self._inverses.get(index)
                if inverse is not None:
                    block = v[place].astype(np.float32).reshape(-1, len(inverse))
                    product[place] = (block @ inverse).ravel()
        return product

    def _inverse(self, layer: Layer, name: str) -> Array | None:
        """Return the damped inverse, or None for the identity if there is none."""
        gram = layer.input_gram(name)
        size = layer.shapes()[name][-1]
        if gram is None:
            return None
        if gram.shape != (size, size):
            raise ValueError(
                f"input_gram of {layer!r} for {name!r}: expected shape {(size, size)}, "
                f"found {gram.shape}"
            )
        mean = gram.astype(np.float64) / len(self._rows)
        scale = float(np.trace(mean)) / size
        if not (np.isfinite(mean).all() and scale > np.finfo(np.float32).tiny):
            return None
        mean[np.diag_indices(size)] += DAMPING * scale
        inverse = np.linalg.inv(mean).astype(np.float32)
        return inverse if np.isfinite(inverse).all() else None


def _preconditioned(model: Sequential, rows: int) -> Iterator[tuple[slice, Layer, str]]:
    """Yield place, layer and name of each parameter that is preconditioned."""
    for place, layer, name in model.parameter_slices():
        if type(layer).input_gram is Layer.input_gram:
            continue
        size = layer.shapes()[name][-1]
        units = (place.stop - place.start) // size
        enough_rows = ROWS_PER_INPUT * size <= rows
        cheap = size * size <= MAX_EVALUATIONS_PER_INVERSE * rows * units
        if enough_rows and cheap and size <= MAX_INPUTS:
            yield place, layer, name
