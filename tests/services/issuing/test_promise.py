"""Promises in the answers of one transaction: for whom, by when, and why not."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chain.errors import Problem, UnavailableError
from chain.proof.promise import Promise, open_promise
from chain.signing.note import SignerKey
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.processes.issuer import DirectIssuer
from invoice_service.services.issuing.promise import Promised, Promiser
from tests.domain.samples import NOON
from tests.storage.shop import Shop, codes

SIGNER = SignerKey.generate("town.example/log/promise", random.Random(1).randbytes)
DELAY = 60


class Counter:
    """What promising works with: a shop's store and clock, a log that is behind, and its key."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.taken = 0
        self.read = 0
        self.key: Problem | None = None
        self.promiser = Promiser(
            self.signer, DELAY, shop.clock, lambda: self.taken, shop.random.randbytes
        )

    def signer(self) -> SignerKey:
        """Read the key, or fail."""
        self.read += 1
        if self.key is not None:
            raise self.key
        return SIGNER

    def issue(self, *drafts: Prepared, signed: bool = True) -> list[Issued]:
        """All of them in one transaction, which must go well."""
        direct = DirectIssuer(self.shop.store, self.shop.clock, self.promiser)
        answers = Promised(direct, 10 * DELAY, signed=signed).issue(drafts)
        issued = [answer for answer in answers if isinstance(answer, Issued)]
        assert len(issued) == len(answers), codes(answers)
        return issued


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    """A counter at noon."""
    shop = Shop(tmp_path)
    yield Counter(shop)
    shop.store.close()


def promise_of(issued: Issued) -> Promise:
    """What its promise says; it must be of this invoice."""
    assert issued.promise is not None
    promise = open_promise(issued.promise.encode(), SIGNER.verifier)
    assert promise.hash == issued.hash
    return promise


def note_of(issued: Issued) -> str:
    """What was signed."""
    assert issued.promise is not None
    return issued.promise.partition("\n\n")[2]


def at(seconds: int) -> datetime:
    """So long after noon."""
    return datetime.fromtimestamp(NOON + seconds, UTC)


def test_one_signature_for_all_of_a_transaction(counter: Counter) -> None:
    answers = counter.issue(*(counter.shop.draft(f"A-{number}") for number in range(5)))
    assert [promise_of(one).deadline for one in answers] == [at(DELAY)] * 5
    assert len({note_of(one) for one in answers}) == 1
    assert len({one.promise for one in answers}) == 5
    assert counter.read == 1
    counter.issue(counter.shop.draft("B"))
    assert counter.read == 1  # a key that was read is kept


def test_nobodys_deadline_moves(counter: Counter) -> None:
    first = [counter.issue(counter.shop.draft("A"))[0]]
    counter.shop.now += 7
    first += counter.issue(counter.shop.draft("B"), counter.shop.draft("C"))
    counter.shop.now += 7
    again = counter.issue(*(counter.shop.draft(name) for name in "CABD"))
    assert [one.replayed for one in again] == [True, True, True, False]
    assert [promise_of(one).deadline for one in again] == [
        at(7 + DELAY),
        at(DELAY),
        at(7 + DELAY),
        at(14 + DELAY),
    ]
    assert [promise_of(one).given for one in again] == [at(7), at(0), at(7), at(14)]
    assert [one.hash for one in again[:3]] == [first[2].hash, first[0].hash, first[1].hash]
    notes = [note_of(one) for one in again]
    assert notes[0] == notes[2]
    assert len(set(notes)) == 3


def test_who_wants_none_gets_none(counter: Counter) -> None:
    [issued] = counter.issue(counter.shop.draft("A"), signed=False)
    assert (issued.promise, issued.no_promise, counter.read) == (None, None, 0)
    mixed = [counter.shop.draft("B"), counter.shop.draft("C")]
    direct = DirectIssuer(counter.shop.store, counter.shop.clock, counter.promiser)
    [plain] = direct.issue(mixed[:1])
    assert isinstance(plain, Issued)
    assert plain.promise is None


def test_a_refusal_has_no_promise_and_stops_none(counter: Counter) -> None:
    direct = DirectIssuer(counter.shop.store, counter.shop.clock, counter.promiser)
    drafts = [counter.shop.draft("A"), counter.shop.draft("A", remark="x"), counter.shop.draft("B")]
    answers = Promised(direct, DELAY).issue(drafts)
    assert codes(answers) == ["issued", "order_id_conflict", "issued"]
    for answer in (answers[0], answers[2]):
        assert isinstance(answer, Issued)
        promise_of(answer)


def test_what_is_known_to_be_broken_is_not_promised_again(counter: Counter) -> None:
    counter.issue(*(counter.shop.draft(name) for name in "AB"))
    counter.shop.now += DELAY
    promise_of(counter.issue(counter.shop.draft("A"))[0])
    counter.shop.now += 1
    counter.taken = 1
    kept, broken = counter.issue(*(counter.shop.draft(name) for name in "AB"))
    assert promise_of(kept).deadline == at(DELAY)
    assert (kept.no_promise, broken.promise, broken.no_promise) == (None, None, "overdue")
    counter.taken = 2
    promise_of(counter.issue(counter.shop.draft("B"))[0])


def test_an_invoice_is_not_lost_with_its_promise(counter: Counter) -> None:
    counter.key = UnavailableError("key_unreadable", "it is away")
    [issued] = counter.issue(counter.shop.draft("A"))
    assert (issued.promise, issued.no_promise) == (None, "unsigned")
    counter.key = None
    [again] = counter.issue(counter.shop.draft("A"))
    assert promise_of(again).deadline == at(DELAY)
    assert again.no_promise is None
