"""Schedules: their refusals. Their values are tested with gradient descent's steps."""

from collections.abc import Callable

import pytest

import minilayer as ml


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ml.StepDecay(0), "every: expected at least 1, found 0"),
        (lambda: ml.StepDecay(3, 1.5), "factor: expected a number up to 1, found 1.5"),
        (lambda: ml.ExponentialDecay(0), "factor: expected a finite number > 0, found 0"),
        (lambda: ml.InverseTimeDecay(-1), "decay: expected a finite number >= 0, found -1"),
        (
            lambda: ml.CosineDecay(2.5),  # type: ignore[arg-type]
            "iterations: expected an integer, found 2.5",
        ),
        (lambda: ml.CosineDecay(5, 2), "minimum: expected a number up to 1, found 2"),
        (lambda: ml.Warmup(0), "iterations: expected at least 1, found 0"),
        (
            lambda: ml.Warmup(3, 0.5),  # type: ignore[arg-type]
            r"then: expected a Schedule such as CosineDecay\(100\), found 0.5",
        ),
    ],
)
def test_wrong_arguments_are_refused(make: Callable[[], ml.Schedule], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make()
