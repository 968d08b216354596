"""Race (a): one cost and gradient, at five sizes, in float64 and float32."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from statistics import geometric_mean, median
from typing import Any

from .contestants import EVALUATIONS, REFERENCE, Evaluation
from .field import Field, choose
from .problem import EX4_SHAPE, TOLERANCE, Answer, DType, Problem, Shape
from .report import Report, Table
from .turns import ratio, take_turns

SHAPES = (
    EX4_SHAPE,
    Shape(60_000, 784, 100, 10),
    Shape(5000, 400, 256, 10),
    Shape(20_000, 64, 16, 10),
    Shape(1_000_000, 32, 16, 1),
)
DTYPES: tuple[DType, ...] = ("float64", "float32")
JUDGE = "numpy"
"""Answers are compared with this contestant's, or the first one's where it does not take part."""
COLUMNS = (
    "contestant",
    "ms/evaluation",
    "x minilayer",
    "cost",
    "gradient norm",
    "agreement",
    "note",
)


def race(
    seconds: float,
    only: Sequence[str] = (),
    shapes: Sequence[Shape] = SHAPES,
    dtypes: Sequence[DType] = DTYPES,
) -> Report:
    """Run all cells; ``seconds`` is what each contestant gets in each."""
    report = Report("evaluation")
    report.begin()
    for dtype, shape in product(dtypes, shapes):
        problem = Problem(shape, dtype)
        records = _cell(problem, seconds, only)
        report.records.extend(records)
        report.show(_table(problem, records))
        report.ratios[f"{shape} {dtype}"] = {
            record["title"]: record["ratio"]
            for record in records
            if record["ratio"] and record["name"] != REFERENCE
        }
    report.summary += _summary(report.records)
    report.end()
    return report


def _cell(problem: Problem, seconds: float, only: Sequence[str]) -> list[dict[str, Any]]:
    entries = [entry for entry in choose(EVALUATIONS, only) if entry.only in (None, problem)]
    with Field(entries, problem) as field:
        answers: dict[str, Answer | None] = {
            name: seat.call(_answer) for name, seat in field.seats.items()
        }
        notes = {name: seat.call(_note) for name, seat in field.seats.items()}
        times = take_turns(field.seats, seconds)
        idle = field.idle_share
    judge = answers.get(JUDGE) or next((answer for answer in answers.values() if answer), None)
    records = []
    for name, title in field.titles.items():
        answer, own = answers.get(name), times.get(name)
        record: dict[str, Any] = {
            "shape": list(problem.shape),
            "dtype": problem.dtype,
            "name": name,
            "title": title,
        }
        record["note"] = notes.get(name, "") if own else field.absent[name]
        record["ms"] = median(own) * 1e3 if own else None
        record["ratio"] = ratio(own, times[REFERENCE]) if own and REFERENCE in times else None
        record["rounds_ms"] = [seconds * 1e3 for seconds in own or ()]
        record["cost"], record["gradient_norm"] = answer or (None, None)
        record["agrees"] = (
            _agree(answer, judge, TOLERANCE[problem.dtype]) if answer and judge else None
        )
        record["idle_cpus"] = idle
        records.append(record)
    return records


def _table(problem: Problem, records: list[dict[str, Any]]) -> Table:
    title = f"(rows, inputs, hidden, outputs) = {problem.shape}, {problem.dtype}"
    table = Table(title, COLUMNS)
    for record in records:
        agreement = {True: f"to {TOLERANCE[problem.dtype]:g}", False: "DISAGREES", None: "-"}[
            record["agrees"]
        ]
        table.rows.append(
            (
                record["title"],
                _number(record["ms"], ".3f"),
                _number(record["ratio"], ".2f"),
                _number(record["cost"], ".10g"),
                _number(record["gradient_norm"], ".10g"),
                agreement,
                record["note"],
            )
        )
    rounds = max(len(record["rounds_ms"]) for record in records)
    idle = max(record["idle_cpus"] for record in records)
    table.remarks.append(
        f"{rounds} rounds; the busiest waiting contestant used {idle:.1%} of a CPU"
    )
    return table


def _summary(records: list[dict[str, Any]]) -> list[str]:
    """Geometric means over the cells of each precision, and the worst cell."""
    lines = []
    for dtype, entry in product(DTYPES, EVALUATIONS):
        cells = [
            r
            for r in records
            if r["ratio"] and r["dtype"] == dtype and r["name"] == entry.name != REFERENCE
        ]
        if cells:
            ratios = [cell["ratio"] for cell in cells]
            lines.append(
                f"{dtype}: {entry.title} takes {geometric_mean(ratios):.2f} times minilayer's time "
                f"(geometric mean of {len(ratios)}; {min(ratios):.2f} to {max(ratios):.2f})"
            )
    wrong = [
        f"{r['title']} at {Shape(*r['shape'])} {r['dtype']}"
        for r in records
        if r["agrees"] is False
    ]
    lines.append(
        f"DISAGREES: {'; '.join(wrong)}" if wrong else "all costs and gradient norms agree"
    )
    return lines


def _agree(answer: Answer, judge: Answer, tolerance: float) -> bool:
    return all(
        abs(mine - theirs) <= tolerance * abs(theirs)
        for mine, theirs in zip(answer, judge, strict=True)
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _answer(contestant: Evaluation) -> Answer | None:
    return contestant.answer()


def _note(contestant: Evaluation) -> str:
    return contestant.note
