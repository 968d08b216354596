"""The page about ONNX files: its code runs, its links lead somewhere, its operators are there."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minilayer as ml
from minilayer.estimators import MLPClassifier
from minilayer.export import OnnxGraph, to_onnx
from minilayer.utils.types import Array
from tests.helpers.onnx_runtimes import RUNTIMES, run_onnxruntime
from tests.helpers.paths import ROOT

PAGE = ROOT / "minilayer" / "export" / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
(LISTED,) = re.findall(r"for these, among others: (.*?)\.", TEXT, re.DOTALL)
OPERATORS = re.findall(r"\w+", LISTED)
OF_TWO = ("Add", "Concat", "Div", "Gemm", "MatMul", "Max", "Min", "Mul", "Pow", "Sub")


def test_networks_are_exported_as_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = ml.mlp(5, 10, seed=0)
    ml.save(model, "digits.h5")
    exec(CODE[0], {})
    for name, dtype in (("digits.onnx", "float64"), ("digits32.onnx", "float32")):
        (found,) = run_onnxruntime(tmp_path / name, np.ones((1, 5), dtype))
        np.testing.assert_allclose(found, model.predict(np.ones((1, 5))), rtol=1e-5)


def test_the_layer_of_the_page_computes_its_formula(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(CODE[1], names)

    class Scale(ml.Layer):
        inputs = units = 2
        to_onnx = names["to_onnx"]

        def shapes(self) -> dict[str, tuple[int, ...]]:
            return {"log_factor": (2,)}

        def forward(self, x: Array) -> Array:
            return np.asarray(x * np.exp(self.parameters["log_factor"]) + 1)

        def input_gradient(self, dy: Array) -> Array:
            raise NotImplementedError

        def parameter_gradient(self, dy: Array) -> None:
            raise NotImplementedError

    model = ml.Sequential([Scale()])
    model.parameters[:] = [0.3, -0.2]
    to_onnx(model, tmp_path / "scale.onnx")
    for run in RUNTIMES.values():
        (found,) = run(tmp_path / "scale.onnx", np.eye(2))
        np.testing.assert_allclose(found, model.predict(np.eye(2)), rtol=1e-15)


def test_a_pipeline_is_converted_as_on_the_page() -> None:
    X = np.random.default_rng(0).standard_normal((50, 2))
    network = MLPClassifier((3,), "tanh", alpha=1.0, random_state=0)
    names: dict[str, Any] = {"X": X, "pipeline": make_pipeline(StandardScaler(), network)}
    names["pipeline"].fit(X, X[:, 0] > 0)
    exec(CODE[2], names)
    onnx.checker.check_model(names["proto"], full_check=True)


@pytest.mark.parametrize("operator", OPERATORS)
def test_onnxruntime_computes_the_listed_operators_in_double(tmp_path: Path, operator: str) -> None:
    class One(ml.Layer):
        inputs = units = 2

        def forward(self, x: Array) -> Array:
            return x

        def input_gradient(self, dy: Array) -> Array:
            return dy

        def to_onnx(self, graph: OnnxGraph, x: str) -> str:
            attributes = {"axis": 0} if operator == "Concat" else {}
            others = [np.full((2, 2), 1.1)] if operator in OF_TWO else []
            return graph.node(operator, x, *others, **attributes)

    to_onnx(ml.Sequential([One()]), tmp_path / "one.onnx")
    X = np.array([[0.3, 0.7], [0.1, 1.9]])
    (found,) = run_onnxruntime(tmp_path / "one.onnx", X)
    (expected,) = RUNTIMES["reference"](tmp_path / "one.onnx", X)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target
