"""Slips over HTTP: who gets which, and that a second one says so."""

import io
import re
from html import unescape
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from chain.hashing import sha256
from invoice_service.documents.letters_of_font import FONT
from tests.api.desk import MEAL, UNKNOWN, Desk, problem
from tests.documents.printer import Paper, Printer

PERSON = {"kind": "individual", "name": "张三丰", "payment_id": "wx-4711"}
FORMS = ("slip", "slip.png", "receipt")


def paper(desk: Desk, invoice: dict[str, object], query: str = "", width: int = 384) -> Paper:
    """What the till's printer makes of the merchant's slip."""
    path = f"/v1/invoices/{invoice['hash']}/slip?{query}"
    answer = desk.client.get(path, headers=desk.auth())
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    return Printer(width).take(answer.data)


def test_the_merchant_gets_its_slip_with_all_that_is_in_it(desk: Desk) -> None:
    invoice = desk.issue(buyer=PERSON, remark="靠窗")
    found = paper(desk, invoice)
    assert [code.text for code in found.codes] == [invoice["qr"]]
    assert "购买方: 张三丰" in found.texts
    assert MEAL["name"] in found.texts
    assert (found.cuts, found.drawer) == (1, 0)
    assert paper(desk, invoice, "drawer=1").drawer == 1


def test_width_and_form_are_as_asked_for(desk: Desk) -> None:
    invoice = desk.issue()
    with pytest.raises(AssertionError, match="wider than the head"):
        paper(desk, invoice, "width=80")
    wide = paper(desk, invoice, "width=80", 576)
    assert max(line.dots for line in wide.lines) == 576
    assert MEAL["name"] not in paper(desk, invoice, "form=short").texts
    assert "扫码查看并保存电子发票" in paper(desk, invoice, "form=electronic").texts


def test_once_a_slip_is_on_paper_the_next_one_is_a_copy(desk: Desk) -> None:
    first, second = desk.issue("T1"), desk.issue("T2")
    prints = f"/v1/invoices/{first['hash']}/prints"
    assert paper(desk, first).texts[0] == paper(desk, first).texts[0] == "深圳电子普通发票"
    for count in (1, 2):
        answer = desk.client.post(prints, headers=desk.auth())
        assert (answer.status_code, answer.get_json()) == (201, {"prints": count})
        assert paper(desk, first).texts[0] == "副本"
    assert paper(desk, second).texts[0] == "深圳电子普通发票"
    assert paper(desk, second, "copy=1").texts[0] == "副本"


def test_a_slip_is_a_sample_unless_a_tax_office_is_named(tmp_path: Path) -> None:
    for name, samples in (("", 1), ("深圳市税务局", 0)):
        with Desk(tmp_path / (name or "nobody"), FAPIAO_BUREAU_NAME=name) as desk:
            invoice = desk.issue()
            assert paper(desk, invoice).texts.count("样本") == samples
            page = desk.client.get(f"/v1/invoices/{invoice['hash']}/receipt").text
            assert page.count("样本</p>") == samples


def test_counting_slips_leaves_the_invoice_as_it_is(desk: Desk) -> None:
    path = f"/v1/invoices/{desk.issue()['hash']}"
    before = desk.client.get(path, headers=desk.auth()).data
    desk.client.post(f"{path}/prints", headers=desk.auth())
    assert desk.client.get(path, headers=desk.auth()).data == before


def test_red_slips_and_slips_of_what_was_taken_back(desk: Desk) -> None:
    blue = desk.issue()
    red = desk.reverse(blue)
    assert paper(desk, red).texts[1] == "红字发票"
    assert any(text.endswith("-￥498.10") for text in paper(desk, red).texts)
    assert paper(desk, blue).texts[1].startswith("已红冲")


def test_another_merchant_and_officials_get_no_slip(desk: Desk) -> None:
    invoice = desk.issue()
    other = desk.auth(desk.new_key(desk.new_merchant("914403001922038216", "咖啡馆").merchant.id))
    for method, name in (("GET", "slip"), ("POST", "prints")):
        for digest in (invoice["hash"], UNKNOWN):  # what is another's is as if it were not there
            path = f"/v1/invoices/{digest}/{name}"
            problem(desk.client.open(path, method=method, headers=other), 404, "invoice_unknown")
        path = f"/v1/invoices/{invoice['hash']}/{name}"
        official = desk.client.open(path, method=method, headers=desk.official())
        problem(official, 403, "role_required")
        problem(desk.client.open(path, method=method), 401, "key_missing")


def test_by_the_hash_alone_page_and_picture_show_neither_lines_nor_a_persons_name(
    desk: Desk,
) -> None:
    path = f"/v1/invoices/{desk.issue(buyer=PERSON)['hash']}"
    page = unescape(desk.client.get(f"{path}/receipt").text)
    assert "购买方: 张**" in page
    assert not re.search(r"三丰|wx-4711|餐费", page)
    own = unescape(desk.client.get(f"{path}/receipt", headers=desk.auth()).text)
    assert all(text in own for text in ("购买方: 张三丰", "wx-4711", MEAL["name"]))
    other = desk.new_key(desk.new_merchant("914403001922038216", "咖啡馆").merchant.id)
    assert unescape(desk.client.get(f"{path}/receipt", headers=desk.auth(other)).text) == page
    pictures = [
        desk.client.get(f"{path}/slip.png", headers=headers).data
        for headers in ({}, desk.auth(other), desk.auth(), desk.official())
    ]
    assert pictures[0] == pictures[1] != pictures[2] == pictures[3]


def test_the_picture_is_one_with_the_invoices_code(desk: Desk) -> None:
    invoice = desk.issue()
    answer = desk.client.get(f"/v1/invoices/{invoice['hash']}/slip.png?width=80&form=short")
    assert answer.content_type == "image/png"
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(answer.data)))
    assert [code.text for code in found] == [invoice["qr"]]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("width=57", "parameter_malformed"),
        ("width=", "parameter_malformed"),
        ("form=tall", "parameter_malformed"),
        ("copy=yes", "parameter_malformed"),
        ("size=58", "unknown_parameter"),
        ("width=58&width=80", "duplicate_parameter"),
    ],
)
def test_what_is_not_asked_properly_is_refused(desk: Desk, query: str, code: str) -> None:
    path = f"/v1/invoices/{desk.issue()['hash']}"
    for form in ("slip", "slip.png"):
        answer = desk.client.get(f"{path}/{form}?{query}", headers=desk.auth())
        problem(answer, 400, code)
    page = desk.client.get(f"{path}/receipt?{query}")
    assert (page.status_code, page.mimetype) == (400, "text/html")
    assert code in page.text


@pytest.mark.parametrize("form", FORMS)
def test_of_what_is_not_there_there_is_no_slip(desk: Desk, form: str) -> None:
    for digest, status in ((UNKNOWN, 404), ("01zz", 400)):
        answer = desk.client.get(f"/v1/invoices/{digest}/{form}", headers=desk.auth())
        assert answer.status_code == status


def test_a_slip_in_capitals_is_the_same(desk: Desk) -> None:
    invoice = desk.issue()
    path = f"/v1/invoices/{str(invoice['hash']).upper()}/slip"
    assert desk.client.get(path, headers=desk.auth()).status_code == 200


def test_the_font_is_the_one_that_its_script_makes() -> None:
    """scripts/font.py says from what; the licence lies beside it."""
    digest = "6397c189d00c2bdfdb32abf8b717bdf19395c47fc2721b2f1c59be3004f67c84"
    assert sha256(Path(FONT).read_bytes()).hex() == digest
    assert "SIL Open Font License" in FONT.with_name("LICENSE").read_text("utf-8")
