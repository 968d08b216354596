"""CostReport: what ``check_cost`` found, part by part."""

from __future__ import annotations

from dataclasses import dataclass

from ..utils.html.elements import frame, paragraph, table

REASON_CHARACTERS = 300
"""Of a reason on a page: it may hold the message of an exception."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One part of a cost function.

    Attributes
    ----------
    part : str
        Such as "cost", "penalty", "Theta1 gradient".
    reason : str
        What is off; empty if the part is right.
    error : float or None
        The largest relative error, None for what has none.
    """

    part: str
    reason: str = ""
    error: float | None = None

    @property
    def is_right(self) -> bool:
        """Whether the part is right."""
        return not self.reason


@dataclass(frozen=True, repr=False)
class CostReport:
    """What ``check_cost`` found.

    ``print(report)`` shows all parts. ``report.verdict`` is one sentence.

    Attributes
    ----------
    findings : tuple of Finding
        The parts in the order of the exercise.
    notes : tuple of str
        How the function was called, and what was not checked.
    """

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether all parts are right."""
        return all(finding.is_right for finding in self.findings)

    @property
    def verdict(self) -> str:
        """The first part that is off and why, or that all parts are right.

        Later parts build on earlier ones, so mend the first one first.
        """
        for finding in self.findings:
            if not finding.is_right:
                return f"{finding.part}: {finding.reason}"
        return f"all {len(self.findings)} parts are right"

    def __str__(self) -> str:
        width = max(len(finding.part) for finding in self.findings)
        lines = [
            f"{_mark(finding)}  {finding.part:<{width}}  {_error(finding):>7}  {finding.reason}"
            for finding in self.findings
        ]
        return "\n".join([self.verdict, "", *(line.rstrip() for line in lines), "", *self.notes])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows = [
            (_mark(finding), finding.part, _error(finding), finding.reason)
            for finding in self.findings
        ]
        heading = ("", "part", "relative error", "what is off")
        notes = [paragraph(note) for note in self.notes]
        return frame(
            paragraph(self.verdict),
            table(heading, rows, numeric=(2,), characters=REASON_CHARACTERS),
            *notes,
        )


def _mark(finding: Finding) -> str:
    return "right" if finding.is_right else "WRONG"


def _error(finding: Finding) -> str:
    return "" if finding.error is None else f"{finding.error:.1e}"
