"""to_onnx: a network in an ONNX file, which any runtime computes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..nn import Sequential
from ..utils.checks import check_names, check_path, short_repr
from ..utils.extras import require
from ..utils.files import replace_file
from .onnx_graph import OnnxGraph
from .onnx_outputs import add_model, names_of, network_of

if TYPE_CHECKING:
    from ..estimators import MLPClassifier, MLPRegressor


def to_onnx(
    model: Sequential | MLPClassifier | MLPRegressor,
    path: str | os.PathLike[str],
    dtype: npt.DTypeLike | None = None,
    *,
    feature_names: Iterable[str] | None = None,
    class_names: Iterable[object] | None = None,
) -> None:
    """Write a network or a fitted estimator to an ONNX file.

    The file computes what ``model.predict`` does, with any number of rows. Its input is "X", its
    output "Y". A classifier has two outputs, "label" and "probabilities". The file needs standard
    operators of opset 17 (IR version 8) alone. Parameters are initializers named "0.weight",
    "0.bias" and so on, by index of the layer. The same model gives the same bytes.
    ``onnx.checker`` checks the file before it is moved into place, so after any failure ``path``
    holds what it held.

    Parameters
    ----------
    model : Sequential, MLPClassifier or MLPRegressor
        The network. Layers of other classes than minilayer's define ``Layer.to_onnx``.
    path : path
        The file; an old one is replaced when the new one is complete.
    dtype : {"float64", "float32"}, optional
        Of X, Y and the parameters; default: that of ``model.parameters``, float64. Runtimes on
        phones, GPUs and in browsers often compute float32 alone.
    feature_names : iterable of str, optional
        One name a column of X, for the metadata of the file; default: those of the model.
    class_names : iterable of str, optional
        One name a class, for the metadata of the file; default: those of the model.

    Raises
    ------
    ImportError
        If the extra ``onnx`` is not installed.
    TypeError, ValueError
        For arguments of another kind, a layer that does not define ``to_onnx``, and numbers that
        are not finite or that float32 cannot hold.
    OSError
        If the file cannot be written.

    See Also
    --------
    register_skl2onnx : For pipelines that end with an estimator of minilayer.

    Examples
    --------
    >>> import minilayer as ml
    >>> model = ml.mlp(4, 3, 2, output=ml.Softmax, seed=0)
    >>> to_onnx(model, "flowers.onnx", class_names=["setosa", "other"])

    In onnxruntime:

    >>> import onnxruntime
    >>> session = onnxruntime.InferenceSession("flowers.onnx")
    >>> X = np.ones((3, 4))
    >>> Y = session.run(["Y"], {"X": X})[0]
    >>> bool(np.allclose(Y, model.predict(X), rtol=1e-12))
    True
    >>> session.get_modelmeta().custom_metadata_map["class_names"]
    '["setosa", "other"]'
    """
    network = network_of(model)
    target = check_path("path", path)
    graph = OnnxGraph(_checked_dtype(network.parameters.dtype if dtype is None else dtype))
    features, classes = names_of(model)
    if feature_names is not None:
        features = check_names("feature_names", feature_names, network.n_inputs, "column of X")
    if class_names is not None:
        count = max(2, network.n_outputs) if classes is None else len(classes)
        classes = check_names("class_names", class_names, count, "class", numbers=True)
    require("onnx", "onnx")
    from .onnx_model import content_of  # it imports onnx

    outputs = add_model(graph, model)
    names = {"feature_names": features, "class_names": classes}
    replace_file(target, content_of(graph, network, outputs, names))


def _checked_dtype(dtype: Any) -> np.dtype[Any]:
    with suppress(TypeError):
        found: np.dtype[Any] = np.dtype(dtype)
        if found in (np.float64, np.float32):
            return found
    raise ValueError(f"dtype: expected 'float64' or 'float32', found {short_repr(dtype)}")
