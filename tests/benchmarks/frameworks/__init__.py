"""The frameworks that are compared: one file a library, imported only in its own process.

Each uses all CPUs, in the way its users would.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from ..case import EX4_SHAPE, Array, Case, CostAndNorm, DType
from ..machine import version
from ..target_timer import TargetTimer

BASELINE = "minilayer"
"""The framework that ratios refer to."""


class Evaluation(Protocol):
    """One cost and gradient, again and again; made with a Case.

    Attributes
    ----------
    note : str
        A remark for the table, such as the number of threads.
    """

    note: str

    def evaluate(self) -> object:
        """Compute cost and gradient at the start of the case."""

    def cost_and_norm(self) -> CostAndNorm | None:
        """Return what ``evaluate`` computes; None if that is no cost."""


class Training(Protocol):
    """The training of exercise 4; made without arguments, with data and imports ready."""

    def train(self, start: Array, timer: TargetTimer) -> None:
        """Train from the start, within ``with timer:``, until the timer ends it."""


@dataclass(frozen=True)
class Entry:
    """A row of a table.

    Parameters
    ----------
    name : str
        The name on the command line.
    title : str
        The name in the table.
    target : str
        Where the class is: "module:Class" in this folder.
    requires : str, optional
        The package that must be installed.
    only : Case, optional
        The one case that it is measured in; default all.
    dtype : "float64" or "float32", default "float64"
        The precision of a training.
    """

    name: str
    title: str
    target: str
    requires: str | None = None
    only: Case | None = None
    dtype: DType = "float64"

    @property
    def is_installed(self) -> bool:
        """Whether the required package is there."""
        return self.requires is None or version(self.requires) is not None


EVALUATIONS = (
    Entry("minilayer", "minilayer", "with_minilayer:MinilayerEvaluation"),
    Entry("blas", "bare BLAS (products only)", "bare_blas:BareBlas"),
    Entry("blas-exp", "BLAS and NumPy's exp", "bare_blas:BlasAndExponentials"),
    Entry("by-hand", "NumPy by hand", "by_hand:ByHand"),
    Entry("numpy", "plain NumPy", "with_numpy:NumpyEvaluation"),
    Entry("pytorch", "PyTorch", "with_torch:TorchEvaluation", requires="torch"),
    Entry("jax", "JAX jit", "with_jax:JaxEvaluation", requires="jax"),
    Entry(
        "article",
        "the article's loop",
        "article_loop:ArticleEvaluation",
        only=Case(EX4_SHAPE),
    ),
)

TRAININGS = (
    Entry("minilayer", "minilayer LBFGS", "with_minilayer:LbfgsTraining"),
    Entry(
        "minilayer-float32",
        "minilayer LBFGS, float32",
        "with_minilayer:LbfgsSingleTraining",
        dtype="float32",
    ),
    Entry("minilayer-scipy", "minilayer L-BFGS-B", "with_minilayer:ScipyTraining"),
    Entry("minilayer-tnc", "minilayer TNC", "with_minilayer:TncTraining"),
    Entry(
        "sklearn",
        "scikit-learn lbfgs",
        "with_sklearn:SklearnTraining",
        requires="scikit-learn",
    ),
    Entry(
        "torch-lbfgs",
        "torch.optim.LBFGS",
        "with_torch:TorchLbfgsTraining",
        requires="torch",
    ),
    Entry(
        "torch-lbfgs-float32",
        "torch.optim.LBFGS, float32",
        "with_torch:TorchLbfgsSingleTraining",
        requires="torch",
        dtype="float32",
    ),
    Entry(
        "torch-scipy",
        "PyTorch in SciPy L-BFGS-B",
        "with_torch:TorchScipyTraining",
        requires="torch",
    ),
    Entry("article", "the article's loop, TNC", "article_loop:ArticleTraining"),
)


def make(entry: Entry, *arguments: Any) -> Any:
    """Import the entry's class and make an object of it. Its own process calls this."""
    module, _, name = entry.target.partition(":")
    return getattr(import_module(f"{__name__}.{module}"), name)(*arguments)
