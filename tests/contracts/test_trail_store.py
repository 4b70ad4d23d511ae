"""What every store keeps of who did what, whichever database is below it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from chain.errors import ConflictError
from chain.hashing import ZERO, sha256
from invoice_service.domain.acts import UNKNOWN, Act, By, Said, act_by, act_hash
from invoice_service.domain.merchant import particulars
from invoice_service.services.people.refusals import HOUR, OTHERS, ROWS_A_STEP, STEPS, Refusals
from invoice_service.services.people.trail import ActFilter, HourSums
from tests.domain.samples import BY, NOON
from tests.storage.shop import TAX_IDS, Shop, request

OFFICIAL = By("key:1", NOON + 5, "192.0.2.1")
EVERYTHING = ActFilter()
TOP = 2**53


@pytest.fixture(params=[Shop])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose one merchant has just been admitted; every kind of store is a parameter."""
    opened: Shop = request.param(tmp_path)
    yield opened
    opened.store.close()


def acts(shop: Shop, wanted: ActFilter = EVERYTHING) -> list[Act]:
    """The acts that match."""
    return [found.act for found in shop.store.acts(wanted, 0, 1000)]


def said(act: Act) -> tuple[str, str, Said, Said]:
    """What an act says of its subject."""
    return act.type, act.subject, act.before, act.after


class TestActs:
    """Each change has its act, and each act its place."""

    def test_an_admission(self, shop: Shop) -> None:
        shop.store.add_merchant(request(1, quota=7), OFFICIAL)
        first, second = acts(shop)
        assert said(first) == (
            *("admission", "merchant:1", {}),
            {
                "tax_id": TAX_IDS[0],
                "particulars": particulars(shop.merchant),
                "status": "active",
            },
        )
        assert second.after == {
            "tax_id": TAX_IDS[1],
            "particulars": particulars(request(1)),
            "status": "active",
            "quota": 7,
        }
        assert (second.actor, second.at, second.origin) == ("key:1", NOON + 5, "192.0.2.1")
        assert (second.outcome, second.code) == ("done", "")

    def test_suspending_and_resuming(self, shop: Shop) -> None:
        for status in ("suspended", "suspended", "active"):
            shop.store.set_status(1, status, OFFICIAL)
        active, suspended = {"status": "active"}, {"status": "suspended"}
        assert [said(act) for act in acts(shop)[1:]] == [
            ("suspension", "merchant:1", active, suspended),
            ("suspension", "merchant:1", suspended, suspended),
            ("suspension", "merchant:1", suspended, active),
        ]

    def test_quotas(self, shop: Shop) -> None:
        for quota in (0, 5, None):
            shop.store.set_quota(1, quota, OFFICIAL)
        assert [said(act)[2:] for act in acts(shop)[1:]] == [
            ({}, {"quota": 0}),
            ({"quota": 0}, {"quota": 5}),
            ({"quota": 5}, {}),
        ]

    def test_keys(self, shop: Shop) -> None:
        shop.store.add_key(sha256(b"a"), "merchant", 1, "till of 张三", OFFICIAL)
        shop.store.add_key(sha256(b"b"), "official", None, "", BY)
        shop.store.revoke_key(1, By("key:2", NOON + 9))
        shop.store.revoke_key(1, By("key:2", NOON + 10))
        revoked: Said = {"revoked_at": NOON + 9}
        assert [said(act) for act in acts(shop)[1:]] == [
            ("key", "key:1", {}, {"role": "merchant", "merchant": 1}),
            ("key", "key:2", {}, {"role": "official"}),
            ("key_revocation", "key:1", {}, revoked),
            ("key_revocation", "key:1", revoked, revoked),
        ]

    def test_what_changes_nothing_writes_nothing(self, shop: Shop) -> None:
        with pytest.raises(ConflictError):
            shop.store.add_merchant(request(0), OFFICIAL)
        assert not shop.store.set_status(99, "suspended", OFFICIAL)
        assert not shop.store.set_quota(99, 1, OFFICIAL)
        assert shop.store.revoke_key(99, OFFICIAL) is None
        assert len(acts(shop)) == 1

    def test_places_are_dense_and_hashes_follow_one_another(self, shop: Shop) -> None:
        for number in range(3):
            place = shop.store.record(act_by(BY, "clock", "clock", reason=f"{number}"))
            assert place == number + 2
        before = ZERO
        for place, found in enumerate(shop.store.acts(EVERYTHING, 0, 10), 1):
            assert (found.seq, found.hash) == (place, act_hash(before, place, found.act))
            before = found.hash
        assert shop.store.last_act() == (4, before)

    def test_an_act_is_read_back_as_it_was_written(self, shop: Shop) -> None:
        act = act_by(
            By("key:9", NOON, "2001:db8::1"),
            *("access", "call:GET /v1/trail"),
            outcome="refused",
            code="role_required",
            before={"x": 1},
            after={"名": "值"},
            reason="because",
        )
        shop.store.record(act)
        assert acts(shop)[-1] == act

    @pytest.mark.parametrize(
        ("wanted", "places"),
        [
            (ActFilter(subject="merchant:1"), [1, 2, 4]),
            (ActFilter(subject="merchant:"), []),
            (ActFilter(actor="key:1"), [2, 3]),
            (ActFilter(type="suspension"), [2, 4]),
            (ActFilter(type="suspension", actor="key:1"), [2]),
            (ActFilter(since=NOON + 5), [2, 3]),
            (ActFilter(until=NOON + 5), [1, 4]),
            (ActFilter(since=NOON + 1, until=NOON + 5), []),
        ],
    )
    def test_searching(self, shop: Shop, wanted: ActFilter, places: list[int]) -> None:
        shop.store.set_status(1, "suspended", OFFICIAL)
        shop.store.add_key(sha256(b"a"), "merchant", 1, "", OFFICIAL)
        shop.store.set_status(1, "active", BY)
        assert [found.seq for found in shop.store.acts(wanted, 0, 100)] == places

    def test_pages_are_in_order_and_whole(self, shop: Shop) -> None:
        for _ in range(9):
            shop.store.record(act_by(BY, "clock", "clock"))
        seen: list[int] = []
        while page := shop.store.acts(EVERYTHING, seen[-1] if seen else 0, 4):
            seen += [found.seq for found in page]
        assert seen == list(range(1, 11))


def refusals(number: int = 1, **changes: object) -> Refusals:
    """One refusal of the stranger with that number."""
    one = Refusals(
        hour=NOON,
        code="key_unknown",
        who=UNKNOWN,
        origin=f"192.0.2.{number}",
        count=1,
        first_at=NOON,
        last_at=NOON,
        seen=1,
    )
    return msgspec.structs.replace(one, **changes)


def counted(shop: Shop) -> list[tuple[int, str, str, str, int]]:
    """What stands in the counts."""
    rows = shop.store.refusals(None, None, 0, 10_000)
    return [(row.hour, row.code, row.who, row.origin, row.count) for row in rows]


class TestRefusals:
    """Counts by hour, which only grow, in few rows."""

    def test_counts_of_one_name_add_up(self, shop: Shop) -> None:
        shop.store.count_refusals([refusals(count=3, last_at=NOON + 9)])
        shop.store.count_refusals([refusals(count=2, last_at=NOON + 4), refusals(2)])
        assert counted(shop) == [
            (NOON, "key_unknown", UNKNOWN, "192.0.2.1", 5),
            (NOON, "key_unknown", UNKNOWN, "192.0.2.2", 1),
        ]
        first = shop.store.refusals(None, None, 0, 1)[0]
        assert (first.first_at, first.last_at) == (NOON, NOON + 9)
        assert shop.store.refusals_counted() == 6

    def test_hours_codes_keys_and_addresses_are_apart(self, shop: Shop) -> None:
        shop.store.count_refusals(
            [
                refusals(),
                refusals(hour=NOON + HOUR),
                refusals(code="key_revoked"),
                refusals(who="key:1"),
                refusals(2),
            ]
        )
        assert len(counted(shop)) == 5

    def test_a_crowd_shares_rows_and_loses_no_count(self, shop: Shop) -> None:
        crowd = [refusals(origin=f"2001:db8:0:{n:x}::/64") for n in range(3 * ROWS_A_STEP)]
        shop.store.count_refusals(crowd)
        rows = counted(shop)
        assert len(rows) == ROWS_A_STEP + 1
        assert rows[-1][2:] == (UNKNOWN, OTHERS, 2 * ROWS_A_STEP)
        assert shop.store.refusals_counted() == len(crowd)

    def test_who_insists_is_not_crowded_out(self, shop: Shop) -> None:
        shop.store.count_refusals([refusals(origin=f"a{n}") for n in range(3 * ROWS_A_STEP)])
        shop.store.count_refusals([refusals(origin="insists", count=4, seen=10)])
        assert counted(shop)[-1][3:] == ("insists", 4)

    def test_an_hour_has_only_so_many_rows_however_they_insist(self, shop: Shop) -> None:
        crowd = [refusals(origin=f"a{n}", seen=10**9) for n in range(ROWS_A_STEP * STEPS + 50)]
        shop.store.count_refusals(crowd)
        assert len(counted(shop)) == ROWS_A_STEP * STEPS + 1

    def test_hours_are_searched_and_come_in_pages(self, shop: Shop) -> None:
        shop.store.count_refusals([refusals(hour=NOON + n * HOUR) for n in range(5)])
        found = shop.store.refusals(NOON + HOUR + 1, NOON + 3 * HOUR, 0, 100)
        assert [row.hour for row in found] == [NOON + HOUR, NOON + 2 * HOUR]
        assert [row.id for row in shop.store.refusals(None, None, 2, 2)] == [3, 4]

    def test_counts_are_kept_for_six_months_and_acts_for_ever(self, shop: Shop) -> None:
        shop.store.count_refusals([refusals()])
        shop.store.count_refusals([refusals(hour=NOON + 184 * 24 * HOUR)])
        assert len(counted(shop)) == 2
        shop.store.count_refusals([refusals(hour=NOON + 184 * 24 * HOUR + HOUR)])
        assert [row[0] for row in counted(shop)] == [
            NOON + 184 * 24 * HOUR,
            NOON + 184 * 24 * HOUR + HOUR,
        ]
        assert [act.type for act in acts(shop)] == ["admission", "refusals", "refusals"]

    def test_an_hour_is_closed_by_the_first_count_of_a_later_one(self, shop: Shop) -> None:
        shop.store.count_refusals([refusals(count=3), refusals(2)])
        shop.store.count_refusals([refusals(count=2)])
        assert [act.type for act in acts(shop)] == ["admission"]
        shop.store.count_refusals([refusals(hour=NOON + HOUR)])
        act = acts(shop)[1]
        sums = HourSums()
        for row in shop.store.refusals(None, NOON + HOUR, 0, 10):
            sums.add(row)
        assert (act.type, act.subject, act.actor) == ("refusals", "refusals", "service")
        assert act.after == sums.said(NOON)
        assert (act.after["rows"], act.after["count"]) == (2, 6)

    def test_what_comes_late_counts_in_the_hour_after(self, shop: Shop) -> None:
        """Another process writes, or the clock was set back: a closed hour stays as it is."""
        shop.store.count_refusals([refusals()])
        shop.store.count_refusals([refusals(hour=NOON + 5 * HOUR)])
        for _ in range(3):
            shop.store.count_refusals([refusals()])
        assert [(row[0], row[4]) for row in counted(shop)] == [
            *((NOON, 1), (NOON + 5 * HOUR, 1), (NOON + HOUR, 3)),
        ]
        assert len(acts(shop)) == 2, "strangers write no act a second"
        shop.store.count_refusals([refusals(hour=NOON + 6 * HOUR)])
        assert [act.after["hour"] for act in acts(shop)[1:]] == [
            *(NOON, NOON + HOUR, NOON + 5 * HOUR),
        ]
