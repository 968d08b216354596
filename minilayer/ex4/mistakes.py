"""What the classical mistakes of the exercise give: the number or array, by what went wrong."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..utils.types import Array
from .small_problem import SmallProblem, cross_entropy, sigmoid, sigmoid_gradient, with_bias

Mistakes = dict[str, Array]
"""What a function with this mistake gives."""

RIGHT = ""
NOT_AVERAGED = "scale by m: the sum over the rows is not divided by m"
TWICE_AVERAGED = "scale by m: the sum over the rows is divided by m twice"
SIGN = "sign: it is the negative of the right one"
BIAS = "bias penalized: leave out column 0 of Theta1 and Theta2"
FIRST_ROW = "row 0 is left out instead of column 0, the bias"
NO_PENALTY = "there is none: lambda is not used"


def cost_mistakes(problem: SmallProblem) -> Mistakes:
    """Return the cost without penalty under each mistake."""
    m, Y, h = problem.m, problem.one_hot, problem.h
    right = cross_entropy(h, Y)
    positions = np.arange(problem.classes)
    linear = sigmoid(with_bias(problem.z2) @ problem.theta2.T)
    swapped = sigmoid(problem.a2[:, 1:] @ problem.theta2[:, :-1].T + problem.theta2[:, -1])
    labels = "labels: off by one: label 1 belongs to column 0, not to"
    found = {
        NOT_AVERAGED: m * right,
        TWICE_AVERAGED: right / m,
        SIGN: -right,
        f"{SIGN}; {NOT_AVERAGED}": -m * right,
        "scale by the labels: the sum over the outputs is divided by their number": (
            right / problem.classes
        ),
        f"{labels} column 1, nor the last label to column 0": (
            cross_entropy(h, np.roll(Y, 1, axis=1))
        ),
        f"{labels} the last one": cross_entropy(h, np.roll(Y, -1, axis=1)),
        f"{labels} column 1, and the last label has none": (
            cross_entropy(h, (problem.labels[:, None] == positions).astype(float))
        ),
        "the term (1 - y) log(1 - h) is missing": -float(np.sum(Y * np.log(h))) / m,
        "the term y log(h) is missing": -float(np.sum((1 - Y) * np.log(1 - h))) / m,
        "the hidden units lack the sigmoid": cross_entropy(linear, Y),
        "the bias is read from the last column of Theta2, not from column 0": (
            cross_entropy(swapped, Y)
        ),
        "it is the squared error, not the cross-entropy": float(np.sum((h - Y) ** 2)) / (2 * m),
        "it is the mean squared error, not the cross-entropy": float(np.sum((h - Y) ** 2)) / m,
        "the penalty is there with lambda 0 too": (
            right + _squares(problem, problem.theta1[:, 1:], problem.theta2[:, 1:], factor=1.0)
        ),
    }
    return {reason: np.asarray(value) for reason, value in found.items()}


def penalty_mistakes(problem: SmallProblem) -> Mistakes:
    """Return the penalty of the cost under each mistake."""
    first, second, m = problem.theta1, problem.theta2, problem.m

    def penalty(*parts: Array) -> Array:
        return np.asarray(_squares(problem, *parts, factor=problem.penalty))

    inner = (first[:, 1:], second[:, 1:])
    total = sum(float(part.sum()) for part in inner)
    absolute = sum(float(np.abs(part).sum()) for part in inner)
    factor = problem.penalty / (2 * m)
    sets = {
        RIGHT: penalty(*inner),
        BIAS: penalty(first, second),
        FIRST_ROW: penalty(first[1:], second[1:]),
        "bias penalized: leave out column 0 of Theta1": penalty(first, inner[1]),
        "bias penalized: leave out column 0 of Theta2": penalty(inner[0], second),
        "Theta2 is missing": penalty(inner[0]),
        "Theta1 is missing": penalty(inner[1]),
        "the weights are not squared": np.asarray(factor * total),
        "the weights have their absolute values instead of squares": np.asarray(factor * absolute),
    }
    factors = {
        RIGHT: 1.0,
        "scale: lambda / m instead of lambda / (2 m)": 2.0,
        "scale by m: lambda / 2 instead of lambda / (2 m)": float(m),
        "scale by m: lambda instead of lambda / (2 m)": 2.0 * m,
        "scale by m: the penalty is divided by m twice": 1 / m,
        "sign: the penalty is subtracted": -1.0,
    }
    return {NO_PENALTY: np.asarray(0.0), **_products(sets, factors)}


def theta2_mistakes(problem: SmallProblem) -> Mistakes:
    """Return the gradient by Theta2 without penalty under each mistake."""
    m, d3, a2 = problem.m, problem.d3, problem.a2
    slope = problem.h * (1 - problem.h)
    right = d3.T @ a2 / m
    variants = {
        RIGHT: right,
        "the error of the output is h - y, without a sigmoid gradient": (d3 * slope).T @ a2 / m,
        "the hidden units lack the sigmoid": d3.T @ with_bias(problem.z2) / m,
        "the bias column is zero": _without_bias(right),
    }
    return _products(variants, _gradient_factors(m))


def theta1_mistakes(problem: SmallProblem) -> Mistakes:
    """Return the gradient by Theta1 without penalty under each mistake."""
    m, d3, a1, weights = problem.m, problem.d3, problem.a1, problem.theta2
    slope = sigmoid_gradient(problem.z2)
    output_slope = problem.h * (1 - problem.h)
    back = d3 @ weights[:, 1:]

    def gradient(d2: Array) -> Array:
        return np.asarray(d2.T @ a1 / m)

    right = gradient(back * slope)
    variants = {
        RIGHT: right,
        "the sigmoid gradient is missing: multiply by sigmoidGradient(z2)": gradient(back),
        "sigmoidGradient is taken of a2, not of z2": (
            gradient(back * sigmoid_gradient(sigmoid(problem.z2)))
        ),
        "the sigmoid stands for its gradient": gradient(back * sigmoid(problem.z2)),
        "the error of the output is h - y, without a sigmoid gradient": (
            gradient((d3 * output_slope) @ weights[:, 1:] * slope)
        ),
        "the last column of Theta2 is left out instead of column 0, the bias": (
            gradient(d3 @ weights[:, :-1] * slope)
        ),
        "the bias column is zero": _without_bias(right),
    }
    return _products(variants, _gradient_factors(m))


def gradient_penalty_mistakes(problem: SmallProblem, theta: Array) -> Mistakes:
    """Return what the penalty adds to the gradient by one Theta under each mistake."""
    whole = problem.penalty / problem.m * theta
    below = whole.copy()
    below[0] = 0
    sets = {
        RIGHT: _without_bias(whole),
        "bias penalized: leave out column 0": whole,
        FIRST_ROW: below,
    }
    factors = {
        RIGHT: 1.0,
        "scale: lambda / (2 m) instead of lambda / m": 0.5,
        "scale: 2 lambda / m instead of lambda / m": 2.0,
        "scale by m: lambda instead of lambda / m": float(problem.m),
        "scale by m: the penalty is divided by m twice": 1 / problem.m,
        "sign: the penalty is subtracted": -1.0,
    }
    return {NO_PENALTY: np.zeros_like(theta), **_products(sets, factors)}


def _squares(problem: SmallProblem, *parts: Array, factor: float) -> float:
    """Return factor / (2 m) times the sum of all squares."""
    return factor / (2 * problem.m) * sum(float(np.sum(part**2)) for part in parts)


def _gradient_factors(m: int) -> dict[str, float]:
    return {
        RIGHT: 1.0,
        NOT_AVERAGED: float(m),
        TWICE_AVERAGED: 1 / m,
        SIGN: -1.0,
        f"{SIGN}; {NOT_AVERAGED}": -float(m),
    }


def _without_bias(theta: Array) -> Array:
    weights = theta.copy()
    weights[:, 0] = 0
    return weights


def _products(variants: Mapping[str, Array], factors: Mapping[str, float]) -> Mistakes:
    """Return every variant times every factor; one mistake comes before two."""
    pairs = [(variant, factor) for variant in variants for factor in factors]
    pairs.sort(key=lambda pair: sum(reason != RIGHT for reason in pair))
    return {
        "; ".join(filter(None, pair)): np.asarray(variants[pair[0]] * factors[pair[1]])
        for pair in pairs
    }
