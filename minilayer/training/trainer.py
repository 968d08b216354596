"""Trainer: the one interface of all trainers."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from inspect import signature
from typing import TYPE_CHECKING, ClassVar, Unpack, final

import numpy as np
import numpy.typing as npt

from ..utils.checks import (
    check_count,
    check_finite,
    check_flag,
    check_function,
    check_instance,
    check_numeric,
    check_path,
    short_repr,
)
from ..utils.cpus import single_threaded_blas
from ..utils.foreign_names import explains_unknown_arguments, unknown_argument
from ..utils.interrupts import raise_interrupt
from ..utils.reprs import constructor_repr
from ..utils.row_source import RowsLike
from ..utils.types import Array
from .problem import CostAndGradient, Problem, ProblemWrapper, as_problem
from .progress import ProgressBar
from .resume.checkpointer import Checkpointer
from .resume.run_state import ExpectedRun
from .resume.state_check import Anything, Entries, Expected
from .run import Callback, Run
from .stopping import (
    DEFAULT_MAX_EVALUATIONS,
    ENDED_BY_THE_USER,
    LIMITS,
    Budget,
    BudgetOptions,
    Status,
    Stop,
)
from .user_code import UserCode, UserProblem
from .validation import Validation, ValidationMonitor

if TYPE_CHECKING:
    from .result import TrainingResult


class Trainer(ABC):
    """Minimises an objective within a budget; the same contract for every method.

    Every trainer takes these keyword arguments. Hessian products count as evaluations. If none of
    the first three is given, ``max_evaluations`` is 15,000; ``max_evaluations=None`` is no limit.

    Parameters
    ----------
    max_evaluations : int, optional
        Never exceeded.
    max_iterations : int, optional
        Never exceeded.
    max_seconds : float, optional
        Tested before each evaluation and each minibatch.
    target_cost : float, optional
        The run ends at the first evaluation of a cost this low.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range.
    """

    def __init__(self, **budget: Unpack[BudgetOptions]) -> None:
        for name in budget:
            if name not in BudgetOptions.__annotations__:
                known = [*signature(type(self)).parameters, *BudgetOptions.__annotations__]
                raise TypeError(unknown_argument(type(self).__name__, name, known))
        self._given_budget = budget
        has_limit = any(name in budget for name in LIMITS)
        self.budget = Budget.checked(**budget if has_limit else {**self._default_budget, **budget})

    @final
    @explains_unknown_arguments
    def minimize(
        self,
        objective: CostAndGradient,
        x0: npt.ArrayLike | None = None,
        *,
        validation: Validation | tuple[RowsLike, RowsLike] | None = None,
        callback: Callback | None = None,
        progress: bool | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 10,
    ) -> TrainingResult:
        """Minimise ``objective(x) -> (cost, gradient)``.

        A run that does not converge raises no exception: running out of budget, a cost that is not
        finite and Ctrl-C end the run, and the result says so. An objective with
        ``set_parameters`` is given the best point, also if the callback or the objective raises
        another exception, which is then raised.

        Parameters
        ----------
        objective : callable
            An Objective, or any function that returns cost and gradient.
        x0 : array_like, shape (n,), optional
            Where to start; default ``objective.x0``.
        validation : Validation or (X, Y), optional
            Rows to evaluate after each iteration. They may end the run and choose its result.
            ``(X, Y)`` is short for ``Validation(X, Y)``: the best iteration is kept.
        callback : callable, optional
            Called with an Iteration after each iteration. StopIteration ends the run.
        progress : bool, optional
            Whether to show a bar; default: in a notebook, and if standard error is a terminal.
        checkpoint : path, optional
            A file for the model at the best point so far. If it exists and the same run wrote it
            (the same data, model, loss, sharding, method and options; budgets may differ), the run
            goes on from there and ends with exactly the parameters and history of an uninterrupted
            one.
            LBFGS and GradientDescent store their state in it. For SciPy's methods, which hide
            theirs, a journal is kept in ``<checkpoint>.journal``, 8 bytes for each parameter and
            evaluation, and the callback is called again. Start with the same seed, or with the
            model that the run left. The message says at which evaluation the run was resumed. An
            empty ``<checkpoint>.lock`` may stay after a kill. Delete the files to begin again.
        checkpoint_every : int, default 10
            Iterations between two writes. At the end there is one more. The first file is written
            once an iteration has ended.

        Returns
        -------
        TrainingResult
            The best point that was evaluated, never a later but worse one; with a validation, the
            iteration that was best for it.

        Raises
        ------
        TypeError, ValueError
            For arguments of another kind, and an x0 that is not a finite vector of the right size.
        ResumeError
            For a checkpoint or journal of another run or start, one that a run is writing, and a
            state that the run cannot go on from. Model and files stay as they were.
        CheckpointError
            For a model that a checkpoint cannot store, before the run begins.
        """
        from . import result  # noqa: F401  # now, as Ctrl-C could strike while it is imported

        user_code = UserCode()
        problem = UserProblem(as_problem(objective), user_code)
        start = self._start(problem, x0)
        if callback is not None:
            check_function("callback", callback, "a function of an Iteration", "iteration")
        if isinstance(validation, tuple) and len(validation) == 2:
            validation = Validation(*validation)
        if validation is not None:
            check_instance("validation", validation, Validation, "Validation(X, Y)")
        if progress is not None:
            check_flag("progress", progress)
        self._check(problem)
        # One BLAS thread, as two pools of them would compete with the shards' threads.
        with single_threaded_blas(), np.errstate(all="ignore"):
            return self._minimize(
                problem,
                start,
                is_explicit_start=x0 is not None,
                validation=validation,
                callback=None if callback is None else user_code.wrap(callback),
                progress=progress,
                checkpoint=checkpoint,
                checkpoint_every=checkpoint_every,
            )

    def _minimize(
        self,
        problem: ProblemWrapper,
        start: Array,
        *,
        is_explicit_start: bool,
        validation: Validation | None,
        callback: Callback | None,
        progress: bool | None,
        checkpoint: str | os.PathLike[str] | None,
        checkpoint_every: int,
    ) -> TrainingResult:
        """Minimise within the surroundings of a run; Ctrl-C only reaches the user's code."""
        monitor = None if validation is None else ValidationMonitor(validation, problem)
        checkpointer = None
        if checkpoint is not None:
            checkpointer = Checkpointer(
                problem,
                check_path("checkpoint", checkpoint),
                every=check_count("checkpoint_every", checkpoint_every),
                description=self._description(monitor),
                expected_state=self._expected_run(monitor, start.size),
                identity=self._identity(problem, monitor),
                start=start,
                is_explicit_start=is_explicit_start,
                has_explicit_state=self.has_explicit_state,
            )
        try:
            run = Run(
                problem,
                self.budget,
                bar=ProgressBar(self.name, *self._progress_total(), progress),
                callback=callback,
                checkpointer=checkpointer,
                monitor=monitor,
            )
            if checkpointer is not None:
                start = checkpointer.start
            try:
                status, reason = self._run_to_its_end(run, start, checkpointer)
                raise_interrupt()  # one that came while the run ended
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
                reason = f"interrupted after {run.evaluations} evaluations"
        finally:
            if checkpointer is not None:
                checkpointer.close()
        if checkpointer is not None:
            reason += _resumption(checkpointer, run.evaluations)
        reason += _advice(problem, run, status)
        best_iteration = None if monitor is None else monitor.best_iteration
        return self._result(run, start, status, reason, best_iteration)

    def _run_to_its_end(
        self, run: Run, start: Array, checkpointer: Checkpointer | None
    ) -> tuple[Status, str]:
        """Run the method; whatever ends it, hand over the best point and write the checkpoint."""
        status = None
        try:
            if checkpointer is not None and checkpointer.state and self.has_explicit_state:
                run.resume(checkpointer.state)
            status, reason = self._checked_end(self._search(run, start))
        except Stop as stop:
            status = stop.status
            reason = stop.reason + stop.hint
        finally:
            run.finish(status)
        return status, reason

    def _checked_end(self, end: object) -> tuple[Status, str]:
        """Return what ``_search`` returned; TypeError for anything but (Status, reason)."""
        if isinstance(end, tuple) and len(end) == 2 and isinstance(end[0], Status):
            return end[0], str(end[1])
        raise TypeError(
            f"trainer: expected {type(self).__name__}._search to return (Status, reason), "
            f"found {short_repr(end)}"
        )

    @property
    @abstractmethod
    def name(self) -> str:
        """What the progress bar and the messages call the method."""

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """Return the method's arguments, budgets apart: a resumed run must repeat them."""

    _default_budget: ClassVar[BudgetOptions] = {"max_evaluations": DEFAULT_MAX_EVALUATIONS}

    has_explicit_state: ClassVar[bool] = False
    """Whether the method gives its state to ``run.end_iteration``; else a journal is kept."""

    def _expected_state(self, size: int) -> Expected:
        """Return what ``run.resumed`` must hold, for so many parameters; here anything."""
        return Anything()

    @abstractmethod
    def _search(self, run: Run, x0: Array) -> tuple[Status, str]:
        """Minimise with ``run.evaluate`` and ``run.end_iteration``; return how and why it ended."""

    def _check(self, problem: Problem) -> None:
        """Raise TypeError or ValueError for a problem that lacks what the method needs."""

    def _method(self, run: Run) -> str:
        """Return the algorithm that ran, and what it chose by itself."""
        return self.name

    def _progress_total(self) -> tuple[str, int | None]:
        """Return what the bar counts, and how many there are if that is known."""
        evaluations = self._given_budget.get("max_evaluations")
        iterations = self._given_budget.get("max_iterations")
        if evaluations is None and iterations is not None:
            return "iterations", iterations
        return "evaluations", evaluations

    def _description(self, monitor: ValidationMonitor | None) -> str:
        """Return what identifies a run apart from its objective."""
        validation = "" if monitor is None else monitor.fingerprint()
        return f"{self.name} {sorted(self.settings().items())!r}{validation}"

    def _expected_run(self, monitor: ValidationMonitor | None, size: int) -> ExpectedRun:
        """Return what a checkpoint must hold of a run."""
        return ExpectedRun(
            size=size,
            validation=Entries({}) if monitor is None else monitor.expected_state(size),
            method=self._expected_state(size),
            validation_columns=() if monitor is None else monitor.history_columns,
        )

    def _identity(
        self, problem: ProblemWrapper, monitor: ValidationMonitor | None
    ) -> dict[str, str]:
        """Return in words what identifies a run, for the message that refuses another's."""
        settings = {name: repr(value) for name, value in self.settings().items()}
        validation = "none" if monitor is None else monitor.fingerprint()
        own = {"method": self.name, **settings, "validation": validation}
        return {**problem.identity(), **own}

    @staticmethod
    def _start(problem: ProblemWrapper, x0: npt.ArrayLike | None) -> Array:
        own = problem.x0
        if x0 is None and own is None:
            raise TypeError("x0: expected a starting point, as the objective has no x0 of its own")
        start = check_numeric("x0", own if x0 is None else x0)
        expected = "(n,)" if own is None else own.shape
        if start.ndim != 1 or start.size == 0 or (own is not None and start.shape != own.shape):
            raise ValueError(f"x0: expected shape {expected}, found {start.shape}")
        check_finite("x0", start[:, None])
        return start.astype(np.float64)

    def _result(
        self, run: Run, start: Array, status: Status, reason: str, best_iteration: int | None
    ) -> TrainingResult:
        from .result import TrainingResult  # not before a run, as it imports scipy.optimize

        best = run.returned_point
        return TrainingResult(
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
            method=self._method(run),
            seconds=run.seconds,
            history=run.history,
            best_iteration=best_iteration,
        )

    def __repr__(self) -> str:
        arguments = constructor_repr(self, defaults=False).removesuffix(")")
        budget = self._budget_arguments()
        first = "" if arguments.endswith("(") or not budget else ", "
        return f"{arguments}{first}{', '.join(budget)})"

    def _budget_arguments(self) -> list[str]:
        """Return the budget that was given, as it could be typed."""
        return [f"{name}={getattr(self.budget, name)}" for name in self._given_budget]


def _advice(problem: Problem, run: Run, status: Status) -> str:
    """Return what the message says of the problem."""
    best = run.returned_point
    if status in ENDED_BY_THE_USER or best is None:
        return ""
    advice = problem.advice(best.x, success=status.is_success)
    return f"; {advice}" if advice else ""


def _resumption(checkpointer: Checkpointer, evaluations: int) -> str:
    """Return what the message says of a resumed run."""
    resumed_at = checkpointer.resumed_at()
    if resumed_at is None:
        return ""
    damaged = checkpointer.damaged
    again = f"; damaged in the journal and computed again: {damaged}" if damaged else ""
    if evaluations > resumed_at:
        return f" (resumed at evaluation {resumed_at}{again})"
    if evaluations >= checkpointer.all_evaluations:
        return f" (already finished, at evaluation {evaluations}{again})"
    return f" (the checkpoint is already at evaluation {checkpointer.all_evaluations}{again})"
