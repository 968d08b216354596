"""The methods of scipy.optimize.minimize that ScipyTrainer offers, and what SciPy itself does not tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Method:
    """A method: its options, and which of its statuses means that its own budget is used up.

    Options for differences (SciPy's ``eps``, ``finite_diff_rel_step``, ``workers``) are left out, as the gradient is
    exact and they would do nothing; ``return_all`` too, which would keep every iterate.
    """

    name: str
    options: frozenset[str]
    limit_status: int
    default_maxfun: int | None = None
    curvature: Literal["none", "used", "needed"] = "none"
    """What it does with products with the Hessian; where they are only used, it approximates what it is not given."""


def _method(name: str, options: str, limit_status: int, **more: Any) -> Method:
    return Method(name, frozenset(options.split()), limit_status, **more)


TRUST = "initial_trust_radius max_trust_radius eta gtol maxiter disp"


METHODS = (
    _method("TNC", "scale offset mesg_num maxCGit eta stepmx accuracy minfev ftol xtol gtol rescale disp maxfun", 3),
    _method("L-BFGS-B", "maxcor ftol gtol maxfun maxiter maxls", 1, default_maxfun=15000),
    _method("CG", "gtol norm maxiter disp c1 c2", 1),
    _method("BFGS", "gtol norm maxiter disp xrtol c1 c2 hess_inv0", 1),
    _method("SLSQP", "maxiter ftol iprint disp", 9),
    _method(
        "trust-constr",
        "xtol gtol barrier_tol sparse_jacobian maxiter verbose initial_constr_penalty initial_tr_radius "
        "initial_barrier_parameter initial_barrier_tolerance factorization_method disp",
        0,
        curvature="used",
    ),
    _method("Newton-CG", "xtol maxiter disp c1 c2", 1, curvature="needed"),
    _method("trust-ncg", TRUST, 1, curvature="needed"),
    _method("trust-krylov", f"{TRUST} inexact", 1, curvature="needed"),
)
