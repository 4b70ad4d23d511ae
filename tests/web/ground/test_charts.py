"""Charts: bars as tall as their values, and the same numbers in words and in a table."""

import re
from itertools import pairwise

import pytest

from invoice_service.web.ground.charts import Bar, bars, in_words
from tests.api.desk import Desk

RECT = re.compile(r'<rect class="([a-z ]+)" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)">')


def drawn(*values: int) -> list[tuple[str, int, int, int, int]]:
    """(class, x, y, width, height) of each bar."""
    found = RECT.findall(bars([Bar(str(n), value, str(value)) for n, value in enumerate(values)]))
    return [(kind, *map(int, numbers)) for kind, *numbers in found]


def test_a_bar_is_as_tall_as_its_value() -> None:
    (_, _, _, _, low), (_, _, _, _, high), (_, _, _, _, none) = drawn(100, 200, 0)
    assert (high, none) == (2 * low, 0)


def test_what_is_below_zero_hangs_from_the_line() -> None:
    (_, _, top, _, tall), (kind, _, below, _, deep) = drawn(300, -100)
    assert kind == "bar below"
    assert top == 0
    assert tall == below == 3 * deep


@pytest.mark.parametrize("count", [0, 1, 7, 31, 366, 1000])
def test_any_number_of_values_stays_inside(count: int) -> None:
    chart = bars([Bar(f"{n}", n, f"{n}") for n in range(count)])
    assert all(int(x) + int(width) <= max(480, count) for _, x, _, width, _ in RECT.findall(chart))
    names = re.findall(r'<text x="(\d+)"', chart)
    assert all(int(b) - int(a) >= 50 for a, b in pairwise(names))


def test_sums_of_any_size_are_drawn() -> None:
    assert [tall for *_, tall in drawn(10**30, 5 * 10**29)] == [172, 86]


def test_what_a_stranger_wrote_is_text() -> None:
    assert "<b>" not in bars([Bar("<b>", 1, "</title><script>")])
    assert "<script>" not in bars([Bar("<b>", 1, "</title><script>")])


def test_the_chart_is_said_and_stands_in_a_table(desk: Desk) -> None:
    with desk.app.test_request_context(headers={"Accept-Language": "en"}):
        assert in_words([]) == "No values."
        said = in_words([Bar("a", 3, "¥3"), Bar("b", -1, "-¥1"), Bar("c", 2, "¥2")])
        assert said == "3 values; the highest is ¥3 (a), the lowest -¥1 (b)."
    page = desk.client.get("/components").text
    for name, shown in re.findall(r"<title>([^:]+): ([^<]+)</title>", page):
        assert f'<th scope="row">{name}</th><td class="number">{shown}</td>' in page


def test_an_icon_is_drawn_once_and_every_one_that_is_shown_is_there(desk: Desk) -> None:
    for path in ("/components", "/verify/file", "/verify/scan"):
        page = desk.client.get(path).text
        used = re.findall(r'<use href="#icon-([a-z0-9-]+)"/>', page)
        there = re.findall(r'<symbol id="icon-([a-z0-9-]+)"', page)
        assert used
        assert sorted(set(used)) == sorted(there), path
    assert "<use" not in desk.client.get("/problems").text
