"""ScipyTrainer: the gradient-based methods of scipy.optimize.minimize as a trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from ...utils.checks import check_count, check_flag
from ...utils.foreign_names import unknown_argument
from ...utils.types import Array
from ..problem import Problem
from ..run import Run
from ..stopping import Budget, BudgetOptions, Status, split_budget
from ..trainer import Trainer
from .scipy_methods import METHODS, Method
from .trial_points import TrialPoints

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

COUNTS = {"maxfun", "maxiter", "maxcor", "maxls"}
MAX_BYTES = 1 << 30
"""Of the n x n matrices of a method, unless the caller allows more: one gibibyte."""
BYTES_PER_NUMBER = 8
DEFAULT_METHOD = "L-BFGS-B"
DEFAULT_OPTIONS = {"maxcor": 50}


@final
class ScipyTrainer(Trainer):
    """``scipy.optimize.minimize(method=method, options=options)`` with exact gradients.

    For n parameters BFGS holds 7 matrices of n x n numbers at its peak, SLSQP 11, and trust-constr
    without Hessian products 3. ``bytes_needed`` gives their size, and a run that needs more than
    ``max_bytes`` is refused. CG, TNC and L-BFGS-B suit large networks. Newton-CG, trust-ncg,
    trust-krylov and, if the objective has them, trust-constr use exact Hessian products,
    ``objective.hessp(x, v)``.

    Parameters
    ----------
    method : str, optional
        TNC, L-BFGS-B, CG, BFGS, SLSQP, trust-constr, Newton-CG, trust-ncg or trust-krylov. Default:
        L-BFGS-B with a memory of 50 steps (``maxcor``; SciPy's own default is 10), the fastest of
        them on the exercise's network. minilayer's own LBFGS is faster.
    gauss_newton : bool, default False
        Whether Hessian products are those of the Gauss-Newton matrix.
    max_bytes : int, default 2**30
        The memory that the method's n x n matrices may take together.
    **options
        The budget (see Trainer), and the method's own options, passed on as they are: ``maxfun``
        for TNC and L-BFGS-B, ``maxiter`` for all but TNC, ``gtol``, ... See
        ``scipy.optimize.show_options("minimize", method)``. Default: 15,000 evaluations, unless
        ``maxfun`` or ``maxiter`` is given; SciPy's own limits hold too.

    Raises
    ------
    ValueError
        For a method that is not one of these; when training begins, for one that needs more than
        ``max_bytes``.
    TypeError
        For an option that the method does not have, which SciPy would only warn of; when training
        begins, for an objective without ``hessp`` if the method needs it.

    Examples
    --------
    >>> bowl = lambda x: (x @ x / 2, x)
    >>> result = ScipyTrainer("L-BFGS-B").minimize(bowl, [4.0, -2.0])
    >>> result.success, result.nfev <= 4, bool(abs(result.x).max() < 1e-5)
    (True, True, True)
    >>> ScipyTrainer("BFGS").bytes_needed(10_285)  # the exercise's network: 5.9 GB
    5923748600
    """

    def __init__(
        self,
        method: str | None = None,
        *,
        gauss_newton: bool = False,
        max_bytes: int = MAX_BYTES,
        **options: Any,
    ) -> None:
        budget, options = split_budget(options)
        super().__init__(**budget)
        if "maxfun" in options or "maxiter" in options:  # limits of the method itself
            self.budget = Budget.checked(**budget)
        self.method = _find(DEFAULT_METHOD if method is None else method)
        self.options = {**DEFAULT_OPTIONS, **options} if method is None else options
        for option, value in options.items():
            if option not in self.method.options:
                raise TypeError(_unknown_option(self.method, option))
            if option in COUNTS:
                check_count(option, value)
        self.max_bytes = check_count("max_bytes", max_bytes)
        self.gauss_newton = check_flag("gauss_newton", gauss_newton)
        if gauss_newton and self.method.hessian == "none":
            raise TypeError(
                "gauss_newton: expected a method that uses Hessian products, "
                f"found {self.method.name}"
            )

    @property
    def name(self) -> str:
        return self.method.name

    def bytes_needed(self, parameters: int, *, has_hessian: bool = False) -> int:
        """Return the memory that the method's n x n matrices take at its peak.

        Parameters
        ----------
        parameters : int
            n, the number of parameters.
        has_hessian : bool, default False
            Whether the objective has Hessian products, which trust-constr uses instead.

        Returns
        -------
        int
            Bytes; 0 for a method without such matrices.
        """
        is_replaced = has_hessian and self.method.hessian != "none"
        return 0 if is_replaced else self.method.matrices * BYTES_PER_NUMBER * parameters**2

    def settings(self) -> dict[str, object]:
        return {**self.options, **({"gauss_newton": True} if self.gauss_newton else {})}

    def _search(self, run: Run, x0: Array) -> tuple[Status, str]:
        from scipy.optimize import minimize  # at the first use, as importing it takes a while

        self._check_memory(run.problem, x0.size)
        points = TrialPoints(run, self.method.needs_finite_costs)

        def product(x: Array, v: Array) -> Array:
            return run.hessian_product(x, v, self.gauss_newton)

        hessian = {"hessp": product} if self._uses_hessian(run.problem) else {}
        result = minimize(
            points.evaluate,
            x0,
            jac=True,
            method=self.method.name,
            callback=lambda x, *_: points.end_iteration(x),
            options=self.options,
            **hessian,
        )
        status = self._status(result, run)
        reason = str(result.message)
        if points.in_a_row and status in (Status.CONVERGED, Status.FAILED):  # for want of room
            reason = f"{reason}, after {points.in_a_row} trial points without a finite cost"
            return Status.NON_FINITE, reason
        return status, reason

    def _uses_hessian(self, problem: Problem) -> bool:
        if self.method.hessian == "none":
            return False
        try:
            problem.require_hessian_support(self.gauss_newton)
        except TypeError:
            return False
        return True

    def _status(self, result: OptimizeResult, run: Run) -> Status:
        if result.success:
            return Status.CONVERGED
        if result.status != self.method.limit_status:
            return Status.FAILED
        maxfun = self.options.get("maxfun", self.method.default_maxfun)
        is_used_up = maxfun is not None and run.evaluations >= maxfun
        has_no_maxiter = "maxiter" not in self.method.options
        return Status.MAX_EVALUATIONS if has_no_maxiter or is_used_up else Status.MAX_ITERATIONS

    def _check(self, problem: Problem) -> None:
        if self.method.hessian == "needed" or self.gauss_newton:
            problem.require_hessian_support(self.gauss_newton)
        if problem.x0 is not None:  # before a checkpoint is opened
            self._check_memory(problem, problem.x0.size)

    def _check_memory(self, problem: Problem, parameters: int) -> None:
        needed = self.bytes_needed(parameters, has_hessian=self._uses_hessian(problem))
        if needed > self.max_bytes:
            raise ValueError(
                f"max_bytes: expected at least {needed:,} for {self.method.name}, which holds "
                f"{self.method.matrices} matrices of {parameters:,} x {parameters:,} numbers, "
                f"found {self.max_bytes:,}: use L-BFGS-B, CG or TNC, or give max_bytes={needed}"
            )

    def _progress_total(self) -> tuple[str, int | None]:
        limits = (self._given_budget.get("max_evaluations"), self.options.get("maxfun"))
        known = [limit for limit in limits if limit is not None]
        return ("evaluations", min(known)) if known else super()._progress_total()

    def __repr__(self) -> str:
        arguments = [repr(self.method.name), *(["gauss_newton=True"] * self.gauss_newton)]
        if self.max_bytes != MAX_BYTES:
            arguments.append(f"max_bytes={self.max_bytes}")
        arguments += [f"{name}={value!r}" for name, value in self.options.items()]
        return f"ScipyTrainer({', '.join([*arguments, *self._budget_arguments()])})"


def _find(name: str) -> Method:
    for method in METHODS:
        if isinstance(name, str) and name.lower() == method.name.lower():
            return method
    names = [method.name for method in METHODS]
    near: list[str] = []
    if isinstance(name, str):
        near = [known for known in names if _letters(known).startswith(_letters(name))]
    hint = f": did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"method: expected one of {', '.join(names)}, found {name!r}{hint}")


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalpha())


MINIMIZE_ARGUMENTS = (
    "x0",
    "callback",
    "progress",
    "validation",
    "checkpoint",
    "checkpoint_every",
)


def _unknown_option(method: Method, option: str) -> str:
    """Return the message for an option that the method does not have."""
    if option in MINIMIZE_ARGUMENTS:
        return f"options: {option} is an argument of minimize, not of ScipyTrainer"
    instead = {"maxiter": "maxfun", "maxfun": "maxiter"}.get(option)
    hint = ""
    if instead is not None:
        has_other = instead in method.options
        advice = (
            f"its budget is {instead!r}" if has_other else "use max_evaluations or max_iterations"
        )
        hint = f" ({advice})"
    if instead is None:
        names = [*method.options, *BudgetOptions.__annotations__]
        found = unknown_argument("", option, names).partition(": ")[2]
        hint = f" ({found})" if found else ""
    known = ", ".join(sorted(method.options))
    return f"options: {method.name} has no option {option!r}{hint}; it has {known}"
