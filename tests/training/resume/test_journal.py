"""The journal: all evaluations of a run of a SciPy method, in a file beside the checkpoint."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.objectives import Altered, Recorded
from tests.helpers.problems import xor

SIZE = 17
"""Parameters of the network."""
RECORD_BYTES = 36 + 8 * SIZE


def fresh() -> ml.Objective:
    return xor().objective


def test_a_journal_that_was_cut_or_damaged_is_mended(tmp_path: Path) -> None:
    trainer = ml.ScipyTrainer("L-BFGS-B", max_evaluations=12)
    path = tmp_path / "run.h5"
    whole = trainer.minimize(fresh(), checkpoint=path)
    path.unlink()
    journal = tmp_path / "run.h5.journal"
    content = journal.read_bytes()
    rng = random.Random(0)
    for _ in range(60):
        damaged = bytearray(content[: rng.randrange(len(content) + 1)])
        if len(damaged) > 400 and rng.random() < 0.5:
            place = rng.randrange(400, len(damaged))  # after the line that says whose it is
            damaged[place] ^= 1 << rng.randrange(8)
        journal.write_bytes(damaged)
        path.unlink(missing_ok=True)
        result = trainer.minimize(fresh(), checkpoint=path)
        np.testing.assert_array_equal(result.x, whole.x)
        assert without_seconds(journal) == without_seconds_of(content)


def without_seconds(journal: Path) -> list[bytes]:
    return without_seconds_of(journal.read_bytes())


def without_seconds_of(content: bytes) -> list[bytes]:
    """Digest, cost and gradient of each record."""
    first = len(content) % RECORD_BYTES + RECORD_BYTES  # the line and the start take less than two
    records = [content[k : k + RECORD_BYTES] for k in range(first, len(content), RECORD_BYTES)]
    return [record[:24] + record[32:-4] for record in records]


@pytest.mark.parametrize("damaged", [(1,), (4,), (12,), (3, 4), (2, 5, 12), range(1, 13)], ids=str)
def test_only_damaged_evaluations_are_computed_again(
    damaged: tuple[int, ...], tmp_path: Path
) -> None:
    """Those behind a damaged one are not lost."""
    path, journal = tmp_path / "run.h5", tmp_path / "run.h5.journal"
    first = Recorded(fresh())
    whole = trainer(12).minimize(first, checkpoint=path)
    content = bytearray(journal.read_bytes())
    beginning = len(content) - 12 * RECORD_BYTES
    for number in damaged:
        content[beginning + number * RECORD_BYTES - 9] ^= 1
    journal.write_bytes(content)
    again = Recorded(fresh())
    resumed = trainer(12).minimize(again, checkpoint=path)
    assert [x.tobytes() for x in again.points] == [first.points[k - 1].tobytes() for k in damaged]
    np.testing.assert_array_equal(resumed.x, whole.x)
    count = len(list(damaged))
    assert f"damaged in the journal and computed again: {count}" in resumed.message
    quiet = Recorded(fresh())
    third = trainer(12).minimize(quiet, checkpoint=path)
    assert quiet.points == []
    assert third.message.endswith("(already finished, at evaluation 12)")


def trainer(budget: int) -> ml.Trainer:
    return ml.ScipyTrainer("L-BFGS-B", max_evaluations=budget)


def test_a_mended_evaluation_is_written_when_the_next_one_fits(tmp_path: Path) -> None:
    """Under another arithmetic it might be another one."""
    path, journal = tmp_path / "run.h5", tmp_path / "run.h5.journal"
    trainer(12).minimize(fresh(), checkpoint=path)
    content = bytearray(journal.read_bytes())
    content[-9 * RECORD_BYTES - 9] ^= 1  # the third evaluation
    journal.write_bytes(content)
    other = Altered(fresh(), lambda cost, gradient: (cost, gradient * 1.5))
    with pytest.raises(ml.ResumeError, match="expected evaluation 4 at the point of the journal"):
        trainer(12).minimize(other, checkpoint=path)
    assert journal.read_bytes() == content
    trainer(3).minimize(fresh(), checkpoint=path)
    assert journal.read_bytes() == content
    trainer(4).minimize(fresh(), checkpoint=path)
    assert journal.read_bytes() != content
    assert (
        trainer(12)
        .minimize(fresh(), checkpoint=path)
        .message.endswith("(already finished, at evaluation 12)")
    )


def test_a_smaller_budget_leaves_a_damaged_journal_as_it_is(tmp_path: Path) -> None:
    path, journal = tmp_path / "run.h5", tmp_path / "run.h5.journal"
    trainer(12).minimize(fresh(), checkpoint=path)
    content = bytearray(journal.read_bytes())
    content[-5 * RECORD_BYTES - 9] ^= 1
    del content[-1:]
    journal.write_bytes(content)
    trainer(6).minimize(fresh(), checkpoint=path)
    assert journal.read_bytes() == content


def test_a_journal_of_another_start_than_the_checkpoints_is_refused(tmp_path: Path) -> None:
    """Two runs of one kind, whose files got mixed up."""
    paths = [tmp_path / "one.h5", tmp_path / "two.h5"]
    for scale, path in enumerate(paths, start=1):
        objective = fresh()
        objective.set_parameters(scale * objective.x0)
        trainer(12).minimize(objective, checkpoint=path)
    journal = tmp_path / "two.h5.journal"
    journal.replace(tmp_path / "one.h5.journal")
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for scale in (1, 2):
        objective = fresh()
        objective.set_parameters(scale * objective.x0)
        expected = r"one\.h5\.journal: expected a journal of the checkpoint's start, found another"
        with pytest.raises(ml.ResumeError, match=expected):
            trainer(20).minimize(objective, checkpoint=paths[0])
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files


def test_each_evaluation_takes_the_documented_size(tmp_path: Path) -> None:
    sizes = []
    for evaluations in (5, 9):
        path = tmp_path / f"{evaluations}.h5"
        ml.ScipyTrainer("TNC", max_evaluations=evaluations).minimize(fresh(), checkpoint=path)
        sizes.append(path.with_name(f"{path.name}.journal").stat().st_size)
    assert sizes[1] - sizes[0] == 4 * RECORD_BYTES


def test_a_method_that_evaluates_another_point_is_refused(tmp_path: Path) -> None:
    """Another version of SciPy might do so. Here two records have changed places."""
    path = tmp_path / "run.h5"
    trainer = ml.ScipyTrainer("TNC", max_evaluations=9)
    trainer.minimize(fresh(), checkpoint=path)
    journal = tmp_path / "run.h5.journal"
    content = journal.read_bytes()
    last = content[-RECORD_BYTES:]
    last_but_one = content[-2 * RECORD_BYTES : -RECORD_BYTES]
    journal.write_bytes(content[: -2 * RECORD_BYTES] + last + last_but_one)
    changed = journal.read_bytes()
    checkpoint = path.read_bytes()
    objective = fresh()
    start = objective.x0
    expected = "expected evaluation 8 at the point of the journal, found another"
    with pytest.raises(ml.ResumeError, match=expected) as refusal:
        trainer.minimize(objective, checkpoint=path)
    np.testing.assert_array_equal(objective.x0, start)
    assert (journal.read_bytes(), path.read_bytes()) == (changed, checkpoint)
    advice = str(refusal.value).rpartition("drop what does not fit with ")[2]
    assert advice == f"os.truncate({str(journal)!r}, {len(content) - 2 * RECORD_BYTES})"
    os.truncate(journal, len(content) - 2 * RECORD_BYTES)
    assert trainer.minimize(objective, checkpoint=path).nfev == 9


def test_a_checkpoint_without_its_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    trainer = ml.ScipyTrainer("CG", max_evaluations=20)
    trainer.minimize(fresh(), checkpoint=path)
    path.with_name("run.h5.journal").unlink()
    expected = r"run\.h5\.journal: expected the journal of run\.h5, found no file there"
    with pytest.raises(ml.ResumeError, match=expected):
        trainer.minimize(fresh(), checkpoint=path)


@pytest.mark.parametrize("trainer", [ml.LBFGS(max_evaluations=9), ml.GradientDescent()], ids=repr)
def test_methods_with_explicit_state_keep_no_journal(trainer: ml.Trainer, tmp_path: Path) -> None:
    trainer.minimize(fresh(), checkpoint=tmp_path / "run.h5")
    assert [file.name for file in tmp_path.iterdir()] == ["run.h5"]
