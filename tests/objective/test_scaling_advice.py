"""Which columns a message names, and when."""

import signal
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.objective.scaling import explains, scaling_advice
from minilayer.utils.types import Array
from tests.helpers.problems import rosenbrock

rng = np.random.default_rng(0)
NORMAL = rng.standard_normal((300, 4))
BY_LAYER = "use fit(..., standardize=True), or Standardize.of(X) as the first layer"
BY_LAST = "use fit(..., standardize=True), or Rescale.of(Y) as the last"


def sized(*sizes: float) -> Array:
    """Return columns of these root mean squares."""
    columns = NORMAL[:, : len(sizes)]
    return np.asarray(columns / np.sqrt(np.mean(columns**2, axis=0)) * sizes)


SENTENCES: dict[str, tuple[Array, Array | None, str]] = {
    "standardized": (sized(1, 1, 1), sized(1), ""),
    "of several sizes below 10": (sized(9, 1e-5, 0), None, ""),
    "one large": (sized(1, 4321, 0.002, 3), None, "columns 1 and 2 of X are 4.3e+03 and 0.002 in "),
    "all large": (sized(200, 300, 100), None, "column 1 of X is 3e+02 in size: "),
    "a column of zeros": (sized(200, 0, 100), None, "column 0 of X is 2e+02 in size: "),
    "far from 0": (1000 + sized(1, 1), None, "column 0 of X is 1e+03 in size: "),
    "all small": (sized(0.04, 0.01), None, "no column of X is above 0.04 in size: "),
    "zeros": (np.zeros((5, 2)), None, ""),
    "1e300": (sized(1e300, 1e-300), None, "columns 0 and 1 of X are 1e+300 and 1e-300 in size"),
    "integers": (np.full((9, 2), 200, np.uint8), None, "column 0 of X is 2e+02 in size"),
    "single precision": (
        sized(1e30, 1).astype("f4"),
        None,
        "columns 0 and 1 of X are 1e+30 and 1 ",
    ),
    "targets": (sized(1), sized(3, 700), "columns 1 and 0 of Y are 7e+02 and 3 in size: "),
    "small targets": (sized(1), sized(1e-6), "no column of Y is above 1e-06 in size: "),
    "targets up to 100": (sized(1), sized(90), ""),
    "both": (sized(50), sized(500), "column 0 of X is 50 in size, and column 0 of Y is 5e+02 in "),
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_sentences(kind: str) -> None:
    X, Y, expected = SENTENCES[kind]
    found = scaling_advice(X, Y)
    if not expected:
        assert found == ""
    else:
        assert found.startswith(expected)
        assert found.endswith(BY_LAYER if "X" in expected else BY_LAST)


@pytest.mark.parametrize(
    ("shift", "noise", "expected"),
    [(0, 0, True), (0, 0.5, True), (0, 0.8, False), (2, 0, False)],
)
def test_predictions_explain_half_of_the_variance(
    shift: float, noise: float, expected: bool
) -> None:
    targets = sized(3, 2)
    other = sized(1, 1, 3, 2)[:, 2:]
    assert explains(targets + shift * 3 + noise * other, targets) is expected
    constant = np.broadcast_to(targets.mean(axis=0), targets.shape)
    assert not explains(constant, targets)


LARGE = sized(1, 4000, 0.002)
LABELS = (NORMAL[:, 0] + NORMAL[:, 1] > 0).astype(int)
SAYS_LARGE = "; columns 1 and 2 of X are 4e+03 and 0.002 in size: " + BY_LAYER


def classifier(*first: ml.Layer) -> ml.Sequential:
    layers = [ml.Dense(3, 4), ml.Tanh(), ml.Dense(4, 1), ml.Sigmoid()]
    return ml.Sequential([*first, *layers], seed=0)


def objective(X: Array = LARGE, **options: Any) -> ml.Objective:
    return ml.Objective(classifier(), X, LABELS, ml.BinaryCrossEntropy(), **options)


ENDINGS: dict[str, dict[str, Any]] = {
    "evaluations": {"trainer": ml.LBFGS(max_evaluations=3)},
    "iterations": {"trainer": ml.LBFGS(max_iterations=2)},
    "seconds": {"trainer": ml.LBFGS(max_seconds=1e-9)},
    "SciPy's": {"trainer": ml.ScipyTrainer(max_evaluations=3)},
    "not finite": {"trainer": ml.GradientDescent(1e308)},
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("copy", [True, False])
def test_a_run_that_ends_without_success_names_the_columns(ending: str, copy: bool) -> None:
    result = ENDINGS[ending]["trainer"].minimize(objective(copy=copy))
    assert not result.success
    assert result.message.endswith(SAYS_LARGE)
    small = ENDINGS[ending]["trainer"].minimize(objective(sized(1, 1, 1), copy=copy))
    assert "in size" not in small.message


def test_a_wrapper_and_float32_say_it_too() -> None:
    trainer = ml.LBFGS(max_evaluations=3)
    for problem in (ml.ProblemWrapper(objective()), objective(dtype="float32")):
        assert trainer.minimize(problem).message.endswith(SAYS_LARGE)


def test_a_success_says_it_only_if_little_is_explained() -> None:
    """Two columns of 4000 saturate all units, whose gradient vanishes."""
    saturated = objective(sized(4000, 4000, 1))
    flat = ml.LBFGS(tolerance=1e3).minimize(saturated)
    assert flat.success
    assert flat.message.endswith(f"; columns 0 and 2 of X are 4e+03 and 1 in size: {BY_LAYER}")
    model = ml.mlp(3, 1, output=ml.Sigmoid, seed=0)
    right = ml.Objective(model, sized(20, 20, 20), LABELS, ml.BinaryCrossEntropy(), 1e-3)
    result = ml.LBFGS().minimize(right)
    assert result.success
    assert "in size" not in result.message
    assert right.advice(result.x, success=False) == f"column 0 of X is 20 in size: {BY_LAYER}"


def test_who_ends_a_run_is_not_advised() -> None:
    def stop(iteration: ml.Iteration) -> None:
        raise StopIteration

    def interrupt(iteration: ml.Iteration) -> None:
        signal.raise_signal(signal.SIGINT)

    for callback in (stop, interrupt):
        result = ml.LBFGS().minimize(objective(), callback=callback)
        assert "in size" not in result.message


def test_a_plain_function_has_no_advice() -> None:
    result = ml.LBFGS(max_evaluations=2).minimize(rosenbrock, [4e3, 1.0])
    assert result.message.startswith("L-BFGS: the budget of 2 evaluations is used up")
    assert "in size" not in result.message


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ([], "column 0 of Y is 5e+03 in size"),
        ([ml.Identity()], "column 0 of Y is 5e+03 in size"),
        ([ml.Rescale([5000], [3])], ""),
        ([ml.Rescale([5000], [3]), ml.Identity()], ""),
    ],
)
def test_targets_of_a_regression_are_named_too(last: list[ml.Layer], expected: str) -> None:
    layers = [ml.Dense(3, 4), ml.Tanh(), ml.Dense(4, 1), *(one.unbound_copy() for one in last)]
    model = ml.Sequential(layers, seed=0)
    Y = 5000 + NORMAL[:, 0]
    result = ml.fit(model, sized(1, 1, 1), Y, trainer=ml.LBFGS(max_evaluations=2))
    assert ("in size" in result.message) == bool(expected)
    assert expected in result.message


def test_standardized_models_are_not_advised() -> None:
    for first in (ml.Standardize([0, 0, 0], [1, 1, 1]), ml.Standardize.of(LARGE)):
        result = ml.fit(classifier(first), LARGE, LABELS, max_evaluations=2)
        assert "in size" not in result.message


def test_rows_without_weight_do_not_count() -> None:
    X = sized(1, 1, 1)
    X[::2] *= 1e6
    weights = np.arange(300) % 2
    assert objective(X, sample_weight=weights).advice(np.zeros(21), success=False) == ""
    assert "in size" in objective(X).advice(np.zeros(21), success=False)


def test_the_message_of_a_resumed_run_ends_with_it(tmp_path: Any) -> None:
    for evaluations in (3, 6):
        trainer = ml.LBFGS(max_evaluations=evaluations)
        result = trainer.minimize(objective(), checkpoint=tmp_path / "run.h5")
        assert result.message.endswith(SAYS_LARGE)
