"""GradientDescent: full-batch gradient descent with momentum."""

from __future__ import annotations

from typing import final

import numpy as np

from ..checks import Array, check_number
from .run import Run
from .status import Status
from .trainer import Trainer


@final
class GradientDescent(Trainer):
    """v <- momentum v - learning_rate gradient(x); x <- x + v (Polyak, 1964), from v = 0.

    Converged when the 2-norm of the gradient is at most ``tolerance``. Iteration k ends with evaluation k + 1.

    Raises TypeError or ValueError for a learning rate not above 0, a momentum outside [0, 1), a negative tolerance.

    >>> bowl = lambda x: (x @ x / 2, x)
    >>> result = GradientDescent(learning_rate=0.5).minimize(bowl, [4.0, -2.0])
    >>> result.success, bool(abs(result.x).max() < 1e-5), result.message
    (True, True, 'gradient descent: the gradient norm is within the tolerance of 1e-05')
    """

    def __init__(
        self,
        learning_rate: float = 0.1,
        *,
        momentum: float = 0.0,
        tolerance: float = 1e-5,
        max_iterations: int | None = 1000,
        max_evaluations: int | None = None,
        max_seconds: float | None = None,
        target_cost: float | None = None,
    ) -> None:
        super().__init__(
            max_evaluations=max_evaluations,
            max_iterations=max_iterations,
            max_seconds=max_seconds,
            target_cost=target_cost,
        )
        self.learning_rate = check_number("learning_rate", learning_rate, above=True)
        self.momentum = check_number("momentum", momentum)
        if self.momentum >= 1:
            raise ValueError(f"momentum: expected a number below 1, found {momentum}")
        self.tolerance = check_number("tolerance", tolerance)

    shows_state = True

    @property
    def name(self) -> str:
        return "gradient descent"

    def settings(self) -> dict[str, object]:
        return {"learning_rate": self.learning_rate, "momentum": self.momentum, "tolerance": self.tolerance}

    def _search(self, run: Run, x0: Array) -> tuple[Status, str]:
        if run.resumed is None:
            x, velocity = x0, np.zeros_like(x0)
            _, gradient = run.evaluate(x)
        else:
            x, velocity, gradient = (run.resumed[name] for name in ("x", "velocity", "gradient"))
        while np.linalg.norm(gradient) > self.tolerance:
            velocity = self.momentum * velocity - self.learning_rate * gradient
            x = x + velocity
            _, gradient = run.evaluate(x)
            run.iterated(x, {"x": x, "velocity": velocity, "gradient": gradient})
        return Status.CONVERGED, f"the gradient norm is within the tolerance of {self.tolerance:g}"

    def _evaluation_limit(self) -> int | None:
        limits = [self.budget.evaluations, self.budget.iterations and self.budget.iterations + 1]
        return min((limit for limit in limits if limit is not None), default=None)
