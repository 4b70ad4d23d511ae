"""``fapiao clock``: what is known of the time, and somebody's word."""

import sqlite3
from contextlib import closing
from pathlib import Path

from invoice_service.domain.numbering import shanghai_day
from invoice_service.wiring import now
from tests.cli.town import TAX_ID, Town


def today() -> str:
    """The date in Shenzhen."""
    return shanghai_day(int(now().timestamp()))


def age(town: Town, days: int) -> None:
    """Let the invoices have been issued so many days earlier: the clock seems to have leapt."""
    with closing(sqlite3.connect(town.folder / "var/main/invoices.db")) as other, other:
        other.execute("DROP TRIGGER invoices_no_update")
        other.execute("UPDATE invoices SET issued_at = issued_at - ?", (days * 86_400,))


def test_a_clock_that_is_believed(town: Town) -> None:
    town.sell(1)
    said = town.asked("clock", "show")
    assert said["problem"] == ""
    assert said["last_invoice"].startswith(today())
    assert "the clock is believed" in town.run("clock", "show")


def test_a_leap_is_shown_confirmed_and_over(town: Town) -> None:
    town.sell(1)
    age(town, 30)
    said = town.asked("clock", "show", status=3)
    assert said["problem"] == "clock_ahead"
    header = "order_id,time,item,quantity,unit_price,tax_rate"
    Path("more.csv").write_text(f"{header}\no9,,*餐饮服务*餐费,1,113.00,0.06\n", encoding="utf-8")
    assert "clock_ahead" in town.refusal("issue", "more.csv", "--merchant", TAX_ID, status=3)
    assert town.asked("clock", "confirm", today())["problem"] == ""
    assert town.asked("clock", "show")["confirmed"].startswith(today())
    assert [line["status"] for line in town.sell(2)][1] == "issued"


def test_another_day_than_the_clocks_is_refused(town: Town) -> None:
    error = town.refusal("clock", "confirm", "2018-08-10")
    assert "clock_differs" in error
    assert town.asked("clock", "show")["confirmed"] == ""
