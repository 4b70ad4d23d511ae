"""Races for one order: whoever presses, pays, cancels, issues or dies, it has one invoice.

Every race draws who takes part, and where somebody dies: before or after any step that is kept.
Then whoever is left asks again. No order has two invoices, none is lost, none shows another's.
"""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from chain.errors import Problem
from invoice_service.domain.invoice import Issued
from invoice_service.domain.request import Buyer
from invoice_service.services.claims.desk import Claims, Clocks
from invoice_service.services.claims.links import Links
from invoice_service.services.claims.notices import Paid, note
from invoice_service.services.claims.ports import NOBODY, Order, Payment, Whole
from invoice_service.services.issuing.issue import IssuingDesk, issue_one
from tests.api.desk import MEAL, START, Desk
from tests.scale import share

RACES: Final = share(500, 100)
PARTS: Final = share(20, 1)
"""Of all races: each within the time that a test has."""
DAY: Final = "2026-11-21"
STEPS: Final = ("begin_claim", "issue", "finish_claim", "add_payment", "drop_claim")
NOW: Final = int(START.timestamp())


class DiedError(BaseException):
    """The process of whoever met it is gone."""


class Mortal:
    """What somebody works with: it ends with him before or after one of his steps."""

    def __init__(self, real: Any, step: str, *, after: bool) -> None:  # noqa: ANN401 # a store or an issuer
        self._real, self._step, self._after = real, step, after

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # whatever the real one has
        real = getattr(self._real, name)
        if name != self._step:
            return real

        def dying(*args: Any, **named: Any) -> None:  # noqa: ANN401 # as the real one
            if self._after:
                real(*args, **named)
            raise DiedError

        return dying


class Racing:
    """An instance for many orders, and a clock for each of those who race."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.store = desk, desk.instance.store
        self.merchant = desk.restaurant.merchant.id
        self.links = Links(desk.instance.people_key, desk.instance.randbytes, "https://fapiao.test")
        self.issuing: IssuingDesk = desk.instance.till.issuing

    def claims(self, at: int = NOW, dies: str = "", *, after: bool = False) -> Claims:
        """Somebody's process; it dies where it is said."""
        issuing = IssuingDesk(
            merchants=self.issuing.merchants,
            issuer=Mortal(self.issuing.issuer, dies, after=after),
            rates=self.issuing.rates,
            randbytes=self.issuing.randbytes,
        )
        store = Mortal(self.store, dies, after=after)
        return Claims(store, issuing, self.links, Clocks(lambda: at, lambda _: DAY), 3600)

    def order(self, number: int, **more: object) -> Whole:
        """A new one."""
        body = {"order_id": f"R{number}", "lines": [MEAL], **more}
        return self.claims().make(self.merchant, msgspec.json.encode(body)).whole

    def invoices(self, order: Order) -> list[tuple[str, int]]:
        """What was issued for it: hash and part."""
        with self.store.connections.reading() as connection:
            return [
                (f"01{row[0].hex()}", row[1])
                for row in connection.execute(
                    "SELECT hash, part FROM invoices WHERE order_id = ? AND business_day = ?",
                    (order.order_id, DAY),
                )
            ]


class Runner(NamedTuple):
    """Somebody in a race; ``secret`` is his browser's, "" for who has none."""

    run: Callable[[Claims], object]
    secret: str = ""


def phone(racing: Racing, whole: Whole, secret: str, name: str) -> Runner:
    token = racing.links.url(whole.order).rpartition("/")[2]
    return Runner(lambda claims: claims.claim(token, secret, Buyer(name=name)), secret)


def till(racing: Racing, whole: Whole) -> Runner:
    order = {"order_id": whole.order.order_id, "business_day": DAY, "lines": [MEAL]}
    body = msgspec.json.encode({**order, "buyer": {"name": "till"}})
    return Runner(lambda claims: issue_one(claims._issuing, racing.merchant, body))


def payer(whole: Whole) -> Runner:
    paid = Paid("wechat", f"p-{whole.order.id}", whole.order.id, whole.order.total)
    return Runner(lambda claims: note(claims, paid))


def canceller(racing: Racing, whole: Whole) -> Runner:
    return Runner(lambda claims: claims.cancel(racing.merchant, whole.order.id))


def runners(draw: random.Random, racing: Racing, whole: Whole) -> list[Runner]:
    """Two phones, a double touch, a till, a notice or two, somebody who cancels: some of them."""
    mine = "a" * 32
    all_ = [
        phone(racing, whole, mine, "甲"),
        phone(racing, whole, mine, "甲"),
        phone(racing, whole, "b" * 32, "乙"),
        phone(racing, whole, "c" * 32, "丙"),
        till(racing, whole),
        payer(whole),
        payer(whole),
        canceller(racing, whole),
    ]
    return draw.sample(all_, draw.randint(2, 4))


def attempt(action: Callable[[], object]) -> object:
    """What came of it: an answer, a problem, or a death."""
    try:
        return action()
    except (Problem, DiedError) as problem:
        return problem


@pytest.fixture
def racing(desk: Desk) -> Racing:
    return Racing(desk)


@pytest.fixture
def line() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as line:
        yield line


@pytest.mark.scaled
@pytest.mark.parametrize("part", range(PARTS))
def test_races_have_one_invoice_for_a_share(
    racing: Racing, line: ThreadPoolExecutor, part: int
) -> None:
    """Whole: 10,000 races."""
    draw = random.Random(2018 + part)
    for number in range(RACES):
        race(draw, racing, line, number)


def race(draw: random.Random, racing: Racing, line: ThreadPoolExecutor, number: int) -> None:
    """One race, and what must be so behind it."""
    parts = draw.choice((1, 1, 1, 3))
    more = {"auto_issue": draw.random() < 0.4, "parts": parts, "expires_in": 600}
    whole = racing.order(number, **more)
    taking = runners(draw, racing, whole)
    late = draw.random() < 0.15

    def start(runner: Runner) -> object:
        dies = draw.choice(STEPS) if draw.random() < 0.3 else ""
        at = NOW + 600 if late and draw.random() < 0.5 else NOW
        claims = racing.claims(at, dies, after=draw.random() < 0.5)
        return line.submit(attempt, lambda: runner.run(claims))

    running: list[Any] = [start(runner) for runner in taking]
    first = [one.result() for one in running]
    # Who died or was told to try again asks once more, of a process that lives.
    alive = racing.claims()
    answers = [
        attempt(partial(runner.run, alive)) if isinstance(answer, DiedError) else answer
        for runner, answer in zip(taking, first, strict=True)
    ]
    behind(racing, alive.one(racing.merchant, whole.order.id), taking, answers)


def behind(racing: Racing, whole: Whole, taking: list[Runner], answers: list[object]) -> None:
    issued = racing.invoices(whole.order)
    told = f"{whole} {answers}"
    at_till = {answer.hash for answer in answers if isinstance(answer, Issued)}
    # One for each share, but where the till has issued all of it: then nothing is beside.
    assert len({part for _, part in issued}) == len(issued), told
    assert len(issued) <= len(whole.order.shares), told
    assert not at_till or (at_till == {hash_ for hash_, _ in issued}), told
    claimed = {claim.hash for claim in whole.claims}
    assert claimed <= {hash_ for hash_, _ in issued}, told
    assert {hash_ for hash_, _ in issued} - at_till <= claimed, told
    assert all(claim.hash and not claim.buyer for claim in whole.claims), told
    # A browser has what it was told that it has, and no other's.
    for runner, answer in zip(taking, answers, strict=True):
        if runner.secret and not isinstance(answer, BaseException):
            own = racing.claims().own(whole, runner.secret)
            assert own is not None, told
            assert own.hash == getattr(answer, "hash", None), told
    secrets = [claim.secret for claim in whole.claims if claim.secret != NOBODY]
    assert len(set(secrets)) == len(secrets), told
    if whole.order.auto_issue and whole.paid_at and not whole.order.cancelled_at:
        assert whole.state(NOW) == "claimed", told


def test_a_kill_at_every_step_is_gone_on_with(racing: Racing) -> None:
    numbers = count(RACES)
    for step in ("begin_claim", "issue", "finish_claim"):
        for after in (False, True):
            for goes_on in ("same", "other", "till looks"):
                whole = racing.order(next(numbers))
                mine = phone(racing, whole, "a" * 32, "甲")
                other = phone(racing, whole, "b" * 32, "乙")
                dead = racing.claims(dies=step, after=after)
                assert isinstance(attempt(partial(mine.run, dead)), DiedError)
                if goes_on == "other":
                    attempt(partial(other.run, racing.claims()))
                if goes_on != "same":
                    racing.claims().one(racing.merchant, whole.order.id)
                attempt(partial(mine.run, racing.claims()))
                found = racing.claims().one(racing.merchant, whole.order.id)
                assert [hash_ for hash_, _ in racing.invoices(whole.order)] == [
                    claim.hash for claim in found.claims
                ]
                begun = step != "begin_claim" or after
                own = racing.claims().own(found, "a" * 32)
                assert (own is not None) == (begun or goes_on != "other")


def test_money_that_came_before_a_kill_is_not_forgotten(racing: Racing) -> None:
    for number, (step, after) in enumerate(
        (step, after) for step in STEPS[:4] for after in (False, True)
    ):
        whole = racing.order(2 * RACES + number, auto_issue=True)
        dead = racing.claims(dies=step, after=after)
        assert isinstance(attempt(partial(payer(whole).run, dead)), DiedError)
        if step == "add_payment" and not after:
            payer(whole).run(racing.claims())  # it comes again: it was not acknowledged
        racing.claims().settle_begun(racing.merchant)
        found = racing.store.order(whole.order.id, None)
        assert found is not None
        assert found.state(NOW) == "claimed"
        assert len(racing.invoices(whole.order)) == 1


def test_a_payment_by_the_same_reference_is_one(racing: Racing) -> None:
    whole = racing.order(3 * RACES)
    payment = Payment(by="wechat", reference="r", amount=whole.order.total, at=NOW)
    assert [racing.claims().pay(whole, payment) for _ in range(3)] == [True, False, False]
