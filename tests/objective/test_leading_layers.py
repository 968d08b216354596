"""Standardize in front of a network equals the network on data that are standardized before."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.problems import PAIRS, targets_for

ROWS = 60
SIZES = np.array([1.0, 1e4, 1e-3])
OFFSETS = np.array([0.0, 1e5, 0.3])


def raw(rows: int = ROWS, seed: int = 0) -> Array:
    return np.asarray(np.random.default_rng(seed).standard_normal((rows, 3)) * SIZES + OFFSETS)


X = raw()
CONSTANTS = ml.Standardize.of(X)
STANDARDIZED = np.array(ml.Standardize.of(X).forward(X))
TARGETS = {pair: targets_for(pair, ROWS, 2, np.random.default_rng(1)) for pair in PAIRS}


def network(pair: str, *first: ml.Layer) -> ml.Sequential:
    """Return a network whose start does not depend on the first layers."""
    layers = [ml.Dense(3, 5), ml.Tanh(), ml.Dense(5, 2), PAIRS[pair][0]()]
    return ml.Sequential([*first, *layers], seed=3)


def both(pair: str = "sigmoid", **options: Any) -> tuple[ml.Objective, ml.Objective]:
    """Return an objective with Standardize on raw data, and one on standardized data."""
    loss = PAIRS[pair][1]()
    Y = TARGETS[pair]
    with_layer = network(pair, CONSTANTS.unbound_copy())
    return (
        ml.Objective(with_layer, X, Y, loss, 0.7, **options),
        ml.Objective(network(pair), STANDARDIZED, Y, loss, 0.7, **options),
    )


V = np.random.default_rng(2).standard_normal(network("sigmoid").parameters.size)


def preconditioned(objective: ml.Objective) -> Array:
    preconditioner = objective.preconditioner()
    preconditioner.refresh(objective.x0)
    return preconditioner(V)


def validated(objective: ml.Objective) -> tuple[float, Array]:
    is_raw = len(objective.model) == 5
    rows = X if is_raw else STANDARDIZED
    return objective.validation_rows(rows[7:20], np.full((13, 2), 0.5))(objective.x0)


def training(trainer: ml.Trainer) -> Callable[[ml.Objective], Any]:
    def train(objective: ml.Objective) -> Any:
        result = trainer.minimize(objective)
        return result.x, result.fun, result.nfev

    return train


QUESTIONS: dict[str, Callable[[ml.Objective], Any]] = {
    "cost and gradient": lambda o: o(o.x0),
    "Hessian product": lambda o: o.hessp(o.x0, V),
    "second Hessian product": lambda o: (o.hessp(o.x0, V), o.hessp(o.x0, -V)),
    "Gauss-Newton product": lambda o: o.hessp(o.x0, V, gauss_newton=True),
    "minibatch": lambda o: o.minibatch(o.x0, [50, 3, 17]),
    "preconditioner": preconditioned,
    "validation rows": validated,
    "pickle": lambda o: pickle.loads(pickle.dumps(o))(o.x0),
    "shards": lambda o: (o.shards, o.dtype, o.rows, o.l2),
    "LBFGS": training(ml.LBFGS(max_evaluations=8)),
    "LBFGS, plain": training(ml.LBFGS(max_evaluations=8, precondition=False)),
    "Newton-CG": training(ml.ScipyTrainer("Newton-CG", max_evaluations=30)),
    "minibatches": training(
        ml.GradientDescent(0.1, rule=ml.Adam(), batch_size=9, max_iterations=3)
    ),
}


def assert_close(found: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)
    elif isinstance(expected, np.ndarray | float):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    else:
        assert found == expected


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"copy": False},
        {"dtype": "float32"},
        {"dtype": "float32", "copy": False},
        {"shards": 7, "workers": 2},
        {"shards": 7, "workers": 2, "copy": False},
        {"sample_weight": np.arange(ROWS) % 3},
    ],
    ids=str,
)
def test_all_answers_are_those_for_standardized_data(question: str, options: Any) -> None:
    with_layer, without = both(**options)
    assert_close(QUESTIONS[question](with_layer), QUESTIONS[question](without))


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("question", ["cost and gradient", "Hessian product"])
def test_so_they_are_for_every_loss(pair: str, question: str) -> None:
    with_layer, without = both(pair)
    assert_close(QUESTIONS[question](with_layer), QUESTIONS[question](without))


@pytest.mark.parametrize("copy", [True, False])
def test_the_head_and_predictions_are_of_the_raw_rows(copy: bool) -> None:
    objective, without = both(copy=copy)
    head, targets = objective.head(9)
    np.testing.assert_array_equal(head, X[:9])
    np.testing.assert_array_equal(targets, TARGETS["sigmoid"][:9])
    assert_close(objective.model.predict(head), without.model.predict(STANDARDIZED[:9]))
    large = ml.Objective(objective.model, raw(5000), np.ones((5000, 2)), ml.BinaryCrossEntropy())
    assert [len(part) for part in large.head(10_000)] == [1000, 1000]


def test_gradients_pass_the_check() -> None:
    for copy in (True, False):
        objective, _ = both(copy=copy)
        assert ml.check_gradient(objective, tolerance=1e-6, every_parameter=True).worst < 1e-6


@pytest.mark.parametrize("last", [[], [ml.Identity()]])
@pytest.mark.parametrize("weight", [None, np.arange(ROWS) % 3])
def test_derivatives_pass_rescale(last: list[ml.Layer], weight: Array | None) -> None:
    own = [ml.Dense(3, 4), ml.Tanh(), ml.Dense(4, 2), ml.Rescale([50, -3], [9, 0.2])]
    layers = [CONSTANTS, *own, *last]
    model = ml.Sequential([layer.unbound_copy() for layer in layers], seed=0)
    Y = [50, -3] + TARGETS["identity"]
    objective = ml.Objective(model, X, Y, ml.SquaredError(), 0.3, sample_weight=weight)
    assert ml.check_gradient(objective, every_parameter=True).worst < 1e-6
    x = objective.x0
    v = np.random.default_rng(4).standard_normal(x.size)
    step = 1e-5
    change = (objective(x + step * v)[1] - objective(x - step * v)[1]) / (2 * step)
    found = objective.hessp(x, v)
    np.testing.assert_allclose(found, change, atol=1e-7 * np.abs(change).max())
    jacobian = model.replica(x + step * v).predict(X) - model.replica(x - step * v).predict(X)
    rows = np.ones(ROWS) if weight is None else weight
    expected = float(np.sum(rows[:, None] * (jacobian / (2 * step)) ** 2))
    expected = (expected + 0.3 * float(np.sum((model.l2_mask() * v) ** 2))) / rows.sum()
    assert v @ objective.hessp(x, v, gauss_newton=True) == pytest.approx(expected, rel=1e-7)


def test_constants_and_data_are_parts_of_the_fingerprint() -> None:
    def fingerprint(data: Array, mean: Array, **options: Any) -> str:
        model = network("sigmoid", ml.Standardize(mean, CONSTANTS.scale))
        return ml.Objective(
            model, data, TARGETS["sigmoid"], ml.BinaryCrossEntropy(), **options
        ).fingerprint()

    for options in ({}, {"copy": False}):
        own = fingerprint(X, CONSTANTS.mean, **options)
        assert own == fingerprint(X.copy(), CONSTANTS.mean.copy(), **options)
        moved = CONSTANTS.scale * 2.0**-10  # the standardized data stay as they are, nearly
        assert own != fingerprint(X + moved, CONSTANTS.mean + moved, **options)
        assert own != fingerprint(X, np.nextafter(CONSTANTS.mean, np.inf), **options)
        assert own != fingerprint(X + CONSTANTS.scale, CONSTANTS.mean, **options)


class Weighted(ml.Loss):
    """Half the squared error, each column times a weight that the repr does not show in full."""

    output_activation = ml.Identity

    def __init__(self, weights: Array) -> None:
        self.weights = weights

    def value_and_error_(
        self, z: Array, target: Array, work: Any, weight: Array | None = None
    ) -> float:
        z -= target
        total = float(np.sum(self.weights * z**2)) / 2
        z *= self.weights
        return total


def test_arrays_of_a_loss_are_parts_of_the_fingerprint() -> None:
    def fingerprint(weights: Array) -> str:
        model = ml.mlp(3, 2, seed=0)
        return ml.Objective(model, X, TARGETS["identity"], Weighted(weights)).fingerprint()

    assert fingerprint(np.ones(2)) == fingerprint(np.ones(2))
    assert fingerprint(np.ones(2)) != fingerprint(np.array([1, 2.0]))


class Counted(ml.Activation):
    """The identity in front, which counts the rows that pass. It has no second derivative."""

    rows = 0

    def function(self, x: Array, out: Array) -> None:
        Counted.rows += len(x)
        np.copyto(out, x)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        raise AssertionError("a gradient of the data")


@pytest.mark.parametrize("copy", [True, False])
def test_copied_shards_pass_leading_layers_once(
    copy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counted, "rows", 0)
    model = network("sigmoid", CONSTANTS.unbound_copy(), Counted())
    objective = ml.Objective(
        model, X, TARGETS["sigmoid"], ml.BinaryCrossEntropy(), copy=copy, shards=3
    )
    assert Counted.rows == (ROWS if copy else 0)
    for _ in range(5):
        objective(objective.x0)
    assert Counted.rows == (ROWS if copy else 5 * ROWS)
    objective.hessp(objective.x0, V)  # what the data pass needs no derivatives
    assert Counted.rows == (ROWS if copy else 6 * ROWS)


class Powers(ml.Layer):
    """x and its squares: a layer of features, which gives more columns than it takes."""

    inputs = 3
    units = 6

    def forward(self, x: Array) -> Array:
        return np.concatenate([x, x**2], axis=1)

    def input_gradient(self, dy: Array) -> Array:
        raise NotImplementedError


@pytest.mark.parametrize("copy", [True, False])
def test_leading_layers_may_change_the_width(copy: bool) -> None:
    layers = [CONSTANTS.unbound_copy(), Powers(), ml.Dense(6, 2), ml.Sigmoid()]
    model = ml.Sequential(layers, seed=0)
    features = np.concatenate([STANDARDIZED, STANDARDIZED**2], axis=1)
    plain = ml.mlp(6, 2, output=ml.Sigmoid, seed=0)
    Y = TARGETS["sigmoid"]
    found = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), copy=copy)
    expected = ml.Objective(plain, features, Y, ml.BinaryCrossEntropy(), copy=copy)
    assert_close(found(found.x0), expected(expected.x0))
    assert_close(model.predict(X), plain.predict(features))


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("size", [1e300, 1e-300, 1e40, 1e-50])
def test_single_precision_sees_standardized_columns(size: float, copy: bool) -> None:
    """Raw, a column of 1e300 is infinite in float32, and one of 1e-300 is 0."""
    data = STANDARDIZED * [1, size, 1]
    model = network("sigmoid", ml.Standardize.of(data))
    Y = TARGETS["sigmoid"]
    loss = ml.BinaryCrossEntropy()
    objective = ml.Objective(model, data, Y, loss, dtype="float32", copy=copy)
    expected = ml.Objective(network("sigmoid"), STANDARDIZED, Y, loss)
    cost, gradient = objective(objective.x0)
    assert cost == pytest.approx(expected(expected.x0)[0], rel=1e-6)
    np.testing.assert_allclose(gradient, expected(expected.x0)[1], rtol=1e-5, atol=1e-6)
    assert np.isfinite(preconditioned(objective)).all()
    assert (preconditioned(objective)[:20] != V[:20]).all()  # the first layer takes part
    found = objective.minibatch(objective.x0, [1, 2])
    np.testing.assert_allclose(found[1], expected.minibatch(expected.x0, [1, 2])[1], atol=1e-6)
    rows = objective.validation_rows(data[:9], Y[:9])(objective.x0)
    np.testing.assert_allclose(rows[1], model.predict(data[:9]), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_is_not_finite_behind_the_layers_is_refused(dtype: str) -> None:
    model = network("sigmoid", ml.Standardize([0, 0, 0], [1, 1e-300, 1]))
    data = X.copy()
    data[17, 1] = 1e300
    expected = (
        rf"X after Standardize\(3 columns\), as {dtype}: expected finite numbers, found inf in row"
    )
    with pytest.raises(ValueError, match=expected):
        ml.Objective(model, data, TARGETS["sigmoid"], ml.BinaryCrossEntropy(), dtype=dtype)


@pytest.mark.parametrize("kind", ["memory map", "integers", "booleans", "Fortran-ordered"])
@pytest.mark.parametrize("copy", [True, False])
def test_any_kind_of_data(kind: str, copy: bool, tmp_path: Any) -> None:
    data: Array = np.round(X / SIZES).astype(np.int64)
    if kind == "booleans":
        data = X > OFFSETS
    elif kind == "Fortran-ordered":
        data = np.asfortranarray(X)
    elif kind == "memory map":
        mapped = np.memmap(tmp_path / "x.bin", np.float32, "w+", shape=X.shape)
        mapped[:] = X
        data = mapped
    layer = ml.Standardize.of(data)
    before = np.array(data)
    expected_inputs = np.array(layer.forward(np.array(data, dtype=np.float64)))
    loss = ml.BinaryCrossEntropy()
    found = ml.Objective(
        network("sigmoid", layer), data, TARGETS["sigmoid"], loss, copy=copy, shards=4
    )
    expected = ml.Objective(network("sigmoid"), expected_inputs, TARGETS["sigmoid"], loss, shards=4)
    assert_close(found(found.x0), expected(expected.x0))
    np.testing.assert_array_equal(data, before)


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize(
    "question", ["cost and gradient", "Hessian product", "minibatch", "preconditioner", "pickle"]
)
def test_an_objective_keeps_the_network_that_it_was_made_of(question: str, copy: bool) -> None:
    _, objective = both(copy=copy)
    expected = QUESTIONS[question](objective)
    fingerprint = objective.fingerprint()
    objective.model.insert(0, CONSTANTS.unbound_copy())
    assert_close(QUESTIONS[question](objective), expected)
    assert objective.fingerprint() == fingerprint
