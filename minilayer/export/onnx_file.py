"""to_onnx: a network in an ONNX file, which any runtime computes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from ..nn import Sequential
from ..utils.checks import check_instance, check_path, short_repr
from ..utils.extras import require
from ..utils.files import replace_file
from .onnx_graph import OnnxGraph
from .onnx_layers import add_layers


def to_onnx(
    model: Sequential,
    path: str | os.PathLike[str],
    dtype: npt.DTypeLike | None = None,
    *,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> None:
    """Write a network to an ONNX file.

    The file computes what ``model.predict`` does, with any number of rows. Its input is "X", its
    output "Y". It needs standard operators of opset 17 (IR version 8) alone, and the parameters
    are initializers named "0.weight", "0.bias" and so on, by index of the layer. The same model
    gives the same bytes. ``onnx.checker`` checks the file before it is moved into place, so
    after any failure ``path`` holds what it held.

    Parameters
    ----------
    model : Sequential
        The network. Layers of other classes than minilayer's define ``Layer.to_onnx``.
    path : path
        The file; an old one is replaced when the new one is complete.
    dtype : {"float64", "float32"}, optional
        Of X, Y and the parameters; default: that of ``model.parameters``, float64. Runtimes on
        phones, GPUs and in browsers often compute float32 alone.
    feature_names : sequence of str, optional
        One name a column of X, for the metadata of the file.
    class_names : sequence of str, optional
        One name a class, for the metadata of the file.

    Raises
    ------
    ImportError
        If the extra ``onnx`` is not installed.
    TypeError, ValueError
        For arguments of another kind, a layer that does not define ``to_onnx``, and numbers that
        are not finite or that float32 cannot hold.
    OSError
        If the file cannot be written.

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
    check_instance("model", model, Sequential, "a Sequential such as ml.mlp(4, 3, 2)")
    target = check_path("path", path)
    number_type = _checked_dtype(model.parameters.dtype if dtype is None else dtype)
    names = {
        "feature_names": _checked_names("feature_names", feature_names, model.n_inputs),
        "class_names": _checked_names("class_names", class_names, max(2, model.n_outputs)),
    }
    require("onnx", "onnx")
    from .onnx_model import Output, content_of  # it imports onnx

    graph = OnnxGraph(number_type)
    outputs = [Output("Y", add_layers(graph, model), (model.n_outputs,), number_type)]
    replace_file(target, content_of(graph, model, outputs, names))


def _checked_dtype(dtype: Any) -> np.dtype[Any]:
    with suppress(TypeError):
        found: np.dtype[Any] = np.dtype(dtype)
        if found in (np.float64, np.float32):
            return found
    raise ValueError(f"dtype: expected 'float64' or 'float32', found {short_repr(dtype)}")


def _checked_names(what: str, names: Sequence[str] | None, count: int) -> list[str] | None:
    if names is None:
        return None
    found = [] if isinstance(names, str) else list(names)
    if len(found) != count or not all(isinstance(name, str) for name in found):
        raise ValueError(f"{what}: expected {count} strings, found {short_repr(names)}")
    return [str(name) for name in found]
