"""Orders and returns as every invoice store keeps them."""

from typing import Any

import msgspec

from chain.commitment import parse_password_area
from chain.errors import ConflictError, Problem
from invoice_service.domain.invoice import Issued
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.request import ReturnedLine, ReversalRequest
from invoice_service.services.ports import InvoiceFilter
from tests.domain.samples import line
from tests.storage.shop import Shop, codes

DAY = 86_400
TODAY = "2018-08-10"
WHY = Reason.SALES_RETURN
ALL = ReversalRequest(reason=WHY)
ONE = ReversalRequest(reason=WHY, lines=[ReturnedLine(line=1, quantity="1")])
TWO = ReversalRequest(reason=WHY, lines=[ReturnedLine(line=1, quantity="2")])
TEN_FEN = ReversalRequest(reason=WHY, amount=10)


class TestOrders:
    """What is one order, and what stands under it; the rules are ``domain.orders.decide``'s."""

    def test_a_till_a_day_and_a_part_each_make_another_order(self, shop: Shop) -> None:
        bill = {"parts": 2, "order_total": 22600}
        told: list[dict[str, Any]] = [
            {},
            {"till": "a"},
            {"till": "b"},
            {"business_day": TODAY},
            {"business_day": "2018-08-11"},
            {"business_day": TODAY, "till": "a"},
            {"till": "c", "part": 1, **bill},
            {"till": "c", "part": 2, **bill},
        ]
        together = shop.hand_in(*(shop.draft("001", **one) for one in told))
        assert codes(together) == ["issued"] * len(told)
        again = shop.hand_in(*(shop.draft("001", **one) for one in told))
        assert codes(again) == ["replayed"] * len(told)

    def test_a_day_that_has_not_come_is_refused_and_a_repeat_is_not(self, shop: Shop) -> None:
        """Tomorrow's is taken: who counts days otherwise than we do is a day ahead at most."""
        far = shop.hand_in(*(shop.draft(f"{n}", business_day="2018-08-12") for n in range(3)))
        assert codes(far) == ["business_day_ahead"] * 3
        assert codes(
            shop.hand_in(
                shop.draft("1", business_day="9999-12-31", part=1, parts=2, order_total=22600)
            )
        ) == ["business_day_ahead"]
        draft = shop.draft("1", business_day="2018-08-11")
        assert codes(shop.hand_in(draft)) == ["issued"]
        shop.now -= 3 * DAY
        assert codes(shop.hand_in(draft)) == ["issued"]  # the very same call, answered again
        assert codes(shop.hand_in(shop.draft("1", business_day="2018-08-11"))) == ["replayed"]

    def test_a_conflict_names_the_first_invoice_and_how_it_stands(self, shop: Shop) -> None:
        first = shop.issue(shop.draft("A-1", business_day=TODAY))
        expected = {
            "first_hash": first.hash,
            "first_number": first.number,
            "first_issued_at": "2018-08-10T12:00:00+08:00",
        }
        for taken, state in ((0, "pending"), (first.seq, "authentic")):
            shop.taken = taken
            assert _said(shop, "order_id_conflict") == expected | {"first_state": state}
        shop.issue(shop.red(first))
        assert _said(shop, "order_id_conflict") == expected | {"first_state": "reversed"}

    def test_what_stands_in_the_face_is_read_back(self, shop: Shop) -> None:
        told: dict[str, Any] = {
            "till": "T 3",
            "business_day": TODAY,
            "part": 1,
            "parts": 2,
            "order_total": 30000,
        }
        issued = shop.issue(shop.draft("A-1", **told))
        red = shop.issue(shop.red(issued))
        for one in (issued, red):
            stored = shop.store.invoice_at(one.seq)
            assert stored is not None
            assert (stored.till, stored.business_day, stored.part) == ("T 3", TODAY, 1)
            assert msgspec.json.decode(stored.face).items() >= told.items()
            assert stored.place == one.place == issued.place
        again = shop.issue(shop.draft("A-1", **told))
        assert (again.place, again.replayed) == (issued.place, True)

    def test_a_plain_order_says_nothing_of_it(self, shop: Shop) -> None:
        stored = shop.store.invoice_at(shop.issue(shop.draft("A-1")).seq)
        assert stored is not None
        assert stored.place is None
        face = msgspec.json.decode(stored.face)
        assert face.keys().isdisjoint({"till", "business_day", "part", "parts", "replaces"})

    def test_searching_by_till_and_day(self, shop: Shop) -> None:
        for of in "ab":
            for on in (TODAY, "2018-08-11"):
                shop.issue(shop.draft("001", till=of, business_day=on))
        searches: tuple[tuple[str | None, str | None, list[int]], ...] = (
            (None, None, [1, 2, 3, 4]),
            ("b", None, [3, 4]),
            (None, TODAY, [1, 3]),
            ("a", TODAY, [1]),
            ("", None, []),
        )
        for till, day, expected in searches:
            wanted = InvoiceFilter(order_id="001", till=till, business_day=day)
            found = shop.store.invoices(wanted, 0, 9)
            assert [one.seq for one in found] == expected


class TestReturningInPart:
    """Red invoices over parts: what is left is told by the rows alone."""

    def blue(self, shop: Shop) -> Issued:
        return shop.issue(
            shop.draft("A-1", lines=[line(unit_price=2800, quantity="3"), line(unit_price=100)])
        )

    def test_several_over_one_and_the_last_takes_the_rest(self, shop: Shop) -> None:
        blue = self.blue(shop)
        reds = [shop.issue(shop.red(blue, asked)) for asked in (ONE, TEN_FEN, ALL)]
        assert [red.total for red in reds] == [-2800, -10, -5690]
        assert [red.number for red in reds] == ["00000002", "00000003", "00000004"]
        stored = shop.store.invoice_at(1)
        assert stored is not None
        assert stored.reversed_by == tuple(red.hash for red in reds)
        assert (stored.returned, stored.left, stored.reversal) == (8500, 0, "full")
        assert [red.seq for red in shop.store.returns_of(1)] == [2, 3, 4]
        assert shop.refused(shop.red(blue, TWO)) == "already_reversed"
        assert shop.refused(shop.red(blue, ONE)) == "return_repeated"  # by which, it says

    def test_what_was_read_before_another_return_does_not_count(self, shop: Shop) -> None:
        blue = self.blue(shop)
        answers = shop.hand_in(
            shop.red(blue, TWO), shop.red(blue, ONE), shop.red(blue, TWO, idempotency_key="more")
        )
        assert codes(answers) == ["issued", "issued", "return_too_large"]
        assert isinstance(answers[2], ConflictError)
        assert answers[2].extra == {"line": 1, "quantity_left": "0"}
        rest = shop.issue(shop.red(blue))
        assert rest.total == -100

    def test_the_log_hears_how_far_it_went(self, shop: Shop) -> None:
        blue = self.blue(shop)
        for asked in (ONE, TEN_FEN, ALL):
            shop.issue(shop.red(blue, asked))
        rows = shop.store.invoices_after(0, 10)
        assert [row.reversal for row in rows] == [None, "part", "part", "full"]

    def test_the_same_part_again_needs_a_key_of_its_own(self, shop: Shop) -> None:
        blue = self.blue(shop)
        first = shop.issue(shop.red(blue, ONE))
        again = shop.hand_in(shop.red(blue, ONE))[0]
        assert isinstance(again, ConflictError)
        assert (again.code, again.extra["first_hash"]) == ("return_repeated", first.hash)
        shop.now += DAY  # however late: a lost answer is asked for again after a night, too
        assert shop.refused(shop.red(blue, ONE)) == "return_repeated"
        meant = shop.issue(shop.red(blue, ONE, idempotency_key="second"))
        assert meant.total == -2800
        replay = shop.issue(shop.red(blue, ONE, idempotency_key="second"))
        assert (replay.hash, replay.replayed) == (meant.hash, True)

    def test_a_repeat_is_answered_when_nothing_is_left_any_more(self, shop: Shop) -> None:
        blue = self.blue(shop)
        draft = shop.red(blue, ONE)
        first = shop.issue(draft)
        keyed = shop.issue(shop.red(blue, TEN_FEN, idempotency_key="k"))
        shop.issue(shop.red(blue))
        assert shop.issue(draft) == first
        assert shop.issue(shop.red(blue, TEN_FEN, idempotency_key="k")).hash == keyed.hash

    def test_an_order_is_not_sold_anew_while_a_part_of_it_stands(self, shop: Shop) -> None:
        blue = self.blue(shop)
        shop.issue(shop.red(blue, ONE))
        assert shop.refused(shop.draft("A-1", remark="corrected")) == "order_id_conflict"

    def test_a_refused_return_stores_nothing(self, shop: Shop) -> None:
        blue = self.blue(shop)
        for asked, code in (
            (ReversalRequest(reason=WHY, amount=8501), "return_too_large"),
            (ReversalRequest(reason=WHY, lines=[ReturnedLine(line=3)]), "line_unknown"),
        ):
            assert shop.refused(shop.red(blue, asked)) == code
        assert shop.store.last_seq() == 1


class TestForetelling:
    """What issuing would answer, and how what was issued stands, without issuing."""

    def test_it_is_what_issuing_answers_then(self, shop: Shop) -> None:
        day: dict[str, Any] = {"business_day": TODAY}
        bill: dict[str, Any] = {"parts": 2, "order_total": 15000}
        first = shop.issue(shop.draft("taken back", **day))
        shop.issue(shop.red(first))
        told: list[tuple[str, dict[str, Any]]] = [
            ("A", {}),
            ("A", {}),
            ("A", {"remark": "other"}),
            ("B", day),
            ("B", {**day, "remark": "other"}),
            ("B", {**day, "till": "2"}),
            ("C", {"idempotency_key": "c"}),
            ("C", {"idempotency_key": "c"}),
            ("D", {"idempotency_key": "c", "remark": "other"}),
            ("E", {**day, "part": 1, **bill}),
            ("E", {**day, "part": 2, **bill}),
            ("E", {**day, "part": 2, "parts": 3, "order_total": 15000}),
            ("taken back", day),
            ("taken back", {**day, "remark": "anew"}),
            ("taken back", {**day, "remark": "anew", "replaces": first.hash}),
            ("F", {"replaces": first.hash}),
        ]
        for later in (0, DAY):
            shop.now += later
            for order_id, asked in told:
                [said] = shop.store.foresee([shop.draft(order_id, **asked)], shop.now)
                became = codes(shop.hand_in(shop.draft(order_id, **asked)))[0]
                foretold = said.code if isinstance(said, Problem) else said
                expected = {"issued": False, "replayed": True}.get(became, became)
                assert foretold == expected, (order_id, asked)

    def test_how_each_stands(self, shop: Shop) -> None:
        blue = shop.issue(shop.draft("A", business_day=TODAY))
        other = shop.issue(shop.draft("A"))
        reds = [shop.issue(shop.red(blue, asked)) for asked in (TEN_FEN, ALL)]
        anew = shop.issue(shop.draft("A", business_day=TODAY, replaces=blue.hash))
        digests = [parse_password_area(one.hash) for one in (blue, other, *reds, anew)]
        whole, plain, *red, new = shop.store.stood(shop.merchant.id, digests)
        assert whole is not None
        assert (whole.seq, whole.total, whole.returned) == (1, blue.total, blue.total)
        assert whole.reds == tuple(one.number for one in reds)
        assert whole.later == (anew.number,)
        for one in (plain, *red, new):
            assert one is not None
            assert (one.returned, one.reds, one.later) == (0, (), ())
        assert shop.store.stood(shop.merchant.id + 1, digests) == [None] * 5


def _said(shop: Shop, code: str) -> dict[str, object]:
    """What another content for A-1 is told of the invoice that stands there."""
    answer = shop.hand_in(shop.draft("A-1", business_day=TODAY, remark="other"))[0]
    assert isinstance(answer, ConflictError)
    assert answer.code == code
    number = answer.extra["first_number"]
    assert str(number) in answer.detail
    assert str(number) in str(answer.extra["detail_zh"])
    return {name: value for name, value in answer.extra.items() if name != "detail_zh"}
