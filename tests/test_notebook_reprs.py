"""What a notebook shows of models and results: valid, small, safe, and the numbers are right."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

import minilayer as ml
from minilayer.testing import GradientReport
from minilayer.utils.types import Array
from tests.helpers.html import charts_of, element_of, points_of, texts_of
from tests.helpers.problems import XOR_INPUTS, XOR_TARGETS, overfitting_problem, xor_model

EVIL = "<script>alert('&\"')</script>"


def html_of(value: Any) -> str:
    html = value._repr_html_()
    texts_of(html)
    return cast(str, html)


def rows_of(html: str) -> list[list[str]]:
    rows = element_of(html).findall(".//tr")
    return [["".join(cell.itertext()) for cell in row] for row in rows]


def long_history(rows: int) -> ml.History:
    rng = np.random.default_rng(0)
    steps = list(range(rows))
    costs = (1 / (1 + np.arange(rows)) + 0.1 * rng.random(rows)).tolist()
    return ml.History(
        iteration=steps,
        evaluations=[step + 1 for step in steps],
        cost=costs,
        gradient_norm=costs,
        validation_cost=costs,
        metric=costs,
        seconds=costs,
    )


def result_of(**changes: Any) -> ml.TrainingResult:
    result = ml.LBFGS().minimize(lambda x: (float(x @ x), 2 * x), [3.0, 4.0])
    return ml.TrainingResult({**result, **changes})


# A model


def test_a_model_is_a_table_of_its_layers() -> None:
    model = ml.mlp(400, 25, 10, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=0)
    assert rows_of(html_of(model)) == [
        ["", "layer", "shapes", "output", "parameters"],
        ["0", "Dense(400, 25)", "theta (25, 401)", "(m, 25)", "10,025"],
        ["1", "Sigmoid()", "", "(m, 25)", ""],
        ["2", "Dense(25, 10)", "theta (10, 26)", "(m, 10)", "260"],
        ["3", "Sigmoid()", "", "(m, 10)", ""],
        ["", "total", "", "", "10,285"],
    ]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            ml.mlp(400, 25, 10, hidden=ml.Tanh, output=ml.Softmax, seed=0),
            ["400", "Dense", "25", "Tanh", "Dense", "10", "Softmax"],
        ),
        (
            ml.Sequential([ml.Standardize([0, 1], [1, 1]), ml.Dense(2, 2), ml.Tanh(), ml.ReLU()]),
            ["2", "Standardize", "Dense", "2", "Tanh, ReLU"],
        ),
        (
            ml.mlp(*range(3, 12), seed=0),
            [
                *("3", "Dense", "4", "Tanh", "Dense", "5", "Tanh"),
                *("…", "9", "Tanh", "Dense", "10", "Tanh", "Dense", "11"),
            ],
        ),
    ],
)
def test_the_diagram_has_the_widths_and_the_kinds_of_layers(
    model: ml.Sequential, expected: list[str]
) -> None:
    svg = element_of(html_of(model))[0]
    assert [text for text in svg.itertext() if text][1:] == expected


def test_a_wider_layer_has_a_higher_bar() -> None:
    svg = html_of(ml.mlp(400, 25, 10, seed=0)).split("</svg>")[0]
    heights = [float(bar.split('height="')[1].split('"')[0]) for bar in svg.split("<rect")[1:]]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 3


def test_a_model_of_a_thousand_layers_is_cut() -> None:
    model = ml.mlp(*[3] * 501, hidden=ml.Tanh, output=ml.Tanh, seed=0)
    assert len(model) == 1000
    rows = rows_of(html_of(model))
    assert len(rows) == 19
    assert rows[9][1] == "… 984 more layers: model.summary()"
    assert rows[-1][-1] == "6,000"
    assert rows[-2][0] == "999"


def test_names_of_custom_layers_are_escaped() -> None:
    kind = type(EVIL * 30, (ml.Identity,), {"__doc__": "A layer."})
    shown = type(EVIL, (ml.Identity,), {"__doc__": "A layer.", "__repr__": lambda self: EVIL * 99})
    layers = [ml.Dense(2, 2), *(kind() for _ in range(20)), *(shown() for _ in range(20))]
    html = html_of(ml.Sequential(layers, seed=0))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


# A run


def test_a_result_says_how_the_run_ended() -> None:
    result = result_of()
    html = html_of(result)
    rows = dict(row for row in rows_of(html) if len(row) == 2)
    assert texts_of(html)[0] == result.message
    assert rows["method"] == result.method
    assert rows["status"] == "CONVERGED, success: True"
    assert rows["evaluations"] == str(result.nfev)
    assert rows["iterations"] == str(result.nit)
    assert float(rows["cost"]) == pytest.approx(result.fun)
    assert "Hessian products" not in rows
    assert "best iteration" not in rows


def test_hessian_products_are_counted() -> None:
    objective = ml.Objective(xor_model(), XOR_INPUTS, XOR_TARGETS, ml.BinaryCrossEntropy())
    result = ml.ScipyTrainer("Newton-CG", max_iterations=3).minimize(objective)
    rows = dict(row for row in rows_of(html_of(result)) if len(row) == 2)
    assert int(rows["Hessian products"]) == result.nhev > 0


def test_the_curves_are_those_of_the_history() -> None:
    objective, X, labels = overfitting_problem()
    validation = ml.Validation(X, labels, metric="accuracy")
    result = ml.LBFGS(max_iterations=40).minimize(objective, validation=validation)
    history = result.history
    html = html_of(result)
    costs, metric = charts_of(html)
    training, validated = points_of(costs)
    (accuracy,) = points_of(metric)
    for points, values in (
        (training, history.cost),
        (validated, history.validation_cost),
        (accuracy, history.metric),
    ):
        np.testing.assert_allclose(points[:, 0], history.evaluations, atol=1)
        np.testing.assert_allclose(points[:, 1], values, rtol=0.03, atol=0.01)
    assert f"iteration {result.best_iteration}, the best" in texts_of(html)
    assert html_of(history).count("<svg") == 2
    assert "the best" not in html_of(history)


def test_a_history_begins_with_a_sentence() -> None:
    history = ml.History([0, 1], [1, 3], [0.5, 0.25], [1.0, 0.5], [0.75, 0.5], [0.9, 0.95], [0, 1])
    first = texts_of(html_of(history))[0]
    assert first == (
        "1 iterations, 3 evaluations, cost 0.5 to 0.25, validation cost 0.5, metric 0.95"
    )


@pytest.mark.parametrize("rows", [0, 1, 2, 100_000])
def test_histories_of_any_length_are_small(rows: int) -> None:
    history = long_history(rows)
    for html in (html_of(history), html_of(result_of(history=history))):
        assert html.count("<svg") == (2 if rows else 0)
    assert ("no iterations" in html_of(history)) == (rows == 0)


def test_a_run_that_never_had_a_finite_cost_is_shown() -> None:
    result = ml.LBFGS().minimize(lambda x: (np.nan, x), [1.0])
    html = html_of(result)
    assert "NON_FINITE, success: False" in html
    assert "nan" in html


def test_messages_and_methods_are_escaped() -> None:
    html = html_of(result_of(message=EVIL * 100, method=EVIL * 100, history=long_history(99_999)))
    assert "<script" not in html


# A report and a validation


def test_a_gradient_report_names_the_worst() -> None:
    objective = ml.Objective(xor_model(), XOR_INPUTS, XOR_TARGETS, ml.BinaryCrossEntropy())
    report = ml.check_gradient(objective)
    html = html_of(report)
    worst = max(report.errors, key=lambda name: report.errors[name])
    count = len(report.errors)
    assert texts_of(html)[0] == f"{count} derivatives, the worst {report.worst:.1e}: {worst}"
    rows = rows_of(html)[1:]
    assert rows[0] == [f"{report.worst:.1e}", worst]
    assert {what for _, what in rows} == set(report.errors)
    errors = [float(error) for error, _ in rows]
    assert errors == sorted(errors, reverse=True)


def test_a_long_gradient_report_is_cut() -> None:
    errors = {f"{number} {EVIL * 20}": 1e-9 * number for number in range(5000)}
    rows = rows_of(html_of(GradientReport(errors)))
    assert len(rows) == 18
    assert rows[-1] == ["…", "4,984 smaller ones: print(report)"]
    assert rows_of(html_of(GradientReport({}))) == []


@pytest.mark.parametrize(
    ("X", "Y", "sizes"),
    [
        (np.zeros((7, 3)), np.zeros(7), ["ndarray of shape (7, 3)", "ndarray of shape (7,)"]),
        ([[EVIL]] * 9, [0] * 9, ["list of 9 rows", "list of 9 rows"]),
        (iter([]), 3, ["list_iterator", "int"]),
    ],
)
def test_a_validation_shows_sizes_and_settings(X: Any, Y: Any, sizes: list[str]) -> None:
    def closeness(targets: Array, predictions: Array) -> float:
        return 0.0

    closeness.__qualname__ = EVIL
    validation = ml.Validation(X, Y, metric=closeness, patience=3)
    rows = dict(row for row in rows_of(html_of(validation)) if len(row) == 2)
    assert [rows["X"], rows["Y"]] == sizes
    assert rows["patience"] == "3"
    assert rows["monitor"] == "cost"
    assert EVIL in rows["metric"]
