"""Reading HTML of notebooks: it is well-formed, has no scripts, and its chart has these points."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np

from minilayer.utils.types import Array

MAX_BYTES = 20_000
SVG = "{http://www.w3.org/2000/svg}"
BASELINE = 4
"""How far the text of a tick on the vertical axis begins below the tick, so as to be centred."""
TAGS = {"div", "table", "tbody", "tr", "th", "td"} | {"svg", "title", "path", "rect", "text"}
ATTRIBUTES = {
    *("style", "role", "viewbox", "width", "height", "xmlns", "x", "y", "rx", "d", "transform"),
    *("fill", "fill-opacity", "font-size", "font-weight", "text-anchor"),
    *("stroke", "stroke-opacity", "stroke-width", "stroke-dasharray"),
    *("stroke-linecap", "stroke-linejoin"),
}


class _Reader(HTMLParser):
    """Checks tags and attributes, and that every element is closed in turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def texts_of(html: str) -> list[str]:
    """Return the texts of a notebook's HTML, after checks that hold for all of it."""
    assert len(html.encode()) < MAX_BYTES
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    element_of(html)
    return reader.texts


def element_of(html: str) -> ElementTree.Element:
    """Return the HTML as a strict parser of XML reads it."""
    return ElementTree.fromstring(html)


def charts_of(html: str) -> list[ElementTree.Element]:
    """Return the charts, in order."""
    charts = element_of(html).iter(f"{SVG}svg")
    return [chart for chart in charts if chart.find(f"{SVG}text[@transform]") is not None]


def axis_labels(chart: ElementTree.Element) -> list[str | None]:
    """Return the labels of the two axes: the last two texts of a chart."""
    return [text.text for text in chart.findall(f"{SVG}text")[-2:]]


def points_of(chart: ElementTree.Element) -> list[Array]:
    """Return the points (n, 2) of each curve in the numbers that the ticks stand for.

    The scale is fitted to the labels of the ticks: two of them fix it.
    """
    is_log = "logarithmic" in (axis_labels(chart)[1] or "")
    across = _ticks(chart, "middle", "x")
    baselines, values = _ticks(chart, "end", "y")
    up = baselines - BASELINE, values
    curves = []
    for path in chart.findall(f"{SVG}path[@stroke-width='2']"):
        places = np.array(re.findall(r"([\d.-]+) ([\d.-]+)", path.attrib["d"]), dtype=float)
        x = _numbers(places[:, 0], *across, is_log=False)
        y = _numbers(places[:, 1], *up, is_log=is_log)
        curves.append(np.c_[x, y])
    return curves


def _ticks(chart: ElementTree.Element, anchor: str, coordinate: str) -> tuple[Array, Array]:
    found = [
        (float(text.attrib[coordinate]), float(text.text or ""))
        for text in chart.findall(f"{SVG}text[@text-anchor='{anchor}']")
        if re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", text.text or "")
    ]
    places, values = np.array(found).T
    assert len(set(values)) >= 2
    return places, values


def _numbers(wanted: Array, places: Array, values: Array, *, is_log: bool) -> Array:
    slope, start = np.polyfit(places, np.log10(values) if is_log else values, 1)
    found = start + slope * wanted
    return np.asarray(10**found if is_log else found)
