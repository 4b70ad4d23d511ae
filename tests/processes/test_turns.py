"""Whose turn it is: few before many, nobody for ever behind the others."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import Problem
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.processes.issuer import IssuerClient
from invoice_service.processes.turns import FEW, ROUND, Turns
from tests.issuing import SOCKET, Refusing, direct, running
from tests.patience import NEVER, growing, wait_until
from tests.storage.shop import Shop, codes


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop in ``tmp_path``."""
    shop = Shop(tmp_path)
    yield shop
    shop.store.close()


def waiting(shop: Shop, *counts: int) -> Turns[str]:
    """Clients a, b, c, … each with so many records."""
    turns: Turns[str] = Turns()
    draft = shop.draft("A-1")
    for place, count in enumerate(counts):
        turns.add(chr(ord("a") + place), [draft] * count)
    return turns


def rounds(turns: Turns[str]) -> list[str]:
    """Who is served together, until nobody waits."""
    found = []
    while turns:
        found.append("".join(turn.client for turn in turns.next()))
    return found


def test_few_go_first_and_together(shop: Shop) -> None:
    assert rounds(waiting(shop, 100, 1, FEW, 0)) == ["bcd", "a"]


def test_a_round_of_many_has_an_end(shop: Shop) -> None:
    assert rounds(waiting(shop, ROUND, 100, 100, 1 + FEW, 500)) == ["a", "bc", "d", "e"]


def test_few_and_many_take_turns(shop: Shop) -> None:
    turns = waiting(shop, 150, 150, 1)
    served = []
    for _ in range(4):
        served.append("".join(turn.client for turn in turns.next()))
        turns.add("f", [shop.draft("A-2")])  # a till that never rests
    assert served == ["c", "a", "ff", "b"]


def test_where_nobody_waits_there_is_nothing(shop: Shop) -> None:
    assert waiting(shop).next() == []
    assert not waiting(shop)


@given(counts=st.lists(st.integers(0, 400), max_size=20))
def test_everybody_has_one_turn(counts: list[int]) -> None:
    turns: Turns[int] = Turns()
    for client, count in enumerate(counts):
        turns.add(client, [None] * count)  # type: ignore[list-item]  # only counted
    served = []
    while turns:
        together = turns.next()
        assert together
        served += [(turn.client, len(turn.records)) for turn in together]
    assert sorted(served) == list(enumerate(counts))


class Gate:
    """An issuer that lets one round through at a time."""

    def __init__(self, inner: Callable[[Sequence[Prepared]], list[Issued | Problem]]) -> None:
        self._inner = inner
        self.rounds: list[list[str]] = []
        self.open = threading.Semaphore(0)

    def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        if batch:
            self.rounds.append([record.order_id for record in batch])
            self.open.acquire()
        return self._inner(batch)


def _rounds(shop: Shop, folder: Path, pause: float) -> list[list[str]]:
    """Eight batches are there first; the till asks within ``pause`` seconds, then all is issued."""
    gate = Gate(direct(shop).issue)
    client = IssuerClient(folder / SOCKET, Refusing(), patience=NEVER)
    batches = [[shop.draft(f"B{n}-{i}-{pause}") for i in range(400)] for n in range(8)]
    with running(folder, gate), ThreadPoolExecutor(9) as pool:
        many = [pool.submit(client.issue, batch) for batch in batches]
        wait_until(lambda: len(gate.rounds) == 1, "the first is taken")
        one = pool.submit(client.issue, [shop.draft(f"TILL-{pause}")])
        threading.Event().wait(pause)
        gate.open.release(1000)
        assert codes(one.result()) == ["issued"]
        assert codes([answer for batch in many for answer in batch.result()]) == ["issued"] * 3200
    return gate.rounds


def test_a_till_is_served_while_batches_still_wait(shop: Shop, tmp_path: Path) -> None:
    """It comes last of all, and is done before them."""
    for pause in growing(0.5):  # on a busy machine it asks late, and fewer batches wait by then
        rounds = _rounds(shop, tmp_path, pause)
        assert all(len(together) <= ROUND for together in rounds)
        if 0 < rounds.index([f"TILL-{pause}"]) < len(rounds) - 1:
            return
    pytest.fail("the till is always the last")
