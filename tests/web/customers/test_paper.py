"""The page that has a PDF read: what fits, what differs, and why one is not read."""

import io
import re

import pytest
from werkzeug.test import TestResponse

from invoice_service.documents.paper.opened import MAX_BYTES
from invoice_service.documents.qr import qr_drawn
from tests.api.checking.test_papers import paper
from tests.api.desk import Desk
from tests.web.customers.test_scan import Page


def send(desk: Desk, *files: bytes) -> TestResponse:
    sent = [(io.BytesIO(data), f"{place}.pdf") for place, data in enumerate(files)]
    return desk.client.post(
        "/verify/paper", data={"pdf": sent}, headers={"Content-Type": "multipart/form-data"}
    )


def fits(page: str) -> list[str]:
    """Text, amounts, code and proof, in this order."""
    return re.findall(r'data-fits="([a-z]+)"', page)


def test_ours_fits_in_all_its_parts_and_says_what_is_true_now(desk: Desk) -> None:
    invoice = desk.issue()
    answer = send(desk, paper(desk, invoice["hash"]))
    assert fits(answer.text) == ["yes", "yes", "yes", "none"]  # it waited for the log
    desk.anchor()
    data = paper(desk, invoice["hash"])
    desk.reverse(invoice)
    answer = send(desk, data)
    assert answer.status_code == 200
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert fits(answer.text) == ["yes"] * 4
    text = Page(answer.text).text
    for words in ("已红冲", "¥498.10", "深圳市旋转餐厅有限公司", "截至区块 1"):
        assert words in text, words


def test_what_was_changed_is_named_with_both_values(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    code = qr_drawn(invoice["qr"].replace("49810", "94981")).decode()
    data = paper(desk, invoice["hash"], total="￥949.81", number="00000009", qr=code)
    answer = send(desk, data)
    assert fits(answer.text) == ["no", "no", "no", "yes"]
    text = Page(answer.text).text
    for words in ("PDF 已被改动", "￥949.81", "￥498.10", "00000009", invoice["number"]):
        assert words in text, words
    proof = desk.client.get(f"/v1/invoices/{invoice['hash']}/proof", headers=desk.auth()).text
    answer = send(desk, paper(desk, invoice["hash"], proof=proof.replace("49810", "94981")))
    assert fits(answer.text)[3] == "no"
    assert "hash_mismatch" in answer.text


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        ([], 400, "pdf_missing"),
        ([b"hello"], 422, "pdf_unreadable"),
        ([b"%PDF-1", b"%PDF-2"], 422, "pdf_several"),
        ([b"%PDF-" + bytes(MAX_BYTES + (1 << 17))], 422, "pdf_too_much"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_read_has_its_reason_and_a_way_on(
    desk: Desk, files: list[bytes], status: int, code: str
) -> None:
    answer = send(desk, *files)
    assert answer.status_code == status
    assert code in answer.text
    assert "PDF 未查验" in answer.text
    assert "/verify/paper" in [link["href"] for link in Page(answer.text).all("a")]


def test_the_form_needs_no_script_and_says_that_it_sends(desk: Desk) -> None:
    answer = desk.client.get("/verify/paper")
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "发送" in Page(answer.text).text
    for page in ("/", "/verify/file"):
        assert 'action="/verify/paper"' in desk.client.get(page).text


@pytest.mark.parametrize("path", ["/verify/paper", "/verify/receipt"])
def test_what_is_wrong_with_another_file_is_not_told_of_a_list(desk: Desk, path: str) -> None:
    headers = {"Accept": "text/html", "Accept-Language": "en"}
    answer = desk.client.post(path, data=b"{}", content_type="application/json", headers=headers)
    assert (answer.status_code, "unsupported_media_type" in answer.text) == (415, True)
    assert "list cannot be read" not in answer.text
    assert f'<a class="button" href="{path}">Back to the form</a>' in answer.text
