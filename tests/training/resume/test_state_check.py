"""A stored state that is not what a run needs is refused before anything changes."""

from __future__ import annotations

import copy
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.training.resume.state_check import Count, Entries, Floats, Number, StateError
from minilayer.training.run import Run
from minilayer.utils.types import Array, State
from tests.helpers.objectives import RosenbrockOfANetwork
from tests.helpers.paths import ROOT

ROWS = 12
X = np.random.default_rng(0).standard_normal((ROWS, 2))
LABELS = X[:, 0] > 0


def network() -> ml.Objective:
    model = ml.Sequential([ml.Dense(2, 1), ml.Sigmoid()], seed=0)
    return ml.Objective(model, X, LABELS, ml.BinaryCrossEntropy(), l2=1.0)


def share_of_hits(labels: Array, predictions: Array) -> float:
    return float(np.mean((predictions > 0.5) == labels))


def validation() -> ml.Validation:
    return ml.Validation(X[:5], LABELS[:5], metric=share_of_hits, patience=9)


@dataclass(frozen=True)
class Kind:
    """A kind of run that a checkpoint resumes."""

    trainer: Callable[..., ml.Trainer]
    """A function of the budget."""
    objective: Callable[[], Any] = network
    evaluations: int = 6
    is_validated: bool = False

    def run(self, path: Path, more: int = 0) -> tuple[ml.TrainingResult, Any]:
        objective = self.objective()
        result = self.resume(objective, path, more)
        return result, objective

    def resume(self, objective: Any, path: Path, more: int) -> ml.TrainingResult:
        return self.trainer(max_evaluations=self.evaluations + more).minimize(
            objective,
            checkpoint=path,
            checkpoint_every=1,
            validation=validation() if self.is_validated else None,
        )


def descent(**arguments: Any) -> Callable[..., ml.Trainer]:
    return lambda **budget: ml.GradientDescent(0.1, **arguments, **budget)


ADAM = descent(rule=ml.Adam(), schedule=ml.Warmup(2, ml.CosineDecay(20)), batch_size=5)
KINDS: dict[str, Kind] = {
    "L-BFGS, preconditioned": Kind(ml.LBFGS),
    "L-BFGS, plain, validated": Kind(
        lambda **budget: ml.LBFGS(precondition=False, **budget), is_validated=True
    ),
    "L-BFGS in a line search": Kind(ml.LBFGS, RosenbrockOfANetwork, 8),
    "momentum, a schedule": Kind(descent(momentum=0.9, schedule=ml.StepDecay(2))),
    "Nesterov, clipped": Kind(descent(rule=ml.Momentum(0.9, nesterov=True), clip_norm=0.1)),
    "Adam, minibatches, validated": Kind(ADAM, evaluations=9, is_validated=True),
    "L-BFGS-B": Kind(lambda **budget: ml.ScipyTrainer("L-BFGS-B", **budget)),
    "TNC, validated": Kind(lambda **budget: ml.ScipyTrainer("TNC", **budget), is_validated=True),
}
OPTIONAL = {"restart_cost", "preconditioned_at"}
"""Entries that a run can do without."""
WORDS = "parts"
"""The entry that only the message for another run needs."""

Place = tuple[str, ...]


def places(state: State, above: Place = ()) -> Iterator[Place]:
    for name, value in state.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from places(value, (*above, name))


def with_value(state: State, place: Place, value: object) -> State:
    changed = copy.deepcopy(state)
    part = changed
    for name in place[:-1]:
        part = part[name]
    if value is None:
        del part[place[-1]]
    else:
        part[place[-1]] = value
    return changed


def value_at(state: State, place: Place) -> Any:
    for name in place:
        state = state[name]
    return state


@dataclass
class Saved:
    """A run's files in a folder, and what they held."""

    kind: Kind
    path: Path

    def __post_init__(self) -> None:
        self.kind.run(self.path)
        self.state = ml.load_state(self.path)
        self._model = ml.load(self.path)
        self._journal = self.path.with_name(f"{self.path.name}.journal")
        self._records = self._journal.read_bytes() if self._journal.exists() else None

    def put(self, state: State) -> None:
        ml.save(self._model, self.path, state=state)
        if self._records is not None:
            self._journal.write_bytes(self._records)

    def files(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self.path.parent.iterdir()}

    def refusal(self) -> str:
        """Resume; return what the refusal says, or nothing if the run went on."""
        objective = self.kind.objective()
        before = objective.x0
        files = self.files()
        try:
            result = self.kind.resume(objective, self.path, more=4)
        except (ml.ResumeError, ml.CheckpointError) as error:
            np.testing.assert_array_equal(objective.x0, before)
            assert self.files() == files
            return str(error)
        assert isinstance(result, ml.TrainingResult)
        np.testing.assert_array_equal(objective.x0, result.x)
        return ""


@pytest.fixture(scope="module", autouse=True)
def _files_stay_in_memory() -> Iterator[None]:
    """Let a thousand files be written without waiting for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module", params=KINDS)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    return Saved(KINDS[request.param], tmp_path_factory.mktemp("run") / "run.h5")


def test_an_unchanged_state_goes_on(saved: Saved) -> None:
    saved.put(saved.state)
    assert saved.refusal() == ""


def test_a_state_with_an_entry_missing_is_refused(saved: Saved) -> None:
    for place in places(saved.state):
        saved.put(with_value(saved.state, place, None))
        said = saved.refusal()
        if place[-1] in OPTIONAL or place[0] == WORDS:
            assert said == ""
        elif place == ("run",):
            assert "found a model that no run was writing" in said
        elif place[:-1] == ("unfinished",):  # the last of them may be missing
            assert "expected" in said or place[-1] == max(saved.state["unfinished"])
        else:
            below = "/".join(place)
            assert said.startswith(f"{saved.path}: {below}: expected an entry"), said


VALUES = st.one_of(
    st.sampled_from(
        [None, "text", "", -1, 0, 3, 10**30, 10**400, True, {}, {"x": 1}, {"0": {"x": 1.0}}]
    ),
    st.sampled_from([np.nan, np.inf, -np.inf, 1e308, -0.0, 2.5]),
    st.sampled_from([np.ones(1), np.ones(2), np.array(1.0), np.full((3, 3), np.nan)]),
    st.sampled_from(["nan", "inf", "huge", "zero", "negative", "longer", "shorter", "transposed"]),
)


def value_for(found: Any, value: Any) -> Any:
    """Return the value; for some words an array like that one."""
    if not (isinstance(found, np.ndarray) and isinstance(value, str)):
        return value
    likes: dict[str, Callable[[], Array]] = {
        "nan": lambda: found * np.nan,
        "inf": lambda: np.full(found.shape, np.inf),
        "huge": lambda: np.full(found.shape, 1e300),
        "zero": lambda: np.zeros(found.shape),
        "negative": lambda: -found,
        "longer": lambda: np.concatenate([found, found]),
        "shorter": lambda: found[:-1] if len(found) > 1 else found[None],
        "transposed": lambda: np.ascontiguousarray(found.T[None]),
    }
    return likes[value]() if value in likes else value


@given(data=st.data())
def test_a_state_with_any_other_entry_is_refused_or_goes_on(saved: Saved, data: Any) -> None:
    place = data.draw(st.sampled_from(list(places(saved.state))))
    value = value_for(value_at(saved.state, place), data.draw(VALUES))
    saved.put(with_value(saved.state, place, value))
    said = saved.refusal()
    if said and place != ("run",):
        assert said.startswith(f"{saved.path}: "), said
        assert "expected" in said, said


REFUSALS: dict[str, tuple[Place, object, str]] = {
    "a text for a count": (("evaluations",), "6", "evaluations: expected an integer .* found '6'"),
    "a bool for a count": (("products",), True, "products: expected an integer .* found True"),
    "a negative count": (("iterations",), -1, "iterations: expected an integer .* found -1"),
    "a huge count": (("all_evaluations",), 10**30, "all_evaluations: expected an integer from 0"),
    "another count": (("iterations",), 4, r"history: expected 5 rows as of iterations, found \d"),
    "NaN for seconds": (("seconds",), np.nan, "seconds: expected a finite number from 0 up"),
    "negative seconds": (("seconds",), -1.0, "seconds: expected a finite number from 0 up"),
    "an infinite cost": (("best", "cost"), np.inf, "best/cost: expected a finite number, found"),
    "a number for entries": (("left",), 7, "left: expected entries by name, found 7"),
    "entries for a number": (("method", "cost"), {}, "method/cost: expected a finite number"),
    "a shorter vector": (
        ("best", "x"),
        np.ones(2),
        r"best/x: expected an array of shape \(3,\), found an array of shape \(2,\)",
    ),
    "NaN in a vector": (
        ("method", "gradient"),
        np.array([1, np.nan, 1]),
        "method/gradient: expected finite numbers, found nan",
    ),
    "a pair more": (
        ("method", "pairs", "steps"),
        np.ones((9, 3)),
        r"method/pairs: expected arrays of equal lengths, found {'steps': 9, ",
    ),
    "half a pair": (
        ("method", "pairs", "numbers"),
        None,
        "method/pairs/numbers: expected an entry of that name, found none",
    ),
    "half an iteration": (
        ("history", "iteration"),
        np.array([0, 1, 1.5, 2, 2.5]),
        "history/iteration: expected integers from 0 up, found 1.5",
    ),
    "a row more": (
        ("history", "cost"),
        np.ones(99),
        "history: expected arrays of equal lengths, found",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_names_file_place_expected_found_and_what_to_do(
    refusal: str, tmp_path: Path
) -> None:
    saved = Saved(KINDS["L-BFGS, preconditioned"], tmp_path / "run.h5")
    place, value, expected = REFUSALS[refusal]
    saved.put(with_value(saved.state, place, value))
    said = saved.refusal()
    assert re.match(rf"{re.escape(str(saved.path))}: {expected}", said), said
    assert said.endswith(
        ": load(path) still returns the network; to begin the run again, move the file away "
        "with its journal"
    )


def test_a_state_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """It has no cost of the last restart."""
    saved = Saved(KINDS["L-BFGS, plain, validated"], tmp_path / "run.h5")
    whole, _ = saved.kind.run(tmp_path / "whole.h5", more=4)
    saved.put(with_value(saved.state, ("method", "restart_cost"), None))
    resumed, _ = saved.kind.run(saved.path, more=4)
    np.testing.assert_array_equal(resumed.x, whole.x)


def test_a_run_of_format_2_goes_on(tmp_path: Path) -> None:
    """The file was written after three iterations, by the last version of that format."""
    path = tmp_path / "run.h5"
    shutil.copyfile(ROOT / "tests" / "fixtures" / "run-2.h5", path)
    model = ml.Sequential([ml.Dense(2, 1), ml.Sigmoid()])
    model.parameters[:] = np.arange(3) / 7
    inputs = [[0, 1], [1, 0], [1, 2], [3, 1]]
    objective = ml.Objective(model, inputs, [[0], [1], [1], [0]], ml.BinaryCrossEntropy(), l2=1.0)
    trainer = ml.LBFGS(max_iterations=6)
    rows = ([[1, 1]], [[1]])
    whole = trainer.minimize(objective, validation=rows)
    model.parameters[:] = np.arange(3) / 7
    resumed = trainer.minimize(objective, validation=rows, checkpoint=path)
    assert resumed.message.endswith("(resumed at evaluation 4)")
    np.testing.assert_allclose(resumed.history.cost, whole.history.cost, rtol=1e-9)


def test_entries_of_a_later_version_are_left_alone(saved: Saved) -> None:
    for place in ("later",), ("history", "later"), ("method", "later"), ("best", "later"):
        saved.put(with_value(saved.state, place, 7))
        assert saved.refusal() == ""


# Trainers and rules without a description


class HalfSteps(ml.Trainer):
    """Halves x; its state is one of its own."""

    name = "half steps"
    has_explicit_state = True

    def settings(self) -> dict[str, object]:
        return {}

    def _search(self, run: Run, x0: Array) -> tuple[ml.Status, str]:
        x = x0
        if run.resumed is not None:
            x = run.resumed["where"]["x"]
        else:
            run.evaluate(x)
        while True:
            x = x / 2
            run.evaluate(x)
            here = {"where": {"x": x}, "note": "its own"}
            run.end_iteration(x, lambda here=here: here)  # type: ignore[misc]


class Plain(ml.Rule):
    """A step down the gradient; the state grows with each step."""

    def __init__(self) -> None:
        self.seen: list[State] = []

    def init(self, size: int) -> State:
        return {}

    def update(self, state: State, gradient: Array, learning_rate: float) -> tuple[Array, State]:
        self.seen.append(state)
        return -learning_rate * gradient, {**state, f"step {len(state)}": learning_rate}

    def __repr__(self) -> str:
        return "Plain()"


def test_a_trainer_without_a_description_resumes(tmp_path: Path) -> None:
    kind = Kind(HalfSteps)
    whole, _ = kind.run(tmp_path / "whole.h5", more=5)
    kind.run(tmp_path / "run.h5")
    resumed, _ = kind.run(tmp_path / "run.h5", more=5)
    np.testing.assert_array_equal(resumed.x, whole.x)


def test_an_exception_of_such_a_trainer_stays_its_own(tmp_path: Path) -> None:
    saved = Saved(Kind(HalfSteps), tmp_path / "run.h5")
    saved.put(with_value(saved.state, ("method", "where"), 7))
    with pytest.raises(TypeError, match="not subscriptable"):
        saved.kind.run(saved.path)
    saved.put(with_value(saved.state, ("best",), 7))
    assert "best: expected entries by name, found 7" in saved.refusal()


def test_a_rule_without_a_description_resumes(tmp_path: Path) -> None:
    rule = Plain()
    kind = Kind(descent(rule=rule))
    kind.run(tmp_path / "run.h5")
    steps = len(rule.seen[-1]) + 1
    kind.run(tmp_path / "run.h5", more=1)
    assert len(rule.seen[-1]) == steps


# The descriptions themselves


@pytest.mark.parametrize("value", [0, 7, 2**53])
def test_a_count_is_an_integer_from_zero_up(value: int) -> None:
    assert Count().checked(value, "n") == value


def test_a_number_is_returned_as_a_float() -> None:
    number = Number(0).checked(3, "cost")
    assert (number, type(number)) == (3.0, float)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_infinity_and_nan_are_allowed_apart(value: float) -> None:
    with pytest.raises(StateError, match="cost: expected a finite number, found"):
        Number().checked(value, "cost")
    if np.isnan(value):
        with pytest.raises(StateError, match="cost: expected a number, found nan"):
            Number(-np.inf, np.inf).checked(value, "cost")
    found = Number(-np.inf, np.inf, allows_nan=True).checked(value, "cost")
    np.testing.assert_equal(found, value)


def test_an_array_of_any_length_keeps_its_other_lengths() -> None:
    rows = Floats((None, 2))
    assert rows.checked(np.ones((5, 2)), "rows").shape == (5, 2)
    for wrong in (np.ones((5, 3)), np.ones(2), np.ones((1, 5, 2))):
        with pytest.raises(StateError, match=r"rows: expected an array of shape \(any, 2\)"):
            rows.checked(wrong, "rows")


def test_nothing_at_all_is_allowed_apart() -> None:
    assert Entries({"a": Count()}, may_be_empty=True).checked({}, "") == {}
    with pytest.raises(StateError, match=r"^a: expected an entry of that name, found none$"):
        Entries({"a": Count()}).checked({}, "")
    with pytest.raises(StateError, match=r"^state: expected entries by name, found 3$"):
        Entries({}).checked(3, "")
