"""The parameters that classifier and regressor share, and what scikit-learn checks of them."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ..nn import Activation, Loss
from ..training import Callback, Trainer
from .network import ACTIVATIONS, Hidden, Layers
from .optimizers import LearningRate
from .solvers import SOLVERS

NON_NEGATIVE = Interval(Real, 0, None, closed="left")
POSITIVE = Interval(Real, 0, None, closed="neither")
COUNT = Interval(Integral, 1, None, closed="left")
SHARE = Interval(Real, 0, 1, closed="left")


class Parameters(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """The parameters of MLPClassifier and MLPRegressor. Their docstrings say what each means."""

    hidden_layer_sizes: Any
    activation: Hidden | Sequence[Hidden]
    solver: str | Trainer
    alpha: float
    batch_size: int | Literal["auto"]
    learning_rate: LearningRate
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool | int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    layers: Layers | None
    loss: str | Loss
    standardize: bool
    callback: Callback | None

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "hidden_layer_sizes": ["array-like", COUNT],
        "activation": [StrOptions(set(ACTIVATIONS)), Activation, type, list, tuple],
        "solver": [StrOptions(set(SOLVERS)), Trainer],
        "alpha": [NON_NEGATIVE],
        "batch_size": [StrOptions({"auto"}), COUNT],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [POSITIVE],
        "power_t": [NON_NEGATIVE],
        "max_iter": [COUNT],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [NON_NEGATIVE],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [SHARE],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [SHARE],
        "beta_1": [SHARE],
        "beta_2": [SHARE],
        "epsilon": [POSITIVE],
        "n_iter_no_change": [COUNT, Options(Real, {np.inf})],
        "max_fun": [COUNT],
        "layers": [list, tuple, callable, None],
        "standardize": ["boolean"],
        "callback": [callable, None],
    }

    def _set_arguments(self, arguments: Mapping[str, object]) -> None:
        """Keep each argument of the constructor as the attribute of its name."""
        for name in self._get_param_names():
            setattr(self, name, arguments[name])
