"""Exercise 4 of Andrew Ng's machine-learning course: its files, and a check of your solution."""

from .cost_check import check_cost
from .cost_report import CostReport, Finding
from .files import load_ex4, load_ex4_weights, save_ex4_weights

__all__ = [
    "CostReport",
    "Finding",
    "check_cost",
    "load_ex4",
    "load_ex4_weights",
    "save_ex4_weights",
]
