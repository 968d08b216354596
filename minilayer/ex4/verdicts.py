"""The verdict on each part of a cost function: right, one of the usual mistakes, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..utils.types import Array
from .cost_report import Finding
from .mistakes import (
    Mistakes,
    cost_mistakes,
    gradient_penalty_mistakes,
    penalty_mistakes,
    theta1_mistakes,
    theta2_mistakes,
)
from .observation import Observed
from .small_problem import Order, SmallProblem

UNKNOWN = "it differs, and not by one of the usual mistakes"
LATER = "it differs too: mend the part above first"
"""Of a part that may be off only because it builds on another."""
SMALLEST_SCALE = 1e-12


def all_findings(
    problems: Sequence[SmallProblem],
    observed: Sequence[Observed],
    order: Order,
    tolerance: float,
) -> list[Finding]:
    """Return a verdict on each part, in the order of the exercise."""
    plain = [problem.right(0.0) for problem in problems]
    penalized = [problem.right(problem.penalty) for problem in problems]
    pairs = list(zip(penalized, plain, strict=True))
    judge = _Judge(problems, tolerance)
    findings = [
        judge.finding(
            "cost",
            [np.asarray(one.cost) for one in observed],
            [np.asarray(cost) for cost, _ in plain],
            cost_mistakes,
        ),
        judge.finding(
            "penalty",
            [np.asarray(one.penalty) for one in observed],
            [np.asarray(more[0] - less[0]) for more, less in pairs],
            penalty_mistakes,
        ),
    ]
    gradients = [one.gradient for one in observed if one.gradient is not None]
    added = [one.gradient_penalty for one in observed if one.gradient_penalty is not None]
    if len(gradients) < len(problems):
        return findings

    def parts(vectors: Sequence[Array], index: int) -> list[Array]:
        pairs = zip(problems, vectors, strict=True)
        return [problem.split(vector, order)[index] for problem, vector in pairs]

    for index in (1, 0):  # backwards, as backpropagation goes
        right = [gradient[index] for _, gradient in plain]
        mistakes = (theta1_mistakes, theta2_mistakes)[index]
        part = f"Theta{index + 1} gradient"
        findings.append(judge.finding(part, parts(gradients, index), right, mistakes))
    for index in (1, 0):
        right = [more[1][index] - less[1][index] for more, less in pairs]
        mistakes = (_theta1_penalty_mistakes, _theta2_penalty_mistakes)[index]
        part = f"Theta{index + 1} gradient, penalty"
        findings.append(judge.finding(part, parts(added, index), right, mistakes))
    return findings


def _theta1_penalty_mistakes(problem: SmallProblem) -> Mistakes:
    return gradient_penalty_mistakes(problem, problem.theta1)


def _theta2_penalty_mistakes(problem: SmallProblem) -> Mistakes:
    return gradient_penalty_mistakes(problem, problem.theta2)


def with_first_cause(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield the findings; unexplained ones below one that is off point to it."""
    is_first = True
    for finding in findings:
        if finding.reason == UNKNOWN and not is_first:
            yield replace(finding, reason=LATER)
        else:
            yield finding
        is_first = is_first and finding.is_right


@dataclass(frozen=True)
class _Judge:
    """Compares one part on all problems."""

    problems: Sequence[SmallProblem]
    tolerance: float

    def finding(
        self,
        part: str,
        found: Sequence[Array],
        right: Sequence[Array],
        mistakes: Callable[[SmallProblem], Mistakes],
    ) -> Finding:
        """Return the verdict: right, a mistake that explains all problems, or unknown."""
        error = max(map(_relative_error, found, right))
        if error <= self.tolerance:
            return Finding(part=part, error=error)
        candidates = [mistakes(problem) for problem in self.problems]
        for reason in candidates[0]:
            values = [candidate[reason] for candidate in candidates]
            if max(map(_relative_error, found, values)) <= self.tolerance:
                return Finding(part=part, error=error, reason=reason)
        return Finding(part=part, error=error, reason=UNKNOWN)


def _relative_error(found: Array, expected: Array) -> float:
    """Return the largest difference, relative to the largest number."""
    scale = max(float(np.abs(found).max()), float(np.abs(expected).max()), SMALLEST_SCALE)
    return float(np.abs(found - expected).max()) / scale
