"""kill -9 at every write of settling, undoing, taking back and closing: again, it is once."""

import shutil
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.errors import UnavailableError
from invoice_service.config import load
from invoice_service.domain.invoice import Issued
from invoice_service.domain.request import ReturnedLine
from invoice_service.services.people.sessions import Visit
from invoice_service.services.people.trail import ActFilter
from invoice_service.services.till.ports import Bill, Hand, Place
from invoice_service.services.till.shapes import (
    CloseRequest,
    PartRequest,
    Payment,
    SettleRequest,
    TakeBack,
)
from invoice_service.wiring import open_instance
from tests.api.desk import Clock
from tests.faults.killing import killed_at
from tests.web.people.visitors import Bureau

BILL = "bill-000000001"
RETURN = "return-00000001"
LINES = [
    {"name": "*餐饮服务*面", "tax_rate": "0.06", "unit_price": 2800, "quantity": "3"},
    {"name": "*餐饮服务*茶", "tax_rate": "0.06", "unit_price": 900, "discount": 100},
]
PARTS = [
    {"amount": 4000, "payments": [{"kind": "cash", "amount": 4000}]},
    {"amount": 4000, "payments": [{"kind": "card", "amount": 3999}, {"kind": "cash", "amount": 1}]},
    {"amount": 1200, "payments": [{"kind": "wechat", "amount": 1200}]},
]
SETTLE = msgspec.convert({"version": 0, "bill": {"lines": LINES}, "parts": PARTS}, SettleRequest)

Work = Callable[[Bureau], object]


def hand(bureau: Bureau) -> Hand:
    desk, (person,) = bureau.instance.till, bureau.instance.store.people(1)
    now = int(bureau.clock().timestamp())
    place = Place(1, "1", desk.days.of(now))
    return Hand(place, person.id, Visit("", "").by(person.id, now))


def settle(bureau: Bureau) -> Any:  # noqa: ANN401 # an outcome
    return bureau.instance.till.selling.settle(hand(bureau), BILL, SETTLE)


def take_back(bureau: Bureau) -> Any:  # noqa: ANN401 # what came of it
    first = bureau.instance.store.invoice_at(1)
    assert first is not None
    lines, refund = [ReturnedLine(line=1)], [Payment(kind="cash", amount=first.total - 348)]
    asked = TakeBack(id=RETURN, reason="SALES_RETURN", lines=lines, refund=refund)
    return bureau.instance.till.taking.take_back(hand(bureau), first.hash, asked)


def close(bureau: Bureau) -> Any:  # noqa: ANN401 # a shift
    (shift,) = bureau.instance.store.shifts(1, "2026-01-01", "2027-01-01", 9)
    asked = CloseRequest(counted={"cash": 4001})
    return bureau.instance.till.shifts.close(hand(bureau), shift.id, asked)


def booked(bureau: Bureau) -> list[tuple[Any, ...]]:
    """What the database has of sales and payments, with the invoices' totals beside."""
    with bureau.instance.store.connections.reading() as connection:
        return connection.execute(
            "SELECT i.seq, i.type, i.order_id, i.part, i.total, s.shift <> '',"
            " (SELECT sum(amount) FROM till_payments p WHERE p.invoice = i.seq)"
            " FROM invoices i LEFT JOIN till_sales s ON s.invoice = i.seq ORDER BY i.seq"
        ).fetchall()


SOLD = [
    (1, "blue", "P0001", 1, 4000, 1, 4000),
    (2, "blue", "P0001", 2, 4000, 1, 4000),
    (3, "blue", "P0001", 3, 1200, 1, 1200),
]


def check_sold(bureau: Bureau) -> None:
    outcome = settle(bureau)
    assert settle(bureau) == outcome
    assert booked(bureau) == SOLD
    bill = bureau.instance.store.bill(1, BILL)
    assert bill is not None
    assert bill.state == "settled"


def check_returned(bureau: Bureau) -> None:
    red = take_back(bureau).red
    assert take_back(bureau).red.seq == red.seq == 4
    assert booked(bureau)[3:] == [(4, "red", "P0001", 1, red.total, 1, red.total)]
    wanted = ActFilter(type="return")
    assert len(bureau.instance.store.acts(wanted, 0, 9)) == 1


def check_closed(bureau: Bureau) -> None:
    found = close(bureau)
    assert close(bureau) == found
    assert (found["expected"]["cash"], found["difference"]["cash"]) == (4001, 0)
    assert booked(bureau) == SOLD


def begun(bureau: Bureau) -> None:
    """A bill whose process died before anything was booked."""
    desk = bureau.instance.till
    desk.selling._finish = lambda bill, _hand: bill  # type: ignore[method-assign,assignment,return-value]
    settle(bureau)
    del desk.selling._finish


def half_sold(bureau: Bureau) -> None:
    """The first part has its invoice; the process died before the second."""
    desk = bureau.instance.till
    one = desk.selling._issue

    def first_only(bill: Bill, plan: Any, number: int) -> Issued:  # noqa: ANN401 # as it is called
        if number > 1:
            raise UnavailableError("database_busy", "the process is gone")
        return one(bill, plan, number)

    desk.selling._issue = first_only  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        settle(bureau)
    del desk.selling._issue


def undo(bureau: Bureau) -> Any:  # noqa: ANN401 # the bill, and the invoices that stay
    return bureau.instance.till.selling.undo(hand(bureau), BILL, 2)


def check_undone(bureau: Bureau) -> None:
    """Undone once, and the rest sold under the next number."""
    bill, stay = undo(bureau)
    assert undo(bureau) == (bill, stay)
    assert (bill.state, stay, booked(bureau)) == ("open", [1], SOLD[:1])
    cash = [PartRequest(payments=[Payment(kind="cash", amount=5200)])]
    asked = SettleRequest(version=bill.version, parts=cash)
    bureau.instance.till.selling.settle(hand(bureau), BILL, asked)
    assert booked(bureau) == [SOLD[0], (2, "blue", "P0002", 0, 5200, 1, 5200)]


def reopened(folder: Path) -> Bureau:
    """The instance in this folder, at the same time."""
    bureau = Bureau.__new__(Bureau)
    environ = {
        "FAPIAO_SERVICE_DATA_DIR": str(folder / "data"),
        "FAPIAO_SERVICE_PUBLIC_URL": "https://fapiao.test",
    }
    bureau.config, bureau.clock = load(None, environ), Clock()
    bureau.instance = open_instance(bureau.config, clock=bureau.clock)
    return bureau


STORIES: dict[str, tuple[list[Work], Work, Work]] = {
    "settling": ([], settle, check_sold),
    "taking back": ([settle], take_back, check_returned),
    "undoing what was half sold": ([half_sold], undo, check_undone),
    "closing what was begun": ([begun], close, check_closed),
}


@pytest.mark.slow
@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("story", STORIES)
def test_a_kill_at_any_write_sells_and_books_once(tmp_path: Path, story: str, kept: bool) -> None:
    before, work, check = STORIES[story]
    with Bureau(tmp_path / "made") as made:
        made.person("zhang")
        for step in before:
            step(made)
    kills = 0
    for number in count(1):
        folder = tmp_path / f"kill-{number}"
        shutil.copytree(made.config.data_dir, folder / "data")
        opening = partial(reopened, folder)
        if not killed_at(number, kept=kept, prepare=opening, work=work):
            break
        kills += 1
        with opening() as after:
            check(after)
    least = 1 if work is undo else 3  # undoing is one transaction
    assert kills >= least, "the process did not come to its writes"
