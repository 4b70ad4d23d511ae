"""The page that has a receipt of the log, or an invoice from a wallet, checked."""

import io

import pytest
from werkzeug.test import TestResponse

from tests.api.checking.test_files import credential, receipt
from tests.api.desk import Desk
from tests.documents.wallet.purse import presented
from tests.web.customers.test_scan import Page

PATH = "/verify/receipt"


def send(desk: Desk, data: bytes | None, hash_: str = "") -> TestResponse:
    fields = {} if data is None else {"receipt": (io.BytesIO(data), "x.cose")}
    return desk.client.post(
        PATH, data=fields | {"hash": hash_}, headers={"Content-Type": "multipart/form-data"}
    )


def test_a_receipt_shows_the_verdict_of_now(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    data = receipt(desk, invoice["hash"])
    answer = send(desk, data, f" {invoice['hash']} ")
    assert answer.status_code == 200
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert 'data-verdict="authentic"' in answer.text
    for words in ("¥498.10", "账本凭据", "0 / 2"):
        assert words in Page(answer.text).text, words
    desk.reverse(invoice)
    assert 'data-verdict="reversed"' in send(desk, data, invoice["hash"]).text


def test_what_a_wallet_showed_says_by_whom_and_without_what(desk: Desk) -> None:
    invoice = desk.issue(buyer={"kind": "organisation", "name": "市政府"})
    desk.anchor()
    text = credential(desk, invoice["hash"])
    copy = Page(send(desk, text.encode()).text).text
    assert "可能是副本" in copy
    jwt, lines, _ = text.rstrip("~").split("~")
    shown = Page(send(desk, presented(f"{jwt}~{lines}~").encode()).text).text
    for words in ("https://shop.example", "未出示", "购买方"):
        assert words in shown, words


def test_one_that_does_not_hold_is_not_shown_as_anything(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    data = receipt(desk, invoice["hash"])
    answer = send(desk, data[:-1] + bytes([data[-1] ^ 1]), invoice["hash"])
    assert 'data-verdict="fails"' in answer.text
    text = Page(answer.text).text
    assert "证明不成立" in text
    assert "signature" in text
    assert "¥498.10" not in text


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (None, 422, "receipt_missing_file"),
        (b"hello", 400, "credential"),
        (b"\xd2\x84", 422, "receipt_hash_missing"),
        (b"eyJ" + bytes(1 << 17), 400, "credential"),
    ],
)
def test_what_is_not_read_has_its_reason_and_a_way_on(
    desk: Desk, data: bytes | None, status: int, code: str
) -> None:
    answer = send(desk, data)
    assert answer.status_code == status
    assert code in answer.text
    assert "文件未能查验" in answer.text
    assert f'action="{PATH}"' in answer.text


def test_the_page_of_files_has_the_form_too(desk: Desk) -> None:
    assert f'action="{PATH}"' in desk.client.get("/verify/file").text
    answer = desk.client.get(PATH)
    assert "发送" in Page(answer.text).text
