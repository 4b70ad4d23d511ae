"""The page for many slips: a file or a pasted text, results as a page or as a workbook."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from werkzeug.test import TestResponse

from invoice_service.web.customers import list_page
from tests.api.checking.test_workbooks import workbook
from tests.api.desk import UNKNOWN, Desk, slip
from tests.web.customers.test_scan import Page


def send(desk: Desk, **fields: Any) -> TestResponse:  # noqa: ANN401 # texts and files
    return desk.client.post(
        "/verify/list", data=fields, headers={"Content-Type": "multipart/form-data"}
    )


def shown(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    return Page(answer.text).text


def test_pasted_codes_have_a_result_each(desk: Desk) -> None:
    first, second = desk.issue("T1"), desk.issue("T2")
    desk.anchor()
    forged = second["qr"].replace("49810", "49811")
    text = shown(send(desk, text="\r\n".join([first["qr"], "", first["qr"], forged, "nonsense"])))
    for words in (
        *("共 4 张", "其中 1 张重复", "与第 1 行是同一张票"),
        *("真票", "与开具内容不符", "未查验"),
        *("¥498.10 · 深圳市旋转餐厅有限公司", first["hash"], "这不是发票二维码"),
    ):
        assert words in text, words


def test_a_forged_slip_has_the_hash_of_an_invoice_and_is_not_it(desk: Desk) -> None:
    qr = desk.issue()["qr"]
    desk.anchor()
    forged = qr.replace("49810", "49811")
    text = shown(send(desk, text="\n".join([qr, forged, forged, qr])))
    assert text.count("密码区与第 1 行相同") == 1
    assert text.count("密码区与第 2 行相同") == 1
    assert text.count("与第 1 行是同一张票") == text.count("是同一张票") == 1
    assert "共 4 张，其中 2 张重复" in text
    assert "真票 2 （其中 1 张重复）" in text
    assert "与开具内容不符 2 （其中 1 张重复）" in text


def test_what_was_not_checked_is_shown_as_it_was_sent(desk: Desk) -> None:
    text = shown(send(desk, text=f"\n<b>\u202e票{'x' * 100}\n\nhello\n"))
    assert f"<b> 票{'x' * 75}… 这不是发票二维码" in text
    assert "hello 这不是发票二维码" in text
    file = io.BytesIO(workbook(("qr",), ("no code",)))
    assert "no code 这不是" in shown(send(desk, list=(file, "l.xlsx")))


@pytest.mark.parametrize(
    "name", ["list.xlsx", "清单.XLSX", "list.xls", "list.txt", "list"], ids=lambda name: name
)
def test_a_workbook_is_known_by_what_it_is(desk: Desk, name: str) -> None:
    file = io.BytesIO(workbook(("qr",), (desk.issue()["qr"],)))
    assert "真票 · 待入账" in shown(send(desk, list=(file, name)))


@pytest.mark.parametrize("ending", ["csv", "txt", "ndjson"])
def test_other_files_are_known_by_their_names(desk: Desk, ending: str) -> None:
    said = slip(desk.issue())
    bodies = {
        "csv": f"{','.join(said)}\r\n{','.join(said.values())}\r\n",
        "txt": f"https://x/verify/scan?{'&'.join(f'{k}={v}' for k, v in said.items())}",
        "ndjson": str(said).replace("'", '"'),
    }
    file = io.BytesIO(bodies[ending].encode())
    assert "真票 · 待入账" in shown(send(desk, list=(file, f"list.{ending}")))


def test_the_results_are_had_as_a_workbook(desk: Desk) -> None:
    invoice = desk.issue()
    answer = send(desk, **{"text": f"{invoice['qr']}\nnonsense\n", "as": "xlsx"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="verifications.xlsx"'
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].values)
    assert [row[3] for row in rows[1:]] == ["真票 · 待入账 pending", None]
    assert rows[2][11] == "qr_invalid"


def test_of_what_came_back_a_list_says_what_still_stands(desk: Desk) -> None:
    part, whole = desk.issue("T1"), desk.issue("T2")
    back = {"reason": "SALES_DISCOUNT", "amount": 810}
    assert desk.post(f"/v1/invoices/{part['hash']}/reversals", back).status_code == 201
    desk.reverse(whole)
    text = f"{part['qr']}\n{whole['qr']}\n{desk.issue('T3')['qr']}"
    page = shown(send(desk, text=text))
    assert "尚有效金额 ¥490.00" in page
    assert "尚有效金额 ¥0.00" in page
    answer = send(desk, **{"text": text, "as": "xlsx"})
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].values)
    assert [row[7] for row in rows] == ["尚有效金额（元） left CNY", 490, 0, None]
    assert [row[6] for row in rows[1:]] == [498.1] * 3


def test_a_page_shows_some_and_counts_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_page, "MOST_SHOWN", 2)
    line = f"https://x/verify/scan?hash={UNKNOWN}&bill_num=00000001&total_amount=1\n"
    answer = send(desk, text=line * 3)
    assert "共 3 张，其中 2 张重复" in shown(answer)
    assert "这里只显示前 2 张" in shown(answer)
    assert answer.text.count(f'<p class="mono">{UNKNOWN}') == 2


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 400, "empty_body"),
        ({"text": " \r\n "}, 400, "empty_body"),
        ({"list": (io.BytesIO(b""), "")}, 400, "empty_body"),
        ({"list": (io.BytesIO(b"a,b\n1,2\n"), "x.csv")}, 400, "not_csv"),
        ({"list": (io.BytesIO(b"PK\x03\x04"), "x.docx")}, 400, "not_xlsx"),
        ({"text": "a" * 600_000}, 413, "body_too_large"),
        ({"text": "a\n" * 200_000}, 413, "too_many_records"),
        ({"list": (io.BytesIO(b"x\n"), "x.txt"), "text": "y"}, 400, "several_lists"),
        ({"list": [(io.BytesIO(b"x\n"), f"{n}.txt") for n in "ab"]}, 400, "several_lists"),
        ({"text": ["x", "y"]}, 400, "several_lists"),
        ({"list": "x", "text": "y"}, 400, "several_lists"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_a_way_back(
    desk: Desk, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = send(desk, **fields)
    assert answer.status_code == status
    page = Page(answer.text)
    assert "清单无法读取" in page.text
    assert code in page.text
    assert "/verify/list" in [link.get("href") for link in page.all("a")]


def test_more_than_a_list_may_hold_is_refused(tmp_path: Path) -> None:
    with Desk(tmp_path, FAPIAO_LIMITS_BATCH_RECORDS="2") as desk:
        answer = send(desk, text="x\n" * 3)
        assert (answer.status_code, "too_many_records" in answer.text) == (413, True)


def test_only_a_form_is_taken(desk: Desk) -> None:
    assert desk.post("/verify/list", {"text": "x"}).status_code == 415


def test_what_others_wrote_is_shown_as_text(desk: Desk) -> None:
    answer = send(desk, text="<script>alert(1)</script>")
    assert "<script" not in answer.text
