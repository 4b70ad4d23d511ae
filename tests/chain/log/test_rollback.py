"""An older database under a newer folder: noticed before anything is sequenced or signed."""

import shutil
from pathlib import Path

import pytest

from chain.errors import VerificationError
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import SignerKey
from tests.chain.books import NOON, Books, drafts_from


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """An empty log."""
    return Books(tmp_path)


def _refused(books: Books, *codes: str) -> None:
    """Publishing is refused and neither the file nor the database has a new checkpoint."""
    file, stored = books.published(), books.store.latest_checkpoint()
    with pytest.raises(VerificationError) as refused:
        books.publish()
    assert refused.value.code in codes
    assert (books.published(), books.store.latest_checkpoint()) == (file, stored)


def _roll_back(books: Books, tmp_path: Path, counts: tuple[int, ...]) -> Books:
    """Restore the database as it was before ``counts`` were sealed and published."""
    books.store.close()
    shutil.copy(tmp_path / "log.db", tmp_path / "backup.db")
    newer = Books(tmp_path)
    newer.grow(*counts)
    newer.store.close()
    shutil.move(tmp_path / "backup.db", tmp_path / "log.db")
    return Books(tmp_path)


def test_a_restored_older_database_is_noticed_before_anything(books: Books, tmp_path: Path) -> None:
    books.grow(3)
    restored = _roll_back(books, tmp_path, (4,))
    _refused(restored, "log_rolled_back")
    with pytest.raises(VerificationError, match=r"^log_rolled_back\b") as refused:
        restored.add(9)
    assert refused.value.extra == {"published": 9, "head": 4}
    assert restored.log.head().height == 1


@pytest.mark.parametrize("count", [1, 4, 7])
def test_a_fork_made_behind_our_back_is_not_signed(
    books: Books, tmp_path: Path, count: int
) -> None:
    """Rolled back, then grown again (past the check in ``sequence``) to less, as much, or more."""
    books.grow(3)
    restored = _roll_back(books, tmp_path, (4,))
    hidden = (tmp_path / "log/checkpoint").rename(tmp_path / "hidden")
    head = restored.log.head()
    restored.log.sequence(head, drafts_from(500, count), sealed_at=NOON, cursor=50)
    hidden.rename(tmp_path / "log/checkpoint")
    _refused(restored, "log_rolled_back")


def test_a_fork_is_noticed_by_the_tiles_alone(books: Books, tmp_path: Path) -> None:
    """The published file is lost as well: the tiles of the other history are still there."""
    books.grow(3)
    restored = _roll_back(books, tmp_path, (4,))
    (tmp_path / "log/checkpoint").unlink()
    restored.log.sequence(restored.log.head(), drafts_from(500, 4), sealed_at=NOON, cursor=50)
    with pytest.raises(VerificationError, match=r"^tile_differs\b"):
        restored.publish()


def test_an_older_database_that_lost_only_its_checkpoint_goes_on(
    books: Books, tmp_path: Path
) -> None:
    """The same history, one checkpoint short: it is signed again, to the same bytes."""
    books.grow(3)
    books.add(4)
    restored = _roll_back(books, tmp_path, ())
    note = books.publish(), books.published()
    books.store.close()
    restored = Books(tmp_path)
    assert (restored.publish(), restored.published()) == note


@pytest.mark.parametrize("damage", [b"", b"\xff", b"x\n\n\xe2\x80\x94 x eA==\n"])
def test_an_unreadable_published_file_is_said(books: Books, damage: bytes) -> None:
    books.grow(3)
    (books.log_folder / "checkpoint").write_bytes(damage)
    with pytest.raises(VerificationError, match=r"^published_damaged\b"):
        books.publish()
    with pytest.raises(VerificationError, match=r"^published_damaged\b"):
        books.add(1)


def test_another_logs_published_file_is_refused(books: Books) -> None:
    books.grow(3)
    other = Checkpoint("other.example/log", 4, books.log.head().root)
    (books.log_folder / "checkpoint").write_bytes(
        sign_checkpoint(other, SignerKey("other.example/log", bytes(32)))
    )
    _refused(books, "log_rolled_back")
