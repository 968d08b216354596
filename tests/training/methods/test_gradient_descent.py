"""GradientDescent: its steps against the formulas of rules and schedules; minibatches, resuming."""

import math
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.clock import FakeClock
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.objectives import (
    AlteredMinibatches,
    Interrupted,
    Killed,
    OneArray,
    Recorded,
    Slow,
)
from tests.helpers.problems import KNOWN_MINIMA, random_objective
from tests.helpers.processes import forks, in_child
from tests.helpers.trainers import TRAINERS

RULES: dict[str, ml.Rule] = {
    "plain": ml.Momentum(),
    "momentum": ml.Momentum(0.9),
    "nesterov": ml.Momentum(0.9, nesterov=True),
    "adam": ml.Adam(),
    "adam, other constants": ml.Adam(beta1=0.5, beta2=0.8, epsilon=1e-3),
}
SCHEDULES: dict[str, ml.Schedule | None] = {
    "none": None,
    "step": ml.StepDecay(3, 0.3),
    "exponential": ml.ExponentialDecay(0.9),
    "inverse time": ml.InverseTimeDecay(0.2),
    "cosine": ml.CosineDecay(8, 0.1),
    "warmup": ml.Warmup(4),
    "warmup, then cosine": ml.Warmup(2, ml.CosineDecay(6)),
}
ROWS = 22
BATCH_SIZE = 5


def regression() -> ml.Objective:
    return random_objective("identity", widths=(3, 4, 2), hidden=ml.Tanh, rows=ROWS, l2=0.3)


# The formulas


def warmup_then_cosine(k: float) -> float:
    if k < 2:
        return (k + 1) / 3
    return 0.5 + 0.5 * math.cos(math.pi * min(k - 2, 6) / 6)


FACTORS: dict[str, Callable[[float], float]] = {
    "none": lambda k: 1.0,
    "step": lambda k: 0.3 ** math.floor(k / 3),
    "exponential": lambda k: 0.9**k,
    "inverse time": lambda k: 1 / (1 + 0.2 * k),
    "cosine": lambda k: 0.55 + 0.45 * math.cos(math.pi * k / 8) if k < 8 else 0.1,
    "warmup": lambda k: (k + 1) / 5 if k < 4 else 1.0,
    "warmup, then cosine": warmup_then_cosine,
}
"""The schedules of the table after k iterations, from their definitions."""


class Reference:
    """The rules of the table as their papers write them, one step after the other."""

    def __init__(self, name: str, x: Array) -> None:
        self.name = name
        self.x = x.copy()
        self.t = 0
        self.m = np.zeros_like(x)
        self.v = np.zeros_like(x)

    def step(self, g: Array, rate: float) -> None:
        self.t += 1
        if self.name.startswith("adam"):
            self._adam(g, rate)
        else:
            mu = 0.0 if self.name == "plain" else 0.9
            self.v = mu * self.v - rate * g
            self.x = self.x + (mu * self.v - rate * g if self.name == "nesterov" else self.v)

    def _adam(self, g: Array, rate: float) -> None:
        b1, b2, eps = (0.9, 0.999, 1e-8) if self.name == "adam" else (0.5, 0.8, 1e-3)
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * g**2
        m_hat = self.m / (1 - b1**self.t)
        v_hat = self.v / (1 - b2**self.t)
        self.x = self.x - rate * m_hat / (np.sqrt(v_hat) + eps)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("rule", RULES)
def test_steps_on_all_rows_are_those_of_the_formulas(rule: str, schedule: str) -> None:
    objective = regression()
    reference = Reference(rule, objective.x0)
    trainer = ml.GradientDescent(
        0.05, rule=RULES[rule], schedule=SCHEDULES[schedule], max_iterations=10
    )
    points: list[Array] = []
    trainer.minimize(objective, callback=lambda iteration: points.append(iteration.x.copy()))
    for k, point in enumerate(points):
        reference.step(objective(reference.x)[1], 0.05 * FACTORS[schedule](k))
        np.testing.assert_allclose(point, reference.x, rtol=1e-10, atol=1e-12)
    assert len(points) == 10


@pytest.mark.parametrize("schedule", ["none", "cosine", "warmup, then cosine"])
@pytest.mark.parametrize("rule", RULES)
def test_an_epoch_takes_every_row_once_by_the_formulas(rule: str, schedule: str) -> None:
    objective = regression()
    recorded = Recorded(objective)
    reference = Reference(rule, objective.x0)
    trainer = ml.GradientDescent(
        0.05,
        rule=RULES[rule],
        schedule=SCHEDULES[schedule],
        batch_size=BATCH_SIZE,
        seed=3,
        max_iterations=4,
    )
    points: list[Array] = []
    result = trainer.minimize(
        recorded, callback=lambda iteration: points.append(iteration.x.copy())
    )
    minibatches = recorded.minibatches
    assert [len(rows) for rows in minibatches] == [5, 5, 5, 5, 2] * 4
    for epoch in range(4):
        own = minibatches[5 * epoch : 5 * epoch + 5]
        assert sorted(row for rows in own for row in rows) == list(range(ROWS))
        for part, rows in enumerate(own):
            _, gradient = objective.minibatch(reference.x, rows)
            factor = FACTORS[schedule](epoch + BATCH_SIZE * part / ROWS)
            reference.step(gradient, 0.05 * factor)
        np.testing.assert_allclose(points[epoch], reference.x, rtol=1e-9, atol=1e-12)
    different = {tuple(rows) for rows in minibatches}
    assert len(different) == len(minibatches)  # shuffled anew for each epoch
    assert result.nfev == 1 + 2 * 4  # the start; an epoch's minibatches and its evaluation


# The arguments


def train(**options: Any) -> ml.TrainingResult:
    trainer = ml.GradientDescent(**{"learning_rate": 0.05, "max_iterations": 6, **options})
    return trainer.minimize(regression())


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0.06},
        {"momentum": 0.5},
        {"rule": ml.Adam()},
        {"rule": ml.Momentum(0.0, nesterov=True), "momentum": 0.0, "schedule": ml.StepDecay(2)},
        {"schedule": ml.ExponentialDecay(0.5)},
        {"batch_size": 5},
        {"batch_size": ROWS, "clip_norm": 0.1},
        {"clip_norm": 0.1},
        {"tolerance": 10.0},
        {"max_evaluations": 3},
        {"target_cost": 0.95 * regression()(regression().x0)[0]},
    ],
    ids=str,
)
def test_every_argument_changes_the_run(change: dict[str, Any]) -> None:
    assert not np.array_equal(train(**change).x, train().x)


def test_the_seed_changes_the_minibatches_and_nothing_else() -> None:
    runs = [train(batch_size=5, seed=seed).x for seed in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    np.testing.assert_array_equal(train(seed=0).x, train(seed=1).x)


def test_momentum_is_short_for_the_rule() -> None:
    np.testing.assert_array_equal(train(momentum=0.7).x, train(rule=ml.Momentum(0.7)).x)
    np.testing.assert_array_equal(train(rule=ml.Momentum(0.0, nesterov=True)).x, train().x)


def test_a_minibatch_of_all_rows_is_a_step_on_all_rows() -> None:
    np.testing.assert_allclose(train(batch_size=ROWS).x, train().x, rtol=1e-12)


def test_gradients_longer_than_clip_norm_are_scaled_to_it() -> None:
    objective = regression()
    x = objective.x0
    gradient = objective(x)[1]
    norm = float(np.linalg.norm(gradient))
    for clip_norm, expected in ((norm / 3, gradient / 3), (norm * 1.01, gradient)):
        trainer = ml.GradientDescent(0.01, clip_norm=clip_norm, max_iterations=1)
        result = trainer.minimize(objective, x)
        np.testing.assert_allclose(result.x, x - 0.01 * expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0}, "learning_rate: expected a finite number > 0, found 0"),
        ({"learning_rate": "fast"}, "learning_rate: expected a number, found 'fast'"),
        ({"momentum": 1}, "momentum: expected a number below 1, found 1"),
        ({"momentum": -0.1}, "momentum: expected a finite number >= 0, found -0.1"),
        ({"tolerance": -1}, "tolerance: expected a finite number >= 0, found -1"),
        ({"rule": "adam"}, r"rule: expected a Rule such as Adam\(\), found 'adam'"),
        ({"rule": ml.Adam}, r"rule: expected a Rule such as Adam\(\), found <class"),
        (
            {"momentum": 0.9, "rule": ml.Adam()},
            r"momentum: expected without a rule, "
            r"found 0.9 beside Adam\(beta1=0.9, beta2=0.999, epsilon=1e-08\)",
        ),
        ({"schedule": 0.9}, "schedule: expected a Schedule such as"),
        ({"batch_size": 0}, "batch_size: expected at least 1, found 0"),
        ({"seed": -1}, "seed: expected at least 0, found -1"),
        ({"clip_norm": 0}, "clip_norm: expected a finite number > 0, found 0"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.GradientDescent(**arguments)


def test_a_batch_size_above_the_rows_is_refused() -> None:
    expected = "batch_size: expected at most the rows, 22, found 50"
    with pytest.raises(ValueError, match=expected):
        ml.GradientDescent(batch_size=50).minimize(regression())


def test_minibatches_of_a_function_without_rows_are_refused() -> None:
    expected = "batch_size: expected an Objective, which has rows, found <function"
    with pytest.raises(TypeError, match=expected):
        ml.GradientDescent(batch_size=5).minimize(lambda x: (0.0, x), [1.0])


# Minima and budgets


@pytest.mark.parametrize("name", KNOWN_MINIMA)
@pytest.mark.parametrize("rule", ["momentum", "nesterov", "adam"])
@pytest.mark.parametrize("batch_size", [None, 20])
def test_known_minima_are_reached(name: str, rule: str, batch_size: int | None) -> None:
    known = KNOWN_MINIMA[name]()
    size = None if batch_size is None else min(batch_size, known.objective.rows // 2)
    full = 0.1 if rule == "adam" else 0.3
    # Minibatches reach a minimum only as the learning rate goes to zero.
    trainer = ml.GradientDescent(
        full if size is None or name == "xor" or rule == "adam" else 0.05,
        rule=RULES[rule],
        batch_size=size,
        schedule=None if size is None else ml.CosineDecay(400),
        max_iterations=3000 if size is None else 400,
        tolerance=1e-7,
    )
    result = trainer.minimize(known.objective)
    tolerance = known.tolerance if size is None else 10 * known.tolerance
    assert result.fun - known.cost < tolerance
    np.testing.assert_array_equal(known.objective.model.parameters, result.x)


@pytest.mark.parametrize("budget", range(1, 14))
def test_epochs_use_the_budget_of_evaluations_as_far_as_they_fit(budget: int) -> None:
    trainer = ml.GradientDescent(0.01, batch_size=5, max_evaluations=budget)
    result = trainer.minimize(regression())
    assert result.nfev == budget - 1 + budget % 2  # an epoch takes two
    assert result.status == ml.Status.MAX_EVALUATIONS
    assert result.fun == min(result.history.cost)
    left = "is used up" if budget % 2 else "leaves 1, and an epoch takes 2"
    hint = "raise max_evaluations, or train again to go on"
    assert result.message.endswith(f"the budget of {budget} evaluations {left}: {hint}")


def test_the_time_limit_is_checked_between_minibatches(clock: FakeClock) -> None:
    objective = Slow(regression(), clock, seconds=2)
    result = ml.GradientDescent(0.01, batch_size=5, max_seconds=5).minimize(objective)
    assert result.status == ml.Status.MAX_SECONDS
    assert (objective.minibatches, result.nit) == (2, 0)


@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("rule", ["plain", "adam"])
def test_a_step_that_overflows_ends_the_run(rule: str, batch_size: int | None) -> None:
    trainer = ml.GradientDescent(1e308, rule=RULES[rule], batch_size=batch_size)
    result = trainer.minimize(regression())
    assert result.status == ml.Status.NON_FINITE
    assert np.isfinite(result.x).all()


@pytest.mark.parametrize("part", ["cost", "gradient"])
def test_a_minibatch_that_is_not_finite_ends_the_run(part: str) -> None:
    def alter(cost: float, gradient: Array) -> tuple[float, Array]:
        return (math.nan, gradient) if part == "cost" else (cost, gradient * math.inf)

    objective = AlteredMinibatches(regression(), alter, only=12)  # the third epoch's second
    result = ml.GradientDescent(0.01, batch_size=5).minimize(objective)
    assert (result.status, result.nit) == (ml.Status.NON_FINITE, 2)
    found = "cost nan" if part == "cost" else "a gradient that is not finite"
    assert result.message.endswith(f"a batch of the epoch after iteration 2 gave {found}")
    assert np.isfinite(result.x).all()


# Resuming


@pytest.mark.parametrize("at", range(2, 9))
def test_an_objective_that_overwrites_its_gradient_is_resumed_alike(
    tmp_path: Path, at: int
) -> None:
    """The array holds the gradient of a point that is not in the checkpoint when Ctrl-C comes."""

    def one_array() -> OneArray:
        objective = regression()
        return OneArray(objective, objective.x0.size)

    path = tmp_path / "run.h5"
    trainer = ml.GradientDescent(0.05, rule=ml.Adam(), max_iterations=12)
    whole = trainer.minimize(regression())
    interrupted = trainer.minimize(Interrupted(one_array(), at), checkpoint=path)
    assert interrupted.status == ml.Status.INTERRUPTED
    result = trainer.minimize(one_array(), checkpoint=path)
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(whole))


@forks
@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("rule", RULES)
def test_a_run_that_was_killed_twice_ends_as_the_whole_run(
    rule: str, batch_size: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "run.h5"
    trainer = ml.GradientDescent(
        0.05,
        rule=RULES[rule],
        batch_size=batch_size,
        schedule=ml.CosineDecay(20),
        max_iterations=15,
        tolerance=0,
    )
    whole = trainer.minimize(regression())
    for after in (3, 5):
        killed = Killed(regression(), after)
        run = partial(trainer.minimize, killed, checkpoint=path, checkpoint_every=1)
        assert in_child(run) == -signal.SIGKILL
    assert 0 < ml.load_state(path)["iterations"] < 15
    result = trainer.minimize(regression(), checkpoint=path)
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(whole))


@pytest.mark.parametrize(
    "change",
    [
        {"rule": ml.Momentum(0.5)},
        {"rule": ml.Adam(epsilon=1e-7)},
        {"schedule": ml.CosineDecay(9)},
        {"seed": 1},
        {"batch_size": 6},
        {"clip_norm": 1.0},
    ],
    ids=str,
)
def test_other_arguments_are_another_run(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    options: dict[str, Any] = {
        "rule": ml.Adam(),
        "schedule": ml.CosineDecay(8),
        "batch_size": 5,
        "max_iterations": 2,
    }
    ml.GradientDescent(0.1, **options).minimize(regression(), checkpoint=path)
    trainer = ml.GradientDescent(0.1, **{**options, **change})
    with pytest.raises(ml.ResumeError, match="found another run's"):
        trainer.minimize(regression(), checkpoint=path)


def test_points_given_to_the_callback_do_not_change_afterwards(tmp_path: Path) -> None:
    points: list[tuple[Array, Array]] = []
    ml.GradientDescent(0.1, rule=ml.Adam(), batch_size=5, max_iterations=5).minimize(
        regression(),
        checkpoint=tmp_path / "run.h5",
        callback=lambda iteration: points.append((iteration.x, iteration.x.copy())),
    )
    assert len(points) == 5
    for x, copy in points:
        np.testing.assert_array_equal(x, copy)


# Advice


@pytest.mark.parametrize("name", ["gradient descent", "Nesterov", "Adam"])
def test_a_run_whose_steps_lower_nothing_advises_a_smaller_learning_rate(name: str) -> None:
    steep = 1.0 if name == "Adam" else 1e3

    def bowl(x: Array) -> tuple[float, Array]:
        return steep * float(x @ x), 2 * steep * x

    advice = ", and no step lowered the cost: the learning rate may be too large"
    result = TRAINERS[name](max_iterations=1).minimize(bowl, [1e-3, 1e-3])
    assert result.message == f"gradient descent: the budget of 1 iterations is used up{advice}"
    assert result.status == ml.Status.MAX_ITERATIONS
    fine = TRAINERS[name](max_iterations=1).minimize(lambda x: (float(x @ x) / 2, x), [3.0, 3.0])
    hint = "raise max_iterations, or train again to go on"
    assert fine.message == f"gradient descent: the budget of 1 iterations is used up: {hint}"


def test_a_run_that_overflows_advises_a_smaller_learning_rate() -> None:
    def bowl(x: Array) -> tuple[float, Array]:
        with np.errstate(over="ignore"):
            return float(x @ x), 2 * x

    result = ml.GradientDescent(1e6).minimize(bowl, [1.0])
    assert result.status == ml.Status.NON_FINITE
    advice = "and no step lowered the cost: the learning rate may be too large"
    assert result.message.endswith(advice)


# The bar


@pytest.mark.parametrize(
    ("options", "evaluations", "shown"),
    [
        ({"max_iterations": 3}, 4, "4/4 eval"),
        ({"max_iterations": 3, "batch_size": 5}, 7, "3/3 epochs"),
        ({"max_iterations": 3, "max_evaluations": 2}, 2, "2/2 eval"),
        ({"max_iterations": None, "max_evaluations": 2}, 2, "2/2 eval"),
    ],
)
def test_the_bar_is_as_long_as_the_evaluations_or_epochs_within_the_budget(
    options: dict[str, Any], evaluations: int, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = ml.GradientDescent(0.01, **options).minimize(regression(), progress=True)
    assert result.nfev == evaluations
    assert f" {shown}" in capsys.readouterr().err
