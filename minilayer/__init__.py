"""minilayer: small dense networks as classes, trained to a real minimum with SciPy's optimizers.

README.md beside this file shows the architecture on one page. Reading order: ``nn`` (what a network
is), ``objective`` (cost and gradient on data), ``training`` (the optimizers), ``checkpoint``
(networks in files).
"""

from typing import TYPE_CHECKING, Any

from .checkpoint import load, load_loss, load_metadata, load_parameters, load_state, save
from .errors import (
    CheckpointError,
    ClusterError,
    CurvatureError,
    DataError,
    GradientError,
    LayerError,
    LossError,
    MinilayerError,
    ResumeError,
)
from .ex4 import load_ex4, load_ex4_weights, save_ex4_weights
from .fit import fit
from .labels import decode_labels, encode_labels, one_hot, stratified_split
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
    ELU,
    GELU,
    Activation,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Dense,
    ElementwiseLoss,
    Exp,
    Glorot,
    Huber,
    Identity,
    Initializer,
    Layer,
    LeakyReLU,
    Loss,
    PinballLoss,
    Poisson,
    ReLU,
    Rescale,
    Sequential,
    Sigmoid,
    SiLU,
    Sin,
    Softmax,
    Softplus,
    SquaredError,
    Standardize,
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

if TYPE_CHECKING:
    from .training import TrainingResult

    __version__: str

__all__ = [
    "ELU",
    "GELU",
    "LBFGS",
    "Activation",
    "Adam",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "CheckpointError",
    "ClusterError",
    "CosineDecay",
    "CurvatureError",
    "DataError",
    "Dense",
    "ElementwiseLoss",
    "Exp",
    "ExponentialDecay",
    "Glorot",
    "GradientDescent",
    "GradientError",
    "GradientReport",
    "History",
    "Huber",
    "Identity",
    "Initializer",
    "InverseTimeDecay",
    "Iteration",
    "Layer",
    "LayerError",
    "LeakyReLU",
    "Loss",
    "LossError",
    "MinilayerError",
    "Momentum",
    "Objective",
    "PinballLoss",
    "Poisson",
    "Problem",
    "ProblemWrapper",
    "ReLU",
    "Rescale",
    "ResumeError",
    "Rule",
    "Schedule",
    "ScipyTrainer",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Softmax",
    "Softplus",
    "SquaredError",
    "Standardize",
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
    "decode_labels",
    "encode_labels",
    "fit",
    "load",
    "load_ex4",
    "load_ex4_weights",
    "load_loss",
    "load_metadata",
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


def __getattr__(name: str) -> Any:
    """Return what takes a while to import, at its first use."""
    if name == "TrainingResult":
        from .training import TrainingResult

        return TrainingResult
    if name == "__version__":
        from .utils.version import library_version

        return library_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
