"""``fapiao export``: what is stored, in forms that other programs read."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import click

from chain.hashing import sha256_of_parts
from chain.tree.merkle import MAX_SIZE
from invoice_service.commands.options import AFTER, NUMBER
from invoice_service.commands.output import print_data, progress
from invoice_service.commands.session import Session
from invoice_service.documents.spreadsheet import texts_workbook
from invoice_service.services.ports import InvoiceFilter
from invoice_service.services.reporting.export import (
    AMOUNTS,
    COLUMNS,
    export_csv,
    export_ndjson,
    export_rows,
)
from invoice_service.wiring import Instance

WHAT: Final = ("invoices", "log")


@click.command()
@click.argument("what", type=click.Choice(WHAT), default="invoices")
@click.option("--format", "form", type=click.Choice(["ndjson", "csv", "xlsx"]), default="ndjson")
@click.option("--json", "as_json", is_flag=True, help="The same as --format ndjson.")
@click.option("--merchant", "merchant_id", type=NUMBER, help="Only this merchant's, by its number.")
@click.option(
    "--after",
    type=AFTER,
    default=0,
    help="Only what follows this seq; for the log, from this index on.",
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file."
)
@click.pass_obj
def export(
    session: Session,
    *,
    what: str,
    form: str,
    as_json: bool,
    merchant_id: int | None,
    after: int,
    output: Path | None,
) -> None:
    """Write all invoices with their three groups and salts, or all entries of the log.

    Whoever has the exported invoices can open every one: guard the file. With --output the
    file's SHA-256 is printed.
    """
    if what == "log" and (form != "ndjson" or merchant_id is not None):
        raise click.UsageError("the log knows neither CSV, xlsx nor merchants")
    instance = session.instance()
    lines = _lines(instance, what, "ndjson" if as_json else form, merchant_id, after)
    if output is None:
        for line in lines:
            print_data(line)
    else:
        _write_file(output, lines, _count(instance, what, after))
        click.echo(f"{_digest(output)}  {output}")
    instance.close()


def _lines(
    instance: Instance, what: str, form: str, merchant_id: int | None, after: int
) -> Iterator[bytes]:
    if what == "log":
        return _entries(instance, after)
    wanted = InvoiceFilter(merchant_id=merchant_id)
    if form == "xlsx":  # its cells are texts, so a spreadsheet drops no digit of a tax id
        rows = export_rows(instance.store, wanted, after)
        return iter([texts_workbook(COLUMNS, rows, AMOUNTS)])
    write = export_csv if form == "csv" else export_ndjson
    return write(instance.store, wanted, after)


def _entries(instance: Instance, after: int) -> Iterator[bytes]:
    """The log's entries, canonical JSON each, from index ``after`` on."""
    for row in instance.log_store.rows(after, MAX_SIZE):
        yield row.entry + b"\n"


def _count(instance: Instance, what: str, after: int) -> int:
    last = instance.log.head().size if what == "log" else instance.store.last_seq()
    return max(last - after, 0)


def _write_file(path: Path, lines: Iterator[bytes], count: int) -> None:
    """Write aside, then rename: a file that was cut off never has the final name."""
    aside = path.with_name(f"{path.name}.part")
    try:
        with aside.open("wb") as file, progress("exporting", count) as advance:
            for line in lines:
                file.write(line)
                advance(1)
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return sha256_of_parts(_parts(file)).hex()


def _parts(file: BinaryIO) -> Iterator[bytes]:
    while part := file.read(1 << 20):
        yield part
