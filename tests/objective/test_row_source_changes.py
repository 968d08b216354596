"""Files that change, vanish or fail while a network trains from them."""

import gc
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.objectives import Recorded
from tests.helpers.row_sources import OwnRows
from tests.helpers.trainers import Make

ROWS = 90
X = np.random.default_rng(0).standard_normal((ROWS, 4))
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0)


def objective(rows: Any = X, targets: Any = LABELS, **options: Any) -> ml.Objective:
    model = ml.mlp(4, 5, 3, output=ml.Softmax, seed=0)
    loss = ml.CategoricalCrossEntropy()
    return ml.Objective(model, rows, targets, loss, l2=0.1, shards=5, workers=2, **options)


class Breakable(OwnRows):
    """Works until ``alter`` is set to a function of the rows that were read."""

    alter: Callable[[Array], Any] | None = None

    def __getitem__(self, rows: slice) -> Any:
        found = super().__getitem__(rows)
        return found if self.alter is None else self.alter(found)


def refuse(rows: Array) -> Array:
    raise OSError("the disk is gone")


# Each of these returns rows to train from, targets, and a function that does damage to them.
Damage = tuple[Any, Any, Callable[[], object]]


def error_of_own_rows(folder: Path, stack: ExitStack) -> Damage:
    rows = Breakable(X)
    return rows, LABELS, lambda: setattr(rows, "alter", refuse)


def rows_missing(folder: Path, stack: ExitStack) -> Damage:
    rows = Breakable(X)
    return rows, LABELS, lambda: setattr(rows, "alter", lambda found: found[1:])


def another_dtype(folder: Path, stack: ExitStack) -> Damage:
    rows = Breakable(X)
    return rows, LABELS, lambda: setattr(rows, "alter", lambda found: found.astype("f4"))


def labels_out_of_range(folder: Path, stack: ExitStack) -> Damage:
    labels = Breakable(LABELS)
    return X, labels, lambda: setattr(labels, "alter", lambda found: found - 1)


def _hdf5(folder: Path, stack: ExitStack, mode: str) -> tuple[Path, h5py.File]:
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=X, maxshape=(None, 4))
    return path, stack.enter_context(h5py.File(path, mode))


def hdf5_closed(folder: Path, stack: ExitStack) -> Damage:
    _, file = _hdf5(folder, stack, "r")
    return file["X"], LABELS, file.close


def hdf5_cut(folder: Path, stack: ExitStack) -> Damage:
    _, file = _hdf5(folder, stack, "r+")
    return file["X"], LABELS, lambda: file["X"].resize(50, axis=0)


def file_written_to(folder: Path, stack: ExitStack) -> Damage:
    path, file = _hdf5(folder, stack, "r")
    return file["X"], LABELS, lambda: os.utime(path, (1, 1))


def file_removed(folder: Path, stack: ExitStack) -> Damage:
    path, file = _hdf5(folder, stack, "r")
    return file["X"], LABELS, path.unlink


def _memory_map(folder: Path, mode: Any = "r") -> tuple[Path, Array]:
    path = folder / "rows.npy"
    np.save(path, X)
    return path, np.load(path, mmap_mode=mode)


def map_changed_in_place(folder: Path, stack: ExitStack) -> Damage:
    path, rows = _memory_map(folder)

    def damage() -> None:
        np.load(path, mmap_mode="r+")[40:] = np.nan
        os.utime(path, (1, 1))  # a clock may stand still for some milliseconds

    return rows, LABELS, damage


def map_truncated(folder: Path, stack: ExitStack) -> Damage:
    path, rows = _memory_map(folder)
    return rows, LABELS, lambda: os.truncate(path, 1000)


def writable_map_truncated(folder: Path, stack: ExitStack) -> Damage:
    path, rows = _memory_map(folder, "r+")
    return rows, LABELS, lambda: os.truncate(path, 1000)


def file_replaced(folder: Path, stack: ExitStack) -> Damage:
    path, rows = _memory_map(folder)

    def damage() -> None:
        np.save(folder / "new.npy", X)
        os.replace(folder / "new.npy", path)

    return rows, LABELS, damage


DAMAGES: dict[Callable[[Path, ExitStack], Damage], str] = {
    error_of_own_rows: r"X: expected to read rows \d+ to \d+, found OSError: the disk is gone",
    rows_missing: r"X\[\d+:\d+\]: expected shape \(18, 4\), found \(17, 4\)",
    another_dtype: r"X\[\d+:\d+\]: expected dtype float64, that of X, found float32",
    labels_out_of_range: r"Y: expected labels 0\.\.2, as at the start, found -1\.\.1",
    hdf5_closed: r"X: expected to read rows 0 to 17, found ValueError: .*",
    hdf5_cut: r"X: expected to read rows \d+ to \d+, found \w+: .*",
    file_written_to: r"X: expected the file .*rows\.h5 to stay as it was, "
    r"found that it was written to: start again with a new Objective",
    file_removed: r"X: expected the file .*rows\.h5 until the end, "
    r"found that it has vanished \(FileNotFoundError\)",
    map_changed_in_place: r"X: expected the file .*rows\.npy to stay as it was, "
    r"found that it was written to: start again with a new Objective",
    map_truncated: r"X: expected the file .*rows\.npy to stay as it was, "
    r"found 1,000 bytes instead of 3,008: start again with a new Objective",
    writable_map_truncated: r"X: expected the file .*rows\.npy to stay as it was, "
    r"found 1,000 bytes instead of 3,008: start again with a new Objective",
    file_replaced: r"X: expected the file .*rows\.npy to stay as it was, "
    r"found another file: start again with a new Objective",
}
"""What happens to a file, and the error."""


def damage_after(iterations: int, damage: Callable[[], object]) -> Callable[[ml.Iteration], None]:
    """Return a callback that does the damage."""

    def callback(iteration: ml.Iteration) -> None:
        if iteration.iteration == iterations:
            damage()

    return callback


def assert_best_point_is_kept(recorded: Recorded) -> None:
    """Compare the model with the best point that was evaluated; it is not the start."""
    assert min(recorded.costs) < recorded.costs[0]
    best = recorded.points[int(np.argmin(recorded.costs))]
    np.testing.assert_array_equal(recorded.model.parameters, best)


@pytest.mark.parametrize("prepare", DAMAGES)
def test_damage_raises_one_error_and_keeps_the_best_point(
    prepare: Callable[[Path, ExitStack], Damage], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        rows, targets, damage = prepare(tmp_path, stack)
        recorded = Recorded(objective(rows, targets))
        with pytest.raises(ml.DataError, match=f"^{DAMAGES[prepare]}$"):
            ml.LBFGS().minimize(recorded, callback=damage_after(3, damage))
        assert_best_point_is_kept(recorded)
        with pytest.raises(ml.DataError, match=f"^{DAMAGES[prepare]}$"):
            recorded.hessp(recorded.points[0], recorded.points[0])


def test_every_trainer_keeps_the_best_point(make: Make) -> None:
    rows = Breakable(X)
    recorded = Recorded(objective(rows))
    damage = damage_after(2, lambda: setattr(rows, "alter", refuse))
    with pytest.raises(ml.DataError, match=r"^X: expected to read rows .*: the disk is gone$"):
        make(max_evaluations=100).minimize(recorded, callback=damage)
    assert_best_point_is_kept(recorded)


def test_an_epoch_of_minibatches_that_fails_keeps_the_best_point() -> None:
    rows = Breakable(X)
    recorded = Recorded(objective(rows))
    trainer = ml.GradientDescent(0.5, batch_size=20)

    def damage(iteration: ml.Iteration) -> None:
        if iteration.iteration == 3:
            rows.alter = refuse
            recorded.objective._shards._sources[0]._start_cache()  # type: ignore[attr-defined]

    with pytest.raises(ml.DataError, match=r"^X: expected to read rows 0 to 89, found OSError"):
        trainer.minimize(recorded, callback=damage)
    assert_best_point_is_kept(recorded)


def test_validation_rows_that_fail_keep_the_best_point() -> None:
    rows = Breakable(X)
    recorded = Recorded(objective())
    damage = damage_after(3, lambda: setattr(rows, "alter", refuse))
    validation = ml.Validation(rows, LABELS, restore_best=False)
    expected = "^validation: X: expected to read rows 0 to 89, found OSError: the disk is gone$"
    with pytest.raises(ml.DataError, match=expected):
        ml.LBFGS().minimize(recorded, validation=validation, callback=damage)
    assert_best_point_is_kept(recorded)


def test_validation_rows_that_cannot_be_read_at_the_start_are_named() -> None:
    rows = Breakable(X)
    rows.alter = refuse
    expected = "^validation: X: expected to read rows 0 to 89, found OSError: the disk is gone$"
    with pytest.raises(ml.DataError, match=expected):
        ml.LBFGS().minimize(objective(), validation=(rows, LABELS))


def test_an_objective_whose_rows_come_back_works_again_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    rows = Breakable(X)
    own = objective(rows)
    expected = own(own.x0)
    for _ in range(3):
        rows.alter = refuse
        with pytest.raises(ml.DataError):
            own(own.x0)
        rows.alter = None
        np.testing.assert_equal(own(own.x0), expected)
    del own
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=60)
        assert not thread.is_alive()


def test_a_run_goes_on_once_its_file_is_back(tmp_path: Path) -> None:
    def run(rows: Any, **options: Any) -> ml.TrainingResult:
        return ml.LBFGS(max_iterations=30).minimize(objective(rows), **options)

    path, rows = _memory_map(tmp_path)
    whole = run(rows)
    checkpoint = tmp_path / "run.h5"
    damage = damage_after(12, lambda: path.rename(tmp_path / "away.npy"))
    with pytest.raises(ml.DataError, match="it has vanished"):
        run(rows, checkpoint=checkpoint, callback=damage)
    (tmp_path / "away.npy").rename(path)
    resumed = run(rows, checkpoint=checkpoint)
    assert "(resumed at evaluation " in resumed.message
    np.testing.assert_equal(same_in_every_run(resumed), same_in_every_run(whole))


def test_a_file_that_is_gone_after_the_run_costs_no_result(tmp_path: Path) -> None:
    path, rows = _memory_map(tmp_path)
    own = objective(rows)
    damage = damage_after(4, path.unlink)
    result = ml.LBFGS(max_iterations=4).minimize(own, callback=damage)
    assert result.nit == 4


@pytest.mark.parametrize("mode", ["r+", "a"])
def test_a_file_that_this_process_writes_to_may_grow(mode: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        path, file = _hdf5(tmp_path, stack, mode)
        own = objective(file["X"])
        expected = own(own.x0)
        file["predictions"] = np.zeros((5000, 3))
        file.flush()
        os.utime(path, (1, 1))
        np.testing.assert_equal(own(own.x0), expected)
        path.rename(tmp_path / "away.h5")
        with pytest.raises(ml.DataError, match="it has vanished"):
            own(own.x0)


def test_rows_of_a_private_map_are_those_that_this_process_has_changed(tmp_path: Path) -> None:
    path, rows = _memory_map(tmp_path, "c")
    rows *= 2
    own = objective(rows)
    for _ in range(3):
        np.testing.assert_equal(own(own.x0), objective(2 * X, copy=False)(own.x0))
    np.testing.assert_array_equal(np.load(path), X)
