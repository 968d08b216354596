"""scikit-learn's own tests of its networks, run against minilayer's classes of the same names.

    python -m tests.estimators.scikit_learn_own [--solver adam] [--only TEST ...]

The tests are those of the installed scikit-learn, ``sklearn/neural_network/tests/test_mlp.py``, as
they are. A plugin puts minilayer's classes in the place of scikit-learn's. ``--solver`` sets the
default solver, as scikit-learn's is "adam".
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest

from minilayer import estimators

MODULE = "sklearn.neural_network.tests.test_mlp"
NAMES = estimators.__all__

PRIVATE = "reads the private"
CANNOT_PASS = {
    "test_gradient": f"{PRIVATE} _loss_grad_lbfgs",
    "test_n_iter_no_change": f"{PRIVATE} _no_improvement_count",
    "test_n_iter_no_change_inf": f"{PRIVATE} _no_improvement_count",
    "test_lbfgs_classification_maxfun[X1-y1]": (
        "expects a warning after 10 evaluations; with relu lbfgs has converged by then"
    ),
}
"""Tests that fail whatever the default solver is, and why."""

NO_PARTIAL_FIT = "calls partial_fit with the default solver, which is lbfgs here"
NEEDS_ADAM = {
    "test_partial_fit_unseen_classes": NO_PARTIAL_FIT,
    "test_mlp_loading_from_joblib_partial_fit": NO_PARTIAL_FIT,
    "test_mlp_partial_fit_after_fit[MLPClassifier]": NO_PARTIAL_FIT,
    "test_mlp_partial_fit_after_fit[MLPRegressor]": NO_PARTIAL_FIT,
    "test_shuffle": "expects the shuffles of the default solver to matter; lbfgs has none",
    "test_mlp_regressor_dtypes_casting": (
        "expects 4 digits of the default solver at tol=1e-3; lbfgs ends elsewhere in float32"
    ),
}
"""Tests that fail only with lbfgs, minilayer's default solver, and why."""


class Replacement:
    """A plugin of pytest: minilayer's classes in scikit-learn's test module.

    Parameters
    ----------
    only : collection of str
        The tests to run; if empty, all.

    Attributes
    ----------
    outcomes : dict of str to str
        "passed", "failed" or "skipped" by test.
    """

    def __init__(self, only: Collection[str]) -> None:
        self.outcomes: dict[str, str] = {}
        self._only = only

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Replace the classes in the module and in the parameters of its tests."""
        if self._only:
            items[:] = [item for item in items if item.name in self._only]
        for item in items:
            for name in NAMES:
                setattr(item.module, name, getattr(estimators, name))
            if hasattr(item, "callspec"):
                parameters = item.callspec.params
                replaced = {
                    name: getattr(estimators, value.__name__)
                    for name, value in parameters.items()
                    if isinstance(value, type) and value.__name__ in NAMES
                }
                parameters.update(replaced)

    def pytest_runtest_setup(self, item: Any) -> None:
        """Seed what has no ``random_state``, so that each run gives the same."""
        np.random.seed(0)  # noqa: NPY002  # the generator that scikit-learn falls back to

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note how a test ended."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid.rpartition("::")[2]] = report.outcome


def run(solver: str, only: Collection[str] = ()) -> dict[str, str]:
    """Return the outcome of each test, or of some, with that default solver."""
    for name in NAMES:
        vars(getattr(estimators, name).__init__)["__wrapped__"].__kwdefaults__["solver"] = solver
    plugin = Replacement(only)
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "-W", "ignore"]
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*options, "--pyargs", MODULE], plugins=[plugin])
    return plugin.outcomes


def main(arguments: Sequence[str] | None = None) -> None:
    """Print how many tests pass, and why each other one cannot."""
    parser = argparse.ArgumentParser(prog="python -m tests.estimators.scikit_learn_own")
    parser.add_argument("--solver", default="lbfgs", help="the default solver (lbfgs)")
    parser.add_argument("--only", nargs="*", default=(), help="names of tests (all)")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    options = parser.parse_args(arguments)
    outcomes = run(options.solver, options.only)
    if options.json:
        print(json.dumps(outcomes))
        return
    passed = sum(outcome == "passed" for outcome in outcomes.values())
    reasons = {**CANNOT_PASS, **NEEDS_ADAM}
    print(f"{passed} of {len(outcomes)} tests pass with solver={options.solver!r} as the default")
    for test, outcome in outcomes.items():
        if outcome != "passed":
            print(f"{outcome}: {test}: {reasons.get(test, 'unknown')}")


if __name__ == "__main__":
    main()
