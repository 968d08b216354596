"""Pieces of work for the stress with Ctrl-C, and what must hold after each."""

from __future__ import annotations

import signal
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Self

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

import minilayer as ml
from minilayer.utils.types import Array

BLAS_THREADS = 3
"""A number that the library would never choose by itself."""
ROWS = 64
MANY_ROWS = 20_000
REPETITIONS = 50
"""Short work is repeated, so that signals find it."""

Problems = list[tuple[str, str]]
"""Kind and details of each violation."""


def interruptible_call(function: Callable[[], Any]) -> Any:
    """Call the function; ``on_interrupt`` raises only beneath this frame."""
    return function()


def on_interrupt(number: int, frame: FrameType | None) -> None:
    """The user's handler of SIGINT: KeyboardInterrupt, if ``interruptible_call`` is under way."""
    while frame is not None:
        if frame.f_code is interruptible_call.__code__:
            raise KeyboardInterrupt
        frame = frame.f_back


class Surroundings:
    """The state of the process that no work may change."""

    def __enter__(self) -> Self:
        self._limits = threadpool_limits(BLAS_THREADS, user_api="blas")
        self._errors_before = np.seterr(under="print", over="warn")
        return self

    def __exit__(self, *exception: object) -> None:
        np.seterr(**self._errors_before)
        self._limits.restore_original_limits()

    def note(self) -> None:
        """Remember the state before the work."""
        self._errors = np.geterr()

    def problems(self) -> Problems:
        """Return what has changed."""
        found: Problems = []
        threads = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        if set(threads) != {BLAS_THREADS}:
            found.append(("changed BLAS threads", repr(threads)))
        if np.geterr() != self._errors:
            found.append(("changed error states", repr(np.geterr())))
        if signal.getsignal(signal.SIGINT) is not on_interrupt:
            found.append(("changed handlers", repr(signal.getsignal(signal.SIGINT))))
        return found


class Work(ABC):
    """A piece of work that a signal interrupts."""

    rows = ROWS
    workers = 2
    shards: int | None = 4
    repetitions = REPETITIONS

    def __enter__(self) -> Self:
        self._threads_before = threading.active_count()
        rng = np.random.default_rng(0)
        layers = [ml.Dense(12, 8), ml.Sigmoid(), ml.Dense(8, 3), ml.Sigmoid()]
        self.model = ml.Sequential(layers, seed=0)
        self.X = rng.standard_normal((self.rows, 12))
        self.Y = rng.random((self.rows, 3))
        self.objective = ml.Objective(
            self.model,
            self.X,
            self.Y,
            ml.BinaryCrossEntropy(),
            l2=0.1,
            workers=self.workers,
            shards=self.shards,
        )
        self.start = self.objective.x0
        self.expected = self.objective(self.start)
        return self

    def __exit__(self, *exception: object) -> None:
        """Release what the work holds."""

    def prepare(self) -> None:
        """Undo the last round."""
        self.model.parameters[:] = self.start

    @abstractmethod
    def run(self) -> Any:
        """Do it."""

    def rest(self) -> None:
        """Let nothing go on beside the checks."""

    def is_interrupted(self, outcome: Any) -> bool:
        """Return whether what ``run`` returned says so."""
        return False

    def problems(self, outcome: Any) -> Problems:
        """Return what does not hold after the work returned, or raised KeyboardInterrupt."""
        found: Problems = []
        cost, gradient = self.objective(self.start)
        if cost != self.expected[0] or not np.array_equal(gradient, self.expected[1]):
            found.append(("changed results", repr(cost)))
        if threading.active_count() > self._threads_before + self.workers:
            found.append(("threads left over", repr(threading.enumerate())))
        return found + self.model_problems(outcome)

    def model_problems(self, outcome: Any) -> Problems:
        """Return what is wrong with the model: most work does not touch it."""
        same = np.array_equal(self.model.parameters, self.start)
        return [] if same else [("changed models", repr(outcome))]


class Evaluations(Work):
    """Cost and gradient."""

    def run(self) -> None:
        for _ in range(self.repetitions):
            self.objective(self.start)


class EvaluationsByOneWorker(Evaluations):
    """The same without threads."""

    workers = 1


class LargeEvaluations(Evaluations):
    """Cost and gradient of many rows, which take milliseconds."""

    rows = MANY_ROWS
    shards = 8
    repetitions = 3


class EvaluationsBesideAThread(Evaluations):
    """Another thread evaluates the same objective all the while, and both hold BLAS."""

    def prepare(self) -> None:
        super().prepare()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._evaluate)
        self._thread.start()

    def _evaluate(self) -> None:
        while not self._ends.is_set():
            self.objective(self.start)

    def rest(self) -> None:
        self._ends.set()
        self._thread.join()


class Products(Work):
    """Products with the Hessian and the Gauss-Newton matrix."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.direction = np.random.default_rng(1).standard_normal(self.start.size)
        self.product = self.objective.hessp(self.start, self.direction)
        return self

    def run(self) -> None:
        for _ in range(max(1, self.repetitions // 4)):
            self.objective.hessp(self.start, self.direction)
            self.objective.hessp(self.start, self.direction, gauss_newton=True)

    def problems(self, outcome: Any) -> Problems:
        found = super().problems(outcome)
        product = self.objective.hessp(self.start, self.direction)
        if not np.array_equal(product, self.product):
            found.append(("changed results", "a product"))
        return found


class Minibatches(Work):
    """Gradients of some rows."""

    def run(self) -> None:
        for first in range(self.repetitions):
            self.objective.minibatch(self.start, np.arange(first % 40, first % 40 + 20))


class Predictions(Work):
    """The network's output."""

    def run(self) -> None:
        for _ in range(self.repetitions):
            self.model.predict(self.X)


class Passes(Work):
    """Forward and backward, called as a user would."""

    def run(self) -> None:
        for _ in range(self.repetitions):
            self.model.forward(self.X)
            self.model.backward(self.Y)


class Recorded(ml.ProblemWrapper):
    """The objective; remembers the points that it was asked for."""

    def __init__(self, objective: ml.Objective) -> None:
        super().__init__(objective)
        self.points: set[bytes] = set()

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        self.points.add(x.tobytes())
        return super().__call__(x)


class Training(Work):
    """A whole run, with validation and a callback; with a checkpoint too in a subclass."""

    trainer: ml.Trainer
    has_checkpoint = False

    def __enter__(self) -> Self:
        super().__enter__()
        self._folder = tempfile.TemporaryDirectory()
        self._checkpoint = Path(self._folder.name, "run.h5") if self.has_checkpoint else None
        self.recorded = Recorded(self.objective)
        self.undisturbed = self._minimize(None)
        return self

    def __exit__(self, *exception: object) -> None:
        self._folder.cleanup()

    def prepare(self) -> None:
        super().prepare()
        self.recorded.points.clear()
        for path in Path(self._folder.name).iterdir():
            path.unlink()

    def run(self) -> ml.TrainingResult:
        return self._minimize(self._checkpoint)

    def _minimize(self, checkpoint: Path | None) -> ml.TrainingResult:
        return self.trainer.minimize(
            self.recorded,
            validation=ml.Validation(self.X[:20], self.Y[:20], restore_best=False),
            callback=lambda iteration: None,
            checkpoint=checkpoint,
            checkpoint_every=3,
        )

    def is_interrupted(self, outcome: Any) -> bool:
        return bool(outcome is not None and outcome.status == ml.Status.INTERRUPTED)

    def model_problems(self, outcome: Any) -> Problems:
        found: Problems = []
        parameters = self.model.parameters
        is_start = np.array_equal(parameters, self.start)
        if not is_start and parameters.tobytes() not in self.recorded.points:
            found.append(("torn models", repr(outcome)))
        if isinstance(outcome, ml.TrainingResult):
            found += self._result_problems(outcome)
        if self._checkpoint is not None:
            found += self._checkpoint_problems(self._checkpoint)
        return found

    def _result_problems(self, result: ml.TrainingResult) -> Problems:
        found: Problems = []
        if not np.array_equal(self.model.parameters, result.x):
            found.append(("torn models", "another than the result's"))
        if result.nfev and self.objective(result.x)[0] != result.fun:
            found.append(("changed results", f"cost {result.fun}"))
        lengths = {name: len(column) for name, column in result.history.columns().items()}
        del lengths["metric"]
        if set(lengths.values()) != {1 + result.nit if result.nfev else 0}:
            found.append(("torn histories", f"{lengths} after {result.nit} iterations"))
        return found

    def _checkpoint_problems(self, path: Path) -> Problems:
        """Return what is left that should not be; and the run must go on from there."""
        found: Problems = []
        names = {entry.name for entry in path.parent.iterdir()}
        left = names - {path.name, f"{path.name}.journal"}
        if left:
            found.append(("files left over", repr(left)))
        try:
            result = self._minimize(path)
        except ml.ResumeError as error:
            return [*found, ("runs that do not resume", str(error))]
        if not np.array_equal(result.x, self.undisturbed.x):
            found.append(("changed results", "of the resumed run"))
        return found


def training(trainer: ml.Trainer, *, has_checkpoint: bool = False) -> Callable[[], Work]:
    """Return the class of such runs."""
    members = {"trainer": trainer, "has_checkpoint": has_checkpoint}
    return type(f"TrainingBy{type(trainer).__name__}", (Training,), members)


WORK: dict[str, Callable[[], Work]] = {
    "evaluations": Evaluations,
    "one worker": EvaluationsByOneWorker,
    "many rows": LargeEvaluations,
    "beside a thread": EvaluationsBesideAThread,
    "products": Products,
    "minibatches": Minibatches,
    "predict": Predictions,
    "passes": Passes,
    "LBFGS": training(ml.LBFGS(max_iterations=8)),
    "TNC": training(ml.ScipyTrainer("TNC", max_evaluations=12)),
    "L-BFGS-B": training(ml.ScipyTrainer("L-BFGS-B", max_iterations=8)),
    "Newton-CG": training(ml.ScipyTrainer("Newton-CG", max_iterations=3)),
    "gradient descent": training(ml.GradientDescent(0.1, batch_size=20, max_iterations=5)),
    "LBFGS, stored": training(ml.LBFGS(max_iterations=8), has_checkpoint=True),
    "TNC, stored": training(ml.ScipyTrainer("TNC", max_evaluations=12), has_checkpoint=True),
}
"""Each kind of work by name."""
