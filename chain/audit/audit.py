"""The audit: derive everything again from what is stored, and name the first thing that is wrong.

Streams through the log once, in constant memory. Entries make leaves, leaves the tree, the tree
each block's root; seals chain the blocks; checkpoints sign the roots; tiles and bundles repeat
the leaves. May run beside a log that grows: it looks at what stood there when it began.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from chain.audit.finding import AuditError
from chain.audit.tiles import TileAudit
from chain.block import Block, Head, Row, StoredCheckpoint
from chain.entry import (
    Entry,
    SealEntry,
    entry_key,
    format_entry,
    format_time,
    parse_entry,
)
from chain.errors import ConflictError, MalformedError, UnavailableError, VerificationError
from chain.hashing import EMPTY_ROOT, ZERO, Digest, leaf_hash
from chain.log.publish import CHECKPOINT_FILE
from chain.log.state_rules import changes_state, state_changes
from chain.signing.checkpoint import open_checkpoint
from chain.signing.keys import TrustedKeys, keys_of
from chain.signing.note import Signature, parse_note
from chain.tree.merkle import MAX_SIZE, Edge
from chain.tree.statemap import StateMap
from chain.tree.states import EMPTY_MAP
from chain.tree.tiles import TILE_WIDTH, TileFolder

Progress = Callable[[int, int], None]
"""Called with the entries checked so far and those there are."""

_PROGRESS_EVERY: Final = 4096


class AuditStore(Protocol):
    """What the audit reads of the log's database."""

    def origin(self) -> str | None:
        """The log's name, or None while it has none."""
        ...

    def head(self) -> Head:
        """The state after the last block."""
        ...

    def blocks(self, after: int, limit: int) -> list[Block]:
        """At most ``limit`` blocks of heights above ``after``, in order."""
        ...

    def rows(self, first: int, end: int) -> Iterator[Row]:
        """Stored rows ``first`` to ``end - 1``, in order, a few at a time; gaps are left out."""
        ...

    def checkpoint(self, size: int) -> StoredCheckpoint | None:
        """The signed checkpoint of that size."""
        ...

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The largest signed checkpoint."""
        ...

    def checkpoints(self, after: int, limit: int) -> list[StoredCheckpoint]:
        """At most ``limit`` signed checkpoints of sizes above ``after``, in order."""
        ...

    def signatures(self, size: int) -> Sequence[Signature]:
        """The signatures added to the checkpoint of ``size``."""
        ...

    def state_node(self, digest: Digest) -> bytes | None:
        """The body of the state map's node with this hash."""
        ...

    def check(self) -> None:
        """Check the database's own structure; VerificationError ``store_damaged``."""
        ...


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was derived again and held. ``published`` is the size of the file ``checkpoint``."""

    origin: str
    size: int
    root: Digest
    blocks: int
    checkpoints: int
    tiles: int
    published: int


def audit_log(
    store: AuditStore, folder: Path, log_key: TrustedKeys, progress: Progress | None = None
) -> AuditReport:
    """Derive the whole log again; return what held, or raise AuditError for what did not.

    ``folder`` holds ``checkpoint`` and ``tile/``. Raises UnavailableError when something cannot
    be read now, which says nothing about the log.
    """
    return _Audit(store, folder, log_key, progress).run()


class _Audit:
    """One run: what was derived so far."""

    def __init__(
        self, store: AuditStore, folder: Path, log_key: TrustedKeys, progress: Progress | None
    ) -> None:
        self._store = store
        self._folder = folder
        self._keys = keys_of(log_key)
        self._progress = progress
        # In the order opposite to writing: what stands in the one must stand in the next.
        self._file = self._read_file()
        self._signed = self._latest_size()
        self._end = self._head_size()
        self._tiles = TileAudit(folder, self._signed, self._head_size)
        self._edge = Edge()
        self._last: Block | None = None
        self._states = EMPTY_MAP
        self._changing: list[Entry] = []
        self._checkpoints = 0
        self._checkpoint_size = -1

    def run(self) -> AuditReport:
        """Go through everything once; see ``audit_log``."""
        _same("store", "log.db", "origin", self._keys.origin, str(self._store.origin()))
        self._check_checkpoints(0, EMPTY_ROOT)
        while self._edge.size < self._end:
            self._check_block(self._next_block())
        self._check_rest()
        published = self._check_published()
        self._tiles.finish()
        self._raise_tile()
        if self._progress is not None:
            self._progress(self._end, self._end)
        with _naming("store", "structure", "a sound database"):
            self._store.check()
        return AuditReport(
            origin=self._keys.origin,
            size=self._edge.size,
            root=self._edge.root(),
            blocks=0 if self._last is None else self._last.height,
            checkpoints=self._checkpoints,
            tiles=self._tiles.checked,
            published=published,
        )

    def _read_file(self) -> bytes | None:
        try:
            return (self._folder / CHECKPOINT_FILE).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnavailableError("read_failed", f"cannot read the checkpoint: {error}") from error

    def _latest_size(self) -> int:
        stored = self._store.latest_checkpoint()
        return 0 if stored is None else stored.size

    def _head_size(self) -> int:
        with _naming("block", "the last one", "a block"):
            return self._store.head().size

    def _next_block(self) -> Block:
        height = 1 if self._last is None else self._last.height + 1
        with _naming("block", height, "a block"):
            found = self._store.blocks(height - 1, 1)
        if not found:
            raise AuditError("block", height, "a block", "nothing")
        self._follows(found[0], height)
        return found[0]

    def _follows(self, block: Block, height: int) -> None:
        """The block's row goes on where the last one ended."""
        last = self._last
        _same("block", height, "height", height, block.height)
        _same("block", height, "first", self._edge.size, block.first)
        _same("block", height, "size", block.first + block.count + 1, block.size)
        if last is not None and block.cursor < last.cursor:
            raise AuditError("block", height, f"cursor from {last.cursor} on", str(block.cursor))
        if last is not None and block.sealed_at < last.sealed_at:
            raise AuditError(
                "block",
                height,
                f"sealed_at from {format_time(last.sealed_at)} on",
                format_time(block.sealed_at),
            )

    def _check_block(self, block: Block) -> None:
        seal = self._check_entries(block)
        if self._edge.root() != block.root:
            raise self._name_culprit(block)
        self._check_seal(block, seal)
        _same("block", block.height, "edge", self._edge.to_bytes().hex(), block.edge.hex())
        self._raise_tile()  # only now is it sure that the entries are not what is wrong
        self._check_checkpoints(block.size, block.root)
        self._last = block

    def _check_entries(self, block: Block) -> SealEntry:
        """Take the block's entries into the tree; the last one is its seal."""
        index, entry = block.first, None
        self._changing = []
        for row in self._rows(block.first, block.size):
            if row.index != index:
                break
            entry = _read_row(row)
            if isinstance(entry, SealEntry) != (index == block.seal_index):
                raise AuditError("entry", index, "a seal at the block's end and only there", "else")
            if changes_state(entry):
                self._changing.append(entry)
            leaf = leaf_hash(row.entry)
            self._edge.append(leaf)
            self._tiles.add(row.entry, leaf)
            index += 1
            if self._progress is not None and index % _PROGRESS_EVERY == 0:
                self._progress(index, self._end)
        if index != block.size or not isinstance(entry, SealEntry):
            raise AuditError("entry", index, "an entry", "nothing")
        return entry

    def _rows(self, first: int, end: int) -> Iterator[Row]:
        with _naming("entry", f"{first} to {end - 1}", "entries"):
            yield from self._store.rows(first, end)

    def _check_seal(self, block: Block, seal: SealEntry) -> None:
        """The seal, which the root has vouched for, says of its block what the row says."""
        height = block.height
        previous = ZERO if self._last is None else self._last.seal
        _same("seal", height, "height", height, seal.height)
        _same("seal", height, "previous", previous.hex(), seal.previous)
        _same("seal", height, "first", block.first, seal.first)
        _same("seal", height, "count", block.count, seal.count)
        self._check_states(height, seal)
        _same("block", height, "sealed_at", seal.sealed_at, format_time(block.sealed_at))
        _same("block", height, "seal", leaf_hash(format_entry(seal)).hex(), block.seal.hex())

    def _check_states(self, height: int, seal: SealEntry) -> None:
        """Derive the state map anew from the block's entries; each of its nodes must be kept."""
        states = StateMap(self._store, self._states)
        try:
            self._states = states.update(state_changes(self._changing, states.get))
        except (ConflictError, VerificationError) as problem:
            raise AuditError("seal", height, "states that follow", str(problem)) from problem
        _same("seal", height, "states", self._states.hex(), seal.states)
        for digest, body in states.added.items():
            if self._store.state_node(digest) != body:
                raise AuditError("state", digest.hex(), "the node that was derived", "another")

    def _name_culprit(self, block: Block) -> AuditError:
        """Which part of a block makes its root another: an entry, the seal, or the root itself.

        The published tiles tell: they led to the root when it was signed.
        """
        for row in self._rows(block.first, min(block.size, self._signed)):
            leaf, known = leaf_hash(row.entry).hex(), self._published_leaf(row.index)
            if known is None:
                break
            if known.hex() != leaf:
                sealing = row.index == block.seal_index
                place = ("seal", block.height) if sealing else ("entry", row.index)
                return AuditError(*place, f"leaf {known.hex()}", f"leaf {leaf}")
        expected, found = self._edge.root().hex(), block.root.hex()
        return AuditError("block", block.height, f"root {expected}", f"root {found}")

    def _published_leaf(self, index: int) -> Digest | None:
        n, slot = divmod(index, TILE_WIDTH)
        width = min(TILE_WIDTH, self._signed - n * TILE_WIDTH)
        try:
            return TileFolder(self._folder).read_hashes(0, n, width)[slot]
        except VerificationError:
            return None

    def _check_checkpoints(self, size: int, root: Digest) -> None:
        """Check the stored checkpoints up to the block that ends at ``size`` with ``root``."""
        while (stored := self._next_checkpoint()) is not None and stored.size <= size:
            _same("checkpoint", stored.size, "size", size, stored.size)
            with _naming("checkpoint", size, "a note signed by the log"):
                signed = open_checkpoint(stored.note, self._keys.ever())
            _same("checkpoint", size, "size", size, signed.size)
            _same("checkpoint", size, "root", root.hex(), signed.root.hex())
            self._checkpoint_size = size
            self._checkpoints += 1

    def _next_checkpoint(self) -> StoredCheckpoint | None:
        with _naming("checkpoint", f"above size {self._checkpoint_size}", "a note"):
            found = self._store.checkpoints(self._checkpoint_size, 1)
        return found[0] if found and found[0].size <= self._signed else None

    def _check_rest(self) -> None:
        """Nothing stands behind the last block."""
        if (stored := self._next_checkpoint()) is not None:
            raise AuditError("checkpoint", stored.size, f"none above size {self._end}", "one")
        row = next(self._rows(self._end, MAX_SIZE), None)
        if row is not None and row.index >= self._head_size():  # else the log has grown since
            raise AuditError("entry", row.index, "nothing behind the last block", "an entry")

    def _check_published(self) -> int:
        """The file ``checkpoint`` is a stored one; a crash may have left it behind, never ahead."""
        if self._file is None:
            if self._checkpoints:
                raise AuditError("published", CHECKPOINT_FILE, "a checkpoint", "no file")
            return 0
        with _naming("published", CHECKPOINT_FILE, "a note signed by the log"):
            size = open_checkpoint(self._file, self._keys).size
        if size > self._signed:
            expected = f"at most the {self._signed} entries signed in the database"
            raise AuditError("published", CHECKPOINT_FILE, expected, f"{size} entries")
        stored = self._store.checkpoint(size)
        with _naming("checkpoint", size, "a note"):
            if stored is None or not self._is_of(stored, self._file):
                raise AuditError("published", CHECKPOINT_FILE, "a stored checkpoint", "another")
        return size

    def _is_of(self, stored: StoredCheckpoint, note: bytes) -> bool:
        """Whether ``note`` is the stored one, with no signature but those that were added to it."""
        lines = {one.line() for one in self._store.signatures(stored.size)}
        found, signed = parse_note(note), parse_note(stored.note)
        lines |= {one.line() for one in signed.signatures}
        return found.text == signed.text and lines >= {one.line() for one in found.signatures}

    def _raise_tile(self) -> None:
        if self._tiles.wrong is not None:
            raise self._tiles.wrong


def _read_row(row: Row) -> Entry:
    with _naming("entry", row.index, "a canonical entry"):
        entry = parse_entry(row.entry)
    if row.key != entry_key(entry):
        raise AuditError("entry", row.index, f"key {_hex(entry_key(entry))}", _hex(row.key))
    return entry


def _hex(key: bytes | None) -> str:
    return "none" if key is None else key.hex()


def _same(kind: str, place: int | str, name: str, expected: int | str, found: int | str) -> None:
    if expected != found:
        raise AuditError(kind, place, f"{name} {expected}", f"{name} {found}")


@contextmanager
def _naming(kind: str, place: int | str, expected: str) -> Iterator[None]:
    """Name the place of what cannot be read or does not verify."""
    try:
        yield
    except AuditError:
        raise
    except (MalformedError, VerificationError) as problem:
        raise AuditError(kind, place, expected, str(problem)) from problem
