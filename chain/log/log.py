"""The log: sequences entries in blocks, publishes signed checkpoints, answers from both.

The order of the writes is fixed, and the key never signs before what it signs is durable and
has been read back:

1. entries, seal and block, in one database transaction (``sequence``);
2. tiles and entry bundles, then the signed checkpoint in the database (``publish``);
3. under a policy, the witnesses' cosignatures in the database (``chain.witness.cosigning``);
4. the file ``checkpoint``, then the removal of superseded partial tiles.

Whatever a crash interrupts, the next ``publish`` does again; ``chain.log.publish`` says how.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Final, Protocol

from chain.block import Block, Head, Located, Row
from chain.entry import (
    Entry,
    SealEntry,
    entry_key,
    format_time,
    parse_entry,
    parse_time,
    plain_anchor,
    seal_entry,
)
from chain.errors import ConflictError, MalformedError, NotFoundError, VerificationError
from chain.hashing import Digest, digest_from_hex, leaf_hash, leaf_hashes
from chain.log.publish import Grown, Publisher, PublishStore
from chain.log.state_rules import state_changes
from chain.signing.checkpoint import Checkpoint
from chain.signing.note import NoteSigner
from chain.signing.policy import NO_WITNESSES, Policy
from chain.tree import merkle
from chain.tree.merkle import Edge
from chain.tree.statemap import NodeReader, StateMap
from chain.tree.states import EMPTY_MAP, StateProof
from chain.tree.tiles import TILE_HEIGHT, TILE_WIDTH, TileFolder

# What never changes and every proof needs; some 200 bytes each.
_NODES_KEPT: Final = 8192
_ROOTS_KEPT: Final = 64


class LogStore(PublishStore, Protocol):
    """What a log needs of a database. Rows are only ever added; the database refuses the rest."""

    def bind_origin(self, origin: str) -> None:
        """Name a new log, or check an old one's name; ConflictError ``origin_differs``."""
        ...

    def append(
        self, expected: Head, rows: Sequence[Row], block: Block, nodes: Mapping[Digest, bytes]
    ) -> None:
        """Add rows, block and nodes of the state map, only if ``expected`` is still the head.

        In one transaction, durable once it returns. ConflictError ``log_moved``, or
        ``already_in_log`` when a key stands in the log; UnavailableError ``disk_full`` and others.
        """
        ...

    def block(self, height: int) -> Block | None:
        """The block of that height."""
        ...

    def block_of(self, index: int) -> Block | None:
        """The block in which that entry stands, its seal included."""
        ...

    def blocks(self, after: int, limit: int) -> list[Block]:
        """At most ``limit`` blocks of heights above ``after``, in order."""
        ...

    def find(self, key: bytes) -> int | None:
        """The index of the entry with that key."""
        ...

    def locate(self, key: bytes) -> Located | None:
        """The entry with that key, and where; VerificationError if it stands in no block."""
        ...

    def entry(self, index: int) -> bytes | None:
        """One entry's bytes."""
        ...

    def state_node(self, digest: Digest) -> bytes | None:
        """The body of the state map's node with this hash."""
        ...


class Log:
    """One log: its database, its tiles, and the folder that holds its published checkpoint."""

    def __init__(
        self,
        origin: str,
        store: LogStore,
        tiles: TileFolder,
        folder: Path,
        policy: Policy = NO_WITNESSES,
    ) -> None:
        """Open the log, naming it if it is new; ConflictError ``origin_differs``.

        ``policy`` says who must have cosigned a checkpoint before it is published.
        """
        self.origin = origin
        self._store = store
        self._tiles = tiles
        self._nodes = NodeReader(store, kept=_NODES_KEPT)
        self._states_root = lru_cache(_ROOTS_KEPT)(partial(_states_root, store))
        self.publisher: Final = Publisher(origin, store, tiles, folder, policy)
        store.bind_origin(origin)

    def sequence(
        self,
        expected: Head,
        drafts: Sequence[bytes],
        *,
        sealed_at: datetime,
        cursor: int,
    ) -> Block:
        """Append ``drafts`` and their seal as one block, durably, if ``expected`` is the head.

        ``sealed_at`` is raised to the previous block's if the clock went back. ``cursor`` is
        the caller's own position, kept with the block. Raises ConflictError ``log_moved`` when
        another was first, ``already_in_log`` with the place of the ``draft``, and as
        ``state_rules.state_changes`` does; MalformedError for what is not a canonical entry;
        VerificationError ``log_rolled_back``, ``state_damaged``.
        """
        if not drafts:
            raise MalformedError("empty_block", "a block holds at least one entry")
        if cursor < expected.cursor:
            raise MalformedError("cursor_back", "the cursor never goes back")
        self.publisher.refuse_rollback(expected)
        rows, changing = _read_drafts(drafts, expected.size)
        states = StateMap(self._nodes, self._states_root(expected.size))
        states.update(state_changes(changing, states.get))
        sealed_at = _not_before(expected, sealed_at)
        block, seal, tree = _seal(expected, rows, sealed_at, cursor, states.root)
        try:
            # A crash in here leaves either the old head, and the caller sequences the same
            # drafts again, or the whole block, whose cursor says that they have been taken.
            self._store.append(expected, [*rows, seal], block, states.added)
        except ConflictError as error:
            if error.code == "already_in_log":
                raise self._name_duplicate(rows, error) from error
            raise
        entries = [*drafts, seal.entry]
        self.publisher.grown = Grown(expected.size, entries, tree[::TILE_HEIGHT])
        return block

    def publish(self, *signers: NoteSigner, signed_at: datetime | None = None) -> Checkpoint:
        """Write tiles up to the head, check them, sign with every key, publish what can be.

        Returns the signed checkpoint. Under a policy it is published when the witnesses have
        cosigned it: see ``chain.witness.cosigning``.

        Does what an interrupted earlier call left undone; with nothing new it changes nothing.
        ``signed_at`` is noted beside the checkpoint for operators; nobody signs it. Raises
        VerificationError ``log_rolled_back``, ``tile_differs``, ``root_mismatch`` and the like
        before anything wrong is signed; UnavailableError when the disk is full.
        """
        return self.publisher.publish(signers, signed_at)

    def head(self) -> Head:
        """Where the log stands, published or not."""
        return self._store.head()

    def latest_checkpoint(self) -> tuple[Checkpoint, bytes]:
        """The published checkpoint and its note, cosignatures included.

        Raises NotFoundError ``no_checkpoint``; VerificationError ``published_damaged``;
        UnavailableError ``checkpoint_unreadable``.
        """
        published = self.publisher.published()
        if published is None:
            raise NotFoundError("no_checkpoint", "this log has not been published yet")
        return published

    def taken(self) -> int:
        """The caller's own position as of the published checkpoint; 0 before the first block's.

        What comes after it may be sealed, but nobody outside can check that. Raises
        VerificationError ``published_damaged``; UnavailableError ``checkpoint_unreadable``.
        """
        published = self.publisher.published()
        block = None if published is None else self._store.block_of_size(published[0].size)
        return 0 if block is None else block.cursor

    def find(self, key: bytes) -> int | None:
        """The index of the entry with that key: an anchor, or ``entry.closing_key(day)``."""
        return self._store.find(key)

    def locate(self, key: bytes) -> Located | None:
        """The entry with that key, its index, and where its block ends, in one read."""
        return self._store.locate(key)

    def entry(self, index: int) -> bytes:
        """One entry's canonical bytes; NotFoundError ``no_entry``."""
        found = self._store.entry(index)
        if found is None:
            raise NotFoundError("no_entry", f"the log has no entry {index}")
        return found

    def block(self, height: int) -> Block:
        """The block of that height, counted from 1; NotFoundError ``no_block``."""
        return _found(self._store.block(height), f"the log has no block {height}")

    def block_of(self, index: int) -> Block:
        """The block in which entry ``index`` stands; NotFoundError ``no_block``."""
        return _found(self._store.block_of(index), f"no block holds entry {index}")

    def blocks(self, after: int = 0, limit: int = 100) -> list[Block]:
        """At most ``limit`` blocks of heights above ``after``, in order."""
        return self._store.blocks(after, limit)

    def inclusion(self, index: int, size: int, published: int = 0) -> list[Digest]:
        """The path from entry ``index`` to the root of a published ``size``.

        Or of any ``size`` below one that is ``published``: blocks that were published together
        have tiles for the last of them alone. Raises MalformedError ``index_outside``;
        VerificationError for a damaged tile.
        """
        return merkle.inclusion_path(self._tiles.reader(max(size, published)), index, size)

    def way_in_tile(self, index: int) -> list[Digest] | None:
        """The path from entry ``index`` to the root of its full, published tile, as proposed.

        Whoever asks finds out where it leads; None where nothing was kept to propose. Raises
        VerificationError for a damaged tile.
        """
        return self._tiles.way_in_tile(index)

    def way_above_tile(self, index: int, size: int) -> list[Digest]:
        """The path from the root of that tile to the root of a published ``size``."""
        return merkle.inclusion_path(self._tiles.reader(size), index, size, above=TILE_WIDTH)

    def consistency(self, old_size: int, new_size: int) -> list[Digest]:
        """The proof that the log of ``new_size`` only adds to that of ``old_size``."""
        return merkle.consistency_path(self._tiles.reader(new_size), old_size, new_size)

    def prove_state(self, key: Digest, size: int) -> StateProof:
        """What the state map said of ``key`` when a block ended at ``size``.

        Raises VerificationError ``state_damaged``, ``seal_missing``.
        """
        return StateMap(self._nodes, self._states_root(size)).prove(key)

    def _name_duplicate(self, rows: Sequence[Row], error: ConflictError) -> ConflictError:
        """The same error, saying which draft stands in the log (or twice in the block)."""
        seen: set[bytes] = set()
        for place, row in enumerate(rows):
            if row.key is None:
                continue
            if row.key in seen or self._store.find(row.key) is not None:
                return ConflictError(error.code, error.detail, draft=place)
            seen.add(row.key)
        return error


def _states_root(store: LogStore, size: int) -> Digest:
    """The state map's root in the seal that ends the log of ``size``."""
    if not size:
        return EMPTY_MAP
    seal = store.entry(size - 1)
    entry = None if seal is None else parse_entry(seal)
    if not isinstance(entry, SealEntry):
        raise VerificationError("seal_missing", f"entry {size - 1} is not a seal")
    return digest_from_hex(entry.states)


def _read_drafts(drafts: Sequence[bytes], first: int) -> tuple[list[Row], list[Entry]]:
    """The drafts as rows from index ``first`` on, and those that may change a state, parsed.

    Raises MalformedError for what is not a canonical entry, and for a seal.
    """
    rows: list[Row] = []
    others: list[Entry] = []
    for index, draft in enumerate(drafts, first):
        key: bytes | None = plain_anchor(draft)
        if key is None:
            others.append(entry := _parse_draft(draft))
            key = entry_key(entry)
        rows.append(Row(index, draft, key))
    return rows, others


def _parse_draft(draft: bytes) -> Entry:
    entry = parse_entry(draft)
    if isinstance(entry, SealEntry):
        raise MalformedError("draft_is_seal", "only the log itself seals a block")
    return entry


def _not_before(head: Head, moment: datetime) -> datetime:
    """The time for the next seal: whole seconds, never before the last seal's."""
    moment = parse_time(format_time(moment))
    return moment if head.sealed_at is None else max(moment, head.sealed_at)


def _seal(
    head: Head, rows: Sequence[Row], sealed_at: datetime, cursor: int, states: Digest
) -> tuple[Block, Row, list[list[Digest]]]:
    """The block over ``rows`` that follows ``head``, its seal's row, and what the tree gains."""
    count = len(rows)
    entry = seal_entry(head.height + 1, head.seal, head.size, count, sealed_at, states)
    seal = leaf_hash(entry)
    edge = Edge.from_bytes(head.edge)
    if edge.size != head.size or edge.root() != head.root:
        raise VerificationError("edge_damaged", "the stored edge is not that of the stored root")
    tree = edge.extend([*leaf_hashes([row.entry for row in rows]), seal])
    block = Block(
        height=head.height + 1,
        first=head.size,
        count=count,
        size=edge.size,
        root=edge.root(),
        edge=edge.to_bytes(),
        seal=seal,
        sealed_at=sealed_at,
        cursor=cursor,
    )
    return block, Row(head.size + count, entry, None), tree


def _found(block: Block | None, why: str) -> Block:
    if block is None:
        raise NotFoundError("no_block", why)
    return block
