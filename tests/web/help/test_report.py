"""Reporting a slip: from the verdict to what became of it, without script and without account."""

import io
import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from chain.errors import UnavailableError
from invoice_service.services.help.desk import ALLOWED
from tests.api.desk import UNKNOWN, refusing, slip
from tests.web.customers.test_scan import Page
from tests.web.people.visitors import Bureau, hidden

FORM = "multipart/form-data"
ENGLISH = {"Accept-Language": "en"}


def send(bureau: Bureau, pictures: tuple[bytes, ...] = (), **fields: str) -> TestResponse:
    """Load the form, fill it in, send it."""
    nonce = fields.pop("nonce", "") or hidden(bureau.client.get("/report").text, "nonce")
    files = [(io.BytesIO(data), f"{n}.jpg") for n, data in enumerate(pictures)]
    form: dict[str, Any] = {"nonce": nonce, **fields, "picture": files}
    return bureau.client.post("/report", data=form, content_type=FORM, headers=ENGLISH)


def receipt_in(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    found = re.search(r"([0-9A-Z]{5}-){3}[0-9A-Z]{5}", answer.text)
    assert found, answer.text
    return found[0]


def status(bureau: Bureau, receipt: str, **more: str) -> TestResponse:
    data = {"receipt": receipt, **more}
    return bureau.client.post("/report/status", data=data, headers=ENGLISH)


def refused(answer: TestResponse, code: int, name: str) -> None:
    assert answer.status_code == code, answer.text
    assert f'role="alert" id="{name}"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def linked(page: TestResponse) -> str:
    """Where a verdict's page leads who wants to report the slip."""
    links = [str(a["href"]) for a in Page(page.text).all("a")]
    (found,) = [link for link in links if link.startswith("/report?")]
    return unescape(found)


def test_from_a_verdict_to_what_became_of_the_report(bureau: Bureau, photograph: bytes) -> None:
    invoice = bureau.issue()
    said = slip(invoice, total_amount="913")
    scan = bureau.client.get("/verify/scan", query_string=said)
    assert 'data-verdict="mismatch"' in scan.text
    form = bureau.client.get(linked(scan))
    filled = unescape(re.findall(r"<textarea[^>]*>([^<]*)", form.text)[0])
    assert filled == f"https://fapiao.test/verify/scan?{urlencode(said)}"
    assert "<script" not in form.text
    for issued in ("498.10", "深圳市旋转餐厅"):  # what was issued is not shown
        assert issued not in form.text
    answer = send(
        bureau,
        (photograph, photograph),
        nonce=hidden(form.text, "nonce"),
        said=filled,
        message="I paid 9.13,\nand it says more",
        contact="13800000000",
    )
    receipt = receipt_in(answer)
    (found,) = bureau.instance.help_store.reports(None, 0, 9)
    assert (found.sent.hash, found.sent.verdict) == (invoice["hash"], "mismatch")
    assert (found.sent.message, found.pictures) == ("I paid 9.13,\nand it says more", (1, 2))
    assert "nobody has looked at it yet" in status(bureau, receipt).text
    by = bureau.instance.operator()
    bureau.instance.reports.judge(found.id, "closed", "The shop prints anew.", by)
    told = status(bureau, receipt.lower().replace("-", " ")).text
    assert "The shop prints anew." in told
    assert "13800000000" in told
    assert "13800000000" not in status(bureau, receipt, erase="contact").text
    assert "All that you sent is erased" in status(bureau, receipt, erase="all").text
    assert bureau.instance.help_store.picture(found.id, 1) is None


@pytest.mark.parametrize(
    "said", [{"hash": UNKNOWN, "bill_num": "00000001", "total_amount": "1"}, {"text": "https://x"}]
)
def test_every_scan_leads_to_a_report_with_what_was_scanned(
    bureau: Bureau, said: dict[str, str]
) -> None:
    if "text" in said:
        said = {"text": f"看 {bureau.issue()['qr']} 吧"}
    link = linked(bureau.client.get("/verify/scan", query_string=said))
    filled = unescape(re.findall(r"<textarea[^>]*>([^<]*)", bureau.client.get(link).text)[0])
    assert filled == said.get("text", f"https://fapiao.test/verify/scan?{urlencode(said)}")


def test_a_form_that_is_sent_twice_is_one_report(bureau: Bureau, photograph: bytes) -> None:
    nonce = "0123456789abcdef" * 3
    first = send(bureau, (photograph,), nonce=nonce, message="x")
    again = send(bureau, (photograph,), nonce=nonce, message="x")
    assert receipt_in(first) == receipt_in(again)
    assert len(bureau.instance.help_store.reports(None, 0, 9)) == 1
    changed = send(bureau, (photograph,), nonce=nonce, message="y")
    assert receipt_in(changed) != receipt_in(first)
    assert len(bureau.instance.help_store.reports(None, 0, 9)) == 2


def test_the_receipt_is_in_no_address_and_nobody_keeps_the_page(bureau: Bureau) -> None:
    answer = send(bureau, message="x")
    assert answer.headers["Cache-Control"] == "no-store"
    receipt = receipt_in(answer)
    assert not [a for a in Page(answer.text).all("a") if receipt in str(a["href"])]
    assert all(form["method"] == "post" for form in Page(answer.text).all("form"))


def test_what_cannot_be_taken_is_said_above_the_form_as_it_was(
    bureau: Bureau, photograph: bytes
) -> None:
    refused(send(bureau), 422, "report_empty")
    long = send(bureau, message="x" * 2001, place="Rotating Restaurant")
    refused(long, 422, "text_too_long")
    assert 'value="Rotating Restaurant"' in long.text
    refused(send(bureau, nonce="x", message="y"), 422, "form_incomplete")
    refused(send(bureau, (photograph,) * 4), 422, "too_many_pictures")
    refused(send(bureau, (b"<html>",)), 415, "picture_kind")
    cut = send(bureau, (photograph, photograph[:300]), message="the total")
    refused(cut, 422, "picture_unreadable")
    assert ">the total</textarea>" in cut.text
    refused(send(bureau, (b"\xff\xd8\xff" + bytes(8 << 20),)), 413, "picture_too_large")
    assert bureau.instance.help_store.reports(None, 0, 9) == []


def test_two_of_one_field_or_another_site_or_kind_are_refused(bureau: Bureau) -> None:
    twice = {"message": ["a", "b"], "nonce": "0" * 48}
    refused(
        bureau.client.post("/report", data=twice, content_type=FORM), 400, "duplicate_parameter"
    )
    refused(bureau.client.post("/report", data={"message": "x"}), 415, "unsupported_media_type")
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    answer = bureau.client.post(
        "/report", data={"message": "x"}, content_type=FORM, headers=elsewhere
    )
    refused(answer, 403, "form_stale")


def test_a_network_reports_a_bounded_number(bureau: Bureau) -> None:
    for _ in range(ALLOWED.burst):
        receipt_in(send(bureau, message="x"))
    answer = send(bureau, message="x")
    refused(answer, 429, "reports_limited")
    assert int(answer.headers["Retry-After"]) > 0
    elsewhere = bureau.client.post(
        "/report",
        data={"nonce": "a" * 48, "message": "x"},
        content_type=FORM,
        environ_base={"REMOTE_ADDR": "192.0.2.77"},
    )
    receipt_in(elsewhere)


@pytest.mark.parametrize("receipt", ["", "x", "00000-00000-00000-00000"])
def test_no_receipt_leads_to_nothing(bureau: Bureau, receipt: str) -> None:
    answer = status(bureau, receipt)
    assert answer.status_code == 404
    assert "There is no such report" in answer.text
    assert status(bureau, receipt, erase="everything").status_code == 422


def test_where_nothing_can_be_kept_it_is_said(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = refusing(UnavailableError("disk_full", "no space on /srv"))
    monkeypatch.setattr(bureau.instance.help_store, "add_report", full)
    answer = send(bureau, message="x")
    refused(answer, 503, "disk_full")
    assert "/srv" not in answer.text


def test_what_somebody_types_stays_text(bureau: Bureau) -> None:
    hostile = "</textarea><script>alert(1)</script>"
    page = bureau.client.get("/report", query_string={"text": hostile}).text
    assert "<script" not in page
    receipt_in(send(bureau, message=hostile, said=hostile))
    assert bureau.instance.help_store.reports(None, 0, 9)[0].sent.message == hostile
