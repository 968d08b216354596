"""The methods: L-BFGS, SciPy's, and gradient descent with its update rules and schedules."""

from .gradient_descent import GradientDescent
from .lbfgs import LBFGS
from .schedules import CosineDecay, ExponentialDecay, InverseTimeDecay, Schedule, StepDecay, Warmup
from .scipy_trainer import ScipyTrainer
from .update_rules import Adam, Momentum, Rule

__all__ = [
    "LBFGS",
    "Adam",
    "CosineDecay",
    "ExponentialDecay",
    "GradientDescent",
    "InverseTimeDecay",
    "Momentum",
    "Rule",
    "Schedule",
    "ScipyTrainer",
    "StepDecay",
    "Warmup",
]
