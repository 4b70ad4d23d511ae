"""People among the buyers: sealed under a key of their own, and gone with it."""

from typing import Any

import msgspec
import pytest
from Crypto.Cipher import AES

from chain.commitment import document_digest, group_digest, parse_password_area
from invoice_service.domain.document import BuyerGroup, write
from invoice_service.domain.invoice import finish, parse_request, prepare, stored_digest
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.persons import (
    ERASED_NAME,
    GONE,
    NOBODY,
    is_person,
    is_same,
    is_sealed,
    keep,
    kept_digest,
    open_kept,
    read_group,
)
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import ReversalRequest

from .samples import (
    FIRST,
    RATES,
    RESTAURANT,
    SALTS,
    company,
    issued,
    key_of,
    order,
    prepared,
    stored,
)

NAME = "欧阳娜娜"
PERSON = {"name": NAME, "address_phone": "南山区科技园 13800138000"}
KEY = key_of(32)
SALT = SALTS[16:32]
HIDDEN_NAMES = (NAME.encode(), b"13800138000", SALT)


def group(**fields: str) -> BuyerGroup:
    """A buyer who is an individual unless told."""
    return BuyerGroup(
        **{"kind": "individual", "name": "", "tax_id": "", "address_phone": "", "payment_id": ""}
        | fields
    )


def sealed(**fields: str) -> bytes:
    """How such a buyer is stored."""
    document = write(group(**fields))
    commitment = group_digest("buyer", SALT, document)
    return keep(group(**fields), document, SALTS, commitment, key_of).buyer


@pytest.mark.parametrize(
    ("fields", "person"),
    [
        ({}, False),
        ({"name": NAME}, True),
        ({"payment_id": "wx4200001"}, True),
        ({"address_phone": "13800138000"}, True),
        ({"tax_id": "91440300708461136T"}, True),
        ({"kind": "company", "name": "旋转餐厅"}, False),
        ({"kind": "organisation", "name": "市政府"}, False),
    ],
)
def test_a_person_is_an_individual_who_told_anything(fields: dict[str, str], person: bool) -> None:
    assert is_person(group(**fields)) is person
    assert is_sealed(sealed(**fields)) is person


@pytest.mark.parametrize("buyer", [None, company(), {"kind": "organisation", "name": "市政府"}])
def test_whoever_is_no_person_is_stored_as_before(buyer: dict[str, Any] | None) -> None:
    request = parse_request(msgspec.json.encode(order(buyer=buyer)))
    draft = prepare(request, RESTAURANT, salts=SALTS, rates=RATES)
    assert (draft.salts, draft.buyer_key, draft.rest_digest) == (SALTS, b"", b"")
    assert draft.kept_digest == draft.request_digest
    assert draft.buyer.startswith(b"{")


def test_nothing_is_prepared_for_a_person_without_a_key() -> None:
    request = parse_request(msgspec.json.encode(order(buyer=PERSON)))
    with pytest.raises(ValueError, match="needs a key"):
        prepare(request, RESTAURANT, salts=SALTS, rates=RATES)


def test_another_library_opens_what_was_sealed() -> None:
    """AES-256-GCM as NIST has it; what stands before the text is authenticated with it."""
    stored_as = sealed(**PERSON)
    head, text, tag = stored_as[:33], stored_as[33:-16], stored_as[-16:]
    cipher = AES.new(KEY, AES.MODE_GCM, nonce=bytes(12))
    cipher.update(head)
    opened = cipher.decrypt_and_verify(text, tag)
    document = write(group(**PERSON))
    assert (opened[:16], opened[16:].rstrip(b"\0")) == (SALT, document)
    assert head == b"\x01" + group_digest("buyer", SALT, document)


def test_what_is_stored_says_nothing_of_a_person_without_the_key() -> None:
    draft = prepared(order(buyer=PERSON))
    frozen = finish(draft, FIRST)
    row = b"".join((draft.buyer, draft.salts, draft.form, frozen.face, draft.kept_digest))
    assert not [name for name in HIDDEN_NAMES if name in row]
    assert draft.salts == SALTS[:16] + SALTS[32:]


def test_a_long_name_takes_as_much_room_as_a_short_one() -> None:
    sizes = {len(sealed(name=NAME[:1] * count)) for count in range(1, 11)}
    assert len(sizes) == 1


def test_the_key_opens_the_very_group_that_was_hashed() -> None:
    invoice = issued(order(buyer=PERSON))
    assert read_group(invoice.buyer) == group(**PERSON)
    assert (invoice.salts, invoice.erased) == (SALTS, b"")
    assert stored_digest(invoice) == parse_password_area(invoice.hash)


def test_without_the_key_the_commitment_still_proves_the_rest() -> None:
    draft = prepared(order(buyer=PERSON))
    opened = open_kept(draft.buyer, draft.salts, GONE)
    invoice = stored(draft, finish(draft, FIRST), **opened._asdict())
    assert stored_digest(invoice) == parse_password_area(invoice.hash)
    assert read_group(invoice.buyer).name == ERASED_NAME
    assert invoice.salts == SALTS[:16] + bytes(16) + SALTS[32:]
    assert not [name for name in HIDDEN_NAMES if name in msgspec.msgpack.encode(invoice)]
    wrong = msgspec.structs.replace(invoice, erased=bytes(32))
    assert stored_digest(wrong) != parse_password_area(invoice.hash)


@pytest.mark.parametrize("place", [1, 32, 33, 60, -1])
def test_what_was_changed_is_not_opened(place: int) -> None:
    bent = bytearray(sealed(**PERSON))
    bent[place] ^= 1
    with pytest.raises(ValueError, match="not sealed"):
        open_kept(bytes(bent), SALTS[:32], KEY)


@pytest.mark.parametrize("key", [None, key_of(31) + b"\0"])
def test_another_key_or_none_opens_nothing(key: bytes | None) -> None:
    with pytest.raises(ValueError, match="key"):
        open_kept(sealed(**PERSON), SALTS[:32], key)


def test_a_commitment_to_somebody_else_is_not_believed() -> None:
    document = write(group(**PERSON))
    other = group_digest("buyer", SALT, NOBODY)
    kept = keep(group(**PERSON), document, SALTS, other, key_of)
    with pytest.raises(ValueError, match="committed"):
        open_kept(kept.buyer, kept.salts, kept.key)


REST, WHOLE, OTHER = b"r" * 32, b"w" * 32, b"o" * 32
KEPT = kept_digest(KEY, REST, WHOLE)


@pytest.mark.parametrize(
    ("kept", "key", "rest", "whole", "same"),
    [
        (WHOLE, None, b"", WHOLE, True),
        (WHOLE, None, b"", OTHER, False),
        (WHOLE, None, REST, OTHER, False),
        (KEPT, KEY, REST, WHOLE, True),
        (KEPT, KEY, REST, OTHER, False),
        (KEPT, KEY, b"", OTHER, False),
        (KEPT, GONE, REST, WHOLE, True),
        (KEPT, GONE, REST, OTHER, True),
        (KEPT, GONE, OTHER, WHOLE, False),
        (KEPT, GONE, b"", OTHER, False),
    ],
)
def test_requests_are_told_apart_as_far_as_can_be_told(
    kept: bytes, key: bytes | None, rest: bytes, whole: bytes, same: bool
) -> None:
    assert is_same(kept, key, rest, whole) is same


def test_of_a_request_only_what_needs_the_key_depends_on_the_person() -> None:
    one, other = (prepared(order(buyer={"name": name})) for name in (NAME, "王小明"))
    assert one.request_digest != other.request_digest
    assert one.kept_digest[:16] == other.kept_digest[:16]
    assert one.kept_digest[16:] != other.kept_digest[16:]
    assert one.kept_digest[:16] not in one.request_digest + other.request_digest
    elsewhere = prepared(order(buyer={"name": NAME}, remark="靠窗"))
    assert elsewhere.kept_digest[:16] != one.kept_digest[:16]
    assert kept_digest(bytes(32), one.rest_digest, one.request_digest) != one.kept_digest


def test_a_red_invoice_has_a_key_of_its_own() -> None:
    blue = issued(order(buyer=PERSON))
    salts = bytes(range(100, 148))
    red = prepare_red(
        blue, ReversalRequest(reason=Reason.SALES_RETURN), salts, new_key=lambda size: b"k" * size
    )
    assert (red.buyer_key, red.salts) == (b"k" * 32, salts[:16] + salts[32:])
    opened = open_kept(red.buyer, red.salts, red.buyer_key)
    assert (opened.buyer, opened.salts) == (blue.buyer, salts)
    assert red.kept_digest == red.request_digest  # nothing of the person is in it
    assert red.buyer_digest == group_digest("buyer", salts[16:32], blue.buyer)


def test_after_the_buyer_was_erased_a_red_invoice_is_nobodys() -> None:
    draft = prepared(order(buyer=PERSON))
    opened = open_kept(draft.buyer, draft.salts, GONE)
    blue = stored(draft, finish(draft, FIRST), **opened._asdict())
    red = prepare_red(blue, ReversalRequest(reason=Reason.SALES_RETURN), SALTS[::-1])
    assert (red.buyer, red.buyer_key, red.salts) == (NOBODY, b"", SALTS[::-1])
    frozen = finish(red, FIRST)
    assert frozen.digest == stored_digest(stored(red, frozen))
    assert frozen.digest == document_digest(
        group_digest("face", red.salts[:16], frozen.face),
        group_digest("buyer", red.salts[16:32], NOBODY),
        group_digest("lines", red.salts[32:], red.lines),
    )
