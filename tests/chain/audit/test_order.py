"""The audit names the *first* wrong thing, and says exactly what is wrong with it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chain.audit.audit import audit_log
from chain.audit.finding import AuditError
from chain.errors import UnavailableError
from chain.hashing import ZERO
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from tests.chain.books import NOON, ORIGIN, SIGNER, Books, drafts_from, name


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound log, to be copied: blocks end at sizes 4, 305, 307, 558."""
    folder = tmp_path_factory.mktemp("sound")
    books = Books(folder)
    books.grow(3, 300, 1, 250)
    books.store.close()
    return folder


@pytest.fixture
def books(sound: Path, tmp_path: Path) -> Books:
    """A copy of the sound log."""
    shutil.copytree(sound, tmp_path / "copy")
    return Books(tmp_path / "copy")


def finding(books: Books) -> tuple[str, int | str, str, str]:
    """Kind, place, what was expected and what was found."""
    with pytest.raises(AuditError) as found:
        audit_log(books.store, books.log_folder, SIGNER.verifier)
    extra = found.value.extra
    assert set(extra) == {"kind", "place", "expected", "found"}
    return str(extra["kind"]), extra["place"], str(extra["expected"]), str(extra["found"])


def without_checks(books: Books, statement: str) -> None:
    """Tamper past the triggers and the CHECK constraints."""
    books.tamper("UPDATE meta SET value = value")  # drops the triggers
    connection = books.store._here().connection
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute(statement)
    connection.execute("PRAGMA ignore_check_constraints = OFF")


@pytest.mark.parametrize(
    ("change", "expected", "found"),
    [
        ("height = 30", "height 3", "height 4"),
        ("first = first + 1", "first 305", "first 306"),
        ("first = first - 1", "first 305", "first 304"),
        ("count = count + 1", "size 308", "size 307"),
        ("count = count - 1", "size 306", "size 307"),
        ("cursor = 1", "cursor from 303 on", "1"),
        (
            "sealed_at = '2026-11-20T04:00:02Z'",
            "sealed_at from 2026-11-21T04:00:01Z on",
            "2026-11-20T04:00:02Z",
        ),
        (
            "sealed_at = '2026-11-21T04:00:03Z'",
            "sealed_at 2026-11-21T04:00:02Z",
            "sealed_at 2026-11-21T04:00:03Z",
        ),
    ],
)
def test_a_block_row_is_held_against_its_neighbours(
    books: Books, change: str, expected: str, found: str
) -> None:
    without_checks(books, f"UPDATE blocks SET {change} WHERE height = 3")
    assert finding(books) == ("block", 3, expected, found)


def test_a_time_that_goes_back_is_named_though_seal_and_row_agree(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = datetime(2026, 11, 20, tzinfo=UTC)
    books.tamper("UPDATE meta SET value = value")
    monkeypatch.setattr("chain.log.log._not_before", lambda _head, _moment: early)
    books.grow(2)
    kind, place, expected, _found = finding(books)
    assert (kind, place) == ("block", 5)
    assert expected == "sealed_at from 2026-11-21T04:00:03Z on"


def test_a_tile_comes_before_a_later_block(books: Books) -> None:
    path = books.log_folder / "tile/0/000"
    path.write_bytes(path.read_bytes()[::-1])
    books.tamper("DELETE FROM entries WHERE idx = 400")
    assert finding(books)[:2] == ("tile", "tile/0/000")


def test_an_entry_comes_before_the_tile_that_differs_from_it(books: Books) -> None:
    """Entry and tile disagree; the block's root says that the tile is right."""
    other = drafts_from(900, 1)[0]
    books.tamper("UPDATE entries SET entry = ?, key = ? WHERE idx = 20", other, name(900))
    kind, place, expected, _found = finding(books)
    assert (kind, place) == ("entry", 20)
    assert expected.startswith("leaf ")


def test_a_key_that_is_missing_is_said(books: Books) -> None:
    books.tamper("UPDATE entries SET key = NULL WHERE idx = 20")
    assert finding(books) == ("entry", 20, f"key {name(20).hex()}", "none")


def test_a_checkpoint_beyond_the_log_comes_before_its_missing_tiles(books: Books) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 900, ZERO), SIGNER)
    books.tamper("INSERT INTO checkpoints VALUES (900, ?, NULL)", note)
    assert finding(books)[:2] == ("checkpoint", 900)


def test_the_published_file_is_one_of_the_stored_ones(books: Books) -> None:
    """Signed by the log's key, and yet not what the database says was signed."""
    note = sign_checkpoint(Checkpoint(ORIGIN, 306, ZERO), SIGNER)
    (books.log_folder / "checkpoint").write_bytes(note)
    assert finding(books) == ("published", "checkpoint", "a stored checkpoint", "another")


def test_the_published_file_is_never_ahead_of_the_database(books: Books) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 900, ZERO), SIGNER)
    (books.log_folder / "checkpoint").write_bytes(note)
    assert finding(books) == (
        "published",
        "checkpoint",
        "at most the 558 entries signed in the database",
        "900 entries",
    )


def test_a_root_is_named_though_no_tile_can_tell(books: Books) -> None:
    (books.log_folder / "tile/0/001").unlink()
    books.tamper("UPDATE blocks SET root = ? WHERE height = 3", ZERO)
    kind, place, _expected, found = finding(books)
    assert (kind, place, found) == ("block", 3, f"root {ZERO.hex()}")


def test_a_checkpoint_signs_its_own_size(books: Books) -> None:
    root = books.log.block(2).root
    note = sign_checkpoint(Checkpoint(ORIGIN, 306, root), SIGNER)
    books.tamper("UPDATE checkpoints SET note = ? WHERE size = 305", note)
    assert finding(books) == ("checkpoint", 305, "size 305", "size 306")


def test_progress_is_told_on_the_way(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chain.audit.audit._PROGRESS_EVERY", 100)
    told: list[tuple[int, int]] = []
    audit_log(
        books.store, books.log_folder, SIGNER.verifier, lambda done, all_: told.append((done, all_))
    )
    assert told == [*((done, 558) for done in range(100, 600, 100)), (558, 558)]


def test_an_entry_is_named_in_an_unfinished_tile_too(books: Books) -> None:
    other = drafts_from(900, 1)[0]
    books.tamper("UPDATE entries SET entry = ?, key = ? WHERE idx = 540", other, name(900))
    assert finding(books)[:2] == ("entry", 540)


def test_a_seal_is_named_by_its_height(books: Books) -> None:
    seal = books.log.entry(304).replace(b"T04:00:01Z", b"T04:00:02Z")
    books.tamper("UPDATE entries SET entry = ? WHERE idx = 304", seal)
    kind, place, expected, _found = finding(books)
    assert (kind, place) == ("seal", 2)
    assert expected.startswith("leaf ")


def test_a_log_that_was_never_published_is_sound(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.add(300)
    report = audit_log(books.store, books.log_folder, SIGNER.verifier)
    assert (report.size, report.published, report.checkpoints, report.tiles) == (301, 0, 0, 0)


def test_blocks_of_one_second_that_take_nothing_new_are_sound(tmp_path: Path) -> None:
    books = Books(tmp_path)
    for index in (0, 2):
        head = books.log.head()
        books.log.sequence(head, drafts_from(index, 1), sealed_at=NOON, cursor=5)
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).blocks == 2


def test_what_cannot_be_read_now_says_nothing_about_the_log(books: Books) -> None:
    (books.log_folder / "checkpoint").unlink()
    (books.log_folder / "checkpoint").mkdir()
    with pytest.raises(UnavailableError, match=r"^read_failed\b"):
        audit_log(books.store, books.log_folder, SIGNER.verifier)


def test_a_tile_that_cannot_be_read_now_says_nothing_about_the_log(books: Books) -> None:
    (books.log_folder / "tile/0/000").unlink()
    (books.log_folder / "tile/0/000").mkdir()
    with pytest.raises(UnavailableError, match=r"^read_failed\b"):
        audit_log(books.store, books.log_folder, SIGNER.verifier)


def test_a_tile_that_goes_on_behind_the_log_is_named_for_that(books: Books) -> None:
    """Its beginning is right: it is of a longer history."""
    path = books.log_folder / "tile/0/002.p/46"
    path.with_name("47").write_bytes(path.read_bytes() + bytes(32))
    assert finding(books) == ("tile", "tile/0/002.p/47", "nothing beyond the log's end", "a file")


def test_a_log_that_ends_with_a_tile_needs_no_next_one(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.grow(255)
    books.add(3)
    report = audit_log(books.store, books.log_folder, SIGNER.verifier)
    assert (report.size, report.published) == (260, 256)
