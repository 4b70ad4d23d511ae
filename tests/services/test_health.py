"""Health: what stops the service, what an operator should see, and never an exception."""

from dataclasses import replace

import msgspec
import pytest

from chain.errors import UnavailableError
from chain.signing.cosignature import Cosigner, add_signatures
from chain.signing.note import SignerKey, parse_note
from invoice_service.domain.acts import By
from invoice_service.domain.clock import Known
from invoice_service.services import health
from invoice_service.services.health import Beat, HealthParts, WebProcesses, check_health
from invoice_service.storage.sqlite import SqliteStore
from tests.services.town import Town


@pytest.fixture
def parts(town: Town) -> HealthParts:
    """A town's parts, with an issuing process that answers."""
    return HealthParts(
        invoices=town.store,
        log=town.log,
        folder=town.folder,
        max_delay=60,
        issuer_alive=lambda: True,
    )


def now(town: Town) -> int:
    """The town's time."""
    return int(town.now.timestamp())


def codes(findings: tuple[health.Finding, ...]) -> list[str]:
    """Their codes."""
    return [finding.code for finding in findings]


def test_all_is_well(town: Town, parts: HealthParts) -> None:
    town.issue(3)
    town.anchor()
    found = check_health(parts, now(town))
    assert found.ready
    assert (found.issued, found.pending, found.oldest_pending) == (3, 0, 0)
    assert (found.log_size, found.published_size) == (4, 4)
    assert found.free_bytes > 0
    assert (found.problems, found.warnings) == ((), ())


def test_what_waits_and_how_long(town: Town, parts: HealthParts) -> None:
    town.issue(3)
    town.anchor()
    town.issue(2)
    town.pass_days(50 / 86_400)
    town.issue(1)
    found = check_health(parts, now(town))
    assert (found.issued, found.pending, found.oldest_pending) == (6, 3, 50)
    assert found.warnings == ()
    overdue = check_health(parts, now(town) + 11)
    assert overdue.oldest_pending == 61
    assert codes(overdue.warnings) == ["anchoring_overdue"]


def test_decisions_that_wait_are_told_apart_from_invoices(town: Town, parts: HealthParts) -> None:
    town.issue(1)
    town.anchor()
    since = now(town) - 50
    waits = replace(parts, acts=lambda: (3, since))
    found = check_health(waits, now(town))
    assert (found.pending, found.pending_acts, found.oldest_pending_act) == (0, 3, 50)
    assert (found.ready, found.warnings) == (True, ())
    late = check_health(waits, now(town) + 11)
    assert (late.ready, codes(late.warnings)) == (True, ["acts_overdue"])

    def damaged() -> tuple[int, int]:
        raise UnavailableError("record_damaged", "act 7")

    found = check_health(replace(parts, acts=damaged), now(town))
    assert (found.ready, codes(found.warnings)) == (True, ["record_damaged"])


def test_a_log_that_is_behind_is_not_ready_for_what_is_new(town: Town, parts: HealthParts) -> None:
    town.issue(1)
    assert check_health(parts, now(town) + 30).ready
    found = check_health(parts, now(town) + 31)
    assert (found.ready, codes(found.problems)) == (False, ["log_behind"])
    town.anchor()
    assert check_health(parts, now(town) + 31).ready


def test_a_clock_set_back_is_no_negative_age(town: Town, parts: HealthParts) -> None:
    town.issue(1)
    town.anchor()
    town.issue(1)
    assert check_health(parts, now(town) - 500).oldest_pending == 0


def test_a_new_instance_is_ready(town: Town, parts: HealthParts) -> None:
    found = check_health(parts, now(town))
    assert found.ready
    assert (found.issued, found.pending, found.log_size, found.warnings) == (0, 0, 0, ())


def test_a_store_that_is_gone(town: Town, parts: HealthParts) -> None:
    town.issue(1)
    town.anchor()
    town.store.close()
    (town.folder / "invoices.db").unlink()
    found = check_health(parts, now(town))
    assert not found.ready
    assert codes(found.problems) == ["database_unavailable"]
    assert found.log_size == 2


def test_a_log_that_cannot_be_read(
    town: Town, parts: HealthParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise UnavailableError("store_unavailable", "gone")

    monkeypatch.setattr(town.log, "head", fail)
    assert codes(check_health(parts, now(town)).problems) == ["store_unavailable"]


def test_without_an_issuing_process_issuing_is_only_slower(town: Town, parts: HealthParts) -> None:
    town.issue(1)
    town.anchor()
    found = check_health(replace(parts, issuer_alive=lambda: False), now(town))
    assert (found.ready, found.issuing_process) == (True, False)
    assert codes(found.warnings) == ["issuer_missing"]


def test_little_space(town: Town, parts: HealthParts, monkeypatch: pytest.MonkeyPatch) -> None:
    town.issue(1)
    town.anchor()
    monkeypatch.setattr(health, "LOW_SPACE", 1 << 60)
    found = check_health(parts, now(town))
    assert (found.ready, codes(found.warnings)) == (True, ["disk_low"])


WITNESSES = tuple(Cosigner(SignerKey(f"w{n}.example", bytes([n]) * 32)) for n in (1, 2))


def test_what_waits_for_witnesses_and_how_long(town: Town, parts: HealthParts) -> None:
    """The log has been signed further than it is published."""
    town.issue(3)
    town.anchor()
    published = (town.folder / "log" / "checkpoint").read_bytes()
    sealed = now(town)
    town.issue(2)
    town.anchor()
    (town.folder / "log" / "checkpoint").write_bytes(published)
    found = check_health(parts, sealed + 30)
    assert (found.log_size, found.published_size, found.pending) == (7, 4, 0)
    assert found.ready
    late = check_health(parts, sealed + 31)  # sealed, but nobody can check it
    assert (late.ready, codes(late.problems)) == (False, ["log_behind"])
    found = check_health(parts, sealed + 60)
    waiting = sealed + 60 - int(town.log.block_of(4).sealed_at.timestamp())
    assert found.oldest_unpublished == waiting
    assert codes(check_health(parts, sealed + 60 + 61).warnings) == ["publishing_overdue"]


def test_who_has_cosigned_what_is_published(town: Town, parts: HealthParts) -> None:
    asked = replace(parts, witnesses=tuple(one.verifier for one in WITNESSES))
    assert codes(check_health(asked, now(town)).warnings) == []  # an empty log needs nobody
    town.issue(3)
    town.anchor()
    found = check_health(asked, now(town))
    assert (found.witnesses, found.cosigned) == (2, 0)
    assert codes(found.warnings) == ["witness_missing"]
    file = town.folder / "log" / "checkpoint"
    note = file.read_bytes()
    for count, one in enumerate(WITNESSES, start=1):
        note = add_signatures(note, [one.cosign(parse_note(note).text, 1)])
        file.write_bytes(note)
        assert check_health(asked, now(town)).cosigned == count
    assert check_health(asked, now(town)).warnings == ()


def test_a_clock_that_stops_issuing_is_said(town: Town, parts: HealthParts) -> None:
    town.issue(1)
    town.anchor()
    day = 86_400
    for moment, code in ((61, "clock_behind"), (-4 * day - 1, "clock_ahead")):
        found = check_health(parts, now(town) - moment)
        assert (found.ready, codes(found.problems)) == (False, [code])
    assert check_health(parts, now(town) + 4 * day).ready
    town.store.confirm_clock(By("machine:wang", now(town) + 5 * day))
    assert check_health(parts, now(town) + 9 * day).ready


def test_for_want_of_room_somebody_was_turned_away_lately(town: Town, parts: HealthParts) -> None:
    at = now(town)
    last = {"bodies_full": at, "answers_full": 0, "connections_full": at - 60, "address_full": at}
    asked = replace(parts, crowd=lambda: last)
    found = check_health(asked, at)
    assert (found.ready, codes(found.warnings)) == (True, ["bodies_full", "connections_full"])
    assert codes(check_health(asked, at + 60).warnings) == ["bodies_full"]
    assert codes(check_health(asked, at + 61).warnings) == []


def test_a_clock_behind_the_last_seal_stops_issuing_as_well(town: Town, parts: HealthParts) -> None:
    town.issue(1)
    town.pass_days(3)
    town.anchor()
    town.pass_days(-3)
    found = check_health(parts, now(town))
    assert (found.ready, codes(found.problems)) == (False, ["clock_behind"])
    town.store.confirm_clock(By("machine:wang", now(town)))
    assert check_health(parts, now(town)).ready


def test_leaps_are_told_of_and_stop_issuing_when_they_are_too_many(
    town: Town, parts: HealthParts
) -> None:
    town.issue(1)
    town.anchor()
    hour, day = 3600, 86_400
    for leapt, ready, told in (
        (hour, True, []),
        (hour + 1, True, ["clock_leapt"]),
        (4 * day, True, ["clock_leapt"]),
        (4 * day + 1, False, ["clock_leapt"]),
    ):
        known = msgspec.structs.replace(town.store.known_times(), reckoned=now(town), leapt=leapt)
        found = check_health(replace(parts, invoices=Knowing(town.store, known)), now(town))
        assert (found.ready, codes(found.warnings)) == (ready, told)
        assert codes(found.problems) == ([] if ready else ["clock_ahead"])


class Knowing:
    """A store that knows other times."""

    def __init__(self, store: SqliteStore, known: Known) -> None:
        self.known_times = lambda: known
        self.invoices_after, self.issued_at = store.invoices_after, store.issued_at
        self.last_seq = store.last_seq


def test_a_full_disk_is_not_only_low(
    town: Town, parts: HealthParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FULL_SPACE", 1 << 60)
    found = check_health(parts, now(town))
    assert (found.ready, codes(found.problems), found.warnings) == (False, ["disk_full"], ())


def test_a_folder_that_is_gone_is_a_finding_too(town: Town, parts: HealthParts) -> None:
    found = check_health(replace(parts, folder=town.folder / "nowhere"), now(town))
    assert (found.free_bytes, codes(found.problems)) == (0, ["disk_full"])


@pytest.mark.parametrize(
    ("beat", "warnings"),
    [
        (Beat(30), []),
        (Beat(31), ["worker_silent"]),
        (Beat(), ["worker_silent"]),
        (Beat(2, "disk_full"), ["worker_failing"]),
        (Beat(2, "", ("not_canonical",)), ["totals_left"]),
    ],
)
def test_what_the_worker_says_or_does_not(
    town: Town, parts: HealthParts, beat: Beat, warnings: list[str]
) -> None:
    found = check_health(replace(parts, beat=lambda: beat), now(town))
    assert found.ready
    assert codes(found.warnings) == warnings
    assert found.worker_age == (-1 if beat.age is None else beat.age)


@pytest.mark.parametrize(
    ("web", "problems", "warnings"),
    [
        (WebProcesses(1, 1, 3), ["web_starting"], []),
        (WebProcesses(3, 3, 3), [], []),
        (WebProcesses(2, 3, 3), [], ["web_missing"]),
    ],
)
def test_all_web_processes_open_before_we_are_ready(
    town: Town, parts: HealthParts, web: WebProcesses, problems: list[str], warnings: list[str]
) -> None:
    found = check_health(replace(parts, web=lambda: web), now(town))
    assert (codes(found.problems), codes(found.warnings)) == (problems, warnings)
    assert found.web_processes == web.alive
