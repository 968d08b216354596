"""checkpoint_every: after which iterations a run writes its checkpoint."""

from pathlib import Path
from typing import Any

import pytest

import minilayer as ml
from tests.helpers.problems import xor
from tests.helpers.trainers import TRAINERS


@pytest.mark.parametrize("name", ["gradient descent", "BFGS"])
@pytest.mark.parametrize(("options", "every"), [({}, 10), ({"checkpoint_every": 3}, 3)])
def test_a_checkpoint_is_written_after_every_so_many_iterations(
    name: str, options: dict[str, Any], every: int, tmp_path: Path
) -> None:
    path = tmp_path / "run.h5"
    contents = [b""]
    writes: list[int] = []

    def look(iteration: ml.Iteration) -> None:
        """Look for a write of the iteration before: the callback comes first."""
        content = path.read_bytes() if path.exists() else b""
        if content != contents[-1]:
            contents.append(content)
            writes.append(iteration.iteration - 1)

    trainer = TRAINERS[name](max_iterations=32)
    trainer.minimize(xor().objective, callback=look, checkpoint=path, **options)
    assert writes == list(range(every, 32, every))
    assert path.read_bytes() != contents[-1]  # once more at the end
