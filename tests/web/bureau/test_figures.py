"""What officials see of the city: all at one block, down to one invoice, and along with them."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from openpyxl import load_workbook

from chain.hashing import sha256
from invoice_service.services.anchoring.totals import Blocks
from invoice_service.services.reporting.collect import MixStore
from invoice_service.services.reporting.mix import MixedReport, mixed_report
from invoice_service.services.reporting.question import Question
from invoice_service.web.bureau import figures
from invoice_service.web.people.gate import cookie_name
from tests.api.desk import OTHER_TAX_ID
from tests.web.people.visitors import BASE, Browser, Bureau, code_in

HOSTILE = '<b onmouseover="x">坏</b>&amp;=1+1'


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """Two merchants, one with a hostile name; three invoices, one taken back, all sealed."""
    with Bureau(tmp_path_factory.mktemp("bureau")) as bureau:
        bureau.new_merchant(OTHER_TAX_ID, HOSTILE)
        bureau.issue("T1")
        bureau.issue("T2")
        hash_ = bureau.issue("T3")["hash"]
        reversal = bureau.post(f"/v1/invoices/{hash_}/reversals", {"reason": "SALES_RETURN"})
        assert reversal.status_code == 201
        bureau.anchor()
        yield bureau


@pytest.fixture(scope="module")
def people(bureau: Bureau) -> dict[str, Browser]:
    """One of each role."""
    return {
        "viewer": bureau.strong(bureau.person("vi", "viewer")),
        "examiner": bureau.strong(bureau.person("ex", "examiner")),
        "auditor": bureau.strong(bureau.person("au", "auditor")),
        "administrator": bureau.strong(bureau.person("ad", "administrator")),
    }


def blocks(text: str) -> set[str]:
    """The heights that a page names."""
    return set(re.findall(r"区块 (\d+)", text))


def test_the_city_at_a_glance(bureau: Bureau, people: dict[str, Browser]) -> None:
    page = people["viewer"].get("/bureau/").text
    assert "996.20" in page  # two of 498.10 stand
    assert blocks(page) == {str(bureau.instance.store.totals.last_height())}
    assert "福田区" in page or "罗湖区" in page
    assert HOSTILE not in page


def test_all_figures_of_a_page_are_of_one_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody sells between any two questions: the page tells of none of it."""
    with Bureau(tmp_path) as bureau:
        bureau.issue("first")
        bureau.anchor()
        viewer = bureau.strong(bureau.person("vi", "viewer"))
        quiet = viewer.get("/bureau/").text
        asked = iter(range(100))

        def sold_first(store: MixStore, log: Blocks, question: Question) -> MixedReport:
            bureau.issue(f"meanwhile {next(asked)}")
            bureau.anchor()
            return mixed_report(store, log, question)

        monkeypatch.setattr(figures, "mixed_report", sold_first)
        busy = viewer.get("/bureau/").text
        assert next(asked) >= 5
        assert busy == quiet


def test_what_waits_is_for_who_can_do_it(people: dict[str, Browser]) -> None:
    assert "/reports" not in people["viewer"].get("/bureau/").text
    assert 'href="/reports"' in people["examiner"].get("/bureau/").text


def test_a_figure_stays_as_it_was(bureau: Bureau, people: dict[str, Browser]) -> None:
    viewer = people["viewer"]
    page = viewer.get("/bureau/totals?by=district&by=rate&by=&from=&to=").text
    link = unescape(re.search(r'href="(/bureau/totals\?[^"]*at_block[^"]*)"', page)[1])  # type: ignore[index]
    before = viewer.get(link).text
    files = unescape(re.search(r'href="(/bureau/totals/file/csv[^"]*)"', page)[1])  # type: ignore[index]
    kept = viewer.get(files).data
    bureau.issue("later")
    bureau.anchor()
    assert viewer.get(link).text == before
    assert viewer.get(files).data == kept
    assert viewer.get("/bureau/totals?by=district").text != before


def test_the_builder_begins_with_this_month_by_day_and_says_what_else(
    bureau: Bureau, people: dict[str, Browser]
) -> None:
    told = bureau.client.get("/v1/reports/totals?by=day", headers=bureau.official()).get_json()
    net = f"{int(told['net']['total']) / 100:,.2f}"
    page = people["viewer"].get("/bureau/totals").text
    assert 'value="2026-11-01"' in page
    assert 'value="2026-11-21"' in page
    assert re.search(r'<option value="day" selected>', page)
    assert net in page
    begins = page.partition("<h2>常用查询</h2>")[2].partition("</ul>")[0]
    links = [unescape(one) for one in re.findall(r'href="([^"]+)"', begins)]
    assert len(links) == 4
    for link in links:
        assert net in people["viewer"].get(link).text, link


def test_an_industry_without_an_english_name_is_named_by_its_code_too(
    bureau: Bureau, people: dict[str, Browser]
) -> None:
    store = bureau.instance.store
    with store.connections.writing() as connection:
        connection.execute("UPDATE merchants SET industry = '5113' WHERE id = 2")
    browser = people["examiner"]
    english = {"Accept-Language": "en"}
    listed = browser.client.get("/bureau/merchants", headers=english, base_url=BASE).text
    assert "畜牧渔业饲料批发 (5113)" in listed
    assert "Full-service restaurants" in listed or "restaurants" in listed
    assert "(5113)" not in browser.get("/bureau/merchants").text


def test_ranked_rows_show_what_ranks_them_and_what_the_rest_comes_to(
    people: dict[str, Browser],
) -> None:
    page = people["viewer"].get("/bureau/totals?by=type&measure=tax&top=1&compare=before").text
    assert re.findall(r"data-drawn>([^<]+)<", page) == ["税额"]
    (rest,) = re.findall(r"<tr><th scope=\"row\">其余 1 行</th>(.*)</tr>", page)
    assert "-¥498.10" in rest
    assert "上一期净额" in page
    assert "去年同期净额" not in page


def test_rows_are_named_in_the_readers_language(people: dict[str, Browser]) -> None:
    page = people["viewer"].get("/bureau/totals?by=type&by=state&by=tax_kind").text
    named = re.findall(r'<th scope="row">([^<]+)</th>', page)
    assert {"蓝字发票 · 有效 · 无", "蓝字发票 · 已红冲 · 无", "红字发票 · 有效 · 无"} <= set(named)


def test_each_row_stands_beside_its_period_before(tmp_path: Path) -> None:
    with Bureau(tmp_path) as bureau:
        bureau.issue("first")
        bureau.anchor()
        bureau.clock.now += timedelta(days=1)
        bureau.issue("second")
        bureau.issue("third")
        bureau.anchor()
        viewer = bureau.strong(bureau.person("vi", "viewer"))
        asked = "by=district&from=2026-11-22&to=2026-11-22&compare=before"
        page = viewer.get(f"/bureau/totals?{asked}").text
    body = page.partition("<tbody>")[2].partition("</tfoot>")[0]
    sums = re.findall(r'data-value="(\d+)">¥', body)
    assert sums == ["99620", "0", "99620", "49810"] * 2  # the row, and all together


def test_files_are_what_the_page_shows_and_the_manifest_tells_them(
    people: dict[str, Browser],
) -> None:
    viewer, asked = people["viewer"], "?by=month&at_block=1"
    data = viewer.get(f"/bureau/totals/file/csv{asked}").data
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    manifest = json.loads(viewer.get(f"/bureau/totals/file/manifest{asked}").data)
    assert manifest["rows"] == len(rows) - 2  # without the header and the total
    assert manifest["sha256"]["csv"] == sha256(data).hex()
    assert (
        manifest["sha256"]["json"]
        == sha256(viewer.get(f"/bureau/totals/file/json{asked}").data).hex()
    )
    assert manifest["query"] == {"by": "month", "at_block": "1"}
    assert manifest["net"]["total"] == "99620"
    workbook = viewer.get(f"/bureau/totals/file/xlsx{asked}").data
    assert manifest["sha256"]["xlsx"] == sha256(workbook).hex()
    assert len(load_workbook(io.BytesIO(workbook)).sheetnames) == 2


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("by=nothing", "by_unknown"),
        ("by=day&from=yesterday", "day_invalid"),
        ("by=day&top=x", "parameter_malformed"),
        ("by=day&at_block=9999", "block_unknown"),
        ("by=day&at_block=newest", "parameter_malformed"),
        ("by=day&from=2026-01-01&from=2026-01-02", "duplicate_parameter"),
    ],
)
def test_a_wrong_question_is_told_on_the_page(
    people: dict[str, Browser], asked: str, code: str
) -> None:
    assert code_in(people["viewer"].get(f"/bureau/totals?{asked}")) == code


def test_questions_are_kept_by_name_for_oneself(people: dict[str, Browser]) -> None:
    viewer, auditor = people["viewer"], people["auditor"]
    viewer.get("/bureau/totals?by=district")
    sent = viewer.send("/bureau/totals/views", name=HOSTILE, by="district", at_block="1")
    assert sent.status_code == 303
    page = viewer.get("/bureau/totals").text
    assert HOSTILE not in page
    assert "onmouseover" in page
    kept = page.partition("<h2>已保存</h2>")[2].partition("</ul>")[0]
    assert "by=district" in kept
    assert "at_block" not in kept
    assert "onmouseover" not in auditor.get("/bureau/totals").text
    assert code_in(viewer.send("/bureau/totals/views", name=" ", by="district")) == "view_unnamed"
    assert code_in(viewer.send("/bureau/totals/views", name="x", by="moon")) == "by_unknown"
    number = re.search(r"/bureau/totals/views/(\d+)/removal", page)
    assert number is not None
    auditor.get("/bureau/totals")
    auditor.send(f"/bureau/totals/views/{number[1]}/removal")
    assert "onmouseover" in viewer.get("/bureau/totals").text
    viewer.send(f"/bureau/totals/views/{number[1]}/removal")
    assert "onmouseover" not in viewer.get("/bureau/totals").text


def test_merchants_are_found_and_masked_for_a_viewer(people: dict[str, Browser]) -> None:
    examiner, viewer = people["examiner"], people["viewer"]
    page = examiner.get("/bureau/merchants").text
    assert "深圳市旋转餐厅有限公司" in page
    assert "onmouseover" in page
    assert HOSTILE not in page
    typed = f"{OTHER_TAX_ID[:4]} {OTHER_TAX_ID[4:12].lower()}"  # as people write it down
    found = examiner.get(f"/bureau/merchants?text={typed}").text
    assert "旋转餐厅" not in found
    assert OTHER_TAX_ID in found
    masked = viewer.get("/bureau/merchants").text
    assert OTHER_TAX_ID not in masked
    assert viewer.get(f"/bureau/merchants?text={OTHER_TAX_ID}").text.count('<th scope="row">') == 2
    assert "旋转餐厅" not in masked
    assert viewer.get("/bureau/merchants/1").status_code == 403


def test_a_viewer_sees_totals_of_merchants_and_not_whose(people: dict[str, Browser]) -> None:
    asked = "?by=merchant&at_block=1"
    seen = {
        name: [people[name].get(f"/bureau/totals{asked}").text]
        + [people[name].get(f"/bureau/totals/file/{kind}{asked}").text for kind in ("csv", "json")]
        for name in ("viewer", "auditor")
    }
    for masked, whole in zip(seen["viewer"], seen["auditor"], strict=True):
        assert "旋转餐厅" in whole
        assert "旋转餐厅" not in masked
        assert "深***" in masked
        assert "91440300708461136T" not in masked
    assert "/bureau/merchants/of/" not in seen["viewer"][0]
    assert "/bureau/merchants/of/" in seen["auditor"][0]
    for path in ("/bureau/totals", "/bureau/totals/file/csv"):
        of_one = f"{path}?by=month&merchant=91440300708461136T"
        assert people["viewer"].get(of_one).status_code == 403
        assert people["auditor"].get(of_one).status_code == 200


def test_who_opens_a_file_says_why_and_it_is_written_down(
    bureau: Bureau, people: dict[str, Browser]
) -> None:
    examiner = people["examiner"]
    asked = examiner.get("/bureau/merchants/1")
    assert "/bureau/purpose" in asked.text
    assert "498.10" not in asked.text
    assert bureau.acts("lookup") == []
    answer = examiner.send("/bureau/purpose", purpose="案号 7", to="/bureau/merchants/1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/bureau/merchants/1")
    page = examiner.get("/bureau/merchants/1").text
    assert "91440300708461136T" in page
    assert "<b>准入</b>" in page
    (act,) = bureau.acts("lookup")
    assert (act["subject"], act["reason"]) == ("merchant:1", "案号 7")
    auditor = people["auditor"]  # signs in at the same desk within the hour
    name = cookie_name(BASE, "purpose")
    kept = examiner.client.get_cookie(name, domain="fapiao.test")
    assert kept is not None
    auditor.client.set_cookie(name, kept.value, domain="fapiao.test")
    assert "/bureau/purpose" in auditor.get("/bureau/merchants/1").text
    hash_ = re.search(r'href="/bureau/invoices/([0-9a-f]{66})"', page)
    assert hash_ is not None
    whole = examiner.get(f"/bureau/invoices/{hash_[1]}").text
    assert "餐费" in whole
    assert hash_[1] in whole
    elsewhere = examiner.send("/bureau/purpose", purpose="x", to="https://elsewhere.test/")
    assert elsewhere.headers["Location"] == "/bureau/merchants"
    by_id = examiner.get("/bureau/merchants/of/91440300708461136T")
    assert by_id.headers["Location"] == "/bureau/merchants/1"
    for path in ("/bureau/merchants/9", "/bureau/merchants/x", "/bureau/merchants/of/y"):
        assert code_in(examiner.get(path)) == "merchant_unknown"
    assert code_in(examiner.get("/bureau/invoices/nothing")) == "invoice_unknown"


@pytest.mark.parametrize("said", ["", "  ", "\u200b", "长" * 201])
def test_a_purpose_that_says_nothing_opens_nothing(
    bureau: Bureau, people: dict[str, Browser], said: str
) -> None:
    auditor = people["auditor"]
    auditor.get("/bureau/merchants/2")
    refused = auditor.send("/bureau/purpose", purpose=said, to="/bureau/merchants/2")
    assert code_in(refused) in {"text_empty", "text_too_long"}
    assert 'value="/bureau/merchants/2"' in refused.text
    assert said in refused.text
    assert "查阅事由" in auditor.get("/bureau/merchants/2").text


def test_a_question_that_cannot_be_asked_says_which_field_in_chinese(
    people: dict[str, Browser],
) -> None:
    for asked, said in (
        ("top=3&bottom=4", "只看后几名：与“只看前几名”只能填其一"),
        ("at_block=x", "截至区块：请填 0 至"),
        ("by=day&by=day", "最多按 3 项汇总"),
        ("rate=6%25", "税率：请填税率，如 0.06"),
    ):
        assert said in people["viewer"].get(f"/bureau/totals?{asked}").text


def test_a_merchant_that_has_left_is_found_and_said_so(tmp_path: Path) -> None:
    with Bureau(tmp_path) as bureau:
        bureau.new_merchant(OTHER_TAX_ID, "走了的店")
        with bureau.instance.store.connections.writing() as connection:
            connection.execute("UPDATE merchants SET status = 'left' WHERE id = 2")
        page = bureau.strong(bureau.person("ex", "examiner")).get("/bureau/merchants?status=left")
    assert "走了的店" in page.text
    assert "<td>已退出</td>" in page.text


def test_what_was_refused_is_no_decision(tmp_path: Path) -> None:
    with Bureau(tmp_path) as bureau:
        for way in ("suspension", "revocation"):
            assert bureau.post(f"/v1/merchants/1/{way}", {}, bureau.official()).status_code == 200
        refused = bureau.post("/v1/merchants/1/readmission", {}, bureau.official())
        assert refused.get_json()["code"] == "merchant_revoked"
        examiner = bureau.strong(bureau.person("ex", "examiner"))
        examiner.get("/bureau/merchants/1")
        examiner.send("/bureau/purpose", purpose="案号 7", to="/bureau/merchants/1")
        page = examiner.get("/bureau/merchants/1").text
    assert page.count("<b>开票资格</b>") == 2


def test_the_trail_is_for_who_answers_for_it(people: dict[str, Browser]) -> None:
    page = people["auditor"].get("/bureau/trail?type=admission").text
    assert "merchant:2" in page
    assert page.index(">merchant:2<") < page.index(">merchant:1<")  # the newest first
    assert '<b>准入</b><p class="aside">' in page
    older = people["auditor"].get("/bureau/trail?type=admission&after=2").text
    assert "merchant:2" not in older
    assert people["examiner"].get("/bureau/trail").status_code == 403
    assert code_in(people["auditor"].get("/bureau/trail?type=dance")) == "parameter_malformed"
    assert code_in(people["auditor"].get("/bureau/trail?day=2026-13-01")) == "day_invalid"
    assert "merchant:2" not in people["auditor"].get("/bureau/trail?day=2020-01-01").text


def test_a_city_without_an_invoice(tmp_path: Path) -> None:
    with Bureau(tmp_path) as empty:
        viewer = empty.strong(empty.person("vi", "viewer"))
        for path in ("/bureau/", "/bureau/totals?by=district", "/bureau/merchants?status=revoked"):
            assert viewer.get(path).status_code == 200
