"""What a network is: layers over one flat parameter vector, and the losses that they are trained with."""

from .activations import Activation, Identity, ReLU, Sigmoid, Softmax, Tanh
from .dense import Dense
from .initializers import Glorot, Initializer, UniformEpsilon, Zeros
from .layer import Layer, register, registered
from .losses import BinaryCrossEntropy, CategoricalCrossEntropy, Loss, MeanSquaredError
from .sequential import Sequential
from .workspace import Workspace

__all__ = [
    "Activation",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "Dense",
    "Glorot",
    "Identity",
    "Initializer",
    "Layer",
    "Loss",
    "MeanSquaredError",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "UniformEpsilon",
    "Workspace",
    "Zeros",
    "register",
    "registered",
]
