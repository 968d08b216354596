"""What a network is: layers over one flat parameter vector, and the losses that train them."""

from .activations import Activation, Identity, ReLU, Sigmoid, Softmax, Tanh
from .configured import Configured, ConfigValue, register, registered
from .dense import Dense
from .initializers import Glorot, Initializer, UniformEpsilon, Zeros
from .layer import Layer
from .losses import BinaryCrossEntropy, CategoricalCrossEntropy, Loss, SquaredError
from .mlp import mlp
from .sequential import Sequential
from .standardize import Rescale, Standardize
from .workspace import Workspace

__all__ = [
    "Activation",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "ConfigValue",
    "Configured",
    "Dense",
    "Glorot",
    "Identity",
    "Initializer",
    "Layer",
    "Loss",
    "ReLU",
    "Rescale",
    "Sequential",
    "Sigmoid",
    "Softmax",
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
