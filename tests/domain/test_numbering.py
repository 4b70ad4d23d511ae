"""Numbers: gap-free, in order, through New Year and the end of a batch; time never goes back."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError, RefusedError, UnavailableError
from invoice_service.domain.numbering import (
    SHANGHAI,
    Allotment,
    Scheme,
    format_issued_at,
    format_utc,
    next_number,
    parse_bill_number,
    shanghai_day,
    shanghai_year,
)

from .samples import FIRST, NOON

YEARS = 2**40  # seconds: how far apart two sales may be here; the clock has its own tests
SCHEME = Scheme(max_forwards=YEARS)
SMALL = Scheme(numbers_per_batch=3, last_batch=2, max_forwards=YEARS)


def at(text: str) -> int:
    """The unix second of a wall clock in Shenzhen."""
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp())


@pytest.mark.parametrize(
    ("year", "code"),
    [
        *((2018, "144031809110"), (2019, "144031909110"), (2020, "144032009110")),
        *((2021, "144032109110"), (2024, "144032409110"), (2025, "144032509110")),
    ],
)
def test_codes_are_those_seen_in_the_pilot(year: int, code: str) -> None:
    assert next_number(None, at(f"{year}-06-01T00:00:00"), SCHEME).code == code


def test_the_first_number_is_one_and_the_next_follows() -> None:
    assert next_number(None, NOON, SCHEME) == FIRST
    assert next_number(FIRST, NOON + 5, SCHEME) == Allotment(FIRST.code, "00000002", NOON + 5)


def test_time_stands_still_while_the_clock_is_a_little_behind() -> None:
    assert next_number(FIRST, NOON - 60, SCHEME).issued_at == NOON


def test_a_clock_far_behind_stops_issuing() -> None:
    with pytest.raises(UnavailableError) as caught:
        next_number(FIRST, NOON - 61, SCHEME)
    assert caught.value.code == "clock_behind"
    assert caught.value.extra == {"seconds": 61}


def test_the_year_is_that_of_shenzhen() -> None:
    last = Allotment("144031809110", "00000009", at("2018-12-31T23:59:59"))
    still = next_number(last, at("2018-12-31T23:59:59"), SCHEME)
    new = next_number(last, at("2019-01-01T00:00:00"), SCHEME)  # 2018-12-31T16:00Z
    assert (still.code, still.number) == ("144031809110", "00000010")
    assert (new.code, new.number) == ("144031909110", "00000001")


def test_a_clock_behind_at_new_year_does_not_bring_the_old_year_back() -> None:
    new_year = Allotment("144031909110", "00000001", at("2019-01-01T00:00:00"))
    after = next_number(new_year, at("2018-12-31T23:59:30"), SCHEME)
    assert (after.code, after.number) == ("144031909110", "00000002")


def test_the_batch_goes_up_when_its_numbers_run_out_and_then_they_are_used_up() -> None:
    given_out = []
    last: Allotment | None = None
    for _ in range(6):
        last = next_number(last, NOON, SMALL)
        given_out.append((last.code[9], last.number))
    assert given_out == [(batch, f"{n:08}") for batch in "12" for n in (1, 2, 3)]
    with pytest.raises(RefusedError) as caught:
        next_number(last, NOON, SMALL)
    assert caught.value.code == "number_range_exhausted"


def test_a_new_year_starts_again_at_the_first_batch() -> None:
    last = Allotment("144031809210", "00000003", NOON)
    new = next_number(last, at("2019-01-01T00:00:00"), SMALL)
    assert (new.code, new.number) == ("144031909110", "00000001")


@pytest.mark.parametrize("change", [{"region": "4401"}, {"class_": "8"}, {"copy": "2"}])
def test_other_parts_of_the_code_change_at_new_year_only(change: dict[str, str]) -> None:
    changed = Scheme(**change, max_forwards=YEARS)  # type: ignore[arg-type]  # all of them are texts
    with pytest.raises(RefusedError) as caught:
        next_number(FIRST, NOON, changed)
    assert caught.value.code == "numbering_changed"
    assert next_number(FIRST, at("2019-01-01T00:00:00"), changed).number == "00000001"


@given(st.lists(st.integers(-60, 40_000_000), max_size=40))
def test_codes_and_numbers_never_repeat_and_time_never_falls(steps: list[int]) -> None:
    last: Allotment | None = None
    seen: set[tuple[str, str]] = set()
    now = NOON
    for step in steps:
        now = max(NOON, now + step)
        allotment = next_number(last, max(now, last.issued_at - 60) if last else now, SMALL_YEARS)
        assert (allotment.code, allotment.number) not in seen
        assert last is None or allotment.issued_at >= last.issued_at
        assert allotment.code[5:7] == shanghai_year(allotment.issued_at)
        seen.add((allotment.code, allotment.number))
        last = allotment


SMALL_YEARS = Scheme(numbers_per_batch=7, last_batch=9, max_forwards=YEARS)


def test_times_are_written_for_the_face_and_for_the_log() -> None:
    assert format_issued_at(NOON) == "2018-08-10T12:00:00+08:00"
    assert format_utc(NOON) == "2018-08-10T04:00:00Z"
    assert shanghai_day(at("2018-12-31T23:59:59")) == "2018-12-31"
    assert shanghai_day(at("2019-01-01T00:00:00")) == "2019-01-01"


@pytest.mark.parametrize(
    "text", ["", "1", "0000001", "000000001", "0000000a", "０００００００1", "00000001\n"]
)
def test_a_bill_number_has_eight_plain_digits(text: str) -> None:
    assert parse_bill_number("00000001") == "00000001"
    with pytest.raises(MalformedError) as caught:
        parse_bill_number(text)
    assert caught.value.code == "bill_num_invalid"
