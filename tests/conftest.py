"""Fixtures, and the profile of hypothesis."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import settings
from scipy.io import loadmat

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.clock import FakeClock
from tests.helpers.paths import EX4, ROOT
from tests.helpers.trainers import TRAINERS, Make

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to the top folder: doctests name files as the README does."""
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="session")
def digits() -> tuple[Array, Array]:
    """Return X (5000, 400) and labels; read-only, as every test shares them."""
    X, labels = ml.load_ex4(EX4)
    X.flags.writeable = False
    labels.flags.writeable = False
    return X, labels


@pytest.fixture(scope="session")
def ex4_weights() -> tuple[Array, Array]:
    """Return the exercise's own Theta1 and Theta2 from the file that EX4_WEIGHTS names."""
    path = os.environ.get("EX4_WEIGHTS")
    if not path:
        pytest.skip(
            "EX4_WEIGHTS does not name the exercise's ex4weights.mat, "
            "which the project may not ship"
        )
    content = loadmat(path)
    return content["Theta1"], content["Theta2"]


@pytest.fixture(params=TRAINERS)
def make(request: pytest.FixtureRequest) -> Make:
    """Return each trainer of the table in turn."""
    return TRAINERS[request.param]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Put a clock that stands still in the place of ``time.perf_counter``."""
    fake = FakeClock()
    monkeypatch.setattr(time, "perf_counter", fake)
    return fake
