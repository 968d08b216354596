"""The progress bar: what it draws, and how often."""

import pytest

from minilayer.training.progress import ProgressBar
from tests.helpers.clock import FakeClock


def test_evaluations_in_quick_succession_are_drawn_together(
    clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    bar = ProgressBar("method", None, show=True)
    capsys.readouterr()
    clock.advance(0.15)
    bar.update(3.0, 1.0)
    assert capsys.readouterr().err == ""
    clock.advance(0.1)
    bar.update(2.0, 0.5)
    drawn = capsys.readouterr().err
    assert "2ev" in drawn
    assert "cost 2, |gradient| 5.00e-01" in drawn
    clock.advance(0.15)
    bar.update(1.0, 0.25)
    assert capsys.readouterr().err == ""
    bar.close()
    drawn = capsys.readouterr().err
    assert "3ev" in drawn
    assert "cost 1, |gradient| 2.50e-01" in drawn


def test_evaluations_of_an_earlier_part_of_the_run_are_counted(
    clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    bar = ProgressBar("method", 10, show=True)
    bar.resume_from(6)
    clock.advance(1.0)
    bar.update(1.0, 1.0)
    assert "7/10" in capsys.readouterr().err
    bar.close()


def test_a_finished_run_that_is_taken_up_again_shows_no_cost_that_it_did_not_evaluate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = ProgressBar("method", 10, show=True)
    bar.resume_from(6)
    bar.close()
    drawn = capsys.readouterr().err
    assert "6/10" in drawn
    assert "cost" not in drawn
