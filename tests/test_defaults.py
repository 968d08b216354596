"""The defaults that docstrings name are those of the signatures."""

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from numpydoc.docscrape import NumpyDocString

import minilayer as ml

WITH_METHODS = (ml.Objective, ml.Sequential, ml.Trainer)
NUMBER_OR_NAME = r"[-+.\w\"']+"


def documented_defaults(name: str, function: Any) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield name and argument, the default by the docstring, and by the signature."""
    for entry in NumpyDocString(inspect.getdoc(function) or "")["Parameters"]:
        match = re.search(rf"default ({NUMBER_OR_NAME})(?: and ({NUMBER_OR_NAME}))?$", entry.type)
        if match is None:
            continue
        names = entry.name.split(", ")
        texts = [text for text in match.groups() if text is not None]
        for argument, text in zip(names, texts * (len(names) // len(texts)), strict=True):
            default = inspect.signature(function).parameters[argument].default
            documented = getattr(ml, text) if text in ml.__all__ else ast.literal_eval(text)
            yield name, argument, documented, default


def all_defaults() -> Iterator[tuple[str, str, Any, Any]]:
    for name in ml.__all__:
        if callable(getattr(ml, name)):
            yield from documented_defaults(name, getattr(ml, name))
    for owner in WITH_METHODS:
        for name, value in vars(owner).items():
            if inspect.isfunction(value) and not name.startswith("_"):
                yield from documented_defaults(f"{owner.__name__}.{name}", value)


DEFAULTS = list(all_defaults())


@pytest.mark.parametrize(
    ("name", "argument", "documented", "actual"),
    DEFAULTS,
    ids=[f"{name}-{argument}" for name, argument, _, _ in DEFAULTS],
)
def test_a_documented_default_is_the_real_one(
    name: str, argument: str, documented: Any, actual: Any
) -> None:
    assert (actual, type(actual) is bool) == (documented, type(documented) is bool)


def test_there_are_documented_defaults() -> None:
    found = {f"{name} {argument}" for name, argument, _, _ in DEFAULTS}
    expected = {"GradientDescent seed", "Adam beta2", "Trainer.minimize checkpoint_every"}
    assert expected <= found
    assert len(found) > 25
