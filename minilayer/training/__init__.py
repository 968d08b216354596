"""Trainers. They see a callable objective, never a layer."""

from ..errors import ResumeError
from .gradient_descent import GradientDescent
from .history import History, Iteration
from .lbfgs import LBFGS
from .rules import Adam, Momentum, Rule
from .run import Callback
from .schedules import CosineDecay, ExponentialDecay, InverseTimeDecay, Schedule, StepDecay, Warmup
from .scipy_trainer import ScipyTrainer
from .status import Status
from .trainer import Trainer
from .validation import Validation

__all__ = [
    "LBFGS",
    "Adam",
    "Callback",
    "CosineDecay",
    "ExponentialDecay",
    "GradientDescent",
    "History",
    "InverseTimeDecay",
    "Iteration",
    "Momentum",
    "ResumeError",
    "Rule",
    "Schedule",
    "ScipyTrainer",
    "Status",
    "StepDecay",
    "Trainer",
    "Validation",
    "Warmup",
]
