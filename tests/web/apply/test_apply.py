"""Applying on the page: from the form to the end on one page, without script, without account."""

import io
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from invoice_service.services.admission.ports import Decision
from tests.api.admission.office import ASKED
from tests.documents.test_certificate import pdf, with_script
from tests.web.customers.test_scan import Page
from tests.web.help.test_report import receipt_in, refused
from tests.web.people.visitors import Bureau, hidden

FORM = "multipart/form-data"
ENGLISH = {"Accept-Language": "en"}


def files(papers: tuple[bytes, ...]) -> list[tuple[io.BytesIO, str]]:
    return [(io.BytesIO(data), f"{n}.bin") for n, data in enumerate(papers)]


def send(bureau: Bureau, papers: tuple[bytes, ...], **fields: str) -> TestResponse:
    """Load the form, fill it in, send it."""
    nonce = fields.pop("nonce", "") or hidden(bureau.client.get("/apply").text, "nonce")
    form: dict[str, Any] = {"nonce": nonce, **ASKED, **fields, "paper": files(papers)}
    return bureau.client.post("/apply", data=form, content_type=FORM, headers=ENGLISH)


def status(bureau: Bureau, receipt: str, *papers: bytes, **more: str) -> TestResponse:
    data: dict[str, Any] = {"receipt": receipt, **more}
    if papers:
        data["paper"] = files(papers)
    kind = FORM if papers else "application/x-www-form-urlencoded"
    return bureau.client.post("/apply/status", data=data, content_type=kind, headers=ENGLISH)


def official(bureau: Bureau, step: str, **more: Any) -> None:  # noqa: ANN401 # a decision's
    bench = bureau.instance.admission.bench
    (found,) = bench.store.applications(["received", "notice", "examined"], 0, 9)
    decision = Decision(step=step, version=bench.one(found.id).version, **more)  # type: ignore[arg-type]
    by = bureau.instance.operator()
    bench.decide(found.id, decision, by)


def test_one_page_follows_it_to_its_end(bureau: Bureau, photograph: bytes) -> None:
    answer = send(bureau, (photograph, pdf(2)), tax_id=" 91330100 799655058b ")
    receipt = receipt_in(answer)
    assert f"/apply/status#{receipt}" in answer.text
    assert "looks at your papers next" in status(bureau, receipt).text
    official(bureau, "notice")
    page = status(bureau, receipt)
    assert "shown to the public for a few days" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    said = status(bureau, receipt, act="comment", text="We moved\nto Futian")
    again = status(bureau, receipt, act="comment", text="We moved\nto Futian")  # loaded again
    assert again.text.count("to Futian") == said.text.count("to Futian") == 1
    more = status(bureau, receipt, photograph, pdf(3), act="papers")
    assert re.search(r"<dd[^>]*>2</dd>", more.text)  # all of its pages were there: they are alike
    assert "I am sure" in more.text
    refused(status(bureau, receipt, act="withdraw"), 422, "form_incomplete")
    gone = status(bureau, receipt, act="withdraw", sure="yes")
    assert "Contact and papers are erased" in gone.text
    assert ASKED["contact"] not in gone.text
    refused(status(bureau, receipt, act="comment", text="x"), 409, "application_closed")


def test_nobody_is_put_in_a_district_and_a_receipt_stays_on_its_page(
    bureau: Bureau, photograph: bytes
) -> None:
    form = bureau.client.get("/apply").text.partition('name="district"')[2]
    assert form.partition("</select>")[0].count("selected") == 0
    assert '<option value="">' in form.partition("</select>")[0]
    assert 'action="/language"' not in send(bureau, (photograph,)).text


def test_the_public_sees_a_notice_and_may_object(bureau: Bureau, photograph: bytes) -> None:
    receipt = receipt_in(send(bureau, (photograph,), name="<b>海岸</b>"))
    assert "There are none at present" in bureau.client.get("/apply/notices", headers=ENGLISH).text
    assert bureau.client.get("/apply/notices/1").status_code == 404
    official(bureau, "notice")
    listed = bureau.client.get("/apply/notices", headers=ENGLISH)
    assert "&lt;b&gt;海岸&lt;/b&gt;" in listed.text
    assert ASKED["contact"] not in listed.text
    (link,) = [a["href"] for a in Page(listed.text).all("a") if "/notices/" in str(a["href"])]
    one = bureau.client.get(str(link), headers=ENGLISH)
    assert ASKED["tax_id"] not in one.text
    sent = bureau.client.post(str(link), data={"text": "no licence there"}, headers=ENGLISH)
    assert "Officials read it before they decide" in sent.text
    refused(bureau.client.post(str(link), data={"text": " "}, headers=ENGLISH), 422, "text_empty")
    assert "no licence there" not in status(bureau, receipt).text  # who objected stays safe
    (found,) = bureau.instance.admission.bench.store.applications(["notice"], 0, 9)
    (comment,) = bureau.instance.admission.bench.one(found.id).comments
    assert (comment.whose, comment.text) == ("public", "no licence there")


def test_what_cannot_be_taken_is_said_above_the_form_as_it_was(
    bureau: Bureau, photograph: bytes
) -> None:
    refused(send(bureau, ()), 422, "papers_missing")
    wrong = send(bureau, (photograph,), tax_id="91330100799655058A", message="Hello")
    refused(wrong, 422, "tax_id_invalid")
    assert ">Hello</textarea>" in wrong.text
    refused(send(bureau, (photograph,), name="x" * 101), 422, "text_too_long")
    refused(send(bureau, (photograph,), district="440300"), 422, "district_unknown")
    refused(send(bureau, (photograph,), nonce="x"), 422, "form_incomplete")
    refused(send(bureau, (photograph,) * 4), 422, "too_many_pictures")
    refused(send(bureau, (b"<svg>",)), 415, "picture_kind")
    refused(send(bureau, (pdf(5),)), 422, "pdf_too_long")
    refused(send(bureau, (with_script(),)), 422, "pdf_active")
    assert bureau.instance.admission.bench.store.applications(["received"], 0, 9) == []


def test_a_form_that_is_sent_twice_is_one_application(bureau: Bureau, photograph: bytes) -> None:
    nonce = "0123456789abcdef" * 3
    first = receipt_in(send(bureau, (photograph,), nonce=nonce))
    assert receipt_in(send(bureau, (photograph,), nonce=nonce)) == first
    assert receipt_in(send(bureau, (photograph,) * 2)) != first
    pages = [bureau.instance.admission.bench.one(one).papers for one in (1, 2)]
    assert [len(one) for one in pages] == [1, 1]  # the same page twice is one
    assert len(list(bureau.config.admission_dir.iterdir())) == 2


def test_a_receipt_of_nobody_is_told_so(bureau: Bureau) -> None:
    answer = status(bureau, "00000-00000-00000-00000")
    assert answer.status_code == 404
    assert "There is no such application" in answer.text


def test_another_sites_form_is_refused(bureau: Bureau) -> None:
    headers = {**ENGLISH, "Sec-Fetch-Site": "cross-site"}
    answer = bureau.client.post("/apply/status", data={"receipt": "x"}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/apply", "/apply/status", "/apply/notices"])
def test_nobody_keeps_a_page_and_scripts_are_ours_alone(bureau: Bureau, path: str) -> None:
    answer = bureau.client.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert ("script-src" in policy) == (path == "/apply/status")
