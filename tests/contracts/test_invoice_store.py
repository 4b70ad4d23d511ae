"""What every invoice store keeps, whichever database is below it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from chain.commitment import parse_password_area
from chain.errors import ConflictError
from chain.hashing import sha256
from invoice_service.domain.acts import By
from invoice_service.domain.invoice import Issued, Prepared, document_digest
from invoice_service.domain.numbering import Scheme
from invoice_service.services.ports import InvoiceFilter
from tests.domain.samples import BY, NOON, line
from tests.patience import PATIENCE
from tests.storage.shop import TAX_IDS, Shop, codes, request

DAY = 86_400
TODAY = "2018-08-10"


class TestIssuing:
    """One transaction, one record at a time."""

    def test_numbers_follow_one_another_from_one(self, shop: Shop) -> None:
        answers = shop.hand_in(*(shop.draft(f"A-{i}") for i in range(5)))
        issued = [answer for answer in answers if isinstance(answer, Issued)]
        assert [invoice.seq for invoice in issued] == [1, 2, 3, 4, 5]
        assert [invoice.number for invoice in issued] == [f"{n:08}" for n in range(1, 6)]
        assert shop.issue(shop.draft("A-5")).number == "00000006"

    def test_what_was_issued_is_read_back_and_hashes_to_its_password_area(self, shop: Shop) -> None:
        issued = shop.issue(shop.draft("A-1", remark="靠窗"))
        stored = shop.store.invoice(parse_password_area(issued.hash))
        assert stored is not None
        digest = document_digest(stored.face, stored.buyer, stored.lines, stored.salts)
        assert parse_password_area(issued.hash) == digest
        assert (stored.seq, stored.hash, stored.total) == (1, issued.hash, 11300)
        assert stored.rates == [("0.06", 10660, 640)]
        assert shop.store.invoice_at(1) == stored
        assert shop.store.invoice_at(2) is None
        assert shop.store.invoice(sha256(b"another")) is None

    def test_an_empty_batch_has_no_answers(self, shop: Shop) -> None:
        assert shop.hand_in() == []

    def test_one_refused_record_stops_no_other_and_leaves_no_gap(self, shop: Shop) -> None:
        first = shop.draft("A-1")
        other = shop.draft("A-1", lines=[line(unit_price=1)])
        answers = shop.hand_in(first, other, shop.draft("A-2"))
        assert codes(answers) == ["issued", "order_id_conflict", "issued"]
        assert shop.rows("SELECT number FROM invoices") == [("00000001",), ("00000002",)]

    def test_the_clock_is_read_inside_the_transaction(self, shop: Shop) -> None:
        seen: list[int] = []

        def clock() -> int:
            seen.append(shop.store.last_seq())
            return NOON

        shop.store.issue([shop.draft("A-1"), shop.draft("A-2")], clock)
        assert seen == [0]


class TestRepeating:
    """A retry is never a duplicate, and never a refusal."""

    def test_the_same_order_is_answered_with_the_first_invoice(self, shop: Shop) -> None:
        first = shop.issue(shop.draft("A-1"))
        again = shop.issue(shop.draft("A-1"))
        assert again.replayed
        assert not first.replayed
        assert (again.hash, again.seq, again.number) == (first.hash, first.seq, first.number)
        assert shop.store.last_seq() == 1

    def test_the_very_same_call_again_is_not_a_repetition(self, shop: Shop) -> None:
        draft = shop.draft("A-1")
        assert shop.issue(draft) == shop.issue(draft)

    def test_the_same_order_twice_in_one_batch(self, shop: Shop) -> None:
        answers = shop.hand_in(shop.draft("A-1"), shop.draft("A-1"), shop.draft("A-2"))
        assert codes(answers) == ["issued", "replayed", "issued"]
        assert shop.store.last_seq() == 2

    def test_the_same_idempotency_key_twice_in_one_batch(self, shop: Shop) -> None:
        drafts = [shop.draft("A-1", idempotency_key="k") for _ in range(2)]
        other = shop.draft("A-2", idempotency_key="k")
        assert codes(shop.hand_in(*drafts, other)) == [
            "issued",
            "replayed",
            "idempotency_key_conflict",
        ]

    def test_an_idempotency_key_that_came_with_a_repetition_is_kept_too(self, shop: Shop) -> None:
        shop.issue(shop.draft("A-1", business_day=TODAY))
        again = shop.draft("A-1", idempotency_key="k", business_day=TODAY)
        assert codes(shop.hand_in(again)) == ["replayed"]
        assert shop.refused(shop.draft("A-2", idempotency_key="k")) == "idempotency_key_conflict"

    def test_the_very_same_call_is_answered_however_late(self, shop: Shop) -> None:
        draft = shop.draft("A-1")
        first = shop.issue(draft)
        shop.now += DAY
        assert shop.issue(draft) == first
        assert shop.refused(shop.draft("A-1")) == "order_id_reused"

    def test_idempotency_keys_and_orders_are_each_merchants_own(self, shop: Shop) -> None:
        other = shop.store.add_merchant(request(1), BY).merchant
        shop.issue(shop.draft("A-1", idempotency_key="k"))
        theirs = shop.draft("A-1", merchant=other, idempotency_key="k", remark="other")
        assert codes(shop.hand_in(theirs)) == ["issued"]

    def test_an_idempotency_key_never_stands_for_an_issue_and_a_reversal(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1", idempotency_key="k"))
        assert shop.refused(shop.red(blue, idempotency_key="k")) == "idempotency_key_conflict"

    def test_a_refused_request_may_be_sent_again(self, open_shop: Callable[..., Shop]) -> None:
        shop = open_shop(quota=0)
        draft = shop.draft("A-1", idempotency_key="k")
        assert shop.refused(draft) == "quota_exhausted"
        shop.store.set_quota(shop.merchant.id, 1, BY)
        assert codes(shop.hand_in(shop.draft("A-1", idempotency_key="k"))) == ["issued"]


class TestReversing:
    """A red invoice, once; then the order may be invoiced anew."""

    def test_a_red_invoice_takes_the_next_number_and_names_the_blue(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1"))
        red = shop.issue(shop.red(blue))
        assert (red.type, red.number, red.total) == ("red", "00000002", -11300)
        stored_blue, stored_red = shop.store.invoice_at(1), shop.store.invoice_at(2)
        assert stored_blue is not None
        assert stored_red is not None
        assert (stored_blue.reversed_by, stored_red.reverses_hash) == ((red.hash,), blue.hash)
        assert (stored_blue.reversal, stored_red.reverses) == ("full", 1)

    def test_a_second_reversal_is_refused_and_says_by_whom(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1"))
        red = shop.issue(shop.red(blue))
        answer = shop.hand_in(shop.red(blue))[0]
        assert isinstance(answer, ConflictError)
        assert (answer.code, answer.extra) == ("already_reversed", {"reversed_by": red.hash})

    def test_two_reversals_in_one_batch(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1"))
        answers = shop.hand_in(shop.red(blue), shop.red(blue))
        assert codes(answers) == ["issued", "already_reversed"]

    def test_the_very_same_reversal_again_is_answered(self, shop: Shop) -> None:
        draft = shop.red(shop.issue(shop.draft("A-1")))
        assert shop.issue(draft) == shop.issue(draft)

    def test_a_reversal_with_an_idempotency_key_replays(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1"))
        red = shop.issue(shop.red(blue, idempotency_key="r"))
        again = shop.issue(shop.red(blue, idempotency_key="r"))
        assert (again.hash, again.replayed) == (red.hash, True)

    def test_a_red_invoice_cannot_be_reversed(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1"))
        draft = shop.red(blue)
        red = shop.issue(draft)
        again = _with(draft, reverses=parse_password_area(red.hash))
        assert shop.refused(again) == "not_reversible"

    def test_another_merchants_invoice_cannot_be_reversed(self, shop: Shop) -> None:
        other = shop.store.add_merchant(request(1), BY).merchant
        draft = shop.red(shop.issue(shop.draft("A-1", merchant=other)))
        assert shop.refused(_with(draft, merchant_id=shop.merchant.id)) == "invoice_unknown"

    def test_a_reversed_order_is_invoiced_anew_in_the_place_of_its_first(self, shop: Shop) -> None:
        first = shop.issue(shop.draft("A-1", business_day=TODAY))
        corrected = shop.draft("A-1", business_day=TODAY, remark="corrected", replaces=first.hash)
        assert shop.refused(corrected) == "order_total_exceeded"
        shop.issue(shop.red(first))
        second = shop.issue(corrected)
        assert second.hash != first.hash
        # A late retry of either request makes nothing new.
        assert shop.issue(shop.draft("A-1", business_day=TODAY)).hash == first.hash
        assert shop.issue(corrected).hash == second.hash
        third = shop.draft("A-1", business_day=TODAY, remark="third")
        assert shop.refused(third) == "order_id_conflict"


class TestRights:
    """Quota, suspension, keys: decided inside the transaction."""

    def test_the_quota_counts_blue_invoices_only(self, open_shop: Callable[..., Shop]) -> None:
        shop = open_shop(quota=2)
        first = shop.issue(shop.draft("A-1"))
        shop.issue(shop.red(first))
        answers = shop.hand_in(shop.draft("A-2"), shop.draft("A-3"), shop.draft("A-1"))
        assert codes(answers) == ["issued", "quota_exhausted", "replayed"]
        assert _used(shop) == 2
        assert shop.refused(shop.draft("A-3")) == "quota_exhausted"

    def test_without_a_quota_there_is_no_limit(self, shop: Shop) -> None:
        assert codes(shop.hand_in(*(shop.draft(f"A-{i}") for i in range(3)))) == ["issued"] * 3
        assert _used(shop) == 3

    def test_two_merchants_in_one_batch_have_their_own_quotas(
        self, open_shop: Callable[..., Shop]
    ) -> None:
        shop = open_shop(quota=1)
        other = shop.store.add_merchant(request(1, quota=2), BY).merchant
        answers = shop.hand_in(
            *(shop.draft(f"A-{i}") for i in range(2)),
            *(shop.draft(f"A-{i}", merchant=other) for i in range(3)),
        )
        assert codes(answers) == [
            "issued",
            "quota_exhausted",
            "issued",
            "issued",
            "quota_exhausted",
        ]

    def test_a_suspended_merchant_issues_nothing_but_gets_its_answers(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A-1"))
        assert shop.store.set_status(shop.merchant.id, "suspended", BY)
        assert shop.refused(shop.draft("A-2")) == "merchant_suspended"
        assert shop.refused(shop.red(blue)) == "merchant_suspended"
        assert codes(shop.hand_in(shop.draft("A-1"))) == ["replayed"]
        shop.store.set_status(shop.merchant.id, "active", BY)
        assert codes(shop.hand_in(shop.draft("A-2"))) == ["issued"]

    def test_a_key_revoked_after_signing_in_is_refused(self, shop: Shop) -> None:
        key = shop.store.add_key(sha256(b"k"), "merchant", shop.merchant.id, "till", BY)
        assert codes(shop.hand_in(shop.draft("A-1", key_id=key.id))) == ["issued"]
        shop.store.revoke_key(key.id, BY)
        # Not even a repetition: whoever asks is not who he was.
        assert shop.refused(shop.draft("A-1", key_id=key.id)) == "key_revoked"
        assert shop.refused(shop.draft("A-2", key_id=key.id)) == "key_revoked"

    def test_a_key_of_another_merchant_is_refused(self, shop: Shop) -> None:
        other = shop.store.add_merchant(request(1), BY).merchant
        key = shop.store.add_key(sha256(b"k"), "merchant", other.id, "till", BY)
        assert shop.refused(shop.draft("A-1", key_id=key.id)) == "key_unknown"

    def test_a_merchant_that_is_not_there(self, shop: Shop) -> None:
        assert shop.refused(_with(shop.draft("A-1"), merchant_id=99)) == "merchant_unknown"


class TestNumbering:
    """The rules of ``domain.numbering``, fed from the last row and nothing else."""

    def test_a_used_up_range_refuses_and_the_next_year_begins_anew(
        self, open_shop: Callable[..., Shop]
    ) -> None:
        shop = open_shop(scheme=Scheme(numbers_per_batch=2, first_batch=8, last_batch=9))
        answers = shop.hand_in(*(shop.draft(f"A-{i}") for i in range(6)))
        assert codes(answers) == ["issued"] * 4 + ["number_range_exhausted"] * 2
        assert shop.rows("SELECT code, number FROM invoices ORDER BY seq") == [
            ("144031809810", "00000001"),
            ("144031809810", "00000002"),
            ("144031809910", "00000001"),
            ("144031809910", "00000002"),
        ]
        shop.now += 200 * DAY
        shop.store.confirm_clock(By("machine:wang", shop.now))
        assert shop.issue(shop.draft("A-4")).code == "144031909810"

    def test_time_never_goes_back(self, shop: Shop) -> None:
        first = shop.issue(shop.draft("A-1"))
        shop.now -= 60
        assert shop.issue(shop.draft("A-2")).issued_at == first.issued_at
        shop.now -= 1
        assert shop.refused(shop.draft("A-3")) == "clock_behind"
        assert shop.store.last_seq() == 2


class TestReading:
    """Pages, searches, and what waits for the log."""

    @pytest.fixture
    def busy(self, shop: Shop) -> Shop:
        """Ten days with an invoice each; the third is reversed on the last day."""
        blues = []
        for day in range(10):
            shop.now = NOON + day * DAY
            blues.append(shop.issue(shop.draft(f"A-{day}")))
        shop.issue(shop.red(blues[2]))
        return shop

    def test_pages_are_in_order_and_whole(self, busy: Shop) -> None:
        seen: list[int] = []
        while page := busy.store.invoices(InvoiceFilter(), seen[-1] if seen else 0, 4):
            seen += [invoice.seq for invoice in page]
        assert seen == list(range(1, 12))

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (InvoiceFilter(order_id="A-2"), [3, 11]),
            (InvoiceFilter(order_id="A-3"), [4]),
            (InvoiceFilter(order_id="A-33"), []),
            (InvoiceFilter(number="00000011"), [11]),
            (InvoiceFilter(since=NOON + 8 * DAY), [9, 10, 11]),
            (InvoiceFilter(since=NOON + 8 * DAY + 1), [10, 11]),
            (InvoiceFilter(until=NOON + 2 * DAY), [1, 2]),
            (InvoiceFilter(until=NOON), []),
            (InvoiceFilter(since=NOON + 2 * DAY, until=NOON + 4 * DAY), [3, 4]),
            (InvoiceFilter(since=NOON + 99 * DAY), []),
            (InvoiceFilter(merchant_id=2), []),
            (InvoiceFilter(merchant_id=1, number="00000003"), [3]),
        ],
    )
    def test_searching(self, busy: Shop, wanted: InvoiceFilter, expected: list[int]) -> None:
        assert [invoice.seq for invoice in busy.store.invoices(wanted, 0, 200)] == expected

    def test_a_merchant_sees_its_own(self, busy: Shop) -> None:
        other = busy.store.add_merchant(request(1), BY).merchant
        busy.issue(busy.draft("A-1", merchant=other))
        theirs = busy.store.invoices(InvoiceFilter(merchant_id=other.id), 0, 200)
        assert [invoice.seq for invoice in theirs] == [12]

    def test_what_waits_for_the_log(self, busy: Shop) -> None:
        waiting = busy.store.invoices_after(8, 100)
        assert [row.seq for row in waiting] == [9, 10, 11]
        third = busy.store.invoice_at(3)
        assert third is not None
        assert waiting[-1].reverses == parse_password_area(third.hash)
        assert [row.reverses for row in waiting[:-1]] == [None, None]
        assert [row.seq for row in busy.store.invoices_after(0, 2)] == [1, 2]
        assert busy.store.issued_at(2) == NOON + DAY
        assert busy.store.issued_at(12) is None


class TestRegister:
    """Merchants and keys."""

    def test_merchants_are_read_back(self, shop: Shop) -> None:
        second = shop.store.add_merchant(request(1, quota=7), BY)
        assert second.merchant.quota == 7
        assert shop.store.account(second.merchant.id) == second
        assert shop.store.account_by_tax_id(TAX_IDS[1]) == second
        assert shop.store.account(99) is None
        assert [account.merchant.id for account in shop.store.accounts(0, 100)] == [1, 2]
        assert [account.merchant.id for account in shop.store.accounts(1, 100)] == [2]

    def test_a_tax_id_is_admitted_once(self, shop: Shop) -> None:
        with pytest.raises(ConflictError) as caught:
            shop.store.add_merchant(request(0), BY)
        assert caught.value.code == "tax_id_taken"

    def test_changing_who_is_not_there(self, shop: Shop) -> None:
        assert not shop.store.set_status(99, "suspended", BY)
        assert not shop.store.set_quota(99, 1, BY)
        assert shop.store.revoke_key(99, BY) is None

    def test_a_quota_can_be_set_and_lifted(self, shop: Shop) -> None:
        shop.store.set_quota(1, 0, BY)
        assert shop.refused(shop.draft("A-1")) == "quota_exhausted"
        shop.store.set_quota(1, None, BY)
        assert codes(shop.hand_in(shop.draft("A-1"))) == ["issued"]

    def test_keys_are_found_by_digest_and_stay_revoked(self, shop: Shop) -> None:
        key = shop.store.add_key(sha256(b"a"), "merchant", 1, "till 1", BY)
        official = shop.store.add_key(sha256(b"b"), "official", None, "", BY)
        assert shop.store.key(sha256(b"a")) == key
        assert shop.store.key(sha256(b"c")) is None
        assert shop.store.keys(1) == [key]
        assert shop.store.keys(None) == [official]
        revoked = shop.store.revoke_key(key.id, By("key:1", NOON + 1))
        assert revoked is not None
        assert revoked.revoked_at == NOON + 1
        again = shop.store.revoke_key(key.id, By("key:2", NOON + 9))
        assert again == revoked
        assert shop.store.key(sha256(b"a")) == revoked


class TestTogether:
    """Several openings of one database at once."""

    def test_what_one_issues_another_reads(self, open_shop: Callable[..., Shop]) -> None:
        here, there = open_shop(seed=1), open_shop(seed=2)
        issued = here.issue(here.draft("A-1"))
        assert there.store.invoice(parse_password_area(issued.hash)) is not None
        assert codes(there.hand_in(there.draft("A-1"))) == ["replayed"]

    def test_threads_leave_no_gap_and_make_no_duplicate(self, shop: Shop) -> None:
        drafts = [[shop.draft(f"A-{i}") for i in range(40)] for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(
                pool.map(lambda mine: [shop.hand_in(draft)[0] for draft in mine], drafts)
            )
        for together in zip(*answers, strict=True):
            assert sorted(codes(together)) == ["issued", "replayed", "replayed", "replayed"]
            assert len({answer.seq for answer in together if isinstance(answer, Issued)}) == 1
        numbers = shop.rows("SELECT seq, number FROM invoices ORDER BY seq")
        assert numbers == [(n, f"{n:08}") for n in range(1, 41)]

    def test_readers_never_wait_for_a_writer(self, shop: Shop) -> None:
        shop.issue(shop.draft("A-1"))
        read: list[int] = []

        def clock() -> int:
            # Inside the transaction, another thread reads.
            reader = threading.Thread(target=lambda: read.append(shop.store.last_seq()))
            reader.start()
            reader.join(PATIENCE)
            return NOON

        shop.store.issue([shop.draft("A-2")], clock)
        assert read == [1]


def _used(shop: Shop) -> int:
    account = shop.store.account(shop.merchant.id)
    assert account is not None
    return account.used


def _with(draft: Prepared, **changes: object) -> Prepared:
    """The same draft with other fields."""
    return msgspec.structs.replace(draft, **changes)
