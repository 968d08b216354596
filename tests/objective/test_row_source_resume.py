"""Runs on rows from files that are killed, resumed, forked or pickled."""

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.objectives import Killed
from tests.helpers.processes import forks, in_child
from tests.helpers.row_sources import STORES, OwnRows

ROWS = 90
X = np.random.default_rng(0).standard_normal((ROWS, 4))
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0)
TRAINERS = {
    "L-BFGS": ml.LBFGS(max_iterations=12),
    "minibatches": ml.GradientDescent(0.5, batch_size=16, max_iterations=8),
    "TNC": ml.ScipyTrainer("TNC", max_iterations=10),
    "Newton-CG": ml.ScipyTrainer("Newton-CG", max_iterations=5),
}


def objective(rows: Any, **options: Any) -> ml.Objective:
    model = ml.mlp(4, 5, 3, output=ml.Softmax, seed=0)
    loss = ml.CategoricalCrossEntropy()
    return ml.Objective(model, rows, LABELS, loss, l2=0.1, shards=5, workers=2, **options)


@forks
@pytest.mark.parametrize(
    ("kind", "trainer"),
    [*((kind, "L-BFGS") for kind in STORES), *(("gzip", name) for name in list(TRAINERS)[1:])],
)
def test_a_killed_run_goes_on_to_the_same_bits(kind: str, trainer: str, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.h5"
    options: dict[str, Any] = {"validation": (X[:20], LABELS[:20]), "checkpoint_every": 1}
    method = TRAINERS[trainer]
    with STORES[kind](tmp_path, X) as rows:
        whole = method.minimize(objective(rows), **options)
        is_whole_pass = trainer != "minibatches"
        evaluations = (whole.nfev + whole.nhev) // 3 if is_whole_pass else 3  # of all rows
        killed = Killed(objective(rows), after=evaluations)
        run = partial(method.minimize, killed, checkpoint=checkpoint, **options)
        assert in_child(run) == -9
        resumed = method.minimize(objective(rows), checkpoint=checkpoint, **options)
    assert "(resumed at evaluation " in resumed.message
    np.testing.assert_equal(same_in_every_run(resumed), same_in_every_run(whole))


def test_the_fingerprint_is_that_of_the_rows_and_of_how_they_are_read(tmp_path: Path) -> None:
    def fingerprint(rows: Any) -> str:
        return objective(rows).fingerprint()

    with STORES["contiguous"](tmp_path, X) as rows, STORES["memmap"](tmp_path, X) as mapped:
        expected = fingerprint(OwnRows(X))
        assert fingerprint(rows) == fingerprint(mapped) == expected
    changed = X.copy()
    changed[-1, -1] += 1e-9
    assert fingerprint(OwnRows(changed)) != expected
    with STORES["chunked"](tmp_path, X) as rows:  # minibatches come in another order
        assert fingerprint(rows) != expected
        other = objective(rows).identity()
    differing = {
        name for name, value in objective(OwnRows(X)).identity().items() if other[name] != value
    }
    assert differing == {"rows read together"}


@forks
@pytest.mark.parametrize("kind", STORES)
def test_a_forked_child_evaluates_the_same(kind: str, tmp_path: Path) -> None:
    with STORES[kind](tmp_path, X) as rows:
        own = objective(rows)
        expected = own(own.x0)

        def compare() -> None:
            np.testing.assert_equal(own(own.x0), expected)
            np.testing.assert_equal(own.minibatch(own.x0, [3, 80, 7])[0], batch)

        batch = own.minibatch(own.x0, [3, 80, 7])[0]
        assert in_child(compare) == 0
        np.testing.assert_equal(own(own.x0), expected)


@pytest.mark.parametrize("kind", ["memmap", "zarr", "own"])
def test_a_pickled_objective_evaluates_the_same(kind: str, tmp_path: Path) -> None:
    with STORES[kind](tmp_path, X) as rows:
        own = objective(rows)
        again = pickle.loads(pickle.dumps(own))
        np.testing.assert_equal(again(own.x0), own(own.x0))
        np.testing.assert_equal(again.minibatch(own.x0, [5]), own.minibatch(own.x0, [5]))


def test_an_open_hdf5_file_cannot_be_pickled(tmp_path: Path) -> None:
    expected = r"^h5py objects cannot be pickled$"
    with STORES["gzip"](tmp_path, X) as rows, pytest.raises(TypeError, match=expected):
        pickle.dumps(objective(rows))
