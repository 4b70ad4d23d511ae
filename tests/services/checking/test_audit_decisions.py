"""The audit of what officials decide on: one test for each way to change it behind its back."""

from contextlib import closing
from pathlib import Path
from shutil import copyfile

import msgspec
import pytest

from chain.audit.finding import AuditError
from chain.hashing import sha256
from invoice_service.domain.acts import By
from invoice_service.domain.application import ApplicationRequest, Finding
from invoice_service.domain.quota import Quotas
from invoice_service.services.admission.ports import Decision, Paper, Room
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.proposals import Actor
from invoice_service.storage.sqlite import SqliteStore
from tests.domain.samples import BY, NOON
from tests.services.people.house import House
from tests.storage.shop import FILE, tamper

ROOM = Room(open=9, paper_bytes=9_000)
TAX_IDS = ("91440300192203821X", "914403001922038225", "914403001922038233")
LATER = msgspec.structs.replace(BY, at=NOON + 5 * 86_400)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Applications admitted, refused and waiting; requests granted and open; proposals.

    The third is by the key that the second administrator holds, and confirmed by the first.
    """
    house = House(tmp_path_factory.mktemp("house"))
    store = house.store
    for tax_id in TAX_IDS:
        asked = ApplicationRequest(
            tax_id=tax_id, name="面馆", industry="6210", district="440303", contact="王"
        )
        paper = Paper(1, NOON, 9, tax_id)
        assert store.add_application(sha256(tax_id.encode()), asked, [paper], NOON, ROOM)
    store.decide(1, Decision(step="notice", version=1, notice_days=3), BY)
    found = Finding("low", "B", "blue"), Finding("none", "A")
    for version, finding in enumerate(found, 2):
        store.decide(1, Decision(step="examine", version=version, finding=finding), LATER)
    store.decide(1, Decision(step="admit", version=4, batch="p1"), LATER)
    store.decide(2, Decision(step="refuse", version=1, reason="no such shop"), BY)
    asked_for = store.add_quota_request(1, "quota", Quotas(quota=9), "more", BY)
    store.answer_quota_request(1, asked_for.version, Quotas(quota=8), "so many", LATER)
    store.add_quota_request(2, "leave", Quotas(), "", BY)
    first, second = (house.person(name, "administrator") for name in ("a", "b"))
    key = store.add_key(sha256(b"a"), "official", None, "", BY, KeyTerms(person=second.id))
    taken_back = store.add_quota_request(2, "quota", Quotas(quota=7), "more", BY)
    store.withdraw_quota_request(taken_back.id, 2, LATER)
    by_key = Actor(By(f"key:{key.id}", NOON), second.id)
    in_person = Actor(By(f"person:{first.id}", NOON), first.id)
    propose = house.desk.proposals.propose
    propose("revocation", "merchant:1", {}, "gone", in_person)
    house.desk.proposals.withdraw(
        propose("revocation", "merchant:2", {}, "", in_person).id, in_person
    )
    viewer = {"name": "C", "login": "c", "role": "viewer"}
    made = propose("invitation", "bureau", dict(viewer), "help", by_key)
    house.desk.proposals.confirm(made.id, in_person)
    audit_trail(store)
    store.close()
    return house.shop.folder


@pytest.mark.parametrize(
    ("statement", "kind", "place"),
    [
        ("UPDATE applications SET state = 'notice' WHERE id = 3", "application", 3),
        ("UPDATE applications SET risk = 'high' WHERE id = 1", "application", 1),
        ("UPDATE applications SET credit = 'D' WHERE id = 1", "application", 1),
        ("UPDATE applications SET warning = 'blue' WHERE id = 1", "application", 1),
        ("UPDATE applications SET batch = 'p2' WHERE id = 1", "application", 1),
        ("UPDATE applications SET notice_until = notice_until - 1", "application", 1),
        ("UPDATE applications SET merchant_id = 1 WHERE id = 1", "application", 1),
        ("UPDATE applications SET reason = 'no reason' WHERE id = 2", "application", 2),
        ("UPDATE applications SET id = 9 WHERE id = 2", "application", 9),
        ("DELETE FROM applications WHERE id = 2", "application", 2),
        ("UPDATE quota_requests SET state = 'refused' WHERE id = 1", "quota_request", 1),
        ("UPDATE quota_requests SET quota = 7 WHERE id = 1", "quota_request", 1),
        ("UPDATE quota_requests SET month_quota = 7 WHERE id = 1", "quota_request", 1),
        ("UPDATE quota_requests SET answer = 'more' WHERE id = 1", "quota_request", 1),
        ("UPDATE quota_requests SET answered_at = 1 WHERE id = 1", "quota_request", 1),
        ("UPDATE quota_requests SET merchant_id = 2 WHERE id = 1", "quota_request", 1),
        ("UPDATE quota_requests SET state = 'granted' WHERE id = 2", "quota_request", 2),
        ("UPDATE quota_requests SET state = 'open' WHERE id = 3", "quota_request", 3),
        ("DELETE FROM quota_requests WHERE id = 1", "quota_request", 1),
        ("UPDATE proposals SET state = 'withdrawn' WHERE id = 1", "proposal", 1),
        ("UPDATE proposals SET state = 'open' WHERE id = 2", "proposal", 2),
        ("UPDATE proposals SET subject = 'merchant:2' WHERE id = 1", "proposal", 1),
        ("UPDATE proposals SET kind = 'removal' WHERE id = 1", "proposal", 1),
        ("UPDATE proposals SET reason = '' WHERE id = 1", "proposal", 1),
        ("UPDATE proposals SET expires_at = expires_at + 1 WHERE id = 1", "proposal", 1),
        ("UPDATE proposals SET person_id = 2 WHERE id = 1", "proposal", 1),
        ("UPDATE proposals SET person_id = 1 WHERE id = 3", "proposal", 3),
        ("UPDATE proposals SET said = replace(said, 'viewer', 'auditor')", "proposal", 3),
        ("UPDATE proposals SET decided_by = 'person:2' WHERE id = 3", "proposal", 3),
        ("DELETE FROM proposals WHERE id = 3", "proposal", 3),
        (
            "INSERT INTO proposals SELECT 9, kind, subject, said, reason, actor, person_id, at,"
            " expires_at, 'open', '', NULL FROM proposals WHERE id = 1",
            "proposal",
            9,
        ),
        ("UPDATE merchants SET batch = 'p2' WHERE batch = 'p1'", "merchant", 3),
        ("UPDATE merchants SET batch = 'p2' WHERE id = 1", "merchant", 1),
    ],
)
def test_what_was_changed_behind_its_back_is_named(
    settled: Path, tmp_path: Path, statement: str, kind: str, place: int
) -> None:
    copy = tmp_path / FILE
    copyfile(settled / FILE, copy)
    tamper(tmp_path, statement)
    with closing(SqliteStore(copy)) as store, pytest.raises(AuditError) as caught:
        audit_trail(store)
    assert (caught.value.extra["kind"], caught.value.extra["place"]) == (kind, place)
