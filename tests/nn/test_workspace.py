"""Workspace: arrays that are kept from call to call."""

import numpy as np
import numpy.typing as npt
import pytest

from minilayer.nn import Workspace


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (((4, 3), np.float64), ((4, 3), np.float64)),
        (((4, 3), np.float64), ((2, 3), np.float64)),
        (((4, 3), np.float64), ((5, 3), np.float64)),
        (((4, 3), np.float64), ((3, 4), np.float64)),
        (((4, 3), np.float64), ((4, 3), np.float32)),
        (((4, 3), np.float64), ((2, 3), np.float32)),
        (((4, 3), np.float32), ((4, 3), np.float64)),
        (((4, 3), np.float32), ((2, 3), np.float64)),
        (((4, 3), np.float32), ((5, 3), np.float64)),
    ],
)
def test_an_array_has_the_shape_and_dtype_that_were_asked_for(
    first: tuple[tuple[int, ...], npt.DTypeLike], second: tuple[tuple[int, ...], npt.DTypeLike]
) -> None:
    work = Workspace()
    for shape, dtype in (first, second, first):
        array = work.array("x", shape, np.dtype(dtype))
        assert (array.shape, array.dtype) == (shape, dtype)
        assert array.flags.f_contiguous


def test_memory_is_reused_by_name() -> None:
    work = Workspace()
    large = work.array("x", (4, 3), np.dtype(np.float64))
    assert work.array("x", (4, 3), np.dtype(np.float64)) is large
    assert np.shares_memory(work.array("x", (2, 3), np.dtype(np.float64)), large)
    assert not np.shares_memory(work.array("y", (4, 3), np.dtype(np.float64)), large)
