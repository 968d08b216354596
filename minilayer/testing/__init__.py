"""Derivatives against finite differences: of a model, of a layer and of a loss."""

from ..errors import GradientError, LayerError, LossError
from .finite_differences import GradientReport
from .gradient_check import check_gradient
from .layer_check import check_layer
from .loss_check import check_loss

__all__ = [
    "GradientError",
    "GradientReport",
    "LayerError",
    "LossError",
    "check_gradient",
    "check_layer",
    "check_loss",
]
