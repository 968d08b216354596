"""BaseMLP: how classifier and regressor are fitted."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from ..nn import Activation, Loss
from ..objective import Objective
from ..objective.standardization import standardize_model
from ..training import Callback, Iteration, Status, Trainer, TrainingResult, Validation
from ..utils.types import Array
from .epochs import BatchCost, Epochs, EpochSettings, Progress, TrainingRows
from .network import checked_widths, given_network, in_precision, new_network, output_name
from .optimizers import AdamOptimizer, Optimizer, SGDOptimizer
from .solvers import EPOCH_SOLVERS, trainer_of
from .validation import Split, split_rows
from .weights import FittedNetwork, dense

LEVELS_TO_THE_USER = 5
"""From ``_warn_of`` through ``_fit``, ``fit`` and scikit-learn's wrapper of it."""
MAX_BATCH_SIZE = 200
"""Of ``batch_size="auto"``, as in scikit-learn."""


class BaseMLP(FittedNetwork):
    """A network as a scikit-learn estimator. See MLPClassifier and MLPRegressor."""

    validation_scores_: list[float] | None
    best_validation_score_: float | None

    # What classifier and regressor say of themselves

    @abstractmethod
    def _checked_data(
        self, X: npt.ArrayLike, y: npt.ArrayLike, *, is_start: bool, keeps_classes: bool
    ) -> tuple[Any, Array]:
        """Return X, dense or sparse, and the targets (m, outputs)."""

    @abstractmethod
    def _output(self) -> type[Activation]:
        """Return the output activation of a network that is made of ``hidden_layer_sizes``."""

    @abstractmethod
    def _loss(self) -> Loss:
        """Return the loss of the network."""

    @abstractmethod
    def _score(self, targets: Array, predictions: Array, weights: Array | None) -> float:
        """Return the score that ``early_stopping`` watches; more is better."""

    def _outputs_per_cost(self) -> int:
        """Return what the reported cost divides the loss of a row by; the loss sums outputs."""
        return 1

    def _cost_constant(self, targets: Array, weights: Array | None) -> float:
        """Return what the reported cost adds to the mean loss."""
        return 0.0

    def _row_weights(self, targets: Array, weights: Array | None) -> Array | None:
        """Return the weights of the rows, with those of classes."""
        return weights

    # Fitting

    def _fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        *,
        one_epoch: bool = False,
    ) -> Self:
        may_go_on = self.warm_start or one_epoch
        goes_on = may_go_on and hasattr(self, "coefs_")
        inputs, targets = self._checked_data(X, y, is_start=not goes_on, keeps_classes=may_go_on)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, inputs)
        weights = self._row_weights(targets, weights)
        if weights is not None and not weights.sum() > 0:
            raise ValueError(
                "sample_weight, class_weight: expected at least one positive weight, found none"
            )
        rng = check_random_state(self.random_state)
        self._make_network(inputs, targets, rng, goes_on=goes_on)
        split = self._split(TrainingRows(X=inputs, targets=targets, weights=weights), rng)
        unit = 1.0
        if self.standardize:
            unit = self._standardize(split.train, starts_anew=not goes_on)
        if self.solver in EPOCH_SOLVERS:
            result = self._run_epochs(split, unit, rng, goes_on=goes_on, one_epoch=one_epoch)
        else:
            result = self._run_trainer(split, unit, self._trainer(unit), goes_on=goes_on)
        self.result_ = result
        self.n_iter_ = max(1, result.nit)
        if not one_epoch:
            self._warn_of(result)
        return self

    def _make_network(
        self, X: Any, targets: Array, rng: np.random.RandomState, *, goes_on: bool
    ) -> None:
        """Make the network, or go on with the one that is there."""
        widths = checked_widths(self.hidden_layer_sizes)
        if goes_on and hasattr(self, "_network"):
            self._take_assigned()
            return
        n_inputs, n_outputs = X.shape[1], targets.shape[1]
        self.n_outputs_ = n_outputs
        if self.layers is None:
            widths = [n_inputs, *widths, n_outputs]
            network = new_network(widths, self.activation, self._output(), rng)
        else:
            network = given_network(self.layers, n_inputs, n_outputs, rng)
        self._network = in_precision(network, X.dtype)
        if goes_on:  # coefs_ and intercepts_ were assigned before the first fit
            self._views = ([], [])
            self._take_assigned()
        else:
            self._show_weights()
        self.n_layers_ = len(self.coefs_) + 1
        self.out_activation_ = output_name(self._network)
        self._progress = Progress()
        self.loss_curve_ = self._progress.costs
        self.t_ = 0

    def _split(self, rows: TrainingRows, rng: np.random.RandomState) -> Split:
        if not self.early_stopping:
            return Split(train=rows, validation=None)
        return split_rows(
            rows, self.validation_fraction, rng, is_stratified=self._is_stratified(rows.targets)
        )

    def _is_stratified(self, targets: Array) -> bool:
        """Return whether validation rows have each class's share."""
        return False

    def _standardize(self, rows: TrainingRows, *, starts_anew: bool) -> float:
        """Put in the layers of constants that are missing; return the unit of the cost."""
        return standardize_model(
            self._network, dense(rows.X), rows.targets, self._loss(), starts_anew=starts_anew
        )

    def _run_epochs(
        self,
        split: Split,
        unit: float,
        rng: np.random.RandomState,
        *,
        goes_on: bool,
        one_epoch: bool,
    ) -> TrainingResult:
        if one_epoch and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        network = self._network
        if not (one_epoch and hasattr(self, "_optimizer")) or not goes_on:
            self._optimizer = self._new_optimizer(network.parameters.size)
        train, validation = split.train, split.validation
        score = None
        if validation is not None:
            kept = validation

            def score() -> float:
                predictions = network.predict(dense(kept.X))
                return self._score(kept.targets, predictions, kept.weights)

        cost = BatchCost(
            network,
            self._loss(),
            self.alpha,
            outputs=self._outputs_per_cost(),
            constant=self._cost_constant,
            unit=unit,
        )
        X = dense(train.X) if network.leading_layers else train.X
        epochs = Epochs(
            network,
            TrainingRows(X=X, targets=train.targets, weights=train.weights),
            cost=cost,
            optimizer=self._optimizer,
            settings=EpochSettings(
                max_epochs=1 if one_epoch else self.max_iter,
                batch_size=self._checked_batch_size(len(train.targets)),
                is_shuffled=self.shuffle,
                min_delta=self.tol * (unit if validation is None else 1.0),
                patience=self.n_iter_no_change,
            ),
            progress=self._progress,
            rng=rng,
            score=score,
            callback=self._callback(1.0, 0.0),
        )
        result = epochs.run()
        _check_usable(result)
        progress = self._progress
        self.t_ = progress.samples_seen
        self.loss_ = progress.costs[-1]
        self.best_loss_ = progress.best_cost if validation is None else None
        self.validation_scores_ = None if validation is None else progress.scores
        self.best_validation_score_ = None if validation is None else progress.best_score
        if not np.isfinite(network.parameters).all():
            raise ValueError(NON_FINITE)
        return result

    def _new_optimizer(self, size: int) -> Optimizer:
        if self.solver == "adam":
            rate = self.learning_rate_init
            return AdamOptimizer(size, rate, self.beta_1, self.beta_2, self.epsilon)
        return SGDOptimizer(
            size,
            self.learning_rate_init,
            schedule=self.learning_rate,
            power_t=self.power_t,
            momentum=float(self.momentum),
            nesterov=bool(self.nesterovs_momentum),
        )

    def _checked_batch_size(self, rows: int) -> int:
        if self.batch_size == "auto":
            return min(MAX_BATCH_SIZE, rows)
        if self.batch_size > rows:
            text = f"batch_size: expected at most the rows, {rows}, found {self.batch_size}"
            warnings.warn(f"{text}: all rows are taken", stacklevel=LEVELS_TO_THE_USER + 1)
        return min(self.batch_size, rows)

    def _trainer(self, unit: float) -> Trainer:
        scale = unit * self._outputs_per_cost()
        return trainer_of(
            self.solver,
            tolerance=self.tol * scale,
            max_iterations=self.max_iter,
            max_evaluations=self.max_fun,
        )

    def _run_trainer(
        self, split: Split, unit: float, trainer: Trainer, *, goes_on: bool
    ) -> TrainingResult:
        train, kept = split.train, split.validation
        outputs = self._outputs_per_cost()
        constant = self._cost_constant(train.targets, train.weights)
        objective = Objective(
            self._network,
            dense(train.X),
            train.targets,
            self._loss(),
            l2=self.alpha * outputs * unit,
            sample_weight=train.weights,
            dtype=self._network.parameters.dtype,
        )
        validation = None
        if kept is not None:
            patience = self.n_iter_no_change
            validation = Validation(
                dense(kept.X),
                kept.targets,
                metric=lambda targets, predictions: self._score(
                    kept.targets, predictions.reshape(kept.targets.shape), kept.weights
                ),
                monitor="metric",
                patience=None if np.isinf(patience) else int(patience),
                min_delta=self.tol,
            )
        result = trainer.minimize(
            objective,
            validation=validation,
            callback=self._callback(outputs, constant),
            progress=False,
        )
        _check_usable(result)
        costs = np.array(result.history.cost) / outputs + constant
        self.loss_ = result.fun / outputs + constant
        self.loss_curve_ += costs[1:].tolist() or costs.tolist()
        self.t_ += len(train.targets) * result.nfev
        self.best_loss_ = None
        self.validation_scores_ = None
        self.best_validation_score_ = None
        if result.best_iteration is None:
            self.best_loss_ = self.loss_
        else:
            scores = result.history.metric
            self._progress.scores += scores[1:] or scores
            self.validation_scores_ = self._progress.scores
            self.best_validation_score_ = scores[result.best_iteration]
        return result

    def _callback(self, outputs: float, constant: float) -> Callback | None:
        """Return what is called after each iteration: it prints, and calls the user's function."""
        if not self.verbose:
            return self.callback

        def report(iteration: Iteration) -> None:
            cost = iteration.cost / outputs + constant
            score = "" if iteration.metric is None else f", validation score {iteration.metric:.6f}"
            print(f"Iteration {iteration.iteration}, loss = {cost:.8f}{score}")
            if self.callback is not None:
                self.callback(iteration)

        return report

    def _warn_of(self, result: TrainingResult) -> None:
        """Warn of a run that did not converge."""
        if result.success or result.status is Status.CALLBACK:
            return
        text = f"{type(self).__name__}: {result.message}"
        if result.status is Status.MAX_ITERATIONS:
            scaling = (
                "" if self.standardize else ", bring the columns to one size (standardize=True)"
            )
            text = (
                f"{type(self).__name__}: not converged after {result.nit} iterations: "
                f"raise max_iter, alpha or tol{scaling}"
            )
        warnings.warn(text, ConvergenceWarning, stacklevel=LEVELS_TO_THE_USER)


NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)
"""scikit-learn's own text: scripts match it."""


def _check_usable(result: TrainingResult) -> None:
    """Raise for a run that ended before its first iteration did."""
    if result.status is Status.NON_FINITE and result.nit == 0:
        raise ValueError(NON_FINITE)
    if result.status is Status.INTERRUPTED and result.nit == 0:
        raise KeyboardInterrupt


def trains_in_epochs(estimator: BaseMLP) -> bool:
    """Return whether ``partial_fit`` is there: AttributeError says why not."""
    if estimator.solver in EPOCH_SOLVERS:
        return True
    raise AttributeError(
        f"partial_fit: expected solver='adam' or solver='sgd', found {estimator.solver!r}"
    )
