"""The progress bar: one line with the cost, the count, and what else there is room for."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from .history import Iteration

if TYPE_CHECKING:
    from tqdm.std import tqdm

REFRESH_SECONDS = 0.2
DEFAULT_COLUMNS = 80
BAR_COLUMNS = 8
"""The narrowest bar that is drawn, its ends included."""
TIMES_COLUMNS = 13
"""What `` 00:12<01:23`` takes, with a column to spare."""
DIGITS = (6, 5, 4, 3)
"""Significant digits of the cost: as many as there is room for."""
SHORT_UNITS = {"evaluations": "evals", "iterations": "iters", "epochs": "epochs"}


@dataclass
class Figures:
    """What the line shows. None: not known, or not asked for."""

    name: str
    unit: str
    total: int | None
    evaluations: int = 0
    iterations: int = 0
    cost: float | None = None
    gradient_norm: float | None = None
    validation_cost: float | None = None
    metric: float | None = None
    note: str = ""

    @property
    def count(self) -> int:
        """How many of the unit are done."""
        return self.evaluations if self.unit == "evaluations" else self.iterations

    def line(self, columns: int, is_finished: bool = False) -> str:
        """Return the richest line that fits, as a ``bar_format`` of tqdm."""
        bar = BAR_COLUMNS if self.total else 0
        named = self.text("note", is_short=True)
        unnamed = self.text("note", "name", is_short=True)
        main = [
            self.text("note", "name", "gradient", is_short=True, digits=digits) for digits in DIGITS
        ]
        candidates = [
            (self.text(), bar + TIMES_COLUMNS),
            *([(self.text("gradient", is_short=True), 0)] if self.note else []),
            (self.text("note"), bar + TIMES_COLUMNS),
            (named, bar + TIMES_COLUMNS),
            (named, bar),
            (unnamed, bar),
            (main[0], bar),
            *((rounded, 0) for rounded in main),
            (self.text("note", "name", "gradient", "unit", is_short=True, digits=DIGITS[-1]), 0),
            (self.text("note", "name", "gradient", "unit", "validation", digits=DIGITS[-1]), 0),
        ]
        fitting = [text for text, rest in candidates if len(text) + rest <= columns]
        text = fitting[0] if fitting else candidates[-1][0][:columns]
        room = columns - len(text)
        line = _literal(text)
        if self.total and room >= BAR_COLUMNS:
            line += " |{bar}|"
        if room >= bar + TIMES_COLUMNS:
            line += " {elapsed}" if is_finished or not self.total else " {elapsed}<{remaining}"
        return line

    def widget_line(self) -> str:
        """Return the line of a notebook, whose page is as wide as it must be."""
        head, rest = _literal(self.name), _literal(self.text("name"))
        return f"{head} {{bar}} {rest}, {{elapsed}}"

    def text(self, *without: str, is_short: bool = False, digits: int = DIGITS[0]) -> str:
        """Return the figures in words, the important ones first, without those that are named."""
        parts = {}
        if self.cost is not None:
            parts["cost"] = f"cost {self.cost:.{digits}g}"
        parts["count"] = str(self.count) if self.total is None else f"{self.count}/{self.total}"
        if "unit" not in without:
            parts["count"] += f" {SHORT_UNITS[self.unit] if is_short else self.unit}"
        if self.metric is not None:
            parts["validation"] = f"metric {self.metric:.{min(digits, 4)}g}"
        elif self.validation_cost is not None:
            label = "val" if is_short else "validation cost"
            parts["validation"] = f"{label} {self.validation_cost:.{min(digits, 5)}g}"
        if self.gradient_norm is not None:
            parts["gradient"] = f"|gradient| {self.gradient_norm:.2e}"
        if self.note:
            parts["note"] = self.note
        head = "" if "name" in without else f"{self.name}: "
        return head + ", ".join(parts[part] for part in parts if part not in without)


class ProgressBar:
    """A bar of tqdm on standard error, or in the page of a notebook.

    ``show`` None shows it where somebody looks: in terminals and notebooks. A stream that cannot
    be written to ends the bar, not the run.
    """

    def __init__(self, name: str, unit: str, total: int | None, show: bool | None) -> None:
        self._figures = Figures(name, unit, total)
        self._drawn = time.perf_counter()
        self._bar: tqdm[Any] | None = None
        if show is None:
            show = is_notebook() or _is_terminal(sys.stderr)
        if show and sys.stderr is not None:  # None in services, and under pythonw on Windows
            self._try(self._open)

    def update(self, evaluations: int, cost: float, gradient_norm: float, note: str = "") -> None:
        """Show an evaluation. Drawing takes longer and is done a few times a second."""
        if self._bar is not None:
            self._figures.note = note
            self._figures.evaluations = evaluations
            self._figures.cost = cost
            self._figures.gradient_norm = gradient_norm
            self.refresh()

    def refresh(self) -> None:
        """Draw again, unless that was done a moment ago."""
        if self._bar is not None and time.perf_counter() - self._drawn > REFRESH_SECONDS:
            self._try(self._draw)
            self._drawn = time.perf_counter()

    def end_iteration(self, iteration: Iteration) -> None:
        """Show an iteration's count and validation with the next drawing."""
        self._figures.iterations = iteration.iteration
        self._figures.validation_cost = iteration.validation_cost
        self._figures.metric = iteration.metric

    def resume_from(self, evaluations: int, iterations: int) -> None:
        """Count those of an earlier part of the run, which took none of this part's time."""
        self._figures.evaluations = evaluations
        self._figures.iterations = iterations
        if self._bar is not None:
            self._bar.initial = self._figures.count

    def close(self, *, is_failure: bool = False) -> None:
        """Draw it a last time and release the line. A failure turns the bar of a page red."""
        if self._bar is not None:
            self._try(partial(self._finish, is_failure))

    def _open(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets, notebooks get a line of text
            from tqdm.auto import tqdm  # it takes a moment, and most runs show no bar
        bar = tqdm(
            total=self._figures.total,
            bar_format=self._figures.line(DEFAULT_COLUMNS),
            dynamic_ncols=True,
            mininterval=0,
            miniters=1,
        )
        self._bar = None if bar.disable else bar  # the variable TQDM_DISABLE turns all bars off

    def _draw(self) -> None:
        assert self._bar is not None
        self._set_line(self._bar)
        self._bar.refresh()

    def _finish(self, is_failure: bool) -> None:
        bar: Any = self._bar
        self._set_line(bar, is_finished=True)
        if _is_widget(bar) and is_failure:
            bar.disp(bar_style="danger")  # else tqdm paints it green, if it knows no total
        elif _is_widget(bar):
            bar.total = bar.n  # else tqdm paints a run that needed less red
        bar.close()

    def _set_line(self, bar: tqdm[Any], is_finished: bool = False) -> None:
        bar.n = self._figures.count
        if _is_widget(bar):
            bar.bar_format = self._figures.widget_line()
        else:
            columns = bar.format_dict["ncols"] or DEFAULT_COLUMNS
            bar.bar_format = self._figures.line(columns, is_finished)

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, ValueError):  # a pipe that nobody reads, a closed file
            if self._bar is not None:
                self._bar.disable = True
            self._bar = None


def is_notebook() -> bool:
    """Return whether this is the kernel of a notebook. IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return "IPKernelApp" in getattr(shell, "config", ())


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # None or a stream of one's own; a closed one
        return False


def _is_widget(bar: object) -> bool:
    """Return whether a bar is one of ipywidgets, in the page of a notebook."""
    return hasattr(bar, "container")


def _literal(text: str) -> str:
    """Return a text that ``str.format`` leaves as it is."""
    return text.replace("{", "{{").replace("}", "}}")
