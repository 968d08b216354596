"""A run that was killed and resumed ends with exactly the parameters and history of the run that was not."""

import os
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
from minilayer.utils.types import Array
from tests.helpers.problems import PROBLEMS
from tests.helpers.trainers import METHODS, TRAINERS, scipy_method

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked children"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning"),
]

BUDGET = 60


class Killed:
    """An objective that kills its process, as kill -9 does, instead of the evaluation of that number."""

    def __init__(self, objective: ml.Objective, fatal: int) -> None:
        self._objective, self._left = objective, fatal

    def __call__(self, x: Array) -> tuple[float, Array]:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1
        return self._objective(x)

    def hessp(self, x: Array, v: Array, **options: bool) -> Array:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1
        return self._objective.hessp(x, v, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objective, name)


def in_child(work: Callable[[], object]) -> int:
    """Exit status of the work in a forked child; negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fresh(problem: str = "xor") -> ml.Objective:
    return PROBLEMS[problem]().objective


def columns(result: Any) -> dict[str, list[float]]:
    return {name: column for name, column in vars(result.history).items() if name != "seconds"}


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("trainer", TRAINERS)
def test_killed_several_times_it_ends_as_if_it_was_not(
    trainer: str, every: int, tmp_path: Path
) -> None:
    make, path, rng = TRAINERS[trainer], tmp_path / "run.h5", random.Random(trainer)
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
    objective = fresh()
    result = make(max_evaluations=BUDGET).minimize(
        objective, checkpoint=path, checkpoint_every=every
    )
    np.testing.assert_array_equal(result.x, whole.x)
    np.testing.assert_array_equal(result.jac, whole.jac)
    assert (result.fun, result.nfev, result.nit, result.status) == (
        whole.fun,
        whole.nfev,
        whole.nit,
        whole.status,
    )
    assert columns(result) == columns(whole)
    np.testing.assert_array_equal(ml.load(path).parameters, whole.x)


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_checkpoint_changes_nothing(trainer: str, tmp_path: Path) -> None:
    whole = TRAINERS[trainer](max_evaluations=BUDGET).minimize(fresh())
    result = TRAINERS[trainer](max_evaluations=BUDGET).minimize(
        fresh(), checkpoint=tmp_path / "run.h5"
    )
    np.testing.assert_array_equal(result.x, whole.x)
    assert columns(result) == columns(whole)


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_finished_run_is_answered_without_work_and_goes_on_with_a_larger_budget(
    trainer: str, tmp_path: Path
) -> None:
    make, path = TRAINERS[trainer], tmp_path / "run.h5"
    first = make(max_evaluations=20).minimize(fresh(), checkpoint=path)
    again = make(max_evaluations=20).minimize(Killed(fresh(), 0), checkpoint=path)
    np.testing.assert_array_equal(again.x, first.x)
    assert again.status == first.status
    more = make(max_evaluations=BUDGET).minimize(fresh(), checkpoint=path)
    whole = make(max_evaluations=BUDGET).minimize(fresh())
    np.testing.assert_array_equal(more.x, whole.x)
    assert columns(more) == columns(whole)
    assert more.seconds >= first.seconds


def test_after_ctrl_c_the_same_call_goes_on_from_where_the_run_started(tmp_path: Path) -> None:
    """The model holds the best point then, not the start; the run's own start is in its files."""
    whole = ml.ScipyTrainer("TNC", max_evaluations=BUDGET).minimize(fresh())

    def interrupt(iteration: ml.Iteration) -> None:
        if iteration.evaluations > 20:
            raise KeyboardInterrupt

    objective, trainer = fresh(), ml.ScipyTrainer("TNC", max_evaluations=BUDGET)
    stopped = trainer.minimize(objective, checkpoint=tmp_path / "run.h5", callback=interrupt)
    assert stopped.status == ml.Status.INTERRUPTED
    result = trainer.minimize(objective, checkpoint=tmp_path / "run.h5")
    np.testing.assert_array_equal(result.x, whole.x)


def other(**options: Any) -> ml.Objective:
    model = ml.Sequential(
        [ml.Dense(2, 4, ml.UniformEpsilon(2.0)), ml.Tanh(), ml.Dense(4, 1), ml.Sigmoid()], seed=3
    )
    X, Y = options.pop("X", [[0, 0], [0, 1], [1, 0], [1, 1]]), [[0], [1], [1], [0]]
    return ml.Objective(options.pop("model", model), X, Y, ml.BinaryCrossEntropy(), **options)


OTHERS: dict[str, Callable[[], ml.Objective]] = {
    "data": lambda: other(X=[[0, 0], [0, 1], [1, 0], [1, 2]]),
    "l2": lambda: other(l2=0.1),
    "sharding": lambda: other(shards=2),
    "precision": lambda: other(dtype="float32"),
    "layers": lambda: other(
        model=ml.Sequential([ml.Dense(2, 4), ml.Sigmoid(), ml.Dense(4, 1), ml.Sigmoid()], seed=3)
    ),
}


@pytest.mark.parametrize(
    "make", [scipy_method("TNC"), TRAINERS["gradient descent"]], ids=["journal", "state"]
)
@pytest.mark.parametrize("change", OTHERS)
def test_a_checkpoint_of_another_problem_is_refused(make: Any, change: str, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    make(max_evaluations=20).minimize(other(), checkpoint=path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(
        ml.ResumeError, match=r"run\.h5: expected the checkpoint of this run .* found another run's"
    ):
        make(max_evaluations=20).minimize(OTHERS[change](), checkpoint=path)
    path.unlink()
    if make is not TRAINERS["gradient descent"]:
        with pytest.raises(
            ml.ResumeError, match=r"run\.h5\.journal: expected the journal of this run"
        ):
            make(max_evaluations=20).minimize(OTHERS[change](), checkpoint=path)
        assert path.with_name("run.h5.journal").read_bytes() == before["run.h5.journal"]


def test_other_options_and_starts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    ml.ScipyTrainer("CG", max_evaluations=20).minimize(fresh(), checkpoint=path)
    for trainer in (
        ml.ScipyTrainer("CG", gtol=1e-9),
        ml.ScipyTrainer("BFGS"),
        ml.GradientDescent(),
    ):
        with pytest.raises(ml.ResumeError, match="found another run's"):
            trainer.minimize(fresh(), checkpoint=path)
    with pytest.raises(
        ml.ResumeError, match="expected x0 to be where the run started, found another"
    ):
        ml.ScipyTrainer("CG").minimize(fresh(), np.zeros(17), checkpoint=path)
    path.with_name("run.h5.journal").unlink()
    with pytest.raises(
        ml.ResumeError,
        match=r"run\.h5\.journal: expected the journal of run\.h5, found no file there",
    ):
        ml.ScipyTrainer("CG").minimize(fresh(), checkpoint=path)


def test_a_model_is_not_overwritten_by_a_run(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    ml.save(fresh().model, path)
    old = path.read_bytes()
    with pytest.raises(
        ml.ResumeError, match=r"model\.h5: expected the checkpoint of this run .*a model that no"
    ):
        ml.ScipyTrainer("CG").minimize(fresh(), checkpoint=path)
    assert path.read_bytes() == old
    with pytest.raises(
        TypeError, match="checkpoint: expected an Objective with a model, found <function"
    ):
        ml.ScipyTrainer("CG").minimize(lambda x: (0.0, x), [1.0], checkpoint=path)
    with pytest.raises(ValueError, match="checkpoint_every: expected at least 1, found 0"):
        ml.ScipyTrainer("CG").minimize(fresh(), checkpoint=tmp_path / "new.h5", checkpoint_every=0)


def test_a_checkpoint_that_cannot_be_written_leaves_the_journal_to_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    run = partial(
        ml.ScipyTrainer("TNC", max_evaluations=30).minimize,
        checkpoint=tmp_path / "run.h5",
        checkpoint_every=99,
    )
    with monkeypatch.context() as patch:
        patch.setattr(checkpointer, "save", fail)
        with pytest.raises(OSError, match="disk full") as kept:
            run(fresh())
    assert run(fresh()).nfev == 30
    assert kept.value is not None


def test_the_bar_of_a_resumed_run_goes_on_from_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for budget in (6, 12):
        trainer = ml.GradientDescent(0.1, max_evaluations=budget)
        trainer.minimize(fresh(), checkpoint=tmp_path / "run.h5", progress=True)
    assert "12/12" in capsys.readouterr().err


def test_a_journal_that_was_cut_or_damaged_is_good_up_to_there(tmp_path: Path) -> None:
    trainer = ml.ScipyTrainer("L-BFGS-B", max_evaluations=12)
    whole = trainer.minimize(fresh(), checkpoint=tmp_path / "run.h5")
    (tmp_path / "run.h5").unlink()
    journal = tmp_path / "run.h5.journal"
    content, rng = journal.read_bytes(), random.Random(0)
    for _ in range(60):
        damaged = bytearray(content[: rng.randrange(len(content) + 1)])
        if len(damaged) > 400 and rng.random() < 0.5:
            damaged[rng.randrange(400, len(damaged))] ^= 1 << rng.randrange(
                8
            )  # behind the line that says whose it is
        journal.write_bytes(damaged)
        (tmp_path / "run.h5").unlink(missing_ok=True)
        result = trainer.minimize(fresh(), checkpoint=tmp_path / "run.h5")
        np.testing.assert_array_equal(result.x, whole.x)
        assert journal.read_bytes()[-(36 + 8 * 17) :][:24] == content[-(36 + 8 * 17) :][:24]
        assert len(journal.read_bytes()) == len(content)


def test_the_journal_has_the_size_that_is_stated(tmp_path: Path) -> None:
    sizes = []
    for evaluations in (5, 9):
        path = tmp_path / f"{evaluations}.h5"
        ml.ScipyTrainer("TNC", max_evaluations=evaluations).minimize(fresh(), checkpoint=path)
        sizes.append(path.with_name(f"{path.name}.journal").stat().st_size)
    assert sizes[1] - sizes[0] == 4 * (36 + 8 * 17)


def test_a_method_that_asks_something_else_is_refused(tmp_path: Path) -> None:
    """As another version of SciPy might: here, another objective that claims the same fingerprint."""
    path = tmp_path / "run.h5"
    ml.ScipyTrainer("TNC", max_evaluations=9).minimize(fresh(), checkpoint=path)
    journal = path.with_name("run.h5.journal")
    content = bytearray(journal.read_bytes())
    record = 36 + 8 * 17
    content[-record:], content[-2 * record : -record] = (
        content[-2 * record : -record],
        content[-record:],
    )
    journal.write_bytes(content)
    with pytest.raises(
        ml.ResumeError, match="expected evaluation 8 at the point of the journal, found another"
    ):
        ml.ScipyTrainer("TNC", max_evaluations=9).minimize(fresh(), checkpoint=path)


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
def test_a_run_in_progress_is_not_joined(tmp_path: Path) -> None:
    said: list[str] = []

    def second(iteration: ml.Iteration) -> None:
        if iteration.iteration == 1:
            with pytest.raises(ml.ResumeError) as caught:
                ml.ScipyTrainer("CG").minimize(fresh(), checkpoint=tmp_path / "run.h5")
            said.append(str(caught.value))

    ml.ScipyTrainer("CG", max_evaluations=9).minimize(
        fresh(), checkpoint=tmp_path / "run.h5", callback=second
    )
    assert said[0].endswith(
        "run.h5: expected a checkpoint that no run is writing, found one in use"
    )


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    model, path = fresh().model, tmp_path / "model.h5"
    state: dict[str, Any] = {
        "epoch": 3,
        "rate": 0.1,
        "note": "ä",
        "velocity": np.arange(6.0).reshape(2, 3),
        "one": np.array([np.pi]),
    }
    ml.save(model, path, state=state)
    found = ml.load_state(path)
    assert {name: value for name, value in found.items() if not isinstance(value, np.ndarray)} == {
        "epoch": 3,
        "rate": 0.1,
        "note": "ä",
    }
    np.testing.assert_array_equal(found["velocity"], state["velocity"])
    np.testing.assert_array_equal(found["one"], state["one"])
    np.testing.assert_array_equal(ml.load(path).parameters, model.parameters)
    ml.save(model, path)
    assert ml.load_state(path) == {}
    for wrong in (
        {"x": [1.0]},
        {"x": np.arange(3)},
        {"x": np.zeros(0)},
        {3: 1.0},
        {"a/b": np.ones(1)},
        {"": 1},
    ):
        with pytest.raises(
            TypeError, match="state: expected numbers, strings and non-empty float64 arrays by name"
        ):
            ml.save(model, path, state=wrong)  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"^state: expected numbers, strings and arrays by name, found \[3\]$"
    ):
        ml.save(model, path, state=[3])  # type: ignore[arg-type]


def test_values_are_sealed_whatever_arrays_are_called(tmp_path: Path) -> None:
    ml.save(fresh().model, tmp_path / "model.h5", state={"epoch": 3, "state": np.ones(2)})
    assert ml.load_state(tmp_path / "model.h5")["epoch"] == 3
    content = (tmp_path / "model.h5").read_bytes()
    assert b'"epoch": 3' in content
    (tmp_path / "model.h5").write_bytes(content.replace(b'"epoch": 3', b'"epoch": 4'))
    with pytest.raises(
        ml.CheckpointError, match="/: expected the checksum of all content, found another"
    ):
        ml.load(tmp_path / "model.h5")


def test_every_method_is_in_the_table() -> None:
    own = {"L-BFGS", "gradient descent", "Nesterov", "Adam", "Newton-CG by Gauss-Newton"}
    assert set(METHODS) | own == set(TRAINERS)
