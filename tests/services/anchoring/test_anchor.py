"""Anchoring: each invoice once and in order, whatever others do, however a run ends."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from chain.block import Block, Head
from chain.commitment import anchor
from chain.entry import AnchorEntry, SealEntry, parse_entry
from chain.errors import ConflictError, UnavailableError, VerificationError
from invoice_service.domain.acts import By
from invoice_service.domain.clock import MAX_FORWARDS, Known
from invoice_service.services.anchoring.anchor import (
    anchor_pending,
    invoice_entries,
    invoice_entry,
)
from invoice_service.services.ports import PendingInvoice
from tests.services.town import NOON, Town


def test_invoices_stand_in_the_log_in_the_order_of_issue(town: Town) -> None:
    issued = town.issue(5)
    done = town.anchor()
    assert (done.blocks, done.invoices, done.size) == (1, 5, 6)
    assert town.anchored() == [0, 1, 2, 3, 4]
    digests = [row.digest for row in town.store.invoices_after(0, 10)]
    entries = [parse_entry(town.log.entry(index)) for index in range(6)]
    assert [entry.anchor for entry in entries[:5] if isinstance(entry, AnchorEntry)] == [
        anchor(digest).hex() for digest in digests
    ]
    seal = entries[5]
    assert isinstance(seal, SealEntry)
    assert (seal.height, seal.first, seal.count) == (1, 0, 5)
    assert len(issued) == 5


def test_a_red_invoice_names_whom_it_reverses(town: Town) -> None:
    blue = town.issue(1)[0]
    red = town.reverse(blue)
    town.anchor()
    rows = town.store.invoices_after(0, 2)
    entry = parse_entry(town.log.entry(1))
    assert entry == AnchorEntry(
        anchor=anchor(rows[red.seq - 1].digest).hex(),
        reverses=anchor(rows[blue.seq - 1].digest).hex(),
        reversal="full",
    )


def test_entries_made_at_once_are_those_made_one_by_one(town: Town) -> None:
    """The audit makes them one by one."""
    issued = town.issue(7)
    town.reverse(issued[2])
    pending = town.store.invoices_after(0, 100)
    assert invoice_entries(pending) == [invoice_entry(invoice) for invoice in pending]
    assert len(pending) == 8


def test_nothing_pending_adds_no_block(town: Town) -> None:
    assert town.anchor().blocks == 0
    town.issue(1)
    assert town.anchor().blocks == 1
    before = town.log.head()
    assert town.anchor().blocks == 0
    assert town.log.head() == before


def test_what_was_anchored_is_published(town: Town) -> None:
    town.issue(3)
    done = town.anchor()
    checkpoint, note = town.log.latest_checkpoint()
    assert checkpoint.size == done.size == town.log.head().size
    assert (town.folder / "log" / "checkpoint").read_bytes() == note


def test_a_long_queue_becomes_several_blocks(town: Town) -> None:
    town.anchoring = replace(town.anchoring, max_block=4)
    town.issue(11)
    progress: list[int] = []
    done = anchor_pending(town.anchoring, progress.append)
    assert (done.blocks, done.invoices) == (3, 11)
    assert progress == [4, 8, 11]
    assert [block.cursor for block in town.log.blocks()] == [4, 8, 11]
    assert town.anchored() == [0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12]


def test_a_queue_of_whole_blocks_is_emptied_too(town: Town) -> None:
    town.anchoring = replace(town.anchoring, max_block=4)
    town.issue(8)
    assert town.anchor().blocks == 2
    assert town.anchor().blocks == 0


def test_a_run_does_not_chase_new_invoices_for_ever(town: Town) -> None:
    """While customers keep coming, a run still ends, and the next tick takes the rest."""
    town.issue(1)
    reads = 0

    class Busy:
        def invoices_after(self, seq: int, limit: int) -> Sequence[PendingInvoice]:
            nonlocal reads
            reads += 1
            town.issue(1)
            return town.store.invoices_after(seq, limit)

    done = anchor_pending(replace(town.anchoring, invoices=Busy()))
    assert done.blocks == 1
    assert reads == 1


def test_a_seal_carries_the_clock(town: Town) -> None:
    town.issue(1)
    town.anchor()
    assert town.log.block(1).sealed_at == NOON


def test_a_clock_set_back_repeats_the_last_time(town: Town) -> None:
    town.issue(1)
    town.anchor()
    town.issue(1)
    town.pass_days(-0.01)
    town.anchor()
    assert town.log.block(2).sealed_at == NOON


class _Raced:
    """The log as a slow worker meets it: another anchors between its reading and its writing."""

    def __init__(self, town: Town, times: int) -> None:
        self._town = town
        self._times = times

    def sequence(
        self, expected: Head, drafts: Sequence[bytes], *, sealed_at: datetime, cursor: int
    ) -> Block:
        if self._times:
            self._times -= 1
            self._town.anchor()
        return self._town.log.sequence(expected, drafts, sealed_at=sealed_at, cursor=cursor)

    def __getattr__(self, name: str) -> object:
        return getattr(self._town.log, name)


def _raced(town: Town, times: int) -> object:
    return replace(town.anchoring, log=_Raced(town, times))  # type: ignore[arg-type]


def test_a_lost_race_is_no_error_and_doubles_nothing(town: Town) -> None:
    town.issue(3)
    done = anchor_pending(_raced(town, 1))  # type: ignore[arg-type]
    assert done.blocks == 0
    assert [block.count for block in town.log.blocks()] == [3]
    assert town.anchored() == [0, 1, 2]


def test_after_a_lost_race_the_rest_is_taken(town: Town) -> None:
    town.anchoring = replace(town.anchoring, max_block=2)
    town.issue(2)
    raced = _raced(town, 1)
    done = anchor_pending(raced)  # type: ignore[arg-type]
    town.issue(3)
    assert done.invoices == 0
    assert anchor_pending(raced).invoices == 3  # type: ignore[arg-type]
    assert town.anchored() == [0, 1, 3, 4, 6]


def test_another_conflict_is_not_taken_for_a_race(town: Town) -> None:
    """A row that the log holds already means that something is wrong, not that one was slow."""
    town.issue(1)

    class Broken(_Raced):
        def sequence(
            self, expected: Head, drafts: Sequence[bytes], *, sealed_at: datetime, cursor: int
        ) -> Block:
            raise ConflictError("already_in_log", "this stands in the log already")

    parts = replace(town.anchoring, log=Broken(town, 0))  # type: ignore[arg-type]
    with pytest.raises(ConflictError, match="already_in_log"):
        anchor_pending(parts)


def test_what_a_killed_worker_sequenced_is_published_by_the_next(town: Town) -> None:
    town.issue(2)
    head = town.log.head()
    drafts = [b'{"anchor":"%s","kind":"invoice"}' % (b"%02x" % n * 32) for n in range(2)]
    town.log.sequence(head, drafts, sealed_at=NOON, cursor=2)
    assert town.anchor().blocks == 0
    assert town.log.latest_checkpoint()[0].size == 3
    assert town.store.totals.last_height() == 1


def test_a_checkpoint_file_that_was_not_written_is_written_by_the_next(town: Town) -> None:
    town.issue(2)
    town.anchor()
    (town.folder / "log" / "checkpoint").unlink()
    town.anchor()
    assert (town.folder / "log" / "checkpoint").read_bytes() == town.log.latest_checkpoint()[1]


def test_a_failed_signature_loses_nothing(town: Town) -> None:
    town.issue(2)

    class Full(_Raced):
        def publish(self, *_: object, **__: object) -> object:
            raise UnavailableError("disk_full", "there is no space left")

    with pytest.raises(UnavailableError, match="disk_full"):
        anchor_pending(replace(town.anchoring, log=Full(town, 0)))  # type: ignore[arg-type]
    assert town.anchor().invoices == 2
    assert town.anchored() == [0, 1]


class _Restored:
    """The invoices as an older copy of the database would give them."""

    def __init__(self, rows: list[PendingInvoice]) -> None:
        self._rows = rows

    def invoices_after(self, seq: int, limit: int) -> Sequence[PendingInvoice]:
        return [row for row in self._rows if row.seq > seq][:limit]


def test_an_invoice_database_behind_the_log_is_noticed(town: Town) -> None:
    """Else it would give out numbers again that the log has, and never anchor those invoices."""
    town.issue(3)
    town.anchor()
    old = _Restored(town.store.invoices_after(0, 2))
    with pytest.raises(VerificationError, match="invoices_missing"):
        anchor_pending(replace(town.anchoring, invoices=old))


def test_other_invoices_under_the_same_numbers_are_noticed(town: Town) -> None:
    town.issue(3)
    town.anchor()
    rows = town.store.invoices_after(0, 3)
    other = msgspec.structs.replace(rows[2], digest=anchor(rows[2].digest))
    later = msgspec.structs.replace(other, seq=4)
    restored = _Restored([*rows[:2], other, later])
    before = town.log.head()
    with pytest.raises(VerificationError, match="invoices_differ"):
        anchor_pending(replace(town.anchoring, invoices=restored))
    assert town.log.head() == before


def test_a_leap_of_the_clock_seals_and_closes_nothing_until_it_is_confirmed(town: Town) -> None:
    """Four hundred days ahead, with invoices that wait and without."""
    town.anchoring = replace(town.anchoring, max_forwards=MAX_FORWARDS)
    town.issue(1)
    town.anchor()
    for waiting in (0, 2):
        town.issue(waiting)
        before = town.log.head()
        town.pass_days(400)
        with pytest.raises(UnavailableError, match="clock_ahead"):
            town.anchor()
        assert town.log.head() == before
        town.pass_days(-400)
    town.pass_days(400)
    town.store.confirm_clock(By("machine:wang", int(town.now.timestamp())))
    done = town.anchor()
    assert (done.blocks, done.invoices) == (1, 2)


def test_the_first_seal_is_held_against_the_invoices(town: Town) -> None:
    town.anchoring = replace(town.anchoring, max_forwards=MAX_FORWARDS)
    town.issue(1)
    town.pass_days(400)
    with pytest.raises(UnavailableError, match="clock_ahead"):
        town.anchor()
    assert town.log.head().size == 0


def test_leaps_that_sum_up_seal_nothing(town: Town) -> None:
    now = int(town.now.timestamp())
    known = Known(issued=now, reckoned=now - MAX_FORWARDS - 1)
    town.anchoring = replace(town.anchoring, known=lambda: known, max_forwards=MAX_FORWARDS)
    town.issue(1)
    with pytest.raises(UnavailableError, match="clock_ahead"):
        town.anchor()
    assert town.log.head().size == 0


def test_a_clock_that_is_believed_is_noted_and_one_that_is_not_is_not(town: Town) -> None:
    noted: list[int] = []
    town.anchoring = replace(town.anchoring, note=noted.append, max_forwards=MAX_FORWARDS)
    town.issue(1)
    town.anchor()
    assert set(noted) == {int(town.now.timestamp())}
    noted.clear()
    town.pass_days(400)
    with pytest.raises(UnavailableError, match="clock_ahead"):
        town.anchor()
    assert noted == []


def test_a_clock_that_cannot_be_noted_stops_no_seal(town: Town) -> None:
    def refuse(_: int) -> None:
        raise UnavailableError("disk_full", "full")

    town.anchoring = replace(town.anchoring, note=refuse)
    town.issue(1)
    done = town.anchor()
    assert (done.invoices, [problem.code for problem in done.left]) == (1, ["disk_full"])


def test_anchoring_folds_the_invoices_into_their_file(town: Town, tmp_path: Path) -> None:
    """Else an issue would have to, and all who issue would wait for it."""
    town.issue(3)
    town.anchor()
    alone = tmp_path / "alone.db"
    alone.write_bytes((town.folder / "invoices.db").read_bytes())
    with closing(sqlite3.connect(alone)) as connection:
        assert connection.execute("SELECT count(*) FROM invoices").fetchone() == (3,)


def test_a_file_that_cannot_be_folded_stops_no_seal(town: Town) -> None:
    def refuse() -> None:
        raise UnavailableError("disk_full", "full")

    town.anchoring = replace(town.anchoring, fold=refuse)
    town.issue(1)
    done = town.anchor()
    assert (done.invoices, [problem.code for problem in done.left]) == (1, ["disk_full"])


def test_what_was_sealed_before_a_leap_is_published_all_the_same(town: Town) -> None:
    town.anchoring = replace(town.anchoring, max_forwards=MAX_FORWARDS)
    town.issue(2)
    town.anchor()
    (town.folder / "log" / "checkpoint").unlink()
    town.pass_days(400)
    with pytest.raises(UnavailableError, match="clock_ahead"):
        town.anchor()
    assert town.log.latest_checkpoint()[0].size == 3
