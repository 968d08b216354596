"""The two type aliases that every folder uses."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A NumPy array; the docstrings say which shape and dtype."""

State: TypeAlias = dict[str, Any]
"""Numbers, strings and float64 arrays by name: what a checkpoint can hold beside a network."""
