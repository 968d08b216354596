"""A layer of your own, in twenty lines: its formulas, the public battery, a checkpoint, and training with curvature.

python examples/own_layer.py
"""

import numpy as np

import minilayer as ml
from minilayer.testing import check_layer


@ml.register  # so that checkpoints can hold it
class Softplus(ml.Activation):
    """f(x) = log(1 + exp(x)): a rectifier without a kink; f' is the sigmoid."""

    def function(self, x: np.ndarray, out: np.ndarray) -> None:
        np.logaddexp(0, x, out=out)

    def gradient(self, x: np.ndarray, y: np.ndarray, dy: np.ndarray, out: np.ndarray) -> None:
        np.expm1(
            -y, out=out
        )  # sigmoid(x) = 1 - exp(-y), without a difference of nearly equal numbers
        np.negative(out, out=out)
        out *= dy

    def second_derivative(
        self,
        x: np.ndarray,
        y: np.ndarray,
        rx: np.ndarray,
        ry: np.ndarray,
        dy: np.ndarray,
        out: np.ndarray,
    ) -> None:  # only for methods that use curvature, such as Newton-CG
        np.exp(-y, out=out)
        out *= ry
        out *= dy


def main() -> None:
    print("the battery, with the relative error of each derivative")
    print(check_layer(Softplus()))
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 2))
    model = ml.Sequential([ml.Dense(2, 12), Softplus(), ml.Dense(12, 1), ml.Identity()], seed=0)
    result = ml.fit(
        model,
        X,
        X[:, 0] * X[:, 1],
        l2=1e-4,
        trainer=ml.ScipyTrainer("Newton-CG", max_evaluations=2000),
    )
    print(f"\nx * y learned with {result.message}")
    error = model.predict(X)[:, 0] - X[:, 0] * X[:, 1]
    print(
        f"{result.nfev} evaluations, {result.nhev} products with the Hessian, RMSE {np.sqrt(np.mean(error**2)):.4f}"
    )


if __name__ == "__main__":
    main()
