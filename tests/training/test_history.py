"""History and TrainingResult: what they hold, and how they are shown."""

import pickle
from typing import Any

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

import minilayer as ml
from tests.helpers.objectives import Rosenbrock
from tests.helpers.problems import START, overfitting_problem, rosenbrock
from tests.helpers.trainers import Make

ATTRIBUTES: dict[str, type] = {
    "x": np.ndarray,
    "fun": float,
    "jac": np.ndarray,
    "nfev": int,
    "njev": int,
    "nhev": int,
    "nit": int,
    "status": ml.Status,
    "success": bool,
    "message": str,
    "method": str,
    "seconds": float,
    "history": ml.History,
}


def history_of(rows: int, *, validation: bool = False) -> ml.History:
    """Return a history whose numbers follow from the row."""
    history = ml.History()
    for row in range(rows):
        iteration = ml.Iteration(
            iteration=row,
            evaluations=2 * row + 1,
            cost=1 / (row + 1),
            gradient_norm=10.0**-row if row < 300 else 0.0,
            best_cost=1 / (row + 1),
            seconds=row / 100,
            x=np.zeros(2),
            validation_cost=1.0 if validation else None,
            metric=0.5 if validation else None,
        )
        history.append(iteration)
    return history


def test_an_iteration_cannot_be_changed() -> None:
    def change(iteration: ml.Iteration) -> None:
        with pytest.raises(AttributeError):
            iteration.cost = 0.0  # type: ignore[misc]

    result = ml.LBFGS(max_iterations=2).minimize(rosenbrock, START, callback=change)
    assert min(result.history.cost) > 0


# TrainingResult


def test_a_result_has_the_documented_attributes(make: Make) -> None:
    result = make(max_evaluations=30).minimize(Rosenbrock(), START)
    assert isinstance(result, ml.TrainingResult)
    assert isinstance(result, OptimizeResult)
    for name, kind in ATTRIBUTES.items():
        assert isinstance(getattr(result, name), kind), name
        assert result[name] is getattr(result, name)
    assert result.best_iteration is None
    assert result.nfev == result.njev
    cost, gradient = rosenbrock(result.x)
    assert result.fun == cost
    np.testing.assert_array_equal(result.jac, gradient)
    assert result.history.iteration[-1] == result.nit
    assert result.message.startswith(f"{make().name}: ")
    assert result.method.startswith(make().name)


def test_a_result_with_validation_has_its_best_iteration(make: Make) -> None:
    objective, X, labels = overfitting_problem()
    validation = ml.Validation(X, labels)
    result = make(max_evaluations=20).minimize(objective, validation=validation)
    assert isinstance(result.best_iteration, int)
    assert repr(result).splitlines()[-1] == f"best_iteration: {result.best_iteration}"


@pytest.mark.parametrize(
    ("trainer", "method"),
    [
        (ml.LBFGS(), "L-BFGS, plain"),
        (ml.LBFGS(precondition=True), "L-BFGS, preconditioned"),
        (ml.GradientDescent(), "gradient descent"),
        (ml.ScipyTrainer(), "L-BFGS-B"),
        (ml.ScipyTrainer("TNC"), "TNC"),
    ],
    ids=repr,
)
def test_a_result_names_the_algorithm_that_ran(trainer: ml.Trainer, method: str) -> None:
    assert trainer.minimize(rosenbrock, START).method == method


def result_of(rows: int, **changes: Any) -> ml.TrainingResult:
    fields = {
        "x": np.zeros(10_285),
        "fun": 0.25,
        "jac": np.array([3.0, 4.0]),
        "nfev": 2 * rows,
        "njev": 2 * rows,
        "nhev": 7,
        "nit": rows - 1,
        "status": ml.Status.MAX_ITERATIONS,
        "success": False,
        "message": "L-BFGS: the budget of 2999 iterations is used up",
        "method": "L-BFGS, plain",
        "seconds": 1.5,
        "history": history_of(rows),
        "best_iteration": None,
    }
    return ml.TrainingResult(**{**fields, **changes})


@pytest.mark.parametrize("rows", [0, 1, 20, 3000])
def test_the_repr_of_a_result_is_short_whatever_the_history(rows: int) -> None:
    lines = repr(result_of(rows)).splitlines()
    assert len(lines) <= 25
    assert all(len(line) <= 100 for line in lines)


def test_the_repr_of_a_result_shows_what_matters() -> None:
    assert repr(result_of(3000, best_iteration=12)).splitlines() == [
        "  message: L-BFGS: the budget of 2999 iterations is used up",
        "   method: L-BFGS, plain",
        "  success: False",
        "   status: MAX_ITERATIONS (2)",
        "      fun: 0.25",
        "      jac: array of shape (2,), norm 5.000e+00",
        "        x: array of shape (10285,)",
        "      nit: 2999",
        "     nfev: 6000",
        "     nhev: 7",
        "  seconds: 1.5",
        "  history: 3000 rows: print(result.history)",
        "best_iteration: 12",
    ]


def test_a_result_can_be_pickled() -> None:
    result = ml.LBFGS(max_iterations=3).minimize(rosenbrock, START)
    twin = pickle.loads(pickle.dumps(result))
    assert type(twin) is ml.TrainingResult
    assert repr(twin) == repr(result)
    assert twin.history == result.history


# History


def test_the_repr_of_a_long_history_shows_its_ends() -> None:
    history = history_of(3000)
    lines = repr(history).splitlines()
    every = str(history).splitlines()
    assert len(lines) == 1 + 8 + 1 + 8
    assert lines[:9] == every[:9]
    assert lines[9].strip() == "..."
    assert lines[10:] == every[-8:]


@pytest.mark.parametrize("rows", [1, 2, 16])
def test_the_repr_of_a_short_history_is_the_whole(rows: int) -> None:
    history = history_of(rows)
    assert repr(history) == str(history)
    assert len(repr(history).splitlines()) == 1 + rows


def test_print_shows_every_row() -> None:
    lines = str(history_of(3000)).splitlines()
    assert len(lines) == 3001
    assert lines[0].split() == ["iteration", "evaluations", "cost", "|gradient|", "seconds"]
    assert lines[1].split() == ["0", "1", "1", "1.000e+00", "0.00"]
    assert lines[3000].split()[:2] == ["2999", "5999"]
    assert len({len(line) for line in lines}) == 1


def test_columns_of_a_validation_are_shown_if_there_is_one() -> None:
    lines = str(history_of(2, validation=True)).splitlines()
    assert lines[0].split()[4:6] == ["validation", "metric"]
    assert lines[1].split()[4:6] == ["1", "0.5"]
    assert len({len(line) for line in lines}) == 1


def test_columns_are_lists_of_numbers() -> None:
    history = history_of(4)
    assert len(history) == 4
    assert history.iteration == [0, 1, 2, 3]
    assert history.evaluations == [1, 3, 5, 7]
    assert history.validation_cost == history.metric == []
    assert set(history.columns()) == {
        "iteration",
        "evaluations",
        "cost",
        "gradient_norm",
        "validation_cost",
        "metric",
        "seconds",
    }


def test_the_repr_of_an_iteration_leaves_out_its_point() -> None:
    iterations: list[ml.Iteration] = []
    ml.LBFGS(max_iterations=1).minimize(rosenbrock, START, callback=iterations.append)
    assert "x=" not in repr(iterations[0])
    assert repr(iterations[0]).startswith("Iteration(iteration=1, evaluations=")
