"""Strokes that a real pointer draws on the page of ``to_html``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minilayer.utils.types import Array

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

Stroke = list[tuple[float, float]]
"""Points (x, y) as parts of the paper's width and height."""

MILLISECONDS_PER_POINT = 5

RING: Stroke = [
    (0.5, 0.15),
    (0.36, 0.22),
    (0.28, 0.4),
    (0.28, 0.6),
    (0.36, 0.78),
    (0.5, 0.85),
    (0.64, 0.78),
    (0.72, 0.6),
    (0.72, 0.4),
    (0.64, 0.22),
    (0.5, 0.15),
]
BAR: Stroke = [(0.53, 0.12), (0.51, 0.5), (0.49, 0.88)]
DIGITS: dict[str, list[Stroke]] = {
    "0": [RING],
    "1": [BAR],
    "2": [
        [
            (0.3, 0.3),
            (0.4, 0.18),
            (0.56, 0.16),
            (0.66, 0.27),
            (0.62, 0.45),
            (0.45, 0.65),
            (0.28, 0.82),
            (0.5, 0.8),
            (0.74, 0.8),
        ]
    ],
    "3": [
        [
            (0.3, 0.25),
            (0.45, 0.17),
            (0.62, 0.2),
            (0.66, 0.32),
            (0.56, 0.44),
            (0.45, 0.47),
            (0.6, 0.5),
            (0.7, 0.62),
            (0.66, 0.76),
            (0.5, 0.84),
            (0.3, 0.78),
        ]
    ],
    "4": [
        [(0.36, 0.15), (0.3, 0.52), (0.7, 0.5)],
        [(0.66, 0.14), (0.62, 0.5), (0.6, 0.88)],
    ],
    "5": [
        [
            (0.42, 0.17),
            (0.38, 0.44),
            (0.55, 0.44),
            (0.66, 0.55),
            (0.65, 0.72),
            (0.52, 0.83),
            (0.33, 0.79),
        ],
        [(0.42, 0.17), (0.7, 0.15)],
    ],
    "7": [[(0.28, 0.2), (0.5, 0.19), (0.72, 0.17), (0.6, 0.45), (0.52, 0.65), (0.45, 0.87)]],
}
"""Digits as many people write them."""


def draw(browser: Chrome, stroke: Stroke, pointer: str = "mouse") -> None:
    """Draw one stroke with a mouse, a finger ("touch") or a pen."""
    from selenium.webdriver.common.actions.action_builder import ActionBuilder
    from selenium.webdriver.common.actions.pointer_input import PointerInput

    left, top, width, height = browser.execute_script("""
        paper.scrollIntoView({block: "center"});
        const {left, top, width, height} = paper.getBoundingClientRect();
        return [left, top, width, height];
    """)
    places = [(round(left + x * width), round(top + y * height)) for x, y in stroke]
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
