"""Entries: one spelling each, every field checked, nothing but MalformedError gets out."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from chain.entry import (
    ACT_TYPES,
    MAX_ENTRY_BYTES,
    ActEntry,
    AnchorEntry,
    ClosingEntry,
    Entry,
    LockEntry,
    SealEntry,
    act_entry,
    act_key,
    anchor_entry,
    closing_entry,
    entry_key,
    format_entry,
    format_time,
    lock_entry,
    parse_day,
    parse_entry,
    parse_time,
    plain_anchor,
    seal_entry,
)
from chain.errors import MalformedError
from chain.hashing import ZERO, Digest, sha256

A, B = sha256(b"a"), sha256(b"b")
NOON = datetime(2026, 11, 21, 4, 5, 6, 999_999, tzinfo=UTC)

GOOD: dict[str, bytes] = {
    "anchor": anchor_entry("invoice", A),
    "reversal": anchor_entry("invoice", A, reverses=B, reversal="part"),
    "lock": lock_entry("reimbursement", A, "locked", B),
    "closing": closing_entry("2026-11-21", 7, A),
    "act": act_entry("quota", A),
    "seal": seal_entry(1, ZERO, 0, 3, NOON),
}


def test_the_bytes_are_those_of_the_format() -> None:
    a, b, zeros = A.hex(), B.hex(), "0" * 64
    assert GOOD["anchor"] == f'{{"anchor":"{a}","kind":"invoice"}}'.encode()
    assert GOOD["reversal"] == (
        f'{{"anchor":"{a}","kind":"invoice","reversal":"part","reverses":"{b}"}}'.encode()
    )
    assert GOOD["lock"] == (
        f'{{"anchor":"{a}","holder":"{b}","kind":"reimbursement","state":"locked"}}'.encode()
    )
    assert GOOD["closing"] == (
        f'{{"day":"2026-11-21","kind":"closing","through":7,"totals":"{a}"}}'.encode()
    )
    assert GOOD["act"] == f'{{"act":"{a}","kind":"act","type":"quota"}}'.encode()
    assert GOOD["seal"] == (
        f'{{"count":3,"first":0,"height":1,"kind":"seal","previous":"{zeros}",'
        f'"sealed_at":"2026-11-21T04:05:06Z","states":"{zeros}"}}'.encode()
    )


@pytest.mark.parametrize("name", GOOD)
def test_canonical_bytes_are_those_of_the_reference(name: str) -> None:
    assert rfc8785.dumps(json.loads(GOOD[name])) == GOOD[name]


@pytest.mark.parametrize("name", GOOD)
def test_reads_what_it_writes(name: str) -> None:
    assert format_entry(parse_entry(GOOD[name])) == GOOD[name]


def test_kinds() -> None:
    kinds = [type(parse_entry(data)) for data in GOOD.values()]
    assert kinds == [AnchorEntry, AnchorEntry, LockEntry, ClosingEntry, ActEntry, SealEntry]


def test_what_may_stand_only_once() -> None:
    keys = {name: entry_key(parse_entry(data)) for name, data in GOOD.items()}
    assert keys == {
        "anchor": A,
        "reversal": A,
        "lock": None,
        "closing": b"2026-11-21",
        "act": b"act/" + A,
        "seal": None,
    }


def test_an_act_is_never_taken_for_an_anchor() -> None:
    assert act_key(A) != A
    assert entry_key(parse_entry(GOOD["act"])) == act_key(A)


@pytest.mark.parametrize("type_", [*ACT_TYPES, "key", "sign_in", "", "Quota"])
def test_acts_are_of_seven_types(type_: str) -> None:
    data = GOOD["act"].replace(b'"quota"', f'"{type_}"'.encode())
    if type_ in ACT_TYPES:
        assert parse_entry(data) == ActEntry(type=type_, act=A.hex())  # type: ignore[arg-type]
    else:
        with pytest.raises(MalformedError, match="entry_malformed"):
            parse_entry(data)


def test_what_is_reversed() -> None:
    entries = [parse_entry(GOOD[name]) for name in ("anchor", "reversal")]
    assert [entry.reversed for entry in entries if isinstance(entry, AnchorEntry)] == [
        None,
        (B, "part"),
    ]


def test_the_seal_stands_behind_its_block() -> None:
    seal = parse_entry(seal_entry(2, A, 10, 5, NOON))
    assert isinstance(seal, SealEntry)
    assert seal.index == 15


OTHER_SPELLINGS: dict[str, Any] = {
    "space": lambda data: data.replace(b":", b": ", 1),
    "line feed": lambda data: data + b"\n",
    "key order": lambda data: json.dumps(
        dict(reversed(json.loads(data).items())), separators=(",", ":")
    ).encode(),
    "escape": lambda data: data.replace(b'"kind"', b'"\\u006bind"'),
    "repeated key": lambda data: data.replace(b'{"', b'{"kind":"seal","', 1),
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "unknown field": lambda data: data[:-1] + b',"zzz":1}',
    "array": lambda data: b"[" + data + b"]",
    "truncated": lambda data: data[:-1],
    "empty": lambda data: data[:0],
    "null byte": lambda data: data + b"\0",
    "not UTF-8": lambda data: data.replace(b'"kind"', b'"\xff"'),
    "too long": lambda data: data[:-1] + b" " * MAX_ENTRY_BYTES + b"}",
    "deep": lambda data: b"[" * (MAX_ENTRY_BYTES - len(data)) + data,
}


@pytest.mark.parametrize("spelling", OTHER_SPELLINGS)
@pytest.mark.parametrize("name", GOOD)
def test_other_spellings_are_refused(name: str, spelling: str) -> None:
    with pytest.raises(MalformedError):
        parse_entry(OTHER_SPELLINGS[spelling](GOOD[name]))


def test_what_is_too_long_is_not_even_parsed() -> None:
    for size, code in (
        (MAX_ENTRY_BYTES + 1, "entry_too_long"),
        (MAX_ENTRY_BYTES, "entry_malformed"),
    ):
        with pytest.raises(MalformedError) as refused:
            parse_entry(b"x" * size)
        assert refused.value.code == code


def test_the_longest_entry_fits() -> None:
    assert max(map(len, GOOD.values())) * 2 < MAX_ENTRY_BYTES == 1024


def _bend(name: str, field: str, value: object) -> bytes:
    content = json.loads(GOOD[name])
    content[field] = value
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


HEX_FIELDS = [
    ("anchor", "anchor"),
    ("reversal", "reverses"),
    ("lock", "anchor"),
    ("lock", "holder"),
    ("closing", "totals"),
    ("seal", "previous"),
    ("seal", "states"),
]
NO_HEX = [
    "",
    "0" * 63,
    "0" * 65,
    "0" * 63 + "A",
    "0" * 63 + "g",
    "0" * 63 + "\n",
    "０" * 64,
    0,
    True,
]


@pytest.mark.parametrize(("name", "field"), HEX_FIELDS)
@pytest.mark.parametrize("value", NO_HEX)
def test_digests_are_64_lower_case_hex_digits(name: str, field: str, value: object) -> None:
    with pytest.raises(MalformedError):
        parse_entry(_bend(name, field, value))


COUNT_FIELDS = [("closing", "through"), ("seal", "height"), ("seal", "first"), ("seal", "count")]


@pytest.mark.parametrize(("name", "field"), COUNT_FIELDS)
@pytest.mark.parametrize("value", [-1, 2**53, 1.0, 1.5, True, "1", None, [], 10**400])
def test_counts_are_integers_that_json_keeps(name: str, field: str, value: object) -> None:
    with pytest.raises(MalformedError):
        parse_entry(_bend(name, field, value))


@pytest.mark.parametrize(("name", "field"), COUNT_FIELDS)
def test_the_largest_count_is_read(name: str, field: str) -> None:
    data = _bend(name, field, 2**53 - 1)
    assert format_entry(parse_entry(data)) == data


def test_heights_begin_at_one() -> None:
    with pytest.raises(MalformedError):
        parse_entry(_bend("seal", "height", 0))


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("anchor", "kind", "seal"),
        ("anchor", "kind", "pledge"),
        ("anchor", "kind", None),
        ("reversal", "reversal", "half"),
        ("reversal", "reversal", None),
        ("reversal", "reverses", None),
        ("reversal", "reverses", A.hex()),  # itself
        ("anchor", "reverses", B.hex()),  # without saying how far
        ("anchor", "reversal", "full"),  # without saying whom
        ("lock", "state", "open"),
        ("closing", "day", "2026-02-30"),
        ("closing", "day", "2026-2-3"),
        ("closing", "day", "20260203"),
        ("closing", "day", "２026-02-03"),
        ("seal", "sealed_at", "2026-11-21T04:05:06+00:00"),
    ],
)
def test_a_wrong_field_is_refused(name: str, field: str, value: object) -> None:
    with pytest.raises(MalformedError):
        parse_entry(_bend(name, field, value))


@pytest.mark.parametrize("name", GOOD)
def test_every_field_is_needed(name: str) -> None:
    whole = json.loads(GOOD[name])
    for field in whole:
        rest = {key: value for key, value in whole.items() if key != field}
        with pytest.raises(MalformedError):
            parse_entry(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode())


def test_what_is_formatted_is_checked() -> None:
    with pytest.raises(MalformedError):
        anchor_entry("invoice", Digest(b"short"))
    with pytest.raises(MalformedError):
        closing_entry("yesterday", 7, A)
    with pytest.raises(MalformedError):
        seal_entry(0, ZERO, 0, 1, NOON)
    with pytest.raises(MalformedError, match=r"^entry_malformed\b.*not a kind"):
        anchor_entry("seal", A)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(MalformedError, match=r"^entry_malformed\b.*not a kind"):
        lock_entry("invoice", A, "locked", B)  # type: ignore[arg-type]  # on purpose


def test_nobody_makes_half_a_reversal() -> None:
    with pytest.raises(ValueError, match="together"):
        anchor_entry("invoice", A, reverses=B)
    with pytest.raises(ValueError, match="together"):
        anchor_entry("invoice", A, reversal="part")
    with pytest.raises(ValueError, match="itself"):
        anchor_entry("invoice", A, reverses=A, reversal="full")


@given(st.binary(min_size=32, max_size=32))
def test_a_plain_anchor_is_what_the_encoder_writes_and_the_parser_reads(raw: bytes) -> None:
    anchor = Digest(raw)
    entry = anchor_entry("invoice", anchor)
    assert entry == format_entry(AnchorEntry(anchor=anchor.hex()))
    assert parse_entry(entry) == AnchorEntry(anchor=anchor.hex())
    assert plain_anchor(entry) == anchor == entry_key(parse_entry(entry))


def by_parsing(data: bytes) -> bytes | None:
    """What ``plain_anchor`` says, by the parser."""
    with suppress(MalformedError):
        entry = parse_entry(data)
        if isinstance(entry, AnchorEntry) and entry.reversed is None:
            return entry_key(entry)
    return None


@given(st.binary(max_size=120))
def test_no_other_bytes_are_a_plain_anchor(data: bytes) -> None:
    assert plain_anchor(data) == by_parsing(data)


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_a_bent_entry_is_a_plain_anchor_only_to_the_parser_too(
    name: str, data: st.DataObject
) -> None:
    bent = bytearray(GOOD[name])
    start = data.draw(st.integers(0, len(bent)))
    end = data.draw(st.integers(start, min(len(bent), start + 3)))
    bent[start:end] = data.draw(st.binary(max_size=3) | st.sampled_from([b" ", b"A", b"a", b"0"]))
    assert plain_anchor(bytes(bent)) == by_parsing(bytes(bent))


@pytest.mark.parametrize("name", GOOD)
def test_only_the_plainest_is_a_plain_anchor(name: str) -> None:
    assert plain_anchor(GOOD[name]) == (A if name == "anchor" else None)


@pytest.mark.parametrize(
    "digits", [A.hex().upper(), A.hex()[2:], A.hex() + "00", " " * 64, "é" * 32, A.hex() + "\n"]
)
def test_a_plain_anchor_has_one_spelling(digits: str) -> None:
    assert plain_anchor(b'{"anchor":"%s","kind":"invoice"}' % digits.encode()) is None


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(MalformedError):
        assert format_entry(parse_entry(data)) == data


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_one_changed_byte_is_another_entry_or_refused(name: str, data: st.DataObject) -> None:
    good = bytearray(GOOD[name])
    place = data.draw(st.integers(0, len(good) - 1))
    good[place] = data.draw(st.integers(0, 255))
    try:
        entry: Entry = parse_entry(bytes(good))
    except MalformedError:
        return
    assert format_entry(entry) == bytes(good)


def test_times_are_utc_in_whole_seconds() -> None:
    shenzhen = timezone(timedelta(hours=8))
    assert format_time(NOON) == "2026-11-21T04:05:06Z"
    assert format_time(datetime(2026, 11, 21, 12, 5, 6, tzinfo=shenzhen)) == "2026-11-21T04:05:06Z"
    assert format_time(datetime(987, 1, 2, tzinfo=UTC)) == "0987-01-02T00:00:00Z"
    assert parse_time("2026-11-21T04:05:06Z") == NOON.replace(microsecond=0)


@pytest.fixture
def in_shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own zone is not UTC."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_shanghai")
def test_times_are_utc_wherever_the_machine_stands() -> None:
    assert time.localtime(0).tm_hour == 8
    assert format_time(NOON) == "2026-11-21T04:05:06Z"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(MalformedError, match=r"^time_malformed\b"):
        format_time(datetime(2026, 11, 21))  # noqa: DTZ001  # on purpose


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T04:05:06.0Z",
        "2026-11-21 04:05:06Z",
        "2026-11-21T04:05:06z",
        "2026-11-21T04:05:06",
        "2026-11-21T24:00:00Z",
        "2026-11-21T04:05:60Z",
        "2026-13-21T04:05:06Z",
        "0000-01-01T00:00:00Z",
        "2026-11-21T04:05:06Z\n",
        "0001-01-01T00:00:00+01:00",  # in UTC there is no such year
        "9999-12-31T23:59:59-01:00",
        "２026-11-21T04:05:06Z",
    ],
)
def test_a_time_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^time_malformed\b"):
        parse_time(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_read_back(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize("text", ["2026-11-31", "2026-11-3", "x", "2026-11-21\n", "2026-W01-1"])
def test_days_are_calendar_days(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^day_malformed\b"):
        parse_day(text)
    assert parse_day("2024-02-29") == "2024-02-29"
