"""Derivatives against finite differences: of a whole model (check_gradient), of a single layer (check_layer)."""

from ..errors import GradientError, LayerError
from .finite_differences import GradientReport
from .gradient_check import check_gradient
from .layer_check import check_layer

__all__ = ["GradientError", "GradientReport", "LayerError", "check_gradient", "check_layer"]
