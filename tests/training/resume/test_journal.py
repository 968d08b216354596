"""The journal: all evaluations of a run of a SciPy method, in a file beside the checkpoint."""

import random
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.problems import xor

SIZE = 17
"""Parameters of the network."""
RECORD_BYTES = 36 + 8 * SIZE


def fresh() -> ml.Objective:
    return xor().objective


def test_a_journal_that_was_cut_or_damaged_is_used_up_to_there(tmp_path: Path) -> None:
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
        written = journal.read_bytes()
        assert written[-RECORD_BYTES:][:24] == content[-RECORD_BYTES:][:24]
        assert len(written) == len(content)


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
    expected = "expected evaluation 8 at the point of the journal, found another"
    with pytest.raises(ml.ResumeError, match=expected):
        trainer.minimize(fresh(), checkpoint=path)


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
