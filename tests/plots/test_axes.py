"""Drawings go where they are told: into Axes, and into files of 150 dots an inch."""

import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from PIL import Image

import minilayer as ml
from minilayer import plots
from minilayer.plots.axes import draw_sheet, row_lengths
from minilayer.utils.types import Array
from tests.helpers.paths import ROOT


def draw_line(ax: Axes) -> None:
    ax.plot([1, 2], label="a line")


def draw_with_legend(ax: Axes) -> None:
    draw_line(ax)
    ax.legend()


def test_a_drawing_goes_where_it_is_told(tmp_path: Path, digits: tuple[Array, Array]) -> None:
    axes = plt.subplots()[1]
    model = ml.Sequential([ml.Dense(2, 1)])
    assert plots.digit_grid(digits[0], ax=axes) is axes
    assert plots.confusion_heatmap([[1, 2], [3, 4]], axes) is axes
    assert plots.network_diagram(model, axes) is axes
    assert plots.decision_surface(model, [[0, 0]], [0], axes) is axes
    drawings = {
        "one": lambda ax: ax.plot([1, 2]),
        "two": lambda ax: plots.digit_grid(digits[0], ax=ax),
    }
    files = plots.save_figures(tmp_path / "new", drawings)
    assert [file.name for file in files] == ["one.png", "two.png", "overview.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_files_have_150_dots_an_inch(tmp_path: Path) -> None:
    files = plots.save_figures(tmp_path, {"one": draw_line, "two": draw_line, "three": draw_line})
    with Image.open(files[0]) as one, Image.open(files[-1]) as overview:
        assert one.info["dpi"] == pytest.approx((150, 150), rel=1e-3)
        assert one.size == (675, 675)  # 4.5 inches
        assert overview.info["dpi"] == pytest.approx((150, 150), rel=1e-3)
        assert overview.size == (3 * 675, 675)  # three panels in one row


def test_a_single_drawing_has_no_overview(tmp_path: Path) -> None:
    files = plots.save_figures(tmp_path, {"one": draw_line})
    assert [file.name for file in files] == ["one.png"]
    with pytest.raises(ValueError, match="drawings: expected at least one, found none"):
        plots.save_figures(tmp_path, {})


@pytest.mark.parametrize(
    ("panels", "rows"),
    [
        (1, [1]),
        (2, [2]),
        (3, [3]),
        (4, [2, 2]),
        (5, [3, 2]),
        (6, [3, 3]),
        (7, [4, 3]),
        (9, [3, 3, 3]),
        (11, [4, 4, 3]),
    ],
)
def test_no_place_of_the_overview_is_empty(panels: int, rows: list[int]) -> None:
    assert row_lengths(panels) == rows
    figure = draw_sheet([draw_line] * panels)
    figure.draw_without_rendering()
    places = [axes.get_position() for axes in figure.axes]
    assert len(places) == panels
    width = places[0].width
    assert all(place.width == pytest.approx(width, rel=1e-3) for place in places)
    for height in {round(place.y0, 6) for place in places}:
        row = [place for place in places if round(place.y0, 6) == height]
        middle = (min(place.x0 for place in row) + max(place.x1 for place in row)) / 2
        longest = (min(place.x0 for place in places) + max(place.x1 for place in places)) / 2
        assert middle == pytest.approx(longest, abs=1e-3)  # a short row is centred


def test_panels_with_the_same_legend_share_one() -> None:
    figure = draw_sheet([draw_with_legend, draw_with_legend])
    assert [axes.get_legend() for axes in figure.axes] == [None, None]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a line"]


def test_other_legends_stay_in_their_panels() -> None:
    figure = draw_sheet([draw_with_legend, draw_line])
    assert figure.legends == []
    assert figure.axes[0].get_legend() is not None
    alone = draw_sheet([draw_with_legend])
    assert alone.axes[0].get_legend() is not None


def test_without_matplotlib_the_extra_is_named() -> None:
    hide = "import sys; sys.modules['matplotlib'] = None; import minilayer; import minilayer.plots"
    done = subprocess.run(
        [sys.executable, "-c", hide], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: minilayer.plots needs matplotlib: pip install 'minilayer[plots]'"
    )
