"""ml.__version__."""

import importlib.metadata
import re

import pytest

import minilayer as ml
from minilayer.utils import version


def test_version_is_that_of_the_installed_package() -> None:
    assert ml.__version__ == importlib.metadata.version("minilayer")
    assert re.fullmatch(r"\d+\.\d+\.\d+", ml.__version__)


def test_version_without_installation_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", not_installed)
    version.library_version.cache_clear()
    assert version.library_version() == "unknown"
    version.library_version.cache_clear()
