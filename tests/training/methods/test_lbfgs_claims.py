"""What LBFGS says at the end of a run: never a minimum where there is none."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from minilayer.training import CostAndGradient
from minilayer.utils.types import Array
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.problems import KNOWN_MINIMA

SLOPE = np.array([1.0, -2.0])


def linear(x: Array) -> tuple[float, Array]:
    return float(SLOPE @ x), SLOPE


def saddle(x: Array) -> tuple[float, Array]:
    return float(x[0] ** 2 - x[1] ** 2) / 2, np.array([x[0], -x[1]])


def quartic_hill(x: Array) -> tuple[float, Array]:
    square = float(x @ x)
    return -(square**2), -4 * square * x


def logarithm_of_nothing(x: Array) -> tuple[float, Array]:
    """Infinitely low for x <= 1, where a user's logarithm has underflowed."""
    if x[0] <= 1:
        return -math.inf, np.array([math.inf, 0.0])
    return math.log(x[0] - 1), np.array([1 / (x[0] - 1), 0.0])


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e6])
@pytest.mark.parametrize("function", [linear, saddle, quartic_hill])
def test_an_unbounded_cost_has_a_status_of_its_own(function: CostAndGradient, scale: float) -> None:
    def scaled(x: Array) -> tuple[float, Array]:
        cost, gradient = function(x)
        return scale * cost, scale * gradient

    result = ml.LBFGS().minimize(scaled, [3.0, 1.0])
    assert (result.status, result.success) == (ml.Status.UNBOUNDED, False)
    assert result.fun < -1e20
    assert np.isfinite(result.x).all()
    assert re.fullmatch(
        r"L-BFGS: the cost has fallen to -\S+: the objective seems unbounded below", result.message
    )
    assert result.nfev < 120


def test_a_cost_of_minus_infinity_is_unbounded() -> None:
    result = ml.LBFGS().minimize(logarithm_of_nothing, [1.5, 0.0])
    assert result.status == ml.Status.UNBOUNDED
    assert math.isfinite(result.fun)
    assert result.message.endswith("gave cost -inf: the objective is unbounded below")


@pytest.mark.parametrize("offset", [1e19, -1e19])
def test_a_low_cost_is_not_unbounded_if_it_was_low_at_the_start(offset: float) -> None:
    def far_down(x: Array) -> tuple[float, Array]:
        return 1e17 * float(x @ x) + offset, 2e17 * x

    result = ml.LBFGS().minimize(far_down, [30.0, -20.0])
    assert result.success
    assert result.fun == offset


def test_a_minimum_that_is_far_away_is_not_unbounded() -> None:
    def wide(x: Array) -> tuple[float, Array]:
        return 1e10 * float((x / 1e13 - 3) @ (x / 1e13 - 3)), 2e-3 * (x / 1e13 - 3)

    result = ml.LBFGS(tolerance=1e-9).minimize(wide, [0.0, 0.0])
    assert result.status == ml.Status.CONVERGED
    np.testing.assert_allclose(result.x, 3e13, rtol=1e-5)


def kink(x: Array) -> tuple[float, Array]:
    """As two ReLUs that share a kink: abs(x0) + 2 abs(x1)."""
    signs = np.where(x > 0, 1.0, -1.0) * [1.0, 2.0]
    return float(np.abs(x) @ [1.0, 2.0]) + 1.0, signs


def test_a_kink_is_no_failure() -> None:
    result = ml.LBFGS().minimize(kink, [0.7, -0.3])
    assert (result.status, result.success) == (ml.Status.STALLED, True)
    assert result.fun == pytest.approx(1.0)
    assert result.message.endswith(
        "no lower cost down the gradient, whose norm is 2.24: a kink or rounding"
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_network_of_relus_is_not_sent_to_check_gradient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.lognormal(3, 3, (60, 4))  # raw columns: the kinks are close together
    labels = rng.integers(0, 2, 60)
    model = ml.mlp(4, 6, 1, hidden=ml.ReLU, output=ml.Sigmoid, initializer=ml.Glorot(), seed=seed)
    objective = ml.Objective(model, X, labels, ml.BinaryCrossEntropy(), l2=1.0)
    result = ml.LBFGS().minimize(objective)
    assert result.status == ml.Status.STALLED
    assert result.success
    assert "check_gradient" not in result.message
    assert "gradient" in result.message


def test_rounding_is_no_failure() -> None:
    def rounded(x: Array) -> tuple[float, Array]:
        return 1e12 + float(x @ x), 2 * x  # what is below 1e-4 is lost

    result = ml.LBFGS(tolerance=1e-9).minimize(rounded, [3.0, 1.0])
    assert result.success
    assert result.fun == 1e12


@pytest.mark.parametrize("share", [-1.0, 0.5])
def test_a_wrong_gradient_fails(share: float) -> None:
    """Of the penalty, only a share is in the gradient; or all of it, with the wrong sign."""

    def wrong(x: Array) -> tuple[float, Array]:
        return float((x - 3) @ (x - 3) + 2 * x @ x), 2 * (x - 3) + share * 4 * x

    result = ml.LBFGS().minimize(wrong, [1.0, 1.1])
    assert (result.status, result.success) == (ml.Status.FAILED, False)
    assert result.message.endswith("check_gradient tells if it is wrong")


def test_the_two_ends_are_told_apart() -> None:
    def bowl(x: Array) -> tuple[float, Array]:
        return 1 + float(x @ x) ** 4, 8 * float(x @ x) ** 3 * x

    flat = ml.LBFGS(tolerance=1e-3).minimize(bowl, [1.0, 1.0])
    assert flat.status == ml.Status.CONVERGED
    assert flat.message == "L-BFGS: the gradient norm is within the tolerance of 0.001"
    slow = ml.LBFGS(tolerance=0, cost_tolerance=1e-2).minimize(bowl, [1.0, 1.0])
    assert slow.status == ml.Status.STALLED
    norm = np.linalg.norm(bowl(slow.x)[1])
    assert slow.message == (
        "L-BFGS: 10 iterations lowered the cost by no more than 0.01 of itself; "
        f"the gradient norm is {norm:.3g}"
    )


def test_no_claim_before_a_try_without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last ten iterations begin where the secant pairs were forgotten."""
    cleared: list[int] = []
    memory = ml.training.methods.inverse_hessian.InverseHessian
    clear = memory.clear
    evaluations = 0

    def bowl(x: Array) -> tuple[float, Array]:
        nonlocal evaluations
        evaluations += 1
        return 1 + float(x @ x) ** 4, 8 * float(x @ x) ** 3 * x

    def recorded(self: object) -> None:
        cleared.append(evaluations)
        clear(self)  # type: ignore[arg-type]

    monkeypatch.setattr(memory, "clear", recorded)
    result = ml.LBFGS(tolerance=0, cost_tolerance=1e-2).minimize(bowl, [1.0, 1.0])
    assert len(cleared) == 1
    assert result.history.evaluations[-11] == cleared[0]


def test_a_claim_is_about_the_point_that_is_returned() -> None:
    """Also where costs are equal, to the last digit."""

    def rounded(x: Array) -> tuple[float, Array]:
        return 1e8 + float(x @ x), 2 * x

    result = ml.LBFGS().minimize(rounded, [3e-4, 1e-4])
    assert result.status == ml.Status.CONVERGED
    assert np.linalg.norm(rounded(result.x)[1]) <= 1e-5


def test_a_checkpoint_without_the_cost_at_the_restart_resumes(tmp_path: Path) -> None:
    """As minilayer wrote them before it had one."""
    path = tmp_path / "run.h5"
    ml.LBFGS(max_iterations=5).minimize(KNOWN_MINIMA["logistic"]().objective, checkpoint=path)
    state = ml.load_state(path)
    del state["method"]["restart_cost"]
    ml.save(ml.load(path), path, state=state)
    resumed = ml.LBFGS().minimize(KNOWN_MINIMA["logistic"]().objective, checkpoint=path)
    whole = ml.LBFGS().minimize(KNOWN_MINIMA["logistic"]().objective)
    np.testing.assert_equal(same_in_every_run(resumed), same_in_every_run(whole))
