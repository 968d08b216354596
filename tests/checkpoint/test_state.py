"""The state that ``save`` stores beside a model, and ``load_state`` returns."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.problems import xor_model


def test_state_is_restored(tmp_path: Path) -> None:
    model = xor_model()
    path = tmp_path / "model.h5"
    state: dict[str, Any] = {
        "epoch": 3,
        "rate": 0.1,
        "note": "ä",
        "velocity": np.arange(6.0).reshape(2, 3),
        "one": np.array([np.pi]),
    }
    ml.save(model, path, state=state)
    np.testing.assert_equal(ml.load_state(path), state)
    np.testing.assert_array_equal(ml.load(path).parameters, model.parameters)
    ml.save(model, path)
    assert ml.load_state(path) == {}


@pytest.mark.parametrize(
    "state",
    [
        {"x": [1.0]},
        {"x": np.arange(3)},
        {"x": np.zeros(0)},
        {3: 1.0},
        {"a/b": np.ones(1)},
        {"": 1},
    ],
    ids=str,
)
def test_other_states_are_refused(state: Any, tmp_path: Path) -> None:
    expected = "state: expected numbers, strings and non-empty float64 arrays by name"
    with pytest.raises(TypeError, match=expected):
        ml.save(xor_model(), tmp_path / "model.h5", state=state)
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    expected = r"^state: expected numbers, strings and arrays by name, found \[3\]$"
    with pytest.raises(TypeError, match=expected):
        ml.save(xor_model(), tmp_path / "model.h5", state=[3])  # type: ignore[arg-type]


def test_the_checksum_covers_values_whatever_arrays_are_called(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    ml.save(xor_model(), path, state={"epoch": 3, "state": np.ones(2)})
    assert ml.load_state(path)["epoch"] == 3
    content = path.read_bytes()
    assert b'"epoch": 3' in content
    path.write_bytes(content.replace(b'"epoch": 3', b'"epoch": 4'))
    expected = "/: expected the checksum of all content, found another"
    with pytest.raises(ml.CheckpointError, match=expected):
        ml.load(path)
