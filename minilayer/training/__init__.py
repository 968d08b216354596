"""Trainers minimise an objective x -> (cost, gradient); they never see a layer. See methods/."""

from typing import TYPE_CHECKING, Any

from .history import History, Iteration
from .problem import CostAndGradient, Problem, ProblemWrapper
from .run import Callback
from .stopping import Status
from .trainer import Trainer
from .validation import Validation

if TYPE_CHECKING:
    from .result import TrainingResult

__all__ = [
    "Callback",
    "CostAndGradient",
    "History",
    "Iteration",
    "Problem",
    "ProblemWrapper",
    "Status",
    "Trainer",
    "TrainingResult",
    "Validation",
]


def __getattr__(name: str) -> Any:
    if name == "TrainingResult":  # at the first use, as it imports scipy.optimize
        from .result import TrainingResult

        return TrainingResult
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
