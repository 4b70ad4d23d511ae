"""The log holds the trail: an end that was cut off, or a past made anew, is named.

Whoever does it here owns the file, makes every hash and every document anew, and is careful.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from chain.audit.finding import AuditError
from chain.hashing import ZERO, Digest
from invoice_service.domain.acts import UNKNOWN, Act, By, act_by, act_hash, concerned, is_logged
from invoice_service.domain.acts import logged_act as logged
from invoice_service.services.people.refusals import HOUR, Refusals
from invoice_service.services.people.trail import BOUND_WITHIN, TRAIL, ActFilter, Head
from invoice_service.storage.sqlite import trail
from tests.patience import wait_until
from tests.services.checking.test_audit_acts import rewrite, trail_of, write_trail
from tests.services.tampering import tamper
from tests.services.town import Town

SIGNED_IN = 4
"""The place of the act that has no entry of its own; three admissions stand before it."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Somebody has signed in, and the log holds that; the act that binds is the fifth."""
    town = Town(tmp_path, acts=True, bound=True)
    town.settle_in()
    town.store.record(act_by(by(town), "sign_in", "person:2", after={"level": "full"}))
    town.anchor()
    assert town.audit().logged.bound == 0
    wait(town)
    town.anchor()
    yield town
    town.close()


def by(town: Town) -> By:
    """Somebody, now."""
    return By("person:2", int(town.now.timestamp()), "192.0.2.7")


def wait(town: Town) -> None:
    """Until what stands in the trail is due to be bound."""
    town.now += timedelta(seconds=BOUND_WITHIN)


def remake(town: Town, acts: Sequence[Act]) -> None:
    """These acts, with all that follows from them: hashes, what binds them, documents."""
    salts = [act.salt for act in town.store.logged_acts(0, 99)]
    made: list[Act] = []
    rows: list[tuple[Any, ...]] = []
    head, last = ZERO, cast("dict[str, Digest]", {})
    for seq, one in enumerate(acts, 1):
        said = Head(seq - 1, head).said() if one.type == "trail" else one.after
        act = msgspec.structs.replace(one, after=said)
        head = act_hash(head, seq, act)
        made.append(act)
        if is_logged(act):
            place = len(rows)
            found = logged(place + 1, seq, act, salts[place], last.get(act.subject))
            last[act.subject] = found.commitment
            row = (found.seq, seq, found.type, found.subject, concerned(act), found.salt)
            rows.append((*row, found.document, found.commitment))
    write_trail(town, made)
    rewrite(town, "logged_acts", rows)


def wrong(town: Town) -> tuple[str, int]:
    """Kind and place of what the audit names."""
    with pytest.raises(AuditError) as caught:
        town.audit()
    return str(caught.value.extra["kind"]), cast("int", caught.value.extra["place"])


def last_entry(town: Town) -> int:
    """The place in the log of the act that binds."""
    return town.log.head().size - 2  # its block's seal is last


def test_an_act_without_an_entry_is_held_ten_minutes_later(town: Town) -> None:
    bound = town.store.acts(ActFilter(subject=TRAIL), 0, 9)
    before = town.store.acts(ActFilter(), SIGNED_IN - 1, 1)[0]
    assert [(found.seq, found.act.actor, found.act.after) for found in bound] == [
        (SIGNED_IN + 1, "service", {"acts": SIGNED_IN, "hash": before.hash.hex()})
    ]
    assert town.audit().logged == (4, 0, 0, 0, SIGNED_IN + 1)
    assert b'"type":"trail"' in town.log.entry(last_entry(town))


def test_where_nothing_happens_nothing_is_bound(town: Town) -> None:
    size = town.log.head().size
    wait(town)
    town.anchor()
    assert town.log.head().size == size
    town.store.record(act_by(by(town), "sign_out", "person:2"))
    town.anchor()
    assert town.log.head().size == size, "it waits for those that come soon after it"


def test_many_workers_bind_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """All have seen that it is due before the first of them may write."""
    town.store.record(act_by(by(town), "sign_out", "person:2"))
    wait(town)
    looked, waits = [], trail._waits  # the moment between looking and writing

    def looks(connection: sqlite3.Connection, at: int) -> bool:
        looked.append(at)
        return waits(connection, at)

    monkeypatch.setattr(trail, "_waits", looks)
    with ThreadPoolExecutor(4) as workers:
        with town.store.connections.writing():
            tries = [workers.submit(town.store.bind_trail, by(town).at) for _ in range(4)]
            wait_until(lambda: len(looked) == 4, "all have looked")
        assert sorted(one.result() for one in tries) == [False] * 3 + [True]
    town.anchor()
    assert town.audit().logged.bound == SIGNED_IN + 3


def test_a_clock_that_was_set_back_does_not_keep_it_waiting(town: Town) -> None:
    town.store.record(act_by(by(town), "sign_out", "person:2"))
    assert town.store.bind_trail(by(town).at - BOUND_WITHIN)


def test_the_past_made_anew(town: Town) -> None:
    """What remains after that fits, but for what the log says."""
    acts = trail_of(town)
    remake(town, acts)
    town.audit()
    acts[SIGNED_IN - 1] = msgspec.structs.replace(acts[SIGNED_IN - 1], origin="198.51.100.9")
    remake(town, acts)
    assert wrong(town) == ("entry", last_entry(town))


def test_the_past_made_anew_but_for_what_binds_it(town: Town) -> None:
    acts = trail_of(town)
    acts[SIGNED_IN - 1] = msgspec.structs.replace(acts[SIGNED_IN - 1], origin="198.51.100.9")
    write_trail(town, acts)
    assert wrong(town) == ("act", SIGNED_IN + 1)


def test_the_last_act_taken_out_with_what_binds_it(town: Town) -> None:
    remake(town, trail_of(town)[: SIGNED_IN - 1])
    assert wrong(town) == ("entry", last_entry(town))


def test_the_last_act_taken_out_from_before_what_binds_it(town: Town) -> None:
    acts = trail_of(town)
    del acts[SIGNED_IN - 1]
    remake(town, acts)
    assert wrong(town) == ("entry", last_entry(town))


def test_counts_of_refusals_taken_out_with_the_act_that_closed_them(town: Town) -> None:
    hour = by(town).at - by(town).at % HOUR
    for at in (hour, hour + HOUR):
        town.store.count_refusals(
            [
                Refusals(
                    hour=at,
                    code="key_unknown",
                    who=UNKNOWN,
                    origin="192.0.2.1",
                    count=7,
                    first_at=at,
                    last_at=at,
                    seen=7,
                )
            ]
        )
    before = len(trail_of(town)) - 1
    town.now += timedelta(seconds=HOUR + BOUND_WITHIN)
    town.anchor()
    assert town.audit().logged.bound == before + 2
    remake(town, trail_of(town)[:before])
    tamper(town, "DELETE FROM refusals")
    assert wrong(town) == ("entry", last_entry(town))


def test_what_came_after_the_last_point_is_said_not_to_be_held(town: Town) -> None:
    """docs/trust.md, "What the trail proves": nobody can tell, for ten minutes."""
    town.store.record(act_by(by(town), "sign_out", "person:2"))
    town.anchor()
    found = town.audit()
    assert found.trail.acts - found.logged.bound == 1
    remake(town, trail_of(town)[:-1])
    town.audit()
