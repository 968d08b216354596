"""Cost, gradient and Hessian products of a network on data."""

from .inputs import ClassWeight
from .objective import Objective
from .preconditioner import Preconditioner
from .validation_rows import ValidationRows

__all__ = ["ClassWeight", "Objective", "Preconditioner", "ValidationRows"]
