"""Minibatches of rows from files: blocks of rows, shuffled; each is read once an epoch."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.utils.row_source import FileRows
from minilayer.utils.types import Array
from tests.helpers.objectives import Recorded
from tests.helpers.row_sources import STORES, OwnRows

ROWS = 210


class ChunkedRows(OwnRows):
    """Rows in chunks."""

    def __init__(self, rows: Array, chunk: int) -> None:
        super().__init__(rows)
        self.chunks = (chunk, *rows.shape[1:])


@pytest.fixture
def small_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read 10 rows of 3 columns together, and shuffle those of 5 reads."""
    monkeypatch.setattr("minilayer.utils.row_source.BYTES_PER_READ", 240)
    monkeypatch.setattr("minilayer.utils.row_source.BYTES_PER_BLOCK", 5 * 240)


def objective(rows: Any, **options: Any) -> ml.Objective:
    model = ml.mlp(3, 1, seed=0)
    return ml.Objective(model, rows, np.arange(float(ROWS)), ml.SquaredError(), **options)


@given(st.integers(1, 300), st.integers(1, 70), st.integers(0, 5))
def test_shuffled_rows_are_all_rows_once(rows: int, chunk: int, seed: int) -> None:
    source = FileRows("X", ChunkedRows(np.zeros((rows, 20_000)), chunk))
    found = list(source.shuffled_rows(np.random.default_rng(seed)))
    again = list(source.shuffled_rows(np.random.default_rng(seed)))
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(rows))
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(again))
    if rows > 3 * chunk:
        assert not np.array_equal(np.concatenate(found), np.arange(rows))


@pytest.mark.usefixtures("small_reads")
@pytest.mark.parametrize(("chunk", "unit"), [(1, 10), (4, 8), (10, 10), (25, 25)])
def test_whole_chunks_are_read_together(chunk: int, unit: int) -> None:
    assert FileRows("X", ChunkedRows(np.zeros((ROWS, 3)), chunk)).unit == unit


@pytest.mark.usefixtures("small_reads")
@pytest.mark.parametrize("batch_size", [1, 7, 50])
def test_an_epoch_reads_each_block_once(batch_size: int) -> None:
    rows = OwnRows(np.random.default_rng(0).standard_normal((ROWS, 3)))
    recorded = Recorded(objective(rows))
    trainer = ml.GradientDescent(1e-6, batch_size=batch_size, max_iterations=1)
    rows.reads.clear()
    reads = []
    trainer.minimize(recorded, callback=lambda _: reads.extend(rows.reads))
    batches = recorded.minibatches
    assert Counter(row for batch in batches for row in batch) == Counter(range(ROWS))
    assert {len(batch) for batch in batches[:-1]} == {batch_size}
    blocks = [(start, stop) for start, stop in reads if stop - start == 10]
    assert Counter(blocks) == Counter((start, start + 10) for start in range(0, ROWS, 10))


@pytest.mark.usefixtures("small_reads")
def test_rows_of_several_blocks_are_mixed() -> None:
    order = np.concatenate(list(objective(OwnRows(np.ones((ROWS, 3)))).shuffled_rows(rng())))
    first = order[:50]
    assert len(set(first // 10)) == 5
    assert len(set(first[:10] // 10)) > 1
    assert not (np.diff(first // 10) >= 0).all()


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_rows_in_memory_are_shuffled_all_together() -> None:
    X = np.ones((ROWS, 3))
    for own in (objective(X), objective(X, copy=False), objective(OwnRows(X), copy=True)):
        (order,) = own.shuffled_rows(rng())
        np.testing.assert_array_equal(order, rng().permutation(ROWS))


@pytest.mark.usefixtures("small_reads")
@pytest.mark.parametrize("kind", STORES)
def test_a_minibatch_has_the_bits_of_memory(kind: str, tmp_path: Path) -> None:
    X = np.random.default_rng(0).standard_normal((ROWS, 3)).astype(np.float32)
    weights = np.linspace(0.5, 1, ROWS)
    expected = objective(X, copy=False, sample_weight=weights)
    with STORES[kind](tmp_path, X) as rows:
        found = objective(rows, sample_weight=weights)
        for chosen in ([0], [209], [5, 5, 5], range(ROWS), [200, 3, 41, 40]):
            np.testing.assert_equal(
                found.minibatch(found.x0, list(chosen)), expected.minibatch(found.x0, list(chosen))
            )


@pytest.mark.usefixtures("small_reads")
def test_the_seed_decides_the_order() -> None:
    def run(seed: int) -> Array:
        trainer = ml.GradientDescent(0.01, batch_size=20, seed=seed, max_iterations=3)
        X = np.random.default_rng(0).standard_normal((ROWS, 3))
        return trainer.minimize(objective(OwnRows(X))).x

    np.testing.assert_array_equal(run(0), run(0))
    assert not np.array_equal(run(0), run(1))
