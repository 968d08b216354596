"""Update rules: their state and their refusals. Their steps are tested with gradient descent."""

from collections.abc import Callable

import numpy as np
import pytest

import minilayer as ml

RULES: tuple[ml.Rule, ...] = (
    ml.Momentum(),
    ml.Momentum(0.9),
    ml.Momentum(0.9, nesterov=True),
    ml.Adam(),
    ml.Adam(beta1=0.5, beta2=0.8, epsilon=1e-3),
)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_an_update_returns_a_new_state_and_keeps_the_old(rule: ml.Rule) -> None:
    state = rule.init(4)
    before = {name: np.copy(value) for name, value in state.items()}
    _, after = rule.update(state, np.ones(4), 0.1)
    for name, value in before.items():
        np.testing.assert_array_equal(state[name], value)
    assert set(after) == set(state)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ml.Momentum(1.0), "momentum: expected a number below 1, found 1.0"),
        (lambda: ml.Momentum(-0.5), "momentum: expected a finite number >= 0, found -0.5"),
        (
            lambda: ml.Momentum(0.5, nesterov=1),  # type: ignore[arg-type]
            "nesterov: expected True or False, found 1",
        ),
        (lambda: ml.Adam(beta1=1), "beta1: expected a number below 1, found 1"),
        (lambda: ml.Adam(beta2=-1), "beta2: expected a finite number >= 0, found -1"),
        (lambda: ml.Adam(epsilon=0), "epsilon: expected a finite number > 0, found 0"),
    ],
)
def test_wrong_arguments_are_refused(make: Callable[[], ml.Rule], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make()
