"""MLPClassifier: a network that tells classes apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import column_or_1d, validate_data

from ..nn import Activation, BinaryCrossEntropy, CategoricalCrossEntropy, Loss, Sigmoid, Softmax
from ..training import Callback, Trainer
from ..utils.foreign_names import explains_unknown_arguments
from ..utils.types import Array
from .base import BaseMLP, trains_in_epochs
from .network import Hidden, Layers
from .optimizers import LearningRate


@final
class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]  # scikit-learn has no types
    """A network that tells classes apart: scikit-learn's class of this name, and more.

    Two classes and several labels a row have logistic outputs, more classes a softmax. Labels are
    numbers or strings. The parameters of scikit-learn keep their names, meanings and defaults; only
    ``solver`` is "lbfgs" by default.

    Parameters
    ----------
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
    loss : "log_loss" or Loss, default "log_loss"
        The cross-entropy of the output activation, or another loss.
    class_weight : dict, "balanced" or None, default None
        A weight for each class; "balanced" gives all classes the same total weight.
    standardize : bool, default False
        Whether to give the columns of X mean 0 and deviation 1 inside of the network,
        as ``fit(..., standardize=True)`` does.
    callback : callable, default None
        Called with an Iteration after each iteration. StopIteration ends the training.

    Attributes
    ----------
    model_ : Sequential
        The network, for everything else of minilayer.
    result_ : TrainingResult
        How the last training ended. adam and sgd see no gradient of all rows: it is NaN.
    classes_ : ndarray
        The labels in sorted order.
    coefs_ : list of ndarray, shape (inputs, units)
        The weights of each Dense layer, views of its parameters; they can be assigned.
    intercepts_ : list of ndarray, shape (units,)
        The biases.
    loss_, best_loss_ : float
        The last cost, and the lowest; with early stopping the latter is None.
    loss_curve_ : list of float
        The cost after each iteration, of adam and sgd the mean over an epoch's minibatches.
    validation_scores_ : list of float or None
        With early stopping, the accuracy of its rows after each iteration.
    best_validation_score_ : float or None
        The highest of them, to which the weights belong.
    n_iter_, t_ : int
        Iterations of the last fit, and rows seen.
    n_layers_, n_outputs_, n_features_in_ : int
        Numbers of layers, inputs included, of outputs and of inputs.
    feature_names_in_ : ndarray of str
        The names of the columns, if X was a DataFrame.
    out_activation_ : str
        The output activation: "logistic" or "softmax".

    Raises
    ------
    TypeError
        For an argument that there is not.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> network = MLPClassifier((10,), "tanh", alpha=1.0, standardize=True, random_state=0)
    >>> bool(network.fit(X, y).score(X, y) > 0.98), network.n_layers_, network.out_activation_
    (True, 3, 'logistic')
    >>> network.feature_names_in_[:2]
    array(['mean radius', 'mean texture'], dtype=object)
    >>> network.set_params(solver="TNC", early_stopping=True).fit(X, y).result_.method
    'TNC'
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions({"log_loss"}), Loss],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    @explains_unknown_arguments
    def __init__(
        self,
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
        loss: Literal["log_loss"] | Loss = "log_loss",
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
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
            Labels, or a 0 or 1 for each of several labels.
        sample_weight : array_like, shape (m,), optional
            How many times each row counts.

        Returns
        -------
        MLPClassifier
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
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch; only with adam and sgd.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (m, n_inputs)
            Rows.
        y : array_like, shape (m,) or (m, outputs)
            Labels, or a 0 or 1 for each of several labels.
        sample_weight : array_like, shape (m,), optional
            How many times each row counts.
        classes : array_like, optional
            All labels; needed in the first call.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        if _check_partial_fit_first_call(self, classes):
            is_multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if is_multilabel else classes)
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
            Labels.
        """
        outputs = self._predictions(X)
        if self.n_outputs_ == 1:
            outputs = outputs[:, 0]
        classes: Array = self._label_binarizer.inverse_transform(outputs)
        return classes

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (m, n_inputs)
            Rows.

        Returns
        -------
        ndarray, shape (m, classes)
            Columns are in the order of ``classes_``.
        """
        outputs = self._predictions(X)
        if self._label_binarizer.y_type_.startswith("multilabel"):
            return _inside_unit_interval(outputs)
        return np.hstack([1 - outputs, outputs]) if self.n_outputs_ == 1 else outputs

    def predict_log_proba(self, X: npt.ArrayLike) -> Array:
        """Return the logarithm of each class's probability.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (m, n_inputs)
            Rows.

        Returns
        -------
        ndarray, shape (m, classes)
            Columns are in the order of ``classes_``.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _checked_data(
        self, X: npt.ArrayLike, y: npt.ArrayLike, *, is_start: bool, keeps_classes: bool
    ) -> tuple[Any, Array]:
        rows, labels = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=is_start,
        )
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = column_or_1d(labels, warn=True)
        check_classification_targets(labels)
        if not (keeps_classes and hasattr(self, "classes_")):
            self._label_binarizer = LabelBinarizer().fit(labels)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_classes(unique_labels(labels))
        return rows, self._label_binarizer.transform(labels).astype(bool)

    def _check_classes(self, found: Array) -> None:
        """Raise ValueError for other classes than those of the first fit."""
        known = self.classes_
        if self.warm_start and set(found) != set(known):
            # the words up to the classes are scikit-learn's: scripts match them
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {known}, `y` has {found}"
            )
        new = np.setdiff1d(found, known)
        if len(new):
            raise ValueError(f"y: expected classes among {known}, found {new}")

    def _output(self) -> type[Activation]:
        return Softmax if self._label_binarizer.y_type_ == "multiclass" else Sigmoid

    def _loss(self) -> Loss:
        if isinstance(self.loss, Loss):
            return self.loss
        is_softmax = isinstance(self._network.output_activation, Softmax)
        return CategoricalCrossEntropy() if is_softmax else BinaryCrossEntropy()

    def _row_weights(self, targets: Array, weights: Array | None) -> Array | None:
        if self.class_weight is None:
            return weights
        labels = self._label_binarizer.inverse_transform(targets)
        of_classes: Array = compute_sample_weight(self.class_weight, labels)
        return of_classes if weights is None else of_classes * weights

    def _is_stratified(self, targets: Array) -> bool:
        return len(targets[0]) == 1  # as in scikit-learn, also for the same rows

    def _score(self, targets: Array, predictions: Array, weights: Array | None) -> float:
        """Return the share of rows whose classes are all right."""
        if not np.isfinite(predictions).all():
            return float("nan")
        if self._label_binarizer.y_type_ == "multiclass":
            is_right = predictions.argmax(axis=1) == targets.argmax(axis=1)
        else:
            is_right = ((predictions > 0.5) == targets).all(axis=1)
        return float(np.average(is_right, weights=weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _inside_unit_interval(probabilities: Array) -> Array:
    """Return numbers above 0 and below 1, as scikit-learn asks for with several labels."""
    dtype = probabilities.dtype
    highest = np.nextafter(dtype.type(1), dtype.type(0))
    return np.clip(probabilities, np.finfo(dtype).tiny, highest)
