"""Argument names of other libraries and misspelt ones: what they are called here."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

MEANINGS = {
    "alpha": ("l2",),
    "batch_size": ("batch_size", "trainer=GradientDescent(batch_size=...)"),
    "callbacks": ("callback",),
    "early_stopping": ("validation=Validation(X, Y, patience=10)",),
    "epochs": ("max_iterations",),
    "eta": ("learning_rate", "trainer=GradientDescent(learning_rate)"),
    "gtol": ("tolerance", "trainer=LBFGS(tolerance=...)"),
    "lam": ("l2",),
    "lambda_": ("l2",),
    "learning_rate": ("trainer=GradientDescent(learning_rate)",),
    "learning_rate_init": ("learning_rate", "trainer=GradientDescent(learning_rate)"),
    "loss_fn": ("loss",),
    "lr": ("learning_rate", "trainer=GradientDescent(learning_rate)"),
    "max_epochs": ("max_iterations",),
    "max_fun": ("max_evaluations",),
    "max_iter": ("max_iterations",),
    "maxfun": ("max_evaluations",),
    "maxiter": ("max_iterations",),
    "metrics": ("metric", "validation=Validation(X, Y, metric=...)"),
    "method": ("method", "trainer=ScipyTrainer(method)"),
    "momentum": ("trainer=GradientDescent(momentum=...)",),
    "n_epochs": ("max_iterations",),
    "n_iter": ("max_iterations",),
    "n_jobs": ("workers",),
    "optimizer": ("trainer",),
    "patience": ("validation=Validation(X, Y, patience=10)",),
    "random_state": ("seed",),
    "reg_lambda": ("l2",),
    "regularization": ("l2",),
    "shuffle": ("seed",),
    "solver": ("trainer",),
    "tol": ("tolerance", "trainer=LBFGS(tolerance=...)"),
    "validation_data": ("validation",),
    "validation_split": ("validation",),
    "verbose": ("progress",),
    "weight_decay": ("l2",),
    "x": ("X",),
    "y": ("Y",),
}
"""What a name means, in the order of preference: an argument, or something to write."""


def unknown_argument(function: str, name: str, known: Iterable[str]) -> str:
    """Return the message for an argument that a function does not have.

    Parameters
    ----------
    function : str
        The function's name.
    name : str
        The argument that it does not have.
    known : iterable of str
        Its arguments.

    Returns
    -------
    str
        The message, with what the argument is called here if that is known.

    Examples
    --------
    >>> unknown_argument("fit", "alpha", ["model", "l2"])
    "fit() has no argument 'alpha': write l2=..."
    >>> unknown_argument("fit", "modle", ["model", "l2"])
    "fit() has no argument 'modle': did you mean 'model'?"
    """
    names = list(known)
    message = f"{function}() has no argument {name!r}"
    for meaning in MEANINGS.get(name, ()):
        if meaning in names:
            return f"{message}: write {meaning}=..."
        if "=" in meaning and meaning.partition("=")[0] in names:
            return f"{message}: write {meaning}"
    near = difflib.get_close_matches(name, names, n=1)
    return f"{message}: did you mean {near[0]!r}?" if near else message


def explains_unknown_arguments(
    function: Callable[Parameters, Result],
) -> Callable[Parameters, Result]:
    """Let a function refuse unknown keyword arguments with what they are called here."""
    known = [name for name in inspect.signature(function).parameters if name != "self"]

    @functools.wraps(function)
    def call(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        for name in options:
            if name not in known:
                raise TypeError(unknown_argument(_name(function), name, known))
        return function(*arguments, **options)

    return call


def _name(function: Callable[..., object]) -> str:
    """Return what users call: for a constructor the class."""
    return function.__qualname__.removesuffix(".__init__").rpartition(".")[2]
