"""Issuing from bytes: one, and many of which some are bad."""

import random
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, UnavailableError
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.processes.issuer import DirectIssuer
from invoice_service.services.issuing.issue import AT_ONCE, IssuingDesk, issue_many, issue_one
from invoice_service.services.people.admit import create_key, revoke_key
from tests.domain.samples import BY, RATES, line, order
from tests.patience import PATIENCE
from tests.storage.shop import Shop, codes, locked


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that gives up waiting soon."""
    return Shop(tmp_path, busy_seconds=0.1)


@pytest.fixture
def desk(shop: Shop) -> IssuingDesk:
    """A desk in front of the shop's store."""
    return IssuingDesk(
        merchants=shop.store,
        issuer=DirectIssuer(shop.store, shop.clock),
        rates=RATES,
        randbytes=random.Random(3).randbytes,
    )


def body(**changes: object) -> bytes:
    """An issue request."""
    return msgspec.json.encode(order(**changes))


def test_one_is_issued_and_a_repetition_is_answered(desk: IssuingDesk) -> None:
    first = issue_one(desk, 1, body(), idempotency_key="k")
    again = issue_one(desk, 1, body(), idempotency_key="k")
    assert (first.replayed, again.replayed, again.hash) == (False, True, first.hash)


def test_one_that_is_refused_raises(desk: IssuingDesk, shop: Shop) -> None:
    issue_one(desk, 1, body())
    with pytest.raises(ConflictError) as conflict:
        issue_one(desk, 1, body(remark="other"))
    assert conflict.value.code == "order_id_conflict"
    with pytest.raises(NotFoundError) as unknown:
        issue_one(desk, 9, body())
    assert unknown.value.code == "merchant_unknown"
    with locked(shop.store.connections.path.parent), pytest.raises(UnavailableError) as busy:
        issue_one(desk, 1, body(order_id="A-2"))
    assert busy.value.code == "database_busy"
    assert shop.store.last_seq() == 1


def test_a_key_revoked_between_signing_in_and_storing(desk: IssuingDesk, shop: Shop) -> None:
    key, _ = create_key(shop.store, "merchant", 1, "", by=BY, randbytes=bytes)
    assert issue_one(desk, 1, body(), key_id=key.id).seq == 1
    revoke_key(shop.store, key.id, BY)
    with pytest.raises(Problem) as caught:
        issue_one(desk, 1, body(order_id="A-2"), key_id=key.id)
    assert caught.value.code == "key_revoked"


BAD: list[tuple[bytes, str]] = [
    (b"{", "not_json"),
    (b"\xff", "not_utf8"),
    (b'{"order_id":"A","order_id":"A","lines":[]}', "duplicate_key"),
    (body(colour="red"), "unknown_field"),
    (body(order_id=None), "missing_field"),
    (body(order_id="a\nb"), "control_character"),
    (body(lines=[]), "no_lines"),
    (body(lines=[line()] * 2001), "too_many_lines"),
    (body(lines=[line(quantity="-1")]), "quantity_not_positive"),
    (body(lines=[line(quantity="0")]), "quantity_not_positive"),
    (body(lines=[line(quantity="many")]), "quantity_invalid"),
    (body(lines=[line(unit_price=0)]), "total_zero"),
    (body(lines=[line(unit_price=-5)]), "unit_price_not_positive"),
    (body(lines=[line(unit_price=1.5)]), "amount_not_fen"),
    (body(lines=[line(tax_rate="0.07")]), "tax_rate_unknown"),
    (body(total=1), "totals_mismatch"),
    (body(buyer={"kind": "company", "name": "x", "tax_id": "1"}), "tax_id_invalid"),
    (body(remark="x" * (1 << 20)), "body_too_large"),
]


@pytest.mark.parametrize(("bad", "code"), BAD)
def test_bad_input_has_its_code_and_nothing_is_stored(
    desk: IssuingDesk, shop: Shop, bad: bytes, code: str
) -> None:
    with pytest.raises(MalformedError) as caught:
        issue_one(desk, 1, bad, idempotency_key="k")
    assert caught.value.code == code
    assert shop.rows("SELECT count(*) FROM invoices") == [(0,)]
    assert shop.rows("SELECT count(*) FROM idempotency") == [(0,)]


def test_many_are_answered_in_order_and_bad_ones_stop_none(desk: IssuingDesk, shop: Shop) -> None:
    bodies = [body(order_id="A-0")]
    expected = ["issued"]
    for number, (bad, code) in enumerate(BAD, 1):
        bodies += [bad, body(order_id=f"A-{number}")]
        expected += [code, "issued"]
    bodies += [body(order_id="A-3"), body(order_id="A-3", remark="other")]
    expected += ["replayed", "order_id_conflict"]
    answers = list(issue_many(desk, 1, bodies))
    assert codes(answers) == expected
    good = [answer for answer in answers if isinstance(answer, Issued) and not answer.replayed]
    assert [answer.order_id for answer in good] == [f"A-{n}" for n in range(len(BAD) + 1)]
    assert shop.store.last_seq() == len(BAD) + 1


def test_many_are_handed_over_in_parts_and_read_as_they_go(shop: Shop, desk: IssuingDesk) -> None:
    sizes: list[int] = []
    read = 0

    class Noting:
        def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
            sizes.append(len(batch))
            return desk.issuer.issue(batch)

    def bodies() -> Any:  # noqa: ANN401 # a generator that counts
        nonlocal read
        for number in range(AT_ONCE + 5):
            read += 1
            yield body(order_id=f"A-{number}")

    noting = IssuingDesk(shop.store, Noting(), RATES, random.Random(4).randbytes)
    answers = issue_many(noting, 1, bodies())
    assert read == 0
    next(answers)
    assert read == AT_ONCE
    assert len(list(answers)) == AT_ONCE + 4
    assert sizes == [AT_ONCE, 5]


@pytest.mark.parametrize("count", [1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 5])
def test_many_prepared_ahead_are_issued_and_answered_in_the_same_order(
    desk: IssuingDesk, shop: Shop, count: int
) -> None:
    bodies = [b"{" if number % 7 == 3 else body(order_id=f"A-{number}") for number in range(count)]
    answers = list(issue_many(desk, 1, bodies, ahead=True))
    assert codes(answers) == ["not_json" if n % 7 == 3 else "issued" for n in range(count)]
    issued = [answer for answer in answers if isinstance(answer, Issued)]
    assert [answer.seq for answer in issued] == list(range(1, len(issued) + 1))
    assert [answer.order_id for answer in issued] == [f"A-{n}" for n in range(count) if n % 7 != 3]
    assert shop.store.last_seq() == len(issued)


def test_the_next_part_is_read_while_one_is_issued(shop: Shop, desk: IssuingDesk) -> None:
    read = threading.Event()

    class Waiting:
        def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
            assert read.wait(PATIENCE), "nobody reads on"
            return desk.issuer.issue(batch)

    def bodies() -> Iterator[bytes]:
        for number in range(AT_ONCE + 5):
            if number == AT_ONCE:
                read.set()
            yield body(order_id=f"A-{number}")

    waiting = IssuingDesk(shop.store, Waiting(), RATES, random.Random(4).randbytes)
    assert codes(list(issue_many(waiting, 1, bodies(), ahead=True))) == ["issued"] * (AT_ONCE + 5)


def test_who_leaves_early_leaves_one_part_ahead_at_most_and_none_half(
    desk: IssuingDesk, shop: Shop
) -> None:
    answers = issue_many(desk, 1, (body(order_id=f"A-{n}") for n in range(5 * AT_ONCE)), ahead=True)
    for _ in range(3):
        next(answers)
    assert isinstance(answers, Generator)
    answers.close()
    assert shop.store.last_seq() == 2 * AT_ONCE


def test_when_issuing_breaks_half_way_the_first_part_is_answered(
    desk: IssuingDesk, shop: Shop
) -> None:
    class Breaking:
        def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
            if shop.store.last_seq():
                raise RuntimeError("inside")
            return desk.issuer.issue(batch)

    breaking = IssuingDesk(shop.store, Breaking(), RATES, random.Random(4).randbytes)
    answers = issue_many(
        breaking, 1, (body(order_id=f"A-{n}") for n in range(3 * AT_ONCE)), ahead=True
    )
    assert codes([next(answers) for _ in range(AT_ONCE)]) == ["issued"] * AT_ONCE
    with pytest.raises(RuntimeError, match="inside"):
        next(answers)


def test_many_of_a_merchant_that_is_not_there(desk: IssuingDesk) -> None:
    with pytest.raises(NotFoundError):
        issue_many(desk, 9, [body()])


def test_when_the_database_is_busy_each_of_many_hears_so(desk: IssuingDesk, shop: Shop) -> None:
    with locked(shop.store.connections.path.parent):
        answers = list(issue_many(desk, 1, [body(order_id="A"), b"{", body(order_id="B")]))
    assert codes(answers) == ["database_busy", "not_json", "database_busy"]
    assert codes(list(issue_many(desk, 1, [body(order_id="A")]))) == ["issued"]


def test_salts_are_fresh_for_every_invoice(desk: IssuingDesk, shop: Shop) -> None:
    list(issue_many(desk, 1, [body(order_id=f"A-{n}") for n in range(10)]))
    salts = [row[0] for row in shop.rows("SELECT salts FROM invoices")]
    assert len({salt[i : i + 16] for salt in salts for i in (0, 16, 32)}) == 30
