"""Workers that die, come, leave or hang; rows that cannot be loaded; clusters without workers."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from distributed import Client

import minilayer as ml
from minilayer.distributed import DaskObjective, connection, placement, rounds
from minilayer.utils.types import Array
from tests.helpers.clusters import (
    INPUTS,
    ROWS,
    Disturbed,
    add_worker,
    eventually,
    kill,
    local_cluster,
    new_model,
    on_cluster,
    on_one_machine,
    parts_of_workers,
    retire_worker,
    rows_of_classes,
)

DISTURBANCES = {
    "one worker killed": lambda client: kill(client, 1),
    "both workers killed": lambda client: kill(client, 2),
    "a worker added": add_worker,
    "a worker retired": retire_worker,
}


def train(objective: Any, **options: Any) -> ml.TrainingResult:
    return ml.LBFGS(max_iterations=20, tolerance=0).minimize(objective, **options)


def is_balanced(objective: DaskObjective) -> bool:
    """Evaluate once, and return whether the parts are shared out evenly."""
    objective(objective.x0)
    parts = parts_of_workers(objective)
    return sum(parts.values()) == 4 and max(parts.values()) - min(parts.values()) <= 1


# Workers


@pytest.mark.parametrize(
    ("name", "kind"),
    [*((name, "source") for name in DISTURBANCES), ("one worker killed", "arrays")],
)
def test_the_bits_are_the_same_whatever_happens_to_workers(
    fragile: Client, name: str, kind: str
) -> None:
    rows = {}
    if kind == "arrays":
        inputs, labels = rows_of_classes(0, ROWS)
        X = da.from_array(inputs, chunks=(200, -1))
        rows = {"X": X, "Y": da.from_array(labels, chunks=200)}
    with on_cluster(fragile, **rows) as objective:
        disturbed = Disturbed(objective, 7, 0.004, lambda: DISTURBANCES[name](fragile))
        result = train(disturbed)
        disturbed.rest()
        eventually(lambda: is_balanced(objective))
    expected = train(on_one_machine())
    np.testing.assert_array_equal(result.x, expected.x)
    assert result.history.cost == expected.history.cost


def test_large_parameters_and_many_parts_survive_a_death(fragile: Client) -> None:
    expected = on_one_machine(shards=70)
    with on_cluster(fragile, shards=70) as objective:  # x is scattered, and sums are in groups
        disturbed = Disturbed(objective, 2, 0.05, lambda: kill(fragile, 1))
        for _ in range(3):
            cost, gradient = disturbed(objective.x0)
        disturbed.rest()
    assert cost == expected(expected.x0)[0]
    np.testing.assert_array_equal(gradient, expected(expected.x0)[1])


def test_products_survive_a_death(fragile: Client) -> None:
    expected = on_one_machine()
    v = np.random.default_rng(0).standard_normal(expected.x0.size)
    with on_cluster(fragile) as objective:
        objective.hessp(objective.x0, v)
        kill(fragile, 1)
        product = objective.hessp(objective.x0, v)
    np.testing.assert_array_equal(product, expected.hessp(expected.x0, v))


def test_the_parts_of_a_worker_that_hangs_go_to_others(
    fragile: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_cluster(fragile) as objective:
        monkeypatch.setattr(rounds, "QUIET_SECONDS", 0.5)
        monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.5)
        process = next(iter(fragile.run(os.getpid).values()))
        os.kill(process, signal.SIGSTOP)
        try:
            cost, _ = objective(objective.x0)
        finally:
            os.kill(process, signal.SIGCONT)
    assert cost == on_one_machine()(new_model().parameters)[0]


def test_a_part_that_no_worker_survives_is_named(
    fragile: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "MAX_LOSSES", 1)
    with pytest.raises(ml.ClusterError) as caught:
        on_cluster(fragile, source=_deadly_rows)
    named, _, said = str(caught.value).partition(": ")
    assert named in ("part 0 (rows 0 to 299)", "part 2 (rows 600 to 899)")  # of one worker
    assert said == (
        "its worker died 2 times within one evaluation: do the parts fit into the memory of a "
        "worker? More shards make them smaller"
    )


def _deadly_rows(start: int, stop: int) -> tuple[Array, Array]:
    if start == 600:
        os.kill(os.getpid(), signal.SIGKILL)
    return rows_of_classes(start, stop)


def test_without_workers_a_run_ends_and_can_be_resumed(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.h5"
    model = new_model()
    with local_cluster(1) as client, on_cluster(client, model, worker_timeout=0.5) as objective:
        disturbed = Disturbed(objective, 12, 0.0, lambda: client.cluster.scale(0))
        with pytest.raises(ml.ClusterError) as caught:
            train(disturbed, checkpoint=checkpoint, checkpoint_every=1)
        disturbed.rest()
        address = client.scheduler.address
    assert str(caught.value) == (
        "client: expected a worker, found none for 0.5 s: "
        f"start one with `dask worker {address}`, or wait longer with worker_timeout="
    )
    expected = train(on_one_machine())
    found = ml.load(checkpoint).parameters
    history = expected.history
    known = [
        cost
        for cost, evaluations in zip(history.cost, history.evaluations, strict=True)
        if evaluations < disturbed.evaluations
    ]
    assert on_one_machine()(found)[0] == min(known)
    np.testing.assert_array_equal(model.parameters, found)
    with (
        Client(n_workers=1, processes=False, dashboard_address=":0") as client,
        on_cluster(client) as objective,
    ):
        resumed = train(objective, checkpoint=checkpoint)
    assert "resumed at evaluation" in resumed.message
    np.testing.assert_array_equal(resumed.x, expected.x)


def test_ctrl_c_ends_a_run_that_waits_for_workers() -> None:
    with local_cluster(1) as client, on_cluster(client) as objective:

        def leave_and_interrupt() -> None:
            client.cluster.scale(0)
            time.sleep(1.0)
            os.kill(os.getpid(), signal.SIGINT)

        disturbed = Disturbed(objective, 6, 0.0, leave_and_interrupt)
        result = ml.LBFGS(max_iterations=10**6, tolerance=0).minimize(disturbed)
        disturbed.rest()
    assert result.status is ml.Status.INTERRUPTED
    assert result.nfev >= 5


# Rows


def _raises(start: int, stop: int) -> tuple[Array, Array]:
    if start == 600:
        raise OSError("disk unplugged")
    return rows_of_classes(start, stop)


def _has_nan(start: int, stop: int) -> tuple[Array, Array]:
    X, labels = rows_of_classes(start, stop)
    if start <= 700 < stop:
        X[700 - start, 5] = np.nan
    return X, labels


def _has_wrong_label(start: int, stop: int) -> tuple[Array, Array]:
    X, labels = rows_of_classes(start, stop)
    return X, labels + (start == 600)


def _lacks_a_column(start: int, stop: int) -> tuple[Array, Array]:
    X, labels = rows_of_classes(start, stop)
    return (X[:, 1:] if start == 600 else X), labels


def _lacks_rows(start: int, stop: int) -> tuple[Array, Array]:
    return rows_of_classes(start, stop - (start == 600))


def _is_no_pair(start: int, stop: int) -> Any:
    return rows_of_classes(start, stop)[0] if start == 600 else rows_of_classes(start, stop)


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (
            _raises,
            ml.ClusterError,
            "part 2 (rows 600 to 899): the source raised OSError: disk unplugged",
        ),
        (
            _has_nan,
            ValueError,
            "X: expected finite numbers, found nan in row 700, column 5, in part 2 (rows 600 to "
            "899)",
        ),
        (
            _has_wrong_label,
            ValueError,
            "Y: expected labels 0..2 (the model has 3 outputs), found 1..3: numpy.unique(Y, "
            "return_inverse=True) gives labels from 0 up, in part 2 (rows 600 to 899)",
        ),
        (
            _lacks_a_column,
            ValueError,
            "X: expected 20 columns (inputs of Dense(20, 8)), found 19, in part 2 (rows 600 to "
            "899)",
        ),
        (
            _lacks_rows,
            ValueError,
            "X: expected 300 rows, found 299, in part 2 (rows 600 to 899)",
        ),
        (
            _is_no_pair,
            TypeError,
            "source: expected a function that returns (X, Y), found an array of shape (300, 20), "
            "in part 2 (rows 600 to 899)",
        ),
    ],
)
def test_rows_that_cannot_be_loaded_are_named(
    client: Client, source: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        on_cluster(client, source=source)
    assert str(caught.value) == message


def test_an_array_that_cannot_be_computed_is_named(client: Client) -> None:
    def broken(block: Array, block_info: Any = None) -> Array:
        if block_info and block_info[0]["chunk-location"][0] == 2:
            raise OSError("disk unplugged")
        return block

    X = da.zeros((ROWS, INPUTS), chunks=(300, -1)).map_blocks(broken, dtype=float)
    labels = da.zeros(ROWS, chunks=300, dtype=int)
    with pytest.raises(ml.ClusterError) as caught:
        DaskObjective(new_model(), X, labels, ml.CategoricalCrossEntropy(), client=client)
    assert str(caught.value) == "part 2 (rows 600 to 899): OSError: disk unplugged"


def test_rows_that_have_changed_are_refused(fragile: Client, tmp_path: Path) -> None:
    path = tmp_path / "scale.txt"
    path.write_text("1.0")

    def changing(start: int, stop: int) -> tuple[Array, Array]:
        X, labels = rows_of_classes(start, stop)
        return X * float(path.read_text()), labels

    with on_cluster(fragile, source=changing) as objective:
        path.write_text("2.0")
        kill(fragile, 1)
        with pytest.raises(ml.ClusterError) as caught:
            eventually(lambda: bool(objective(objective.x0)[0] < 0))  # it never is
    assert "expected the rows that were loaded first, found others: " in str(caught.value)
    assert str(caught.value).startswith("part ")


def test_an_exception_in_an_evaluation_names_the_part(client: Client) -> None:
    @ml.register
    class Breaking(ml.Activation):
        """The identity, which fails at a number of its input."""

        def function(self, x: Array, out: Array) -> None:
            if np.any(x > 1e6):
                raise MemoryError("no room")
            np.copyto(out, x)

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            np.copyto(out, dy)

    model = ml.Sequential([ml.Dense(INPUTS, 3), Breaking(), ml.Dense(3, 3), ml.Softmax()], seed=0)
    with on_cluster(client, model) as objective:
        objective(objective.x0)
        with pytest.raises(ml.ClusterError) as caught:
            objective(np.full_like(objective.x0, 1e8))
    assert str(caught.value).startswith("part ")
    assert "MemoryError: no room" in str(caught.value)
