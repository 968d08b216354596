"""Sequential: layers in a row over one flat vector of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any, TypeGuard, TypeVar, final, overload

import numpy as np
import numpy.typing as npt

from ..errors import LayerError
from ..utils.checks import check_count, check_finite, check_matrix, check_names, check_seed
from ..utils.classes import predicted_classes
from ..utils.floating_point import ignores_floating_point_errors
from ..utils.output import check_output
from ..utils.row_source import AnyRows, RowsLike, check_row_matrix, read_blocks
from ..utils.tables import check_column_names, column_names
from ..utils.types import Array
from .activation import Activation
from .activations import Sigmoid
from .layer import Layer
from .parameter_layout import (
    Views,
    as_layers,
    check_copyable,
    check_new,
    layer_widths,
    parameter_layout,
    parameter_views,
)
from .sequential_html import sequential_html
from .state_dict import load_state_dict, state_dict

PREDICTED_ROWS = 2048
"""Rows that ``predict`` computes at a time, so that its memory does not grow with the data."""


Out = TypeVar("Out")


@final
class Sequential:
    """A network: layers in a row, their parameters one flat float64 vector.

    The layers see views of ``parameters``, which is allocated once and never rebound:
    ``model.parameters[:] = x`` sets the network. Its layout is layer by layer, each Dense as theta
    (units, 1 + inputs), bias in column 0, in C order. This is the article's layout.

    ``len(model)``, iteration and ``model[i]`` give the layers; ``model(X)`` is ``predict(X)``.
    Passes ignore floating-point errors, whatever ``np.seterr`` says: overflows give infinities.

    Parameters
    ----------
    layers : iterable of Layer
        The layers, each of them new.
    seed : int or numpy.random.Generator, optional
        The source of the starting values; default: another start each time.

    Raises
    ------
    TypeError
        For objects that are not layers, and layers whose ``config`` lacks an argument.
    ValueError
        For sizes that do not fit, a layer used twice, and a model without any size.

    Examples
    --------
    >>> from minilayer import Dense, Sigmoid
    >>> model = Sequential([Dense(2, 3), Sigmoid(), Dense(3, 1), Sigmoid()], seed=0)
    >>> model.parameters.shape, model.layers[0].theta.shape
    ((13,), (3, 3))
    >>> model.parameters[:] = 0
    >>> model.predict([[1.0, 2.0]])
    array([[0.5]])
    """

    def __init__(
        self, layers: Iterable[Layer], seed: int | np.random.Generator | None = None
    ) -> None:
        self._layers = as_layers(layers)
        check_new(self._layers)
        self._widths = layer_widths(self._layers)
        check_seed(seed)  # before the parameters are allocated
        places = [place.stop for *_, place in parameter_layout(self._layers)]
        self._bind(np.zeros(places[-1] if places else 0))
        self._feature_names: tuple[str, ...] | None = None
        self._class_names: tuple[str, ...] | None = None
        self.initialize(seed)

    def _bind(self, parameters: Array) -> None:
        self._parameters = parameters
        self._gradient = np.zeros_like(parameters)
        self._forget_forward_pass()
        views = parameter_views(self._layers, parameters)
        gradient_views = parameter_views(self._layers, self._gradient)
        for layer, own, own_gradient in zip(self._layers, views, gradient_views, strict=True):
            layer.bind(own, own_gradient)

    def _forget_forward_pass(self) -> None:
        self._rows = 0  # of the last forward pass
        self._passed = 0  # number of layers of the last forward pass
        self._leading = len(self.leading_layers)

    def initialize(self, seed: int | np.random.Generator | None = None) -> None:
        """Draw new starting values, as if the model were new.

        Parameters
        ----------
        seed : int or numpy.random.Generator, optional
            The source of the starting values; default: another start each time.

        Raises
        ------
        TypeError, ValueError
            For a seed of another kind.

        Examples
        --------
        >>> from minilayer import Dense
        >>> model = Sequential([Dense(2, 1)], seed=0)
        >>> start = model.parameters.copy()
        >>> model.parameters[:] = 7
        >>> model.initialize(seed=0)
        >>> bool((model.parameters == start).all())
        True
        """
        rng = check_seed(seed)
        self._parameters[:] = 0
        for layer in self._layers:
            layer.initialize(rng)
        self._is_trained = False

    @property
    def is_trained(self) -> bool:
        """Whether a trainer has set the parameters since the starting values were drawn."""
        return self._is_trained

    def mark_trained(self) -> None:
        """Note that a trainer has set the parameters, for ``is_trained``."""
        self._is_trained = True

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in their order. Only ``insert`` and ``remove`` change them."""
        return self._layers

    @property
    def leading_layers(self) -> tuple[Layer, ...]:
        """The layers before the first with parameters, such as Standardize.

        Their output is the same in every evaluation. They compute in float64 also where the other
        layers compute in single precision: a column of 1e300 is a number for Standardize.
        """
        leading = tuple(takewhile(lambda layer: not layer.shapes(), self.inner_layers))
        has_parameters = len(leading) < len(self.inner_layers)
        return leading if has_parameters else ()  # a loss overwrites the pre-activation

    @property
    def output_activation(self) -> Activation | None:
        """The last layer if it is an activation, else None: a regression may end with Dense."""
        last = self._layers[-1]
        return last if isinstance(last, Activation) else None

    @property
    def inner_layers(self) -> tuple[Layer, ...]:
        """The layers up to the last pre-activation: all but the output activation."""
        return self._layers if self.output_activation is None else self._layers[:-1]

    @property
    def n_inputs(self) -> int:
        """Number of columns of X."""
        return self._widths[0]

    @property
    def n_outputs(self) -> int:
        """Number of columns of a prediction."""
        return self._widths[-1]

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The names of the columns of X, which a DataFrame given to ``predict`` must have.

        Training on a DataFrame sets them, if they are None. Checkpoints store them. They can be
        set to a list of strings; None forgets them.
        """
        return self._feature_names

    @feature_names.setter
    def feature_names(self, names: Iterable[str] | None) -> None:
        if names is not None:
            names = check_names("feature_names", names, self.n_inputs, "column of X")
        self._feature_names = names

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes 0, 1 and so on, or of the outputs of several labels.

        One output has two classes. They can be set to a list of strings or numbers, such as the
        classes of ``encode_labels``. Checkpoints store them, and plots of the model show them.
        """
        return self._class_names

    @class_names.setter
    def class_names(self, names: Iterable[object] | None) -> None:
        if names is not None:
            names = check_names("class_names", names, max(2, self.n_outputs), "class", numbers=True)
        self._class_names = names

    @property
    def parameters(self) -> Array:
        """The flat vector of all parameters, shared with the layers and the replicas."""
        return self._parameters

    @parameters.setter
    def parameters(self, value: object) -> None:
        if value is not self._parameters:  # `model.parameters += step` ends here, with the vector
            raise AttributeError(
                "parameters cannot be rebound, the layers are views of it: model.parameters[:] = x"
            )

    @property
    def gradient(self) -> Array:
        """The result of the last backward pass, in the layout of ``parameters``."""
        return self._gradient

    def forward(self, x: npt.ArrayLike) -> Array:
        """Return the network's output and keep what ``backward`` needs.

        Parameters
        ----------
        x : array_like, shape (m, n_inputs)
            Rows of data.

        Returns
        -------
        ndarray, shape (m, n_outputs)
            The last layer's work space, overwritten by the next call. ``predict`` gives an array
            of your own.
        """
        return self._propagate(x, self._layers)

    def forward_pre_activation(self, x: npt.ArrayLike) -> Array:
        """Return the input of the output activation: ``forward`` without the last step.

        Parameters
        ----------
        x : array_like, shape (m, n_inputs)
            Rows of data.

        Returns
        -------
        ndarray, shape (m, n_outputs)
            Work space, overwritten by the next call. Without an output activation: the output.
        """
        return self._propagate(x, self.inner_layers)

    @ignores_floating_point_errors
    def _propagate(self, x: npt.ArrayLike, layers: tuple[Layer, ...]) -> Array:
        if self._is_checked(x):
            y = x
        else:
            check_column_names(self._feature_names, column_names(x))
            X = check_matrix("X", x, self.n_inputs, f"columns (inputs of {self._layers[0]!r})")
            y = X.astype(self._input_dtype, copy=False)
        self._rows = len(y)
        self._passed = len(layers)
        for index, layer in enumerate(layers):
            if index == self._leading:
                y = y.astype(self._parameters.dtype, copy=False)
            y = layer.forward(y)
        return y

    @property
    def _input_dtype(self) -> np.dtype:
        return np.dtype(np.float64) if self._leading else self._parameters.dtype

    def _is_checked(self, x: npt.ArrayLike) -> TypeGuard[Array]:
        """Return whether x is a matrix as the layers take it; shards always are."""
        return (
            type(x) is np.ndarray
            and x.ndim == 2
            and x.shape[1] == self.n_inputs
            and x.dtype == self._input_dtype
            and len(x) > 0
        )

    def backward(self, dy: Array) -> Array:
        """Return the gradient of all parameters, summed over the rows of the last ``forward``.

        The gradient by the input of the first layer with parameters is not computed.

        Parameters
        ----------
        dy : ndarray, shape (m, n_outputs)
            dC/doutput.

        Returns
        -------
        ndarray, shape (n_parameters,)
            ``gradient``, overwritten by the next call.
        """
        return self._backpropagate(dy, self._layers)

    def backward_pre_activation(self, dz: Array) -> Array:
        """Return the gradient for dz = dC/dz, with z from ``forward_pre_activation``.

        Parameters
        ----------
        dz : ndarray, shape (m, n_outputs)
            The derivative by the input of the output activation.

        Returns
        -------
        ndarray, shape (n_parameters,)
            ``gradient``, overwritten by the next call.
        """
        return self._backpropagate(dz, self.inner_layers)

    @ignores_floating_point_errors
    def _backpropagate(self, dy: Array, layers: tuple[Layer, ...]) -> Array:
        if not self._rows:
            raise RuntimeError("backward: expected a forward before it, found none")
        if len(layers) > self._passed:
            raise RuntimeError(
                "backward: expected a forward before it, found a forward_pre_activation: "
                "use backward_pre_activation"
            )
        if dy.shape != (self._rows, self.n_outputs):
            expected = (self._rows, self.n_outputs)
            raise ValueError(f"dy: expected {expected} as of the last forward, found {dy.shape}")
        for layer in layers[: self._leading : -1]:
            layer.parameter_gradient(dy)
            dy = layer.input_gradient(dy)
        if layers:
            layers[self._leading].parameter_gradient(dy)
        return self._gradient

    @overload
    def predict(self, X: RowsLike, *, out: None = None) -> Array: ...

    @overload
    def predict(self, X: RowsLike, *, out: Out) -> Out: ...

    def predict(self, X: RowsLike, *, out: Any = None) -> Any:
        """Return the network's output as a new array. Several threads may call it at once.

        Parameters
        ----------
        X : array_like, shape (m, n_inputs)
            Rows of any numeric dtype and memory order, or in a file, as Objective takes them. A
            file is read once, some rows at a time. The columns of a DataFrame must be those of
            ``feature_names``, in their order.
        out : array or file, shape (m, n_outputs), optional
            Where the output is written: an array, a memory map, an h5py dataset or whatever takes
            ``out[start:stop] = rows``, of floating-point numbers. Default: a new array.

        Returns
        -------
        ndarray, shape (m, n_outputs)
            float64, always two-dimensional: (m, 1) for one output, whose numbers are ``[:, 0]``.
            ``predict_class`` gives class numbers. With ``out``: ``out``.

        Raises
        ------
        TypeError, ValueError
            If X is not a finite matrix of ``n_inputs`` columns, or ``out`` has not the shape. Rows
            of a file are checked when they are read: those before a wrong one are written.
        DataError
            If a file cannot be read.

        Examples
        --------
        >>> from minilayer import Dense
        >>> model = Sequential([Dense(1, 2)], seed=0)
        >>> scores = np.empty((3, 2))
        >>> model.predict([[1.0], [2.0], [3.0]], out=scores) is scores
        True
        """
        data = self.check_inputs(X)
        if out is None:
            out = np.empty((len(data), self.n_outputs))
        else:
            check_output("out", out, (len(data), self.n_outputs), "f")
        for rows, output in self._predictions(data):
            out[rows] = output
        return out

    def check_inputs(self, X: RowsLike) -> AnyRows:
        """Return X as rows of the model's width, in memory or to be read.

        Parameters
        ----------
        X : array_like, shape (m, n_inputs)
            Rows, as ``predict`` takes them.

        Returns
        -------
        ndarray or rows to be read, shape (m, n_inputs)
            Their numbers may still be infinite or NaN, unless X is a DataFrame.

        Raises
        ------
        TypeError, ValueError
            If X is not a matrix of ``n_inputs`` columns, or a DataFrame whose columns are not those
            of ``feature_names`` in their order.
        """
        check_column_names(self._feature_names, column_names(X))
        meaning = f"columns (inputs of {self._layers[0]!r})"
        return check_row_matrix("X", X, self.n_inputs, meaning)

    def _predictions(self, data: AnyRows) -> Iterator[tuple[slice, Array]]:
        """Yield some rows and their output, which the next overwrites."""
        model = self.replica()
        for first, block in read_blocks(data, PREDICTED_ROWS):
            check_finite("X", block, first)
            for start in range(0, len(block), PREDICTED_ROWS):
                part = block[start : start + PREDICTED_ROWS]
                place = first + start
                yield slice(place, place + len(part)), model.forward(part)

    @overload
    def predict_class(self, X: RowsLike, *, out: None = None) -> Array: ...

    @overload
    def predict_class(self, X: RowsLike, *, out: Out) -> Out: ...

    def predict_class(self, X: RowsLike, *, out: Any = None) -> Any:
        """Return the class number of each row.

        Of several outputs the class is the one of the highest. Of one Sigmoid output the class is
        1 above 0.5, else 0.

        Parameters
        ----------
        X : array_like, shape (m, n_inputs)
            Rows, as ``predict`` takes them.
        out : array or file of integers, shape (m,), optional
            Where the class numbers are written. Default: a new array.

        Returns
        -------
        ndarray of int, shape (m,)
            Class numbers from 0 up. With ``out``: ``out``.

        Raises
        ------
        TypeError, ValueError
            If X is not a finite matrix of ``n_inputs`` columns, and for a model with one output
            that does not end with Sigmoid.
        DataError
            If a file cannot be read.

        Examples
        --------
        >>> from minilayer import Dense, Sigmoid
        >>> model = Sequential([Dense(1, 1), Sigmoid()])
        >>> model.parameters[:] = [-2.0, 1.0]
        >>> model.predict_class([[1.0], [3.0]])
        array([0, 1])
        """
        if self.n_outputs == 1 and not isinstance(self._layers[-1], Sigmoid):
            raise ValueError(
                "predict_class: expected a model of several outputs or one that ends with "
                f"Sigmoid(), found {self._layers[-1]!r}: use predict for numbers"
            )
        data = self.check_inputs(X)
        if out is None:
            out = np.empty(len(data), np.intp)
        else:
            check_output("out", out, (len(data),), "ui")
        for rows, output in self._predictions(data):
            check_finite("scores", output, rows.start)
            out[rows] = predicted_classes(output)
        return out

    def __call__(self, X: npt.ArrayLike) -> Array:
        """Return ``predict(X)``."""
        return self.predict(X)

    def replica(self, parameters: Array | None = None) -> Sequential:
        """Return the same network with activations and a gradient of its own.

        Replicas compute side by side on different rows, one a thread.

        Parameters
        ----------
        parameters : ndarray, shape (n_parameters,), optional
            The vector to use; default: share this model's. A float32 vector makes a replica that
            computes in single precision.

        Returns
        -------
        Sequential
            The replica.

        Raises
        ------
        ValueError
            For a vector of another shape.
        """
        vector = self._parameters if parameters is None else parameters
        if vector.shape != self._parameters.shape:
            raise ValueError(
                f"parameters: expected shape {self._parameters.shape}, found {vector.shape}"
            )
        names = self._feature_names, self._class_names
        return _assemble(self._copies(), vector, self._widths, names=names)

    def without_leading_layers(self) -> Sequential:
        """Return a replica that begins behind ``leading_layers``; it takes what they give.

        Returns
        -------
        Sequential
            It shares this model's parameters.
        """
        behind = self._copies()[self._leading :]
        return _assemble(behind, self._parameters, self._widths[self._leading :])

    def insert(self, index: int, layer: Layer) -> None:
        """Take in a layer without parameters, such as ``Standardize.of(X)``.

        The vector and its views stay as they are. Replicas and objectives that were made before
        keep computing the network without the layer: make new ones.

        Parameters
        ----------
        index : int
            Its place: 0 for the first, ``len(model)`` for the last.
        layer : Layer
            A new layer without parameters.

        Raises
        ------
        TypeError
            For an object that is not a layer.
        ValueError
            For a layer with parameters or of another model, one whose size does not fit, and an
            index that is not from 0 to ``len(model)``. The model stays as it was.

        Examples
        --------
        >>> from minilayer import Dense, Standardize
        >>> model = Sequential([Dense(2, 1)], seed=0)
        >>> model.insert(0, Standardize([50, 0.5], [10, 0.2]))
        >>> model
        Sequential([Standardize(2 columns), Dense(2, 1)])
        """
        place = self._checked_index(index, len(self._layers))
        check_copyable("layer", layer)
        if layer.shapes():
            raise ValueError(
                f"layer: expected one without parameters, found {layer!r}: "
                "make a new Sequential for it"
            )
        if layer.is_bound:
            raise ValueError(
                f"layer: {layer!r} is part of a model: make a new layer for each model"
            )
        self._take_layers((*self._layers[:place], layer, *self._layers[place:]))
        layer.bind(Views(), Views())

    def remove(self, index: int) -> None:
        """Drop a layer without parameters, such as one that ``insert`` took in.

        Parameters
        ----------
        index : int
            Its place.

        Raises
        ------
        TypeError, ValueError
            For a layer with parameters, one whose neighbours do not fit without it, and an index
            that is not from 0 to ``len(model) - 1``. The model stays as it was.

        Examples
        --------
        >>> from minilayer import Dense, Standardize
        >>> model = Sequential([Standardize([50, 0.5], [10, 0.2]), Dense(2, 1)], seed=0)
        >>> model.remove(0)
        >>> model
        Sequential([Dense(2, 1)])
        """
        place = self._checked_index(index, len(self._layers) - 1)
        if self._layers[place].shapes():
            raise ValueError(
                f"index: expected that of a layer without parameters, found {self._layers[place]!r}"
            )
        self._take_layers((*self._layers[:place], *self._layers[place + 1 :]))

    def _checked_index(self, index: int, last: int) -> int:
        place = check_count("index", index, 0)
        if place > last:
            raise ValueError(f"index: expected 0 to {last}, found {place}")
        return place

    def _take_layers(self, layers: tuple[Layer, ...]) -> None:
        """Have other layers without parameters than before; ValueError for wrong sizes."""
        widths = layer_widths(layers)
        if widths[0] != self.n_inputs:
            self._feature_names = None
        if widths[-1] != self.n_outputs:
            self._class_names = None
        self._layers = layers
        self._widths = widths
        self._forget_forward_pass()

    def l2_mask(self) -> Array:
        """Return which parameters the l2 penalty applies to: weights yes, biases no.

        Returns
        -------
        ndarray of bool, shape (n_parameters,)
            The mask.

        Raises
        ------
        LayerError
            For a layer whose own mask has another shape.
        """
        mask = np.zeros(self._parameters.size, bool)
        for place, layer, name in self.parameter_slices():
            shape = layer.shapes()[name]
            own = np.asarray(layer.l2_mask(name))
            if own.dtype != bool or own.shape not in ((), shape):
                raise LayerError(
                    f"{layer!r}: expected l2_mask({name!r}) to be True, False or booleans of "
                    f"shape {shape}, found {own.dtype} of shape {own.shape}"
                )
            mask[place] = np.broadcast_to(own, shape).ravel()
        return mask

    def parameter_slices(self) -> Iterator[tuple[slice, Layer, str]]:
        """Yield, for each parameter, its place in the flat vector, its layer and its name.

        Yields
        ------
        place : slice
            Where it lies in ``parameters``.
        layer : Layer
            Whose it is.
        name : str
            Its name there.
        """
        for index, name, _, place in parameter_layout(self._layers):
            yield place, self._layers[index], name

    def state_dict(self) -> dict[str, Array]:
        """Return all parameters and constants under PyTorch's names and in its layout.

        Returns
        -------
        dict of str to ndarray
            Copies in float64. The key is the index of the layer and a name: a Dense has "weight"
            (units, inputs) and "bias" (units,), a Standardize "mean" and "scale".

        Raises
        ------
        LayerError
            For a layer with a parameter and a constant of one name.

        Examples
        --------
        The same names as those of ``torch.nn.Sequential(Linear(2, 3), Tanh(), Linear(3, 1))``,
        which takes them as
        ``net.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})``:

        >>> from minilayer import Dense, Tanh
        >>> model = Sequential([Dense(2, 3), Tanh(), Dense(3, 1)], seed=0)
        >>> state = model.state_dict()
        >>> {key: value.shape for key, value in state.items()}
        {'0.weight': (3, 2), '0.bias': (3,), '2.weight': (1, 3), '2.bias': (1,)}

        The kernels of Keras' Dense are transposed, (inputs, units):

        >>> kernel, bias = state["0.weight"].T, state["0.bias"]
        >>> kernel.shape
        (2, 3)
        """
        return state_dict(self)

    def load_state_dict(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Set all parameters and constants from arrays under PyTorch's names, all or none.

        A layer whose constants change, such as Standardize, is replaced by a new one. Replicas and
        objectives that were made before keep the old constants.

        Parameters
        ----------
        state : mapping of str to array_like
            Arrays as ``state_dict`` returns them, or the tensors of ``net.state_dict()`` of a
            ``torch.nn.Sequential`` of the same layers.

        Raises
        ------
        TypeError, ValueError
            For other keys or shapes than those of ``state_dict``, numbers that are not finite, and
            what NumPy does not take for an array. The model stays as it was.

        Examples
        --------
        What ``layer.get_weights()`` returns for two Dense layers of Keras:

        >>> from minilayer import Dense, Tanh
        >>> model = Sequential([Dense(2, 1), Tanh(), Dense(1, 1)])
        >>> import numpy as np
        >>> weights = [np.array([[2.0], [3.0]]), np.array([1.0])], [np.array([[4.0]]), np.zeros(1)]
        >>> state = {}
        >>> for index, (kernel, bias) in zip([0, 2], weights):
        ...     state |= {f"{index}.weight": kernel.T, f"{index}.bias": bias}
        >>> model.load_state_dict(state)
        >>> model[0].theta
        array([[1., 2., 3.]])
        """
        layers = load_state_dict(self, state)
        if layers is not None:
            self._take_layers(layers)

    def summary(self) -> str:
        """Return a table of the layers, their output shapes and numbers of parameters.

        Returns
        -------
        str
            Lines of text. A REPL shows them as they are.
        """
        rows = [("layer", "output", "parameters")]
        for layer, width in zip(self._layers, self._widths[1:], strict=True):
            count = sum(math.prod(shape) for shape in layer.shapes().values())
            rows.append((repr(layer), f"(m, {width})", f"{count:,}"))
        rows.append(("total", "", f"{self._parameters.size:,}"))
        first, second, third = (max(len(row[column]) for row in rows) for column in range(3))
        return _Text("\n".join(f"{a:<{first}}  {b:<{second}}  {c:>{third}}" for a, b, c in rows))

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    def __getitem__(self, index: int) -> Layer:
        if isinstance(index, int) and not -len(self) <= index < len(self):
            raise IndexError(f"layers: expected an index below {len(self)}, found {index}")
        return self._layers[index]

    def __reduce__(self) -> tuple[Callable[..., Sequential], tuple[Any, ...]]:
        names = self._feature_names, self._class_names
        return _assemble, (self._copies(), self._parameters, self._widths, self._is_trained, names)

    def _copies(self) -> tuple[Layer, ...]:
        return tuple(layer.unbound_copy() for layer in self._layers)

    def __repr__(self) -> str:
        return f"Sequential([{', '.join(map(repr, self._layers))}])"

    def _repr_html_(self) -> str:
        return sequential_html(self._layers, self._widths)


class _Text(str):
    """A string that a REPL shows as its lines, not as one quoted line."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def sequential_with(layers: Iterable[Layer], parameters: Array) -> Sequential:
    """Return a Sequential over a vector of its own size; no starting values are drawn."""
    new = as_layers(layers)
    check_new(new)
    return _assemble(new, parameters, layer_widths(new))


def _assemble(
    layers: tuple[Layer, ...],
    parameters: Array,
    widths: list[int],
    is_trained: bool = False,
    names: tuple[tuple[str, ...] | None, tuple[str, ...] | None] = (None, None),
) -> Sequential:
    """Return a Sequential over an existing vector; copy and pickle use it, so views stay views."""
    model = Sequential.__new__(Sequential)
    model._layers = layers
    model._widths = widths
    model._is_trained = is_trained
    model._feature_names, model._class_names = names
    model._bind(parameters)
    return model
