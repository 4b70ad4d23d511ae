"""The files of a mirror: what is read, what is kept under which name, how often."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from chain.audit import mirror
from chain.audit.evidence import Fork, verify_evidence
from chain.audit.fetch import FolderSource
from chain.audit.mirror import (
    MirrorReport,
    check_mirror,
    compare_mirrors,
    mirror_log,
    seen_checkpoints,
)
from chain.durable import write_files
from chain.entry import format_time
from chain.errors import UnavailableError, VerificationError
from chain.hashing import sha256
from chain.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from chain.signing.cosignature import Cosigner, add_signatures
from chain.signing.keys import TrustedKeys
from chain.signing.note import SignerKey
from tests.chain.books import NOON, ORIGIN, SIGNER, Books

KEY = SIGNER.verifier


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """A log of 305 entries in two blocks."""
    (tmp_path / "log").mkdir()
    books = Books(tmp_path / "log")
    books.grow(3, 300)
    return books


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where the mirror will be."""
    return tmp_path / "mirror"


def _from(books: Books, copy: Path) -> MirrorReport:
    return mirror_log(FolderSource(books.log_folder), copy, KEY)


def _signed(size: int, what: bytes) -> bytes:
    """A checkpoint of a tree that the log never had."""
    return sign_checkpoint(Checkpoint(ORIGIN, size, sha256(what)), SIGNER)


def test_reading_a_mirror_again_tells_how_far_it_is(books: Books, copy: Path) -> None:
    _from(books, copy)
    told: list[tuple[int, int]] = []
    check_mirror(copy, KEY, lambda done, all_: told.append((done, all_)))
    assert told == [(256, 305), (305, 305)]


def test_the_report_says_when_the_last_block_was_sealed(tmp_path: Path, copy: Path) -> None:
    books = Books(tmp_path)
    books.publish()
    assert _from(books, copy).sealed_at == ""
    books.grow(3)
    assert _from(books, copy).sealed_at == format_time(NOON)
    assert check_mirror(copy, KEY).sealed_at == format_time(NOON)


def test_only_whole_files_count_as_seen(books: Books, copy: Path) -> None:
    """A crash leaves parts of files, by hidden names; a file system may have folders of its own."""
    _from(books, copy)
    before = seen_checkpoints(copy, KEY)
    assert [checkpoint.size for checkpoint, _ in before] == [305]
    (copy / "checkpoints/.305.abcdef.tmp").write_bytes(books.published()[:20])
    (copy / "checkpoints/lost+found").mkdir()
    assert seen_checkpoints(copy, KEY) == before
    (copy / "checkpoint").unlink()  # as when the first copy was interrupted
    assert seen_checkpoints(copy, KEY) == before


def test_the_note_with_more_signatures_is_kept(books: Books, copy: Path) -> None:
    """Not the one that sorts later; of two with as many, the one that was seen first."""
    plain = books.published()
    text = open_checkpoint(plain, KEY).to_text()
    one, two, last = (
        Cosigner(SignerKey(f"{name}.example", bytes([number]) * 32)).cosign(text, 1_800_000_000)
        for number, name in enumerate(("a", "b", "z"), start=2)
    )
    alone, both = add_signatures(plain, [last]), add_signatures(plain, [one, two])
    assert both < alone
    for served, kept in ((alone, alone), (both, both), (add_signatures(plain, [one]), both)):
        (books.log_folder / "checkpoint").write_bytes(served)
        _from(books, copy)
        assert (copy / "checkpoint").read_bytes() == kept
    shutil.rmtree(copy)
    for served in (add_signatures(plain, [one]), alone):
        (books.log_folder / "checkpoint").write_bytes(served)
        _from(books, copy)
        assert (copy / "checkpoint").read_bytes() == add_signatures(plain, [one])


def test_another_root_of_the_copied_size_is_a_fork_though_more_was_seen(
    books: Books, copy: Path
) -> None:
    """It is held against the copy, which is whole, and the file is named by size and root."""
    _from(books, copy)
    books.grow(50)
    (copy / "checkpoints/356").write_bytes(books.published())  # seen, and interrupted there
    other = _signed(305, b"other")
    (books.log_folder / "checkpoint").write_bytes(other)
    with pytest.raises(VerificationError, match=r"^log_forked\b") as caught:
        _from(books, copy)
    name = f"refused/305-{sha256(b'other').hex()[:16]}"
    assert caught.value.extra == {"kept": f"{name}.note", "evidence": f"{name}.evidence.json"}
    assert (copy / f"{name}.note").read_bytes() == other
    assert isinstance(verify_evidence((copy / f"{name}.evidence.json").read_bytes(), KEY), Fork)


def _batches(
    books: Books, copy: Path, monkeypatch: pytest.MonkeyPatch, *, files: int, size: int
) -> list[list[bytes]]:
    """What is written at once while a log is copied, with these limits."""
    written: list[list[bytes]] = []

    def noting(batch: Iterable[tuple[Path, bytes]]) -> None:
        pairs = list(batch)
        written.append([data for _, data in pairs])
        write_files(pairs)

    with monkeypatch.context() as patch:
        patch.setattr(mirror, "write_files", noting)
        patch.setattr(mirror, "_BATCH_FILES", files)
        patch.setattr(mirror, "_BATCH_BYTES", size)
        _from(books, copy)
    shutil.rmtree(copy)
    return written


def test_files_are_written_so_many_or_so_many_bytes_at_once(
    books: Books, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [together] = _batches(books, copy, monkeypatch, files=64, size=1 << 20)
    assert len(together) == 5  # two bundles, two tiles, and the tile above
    by_files = _batches(books, copy, monkeypatch, files=2, size=1 << 20)
    assert [len(batch) for batch in by_files] == [2, 2, 1]
    bundle_and_tile = len(together[0]) + len(together[1])
    by_bytes = _batches(books, copy, monkeypatch, files=64, size=bundle_and_tile)
    assert [len(batch) for batch in by_bytes] == [2, 3]
    assert [data for batch in by_bytes for data in batch] == together


def test_mirrors_that_move_on_while_they_are_compared_are_busy(
    books: Books, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = tmp_path / "second"
    for folder in (copy, second):
        _from(books, folder)
    (copy / "refused").mkdir()
    (copy / "refused/305-other.note").write_bytes(_signed(305, b"other"))
    assert compare_mirrors(copy, second, KEY) is not None

    def meanwhile(folder: Path, log_key: TrustedKeys) -> list[tuple[Checkpoint, bytes]]:
        seen = seen_checkpoints(folder, log_key)
        if folder == second:
            books.grow(50)
            for each in (copy, second):
                _from(books, each)
        return seen

    monkeypatch.setattr(mirror, "seen_checkpoints", meanwhile)
    with pytest.raises(UnavailableError, match=r"^mirror_busy\b"):
        compare_mirrors(copy, second, KEY)
