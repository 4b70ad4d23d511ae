"""A button beside each figure: made again from documents, it holds, or says what does not fit."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from invoice_service.services.reporting.question import DIMENSIONS, ask
from invoice_service.web.bureau import checking
from invoice_service.web.bureau.narrowing import narrowed
from tests.api.desk import MEAL, OTHER_TAX_ID
from tests.services.tampering import tamper_file
from tests.web.people.visitors import Browser, Bureau, code_in

DAYS = "from=2026-11-21&to=2026-11-22"
HOLDS, DOES_NOT = "该数字成立", "该数字不成立"


def sell(bureau: Bureau) -> None:
    """Two merchants, two rates and kinds, two ended days and one that goes on, one return."""
    other = bureau.new_merchant(OTHER_TAX_ID, "另一家餐厅")
    key = bureau.auth(bureau.new_key(other.merchant.id))
    cake = {"name": "*餐饮服务*蛋糕", "unit_price": 1000, "tax_rate": "0.13"}
    for day in range(3):
        one = bureau.issue(f"{day}", till="2")
        sent = bureau.post("/v1/invoices", {"order_id": f"{day}", "lines": [MEAL, cake]}, key)
        assert sent.status_code == 201, sent.text
        if day == 1:
            bureau.reverse(one)
        bureau.anchor()
        bureau.clock.forward(days=1)


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """Nothing is changed there."""
    with Bureau(tmp_path_factory.mktemp("sold")) as bureau:
        sell(bureau)
        yield bureau


@pytest.fixture(scope="module")
def examiner(sold: Bureau) -> Browser:
    return sold.strong(sold.person("ex", "examiner"))


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Bureau]:
    """One whose databases are changed."""
    with Bureau(tmp_path) as bureau:
        sell(bureau)
        yield bureau


def rows(page: str) -> dict[str, tuple[str, str]]:
    """The lines of a table by name: their figures, and where each is checked."""
    found = {}
    for row in re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", page):
        name = re.sub(r"<[^>]+>", "", row[: row.index("</th>")])
        figures = " ".join(re.findall(r'data-value="(-?\d+)"', row))
        link = re.search(r'class="checks" href="([^"]+)"', row)
        found[name] = figures, unescape(link[1]) if link else ""
    return found


def steps(answer: TestResponse) -> list[str]:
    """What became of each step."""
    return re.findall(r'<li class="(held|failed|waits)">', answer.text)


@pytest.mark.parametrize("by", [*DIMENSIONS, "month,rate", "district,class,merchant"])
def test_what_is_checked_is_the_row_s_figure(examiner: Browser, by: str) -> None:
    page = examiner.get(f"/bureau/totals?by={by.replace(',', '&by=')}&top=100&{DAYS}").text
    found = rows(page)
    assert len(found) > 1
    for name, (figures, link) in found.items():
        answer = examiner.get(link)
        assert HOLDS in answer.text, (name, answer.text)
        assert steps(answer) == ["held"] * 5
        again = rows(answer.text)
        assert again["合计" if name == "合计" else name][0] == figures


def test_a_row_is_asked_for_by_its_days_and_its_narrowest_filter() -> None:
    words = {"by": "week,class", "industry": "H", "top": "3", "compare": "before", "at_block": "7"}
    keys = {"week": "2026-W48", "class": "6210"}
    assert narrowed(words, keys, ("2026-11-25", "2026-12-31")) == {
        "by": "week,class",
        "industry": "6210",
        "at_block": "7",
        "from": "2026-11-25",
        "to": "2026-11-29",
    }
    wider = narrowed({"by": "section", "industry": "62"}, {"section": "H"}, ("", ""))
    assert wider == {"by": "section", "industry": "62"}


def test_a_document_of_which_one_fen_was_changed_is_named(changed: Bureau) -> None:
    examiner = changed.strong(changed.person("ex", "examiner"))
    viewer = changed.strong(changed.person("vi", "viewer"))
    link = rows(examiner.get(f"/bureau/totals?by=day&{DAYS}").text)["2026-11-22"][1]
    assert HOLDS in examiner.get(link).text
    tamper_file(changed.config.invoices_db, "UPDATE invoices SET total = total + 1 WHERE seq = 4")
    answer = examiner.get(link)
    assert DOES_NOT in answer.text
    assert steps(answer) == ["failed", *["waits"] * 4]
    assert '<dd class="mono">4</dd>' in answer.text
    hidden = viewer.get(link)
    assert steps(hidden) == steps(answer)
    assert '<dd class="mono">' not in hidden.text
    other_day = rows(examiner.get(f"/bureau/totals?by=day&{DAYS}").text)["2026-11-21"][1]
    assert HOLDS in examiner.get(other_day).text


def test_a_sum_of_which_one_fen_was_changed_is_named(changed: Bureau) -> None:
    """All documents, entries and closings hold: the report is another one."""
    examiner = changed.strong(changed.person("ex", "examiner"))
    tamper_file(
        changed.config.invoices_db,
        "UPDATE span_cells SET blue_tax = blue_tax + 1"
        " WHERE span = (SELECT id FROM spans WHERE kind = 'day' AND name = '2026-11-21')",
    )
    page = examiner.get(f"/bureau/totals?by=district&{DAYS}").text
    (name,) = rows(page).keys() - {"合计"}
    answer = examiner.get(rows(page)[name][1])
    assert DOES_NOT in answer.text
    assert steps(answer) == ["held"] * 4 + ["failed"]
    assert "row district 440303" in answer.text


def test_what_is_much_is_asked_for_once_more(
    examiner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 3)
    page = examiner.get("/bureau/totals?by=month&at_block=2").text
    link = rows(page)["合计"][1]
    asked = examiner.get(link)
    assert "将重新读取 5 份票面" in asked.text
    assert steps(asked) == ["waits"] * 5
    sent = re.search(r'action="(/bureau/totals/check[^"]+)"', asked.text)
    assert sent is not None
    assert HOLDS in examiner.send(unescape(sent[1])).text
    assert code_in(examiner.post(unescape(sent[1]), form="x")) == "form_stale"


def test_what_is_too_much_is_left_to_the_command(
    examiner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 3)
    monkeypatch.setattr(checking, "MOST", 4)
    link = "/bureau/totals/check?by=month&at_block=2&district=440303"
    for answer in (examiner.get(link), examiner.send(link)):
        assert "fapiao report --verify --at-block 2 --by month --district 440303" in answer.text, (
            answer.text
        )
        assert HOLDS not in answer.text
        assert "立即核对" not in answer.text


def test_one_figure_is_checked_at_a_time(sold: Bureau, examiner: Browser) -> None:
    with sold.instance.figures._works:
        answer = examiner.get("/bureau/totals/check?by=month")
    assert (answer.status_code, code_in(answer)) == (503, "check_busy")
    assert "立即核对" in answer.text


def test_who_may_not_know_whose_it_is_checks_no_merchant_s_figure(sold: Bureau) -> None:
    viewer = sold.strong(sold.person("vi", "viewer"))
    found = rows(viewer.get(f"/bureau/totals?by=merchant&{DAYS}").text)
    assert [bool(link) for _, link in found.values()] == [False, False, True]
    answer = viewer.get(found["合计"][1])
    assert HOLDS in answer.text
    assert "旋转餐厅" not in answer.text
    one = viewer.get(f"/bureau/totals/check?by=day&merchant={OTHER_TAX_ID}")
    assert one.status_code == 403


def test_how_many_documents_a_check_reads(sold: Bureau) -> None:
    def reads(**words: str) -> int:
        return sold.instance.figures.reads(ask(words))

    assert reads() == 7
    assert reads(**{"from": "2026-11-22", "to": "2026-11-22"}) == 3
    assert reads(**{"from": "2026-11-24"}) == 0
    # Of a day's invoices one may be taken back on a later day.
    assert reads(**{"by": "state", "from": "2026-11-21", "to": "2026-11-21"}) == 7
