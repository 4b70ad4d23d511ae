"""PDFs over HTTP: ours agree, changed ones are named, and what harms is refused."""

import io
from typing import Any

import msgspec
import pypdfium2
import pytest

from chain.commitment import parse_password_area
from chain.proof.file import parse_proof
from chain.proof.hide import hide_groups
from invoice_service.documents.paper import assemble
from invoice_service.documents.paper.face import Face
from invoice_service.documents.paper.job import Attached, Job
from invoice_service.documents.paper.typeset import typeset
from invoice_service.services.checking.prove import ALL_GROUPS, FACE_ONLY
from invoice_service.services.records import own_invoice
from tests.api.desk import Desk, problem
from tests.documents.test_apart import pdf_of

PDF = {"Content-Type": "application/pdf"}


def paper(
    desk: Desk,
    hash_: str,
    shown: frozenset[str] = ALL_GROUPS,
    proof: str = "",
    **bent: Any,  # noqa: ANN401
) -> bytes:
    """What we print of an invoice, or what somebody made of it."""
    config, store = desk.config, desk.instance.store
    printers = assemble.Printers(store, desk.instance.log, config.service.public_url, "")
    made = printers.paper(own_invoice(store, parse_password_area(hash_), None), shown)
    face: Face = msgspec.structs.replace(made.face, **bent)
    inside = [Attached("00000001.fapiao.json", proof, "")] if proof else []
    attached = inside or ([made.proof] if made.proof else [])
    return typeset(Job(faces=[face], attached=attached, made=0))


def paper_face(desk: Desk, hash_: str, **bent: Any) -> Face:  # noqa: ANN401
    """What stands on its page."""
    config, store = desk.config, desk.instance.store
    printers = assemble.Printers(store, desk.instance.log, config.service.public_url, "")
    made = printers.paper(own_invoice(store, parse_password_area(hash_), None), ALL_GROUPS)
    face: Face = msgspec.structs.replace(made.face, **bent)
    return face


def without_proof(desk: Desk, hash_: str, **bent: Any) -> bytes:  # noqa: ANN401
    """The page alone."""
    return typeset(Job(faces=[paper_face(desk, hash_, **bent)], attached=[], made=0))


def checked(desk: Desk, data: bytes) -> dict[str, Any]:
    answer = desk.client.post("/v1/verifications/pdf", data=data, headers=PDF)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.parametrize("shown", [ALL_GROUPS, FACE_ONLY], ids=["all", "face"])
def test_ours_agrees_and_says_what_is_true_now(desk: Desk, shown: frozenset[str]) -> None:
    invoice = desk.issue()
    desk.anchor()
    data = paper(desk, invoice["hash"], shown)
    found = checked(desk, data)
    assert (found["agrees"], found["verification"]["verdict"]) == (True, "authentic")
    assert found["proved_block"] == found["verification"]["block"]
    assert sorted(found.get("unproved", [])) == sorted(ALL_GROUPS - shown)
    desk.reverse(invoice)
    assert checked(desk, data)["verification"]["verdict"] == "reversed"


def test_one_that_waited_for_the_log_is_held_against_its_code(desk: Desk) -> None:
    invoice = desk.issue()
    found = checked(desk, paper(desk, invoice["hash"]))
    assert (found["agrees"], found["verification"]["verdict"]) == (True, "pending")
    assert found["unproved"] == ["face", "buyer", "lines"]
    found = checked(desk, paper(desk, invoice["hash"], total="￥9,498.10"))
    assert found["differences"] == [
        {"part": "text", "field": "total", "found": "￥9,498.10", "proved": "￥498.10"}
    ]


def test_without_its_proof_a_changed_page_is_held_against_our_records(desk: Desk) -> None:
    """Whoever changes a page takes the proof out first: its code is still a genuine one's."""
    invoice = desk.issue()
    desk.anchor()
    for bent, field in (({"amount": "￥9,469.91"}, "amount"), ({"drawer": "某人"}, "drawer")):
        found = checked(desk, without_proof(desk, invoice["hash"], **bent))
        assert (found["agrees"], found["verification"]["verdict"]) == (False, "mismatch")
        assert field in {one["field"] for one in found["differences"]}
    found = checked(desk, without_proof(desk, invoice["hash"]))
    assert (found["agrees"], found["verification"]["verdict"]) == (True, "authentic")
    assert "text_compared" not in found


def test_of_a_picture_it_is_said_that_nothing_could_be_compared(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    face = paper_face(desk, invoice["hash"])
    drawn = typeset(Job(faces=[face], attached=[], made=0))
    page = pypdfium2.PdfDocument(drawn)[0].render(scale=3).to_pil().convert("L")
    scan = io.BytesIO()
    page.save(scan, "PDF", resolution=216)
    found = checked(desk, scan.getvalue())
    assert (found["agrees"], found["text_compared"]) == (True, False)
    assert found["verification"]["verdict"] == "authentic"
    form = {"pdf": (io.BytesIO(scan.getvalue()), "scan.pdf")}
    shown = desk.client.post("/verify/paper", data=form).text
    assert shown.count("无法比对") == 2


def test_a_proof_that_hides_the_face_is_in_no_paper_of_ours(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    whole = desk.client.get(f"/v1/invoices/{invoice['hash']}/proof", headers=desk.auth()).data
    hidden = hide_groups(parse_proof(whole), ["face"]).to_bytes().decode()
    found = checked(desk, paper(desk, invoice["hash"], proof=hidden, total="￥9,498.10"))
    assert (found["agrees"], found["verification"]["verdict"]) == (False, "mismatch")
    assert [(one["part"], one["field"]) for one in found["differences"]] == [
        ("proof", "face_hidden")
    ]


def test_a_changed_text_or_proof_is_named_and_is_no_authentic_invoice(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    found = checked(desk, paper(desk, invoice["hash"], total="￥9,498.10"))
    assert (found["agrees"], found["verification"]["verdict"]) == (False, "mismatch")
    assert [(one["part"], one["field"]) for one in found["differences"]] == [("text", "total")]
    proof = desk.client.get(f"/v1/invoices/{invoice['hash']}/proof", headers=desk.auth()).text
    for bent, why in (
        (proof.replace("49810", "94981"), "hash_mismatch"),
        ("{}", "proof_malformed"),
    ):
        found = checked(desk, paper(desk, invoice["hash"], proof=bent))
        assert found["verification"]["verdict"] == "mismatch"
        assert [(one["part"], one["field"]) for one in found["differences"]] == [("proof", why)]


def test_the_proof_of_another_invoice_is_noticed(desk: Desk) -> None:
    one, other = desk.issue("T1"), desk.issue("T2")
    desk.anchor()
    proof = desk.client.get(f"/v1/invoices/{other['hash']}/proof", headers=desk.auth()).text
    found = checked(desk, paper(desk, one["hash"], proof=proof))
    named = {(one["part"], one["field"]) for one in found["differences"]}
    assert {("text", "number"), ("text", "hash"), ("code", "hash")} <= named


def test_what_is_no_paper_of_an_invoice_is_refused(desk: Desk) -> None:
    def refused(data: bytes, status: int, code: str) -> None:
        problem(desk.client.post("/v1/verifications/pdf", data=data, headers=PDF), status, code)

    refused(b"hello", 422, "pdf_unreadable")
    refused(pdf_of(b"", ""), 422, "pdf_no_invoice")
    refused(pdf_of(b"", "").replace(b"/Catalog", b"/Catalog/OpenAction 3 0 R"), 422, "pdf_active")
