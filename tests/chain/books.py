"""A small real log for the tests: database, tiles and key in one folder, opened at will."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chain.block import Block
from chain.commitment import GROUPS, anchor, document_digest, group_digest
from chain.entry import anchor_entry
from chain.hashing import Digest, sha256
from chain.log.database import SqliteLogStore
from chain.log.log import Log
from chain.proof.file import Group, Proof, ShownGroup, build_proof
from chain.signing.checkpoint import Checkpoint
from chain.signing.note import SignerKey
from chain.signing.policy import NO_WITNESSES, Policy
from chain.tree.tiles import TileFolder

ORIGIN = "books.example/log"
SIGNER = SignerKey(ORIGIN, bytes(range(32)))
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
DOCUMENTS = {"face": b'{"code":"144032609110"}', "buyer": b"{}", "lines": b'[{"name":"*food*"}]'}


class Books:
    """A log in ``folder``; another one on the same folder is another worker."""

    def __init__(
        self, folder: Path, *, cache_tiles: int = 256, policy: Policy = NO_WITNESSES
    ) -> None:
        self.folder = folder
        self.log_folder = folder / "log"
        self.log_folder.mkdir(exist_ok=True)
        self.store = SqliteLogStore(folder / "log.db")
        self.tiles = TileFolder(self.log_folder, cache_tiles=cache_tiles)
        self.log = Log(ORIGIN, self.store, self.tiles, self.log_folder, policy)

    def add(self, count: int) -> Block:
        """Seal one block of ``count`` entries, each named by its index."""
        head = self.log.head()
        drafts = drafts_from(head.size, count)
        moment = NOON + timedelta(seconds=head.height)
        return self.log.sequence(head, drafts, sealed_at=moment, cursor=head.cursor + count)

    def publish(self) -> Checkpoint:
        """Publish with the log's key."""
        return self.log.publish(SIGNER, signed_at=NOON)

    def grow(self, *counts: int) -> None:
        """Seal and publish a block for each count."""
        for count in counts:
            self.add(count)
            self.publish()

    def published(self) -> bytes:
        """The file ``checkpoint``."""
        return (self.log_folder / "checkpoint").read_bytes()

    def tamper(self, statement: str, *values: int | bytes | str) -> None:
        """Change the database as somebody with its password would: without its triggers."""
        with closing(sqlite3.connect(self.folder / "log.db")) as connection, connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in names.fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            assert connection.execute(statement, values).rowcount > 0


def drafts_from(first: int, count: int) -> list[bytes]:
    """Entries that anchor made-up documents."""
    return [anchor_entry("invoice", name(index)) for index in range(first, first + count)]


def name(index: int) -> Digest:
    """The made-up anchor of entry ``index``."""
    return sha256(b"anchor %d" % index)


def shown(documents: dict[str, bytes] | None = None) -> dict[str, Group]:
    """The three groups, all shown, with salts that are easy to tell apart."""
    content = DOCUMENTS if documents is None else documents
    return {group: ShownGroup(group.encode().ljust(16), content[group]) for group in GROUPS}


def digest_of(groups: dict[str, Group]) -> Digest:
    """The digest of a document, all of whose groups are shown."""
    digests = []
    for group in GROUPS:
        part = groups[group]
        assert isinstance(part, ShownGroup)
        digests.append(group_digest(group, part.salt, part.document))
    return document_digest(*digests)


def prove_one(
    folder: Path, *, before: int = 2, after: Sequence[int] = (3,), reverses: Digest | None = None
) -> Proof:
    """The proof of one document that stands among others, in a log made for it."""
    books = Books(folder)
    groups = shown()
    if reverses is not None:
        face = b'{"reverses":"01' + reverses.hex().encode() + b'"}'
        groups = shown(DOCUMENTS | {"face": face})
    document = digest_of(groups)
    mine = anchor_entry(
        "invoice",
        anchor(document),
        reverses=None if reverses is None else anchor(reverses),
        reversal=None if reverses is None else "full",
    )
    books.grow(4)
    head = books.log.head()
    drafts = [*drafts_from(head.size, before), mine, *drafts_from(head.size + before + 1, 2)]
    books.log.sequence(head, drafts, sealed_at=NOON + timedelta(minutes=1), cursor=9)
    books.grow(*after)
    return build_proof(books.log, head.size + before, document, groups)
