"""Training in epochs of minibatches, for adam and sgd, with scikit-learn's rules for the end.

``GradientDescent`` evaluates all rows after each epoch. scikit-learn does not: the cost of an epoch
is the mean of its minibatches, and the penalty is divided by the rows of a minibatch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from ..nn import Loss, Sequential, Workspace
from ..nn.loss import sees_prediction
from ..objective.evaluator import forward_to_loss
from ..objective.shards import through
from ..training import Callback, History, Iteration, Status, TrainingResult
from ..training.stopping import Stop
from ..utils.cpus import single_threaded_blas
from ..utils.interrupts import interruptible, raise_interrupt
from ..utils.types import Array
from .optimizers import Optimizer


@dataclass(frozen=True, kw_only=True)
class EpochSettings:
    """When and how to go through the rows.

    Attributes
    ----------
    max_epochs : int
        The budget.
    batch_size : int
        Rows of a minibatch.
    is_shuffled : bool
        Whether each epoch takes the rows in another order.
    min_delta : float
        The cost, or the validation score, must improve by this much.
    patience : float
        Epochs without such an improvement after which the training ends with the next one.
    """

    max_epochs: int
    batch_size: int
    is_shuffled: bool
    min_delta: float
    patience: float


@dataclass(frozen=True, kw_only=True)
class TrainingRows:
    """Rows to train on: X dense or sparse, targets (m, outputs), weights (m,) or None."""

    X: Any
    targets: Array
    weights: Array | None


@dataclass
class Progress:
    """What is known of earlier epochs, also of earlier calls of ``partial_fit``.

    Attributes
    ----------
    costs : list of float
        Of each epoch.
    scores : list of float
        Of the validation rows after each epoch.
    samples_seen : int
        Rows passed so far.
    stalled_epochs : int
        Epochs since the last improvement by more than ``min_delta``.
    best_cost, best_score : float
        So far.
    best_parameters : ndarray or None
        Those of the best score.
    """

    costs: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    samples_seen: int = 0
    stalled_epochs: int = 0
    best_cost: float = math.inf
    best_score: float = -math.inf
    best_parameters: Array | None = None


class BatchCost:
    """Cost and gradient of a minibatch at the network's own parameters.

    Parameters
    ----------
    network : Sequential
        The network.
    loss : Loss
        Its loss.
    alpha : float
        The penalty.
    outputs : int
        What the reported cost divides the loss by; the gradient is that of the sum.
    constant : callable
        A function of targets and weights: what the reported cost adds.
    unit : float
        What the gradient is divided by.
    """

    def __init__(
        self,
        network: Sequential,
        loss: Loss,
        alpha: float,
        outputs: int,
        constant: Callable[[Array, Array | None], float],
        unit: float,
    ) -> None:
        self._network = network.without_leading_layers()
        self._loss = loss
        self._penalty = alpha * unit * network.l2_mask()
        self._outputs = outputs
        self._constant = constant
        self._unit = unit
        self._work = Workspace()
        self._sees_prediction = sees_prediction(loss, network.output_activation)

    def __call__(self, x: Array, y: Array, weights: Array | None) -> tuple[float, Array]:
        """Return cost and gradient for rows that have passed the leading layers."""
        network = self._network
        total_weight = len(x) if weights is None else float(weights.sum())
        column = None if weights is None else weights[:, None]
        z = forward_to_loss(network, x, self._work, is_prediction=self._sees_prediction)
        loss = self._loss.value_and_error_(z, y, self._work, column)
        backward = network.backward if self._sees_prediction else network.backward_pre_activation
        gradient = self._penalty * network.parameters
        penalty = float(gradient @ network.parameters) / 2
        gradient += backward(z)
        if total_weight == 0:  # rows that do not count
            return 0.0, np.zeros_like(gradient)
        gradient /= total_weight * self._unit
        cost = (loss / self._outputs + penalty) / total_weight
        return cost + self._constant(y, weights), gradient


@final
class Epochs:
    """A run of adam or sgd.

    Parameters
    ----------
    network : Sequential
        The network, which is trained in place.
    rows : TrainingRows
        What to train on.
    cost : BatchCost
        Cost and gradient.
    optimizer : Optimizer
        Makes the steps.
    settings : EpochSettings
        When and how.
    progress : Progress
        Of earlier epochs; it is continued.
    rng : numpy.random.RandomState
        Of the shuffles.
    score : callable, optional
        A function without arguments: the score of the validation rows. With it, that score decides
        when to stop, and the best epoch is kept.
    callback : callable, optional
        Called with an Iteration after each epoch; StopIteration ends the run.
    """

    def __init__(
        self,
        network: Sequential,
        rows: TrainingRows,
        *,
        cost: BatchCost,
        optimizer: Optimizer,
        settings: EpochSettings,
        progress: Progress,
        rng: np.random.RandomState,
        score: Callable[[], float] | None,
        callback: Callback | None,
    ) -> None:
        self._network = network
        self._cost = cost
        self._optimizer = optimizer
        self._settings = settings
        self._progress = progress
        self._rng = rng
        self._score = score
        self._callback = callback
        self._history = History()
        self._lowest_cost = math.inf
        dtype = network.parameters.dtype
        X = rows.X
        if network.leading_layers:  # once, as in an Objective
            X = np.ascontiguousarray(through(network.leading_layers, X, dtype))
        self._X = X
        self._targets = rows.targets.astype(dtype)
        self._weights = rows.weights
        self._rows = len(rows.targets)
        self._order = np.arange(self._rows)

    def run(self) -> TrainingResult:
        """Train, and return how it ended. Costs are means over minibatches; jac is unknown: NaN."""
        self._began = time.perf_counter()
        with single_threaded_blas(), np.errstate(all="ignore"):
            try:
                status, reason = self._run()
            except Stop as stop:
                status, reason = stop.status, stop.reason
            except KeyboardInterrupt:
                status, reason = Status.INTERRUPTED, "interrupted"
        best = self._progress.best_parameters
        if self._score is not None and best is not None:
            self._network.parameters[:] = best
        self._network.mark_trained()
        costs = self._history.cost
        return TrainingResult(
            x=self._network.parameters.astype(np.float64),
            fun=costs[-1] if costs else math.nan,
            jac=np.full(self._network.parameters.size, math.nan),
            nfev=len(costs),
            njev=len(costs),
            nhev=0,
            nit=len(costs),
            status=status,
            success=status.is_success,
            message=f"{self._optimizer.name}: {reason}",
            method=self._optimizer.name,
            seconds=time.perf_counter() - self._began,
            history=self._history,
            best_iteration=None,
        )

    def _run(self) -> tuple[Status, str]:
        for _ in range(self._settings.max_epochs):
            self._progress.costs.append(self._epoch())
            self._progress.samples_seen += self._rows
            self._note_progress()
            self._optimizer.end_epoch(self._progress.samples_seen)
            self._report()
            if self._progress.stalled_epochs > self._settings.patience:
                if not self._optimizer.goes_on_after_stall():
                    return self._stalled()
                self._progress.stalled_epochs = 0
        return Status.MAX_ITERATIONS, f"the budget of {self._settings.max_epochs} epochs is used up"

    def _epoch(self) -> float:
        """Go through the rows once; return the mean cost of the minibatches."""
        if self._settings.is_shuffled:
            places = np.arange(self._rows)
            self._rng.shuffle(places)
            self._order = self._order[places]  # as sklearn.utils.shuffle, which takes longer
        parameters = self._network.parameters
        total = 0.0
        for start in range(0, self._rows, self._settings.batch_size):
            raise_interrupt()
            chosen = self._order[start : start + self._settings.batch_size]
            x = self._X[chosen]
            if hasattr(x, "toarray"):
                x = x.toarray()
            weights = None if self._weights is None else self._weights[chosen]
            cost, gradient = self._cost(x, self._targets[chosen], weights)
            total += cost * len(chosen)
            parameters += self._optimizer.step(gradient)
        return total / self._rows

    def _note_progress(self) -> None:
        """Compare the epoch with the best one, by the validation score or by the cost."""
        progress, delta = self._progress, self._settings.min_delta
        if self._score is None:
            cost = progress.costs[-1]
            is_stalled = cost > progress.best_cost - delta
            progress.best_cost = min(progress.best_cost, cost)
        else:
            score = self._score()
            progress.scores.append(score)
            is_stalled = score < progress.best_score + delta
            if score > progress.best_score:
                progress.best_score = score
                progress.best_parameters = self._network.parameters.copy()
        progress.stalled_epochs = progress.stalled_epochs + 1 if is_stalled else 0

    def _report(self) -> None:
        x = self._network.parameters.view()
        x.flags.writeable = False
        self._lowest_cost = min(self._lowest_cost, self._progress.costs[-1])
        iteration = Iteration(
            iteration=len(self._history) + 1,
            evaluations=len(self._history) + 1,
            cost=self._progress.costs[-1],
            gradient_norm=math.nan,
            best_cost=self._lowest_cost,
            seconds=time.perf_counter() - self._began,
            x=x,
            metric=None if self._score is None else self._progress.scores[-1],
        )
        self._history.append(iteration)
        if self._callback is None:
            return
        try:
            with interruptible():
                self._callback(iteration)
        except StopIteration:
            raise Stop(Status.CALLBACK, "the callback stopped the run") from None

    def _stalled(self) -> tuple[Status, str]:
        what = "training cost" if self._score is None else "validation score"
        status = Status.STALLED if self._score is None else Status.STOPPED_EARLY
        delta, patience = self._settings.min_delta, self._settings.patience
        return status, f"the {what} has not improved by {delta:g} for {patience} epochs"
