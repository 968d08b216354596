"""PyTorch on the CPU: an nn.Sequential, the loss on logits, autograd; its own L-BFGS and SciPy's."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..machine import usable_cpus
from ..problem import EX4_SHAPE, L2, Answer, Array, DType, Problem, Shape, Weights, exercise
from ..watch import Watch
from .with_minilayer import LBFGSB_OPTIONS, watched


class Network:
    """Data, model and cost, at given starting weights."""

    def __init__(self, shape: Shape, X: Array, Y: Array, weights: Weights) -> None:
        torch.set_num_threads(usable_cpus())
        self._X, self._Y = torch.from_numpy(X), torch.from_numpy(Y)
        dtype = self._X.dtype
        self._layers = [
            nn.Linear(shape.inputs, shape.hidden, dtype=dtype),
            nn.Linear(shape.hidden, shape.outputs, dtype=dtype),
        ]
        self._logits = nn.Sequential(self._layers[0], nn.Sigmoid(), self._layers[1])
        self.parameters = list(self._logits.parameters())
        self.set(weights)

    def set(self, weights: Weights) -> None:
        """Copy the weights in."""
        with torch.no_grad():
            for layer, theta in zip(self._layers, weights, strict=True):
                layer.bias.copy_(torch.from_numpy(theta[:, 0]))
                layer.weight.copy_(torch.from_numpy(theta[:, 1:]))

    def cost_and_backward(self) -> torch.Tensor:
        """The cost; gradients are left in the parameters."""
        for parameter in self.parameters:
            parameter.grad = None
        loss = binary_cross_entropy_with_logits(self._logits(self._X), self._Y, reduction="sum")
        penalty = self._layers[0].weight.square().sum() + self._layers[1].weight.square().sum()
        cost = (loss + L2 / 2 * penalty) / len(self._X)
        cost.backward()  # type: ignore[no-untyped-call, unused-ignore]
        return cost

    def flat(self) -> Array:
        """The parameters in the article's layout."""
        return _article_layout([parameter.detach() for parameter in self.parameters])

    def flat_gradient(self) -> Array:
        """The gradient in the article's layout."""
        return _article_layout(
            [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        )


class TorchEvaluation:
    """Forward and backward; parameters and gradients stay tensors."""

    def __init__(self, problem: Problem) -> None:
        self._network = Network(problem.shape, *problem.data(), problem.weights())
        self.note = f"{torch.get_num_threads()} threads"

    def evaluate(self) -> torch.Tensor:
        return self._network.cost_and_backward()

    def answer(self) -> Answer:
        cost = self.evaluate().item()
        return Answer(cost, float(np.linalg.norm(self._network.flat_gradient())))


class _Training:
    dtype: DType = "float64"

    def __init__(self) -> None:
        self._X, self._Y = (part.astype(self.dtype) for part in exercise())

    def _network(self, start: Array) -> Network:
        return Network(EX4_SHAPE, self._X, self._Y, Weights.of(start.astype(self.dtype), EX4_SHAPE))


class TorchLbfgsTraining(_Training):
    """torch.optim.LBFGS with its strong Wolfe line search, one ``step`` for the whole run."""

    def train(self, start: Array, watch: Watch) -> None:
        with watch:
            network = self._network(start)
            optimizer = torch.optim.LBFGS(
                network.parameters,
                max_iter=100_000,
                tolerance_grad=0.0,
                tolerance_change=0.0,
                history_size=LBFGSB_OPTIONS["maxcor"],
                line_search_fn="strong_wolfe",
            )

            def closure() -> torch.Tensor:
                cost = network.cost_and_backward()
                watch.see(cost.item(), network.flat)
                return cost

            optimizer.step(closure)  # type: ignore[no-untyped-call, unused-ignore]


class TorchLbfgsSingleTraining(TorchLbfgsTraining):
    """The same in single precision."""

    dtype = "float32"


class TorchScipyTraining(_Training):
    """PyTorch's gradient in SciPy's L-BFGS-B."""

    def train(self, start: Array, watch: Watch) -> None:
        with watch:
            network = self._network(start)

            def function(x: Array) -> tuple[float, Array]:
                network.set(Weights.of(x, EX4_SHAPE))
                cost = network.cost_and_backward().item()
                return cost, network.flat_gradient()

            minimize(
                watched(function, watch), start, method="L-BFGS-B", jac=True, options=LBFGSB_OPTIONS
            )


def _article_layout(tensors: list[torch.Tensor]) -> Array:
    """weight, bias, weight, bias as one vector, each layer row by row with its bias in column 0."""
    pairs = zip(tensors[::2], tensors[1::2], strict=True)
    vector: Array = torch.cat(
        [torch.cat([bias[:, None], weight], dim=1).ravel() for weight, bias in pairs]
    ).numpy()
    return vector
