"""The paper over HTTP: who gets which, what is inside, and what is kept."""

from pathlib import Path

import pytest

from chain.proof.file import hidden_in, parse_proof
from chain.proof.verify import verify_proof
from invoice_service.documents.paper import printing as printing_room
from invoice_service.documents.paper.press import Press
from invoice_service.documents.paper.typeset import typeset
from tests.api.desk import MEAL, UNKNOWN, Desk, problem
from tests.documents.paper.printing import read

COMPANY = {"kind": "company", "name": "深圳市采购有限公司", "tax_id": "91440300708461136T"}
PERSON = {"kind": "individual", "name": "张三丰", "payment_id": "wx-4711"}


@pytest.fixture(autouse=True)
def prints_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: that another one does the same is shown elsewhere."""
    monkeypatch.setattr(printing_room, "Press", lambda _: Press(typeset))


@pytest.fixture
def printing(desk: Desk) -> Desk:
    """The desk, with doors that print here."""
    desk._open_doors()
    return desk


def paper(
    desk: Desk, hash_: object, headers: dict[str, str] | None = None
) -> tuple[str, list[bytes]]:
    """The text of all pages, and the files inside."""
    answer = desk.client.get(f"/v1/invoices/{hash_}/pdf", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    texts, files = read(answer.data)
    return "\n".join(texts), list(files.values())


def test_what_is_inside_is_what_its_reader_may_see(printing: Desk) -> None:
    desk = printing
    invoice = desk.issue(buyer=PERSON)
    desk.anchor()
    key = desk.instance.keys.keys()
    for headers, hidden in (({}, ("buyer", "lines")), (desk.auth(), ()), (desk.official(), ())):
        text, (file,) = paper(desk, invoice["hash"], headers)
        assert (MEAL["name"] in text, "张三丰" in text, "wx-4711" in text) == (not hidden,) * 3
        assert ("张**" in text) == bool(hidden)
        proof = parse_proof(file)
        assert hidden_in(proof) == hidden
        assert verify_proof(proof, key).hash == invoice["hash"]


def test_while_it_waits_for_the_log_it_says_so_and_later_no_more(printing: Desk) -> None:
    desk = printing
    invoice = desk.issue()
    text, files = paper(desk, invoice["hash"])
    assert ("待上链" in text, files) == (True, [])
    desk.anchor()
    text, files = paper(desk, invoice["hash"])
    assert ("待上链" in text, len(files)) == (False, 1)
    desk.reverse(invoice)
    assert "已红冲" in paper(desk, invoice["hash"])[0]


def state_in(desk: Desk, file: bytes) -> dict[str, str] | None:
    """What the proof inside says of the invoice."""
    return verify_proof(parse_proof(file), desk.instance.keys.keys()).state


def test_no_older_state_is_ever_given_out(printing: Desk) -> None:
    """Pending, in the log, returned in part and in full, each before and after the log has it."""
    desk = printing
    invoice = desk.issue(buyer=COMPANY, lines=[MEAL, MEAL])
    hash_ = invoice["hash"]
    assert paper(desk, hash_)[1] == []
    desk.anchor()
    text, (file,) = paper(desk, hash_)
    assert (state_in(desk, file), "红字发票" in text) == (None, False)
    back = {"reason": "SALES_RETURN", "lines": [{"line": 1}]}
    reds = []
    for asked, known, said in (
        (back, None, "仅余￥498.10有效"),
        ({"reason": "SALES_RETURN"}, "part", "已全部红冲"),
    ):
        reds.append(desk.post(f"/v1/invoices/{hash_}/reversals", asked).get_json()["number"])
        text, (file,) = paper(desk, hash_)
        assert said in "".join(text.split())
        assert "尚未写入公开账本" in text
        assert (state_in(desk, file) or {}).get("reversal") == known
        desk.anchor()
        text, (file,) = paper(desk, hash_)
        assert "尚未写入公开账本" not in text
        assert "、".join(reds) in text
        assert state_in(desk, file) == {"reversal": "part" if len(reds) == 1 else "full"}
    other = desk.issue(buyer=COMPANY, lines=[MEAL, MEAL], remark="换", replaces=hash_)
    assert f"换开发票：{other['number']}" in paper(desk, hash_)[0]
    assert f"原发票：{invoice['number']}" in paper(desk, other["hash"])[0]


def test_an_erased_person_is_in_no_paper_that_comes_later(printing: Desk) -> None:
    desk = printing
    invoice = desk.issue(buyer=PERSON)
    desk.anchor()
    assert "张**" in paper(desk, invoice["hash"])[0]
    erased = desk.post(
        f"/v1/invoices/{invoice['hash']}/buyer/erasure",
        b"",
        desk.auth(desk.official_key),
    )
    assert erased.status_code == 200, erased.text
    for headers in ({}, desk.auth(), desk.official()):
        text, (file,) = paper(desk, invoice["hash"], headers)
        assert "张" not in text
        assert "已依申请删除" in text
        assert "张三丰" not in file.decode()


def test_what_is_not_there_and_what_cannot_be_asked(printing: Desk) -> None:
    desk = printing
    problem(desk.client.get(f"/v1/invoices/{UNKNOWN}/pdf"), 404, "invoice_unknown")
    problem(desk.client.get("/v1/invoices/01xx/pdf"), 400, "password_area")
    path = f"/v1/invoices/{desk.issue()['hash']}/pdf"
    problem(desk.client.get(f"{path}?x=1"), 400, "unknown_parameter")


def test_where_paper_cannot_be_made_that_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "nobody"))
    monkeypatch.setattr(printing_room, "Press", Press)
    (tmp_path / "nobody").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "nobody").chmod(0o700)
    desk._open_doors()
    path = f"/v1/invoices/{desk.issue()['hash']}/pdf"
    problem(desk.client.get(path), 503, "paper_failed")
