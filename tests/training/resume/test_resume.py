"""A run that was killed and resumed ends as the whole run does, bit for bit."""

import random
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.training.resume import checkpointer
from tests.helpers.clock import FakeClock
from tests.helpers.comparisons import history_columns, same_in_every_run
from tests.helpers.objectives import Killed, Rosenbrock, Slow
from tests.helpers.problems import START, XOR_INPUTS, XOR_TARGETS, xor, xor_model
from tests.helpers.processes import forks, in_child
from tests.helpers.trainers import TRAINERS, Make

BUDGET = 60


def fresh() -> ml.Objective:
    return xor().objective


@forks
@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_run_that_was_killed_several_times_ends_as_the_whole_run(
    trainer: str, every: int, tmp_path: Path
) -> None:
    make = TRAINERS[trainer]
    path = tmp_path / "run.h5"
    rng = random.Random(trainer)
    whole = make(max_evaluations=BUDGET).minimize(fresh())
    kills = 0
    for _ in range(5):
        killed = Killed(fresh(), rng.randrange(1, 18))
        run = partial(
            make(max_evaluations=BUDGET).minimize, killed, checkpoint=path, checkpoint_every=every
        )
        status = in_child(run)
        assert status in (0, -signal.SIGKILL)
        kills += status != 0
    assert kills >= 2
    result = make(max_evaluations=BUDGET).minimize(fresh(), checkpoint=path, checkpoint_every=every)
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(whole))
    np.testing.assert_array_equal(ml.load(path).parameters, whole.x)


def test_a_checkpoint_does_not_change_the_run(make: Make, tmp_path: Path) -> None:
    whole = make(max_evaluations=BUDGET).minimize(fresh())
    result = make(max_evaluations=BUDGET).minimize(fresh(), checkpoint=tmp_path / "run.h5")
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(whole))


def test_a_finished_run_is_returned_without_an_evaluation(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    first = make(max_evaluations=20).minimize(fresh(), checkpoint=path)
    again = make(max_evaluations=20).minimize(Killed(fresh(), 0), checkpoint=path)
    np.testing.assert_array_equal(again.x, first.x)
    assert again.status == first.status
    assert history_columns(again) == history_columns(first)


def test_a_finished_run_goes_on_with_a_larger_budget(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    make(max_evaluations=20).minimize(fresh(), checkpoint=path)
    more = make(max_evaluations=BUDGET).minimize(fresh(), checkpoint=path)
    whole = make(max_evaluations=BUDGET).minimize(fresh())
    np.testing.assert_equal(same_in_every_run(more), same_in_every_run(whole))


@pytest.mark.parametrize("trainer", ["TNC", "L-BFGS"])
def test_a_checkpoint_of_any_size_resumes(
    trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of load_state, here 100 bytes, is for files of strangers."""
    assert ml.load_state.__kwdefaults__ is not None
    monkeypatch.setitem(ml.load_state.__kwdefaults__, "max_bytes", 100)
    for budget in (20, BUDGET):
        result = TRAINERS[trainer](max_evaluations=budget).minimize(
            fresh(), checkpoint=tmp_path / "run.h5"
        )
    assert "(resumed at evaluation 20)" in result.message


def test_after_ctrl_c_the_same_call_resumes_from_where_the_run_started(tmp_path: Path) -> None:
    """The model holds the best point by then; the run's start is in its files."""
    whole = ml.ScipyTrainer("TNC", max_evaluations=BUDGET).minimize(fresh())

    def interrupt(iteration: ml.Iteration) -> None:
        if iteration.evaluations > 20:
            raise KeyboardInterrupt

    objective = fresh()
    trainer = ml.ScipyTrainer("TNC", max_evaluations=BUDGET)
    stopped = trainer.minimize(objective, checkpoint=tmp_path / "run.h5", callback=interrupt)
    assert stopped.status == ml.Status.INTERRUPTED
    result = trainer.minimize(objective, checkpoint=tmp_path / "run.h5")
    np.testing.assert_array_equal(result.x, whole.x)


# Checkpoints of other runs


def xor_objective(**options: Any) -> ml.Objective:
    arguments = {"model": xor_model(), "X": XOR_INPUTS, "Y": XOR_TARGETS}
    return ml.Objective(**{**arguments, "loss": ml.BinaryCrossEntropy(), **options})


OTHERS: dict[str, Callable[[], ml.Objective]] = {
    "data": lambda: xor_objective(X=[[0, 0], [0, 1], [1, 0], [1, 2]]),
    "l2": lambda: xor_objective(l2=0.1),
    "sharding": lambda: xor_objective(shards=2),
    "precision": lambda: xor_objective(dtype="float32"),
    "layers": lambda: xor_objective(
        model=ml.mlp(2, 4, 1, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=3)
    ),
    "bias": lambda: xor_objective(
        model=ml.Sequential([ml.Dense(2, 4), ml.Tanh(), ml.Dense(4, 1, bias=False), ml.Sigmoid()])
    ),
}


@pytest.mark.parametrize("change", OTHERS)
@pytest.mark.parametrize("trainer", ["TNC", "gradient descent", "L-BFGS"])
def test_a_checkpoint_of_another_objective_is_refused(
    trainer: str, change: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.h5"
    make = TRAINERS[trainer]
    make(max_evaluations=20).minimize(xor_objective(), checkpoint=path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    expected = r"run\.h5: expected the checkpoint of this run .* found another run's"
    with pytest.raises(ml.ResumeError, match=expected):
        make(max_evaluations=20).minimize(OTHERS[change](), checkpoint=path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("change", OTHERS)
def test_a_journal_of_another_objective_is_refused(change: str, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    journal = tmp_path / "run.h5.journal"
    trainer = ml.ScipyTrainer("TNC", max_evaluations=20)
    trainer.minimize(xor_objective(), checkpoint=path)
    path.unlink()
    before = journal.read_bytes()
    expected = r"run\.h5\.journal: expected the journal of this run"
    with pytest.raises(ml.ResumeError, match=expected):
        trainer.minimize(OTHERS[change](), checkpoint=path)
    assert journal.read_bytes() == before


@pytest.mark.parametrize(
    "trainer",
    [ml.ScipyTrainer("CG", gtol=1e-9), ml.ScipyTrainer("BFGS"), ml.GradientDescent(), ml.LBFGS()],
    ids=repr,
)
def test_a_checkpoint_of_another_trainer_is_refused(trainer: ml.Trainer, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    ml.ScipyTrainer("CG", max_evaluations=20).minimize(fresh(), checkpoint=path)
    with pytest.raises(ml.ResumeError, match="found another run's"):
        trainer.minimize(fresh(), checkpoint=path)


def test_another_start_is_refused(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    make(max_evaluations=20).minimize(fresh(), checkpoint=path)
    expected = "expected x0 to be where the run started, found another"
    with pytest.raises(ml.ResumeError, match=expected):
        make(max_evaluations=20).minimize(fresh(), np.zeros(17), checkpoint=path)


def test_a_model_that_no_run_wrote_is_not_overwritten(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    ml.save(fresh().model, path)
    old = path.read_bytes()
    expected = r"model\.h5: expected the checkpoint of this run .*a model that no"
    with pytest.raises(ml.ResumeError, match=expected):
        make().minimize(fresh(), checkpoint=path)
    assert path.read_bytes() == old


def test_a_function_without_a_model_is_refused(make: Make, tmp_path: Path) -> None:
    expected = "checkpoint: expected an Objective with a model, found <"
    with pytest.raises(TypeError, match=expected):
        make().minimize(Rosenbrock(), START, checkpoint=tmp_path / "run.h5")


def test_checkpoint_every_is_at_least_one(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="checkpoint_every: expected at least 1, found 0"):
        make().minimize(fresh(), checkpoint=tmp_path / "new.h5", checkpoint_every=0)


# The writing itself


def test_after_a_checkpoint_that_could_not_be_written_the_run_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    trainer = ml.ScipyTrainer("TNC", max_evaluations=30)
    run = partial(trainer.minimize, checkpoint=tmp_path / "run.h5", checkpoint_every=99)
    with monkeypatch.context() as patch:
        patch.setattr(checkpointer, "save", fail)
        with pytest.raises(OSError, match="disk full") as kept:
            run(fresh())
    assert run(fresh()).nfev == 30
    assert kept.value is not None


def test_the_bar_of_a_resumed_run_continues_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for budget in (6, 12):
        trainer = ml.GradientDescent(0.1, max_evaluations=budget)
        trainer.minimize(fresh(), checkpoint=tmp_path / "run.h5", progress=True)
    assert "12/12" in capsys.readouterr().err


# Seconds


@pytest.mark.parametrize("budget", [20, 21, BUDGET])
def test_seconds_of_a_resumed_run_never_fall_below_those_reported_before(
    make: Make, tmp_path: Path, clock: FakeClock, budget: int
) -> None:
    """The first part takes three seconds an evaluation, the second part one."""
    path = tmp_path / "run.h5"
    first = make(max_evaluations=20).minimize(Slow(fresh(), clock, 3.0), checkpoint=path)
    second = make(max_evaluations=budget).minimize(Slow(fresh(), clock, 1.0), checkpoint=path)
    assert first.seconds == 3.0 * first.nfev
    assert second.seconds == first.seconds + (second.nfev - first.nfev)
    seconds = second.history.seconds
    assert seconds == sorted(seconds)
    assert seconds[-1] <= second.seconds
    pairs = zip(first.history.seconds, seconds, strict=False)
    assert all(before <= after for before, after in pairs)


def test_seconds_of_a_resumed_run_include_the_last_write_of_the_checkpoint(
    make: Make, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = ml.save

    def save_slowly(*arguments: Any, **options: Any) -> None:
        right(*arguments, **options)
        clock.advance(5)

    path = tmp_path / "run.h5"
    with monkeypatch.context() as patch:
        patch.setattr(checkpointer, "save", save_slowly)
        first = make(max_evaluations=20).minimize(Slow(fresh(), clock, 3.0), checkpoint=path)
    again = make(max_evaluations=20).minimize(Slow(fresh(), clock, 1.0), checkpoint=path)
    more = make(max_evaluations=BUDGET).minimize(Slow(fresh(), clock, 1.0), checkpoint=path)
    assert first.seconds <= again.seconds <= more.seconds
