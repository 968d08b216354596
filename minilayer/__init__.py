"""minilayer: small dense networks as classes, trained to a real minimum with SciPy's optimizers.

README.md beside this file shows the architecture on one page. Reading order: ``nn`` (what a network
is), ``objective`` (cost and gradient on data), ``training`` (the optimizers), ``checkpoint``
(networks in files).
"""

from .checkpoint import load, load_parameters, load_state, save
from .errors import (
    CheckpointError,
    CurvatureError,
    GradientError,
    LayerError,
    MinilayerError,
    ResumeError,
)
from .ex4 import load_ex4, load_ex4_weights, save_ex4_weights
from .fit import fit
from .labels import one_hot, stratified_split
from .metrics import (
    accuracy,
    confusion_matrix,
    confusion_table,
    mean_absolute_error,
    mean_squared_error,
    precision_recall,
    top_k_accuracy,
)
from .nn import (
    Activation,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Dense,
    Glorot,
    Identity,
    Initializer,
    Layer,
    Loss,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    SquaredError,
    Tanh,
    UniformEpsilon,
    Zeros,
    mlp,
    register,
)
from .objective import Objective
from .testing import GradientReport, check_gradient
from .training import (
    History,
    Iteration,
    Problem,
    ProblemWrapper,
    Status,
    Trainer,
    TrainingResult,
    Validation,
)
from .training.methods import (
    LBFGS,
    Adam,
    CosineDecay,
    ExponentialDecay,
    GradientDescent,
    InverseTimeDecay,
    Momentum,
    Rule,
    Schedule,
    ScipyTrainer,
    StepDecay,
    Warmup,
)
from .utils.classes import predicted_classes
from .utils.version import library_version as _library_version

__version__ = _library_version()

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
    "LayerError",
    "Loss",
    "MinilayerError",
    "Momentum",
    "Objective",
    "Problem",
    "ProblemWrapper",
    "ReLU",
    "ResumeError",
    "Rule",
    "Schedule",
    "ScipyTrainer",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "SquaredError",
    "Status",
    "StepDecay",
    "Tanh",
    "Trainer",
    "TrainingResult",
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
    "load_ex4_weights",
    "load_parameters",
    "load_state",
    "mean_absolute_error",
    "mean_squared_error",
    "mlp",
    "one_hot",
    "precision_recall",
    "predicted_classes",
    "register",
    "save",
    "save_ex4_weights",
    "stratified_split",
    "top_k_accuracy",
]
