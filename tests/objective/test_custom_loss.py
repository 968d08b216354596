"""Custom losses train, identify a run, and are refused by name where they lack something."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.differences import product_by_differences


class LogCosh(ml.Loss):
    """scale**2 log cosh((z - y) / scale): quadratic near the target, linear far away."""

    output_activation = ml.Identity

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def value_and_error_(
        self, z: Array, target: Array, work: ml.nn.Workspace, weight: Array | None = None
    ) -> float:
        weights = np.ones((len(z), 1)) if weight is None else weight
        z -= target
        values = weights * self.scale**2 * np.log(np.cosh(z / self.scale))
        z[...] = weights * self.scale * np.tanh(z / self.scale)
        return float(values.sum())


def objective(loss: ml.Loss) -> ml.Objective:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 3))
    model = ml.mlp(3, 4, 1, seed=0)
    return ml.Objective(model, X, X[:, :1] ** 2, loss, l2=0.1)


def test_it_trains_and_its_gradient_is_right() -> None:
    problem = objective(LogCosh(0.5))
    assert ml.check_gradient(problem).worst < 1e-6
    assert ml.LBFGS().minimize(problem).success


def test_hessian_products_refuse_it_by_name() -> None:
    problem = objective(LogCosh(0.5))
    message = (
        r"^hessp: expected a loss with error_jvp, but LogCosh\(scale=0.5\) does not define it: "
        r"LBFGS does without$"
    )
    with pytest.raises(ml.CurvatureError, match=message):
        problem.hessp(problem.x0, problem.x0)
    with pytest.raises(ml.CurvatureError, match=message):
        ml.ScipyTrainer("Newton-CG").minimize(problem)


def test_its_arguments_are_part_of_the_identity_of_a_run(tmp_path: Path) -> None:
    assert repr(LogCosh(0.5)) == "LogCosh(scale=0.5)"
    trainer = ml.LBFGS(max_iterations=2)
    trainer.minimize(objective(LogCosh(0.5)), checkpoint=tmp_path / "run.h5")
    with pytest.raises(ml.ResumeError, match="found another run's"):
        trainer.minimize(objective(LogCosh(2.0)), checkpoint=tmp_path / "run.h5")


# Losses as formulas


class Cosh(ml.ElementwiseLoss):
    """LogCosh as formulas, stable for r of any size."""

    output_activation = ml.Identity

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def value(self, z: Array, target: Array) -> Array:
        r = np.abs(z - target) / self.scale
        return np.asarray(self.scale**2 * (r + np.log1p(np.exp(-2 * r)) - math.log(2)))

    def derivative(self, z: Array, target: Array) -> Array:
        return np.asarray(self.scale * np.tanh((z - target) / self.scale))

    def second_derivative(self, z: Array, target: Array) -> Array:
        return np.asarray(1 - np.tanh((z - target) / self.scale) ** 2)


def test_formulas_give_what_the_same_loss_gives_by_hand() -> None:
    by_hand, formulas = objective(LogCosh(0.5)), objective(Cosh(0.5))
    x = by_hand.x0
    assert formulas(x)[0] == pytest.approx(by_hand(x)[0], rel=1e-12)
    np.testing.assert_allclose(formulas(x)[1], by_hand(x)[1], rtol=1e-9)
    v = np.random.default_rng(1).standard_normal(x.size)
    expected = product_by_differences(formulas, x, v)
    np.testing.assert_allclose(formulas.hessp(x, v), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("gauss_newton", [False, True])
def test_weights_are_repeated_rows_and_shards_do_not_matter(gauss_newton: bool) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
    weight = rng.integers(0, 3, 20)
    model = ml.mlp(3, 4, 2, seed=0)
    repeated = ml.Objective(model, np.repeat(X, weight, 0), np.repeat(Y, weight, 0), Cosh(0.5))
    x = repeated.x0
    v = rng.standard_normal(x.size)
    for shards in (1, 3, 20):
        weighted = ml.Objective(model, X, Y, Cosh(0.5), sample_weight=weight, shards=shards)
        assert weighted(x)[0] == pytest.approx(repeated(x)[0])
        np.testing.assert_allclose(weighted(x)[1], repeated(x)[1], rtol=1e-10)
        products = [one.hessp(x, v, gauss_newton=gauss_newton) for one in (weighted, repeated)]
        np.testing.assert_allclose(products[0], products[1], rtol=1e-10)


def test_single_precision_comes_close() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
    model = ml.mlp(3, 4, 2, seed=0)
    double, single = (
        ml.Objective(model, X, Y, Cosh(0.5), dtype=dtype) for dtype in ("float64", "float32")
    )
    x = double.x0
    assert single(x)[0] == pytest.approx(double(x)[0], rel=1e-5)
    np.testing.assert_allclose(single(x)[1], double(x)[1], atol=1e-5)
    np.testing.assert_allclose(single.hessp(x, x), double.hessp(x, x), atol=1e-5)


def test_a_loss_without_second_derivative_trains_and_is_refused_by_hessp() -> None:
    class First(Cosh):
        """Without a second derivative."""

        second_derivative = ml.ElementwiseLoss.second_derivative

    problem = objective(First(0.5))
    assert ml.LBFGS().minimize(problem).success
    message = r"expected a loss with second_derivative, but First\(scale=0.5\) does not define it"
    with pytest.raises(ml.CurvatureError, match=message):
        problem.hessp(problem.x0, problem.x0)


@pytest.mark.parametrize("method", ["value", "derivative", "second_derivative"])
@pytest.mark.parametrize(
    ("result", "kind", "message"),
    [
        (None, TypeError, "expected an array of numbers, found None"),
        (1.0, TypeError, "expected an array of numbers, found 1.0"),
        (np.ones(30), ValueError, r"expected shape \(30, 1\), found \(30,\)"),
        (np.ones((1, 1)), ValueError, r"expected shape \(30, 1\), found \(1, 1\)"),
        (np.ones((30, 1), complex), TypeError, "expected an array of numbers, found dtype complex"),
        (np.ones((30, 1), object), TypeError, "expected an array of numbers, found dtype object"),
    ],
)
def test_what_a_method_returns_wrongly_is_told_with_class_and_method(
    method: str, result: object, kind: type[Exception], message: str
) -> None:
    loss = type("Mine", (Cosh,), {method: lambda self, z, target: result})()
    problem = objective(loss)
    with pytest.raises(kind, match=rf"^Mine.{method}: {message}"):
        problem.hessp(problem.x0, problem.x0)


def test_other_numbers_than_floats_are_converted() -> None:
    whole = type("Whole", (Cosh,), {"second_derivative": lambda self, z, target: z == z})()
    problem = objective(whole)
    expected = objective(ml.SquaredError())  # whose second derivative is 1 too
    v = np.ones(problem.x0.size)
    found = problem.hessp(problem.x0, v, gauss_newton=True)
    np.testing.assert_allclose(found, expected.hessp(expected.x0, v, gauss_newton=True), rtol=1e-12)


@pytest.mark.parametrize("found", [None, "12", np.ones(3)], ids=repr)
def test_a_plain_loss_that_returns_no_number_is_told_of_by_name(found: object) -> None:
    loss = type("Mine", (LogCosh,), {"value_and_error_": lambda self, *a: found})()
    problem = objective(loss)
    message = r"^Mine.value_and_error_: expected the sum of the loss as a number, found"
    with pytest.raises(TypeError, match=message):
        problem(problem.x0)


def test_an_error_jvp_of_another_shape_is_told_of_by_name() -> None:
    loss = type("Mine", (LogCosh,), {"error_jvp": lambda self, z, dz, *a, **o: dz[:, 0]})()
    problem = objective(loss)
    message = r"^Mine.error_jvp: expected shape \(30, 1\), found \(30,\)$"
    with pytest.raises(ValueError, match=message):
        problem.hessp(problem.x0, problem.x0)


@pytest.mark.parametrize("scalar", [np.float64, np.float32, np.int64, int, np.array])
def test_a_plain_loss_may_return_a_scalar_of_any_kind(scalar: Any) -> None:
    def value(self: LogCosh, z: Array, *arguments: Any) -> Any:
        z.fill(0)
        return scalar(3)

    problem = objective(type("Mine", (LogCosh,), {"value_and_error_": value})())
    assert problem(0 * problem.x0)[0] == pytest.approx(3 / 30)


def test_a_loss_without_output_activation_is_refused_by_name() -> None:
    methods = {name: getattr(Cosh, name) for name in ("value", "derivative")}
    message = (
        r"^loss: expected Mine.output_activation to be a class of activations or None for any, "
        r"found none: write output_activation = Identity in the class$"
    )
    with pytest.raises(TypeError, match=message):
        objective(type("Mine", (ml.ElementwiseLoss,), methods)())
    with pytest.raises(TypeError, match=r"found Identity\(\): write output_activation = Identity"):
        objective(type("Mine", (Cosh,), {"output_activation": ml.Identity()})())


@pytest.mark.parametrize("method", ["value", "derivative"])
def test_arguments_are_read_only(method: str) -> None:
    def writes(self: Cosh, z: Array, target: Array) -> Array:
        target *= 0
        return z

    problem = objective(type("Mine", (Cosh,), {method: writes})())
    with pytest.raises(ValueError, match="read-only"):
        problem(problem.x0)


def test_a_loss_may_name_an_activation_of_its_own() -> None:
    """A gamma regression: the mean is exp(z), and the loss z + target exp(-z)."""

    class Gamma(ml.ElementwiseLoss):
        """Minus the log-likelihood of a gamma distribution, up to constants."""

        output_activation = ml.Exp

        def value(self, z: Array, target: Array) -> Array:
            return np.asarray(z + target * np.exp(-z))

        def derivative(self, z: Array, target: Array) -> Array:
            return np.asarray(1 - target * np.exp(-z))

        def second_derivative(self, z: Array, target: Array) -> Array:
            return np.asarray(target * np.exp(-z))

    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 1))
    Y = rng.gamma(5.0, np.exp(1 + X) / 5)
    model = ml.mlp(1, 1, output=ml.Exp, seed=0)
    problem = ml.Objective(model, X, Y, Gamma())
    found = [
        trainer.minimize(problem, [0.0, 0.0]).x
        for trainer in (ml.LBFGS(), ml.ScipyTrainer("Newton-CG"))
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-3)
    np.testing.assert_allclose(found[0], [1, 1], atol=0.1)
    with pytest.raises(ValueError, match=r"Gamma\(\) needs Exp as the last layer, found Dense"):
        ml.Objective(ml.mlp(1, 1), X, Y, Gamma())
