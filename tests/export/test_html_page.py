"""The page of to_html in a real browser: what it computes, draws and shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.export import to_html
from minilayer.utils.types import Array
from tests.helpers.chromium import chromium, console_messages, set_device
from tests.helpers.drawing import (
    BAR,
    DIGITS,
    RING,
    draw,
    lights,
    percentages,
    predict,
)

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PHONE = (360, 740)
DESKTOP = (1280, 900)
EXAMPLES = slice(20, None, 500)
"""Rows of the digits: one of each."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Yield one browser for all tests."""
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(session: Chrome) -> Iterator[Chrome]:
    """Yield the browser, and check that the pages of a test wrote nothing to the console."""
    set_device(session, *DESKTOP)
    console_messages(session)
    yield session
    assert console_messages(session) == []


@pytest.fixture(scope="module")
def reader(digits: tuple[Array, Array]) -> ml.Sequential:
    """Return a network that reads digits."""
    model = ml.mlp(400, 25, 10, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=0)
    ml.fit(model, *digits, l2=1.0, trainer=ml.LBFGS(max_evaluations=100))
    return model


@pytest.fixture(scope="module")
def page(
    reader: ml.Sequential, digits: tuple[Array, Array], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the digits' page."""
    path = tmp_path_factory.mktemp("page") / "draw.html"
    X, labels = digits
    to_html(reader, path, title="Draw", examples=X[EXAMPLES], labels=labels[EXAMPLES])
    return path


def open_new(browser: Chrome, path: Path, model: ml.Sequential, **arguments: Any) -> None:
    to_html(model, path / "new.html", **arguments)
    browser.get((path / "new.html").as_uri())


def click(browser: Chrome, selector: str) -> None:
    browser.find_element("css selector", selector).click()


def text(browser: Chrome, selector: str) -> str:
    return browser.find_element("css selector", selector).text


# What the page computes


def test_100_digits_get_the_outputs_of_predict(
    browser: Chrome, tmp_path: Path, reader: ml.Sequential, digits: tuple[Array, Array]
) -> None:
    X = digits[0][::50]
    open_new(browser, tmp_path, reader, examples=X)
    found = browser.execute_script(
        "return examples.map(({row}) => [...forward(layers, row).at(-1)]);"
    )
    assert len(found) == 100
    np.testing.assert_allclose(found, reader.predict(X), rtol=0, atol=1e-12)


ACTIVATIONS = [
    ml.Identity(),
    ml.Sigmoid(),
    ml.Tanh(),
    ml.ReLU(),
    ml.LeakyReLU(0.2),
    ml.ELU(1.5),
    ml.Softplus(),
    ml.SiLU(),
    ml.GELU(),
    ml.Sin(),
    ml.Exp(),
    ml.Softmax(),
]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_every_layer_computes_as_in_minilayer(
    browser: Chrome, tmp_path: Path, activation: ml.Layer
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(3, 2, (40, 9))
    layers = [
        ml.Standardize.of(X),
        ml.Dense(9, 5),
        activation.unbound_copy(),
        ml.Dense(5, 4, bias=False),
        activation.unbound_copy(),
        ml.Rescale([1.0, 2.0, 3.0, 4.0], [0.5, 1.0, 1.5, 2.0]),
    ]
    model = ml.Sequential(layers, seed=1)
    model.parameters[:] = rng.normal(scale=0.4, size=model.parameters.shape)
    open_new(browser, tmp_path, model)
    np.testing.assert_allclose(predict(browser, X), model.predict(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_no_number_is_too_large(browser: Chrome, tmp_path: Path, activation: ml.Layer) -> None:
    model = ml.Sequential([ml.Dense(1, 1), activation.unbound_copy()])
    model.parameters[:] = [0, 1]
    open_new(browser, tmp_path, model)
    largest = 700.0 if isinstance(activation, ml.Exp) else 1e4  # exp(710) is infinite
    X = np.array([[-1e4], [-40.0], [0.0], [40.0], [largest]])
    np.testing.assert_allclose(predict(browser, X), model.predict(X), rtol=1e-12, atol=1e-300)


# Drawing


@pytest.mark.parametrize("pointer", ["mouse", "touch", "pen"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_strokes_change_the_outputs(
    browser: Chrome, page: Path, pointer: str, size: tuple[int, int]
) -> None:
    set_device(browser, *size)
    browser.get(page.as_uri())
    assert percentages(browser) == []
    draw(browser, BAR, pointer)
    one_stroke = percentages(browser)
    assert len(one_stroke) == 10
    assert len(browser.execute_script("return drawing.strokes[0];")) >= len(BAR)
    draw(browser, RING, pointer)
    assert percentages(browser) != one_stroke


@pytest.mark.parametrize("digit", DIGITS)
def test_drawn_digits_are_read(browser: Chrome, page: Path, digit: str) -> None:
    browser.get(page.as_uri())
    for stroke in DIGITS[digit]:
        draw(browser, stroke)
    assert text(browser, "#verdict strong") == digit
    assert text(browser, "#outputs .highest .name") == digit


def test_undo_and_clear(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    assert browser.execute_script("return drawing;") == {"strokes": [], "example": None}
    draw(browser, BAR)
    one_stroke = percentages(browser)
    draw(browser, RING)
    two_strokes = percentages(browser)
    click(browser, "#clear")
    assert percentages(browser) == []
    assert text(browser, "#verdict") == ""
    assert text(browser, "#hint") == "Draw here"
    assert set(lights(browser)) == {0.0}
    click(browser, "#undo")  # the clearing
    assert percentages(browser) == two_strokes
    click(browser, "#undo")
    assert percentages(browser) == one_stroke
    click(browser, "#undo")
    assert percentages(browser) == []
    assert not browser.find_element("id", "undo").is_enabled()


def test_all_but_the_drawing_works_with_the_keyboard(browser: Chrome, page: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.get(page.as_uri())
    keys = ActionChains(browser)
    keys.send_keys(Keys.TAB, Keys.ENTER).perform()  # the first enabled button: an example
    assert text(browser, "#verdict strong") == "0"
    keys.send_keys(Keys.TAB, Keys.SPACE).perform()
    assert text(browser, "#verdict strong") == "1"
    keys.key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
    assert text(browser, "#verdict strong") == "0"
    focused = browser.switch_to.active_element
    assert focused.accessible_name == "example 2: 1"


def test_other_buttons_of_the_mouse_do_not_draw(browser: Chrome, page: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    browser.get(page.as_uri())
    ActionChains(browser).context_click(browser.find_element("id", "paper")).perform()
    assert percentages(browser) == []


def test_ink_beside_the_paper_does_not_count(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    draw(browser, [(0.5, 0.5), (0.5, 0.9), (0.5, 1.5)])
    points = browser.execute_script("return drawing.strokes[0];")
    assert len(points) > 1
    assert max(point["y"] for point in points) <= 20


# The picture that the network sees


def seen(browser: Chrome, strokes: list[Any]) -> Array:
    """Return the row of data that strokes give; their points are parts of the paper."""
    return np.array(
        browser.execute_script(
            """
            const {width, height} = image;
            const point = ([x, y]) => ({x: x * width, y: y * height});
            return [...dataRow(normalizedPicture(arguments[0].map((s) => s.map(point)), image))];
            """,
            strokes,
        )
    )


def centre_of_mass(picture: Array) -> tuple[float, float]:
    rows, columns = np.indices(picture.shape) + 0.5
    return (picture * rows).sum() / picture.sum(), (picture * columns).sum() / picture.sum()


def test_a_drawing_is_scaled_and_centred_as_in_mnist(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    picture = seen(browser, [[(0.1, 0.1), (0.1, 0.3)], [(0.1, 0.3), (0.2, 0.3)]]).reshape(20, 20).T
    rows = np.flatnonzero(picture.any(axis=1))
    columns = np.flatnonzero(picture.any(axis=0))
    assert abs(len(rows) - 20 * 20 / 28) < 2  # the longer side fills the box
    assert len(columns) == pytest.approx(len(rows) / 2, abs=2)
    assert centre_of_mass(picture) == pytest.approx((20 * 14.5 / 28,) * 2, abs=0.1)
    assert picture.min() == 0
    assert picture.max() == pytest.approx(1)


def test_the_ink_is_the_area_of_the_line(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    picture = seen(browser, [[(0.5, 0.2), (0.5, 0.8)]])
    width = 20 * 2.5 / 28
    length = 20 * 20 / 28 - width
    assert picture.sum() == pytest.approx(length * width + np.pi * width**2 / 4, rel=0.01)


def test_place_and_size_of_a_drawing_do_not_matter(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    large = seen(browser, [RING])
    small = seen(browser, [[(0.02 + 0.2 * x, 0.7 + 0.2 * y) for x, y in RING]])
    np.testing.assert_allclose(small, large, rtol=0, atol=1e-9)


def test_a_dot_stays_a_dot(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    area = np.pi * (20 * 2.5 / 28) ** 2 / 4
    draw(browser, [(0.2, 0.2)])
    assert len(percentages(browser)) == 10
    assert sum(browser.execute_script("return [...currentRow()];")) == pytest.approx(area, rel=0.05)
    assert area < seen(browser, [[(0.5, 0.5), (0.503, 0.5)]]).sum() < 2 * area  # a shaky hand


def test_a_box_of_1_keeps_the_ink_inside(browser: Chrome, tmp_path: Path) -> None:
    model = ml.mlp(64, 4, 2, output=ml.Softmax)
    open_new(browser, tmp_path, model, order="row", ink=16, box=1.0, stroke=1 / 8)
    picture = seen(browser, [[(0.2, 0.2), (0.2, 0.8)], [(0.2, 0.8), (0.9, 0.8)]]).reshape(8, 8)
    assert picture.max() == pytest.approx(16)
    assert picture.sum() > 16 * 12  # nothing is cut off
    assert picture[:, 0].max() > 8
    assert picture[:, -1].max() > 8


@pytest.mark.parametrize("order", ["column", "row"])
def test_examples_stand_upright_in_both_orders(browser: Chrome, tmp_path: Path, order: str) -> None:
    image = np.linspace(-0.5, 1.5, 12).reshape(3, 4)
    row = image.T.ravel() if order == "column" else image.ravel()
    model = ml.mlp(12, 2, 2)
    open_new(browser, tmp_path, model, order=order, image_shape=(3, 4), examples=[row])
    click(browser, "#examples button")
    shown = browser.execute_script("""
        const {width, height} = seen;
        return [...seen.getContext("2d").getImageData(0, 0, width, height).data];
    """)
    red = np.reshape(shown, (3, 4, 4))[:, :, 0]
    paper, ink = 247, 28
    np.testing.assert_allclose(red, paper + (ink - paper) * image.clip(0, 1), atol=1)
    tall = seen(browser, [[(0.5, 0.1), (0.5, 0.9)]])
    picture = tall.reshape(4, 3).T if order == "column" else tall.reshape(3, 4)
    assert (picture.max(axis=1) > 0.1).all()
    assert picture[:, [0, 3]].max() < 0.1


# What the page shows


def test_an_example_shows_its_class(
    browser: Chrome, page: Path, reader: ml.Sequential, digits: tuple[Array, Array]
) -> None:
    browser.get(page.as_uri())
    X, labels = digits
    draw(browser, BAR)
    buttons = browser.find_elements("css selector", "#examples button")
    for button, row, label in zip(buttons, X[EXAMPLES], labels[EXAMPLES], strict=True):
        button.click()
        scores = reader.predict(row[None])[0]
        verdict = text(browser, "#verdict").splitlines()
        expected = [f"{scores.argmax()}", f"{100 * scores.max():.1f} %", f"the example is {label}"]
        assert verdict == expected
        np.testing.assert_allclose(percentages(browser), 100 * scores, atol=0.051)
        pressed = [one.get_attribute("aria-pressed") for one in buttons]
        assert pressed == [str(one is button).lower() for one in buttons]
    draw(browser, BAR)
    assert len(browser.execute_script("return drawing.strokes;")) == 1  # a new drawing


def test_hidden_units_light_up(
    browser: Chrome, page: Path, reader: ml.Sequential, digits: tuple[Array, Array]
) -> None:
    browser.get(page.as_uri())
    assert lights(browser) == [0.0] * 25
    row = digits[0][EXAMPLES][3]
    click(browser, "#examples button:nth-child(4)")
    theta = reader.layers[0].parameters["theta"]
    activation = 1 / (1 + np.exp(-theta[:, 0] - theta[:, 1:] @ row))
    np.testing.assert_allclose(lights(browser), activation, atol=1e-4)


def test_the_brightest_of_unbounded_units_is_1(browser: Chrome, tmp_path: Path) -> None:
    model = ml.mlp(4, 3, 2, hidden=ml.ReLU, output=ml.Softmax)
    model.layers[0].parameters["theta"][:] = [[0, 1, 0, 0, 0], [4, 0, 0, 0, 0], [-9, 0, 0, 0, 0]]
    open_new(browser, tmp_path, model, examples=np.ones((1, 4)))
    click(browser, "#examples button")
    assert lights(browser) == [0.25, 1.0, 0.0]


def test_one_sigmoid_output_tells_two_classes_apart(browser: Chrome, tmp_path: Path) -> None:
    model = ml.Sequential([ml.Dense(4, 1), ml.Sigmoid()])
    model.parameters[:] = [-2, 1, 1, 1, 1]
    images = [[0.0] * 4, [1.0] * 4]
    open_new(browser, tmp_path, model, class_names=["no", "yes"], examples=images)
    for number, name, scores in [(1, "no", [88.1, 11.9]), (2, "yes", [11.9, 88.1])]:
        click(browser, f"#examples button:nth-child({number})")
        assert text(browser, "#verdict strong") == name
        assert percentages(browser) == scores


def test_an_output_without_a_bound_is_a_number(browser: Chrome, tmp_path: Path) -> None:
    model = ml.Sequential([ml.Dense(4, 1)])
    model.parameters[:] = [-2, 0, 0, 0, -0.5]
    open_new(browser, tmp_path, model, class_names=["angle"], examples=np.ones((1, 4)))
    click(browser, "#examples button")
    assert text(browser, "#verdict strong") == "-2.5"
    assert text(browser, "#outputs .name") == "angle"


HOSTILE = "</script></title><img src=x onerror=hacked=1><script>hacked=1</script>&amp;\"'"


def test_names_and_titles_are_text(browser: Chrome, tmp_path: Path) -> None:
    model = ml.mlp(4, 2, 2, output=ml.Softmax)
    names = [HOSTILE, "\u2028\ud800é"]
    open_new(browser, tmp_path, model, title=HOSTILE, class_names=names, examples=np.eye(4))
    assert browser.title == HOSTILE
    assert text(browser, "h1") == HOSTILE
    assert text(browser, "#outputs .name") == HOSTILE
    assert browser.execute_script("return typeof hacked;") == "undefined"
    assert browser.find_elements("tag name", "img") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_the_page_fits_each_screen(
    browser: Chrome, tmp_path: Path, width: int, scheme: str
) -> None:
    names = ["short", "a name of several words", "x" * 80]
    model = ml.mlp(4, 30, 3, output=ml.Softmax)
    set_device(browser, width, 740, prefers_color_scheme=scheme)
    open_new(browser, tmp_path, model, title="t" * 90, class_names=names, examples=np.eye(4))
    draw(browser, RING, "touch")
    assert browser.execute_script("return document.documentElement.scrollWidth;") == width
    paper = browser.find_element("id", "paper").rect
    assert 240 <= paper["width"] <= 384
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor;")
    is_dark = sum(map(int, ground[4:-1].split(","))) < 3 * 128
    assert is_dark == (scheme == "dark")


# Nothing leaves the page


def test_the_page_requests_nothing_but_itself(browser: Chrome, page: Path) -> None:
    browser.get_log("performance")  # of the pages before
    browser.get(page.as_uri())
    draw(browser, RING)
    entries = browser.get_log("performance")
    messages = [json.loads(entry["message"])["message"] for entry in entries]
    requests = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert page.as_uri() in requests
    assert {url for url in requests if not url.startswith("data:")} == {page.as_uri()}


@pytest.mark.parametrize(
    ("attempt", "directive"),
    [
        ("fetch('http://127.0.0.1:9/').catch(() => 0)", "connect-src"),
        ("new Image().src = 'http://127.0.0.1:9/'", "img-src"),
        (
            "document.body.append(Object.assign(document.createElement('script'), "
            "{textContent: 'hacked = 1'}))",
            "script-src-elem",
        ),
    ],
)
def test_the_policy_forbids_connections_and_other_scripts(
    session: Chrome, page: Path, attempt: str, directive: str
) -> None:
    session.get(page.as_uri())
    found = session.execute_async_script(f"""
        const done = arguments[0];
        addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
        {attempt};
    """)
    assert found == directive
    assert session.execute_script("return typeof hacked;") == "undefined"
