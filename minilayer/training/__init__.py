"""Trainers minimise an objective x -> (cost, gradient); they never see a layer. See methods/."""

from .history import History, Iteration
from .problem import CostAndGradient, Problem, ProblemWrapper
from .result import TrainingResult
from .run import Callback
from .stopping import Status
from .trainer import Trainer
from .validation import Validation

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
