"""Returns under load, and kill -9 of one program after the other: each is taken once, and right.

One caller in three hangs up before the answer comes, and asks again.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection
from itertools import cycle
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest

from chain.errors import ConflictError
from invoice_service.commands.remote import Remote
from invoice_service.domain.document import read_lines
from invoice_service.domain.returns import left_of
from invoice_service.wiring import Instance, open_instance
from tests.journeys.service import Service
from tests.patience import NEVER, PATIENCE
from tests.services.sales_model import Back, Blue, Dish, Sale, served, split

MENU = (
    Dish(2800, "9", "0.06", off=100),
    Dish(1000, "7", "0.13"),
    Dish(333, "30", "0 exempt"),
)
GUESTS = 8
"""Invoices that things are taken back of."""

VICTIMS = [("issuer", 0), ("web", 1), ("issuer", 0), ("worker", 0), ("web", 0), ("issuer", 0)]
AT_ONCE = 6


class Wish(NamedTuple):
    """A return that somebody wants, under a key or, where no other is like it, without."""

    guest: int
    back: Back
    key: str


def _wishes(guest: int) -> Iterator[Wish]:
    """Lines and amounts at every rate, most of it, some of them alike."""
    for n in range(6):
        yield Wish(guest, Back(lines=((1, "1"),)), f"coffee-{guest}-{n}")
        yield Wish(guest, Back(lines=((3, "0.5"), (4, "1.5"))), f"both-{guest}-{n}")
        yield Wish(guest, Back(amount=11 + n, rate="0.06"), "")
        yield Wish(guest, Back(amount=7, rate="0.13"), f"money-{guest}-{n}")
        yield Wish(guest, Back(lines=((4, f"0.{n + 1}"),)), "")


@pytest.mark.slow
def test_returns_through_kills_are_taken_once_and_what_is_left_is_right(service: Service) -> None:
    number, key = service.admit()
    service.start()
    till = service.remote(key, patience=NEVER)
    sold = [_sell(till, guest) for guest in range(GUESTS)]
    wishes = [wish for guest in range(GUESTS) for wish in _wishes(guest)]
    Random(1).shuffle(wishes)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        taking = [
            pool.submit(_take, till, key if n % 3 == 0 else "", sold[wish.guest], wish)
            for n, wish in enumerate(wishes)
        ]
        for victim in cycle(VICTIMS):
            if all(one.done() for one in taking):
                break
            service.kill(*victim)
        reds = [one.result() for one in taking]
    assert len(set(reds)) == len(wishes), "one return, one red invoice"
    service.wait_until_anchored(GUESTS + len(wishes))
    with closing(open_instance(service.config)) as instance:
        _check(instance, sold, dict(zip(reds, wishes, strict=True)))
    audit = service.asked("audit")
    assert (audit["clean"], audit["invoices"]) == (True, GUESTS + len(wishes))
    # The rest of each goes by hand, and nothing is left of any.
    for hash_ in sold:
        said = service.asked("reverse", hash_, "--reason", "SALES_RETURN", "--merchant", number)
        assert said["invoice"]["left"] == 0
    report = service.official().get_json("/v1/reports/totals")
    assert report["gross"]["count"] == GUESTS


def _sell(till: Remote, guest: int) -> str:
    sale = Sale(f"guest-{guest}", MENU)
    body = json.dumps({"order_id": sale.number, **sale.fields({})}).encode()
    hash_: str = json.loads(till.post("/v1/invoices", body))["hash"]
    return hash_


def _take(till: Remote, impatient: str, blue: str, wish: Wish) -> str:
    """The hash of the red invoice, however often it has to be asked for.

    ``impatient`` is the API key of who does not wait for the first answer, or "".
    """
    path, body = f"/v1/invoices/{blue}/reversals", msgspec.json.encode(wish.back.request)
    if impatient:
        _hang_up(till.url, path, body, impatient, wish.key)
    try:
        _, answer = till.post_named(path, body, wish.key)
    except ConflictError as problem:
        if wish.key or problem.code != "return_repeated":
            raise
        return str(problem.extra["first_hash"])  # an answer was lost, and it was asked again
    hash_: str = json.loads(answer)["hash"]
    return hash_


def _hang_up(url: str, path: str, body: bytes, api_key: str, key: str) -> None:
    """Send the whole of a request, and leave."""
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    with suppress(OSError):
        line = HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
        line.request("POST", path, body, headers)
        line.close()


def _check(instance: Instance, sold: list[str], wishes: dict[str, Wish]) -> None:
    """No number is missing, no red one doubled or lost, and each took what the model takes."""
    store = instance.store
    rows = [store.invoice_at(seq) for seq in range(1, store.last_seq() + 1)]
    assert [row and int(row.number) for row in rows] == list(range(1, len(rows) + 1))
    blues = {row.hash: row for row in rows if row is not None and row.type == "blue"}
    assert len(rows) == len(blues) + len(wishes)
    for guest, hash_ in enumerate(sold):
        blue, reds = blues[hash_], store.returns_of(blues[hash_].seq)
        model = Blue(Sale(f"guest-{guest}", MENU), blue.seq, 0, keyed=False, left=served(MENU))
        for red in reds:
            before, wish = model.stands, wishes.pop(red.hash)
            assert (wish.guest, model.take(wish.back)) == (guest, "")
            assert red.total == model.stands - before
        left = left_of(read_lines(blue.lines), [read_lines(red.lines) for red in reds])
        assert [(one.number, one.quantity, one.gross, one.net) for one in left] == [
            (one.number, int(one.count * 1_000_000), one.gross, one.net) for one in model.left
        ]
        assert _by_rate([blue, *reds]) == {one.rate: split(one.net, one.rate) for one in model.left}
    assert not wishes, "a red invoice is lost"


def _by_rate(invoices: list[Any]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for name, amount, tax in (rate for invoice in invoices for rate in invoice.rates):
        before = found.get(name, (0, 0))
        found[name] = before[0] + amount, before[1] + tax
    return found
