"""The fitted network, and its weights as scikit-learn shows them: arrays to read and to assign."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted, validate_data

from ..nn import Sequential
from ..utils.types import Array
from .network import weight_views
from .parameters import Parameters

_VIEWS = ("coefs_", "intercepts_", "_views")
"""What is made of the network again when a pickle is loaded."""


class FittedNetwork(Parameters):
    """An estimator's network.

    ``coefs_[i]`` (inputs, units) and ``intercepts_[i]`` (units,) are views of the parameters of its
    Dense layers, so changes in place take effect at once. Other arrays that are assigned to them,
    or to the lists, are copied into the network before it is used the next time.
    """

    _network: Sequential
    _views: tuple[list[Array], list[Array]]
    coefs_: list[Array]
    intercepts_: list[Array]

    @property
    def model_(self) -> Sequential:
        """The network, for everything else of minilayer."""
        check_is_fitted(self)
        self._take_assigned()
        return self._network

    def _show_weights(self) -> None:
        """Let ``coefs_`` and ``intercepts_`` hold views of the network's parameters."""
        self._views = weight_views(self._network)
        self.coefs_ = list(self._views[0])
        self.intercepts_ = list(self._views[1])

    def _take_assigned(self) -> None:
        """Copy what has been assigned to ``coefs_``, ``intercepts_`` or their items."""
        assigned = (self.coefs_, self.intercepts_)
        if all(
            len(own) == len(seen) and all(a is b for a, b in zip(own, seen, strict=True))
            for own, seen in zip(assigned, self._views, strict=True)
        ):
            return
        names = ("coefs_", "intercepts_")
        for name, own, places in zip(names, assigned, weight_views(self._network), strict=True):
            shapes = [place.shape for place in places]
            found = [np.shape(array) for array in own]
            if found != shapes:
                raise ValueError(f"{name}: expected arrays of shapes {shapes}, found {found}")
            for array, place in zip(own, places, strict=True):
                if array is not place:
                    place[...] = array
        self._show_weights()

    def _predictions(self, X: npt.ArrayLike) -> Array:
        """Return the network's output (m, outputs) in its own precision."""
        network = self.model_
        rows = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        return network.predict(dense(rows)).astype(network.parameters.dtype, copy=False)

    def __getstate__(self) -> dict[str, Any]:
        if hasattr(self, "_network"):
            self._take_assigned()
        state: dict[str, Any] = super().__getstate__()
        if "_network" in state:
            state = {name: state[name] for name in state if name not in _VIEWS}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "_network"):
            self._show_weights()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def dense(X: Any) -> Array:
    """Return X, or a dense copy of a sparse matrix."""
    dense: Array = X.toarray() if hasattr(X, "toarray") else X
    return dense
