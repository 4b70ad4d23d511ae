"""``fapiao report``: totals for officials, tied to a block of the log."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from chain.durable import write_file
from invoice_service.commands.options import BLOCK
from invoice_service.commands.output import print_table
from invoice_service.commands.session import Session
from invoice_service.documents.spreadsheet import totals_csv, totals_workbook
from invoice_service.domain.money import format_yuan
from invoice_service.services.reporting.report import BY, SIDES, report_bytes, totals_report

FORMATS: Final = ("table", "json", "csv", "xlsx")


@click.command()
@click.option("--from", "first", metavar="DAY", help="First day, like 2026-11-21; else the oldest.")
@click.option("--to", "last", metavar="DAY", help="Last day, included; else the block's.")
@click.option("--by", type=click.Choice(BY), default="day", show_default=True)
@click.option("--at-block", type=BLOCK, metavar="N", help="As of this block; else the newest.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file."
)
@click.pass_obj
def report(
    session: Session,
    *,
    first: str | None,
    last: str | None,
    by: str,
    at_block: int | None,
    form: str,
    as_json: bool,
    output: Path | None,
) -> None:
    """Print what was issued and reversed, as of a block. The same block gives the same bytes."""
    instance = session.instance()
    totals = totals_report(instance.store.totals, instance.log, first, last, by, at_block)
    instance.close()
    form = "json" if as_json else form
    if form == "table" and output is None:
        print_report(totals)
        return
    data = _render(totals, form)
    if output is not None:
        write_file(output, data)
    elif form == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("a workbook is no text: name a file with --output")
    else:
        sys.stdout.buffer.write(data + (b"\n" if form == "json" else b""))


def _render(totals: Mapping[str, Any], form: str) -> bytes:
    if form == "csv":
        return totals_csv(totals)
    if form == "xlsx":
        return totals_workbook(totals)
    if form == "json":
        return report_bytes(totals)
    raise click.UsageError("a table is for the screen: choose another --format for a file")


def print_report(totals: Mapping[str, Any]) -> None:
    """The report as a table, in yuan; its sums may be the decimal strings of its JSON."""
    by, block = totals["by"], totals["block"]
    columns = [by, "invoices", "gross ¥", "of it tax ¥", "reversed", "reversed ¥", "net ¥"]
    rows = [_row(_label(row, by), row) for row in totals["rows"]]
    rows.append(_row("total", totals))
    print_table(
        columns,
        rows,
        title=f"{totals['from']} to {totals['to']} at block {block['height']}",
        left=1,
    )
    click.echo(f"block {block['height']}, sealed {block['sealed_at']}, seal {block['seal']}")


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
