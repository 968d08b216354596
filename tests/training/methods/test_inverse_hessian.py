"""InverseHessian against BFGS's update of the whole matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilayer.training.methods.inverse_hessian import ExpectedPairs, InverseHessian
from minilayer.utils.types import Array


class Fixed:
    """A preconditioner that is a matrix."""

    def __init__(self, P: Array) -> None:
        self.P = P

    def refresh(self, x: Array, /) -> None:
        """Do nothing: the matrix is the same everywhere."""

    def __call__(self, v: Array, /) -> Array:
        return np.asarray(self.P @ v)


@given(
    seed=st.integers(0, 1000),
    memory=st.integers(1, 6),
    pairs=st.integers(0, 9),
    preconditioned=st.booleans(),
)
def test_products_are_those_of_the_bfgs_matrix(
    seed: int, memory: int, pairs: int, preconditioned: bool
) -> None:
    """The matrix is updated by H <- (I - s y'/s'y) H (I - y s'/s'y) + s s'/s'y."""
    size = 7
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((size, size))
    P = root @ root.T + np.eye(size) if preconditioned else np.eye(size)
    preconditioner = Fixed(P) if preconditioned else None
    inverse_hessian = InverseHessian(memory, size)
    kept: list[tuple[Array, Array]] = []
    for _ in range(pairs):
        s, y = rng.standard_normal((2, size))
        inverse_hessian.add(s, y)
        if s @ y > 0:
            kept.append((s, y))
    kept = kept[-memory:]
    assert len(inverse_hessian) == len(kept)
    H = P.copy()
    if kept:
        s, y = kept[-1]
        H *= (s @ y) / (y @ P @ y)
    for s, y in kept:
        left = np.eye(size) - np.outer(s, y) / (s @ y)
        H = left @ H @ left.T + np.outer(s, s) / (s @ y)
    v = rng.standard_normal(size)
    found = inverse_hessian.dot(v, preconditioner)
    np.testing.assert_allclose(found, H @ v, rtol=1e-6, atol=1e-6 * np.abs(H).max())
    again = InverseHessian(memory, size)
    again.restore(inverse_hessian.snapshot()())
    np.testing.assert_array_equal(again.dot(v, preconditioner), found)
    s, y = rng.standard_normal((2, size))
    for one in (inverse_hessian, again):
        one.add(s, y)
    np.testing.assert_array_equal(
        again.dot(v, preconditioner), inverse_hessian.dot(v, preconditioner)
    )


@pytest.mark.parametrize("memory", [1, 3])
def test_a_snapshot_outlives_the_next_pair(memory: int) -> None:
    """A run takes a snapshot at the end of an iteration, and may need it during the next one."""
    rng = np.random.default_rng(0)
    inverse_hessian = InverseHessian(memory, 5)
    for _ in range(7):
        step = rng.standard_normal(5)
        state = inverse_hessian.snapshot()
        before = state()
        inverse_hessian.add(step, step * [1.0, 2.0, 3.0, 4.0, 5.0])
        after = state()
        assert before.keys() == after.keys()
        for name, value in before.items():
            np.testing.assert_array_equal(after[name], value)
    state = inverse_hessian.snapshot()
    inverse_hessian.clear()
    assert not inverse_hessian
    inverse_hessian.add(step, step)
    assert len(state()["steps"]) == memory


def test_pairs_of_earlier_checkpoints_are_taken_up() -> None:
    """They are not scaled, and have the inverse of each pair's product instead."""
    steps = np.random.default_rng(0).standard_normal((4, 3))
    changes = steps * [1.0, 2.0, 3.0]
    products = 1 / np.einsum("ij,ij->i", steps, changes)
    state = {"steps": steps, "changes": changes, "inverse_products": products}
    inverse_hessian = InverseHessian(3, 3)
    inverse_hessian.restore(ExpectedPairs(3).checked(state, "pairs"))
    expected = InverseHessian(3, 3)
    for step, change in zip(steps, changes, strict=True):
        expected.add(step, change)
    v = np.ones(3)
    np.testing.assert_array_equal(inverse_hessian.dot(v, None), expected.dot(v, None))


def test_pairs_of_no_curvature_are_left_out() -> None:
    inverse_hessian = InverseHessian(5, 2)
    step = np.array([1.0, 0.0])
    for change in ([0.0, 1.0], [-1.0, 0.0], [1e-12, 1.0], [np.nan, 1.0]):
        inverse_hessian.add(step, np.array(change))
        assert not inverse_hessian
    inverse_hessian.add(1e-160 * step, 1e-150 * step)  # 1 / s'y would be infinite
    assert not inverse_hessian
    inverse_hessian.add(step, np.array([1e-9, 1.0]))
    assert len(inverse_hessian) == 1


def test_a_pair_whose_scale_is_too_small_for_a_number_is_used_without_it() -> None:
    inverse_hessian = InverseHessian(5, 2)
    step = np.array([1.0, 2.0])
    inverse_hessian.add(step, 1e-200 * step)
    product = inverse_hessian.dot(np.array([2.0, -1.0]), Fixed(np.zeros((2, 2))))
    np.testing.assert_array_equal(product, 0.0)  # not NaN, although y'Py is 0
