"""What a stored state must hold: names, kinds, shapes, finite numbers.

The state in a checkpoint whose checksums are right may still be another one: of another version, or
changed by hand. It is checked once, before anything of a run changes. Names that the description
does not know are left out.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, final

import numpy as np

from ...utils.checks import short_repr
from ...utils.types import Array, State

MAX_COUNT = 1 << 53
"""Larger integers are not exact in the float64 columns of a history."""
MAX_FLOAT = sys.float_info.max


class StateError(ValueError):
    """A stored state is not what it should be; the message names the place in it."""

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(f"{place or 'state'}: expected {expected}, found {found}")


class Expected(Protocol):
    """A description of a stored value."""

    def checked(self, value: object, place: str) -> Any:
        """Return the value as the run uses it; raise StateError for another one."""


@final
class Anything:
    """The state of a trainer or a rule that gives no description."""

    def checked(self, value: object, place: str) -> Any:
        return value


@final
@dataclass(frozen=True)
class Count:
    """An integer from 0 up."""

    def checked(self, value: object, place: str) -> int:
        if type(value) is not int or not 0 <= value <= MAX_COUNT:
            raise StateError(place, "an integer from 0 to 2**53", short_repr(value))
        return value


@final
@dataclass(frozen=True)
class Number:
    """A number between two limits, finite by default."""

    minimum: float = -MAX_FLOAT
    maximum: float = MAX_FLOAT
    allows_nan: bool = False

    def checked(self, value: object, place: str) -> float:
        if isinstance(value, float) or (type(value) is int and abs(value) <= MAX_COUNT):
            number = float(value)
            if self.minimum <= number <= self.maximum or (self.allows_nan and math.isnan(number)):
                return number
        kind = "a finite number" if self.maximum == MAX_FLOAT else "a number"
        least = f"{kind} from 0 up" if self.minimum == 0 else kind
        raise StateError(place, least, short_repr(value))


@final
@dataclass(frozen=True)
class Floats:
    """A float64 array of a shape; None in it stands for any length."""

    shape: tuple[int | None, ...]
    is_finite: bool = True
    is_count: bool = False
    """Whether the numbers are integers from 0 up."""
    is_square: bool = False
    """Whether the two lengths are equal."""

    def checked(self, value: object, place: str) -> Array:
        lengths = ", ".join("any" if length is None else str(length) for length in self.shape)
        expected = f"an array of shape ({lengths}{',' * (len(self.shape) == 1)})"
        if not isinstance(value, np.ndarray) or value.ndim != len(self.shape):
            raise StateError(place, expected, short_repr(value))
        pairs = zip(self.shape, value.shape, strict=True)
        if any(length not in (None, found) for length, found in pairs):
            raise StateError(place, expected, short_repr(value))
        if self.is_square and value.shape[0] != value.shape[1]:
            raise StateError(place, "a square", short_repr(value))
        is_right = np.isfinite(value) if self.is_finite else np.ones(value.shape, bool)
        if self.is_count:
            is_right &= (value >= 0) & (value <= MAX_COUNT) & (value == np.floor(value))
        if not is_right.all():
            kind = "integers from 0 up" if self.is_count else "finite numbers"
            raise StateError(place, kind, str(value[~is_right][0]))
        return value


@final
@dataclass(frozen=True)
class Entries:
    """Values by name.

    Attributes
    ----------
    required, optional : mapping of str to Expected
        What must be there, and what may be.
    may_be_empty : bool
        Whether nothing at all is right too.
    have_equal_lengths : bool
        Whether the values are arrays of equal lengths, the columns of a table.
    """

    required: Mapping[str, Expected]
    optional: Mapping[str, Expected] = field(default_factory=dict)
    may_be_empty: bool = False
    have_equal_lengths: bool = False

    def checked(self, value: object, place: str) -> State:
        if not isinstance(value, dict):
            raise StateError(place, "entries by name", short_repr(value))
        if self.may_be_empty and not value:
            return {}
        checked: State = {}
        for name, expected in {**self.required, **self.optional}.items():
            below = f"{place}/{name}" if place else name
            if name in value:
                checked[name] = expected.checked(value[name], below)
            elif name in self.required:
                raise StateError(below, "an entry of that name", "none")
        if self.have_equal_lengths:
            lengths = {name: len(column) for name, column in checked.items()}
            if len(set(lengths.values())) > 1:
                raise StateError(place, "arrays of equal lengths", short_repr(lengths))
        return checked


@final
@dataclass(frozen=True)
class Numbered:
    """Values of one kind under the names 0, 1, 2, ..."""

    each: Expected

    def checked(self, value: object, place: str) -> State:
        length = len(value) if isinstance(value, dict) else 0
        each = Entries({str(number): self.each for number in range(length)})
        return each.checked(value, place)
