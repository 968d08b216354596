"""Rules, schedules, clipping and batches: against formulas written down anew, and under every trainer's contract."""

import math
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.conftest import small_model
from tests.helpers.problems import PROBLEMS
from tests.training.resume.test_resume import Killed, columns, in_child

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
ROWS, BATCH = 22, 5


def problem(l2: float = 0.3) -> ml.Objective:
    rng = np.random.default_rng(6)
    X = rng.standard_normal((ROWS, 3))
    model = small_model([3, 4, 2], ml.Tanh, ml.Identity, 1)
    return ml.Objective(model, X, np.c_[X[:, 0] * X[:, 1], X[:, 2]], ml.SquaredError(), l2)


def factor(name: str, k: float) -> float:
    """The schedules of the table, from their definitions."""
    factors = {
        "none": 1.0,
        "step": 0.3 ** math.floor(k / 3),
        "exponential": 0.9**k,
        "inverse time": 1 / (1 + 0.2 * k),
        "cosine": 0.55 + 0.45 * math.cos(math.pi * k / 8) if k < 8 else 0.1,
        "warmup": (k + 1) / 5 if k < 4 else 1.0,
        "warmup, then cosine": (k + 1) / 3
        if k < 2
        else 0.5 + 0.5 * math.cos(math.pi * min(k - 2, 6) / 6),
    }
    return float(factors[name])


class Reference:
    """The rules of the table as their papers write them, one step after the other."""

    def __init__(self, name: str, x: Array) -> None:
        self.name, self.x, self.t = name, x.copy(), 0
        self.v, self.m = np.zeros_like(x), np.zeros_like(x)

    def step(self, g: Array, rate: float) -> None:
        self.t += 1
        if self.name.startswith("adam"):
            b1, b2, eps = (0.9, 0.999, 1e-8) if self.name == "adam" else (0.5, 0.8, 1e-3)
            self.m = b1 * self.m + (1 - b1) * g
            self.v = b2 * self.v + (1 - b2) * g**2
            self.x = self.x - rate * (self.m / (1 - b1**self.t)) / (
                np.sqrt(self.v / (1 - b2**self.t)) + eps
            )
        else:
            mu = 0.0 if self.name == "plain" else 0.9
            self.v = mu * self.v - rate * g
            self.x = self.x + (mu * self.v - rate * g if self.name == "nesterov" else self.v)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("rule", RULES)
def test_full_steps_are_those_of_the_formulas(rule: str, schedule: str) -> None:
    objective = problem()
    reference = Reference(rule, objective.x0)
    trainer = ml.GradientDescent(
        0.05, rule=RULES[rule], schedule=SCHEDULES[schedule], max_iterations=10
    )
    points: list[Array] = []
    trainer.minimize(objective, callback=lambda iteration: points.append(iteration.x.copy()))
    for k, point in enumerate(points):
        reference.step(objective(reference.x)[1], 0.05 * factor(schedule, k))
        np.testing.assert_allclose(point, reference.x, rtol=1e-10, atol=1e-12)
    assert len(points) == 10


@pytest.mark.parametrize("schedule", ["none", "cosine", "warmup, then cosine"])
@pytest.mark.parametrize("rule", RULES)
def test_epochs_take_every_row_once_and_step_by_the_formulas(rule: str, schedule: str) -> None:
    asked: list[list[int]] = []

    class Recorded:
        """Knows what it was asked for."""

        def __init__(self, objective: ml.Objective) -> None:
            self._objective = objective

        def __call__(self, x: Array) -> tuple[float, Array]:
            return self._objective(x)

        def minibatch(self, x: Array, rows: Array) -> tuple[float, Array]:
            asked.append(rows.tolist())
            return self._objective.minibatch(x, rows)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._objective, name)

    objective = problem()
    x = objective.x0
    trainer = ml.GradientDescent(
        0.05,
        rule=RULES[rule],
        schedule=SCHEDULES[schedule],
        batch_size=BATCH,
        seed=3,
        max_iterations=4,
    )
    points: list[Array] = []
    result = trainer.minimize(
        Recorded(objective), callback=lambda told: points.append(told.x.copy())
    )
    assert [len(rows) for rows in asked] == [5, 5, 5, 5, 2] * 4
    reference = Reference(rule, x)
    for epoch in range(4):
        batches = asked[5 * epoch : 5 * epoch + 5]
        order = [row for rows in batches for row in rows]
        assert sorted(order) == list(range(ROWS))
        for part, rows in enumerate(batches):
            _, gradient = objective.minibatch(reference.x, rows)
            reference.step(gradient, 0.05 * factor(schedule, epoch + BATCH * part / ROWS))
        np.testing.assert_allclose(points[epoch], reference.x, rtol=1e-9, atol=1e-12)
    assert len({tuple(rows) for rows in asked}) == len(asked)  # shuffled anew for each epoch
    assert result.nfev == 1 + 2 * 4  # the start; a pass in batches and an evaluation for each epoch


def train(**options: Any) -> Any:
    return ml.GradientDescent(**{"learning_rate": 0.05, "max_iterations": 6, **options}).minimize(
        problem()
    )


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
        {"target_cost": 0.95 * problem()(problem().x0)[0]},
    ],
    ids=str,
)
def test_every_option_changes_the_run(change: dict[str, Any]) -> None:
    assert not np.array_equal(train(**change).x, train().x)


def test_the_seed_changes_the_batches_and_nothing_else() -> None:
    runs = [train(batch_size=5, seed=seed).x for seed in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    np.testing.assert_array_equal(train(seed=0).x, train(seed=1).x)


def test_momentum_is_short_for_the_rule() -> None:
    np.testing.assert_array_equal(train(momentum=0.7).x, train(rule=ml.Momentum(0.7)).x)
    np.testing.assert_array_equal(train(rule=ml.Momentum(0.0, nesterov=True)).x, train().x)


def test_a_batch_of_all_rows_is_a_full_step() -> None:
    np.testing.assert_allclose(train(batch_size=ROWS).x, train().x, rtol=1e-12)


def test_clipped_gradients_are_scaled_to_the_norm() -> None:
    objective = problem()
    x = objective.x0
    gradient = objective(x)[1]
    norm = float(np.linalg.norm(gradient))
    for clip, expected in ((norm / 3, gradient / 3), (norm * 1.01, gradient)):
        result = ml.GradientDescent(0.01, clip_norm=clip, max_iterations=1).minimize(objective, x)
        np.testing.assert_allclose(result.x, x - 0.01 * expected, rtol=1e-12)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("rule", ["momentum", "nesterov", "adam"])
@pytest.mark.parametrize("batch_size", [None, 20])
def test_known_minima_are_reached(name: str, rule: str, batch_size: int | None) -> None:
    known = PROBLEMS[name]()
    size = None if batch_size is None else min(batch_size, known.objective.rows // 2)
    full = 0.1 if rule == "adam" else 0.3
    # Batches of less than all rows end where the learning rate does: at a minimum if it dies away.
    trainer = ml.GradientDescent(
        full if size is None or name == "xor" or rule == "adam" else 0.05,
        rule=RULES[rule],
        batch_size=size,
        schedule=None if size is None else ml.CosineDecay(400),
        max_iterations=3000 if size is None else 400,
        tolerance=1e-7,
    )
    result = trainer.minimize(known.objective)
    assert result.fun - known.minimum < (known.tolerance if size is None else 10 * known.tolerance)
    np.testing.assert_array_equal(known.objective.model.parameters, result.x)


@pytest.mark.parametrize("budget", range(1, 14))
def test_evaluations_are_never_exceeded_and_none_is_wasted(budget: int) -> None:
    result = ml.GradientDescent(0.01, batch_size=5, max_evaluations=budget).minimize(problem())
    assert result.nfev == budget - 1 + budget % 2  # an epoch takes two
    assert result.status == ml.Status.MAX_EVALUATIONS
    assert result.fun == min(result.history.cost)
    left = "is used up" if budget % 2 else "leaves 1, and an epoch takes 2"
    assert result.message.endswith(f"the budget of {budget} evaluations {left}")


@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("rule", ["plain", "adam"])
def test_a_step_that_goes_too_far_ends_the_run(rule: str, batch_size: int | None) -> None:
    result = ml.GradientDescent(1e308, rule=RULES[rule], batch_size=batch_size).minimize(problem())
    assert result.status == ml.Status.NON_FINITE
    assert np.isfinite(result.x).all()


def test_an_objective_that_answers_in_one_array_is_resumed_alike(tmp_path: Path) -> None:
    """Interrupted after the array was written to again, for a point that is not in the checkpoint."""

    class OneArray:
        """Its gradients are the same array; it may be interrupted when one is in there."""

        def __init__(self, fatal: int) -> None:
            self.objective, self.left, self.array = problem(), fatal, np.empty(problem().x0.size)

        def __call__(self, x: Array) -> tuple[float, Array]:
            cost, self.array[:] = self.objective(x)
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return cost, self.array

        def __getattr__(self, name: str) -> Any:
            return getattr(self.objective, name)

    trainer = ml.GradientDescent(0.05, rule=ml.Adam(), max_iterations=12)
    whole = trainer.minimize(problem())
    cut = trainer.minimize(OneArray(6), checkpoint=tmp_path / "run.h5")
    assert cut.status == ml.Status.INTERRUPTED
    result = trainer.minimize(OneArray(-1), checkpoint=tmp_path / "run.h5")
    np.testing.assert_array_equal(result.x, whole.x)


@pytest.mark.parametrize("part", ["cost", "gradient"])
def test_a_batch_that_is_not_finite_ends_the_run(part: str) -> None:
    objective = problem()

    class Broken:
        """Fails at the third epoch's second batch."""

        calls = 0

        def __call__(self, x: Array) -> tuple[float, Array]:
            return objective(x)

        def minibatch(self, x: Array, rows: Array) -> tuple[float, Array]:
            self.calls += 1
            cost, gradient = objective.minibatch(x, rows)
            if self.calls == 12:
                return (math.nan, gradient) if part == "cost" else (cost, gradient * math.inf)
            return cost, gradient

        def __getattr__(self, name: str) -> Any:
            return getattr(objective, name)

    result = ml.GradientDescent(0.01, batch_size=5).minimize(Broken())
    assert (result.status, result.nit) == (ml.Status.NON_FINITE, 2)
    found = "cost nan" if part == "cost" else "a gradient that is not finite"
    assert result.message.endswith(f"a batch of the epoch after iteration 2 gave {found}")
    assert np.isfinite(result.x).all()


def test_seconds_are_looked_at_between_batches() -> None:
    ticks = 0

    class Slow:
        """Batches that take their time."""

        def __init__(self) -> None:
            self.objective = problem()

        def __call__(self, x: Array) -> tuple[float, Array]:
            return self.objective(x)

        def minibatch(self, x: Array, rows: Array) -> tuple[float, Array]:
            nonlocal ticks
            ticks += 1
            if ticks == 2:
                import time

                time.sleep(0.06)
            return self.objective.minibatch(x, rows)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.objective, name)

    result = ml.GradientDescent(0.01, batch_size=5, max_seconds=0.05).minimize(Slow())
    assert result.status == ml.Status.MAX_SECONDS
    assert ticks == 2 or result.nit > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked children")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("rule", RULES)
def test_killed_several_times_it_ends_as_if_it_was_not(
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
    whole = trainer.minimize(problem())
    for fatal in (3, 5):
        killed = Killed(problem(), fatal)
        assert (
            in_child(partial(trainer.minimize, killed, checkpoint=path, checkpoint_every=1))
            == -signal.SIGKILL
        )
    assert 0 < ml.load_state(path)["iterations"] < 15
    result = trainer.minimize(problem(), checkpoint=path)
    np.testing.assert_array_equal(result.x, whole.x)
    np.testing.assert_array_equal(result.jac, whole.jac)
    assert (result.nfev, result.nit) == (whole.nfev, whole.nit)
    assert result.message.startswith(f"{whole.message} (resumed at evaluation ")
    assert columns(result) == columns(whole)


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
def test_other_options_are_another_run(change: dict[str, Any], tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "rule": ml.Adam(),
        "schedule": ml.CosineDecay(8),
        "batch_size": 5,
        "max_iterations": 2,
    }
    ml.GradientDescent(0.1, **options).minimize(problem(), checkpoint=tmp_path / "run.h5")
    with pytest.raises(ml.ResumeError, match="found another run's"):
        ml.GradientDescent(0.1, **{**options, **change}).minimize(
            problem(), checkpoint=tmp_path / "run.h5"
        )


def test_what_callbacks_and_checkpoints_were_given_stays_as_it_was(tmp_path: Path) -> None:
    told: list[tuple[Array, Array]] = []
    ml.GradientDescent(0.1, rule=ml.Adam(), batch_size=5, max_iterations=5).minimize(
        problem(), checkpoint=tmp_path / "run.h5", callback=lambda k: told.append((k.x, k.x.copy()))
    )
    for x, copy in told:
        np.testing.assert_array_equal(x, copy)
    for rule in RULES.values():
        state = rule.init(4)
        before = {name: np.copy(value) for name, value in state.items()}
        _, after = rule.update(state, np.ones(4), 0.1)
        for name, value in before.items():
            np.testing.assert_array_equal(state[name], value)
        assert set(after) == set(state)


@pytest.mark.parametrize(
    "value", [*RULES.values(), *(schedule for schedule in SCHEDULES.values() if schedule)], ids=repr
)
def test_repr_is_how_one_writes_it(value: Any) -> None:
    twin = eval(repr(value), vars(ml))
    assert repr(twin) == repr(value)
    assert type(twin) is type(value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ml.Momentum(1.0), "momentum: expected a number below 1, found 1.0"),
        (lambda: ml.Momentum(-0.5), "momentum: expected a finite number >= 0, found -0.5"),
        (lambda: ml.Momentum(0.5, nesterov=1), "nesterov: expected True or False, found 1"),  # type: ignore[arg-type]
        (lambda: ml.Adam(beta1=1), "beta1: expected a number below 1, found 1"),
        (lambda: ml.Adam(beta2=-1), "beta2: expected a finite number >= 0, found -1"),
        (lambda: ml.Adam(epsilon=0), "epsilon: expected a finite number > 0, found 0"),
        (lambda: ml.StepDecay(0), "every: expected at least 1, found 0"),
        (lambda: ml.StepDecay(3, 1.5), "factor: expected a number up to 1, found 1.5"),
        (lambda: ml.ExponentialDecay(0), "factor: expected a finite number > 0, found 0"),
        (lambda: ml.InverseTimeDecay(-1), "decay: expected a finite number >= 0, found -1"),
        (lambda: ml.CosineDecay(2.5), "iterations: expected an integer, found 2.5"),  # type: ignore[arg-type]
        (lambda: ml.CosineDecay(5, 2), "minimum: expected a number up to 1, found 2"),
        (lambda: ml.Warmup(0), "iterations: expected at least 1, found 0"),
        (
            lambda: ml.Warmup(3, 0.5),  # type: ignore[arg-type]
            r"then: expected a Schedule such as CosineDecay\(100\), found 0.5",
        ),
        (
            lambda: ml.GradientDescent(rule="adam"),  # type: ignore[arg-type]
            r"rule: expected a Rule such as Adam\(\), found 'adam'",
        ),
        (
            lambda: ml.GradientDescent(rule=ml.Adam),  # type: ignore[arg-type]
            r"rule: expected a Rule such as Adam\(\), found <class",
        ),
        (
            lambda: ml.GradientDescent(momentum=0.9, rule=ml.Adam()),
            r"momentum: expected without a rule, found 0.9 beside Adam\(beta1=0.9, beta2=0.999, epsilon=1e-08\)",
        ),
        (lambda: ml.GradientDescent(schedule=0.9), "schedule: expected a Schedule such as"),  # type: ignore[arg-type]
        (lambda: ml.GradientDescent(batch_size=0), "batch_size: expected at least 1, found 0"),
        (lambda: ml.GradientDescent(seed=-1), "seed: expected at least 0, found -1"),
        (
            lambda: ml.GradientDescent(clip_norm=0),
            "clip_norm: expected a finite number > 0, found 0",
        ),
        (
            lambda: ml.GradientDescent(batch_size=50).minimize(problem()),
            "batch_size: expected at most the rows, 22, found 50",
        ),
        (
            lambda: ml.GradientDescent(batch_size=5).minimize(lambda x: (0.0, x), [1.0]),
            "batch_size: expected an Objective, which has rows, found <function",
        ),
    ],
)
def test_wrong_arguments_are_named(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make()
