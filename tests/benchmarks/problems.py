"""LBFGS and SciPy's L-BFGS-B on the unconstrained problems of CUTEst in the package sif2jax.

    pip install sif2jax
    python -m tests.benchmarks.problems

Both methods run with their default options. A run ends after 15,000 evaluations, which is SciPy's
own limit, or after ``--seconds``. The gradients are JAX's, in double precision.

Solved
    The run ended before its limits and makes no false claim. Either its cost passes the test of
    More and Wild (2009), cost <= low + 1e-5 (start - low), with the lowest cost of all runs on the
    problem or, for another local minimum, of those that began at its result; or the largest entry
    of its gradient is at most 1e-5.
Evaluations
    To the first cost that passes that test, on the problems where both methods' costs do; and of
    whole runs, on the problems that both solve. The ratio is the geometric mean over the problems.
False claim
    The run says that it succeeded, its gradient is above the tolerance of 1e-5, and another run of
    either method from its result lowers the cost by more than a thousandth and more than 1e-7 of
    (start - cost). Or it says that the objective is unbounded, and its cost is not below -1e20.

The minima that sif2jax gives are not used: some belong to other problems.

References
----------
More and Wild, Benchmarking derivative-free optimization algorithms, 2009. Gould, Orban and Toint,
CUTEst: a constrained and unconstrained testing environment with safe threads, 2015.
"""

from __future__ import annotations

import argparse
import importlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

import minilayer as ml
from minilayer.utils.types import Array

MAX_EVALUATIONS = 15_000
MAX_EVALUATIONS_OF_CHECK = 3_000
LARGEST = 2_000
SECONDS = 10.0
COST_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-5
CLAIM_TOLERANCE = 1e-3
CLAIM_FLOOR = 1e-7
UNBOUNDED_COST = -1e20
LEFT_OUT = {"10FOLDTRLS": "its squares are 1e40, and rounding makes their sum -1e21"}
CUT_OFF = ("MAX_EVALUATIONS", "MAX_SECONDS", "limit", "time is up")
HEADING = (
    f"{'problem':12} {'n':>5}  {'method':8} {'status':15} {'evaluations':>11} {'to low':>6} "
    f"{'cost':>14} {'|gradient|':>10} {'seconds':>7}"
)


class TimeUp(Exception):
    """The time of a run is used up."""


@dataclass(frozen=True)
class Problem:
    """A problem: its cost and gradient, and its start."""

    name: str
    function: Callable[[Array], tuple[float, Array]]
    start: Array


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended. ``lowest`` has the number and the cost of each evaluation that was lower."""

    method: str
    status: str
    is_success: bool
    is_cut_off: bool
    x: Array
    cost: float
    gradient: Array
    evaluations: int
    seconds: float
    lowest: list[tuple[int, float]]

    @property
    def gradient_norm(self) -> float:
        """The largest entry of the gradient."""
        return float(np.abs(self.gradient).max())

    def evaluations_to(self, cost: float) -> int | None:
        """The evaluations to the first cost as low as that; None if there is none."""
        return next((number for number, lower in self.lowest if lower <= cost), None)


class Recorder:
    """A problem's function that counts, keeps what is lowest, and ends a run in time."""

    def __init__(self, problem: Problem, seconds: float) -> None:
        self.evaluations = 0
        self.lowest: list[tuple[int, float]] = []
        self.best = problem.start
        self._function = problem.function
        self._began = time.perf_counter()
        self._seconds = seconds

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._began

    def __call__(self, x: Array) -> tuple[float, Array]:
        if self.evaluations and self.seconds > self._seconds:
            raise TimeUp
        cost, gradient = self._function(x)
        self.evaluations += 1
        if math.isfinite(cost) and (not self.lowest or cost < self.lowest[-1][1]):
            self.lowest.append((self.evaluations, cost))
            self.best = x.copy()
        return cost, gradient


def run_minilayer(problem: Problem, seconds: float, limit: int = MAX_EVALUATIONS) -> Outcome:
    """Run LBFGS."""
    recorder = Recorder(problem, math.inf)
    trainer = ml.LBFGS(max_evaluations=limit, max_seconds=seconds)
    result = trainer.minimize(recorder, problem.start)
    return _outcome("LBFGS", problem, recorder, result.status.name, result.success, result.x)


def run_scipy(problem: Problem, seconds: float, limit: int = MAX_EVALUATIONS) -> Outcome:
    """Run SciPy's L-BFGS-B, without minilayer."""
    recorder = Recorder(problem, seconds)
    options = {"maxfun": limit, "maxiter": limit}
    try:
        result = minimize(recorder, problem.start, jac=True, method="L-BFGS-B", options=options)
    except TimeUp:
        return _outcome("L-BFGS-B", problem, recorder, "time is up", False, recorder.best)
    status = {0: "success", 1: "limit"}.get(result.status, "abnormal")
    return _outcome("L-BFGS-B", problem, recorder, status, bool(result.success), result.x)


def _outcome(
    method: str, problem: Problem, recorder: Recorder, status: str, is_success: bool, x: Array
) -> Outcome:
    seconds = recorder.seconds
    cost, gradient = problem.function(x)  # by itself, not as the method says
    return Outcome(
        method=method,
        status=status,
        is_success=is_success,
        is_cut_off=status in CUT_OFF,
        x=x,
        cost=cost,
        gradient=gradient,
        evaluations=recorder.evaluations,
        seconds=seconds,
        lowest=recorder.lowest,
    )


@dataclass(frozen=True)
class Comparison:
    """Both methods on a problem, and the lowest costs that runs from their results found."""

    problem: Problem
    outcomes: tuple[Outcome, Outcome]
    checks: tuple[float, float]

    @property
    def threshold(self) -> float:
        """The cost that is near enough to the lowest."""
        costs = [outcome.lowest[-1][1] for outcome in self.outcomes]
        return self._near(min(*costs, *self.checks))

    @property
    def _start(self) -> float:
        return self.outcomes[0].lowest[0][1]

    def _near(self, low: float) -> float:
        return low + COST_TOLERANCE * (self._start - low)

    def is_solved(self, place: int) -> bool:
        """Whether the run of that place solved the problem, by the definition above."""
        outcome = self.outcomes[place]
        if outcome.is_cut_off or self.is_false_claim(place):
            return False
        is_low = outcome.cost <= max(self.threshold, self._near(self.checks[place]))
        return is_low or outcome.gradient_norm <= GRADIENT_TOLERANCE

    def is_false_claim(self, place: int) -> bool:
        """Whether the run of that place claims what is not so."""
        outcome = self.outcomes[place]
        if outcome.status == "UNBOUNDED":
            return outcome.cost > UNBOUNDED_COST
        floor = CLAIM_FLOOR * (self._start - outcome.cost)
        fall = outcome.cost - self.checks[place]
        is_lower = not fall <= max(CLAIM_TOLERANCE * abs(outcome.cost), floor)
        return outcome.is_success and outcome.gradient_norm > GRADIENT_TOLERANCE and is_lower

    def lines(self) -> Iterator[str]:
        """A line for each method."""
        for place, outcome in enumerate(self.outcomes):
            to_low = outcome.evaluations_to(self.threshold)
            notes = ["" if self.is_solved(place) else "not solved"]
            notes += ["FALSE CLAIM"] if self.is_false_claim(place) else []
            yield (
                f"{self.problem.name:12} {self.problem.start.size:5}  {outcome.method:8} "
                f"{outcome.status:15} {outcome.evaluations:11} {to_low or '-':>6} "
                f"{outcome.cost:14.7g} {outcome.gradient_norm:10.1e} {outcome.seconds:7.1f} "
                f"{' '.join(notes)}".rstrip()
            )


def compare(problem: Problem, seconds: float) -> Comparison:
    """Run both methods on a problem, and both again from each result."""
    outcomes = (run_minilayer(problem, seconds), run_scipy(problem, seconds))
    return Comparison(
        problem,
        outcomes,
        (_check(problem, outcomes[0], seconds), _check(problem, outcomes[1], seconds)),
    )


def _check(problem: Problem, outcome: Outcome, seconds: float) -> float:
    """Return the lowest cost that either method finds from the result of a run."""
    if not math.isfinite(outcome.cost):
        return math.inf
    again = Problem(problem.name, problem.function, outcome.x)
    runs = (run_minilayer, run_scipy)
    return min(run(again, seconds, MAX_EVALUATIONS_OF_CHECK).lowest[-1][1] for run in runs)


def problems(largest: int, only: list[str]) -> Iterator[Problem]:
    """The problems of sif2jax of at most that many variables, each once."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    sif2jax = importlib.import_module("sif2jax")
    known = {problem.name: problem for problem in sif2jax.unconstrained_minimisation_problems}
    for name, problem in known.items():
        is_wanted = name in only if only else name not in LEFT_OUT
        if is_wanted and problem.num_variables() <= largest:
            yield _problem(jax, name, problem)


def _problem(jax: Any, name: str, problem: Any) -> Problem:
    compiled = jax.jit(jax.value_and_grad(lambda y: problem.objective(y, problem.args)))

    def function(x: Array) -> tuple[float, Array]:
        cost, gradient = compiled(x)
        return float(cost), np.array(gradient)

    start = np.array(problem.y0, dtype=np.float64)
    function(start)  # compiles it
    return Problem(name, function, start)


def summary(comparisons: list[Comparison]) -> Iterator[str]:
    """Both methods over all problems."""
    for place, method in enumerate(("LBFGS", "SciPy's L-BFGS-B")):
        solved = sum(one.is_solved(place) for one in comparisons)
        false = [one.problem.name for one in comparisons if one.is_false_claim(place)]
        names = f" ({', '.join(false)})" if false else ""
        yield (
            f"{method}: {solved} of {len(comparisons)} problems solved, "
            f"{len(false)} false claims{names}"
        )
    to_low = []
    whole = []
    for one in comparisons:
        counts = [outcome.evaluations_to(one.threshold) for outcome in one.outcomes]
        if counts[0] and counts[1]:
            to_low.append(counts[0] / counts[1])
        if one.is_solved(0) and one.is_solved(1):
            whole.append(one.outcomes[0].evaluations / one.outcomes[1].evaluations)
    for ratios, what in ((to_low, "to the solution"), (whole, "of whole runs")):
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            yield f"evaluations {what}: {mean:.2f} of L-BFGS-B's, over {len(ratios)} problems"


def main(arguments: list[str] | None = None) -> None:
    """Print both methods' runs on each problem, and a summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.problems")
    parser.add_argument("--largest", type=int, default=LARGEST, help="most variables (2000)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each run (10)")
    parser.add_argument("--only", help="these problems, names separated by commas")
    options = parser.parse_args(arguments)
    only = options.only.split(",") if options.only else []
    print(HEADING, flush=True)
    comparisons = []
    for problem in problems(options.largest, only):
        comparisons.append(compare(problem, options.seconds))
        print("\n".join(comparisons[-1].lines()), flush=True)
    print("\n".join(summary(comparisons)))


if __name__ == "__main__":
    main()
