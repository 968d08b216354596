"""TrainingResult: what ``minimize`` returns."""

from __future__ import annotations

from scipy.optimize import OptimizeResult

from ..utils.types import Array
from .history import History
from .result_html import result_html
from .stopping import Status


class TrainingResult(OptimizeResult):  # type: ignore[misc]  # SciPy has no types
    """The result of a run: SciPy's OptimizeResult with typed attributes.

    Attributes
    ----------
    x : ndarray
        The best point that was evaluated; with a validation, the iteration that was best for it.
    fun : float
        The cost at x.
    jac : ndarray
        The gradient at x.
    nfev, njev : int
        Evaluations of cost and gradient.
    nhev : int
        Hessian products.
    nit : int
        Iterations.
    status : Status
        How the run ended.
    success : bool
        Whether it found what it was looking for.
    message : str
        The reason, in words.
    method : str
        The algorithm that ran, and what it chose by itself.
    seconds : float
        How long it took, earlier parts of a resumed run included.
    history : History
        Costs, gradient norms and validation by iteration.
    best_iteration : int or None
        The iteration that was best for the validation rows, None without them.
    """

    x: Array
    fun: float
    jac: Array
    nfev: int
    njev: int
    nhev: int
    nit: int
    status: Status
    success: bool
    message: str
    method: str
    seconds: float
    history: History
    best_iteration: int | None

    def __repr__(self) -> str:
        norm = float((self.jac @ self.jac) ** 0.5)
        lines = [
            f"  message: {self.message}",
            f"   method: {self.method}",
            f"  success: {self.success}",
            f"   status: {self.status.name} ({int(self.status)})",
            f"      fun: {self.fun:.10g}",
            f"      jac: array of shape {self.jac.shape}, norm {norm:.3e}",
            f"        x: array of shape {self.x.shape}",
            f"      nit: {self.nit}",
            f"     nfev: {self.nfev}",
            f"     nhev: {self.nhev}",
            f"  seconds: {self.seconds:.3g}",
            f"  history: {len(self.history)} rows: print(result.history)",
        ]
        if self.best_iteration is not None:
            lines.append(f"best_iteration: {self.best_iteration}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return result_html(self)
