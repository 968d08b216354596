"""fit: an Objective and a trainer in one call."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

import minilayer as ml
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.problems import PAIRS, random_parts

ROWS = 20


@pytest.mark.parametrize("pair", PAIRS)
def test_by_default_it_takes_the_loss_of_the_last_layer_and_lbfgs(pair: str) -> None:
    model, X, Y = random_parts(pair, ROWS)
    found = ml.fit(model, X, Y, 0.3)
    other, X, Y = random_parts(pair, ROWS)
    expected = ml.LBFGS(tolerance=1e-4, max_iterations=200).minimize(
        ml.Objective(other, X, Y, PAIRS[pair][1](), 0.3)
    )
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(model.parameters, found.x)
    assert (found.fun, found.message) == (expected.fun, expected.message)


@pytest.mark.parametrize("last", [ml.Tanh, ml.ReLU, ml.Softplus, ml.Sin])
def test_a_last_layer_that_suggests_no_loss_is_refused_and_takes_one(
    last: type[ml.Activation],
) -> None:
    X = np.linspace(0, 1, 20)[:, None]
    model = ml.mlp(1, 1, output=last, seed=0)
    with pytest.raises(ValueError, match=r"Exp\(\) for counts, .* found .*: or pass loss="):
        ml.fit(model, X, X)
    assert ml.fit(model, X, X, loss=ml.SquaredError(), max_iterations=3).nfev > 1


LABELS = np.arange(ROWS) % 3
OPTIONS: dict[str, dict[str, Any]] = {
    "trainer": {"trainer": ml.GradientDescent(0.5, max_iterations=30)},
    "l2": {"l2": 2.0},
    "sample_weight": {"sample_weight": np.arange(ROWS)},
    "class_weight": {"class_weight": [1, 2, 3]},
    "dtype": {"dtype": "float32"},
    "validation": {"validation": ml.Validation(np.ones((3, 4)), [0, 1, 2], patience=1)},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_passed_on(option: str) -> None:
    def train(**options: Any) -> Any:
        model, X, _ = random_parts("softmax", ROWS)
        return ml.fit(model, X, LABELS, **options)

    given = dict(OPTIONS[option])
    found = train(**given)
    assert not np.array_equal(found.x, train().x)
    model, X, _ = random_parts("softmax", ROWS)
    trainer = given.pop("trainer", ml.LBFGS(tolerance=1e-4, max_iterations=200))
    validation = given.pop("validation", None)
    objective = ml.Objective(model, X, LABELS, ml.CategoricalCrossEntropy(), **given)
    np.testing.assert_array_equal(found.x, trainer.minimize(objective, validation=validation).x)


def test_callback_progress_and_checkpoint_are_passed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    iterations: list[ml.Iteration] = []
    model, X, _ = random_parts("softmax", ROWS)
    path = tmp_path / "run.h5"
    result = ml.fit(
        model,
        X,
        LABELS,
        trainer=ml.ScipyTrainer(max_iterations=3),
        callback=iterations.append,
        progress=True,
        checkpoint=path,
    )
    assert [iteration.iteration for iteration in iterations] == [1, 2, 3]
    assert "L-BFGS-B" in capsys.readouterr().err
    np.testing.assert_array_equal(ml.load(path).parameters, result.x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": 3}, "model: expected a Sequential, found 3"),
        (
            {"model": ml.Sequential([ml.Dense(4, 3), ml.Tanh()])},
            r"model: expected Sigmoid\(\) as the last layer for yes or no, .* found Tanh\(\)",
        ),
        ({"trainer": "Adam"}, r"trainer: expected a Trainer such as LBFGS\(\), found 'Adam'"),
        (
            {"trainer": ml.Adam()},
            r"trainer: expected a Trainer, found Adam\(.*\): write GradientDescent\(rule=...\)",
        ),
        (
            {"trainer": ml.ScipyTrainer},
            r"trainer: expected a Trainer .*: write ScipyTrainer\(...\)",
        ),
        ({"Y": np.arange(20)}, r"Y: expected labels 0..2 \(the model has 3 outputs\), found 0..19"),
    ],
)
def test_wrong_arguments_are_refused(change: dict[str, Any], message: str) -> None:
    model, X, _ = random_parts("softmax", ROWS)
    good = {"model": model, "X": X, "Y": LABELS}
    with pytest.raises((TypeError, ValueError), match=message):
        ml.fit(**{**good, **change})


def test_a_model_that_ends_in_dense_is_a_regression() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    Y = X @ rng.standard_normal((3, 2)) + 1.0
    with_identity = ml.mlp(3, 2, output=ml.Identity, seed=0)
    model = ml.mlp(3, 2, seed=0)
    validation = (X[:5], Y[:5])
    results = [ml.fit(one, X, Y, validation=validation) for one in (with_identity, model)]
    first, second = (same_in_every_run(result) for result in results)
    np.testing.assert_equal(first, second)
    np.testing.assert_allclose(model.predict(X), Y, atol=1e-4)


@pytest.mark.parametrize("trainer", [ml.LBFGS(), ml.ScipyTrainer("Newton-CG")], ids=repr)
def test_a_model_that_ends_in_dense_trains_with_every_kind_of_step(trainer: ml.Trainer) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    models = [ml.mlp(3, 4, 2, output=output, seed=0) for output in (ml.Identity, None)]
    results = [ml.fit(one, X, X[:, :2] ** 2, l2=0.1, trainer=trainer) for one in models]
    first, second = (same_in_every_run(result) for result in results)
    np.testing.assert_equal(first, second)
    assert results[0].fun < results[0].history.cost[0]


def test_budgets_loss_and_a_pair_of_validation_rows_are_passed_on() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    result = ml.fit(model, X, Y, loss=ml.BinaryCrossEntropy(), max_iterations=3, validation=(X, Y))
    assert (result.nit, result.status) == (3, ml.Status.MAX_ITERATIONS)
    assert len(result.history.validation_cost) == 4
    assert result.method == "L-BFGS, plain"
    model, X, Y = random_parts("sigmoid", ROWS)
    assert ml.fit(model, X, Y, l2=0.1, max_evaluations=2).method == "L-BFGS, preconditioned"
    with pytest.raises(ValueError, match="expected without a trainer, found beside LBFGS"):
        ml.fit(model, X, Y, trainer=ml.LBFGS(), max_seconds=3)


def test_without_a_limit_it_ends_after_200_iterations() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-3, 3, (100, 1))
    noise = rng.standard_normal(100)
    result = ml.fit(ml.mlp(1, 30, 1, seed=0), X, noise)
    assert (result.status, result.nit) == (ml.Status.MAX_ITERATIONS, 200)
    assert result.message.endswith("raise max_iterations, or train again to go on")
    longer = ml.fit(ml.mlp(1, 30, 1, seed=0), X, noise, max_evaluations=400)
    assert longer.nit > 200


# standardize=True

SIZES = np.array([1.0, 1e4, 1e-3, 0.0])
OFFSETS = np.array([0.0, 1e5, 0.3, 7.0])
RAW = np.random.default_rng(5).standard_normal((60, 4)) * SIZES + OFFSETS  # the last is constant
Z = StandardScaler().fit_transform(RAW)
PRICES = 300 + 80 * np.tanh(Z[:, :1]) + [0, 1000]
CLASSES = (Z[:, 0] + Z[:, 1] ** 2 > 1).astype(int)


@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_a_classifier_gets_standardize(l2: float) -> None:
    """The same as scikit-learn's StandardScaler before the same network."""
    model = ml.mlp(4, 5, 1, output=ml.Sigmoid, seed=0)
    other = ml.mlp(4, 5, 1, output=ml.Sigmoid, seed=0)
    result = ml.fit(model, RAW, CLASSES, l2, standardize=True, max_evaluations=15)
    expected = ml.fit(other, Z, CLASSES, l2, max_evaluations=15)
    assert [type(layer) for layer in model] == [ml.Standardize, *map(type, other)]
    assert result.history.cost[0] == pytest.approx(expected.history.cost[0], rel=1e-12)
    np.testing.assert_allclose(result.history.cost, expected.history.cost, rtol=1e-9)
    other.parameters[:] = model.parameters
    np.testing.assert_allclose(model.predict(RAW), other.predict(Z), rtol=1e-12)


@pytest.mark.parametrize("output", [None, ml.Identity])
@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_a_regression_gets_rescale_too(output: type[ml.Activation] | None, l2: float) -> None:
    """The costs are those of standardized targets, times their variance."""
    scaler = StandardScaler().fit(PRICES)
    model = ml.mlp(4, 5, 2, output=output, seed=0)
    other = ml.mlp(4, 5, 2, output=output, seed=0)
    start = model.parameters.copy()
    result = ml.fit(model, RAW, PRICES, l2, standardize=True, max_evaluations=8)
    expected = ml.fit(other, Z, scaler.transform(PRICES), l2, max_evaluations=8)
    assert isinstance(model[0], ml.Standardize)
    assert isinstance(model.inner_layers[-1], ml.Rescale)
    assert len(model) == len(other) + 2
    variance = scaler.var_[0]
    assert scaler.var_[1] == pytest.approx(variance)
    assert result.history.cost[0] == pytest.approx(expected.history.cost[0] * variance, rel=1e-12)
    standardized = ml.Sequential([layer.unbound_copy() for layer in model], seed=0)
    standardized.parameters[:] = start
    outputs = scaler.transform(standardized.predict(RAW))
    assert np.abs(outputs.mean(axis=0)).max() < 1
    assert 0.1 < outputs.std() < 2


LOSSES_IN_A_UNIT: dict[str, Callable[[float], ml.Loss]] = {
    "squared error": lambda unit: ml.SquaredError(),
    "Huber": lambda unit: ml.Huber(30 * unit),
    "quantile": lambda unit: ml.PinballLoss(0.3, smoothing=5 * unit),
}


@pytest.mark.parametrize("kind", LOSSES_IN_A_UNIT)
@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_the_penalty_weighs_the_same_in_any_unit(kind: str, l2: float) -> None:
    power = 2 if kind != "quantile" else 1

    def first_cost(unit: float) -> float:
        model = ml.mlp(4, 5, 2, seed=0)
        loss = LOSSES_IN_A_UNIT[kind](unit)
        options: dict[str, Any] = {"loss": loss, "standardize": True, "max_evaluations": 1}
        return ml.fit(model, RAW, unit * PRICES, l2, **options).fun / unit**power

    assert first_cost(2.0**-300) == pytest.approx(first_cost(1.0), rel=1e-12)
    assert first_cost(1000) == pytest.approx(first_cost(1.0), rel=1e-12)


@pytest.mark.parametrize("kind", LOSSES_IN_A_UNIT)
@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1.0, 1e6])
def test_targets_in_any_unit_are_learned_as_well(kind: str, unit: float) -> None:
    """A gradient in a small unit is no sign of a minimum."""
    model = ml.mlp(4, 5, 2, seed=0)
    loss = LOSSES_IN_A_UNIT[kind](unit)
    options: dict[str, Any] = {"loss": loss, "standardize": True, "max_evaluations": 300}
    result = ml.fit(model, RAW, unit * PRICES, 0.1, **options)
    errors = (model.predict(RAW) / unit - PRICES) / 80
    assert np.sqrt(np.mean(errors**2)) < 0.3
    assert result.nfev > 20


def test_targets_beyond_all_units_are_told_of() -> None:
    """Their squares are infinite."""
    result = ml.fit(ml.mlp(4, 2, seed=0), RAW, 1e300 * PRICES, 0.1, standardize=True)
    assert result.status == ml.Status.NON_FINITE
    constant = ml.fit(ml.mlp(4, 2, seed=0), RAW, np.full((60, 2), 3.0), 0.1, standardize=True)
    assert constant.fun < 1e-4


def test_a_second_fit_continues_with_the_constants_of_the_first() -> None:
    model = ml.mlp(4, 5, 2, seed=0)
    first = ml.fit(model, RAW, PRICES, 0.5, standardize=True, max_evaluations=10)
    layers = model.layers
    second = ml.fit(model, RAW, PRICES, 0.5, standardize=True, max_evaluations=10)
    assert model.layers == layers
    assert second.history.cost[0] == pytest.approx(first.fun, rel=1e-12)
    ml.fit(model, 2 * RAW, 3 * PRICES, standardize=True, max_evaluations=1)
    assert model.layers == layers


def test_a_new_start_forgets_the_constants_of_the_first() -> None:
    """Else the rows of one fold would leak into the next."""
    model = ml.mlp(4, 5, 2, seed=0)
    other = ml.mlp(4, 5, 2, seed=0)
    ml.fit(model, RAW, PRICES, 0.5, standardize=True, max_iterations=3)
    again = ml.fit(model, 2 * RAW, 3 * PRICES, 0.5, standardize=True, max_iterations=3, seed=0)
    new = ml.fit(other, 2 * RAW, 3 * PRICES, 0.5, standardize=True, max_iterations=3)
    np.testing.assert_array_equal(again.x, new.x)
    np.testing.assert_array_equal(model.predict(RAW), other.predict(RAW))
    before = model.predict(RAW)
    with pytest.raises(ValueError, match="l2"):
        ml.fit(model, RAW, PRICES, -1, standardize=True, seed=0)
    np.testing.assert_array_equal(model.predict(RAW), before)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ([ml.Standardize([0] * 4, [1] * 4), ml.Dense(4, 2)], "SDR"),
        ([ml.Standardize([0] * 4, [1] * 4), ml.Dense(4, 2), ml.Identity()], "SDRI"),
        ([ml.Dense(4, 2), ml.Rescale([0] * 2, [1] * 2)], "SDR"),
        ([ml.Dense(4, 2), ml.Rescale([0] * 2, [1] * 2), ml.Identity()], "SDRI"),
        ([ml.Tanh(), ml.Dense(4, 2)], "STDR"),
        ([ml.Tanh(), ml.Standardize([0] * 4, [1] * 4), ml.Dense(4, 2)], "TSDR"),
    ],
)
def test_it_puts_in_what_is_missing(own: list[ml.Layer], expected: str) -> None:
    model = ml.Sequential([layer.unbound_copy() for layer in own], seed=0)
    ml.fit(model, RAW, PRICES, standardize=True, max_evaluations=1)
    assert "".join(type(layer).__name__[0] for layer in model) == expected


def test_by_default_nothing_is_standardized() -> None:
    model = ml.mlp(4, 5, 2, seed=0)
    layers = model.layers
    ml.fit(model, RAW, PRICES, max_evaluations=1)
    assert model.layers is layers


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"standardize": 1}, "standardize: expected True or False, found 1"),
        ({"X": np.where(RAW[7, 1] == RAW, np.nan, RAW)}, "X: .* found nan in row 7, column 1"),
        ({"Y": np.where(PRICES[7] == PRICES, np.inf, PRICES)}, "Y: .* found inf in row 7"),
        ({"X": RAW[:, :3]}, "X: expected 4 columns"),
        ({"Y": PRICES[:, :1]}, "Y: expected 2 columns"),
        ({"Y": PRICES[:9]}, "Y: expected as many rows as X, 60, found 9"),
        ({"l2": -1}, "l2: expected a finite number >= 0, found -1"),
        ({"loss": ml.BinaryCrossEntropy()}, "loss: BinaryCrossEntropy.* needs Sigmoid"),
        ({"loss": "mse"}, "loss: expected a Loss"),
        ({"dtype": "float16"}, "dtype: expected 'float64' or 'float32'"),
        ({"workers": 0}, "workers: expected at least 1, found 0"),
        ({"max_evaluations": 0}, "max_evaluations: expected at least 1, found 0"),
    ],
)
def test_a_refused_argument_leaves_the_model_as_it_was(
    change: dict[str, Any], message: str
) -> None:
    model = ml.mlp(4, 5, 2, seed=0)
    layers = model.layers
    with pytest.raises((TypeError, ValueError), match=message):
        ml.fit(**{"model": model, "X": RAW, "Y": PRICES, "standardize": True, **change})
    assert model.layers == layers


def test_raw_columns_of_any_size_train_in_single_precision() -> None:
    data = Z * [1e300, 1e-300, 1, 1]
    models = [ml.mlp(4, 5, 1, output=ml.Sigmoid, seed=0) for _ in range(2)]
    single = ml.fit(models[0], data, CLASSES, 0.1, standardize=True, dtype="float32")
    double = ml.fit(models[1], Z, CLASSES, 0.1)
    assert single.fun == pytest.approx(double.fun, rel=0.01)
    assert np.isfinite(models[0].predict(data)).all()


def test_callbacks_and_checkpoints_have_the_constants(tmp_path: Path) -> None:
    model = ml.mlp(4, 5, 2, seed=0)
    path = tmp_path / "run.h5"
    seen = []

    def look(iteration: ml.Iteration) -> None:
        seen.append(model.replica(np.array(iteration.x)).predict(RAW).mean())

    options: dict[str, Any] = {"l2": 0.5, "standardize": True, "checkpoint": path}
    ml.fit(model, RAW, PRICES, callback=look, max_iterations=4, **options)
    assert abs(np.mean(seen) - PRICES.mean()) < PRICES.std()
    again = ml.load(path)
    np.testing.assert_array_equal(again.predict(RAW), model.predict(RAW))
    resumed = ml.fit(again, RAW, PRICES, max_iterations=9, **options)
    whole = ml.fit(ml.mlp(4, 5, 2, seed=0), RAW, PRICES, 0.5, standardize=True, max_iterations=9)
    np.testing.assert_array_equal(resumed.x, whole.x)
    assert "resumed" in resumed.message


def test_a_second_fit_continues_and_says_so() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    first = ml.fit(model, X, Y, 0.1, max_iterations=2)
    assert model.is_trained
    second = ml.fit(model, X, Y, 0.1, max_iterations=2)
    assert second.history.cost[0] == first.fun
    assert "continued" not in first.message
    assert (
        second.message
        == f"{first.message} (continued from an earlier training; seed=0 starts anew)"
    )


@pytest.mark.parametrize("options", [{"seed": 3}, {"seed": 3, "warm_start": False}])
def test_a_seed_starts_anew(options: dict[str, Any]) -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    new = ml.Sequential([layer.unbound_copy() for layer in model], seed=3)
    expected = ml.fit(new, X, Y, 0.1, max_iterations=4)
    for _ in range(2):
        result = ml.fit(model, X, Y, 0.1, max_iterations=4, **options)
        np.testing.assert_array_equal(result.x, expected.x)
        assert result.message == expected.message


def test_without_a_warm_start_each_start_is_another() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    costs = {ml.fit(model, X, Y, warm_start=False, max_iterations=1).history.cost[0] for _ in "ab"}
    assert len(costs) == 2


def test_a_resumed_fit_does_not_call_itself_continued(tmp_path: Path) -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    path = tmp_path / "run.h5"
    ml.fit(model, X, Y, 0.1, max_evaluations=5, checkpoint=path)
    message = ml.fit(model, X, Y, 0.1, max_evaluations=9, checkpoint=path).message
    assert message.endswith("(resumed at evaluation 5)")
    seeded = [
        ml.fit(model, X, Y, 0.1, max_evaluations=5, seed=1, checkpoint=tmp_path / "seeded.h5")
        for _ in range(2)
    ]
    assert seeded[1].message == f"{seeded[0].message} (already finished, at evaluation 5)"


def test_a_refused_fit_leaves_the_model_as_it_was() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    start = model.parameters.copy()
    for wrong in ({"seed": True}, {"seed": -1}, {"warm_start": 1}, {"seed": 0, "l2": -1}):
        with pytest.raises((TypeError, ValueError)):
            ml.fit(model, X, Y, **wrong)
        np.testing.assert_array_equal(model.parameters, start)


def test_copies_know_whether_they_are_trained() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    assert not copy.deepcopy(model).is_trained
    ml.fit(model, X, Y, max_iterations=1)
    assert copy.deepcopy(model).is_trained
    model.initialize(seed=0)
    assert not model.is_trained
