"""The progress bar: what its line shows, how wide it is, where it appears."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.training import progress
from minilayer.training.progress import REFRESH_SECONDS, Figures, ProgressBar
from tests.helpers.clock import FakeClock
from tests.helpers.problems import START, rosenbrock, xor
from tests.helpers.terminal import terminal

ROWS = np.linspace(-1, 1, 40)[:, None]
TARGETS = ROWS**2
VALIDATION = ROWS[::4], TARGETS[::4]
costs = st.none() | st.floats(allow_nan=True, allow_infinity=True)
counts = st.integers(0, 10**7)


@pytest.fixture(autouse=True)
def _draw_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REFRESH_SECONDS", -1.0)


def figures(**others: Any) -> Figures:
    known: dict[str, Any] = {
        "name": "L-BFGS",
        "unit": "evaluations",
        "total": 250,
        "evaluations": 112,
        "cost": 0.339123,
        "gradient_norm": 1.234e-3,
    }
    return Figures(**{**known, **others})


def train(trainer: ml.Trainer, **options: Any) -> ml.TrainingResult:
    model = ml.mlp(1, 3, 1, seed=0)
    return ml.fit(model, ROWS, TARGETS, trainer=trainer, progress=True, **options)


# The line


@pytest.mark.parametrize(
    ("columns", "others", "line"),
    [
        (40, {}, "cost 0.339123, 112/250 evals |{bar}|"),
        (40, {"total": None}, "cost 0.339123, 112 evals {elapsed}"),
        (40, {"validation_cost": 0.456789}, "cost 0.33912, 112/250 evals, val 0.45679"),
        (40, {"metric": 0.93512}, "cost 0.339, 112/250 evals, metric 0.935"),
        (
            80,
            {},
            "L-BFGS: cost 0.339123, 112/250 evals, |gradient| 1.23e-03 "
            "|{bar}| {elapsed}<{remaining}",
        ),
        (
            80,
            {"validation_cost": 0.456789},
            "L-BFGS: cost 0.339123, 112/250 evals, val 0.45679, |gradient| 1.23e-03 |{bar}|",
        ),
        (
            80,
            {"metric": 0.93512},
            "L-BFGS: cost 0.339123, 112/250 evals, metric 0.9351, |gradient| 1.23e-03 |{bar}|",
        ),
        (
            80,
            {"name": "gradient descent", "unit": "epochs", "iterations": 12, "total": 300},
            "gradient descent: cost 0.339123, 12/300 epochs, |gradient| 1.23e-03 |{bar}|",
        ),
        (
            120,
            {"validation_cost": 0.456789},
            "L-BFGS: cost 0.339123, 112/250 evaluations, validation cost 0.45679, "
            "|gradient| 1.23e-03 |{bar}| {elapsed}<{remaining}",
        ),
        (12, {}, "cost 0.339, "),
        (
            80,
            {"note": "1.2M rows/s, slowest part 3: 0.21 s"},
            "L-BFGS: cost 0.339123, 112/250 evals, 1.2M rows/s, slowest part 3: 0.21 s",
        ),
        (40, {"note": "1.2M rows/s"}, "cost 0.339123, 112/250 evals |{bar}|"),
        (
            120,
            {"note": "1.2M rows/s", "total": None},
            "L-BFGS: cost 0.339123, 112 evaluations, |gradient| 1.23e-03, 1.2M rows/s {elapsed}",
        ),
    ],
)
def test_the_line_has_what_there_is_room_for(
    columns: int, others: dict[str, Any], line: str
) -> None:
    assert figures(**others).line(columns) == line


@given(
    columns=st.integers(1, 300),
    name=st.text("ab{}: ", max_size=30),
    unit=st.sampled_from(["evaluations", "iterations", "epochs"]),
    total=st.none() | counts,
    count=counts,
    values=st.tuples(costs, costs, costs, costs),
    note=st.text("ab{}: ", max_size=30),
)
def test_no_line_is_wider_than_the_terminal(
    columns: int,
    name: str,
    unit: str,
    total: int | None,
    count: int,
    values: tuple[float | None, float | None, float | None, float | None],
    note: str,
) -> None:
    cost, norm, validation, metric = values
    shown = Figures(
        name,
        unit,
        total,
        evaluations=count,
        iterations=count,
        cost=cost,
        gradient_norm=norm,
        validation_cost=validation,
        metric=metric,
        note=note,
    )
    line = shown.line(columns).format(bar="|" * 6, elapsed="00:12", remaining="01:23")
    assert len(line) <= columns


@pytest.mark.parametrize("columns", [40, 80])
def test_the_validation_is_there_in_a_line_of_large_numbers(columns: int) -> None:
    shown = figures(cost=1.23456e-5, evaluations=1999, total=2000, validation_cost=1.23456e-5)
    assert "val 1.23" in shown.line(columns)
    assert "1999/2000" in shown.line(columns)


def test_braces_in_a_name_are_kept() -> None:
    shown = figures(name="my {method}")
    assert shown.line(200).format(bar="", elapsed="", remaining="").startswith("my {method}: ")
    assert shown.widget_line().format(bar="", elapsed="").startswith("my {method} ")


# What a run shows


@pytest.mark.skipif(os.name != "posix", reason="needs pseudo-terminals")
@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(
    ("trainer", "last"),
    [
        (ml.LBFGS(max_evaluations=9), "9/9 eval"),
        (ml.LBFGS(max_iterations=4), "4/4 iter"),
        (ml.ScipyTrainer("TNC", max_evaluations=9), "9/9 eval"),
        (ml.GradientDescent(max_iterations=5), "6/6 eval"),
        (ml.GradientDescent(batch_size=8, max_iterations=5), "5/5 epochs"),
        (ml.GradientDescent(batch_size=8, max_evaluations=8), "3/3 epochs"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("validation", [None, VALIDATION])
def test_a_run_stays_in_one_line_of_a_terminal(
    columns: int,
    trainer: ml.Trainer,
    last: str,
    validation: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with terminal(columns) as (seen, stream):
        monkeypatch.setattr(sys, "stderr", stream)
        model = ml.mlp(1, 3, 1, seed=0)
        ml.fit(model, ROWS, TARGETS, trainer=trainer, validation=validation)  # shown by default
        monkeypatch.undo()
    assert seen.text.count("\n") == 1
    assert seen.text.endswith("\n")
    assert max(map(len, seen.frames)) <= columns
    assert last in seen.frames[-1]
    assert "cost " in seen.frames[-1]
    assert ("val " in seen.frames[-1]) == (validation is not None)
    assert len(set(seen.frames)) >= 4
    if columns == 80:
        assert "|gradient| " in seen.frames[-1]


def test_a_metric_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def closeness(Y: Any, predictions: Any) -> float:
        return 0.125

    validation = ml.Validation(*VALIDATION, metric=closeness)
    train(ml.LBFGS(max_evaluations=9), validation=validation)
    assert "metric 0.125" in capsys.readouterr().err.split("\r")[-1]


def test_a_resumed_run_counts_on(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = tmp_path / "run.h5"
    for epochs in (3, 5):
        trainer = ml.GradientDescent(batch_size=8, max_iterations=epochs)
        train(trainer, checkpoint=checkpoint)
    frames = capsys.readouterr().err.split("\r")
    assert f"{5}/{5} epochs" in frames[-1]
    assert not any("1/5 epochs" in frame for frame in frames)


# Where it appears


def kernel(config: dict[str, object]) -> Any:
    """Return what IPython is in a process of this configuration."""
    ipython: Any = ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace(config=config)
    return ipython


@pytest.mark.parametrize(
    ("config", "is_shown"), [({"IPKernelApp": {}}, True), ({"TerminalIPythonApp": {}}, False)]
)
def test_a_notebook_shows_it_by_default(
    config: dict[str, object],
    is_shown: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", kernel(config))
    for wanted in (None, False):
        ml.LBFGS(max_iterations=3).minimize(xor().objective, progress=wanted)
        assert ("3/3 iterations" in capsys.readouterr().err) == (is_shown and wanted is None)


def test_ipython_without_a_shell_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not progress.is_notebook()


def test_neither_ipython_nor_tqdm_is_imported_without_a_bar() -> None:
    code = (
        "import sys, minilayer as ml; ml.LBFGS().minimize(lambda x: (x @ x, 2 * x), [1.0]); "
        "print('IPython' in sys.modules, 'tqdm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False False\n", "")


class Widget:
    """A bar as tqdm makes it for ipywidgets."""

    made: "list[Widget]"

    def __init__(self, total: int | None, bar_format: str, **options: Any) -> None:
        self.container = object()
        self.disable = False
        self.n = 0
        self.total = total
        self.bar_format = bar_format
        self.is_closed = False
        self.is_red = False
        self.made.append(self)

    def refresh(self) -> None:
        """Draw: not here."""

    def disp(self, bar_style: str) -> None:
        assert bar_style == "danger"
        assert not self.is_closed
        self.is_red = True

    def close(self) -> None:
        """Paint the bar red if a part of its total is left."""
        self.is_red |= self.total is not None and self.n < self.total
        self.is_closed = True


@pytest.fixture
def widgets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Widget]]:
    monkeypatch.setattr(Widget, "made", [], raising=False)
    monkeypatch.setattr("tqdm.auto.tqdm", Widget)
    yield Widget.made
    assert all(widget.is_closed for widget in Widget.made)


def test_the_bar_of_a_page_has_all_figures_and_is_not_red(widgets: list[Widget]) -> None:
    result = train(ml.LBFGS(max_evaluations=5000), l2=1.0, validation=VALIDATION)
    assert result.success
    (widget,) = widgets
    assert not widget.is_red
    assert widget.n == result.nfev < 5000
    left, right = widget.bar_format.split("{bar}")
    assert left == "L-BFGS "
    assert f"cost {result.history.cost[-1]:.6g}, {result.nfev}/5000 evaluations, " in right
    assert "validation cost " in right
    assert "|gradient| " in right


# Streams that cannot be written to


class Broken(io.StringIO):
    """A terminal whose other end is gone."""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("show", [None, True])
@pytest.mark.parametrize(
    "stream",
    [None, closed(), Broken(), SimpleNamespace(write=len, flush=lambda: None)],
    ids=["none", "closed", "broken", "without isatty"],
)
def test_a_run_goes_on_without_its_bar(
    stream: Any, show: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    result = ml.LBFGS(max_iterations=3).minimize(xor().objective, progress=show)
    monkeypatch.undo()
    assert result.nit == 3


def test_a_stream_that_breaks_ends_the_bar_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)

    def close(iteration: ml.Iteration) -> None:
        if iteration.iteration == 2:
            stream.close()

    result = train(ml.LBFGS(max_iterations=5), callback=close)
    monkeypatch.undo()
    assert result.nit == 5


def test_tqdm_can_be_turned_off_for_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tqdm.auto

    class Disabled(tqdm.auto.tqdm):  # type: ignore[type-arg]
        def __init__(self, **options: Any) -> None:  # as the variable TQDM_DISABLE makes it
            super().__init__(disable=True, **options)

    monkeypatch.setattr("tqdm.auto.tqdm", Disabled)
    assert train(ml.LBFGS(max_iterations=3)).nit == 3
    assert capsys.readouterr().err == ""


# How often it is drawn


def test_evaluations_in_quick_succession_are_drawn_together(
    clock: FakeClock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "REFRESH_SECONDS", REFRESH_SECONDS)
    bar = ProgressBar("method", "evaluations", None, show=True)
    capsys.readouterr()
    clock.advance(0.15)
    bar.update(1, 3.0, 1.0)
    assert capsys.readouterr().err == ""
    clock.advance(0.1)
    bar.update(2, 2.0, 0.5)
    assert "cost 2, 2 eval" in capsys.readouterr().err
    clock.advance(0.15)
    bar.update(3, 1.0, 0.25)
    assert capsys.readouterr().err == ""
    bar.close()
    assert "cost 1, 3 eval" in capsys.readouterr().err


class Noted(ml.ProblemWrapper):
    """An objective with a note."""

    def progress_note(self) -> str:
        return "3 rows/s"


@pytest.mark.parametrize(("kind", "is_shown"), [(Noted, True), (ml.ProblemWrapper, False)])
def test_the_note_of_an_objective_is_shown(
    kind: type[ml.ProblemWrapper], is_shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    ml.LBFGS(max_iterations=3).minimize(kind(rosenbrock), START, progress=True)
    assert (", 3 rows/s" in capsys.readouterr().err) is is_shown


def test_a_finished_run_that_is_taken_up_again_shows_no_cost_that_it_did_not_evaluate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = ProgressBar("method", "evaluations", 10, show=True)
    bar.resume_from(6, 5)
    bar.close()
    drawn = capsys.readouterr().err
    assert "6/10" in drawn
    assert "cost" not in drawn
