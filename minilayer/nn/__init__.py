"""What a network is: layers over one flat parameter vector, and the losses that train them."""

from .activation import Activation
from .activations import (
    ELU,
    GELU,
    Exp,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Sin,
    Softmax,
    Softplus,
    Tanh,
)
from .configured import Configured, ConfigValue, register, registered
from .dense import Dense
from .elementwise_loss import ElementwiseLoss, Huber, PinballLoss
from .initializers import Glorot, Initializer, UniformEpsilon, Zeros
from .layer import Layer
from .loss import Loss
from .losses import BinaryCrossEntropy, CategoricalCrossEntropy, Poisson, SquaredError
from .mlp import mlp
from .sequential import Sequential
from .standardize import Rescale, Standardize
from .workspace import Workspace

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "ConfigValue",
    "Configured",
    "Dense",
    "ElementwiseLoss",
    "Exp",
    "Glorot",
    "Huber",
    "Identity",
    "Initializer",
    "Layer",
    "LeakyReLU",
    "Loss",
    "PinballLoss",
    "Poisson",
    "ReLU",
    "Rescale",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Softmax",
    "Softplus",
    "SquaredError",
    "Standardize",
    "Tanh",
    "UniformEpsilon",
    "Workspace",
    "Zeros",
    "mlp",
    "register",
    "registered",
]
