"""Clusters of worker processes."""

from collections.abc import Iterator

import pytest
from distributed import Client

from tests.helpers.clusters import local_cluster


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Return a client of two workers, which tests leave as they are."""
    with local_cluster(2) as client:
        yield client


@pytest.fixture
def fragile() -> Iterator[Client]:
    """Return a client of two workers of the test's own, which it may kill."""
    with local_cluster(2) as client:
        yield client
