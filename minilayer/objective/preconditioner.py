"""Preconditioner: steps as if the inputs of every layer had one size and nothing in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import numpy as np

from ..nn.layer import Layer
from ..nn.sequential import Sequential
from ..utils.cpus import single_threaded_blas
from ..utils.types import Array

DAMPING = 0.1
ROWS_PER_INPUT, FEWEST_ROWS = 4, 1000
EVALUATIONS, MOST_INPUTS = 10, 4096


@final
class Preconditioner:
    """``preconditioner(v)``: the product of v with a fixed symmetric positive definite P, shaped like 1 / Hessian.

    A unit's weights meet the rows as sums ``w @ x``, so that their block of the Hessian is a weighted mean of the
    products ``x x'`` of the layer's inputs (a 1 for the bias among them). P takes the plain mean for it, damped: the
    block is ``inv(A + d I)``, A = mean of x x', d = 0.1 times the mean of A's diagonal. Steps by P are those of a
    network whose inputs, at every layer, were decorrelated and scaled to one size, as LeCun, Bottou, Orr and Müller
    (Efficient BackProp, 1998) would have them. Parameters of layers without ``moment`` are left as they are. So are
    layers of more inputs than a quarter of the rows, where products with P would take longer than they save, those for
    which the inverse would take the time of ten evaluations or more, and those of more than 4096 inputs, which would
    take too much memory.

    ``refresh(x)`` takes the inputs of the layers as they are at parameters x, from the ``rows`` given: some of the
    ``of_rows`` that there are will do. All of it is in single precision, which is less work: it only guides.

    >>> from minilayer import Dense
    >>> model = Sequential([Dense(1, 1)])
    >>> preconditioner = Preconditioner(model, np.array([[3.0], [-3.0]] * 4), of_rows=8)
    >>> preconditioner.refresh(model.parameters)
    >>> preconditioner(np.array([1.0, 1.0])).round(4)  # 1 / (1 + 0.5) and 1 / (9 + 0.5)
    array([0.6667, 0.1053])
    """

    @staticmethod
    def rows_for(model: Sequential, of_rows: int) -> int:
        """How many rows are enough: four times as many as a layer that it guides has inputs, not less than 1000."""
        sizes = (layer.shapes()[name][-1] for _, layer, name in _pieces(model, of_rows))
        return max([FEWEST_ROWS, *(ROWS_PER_INPUT * size for size in sizes)])

    def __init__(self, model: Sequential, rows: Array, of_rows: int) -> None:
        self._vector = np.empty(model.parameters.size, np.float32)
        with np.errstate(over="ignore"):  # such layers are left as they are
            self._replica, self._rows = model.replica(self._vector), rows.astype(np.float32)
        self._pieces = list(_pieces(self._replica, of_rows))
        self._inverses: dict[int, Array | None] = {}

    def refresh(self, x: Array) -> None:
        """Take the layers' inputs at parameters x; those of the first layer are the data, and stay what they are."""
        self._vector[:] = x
        with single_threaded_blas(), np.errstate(all="ignore"):
            self._replica.propagate(self._rows)
            for index, (_, layer, name) in enumerate(self._pieces):
                if index not in self._inverses or layer is not self._replica.layers[0]:
                    self._inverses[index] = self._inverse(layer, name)

    def __call__(self, v: Array) -> Array:
        """P v, a new float64 array."""
        product = np.array(v, dtype=np.float64)
        with np.errstate(all="ignore"):  # beyond single precision: the caller sees that it is not finite
            for index, (piece, _, _) in enumerate(self._pieces):
                inverse = self._inverses.get(index)
                if inverse is not None:
                    block = v[piece].astype(np.float32).reshape(-1, len(inverse))
                    product[piece] = (block @ inverse).ravel()
        return product

    def _inverse(self, layer: Layer, name: str) -> Array | None:
        """The damped inverse; None, which stands for the identity, where there is none."""
        moment, size = layer.moment(name), layer.shapes()[name][-1]
        if moment is None:
            return None
        if moment.shape != (size, size):
            raise ValueError(f"moment of {layer!r} for {name!r}: expected shape {(size, size)}, found {moment.shape}")
        mean = moment.astype(np.float64) / len(self._rows)
        scale = float(np.trace(mean)) / size
        if not (np.isfinite(mean).all() and scale > np.finfo(np.float32).tiny):
            return None
        mean[np.diag_indices(size)] += DAMPING * scale
        inverse = np.linalg.inv(mean).astype(np.float32)
        return inverse if np.isfinite(inverse).all() else None


def _pieces(model: Sequential, rows: int) -> Iterator[tuple[slice, Layer, str]]:
    """The parameters that are guided, as ``named_pieces`` gives them."""
    for piece, layer, name in model.named_pieces():
        if type(layer).moment is Layer.moment:
            continue
        size = layer.shapes()[name][-1]
        units = (piece.stop - piece.start) // size
        if ROWS_PER_INPUT * size <= rows and size * size <= EVALUATIONS * rows * units and size <= MOST_INPUTS:
            yield piece, layer, name
