"""What every invoice store does of people among the buyers, and after they were erased."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chain.commitment import parse_password_area
from chain.hashing import Digest
from invoice_service.domain.acts import By
from invoice_service.domain.invoice import Issued, StoredInvoice, stored_digest
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.persons import ERASED_NAME, NOBODY, read_group
from invoice_service.domain.request import ReversalRequest
from invoice_service.services.people.trail import ActFilter, BuyerStanding
from tests.domain.samples import BY, NOON, company, line
from tests.storage.shop import Shop, codes

PERSON = {"name": "欧阳娜娜", "payment_id": "wx4200001"}
OTHER = {"name": "王小明"}
TODAY = "2018-08-10"
SUBJECT = "invoice:144031809110-00000001"
PART = ReversalRequest(reason=Reason.SALES_RETURN, amount=100)
REST = ReversalRequest(reason=Reason.SALES_RETURN)


def erase(shop: Shop, by: By = BY) -> int:
    """Erase the buyer of the first invoice."""
    return shop.store.erase_buyer(1, SUBJECT, by)


def at(shop: Shop, seq: int) -> StoredInvoice:
    found = shop.store.invoice_at(seq)
    assert found is not None
    return found


def is_whole(invoice: StoredInvoice) -> bool:
    digest: Digest = parse_password_area(invoice.hash)
    return stored_digest(invoice) == digest


@pytest.mark.parametrize("many", [False, True])
def test_a_person_is_read_back_as_issued(shop: Shop, many: bool) -> None:
    drafts = [shop.draft("A-1", buyer=PERSON), shop.draft("A-2", buyer=OTHER)]
    for batch in [drafts] if many else [[one] for one in drafts]:
        assert codes(shop.hand_in(*batch)) == ["issued"] * len(batch)
    assert [read_group(at(shop, seq).buyer).name for seq in (1, 2)] == ["欧阳娜娜", "王小明"]
    assert all(is_whole(at(shop, seq)) for seq in (1, 2))
    assert shop.store.buyer_standings(0, 9) == [
        BuyerStanding(seq, gone=False, sealed=True, told=False) for seq in (1, 2)
    ]


def test_only_people_have_keys(shop: Shop) -> None:
    shop.hand_in(shop.draft("A-1"), shop.draft("A-2", buyer=company()))
    assert shop.store.buyer_standings(0, 9) == []


class TestRepeating:
    """The same request is the same invoice, whoever buys."""

    def test_the_same_order_is_answered_with_the_first_invoice(self, shop: Shop) -> None:
        first = shop.issue(shop.draft("A-1", buyer=PERSON))
        again = shop.issue(shop.draft("A-1", buyer=PERSON))
        assert (again.seq, again.replayed) == (first.seq, True)

    def test_another_person_is_another_request(self, shop: Shop) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON))
        for buyer in (OTHER, company(), None):
            assert shop.refused(shop.draft("A-1", buyer=buyer)) == "order_id_conflict"

    def test_a_key_stands_for_a_person(self, shop: Shop) -> None:
        first = shop.issue(shop.draft("A-1", buyer=PERSON, idempotency_key="k"))
        again = shop.issue(shop.draft("A-1", buyer=PERSON, idempotency_key="k"))
        assert (again.seq, again.replayed) == (first.seq, True)
        other = shop.draft("A-1", buyer=OTHER, idempotency_key="k")
        assert shop.refused(other) == "idempotency_key_conflict"
        red = shop.red(first, idempotency_key="k")
        assert shop.refused(red) == "idempotency_key_conflict"

    def test_a_key_that_came_with_a_repeat_is_kept_too(self, shop: Shop) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON, business_day=TODAY))
        for _ in range(2):
            again = shop.draft("A-1", buyer=PERSON, idempotency_key="k", business_day=TODAY)
            assert codes(shop.hand_in(again)) == ["replayed"]

    def test_a_return_is_repeated_by_its_key(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1", buyer=PERSON))
        red = shop.issue(shop.red(blue, PART, idempotency_key="r"))
        again = shop.issue(shop.red(blue, PART, idempotency_key="r"))
        assert (again.seq, again.replayed) == (red.seq, True)


class TestErasing:
    """Everything stays but who the person was."""

    def test_nobody_can_read_who_it_was(self, shop: Shop) -> None:
        issued = shop.issue(shop.draft("A-1", buyer=PERSON))
        before = at(shop, 1)
        assert erase(shop) == NOON
        after = at(shop, 1)
        assert (after.hash, after.face, after.lines) == (issued.hash, before.face, before.lines)
        assert read_group(after.buyer).name == ERASED_NAME
        assert after.erased
        assert is_whole(after)
        assert shop.store.buyer_standings(0, 9) == [BuyerStanding(1, True, True, True)]

    def test_all_documents_of_the_sale_are_meant_and_no_other(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1", buyer=PERSON))
        shop.issue(shop.red(blue, PART))
        shop.issue(shop.draft("A-2", buyer=PERSON))
        erase(shop)
        assert [bool(at(shop, seq).erased) for seq in (1, 2, 3)] == [True, True, False]
        assert all(is_whole(at(shop, seq)) for seq in (1, 2, 3))

    def test_it_stands_in_the_trail_once_and_without_the_person(self, shop: Shop) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON))
        assert erase(shop, By("key:7", NOON + 5, "192.0.2.7")) == NOON + 5
        assert erase(shop, By("key:8", NOON + 9)) == NOON + 5
        (found,) = shop.store.acts(ActFilter(type="erasure"), 0, 9)
        act = found.act
        assert (act.actor, act.at, act.subject) == ("key:7", NOON + 5, SUBJECT)
        assert (act.before, act.after, act.reason) == ({}, {"documents": 1}, "")

    def test_two_at_once_are_one(self, shop: Shop, open_shop: Callable[..., Shop]) -> None:
        shop.issue(shop.draft("A-1", buyer=PERSON))
        shops = [shop, *(open_shop() for _ in range(3))]
        with ThreadPoolExecutor(len(shops)) as pool:
            assert set(pool.map(erase, shops)) == {NOON}
        assert len(shop.store.acts(ActFilter(type="erasure"), 0, 9)) == 1


class TestAfterwards:
    """What was sold is still sold, and comes back like anything else."""

    def test_a_repeat_is_known_by_all_but_the_person(self, shop: Shop) -> None:
        first = shop.issue(shop.draft("A-1", buyer=PERSON, business_day=TODAY))
        erase(shop)
        for buyer in (PERSON, OTHER):
            again = shop.issue(shop.draft("A-1", buyer=buyer, business_day=TODAY))
            assert (again.seq, again.replayed) == (first.seq, True)
        for change in ({"buyer": company()}, {"buyer": None}, {"lines": [line(unit_price=1)]}):
            other = shop.draft("A-1", **{"buyer": PERSON, "business_day": TODAY} | change)
            assert shop.refused(other) == "order_id_conflict"

    def test_so_is_one_by_its_key(self, shop: Shop) -> None:
        first = shop.issue(shop.draft("A-1", buyer=PERSON, idempotency_key="k"))
        erase(shop)
        again = shop.issue(shop.draft("A-1", buyer=OTHER, idempotency_key="k"))
        assert (again.seq, again.replayed) == (first.seq, True)
        other = shop.draft("A-1", buyer=PERSON, idempotency_key="k", remark="x")
        assert shop.refused(other) == "idempotency_key_conflict"

    def test_a_repeat_brings_nobody_back(self, shop: Shop) -> None:
        draft = shop.draft("A-1", buyer=PERSON, business_day=TODAY)
        shop.issue(draft)
        erase(shop)
        shop.issue(draft)
        keyed = shop.draft("A-1", buyer=PERSON, business_day=TODAY, idempotency_key="k")
        shop.issue(keyed)
        assert at(shop, 1).erased
        assert shop.store.last_seq() == 1
        row = shop.rows("SELECT request_digest FROM idempotency")
        assert row == shop.rows("SELECT request_digest FROM invoices")

    def test_it_comes_back_in_parts_and_as_nobodys(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1", buyer=PERSON))
        shop.issue(shop.red(blue, PART))
        erase(shop)
        shop.issue(shop.red(blue, PART, idempotency_key="again"))
        shop.issue(shop.red(blue, REST))
        assert shop.refused(shop.red(blue, REST)) == "already_reversed"
        assert at(shop, 1).left == 0
        assert [at(shop, seq).buyer == NOBODY for seq in (2, 3, 4)] == [False, True, True]
        assert all(is_whole(at(shop, seq)) for seq in (1, 2, 3, 4))

    @pytest.mark.parametrize("asked", [PART, REST])
    def test_a_return_under_way_brings_nobody_back(
        self, shop: Shop, asked: ReversalRequest
    ) -> None:
        blue = shop.issue(shop.draft("A-1", buyer=PERSON))
        under_way = shop.red(blue, asked)
        erase(shop)
        assert shop.refused(under_way) == "buyer_erased"
        assert shop.store.last_seq() == 1
        assert isinstance(shop.hand_in(shop.red(blue, asked))[0], Issued)

    def test_a_return_whose_answer_was_lost_is_answered(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1", buyer=PERSON))
        draft = shop.red(blue, PART)
        red = shop.issue(draft)
        erase(shop)
        assert shop.issue(draft) == red

    def test_the_order_may_be_issued_anew_to_somebody(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1", buyer=PERSON))
        shop.issue(shop.red(blue))
        erase(shop)
        anew = shop.issue(shop.draft("A-1", buyer=OTHER, replaces=blue.hash))
        assert read_group(at(shop, anew.seq).buyer).name == "王小明"
