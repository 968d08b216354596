"""The contestants of the race, one tool a file, imported only in the process that runs it.

A contestant of the evaluation race is made with a Problem and has ``evaluate()``, ``answer()`` (None where there is
none) and ``note`` (a word for the table); one of the training race is made without arguments and has
``train(start, watch)``. Each uses all CPUs, in the way its users would.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from ..machine import version
from ..problem import EX4_SHAPE, Answer, Array, DType, Problem
from ..watch import Watch


class Evaluation(Protocol):
    """One cost and gradient, again and again."""

    note: str

    def evaluate(self) -> object:
        """Compute cost and gradient at the problem's start."""

    def answer(self) -> Answer | None:
        """What it computes."""


class Training(Protocol):
    """The exercise, trained from a start until the watch ends it."""

    def train(self, start: Array, watch: Watch) -> None:
        """Everything from ``with watch:`` on is timed; data and imports are there before."""


@dataclass(frozen=True)
class Entry:
    """A contestant's name for the command line and the table, where it is defined and what must be installed."""

    name: str
    title: str
    target: str
    requires: str | None = None
    only: Problem | None = None
    dtype: DType = "float64"

    @property
    def missing(self) -> str | None:
        """Why it cannot take part, or None."""
        absent = self.requires is not None and version(self.requires) is None
        return f"left out: {self.requires} is not installed" if absent else None


EVALUATIONS = (
    Entry("minilayer", "minilayer", "with_minilayer:MinilayerEvaluation"),
    Entry("blas", "bare BLAS (products only)", "bare_blas:BareBlas"),
    Entry("blas-exp", "BLAS and NumPy's exp", "bare_blas:BlasAndExponentials"),
    Entry("by-hand", "NumPy by hand", "by_hand:ByHand"),
    Entry("numpy", "plain NumPy", "with_numpy:NumpyEvaluation"),
    Entry("pytorch", "PyTorch", "with_torch:TorchEvaluation", "torch"),
    Entry("jax", "JAX jit", "with_jax:JaxEvaluation", "jax"),
    Entry(
        "article", "the article's loop", "article_loop:ArticleEvaluation", only=Problem(EX4_SHAPE)
    ),
)

TRAININGS = (
    Entry("minilayer", "minilayer LBFGS", "with_minilayer:BestTraining"),
    Entry(
        "minilayer-float32",
        "minilayer LBFGS, float32",
        "with_minilayer:BestSingleTraining",
        dtype="float32",
    ),
    Entry("minilayer-scipy", "minilayer L-BFGS-B", "with_minilayer:ScipyTraining"),
    Entry("minilayer-tnc", "minilayer TNC", "with_minilayer:TncTraining"),
    Entry("sklearn", "scikit-learn lbfgs", "with_sklearn:SklearnTraining", "scikit-learn"),
    Entry("torch-lbfgs", "torch.optim.LBFGS", "with_torch:TorchLbfgsTraining", "torch"),
    Entry(
        "torch-lbfgs-float32",
        "torch.optim.LBFGS, float32",
        "with_torch:TorchLbfgsSingleTraining",
        "torch",
        dtype="float32",
    ),
    Entry("torch-scipy", "PyTorch in SciPy L-BFGS-B", "with_torch:TorchScipyTraining", "torch"),
    Entry("article", "the article's loop, TNC", "article_loop:ArticleTraining"),
)

REFERENCE = "minilayer"
"""The contestant that ratios refer to."""


def make(entry: Entry, *arguments: Any) -> Any:
    """The contestant; called in its own process."""
    module, _, name = entry.target.partition(":")
    return getattr(import_module(f"{__name__}.{module}"), name)(*arguments)
