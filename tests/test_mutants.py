"""The sample of mutations: without annotations, without what is no operator, always the same."""

import sqlite3
from pathlib import Path

import pytest

from tests.mutants import sample

SOURCE = """\
def f(a: int | None, *, b=3 * 4) -> int | None:
    c: int | float = a * b
    c *= 2
    return [*c]
"""
BIT_OR = "core/ReplaceBinaryOperator_BitOr_Add"
MUL = "core/ReplaceBinaryOperator_Mul_Add"
IN_ANNOTATIONS = [(BIT_OR, 1, 13), (BIT_OR, 1, 40), (BIT_OR, 2, 11)]
NO_OPERATORS = [(MUL, 1, 21), (MUL, 4, 12)]
OTHERS = [
    (MUL, 1, 28),
    (MUL, 2, 23),
    (MUL, 3, 6),
    ("core/NumberReplacer", 1, 26),
]


def session(folder: Path) -> Path:
    """Return the database of a session with these mutations, job names at random."""
    path = folder / "mutants.sqlite"
    path.unlink(missing_ok=True)
    module = folder / "module.py"
    module.write_text(SOURCE, encoding="utf-8")
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE work_items (job_id)")
    database.execute(
        "CREATE TABLE mutation_specs (module_path, operator_name, operator_args, occurrence,"
        " start_pos_row, start_pos_col, job_id)"
    )
    for operator, line, column in IN_ANNOTATIONS + NO_OPERATORS + OTHERS:
        database.execute("INSERT INTO work_items VALUES (hex(randomblob(8)))")
        values = (str(module), operator, "{}", 10 * line + column, line, column)
        database.execute(
            "INSERT INTO mutation_specs SELECT ?, ?, ?, ?, ?, ?, job_id FROM work_items"
            " ORDER BY rowid DESC LIMIT 1",
            values,
        )
    database.commit()
    database.close()
    return path


def kept(path: Path) -> list[tuple[str, int, int]]:
    database = sqlite3.connect(path)
    rows: list[tuple[str, int, int]] = database.execute(
        "SELECT operator_name, start_pos_row, start_pos_col FROM mutation_specs"
        " JOIN work_items USING (job_id)"
    ).fetchall()
    items = database.execute("SELECT count(*) FROM work_items").fetchone()[0]
    database.close()
    assert items == len(rows)
    return sorted(rows)


def test_annotations_and_what_is_no_operator_are_left_out(tmp_path: Path) -> None:
    path = session(tmp_path)
    text = sample(str(path), len(OTHERS))
    assert text == "9 mutations, 3 in annotations, 2 of no operator, 4 drawn from the other 4"
    assert kept(path) == sorted(OTHERS)


@pytest.mark.parametrize("count", [1, 2])
def test_a_sample_is_the_same_in_every_session(count: int, tmp_path: Path) -> None:
    samples = []
    for _ in range(2):
        path = session(tmp_path)
        sample(str(path), count)
        samples.append(kept(path))
    assert len(samples[0]) == count
    assert samples[0] == samples[1]
