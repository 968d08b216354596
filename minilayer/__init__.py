"""minilayer: small dense networks as classes, trained to a real minimum with SciPy's optimizers.

Where to read on: layers.py and activations.py (what a layer is), sequential.py (one flat vector, the layers are views),
losses.py, objective.py (cost and gradient as a function of that vector), training/ (the optimizers), checkpoint.py.
"""

from .checkpoint.writer import load, load_parameters, load_state, save
from .errors import CheckpointError, CurvatureError, GradientError
from .ex4 import load_ex4, load_weights, save_weights
from .fit import fit
from .labels import one_hot, stratified_split
from .metrics import accuracy, confusion_matrix, confusion_table, precision_recall, top_k_accuracy
from .nn.activations import Activation, Identity, ReLU, Sigmoid, Softmax, Tanh
from .nn.dense import Dense
from .nn.initializers import Glorot, Initializer, UniformEpsilon, Zeros
from .nn.layer import Layer, register
from .nn.losses import BinaryCrossEntropy, CategoricalCrossEntropy, Loss, MeanSquaredError
from .nn.sequential import Sequential
from .objective.objective import Objective
from .testing.finite_differences import GradientReport
from .testing.gradient_check import check_gradient
from .training import (
    LBFGS,
    Adam,
    CosineDecay,
    ExponentialDecay,
    GradientDescent,
    History,
    InverseTimeDecay,
    Iteration,
    Momentum,
    ResumeError,
    Rule,
    Schedule,
    ScipyTrainer,
    Status,
    StepDecay,
    Trainer,
    Validation,
    Warmup,
)

__all__ = [
    "LBFGS",
    "Activation",
    "Adam",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "CheckpointError",
    "CosineDecay",
    "CurvatureError",
    "Dense",
    "ExponentialDecay",
    "Glorot",
    "GradientDescent",
    "GradientError",
    "GradientReport",
    "History",
    "Identity",
    "Initializer",
    "InverseTimeDecay",
    "Iteration",
    "Layer",
    "Loss",
    "MeanSquaredError",
    "Momentum",
    "Objective",
    "ReLU",
    "ResumeError",
    "Rule",
    "Schedule",
    "ScipyTrainer",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Status",
    "StepDecay",
    "Tanh",
    "Trainer",
    "UniformEpsilon",
    "Validation",
    "Warmup",
    "Zeros",
    "accuracy",
    "check_gradient",
    "confusion_matrix",
    "confusion_table",
    "fit",
    "load",
    "load_ex4",
    "load_parameters",
    "load_state",
    "load_weights",
    "one_hot",
    "precision_recall",
    "register",
    "save",
    "save_weights",
    "stratified_split",
    "top_k_accuracy",
]
