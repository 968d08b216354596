"""When two runs are the same run, and two objectives the same function."""

import re
from typing import Any

import numpy as np
import pytest

import minilayer as ml

RESUMPTION = re.compile(r" \((resumed at evaluation|already finished, at evaluation) \d+\)$")


def history_columns(result: ml.TrainingResult) -> dict[str, list[float]]:
    """Return the history without its seconds."""
    columns = result.history.columns()
    return {name: column for name, column in columns.items() if name != "seconds"}


def same_in_every_run(result: ml.TrainingResult) -> dict[str, Any]:
    """Return all of a result that an equal run repeats bit for bit.

    Left out are the seconds, and what the message says of resuming. Compare two of these with
    ``numpy.testing.assert_equal``, which takes NaN as equal to NaN.
    """
    names = ("x", "jac", "fun", "nfev", "nhev", "nit", "status", "best_iteration")
    return {
        **{name: result[name] for name in names},
        "message": RESUMPTION.sub("", result.message),
        "history": history_columns(result),
    }


def assert_same_objective(one: ml.Objective, other: ml.Objective, tolerance: float = 1e-13) -> None:
    """Compare cost, gradient and a Hessian product."""
    x = one.x0
    v = np.random.default_rng(0).standard_normal(x.size)
    cost, gradient = one(x)
    expected_cost, expected_gradient = other(x)
    assert cost == pytest.approx(expected_cost, rel=tolerance)
    pairs = ((gradient, expected_gradient), (one.hessp(x, v), other.hessp(x, v)))
    for found, expected in pairs:
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)
