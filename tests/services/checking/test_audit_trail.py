"""The audit of the trail: one test for each way to change it behind its back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.audit.finding import AuditError
from chain.hashing import sha256
from invoice_service.domain.acts import UNKNOWN, ActType, By, Said, act_by
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.refusals import HOUR, Refusals
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
        ("DELETE FROM merchants WHERE id = 3", "merchant", 3),
        ("UPDATE merchants SET name = '别人' WHERE id = 3", "merchant", 3),
        ("UPDATE merchants SET bank_account = '招商银行 2' WHERE id = 2", "merchant", 2),
        ("UPDATE merchants SET drawer = NULL WHERE id = 1", "merchant", 1),
        ("UPDATE merchants SET tax_id = tax_id || 'x' WHERE id = 3", "merchant", 3),
        ("DELETE FROM api_keys WHERE id = 1", "key", 1),
        ("DELETE FROM api_keys WHERE id = 2", "key", 2),
        ("UPDATE api_keys SET revoked_at = NULL WHERE id = 1", "key", 1),
        ("UPDATE api_keys SET revoked_at = 7 WHERE id = 1", "key", 1),
        ("UPDATE api_keys SET revoked_at = 7 WHERE id = 2", "key", 2),
        ("UPDATE api_keys SET role = 'official', merchant_id = NULL WHERE id = 1", "key", 1),
        ("UPDATE api_keys SET merchant_id = 2 WHERE id = 1", "key", 1),
        (
            "INSERT INTO api_keys SELECT 3, x'07', role, merchant_id, label, created_at,"
            " revoked_at, scopes, expires_at, till, used_at, office, person_id FROM api_keys"
            " WHERE id = 2",
            *("key", 3),
        ),
    ],
)
def test_what_was_changed_behind_its_back_is_named(
    town: Town, statement: str, kind: str, place: int | str
) -> None:
    tamper(town, statement)
    assert first_wrong(town) == (kind, place)


class TestRefusals:
    """Counts of closed hours stand as the act says that closed each; the last is still open."""

    @pytest.fixture
    def town(self, town: Town) -> Town:
        """Three hours: two rows in the first, one in the others."""
        for hours, who in ((0, "a"), (0, "b"), (1, "a"), (2, "a")):
            self.refuse(town, NOON + hours * HOUR, who)
        return town

    def refuse(self, town: Town, at: int, who: str) -> None:
        """Somebody is refused."""
        one = Refusals(
            hour=at - at % HOUR,
            code="key_unknown",
            who=UNKNOWN,
            origin=who,
            count=2,
            first_at=at,
            last_at=at,
            seen=2,
        )
        town.store.count_refusals([one])

    def test_in_order_they_are_clean(self, town: Town) -> None:
        assert town.audit().trail.refusals == 8
        self.refuse(town, NOON + 2 * HOUR, "a")
        assert town.audit().trail.refusals == 10

    @pytest.mark.parametrize(
        ("statement", "hour"),
        [
            ("DELETE FROM refusals", 0),
            ("DELETE FROM refusals WHERE id = 2", 0),
            ("DELETE FROM refusals WHERE id = 3", 1),
            ("UPDATE refusals SET count = 1 WHERE id = 1", 0),
            ("UPDATE refusals SET origin = 'c' WHERE id = 3", 1),
            ("UPDATE refusals SET last_at = last_at + 1 WHERE id = 3", 1),
            (f"UPDATE refusals SET hour = hour + {2 * HOUR} WHERE id = 2", 0),
            (f"INSERT INTO refusals VALUES (9, {NOON}, 'x', 'y', 'z', 1, 1, 1)", 0),
            (f"INSERT INTO refusals VALUES (9, {NOON - HOUR}, 'x', 'y', 'z', 1, 1, 1)", -1),
        ],
    )
    def test_what_was_taken_out_or_changed_is_named(
        self, town: Town, statement: str, hour: int
    ) -> None:
        tamper(town, statement)
        assert first_wrong(town) == ("refusals", NOON + hour * HOUR)

    def test_of_the_hour_that_is_open_nothing_is_known(self, town: Town) -> None:
        """docs/trust.md says so."""
        tamper(town, "DELETE FROM refusals WHERE id = 4")
        assert town.audit().trail.refusals == 6

    def test_what_is_not_kept_any_more_may_be_gone(self, town: Town) -> None:
        for days in (100, 185):
            self.refuse(town, NOON + days * 86_400, "a")
        assert town.audit().trail.refusals == 4
        tamper(town, f"DELETE FROM refusals WHERE hour = {NOON + 100 * 86_400}")
        assert first_wrong(town) == ("refusals", NOON + 100 * 86_400)

    @pytest.mark.parametrize("said", [{}, {"hour": "noon"}, {"hour": NOON}, {"hour": 2**40}])
    def test_an_act_that_closes_no_hour(self, town: Town, said: Said) -> None:
        town.store.record(act_by(BY, "refusals", "refusals", after=said))
        assert first_wrong(town) == ("act", town.store.last_act().seq)

    @pytest.mark.parametrize(("type_", "subject"), [("admission", "key:1"), ("key", "key:x")])
    def test_an_act_about_nothing(self, town: Town, type_: ActType, subject: str) -> None:
        town.store.record(act_by(BY, type_, subject))
        assert first_wrong(town) == ("act", town.store.last_act().seq)


def test_a_merchant_that_nobody_admitted_is_named(town: Town) -> None:
    same = "name, industry, district, used, status, created_at"
    tamper(
        town,
        f"INSERT INTO merchants (id, tax_id, {same})"
        f" SELECT 4, tax_id || 'x', {same} FROM merchants WHERE id = 3",
    )
    with pytest.raises(AuditError) as caught:
        audit_trail(town.store)
    assert (caught.value.extra["kind"], caught.value.extra["place"]) == ("merchant", 4)


def test_what_is_older_than_the_trail_needs_no_act(town: Town) -> None:
    """A release without a trail has left merchants and keys."""
    tamper(town, "DELETE FROM acts", "DELETE FROM logged_acts")
    town.store.set_status(2, "suspended", BY)
    town.store.revoke_key(1, BY)
    town.store.revoke_key(2, BY)
    assert town.audit().trail.acts == 3
    tamper(town, "UPDATE merchants SET status = 'active' WHERE id = 2")
    assert first_wrong(town) == ("merchant", 2)
