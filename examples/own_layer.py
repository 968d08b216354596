"""A layer that minilayer does not have: its formulas, its tests, and training with the Hessian.

SmoothReLU, log(1 + exp(x)), is ReLU without the kink. ``check_layer`` compares its formulas with
finite differences and saves it to a checkpoint. Then a network with it learns to multiply.

python examples/own_layer.py
"""

from typing import Any

import numpy as np
import shared
from numpy import ndarray as Array

import minilayer as ml
from minilayer.testing import check_layer


@ml.register  # so that checkpoints can hold it
class SmoothReLU(ml.Activation):
    """f(x) = log(1 + exp(x)); f' is the sigmoid."""

    def function(self, x: Array, out: Array) -> None:
        np.logaddexp(0, x, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.expm1(-y, out=out)  # sigmoid(x) = 1 - exp(-y), exact for small y too
        np.multiply(out, -dy, out=out)

    def second_derivative(  # only for methods that use Hessian products, such as Newton-CG
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        np.exp(-y, out=out)  # f'' = f' exp(-y), and jvp = f' dx
        out *= jvp
        out *= dy


def main(options: Any) -> None:
    print(f"relative error of each derivative\n{check_layer(SmoothReLU())}")
    X = np.random.default_rng(options.seed).uniform(-1, 1, (400, 2))
    Y = X[:, :1] * X[:, 1:]
    model = ml.mlp(2, 12, 1, hidden=SmoothReLU, seed=options.seed)
    objective = ml.Objective(model, X, Y, ml.SquaredError(), l2=1e-4)
    result = ml.ScipyTrainer("Newton-CG", max_evaluations=2000).minimize(objective)
    shared.stop_if_interrupted(result)

    print(f"\nx * y learned with {result.message}")
    error = np.sqrt(np.mean((model.predict(X) - Y) ** 2))
    print(f"{result.nfev} evaluations, {result.nhev} Hessian products, RMSE {error:.4f}")

    def draw_products(ax: Any) -> None:
        ax.axline((0, 0), slope=1, color="#999999", linestyle="--")
        ax.plot(Y, model.predict(X), ".", color="#2a6f97")
        ax.set(xlabel="x * y", ylabel="prediction", title="a network with Softplus multiplies")

    print(shared.save_figures(options.figures, {"product": draw_products}))


if __name__ == "__main__":
    shared.run(main, __doc__, seed=0)
