"""Two layers that minilayer does not have: their formulas, their tests, training, save and load.

``Scale`` has one factor a column, ``Residual`` adds a hidden layer to its input. ``check_layer``
compares their formulas with finite differences. A network of both then learns to multiply.

python examples/own_layer.py
"""

from typing import Any

import numpy as np
import shared
from numpy import ndarray as Array

import minilayer as ml
from minilayer.testing import check_layer


@ml.register  # so that checkpoints can hold it
class Scale(ml.Layer):
    """y = x * factor, with one factor for each column."""

    def __init__(self, inputs: int) -> None:
        self.inputs = self.units = inputs  # the columns that it takes and gives

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"factor": (self.inputs or 0,)}

    def initialize(self, rng: np.random.Generator) -> None:
        self.parameters["factor"][:] = 1

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.asarray(x * self.parameters["factor"])

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(dy * self.parameters["factor"])

    def parameter_gradient(self, dy: Array) -> None:
        self.gradients["factor"][:] = np.sum(dy * self.x, axis=0)


@ml.register
class Residual(ml.Layer):
    """y = x + tanh(x @ weight.T): what it learns is the difference from its input."""

    def __init__(self, inputs: int) -> None:
        self.inputs = self.units = inputs

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.inputs or 0, self.inputs or 0)}

    def initialize(self, rng: np.random.Generator) -> None:
        n = self.inputs or 0
        self.parameters["weight"][:] = ml.Glorot().sample((n, n), n, n, rng)

    def l2_mask(self, name: str) -> bool:
        return True  # the penalty applies to all of it

    def forward(self, x: Array) -> Array:
        self.x = x
        self.hidden = np.tanh(x @ self.parameters["weight"].T)
        return np.asarray(x + self.hidden)

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(dy + dy * (1 - self.hidden**2) @ self.parameters["weight"])

    def parameter_gradient(self, dy: Array) -> None:
        self.gradients["weight"][:] = (dy * (1 - self.hidden**2)).T @ self.x


def main(options: Any) -> int:
    path = options.figures / "own_layer.h5"
    shared.check_file("--figures", path)
    print("relative error of each derivative")
    print(f"{check_layer(Scale(3))}\n{check_layer(Residual(3))}\n")
    X = np.random.default_rng(options.seed).uniform(-1, 1, (400, 2))
    Y = X[:, :1] * X[:, 1:]
    layers = [Scale(2), ml.Dense(2, 12), Residual(12), Residual(12), ml.Dense(12, 1)]
    model = ml.Sequential(layers, seed=options.seed)
    result = ml.fit(model, X, Y, l2=1e-4, max_evaluations=300)
    shared.check_begun(result)
    error = ml.mean_squared_error(Y, model.predict(X)) ** 0.5
    print(f"{result.message}\nRMSE of x * y {error:.4f}")

    ml.save(model, path)
    is_same = np.array_equal(ml.load(path).predict(X), model.predict(X))
    print(f"{path}: the loaded model predicts {'the same' if is_same else 'other numbers'}")

    def draw_products(ax: Any) -> None:
        ax.axline((0, 0), slope=1, color="#999999", linestyle="--")
        ax.plot(Y, model.predict(X), ".", color="#2a6f97")
        ax.set(xlabel="x * y", ylabel="prediction", title="a residual network multiplies")

    print(shared.save_figures(options.figures, {"product": draw_products}))
    return shared.exit_code(result)


if __name__ == "__main__":
    shared.run(main, __doc__, seed=0)
