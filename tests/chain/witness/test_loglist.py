"""A log's item in the witness network's list: exactly the format's lines, or a refusal."""

import pytest

from chain.errors import MalformedError
from chain.signing.note import COSIGNATURE_V1, VerifierKey
from chain.witness.loglist import MAX_REQUESTS, list_item
from tests.chain.histories import SIGNER

KEY = SIGNER.verifier


@pytest.mark.parametrize("requests", [1, 8640, MAX_REQUESTS])
@pytest.mark.parametrize("contact", ["log@example.com", "sysadmin (at) log.example", "财税 热线"])
def test_an_item_has_three_lines(requests: int, contact: str) -> None:
    lines = list_item(KEY, requests, contact).split("\n")
    assert lines == [f"vkey {KEY.text()}", f"qpd {requests}", f"contact {contact}", ""]


@pytest.mark.parametrize("requests", [-1, 0, 2**31])
def test_requests_have_their_bounds(requests: int) -> None:
    with pytest.raises(MalformedError, match=r"^list_requests\b"):
        list_item(KEY, requests, "x")


@pytest.mark.parametrize("contact", ["", " ", " x", "x ", "x\ny", "x\x1b[2J", "x\n"])
def test_a_contact_is_one_line(contact: str) -> None:
    with pytest.raises(MalformedError, match=r"^list_contact\b"):
        list_item(KEY, 1, contact)


def test_a_witness_is_no_log() -> None:
    with pytest.raises(MalformedError, match=r"^key_type\b"):
        list_item(VerifierKey("w.example", COSIGNATURE_V1, KEY.public), 1, "x")
