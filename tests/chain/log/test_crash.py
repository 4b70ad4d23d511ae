"""A crash at every write of sequencing and publishing, the write kept and the write lost."""

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pytest

from chain.audit.audit import audit_log
from chain.block import Block, Head, Row, StoredCheckpoint
from chain.errors import UnavailableError
from chain.hashing import Digest
from chain.log.database import NO_NODES, SqliteLogStore
from chain.log.log import Log
from chain.signing.checkpoint import open_checkpoint
from chain.signing.note import Signature, SignerKey
from chain.tree.merkle import verify_consistency
from tests.chain.books import SIGNER, Books, drafts_from, name

T = TypeVar("T")

COUNTS = (3, 300, 5, 240)
"""Blocks of the story: partial tiles, full ones, superseded ones."""


class PowerCut(BaseException):
    """The process is gone: nothing in between may catch it and tidy up."""


class Fuse:
    """Lets ``writes`` durable writes pass and blows at the next, before or after it happens."""

    def __init__(self, writes: int, *, kept: bool) -> None:
        self._left = writes
        self._kept = kept

    def around(self, write: Callable[[], T]) -> T:
        """Do the write, or be cut off at it."""
        self._left -= 1
        if self._left >= 0:
            return write()
        if self._kept:
            write()
        raise PowerCut


class CutStore(SqliteLogStore):
    """The real store, whose commits are writes that a fuse sees."""

    fuse = Fuse(1_000_000, kept=True)

    def append(
        self,
        expected: Head,
        rows: Sequence[Row],
        block: Block,
        nodes: Mapping[Digest, bytes] = NO_NODES,
    ) -> None:
        """Append as the store does, or be cut off."""
        self.fuse.around(lambda: super(CutStore, self).append(expected, rows, block, nodes))

    def add_checkpoint(self, checkpoint: StoredCheckpoint, signed_at: datetime | None) -> None:
        """Store as the store does, or be cut off."""
        self.fuse.around(lambda: super(CutStore, self).add_checkpoint(checkpoint, signed_at))


def _tell(books: Books, published: list[bytes]) -> None:
    """Remember the published file, and hold it against what was seen before."""
    note = books.published() if (books.log_folder / "checkpoint").exists() else b""
    if note and note not in published:
        published.append(note)


def _story(books: Books, published: list[bytes]) -> None:
    """Take all entries in blocks, going on from what the log says has been taken."""
    books.publish()
    while (head := books.log.head()).height < len(COUNTS):
        count = COUNTS[head.height]
        drafts = drafts_from(head.size, count)
        sealed_at = datetime.fromisoformat("2026-11-21T04:00:00Z")
        books.log.sequence(head, drafts, sealed_at=sealed_at, cursor=head.cursor + count)
        books.publish()
        _tell(books, published)


def _story_with_cut(
    folder: Path, monkeypatch: pytest.MonkeyPatch, writes: int, *, kept: bool
) -> tuple[bool, list[bytes]]:
    """Run the story up to a cut; return whether it came, and what had been published by then."""
    fuse = Fuse(writes, kept=kept)
    books = Books(folder)
    books.store = CutStore(folder / "log.db")
    monkeypatch.setattr(books.store, "fuse", fuse, raising=False)
    books.log = Log(books.log.origin, books.store, books.tiles, books.log_folder)
    rename, unlink, rmdir = Path.rename, Path.unlink, Path.rmdir
    published: list[bytes] = []
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda *a: fuse.around(lambda: rename(*a)))
        patch.setattr(Path, "unlink", lambda *a, **k: fuse.around(lambda: unlink(*a, **k)))
        patch.setattr(Path, "rmdir", lambda *a: fuse.around(lambda: rmdir(*a)))
        try:
            _story(books, published)
        except PowerCut:
            _tell(books, published)
            return True, published
        finally:
            books.store.close()
    return False, published


def _check_history(books: Books, published: list[bytes]) -> None:
    """Everything is there once, derives again, and continues all that was ever published."""
    report = audit_log(books.store, books.log_folder, SIGNER.verifier)
    assert report.published == report.size == sum(COUNTS) + len(COUNTS)
    assert books.log.head().cursor == sum(COUNTS)
    index = 0
    for count in COUNTS:
        assert all(books.log.find(name(i)) == i for i in range(index, index + count))
        index += count + 1
    for note in published:
        old = open_checkpoint(note, SIGNER.verifier)
        if old.size:
            path = books.log.consistency(old.size, report.size)
            verify_consistency(old.size, old.root, report.size, report.root, path)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "lost"])
def test_a_crash_at_any_write_is_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    writes, cut = 0, True
    while cut:
        folder = tmp_path / str(writes)
        folder.mkdir()
        cut, published = _story_with_cut(folder, monkeypatch, writes, kept=kept)
        survivor = Books(folder)
        _story(survivor, published)
        _check_history(survivor, published)
        survivor.store.close()
        writes += 1
    assert writes > 30  # all of them were reached, not only the first few


def test_a_crash_during_repair_is_repaired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut again and again, one write further each time, in one and the same log."""
    published: list[bytes] = []
    for writes in range(1, 60):
        cut, seen = _story_with_cut(tmp_path, monkeypatch, writes % 7, kept=writes % 2 == 0)
        published += seen
        if not cut:
            break
    survivor = Books(tmp_path)
    _story(survivor, published)
    _check_history(survivor, published)


def test_a_full_disk_while_writing_tiles_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = Books(tmp_path)
    books.grow(3)
    before = books.published()
    books.add(300)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("chain.durable.os.fsync", full)
        with pytest.raises(UnavailableError) as refused:
            books.publish()
    assert refused.value.code == "disk_full"
    assert books.published() == before
    assert len(books.store.checkpoints(-1, 9)) == 1
    books.publish()
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).size == 305


def test_nothing_is_signed_before_its_tiles_are_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the moment of signing, every file of the size that is signed derives from the disk."""
    books = Books(tmp_path)
    books.grow(3)
    books.add(300)
    sizes: list[int] = []
    sign = SignerKey.sign

    def sign_after_looking(signer: SignerKey, text: str) -> Signature:
        size = int(text.split("\n")[1])
        entries = [row.entry for row in books.store.rows(0, size)]
        assert list(books.tiles.entries(0, size)) == entries
        books.tiles.verify_range(0, size)
        sizes.append(size)
        return sign(signer, text)

    monkeypatch.setattr(SignerKey, "sign", sign_after_looking)
    books.publish()
    assert sizes == [305]
