"""Which order a sale is of, and what may follow under its number: each rule by itself."""

import re
from typing import Any

import msgspec
import pytest

from chain.errors import ConflictError, MalformedError
from invoice_service.domain.document import BlueForm
from invoice_service.domain.invoice import parse_record, parse_request
from invoice_service.domain.orders import (
    BILL_SECONDS,
    FIELDS,
    NOWHERE,
    REPEAT_SECONDS,
    Asked,
    Place,
    Sold,
    decide,
    place_in,
)
from invoice_service.domain.verdict import Verdict

from .samples import NOON, issued, order, prepared

DAY = "2018-08-10"
HASH = "01" + "ab" * 32
LATER, MUCH_LATER = NOON + REPEAT_SECONDS + 1, NOON + BILL_SECONDS + 1
BILL: dict[str, Any] = {"parts": 3, "order_total": 300}


def sold(**changes: Any) -> Sold:  # noqa: ANN401 # a row's fields
    """An invoice of 100 fen for the content "a"."""
    row: dict[str, Any] = {
        "seq": 1,
        "hash": HASH,
        "number": "00000001",
        "issued_at": NOON,
        "total": 100,
        "returned": 0,
        "digest": b"a",
        "salts": b"first",
        **changes,
    }
    return Sold(**row)


def asked(
    content: bytes = b"a",
    *,
    total: int = 100,
    salts: bytes = b"next",
    keyed: bool = False,
    **place: Any,  # noqa: ANN401 # a place's fields
) -> Asked:
    """A sale of 100 fen."""
    return Asked(Place(**place), total, content, salts, keyed)


def judge(one: Sold) -> Verdict:
    """Whatever is back is reversed."""
    return Verdict.REVERSED if one.returned else Verdict.PENDING


ONE, OTHER, BACK = sold(), asked(b"b"), sold(returned=100)
FIRST_PART = sold(part=1, **BILL)

ANSWERS: dict[str, tuple[Asked, list[Sold], int, object]] = {
    "a new number": (asked(), [], NOON, 1),
    "the same content at once": (asked(), [ONE], NOON, 1),
    "after ten minutes": (asked(), [ONE], NOON + REPEAT_SECONDS, 1),
    "after more": (asked(), [ONE], LATER, "order_id_reused"),
    "by a clock that was set back": (asked(), [ONE], NOON - REPEAT_SECONDS - 1, "order_id_reused"),
    "a key now": (asked(keyed=True), [ONE], NOON, "order_id_reused"),
    "a key then": (asked(), [sold(keyed=True)], NOON, "order_id_reused"),
    "two keys": (asked(keyed=True), [sold(keyed=True)], NOON, "order_id_reused"),
    "the very same call, late": (asked(salts=b"first"), [ONE], MUCH_LATER, 1),
    "the very same call with a key": (asked(salts=b"first", keyed=True), [ONE], NOON, 1),
    "on a business day, for ever": (asked(business_day=DAY), [ONE], MUCH_LATER, 1),
    "on a business day, with a key": (asked(business_day=DAY, keyed=True), [ONE], LATER, 1),
    "returned, repeated on its day": (asked(business_day=DAY), [BACK], MUCH_LATER, 1),
    "other content at once": (OTHER, [ONE], NOON, "order_id_conflict"),
    "other content later": (OTHER, [ONE], LATER, "order_id_reused"),
    "other content on its day": (
        asked(b"b", business_day=DAY),
        [ONE],
        MUCH_LATER,
        "order_id_conflict",
    ),
    "other content after a return": (OTHER, [BACK], NOON, "order_id_conflict"),
    "in its place": (asked(b"b", replaces=HASH), [BACK], MUCH_LATER, "attempt 2"),
    "in its place, less": (asked(b"b", replaces=HASH, total=1), [BACK], NOON, "attempt 2"),
    "in its place, a fen more": (
        asked(b"b", replaces=HASH, total=101),
        [BACK],
        NOON,
        "order_total_exceeded",
    ),
    "in the place of what stands": (
        asked(b"b", replaces=HASH, total=1),
        [ONE],
        NOON,
        "order_total_exceeded",
    ),
    "a part of it was returned": (
        asked(b"b", replaces=HASH, total=30),
        [sold(returned=30)],
        NOON,
        "attempt 2",
    ),
    "more than that part": (
        asked(b"b", replaces=HASH, total=31),
        [sold(returned=30)],
        NOON,
        "order_total_exceeded",
    ),
    "in another's place": (
        asked(b"b", replaces=HASH[:-1] + "0"),
        [BACK],
        NOON,
        "replaces_not_first",
    ),
    "in the place of the second": (
        asked(b"c", replaces="01" + "cd" * 32),
        [BACK, sold(seq=2, hash="01" + "cd" * 32, digest=b"b", attempt=2, returned=100)],
        NOON,
        "replaces_not_first",
    ),
    "in the place of nothing": (asked(replaces=HASH), [], NOON, "replaces_not_first"),
    "the second's content again": (
        asked(b"b", replaces=HASH, keyed=True),
        [BACK, sold(seq=2, digest=b"b", salts=b"s", attempt=2, returned=100)],
        NOON,
        "order_id_reused",
    ),
    "a third": (
        asked(b"c", replaces=HASH),
        [BACK, sold(seq=2, digest=b"b", salts=b"s", attempt=2, returned=100)],
        NOON,
        "attempt 3",
    ),
    "the first part": (asked(part=1, **BILL), [], NOON, 1),
    "a first part that is the whole": (asked(part=2, total=300, **BILL), [], NOON, 1),
    "a first part beyond the whole": (
        asked(part=1, total=301, **BILL),
        [],
        NOON,
        "order_total_exceeded",
    ),
    "the next part": (asked(b"b", part=2, **BILL), [FIRST_PART], NOON, "attempt 1"),
    "the next part takes the rest": (
        asked(b"b", part=2, total=200, **BILL),
        [FIRST_PART],
        NOON,
        "attempt 1",
    ),
    "the next part takes more": (
        asked(b"b", part=2, total=201, **BILL),
        [FIRST_PART],
        NOON,
        "order_total_exceeded",
    ),
    "what was returned is free again": (
        asked(b"b", part=2, total=300, **BILL),
        [sold(part=1, returned=100, **BILL)],
        NOON,
        "attempt 1",
    ),
    "the same part": (asked(part=1, **BILL), [FIRST_PART], NOON, 1),
    "the same part, other content": (
        asked(b"b", part=1, **BILL),
        [FIRST_PART],
        NOON,
        "order_id_conflict",
    ),
    "another number of parts": (
        asked(b"b", part=2, parts=2, order_total=300),
        [FIRST_PART],
        NOON,
        "order_parts_conflict",
    ),
    "another sum": (
        asked(b"b", part=2, parts=3, order_total=301),
        [FIRST_PART],
        NOON,
        "order_parts_conflict",
    ),
    "the whole after a part": (OTHER, [FIRST_PART], NOON, "order_parts_conflict"),
    "a part after the whole": (asked(b"b", part=1, **BILL), [ONE], NOON, "order_parts_conflict"),
    "a part of yesterday's bill": (
        asked(b"b", part=2, **BILL),
        [FIRST_PART],
        MUCH_LATER,
        "order_id_reused",
    ),
    "a part again, of another sum": (
        asked(b"b", part=1, parts=3, order_total=301),
        [FIRST_PART],
        MUCH_LATER,
        "order_id_reused",
    ),
    "the whole, where yesterday's was shared": (OTHER, [FIRST_PART], MUCH_LATER, "order_id_reused"),
    "a part of the day's bill, late": (
        asked(b"b", part=2, business_day=DAY, **BILL),
        [FIRST_PART],
        MUCH_LATER,
        "attempt 1",
    ),
    "in the place of a part": (
        asked(b"b", part=1, replaces=HASH, total=200, **BILL),
        [sold(part=1, returned=100, **BILL), sold(seq=2, part=2, digest=b"c", salts=b"s", **BILL)],
        NOON,
        "attempt 2",
    ),
}


@pytest.mark.parametrize(("sale", "stands", "now", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_what_becomes_of_a_sale(
    sale: Asked, stands: list[Sold], now: int, expected: object
) -> None:
    found = _becomes(sale, stands, now)
    if isinstance(found, ConflictError):
        assert found.code == expected
        _names_the_first(found, stands)
    elif isinstance(found, Sold):
        assert found.seq == expected
    else:
        assert expected in ({1} if not stands else {f"attempt {found}"})


def _becomes(sale: Asked, stands: list[Sold], now: int) -> Sold | int | ConflictError:
    try:
        return decide(sale, stands, now, judge)
    except ConflictError as conflict:
        return conflict


def _names_the_first(conflict: ConflictError, stands: list[Sold]) -> None:
    """Whatever stands there is named, in both languages, with what to do."""
    told = str(conflict.extra["detail_zh"])
    assert re.search("请|无需|超过", told)
    if not stands:
        assert "first_hash" not in conflict.extra
        return
    first = stands[0]
    assert conflict.extra["first_hash"] == first.hash
    assert conflict.extra["first_number"] == first.number
    assert conflict.extra["first_issued_at"] == "2018-08-10T12:00:00+08:00"
    assert conflict.extra["first_state"] == judge(first)
    assert first.number in conflict.detail
    assert first.number in told


def test_what_is_left_is_said() -> None:
    with pytest.raises(ConflictError) as caught:
        decide(asked(b"b", part=2, total=201, **BILL), [FIRST_PART], NOON, judge)
    assert (caught.value.extra["order_total"], caught.value.extra["left"]) == (300, 200)


def test_what_was_returned_can_be_issued_anew_and_is_told_how() -> None:
    with pytest.raises(ConflictError) as caught:
        decide(OTHER, [BACK], NOON, judge)
    assert "replaces" in caught.value.detail
    assert "replaces" in str(caught.value.extra["detail_zh"])


TOLD: dict[str, Any] = {
    "till": "T 3",
    "business_day": DAY,
    "part": 2,
    "parts": 2,
    "order_total": 11300,
    "replaces": HASH,
}


def test_what_is_told_stands_in_the_face_and_only_that() -> None:
    for name in FIELDS:
        shared = {"part", "parts", "order_total"}
        some = {one: TOLD[one] for one in (shared if name in shared else {name})}
        invoice = issued(order(**some))
        face = msgspec.json.decode(invoice.face)
        assert {one: face[one] for one in FIELDS if one in face} == some
        assert invoice.place == Place(**some)
        assert prepared(order(**some)).place == Place(**some)
    assert set(FIELDS) < set(BlueForm.__struct_fields__)


def test_a_plain_order_has_no_place() -> None:
    plain = prepared(order())
    assert plain.place is None
    assert issued(order()).place is None
    assert place_in(b"{}") is NOWHERE
    assert plain.asked().place is NOWHERE


def test_each_field_tells_requests_apart() -> None:
    bodies = [order(), *(order(**TOLD | {name: value}) for name, value in (
        ("till", "T 4"), ("business_day", "2018-08-11"), ("part", 1), ("parts", 3),
        ("order_total", 11301), ("replaces", HASH[:-1] + "0"), ("till", "T 3"),
    ))]  # fmt: skip
    assert len({prepared(body).request_digest for body in bodies}) == len(bodies)


def test_capitals_of_a_hash_mean_the_same() -> None:
    capitals = {"replaces": HASH[:2] + HASH[2:].upper()}
    assert (
        prepared(order(**capitals)).request_digest == prepared(order(replaces=HASH)).request_digest
    )


@pytest.mark.parametrize(
    ("told", "code", "pointer"),
    [
        ({"till": ""}, "text_empty", "/till"),
        ({"till": "\u200b"}, "text_empty", "/till"),
        ({"till": " 3"}, "identifier_ambiguous", "/till"),
        ({"till": "3\n"}, "control_character", "/till"),
        ({"till": "２"}, "identifier_ambiguous", "/till"),
        ({"till": "A/1"}, "identifier_ambiguous", "/till"),
        ({"till": "x" * 33}, "text_too_long", "/till"),
        ({"till": 3}, "wrong_type", "/till"),
        ({"business_day": ""}, "business_day_invalid", "/business_day"),
        ({"business_day": "2018-8-10"}, "business_day_invalid", "/business_day"),
        ({"business_day": "2018-02-30"}, "business_day_invalid", "/business_day"),
        ({"business_day": "20180810"}, "business_day_invalid", "/business_day"),
        ({"business_day": "1900-01-01"}, "business_day_invalid", "/business_day"),
        ({"business_day": "２０１８-08-10"}, "business_day_invalid", "/business_day"),
        ({"part": 1}, "parts_invalid", "/parts"),
        ({"part": 1, "parts": 2}, "parts_invalid", "/order_total"),
        ({"parts": 2, "order_total": 5}, "parts_invalid", "/part"),
        ({"part": 3, "parts": 2, "order_total": 5}, "parts_invalid", "/part"),
        ({"part": 0, "parts": 2, "order_total": 5}, "amount_out_of_range", "/part"),
        ({"part": 6, "parts": 6, "order_total": 5}, "amount_out_of_range", "/part"),
        ({"part": 1, "parts": 6, "order_total": 5}, "amount_out_of_range", "/parts"),
        ({"part": "1", "parts": 2, "order_total": 5}, "wrong_type", "/part"),
        ({"part": 1, "parts": 2, "order_total": 0}, "amount_out_of_range", "/order_total"),
        ({"part": 1, "parts": 2, "order_total": 1.5}, "amount_not_fen", "/order_total"),
        ({"replaces": ""}, "password_area", "/replaces"),
        ({"replaces": HASH[:-1]}, "password_area", "/replaces"),
        ({"replaces": HASH[:-1] + "g"}, "password_area", "/replaces"),
    ],
)
def test_what_cannot_be_a_place_is_refused(
    told: dict[str, object], code: str, pointer: str
) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_request(msgspec.json.encode(order(**told)))
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_null_is_not_told() -> None:
    body = msgspec.json.encode(dict.fromkeys(FIELDS) | order())
    assert parse_request(body) == parse_request(msgspec.json.encode(order()))


def test_a_record_of_a_batch_may_carry_its_key() -> None:
    request, key = parse_record(msgspec.json.encode(order(idempotency_key="k1")))
    assert key == "k1"
    assert parse_record(msgspec.json.encode(order()))[1] == ""
    plain = parse_request(msgspec.json.encode(order()))
    assert msgspec.structs.asdict(request).items() >= msgspec.structs.asdict(plain).items()
    for bad in ("", "a b", "餐", "x" * 256):
        with pytest.raises(MalformedError) as caught:
            parse_record(msgspec.json.encode(order(idempotency_key=bad)))
        assert (caught.value.code, caught.value.pointer) == (
            "idempotency_key_invalid",
            "/idempotency_key",
        )


def test_a_single_request_has_its_key_in_the_header_alone() -> None:
    with pytest.raises(MalformedError) as caught:
        parse_request(msgspec.json.encode(order(idempotency_key="k")))
    assert caught.value.code == "unknown_field"
