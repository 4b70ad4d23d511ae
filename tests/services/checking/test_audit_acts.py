"""An act that was changed, deleted or made up is named, in the table, in the trail and in both.

Whoever does it here owns the file: the triggers are taken out of the way, every hash and every
commitment that follows is made anew, and the register is made to fit.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import astuple

from chain import canonical
from chain.audit.finding import AuditError
from chain.entry import act_entry
from chain.hashing import ZERO, Digest
from invoice_service.domain.acts import (
    Act,
    By,
    LoggedAct,
    Recorded,
    act_hash,
    concerned,
    logged_act,
)
from invoice_service.services.checking.audit import audit_instance
from invoice_service.services.people.trail import ActFilter
from invoice_service.storage.sqlite import update_store
from tests.services.tampering import first_wrong, tamper
from tests.services.town import Town

DECIDED = 9
"""Acts that the log has: three admissions, then what is decided of two merchants. One waits."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an instance that is in order."""
    folder = tmp_path_factory.mktemp("acts")
    town = Town(folder, acts=True)
    town.settle_in()
    store, by = town.store, By("key:7", int(town.now.timestamp()), "192.0.2.7")
    store.set_quota(1, 100, by)
    store.set_quota(2, 200, by)
    town.issue(2)
    town.anchor()
    store.set_status(1, "suspended", by)
    store.set_quota(1, 150, by)
    town.anchor()
    store.set_status(1, "active", by)
    store.set_quota(2, None, by)
    town.anchor()
    store.set_quota(1, 160, by)
    town.close()
    return folder


@pytest.fixture
def town(template: Path, tmp_path: Path) -> Iterator[Town]:
    """A copy of it, to be tampered with."""
    folder = tmp_path / "town"
    shutil.copytree(template, folder)
    town = Town(folder, acts=True)
    yield town
    town.close()


def wrong(town: Town) -> AuditError:
    """What the audit says."""
    with pytest.raises(AuditError) as caught:
        town.audit()
    return caught.value


def test_an_instance_in_order_is_clean(town: Town) -> None:
    found = town.audit()
    assert found.logged == (DECIDED + 1, 1, 0, 0, 0)
    town.anchor()
    assert town.audit().logged.pending == 0


# In the table alone


@pytest.mark.parametrize("seq", [1, 5, DECIDED, DECIDED + 1])
@pytest.mark.parametrize(
    "column", ["trail", "type", "subject", "salt", "document", "commitment", "merchant_id"]
)
def test_one_letter_of_a_row(town: Town, seq: int, column: str) -> None:
    change = {"trail": "trail + 70", "type": "'finding'", "subject": "'merchant:9'"}
    new = change.get(column, f"flip({column})")
    tamper(town, f"UPDATE logged_acts SET {column} = {new} WHERE seq = {seq}")
    assert first_wrong(town) == ("logged act", seq)


def test_where_documents_begin_is_known(town: Town) -> None:
    tamper(town, "DELETE FROM logged_from")
    assert first_wrong(town) == ("logged act", "after 0")


@pytest.mark.parametrize("seq", [1, 5, DECIDED, DECIDED + 1])
def test_a_row_that_is_gone(town: Town, seq: int) -> None:
    tamper(town, f"DELETE FROM logged_acts WHERE seq = {seq}")
    place = ("act", 10) if seq > DECIDED else ("logged act", seq)
    assert first_wrong(town) == place


def test_a_row_that_is_too_many(town: Town) -> None:
    tamper(
        town,
        f"INSERT INTO logged_acts SELECT {DECIDED + 2}, 11, type, subject, merchant_id, salt,"
        " document, randomblob(32) FROM logged_acts WHERE seq = 5",
    )
    error = wrong(town)
    assert error.extra["place"] == DECIDED + 2
    assert error.extra["expected"] == "an act in the trail"


def test_two_rows_swapped(town: Town) -> None:
    tamper(
        town,
        "UPDATE logged_acts SET seq = -5 WHERE seq = 5",
        "UPDATE logged_acts SET seq = 5 WHERE seq = 4",
        "UPDATE logged_acts SET seq = 4 WHERE seq = -5",
    )
    assert first_wrong(town) == ("logged act", 4)


def test_a_gap_in_a_subjects_chain_is_named(town: Town) -> None:
    """The document goes on from nothing, as if there had been no act before it."""
    fourth = town.store.logged_acts(3, 1)[0]
    sixth = town.store.logged_acts(5, 1)[0]
    said = msgspec.json.decode(sixth.document)
    assert said.pop("previous") == fourth.commitment.hex()
    document = msgspec.json.encode(said, order="deterministic")
    tamper(town, "UPDATE logged_acts SET document = ? WHERE seq = 6", values=[document])
    error = wrong(town)
    assert (error.extra["kind"], error.extra["place"]) == ("logged act", 6)
    assert error.extra["expected"] == (f"previous act of merchant:1 {fourth.commitment.hex()}")
    assert error.extra["found"] == "previous act of merchant:1 None"


# In the trail alone, its hashes made anew


def trail_of(town: Town) -> list[Act]:
    """All acts."""
    return [found.act for found in town.store.acts(ActFilter(), 0, 1_000)]


def write_trail(town: Town, acts: Sequence[Act]) -> None:
    """Put these in the place of all, as if it had never been otherwise."""
    rows, head = [], ZERO
    for seq, act in enumerate(acts, 1):
        head = act_hash(head, seq, act)
        values = (
            canonical.encode(it).decode() if isinstance(it, dict) else it for it in astuple(act)
        )
        rows.append((seq, head, *values))
    rewrite(town, "acts", rows)


def rewrite(town: Town, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Put these rows in the place of a table's."""
    with closing(sqlite3.connect(town.folder / "invoices.db")) as owner:
        triggers = owner.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            owner.execute(f"DROP TRIGGER {name}")
        owner.execute(f"DELETE FROM {table}")
        marks = ", ".join("?" * len(rows[0]))
        owner.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        for _, sql in triggers:
            owner.execute(sql)
        owner.commit()


def _one_letter(acts: list[Act], place: int) -> None:
    acts[place] = msgspec.structs.replace(acts[place], reason="x")


def _gone(acts: list[Act], place: int) -> None:
    del acts[place]


def _made_up(acts: list[Act], place: int) -> None:
    acts.insert(place, msgspec.structs.replace(acts[place], reason="made up"))


def _swapped(acts: list[Act], place: int) -> None:
    acts[place - 1 : place + 1] = acts[place - 1 : place + 1][::-1]


BENDS: dict[str, Callable[[list[Act], int], None]] = {
    "one letter": _one_letter,
    "deleted": _gone,
    "made up": _made_up,
    "swapped": _swapped,
}


@pytest.mark.parametrize("place", [4, 5, 6])
@pytest.mark.parametrize("bend", BENDS)
def test_the_trail_made_anew(town: Town, bend: str, place: int) -> None:
    acts = trail_of(town)
    BENDS[bend](acts, place)
    write_trail(town, acts)
    first = place if bend == "swapped" else place + 1
    assert first_wrong(town) == ("logged act", first)


def test_an_act_made_up_at_the_trails_end(town: Town) -> None:
    acts = trail_of(town)
    write_trail(town, [*acts, msgspec.structs.replace(acts[-1], reason="made up")])
    assert first_wrong(town) == ("act", DECIDED + 2)


def test_the_trails_end_cut_off(town: Town) -> None:
    write_trail(town, trail_of(town)[:-1])
    tamper(town, "UPDATE merchants SET quota = 150 WHERE id = 1")
    assert first_wrong(town) == ("logged act", DECIDED + 1)


# In both, all made to fit


def write_both(town: Town, acts: Sequence[Act]) -> None:
    """Trail and documents of these acts; what was not changed keeps its salt."""
    salts = [act.salt for act in town.store.logged_acts(0, 1_000)]
    write_trail(town, acts)
    rows, last = [], cast("dict[str, Digest]", {})
    for seq, act in enumerate(acts, 1):
        salt = salts[min(seq, len(salts)) - 1]
        made: LoggedAct = logged_act(seq, seq, act, salt, last.get(act.subject))
        last[act.subject] = made.commitment
        row = (seq, seq, made.type, made.subject, concerned(act), salt)
        rows.append((*row, made.document, made.commitment))
    rewrite(town, "logged_acts", rows)


def test_what_is_made_to_fit_is_what_it_was(town: Town) -> None:
    """Else the tests below would show nothing."""
    before = town.store.logged_acts(0, 99)
    write_both(town, trail_of(town))
    assert town.store.logged_acts(0, 99) == before
    town.audit()


@pytest.mark.parametrize("place", [3, 4, 5, 6])
@pytest.mark.parametrize("bend", BENDS)
def test_trail_and_documents_made_anew(town: Town, bend: str, place: int) -> None:
    """Then the log says otherwise: the entry of the first act that is another one."""
    acts = trail_of(town)
    BENDS[bend](acts, place)
    write_both(town, acts)
    error = wrong(town)
    assert error.extra["kind"] == "entry"
    entry = town.log.entry(cast("int", error.extra["place"]))
    assert b'"kind":"act"' in entry
    assert entry.decode() == error.extra["found"]


def test_the_end_that_the_log_has_cut_off_in_both(town: Town) -> None:
    write_both(town, trail_of(town)[: DECIDED - 1])
    tamper(town, "UPDATE merchants SET quota = 100 + 50 * id WHERE id < 3")
    error = wrong(town)
    assert error.extra["expected"] == "an entry of an act that is stored"


def test_an_entry_that_somebody_put_into_the_log(town: Town) -> None:
    """The worker's own words, with nothing behind them."""
    head = town.log.head()
    draft = act_entry("admission", ZERO)
    town.log.sequence(head, [draft], sealed_at=town.now, cursor=head.cursor)
    town.log.publish(town.signer)
    assert wrong(town).extra["place"] == head.size


def test_acts_that_came_first_in_another_order(town: Town) -> None:
    head = town.log.head()
    act = town.store.logged_acts(DECIDED, 1)[0]
    other = act_entry("quota", ZERO)
    town.log.sequence(head, [other, act.entry()], sealed_at=town.now, cursor=head.cursor)
    town.log.publish(town.signer)
    assert wrong(town).extra["place"] == head.size


# What is not wrong


def test_acts_from_before_are_counted_and_not_asked_for(town: Town, tmp_path: Path) -> None:
    old = Town(tmp_path, acts=True)
    old.settle_in()
    with closing(sqlite3.connect(tmp_path / "invoices.db")) as owner:
        for table in ("logged_acts", "logged_from"):
            owner.execute(f"DROP TABLE {table}")
        owner.execute("DELETE FROM _sqlite_migrations WHERE name = 'acts_for_the_log'")
        owner.commit()
    old.close()
    update_store(tmp_path / "invoices.db")
    again = Town(tmp_path, acts=True)
    again.store.set_quota(1, 5, By("key:7", int(again.now.timestamp())))
    again.anchor()
    assert again.audit().logged == (1, 0, 3, 3, 0)
    again.close()


def test_what_is_decided_meanwhile_does_not_disturb(town: Town) -> None:
    """After the trail's end was read, another act comes, and its entry."""
    told = False

    class Working:
        def __getattr__(self, name: str) -> object:
            return getattr(town.store, name)

        def acts(self, wanted: ActFilter, after: int, limit: int) -> list[Recorded]:
            nonlocal told
            found = town.store.acts(wanted, after, limit)
            if not found and not told:
                told = True
                town.store.set_quota(2, 9, By("key:7", int(town.now.timestamp())))
                town.anchor()
            return found

    working = cast("Any", Working())
    store = town.store
    log = (town.log_store, town.folder / "log", town.signer.verifier)
    found = audit_instance(*log, store, store.totals, working, store, store)
    assert told
    assert found.logged.documents == DECIDED + 1
