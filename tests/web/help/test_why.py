"""The page that says why: in both languages, with its picture in words, and true here."""

import pytest

from tests.web.customers.test_scan import Page
from tests.web.people.visitors import Bureau


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("en", ("What it does not prove", "names no witnesses yet", "66 signs")),
        ("zh", ("不能证明什么", "目前没有见证人", "66 位")),
    ],
)
def test_it_says_what_holds_and_what_does_not(
    bureau: Bureau, tag: str, words: tuple[str, ...]
) -> None:
    page = Page(bureau.client.get("/why", headers={"Accept-Language": tag}).text)
    for word in (*words, bureau.instance.log_key.text()):
        assert word in page.text, word
    (picture,) = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert picture["aria-label"]
    links = {str(a["href"]) for a in page.all("a")}
    assert {"/verify/file", "/log/checkpoint", "/report"} <= links


def test_every_verdict_and_the_foot_of_every_page_lead_there(bureau: Bureau) -> None:
    for path in ("/verify/scan?text=x", "/", "/problems"):
        links = [str(a["href"]) for a in Page(bureau.client.get(path).text).all("a")]
        assert "/why" in links
        assert "/report" in links
