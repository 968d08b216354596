"""Argument names of other libraries and misspelt ones: what they are called here."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from .checks import short_repr

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

BUDGET = ("max_evaluations", "max_iterations", "max_seconds", "target_cost")
MEANINGS = {
    "activation": ("hidden",),
    "alpha": ("l2",),
    "batch_size": ("batch_size", "trainer=GradientDescent(batch_size=...)"),
    "callbacks": ("callback",),
    "early_stopping": ("validation=Validation(X, Y, patience=10)",),
    "epochs": ("max_iterations", "max_iter"),
    "eta": ("learning_rate", "trainer=GradientDescent(learning_rate)"),
    "gtol": ("tolerance", "tol", "trainer=LBFGS(tolerance=...)"),
    "hidden": ("activation",),
    "l2": ("alpha",),
    "lam": ("l2", "alpha"),
    "lambda_": ("l2", "alpha"),
    "learning_rate": ("trainer=GradientDescent(learning_rate)",),
    "learning_rate_init": ("learning_rate", "trainer=GradientDescent(learning_rate)"),
    "loss_fn": ("loss",),
    "lr": ("learning_rate_init", "learning_rate", "trainer=GradientDescent(learning_rate)"),
    "max_epochs": ("max_iterations", "max_iter"),
    "max_evaluations": ("max_fun",),
    "max_iterations": ("max_iter",),
    "max_fun": ("max_evaluations",),
    "max_iter": ("max_iterations",),
    "maxfun": ("max_evaluations", "max_fun"),
    "maxiter": ("max_iterations", "max_iter"),
    "metrics": ("metric", "validation=Validation(X, Y, metric=...)"),
    "method": ("method", "solver", "trainer=ScipyTrainer(method)"),
    "model": ("objective",),
    "momentum": ("trainer=GradientDescent(momentum=...)",),
    "n_epochs": ("max_iterations", "max_iter"),
    "n_iter": ("max_iterations", "max_iter"),
    "n_jobs": ("workers",),
    "optimizer": ("trainer", "solver"),
    "patience": (
        "n_iter_no_change",
        "validation=Validation(X, Y, patience=10)",
    ),
    "progress": ("verbose",),
    "random_state": ("seed",),
    "reg_lambda": ("l2",),
    "regularization": ("l2",),
    "seed": ("random_state",),
    "shuffle": ("seed",),
    "solver": ("trainer",),
    "tol": ("tolerance", "trainer=LBFGS(tolerance=...)"),
    "tolerance": ("tol",),
    "trainer": ("solver",),
    "validation": ("early_stopping=True",),
    "validation_data": ("validation", "early_stopping=True"),
    "validation_split": ("validation", "validation_fraction"),
    "verbose": ("progress",),
    "weight_decay": ("l2", "alpha"),
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
        if meaning in BUDGET and "checkpoint_every" in names:
            return f"{message}: give it to the trainer, such as LBFGS({meaning}=...)"
    near = difflib.get_close_matches(name, names, n=1)
    return f"{message}: did you mean {near[0]!r}?" if near else message


def explains_unknown_arguments(
    function: Callable[Parameters, Result],
) -> Callable[Parameters, Result]:
    """Let a function refuse unknown keyword arguments with what they are called here."""
    parameters = inspect.signature(function).parameters.values()
    known = [parameter.name for parameter in parameters if parameter.name != "self"]
    positional = [one for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    is_variadic = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    takes_any_name = any(one.kind is one.VAR_KEYWORD for one in parameters)

    @functools.wraps(function)
    def call(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        if not is_variadic and len(arguments) > len(positional):
            places = [one.name for one in positional if one.name != "self"]
            only = f"only {', '.join(places)} without a name" if places else "named arguments"
            names = [name for name in known if name not in places]
            raise TypeError(
                f"{_name(function)}(): expected {only}, "
                f"found {short_repr(arguments[len(positional)])}: "
                f"name it, such as {names[0]}=..."
            )
        for name in options:
            if name not in known and not takes_any_name:
                raise TypeError(unknown_argument(_name(function), name, known))
        return function(*arguments, **options)

    return call


def _name(function: Callable[..., object]) -> str:
    """Return what users call: for a constructor the class."""
    return function.__qualname__.removesuffix(".__init__").rpartition(".")[2]
