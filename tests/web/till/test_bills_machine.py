"""A bill is ordered, shared, half sold, finished, undone, taken back, in any order.

A model that shares no arithmetic with the service says after each step what is sold, what is open,
and what was paid; the database agrees to the fen.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from invoice_service.services.till.ports import Bill
from invoice_service.storage.sqlite.till.bills import BillRows
from tests.web.till.counter import Counter, Till, cash, new_id

prices = st.integers(1, 99_999)


class Shared(RuleBasedStateMachine):
    """One bill after the other at two tills; ``room`` is how many parts the quota lets through."""

    counter: Counter
    limit: Callable[[int | None], None]

    def __init__(self) -> None:
        super().__init__()
        self.first = self.counter.count()
        self.bill, self.version = "", 0
        self.open: int | None = None  # what stands on the bill
        self.rest: list[int] | None = None  # parts without an invoice, while it is half sold
        self.sold: list[int] = []
        self.returned: dict[str, int] = {}

    @property
    def tills(self) -> tuple[Till, Till]:
        return self.counter.zhang, self.counter.li

    @precondition(lambda self: self.open is None and self.rest is None)
    @rule(lines=st.lists(st.tuples(prices, st.integers(1, 4)), min_size=1, max_size=4))
    def order(self, lines: list[tuple[int, int]]) -> None:
        self.bill = new_id()
        dishes = [
            {"name": f"dish {n}", "tax_rate": "0.06", "unit_price": price, "quantity": str(many)}
            for n, (price, many) in enumerate(lines)
        ]
        asked = {"version": 0, "table": "5", "lines": dishes}
        self.version = self.tills[0].do("PUT", f"bills/{self.bill}", asked)["version"]
        self.open = sum(price * many for price, many in lines)

    @precondition(lambda self: self.open is not None)
    @rule(shares=st.lists(st.integers(1, 9), min_size=1, max_size=4), room=st.integers(0, 4))
    def share(self, shares: list[int], room: int) -> None:
        """By amounts; the last guest pays what is left."""
        assert self.open is not None
        amounts = [self.open * one // sum(shares) for one in shares[:-1]]
        amounts = [*filter(None, amounts)]
        amounts.append(self.open - sum(amounts))
        parts = [{"amount": one, **cash(one)} for one in amounts]
        self.limit(room)
        answer = self.tills[1].send("POST", self.path("settle"), self.asked(parts=parts))
        self.limit(None)
        if room >= len(amounts):
            assert answer.status_code == 200, answer.text
            self.sold, self.open = [*self.sold, *amounts], None
        else:
            refused = answer.get_json()
            assert refused["code"] == "quota_exhausted", answer.text
            if room:
                self.sold += amounts[:room]
                self.open, self.rest = None, amounts[room:]
                self.version = refused["bill"]["version"]
            else:
                (found,) = self.tills[0].read("state")["bills"]
                self.version = found["version"]

    @precondition(lambda self: self.rest is not None)
    @rule()
    def finish(self) -> None:
        assert self.rest is not None
        self.tills[0].do("POST", self.path("settle"), {"version": self.version})
        self.sold, self.rest = [*self.sold, *self.rest], None

    @precondition(lambda self: self.rest is not None)
    @rule(again=st.booleans())
    def undo(self, again: bool) -> None:
        assert self.rest is not None
        done = self.tills[1].do("POST", self.path("undo"), {"version": self.version})
        if again:
            assert self.tills[0].do("POST", self.path("undo"), {"version": self.version}) == done
        self.version = done["bill"]["version"]
        self.open, self.rest = sum(self.rest), None

    @precondition(lambda self: self.rest is not None)
    @rule()
    def refused_once_more(self) -> None:
        self.limit_now(0)
        refused = self.tills[0].refused("POST", self.path("settle"), {"version": self.version})
        self.limit(None)
        assert refused["code"] == "quota_exhausted"
        assert refused["bill"]["settling"]

    @precondition(lambda self: self.open is not None)
    @rule()
    def nothing_to_undo(self) -> None:
        asked = {"version": self.version}
        assert self.tills[0].refused("POST", self.path("undo"), asked)["code"] == "bill_changed"

    @precondition(lambda self: self.sold and self.rest is None)
    @rule(which=st.integers(0, 99))
    def take_back(self, which: int) -> None:
        """All that is left of one."""
        rows = self.rows("SELECT hash, total FROM invoices WHERE type = 'blue' AND seq > ?")
        digest, total = rows[which % len(rows)]
        hash_ = f"01{digest.hex()}"
        if hash_ not in self.returned:
            self.tills[0].take_back({"invoices": [{"hash": hash_}]}, total)
            self.returned[hash_] = total

    @invariant()
    def the_database_agrees(self) -> None:
        blue = self.rows("SELECT total FROM invoices WHERE type = 'blue' AND seq > ? ORDER BY seq")
        assert [total for (total,) in blue] == self.sold
        ((red,),) = self.rows(
            "SELECT coalesce(sum(total), 0) FROM invoices WHERE type = 'red' AND seq > ?"
        )
        assert red == -sum(self.returned.values())
        if self.rest is None:  # else its sold parts are booked once it is finished or undone
            ((paid,),) = self.rows(
                "SELECT coalesce(sum(amount), 0) FROM till_payments WHERE invoice > ?"
            )
            assert paid == sum(self.sold) + red
        bills = self.tills[0].read("state")["bills"]
        assert len(bills) == (self.open is not None or self.rest is not None)
        for bill in bills:
            if self.open is not None:
                assert came_to(bill) == self.open
                assert bill["version"] == self.version

    def teardown(self) -> None:
        if self.open is not None:
            self.tills[0].do("DELETE", f"bills/{self.bill}?version={self.version}")
        if self.rest is not None:
            self.finish()

    def path(self, what: str) -> str:
        return f"bills/{self.bill}/{what}"

    def asked(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"version": self.version, "id": new_id(), **more}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.counter.rows(query, self.first)

    def limit_now(self, room: int) -> None:
        store, mine = self.counter.instance.store, self.counter.restaurant.merchant.id
        account = store.account(mine)
        assert account is not None
        store.set_quota(mine, account.used + room, self.counter.instance.operator())


def came_to(bill: dict[str, Any]) -> int:
    """By quantity times price, half up, less what is taken off."""
    sums = [
        int(float(line.get("quantity", "1")) * 1_000_000 + 0.5) * line["unit_price"]
        for line in bill["lines"]
    ]
    gross = sum((2 * one + 1_000_000) // 2_000_000 for one in sums)
    return int(gross - sum(line.get("discount", 0) for line in bill["lines"]))


@pytest.mark.slow
def test_any_order_of_sharing_finishing_undoing_and_returning(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quota falls just after a bill was fixed: it was enough then, for all its parts."""
    store, mine = counter.instance.store, counter.restaurant.merchant.id
    fix = BillRows.fix_bill
    room: list[int | None] = [None]

    def limit(parts: int | None) -> None:
        room[:] = [parts]
        if parts is None:
            store.set_quota(mine, None, counter.instance.operator())

    def fix_and_limit(*call: Any) -> Bill:  # noqa: ANN401 # as it is called
        fixed = fix(*call)
        account = store.account(mine)
        if room[0] is not None and account is not None:
            store.set_quota(mine, account.used + room[0], counter.instance.operator())
        return fixed

    monkeypatch.setattr(BillRows, "fix_bill", fix_and_limit)
    machine = type("Bills", (Shared,), {"counter": counter, "limit": staticmethod(limit)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
