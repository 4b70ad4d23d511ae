"""Publishing: from sequenced blocks to tiles, a signature, and the file others fetch.

Every step can be done twice with the same result, so a crash anywhere is repaired by doing
all of it again. Publishers on one folder take turns, by a lock that dies with its holder.

A checkpoint is signed as soon as its tiles are whole, and published once the policy's witnesses
have cosigned it. The file ``checkpoint`` says what is published, the database what is signed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from chain.block import Block, Head, Row, StoredCheckpoint
from chain.durable import write_file
from chain.errors import MalformedError, UnavailableError, VerificationError
from chain.hashing import EMPTY_ROOT, Digest, leaf_hashes
from chain.log.turns import turn
from chain.log.watched import Watched
from chain.log.whole import WholeFolder
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.cosignature import add_signatures, checked_cosignatures
from chain.signing.note import NoteSigner, Signature, parse_note
from chain.signing.policy import NO_WITNESSES, Policy
from chain.tree import merkle
from chain.tree.tiles import TileFolder, TileId

CHECKPOINT_FILE: Final = "checkpoint"
# Entries held in memory at once. A power of the tile width, so that a step ends where tiles
# end: no step leaves a partial tile below level 2.
STEP: Final = 256 * 256
# How many signed checkpoints back a late quorum is looked for.
_LOOK_BACK: Final = 64


class PublishStore(Protocol):
    """What publishing needs of the log's database."""

    def head(self) -> Head:
        """The state after the last block."""
        ...

    def block_of_size(self, size: int) -> Block | None:
        """The block after which the log had that size."""
        ...

    def rows(self, first: int, end: int) -> Iterator[Row]:
        """Stored rows ``first`` to ``end - 1``, in order, a few at a time; gaps are left out."""
        ...

    def add_checkpoint(self, checkpoint: StoredCheckpoint, signed_at: datetime | None) -> None:
        """Store a signed checkpoint, durably; the same one again changes nothing.

        ConflictError ``checkpoint_differs`` for another note of that size.
        """
        ...

    def checkpoint(self, size: int) -> StoredCheckpoint | None:
        """The signed checkpoint of that size."""
        ...

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The largest signed checkpoint."""
        ...

    def add_signatures(self, size: int, signatures: Iterable[Signature]) -> None:
        """Store more signatures over the checkpoint of ``size``, durably; one for each key."""
        ...

    def signatures(self, size: int) -> Sequence[Signature]:
        """The signatures added to the checkpoint of ``size``, in the order of their coming."""
        ...

    def signed_sizes(self, least: int, limit: int) -> Sequence[int]:
        """The largest ``limit`` sizes from ``least`` on to which signatures were added."""
        ...

    def signed_size(self, name: str, key_id: bytes) -> int:
        """The largest size to which this key's signature was added, else 0."""
        ...


@dataclass(frozen=True, slots=True)
class Grown:
    """What sequencing has computed of a block, and publishing would have to compute again.

    The block's ``entries`` from index ``first`` on, and ``rows``: the hashes that they add to the
    tree at the levels of the tiles, the leaves first. Only a short way to the same tiles: those
    are checked from their files before anything is signed, whoever has computed what is in them.
    """

    first: int
    entries: Sequence[bytes]
    rows: Sequence[Sequence[Digest]]


class Publisher:
    """Brings the published folder up to the database's head, as far as the policy allows."""

    def __init__(
        self,
        origin: str,
        store: PublishStore,
        tiles: TileFolder,
        folder: Path,
        policy: Policy = NO_WITNESSES,
    ) -> None:
        self._origin = origin
        self._store = store
        self._tiles = tiles
        self._folder = folder
        self._policy = policy
        self._file = Watched(folder / CHECKPOINT_FILE)
        self._whole = WholeFolder(tiles, folder, store.rows)
        self.grown: Grown | None = None
        """The block sequenced last by this process, until it has been signed."""

    def publish(self, signers: Sequence[NoteSigner], signed_at: datetime | None) -> Checkpoint:
        """Write, read back, check, sign, publish; see ``Log.publish``."""
        with turn(self._folder):
            note = self._read_file()  # before the head, which is then the same or later
            head = self._store.head()
            published = self._continued(head, note)
            signed = self._store.latest_checkpoint()
            self._mend(signed)
            if signed is None or signed.size < head.size:
                signed = self._sign(signers, signed, head, signed_at)
            else:
                self._sign_too(signers, signed, head)
            self._put_file(signed, published, note)
            return checkpoint_of(signed)

    def put(self) -> None:
        """Publish the largest signed checkpoint that the policy now allows; errors as above."""
        with turn(self._folder):
            note = self._read_file()
            published = self._continued(self._store.head(), note)
            signed = self._store.latest_checkpoint()
            self._mend(signed)
            if signed is not None:
                self._put_file(signed, published, note)

    def mend(self) -> Sequence[TileId]:
        """Rebuild the tiles that the folder has lost, and return which; see ``whole``."""
        with turn(self._folder):
            published = self._continued(self._store.head(), self._read_file())
            lost = list(self._mend(self._store.latest_checkpoint()))
            if published is not None:  # and witnesses may not have cosigned what is signed
                lost += self._whole.mend(published)
            return lost

    def _mend(self, signed: StoredCheckpoint | None) -> Sequence[TileId]:
        return () if signed is None else self._whole.mend(checkpoint_of(signed))

    def signed(self) -> StoredCheckpoint | None:
        """The largest signed checkpoint, with all signatures that it has."""
        stored = self._store.latest_checkpoint()
        return None if stored is None else self._merged(stored)

    def published(self) -> tuple[Checkpoint, bytes] | None:
        """What the file ``checkpoint`` says, and its note; None before the first publication.

        Raises VerificationError ``published_damaged``; UnavailableError.
        """
        note = _read(self._file.read)
        return None if note is None else (_published(note), note)

    def refuse_rollback(self, head: Head) -> None:
        """Check that ``head`` continues what the folder has published.

        A database restored from an older copy would make us sign a second history. Raises
        VerificationError ``log_rolled_back``, or ``published_damaged`` for an unreadable file.
        """
        self._continued(head, self._read_file())

    def _continued(self, head: Head, note: bytes | None) -> Checkpoint | None:
        """What the published ``note`` says, once sure that ``head`` continues it."""
        if note is None:
            return None
        published = _published(note)
        if published.origin != self._origin or self._root_at(published.size) != published.root:
            raise VerificationError(
                "log_rolled_back",
                "the published checkpoint is not of this log: was an older database restored?",
                published=published.size,
                head=head.size,
            )
        return published

    def _root_at(self, size: int) -> Digest | None:
        """The root this database gives the tree of ``size``, if that ends a block."""
        if size == 0:
            return EMPTY_ROOT
        block = self._store.block_of_size(size)
        return None if block is None else block.root

    def _sign(
        self,
        signers: Sequence[NoteSigner],
        signed: StoredCheckpoint | None,
        head: Head,
        signed_at: datetime | None,
    ) -> StoredCheckpoint:
        """Write what ``head`` adds, check it from the files, and only then sign it."""
        old = Checkpoint(self._origin, 0, EMPTY_ROOT) if signed is None else checkpoint_of(signed)
        # A crash in here leaves tiles that nobody has been told of; they are written again,
        # byte for byte the same, and files that differ are refused, not replaced.
        self._write_tiles(old.size, head.size)
        self._check_tiles(old, head)
        checkpoint = Checkpoint(self._origin, head.size, head.root)
        stored = StoredCheckpoint(head.size, sign_checkpoint(checkpoint, *signers))
        # A crash before this returns forgets a signature nobody has seen; Ed25519 makes the
        # same one again. A crash after it leaves the file ``checkpoint`` behind: see _put_file.
        self._store.add_checkpoint(stored, signed_at)
        self.grown = None
        return stored

    def _sign_too(
        self, signers: Sequence[NoteSigner], signed: StoredCheckpoint, head: Head
    ) -> None:
        """Add the signatures of keys that have come since the newest checkpoint was signed."""
        found = checkpoint_of(signed)
        note = parse_note(self._merged(signed).note)
        known = {(line.name, line.key_id) for line in note.signatures}
        new = [one for one in signers if (one.name, one.key_id) not in known]
        if not new:
            return
        self._check_tiles(Checkpoint(self._origin, 0, EMPTY_ROOT), head)
        if found != Checkpoint(self._origin, head.size, head.root):
            raise VerificationError(
                "root_mismatch", "the stored checkpoint is not of the last block"
            )
        self._store.add_signatures(signed.size, [one.sign(note.text) for one in new])

    def _write_tiles(self, old_size: int, new_size: int) -> None:
        while old_size < new_size:
            end = min(new_size, old_size - old_size % STEP + STEP)
            entries = [row.entry for row in self._store.rows(old_size, end)]
            if len(entries) != end - old_size:
                raise VerificationError("entry_missing", "the database lacks entries of its blocks")
            grown = self.grown
            # Those of the database, which are as durable as what will be signed, must be the same.
            if grown is not None and grown.first == old_size and grown.entries == entries:
                self._tiles.write_range(old_size, end, grown.rows[0], entries, grown.rows[1:])
            else:
                self._tiles.write_range(old_size, end, leaf_hashes(entries), entries)
            self._tiles.verify_range(old_size, end)
            old_size = end

    def _check_tiles(self, old: Checkpoint, head: Head) -> None:
        """The files lead to the sequenced root, and continue what was signed before."""
        reader = self._tiles.reader(head.size)
        if merkle.root(reader, head.size) != head.root:
            raise VerificationError(
                "root_mismatch", "the tiles lead to another root than the blocks"
            )
        if old.size:
            path = merkle.consistency_path(reader, old.size, head.size)
            merkle.verify_consistency(old.size, old.root, head.size, head.root, path)

    def _put_file(
        self, signed: StoredCheckpoint, published: Checkpoint | None, note: bytes | None
    ) -> None:
        """Replace the file ``checkpoint``, and tidy up behind it.

        It never goes back: what is signed here is the head, which continues the file, or was
        the head since.
        """
        best = self._publishable(signed, published, note)
        if best is None:
            return
        if best.note != note:
            # A crash before this returns leaves the previous file; the next call comes here
            # again, because the file differs from what the database says can be published.
            write_file(self._folder / CHECKPOINT_FILE, best.note)
        # A crash in here leaves partial tiles that nobody needs: valid, only wasteful.
        self._tiles.drop_partials(0 if published is None else published.size, best.size)

    def _publishable(
        self, signed: StoredCheckpoint, published: Checkpoint | None, note: bytes | None
    ) -> StoredCheckpoint | None:
        """The largest checkpoint from the published one on that satisfies the policy."""
        least = 0 if published is None else published.size
        for size in self._candidates(signed, least):
            stored = self._store.checkpoint(size)
            if stored is None or size < least:
                continue
            merged = self._merged(stored)
            if published is not None and size == least and note is not None:
                # Whoever has read the file finds every line again, in its place.
                more = parse_note(merged.note).signatures
                merged = StoredCheckpoint(size, add_signatures(note, more))
                if merged.note == note:
                    return merged
            cosigned = checked_cosignatures(merged.note, self._policy.witnesses)
            # One more signature on what is published takes nothing away; and where nothing is,
            # the empty log claims nothing that a witness could vouch for.
            if size == least or self._policy.met_by(cosigned):
                return merged
        return None

    def _candidates(self, signed: StoredCheckpoint, least: int) -> Iterable[int]:
        """Sizes whose checkpoint may satisfy the policy, the largest first.

        Witnesses that answer slowly cosign one that is not the newest any more: it counts.
        """
        yield signed.size
        if not self._policy.met_by(()):
            yield from (
                size for size in self._store.signed_sizes(least, _LOOK_BACK) if size < signed.size
            )

    def _merged(self, stored: StoredCheckpoint) -> StoredCheckpoint:
        """The checkpoint with the signatures that came later."""
        more = self._store.signatures(stored.size)
        return StoredCheckpoint(
            stored.size, add_signatures(stored.note, more) if more else stored.note
        )

    def _read_file(self) -> bytes | None:
        return _read((self._folder / CHECKPOINT_FILE).read_bytes)


def _read(read: Callable[[], bytes]) -> bytes | None:
    try:
        return read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnavailableError("checkpoint_unreadable", f"file checkpoint: {error}") from error


@lru_cache(maxsize=8)  # every proof and verdict asks for the newest one
def checkpoint_of(stored: StoredCheckpoint) -> Checkpoint:
    """What a stored note says, its signatures unchecked. Raises VerificationError."""
    try:
        return Checkpoint.parse(parse_note(stored.note).text)
    except (MalformedError, VerificationError) as error:
        raise VerificationError(
            "checkpoint_damaged", f"the stored checkpoint of size {stored.size}: {error}"
        ) from error


@lru_cache(maxsize=8)  # as above
def _published(note: bytes) -> Checkpoint:
    try:
        return Checkpoint.parse(parse_note(note).text)
    except (MalformedError, VerificationError) as error:
        raise VerificationError("published_damaged", f"the file checkpoint: {error}") from error
