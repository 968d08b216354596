"""The methods of scipy.optimize.minimize that ScipyTrainer offers, and what SciPy does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method.

    Attributes
    ----------
    name : str
        SciPy's name.
    options : frozenset of str
        Its options. Those for finite differences are left out, as the gradient is exact, and
        ``return_all``, which would keep every iterate.
    limit_status : int
        The status that means that its own budget is used up.
    default_maxfun : int or None
        SciPy's own limit of evaluations.
    hessian : "none", "used" or "needed"
        What it does with Hessian products; "used" ones are approximated if there are none.
    needs_finite_costs : bool
        Whether an infinite cost at a trial point is its end.
    matrices : int
        Matrices of n x n numbers that it holds at its peak, without Hessian products: the traced
        peak of SciPy 1.17, rounded up.
    """

    name: str
    options: frozenset[str]
    limit_status: int
    default_maxfun: int | None = None
    hessian: Literal["none", "used", "needed"] = "none"
    needs_finite_costs: bool = False
    matrices: int = 0


def _options(names: str) -> frozenset[str]:
    return frozenset(names.split())


TRUST_REGION = "initial_trust_radius max_trust_radius eta gtol maxiter disp"

METHODS = (
    Method(
        name="TNC",
        options=_options(
            "scale offset mesg_num maxCGit eta stepmx accuracy minfev ftol xtol gtol rescale "
            "disp maxfun"
        ),
        limit_status=3,
        needs_finite_costs=True,
    ),
    Method(
        name="L-BFGS-B",
        options=_options("maxcor ftol gtol maxfun maxiter maxls"),
        limit_status=1,
        default_maxfun=15_000,
        needs_finite_costs=True,
    ),
    Method(name="CG", options=_options("gtol norm maxiter disp c1 c2"), limit_status=1),
    Method(
        name="BFGS",
        options=_options("gtol norm maxiter disp xrtol c1 c2 hess_inv0"),
        limit_status=1,
        matrices=7,
    ),
    Method(
        name="SLSQP",
        options=_options("maxiter ftol iprint disp"),
        limit_status=9,
        matrices=11,
    ),
    Method(
        name="trust-constr",
        options=_options(
            "xtol gtol barrier_tol sparse_jacobian maxiter verbose initial_constr_penalty "
            "initial_tr_radius initial_barrier_parameter initial_barrier_tolerance "
            "factorization_method disp"
        ),
        limit_status=0,
        hessian="used",
        matrices=3,
    ),
    Method(
        name="Newton-CG",
        options=_options("xtol maxiter disp c1 c2"),
        limit_status=1,
        hessian="needed",
    ),
    Method(name="trust-ncg", options=_options(TRUST_REGION), limit_status=1, hessian="needed"),
    Method(
        name="trust-krylov",
        options=_options(f"{TRUST_REGION} inexact"),
        limit_status=1,
        hessian="needed",
    ),
)
