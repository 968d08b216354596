"""The whole gradient against central differences, over losses, activations, depths and rows."""

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.differences import gradient_by_differences
from tests.helpers.problems import HIDDEN, PAIRS, WIDTHS, random_objective


@pytest.mark.parametrize("l2", [0.0, 2.0])
@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("pair", PAIRS)
def test_the_gradient_is_the_central_difference(
    pair: str, hidden: type[ml.Activation], widths: str, rows: int, l2: float
) -> None:
    objective = random_objective(
        pair, widths=WIDTHS[widths], hidden=hidden, rows=rows, l2=l2, shards=2
    )
    x = objective.x0
    expected = gradient_by_differences(objective, x)
    error = np.abs(objective(x)[1] - expected).max()
    assert error < 1e-7 * max(1e-3, np.abs(expected).max())
