"""Receipts and credentials over HTTP: what they prove, what is true now, what does not hold."""

from typing import Any

import pytest

from chain.commitment import parse_password_area
from invoice_service.commands.wallet import wallet_signer, wallets_of
from invoice_service.documents.wallet.sdjwt import parse_presented, sign
from invoice_service.keys.wallet import wallet_keys
from tests.api.desk import Desk, problem
from tests.documents.wallet.purse import HOLDER, OTHER, presented

COSE, SD_JWT = "application/cose", "application/dc+sd-jwt"


def receipt(desk: Desk, hash_: str) -> bytes:
    """Of the log, as anybody may fetch it."""
    found: bytes = desk.client.get(f"/v1/invoices/{hash_}/proof?format=cose").data
    return found


def credential(desk: Desk, hash_: str, *hidden: str) -> str:
    """As a wallet has it."""
    instance = desk.instance
    if not instance.keys.keys().wallet:
        wallet_keys(instance.keys, instance.log_store, instance.randbytes).rotate()
    shown = frozenset({"face", "buyer", "lines"} - set(hidden))
    wallets = wallets_of(instance, wallet_signer(instance))
    return wallets.credential(parse_password_area(hash_), shown, HOLDER.verifier)


def checked(desk: Desk, data: bytes | str, kind: str, hash_: str = "") -> dict[str, Any]:
    query = {"hash": hash_} if hash_ else None
    answer = desk.client.post(
        "/v1/verifications/file", data=data, content_type=kind, query_string=query
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_receipt_proves_its_invoice_and_the_verdict_is_as_of_now(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    data = receipt(desk, invoice["hash"])
    found = checked(desk, data, COSE, invoice["hash"])
    assert (found["kind"], found["holds"], found["index"]) == ("receipt", True, 0)
    assert found["log_size"] == 2
    assert found["verification"]["verdict"] == "authentic"
    assert checked(desk, data, COSE, invoice["hash"].upper())["holds"]
    red = desk.reverse(invoice)
    desk.anchor()
    assert checked(desk, data, COSE, invoice["hash"])["verification"]["verdict"] == "reversed"
    other = checked(desk, receipt(desk, red["hash"]), COSE, invoice["hash"])
    assert other == {"kind": "receipt", "code": "anchor_mismatch", "detail": other["detail"]}


def test_a_changed_receipt_does_not_hold_and_a_torn_one_is_none(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    data = receipt(desk, invoice["hash"])
    bent = data[:-1] + bytes([data[-1] ^ 1])
    found = checked(desk, bent, COSE, invoice["hash"])
    assert (found.get("holds"), found["code"]) == (None, "signature")
    assert "verification" not in found
    post = desk.client.post
    where = f"/v1/verifications/file?hash={invoice['hash']}"
    problem(post(where, data=data[:-1], content_type=COSE), 400, "receipt")
    problem(
        post("/v1/verifications/file", data=data, content_type=COSE), 422, "receipt_hash_missing"
    )
    problem(post(where, data=b"hello", content_type=COSE), 400, "credential")
    problem(post(where, data=data, content_type="application/pdf"), 415, "unsupported_media_type")


def test_a_credential_says_what_it_keeps_back_and_who_showed_it(desk: Desk) -> None:
    invoice = desk.issue(buyer={"kind": "organisation", "name": "市政府"})
    desk.anchor()
    text = credential(desk, invoice["hash"])
    found = checked(desk, text, SD_JWT)
    assert (found["kind"], found["holds"], found["index"]) == ("credential", True, 0)
    assert found["verification"]["verdict"] == "authentic"
    assert not {"hidden", "holder", "audience", "state"} & found.keys()
    jwt, lines, _ = text.rstrip("~").split("~")
    shown = checked(desk, presented(f"{jwt}~{lines}~"), SD_JWT, invoice["hash"])
    assert (shown["hidden"], shown["holder"]) == (["buyer"], True)
    assert shown["audience"] == "https://shop.example"
    desk.reverse(invoice)
    assert checked(desk, text, SD_JWT)["verification"]["verdict"] == "reversed"


def test_a_changed_credential_does_not_hold(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    text = credential(desk, invoice["hash"])
    jwt, *parts = text.rstrip("~").split("~")
    signed = parse_presented(text).signed
    other = sign(signed.header, signed.claims, OTHER)
    changed = {
        "signature": "~".join([other, *parts, ""]),
        "disclosure_unknown": f"{jwt}~{parts[0]}~{parts[0]}~",
    }
    for code, bent in changed.items():
        found = checked(desk, bent, SD_JWT)
        assert found["code"] == code
        assert "verification" not in found
    where = f"/v1/verifications/file?hash=01{'0' * 64}"
    problem(desk.client.post(where, data=text, content_type=SD_JWT), 400, "claims_differ")


@pytest.mark.parametrize("data", [b"eyJ~", b"eyJhbGciOiJub25lIn0.e30.~", b"\xff\xfe"])
def test_what_is_no_credential_is_said(desk: Desk, data: bytes) -> None:
    answer = desk.client.post("/v1/verifications/file", data=data, content_type=SD_JWT)
    problem(answer, 400, "credential")
