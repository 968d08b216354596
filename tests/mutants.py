"""Keep a random sample of the mutations of a cosmic-ray session.

Mutations inside annotations are left out: no annotation is evaluated.

Examples
--------
Draw 300 mutations, the same in every run::

    python -m tests.mutants mutants.sqlite 300
"""

from __future__ import annotations

import ast
import random
import sqlite3
import sys
from pathlib import Path

SEED = 0

Position = tuple[int, int]
"""A line, from 1, and a column, from 0."""


def annotation_spans(source: str) -> list[tuple[Position, Position]]:
    """Return where each annotation of a module begins and ends."""
    spans = []
    for node in ast.walk(ast.parse(source)):
        for field in ("annotation", "returns"):
            part = getattr(node, field, None)
            if part is not None:
                begin = (part.lineno, part.col_offset)
                end = (part.end_lineno, part.end_col_offset)
                spans.append((begin, end))
    return spans


def sample(path: str, count: int) -> str:
    """Delete all work items but the sample, and return a line that counts them."""
    database = sqlite3.connect(path)
    # Job names differ from session to session. The sorted mutations do not.
    rows = database.execute(
        "SELECT module_path, operator_name, operator_args, occurrence,"
        " start_pos_row, start_pos_col, job_id FROM mutation_specs"
        " ORDER BY module_path, operator_name, operator_args, occurrence"
    ).fetchall()
    spans = {module: annotation_spans(Path(module).read_text("utf-8")) for module, *_ in rows}
    candidates = [
        job
        for module, _, _, _, line, column, job in rows
        if not any(begin <= (line, column) < end for begin, end in spans[module])
    ]
    chosen = set(random.Random(SEED).sample(candidates, count))
    rejected = [(row[-1],) for row in rows if row[-1] not in chosen]
    for table in ("mutation_specs", "work_items"):
        database.executemany(f"DELETE FROM {table} WHERE job_id = ?", rejected)
    database.commit()
    inside = len(rows) - len(candidates)
    return f"{len(rows)} mutations, {inside} inside annotations, {count} drawn from the rest"


if __name__ == "__main__":
    print(sample(sys.argv[1], int(sys.argv[2])))
