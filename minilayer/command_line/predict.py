"""``minilayer predict``: predictions for the rows of a file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from ..checkpoint import load
from ..labels import decode_labels
from ..nn import Sequential
from ..utils.classes import predicted_classes
from ..utils.files import replace_file
from ..utils.tables import check_column_names
from ..utils.types import Array

FORMATS = (".npy", ".csv")
BYTE_ORDER_MARK = "utf-8-sig"
"""The encoding of UTF-8 that spreadsheets write."""


def predict(file: Path, rows: Path, out: Path) -> None:
    """Write what the network of a file predicts for rows."""
    _check_suffix("OUT", out)
    _check_suffix("X", rows)
    model = load(file)
    names, X = _read_csv(rows) if _suffix(rows) == ".csv" else (None, _read_npy(rows))
    try:
        check_column_names(model.feature_names, names, hint="")
        predictions = model.predict(X)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{rows}: {error}") from None
    is_table = _suffix(out) == ".csv"
    replace_file(out, _as_csv(model, predictions) if is_table else _as_npy(predictions))
    print(f"{out}: {_counted(len(predictions), 'row')}, {_counted(model.n_outputs, 'output')}")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def _check_suffix(name: str, path: Path) -> None:
    if _suffix(path) not in FORMATS:
        raise ValueError(f"{name}: expected a file that ends in .npy or .csv, found {path}")


def _read_npy(path: Path) -> Array:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: expected an array that numpy.save wrote: {error}") from None


def _read_csv(path: Path) -> tuple[tuple[str, ...] | None, Array]:
    """Return the names in the header, None without one, and the numbers below it."""
    try:
        with path.open(encoding=BYTE_ORDER_MARK, newline="") as file:
            first = next(csv.reader(file), [])
            has_header = any(not _is_number(cell) for cell in first)
            lines = [line for line in file if line.strip()]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: expected a table in UTF-8: {error}") from None
    names = tuple(cell.strip() for cell in first) if has_header else None
    if names is None:
        lines.insert(0, ",".join(first))
    if not lines or not first:
        raise ValueError(f"{path}: expected rows of numbers, found none")
    if len(first) == 1 and ";" in first[0]:
        raise ValueError(f"{path}: expected commas between columns, found semicolons")
    try:
        numbers = np.loadtxt(lines, delimiter=",", ndmin=2, comments=None, quotechar='"')
    except ValueError as error:
        raise ValueError(f"{path}: expected rows of numbers: {error}") from None
    if numbers.shape[1] != len(first):
        raise ValueError(
            f"{path}: expected {len(first)} columns, as the header has, found {numbers.shape[1]}"
        )
    return names, numbers


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _as_npy(predictions: Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, predictions)
    return buffer.getvalue()


def _as_csv(model: Sequential, predictions: Array) -> bytes:
    """Return a table of the outputs; with class names, its last column is the class."""
    count = predictions.shape[1]
    names = model.class_names
    header = list(names) if names is not None and len(names) == count else _numbered(count)
    columns = predictions.tolist()
    if names is not None:
        header.append("class")
        labels = decode_labels(predicted_classes(predictions), names)
        columns = [[*row, label] for row, label in zip(columns, labels, strict=True)]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(columns)
    return buffer.getvalue().encode()


def _numbered(count: int) -> list[str]:
    return ["output"] if count == 1 else [f"output {index}" for index in range(count)]
