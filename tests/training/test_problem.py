"""The protocol between trainers and objectives: its wrapper, its refusals, and duck typing."""

import inspect
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.training.problem import as_problem
from minilayer.utils.types import Array
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.objectives import Recorded, Rosenbrock
from tests.helpers.paths import ROOT
from tests.helpers.problems import (
    START,
    overfitting_problem,
    random_objective,
    rosenbrock,
    rosenbrock_hessian,
    xor,
)
from tests.helpers.trainers import HESSIAN_METHODS, TRAINERS, Make

MEMBERS = sorted(
    name
    for name in {*vars(ml.Problem), *ml.Problem.__annotations__}
    if name == "__call__" or not name.startswith("_")
)
"""All that the protocol asks for."""


def test_the_protocol_has_members() -> None:
    assert {"__call__", "x0", "l2", "rows", "model", "hessp", "fingerprint"} <= set(MEMBERS)
    assert len(MEMBERS) >= 12


@pytest.mark.parametrize("name", MEMBERS)
def test_wrapper_and_objective_have_every_member_of_the_protocol(name: str) -> None:
    assert name in vars(ml.ProblemWrapper)
    assert hasattr(random_objective(), name)


@pytest.mark.parametrize(
    "name", [name for name in MEMBERS if inspect.isfunction(vars(ml.Problem)[name])]
)
def test_wrapper_and_objective_take_the_arguments_of_the_protocol(name: str) -> None:
    names = [
        parameter.name
        for parameter in inspect.signature(vars(ml.Problem)[name]).parameters.values()
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    ]
    for owner in (ml.ProblemWrapper, ml.Objective):
        found = list(inspect.signature(vars(owner)[name]).parameters)
        assert found[: len(names)] == names


def test_only_the_protocols_module_asks_what_an_objective_has() -> None:
    question = re.compile(r"(hasattr|getattr)\((self\._)?objective")
    files = sorted((ROOT / "minilayer").rglob("*.py"))
    assert len(files) > 50
    places = [str(file) for file in files if question.search(file.read_text(encoding="utf-8"))]
    assert places == []
    # The protocol's module says self.objective, which is what it wraps.
    question = re.compile(r"(hasattr|getattr)\((self\.|self\._)?(objective|problem)\b")
    found = {file for file in files if question.search(file.read_text(encoding="utf-8"))}
    assert found == {ROOT / "minilayer" / "training" / "problem.py"}


# A wrapper inherits every capability


class Unchanged(ml.ProblemWrapper):
    """Overrides nothing."""


class Counted(ml.ProblemWrapper):
    """Overrides the evaluation, and names no other capability."""

    def __init__(self, objective: Any) -> None:
        super().__init__(objective)
        self.calls = 0

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        self.calls += 1
        return super().__call__(x)


WRAPPERS: dict[str, Callable[[Any], ml.ProblemWrapper]] = {
    "unchanged": Unchanged,
    "counted": Counted,
    "wrapper of a wrapper": lambda objective: Counted(Unchanged(Counted(objective))),
    "recorded wrapper": lambda objective: Recorded(Counted(objective)),
}


@pytest.fixture(params=WRAPPERS)
def wrap(request: pytest.FixtureRequest) -> Callable[[Any], ml.ProblemWrapper]:
    """Return each way to wrap an objective."""
    return WRAPPERS[request.param]


RUNS: dict[str, Callable[[], ml.Trainer]] = {
    "L-BFGS preconditioned": lambda: ml.LBFGS(max_evaluations=40),
    "minibatches": lambda: ml.GradientDescent(
        0.1, rule=ml.Adam(), batch_size=6, max_evaluations=40
    ),
    "Hessian products": lambda: ml.ScipyTrainer("Newton-CG", max_evaluations=40),
    "Gauss-Newton products": lambda: ml.ScipyTrainer(
        "trust-krylov", gauss_newton=True, max_evaluations=40
    ),
    "L-BFGS-B": lambda: ml.ScipyTrainer(max_evaluations=40),
}


@pytest.mark.parametrize("run", RUNS)
def test_training_a_wrapper_gives_the_bits_of_the_objective(
    run: str, wrap: Callable[[Any], ml.ProblemWrapper]
) -> None:
    objective, X, labels = overfitting_problem()
    start = objective.x0
    validation = ml.Validation(X, labels)
    expected = RUNS[run]().minimize(objective, validation=validation)
    np.testing.assert_array_equal(objective.model.parameters, expected.x)
    objective.set_parameters(start)
    found = RUNS[run]().minimize(wrap(objective), validation=validation)
    np.testing.assert_equal(same_in_every_run(found), same_in_every_run(expected))
    np.testing.assert_array_equal(objective.model.parameters, expected.x)
    assert found.method == expected.method
    if run == "L-BFGS preconditioned":
        assert found.method == "L-BFGS, preconditioned"
    if "products" in run:
        assert found.nhev > 0


@pytest.mark.parametrize("run", RUNS)
def test_a_wrapper_resumes_the_run_of_the_objective_and_the_reverse(
    run: str, wrap: Callable[[Any], ml.ProblemWrapper], tmp_path: Path
) -> None:
    """The checkpoint does not tell them apart: the wrapper has the objective's fingerprint."""
    whole = RUNS[run]().minimize(xor_with_penalty())
    for number, first_wraps in enumerate((True, False)):
        path = tmp_path / f"{number}.h5"
        first = wrap(xor_with_penalty()) if first_wraps else xor_with_penalty()
        second = xor_with_penalty() if first_wraps else wrap(xor_with_penalty())
        trainer = RUNS[run]()
        part = partial(trainer.minimize, checkpoint=path)
        part(first, callback=stop_at_the_fourth)
        result = part(second)
        np.testing.assert_equal(same_in_every_run(result), same_in_every_run(whole))


def xor_with_penalty() -> ml.Objective:
    """Return an objective of 24 rows, so that minibatches of six fit."""
    known = xor().objective
    X, Y = known.head(4)
    repeated = (np.tile(X, (6, 1)), np.tile(Y, (6, 1)))
    return ml.Objective(known.model, *repeated, ml.BinaryCrossEntropy(), l2=1e-2)


def stop_at_the_fourth(iteration: ml.Iteration) -> None:
    if iteration.iteration == 4:
        raise StopIteration


def test_a_wrapper_returns_the_members_of_its_objective(
    wrap: Callable[[Any], ml.ProblemWrapper],
) -> None:
    objective = random_objective(rows=12)
    wrapper = wrap(objective)
    x = objective.x0 + 0.1
    v = np.arange(x.size, dtype=float)
    assert wrapper.l2 == objective.l2 == 0.7
    assert wrapper.rows == 12
    assert wrapper.model is objective.model
    assert wrapper.fingerprint() == objective.fingerprint()
    np.testing.assert_array_equal(wrapper.x0, objective.x0)
    for gauss_newton in (False, True):
        found = wrapper.hessp(x, v, gauss_newton=gauss_newton)
        np.testing.assert_array_equal(found, objective.hessp(x, v, gauss_newton=gauss_newton))
    rows = np.array([1, 5])
    np.testing.assert_equal(wrapper.minibatch(x, rows), objective.minibatch(x, rows))
    X, Y = objective.head(3)
    found_rows, rows_ = (one.validation_rows(X, Y) for one in (wrapper, objective))
    np.testing.assert_equal(found_rows(x), rows_(x))
    preconditioner = wrapper.preconditioner()
    assert preconditioner is not None
    preconditioner.refresh(x)
    expected = objective.preconditioner()
    expected.refresh(x)
    np.testing.assert_array_equal(preconditioner(v), expected(v))
    wrapper.require_hessian_support(False)
    assert wrapper.advice(x, success=False) == objective.advice(x, success=False)
    wrapper.set_parameters(x)
    np.testing.assert_array_equal(objective.model.parameters, x)


def test_as_problem_wraps_once() -> None:
    wrapper = Counted(rosenbrock)
    assert as_problem(wrapper) is wrapper
    assert as_problem(rosenbrock).objective is rosenbrock


@pytest.mark.parametrize("objective", [3, "cost", None, np.ones(2)], ids=str)
def test_what_cannot_be_called_is_refused(objective: Any) -> None:
    expected = (
        r"^objective: expected a function x -> \(cost, gradient\), "
        r"such as Objective\(model, X, Y, loss\), found "
    )
    for wrap in (ml.ProblemWrapper, as_problem):
        with pytest.raises(TypeError, match=expected):
            wrap(objective)


# What a plain function lacks


class Plain:
    """A callable with a repr that a test can write down."""

    def __call__(self, x: Array) -> tuple[float, Array]:
        return rosenbrock(x)

    def __repr__(self) -> str:
        return "plain"


NO_HESSP = "objective: expected one with hessp(x, v), as the method needs Hessian products"
REFUSALS: dict[str, tuple[Callable[[ml.ProblemWrapper], object], str]] = {
    "rows": (lambda p: p.rows, "batch_size: expected an Objective, which has rows"),
    "model": (lambda p: p.model, "checkpoint: expected an Objective with a model"),
    "fingerprint": (
        lambda p: p.fingerprint(),
        "checkpoint: expected an Objective with a fingerprint",
    ),
    "hessp": (lambda p: p.hessp(np.ones(2), np.ones(2)), NO_HESSP),
    "require_hessian_support": (lambda p: p.require_hessian_support(False), NO_HESSP),
    "minibatch": (
        lambda p: p.minibatch(np.ones(2), np.arange(2)),
        "batch_size: expected an Objective, which has minibatches",
    ),
    "validation_rows": (
        lambda p: p.validation_rows([[1.0]], [1]),
        "validation: expected an Objective, which can evaluate other rows",
    ),
}


@pytest.mark.parametrize("member", REFUSALS)
def test_what_a_function_lacks_is_refused_by_name(
    member: str, wrap: Callable[[Any], ml.ProblemWrapper]
) -> None:
    ask, expected = REFUSALS[member]
    with pytest.raises(TypeError) as caught:
        ask(wrap(Plain()))
    assert str(caught.value) == f"{expected}, found plain"
    is_curvature = member == "require_hessian_support"
    assert isinstance(caught.value, ml.CurvatureError) is is_curvature


def test_what_a_function_may_lack_has_a_default(wrap: Callable[[Any], ml.ProblemWrapper]) -> None:
    problem = wrap(Plain())
    assert problem.x0 is None
    assert problem.l2 == 0
    assert problem.preconditioner() is None
    assert problem.advice(np.ones(2), success=False) == ""
    assert problem.progress_note() == ""
    assert problem.loss is None
    problem.set_parameters(np.ones(2))


def test_refusals_and_defaults_are_all_members() -> None:
    defaults = {"x0", "l2", "loss", "preconditioner", "set_parameters", "advice", "identity"}
    defaults |= {"shuffled_rows", "progress_note"}
    assert {*REFUSALS, "__call__", *defaults} == set(MEMBERS)


@pytest.mark.parametrize(
    ("trainer", "options", "member"),
    [
        (ml.GradientDescent(batch_size=1), {}, "rows"),
        (ml.LBFGS(), {"checkpoint": "run.h5"}, "model"),
        (ml.ScipyTrainer("Newton-CG"), {}, "require_hessian_support"),
        (ml.ScipyTrainer("trust-constr", gauss_newton=True), {}, "require_hessian_support"),
        (ml.LBFGS(), {"validation": ml.Validation([[1.0]], [1])}, "validation_rows"),
    ],
    ids=repr,
)
def test_minimize_refuses_a_function_by_the_same_text(
    trainer: ml.Trainer,
    options: dict[str, Any],
    member: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError) as caught:
        trainer.minimize(Plain(), START, **options)
    assert str(caught.value) == f"{REFUSALS[member][1]}, found plain"
    assert list(tmp_path.iterdir()) == []


def test_lbfgs_preconditions_a_function_without_a_preconditioner_by_the_identity() -> None:
    expected = ml.LBFGS().minimize(rosenbrock, START)
    found = ml.LBFGS(precondition=True).minimize(rosenbrock, START)
    np.testing.assert_array_equal(found.x, expected.x)


# Objectives that derive from nothing: as_problem takes what they offer


NEED_PRODUCTS = {*HESSIAN_METHODS[1:], "Newton-CG by Gauss-Newton"}


@pytest.mark.parametrize("trainer", [name for name in TRAINERS if name not in NEED_PRODUCTS])
def test_a_function_is_enough(trainer: str) -> None:
    result = TRAINERS[trainer](max_evaluations=9).minimize(rosenbrock, START)
    assert result.nfev == 9
    assert result.fun < rosenbrock(np.array(START))[0]


class WithStart:
    """An objective with a start that takes the result."""

    def __init__(self) -> None:
        self.x0 = np.array(START)

    def __call__(self, x: Array) -> tuple[float, Array]:
        return rosenbrock(x)

    def set_parameters(self, x: Array) -> None:
        self.x0 = x


@pytest.mark.parametrize(
    "trainer", [ml.LBFGS(max_evaluations=9), ml.ScipyTrainer("BFGS")], ids=repr
)
def test_x0_and_set_parameters_are_used_without_the_rest(trainer: ml.Trainer) -> None:
    objective = WithStart()
    result = trainer.minimize(objective)
    assert result.history.cost[0] == rosenbrock(np.array(START))[0]
    np.testing.assert_array_equal(objective.x0, result.x)


class WithProducts:
    """An objective with Hessian products and nothing else."""

    def __init__(self) -> None:
        self.products: list[dict[str, bool]] = []

    def __call__(self, x: Array) -> tuple[float, Array]:
        return rosenbrock(x)

    def hessp(self, x: Array, v: Array, **options: bool) -> Array:
        self.products.append(options)
        return np.asarray(rosenbrock_hessian(x, **options) @ v)


@pytest.mark.parametrize("method", HESSIAN_METHODS)
def test_hessp_is_used_without_the_rest(method: str) -> None:
    objective = WithProducts()
    result = ml.ScipyTrainer(method).minimize(objective, START)
    assert result.nhev == len(objective.products) > 0
    assert all(options == {} for options in objective.products)
    expected = ml.ScipyTrainer(method).minimize(Rosenbrock(), START)
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(expected))


def test_hessp_without_gauss_newton_is_not_asked_for_it() -> None:
    """A user's hessp(x, v) need not know the keyword."""

    class TwoArguments(WithProducts):
        def hessp(self, x: Array, v: Array) -> Array:  # type: ignore[override]
            return super().hessp(x, v)

    assert ml.ScipyTrainer("Newton-CG").minimize(TwoArguments(), START).success


class WithMinibatches:
    """A mean of ten parabolas, with rows and minibatches and no more."""

    rows = 10

    def __init__(self) -> None:
        self.centres = np.linspace(-1.0, 1.0, self.rows)[:, None] * np.ones(2) + 3

    def __call__(self, x: Array) -> tuple[float, Array]:
        return self.minibatch(x, np.arange(self.rows))

    def minibatch(self, x: Array, rows: Array) -> tuple[float, Array]:
        away = x - self.centres[rows]
        return float(np.sum(away**2)) / (2 * len(rows)), away.mean(axis=0)


def test_rows_and_minibatch_are_used_without_the_rest() -> None:
    trainer = ml.GradientDescent(
        0.2, batch_size=5, schedule=ml.CosineDecay(60), max_iterations=60, tolerance=0
    )
    result = trainer.minimize(WithMinibatches(), [0.0, 0.0])
    assert result.nit == 60
    np.testing.assert_allclose(result.x, 3, atol=0.05)


class Delegating:
    """A wrapper that derives from nothing and delegates all it does not know."""

    def __init__(self, objective: ml.Objective) -> None:
        self.wrapped = objective
        self.calls = 0

    def __call__(self, x: Array) -> tuple[float, Array]:
        self.calls += 1
        return self.wrapped(x)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)


def test_a_wrapper_that_delegates_by_getattr_trains_like_its_objective(make: Make) -> None:
    expected = make(max_evaluations=9).minimize(xor().objective)
    delegating = Delegating(xor().objective)
    result = make(max_evaluations=9).minimize(delegating)
    assert delegating.calls == result.nfev
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(expected))
    np.testing.assert_array_equal(delegating.wrapped.model.parameters, result.x)


@pytest.mark.parametrize("run", RUNS)
def test_a_wrapper_that_delegates_by_getattr_has_every_capability(run: str, tmp_path: Path) -> None:
    objective, X, labels = overfitting_problem()
    start = objective.x0
    validation = ml.Validation(X, labels)
    expected = RUNS[run]().minimize(objective, validation=validation)
    objective.set_parameters(start)
    found = RUNS[run]().minimize(
        Delegating(objective), validation=validation, checkpoint=tmp_path / "run.h5"
    )
    np.testing.assert_equal(same_in_every_run(found), same_in_every_run(expected))
    np.testing.assert_array_equal(ml.load(tmp_path / "run.h5").parameters, found.x)
