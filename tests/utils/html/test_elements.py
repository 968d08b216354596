"""Texts and tables: escaped, cut, and the same when they are read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilayer.utils.html.elements import escaped, first_and_last, frame, paragraph, table
from tests.helpers.html import element_of, texts_of


@given(st.text(max_size=60))
def test_a_text_is_shown_as_it_is(text: str) -> None:
    shown = "".join(one if one.isprintable() else "\ufffd" for one in text)
    html = frame(paragraph(text), table(("name",), [(text,)]))
    assert texts_of(html) == [one for one in (shown, "name", shown) if one]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a & 'b' \"c\"", "a &amp; &#x27;b&#x27; &quot;c&quot;"),
        ("null \x00 and half a pair \ud800", "null \ufffd and half a pair \ufffd"),
        ("x" * 81, "x" * 79 + "…"),
        (3, "3"),
    ],
)
def test_texts_are_escaped_and_cut(text: object, expected: str) -> None:
    assert escaped(text) == expected


def test_columns_of_numbers_are_aligned_to_the_right() -> None:
    rows = element_of(table(("n", "name"), [(1, "a"), (2, "b")], numeric=(0,))).findall(".//tr")
    assert [[cell.text for cell in row] for row in rows] == [["n", "name"], ["1", "a"], ["2", "b"]]
    assert all("text-align:right" in row[0].attrib["style"] for row in rows)
    assert all("text-align:left" in row[1].attrib["style"] for row in rows)


@pytest.mark.parametrize(
    ("count", "shown", "expected"),
    [
        (0, 4, []),
        (4, 4, [0, 1, 2, 3]),
        (5, 4, [0, 1, None, 3, 4]),
        (9, 3, [0, 1, None, 8]),
    ],
)
def test_the_first_and_the_last_rows_are_shown(
    count: int, shown: int, expected: list[int | None]
) -> None:
    assert first_and_last(count, shown) == expected
