"""What the log commits to of acts: kept with the act or not at all, one after the other."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.commitment import act_digest
from chain.errors import UnavailableError
from invoice_service.domain.acts import ActType, By, LoggedAct, act_by
from invoice_service.services.people.trail import ActFilter
from invoice_service.storage.sqlite import SqliteStore, update_store
from tests.domain.samples import BY
from tests.storage.shop import FILE, Shop, request


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """A store with one merchant, whose admission is its first act."""
    return Shop(tmp_path).store


def _said(act: LoggedAct) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.json.decode(act.document)
    return said


def test_a_decision_has_its_document_beside_the_act(store: SqliteStore) -> None:
    store.set_quota(1, 5, By("key:7", 1_786_334_400, "192.0.2.7"))
    admission, quota = store.logged_acts(0, 9)
    assert _said(quota) == {
        "version": 1,
        "type": "quota",
        "at": "2026-08-10T04:00:00Z",
        "by": "key:7",
        "subject": "merchant:1",
        "after": {"quota": 5},
        "previous": admission.commitment.hex(),
    }
    assert quota.commitment == act_digest(quota.salt, quota.document)
    assert [quota.seq, quota.trail, quota.type, quota.subject] == [2, 2, "quota", "merchant:1"]
    assert b"192.0.2.7" not in quota.document
    assert admission.salt != quota.salt


def test_each_subject_has_a_chain_of_its_own(store: SqliteStore) -> None:
    store.add_merchant(request(1), BY)
    store.set_status(1, "suspended", BY)
    store.set_status(2, "suspended", BY)
    store.set_status(1, "active", BY)
    acts = store.logged_acts(0, 9)
    places = {act.commitment.hex(): act.seq for act in acts}
    assert [places.get(_said(act).get("previous", "")) for act in acts] == [None, None, 1, 2, 3]


def test_what_is_no_decision_has_none(store: SqliteStore) -> None:
    store.record(act_by(BY, "setup", "instance"))
    store.record(act_by(BY, "quota", "merchant:1", outcome="refused", code="merchant_unknown"))
    store.record(act_by(BY, "log_key", "log", outcome="begun"))
    assert store.last_logged_act() == 1
    store.record(act_by(BY, "log_key", "log", after={"step": "start", "statement": 2}))
    assert [act.type for act in store.logged_acts(1, 9)] == ["log_key"]


@pytest.mark.parametrize(
    "type_", ["admission", "quota", "suspension", "role", "finding", "consent", "log_key", "trail"]
)
def test_every_type_that_the_log_knows_passes(store: SqliteStore, type_: ActType) -> None:
    store.record(act_by(BY, type_, "person:3", after={"x": 1}, reason="for a test"))
    act = store.logged_acts(1, 9)[0]
    assert (act.type, _said(act)["reason"]) == (type_, "for a test")


def test_whoever_is_concerned_finds_it_and_nobody_else(store: SqliteStore) -> None:
    store.add_merchant(request(1), BY)
    store.record(act_by(BY, "role", "person:3", after={"merchant": 2, "role": "cashier"}))
    store.record(act_by(BY, "role", "person:4", before={"merchant": 2}))
    store.record(act_by(BY, "role", "person:5", after={"role": "examiner"}))
    store.record(act_by(BY, "admission", "application:2", after={"status": "refused"}))
    assert [act.seq for act in store.logged_acts(0, 9, 1)] == [1]
    assert [act.seq for act in store.logged_acts(0, 9, 2)] == [2, 3, 4]
    assert len(store.logged_acts(0, 9)) == 6
    own = store.logged_acts(0, 9)[1]
    assert store.logged_act(own.commitment, 2) == store.logged_act(own.commitment) == own
    assert store.logged_act(own.commitment, 1) is None
    assert store.logged_act(act_digest(bytes(16), b"{}")) is None


def test_the_act_is_not_written_where_its_document_cannot_be(
    store: SqliteStore, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as stranger:
        stranger.execute(
            "CREATE TRIGGER full BEFORE INSERT ON logged_acts BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        stranger.commit()
    with pytest.raises(UnavailableError):
        store.set_status(1, "suspended", BY)
    account = store.account(1)
    assert account is not None
    assert account.merchant.status == "active"
    assert (store.last_act().seq, store.last_logged_act()) == (1, 1)


def test_writers_at_once_make_one_chain(store: SqliteStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.set_quota(1, n, BY), range(20)))
    acts = store.logged_acts(0, 99)
    assert [act.seq for act in acts] == list(range(1, 22))
    assert [_said(act)["previous"] for act in acts[1:]] == [
        act.commitment.hex() for act in acts[:-1]
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE logged_acts SET document = document",
        "UPDATE logged_acts SET salt = salt WHERE seq = 1",
        "DELETE FROM logged_acts",
        "INSERT OR REPLACE INTO logged_acts SELECT * FROM logged_acts",
        "INSERT INTO logged_acts SELECT seq + 2, trail + 1, type, subject, merchant_id, salt,"
        " document, randomblob(32) FROM logged_acts",
        "INSERT INTO logged_acts SELECT seq + 1, trail, type, subject, merchant_id, salt,"
        " document, randomblob(32) FROM logged_acts",
        "INSERT INTO logged_acts SELECT seq + 1, trail + 1, type, subject, merchant_id, salt,"
        " document, commitment FROM logged_acts",
        "INSERT INTO logged_acts SELECT seq + 1, trail + 1, type, subject, merchant_id, x'00',"
        " document, randomblob(32) FROM logged_acts",
        "UPDATE logged_from SET trail = 9",
        "DELETE FROM logged_from",
        "INSERT INTO logged_from VALUES (2, 9)",
        "INSERT OR REPLACE INTO logged_from VALUES (1, 9)",
    ],
)
def test_the_database_itself_refuses_to_change_it(
    store: SqliteStore, tmp_path: Path, statement: str
) -> None:
    before = store.logged_acts(0, 9)
    with (
        closing(sqlite3.connect(tmp_path / FILE)) as stranger,
        pytest.raises(sqlite3.IntegrityError),
    ):
        stranger.execute(statement)
    assert store.logged_acts(0, 9) == before


def before_this_release(file: Path) -> None:
    """Take the file back to the release that kept no documents of acts."""
    with closing(sqlite3.connect(file)) as old:
        old.execute("DROP TABLE logged_acts")
        old.execute("DROP TABLE logged_from")
        old.execute("DELETE FROM _sqlite_migrations WHERE name = 'acts_for_the_log'")
        old.commit()


def test_acts_from_before_get_no_documents(store: SqliteStore, tmp_path: Path) -> None:
    store.set_quota(1, 5, BY)
    store.close()
    before_this_release(tmp_path / FILE)
    update_store(tmp_path / FILE)
    later = SqliteStore(tmp_path / FILE)
    assert (later.logged_from(), later.last_logged_act()) == (2, 0)
    assert len(later.acts(ActFilter(), 0, 9)) == 2
    later.set_quota(1, 6, BY)
    (act,) = later.logged_acts(0, 9)
    assert (act.seq, act.trail) == (1, 3)
    assert "previous" not in _said(act)
    later.close()


def test_a_damaged_row_is_said_to_be_one(store: SqliteStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as stranger:
        stranger.execute("DROP TRIGGER logged_acts_no_update")
        stranger.execute("PRAGMA ignore_check_constraints = ON")
        stranger.execute("UPDATE logged_acts SET commitment = x'00'")
        stranger.commit()
    with pytest.raises(UnavailableError, match="record_damaged"):
        store.logged_acts(0, 9)


def test_counts_are_by_type_up_to_a_place(store: SqliteStore) -> None:
    for status in ("suspended", "active"):
        store.set_status(1, status, BY)
    assert store.count_logged(3) == {"admission": 1, "suspension": 2}
    assert store.count_logged(2) == {"admission": 1, "suspension": 1}
    assert store.count_logged(0) == {}
