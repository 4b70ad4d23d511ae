"""The simulated city: repeatable, plausible, and issued through the real parts."""

import string
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import NoReturn

import pytest
from stdnum.cn import uscc

from chain.errors import UnavailableError
from invoice_service.commands.demo_day import RESTAURANT
from invoice_service.domain.merchant import check_merchant, districts, industries
from invoice_service.domain.request import check_buyer, check_request
from invoice_service.replay.city import build_city, organisation_check_digit
from invoice_service.replay.days import invoices_by_day, sales
from invoice_service.replay.patient import patiently
from invoice_service.replay.trades import DISTRICT_WEIGHTS, TRADES
from tests.cli.town import TAX_ID, Town
from tests.patience import wait_until

DAY = date(2026, 3, 6)


def test_every_merchant_and_company_is_valid_and_has_its_own_tax_id() -> None:
    city = build_city(7, 800)
    for shop in city.shops:
        check_merchant(shop.request)
    for company in city.companies:
        check_buyer(company)
    ids = {shop.request.tax_id for shop in city.shops} | {one.tax_id for one in city.companies}
    assert len(ids) == 800 + len(city.companies)
    assert len({shop.request.industry for shop in city.shops}) > 40
    assert {trade.industry for trade in TRADES} <= set(industries())
    assert set(DISTRICT_WEIGHTS) == set(districts())


def by_the_standard(tax_id: str) -> bool:
    """GB 11714-1997, as its text says it: C9 = 11 - MOD(sum of Ci x Wi, 11), X for 10, 0 for 11."""
    code, check = tax_id[8:16], tax_id[16]
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    values = map((string.digits + string.ascii_uppercase).index, code)
    rest = 11 - sum(w * value for w, value in zip(weights, values, strict=True)) % 11
    return check == {10: "X", 11: "0"}.get(rest, str(rest))


def test_the_code_inside_every_tax_id_has_its_own_check_digit() -> None:
    """Whoever checks it looks at characters 9 to 17 as well."""
    assert organisation_check_digit("D2143569") == "X"  # the standard's example
    assert by_the_standard("91440300D2143569X0")
    city = build_city(7, 800)
    made = [shop.request.tax_id for shop in city.shops] + [one.tax_id for one in city.companies]
    samples = [RESTAURANT.tax_id, TAX_ID, "91440300708461136T", "914403001922038216"]
    for tax_id in (*made, *samples):
        assert by_the_standard(tax_id), tax_id
        assert uscc.is_valid(tax_id), tax_id


def test_the_same_seed_makes_the_same_city_and_day_and_another_does_not() -> None:
    first, again, other = build_city(1, 50), build_city(1, 50), build_city(2, 50)
    assert first == again != other
    assert list(sales(first, 1, DAY, 40)) == list(sales(again, 1, DAY, 40))
    assert list(sales(first, 1, DAY, 40)) != list(sales(first, 2, DAY, 40))


@pytest.mark.parametrize("invoices", [1, 364, 365, 10_007])
def test_the_invoices_are_shared_out_to_the_last_one(invoices: int) -> None:
    shares = invoices_by_day(date(2026, 1, 1), 365, invoices)
    assert len(shares) == 365
    assert sum(shares) == invoices
    assert min(shares) >= 0


def test_a_day_goes_by_the_clock_with_a_rush_at_noon_and_in_the_evening() -> None:
    day = list(sales(build_city(1, 2000), 1, DAY, 3000))
    seconds = [sale.second for sale in day]
    assert seconds == sorted(seconds)
    assert 0 <= seconds[0] <= seconds[-1] < 86_400
    hours = [sum(1 for second in seconds if second // 3600 == hour) for hour in range(24)]
    assert hours[12] > 2 * hours[15]
    assert hours[18] > 2 * hours[15]
    assert hours[4] < hours[9] < hours[12]
    assert len({sale.request.order_id for sale in day}) == 3000
    for sale in day:
        check_request(sale.request, 100)


def test_a_replayed_quarter_is_clean_and_reported_by_its_own_days(empty: Town) -> None:
    plan = ("--invoices", "1500", "--merchants", "40", "--days", "90", "--from", "2026-01-01")
    done = empty.asked("replay", *plan, "--seed", "3")
    assert (done["invoices"], done["reversals"]) == (1500, 5)
    there = Path("there.toml")
    there.write_text('[service]\npublic_url = "https://fapiao.test"\ndata_dir = "var/replay"\n')
    report = empty.asked("--config", str(there), "report", "--by", "day")
    assert (report["from"], report["to"]) == ("2026-01-01", "2026-03-31")
    assert (report["gross"]["count"], report["reversed"]["count"]) == (1500, 5)
    assert int(report["net"]["total"]) == done["net_total"]
    audit = empty.asked("--config", str(there), "audit")
    assert (audit["clean"], audit["closings"]) == (True, 89)


def test_a_replay_that_is_killed_leaves_no_process_behind(empty: Town) -> None:
    """The one that anchors ends with the one that issues."""
    command = [sys.executable, "-m", "invoice_service.cli", "replay", "--invoices", "200000"]
    with Popen(command, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True) as replay:
        checkpoint = Path("var/replay/log/checkpoint")
        wait_until(checkpoint.exists, "the log of the replay")
        first = checkpoint.read_bytes()
        wait_until(lambda: checkpoint.read_bytes() != first, "the process that anchors")
        replay.kill()
    wait_until(lambda: not members(replay.pid), "the end of what the replay had started")


def members(group: int) -> int:
    """How many processes of a group still run."""
    found = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            found += int(its_group) == group and state != "Z"
    return found


def test_a_replay_begins_at_midnight_in_shenzhen(empty: Town) -> None:
    plan = ("--invoices", "900", "--merchants", "40", "--days", "1", "--from", "2018-08-10")
    assert empty.asked("replay", *plan)["invoices"] == 900


def test_a_replay_repeats_to_the_fen_and_touches_no_other_instance(town: Town) -> None:
    plan = ("--invoices", "120", "--merchants", "9", "--days", "4", "--from", "2026-05-01")
    first = town.asked("replay", *plan)
    second = town.asked("replay", *plan, "--dir", "var/second")
    assert (first["net_total"], first["log_size"]) == (second["net_total"], second["log_size"])
    assert "already_initialised" in town.refusal("replay", *plan)
    assert town.asked("report")["gross"]["count"] == 0


def test_it_waits_for_a_busy_database_and_for_nothing_else() -> None:
    answers: list[Exception] = [UnavailableError("database_busy", ""), KeyError()]

    def act() -> NoReturn:
        raise answers.pop(0)

    with pytest.raises(KeyError):
        patiently(act)
    answers.append(UnavailableError("disk_full", ""))
    with pytest.raises(UnavailableError, match="disk_full"):
        patiently(act)
