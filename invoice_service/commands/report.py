"""``fapiao report``: totals for officials, tied to a block of the log."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from chain.durable import write_file
from invoice_service.commands.mixed import local_mix, print_block, print_mix, title_of, verify
from invoice_service.commands.options import BLOCK
from invoice_service.commands.output import print_data, print_table
from invoice_service.commands.remote import Remote
from invoice_service.commands.session import Session
from invoice_service.documents.spreadsheet import totals_csv, totals_workbook
from invoice_service.domain.money import format_yuan
from invoice_service.openapi.operation import CSV, JSON, XLSX
from invoice_service.services.reporting.question import DIMENSIONS, is_new
from invoice_service.services.reporting.report import SIDES, report_bytes, totals_report

FORMATS: Final = ("table", "json", "csv", "xlsx")
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_TYPES: Final = {"table": JSON, "json": JSON, "csv": CSV, "xlsx": XLSX}


@click.command()
@click.option("--from", "first", metavar="DAY", help="First day, like 2026-11-21; else the oldest.")
@click.option("--to", "last", metavar="DAY", help="Last day, included; else the block's.")
@click.option(
    "--by",
    default="day",
    show_default=True,
    help=f"Up to three, commas between: {', '.join(DIMENSIONS)}.",
)
@click.option("--at-block", type=BLOCK, metavar="N", help="As of this block; else the newest.")
@click.option("--measure", help="What ranks rows and is shared; net unless given.")
@click.option("--compare", help="before, year_before, or both with a comma between.")
@click.option("--top", metavar="N", help="Only so many rows with the most.")
@click.option("--bottom", metavar="N", help="Only so many rows with the least.")
@click.option("--merchant", metavar="TAX_ID", help="Of one merchant.")
@click.option("--industry", metavar="CODE", help="Of a section, division, group or class.")
@click.option("--district", metavar="CODE", help="Of one district.")
@click.option("--rate", help="Of one rate, like 0.06.")
@click.option("--url", help="Ask the service at this address…")
@click.option("--key", envvar="FAPIAO_KEY", help="…with this API key of an official.")
@click.option(
    "--verify", "checked", is_flag=True, help="Make it again from documents, and prove it."
)
@click.option(
    "--report", "given", type=_FILE, help="With --verify: this report, JSON of version 3."
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file."
)
@click.pass_obj
def report(
    session: Session,
    /,
    *,
    url: str | None,
    key: str | None,
    checked: bool,
    given: Path | None,
    form: str,
    as_json: bool,
    output: Path | None,
    first: str | None,
    last: str | None,
    at_block: int | None,
    **said: str | None,
) -> int:
    """Print what was issued and reversed, as of a block. The same block gives the same bytes.

    With --verify, every invoice that was counted is proved up to the log's signed root, and the
    first thing that does not fit is named (exit status 1).
    """
    words = {"from": first, "to": last, "at_block": at_block, **said}
    asked = {name: str(word) for name, word in words.items() if word is not None}
    form = "json" if as_json else form
    if given is not None and not checked:
        raise click.UsageError("--report is checked with --verify")
    if checked:
        if url is not None:
            raise click.UsageError("--verify works on the machine of the service")
        return verify(session, asked, given, as_json=as_json)
    data = _asked(url, key, asked, form) if url is not None else _made(session, asked, form)
    if form == "table" and output is None:
        _print(msgspec.json.decode(data))
    elif form == "table":
        raise click.UsageError("a table is for the screen: choose another --format for a file")
    elif output is not None:
        write_file(output, data)
    elif form == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("a workbook is no text: name a file with --output")
    else:
        print_data(data + (b"\n" if form == "json" else b""))
    return 0


def _asked(url: str, key: str | None, asked: Mapping[str, str], form: str) -> bytes:
    """The report as a service gives it."""
    return Remote(url, key or "").get("/v1/reports/totals", asked, accept=_TYPES[form])


def _made(session: Session, asked: Mapping[str, str], form: str) -> bytes:
    """The report as the instance here gives it: the same bytes."""
    instance = session.instance()
    if is_new(asked):
        data = local_mix(instance, asked, form)
    else:
        height = int(asked["at_block"]) if "at_block" in asked else None
        totals = totals_report(
            instance.store.totals,
            instance.log,
            asked.get("from"),
            asked.get("to"),
            asked["by"],
            height,
        )
        data = _render(totals, form)
    instance.close()
    return data


def _print(totals: Mapping[str, Any]) -> None:
    if totals["version"] == 2:
        print_report(totals)
    else:
        print_mix(totals)


def _render(totals: Mapping[str, Any], form: str) -> bytes:
    if form == "csv":
        return totals_csv(totals)
    if form == "xlsx":
        return totals_workbook(totals)
    return report_bytes(totals)


def print_report(totals: Mapping[str, Any]) -> None:
    """The report as a table, in yuan; its sums may be the decimal strings of its JSON."""
    by, block = totals["by"], totals["block"]
    columns = [by, "invoices", "gross ¥", "of it tax ¥", "reversed", "reversed ¥", "net ¥"]
    rows = [_row(_label(row, by), row) for row in totals["rows"]]
    rows.append(_row("total", totals))
    print_table(
        columns,
        rows,
        title=title_of(totals),
        left=1,
    )
    print_block(block, "seal")


def _label(row: Mapping[str, Any], by: str) -> str:
    whose = row["merchant"] if by == "till" else row.get("name_zh", "")
    parts = row[by], row.get("tax_kind", ""), whose
    return " ".join(part for part in parts if part)


def _row(label: str, sums: Mapping[str, Any]) -> list[str]:
    gross, back, net = (sums[side] for side in SIDES)
    return [
        label,
        f"{gross['count']:,}",
        format_yuan(int(gross["total"])),
        format_yuan(int(gross["tax"])),
        f"{back['count']:,}",
        format_yuan(int(back["total"])),
        format_yuan(int(net["total"])),
    ]
