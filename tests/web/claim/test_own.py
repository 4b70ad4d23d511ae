"""The browser that has claimed: hands its invoice on without what it hides, and is forgotten."""

import re
import zlib
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chain.commitment import parse_password_area
from chain.proof.file import hidden_in, parse_proof
from chain.proof.tlogproof import parse_tlog_proof
from chain.proof.verify import verify_proof
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.trail import ActFilter
from tests.api.desk import Desk
from tests.api.orders.test_orders import COMPANY, made, now, path_of
from tests.documents.paper.printing import read
from tests.web.claim.test_pages import ENGLISH, browser, press

URL = "https://fapiao.test"
PHONE = "13800138000"
NAME = "欧阳龘"
DISH = "*餐饮服务*靐虎佛跳墙"
SIGNS = {"buyer": "阳龘", "lines": "靐虎"}
"""A word that stands in no other place, with a letter that stands in no other word."""

HIDING = [(), ("buyer",), ("lines",), ("buyer", "lines")]


def meal(desk: Desk) -> dict[str, str]:
    """An order whose one line is easily known again."""
    line = {"name": DISH, "unit_price": 49810, "tax_rate": "0.06"}
    return made(desk, lines=[line])


def claimed(desk: Desk, **fields: str) -> tuple[FlaskClient, str, str]:
    """Somebody's telephone, the page on which it has claimed, and the hash."""
    order, phone = meal(desk), browser(desk)
    shown = press(phone, path_of(order), **({"kind": "individual", "name": NAME} | fields))
    assert 'data-claim="done"' in shown
    desk.anchor()
    return phone, path_of(order), now(desk, order)["shares"][0]["hash"]


def shared(phone: FlaskClient, path: str, form: str, hidden: tuple[str, ...] = ()) -> TestResponse:
    asked = "".join(f"&hide={name}" for name in hidden)
    return phone.get(f"{path}/share?form={form}{asked}", base_url=URL, headers=ENGLISH)


def unpacked(data: bytes) -> bytes:
    """The bytes with everything beside them that is compressed in them."""
    found = [data]
    for start in re.finditer(rb"stream\r?\n", data):
        try:
            found.append(zlib.decompressobj().decompress(data[start.end() :]))
        except zlib.error:
            continue
    return b"\n".join(found)


def spelled(word: str) -> list[bytes]:
    """A word in every way in which a file may have it; by its rarest letter, in a font's table."""
    (rare,) = (f"{ord(letter):04x}" for letter in word if letter in "龘靐")
    return [
        word.encode(),
        word.encode("gb18030"),
        word.encode("utf-16-be"),
        word.encode("utf-16-le"),
        f"<{rare}>".encode(),
        f"<{rare.upper()}>".encode(),
        f"\\u{rare}".encode(),
    ]


@pytest.mark.parametrize("hidden", HIDING, ids=lambda names: "+".join(names) or "nothing")
def test_what_is_hidden_is_nowhere_in_a_pdf_that_says_so_and_proves_the_rest(
    desk: Desk, hidden: tuple[str, ...]
) -> None:
    phone, path, _ = claimed(desk)
    answer = shared(phone, path, "pdf", hidden)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="00000001.pdf"'
    everything, (texts, files) = unpacked(answer.data), read(answer.data)
    for group, sign in SIGNS.items():
        ways = spelled(sign)
        assert (sign in texts[0]) is (group not in hidden)
        assert any(way in everything for way in ways) is (group not in hidden), group
    assert ("未显示：" in texts[0]) is bool(hidden)
    proof = parse_proof(files["00000001.fapiao.json"])
    assert hidden_in(proof) == hidden
    checked = desk.client.post(
        "/v1/verifications/pdf", data=answer.data, headers={"Content-Type": "application/pdf"}
    ).get_json()
    assert (checked["agrees"], checked["verification"]["verdict"]) == (True, "authentic")
    assert checked.get("unproved", []) == list(hidden)


def test_of_two_forms_none_is_picked(desk: Desk) -> None:
    phone, path, _ = claimed(desk)
    answer = phone.get(f"{path}/share?form=pdf&form=proof", base_url=URL)
    assert answer.status_code == 400
    assert "parameter_malformed" in answer.text


def test_a_proof_hides_and_holds_and_the_log_s_own_tells_nothing(desk: Desk) -> None:
    phone, path, hash_ = claimed(desk)
    keys = desk.instance.log_keys
    for hidden in HIDING:
        answer = shared(phone, path, "proof", hidden)
        found = verify_proof(parse_proof(answer.data), keys)
        assert (found.hash, found.hidden) == (hash_, hidden)
        for group, sign in SIGNS.items():
            assert (sign.encode() in answer.data) is (group not in hidden)
    entry = shared(phone, path, "tlog")
    parse_tlog_proof(entry.data)
    assert not any(sign.encode() in entry.data for sign in SIGNS.values())


def test_a_picture_hides_and_has_no_words_beside_its_dots(desk: Desk) -> None:
    phone, path, _ = claimed(desk)
    pictures = [shared(phone, path, "picture", hidden).data for hidden in HIDING]
    assert len(set(pictures)) == len(HIDING)
    for data in pictures:
        assert re.findall(rb"IHDR|tEXt|zTXt|iTXt|eXIf", data) == [b"IHDR"]


def test_nobody_else_is_given_anything(desk: Desk) -> None:
    phone, path, _ = claimed(desk)
    stranger = browser(desk)
    for answer in (
        shared(stranger, path, "pdf"),
        stranger.post(f"{path}/erasure", data={"sure": "yes"}, base_url=URL, headers=ENGLISH),
    ):
        assert answer.status_code == 403
        assert "claim_not_yours" in answer.text
        assert NAME not in answer.text
    assert shared(phone, "/claim/" + "A" * 24, "pdf").status_code == 404
    for asked in ("form=exe", "form=pdf&hide=face", "hide=buyer&hide=all"):
        assert phone.get(f"{path}/share?{asked}", base_url=URL).status_code == 400


def test_a_proof_of_what_waits_for_the_log_is_not_there_yet(desk: Desk) -> None:
    order, phone = made(desk), browser(desk)
    press(phone, path_of(order))
    assert shared(phone, path_of(order), "proof").status_code == 409


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_person_is_forgotten_everywhere_by_the_browser_that_claimed(desk: Desk) -> None:
    phone, path, hash_ = claimed(desk)
    invoice = desk.client.get(f"/v1/invoices/{hash_}", headers=desk.auth()).get_json()
    desk.reverse(invoice)
    desk.anchor()
    shared(phone, path, "pdf")
    with desk.instance.store.connections.reading() as connection:
        keys = [row[0] for row in connection.execute("SELECT key FROM buyer_keys")]
    assert len(keys) == 2
    page = unescape(phone.get(path, base_url=URL, headers=ENGLISH).text)
    assert "cannot be undone" in page
    unsure = phone.post(f"{path}/erasure", data={"sure": "no"}, base_url=URL, headers=ENGLISH)
    assert (unsure.status_code, "not_confirmed" in unsure.text) == (422, True)
    done = phone.post(
        f"{path}/erasure",
        data={"sure": "yes"},
        base_url=URL,
        headers=ENGLISH,
        follow_redirects=True,
    )
    assert "Erased at its person" in done.text
    assert NAME not in done.text
    for place, data in everything_in(desk.config.data_dir).items():
        for trace in (*keys, NAME.encode(), *spelled("阳龘")):
            assert trace not in data, place
    assert audit_trail(desk.instance.store).erased == 2
    (act,) = desk.instance.store.acts(ActFilter(type="erasure"), 0, 9)
    assert (act.act.actor, act.act.origin) == ("claimer", "")
    scanned = desk.client.get(
        "/verify/scan",
        query_string={
            "hash": hash_,
            "bill_num": invoice["number"],
            "total_amount": invoice["total"],
        },
        headers=ENGLISH,
    )
    assert "Erased at its person" in unescape(scanned.text)
    texts, files = read(shared(phone, path, "pdf").data)
    assert NAME not in texts[0]
    assert hidden_in(parse_proof(files["00000001.fapiao.json"])) == ("buyer",)
    digest = parse_password_area(read_hash(hash_))
    found = desk.instance.store.invoice(digest)
    assert found is not None
    listed = (desk.config.data_dir / "erased.list").read_text()
    assert found.erased.hex() in listed


def test_a_company_is_kept_and_a_nobody_has_nothing_to_erase(desk: Desk) -> None:
    for number, fields in enumerate((COMPANY, {"kind": "individual", "name": ""})):
        order, phone = made(desk, f"K{number}"), browser(desk)
        page = press(phone, path_of(order), **fields)
        assert "/erasure" not in page
        answer = phone.post(
            f"{path_of(order)}/erasure", data={"sure": "yes"}, base_url=URL, headers=ENGLISH
        )
        assert (answer.status_code, "buyer_not_erasable" in answer.text) == (403, True)
