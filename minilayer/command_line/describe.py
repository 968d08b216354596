"""``minilayer inspect``: what a file holds, as text or as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoint.format import MAX_BYTES
from ..checkpoint.reader import Content, printable, read_checkpoint
from ..checkpoint.stored_loss import decode_loss
from ..checkpoint.writer import metadata_of, model_of
from ..errors import CheckpointError
from ..nn import Sequential
from ..utils.checks import short_repr

RUN_SETTINGS = ("l2", "rows", "method")
"""Of the checkpoint of a run, as they identify it."""


def inspect(path: Path, *, as_json: bool) -> None:
    """Print what a file holds. All checksums have been compared by then."""
    content = read_checkpoint(path, MAX_BYTES)
    model = model_of(content, path)
    about = describe(path, content, model)
    if as_json:
        print(json.dumps(_strict(about), indent=2))
        return
    for line in _lines(about, model):
        print(printable_lines(line))


def describe(path: Path, content: Content, model: Sequential) -> dict[str, Any]:
    """Return all that is known of a file, as values that JSON can hold."""
    about: dict[str, Any] = {
        "file": str(path),
        "format": content.version,
        "written_by": content.library,
        "checksums": "right",
        "inputs": model.n_inputs,
        "outputs": model.n_outputs,
        "parameters": int(model.parameters.size),
        "layers": [
            {
                "class": type(layer).__name__,
                "layer": repr(layer),
                "shapes": {name: list(shape) for name, shape in layer.shapes().items()},
            }
            for layer in model
        ],
        "loss": _loss(content.loss),
        **_run(content.state),
        "state": sorted(content.state),
        "feature_names": model.feature_names,
        "class_names": model.class_names,
        "metadata": {name: _value(value) for name, value in metadata_of(content, path).items()},
    }
    return about


def _loss(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return repr(decode_loss(text))
    except CheckpointError:
        return f"not known here: {short_repr(text)}"


def _run(state: dict[str, Any]) -> dict[str, Any]:
    """Return the cost and the settings of a run, if the file is the checkpoint of one."""
    best, parts = state.get("best"), state.get("parts")
    if not isinstance(best, dict) or not isinstance(parts, dict):
        return {}
    settings = {name: parts[name] for name in RUN_SETTINGS if isinstance(parts.get(name), str)}
    counts = {
        name: state[name] for name in ("iterations", "evaluations") if type(state.get(name)) is int
    }
    cost = best.get("cost")
    return {"cost": cost, **settings, **counts} if isinstance(cost, float) else {}


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape)}
    return value


def _strict(value: Any) -> Any:
    """Return a value without the numbers that JSON has no words for."""
    if isinstance(value, dict):
        return {name: _strict(own) for name, own in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(own) for own in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _lines(about: dict[str, Any], model: Sequential) -> Iterator[str]:
    yield f"{about['file']}: format {about['format']}, written by minilayer {about['written_by']}"
    yield "checksums: right, all content is as it was written"
    yield ""
    yield str(model.summary())
    yield ""
    for name in ("loss", "cost", *RUN_SETTINGS, "iterations", "evaluations"):
        if about.get(name) is not None:
            yield f"{name}: {about[name]}"
    if about["state"] and "cost" not in about:
        yield f"state: {', '.join(about['state'])}"
    for name in ("feature_names", "class_names"):
        if about[name] is not None:
            yield f"{name.replace('_', ' ')}: {short_repr(', '.join(about[name]))[1:-1]}"
    if about["metadata"]:
        yield "metadata:"
    for name, value in about["metadata"].items():
        is_array = isinstance(value, dict) and set(value) == {"dtype", "shape"}
        shown = f"array of {value['dtype']}, shape {tuple(value['shape'])}" if is_array else value
        yield f"  {name}: {shown if is_array else short_repr(value)}"


def printable_lines(text: str) -> str:
    """Return lines without a stranger's control characters."""
    return "\n".join(map(printable, text.split("\n")))
