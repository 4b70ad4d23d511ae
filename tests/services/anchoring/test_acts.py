"""Acts get into the log: each once and in order, with invoices and without, whatever others do."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from chain.block import Block, Head
from chain.commitment import act_digest
from chain.entry import ActEntry, act_key, parse_entry
from chain.errors import MalformedError, UnavailableError
from invoice_service.domain.acts import By, LoggedAct
from invoice_service.services.anchoring import acts as anchoring_acts
from invoice_service.services.anchoring.acts import acts_waiting, last_in_log, waiting_acts
from invoice_service.services.anchoring.anchor import anchor_pending
from tests.services.town import Town

ADMITTED = 3
"""Merchants of a town, each with its act of admission."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town whose merchants are admitted, and whose worker knows acts."""
    town = Town(tmp_path, acts=True)
    town.settle_in()
    assert len(town.merchants) == ADMITTED
    yield town
    town.close()


def decide(town: Town, count: int = 1) -> list[LoggedAct]:
    """Set a quota so many times; the acts."""
    before = town.store.last_logged_act()
    for number in range(count):
        town.store.set_quota(1, 100 + number, By("key:7", int(town.now.timestamp())))
    return town.store.logged_acts(before, count)


def in_log(town: Town) -> list[int]:
    """The places in the log of all acts, in their order; each entry is the act's."""
    places = []
    for act in town.store.logged_acts(0, 10_000):
        index = town.log.find(act_key(act.commitment))
        assert index is not None
        assert town.log.entry(index) == act.entry()
        places.append(index)
    assert places == sorted(set(places))
    head = town.log.head()
    entries = [parse_entry(town.log.entry(index)) for index in range(head.size)]
    assert sum(isinstance(entry, ActEntry) for entry in entries) == len(places)
    return places


def test_those_that_wait_are_counted_from_the_oldest_on(town: Town) -> None:
    assert acts_waiting(town.store, town.log)[0] == ADMITTED
    town.anchor()
    assert acts_waiting(town.store, town.log) == (0, 0)
    since = int(town.now.timestamp())
    decide(town, 2)
    town.pass_days(1)
    decide(town, 300)
    assert acts_waiting(town.store, town.log) == (302, since)


def test_a_document_that_is_none_is_said_so(town: Town) -> None:
    town.anchor()
    (act,) = decide(town)

    class Damaged:
        def last_logged_act(self) -> int:
            return town.store.last_logged_act()

        def logged_acts(self, after: int, limit: int) -> list[LoggedAct]:
            rows = town.store.logged_acts(after, limit)
            hurt = msgspec.structs.replace
            return [hurt(row, document=b"{") if row.seq == act.seq else row for row in rows]

    with pytest.raises(MalformedError):
        acts_waiting(Damaged(), town.log)


def test_a_log_without_invoices_is_sealed_for_acts(town: Town) -> None:
    done = town.anchor()
    assert (done.blocks, done.invoices, done.acts, done.size) == (1, 0, ADMITTED, ADMITTED + 1)
    assert in_log(town) == [0, 1, 2]
    assert town.log.latest_checkpoint()[0].size == ADMITTED + 1
    assert town.log.head().cursor == 0
    assert town.audit().logged.pending == 0


def test_nothing_new_adds_no_block(town: Town) -> None:
    town.anchor()
    before = town.log.head()
    assert (town.anchor().blocks, town.log.head()) == (0, before)


def test_acts_stand_behind_the_invoices_of_their_block(town: Town) -> None:
    town.issue(2)
    town.anchor()
    town.pass_days(1)
    town.issue(2)
    decide(town)
    done = town.anchor()
    assert (done.blocks, done.invoices, done.acts) == (1, 2, 1)
    assert town.anchored() == [0, 1, 7, 8]  # a closing stands at 6
    assert in_log(town) == [2, 3, 4, 9]
    town.audit()


def test_many_acts_take_several_blocks(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchoring_acts, "ACTS_A_BLOCK", 4)
    monkeypatch.setattr("invoice_service.services.anchoring.anchor.ACTS_A_BLOCK", 4)
    decide(town, 10)
    town.issue(1)
    done = town.anchor()
    assert (done.blocks, done.invoices, done.acts) == (4, 1, ADMITTED + 10)
    in_log(town)
    assert town.anchor().blocks == 0
    town.audit()


@pytest.mark.parametrize("known", range(8))
def test_the_last_one_in_the_log_is_found_wherever_it_is(town: Town, known: int) -> None:
    acts = [*town.store.logged_acts(0, 9), *decide(town, 4)]
    assert len(acts) == 7
    if known:
        town.log.sequence(
            town.log.head(), [act.entry() for act in acts[:known]], sealed_at=town.now, cursor=0
        )
    assert last_in_log(town.store, town.log) == known
    assert waiting_acts(town.store, town.log) == acts[known:]
    for size in range(known + 1):
        assert last_in_log(town.store, town.log, size) == size
    town.anchor()
    in_log(town)


class _Raced:
    """The log as a slow worker meets it: another anchors between its reading and its writing."""

    def __init__(self, town: Town) -> None:
        self._town, self._times = town, 1

    def sequence(
        self, expected: Head, drafts: Sequence[bytes], *, sealed_at: datetime, cursor: int
    ) -> Block:
        if self._times:
            self._times = 0
            self._town.anchor()
        return self._town.log.sequence(expected, drafts, sealed_at=sealed_at, cursor=cursor)

    def __getattr__(self, name: str) -> object:
        return getattr(self._town.log, name)


def test_a_lost_race_doubles_nothing(town: Town) -> None:
    decide(town, 3)
    slow = replace(town.anchoring, log=_Raced(town))  # type: ignore[arg-type]
    assert anchor_pending(slow).acts == 0
    in_log(town)


def test_acts_that_cannot_be_read_stop_no_invoice(town: Town) -> None:
    class Away:
        def last_logged_act(self) -> int:
            raise UnavailableError("record_damaged", "the row is damaged")

        def logged_acts(self, after: int, limit: int) -> Sequence[LoggedAct]:
            raise AssertionError((after, limit))

    town.issue(2)
    done = anchor_pending(replace(town.anchoring, acts=Away()))
    assert (done.invoices, done.acts) == (2, 0)
    assert [problem.code for problem in done.left] == ["record_damaged"]
    assert town.anchor().acts == ADMITTED


def test_a_row_changed_behind_our_back_stops_no_invoice(town: Town) -> None:
    """What is looked for in the log is not there; what comes after it is, and is not offered."""
    decide(town, 4)
    town.anchor()
    rows = town.store.logged_acts(0, 9)

    class Changed:
        def last_logged_act(self) -> int:
            return len(rows) + 1

        def logged_acts(self, after: int, limit: int) -> Sequence[LoggedAct]:
            return [act for act in changed if act.seq > after][:limit]

    new = decide(town)[0]
    changed = [*rows[:3], _salted_anew(rows[3]), *rows[4:], new]
    town.issue(1)
    done = anchor_pending(replace(town.anchoring, acts=Changed()))
    assert done.invoices == 1
    assert town.log.find(act_key(new.commitment)) is not None


def _salted_anew(act: LoggedAct) -> LoggedAct:
    salt = bytes(16)
    commitment = act_digest(salt, act.document)
    return msgspec.structs.replace(act, salt=salt, commitment=commitment)
