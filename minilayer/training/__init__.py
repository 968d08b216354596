"""Trainers minimise an objective x -> (cost, gradient); they never see a layer. The methods stand in methods/."""

from .history import History, Iteration
from .run import Callback
from .stopping import Status
from .trainer import Trainer
from .validation import Validation

__all__ = ["Callback", "History", "Iteration", "Status", "Trainer", "Validation"]
