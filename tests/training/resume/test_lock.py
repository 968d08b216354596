"""The lock: one run at a time writes a checkpoint, and no lock file is left afterwards."""

import os
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.files import LockFile
from tests.helpers.objectives import Killed
from tests.helpers.problems import xor
from tests.helpers.processes import forks, in_child
from tests.helpers.trainers import TRAINERS, Make

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the locks are those of POSIX")

IN_USE = "run.h5: expected a checkpoint that no run is writing, found one in use"


def fresh() -> ml.Objective:
    return xor().objective


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("second", ["L-BFGS", "gradient descent", "CG"])
@pytest.mark.parametrize("first", ["L-BFGS", "gradient descent", "CG"])
def test_a_second_run_on_the_same_checkpoint_is_refused(
    first: str, second: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.h5"
    messages: list[str] = []

    def start_another(iteration: ml.Iteration) -> None:
        if iteration.iteration in (1, 3):  # before and after the first write
            with pytest.raises(ml.ResumeError) as caught:
                TRAINERS[second](max_evaluations=9).minimize(fresh(), checkpoint=path)
            messages.append(str(caught.value))

    whole = TRAINERS[first](max_evaluations=12).minimize(fresh())
    result = TRAINERS[first](max_evaluations=12).minimize(
        fresh(), checkpoint=path, checkpoint_every=1, callback=start_another
    )
    assert len(messages) == 2
    assert all(message.endswith(IN_USE) for message in messages)
    np.testing.assert_array_equal(result.x, whole.x)
    np.testing.assert_array_equal(ml.load(path).parameters, whole.x)


@forks
@pytest.mark.parametrize("trainer", ["L-BFGS", "gradient descent"])
def test_a_second_process_is_refused(trainer: str, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    statuses: list[int] = []

    def refused() -> None:
        with pytest.raises(ml.ResumeError, match="found one in use"):
            TRAINERS[trainer](max_evaluations=9).minimize(fresh(), checkpoint=path)

    def start_another(iteration: ml.Iteration) -> None:
        if iteration.iteration == 1:
            statuses.append(in_child(refused))

    trainer_ = TRAINERS[trainer](max_evaluations=12)
    trainer_.minimize(fresh(), checkpoint=path, callback=start_another)
    assert statuses == [0]


def test_no_lock_is_left_after_a_run(make: Make, tmp_path: Path) -> None:
    make(max_evaluations=9).minimize(fresh(), checkpoint=tmp_path / "run.h5")
    assert files(tmp_path) - {"run.h5.journal"} == {"run.h5"}


def test_no_lock_is_left_after_an_exception(make: Make, tmp_path: Path) -> None:
    def fail(iteration: ml.Iteration) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        make().minimize(fresh(), checkpoint=tmp_path / "run.h5", callback=fail)
    assert "run.h5.lock" not in files(tmp_path)


def test_no_lock_is_left_after_a_refusal(make: Make, tmp_path: Path) -> None:
    ml.save(fresh().model, tmp_path / "run.h5")
    with pytest.raises(ml.ResumeError, match="found a model that no run was writing"):
        make().minimize(fresh(), checkpoint=tmp_path / "run.h5")
    assert files(tmp_path) == {"run.h5"}


@forks
def test_the_lock_of_a_killed_run_does_not_hold(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    trainer = make(max_evaluations=12)
    assert in_child(lambda: trainer.minimize(Killed(fresh(), 4), checkpoint=path)) != 0
    assert "run.h5.lock" in files(tmp_path)
    result = trainer.minimize(fresh(), checkpoint=path)
    np.testing.assert_array_equal(result.x, trainer.minimize(fresh()).x)
    assert "run.h5.lock" not in files(tmp_path)


def test_a_lock_file_has_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    first = LockFile(path)
    second = LockFile(path)
    assert (first.is_held, second.is_held) == (True, False)
    second.release()  # it holds nothing, so this must not free the first one's lock
    assert not LockFile(path).is_held
    first.release()
    first.release()
    assert files(tmp_path) == set()
    third = LockFile(path)
    assert third.is_held
    third.release()
