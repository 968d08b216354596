"""Strokes that a real pointer draws on the page of ``to_html``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minilayer.utils.types import Array

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

Stroke = list[tuple[float, float]]
"""Points (x, y) as parts of the paper's width and height."""

MILLISECONDS_PER_POINT = 5


def stroke(points: str) -> Stroke:
    """Return a stroke of points "x,y x,y ..." in percent."""
    numbers = [[int(number) / 100 for number in point.split(",")] for point in points.split()]
    return [(x, y) for x, y in numbers]


RING = stroke("50,15 36,22 28,40 28,60 36,78 50,85 64,78 72,60 72,40 64,22 50,15")
BAR = stroke("53,12 51,50 49,88")
DIGITS = {
    "0": [RING],
    "1": [BAR],
    "2": [stroke("30,30 40,18 56,16 66,27 62,45 45,65 28,82 50,80 74,80")],
    "3": [stroke("30,25 45,17 62,20 66,32 56,44 45,47 60,50 70,62 66,76 50,84 30,78")],
    "4": [stroke("36,15 30,52 70,50"), stroke("66,14 62,50 60,88")],
    "5": [stroke("42,17 38,44 55,44 66,55 65,72 52,83 33,79"), stroke("42,17 70,15")],
    "6": [stroke("62,14 48,28 38,45 34,62 38,78 50,85 62,78 65,66 56,57 44,60 36,70")],
    "7": [stroke("28,20 50,19 72,17 60,45 52,65 45,87")],
    "8": [stroke("62,24 50,16 39,24 42,38 58,55 63,70 54,83 42,80 38,68 46,52 60,38 62,24")],
    "9": [stroke("64,28 52,18 40,26 38,40 48,48 60,42 65,28 63,50 58,70 53,88")],
}
"""Digits as many people write them."""


def draw(browser: Chrome, points: Stroke, pointer: str = "mouse") -> None:
    """Draw one stroke with a mouse, a finger ("touch") or a pen."""
    from selenium.webdriver.common.actions.action_builder import ActionBuilder
    from selenium.webdriver.common.actions.pointer_input import PointerInput

    left, top, width, height = browser.execute_script("""
        paper.scrollIntoView({block: "center"});
        const {left, top, width, height} = paper.getBoundingClientRect();
        return [left, top, width, height];
    """)
    places = [(round(left + x * width), round(top + y * height)) for x, y in points]
    device = PointerInput(pointer, pointer)
    actions = ActionBuilder(browser, mouse=device, duration=MILLISECONDS_PER_POINT)
    hand = actions.pointer_action
    hand.move_to_location(*places[0])
    hand.pointer_down()
    for place in places[1:]:
        hand.move_to_location(*place)
    hand.pointer_up()
    actions.perform()


def predict(browser: Chrome, X: Array) -> list[list[float]]:
    """Return what the page computes for rows of data."""
    found: list[list[float]] = browser.execute_script(
        "return arguments[0].map((row) => [...forward(layers, Float64Array.from(row)).at(-1)]);",
        X.tolist(),
    )
    return found


def percentages(browser: Chrome) -> list[float]:
    """Return the numbers beside the bars; none while nothing is drawn."""
    texts: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('#outputs .value')].map((part) => part.textContent);"
    )
    return [float(text.removesuffix(" %")) for text in texts if text]


def lights(browser: Chrome) -> list[float]:
    """Return how bright each tile of a unit is, 0 to 1."""
    found: list[float] = browser.execute_script(
        "return tiles.map((tile) => Number(tile.style.getPropertyValue('--light')));"
    )
    return found
