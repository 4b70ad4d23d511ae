"""Keys of people among the buyers: destroyed for good, in every file of the database."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chain.commitment import parse_password_area
from chain.errors import UnavailableError
from invoice_service.domain.invoice import StoredInvoice, stored_digest
from invoice_service.domain.persons import Kept, read_group
from invoice_service.services.people.trail import ActFilter
from invoice_service.storage.sqlite import SqliteStore, update_store
from invoice_service.storage.sqlite.connection import Connections
from tests.domain.samples import BY, company
from tests.storage.shop import FILE, Shop, codes

PERSON = {"name": "欧阳娜娜", "address_phone": "13800138000"}
SUBJECT = "invoice:144031809110-00000001"
MANY = 300


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.store.close()


def files(folder: Path) -> bytes:
    """All that the database has on the disk."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.glob(f"{FILE}*")))


def keys(shop: Shop) -> list[bytes]:
    return [key for (key,) in shop.rows("SELECT key FROM buyer_keys ORDER BY invoice")]


def sell(shop: Shop, count: int) -> None:
    """To as many people, one transaction each time."""
    first = shop.store.last_seq()
    for number in range(first, first + count, 20):
        drafts = [shop.draft(f"A-{number + n}", buyer=PERSON) for n in range(min(20, count))]
        assert set(codes(shop.hand_in(*drafts))) == {"issued"}


class TestBytes:
    """What was destroyed is nowhere any more."""

    @pytest.mark.parametrize("seq", [1, 2, 150, MANY])
    def test_a_key_goes_from_all_files(self, shop: Shop, seq: int) -> None:
        sell(shop, MANY)
        all_keys = keys(shop)
        before = files(shop.folder)
        assert all(key in before for key in all_keys)
        number = shop.rows("SELECT number FROM invoices WHERE seq = ?", seq)[0][0]
        shop.store.erase_buyer(seq, f"invoice:144031809110-{number}", BY)
        after = files(shop.folder)
        gone = [n for n, key in enumerate(all_keys, start=1) if key not in after]
        assert gone == [seq]

    def test_so_do_all_keys_one_after_the_other(self, shop: Shop) -> None:
        """Pages that fill and split leave no copy behind that a later erasure would miss."""
        sell(shop, MANY)
        all_keys = keys(shop)
        with shop.store.connections.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        sell(shop, MANY)
        all_keys = keys(shop)
        for seq in range(1, 2 * MANY + 1, 7):
            number = shop.rows("SELECT number FROM invoices WHERE seq = ?", seq)[0][0]
            shop.store.erase_buyer(seq, f"invoice:144031809110-{number}", BY)
        after = files(shop.folder)
        gone = [n for n, key in enumerate(all_keys, start=1) if key not in after]
        assert gone == list(range(1, 2 * MANY + 1, 7))

    def test_a_name_never_stands_there(self, shop: Shop) -> None:
        first = shop.issue(shop.draft("A-1", buyer=PERSON, idempotency_key="k"))
        shop.issue(shop.red(first))
        for text in PERSON.values():
            assert text.encode() not in files(shop.folder)
        shop.issue(shop.draft("A-2", buyer=company()))
        assert company()["name"].encode() in files(shop.folder)

    def test_a_file_that_is_written_anew_has_nothing_in_its_free_room(self, shop: Shop) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON))
        with closing(sqlite3.connect(shop.folder / FILE)) as stranger:
            stranger.execute("PRAGMA secure_delete = OFF")
            stranger.execute("INSERT INTO till_lists VALUES (1, 'x', 1, 'left in the free room')")
            stranger.execute("DELETE FROM till_lists")
            stranger.commit()
        shop.store.connections.empty_log()
        assert b"left in the free room" in files(shop.folder)
        shop.store.connections.rewrite()
        assert b"left in the free room" not in files(shop.folder)
        assert codes(shop.hand_in(shop.draft("A-2"))) == ["issued"]
        assert shop.rows("PRAGMA temp_store") == [(2,)]


class TestWashing:
    """The write-ahead log is emptied, sooner or later."""

    def test_a_reader_that_needs_it_is_waited_for(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path, busy_seconds=0.2)
        shop.issue(shop.draft("A-1", buyer=PERSON))
        (key,) = keys(shop)
        with closing(sqlite3.connect(tmp_path / FILE)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM invoices").fetchone()
            with pytest.raises(UnavailableError) as caught:
                shop.store.erase_buyer(1, SUBJECT, BY)
            assert caught.value.code == "database_busy"
            assert keys(shop) == [bytes(32)]
            assert key in files(tmp_path)  # and the call may be made again, when the reader is done
            shop.issue(shop.draft("A-2"))  # nobody else waits for it
            reader.execute("ROLLBACK")
        shop.store.erase_buyer(1, SUBJECT, BY)
        assert key not in files(tmp_path)
        assert len(shop.store.acts(ActFilter(type="erasure"), 0, 9)) == 1
        assert shop.rows("SELECT * FROM unwashed") == []
        shop.store.close()

    def test_who_opens_the_file_next_finishes_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop = Shop(tmp_path)
        shop.issue(shop.draft("A-1", buyer=PERSON))
        (key,) = keys(shop)

        def killed(_connections: Connections) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Connections, "empty_log", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.store.erase_buyer(1, SUBJECT, BY)
        monkeypatch.undo()
        assert keys(shop) == [bytes(32)]
        assert key in files(tmp_path)
        update_store(tmp_path / FILE)
        assert key not in files(tmp_path)
        assert shop.rows("SELECT * FROM unwashed") == []
        shop.store.close()

    def test_nothing_is_done_when_the_act_cannot_be_written(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON))
        before = keys(shop)

        def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr("invoice_service.storage.sqlite.buyers.append", full)
        with pytest.raises(UnavailableError):
            shop.store.erase_buyer(1, SUBJECT, BY)
        assert keys(shop) == before


class TestGuards:
    """The database itself keeps keys from all but being destroyed."""

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM buyer_keys",
            "UPDATE buyer_keys SET key = randomblob(32)",
            "UPDATE buyer_keys SET key = x''",
            "UPDATE buyer_keys SET invoice = 2",
            "UPDATE buyer_keys SET key = key",
            "INSERT OR REPLACE INTO buyer_keys VALUES (1, randomblob(32))",
            "REPLACE INTO buyer_keys VALUES (1, zeroblob(32))",
            "INSERT INTO buyer_keys VALUES (1, randomblob(32))",
            "INSERT INTO buyer_keys VALUES (2, randomblob(31))",
        ],
    )
    def test_whoever_opens_the_file_is_refused(self, shop: Shop, statement: str) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON))
        before = keys(shop)
        stranger = sqlite3.connect(shop.folder / FILE)
        with closing(stranger), pytest.raises(sqlite3.IntegrityError):
            stranger.execute(statement)
        assert keys(shop) == before

    def test_a_key_that_is_gone_is_not_put_back(self, shop: Shop) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON))
        (key,) = keys(shop)
        shop.store.erase_buyer(1, SUBJECT, BY)
        stranger = sqlite3.connect(shop.folder / FILE)
        with closing(stranger), pytest.raises(sqlite3.IntegrityError, match="frozen"):
            stranger.execute("UPDATE buyer_keys SET key = ?", (key,))

    def test_a_key_that_is_missing_is_damage_not_erasure(self, shop: Shop) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON))
        with closing(sqlite3.connect(shop.folder / FILE)) as stranger:
            stranger.execute("DROP TRIGGER buyer_keys_no_delete")
            stranger.execute("DELETE FROM buyer_keys")
            stranger.commit()
        with pytest.raises(UnavailableError) as caught:
            shop.store.invoice_at(1)
        assert caught.value.code == "record_damaged"

    def test_a_key_that_is_gone_by_no_act_is_damage_when_erased(self, shop: Shop) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON))
        with closing(sqlite3.connect(shop.folder / FILE)) as stranger:
            stranger.execute("UPDATE buyer_keys SET key = zeroblob(32)")
            stranger.commit()
        with pytest.raises(UnavailableError) as caught:
            shop.store.erase_buyer(1, SUBJECT, BY)
        assert caught.value.code == "record_damaged"


class TestUpdating:
    """People of an older release get their keys."""

    @pytest.fixture
    def older(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A store from before there were keys, with a person, a return, a company, nobody."""
        with monkeypatch.context() as patched:
            patched.setattr("invoice_service.domain.invoice.keep", _never_sealed)
            patched.setattr("invoice_service.domain.red.keep", _never_sealed)
            shop = Shop(tmp_path)
            _stock(shop)
            shop.store.close()
        with closing(sqlite3.connect(tmp_path / FILE)) as stranger:
            stranger.executescript(
                "DROP TABLE buyer_keys; DROP TABLE unwashed;"
                "DELETE FROM _sqlite_migrations WHERE name LIKE 'buyers_%'"
            )
        return tmp_path / FILE

    def test_everything_is_there_and_may_be_erased(self, older: Path) -> None:
        with closing(SqliteStore(older)) as before, pytest.raises(UnavailableError):
            before.invoice_at(1)  # no table of keys yet
        update_store(older)
        shop = Shop(older.parent, seed=2)
        assert [read_group(_at(shop, seq).buyer).name[:2] for seq in (1, 2, 3, 4)] == [
            *("欧阳", "腾讯", "", "欧阳")
        ]
        assert all(_is_whole(_at(shop, seq)) for seq in (1, 2, 3, 4))
        assert [one.invoice for one in shop.store.buyer_standings(0, 9)] == [1, 4]
        for text in PERSON.values():
            assert text.encode() not in files(older.parent)
        again = shop.draft("A-1", buyer=PERSON, idempotency_key="k")
        assert codes(shop.hand_in(again)) == ["replayed"]
        shop.store.erase_buyer(1, SUBJECT, BY)
        assert [bool(_at(shop, seq).erased) for seq in (1, 2, 3, 4)] == [True, False, False, True]
        assert all(_is_whole(_at(shop, seq)) for seq in (1, 2, 3, 4))
        again = shop.draft("A-1", buyer=PERSON, idempotency_key="k")
        assert shop.refused(again) == "idempotency_key_conflict"
        shop.store.close()

    def test_rows_are_guarded_as_before(self, older: Path) -> None:
        update_store(older)
        with closing(sqlite3.connect(older)) as stranger:
            for table in ("invoices", "idempotency"):
                with pytest.raises(sqlite3.IntegrityError, match="frozen"):
                    stranger.execute(f"UPDATE {table} SET request_digest = request_digest")


def _never_sealed(_group: object, document: bytes, salts: bytes, *_: object) -> Kept:
    return Kept(document, salts)


def _stock(shop: Shop) -> None:
    first = shop.issue(shop.draft("A-1", buyer=PERSON, idempotency_key="k"))
    shop.issue(shop.draft("A-2", buyer=company()))
    shop.issue(shop.draft("A-3"))
    shop.issue(shop.red(first))


def _at(shop: Shop, seq: int) -> StoredInvoice:
    found = shop.store.invoice_at(seq)
    assert found is not None
    return found


def _is_whole(invoice: StoredInvoice) -> bool:
    return stored_digest(invoice) == parse_password_area(invoice.hash)
