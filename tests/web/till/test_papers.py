"""Invoices on A4 at a till: of one's own merchant, whole; a day's, two to a sheet."""

import pytest

from invoice_service.web.till import papers
from tests.documents.paper.printing import read
from tests.web.till.counter import COMPANY, NOODLES, TEA, Counter


def test_an_invoice_has_all_that_is_on_it_and_a_days_stand_two_to_a_sheet(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = counter.zhang
    sold = [till.sell(NOODLES, buyer=COMPANY), till.sell(TEA), till.sell(TEA)]
    numbers = [one["invoices"][0]["number"] for one in sold]
    hash_ = sold[0]["invoices"][0]["hash"]
    counter.anchor()
    answer = counter.li.get(f"invoices/{hash_}/pdf")
    assert (answer.content_type, answer.headers["Cache-Control"]) == ("application/pdf", "no-store")
    (text,), files = read(answer.data)
    assert COMPANY["name"] in text
    assert str(NOODLES["name"]) in text
    assert list(files) == [f"{numbers[0]}.fapiao.json"]
    day = till.read("state")["business_day"]
    sheets, files = read(till.get("day/pdf", day=day).data)
    assert len(sheets) == 2
    assert [number for sheet in sheets for number in numbers if number in sheet] == numbers
    assert len(files) == 3
    monkeypatch.setattr(papers, "MOST", 2)
    for asked, status, code in (
        ({"day": day}, 422, "day_too_long"),
        ({"day": "2020-02-02"}, 404, "day_empty"),
        ({}, 400, "day_invalid"),
    ):
        answer = till.get("day/pdf", **asked)
        assert (answer.status_code, code in answer.text) == (status, True)
    assert counter.wang.get(f"invoices/{hash_}/pdf").status_code == 404
