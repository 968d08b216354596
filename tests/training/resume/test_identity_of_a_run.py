"""A checkpoint belongs to one run from one start, and a run never takes it back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.training.resume.replay import UnfinishedIteration
from minilayer.utils.types import Array

RESUMABLE: dict[str, Callable[[int], ml.Trainer]] = {
    "journal": lambda budget: ml.ScipyTrainer("L-BFGS-B", max_evaluations=budget),
    "L-BFGS": lambda budget: ml.LBFGS(max_evaluations=budget),
    "gradient descent": lambda budget: ml.GradientDescent(0.5, max_evaluations=budget),
}


def objective(seed: int = 0) -> ml.Objective:
    model = ml.mlp(2, 4, 1, output=ml.Sigmoid, seed=seed)
    X, labels = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    return ml.Objective(model, X, labels, ml.BinaryCrossEntropy(), l2=1e-3)


@pytest.mark.parametrize("kind", RESUMABLE)
def test_another_start_is_refused(kind: str, tmp_path: Path) -> None:
    """A loop over seeds with one checkpoint name must not get the first seed's result for all."""
    path = tmp_path / "run.h5"
    RESUMABLE[kind](20).minimize(objective(seed=0), checkpoint=path)
    before = path.read_bytes()
    other = objective(seed=1)
    start = other.x0
    with pytest.raises(ml.ResumeError, match=r"run\.h5: expected a model with the parameters that"):
        RESUMABLE[kind](20).minimize(other, checkpoint=path)
    np.testing.assert_array_equal(other.x0, start)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", RESUMABLE)
def test_a_model_that_holds_what_the_run_left_goes_on(kind: str, tmp_path: Path) -> None:
    path, same = tmp_path / "run.h5", objective()
    RESUMABLE[kind](20).minimize(same, checkpoint=path)
    resumed = RESUMABLE[kind](40).minimize(same, checkpoint=path)
    whole = RESUMABLE[kind](40).minimize(objective())
    np.testing.assert_array_equal(resumed.x, whole.x)


@pytest.mark.parametrize("kind", RESUMABLE)
def test_the_message_says_where_a_run_was_resumed(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    first, again, more = (
        RESUMABLE[kind](budget).minimize(objective(), checkpoint=path) for budget in (20, 20, 40)
    )
    assert "(" not in first.message
    assert again.message == f"{first.message} (already finished, at evaluation 20)"
    assert more.message.endswith("(resumed at evaluation 20)")


@pytest.mark.parametrize("kind", RESUMABLE)
def test_a_smaller_budget_does_not_take_the_checkpoint_back(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    whole = RESUMABLE[kind](40).minimize(objective(), checkpoint=path, checkpoint_every=1)
    state = ml.load_state(path)
    RESUMABLE[kind](10).minimize(objective(), checkpoint=path, checkpoint_every=1)
    assert ml.load_state(path)["iterations"] == state["iterations"]
    np.testing.assert_array_equal(ml.load(path).parameters, whole.x)


@pytest.mark.parametrize("has_checkpoint", [True, False])
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_start_of_the_journal(damage: str, has_checkpoint: bool, tmp_path: Path) -> None:
    """The checkpoint knows the start too; without it, nothing is thrown away unsaid."""
    path, journal = tmp_path / "run.h5", tmp_path / "run.h5.journal"
    whole = RESUMABLE["journal"](20).minimize(objective(), checkpoint=path)
    content = bytearray(journal.read_bytes())
    middle_of_start = content.index(b"\n") + 40
    if damage == "cut":
        del content[middle_of_start:]
    else:
        content[middle_of_start] ^= 1
    journal.write_bytes(content)
    if not has_checkpoint:
        path.unlink()
    if damage == "changed" and not has_checkpoint:
        with pytest.raises(ml.ResumeError, match="expected the run's start, found damaged bytes"):
            RESUMABLE["journal"](20).minimize(objective(), checkpoint=path)
        assert journal.read_bytes() == content
        return
    left = objective()
    left.set_parameters(whole.x)
    again = RESUMABLE["journal"](20).minimize(
        left if has_checkpoint else objective(), checkpoint=path
    )
    np.testing.assert_array_equal(again.x, whole.x)
    assert again.history.cost == whole.history.cost


@pytest.mark.parametrize("kind", RESUMABLE)
def test_a_run_that_reached_its_target_ends_again_where_it_was(kind: str, tmp_path: Path) -> None:
    """It ends inside an iteration, and the model holds a point of that iteration."""
    path, same = tmp_path / "run.h5", objective()
    first = RESUMABLE[kind](60).minimize(objective())
    target = (first.history.cost[0] + first.fun) / 2
    trainers = {
        "journal": ml.ScipyTrainer("L-BFGS-B", target_cost=target),
        "L-BFGS": ml.LBFGS(target_cost=target),
        "gradient descent": ml.GradientDescent(0.5, target_cost=target),
    }
    results = [trainers[kind].minimize(same, checkpoint=path) for _ in range(3)]
    for result in results:
        np.testing.assert_array_equal(result.x, results[0].x)
        assert (result.nfev, result.status) == (results[0].nfev, ml.Status.TARGET_COST)
    np.testing.assert_array_equal(ml.load(path).parameters, results[0].x)


@pytest.mark.parametrize("kind", ["L-BFGS", "gradient descent"])
def test_a_resumed_run_without_time_keeps_what_it_has(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    first = RESUMABLE[kind](23).minimize(objective(), checkpoint=path)
    hurried = {
        "L-BFGS": ml.LBFGS(max_seconds=1e-9),
        "gradient descent": ml.GradientDescent(0.5, max_seconds=1e-9),
    }
    again = hurried[kind].minimize(objective(), checkpoint=path)
    np.testing.assert_array_equal(again.x, first.x)
    np.testing.assert_array_equal(ml.load(path).parameters, first.x)


def test_evaluations_at_nan_are_replayed() -> None:
    """A diverged step is the same step again."""
    replay = UnfinishedIteration()
    nan = np.array([np.nan, 1.0])
    replay.record(nan, np.inf, nan, 0.5)
    again = UnfinishedIteration()
    again.restore(replay.as_state())
    known = again.next(nan)
    assert known is not None
    assert (known[0], known[2]) == (np.inf, 0.5)
    assert again.next(nan) is None


def test_a_model_that_cannot_be_stored_is_refused_before_the_run(tmp_path: Path) -> None:
    class Unregistered(ml.Activation):
        """Not registered."""

        def function(self, x: Array, out: Array) -> None:
            np.copyto(out, x)

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            np.copyto(out, dy)

    model = ml.Sequential([ml.Dense(2, 1), Unregistered(), ml.Dense(1, 1)], seed=0)
    problem = ml.Objective(model, [[0, 1]], [[1]], ml.SquaredError())
    start = problem.x0
    with pytest.raises(
        ml.CheckpointError, match=r"^layers\[1\]: expected a registered class, found"
    ):
        ml.LBFGS().minimize(problem, checkpoint=tmp_path / "run.h5")
    np.testing.assert_array_equal(problem.x0, start)
    assert list(tmp_path.iterdir()) == []


def hide_argument(base: type, **methods: Any) -> Any:
    """Return a class whose constructor argument ``pace`` is no attribute of that name."""

    def __init__(self: Any, pace: float = 1.0) -> None:
        self._pace = pace

    return type("Hidden", (base,), {"__init__": __init__, **methods})


HiddenSchedule = hide_argument(ml.Schedule, __call__=lambda self, iterations: self._pace)
HiddenRule = hide_argument(
    ml.Rule,
    init=lambda self, size: {},
    update=lambda self, state, gradient, rate: (-self._pace * rate * gradient, state),
)
HiddenLoss = hide_argument(
    ml.ElementwiseLoss,
    output_activation=None,
    value=lambda self, z, target: self._pace * (z - target) ** 2,
    derivative=lambda self, z, target: 2 * self._pace * (z - target),
)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ml.GradientDescent(schedule=HiddenSchedule(0.5)),
            "schedule: expected Hidden to keep its argument 'pace' as an attribute of that name",
        ),
        (
            lambda: ml.Warmup(3, HiddenSchedule(0.5)),
            "then: expected Hidden to keep its argument 'pace' as an attribute of that name",
        ),
        (
            lambda: ml.GradientDescent(rule=HiddenRule(0.5)),
            "rule: expected Hidden to keep its argument 'pace' as an attribute of that name",
        ),
        (
            lambda: ml.Objective(ml.mlp(2, 1), [[0, 1]], [1], HiddenLoss(0.5)),
            r"loss: expected Hidden.config\(\) to give every argument of Hidden\(...\), found none "
            "for 'pace'",
        ),
    ],
)
def test_an_argument_that_no_identity_could_hold_is_refused(
    make: Callable[[], object], message: str
) -> None:
    """Otherwise a run with pace 1 would be resumed with pace 20."""
    with pytest.raises(TypeError, match=message):
        make()


def test_a_repr_of_the_users_own_may_show_the_argument() -> None:
    shown = type("Shown", (HiddenRule,), {"__repr__": lambda self: f"Shown({self._pace})"})
    assert "Shown(0.5)" in repr(ml.GradientDescent(rule=shown(0.5)))


def test_the_arguments_of_a_loss_identify_a_run_whatever_its_repr_shows(tmp_path: Path) -> None:
    class Silent(ml.ElementwiseLoss):
        """Its repr shows nothing."""

        output_activation = ml.Identity

        def __init__(self, delta: float = 1.0) -> None:
            self.delta = delta

        def value(self, z: Array, target: Array) -> Array:
            return np.asarray(self.delta * (z - target) ** 2)

        def derivative(self, z: Array, target: Array) -> Array:
            return np.asarray(2 * self.delta * (z - target))

        def __repr__(self) -> str:
            return "Silent"

    def run(loss: ml.Loss) -> None:
        problem = ml.Objective(ml.mlp(2, 3, 1, seed=0), [[0, 1], [1, 0]], [0, 1], loss)
        ml.LBFGS(max_iterations=2).minimize(problem, checkpoint=tmp_path / "run.h5")

    run(Silent(1.0))
    with pytest.raises(ml.ResumeError, match="found another run's"):
        run(Silent(20.0))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ml.Huber(1.0), ml.Huber(20.0)),
        (ml.PinballLoss(0.5, 0.1), ml.PinballLoss(0.9, 0.1)),
        (ml.PinballLoss(0.5, 0.1), ml.PinballLoss(0.5, 0.2)),
        (ml.Huber(), ml.SquaredError()),
    ],
    ids=repr,
)
def test_another_loss_is_another_run(first: ml.Loss, second: ml.Loss, tmp_path: Path) -> None:
    def run(loss: ml.Loss) -> None:
        problem = ml.Objective(ml.mlp(2, 3, 1, seed=0), [[0, 1], [1, 0]], [0, 1], loss)
        ml.LBFGS(max_iterations=2).minimize(problem, checkpoint=tmp_path / "run.h5")

    run(first)
    with pytest.raises(ml.ResumeError, match="found another run's"):
        run(second)
    run(first)
