"""``fapiao clock``: what is known of the time, and somebody's word."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from invoice_service.config import load
from invoice_service.domain.numbering import shanghai_day
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.wiring import now, open_instance
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


def test_what_was_promised_before_a_leap_is_told_before_and_after_the_word(town: Town) -> None:
    town.sell(2)
    said = town.asked("clock", "show")
    assert (said["waiting"], said["too_late"]) == (2, False)
    assert said["due"] > said["last_invoice"]
    age(town, 30)
    said = town.asked("clock", "show", status=3)
    assert (said["waiting"], said["too_late"]) == (2, True)
    assert said["last_invoice"] < said["due"] < said["clock"]
    assert "promises are broken" in town.run("clock", "confirm", today())
    town.run("anchor")
    said = town.asked("clock", "show")
    assert (said["waiting"], said["due"], said["too_late"]) == (0, "", False)


def test_leaps_in_a_row_are_shown_and_confirmed(town: Town) -> None:
    """The instance has noted its clock when it was made; the machine has not run since."""
    town.sell(1)
    with closing(sqlite3.connect(town.folder / "var/main/invoices.db")) as other, other:
        other.execute("UPDATE clock_noted SET at = at - 172800, leapt = 180000")
    said = town.asked("clock", "show", status=3)
    assert (said["problem"], "leaps" in said["detail"]) == ("clock_ahead", True)
    assert "clock_ahead" in town.refusal("anchor", status=3)
    assert town.asked("clock", "confirm", today())["problem"] == ""
    town.run("anchor")


def test_a_clock_behind_the_last_seal(town: Town) -> None:
    town.sell(1)
    leapt = now() + timedelta(days=3)
    config = load(town.folder / "config.toml", {})
    with closing(open_instance(config, clock=lambda: leapt)) as instance:
        anchor_pending(instance.anchoring())
    said = town.asked("clock", "show", status=3)
    assert (said["problem"], "last seal" in said["detail"]) == ("clock_behind", True)
    assert town.asked("clock", "confirm", today())["problem"] == ""
    town.sell(2)
    last = town.asked("clock", "show")["last_invoice"]
    assert last[:10] == shanghai_day(int(leapt.timestamp()))


def test_another_day_than_the_clocks_is_refused(town: Town) -> None:
    error = town.refusal("clock", "confirm", "2018-08-10")
    assert "clock_differs" in error
    assert town.asked("clock", "show")["confirmed"] == ""
