"""A custom loss trains, its arguments identify a run, and Hessian products refuse it by name."""

from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array


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
