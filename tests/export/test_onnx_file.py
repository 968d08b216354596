"""The ONNX file: its names, versions and metadata, what is refused, and what a refusal leaves."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import minilayer as ml
from minilayer.export import OnnxGraph, to_onnx
from minilayer.utils.types import Array
from tests.helpers.layers import SquaredScale
from tests.helpers.onnx_runtimes import RUNTIMES, assert_close

OPERATORS_IN_DOUBLE = {
    *("Abs", "Add", "Div", "Exp", "Gemm", "Identity", "Log", "Mul", "Neg", "Relu", "Sigmoid"),
    *("Sin", "Softmax", "Sub", "Tanh"),
}
"""Those that onnxruntime computes in float64, of the ones that minilayer uses."""


@pytest.fixture
def model() -> ml.Sequential:
    """Return a network of three kinds of layers with constants."""
    start = ml.Standardize([1.0, 2.0, 3.0], [1.0, 1.0, 2.0])
    layers = [start, ml.Dense(3, 4), ml.Softplus(), ml.Dense(4, 2, bias=False), ml.Softmax()]
    return ml.Sequential(layers, seed=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a path in an empty folder."""
    return tmp_path / "network.onnx"


def test_input_output_and_initializers_have_names(model: ml.Sequential, path: Path) -> None:
    to_onnx(model, path)
    graph = onnx.load(path).graph
    (given,) = graph.input
    (result,) = graph.output
    assert (given.name, result.name) == ("X", "Y")
    for value, columns in ((given, 3), (result, 2)):
        rows, width = value.type.tensor_type.shape.dim
        assert (rows.dim_param, rows.HasField("dim_value")) == ("batch", False)
        assert width.dim_value == columns
        assert value.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    expected = {
        "0.mean": model[0].mean,  # type: ignore[attr-defined]
        "0.scale": model[0].scale,  # type: ignore[attr-defined]
        "1.weight": model[1].weight,  # type: ignore[attr-defined]
        "1.bias": model[1].bias,  # type: ignore[attr-defined]
        "3.weight": model[3].weight,  # type: ignore[attr-defined]
    }
    named = {name: array for name, array in arrays.items() if "constant" not in name}
    np.testing.assert_equal(named, expected)
    assert graph.node[-1].name == "4.Softmax"


def test_versions_are_those_that_run_everywhere(model: ml.Sequential, path: Path) -> None:
    to_onnx(model, path)
    proto = onnx.load(path)
    assert proto.ir_version == 8
    assert [(one.domain, one.version) for one in proto.opset_import] == [("", 17)]
    assert (proto.producer_name, proto.producer_version) == ("minilayer", ml.__version__)


def test_it_consists_of_standard_operators_and_numbers(path: Path) -> None:
    activations = [ml.ELU(), ml.LeakyReLU(), ml.GELU(), ml.SiLU(), ml.Softplus(), ml.Sin()]
    layers = [layer for one in activations for layer in (ml.Dense(2, 2), one)]
    to_onnx(ml.Sequential([*layers, ml.Rescale([1, 2], [3, 4])], seed=0), path)
    proto = onnx.load(path)
    assert {node.op_type for node in proto.graph.node} <= OPERATORS_IN_DOUBLE
    assert {node.domain for node in proto.graph.node} == {""}
    assert {tensor.data_type for tensor in proto.graph.initializer} == {onnx.TensorProto.DOUBLE}
    attributes = [attribute for node in proto.graph.node for attribute in node.attribute]
    assert {attribute.type for attribute in attributes} == {onnx.AttributeProto.INT}
    assert not proto.functions
    assert not proto.graph.sparse_initializer
    onnx.checker.check_model(proto, full_check=True)


def test_the_same_model_gives_the_same_bytes(model: ml.Sequential, path: Path) -> None:
    names = {"feature_names": ["a", "b", "c"], "class_names": ["yes", "no"]}
    to_onnx(model, path, **names)
    first = path.read_bytes()
    to_onnx(model.replica(), str(path), **names)
    assert path.read_bytes() == first
    model.parameters[0] += 1e-9
    to_onnx(model, path, **names)
    assert path.read_bytes() != first


def test_the_same_bytes_in_another_process(path: Path) -> None:
    code = (
        "import minilayer as ml; from minilayer.export import to_onnx; "
        f"to_onnx(ml.mlp(3, 4, 2, seed=0), {str(path)!r}, class_names=['a', 'b'])"
    )
    contents = set()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code], check=True)
        contents.add(path.read_bytes())
    to_onnx(ml.mlp(3, 4, 2, seed=0), path, class_names=["a", "b"])
    assert contents == {path.read_bytes()}


def metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of a file, lists as lists."""
    found = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    return {
        key: json.loads(value) if value.startswith("[") else value for key, value in found.items()
    }


def test_metadata_has_version_layers_and_names(model: ml.Sequential, path: Path) -> None:
    to_onnx(model, path)
    layers = ["Standardize(3 columns)", "Dense(3, 4)", "Softplus()"]
    layers += ["Dense(4, 2, bias=False)", "Softmax()"]
    assert metadata(path) == {"minilayer_version": ml.__version__, "layers": layers}
    names = {"feature_names": ["height", "größe", "w"], "class_names": ["ja", "nein"]}
    to_onnx(model, path, **names)
    with_names = {"minilayer_version": ml.__version__, "layers": layers, **names}
    assert metadata(path) == with_names
    model.feature_names = ["height", "größe", "w"]
    model.class_names = ["ja", "nein"]
    to_onnx(model, path)
    assert metadata(path) == with_names
    to_onnx(model, path, class_names=[1, 2])
    assert metadata(path) == {**with_names, "class_names": ["1", "2"]}


def test_a_replica_in_single_precision_gives_float32(model: ml.Sequential, path: Path) -> None:
    to_onnx(model.replica(model.parameters.astype(np.float32)), path)
    kinds = {tensor.data_type for tensor in onnx.load(path).graph.initializer}
    assert kinds == {onnx.TensorProto.FLOAT}


# Layers of one's own


class Residual(ml.Layer):
    """y = x + tanh(x @ weight.T) * scale, which ONNX can do too."""

    def __init__(self, inputs: int) -> None:
        self.inputs = self.units = inputs

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.inputs or 0, self.inputs or 0)}

    def initialize(self, rng: np.random.Generator) -> None:
        self.parameters["weight"][:] = rng.uniform(-1, 1, self.parameters["weight"].shape)

    def forward(self, x: Array) -> Array:
        self.hidden = np.tanh(x @ self.parameters["weight"].T)
        return np.asarray(x + 0.5 * self.hidden)

    def input_gradient(self, dy: Array) -> Array:
        raise NotImplementedError

    def parameter_gradient(self, dy: Array) -> None:
        raise NotImplementedError

    def to_onnx(self, graph: OnnxGraph, x: str) -> str:
        weight = graph.constant(self.parameters["weight"], "weight")
        hidden = graph.node("Tanh", graph.node("Gemm", x, weight, transB=1))
        return graph.node("Add", x, graph.node("Mul", hidden, 0.5))


class Same(Residual):
    """A subclass that does not change what is computed."""


@pytest.mark.parametrize("kind", [Residual, Same])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_layer_of_ones_own_describes_itself(path: Path, dtype: str, kind: type[Residual]) -> None:
    model = ml.Sequential([ml.Dense(2, 3), kind(3), kind(3), ml.Sigmoid()], seed=0)
    to_onnx(model, path, dtype)
    names = {tensor.name for tensor in onnx.load(path).graph.initializer}
    assert {"1.weight", "2.weight"} <= names
    X = np.random.default_rng(0).standard_normal((7, 2)).astype(np.float32)
    for run in RUNTIMES.values():
        (found,) = run(path, X.astype(dtype))
        assert_close(found, model.predict(X), 1)


class PassesOn(ml.Layer):
    """y = x, without any operator."""

    def forward(self, x: Array) -> Array:
        return x

    def input_gradient(self, dy: Array) -> Array:
        return dy

    def to_onnx(self, graph: OnnxGraph, x: str) -> str:
        return x


@pytest.mark.parametrize("layers", [[PassesOn()], [PassesOn(), PassesOn()]])
def test_a_network_without_operators_is_a_graph_too(path: Path, layers: list[ml.Layer]) -> None:
    model = ml.Sequential([ml.Standardize([0.0, 0.0], [1.0, 1.0])])
    for layer in layers:
        model.insert(1, layer.unbound_copy())
    to_onnx(model, path)
    for run in RUNTIMES.values():
        np.testing.assert_array_equal(run(path, np.eye(2))[0], np.eye(2))


class Sharper(ml.Sigmoid):  # type: ignore[misc]  # final for the type checker alone
    """A subclass of a layer of minilayer that computes something else."""

    def function(self, x: Array, out: Array) -> None:
        super().function(2 * x, out)


class Overriding(Residual):
    """A subclass whose inherited translation is wrong."""

    def forward(self, x: Array) -> Array:
        return -super().forward(x)


@pytest.mark.parametrize("layer", [SquaredScale(2), Sharper(), Overriding(2)])
def test_a_layer_without_translation_is_refused_by_name(path: Path, layer: ml.Layer) -> None:
    name = type(layer).__name__
    message = (
        f"to_onnx: expected layers that define it, found {layer!r}: "
        f"write {name}.to_onnx(self, graph, x)"
    )
    with pytest.raises(TypeError) as caught:
        to_onnx(ml.Sequential([ml.Dense(3, 2), layer], seed=0), path)
    assert str(caught.value) == message
    assert not path.exists()


def hooked(to_onnx: Callable[[Any, Any, str], Any]) -> ml.Sequential:
    """Return a network whose last layer has that ``to_onnx``."""

    kind: type[PassesOn] = type("Hooked", (PassesOn,), {"to_onnx": to_onnx})
    return ml.Sequential([ml.Dense(3, 2), kind()], seed=0)


INVALID = "model: expected layers whose to_onnx gives a valid graph, found: "
REFUSED: list[tuple[Callable[[Any, Any, str], Any], type[Exception], str]] = [
    (
        lambda self, graph, x: None,
        TypeError,
        "to_onnx of Hooked(): expected the name that graph.node returned, found None: "
        "is a return missing?",
    ),
    (
        lambda self, graph, x: "Z",
        TypeError,
        "to_onnx of Hooked(): expected the name that graph.node returned, found 'Z'",
    ),
    (
        lambda self, graph, x: graph.node("Add", x, "weight"),
        ValueError,
        "Add: expected inputs that graph.node and graph.constant returned, found 'weight'",
    ),
    (
        lambda self, graph, x: graph.node("Mul", x, graph.constant([1, np.nan], "factor")),
        ValueError,
        "1.factor: expected finite numbers that float64 holds, found nan",
    ),
    (
        lambda self, graph, x: graph.node("Swish", x),  # no operator of opset 17
        ValueError,
        INVALID,
    ),
    (lambda self, graph, x: graph.node("Mul", x), ValueError, INVALID),  # one input of two
    (lambda self, graph, x: graph.node("Concat", x, x, axis=1), ValueError, INVALID),  # 4 columns
]


@pytest.mark.parametrize(("hook", "kind", "message"), REFUSED)
def test_a_wrong_graph_is_refused_and_the_old_file_stays(
    path: Path, hook: Callable[[Any, Any, str], Any], kind: type[Exception], message: str
) -> None:
    path.write_bytes(b"the old file")
    with pytest.raises(kind) as caught:
        to_onnx(hooked(hook), path)
    assert str(caught.value).startswith(message)
    assert path.read_bytes() == b"the old file"
    assert list(path.parent.iterdir()) == [path]


def test_a_hook_of_another_signature_is_refused_when_the_class_is_made() -> None:
    with pytest.raises(
        TypeError, match=r"^Own\.to_onnx: expected to_onnx\(self, graph, x\), found"
    ):

        class Own(PassesOn):
            def to_onnx(self, graph: OnnxGraph) -> str:  # type: ignore[override]
                return "X"


# Mistakes


@pytest.mark.parametrize(
    ("model", "options", "kind", "message"),
    [
        (
            "model.onnx",
            {},
            TypeError,
            "model: expected a Sequential, MLPClassifier or MLPRegressor ",
        ),
        (
            ml.mlp(1, 1),
            {"dtype": "float16"},
            ValueError,
            "dtype: expected 'float64' or 'float32', found 'float16'",
        ),
        (
            ml.mlp(1, 1),
            {"dtype": "double precision"},
            ValueError,
            "dtype: expected 'float64' or 'float32', found 'double precision'",
        ),
        (
            ml.mlp(2, 1),
            {"feature_names": ["a"]},
            ValueError,
            "feature_names: expected 2, one a column of X, found 1",
        ),
        (
            ml.mlp(2, 3),
            {"class_names": "abc"},
            TypeError,
            "class_names: expected a list of strings, such as ['no', 'yes'], found 'abc'",
        ),
        (
            ml.mlp(2, 1, output=ml.Sigmoid),
            {"class_names": ["yes"]},
            ValueError,
            "class_names: expected 2, one a class, found 1",
        ),
    ],
)
def test_mistakes_are_named(
    path: Path, model: Any, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        to_onnx(model, path, **options)
    assert str(caught.value).startswith(message)
    assert not path.exists()


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (np.inf, "float64", "0.weight: expected finite numbers that float64 holds, found inf"),
        (
            1e39,
            "float32",
            "0.weight: expected finite numbers that float32 holds, found 1e+39: "
            "use dtype='float64'",
        ),
    ],
)
def test_numbers_that_the_file_cannot_hold_are_refused(
    path: Path, value: float, dtype: str, message: str
) -> None:
    model = ml.mlp(2, 1, seed=0)
    model.parameters[1] = value
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the message follows
        to_onnx(model, path, dtype)
    assert str(caught.value) == message


def test_a_scale_that_float32_cannot_divide_by_is_refused(path: Path) -> None:
    model = ml.Sequential([ml.Standardize([0.0], [1e-40]), ml.Dense(1, 1)], seed=0)
    to_onnx(model, path, "float64")
    message = "scale of Standardize: expected at least 1.2e-38 in float32, found 1e-40: use dtype="
    with pytest.raises(ValueError, match=f"^{message}"):
        to_onnx(model, path, "float32")


def test_a_file_above_two_gigabytes_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minilayer.export.onnx_model.MAX_BYTES", 10)
    message = r"^model: expected parameters of at most 10 bytes, which an ONNX file holds, found 24"
    with pytest.raises(ValueError, match=message):
        to_onnx(ml.mlp(2, 1, seed=0), path)


def test_without_onnx_the_error_names_the_extra(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'minilayer\[onnx\]'$"):
        to_onnx(ml.mlp(2, 1, seed=0), path)


def test_importing_the_package_imports_no_optional_library() -> None:
    code = (
        "import minilayer, minilayer.export, sys; "
        "print(sys.modules.keys() & {'onnx', 'onnxruntime', 'skl2onnx', 'sklearn'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
