"""scikit-learn's own tests of its networks pass with minilayer's, but for those that cannot."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.estimators.scikit_learn_own import CANNOT_PASS, NEEDS_ADAM
from tests.helpers.paths import ROOT


def failed_tests(*options: str) -> tuple[set[str], set[str]]:
    """Return the tests that ran, and those of them that failed."""
    command = [sys.executable, "-m", "tests.estimators.scikit_learn_own", "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    outcomes = json.loads(done.stdout)
    failed = {test for test, outcome in outcomes.items() if outcome == "failed"}
    return set(outcomes), failed


def test_those_that_cannot_pass_are_known() -> None:
    ran, failed = failed_tests()
    assert len(ran) > 40
    assert failed == (CANNOT_PASS.keys() | NEEDS_ADAM.keys()) & ran


def test_some_pass_with_the_default_solver_of_scikit_learn() -> None:
    ran, failed = failed_tests("--solver", "adam", "--only", *NEEDS_ADAM)
    assert ran == NEEDS_ADAM.keys()
    assert not failed
