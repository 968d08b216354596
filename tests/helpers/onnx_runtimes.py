"""Programs that compute ONNX files: onnxruntime, and the reference of the standard."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnx.reference import ReferenceEvaluator

from minilayer.utils.types import Array


def run_onnxruntime(path: Path, X: Array) -> list[Array]:
    """Return the outputs of a file in onnxruntime."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    outputs: list[Array] = session.run(None, {"X": X})
    return outputs


def run_reference(path: Path, X: Array) -> list[Array]:
    """Return the outputs of a file in the evaluator that defines what operators mean."""
    with np.errstate(all="ignore"):  # exp(800) is infinite on the way to a right result
        outputs: Any = ReferenceEvaluator(str(path)).run(None, {"X": X})
    return list(outputs)


RUNTIMES = {"onnxruntime": run_onnxruntime, "reference": run_reference}
TOLERANCES = {"float64": 1e-12, "float32": 1e-5}
"""Relative to the size of the numbers."""


def assert_close(found: Array, expected: Array, scale: Array | float) -> None:
    """Compare outputs with float64 predictions, in the precision of the outputs."""
    with np.errstate(over="ignore"):
        rounded = expected.astype(found.dtype)
    with np.errstate(invalid="ignore"):
        error = np.where(found == rounded, 0, np.abs(found - rounded))  # of equal infinities too
    assert found.shape == expected.shape
    assert (error <= TOLERANCES[found.dtype.name] * np.maximum(1, scale)).all()
