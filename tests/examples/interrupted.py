"""Runs an example and sends it Ctrl-C at a place that is always the same.

python interrupted.py EVALUATION SCRIPT [ARGUMENT ...]   EVALUATION 0: while it draws its pictures
"""

import runpy
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

import minilayer as ml
from minilayer import plots


def interrupt_evaluation(place: int) -> None:
    """Send the signal during one evaluation, counted from 1."""
    evaluate = ml.Objective.__call__
    numbers = count(1)

    def evaluate_and_interrupt(self: ml.Objective, x: Any) -> Any:
        if next(numbers) == place:
            signal.raise_signal(signal.SIGINT)
        return evaluate(self, x)

    ml.Objective.__call__ = evaluate_and_interrupt  # type: ignore[method-assign]


def interrupt_drawing() -> None:
    """Send the signal when pictures are drawn."""

    def draw(*drawings: object) -> Any:
        signal.raise_signal(signal.SIGINT)

    plots.save_figures = draw  # type: ignore[assignment]


if __name__ == "__main__":
    place, script = int(sys.argv[1]), sys.argv[2]
    if place:
        interrupt_evaluation(place)
    else:
        interrupt_drawing()
    sys.path.insert(0, str(Path(script).parent))
    sys.argv = sys.argv[2:]
    runpy.run_path(script, run_name="__main__")
