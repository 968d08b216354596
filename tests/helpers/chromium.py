"""A headless Chromium, where the system has one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)
PROGRAMS = ("chromium", "chromedriver")


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """Yield a browser with an empty profile; skip the test where there is none.

    Its logs hold the messages of the console and the requests of the network.
    """
    places = {name: shutil.which(name) for name in PROGRAMS}
    missing = [name for name, place in places.items() if place is None]
    if missing:
        pytest.skip(
            f"needs {' and '.join(missing)}: apt-get install chromium chromium-driver, "
            "or the packages of another system"
        )
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(places["chromium"])
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=str(places["chromedriver"]))
    browser = webdriver.Chrome(options=options, service=service)
    try:
        yield browser
    finally:
        browser.quit()


def set_device(browser: Chrome, width: int, height: int, **media: str) -> None:
    """Set the size of the page in CSS pixels, and media features such as prefers-color-scheme."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def console_messages(browser: Chrome) -> list[str]:
    """Return what the console got since the last call."""
    entries: list[dict[str, Any]] = browser.get_log("browser")
    return [entry["message"] for entry in entries]
