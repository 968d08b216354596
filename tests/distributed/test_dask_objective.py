"""DaskObjective computes what Objective computes, bit for bit, and takes part in every training."""

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from distributed import Client

import minilayer as ml
from minilayer.distributed import DaskObjective, parts
from tests.helpers.clusters import (
    INPUTS,
    ROWS,
    eventually,
    new_model,
    on_cluster,
    on_one_machine,
    rows_of_classes,
)
from tests.helpers.comparisons import same_in_every_run

X, LABELS = rows_of_classes(0, ROWS)
WEIGHTS = np.arange(ROWS) % 3


def direction(size: int) -> Any:
    return np.random.default_rng(0).standard_normal(size)


def assert_same_bits(found: DaskObjective, expected: ml.Objective) -> None:
    x = expected.x0
    v = direction(x.size)
    cost, gradient = found(x)
    expected_cost, expected_gradient = expected(x)
    assert cost == expected_cost
    np.testing.assert_array_equal(gradient, expected_gradient)
    np.testing.assert_array_equal(found.hessp(x, v), expected.hessp(x, v))
    np.testing.assert_array_equal(found.hessp(x, v), expected.hessp(x, v))  # after a product
    np.testing.assert_array_equal(
        found.hessp(x, v, gauss_newton=True), expected.hessp(x, v, gauss_newton=True)
    )


# The same bits


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shards": 1},
        {"shards": 70},  # added in two levels
        {"dtype": "float32"},
        {"sample_weight": WEIGHTS},
        {"sample_weight": WEIGHTS, "class_weight": {0: 2}},
    ],
    ids=str,
)
def test_evaluations_and_products_have_the_bits_of_objective(
    client: Client, options: dict[str, Any]
) -> None:
    with on_cluster(client, **options) as objective:
        assert_same_bits(objective, on_one_machine(**options))


def test_dask_arrays_give_the_same_whatever_their_chunks(client: Client) -> None:
    loss = ml.CategoricalCrossEntropy()
    rows = da.from_array(X, chunks=(500, -1)), da.from_array(LABELS, chunks=(700,))
    with DaskObjective(new_model(), *rows, loss, 1.0, shards=4, client=client) as objective:
        assert_same_bits(objective, on_one_machine())


def test_the_chunks_of_x_are_the_parts_by_default(client: Client) -> None:
    rows = da.from_array(X, chunks=(500, -1)), da.from_array(LABELS, chunks=(700,))
    loss = ml.CategoricalCrossEntropy()
    with DaskObjective(new_model(), *rows, loss, client=client) as objective:
        assert objective.shards == 3
        assert objective.rows == ROWS
        cost, _ = objective(objective.x0)
    assert cost == pytest.approx(on_one_machine(l2=0.0)(new_model().parameters)[0], rel=1e-14)


def test_persisted_arrays_stay_on_the_cluster(client: Client) -> None:
    rows = client.persist([da.from_array(X, chunks=(300, -1)), da.from_array(LABELS, chunks=300)])
    loss = ml.CategoricalCrossEntropy()
    with DaskObjective(new_model(), rows[0], rows[1], loss, 1.0, client=client) as objective:
        assert_same_bits(objective, on_one_machine())


def test_leading_layers_are_computed_on_the_workers(client: Client) -> None:
    def model() -> ml.Sequential:
        network = new_model()
        network.insert(0, ml.Standardize.of(5 * X + 1))
        return network

    loss = ml.CategoricalCrossEntropy()
    expected = ml.Objective(model(), X, LABELS, loss, 1.0, shards=4, copy=False)
    with on_cluster(client, model()) as objective:
        assert_same_bits(objective, expected)
        trainer = ml.LBFGS(max_iterations=5)
        found = same_in_every_run(trainer.minimize(objective, validation=(X, LABELS)))
        np.testing.assert_equal(
            found, same_in_every_run(trainer.minimize(expected, validation=(X, LABELS)))
        )


def test_parameters_above_a_megabyte_are_scattered(client: Client) -> None:
    units = 6000
    few = 120
    loss = ml.CategoricalCrossEntropy()
    model = new_model(units=units)
    expected = ml.Objective(model, X[:few], LABELS[:few], loss, 1.0, shards=4, copy=False)
    assert expected.x0.nbytes > 1 << 20
    with on_cluster(client, new_model(units=units), rows=few) as objective:
        assert_same_bits(objective, expected)


def test_one_worker_gives_the_bits_of_two() -> None:
    with (
        Client(n_workers=1, processes=False, dashboard_address=":0") as alone,
        on_cluster(alone, shards=70) as objective,
    ):
        assert_same_bits(objective, on_one_machine(shards=70))


# Every trainer


@pytest.mark.parametrize(
    "trainer",
    [
        ml.LBFGS(max_iterations=25),
        ml.ScipyTrainer("Newton-CG", max_evaluations=25),
        ml.GradientDescent(0.5, max_iterations=4),
    ],
    ids=repr,
)
def test_trainings_have_the_bits_of_those_on_one_machine(
    client: Client, trainer: ml.Trainer
) -> None:
    with on_cluster(client) as objective:
        found = same_in_every_run(trainer.minimize(objective))
    np.testing.assert_equal(found, same_in_every_run(trainer.minimize(on_one_machine())))


def test_minibatches_agree_up_to_rounding(client: Client) -> None:
    rows = np.random.default_rng(0).choice(ROWS, 200, replace=False)
    with on_cluster(client, sample_weight=WEIGHTS) as objective:
        expected = on_one_machine(sample_weight=WEIGHTS)
        cost, gradient = objective.minibatch(objective.x0, rows)
        expected_cost, expected_gradient = expected.minibatch(objective.x0, rows)
        assert cost == pytest.approx(expected_cost, rel=1e-13)
        np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=1e-14)
        trainer = ml.GradientDescent(0.5, batch_size=400, max_iterations=3)
        assert trainer.minimize(objective).fun == pytest.approx(
            trainer.minimize(expected).fun, rel=1e-12
        )


@pytest.mark.parametrize("kind", [np.asarray, lambda rows: da.from_array(rows, chunks=50)])
def test_validation_rows_are_evaluated_by_the_client(client: Client, kind: Any) -> None:
    validation = ml.Validation(kind(X[:100]), kind(LABELS[:100]), metric="accuracy")
    trainer = ml.LBFGS(max_iterations=8)
    with on_cluster(client) as objective:
        found = same_in_every_run(trainer.minimize(objective, validation=validation))
    expected = trainer.minimize(on_one_machine(), validation=validation)
    np.testing.assert_equal(found, same_in_every_run(expected))


def test_a_stopped_run_goes_on_from_its_checkpoint(client: Client, tmp_path: Path) -> None:
    whole = ml.LBFGS(max_evaluations=20).minimize(on_one_machine())
    for evaluations in (9, 20):
        with on_cluster(client) as objective:
            trainer = ml.LBFGS(max_evaluations=evaluations)
            result = trainer.minimize(objective, checkpoint=tmp_path / "run.h5")
    assert "resumed at evaluation" in result.message
    np.testing.assert_array_equal(result.x, whole.x)


def test_the_fingerprint_is_that_of_rows_and_sharding(client: Client) -> None:
    fingerprints = []
    for options in ({}, {}, {"shards": 5}, {"l2": 2.0}, {"source": _other_rows}):
        with on_cluster(client, **options) as objective:
            fingerprints.append(objective.fingerprint())
    assert fingerprints[0] == fingerprints[1]
    assert len(set(fingerprints)) == 4
    assert objective.identity()["shards"] == "4"


def _other_rows(start: int, stop: int) -> Any:
    inputs, labels = rows_of_classes(start, stop)
    return inputs, (labels + 1) % 3


def test_advice_is_that_of_objective(client: Client) -> None:
    expected = on_one_machine()
    with on_cluster(client) as objective:
        for success in (True, False):
            advice = objective.advice(objective.x0, success=success)
            assert advice == expected.advice(expected.x0, success=success)


def test_the_progress_bar_shows_rows_a_second_and_the_slowest_part(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with on_cluster(client) as objective:
        assert objective.progress_note() == ""
        ml.LBFGS(max_iterations=2).minimize(objective, progress=True)
    assert " rows/s, slowest part " in capsys.readouterr().err


# fit


def test_fit_takes_dask_arrays(client: Client) -> None:
    rows = da.from_array(X, chunks=(300, -1)), da.from_array(LABELS, chunks=300)
    model = new_model()
    with client.as_current():
        found = ml.fit(model, *rows, l2=1.0, max_iterations=5)
    expected = ml.fit(new_model(), X, LABELS, l2=1.0, max_iterations=5, shards=4, copy=False)
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(model.parameters, found.x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"standardize": True},
            "standardize: expected False with dask arrays, found True: put "
            "Standardize(X.mean(axis=0).compute(), X.std(axis=0).compute()) in front of the model",
        ),
        (
            {"workers": 2},
            "workers: expected None with dask arrays, found 2: "
            "the workers of the cluster evaluate them",
        ),
    ],
)
def test_fit_refuses_what_a_cluster_does_not_do(options: dict[str, Any], message: str) -> None:
    rows = da.from_array(X, chunks=(300, -1)), da.from_array(LABELS, chunks=300)
    with pytest.raises((TypeError, ValueError)) as caught:
        ml.fit(new_model(), *rows, **options)
    assert str(caught.value) == message


def test_the_way_out_of_standardize_gives_the_same_layer() -> None:
    rows = da.from_array(X, chunks=(300, -1))
    layer = ml.Standardize(rows.mean(axis=0).compute(), rows.std(axis=0).compute())
    np.testing.assert_allclose(layer.mean, ml.Standardize.of(X).mean, atol=1e-14)
    np.testing.assert_allclose(layer.scale, ml.Standardize.of(X).scale, rtol=1e-13)


# What is left behind


def test_workers_forget_everything_that_is_closed(client: Client) -> None:
    with on_cluster(client) as objective:
        objective(objective.x0)
        assert sum(client.run(_pools).values()) == 2
    del objective
    eventually(lambda: not any(client.run(_pools).values()))
    eventually(lambda: not any(owners for owners in client.who_has().values()))


def _pools() -> int:
    gc.collect()
    return len(parts._pools)


def test_a_closed_objective_says_so(client: Client) -> None:
    with on_cluster(client) as objective:
        pass
    with pytest.raises(ml.ClusterError) as caught:
        objective(objective.x0)
    assert str(caught.value) == "objective: expected an open DaskObjective, found a closed one"
    assert client.status == "running"


def test_an_address_is_enough(client: Client) -> None:
    with on_cluster(client.scheduler.address) as objective:
        own = objective.client
        assert own is not client
        assert objective(objective.x0)[0] == on_one_machine()(objective.x0)[0]
    assert own.status == "closed"


def test_without_a_client_a_cluster_is_started_and_closed() -> None:
    with on_cluster(None) as objective:
        own = objective.client
        assert objective(objective.x0)[0] == on_one_machine()(objective.x0)[0]
    assert own.status == "closed"
    assert own.cluster.status.name == "closed"


# Refusals, before anything is loaded


def chunked(shape: tuple[int, ...], chunks: Any) -> Any:
    return da.zeros(shape, chunks=chunks)


UNKNOWN = chunked((4, INPUTS), (2, -1))[da.ones(4, chunks=2) > 0]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (
            (X, LABELS),
            {},
            "X: expected a dask array, found an array of shape (1200, 20): use "
            "dask.array.from_array(X, chunks=(10_000, -1)), or Objective for arrays in memory",
        ),
        (
            (chunked((4, INPUTS), -1), LABELS[:4]),
            {},
            "Y: expected a dask array, found an array of shape (4,): use "
            "dask.array.from_array(Y, chunks=(10_000, -1)), or Objective for arrays in memory",
        ),
        (
            (chunked((4, INPUTS), (4, 10)), chunked((4,), -1)),
            {},
            "X: expected all columns in one chunk, found 2: use X.rechunk({1: -1})",
        ),
        (
            (UNKNOWN, chunked((4,), -1)),
            {},
            "X: expected known numbers of rows, found unknown chunk sizes: "
            "use X.compute_chunk_sizes()",
        ),
        (
            (chunked((4, 7), -1), chunked((4,), -1)),
            {},
            "X: expected 20 columns (inputs of Dense(20, 8)), found 7",
        ),
        (
            (chunked((4, INPUTS), -1), chunked((5,), -1)),
            {},
            "Y: expected as many rows as X, 4, found 5",
        ),
        (
            (chunked((4, INPUTS), -1), chunked((4,), -1)),
            {"source": rows_of_classes},
            "source: expected None beside X and Y, found a function",
        ),
        ((), {"source": rows_of_classes}, "rows: expected the number of rows beside a source, f"),
        ((), {"source": max, "rows": 0}, "rows: expected at least 1, found 0"),
        (
            (),
            {"source": rows_of_classes, "rows": 4, "class_weight": "balanced"},
            "class_weight: expected a weight for each class, found 'balanced': "
            "give numbers, such as {0: 1, 1: 9}",
        ),
        (
            (),
            {"source": rows_of_classes, "rows": 4, "sample_weight": chunked((4,), -1)},
            "sample_weight: expected an array in memory, which takes 8 bytes a row, found a dask "
            "array: use sample_weight.compute()",
        ),
        (
            (),
            {"source": rows_of_classes, "rows": 4, "client": 3},
            "client: expected a distributed.Client, the address of a scheduler or None, found 3: "
            "use distributed.Client(...)",
        ),
        (
            (),
            {"source": rows_of_classes, "rows": 4, "n_jobs": 3},
            "DaskObjective() has no argument 'n_jobs'",
        ),
    ],
)
def test_mistakes_are_refused_before_anything_is_loaded(
    arguments: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    loss = ml.CategoricalCrossEntropy()
    with pytest.raises((TypeError, ValueError)) as caught:
        DaskObjective(new_model(), **dict(zip("XY", arguments, strict=False)), loss=loss, **options)
    assert str(caught.value).startswith(message)


def test_importing_minilayer_imports_no_dask() -> None:
    code = "import sys, minilayer; sys.exit('dask' in sys.modules or 'distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
