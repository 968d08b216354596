"""MLPRegressor: a network that predicts numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d, validate_data

from ..nn import Activation, Exp, Identity, Loss, Poisson, SquaredError
from ..training import Callback, Trainer
from ..utils.foreign_names import explains_unknown_arguments
from ..utils.types import Array
from .base import BaseMLP, trains_in_epochs
from .network import Hidden, Layers
from .optimizers import LearningRate


@final
class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]  # scikit-learn has no types
    """A network that predicts numbers: scikit-learn's class of this name, and more.

    The parameters of scikit-learn keep their names, meanings and defaults; only ``solver`` is
    "lbfgs" by default.

    Parameters
    ----------
    loss : "squared_error", "poisson" or Loss, default "squared_error"
        Half the squared error, averaged over the outputs; Poisson's half deviance, for counts; or a
        loss such as ``Huber(1.0)``.
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer.
    activation : str, Activation, its class, or a sequence of them, default "relu"
        Of all hidden layers, or of each: "identity", "logistic", "tanh", "relu", "elu", "gelu",
        "leaky_relu", "silu", "sin", "softplus", or a layer such as ``LeakyReLU(0.1)``.
    solver : str or Trainer, default "lbfgs"
        "lbfgs" is minilayer's LBFGS without preconditioning. "adam" and "sgd" make scikit-learn's
        steps, with minibatches. Others are SciPy's methods, such as "TNC" or "L-BFGS-B", and
        trainers, such as ``LBFGS(precondition=True)``, with their own budget and tolerance.
    alpha : float, default 0.0001
        The penalty: alpha / (2 m) times the sum of the squared weights is added to the cost.
    batch_size : int or "auto", default "auto"
        Rows of a minibatch of adam and sgd; "auto" is the smaller of 200 and all rows.
    learning_rate : "constant", "invscaling" or "adaptive", default "constant"
        How sgd changes its learning rate: not; to ``learning_rate_init / (rows + 1) ** power_t``
        after so many rows; or to a fifth each time when the training would end.
    learning_rate_init : float, default 0.001
        The learning rate of adam and sgd at the start.
    power_t : float, default 0.5
        The exponent of "invscaling".
    max_iter : int, default 200
        Iterations; of adam and sgd, epochs.
    shuffle : bool, default True
        Whether adam and sgd take the rows in another order in each epoch.
    random_state : int, RandomState or None, default None
        The source of starting values, validation rows and shuffles.
    tol : float, default 1e-4
        lbfgs ends if no entry of the gradient is larger. adam, sgd and early stopping end if
        nothing has improved by this much for ``n_iter_no_change`` iterations.
    verbose : bool or int, default False
        Whether to print a line after each iteration.
    warm_start : bool, default False
        Whether another ``fit`` goes on from the weights of the last.
    momentum : float, default 0.9
        Of sgd, below 1.
    nesterovs_momentum : bool, default True
        Whether sgd takes Nesterov's steps.
    early_stopping : bool, default False
        Whether rows are kept out of the training, whose score ends it and chooses its result. It
        works with every solver.
    validation_fraction : float, default 0.1
        The share of these rows.
    beta_1, beta_2 : float, default 0.9 and 0.999
        How slowly adam forgets the mean of the gradient, and of its square.
    epsilon : float, default 1e-8
        What adam adds to the root of the latter.
    n_iter_no_change : int or inf, default 10
        See ``tol``.
    max_fun : int, default 15000
        Evaluations of lbfgs and SciPy's methods.
    layers : list of Layer or callable, default None
        The whole network instead of ``hidden_layer_sizes`` and ``activation``: its layers, or a
        function of the numbers of inputs and outputs that returns a Sequential.
    standardize : bool, default False
        Whether to give the columns of X and of y mean 0 and deviation 1 inside of the network,
        as ``fit(..., standardize=True)`` does. ``alpha`` and ``tol`` are in the unit
        of y then.
    callback : callable, default None
        Called with an Iteration after each iteration. StopIteration ends the training.

    Attributes
    ----------
    model_ : Sequential
        The network, for everything else of minilayer.
    result_ : TrainingResult
        How the last training ended. adam and sgd see no gradient of all rows: it is NaN.
    coefs_ : list of ndarray, shape (inputs, units)
        The weights of each Dense layer, views of its parameters; they can be assigned.
    intercepts_ : list of ndarray, shape (units,)
        The biases.
    loss_, best_loss_ : float
        The last cost, and the lowest; with early stopping the latter is None.
    loss_curve_ : list of float
        The cost after each iteration, of adam and sgd the mean over an epoch's minibatches.
    validation_scores_ : list of float or None
        With early stopping, the R squared of its rows after each iteration.
    best_validation_score_ : float or None
        The highest of them, to which the weights belong.
    n_iter_, t_ : int
        Iterations of the last fit, and rows seen.
    n_layers_, n_outputs_, n_features_in_ : int
        Numbers of layers, inputs included, of outputs and of inputs.
    feature_names_in_ : ndarray of str
        The names of the columns, if X was a DataFrame.
    out_activation_ : str
        The output activation: "identity" or "exp".

    Raises
    ------
    TypeError
        For an argument that there is not.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> network = MLPRegressor(activation="tanh", alpha=30.0, standardize=True, random_state=0)
    >>> bool(network.fit(X, y).score(X, y) > 0.5), network.out_activation_
    (True, 'identity')
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions({"squared_error", "poisson"}), Loss],
    }

    @explains_unknown_arguments
    def __init__(
        self,
        loss: Literal["squared_error", "poisson"] | Loss = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Hidden | Sequence[Hidden] = "relu",
        *,
        solver: str | Trainer = "lbfgs",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRate = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        layers: Layers | None = None,
        standardize: bool = False,
        callback: Callback | None = None,
    ) -> None:
        self._set_arguments(locals())

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (m, n_inputs)
            Rows. Sparse ones are made dense: adam and sgd do so for a minibatch at a time.
        y : array_like, shape (m,) or (m, outputs)
            Numbers, or several columns of them.
        sample_weight : array_like, shape (m,), optional
            How many times each row counts.

        Returns
        -------
        MLPRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            For arguments, rows and targets that do not fit, and numbers that are too large.
        """
        return self._fit(X, y, sample_weight)

    @available_if(trains_in_epochs)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Self:
        """Train for one epoch; only with adam and sgd.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (m, n_inputs)
            Rows.
        y : array_like, shape (m,) or (m, outputs)
            Numbers, or several columns of them.
        sample_weight : array_like, shape (m,), optional
            How many times each row counts.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        return self._fit(X, y, sample_weight, one_epoch=True)

    def predict(self, X: npt.ArrayLike) -> Array:
        """Return the prediction for each row.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (m, n_inputs)
            Rows.

        Returns
        -------
        ndarray, shape (m,) or (m, outputs)
            Numbers.
        """
        outputs = self._predictions(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _checked_data(
        self, X: npt.ArrayLike, y: npt.ArrayLike, *, is_start: bool, keeps_classes: bool
    ) -> tuple[Any, Array]:
        rows, numbers = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=is_start,
        )
        if numbers.ndim == 2 and numbers.shape[1] == 1:
            numbers = column_or_1d(numbers, warn=True)
        return rows, numbers[:, None] if numbers.ndim == 1 else numbers

    def _output(self) -> type[Activation]:
        is_poisson = self.loss == "poisson" or isinstance(self.loss, Poisson)
        return Exp if is_poisson else Identity

    def _loss(self) -> Loss:
        if isinstance(self.loss, Loss):
            return self.loss
        return Poisson() if self.loss == "poisson" else SquaredError()

    def _outputs_per_cost(self) -> int:
        is_mean: bool = self.loss == "squared_error"
        return self.n_outputs_ if is_mean else 1

    def _cost_constant(self, targets: Array, weights: Array | None) -> float:
        """Return what makes Poisson's loss scikit-learn's half deviance: sum y log(y) - y."""
        if self.loss != "poisson":
            return 0.0
        constants = xlogy(targets, targets) - targets
        return float(np.average(constants, weights=weights, axis=0).sum())

    def _score(self, targets: Array, predictions: Array, weights: Array | None) -> float:
        """Return R squared."""
        if not np.isfinite(predictions).all():
            return float("nan")
        return float(r2_score(targets, predictions, sample_weight=weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
