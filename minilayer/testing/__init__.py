"""Derivatives against finite differences: check_gradient for a model, check_layer for a layer."""

from ..errors import GradientError, LayerError
from .finite_differences import GradientReport
from .gradient_check import check_gradient
from .layer_check import check_layer

__all__ = ["GradientError", "GradientReport", "LayerError", "check_gradient", "check_layer"]
