"""Trainers. They see a callable objective, never a layer."""

from .gradient_descent import GradientDescent
from .history import History, Iteration
from .journal import ResumeError
from .scipy_trainer import ScipyTrainer
from .status import Status
from .trainer import Trainer
from .validation import Validation

__all__ = ["GradientDescent", "History", "Iteration", "ResumeError", "ScipyTrainer", "Status", "Trainer", "Validation"]
