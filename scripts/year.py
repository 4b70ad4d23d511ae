"""Issue a restaurant's year as it comes from a till: one export a day, numbers anew each morning.

``python -m scripts.year``, in an instance of its own. Each day's file is sent twice, the second
time without what the first run remembered; the first five days have one file name. Every order gets
one invoice, numbers have no gap, and all comes to what the sample's prices add up to; the audit is
clean. What does not hold ends it with status 1.
"""

import argparse
import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stdout
from importlib.resources import files
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from invoice_service.cli import run

TAX_ID: Final = "91440300618810208N"
HEADER: Final = "order_id,time,item,quantity,unit_price,tax_rate\r\n"
ONE_NAME: Final = 5
"""Days whose files have one name, as a till program writes its export over yesterday's."""


class Day(NamedTuple):
    """A day's export, how many orders it has, and what they come to (fen)."""

    name: str
    text: str
    orders: int
    total: int


def days() -> Iterator[Day]:
    """Every day of the sample year; money is added up here, from its cents, and nowhere else."""
    sample = files("invoice_service").joinpath("data", "sample", "restaurant_year.csv")
    rows = csv.DictReader(io.StringIO(sample.read_text(encoding="utf-8")))
    for day, sold in groupby(rows, key=lambda row: row["date"]):
        text, number, total = io.StringIO(), 0, 0
        lines = csv.writer(text)
        for number, (_, bill) in enumerate(groupby(sold, key=lambda row: row["id"]), start=1):
            for row in bill:
                time = f"{day} {row['time']}"
                name = f"*餐饮服务*{row['name']} {row['size']}"
                lines.writerow([f"{number:03}", time, name, "1", row["price"], "0.06"])
                yuan, _, cents = row["price"].partition(".")
                total += int(yuan) * 100 + int(f"{cents:0<2}")
        yield Day(day, HEADER + text.getvalue(), number, total)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do all of it in a folder that is gone afterwards."""
    command = argparse.ArgumentParser(prog="python -m scripts.year", description=__doc__)
    command.add_argument("--days", type=int, default=358)
    asked = command.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="year-") as folder, chdir(folder), _no_settings():
        return _run(list(islice(days(), asked.days)))


@contextmanager
def _no_settings() -> Iterator[None]:
    """Whatever instance somebody works with here is not meant."""
    kept = {name: text for name, text in os.environ.items() if name.startswith("FAPIAO_")}
    for name in kept:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)


def _run(year: Sequence[Day]) -> int:
    _fapiao("init")
    _fapiao(
        *("merchants", "add", "--tax-id", TAX_ID, "--name", "深圳市样品餐厅"),
        *("--industry", "6210", "--district", "440303"),
    )
    for place, day in enumerate(year):
        _send(Path("day.csv" if place < ONE_NAME else f"{day.name}.csv"), day)
    _check_lists(year)
    count, total = sum(day.orders for day in year), sum(day.total for day in year)
    _asked("anchor")
    report = _asked("report", "--by", "day")["gross"]
    _holds("the report is the year's", (report["count"], int(report["total"])), (count, total))
    audit = _asked("audit")
    _holds("the audit is clean", (audit["clean"], audit["invoices"]), (True, count))
    sys.stdout.write(f"{len(year)} days, {count:,} invoices, {total:,} fen\n")
    return 0


def _send(path: Path, day: Day) -> None:
    """Once, and again as from another machine; what is in the list of hashes is asked for alone."""
    path.write_text(day.text, encoding="utf-8", newline="")
    issue = ("issue", str(path), "--merchant", TAX_ID)
    first = _asked(*issue)
    _holds(f"{day.name}: every order", (first["issued"], first["refused"]), (day.orders, 0))
    again = _asked(*issue, "--results", "elsewhere.ndjson")
    _holds(f"{day.name}, again", (again["issued"], again["replayed"]), (0, day.orders))
    Path("elsewhere.ndjson").unlink()


def _check_lists(year: Sequence[Day]) -> None:
    """The files of results name every invoice once, and come to the days' sums."""
    results = [
        json.loads(line)
        for path in sorted(Path().glob("*.results.ndjson"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    count = sum(day.orders for day in year)
    _holds("every invoice is listed", len({one["hash"] for one in results}), count)
    _holds("and none twice", len(results), count)
    numbers = sorted(int(one["number"]) for one in results)
    _holds("numbers without a gap", numbers, list(range(1, count + 1)))
    total = sum(day.total for day in year)
    _holds("they come to the sample's prices", sum(one["total"] for one in results), total)


def _fapiao(*arguments: str) -> str:
    written = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(written, encoding="utf-8", write_through=True)):
        status = run(arguments)
        text = written.getvalue().decode()
    _holds(f"fapiao {' '.join(arguments)}", status, 0)
    return text


def _asked(*arguments: str) -> Any:  # noqa: ANN401 # any JSON
    return json.loads(_fapiao(*arguments, "--json"))


def _holds(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise SystemExit(f"{what}: {found}, not {expected}")


if __name__ == "__main__":
    sys.exit(main())
