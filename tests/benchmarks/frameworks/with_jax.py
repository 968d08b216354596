"""JAX: a jitted value_and_grad, compiled before the first turn, on XLA's own threads."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..case import L2, Case, CostAndNorm


class JaxEvaluation:
    """Cost and gradients at parameters that stay JAX arrays."""

    note = ""

    def __init__(self, case: Case) -> None:
        x64 = case.dtype == "float64"
        jax.config.update("jax_enable_x64", x64)  # type: ignore[no-untyped-call, unused-ignore]
        self._data = [jnp.asarray(part) for part in case.data()]
        self._parameters = [
            (jnp.asarray(theta[:, 1:]), jnp.asarray(theta[:, 0])) for theta in case.weights()
        ]
        function = jax.jit(jax.value_and_grad(_cost))
        self._compiled = function.lower(self._parameters, *self._data).compile()

    def evaluate(self) -> Any:
        result = self._compiled(self._parameters, *self._data)
        return jax.block_until_ready(result)  # type: ignore[no-untyped-call, unused-ignore]

    def cost_and_norm(self) -> CostAndNorm:
        cost, gradients = self.evaluate()
        parts = [np.ravel(leaf) for leaf in jax.tree.leaves(gradients)]
        return CostAndNorm.of(cost, np.concatenate(parts))


def _cost(parameters: Any, X: jax.Array, Y: jax.Array) -> jax.Array:
    (weight1, bias1), (weight2, bias2) = parameters
    hidden = jax.nn.sigmoid(X @ weight1.T + bias1)
    logits = hidden @ weight2.T + bias2
    loss = jnp.sum(jax.nn.softplus(logits) - Y * logits)
    penalty = jnp.sum(weight1**2) + jnp.sum(weight2**2)
    return (loss + L2 / 2 * penalty) / len(X)
