"""Promises: the same invoice, the same promise, and nobody else's."""

import random
from datetime import UTC, datetime

import pytest

from chain.commitment import anchor, password_area
from chain.errors import MalformedError, Problem, VerificationError
from chain.hashing import sha256
from chain.proof.promise import Promise, open_promise
from chain.signing.note import SignerKey, sign_note
from invoice_service.services.issuing.promise import make_promise
from tests.domain.samples import NOON

HASH = password_area(sha256(b"an invoice"))
SIGNER = SignerKey.generate("town.example/log/promise", random.Random(1).randbytes)


def test_a_promise_is_four_lines_signed() -> None:
    note = make_promise(SIGNER, HASH, NOON, 60)
    assert note.decode().split("\n\n")[0] == (
        f"town.example/log/promise\n{HASH}\n2018-08-10T04:00:00Z\n2018-08-10T04:01:00Z"
    )
    assert open_promise(note, SIGNER.verifier) == Promise(
        origin="town.example/log",
        hash=HASH,
        anchor=anchor(sha256(b"an invoice")),
        given=datetime(2018, 8, 10, 4, 0, tzinfo=UTC),
        deadline=datetime(2018, 8, 10, 4, 1, tzinfo=UTC),
    )


def test_a_repeated_request_does_not_move_the_deadline() -> None:
    assert make_promise(SIGNER, HASH, NOON, 60) == make_promise(SIGNER, HASH, NOON, 60)


@pytest.mark.parametrize("place", range(0, 300, 7))
def test_no_changed_byte_passes(place: int) -> None:
    note = make_promise(SIGNER, HASH, NOON, 60)
    place %= len(note)
    bent = note[:place] + bytes([note[place] ^ 1]) + note[place + 1 :]
    with pytest.raises((VerificationError, MalformedError)):
        open_promise(bent, SIGNER.verifier)


def test_another_key_is_refused() -> None:
    other = SignerKey.generate(SIGNER.name, random.Random(2).randbytes)
    with pytest.raises(VerificationError) as caught:
        open_promise(make_promise(other, HASH, NOON, 60), SIGNER.verifier)
    assert caught.value.code == "signature_missing"


GOOD = (SIGNER.name, HASH, "2018-08-10T04:00:00Z", "2018-08-10T04:01:00Z")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("other/promise", *GOOD[1:]), "promise_of_another"),
        (GOOD[:3], "promise_malformed"),
        ((*GOOD, "x"), "promise_malformed"),
        ((*GOOD[:2], GOOD[3], GOOD[2]), "promise_malformed"),
        ((GOOD[0], HASH[2:], *GOOD[2:]), "password_area"),
        ((*GOOD[:2], "2018-08-10 04:00", GOOD[3]), "time_malformed"),
    ],
)
def test_what_the_key_signed_but_is_no_promise(lines: tuple[str, ...], code: str) -> None:
    text = "".join(f"{line}\n" for line in lines)
    with pytest.raises(Problem) as caught:
        open_promise(sign_note(text, SIGNER), SIGNER.verifier)
    assert caught.value.code == code
