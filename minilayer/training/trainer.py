"""Trainer: the one interface of all trainers."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from typing import ClassVar, Protocol, TypeGuard, final

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult

from ..utils.checks import (
    check_count,
    check_finite,
    check_flag,
    check_instance,
    check_number,
    check_numeric,
    check_path,
    shown,
)
from ..utils.cpus import single_threaded_blas
from ..utils.types import Array
from .progress import ProgressBar
from .resume.checkpointer import Recovery
from .run import Callback, CostAndGradient, Run
from .stopping import Budget, Status, Stop
from .validation import Validation, Watch


class Trainable(Protocol):
    """An objective that knows where to start and takes the result: minilayer's Objective, or one of your own."""

    x0: Array

    def update(self, x: Array, /) -> None:
        """Take x as the new parameters."""


def _is_trainable(objective: object) -> TypeGuard[Trainable]:
    """Whether it has what Trainable has, be it by delegation (which isinstance does not see since Python 3.12)."""
    return hasattr(objective, "x0") and hasattr(objective, "update")


class Trainer(ABC):
    """Minimizes an objective under budgets, with one contract whatever the method.

    ``max_evaluations``, ``max_iterations`` and ``max_seconds`` end the run when they are used up; the number of
    evaluations (products with the Hessian count too) is never exceeded, the seconds by at most one evaluation, and one
    look at the rows of a validation. With ``target_cost`` it ends at the first evaluation with a cost as low. None: no
    limit but the method's own.
    """

    def __init__(
        self,
        *,
        max_evaluations: int | None = None,
        max_iterations: int | None = None,
        max_seconds: float | None = None,
        target_cost: float | None = None,
    ) -> None:
        self.budget = Budget(
            None if max_evaluations is None else check_count("max_evaluations", max_evaluations),
            None if max_iterations is None else check_count("max_iterations", max_iterations),
            None if max_seconds is None else check_number("max_seconds", max_seconds, above=True),
            None if target_cost is None else check_number("target_cost", target_cost, -math.inf),
        )

    @final
    def minimize(
        self,
        objective: CostAndGradient,
        x0: npt.ArrayLike | None = None,
        *,
        validation: Validation | None = None,
        callback: Callback | None = None,
        progress: bool | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        every: int = 10,
    ) -> OptimizeResult:
        """Minimize ``objective(x) -> (cost, gradient)`` from ``x0`` (default: ``objective.x0``).

        ``validation`` names rows to look at after each iteration, which may end the run and choose its result.
        ``callback`` is given an Iteration after each iteration and may raise StopIteration to end the run. ``progress``
        shows a bar (None: where standard error is a terminal).

        ``checkpoint`` is a file for the model at the best point so far, written ``every`` so many iterations and, where
        there was one at all, at the end. Where it is there already, and of this run (the same data, model, loss,
        sharding, method and options; budgets may differ), the run goes on where it was cut off, also after a kill, and
        ends with exactly the parameters and history of a run that was not: GradientDescent's state is in the file; for
        the others, of which SciPy's hide theirs, a journal ``<checkpoint>.journal`` of all evaluations is kept beside
        it, 8 n bytes each for n parameters, and the run is answered from there, the callback called anew, until it is
        where it was. A resumed run starts where it started, whatever the model holds now; delete the files to begin
        afresh.

        Returns SciPy's OptimizeResult with ``x``, ``fun`` and ``jac``, the best point that was evaluated, never a
        later but worse one (with a validation: the iteration that was best for it, ``best_iteration``), ``nfev``
        evaluations, ``nhev`` products with the Hessian, ``nit`` iterations, ``seconds``, the ``history``, and how the
        run ended: ``status`` (a Status), ``success`` and ``message``. Running out of budget, a cost that is not finite
        and Ctrl-C end the run and are told there. An objective with an ``update`` method is given the best point, also
        when the callback or the objective raises another exception, which then goes on to the caller.

        Raises TypeError or ValueError for an x0 that is not a finite vector of the right size, ResumeError for a
        checkpoint or journal of another run.
        """
        start = self._start(objective, x0)
        if callback is not None and not callable(callback):
            raise TypeError(f"callback: expected a function of an Iteration, found {shown(callback)}")
        if validation is not None:
            check_instance("validation", validation, Validation, "Validation(X, Y)")
        if progress is not None:
            check_flag("progress", progress)
        self._check(objective)
        watch = None if validation is None else Watch(validation, objective)
        recovery = None
        if checkpoint is not None:
            about = f"{self.name} {sorted(self.settings().items())!r}" + (watch.fingerprint() if watch else "")
            explicit, journal = x0 is not None, not self.shows_state
            path, often = check_path("checkpoint", checkpoint), check_count("every", every)
            recovery = Recovery(objective, path, often, about, start, explicit, journal)
            start = recovery.start
        bar = ProgressBar(self.name, self._evaluation_limit(), progress)
        run = Run(objective, self.budget, callback, bar, recovery, watch)
        try:
            with single_threaded_blas():  # SciPy's BLAS and NumPy's would fight for the cores with the shards' threads
                status, reason = self._search(run, start)
        except Stop as stop:
            status, reason = stop.status, stop.reason
        except KeyboardInterrupt:
            status, reason = Status.INTERRUPTED, f"interrupted after {run.evaluations} evaluations"
        finally:
            bar.close()
            if run.chosen is not None and _is_trainable(objective):
                objective.update(run.chosen.x)
            try:
                run.save()
            finally:
                if recovery is not None:
                    recovery.close()
        result = self._result(run, start, status, reason)
        if watch is not None:
            result.best_iteration = watch.best_iteration
        return result

    @property
    @abstractmethod
    def name(self) -> str:
        """What the progress bar and the messages call the method."""

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """What the method was told, budgets apart: a resumed run must have been told the same."""

    shows_state: ClassVar[bool] = False
    """Whether the method gives its state to ``run.iterated``; else its runs are resumed from a journal."""

    @abstractmethod
    def _search(self, run: Run, x0: Array) -> tuple[Status, str]:
        """Look for the minimum with ``run.evaluate`` and ``run.iterated``; return how and why the method ended."""

    def _check(self, objective: CostAndGradient) -> None:
        """Raise TypeError or ValueError for an objective that lacks what the method asks of it."""

    def _evaluation_limit(self) -> int | None:
        """The bar's full length, where it is known."""
        return self.budget.evaluations

    @staticmethod
    def _start(objective: CostAndGradient, x0: npt.ArrayLike | None) -> Array:
        if not callable(objective):
            raise TypeError(
                "objective: expected a function x -> (cost, gradient), such as Objective(model, X, Y, loss), "
                f"found {shown(objective)}"
            )
        own = objective.x0 if _is_trainable(objective) else None
        if x0 is None and own is None:
            raise TypeError("x0: expected a starting point, as the objective has no x0 of its own")
        start = check_numeric("x0", own if x0 is None else x0)
        if start.ndim != 1 or start.size == 0 or (own is not None and start.shape != own.shape):
            raise ValueError(f"x0: expected shape {'(n,)' if own is None else own.shape}, found {start.shape}")
        check_finite("x0", start[:, None])
        return start.astype(np.float64)

    def _result(self, run: Run, start: Array, status: Status, reason: str) -> OptimizeResult:
        best = run.chosen
        return OptimizeResult(
            x=start if best is None else best.x,
            fun=float("nan") if best is None else best.cost,
            jac=np.full_like(start, np.nan) if best is None else best.gradient,
            nfev=run.evaluations - run.products,
            njev=run.evaluations - run.products,
            nhev=run.products,
            nit=run.iterations,
            status=status,
            success=status.is_success,
            message=f"{self.name}: {reason}",
            seconds=run.seconds,
            history=run.history,
        )
