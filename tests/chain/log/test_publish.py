"""Publishing, looked at closely: what it checks the first time, and what it leaves alone."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from chain.errors import UnavailableError, VerificationError
from chain.hashing import ZERO, Digest
from chain.log.publish import STEP
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import Signature, SignerKey, parse_note
from chain.signing.policy import Policy
from chain.tree.tiles import TileFolder
from tests.chain.books import ORIGIN, SIGNER, Books
from tests.witness.inside import NOW, cosigner


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """An empty log."""
    return Books(tmp_path)


def test_the_first_publication_checks_the_root_too(books: Books) -> None:
    """Nothing was signed before, so no consistency proof would notice."""
    books.add(3)
    books.tamper("UPDATE blocks SET root = ?", ZERO)
    with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
        books.publish()
    assert books.store.latest_checkpoint() is None
    assert not (books.log_folder / "checkpoint").exists()


def test_publishing_nothing_new_signs_and_writes_nothing(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.grow(300)
    before = _marks(books.log_folder)
    signed: list[str] = []

    def sign(_signer: SignerKey, text: str) -> Signature:
        signed.append(text)
        raise AssertionError(text)

    monkeypatch.setattr(SignerKey, "sign", sign)
    books.publish()
    assert signed == []
    assert _marks(books.log_folder) == before


def _marks(folder: Path) -> dict[Path, tuple[int, int]]:
    """Which file is where, and when it was written."""
    found = {path: path.stat() for path in folder.rglob("*")}
    return {path: (status.st_ino, status.st_mtime_ns) for path, status in found.items()}


def test_a_step_covers_whole_tiles_of_two_levels() -> None:
    assert STEP == 256**2


def test_each_step_costs_what_is_new(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps end where tiles end, and what is old is neither read nor tidied up again."""
    monkeypatch.setattr("chain.log.publish.STEP", 256)
    books.grow(600)
    books.add(500)
    written: list[tuple[int, int]] = []
    dropped: list[tuple[int, int]] = []
    write, drop = TileFolder.write_range, TileFolder.drop_partials

    def write_range(
        tiles: TileFolder, old: int, new: int, hashes: Sequence[Digest], entries: Sequence[bytes]
    ) -> None:
        written.append((old, new))
        write(tiles, old, new, hashes, entries)

    def drop_partials(tiles: TileFolder, old: int, new: int) -> None:
        dropped.append((old, new))
        drop(tiles, old, new)

    monkeypatch.setattr(TileFolder, "write_range", write_range)
    monkeypatch.setattr(TileFolder, "drop_partials", drop_partials)
    books.publish()
    assert written == [(601, 768), (768, 1024), (1024, 1102)]
    assert dropped == [(601, 1102)]


@pytest.mark.parametrize("counts", [(3,), (255,), (300, 5), (3, 700, 240)])
def test_what_sequencing_has_computed_makes_the_same_tiles(
    tmp_path: Path, counts: tuple[int, ...]
) -> None:
    """Whoever has sequenced publishes by a shorter way than another worker would."""
    (tmp_path / "own").mkdir()
    (tmp_path / "other").mkdir()
    own, other = Books(tmp_path / "own"), Books(tmp_path / "other")
    for count in counts:
        own.add(count)
        assert own.log.publisher.grown is not None
        own.publish()
        assert own.log.publisher.grown is None
        other.add(count)
        Books(other.folder).publish()
    files = [path for path in own.log_folder.rglob("*") if path.is_file()]
    assert len(files) > 2
    for path in files:
        same = other.log_folder / path.relative_to(own.log_folder)
        assert path.read_bytes() == same.read_bytes()


def test_what_sequencing_has_computed_is_not_believed(books: Books) -> None:
    books.grow(300)
    books.add(600)
    grown, before = books.log.publisher.grown, set(books.log_folder.rglob("*"))
    assert grown is not None
    for level, row in enumerate(grown.rows):
        bent = [list(other) for other in grown.rows]
        bent[level] = [*row[:-1], ZERO]
        books.log.publisher.grown = replace(grown, rows=bent)
        with pytest.raises(VerificationError):
            books.publish()
        assert _sizes(books) == [301]
        for path in sorted(set(books.log_folder.rglob("*")) - before):
            if path.is_file():
                path.unlink()
    assert len(grown.rows) == 2


def _sizes(books: Books) -> list[int]:
    """Of all that was signed."""
    return [one.size for one in books.store.checkpoints(-1, 9)]


def test_a_damaged_stored_checkpoint_is_said(books: Books) -> None:
    books.grow(3)
    books.add(3)
    (books.log_folder / "checkpoint").unlink()
    books.tamper("UPDATE checkpoints SET note = x'00'")
    with pytest.raises(VerificationError, match=r"^checkpoint_damaged\b"):
        books.publish()


def test_a_damaged_published_checkpoint_is_said(books: Books) -> None:
    books.grow(3)
    (books.log_folder / "checkpoint").write_bytes(b"x")
    for ask in (books.publish, books.log.latest_checkpoint):
        with pytest.raises(VerificationError, match=r"^published_damaged\b"):
            ask()


def test_publishers_take_turns(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker's publication begins only when this one is over."""
    books.add(3)
    order: list[str] = []
    begun = threading.Event()
    other = Books(books.folder)

    def publish_too() -> None:
        begun.set()
        other.publish()
        order.append("second")

    thread = threading.Thread(target=publish_too)
    sign = SignerKey.sign

    def sign_slowly(signer: SignerKey, text: str) -> Signature:
        thread.start()
        begun.wait()
        thread.join(0.3)
        order.append("first")
        return sign(signer, text)

    monkeypatch.setattr(SignerKey, "sign", sign_slowly)
    books.publish()
    thread.join()
    assert order == ["first", "second"]


def test_the_lock_is_gone_after_a_failure(books: Books) -> None:
    books.add(3)
    tile = books.log_folder / "tile/0/000.p/4"
    tile.parent.mkdir(parents=True)
    tile.write_bytes(b"something else")
    with pytest.raises(VerificationError, match=r"^tile_differs\b"):
        books.publish()
    tile.unlink()
    assert Books(books.folder).publish().size == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_no_rollback(books: Books) -> None:
    books.grow(3)
    (books.log_folder / "checkpoint").chmod(0)
    with pytest.raises(UnavailableError, match=r"^checkpoint_unreadable\b"):
        books.publish()


def test_a_folder_in_place_of_the_file_is_no_rollback(books: Books) -> None:
    books.grow(3)
    (books.log_folder / "checkpoint").unlink()
    (books.log_folder / "checkpoint").mkdir()
    with pytest.raises(UnavailableError, match=r"^checkpoint_unreadable\b"):
        books.publish()
    with pytest.raises(UnavailableError, match=r"^checkpoint_unreadable\b"):
        books.add(1)


def test_the_published_note_is_the_stored_one(books: Books) -> None:
    books.grow(3, 4)
    stored = books.store.checkpoint(9)
    assert stored is not None
    assert books.published() == stored.note
    assert books.log.latest_checkpoint()[1] == stored.note
    assert SIGNER.verifier.name in stored.note.decode()


def test_the_log_publishes_by_its_policy(tmp_path: Path) -> None:
    """Signed, but not published before a witness has cosigned it."""
    books = Books(tmp_path, policy=Policy((cosigner(1).verifier,), 1))
    books.add(3)
    assert books.publish().size == 4
    assert not (books.log_folder / "checkpoint").exists()


WAYS: dict[str, Callable[[Books], object]] = {
    "publish": Books.publish,
    "put": lambda books: books.log.publisher.put(),
}
EVERY_WAY: dict[str, Callable[[Books], object]] = {
    **WAYS,
    "mend": lambda books: books.log.publisher.mend(),
}


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_lost_tile_comes_back_whoever_comes_first(books: Books, way: str) -> None:
    books.grow(300)
    tile = books.log_folder / "tile/0/000"
    before = tile.read_bytes()
    tile.unlink()
    EVERY_WAY[way](books)
    assert tile.read_bytes() == before


@pytest.mark.parametrize("way", EVERY_WAY)
def test_nothing_is_done_for_a_database_that_was_rolled_back(books: Books, way: str) -> None:
    """Least of all are its entries written where the newer log's stood."""
    books.grow(300)
    other = Checkpoint(ORIGIN, 900, ZERO)  # what the log went on to, and the database has lost
    (books.log_folder / "checkpoint").write_bytes(sign_checkpoint(other, SIGNER))
    (books.log_folder / "tile/0/000").unlink()
    before = _marks(books.log_folder)
    with pytest.raises(VerificationError, match=r"^log_rolled_back\b") as caught:
        EVERY_WAY[way](books)
    assert caught.value.extra == {"published": 900, "head": 301}
    assert _marks(books.log_folder) == before


def _cosigned(books: Books, number: int) -> Signature:
    """The cosignature of what the file ``checkpoint`` says by this witness."""
    return cosigner(number).cosign(parse_note(books.published()).text, NOW)


@pytest.mark.parametrize("way", WAYS)
def test_lines_that_the_database_lost_stay_in_their_place(tmp_path: Path, way: str) -> None:
    """Whoever has read the file finds every line again, though an older database was restored."""
    books = Books(tmp_path)
    books.grow(3)
    lost = books.published() + _cosigned(books, 2).line().encode()
    (books.log_folder / "checkpoint").write_bytes(lost)
    WAYS[way](books)
    assert books.published() == lost
    more = _cosigned(books, 1)
    books.store.add_signatures(4, [more])
    WAYS[way](books)
    assert books.published() == lost + more.line().encode()


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_cosignature_is_not_added_to_what_is_published(tmp_path: Path, way: str) -> None:
    one, two = (cosigner(number) for number in (1, 2))
    books = Books(tmp_path, policy=Policy((one.verifier, two.verifier), 1))
    books.publish()
    books.add(3)
    books.publish()
    signed = books.store.latest_checkpoint()
    assert signed is not None
    books.store.add_signatures(4, [one.cosign(parse_note(signed.note).text, NOW)])
    books.publish()
    before = books.published()
    assert one.verifier.name.encode() in before
    books.store.add_signatures(4, [two.cosign("another\ntext\n", NOW)])
    with pytest.raises(VerificationError, match=r"^signature\b"):
        WAYS[way](books)
    assert books.published() == before


def test_the_published_file_never_goes_back(books: Books) -> None:
    """A worker with an old view, whose turn comes late, leaves the newer file alone."""
    books.grow(3)
    old = books.published()
    books.grow(3)
    new = books.published()
    (books.log_folder / "checkpoint").write_bytes(old)  # as if the last write had been lost
    books.publish()
    assert books.published() == new
