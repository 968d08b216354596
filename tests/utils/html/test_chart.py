"""The chart: its points are the numbers, whatever numbers there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilayer.utils.html.chart import MAX_POINTS, Curve, decimated, line_chart
from minilayer.utils.html.scale import Scale
from minilayer.utils.types import Array
from tests.helpers.html import axis_labels, charts_of, points_of, texts_of

FALLING = 7 * 0.9 ** np.arange(60)


def chart(*curves: Array, may_be_log: bool = True, **marks: float) -> str:
    return line_chart(
        [Curve(f"curve {number}", 1.0 + np.arange(len(y)), y) for number, y in enumerate(curves)],
        x_label="evaluations",
        y_label="cost",
        may_be_log=may_be_log,
        marks=marks,
    )


@pytest.mark.parametrize(
    ("y", "is_log"),
    [
        (FALLING, True),
        (FALLING[:15], False),  # less than a factor of ten
        (FALLING - 1, False),  # negative numbers have no logarithm
        (FALLING * 1e-9, True),
        (FALLING * 1e12, True),
        (10.0 ** -np.arange(60), True),  # many decades
        (np.linspace(-4, 3, 20), False),
        (np.linspace(1e6, 1e6 + 1, 20), False),
    ],
)
def test_the_points_are_the_numbers_by_the_labels_of_the_ticks(y: Array, is_log: bool) -> None:
    (drawn,) = charts_of(chart(y))
    (points,) = points_of(drawn)
    label = "cost (logarithmic)" if is_log else "cost"
    assert axis_labels(drawn) == ["evaluations", label]
    np.testing.assert_allclose(points[:, 0], 1 + np.arange(len(y)), atol=0.02 * len(y))
    if is_log:
        decades = np.log10(y.max() / y.min())
        np.testing.assert_allclose(np.log10(points[:, 1]), np.log10(y), atol=0.01 * decades)
    else:
        np.testing.assert_allclose(points[:, 1], y, atol=0.01 * np.ptp(y))


def test_a_metric_is_never_on_a_logarithmic_scale() -> None:
    assert axis_labels(charts_of(chart(FALLING, may_be_log=False))[0])[1] == "cost"


def test_two_curves_have_their_names_and_one_scale() -> None:
    html = chart(FALLING, FALLING[::-1] + 1)
    assert {"curve 0", "curve 1"} <= set(texts_of(html))
    first, second = points_of(charts_of(html)[0])
    np.testing.assert_allclose(second[::-1, 1], first[:, 1] + 1, rtol=0.05)
    assert "curve 0" not in texts_of(chart(FALLING))


def test_numbers_that_are_not_finite_leave_gaps() -> None:
    y = np.array([np.inf, 3.0, 2.0, np.nan, 1.5, -np.inf, 1.0, 0.9])
    html = chart(y)
    (points,) = points_of(charts_of(html)[0])
    np.testing.assert_allclose(points[:, 1], y[np.isfinite(y)], atol=0.03)
    path = next(part for part in html.split("<") if 'stroke-width="2"' in part)
    assert path.count("M") == 3
    assert path.count("h0") == 1  # a point alone is a dot


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=900),
    st.booleans(),
)
def test_any_numbers_make_a_valid_chart(values: list[float], may_be_log: bool) -> None:
    texts_of(chart(np.array(values), may_be_log=may_be_log, here=0.0))


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e308))
def test_a_scale_has_ticks_within_its_ends(low: float, length: float) -> None:
    scale = Scale.of(np.array([low, low + length]), may_be_log=True)
    places = scale.place(np.array(scale.ticks()))
    assert 1 <= len(places) <= 20
    assert (places >= -1e-9).all()
    assert (places <= 1 + 1e-9).all()


def test_few_evaluations_have_whole_numbers_as_ticks() -> None:
    assert not any("." in text for text in texts_of(chart(np.array([3.0, 2.0]))) if text == "1.5")
    assert Scale.of(np.array([1.0, 2.0]), may_be_log=False).ticks(min_step=1.0) == [1.0, 2.0]


def test_a_long_curve_keeps_its_ends_and_its_peaks() -> None:
    y = np.sin(np.arange(100_000) / 5e3)
    y[54_321] = 7.0
    y[12_345] = -5.0
    x, kept = decimated(np.arange(100_000.0), y)
    assert len(x) <= MAX_POINTS
    assert (np.diff(x) > 0).all()
    assert kept.max() == 7.0
    assert kept.min() == -5.0
    np.testing.assert_array_equal(kept, y[x.astype(int)])
    assert x[0] < 500
    assert x[-1] > 99_500


def test_a_mark_stands_at_its_place() -> None:
    html = chart(FALLING, best=21.0)
    assert "best" in texts_of(html)
    dashed = next(part for part in html.split("<") if "dasharray" in part)
    x = float(dashed.split("M")[1].split()[0])
    drawn = charts_of(html)[0]
    point = points_of(drawn)[0][20]
    assert point[0] == pytest.approx(21, abs=0.2)
    assert f"L{x:.1f} " in html or f"M{x:.1f} " in html
