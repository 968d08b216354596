"""ScipyTrainer: the gradient-based methods of scipy.optimize.minimize under the trainers' contract."""

from __future__ import annotations

from typing import Any, final

from scipy.optimize import OptimizeResult, minimize

from ...utils.checks import check_count, check_flag, shown
from ...utils.types import Array
from ..run import CostAndGradient, Run
from ..stopping import Status
from ..trainer import Trainer
from .scipy_methods import METHODS, Method

COUNTS = {"maxfun", "maxiter", "maxcor", "maxls"}
RECOMMENDED, RECOMMENDED_OPTIONS = "L-BFGS-B", {"maxcor": 50}


@final
class ScipyTrainer(Trainer):
    """``scipy.optimize.minimize(method=method, options=options)`` with exact gradients.

    Without a ``method`` it is the one of them that was fastest on the exercise's network (minilayer's own LBFGS is
    faster): L-BFGS-B with a memory of 50 steps (SciPy's own default is 10), with about 2.6 times fewer evaluations to
    the same cost than TNC, the article's. CG is
    the other one for large networks; BFGS and SLSQP hold a matrix of n x n numbers for n parameters, 846 MB for the
    exercise's network. Newton-CG, trust-ncg, trust-krylov and, where the objective has them, trust-constr work with
    exact products with the Hessian, ``objective.hessp(x, v)``, or with ``gauss_newton=True`` with those of its
    Gauss-Newton part; each counts as an evaluation. ``options`` are the method's own, passed through untouched:
    ``maxfun`` for TNC and L-BFGS-B, ``maxiter`` for all but TNC, ``gtol``, ... (see
    scipy.optimize.show_options("minimize", method)).

    Raises ValueError for a method that is not one of these, TypeError for an option that the method does not have
    (SciPy would only warn, and ignore it), and for an objective without ``hessp`` where the method needs it.

    >>> bowl = lambda x: (x @ x / 2, x)
    >>> result = ScipyTrainer("L-BFGS-B").minimize(bowl, [4.0, -2.0])
    >>> result.success, result.nfev <= 4, bool(abs(result.x).max() < 1e-5)
    (True, True, True)
    """

    def __init__(
        self,
        method: str | None = None,
        *,
        gauss_newton: bool = False,
        max_evaluations: int | None = None,
        max_iterations: int | None = None,
        max_seconds: float | None = None,
        target_cost: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            max_evaluations=max_evaluations,
            max_iterations=max_iterations,
            max_seconds=max_seconds,
            target_cost=target_cost,
        )
        self.method = _find(RECOMMENDED if method is None else method)
        self.options = {**RECOMMENDED_OPTIONS, **options} if method is None else options
        for option in options:
            if option not in self.method.options:
                raise TypeError(_unknown_option(self.method, option))
            if option in COUNTS:
                check_count(option, options[option])
        self.gauss_newton = check_flag("gauss_newton", gauss_newton)
        if gauss_newton and self.method.curvature == "none":
            raise TypeError(f"gauss_newton: expected a method that uses curvature, found {self.method.name}")

    @property
    def name(self) -> str:
        return self.method.name

    def settings(self) -> dict[str, object]:
        return {**self.options, **({"gauss_newton": True} if self.gauss_newton else {})}

    def _search(self, run: Run, x0: Array) -> tuple[Status, str]:
        curvature: dict[str, Any] = {}
        if self.method.curvature != "none" and run.has_curvature(self.gauss_newton):
            options = {"gauss_newton": True} if self.gauss_newton else {}
            curvature["hessp"] = lambda x, v: run.product(x, v, **options)
        result = minimize(
            run.evaluate,
            x0,
            jac=True,
            method=self.method.name,
            callback=lambda x, *_: run.iterated(x),
            options=self.options,
            **curvature,
        )
        return self._status(result, run), str(result.message)

    def _status(self, result: OptimizeResult, run: Run) -> Status:
        if result.success:
            return Status.CONVERGED
        if result.status != self.method.limit_status:
            return Status.FAILED
        maxfun = self.options.get("maxfun", self.method.default_maxfun)
        by_evaluations = "maxiter" not in self.method.options or (maxfun is not None and run.evaluations >= maxfun)
        return Status.MAX_EVALUATIONS if by_evaluations else Status.MAX_ITERATIONS

    def _check(self, objective: CostAndGradient) -> None:
        if self.method.curvature != "needed" and not self.gauss_newton:
            return
        if hasattr(objective, "check_curvature"):
            objective.check_curvature(self.gauss_newton)
        if not hasattr(objective, "hessp"):
            raise TypeError(
                f"objective: expected one with hessp(x, v), as {self.name} works with products with the Hessian, "
                f"found {shown(objective)}"
            )

    def _evaluation_limit(self) -> int | None:
        limits = (self.budget.evaluations, self.options.get("maxfun"))
        return min((limit for limit in limits if limit is not None), default=None)


def _find(name: str) -> Method:
    for method in METHODS:
        if isinstance(name, str) and name.lower() == method.name.lower():
            return method
    names = [method.name for method in METHODS]
    near = [method for method in names if isinstance(name, str) and _letters(method).startswith(_letters(name))]
    meant = f": did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"method: expected one of {', '.join(names)}, found {name!r}{meant}")


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalpha())


def _unknown_option(method: Method, option: str) -> str:
    if option in ("x0", "callback", "progress", "validation", "checkpoint", "every"):
        return f"options: {option} is an argument of minimize, not of ScipyTrainer"
    instead = {"maxiter": "maxfun", "maxfun": "maxiter"}.get(option)
    hint = f"its budget is {instead!r}" if instead in method.options else "use max_evaluations or max_iterations"
    known = ", ".join(sorted(method.options))
    return f"options: {method.name} has no option {option!r}" + (f" ({hint})" if instead else "") + f"; it has {known}"
