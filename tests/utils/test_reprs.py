"""repr: what can be typed makes an equal object."""

from typing import Any

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.layers import SquaredScale

TRAINERS: tuple[ml.Trainer, ...] = (
    ml.LBFGS(),
    ml.LBFGS(memory=5, precondition=False, tolerance=1e-3, cost_tolerance=0.0),
    ml.LBFGS(max_evaluations=3, target_cost=0.25),
    ml.LBFGS(max_iterations=7, max_seconds=2.5),
    ml.GradientDescent(),
    ml.GradientDescent(0.5, momentum=0.9, max_iterations=7),
    ml.GradientDescent(
        0.02,
        rule=ml.Adam(beta1=0.5),
        schedule=ml.Warmup(2, ml.CosineDecay(6, 0.25)),
        batch_size=5,
        seed=3,
        clip_norm=1.5,
        tolerance=0.0,
        max_evaluations=50,
    ),
    ml.GradientDescent(rule=ml.Momentum(0.9, nesterov=True)),
    ml.ScipyTrainer(),
    ml.ScipyTrainer("TNC", maxfun=4, max_seconds=3),
    ml.ScipyTrainer("l-bfgs-b", maxcor=7, ftol=1e-9),
    ml.ScipyTrainer("Newton-CG", gauss_newton=True, max_iterations=5),
)
RULES: tuple[ml.Rule, ...] = (
    ml.Momentum(),
    ml.Momentum(0.9),
    ml.Momentum(0.9, nesterov=True),
    ml.Adam(),
    ml.Adam(beta1=0.5, beta2=0.8, epsilon=1e-3),
)
SCHEDULES: tuple[ml.Schedule, ...] = (
    ml.StepDecay(3, 0.3),
    ml.StepDecay(10),
    ml.ExponentialDecay(0.9),
    ml.InverseTimeDecay(0.2),
    ml.CosineDecay(8, 0.1),
    ml.Warmup(4),
    ml.Warmup(2, ml.CosineDecay(6)),
)
INITIALIZERS: tuple[ml.Initializer, ...] = (
    ml.Glorot(),
    ml.Zeros(),
    ml.UniformEpsilon(),
    ml.UniformEpsilon(0.125),
)
LAYERS: tuple[ml.Layer, ...] = (
    ml.Dense(3, 2),
    ml.Dense(1, 1, bias=False),
    ml.Identity(),
    ml.Sigmoid(),
    ml.Tanh(),
    ml.ReLU(),
    ml.Softmax(),
    ml.LeakyReLU(),
    ml.LeakyReLU(0.2),
    ml.ELU(),
    ml.ELU(0.5),
    ml.Softplus(),
    ml.SiLU(),
    ml.GELU(),
    ml.Sin(),
    ml.Exp(),
    SquaredScale(3),
)
LOSSES: tuple[ml.Loss, ...] = (
    ml.BinaryCrossEntropy(),
    ml.CategoricalCrossEntropy(),
    ml.SquaredError(),
    ml.Poisson(),
    ml.Huber(),
    ml.Huber(2.5),
    ml.PinballLoss(0.9, smoothing=0.01),
)
VALIDATIONS: tuple[ml.Validation, ...] = (
    ml.Validation([[1.0], [2.0]], [0, 1]),
    ml.Validation([[1.0]], [1], patience=3, min_delta=0.5, restore_best=False),
)

NAMES = {**vars(ml), "SquaredScale": SquaredScale}


def content(value: Any) -> Any:
    """Return all that makes up an object, down to numbers, strings and lists."""
    if type(value).__module__.split(".")[0] in ("minilayer", "tests") and hasattr(
        value, "__dict__"
    ):
        own = {name: content(part) for name, part in vars(value).items()}
        return type(value).__name__, own
    return value


@pytest.mark.parametrize(
    "value",
    [*TRAINERS, *RULES, *SCHEDULES, *INITIALIZERS, *LAYERS, *LOSSES, *VALIDATIONS],
    ids=repr,
)
def test_repr_can_be_typed(value: Any) -> None:
    twin = eval(repr(value), dict(NAMES))
    assert type(twin) is type(value)
    assert repr(twin) == repr(value)
    assert content(twin) == content(value)


@pytest.mark.parametrize("trainer", TRAINERS, ids=repr)
def test_a_typed_trainer_has_the_same_settings_and_budget(trainer: ml.Trainer) -> None:
    twin = eval(repr(trainer), dict(NAMES))
    assert twin.budget == trainer.budget
    assert repr(twin.settings()) == repr(trainer.settings())
    assert twin.name == trainer.name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ml.LBFGS(), "LBFGS()"),
        (
            ml.LBFGS(memory=5, target_cost=0.25),
            "LBFGS(memory=5, target_cost=0.25)",
        ),
        (ml.ScipyTrainer(), "ScipyTrainer('L-BFGS-B', maxcor=50)"),
        (ml.Momentum(0.9), "Momentum(momentum=0.9, nesterov=False)"),
        (ml.Dense(3, 2), "Dense(3, 2)"),
        (ml.Dense(3, 2, bias=False), "Dense(3, 2, bias=False)"),
        (ml.UniformEpsilon(), "UniformEpsilon()"),
        (ml.Huber(), "Huber(delta=1.0)"),
        (ml.PinballLoss(0.5, 0.1), "PinballLoss(quantile=0.5, smoothing=0.1)"),
        (ml.LeakyReLU(), "LeakyReLU(slope=0.01)"),
    ],
    ids=repr,
)
def test_repr_leaves_out_what_need_not_be_typed(value: Any, expected: str) -> None:
    assert repr(value) == expected


def test_the_initializer_is_not_in_the_repr_of_a_dense_layer() -> None:
    """It decides where training starts, and is no part of what the layer computes."""
    assert repr(ml.Dense(3, 2, ml.Zeros())) == "Dense(3, 2)"


def test_arrays_and_long_values_are_shown_by_shape_or_cut() -> None:
    validation = ml.Validation(np.ones((3, 4)), list(range(1000)), patience=2)
    text = repr(validation)
    assert text.startswith("Validation(an array of shape (3, 4), [0, 1, 2")
    assert text.endswith("..., patience=2)")
    assert len(text) < 300
