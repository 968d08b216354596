"""Keep a random sample of the mutations of a cosmic-ray session.

Two kinds are left out. Mutations inside annotations change nothing: no annotation is evaluated.
Operators that are none, as ``*`` and ``/`` in a list of parameters, make invalid syntax.

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
from typing import Any

SEED = 0

Position = tuple[int, int]
"""A line, from 1, and a column, from 0."""


def span(node: ast.AST) -> tuple[Position, Position]:
    """Return where a node begins and ends."""
    place: Any = node
    return (place.lineno, place.col_offset), (place.end_lineno, place.end_col_offset)


def annotations_of(source: str) -> list[tuple[Position, Position]]:
    """Return the spans of the annotations of a module."""
    nodes = list(ast.walk(ast.parse(source)))
    found = [getattr(node, field, None) for node in nodes for field in ("annotation", "returns")]
    return [span(node) for node in found if node is not None]


def operations_of(source: str) -> list[tuple[Position, Position]]:
    """Return the spans of the operations with two operands."""
    nodes = ast.walk(ast.parse(source))
    return [span(node) for node in nodes if isinstance(node, (ast.BinOp, ast.AugAssign))]


def is_inside(position: Position, spans: list[tuple[Position, Position]]) -> bool:
    return any(begin <= position < end for begin, end in spans)


def sample(path: str, count: int) -> str:
    """Delete all work items but the sample, and return a line that counts them."""
    database = sqlite3.connect(path)
    # Job names differ from session to session. The sorted mutations do not.
    rows = database.execute(
        "SELECT module_path, operator_name, operator_args, occurrence,"
        " start_pos_row, start_pos_col, job_id FROM mutation_specs"
        " ORDER BY module_path, operator_name, operator_args, occurrence"
    ).fetchall()
    sources = {module: Path(module).read_text("utf-8") for module, *_ in rows}
    annotations = {module: annotations_of(source) for module, source in sources.items()}
    operations = {module: operations_of(source) for module, source in sources.items()}
    in_annotations = 0
    no_operators = 0
    candidates = []
    for module, operator, _, _, line, column, job in rows:
        if is_inside((line, column), annotations[module]):
            in_annotations += 1
        elif "BinaryOperator" in operator and not is_inside((line, column), operations[module]):
            no_operators += 1
        else:
            candidates.append(job)
    chosen = set(random.Random(SEED).sample(candidates, count))
    rejected = [(row[-1],) for row in rows if row[-1] not in chosen]
    for table in ("mutation_specs", "work_items"):
        database.executemany(f"DELETE FROM {table} WHERE job_id = ?", rejected)
    database.commit()
    database.close()
    return (
        f"{len(rows)} mutations, {in_annotations} in annotations, {no_operators} of no operator,"
        f" {count} drawn from the other {len(candidates)}"
    )


if __name__ == "__main__":
    print(sample(sys.argv[1], int(sys.argv[2])))
