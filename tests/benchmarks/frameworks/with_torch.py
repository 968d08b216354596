"""PyTorch on the CPU: an nn.Sequential, the loss on logits, autograd; its L-BFGS and SciPy's."""

from __future__ import annotations

import torch
from scipy.optimize import minimize
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..case import EX4_SHAPE, L2, Array, Case, CostAndNorm, DType, Shape, Weights, exercise
from ..machine import usable_cpus
from ..target_timer import TargetTimer, recorded
from .with_minilayer import LBFGSB_MEMORY, LBFGSB_OPTIONS


class Network:
    """Data, model and cost.

    Parameters
    ----------
    shape : Shape
        Sizes of the network.
    X : ndarray, shape (rows, inputs)
        The inputs, whose dtype is that of the computation.
    Y : ndarray, shape (rows, outputs)
        The targets.
    weights : Weights
        The starting weights.

    Attributes
    ----------
    parameters : list of Tensor
        weight, bias, weight, bias.
    """

    def __init__(self, shape: Shape, X: Array, Y: Array, weights: Weights) -> None:
        torch.set_num_threads(usable_cpus())
        self._X = torch.from_numpy(X)
        self._Y = torch.from_numpy(Y)
        dtype = self._X.dtype
        self._layers = [
            nn.Linear(shape.inputs, shape.hidden, dtype=dtype),
            nn.Linear(shape.hidden, shape.outputs, dtype=dtype),
        ]
        self._logits = nn.Sequential(self._layers[0], nn.Sigmoid(), self._layers[1])
        self.parameters = list(self._logits.parameters())
        self.set_weights(weights)

    def set_weights(self, weights: Weights) -> None:
        """Copy the weights into the layers."""
        with torch.no_grad():
            for layer, theta in zip(self._layers, weights, strict=True):
                layer.bias.copy_(torch.from_numpy(theta[:, 0]))
                layer.weight.copy_(torch.from_numpy(theta[:, 1:]))

    def cost_and_backward(self) -> torch.Tensor:
        """Return the cost and leave the gradients in the parameters."""
        for parameter in self.parameters:
            parameter.grad = None
        loss = binary_cross_entropy_with_logits(self._logits(self._X), self._Y, reduction="sum")
        penalty = self._layers[0].weight.square().sum() + self._layers[1].weight.square().sum()
        cost = (loss + L2 / 2 * penalty) / len(self._X)
        cost.backward()  # type: ignore[no-untyped-call, unused-ignore]
        return cost

    def flat(self) -> Array:
        """Return the parameters in the article's layout."""
        return _article_layout([parameter.detach() for parameter in self.parameters])

    def flat_gradient(self) -> Array:
        """Return the gradient in the article's layout."""
        gradients = [parameter.grad for parameter in self.parameters]
        return _article_layout([gradient for gradient in gradients if gradient is not None])


class TorchEvaluation:
    """Forward and backward pass. Parameters and gradients stay tensors."""

    def __init__(self, case: Case) -> None:
        self._network = Network(case.shape, *case.data(), case.weights())
        self.note = f"{torch.get_num_threads()} threads"

    def evaluate(self) -> torch.Tensor:
        return self._network.cost_and_backward()

    def cost_and_norm(self) -> CostAndNorm:
        cost = self.evaluate().item()
        return CostAndNorm.of(cost, self._network.flat_gradient())


class _Training:
    dtype: DType = "float64"

    def __init__(self) -> None:
        self._X, self._Y = (part.astype(self.dtype) for part in exercise())

    def _network(self, start: Array) -> Network:
        weights = Weights.of(start.astype(self.dtype), EX4_SHAPE)
        return Network(EX4_SHAPE, self._X, self._Y, weights)


class TorchLbfgsTraining(_Training):
    """torch.optim.LBFGS with its strong Wolfe line search. One ``step`` is the whole run."""

    def train(self, start: Array, timer: TargetTimer) -> None:
        with timer:
            network = self._network(start)
            optimizer = torch.optim.LBFGS(
                network.parameters,
                max_iter=100_000,
                tolerance_grad=0.0,
                tolerance_change=0.0,
                history_size=LBFGSB_MEMORY,
                line_search_fn="strong_wolfe",
            )

            def closure() -> torch.Tensor:
                cost = network.cost_and_backward()
                timer.record(cost.item(), network.flat)
                return cost

            optimizer.step(closure)  # type: ignore[no-untyped-call, unused-ignore]


class TorchLbfgsSingleTraining(TorchLbfgsTraining):
    """The same in single precision."""

    dtype = "float32"


class TorchScipyTraining(_Training):
    """PyTorch's gradient in SciPy's L-BFGS-B."""

    def train(self, start: Array, timer: TargetTimer) -> None:
        with timer:
            network = self._network(start)

            def function(x: Array) -> tuple[float, Array]:
                network.set_weights(Weights.of(x, EX4_SHAPE))
                cost = network.cost_and_backward().item()
                return cost, network.flat_gradient()

            minimize(
                recorded(function, timer),
                start,
                method="L-BFGS-B",
                jac=True,
                options=LBFGSB_OPTIONS,
            )


def _article_layout(tensors: list[torch.Tensor]) -> Array:
    """Return weight, bias, weight, bias as one vector: layer by layer, each bias in column 0."""
    pairs = zip(tensors[::2], tensors[1::2], strict=True)
    layers = [torch.cat([bias[:, None], weight], dim=1).ravel() for weight, bias in pairs]
    vector: Array = torch.cat(layers).numpy()
    return vector
