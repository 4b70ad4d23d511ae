"""What the audit says of each wrong thing, in full: kind, place, what was expected, what found."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chain.audit.audit import audit_log
from chain.audit.finding import AuditError
from chain.entry import anchor_entry, parse_entry, seal_entry
from chain.hashing import ZERO, Digest, leaf_hash
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import Signature, SignerKey, VerifierKey
from chain.tree.states import EMPTY_MAP
from tests.chain.books import NOON, ORIGIN, SIGNER, Books, drafts_from, name

SEAL = seal_entry(2, ZERO, 3, 3, NOON)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound log, to be copied: blocks end at sizes 3, 7, 9."""
    folder = tmp_path_factory.mktemp("sound")
    books = Books(folder)
    books.publish()
    books.grow(2, 3, 1)
    books.store.close()
    return folder


@pytest.fixture
def books(sound: Path, tmp_path: Path) -> Books:
    """A copy of the sound log."""
    shutil.copytree(sound, tmp_path / "copy")
    return Books(tmp_path / "copy")


def finding(books: Books, key: VerifierKey = SIGNER.verifier) -> tuple[str, int | str, str, str]:
    """Kind, place, what was expected and what was found."""
    with pytest.raises(AuditError) as found:
        audit_log(books.store, books.log_folder, key)
    extra = found.value.extra
    return str(extra["kind"]), extra["place"], str(extra["expected"]), str(extra["found"])


def loose(books: Books, table: str, statement: str) -> None:
    """Change a table that takes anything, as a damaged page does."""
    books.tamper("UPDATE meta SET value = value")  # drops the triggers
    with closing(sqlite3.connect(books.folder / "log.db")) as connection, connection:
        connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"ALTER TABLE loose RENAME TO {table}")
        assert connection.execute(statement).rowcount == 1


# The database


def test_a_sound_log_is_counted(books: Books) -> None:
    report = audit_log(books.store, books.log_folder, SIGNER.verifier)
    assert (report.size, report.blocks, report.checkpoints, report.published) == (9, 3, 4, 9)


def test_a_log_of_nothing_has_no_blocks(tmp_path: Path) -> None:
    books = Books(tmp_path)
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).blocks == 0


def test_another_logs_database(books: Books) -> None:
    key = SignerKey("other.example", bytes(32)).verifier
    said = ("store", "log.db", "origin other.example", f"origin {ORIGIN}")
    assert finding(books, key) == said


def test_a_database_without_its_guards(books: Books) -> None:
    books.store._here().connection.execute("DROP TRIGGER entries_no_update")
    *where, found = finding(books)
    assert where == ["store", "structure", "a sound database"]
    assert found.startswith("store_unguarded")


# Blocks


@pytest.mark.parametrize(("height", "place"), [(3, "the last one"), (2, 2), (1, 1)])
def test_a_block_that_is_none(books: Books, height: int, place: int | str) -> None:
    loose(books, "blocks", f"UPDATE blocks SET root = 'text' WHERE height = {height}")
    *where, found = finding(books)
    assert where == ["block", place, "a block"]
    assert found.startswith("store_damaged")


def test_no_block_where_one_must_be(books: Books) -> None:
    books.tamper("DELETE FROM blocks WHERE height < 3")
    books.store._here().connection.execute("PRAGMA ignore_check_constraints = ON")
    books.store._here().connection.execute("UPDATE blocks SET height = 0")
    assert finding(books) == ("block", 1, "a block", "nothing")


def test_a_block_is_missing(books: Books) -> None:
    books.tamper("DELETE FROM blocks WHERE height = 2")
    assert finding(books) == ("block", 2, "height 2", "height 3")


@pytest.mark.parametrize("column", ["edge", "seal", "root"])
def test_another_digest_in_a_block(books: Books, column: str) -> None:
    block = books.log.block(2)
    good = {"edge": block.edge, "seal": block.seal, "root": block.root}[column]
    books.tamper(f"UPDATE blocks SET {column} = ? WHERE height = 2", ZERO)
    said = ("block", 2, f"{column} {good.hex()}", f"{column} {ZERO.hex()}")
    assert finding(books) == said


# Entries


@pytest.mark.parametrize("change", ["entry = 'text'", "key = 5"])
def test_entries_that_cannot_be_read(books: Books, change: str) -> None:
    loose(books, "entries", f"UPDATE entries SET {change} WHERE idx = 4")
    *where, found = finding(books)
    assert where == ["entry", "3 to 6", "entries"]
    assert found.startswith("store_damaged")


@pytest.mark.parametrize("index", [3, 4, 6])
def test_an_entry_is_missing(books: Books, index: int) -> None:
    books.tamper(f"DELETE FROM entries WHERE idx = {index}")
    assert finding(books) == ("entry", index, "an entry", "nothing")


def test_an_entry_in_no_form(books: Books) -> None:
    books.tamper("UPDATE entries SET entry = x'00' WHERE idx = 4")
    *where, found = finding(books)
    assert where == ["entry", 4, "a canonical entry"]
    assert found


@pytest.mark.parametrize("key", [name(77), None])
def test_an_entry_of_another_key(books: Books, key: bytes | None) -> None:
    said = "NULL" if key is None else f"x'{key.hex()}'"
    books.tamper(f"UPDATE entries SET key = {said} WHERE idx = 4")
    found = "none" if key is None else key.hex()
    assert finding(books) == ("entry", 4, f"key {name(4).hex()}", found)


def test_a_seal_with_a_key(books: Books) -> None:
    books.tamper("UPDATE entries SET key = ? WHERE idx = 6", name(77))
    assert finding(books) == ("entry", 6, "key none", name(77).hex())


@pytest.mark.parametrize(
    ("index", "entry", "key"), [(4, SEAL, None), (6, drafts_from(77, 1)[0], name(77))]
)
def test_a_seal_in_the_wrong_place(
    books: Books, index: int, entry: bytes, key: bytes | None
) -> None:
    books.tamper("UPDATE entries SET entry = ?, key = NULL WHERE idx = ?", entry, index)
    if key is not None:
        books.tamper("UPDATE entries SET key = ? WHERE idx = ?", key, index)
    assert finding(books) == ("entry", index, "a seal at the block's end and only there", "else")


@pytest.mark.parametrize(
    ("index", "entry", "place"),
    [(4, drafts_from(77, 1)[0], ("entry", 4)), (6, SEAL, ("seal", 2))],
)
def test_another_entry_than_in_the_tiles(
    books: Books, index: int, entry: bytes, place: tuple[str, int]
) -> None:
    good = leaf_hash(books.log.entry(index))
    books.tamper("UPDATE entries SET entry = ? WHERE idx = ?", entry, index)
    if index == 4:
        books.tamper("UPDATE entries SET key = ? WHERE idx = ?", name(77), index)
    said = (f"leaf {good.hex()}", f"leaf {leaf_hash(entry).hex()}")
    assert finding(books) == (*place, *said)


def test_an_entry_behind_the_end(books: Books) -> None:
    books.tamper("INSERT INTO entries VALUES (9, ?, ?)", drafts_from(9, 1)[0], name(9))
    assert finding(books) == ("entry", 9, "nothing behind the last block", "an entry")


# Seals, and the state map under them


def lying(books: Books, seal: Callable[[], bytes]) -> None:
    """Add a block of two entries with this seal, and publish it: every digest fits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chain.log.log.seal_entry", lambda *_a, **_k: seal())
        books.add(2)
    books.publish()


@pytest.mark.parametrize(
    ("part", "expected", "found"),
    [
        ("height", "height 4", "height 5"),
        ("previous", "", f"previous {ZERO.hex()}"),
        ("first", "first 9", "first 8"),
        ("count", "count 2", "count 3"),
        ("states", f"states {EMPTY_MAP.hex()}", f"states {name(0).hex()}"),
        ("sealed_at", "sealed_at 2026-11-21T04:00:00Z", "sealed_at 2026-11-21T04:00:03Z"),
    ],
)
def test_a_seal_that_says_something_else(
    books: Books, part: str, expected: str, found: str
) -> None:
    head = books.log.head()

    def seal() -> bytes:
        return seal_entry(
            5 if part == "height" else 4,
            ZERO if part == "previous" else head.seal,
            8 if part == "first" else 9,
            3 if part == "count" else 2,
            NOON if part == "sealed_at" else NOON.replace(second=3),
            name(0) if part == "states" else EMPTY_MAP,
        )

    lying(books, seal)
    kind = "block" if part == "sealed_at" else "seal"
    assert finding(books) == (kind, 4, expected or f"previous {head.seal.hex()}", found)


def reverse(books: Books, mine: int, whom: int) -> None:
    """Add and publish a block whose only entry reverses entry ``whom``."""
    draft = anchor_entry("invoice", name(mine), reverses=name(whom), reversal="full")
    head = books.log.head()
    books.log.sequence(head, [draft], sealed_at=NOON.replace(second=6), cursor=99)
    books.publish()


def test_states_follow_from_those_before(books: Books) -> None:
    reverse(books, 9001, 0)
    reverse(books, 9002, 1)
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).blocks == 5


def test_states_that_cannot_follow(books: Books) -> None:
    reverse(books, 9001, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chain.log.log.state_changes", lambda *_: {})
        reverse(books, 9002, 0)
    *where, found = finding(books)
    assert where == ["seal", 5, "states that follow"]
    assert found.startswith("already_reversed")


def test_a_node_of_the_state_map_is_another(books: Books) -> None:
    reverse(books, 9001, 0)
    root = parse_entry(books.log.entry(10)).states  # type: ignore[union-attr]  # it is the seal
    books.tamper("UPDATE state_nodes SET body = x'00'")
    assert finding(books) == ("state", root, "the node that was derived", "another")


# Checkpoints


def test_a_checkpoint_that_is_no_note(books: Books) -> None:
    books.tamper("UPDATE checkpoints SET note = x'00' WHERE size = 7")
    *where, found = finding(books)
    assert where == ["checkpoint", 7, "a note signed by the log"]
    assert found


@pytest.mark.parametrize(("size", "above"), [(0, -1), (3, 0), (7, 3)])
def test_a_checkpoint_that_cannot_be_read(books: Books, size: int, above: int) -> None:
    loose(books, "checkpoints", f"UPDATE checkpoints SET note = 'text' WHERE size = {size}")
    *where, found = finding(books)
    assert where == ["checkpoint", f"above size {above}", "a note"]
    assert found.startswith("store_damaged")


def told(size: int, root: Digest = ZERO) -> bytes:
    """A note that the log signed."""
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), SIGNER)


def test_a_checkpoint_inside_a_block(books: Books) -> None:
    books.tamper("INSERT INTO checkpoints VALUES (4, ?, NULL)", told(4))
    assert finding(books) == ("checkpoint", 4, "size 7", "size 4")


def test_a_checkpoint_of_another_size_or_root(books: Books) -> None:
    root = books.log.block(2).root
    books.tamper("UPDATE checkpoints SET note = ? WHERE size = 7", told(8, root))
    assert finding(books) == ("checkpoint", 7, "size 7", "size 8")
    books.tamper("UPDATE checkpoints SET note = ? WHERE size = 7", told(7))
    assert finding(books) == ("checkpoint", 7, f"root {root.hex()}", f"root {ZERO.hex()}")


def test_a_checkpoint_beyond_the_end(books: Books) -> None:
    books.tamper("INSERT INTO checkpoints VALUES (12, ?, NULL)", told(12))
    assert finding(books) == ("checkpoint", 12, "none above size 9", "one")


# The file ``checkpoint``


def published(books: Books, note: bytes) -> None:
    """Put another file ``checkpoint``."""
    (books.log_folder / "checkpoint").write_bytes(note)


def test_no_file(books: Books) -> None:
    (books.log_folder / "checkpoint").unlink()
    assert finding(books) == ("published", "checkpoint", "a checkpoint", "no file")


def test_a_file_that_is_no_note(books: Books) -> None:
    published(books, b"garbage")
    *where, found = finding(books)
    assert where == ["published", "checkpoint", "a note signed by the log"]
    assert found


def test_a_file_ahead_of_the_database(books: Books) -> None:
    published(books, told(12))
    expected = "at most the 9 entries signed in the database"
    assert finding(books) == ("published", "checkpoint", expected, "12 entries")


ADDED = Signature("w.example", b"1234", bytes(64))
ANOTHER = ("published", "checkpoint", "a stored checkpoint", "another")


def test_a_file_with_signatures_that_were_added(books: Books) -> None:
    note = books.published()
    published(books, note + ADDED.line().encode())
    assert finding(books) == ANOTHER
    books.store.add_signatures(9, [ADDED])
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).published == 9
    published(books, note)
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).published == 9


@pytest.mark.parametrize("size", [5, 9])
def test_a_file_that_is_not_stored(books: Books, size: int) -> None:
    published(books, told(size))
    assert finding(books) == ANOTHER


def test_signatures_that_cannot_be_read(books: Books) -> None:
    books.store.add_signatures(9, [ADDED])
    loose(books, "signatures", "UPDATE signatures SET payload = 'text'")
    *where, found = finding(books)
    assert where == ["checkpoint", 9, "a note"]
    assert found.startswith("store_damaged")
