"""Trainers. They see a callable objective, never a layer."""

from .gradient_descent import GradientDescent
from .history import History, Iteration
from .journal import ResumeError
from .run import Callback
from .scipy_trainer import ScipyTrainer
from .status import Status
from .trainer import Trainer
from .validation import Validation

__all__ = [
    "Callback",
    "GradientDescent",
    "History",
    "Iteration",
    "ResumeError",
    "ScipyTrainer",
    "Status",
    "Trainer",
    "Validation",
]
