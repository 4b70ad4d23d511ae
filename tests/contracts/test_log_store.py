"""What every log store keeps, whichever database is below it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from msgspec import structs

from chain.audit.audit import AuditStore, audit_log
from chain.block import Block, Head, Located, Row, StoredCheckpoint
from chain.errors import ConflictError, Problem
from chain.hashing import EMPTY_ROOT, ZERO, sha256
from chain.log.database import SqliteLogStore
from chain.log.log import Log, LogStore
from chain.signing.note import Signature
from chain.tree.merkle import Edge
from chain.tree.tiles import TileFolder
from tests.chain.books import ORIGIN, SIGNER, drafts_from
from tests.contracts.made_up import NOON, block_after, fill
from tests.contracts.memory import LogMemory, MemoryLogStore


class Store(LogStore, AuditStore, Protocol):
    """What the log and its audit ask for together."""


Open = Callable[[], Store]


@pytest.fixture(params=["sqlite", "memory"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Open the same store again, as another worker would."""
    if request.param == "memory":
        return partial(MemoryLogStore, LogMemory())
    return partial(SqliteLogStore, tmp_path / "log.db")


def test_nodes_of_the_state_map_come_with_their_block(open_store: Open) -> None:
    store = open_store()
    fill(store, 1, 1)
    assert store.state_node(sha256(b"node 0")) == b"body 0"
    assert store.state_node(sha256(b"node 1")) == b"body 1"
    rows, block = block_after(store.head(), 1)
    with pytest.raises(ConflictError):
        store.append(replace(store.head(), cursor=9), rows, block, {sha256(b"lost"): b"lost"})
    assert store.state_node(sha256(b"lost")) is None
    again = {sha256(b"node 0"): b"body 0", sha256(b"new"): b"new"}
    store.append(store.head(), rows, block, again)  # a node that comes back is no conflict
    assert store.state_node(sha256(b"new")) == b"new"


def test_a_new_log_is_empty(open_store: Open) -> None:
    store = open_store()
    assert store.head() == Head(0, 0, EMPTY_ROOT, Edge().to_bytes(), ZERO, None, 0)
    assert store.origin() is None
    assert store.latest_checkpoint() is None
    assert store.blocks(0, 10) == []
    assert list(store.rows(0, 10)) == []
    assert store.find(ZERO) is None
    assert store.entry(0) is None


def test_what_was_appended_is_read_by_another(open_store: Open) -> None:
    first, second = fill(open_store(), 3, 1500)
    store = open_store()
    assert store.head() == second.head()
    assert [store.block(height) for height in (0, 1, 2, 3)] == [None, first, second, None]
    assert store.block_of_size(first.size) == first
    assert store.block_of_size(first.size - 1) is None
    assert [store.block_of(index) for index in (0, 3, 4, 1504, 1505)] == [
        first,
        first,
        second,
        second,
        None,
    ]
    assert store.blocks(0, 1) == [first]
    assert store.blocks(1, 9) == [second]
    assert store.entry(2) == b"entry 2"
    assert store.entry(3) == b"seal"
    assert store.find(sha256(b"key 7")) == 7
    assert store.find(sha256(b"key 3")) is None  # the seal's place
    assert store.locate(sha256(b"key 2")) == Located(2, b"entry 2", first.size)
    assert store.locate(sha256(b"key 4")) == Located(4, b"entry 4", second.size)
    assert store.locate(sha256(b"key 3")) is None


def test_rows_are_streamed_in_order(open_store: Open) -> None:
    store = open_store()
    fill(store, 3000)
    rows = list(store.rows(10, 2900))
    assert [row.index for row in rows] == list(range(10, 2900))
    assert rows[0] == Row(10, b"entry 10", sha256(b"key 10"))
    assert list(store.rows(3000, 3005)) == [Row(3000, b"seal", None)]


def test_the_head_moves_by_compare_and_swap(open_store: Open) -> None:
    mine, other = open_store(), open_store()
    seen = mine.head()
    fill(other, 2)
    rows, block = block_after(seen, 5)
    with pytest.raises(ConflictError) as refused:
        mine.append(seen, rows, block, {})
    assert refused.value.code == "log_moved"
    assert [row.entry for row in mine.rows(0, 99)] == [b"entry 0", b"entry 1", b"seal"]


@pytest.mark.parametrize("field", ["height", "size", "root", "edge", "seal", "sealed_at", "cursor"])
def test_every_part_of_the_head_is_compared(open_store: Open, field: str) -> None:
    store = open_store()
    fill(store, 2)
    head = store.head()
    others: dict[str, object] = {
        "height": 2,
        "size": 4,
        "root": ZERO,
        "edge": b"",
        "seal": ZERO,
        "sealed_at": NOON + timedelta(days=1),
        "cursor": 1,
    }
    rows, block = block_after(head, 1)
    with pytest.raises(ConflictError, match="log_moved"):
        store.append(replace(head, **{field: others[field]}), rows, block, {})  # type: ignore[arg-type]  # one of many fields


def _append_once(store: Store, start: Callable[[], object], head: Head, name: bytes) -> str:
    rows, block = block_after(head, 200)
    rows[0] = structs.replace(rows[0], entry=name)
    start()
    try:
        store.append(head, rows, block, {})
    except Problem as problem:
        return problem.code
    return "won"


def test_of_many_threads_at_once_one_wins(open_store: Open) -> None:
    head = open_store().head()
    gate, stores = threading.Barrier(4), [open_store() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        outcomes = pool.map(lambda n: _append_once(stores[n], gate.wait, head, b"%d" % n), range(4))
        assert sorted(outcomes) == ["log_moved"] * 3 + ["won"]
    assert len(list(open_store().rows(0, 999))) == open_store().head().size == 201


def test_threads_share_one_store(open_store: Open) -> None:
    store = open_store()
    fill(store, 500)
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda index: store.find(sha256(b"key %d" % index)), range(500))
        assert list(found) == list(range(500))


@pytest.mark.parametrize("twice", ["in the log", "in the block"])
def test_a_key_stands_in_the_log_once(open_store: Open, twice: str) -> None:
    store = open_store()
    fill(store, 3)
    head = store.head()
    rows, block = block_after(head, 2)
    key = sha256(b"key 1") if twice == "in the log" else rows[0].key
    rows[1] = structs.replace(rows[1], key=key)
    with pytest.raises(ConflictError) as refused:
        store.append(head, rows, block, {})
    assert refused.value.code == "already_in_log"
    assert store.head() == head
    assert len(list(store.rows(0, 99))) == head.size


def test_a_log_keeps_its_name(open_store: Open) -> None:
    open_store().bind_origin("a.example/log")
    open_store().bind_origin("a.example/log")
    with pytest.raises(ConflictError, match="origin_differs"):
        open_store().bind_origin("b.example/log")
    assert open_store().origin() == "a.example/log"


def test_checkpoints_are_kept_once(open_store: Open) -> None:
    store = open_store()
    empty, full = StoredCheckpoint(0, b"empty"), StoredCheckpoint(3, b"full")
    store.add_checkpoint(empty, None)
    fill(store, 2)
    store.add_checkpoint(full, NOON)
    open_store().add_checkpoint(full, NOON + timedelta(days=1))  # the same again: nothing happens
    assert store.latest_checkpoint() == full
    assert store.checkpoint(0) == empty
    assert store.checkpoint(1) is None
    assert store.checkpoints(-1, 9) == [empty, full]
    assert store.checkpoints(0, 9) == [full]
    assert store.checkpoints(-1, 1) == [empty]


def test_a_second_note_for_a_size_is_refused(open_store: Open) -> None:
    store = open_store()
    store.add_checkpoint(StoredCheckpoint(0, b"one"), None)
    with pytest.raises(ConflictError) as refused:
        store.add_checkpoint(StoredCheckpoint(0, b"other"), None)
    assert refused.value.code == "checkpoint_differs"
    assert store.checkpoints(-1, 9) == [StoredCheckpoint(0, b"one")]


def _cosigned(name: str, payload: bytes = b"one") -> Signature:
    return Signature(name, name.encode()[:4].ljust(4), payload)


def test_signatures_are_added_in_order_and_once(open_store: Open) -> None:
    store = open_store()
    fill(store, 2, 2)
    store.add_checkpoint(StoredCheckpoint(3, b"three"), None)
    store.add_checkpoint(StoredCheckpoint(6, b"six"), None)
    late, early, other = _cosigned("late"), _cosigned("early"), _cosigned("early", b"other")
    store.add_signatures(3, [late])
    open_store().add_signatures(3, [early, other])
    store.add_signatures(3, [other, late])
    assert store.signatures(3) == [late, early]
    assert store.signatures(6) == []
    store.add_signatures(6, [early])
    assert store.signatures(6) == [early]
    assert store.signatures(3) == [late, early]


def test_which_sizes_were_signed_by_others(open_store: Open) -> None:
    store = open_store()
    fill(store, 2, 2, 2)
    one, two = _cosigned("one"), _cosigned("two")
    for size in (3, 6, 9):
        store.add_checkpoint(StoredCheckpoint(size, b"note"), None)
    store.add_signatures(3, [one, two])
    store.add_signatures(9, [one])
    assert store.signed_sizes(0, 9) == [9, 3]
    assert store.signed_sizes(4, 9) == [9]
    assert store.signed_sizes(0, 1) == [9]
    assert store.signed_size("one", one.key_id) == 9
    assert store.signed_size("two", two.key_id) == 3
    assert store.signed_size("two", one.key_id) == 0


def test_only_what_the_log_signed_is_signed_by_others(open_store: Open) -> None:
    store = open_store()
    fill(store, 2)
    with pytest.raises(ConflictError, match=r"^store_refused\b"):
        store.add_signatures(3, [_cosigned("one")])
    assert store.signatures(3) == []


@pytest.mark.parametrize("size", [1, 4, 99])
def test_only_the_end_of_a_block_is_signed(open_store: Open, size: int) -> None:
    store = open_store()
    fill(store, 2, 2)
    with pytest.raises(ConflictError, match=r"^store_refused\b"):
        store.add_checkpoint(StoredCheckpoint(size, b"note"), None)


def test_an_earlier_size_is_not_signed_later(open_store: Open) -> None:
    store = open_store()
    fill(store, 2, 2)
    store.add_checkpoint(StoredCheckpoint(6, b"late"), None)
    with pytest.raises(ConflictError, match=r"^store_refused\b"):
        store.add_checkpoint(StoredCheckpoint(3, b"early"), None)


def _blocks_that_do_not_follow(head: Head) -> list[tuple[list[Row], Block]]:
    rows, block = block_after(head, 2, cursor=5)
    gap = [structs.replace(row, index=row.index + 1) for row in rows]
    return [
        (gap, replace(block, first=block.first + 1, size=block.size + 1)),
        (rows, replace(block, height=block.height + 1)),
        (rows, replace(block, height=block.height - 1)),
        (rows, replace(block, count=3)),
        (rows[:-1], block),
        (rows, replace(block, count=1, size=block.size - 1)),
        (rows, replace(block, cursor=3)),
        (rows, replace(block, sealed_at=NOON - timedelta(seconds=1))),
        (rows, replace(block, first=block.first - 1, count=block.count + 1)),
    ]


@pytest.mark.parametrize("number", range(9))
def test_the_store_refuses_a_block_that_does_not_follow(open_store: Open, number: int) -> None:
    store = open_store()
    head = store.head()
    rows, block = block_after(head, 2, cursor=4)
    store.append(head, rows, block, {})
    head = store.head()
    with pytest.raises(ConflictError, match=r"^store_refused\b"):
        store.append(head, *_blocks_that_do_not_follow(head)[number], {})
    assert store.head() == head
    assert len(list(store.rows(0, 99))) == head.size


def test_a_log_on_it_passes_its_audit(open_store: Open, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    folder.mkdir()
    log = Log(ORIGIN, open_store(), TileFolder(folder), folder)
    for count in (3, 300):
        head = log.head()
        drafts, moment = drafts_from(head.size, count), NOON + timedelta(seconds=head.height)
        log.sequence(head, drafts, sealed_at=moment, cursor=head.cursor + count)
        log.publish(SIGNER, signed_at=moment)
    report = audit_log(open_store(), folder, SIGNER.verifier)
    assert (report.size, report.blocks, report.published) == (305, 2, 305)
