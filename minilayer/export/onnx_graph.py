"""OnnxGraph: what a layer's ``to_onnx`` adds operators and constants to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt

from ..utils.checks import short_repr
from ..utils.types import Array

Attribute: TypeAlias = int | float | str | list[int] | list[float]
"""What an attribute of an operator may be."""


@dataclass(frozen=True)
class Node:
    """One operator of a graph; its name is that of its output."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Attribute]


@dataclass(frozen=True)
class Output:
    """A result of a graph: its name in the file, and the value that it is.

    Its shape is (rows, *columns). Its dtype is that of the graph, int64, or object for strings.
    """

    name: str
    value: str
    columns: tuple[int, ...]
    dtype: np.dtype[Any]


@final
class OnnxGraph:
    """Operators and constants of an ONNX graph, in the order in which they were added.

    A layer's ``to_onnx(graph, x)`` calls ``node`` for each operator and returns the name of the
    last result. The names of values begin with the index of the layer: "0.weight", "1.Sigmoid".

    Parameters
    ----------
    dtype : dtype
        float64 or float32, of X and of all numbers computed from it.

    Attributes
    ----------
    dtype : numpy.dtype
        float64 or float32.
    nodes : list of Node
        The operators.
    constants : dict of str to ndarray
        The initializers.

    Examples
    --------
    y = x * factor:

    >>> graph = OnnxGraph(np.float32)
    >>> graph.begin("0")
    >>> graph.node("Mul", graph.INPUT, graph.constant([2.0, 3.0], "factor"))
    '0.Mul'
    >>> graph.constants
    {'0.factor': array([2., 3.], dtype=float32)}
    """

    INPUT = "X"

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}
        self._names = {self.INPUT}
        self._place = ""

    def begin(self, place: str) -> None:
        """Begin all names that follow with ``place`` and a dot.

        Parameters
        ----------
        place : str
            Such as the index of a layer.
        """
        self._place = place

    def node(
        self, operator: str, *inputs: str | float | npt.ArrayLike, **attributes: Attribute
    ) -> str:
        """Add an operator, and return the name of its result.

        Parameters
        ----------
        operator : str
            A standard operator of opset 17 with one result, such as "Mul". Runtimes compute few
            operators in float64; README.md beside this file lists those of onnxruntime.
        *inputs : str, float or array_like
            Names of values. Numbers and arrays become constants.
        **attributes : int, float, str or list
            The operator's attributes, such as ``axis=1``.

        Returns
        -------
        str
            The name.

        Raises
        ------
        ValueError
            For a name that no value has, and numbers that ``dtype`` cannot hold.
        """
        names = tuple(self._value(operator, one) for one in inputs)
        output = self._new_name(operator)
        self.nodes.append(Node(operator, names, output, attributes))
        return output

    def constant(self, value: npt.ArrayLike, name: str = "constant") -> str:
        """Add a constant, and return its name.

        Parameters
        ----------
        value : array_like
            A copy is stored. Python's numbers and arrays of floats become numbers of ``dtype``;
            integers, booleans and strings in arrays stay what they are.
        name : str, default "constant"
            Its name after the index of the layer, such as "weight".

        Returns
        -------
        str
            The whole name.

        Raises
        ------
        ValueError
            For numbers that are not finite, or too large for ``dtype``.
        """
        array = np.array(value)
        if array.dtype.kind == "f" or isinstance(value, int | float):
            array = self._in_precision(f"{self._place}.{name}", array)
        whole = self._new_name(name)
        self.constants[whole] = array
        return whole

    def has(self, name: object) -> bool:
        """Return whether a value has that name."""
        return name in self._names

    def is_computed(self, name: str) -> bool:
        """Return whether a value is the result of an operator: not the input, not a constant."""
        return any(node.output == name for node in self.nodes)

    def _in_precision(self, what: str, array: Array) -> Array:
        with np.errstate(over="ignore"):
            stored = array.astype(self.dtype)
        wrong = ~np.isfinite(stored)
        if wrong.any():
            found = array[wrong][0]
            hint = ": use dtype='float64'" if np.isfinite(found) else ""
            raise ValueError(
                f"{what}: expected finite numbers that {self.dtype} holds, found {found:g}{hint}"
            )
        return stored

    def _value(self, operator: str, value: str | float | npt.ArrayLike) -> str:
        if not isinstance(value, str):
            return self.constant(value)
        if not self.has(value):
            raise ValueError(
                f"{operator}: expected inputs that graph.node and graph.constant returned, "
                f"found {short_repr(value)}"
            )
        return value

    def _new_name(self, name: str) -> str:
        whole = first = f"{self._place}.{name}"
        number = 1
        while whole in self._names:
            number += 1
            whole = f"{first}_{number}"
        self._names.add(whole)
        return whole
