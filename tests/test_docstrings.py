"""Public docstrings have numpydoc's layout: summary, Parameters, Returns and Raises."""

import ast
import dataclasses
import enum
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
from numpydoc.validate import validate

import minilayer as ml
from minilayer import estimators, ex4, export, plots, testing

CHECKED = {
    "GL01": "the text starts on the first line",
    "GL03": "no double blank lines",
    "GL06": "known sections only",
    "GL07": "sections in numpydoc's order",
    "GL08": "there is a docstring",
    "PR01": "every parameter is documented",
    "PR02": "no unknown parameter",
    "PR03": "parameters in the order of the signature",
    "PR04": "every parameter has a type",
    "PR07": "every parameter has a description",
    "RT01": "there is a Returns section",
    "RT03": "what is returned is described",
    "SS01": "there is a summary",
    "SS03": "the summary ends with a period",
    "YD01": "there is a Yields section",
}

WITH_METHODS = (
    ml.Layer,
    ml.Activation,
    ml.Objective,
    ml.Sequential,
    ml.Trainer,
    ml.Rule,
    ml.Initializer,
    ml.Loss,
)
"""Classes whose public methods are checked too."""


def public_objects() -> Iterator[tuple[str, Any]]:
    """Yield the import path of each public name, and of the methods above, with the object."""
    for module in (ml, ex4, plots, testing, estimators, export):
        for name in module.__all__:
            yield f"{module.__name__}.{name}", getattr(module, name)
    for owner in WITH_METHODS:
        for name, value in vars(owner).items():
            is_override = hasattr(super(owner, owner), name)  # documented where it is declared
            if not name.startswith("_") and inspect.isfunction(value) and not is_override:
                yield f"minilayer.{owner.__name__}.{name}", value


OBJECTS = dict(public_objects())


def has_no_signature_of_its_own(value: Any) -> bool:
    """Return whether parameters are documented as attributes, or there are none to document."""
    return (
        dataclasses.is_dataclass(value)
        or getattr(value, "_is_protocol", False)
        or (inspect.isclass(value) and issubclass(value, (enum.Enum, Exception, dict)))
    )


@pytest.mark.parametrize("path", OBJECTS)
def test_layout(path: str) -> None:
    value = OBJECTS[path]
    if not callable(value):
        return
    ignored = (
        {"PR01", "PR02"} if has_no_signature_of_its_own(value) or value is ml.Trainer else set()
    )
    errors = [
        f"{code} ({CHECKED[code]}): {text}"
        for code, text in validate(path)["errors"]
        if code in CHECKED and code not in ignored
    ]
    assert not errors, "\n".join(errors)


@pytest.mark.parametrize("path", OBJECTS)
def test_what_raises_says_so(path: str) -> None:
    value = OBJECTS[path]
    function = value.__init__ if inspect.isclass(value) else value
    is_generated = dataclasses.is_dataclass(value) or not inspect.isfunction(function)
    if is_generated or not function.__module__.startswith("minilayer"):
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    raises = any(isinstance(node, ast.Raise) and node.exc is not None for node in ast.walk(tree))
    assert not raises or "Raises\n" in inspect.getdoc(value)  # type: ignore[operator]


def test_every_public_object_is_covered() -> None:
    assert {f"minilayer.{name}" for name in ml.__all__} <= set(OBJECTS)
    assert len(OBJECTS) > 80
