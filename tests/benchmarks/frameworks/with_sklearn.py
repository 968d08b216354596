"""scikit-learn's MLPClassifier with solver="lbfgs", which here minimizes the exercise's cost.

MLPClassifier takes an indicator matrix as multilabel targets. It then has sigmoid outputs and the
binary log loss, summed over the outputs and averaged over the rows. Its penalty is alpha / (2 rows)
times the sum of the squared coefficients without intercepts. That is the exercise's cost with
alpha = lambda; the comparison checks it at the end of each run.

Two private methods are overridden: one gives the start, the other reads the loss that it has just
computed. The solver is SciPy's L-BFGS-B with a memory of 10 steps, which users cannot change.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from ..case import EX4_SHAPE, L2, Array, Weights, exercise
from ..target_timer import TargetTimer


class SklearnTraining:
    """``fit``, including its input checks, which take a few milliseconds."""

    def __init__(self) -> None:
        X, Y = exercise()
        self._X = X
        self._Y = Y.astype(np.int64)

    def train(self, start: Array, timer: TargetTimer) -> None:
        with timer:
            _Classifier(start, timer).fit(self._X, self._Y)


class _Classifier(MLPClassifier):  # type: ignore[misc]
    def __init__(self, start: Array, timer: TargetTimer) -> None:
        super().__init__(
            hidden_layer_sizes=(EX4_SHAPE.hidden,),
            activation="logistic",
            solver="lbfgs",
            alpha=L2,
            tol=0.0,
            max_iter=100_000,
            max_fun=100_000,
        )
        self.start = start
        self.timer = timer

    def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[Array, Array]:
        weights = Weights.of(self.start, EX4_SHAPE)
        theta = weights.theta1 if fan_in == EX4_SHAPE.inputs else weights.theta2
        return theta[:, 1:].T.astype(dtype), theta[:, 0].astype(dtype)

    def _backprop(self, *arguments: Any) -> Any:
        result = super()._backprop(*arguments)
        self.timer.record(float(result[0]), self._flat)
        return result

    def _flat(self) -> Array:
        pairs = zip(self.coefs_, self.intercepts_, strict=True)
        return np.concatenate([np.column_stack([bias, weight.T]).ravel() for weight, bias in pairs])
