"""The audit of the trail: one test for each way to change it behind its back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.audit.finding import AuditError
from chain.hashing import sha256
from invoice_service.domain.acts import By, act_by
from invoice_service.services.checking.audit_trail import audit_trail
from tests.domain.samples import BY, NOON
from tests.services.tampering import first_wrong, tamper
from tests.services.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Three merchants, of whom one was suspended and one limited; a key, and one revoked."""
    town = Town(tmp_path)
    town.store.record(act_by(BY, "init", "instance"))
    town.settle_in()
    town.store.set_status(1, "suspended", BY)
    town.store.set_quota(2, 5, BY)
    town.store.add_key(sha256(b"a"), "merchant", 1, "", BY)
    town.store.add_key(sha256(b"b"), "official", None, "", BY)
    town.store.revoke_key(1, By("key:2", NOON + 9, "192.0.2.1"))
    yield town
    town.close()


def test_a_trail_in_order_is_clean(town: Town) -> None:
    found = town.audit().trail
    assert (found.acts, found.head) == town.store.last_act()
    assert (found.acts, found.refusals) == (9, 0)


def test_a_long_trail_is_read_to_its_end(town: Town) -> None:
    for _ in range(300):
        town.store.record(act_by(BY, "clock", "clock"))
    assert town.audit().trail.acts == 309


@pytest.mark.parametrize(
    ("statement", "kind", "place"),
    [
        ("UPDATE acts SET actor = 'key:9' WHERE seq = 5", "act", 5),
        ("UPDATE acts SET at = at + 1 WHERE seq = 9", "act", 9),
        ("UPDATE acts SET hash = zeroblob(32) WHERE seq = 3", "act", 3),
        ("UPDATE acts SET hash = x'00' WHERE seq = 3", "act", "after 0"),
        ("UPDATE acts SET after = '{\"quota\":6}' WHERE seq = 6", "act", 6),
        ("UPDATE acts SET after = '{' WHERE seq = 6", "act", "after 0"),
        ("UPDATE acts SET type = 'gift' WHERE seq = 6", "act", "after 0"),
        ("DELETE FROM acts WHERE seq = 4", "act", 4),
        ("DELETE FROM acts WHERE seq = 1", "act", 1),
        ("DELETE FROM acts WHERE seq > 1", "merchant", 1),
        ("DELETE FROM acts WHERE seq > 3", "merchant", 1),
        ("DELETE FROM acts WHERE seq > 8", "key", 1),
        ("DELETE FROM acts WHERE seq > 4", "merchant", 1),
        ("DELETE FROM acts WHERE seq > 5", "merchant", 2),
        ("DELETE FROM acts WHERE seq > 6", "key", 1),
        ("UPDATE merchants SET status = 'active' WHERE id = 1", "merchant", 1),
        ("UPDATE merchants SET status = 'suspended' WHERE id = 3", "merchant", 3),
        ("UPDATE merchants SET quota = NULL WHERE id = 2", "merchant", 2),
        ("UPDATE merchants SET quota = 9 WHERE id = 3", "merchant", 3),
        ("UPDATE api_keys SET revoked_at = NULL WHERE id = 1", "key", 1),
        ("UPDATE api_keys SET revoked_at = 7 WHERE id = 1", "key", 1),
        ("UPDATE api_keys SET revoked_at = 7 WHERE id = 2", "key", 2),
        ("UPDATE api_keys SET role = 'official', merchant_id = NULL WHERE id = 1", "key", 1),
        ("UPDATE api_keys SET merchant_id = 2 WHERE id = 1", "key", 1),
        (
            "INSERT INTO api_keys SELECT 3, x'07', role, merchant_id, label, created_at,"
            " revoked_at FROM api_keys WHERE id = 2",
            *("key", 3),
        ),
    ],
)
def test_what_was_changed_behind_its_back_is_named(
    town: Town, statement: str, kind: str, place: int | str
) -> None:
    tamper(town, statement)
    assert first_wrong(town) == (kind, place)


def test_a_merchant_that_nobody_admitted_is_named(town: Town) -> None:
    columns = "tax_id || 'x', name, industry, district, address_phone, bank_account, drawer, payee"
    tamper(
        town,
        f"INSERT INTO merchants SELECT 4, {columns}, reviewer, quota, used, status, created_at"
        " FROM merchants WHERE id = 3",
    )
    with pytest.raises(AuditError) as caught:
        audit_trail(town.store)
    assert (caught.value.extra["kind"], caught.value.extra["place"]) == ("merchant", 4)


def test_what_is_older_than_the_trail_needs_no_act(town: Town) -> None:
    """A release without a trail has left merchants and keys."""
    tamper(town, "DELETE FROM acts")
    town.store.set_status(2, "suspended", BY)
    town.store.revoke_key(1, BY)
    town.store.revoke_key(2, BY)
    assert town.audit().trail.acts == 3
    tamper(town, "UPDATE merchants SET status = 'active' WHERE id = 2")
    assert first_wrong(town) == ("merchant", 2)
