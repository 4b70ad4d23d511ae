"""A file of orders through the pages: shown first, issued once, told of, nobody else's."""

import csv
import io
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from werkzeug.test import TestResponse

from chain.errors import UnavailableError
from invoice_service.domain.money import parse_yuan
from tests.api.desk import OTHER_TAX_ID, refusing
from tests.files.days import day_file
from tests.patience import PATIENCE
from tests.web.people.visitors import BASE, OURS, Browser, Bureau, code_in

HEADER = "订单号,时间,商品名称,数量,单价,税率,整单优惠,桌号\n"
GOOD = "001,2026-11-20 12:00,*餐饮服务*面,2,28.00,6%,1.00,7\n002,2026-11-20 12:05,茶,1,8.00,6%,,8\n"
BAD = "003,2026-11-20 12:09,酒,0,60.00,6%,,9\n1.2E+17,2026-11-20 13:00,饭,1,2.00,6%,,\n"


class Till:
    """Somebody of the restaurant at the page for files."""

    def __init__(self, bureau: Bureau, name: str = "zhang", **whose: Any) -> None:  # noqa: ANN401
        self.bureau = bureau
        self.person = bureau.person(name, whose.pop("role", "cashier"), **whose)
        self.browser = bureau.signed_in(self.person)
        self.browser.get("/till/files")

    def send(self, content: str | bytes, name: str = "day.csv", **fields: str) -> TestResponse:
        """A file by the form of the last page."""
        data = content.encode() if isinstance(content, str) else content
        sent = {"form": self.browser.token, "file": (io.BytesIO(data), name), **fields}
        return self.browser.client.post(
            "/till/files", data=sent, base_url=BASE, headers={"Sec-Fetch-Site": OURS}
        )

    def read(self, content: str | bytes, name: str = "day.csv") -> str:
        """Its address, once it has been read."""
        answer = self.send(content, name)
        assert answer.status_code == 303, answer.text
        place = answer.headers["Location"].removeprefix(BASE)
        self.settled()
        return place

    def settled(self) -> None:
        """Wait until nobody works on a file."""
        pages: Any = self.bureau.app.view_functions["till_files.one"]
        assert pages.__self__._office.turns.idle(PATIENCE)

    def issue(self, place: str) -> str:
        """What the page says, once it is done."""
        self.browser.get(place)
        answer = self.browser.send(f"{place}/issue")
        assert answer.status_code == 303, answer.text
        self.settled()
        return self.page(place)

    def page(self, place: str) -> str:
        """Its text."""
        answer = self.browser.get(place)
        assert answer.status_code == 200, answer.text
        text = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())

    def stage(self, place: str) -> str:
        """How far it is."""
        found = re.search(r'data-stage="([a-z]+)"', self.browser.get(place).text)
        assert found
        return found[1]

    def table(self, place: str) -> list[dict[str, str]]:
        """The result file as CSV."""
        answer = self.browser.get(f"{place}/results.csv")
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def test_it_is_shown_first_and_issued_when_somebody_says_so(bureau: Bureau) -> None:
    till = Till(bureau)
    place = till.read(HEADER + GOOD + BAD)
    assert till.stage(place) == "ready"
    said = till.page(place)
    for words in (
        *("day.csv", "¥63.00", "2 张新发票", "尚未开具", "订单 4", "新发票 2"),
        *("2 笔订单不能开票", "数量必须大于零", "列“数量”", "表格软件已改写编号"),
        *("单价", "unit_price", "桌号", "保留在结果文件中"),
    ):
        assert words in said, (words, said)
    assert bureau.count() == 0
    after = till.issue(place)
    assert till.stage(place) == "done"
    assert "2 笔订单没有发票" in after
    assert bureau.count() == 2
    rows = till.table(place)
    assert [row["订单号"] for row in rows] == ["001", "002", "003", "1.2E+17"]
    assert [row["处理结果"] for row in rows] == ["已开具", "已开具", "未开具", "未开具"]
    assert [row["桌号"] for row in rows] == ["7", "8", "9", ""]
    assert sum(parse_yuan(row["金额（元）"]) for row in rows[:2]) == 6300
    assert (rows[2]["行"], rows[2]["错误代码"]) == ("4", "quantity_not_positive")


def test_the_orders_and_the_file_itself_are_gone_once_they_are_issued(bureau: Bureau) -> None:
    till = Till(bureau)
    place = till.read(HEADER + GOOD)
    folder = bureau.config.files_dir
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert "sent" not in names
    assert "orders.ndjson" in names
    till.issue(place)
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert "orders.ndjson" not in {path.name for path in kept}
    for path in [folder, *folder.rglob("*")]:
        assert not path.stat().st_mode & 0o077, path


def test_neither_a_reload_nor_a_second_tab_nor_a_second_send_doubles(bureau: Bureau) -> None:
    till = Till(bureau)
    place = till.read(HEADER + GOOD)
    assert till.read(HEADER + GOOD) == place  # the same form, sent again
    other = Browser(till.browser.client, "192.0.2.7")  # another tab of the same browser
    other.get(place)
    till.issue(place)
    assert other.send(f"{place}/issue").status_code == 303
    assert till.browser.send(f"{place}/issue").status_code == 303
    till.settled()
    assert bureau.count() == 2
    again = till.read(HEADER + GOOD)
    said = till.page(again)
    assert "0 张新发票" in said
    assert "此前已开具 2 · ¥63.00" in said
    till.issue(again)
    assert bureau.count() == 2
    assert len(till.table(again)) == 2


def test_one_name_on_five_days_keeps_all_and_tells_what_became_of_each(bureau: Bureau) -> None:
    till = Till(bureau)
    for day in range(16, 21):
        place = till.read(HEADER + GOOD.replace("11-20", f"11-{day}"))
        till.issue(place)
    rows = till.table(place)
    assert len({row["密码区"] for row in rows}) == len(rows) == 10
    by_day = {(row["营业日"], row["订单号"]): row for row in rows}
    first = by_day["2026-11-16", "001"]
    bureau.reverse({"hash": first["密码区"]})
    back = {"reason": "SALES_RETURN", "amount": 300}
    second = by_day["2026-11-17", "002"]
    bureau.post(f"/v1/invoices/{second['密码区']}/reversals", back)
    bureau.anchor()
    order = {"order_id": "001", "business_day": "2026-11-16", "replaces": first["密码区"]}
    bureau.issue(**order, lines=[{"name": "面", "total": 5000, "tax_rate": "0.06"}])
    now = {row["密码区"]: row for row in till.table(place)}
    told = now[first["密码区"]]
    assert (told["当前状态"], told["剩余金额（元）"]) == ("已红冲 · 不再有效", "0.00")
    assert (told["红字发票号码"], told["重开发票号码"]) == ("00000011", "00000013")
    part = now[second["密码区"]]
    assert (part["当前状态"], part["剩余金额（元）"]) == ("部分红冲", "5.00")
    assert {row["当前状态"] for row in now.values()} == {"真票", "已红冲 · 不再有效", "部分红冲"}


def test_results_open_without_a_formula_and_without_losing_a_digit(bureau: Bureau) -> None:
    till = Till(bureau)
    evil = '=HYPERLINK("http://x")'
    rows = "".join(
        f'00{n},2026-11-20,茶,1,1.00,6%,"{cell}"\n'
        for n, cell in enumerate((evil.replace('"', '""'), "+1", "-1", "@a", "-1.50", "％"), 1)
    )
    place = till.read(f"订单号,时间,商品名称,数量,单价,税率,=注\n{rows}")
    till.issue(place)
    text = till.browser.get(f"{place}/results.csv").get_data().decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "'=注" in cells
    assert f"'{evil}" in cells
    assert {"'+1", "'@a", "-1", "-1.50", "％"} <= {*cells}  # a number below zero is one
    answer = till.browser.client.get(f"{place}/results.xlsx", base_url=BASE)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.get_data())).worksheets[0]
    by_name = {cell.value: number for number, cell in enumerate(sheet[1])}
    row = sheet[2]
    assert (row[by_name["=注"]].value, row[by_name["=注"]].data_type) == (evil, "s")
    assert (row[by_name["订单号"]].value, row[by_name["订单号"]].number_format) == ("001", "@")
    assert row[by_name["发票代码"]].data_type == "s"
    assert row[by_name["金额（元）"]].value == 1


def test_another_merchants_file_is_like_one_that_is_not_there(bureau: Bureau) -> None:
    till = Till(bureau)
    place = till.read(HEADER + GOOD)
    other = Till(bureau, "wang", merchant_id=bureau.new_merchant(OTHER_TAX_ID, "别家").merchant.id)
    nothing = "/till/files/" + "0" * 32
    for path in ("", "/results.csv"):
        theirs, none = (other.browser.get(f"{one}{path}") for one in (place, nothing))
        assert (theirs.status_code, code_in(theirs)) == (404, "file_unknown")
        assert theirs.text.replace(place, nothing) == none.text
    for act in ("issue", "cancel"):
        assert code_in(other.browser.send(f"{place}/{act}")) == "file_unknown"
    assert other.browser.get("/till/files/..%2f1%2fx").status_code == 404
    assert till.stage(place) == "ready"
    assert "day.csv" not in other.page("/till/files")
    assert other.read(HEADER + GOOD) != place


def test_a_form_of_another_site_or_without_its_token_keeps_nothing(bureau: Bureau) -> None:
    till = Till(bureau)
    assert code_in(till.send(HEADER + GOOD, form="x")) == "form_stale"
    answer = till.browser.client.post(
        "/till/files",
        data={"form": till.browser.token, "file": (io.BytesIO(b"x"), "day.csv")},
        base_url=BASE,
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert code_in(answer) == "form_stale"
    assert code_in(till.browser.send("/till/files")) == "unsupported_media_type"
    assert not bureau.config.files_dir.exists()


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "day.csv", "csv_header_unknown"),
        (b"a,b\n1,2\n", "day.csv", "csv_header_unknown"),
        ((HEADER + GOOD).encode("utf-16"), "day.csv", "not_utf8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "day.xls", "xls_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "day.xlsx", "xls_file"),
        (b"%PDF-1.7", "day.xlsx", "not_a_table"),
        (b"PK\x03\x04", "day.xlsx", "not_xlsx"),
        ((HEADER + GOOD + GOOD).encode(), "day.csv", "csv_order_scattered"),
    ],
)
def test_what_cannot_be_read_says_by_what_and_what_to_do(
    bureau: Bureau, content: bytes, name: str, code: str
) -> None:
    till = Till(bureau)
    place = till.read(content, name)
    assert till.stage(place) == "refused"
    page = till.browser.get(place).text
    assert f'id="{code}"' in page
    assert "line" not in till.page(place)  # of English


@pytest.mark.parametrize(
    ("content", "english", "chinese"),
    [
        (HEADER.replace(",", ";"), "columns stand apart by ;", "各列以;分隔"),
        (HEADER.replace(",", "\t"), "columns stand apart by tabs", "各列以制表符分隔"),
        ("", "there is nothing in the file", "文件是空的"),
        ("订单号,单价\n", "no column is the item", "缺少 item 列（商品名称、"),
        (HEADER + GOOD + GOOD, "stands in line 2", "见于第 2 行和第 4 行"),
    ],
)
def test_a_file_is_refused_in_the_readers_language_alone(
    bureau: Bureau, content: str, english: str, chinese: str
) -> None:
    till = Till(bureau)
    place = till.read(content.encode())
    assert chinese in till.page(place)
    assert english not in till.page(place)
    till.browser.post("/language", language="en", back=place)
    assert english in till.page(place)
    assert chinese not in till.page(place)
    assert not list(bureau.config.files_dir.rglob("sent"))


def test_a_form_without_a_file_or_with_a_name_that_is_none(bureau: Bureau) -> None:
    till = Till(bureau)
    assert code_in(till.send(b"x", "")) == "file_needed"
    assert code_in(till.send(b"x", "a" * 121)) == "file_name_invalid"
    assert till.read(HEADER + GOOD, "C:/Users/li/day.csv")
    assert "Users" not in till.page("/till/files")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with Bureau(tmp_path, FAPIAO_LIMITS_BATCH_BYTES="2000") as bureau:
        till = Till(bureau)
        answer = till.send(HEADER + GOOD * 50)
        assert answer.status_code == 413


def test_what_was_read_can_be_left_and_what_runs_be_stopped(bureau: Bureau) -> None:
    till = Till(bureau)
    place = till.read(HEADER + GOOD)
    till.browser.get(place)
    till.browser.send(f"{place}/cancel")
    assert till.stage(place) == "cancelled"
    assert bureau.count() == 0
    assert "尚未处理 2" in till.page(place)
    assert "每笔订单都有发票" in till.issue(place)
    assert bureau.count() == 2


def test_a_long_file_is_stopped_between_two_batches_and_goes_on(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person who began it is removed: nothing more is issued in that name."""
    till, owner = Till(bureau), Till(bureau, "owner", role="owner")
    place = till.read(day_file(250))
    seen = bureau.instance.store.person
    monkeypatch.setattr(
        bureau.instance.store, "person", lambda id_: None if bureau.count() else seen(id_)
    )
    till.browser.get(place)
    till.browser.send(f"{place}/issue")
    till.settled()
    monkeypatch.undo()
    assert bureau.count() == 100
    assert owner.stage(place) == "cancelled"
    said = owner.issue(place)
    assert "每笔订单都有发票" in said
    assert bureau.count() == 250
    assert len(owner.table(place)) == 250


def test_trouble_of_ours_stops_it_and_is_no_fault_of_the_file(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    till = Till(bureau)
    place = till.read(HEADER + GOOD)
    full = refusing(UnavailableError("disk_full", "no space on /secret"))
    monkeypatch.setattr(bureau.instance.store, "issue", full)
    till.issue(place)
    assert till.stage(place) == "stopped"
    said = till.page(place)
    assert "存储空间已满" in said
    assert "secret" not in said
    monkeypatch.undo()
    assert "每笔订单都有发票" in till.issue(place)


def test_the_trail_says_who_issued_what(bureau: Bureau) -> None:
    till = Till(bureau)
    place = till.read(HEADER + GOOD + BAD)
    till.issue(place)
    begun, done = bureau.acts("orders_file")
    assert [begun["outcome"], done["outcome"]] == ["begun", "done"]
    assert begun["actor"] == done["actor"] == f"person:{till.person.id}"
    assert done["subject"] == f"merchant:{bureau.restaurant.merchant.id}"
    counts = {"orders": 4, "issued": 2, "replayed": 0, "refused": 2}
    assert done["after"] == {"file": begun["after"]["file"], **counts}
    assert "day.csv" not in json.dumps([begun, done])  # a name may be somebody's


def test_both_languages_and_no_script_but_where_something_moves(bureau: Bureau) -> None:
    till = Till(bureau)
    till.browser.post("/language", language="en", back="/till/files")
    place = till.read(HEADER + GOOD + BAD)
    said = till.page(place)
    for words in (
        "2 new invoices. Nothing is issued yet.",
        "Column 数量",
        "kept in the result file",
    ):
        assert words in said
    assert "script-src" not in till.browser.get(place).headers["Content-Security-Policy"]
    till.issue(place)
    answer = till.browser.get(f"{place}/results.csv").get_data().decode("utf-8-sig")
    assert answer.startswith("Line,Order,Till,Business day,Outcome,State now")


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_template_is_for_everybody_in_their_language(bureau: Bureau, form: str) -> None:
    for tag, name in (("zh-CN", "订单号"), ("en", "Order no")):
        answer = bureau.client.get(f"/template/orders.{form}", headers={"Accept-Language": tag})
        assert answer.status_code == 200
        assert f'filename="orders.{form}"' in answer.headers["Content-Disposition"]
        if form == "xlsx":
            sheet = openpyxl.load_workbook(io.BytesIO(answer.get_data())).worksheets[0]
            assert sheet["A1"].value == name
        else:
            assert answer.get_data().decode("utf-8-sig").startswith(name)
    assert bureau.client.get("/template/orders.ods").status_code == 404
    till = Till(bureau)
    assert f"/template/orders.{form}" in till.browser.get("/till/files").text
