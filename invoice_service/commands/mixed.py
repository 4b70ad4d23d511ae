"""Reports of mixes at the console: made, shown, and made again from documents."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from chain.audit.finding import AuditError
from invoice_service.commands.output import print_json, print_table, progress
from invoice_service.commands.session import Session
from invoice_service.documents.mixed import mixed_csv, mixed_workbook
from invoice_service.domain.money import format_yuan
from invoice_service.services.figure import check_figure, said_of
from invoice_service.services.reporting.given import question_of
from invoice_service.services.reporting.mix import mixed_report, report_parts
from invoice_service.services.reporting.question import Question, ask
from invoice_service.wiring import Instance

_SIDES: Final = ("gross", "reversed", "net")


def local_mix(instance: Instance, asked: Mapping[str, str], form: str) -> bytes:
    """The report in a form; "table" is JSON, for ``print_mix``."""
    made = mixed_report(instance.store.totals, instance.log, ask(asked))
    if form == "xlsx":
        return mixed_workbook(made)
    return b"".join(mixed_csv(made) if form == "csv" else report_parts(made))


def verify(session: Session, asked: Mapping[str, str], given: Path | None, *, as_json: bool) -> int:
    """Make a report again from documents; 1 for what does not fit, which is named."""
    instance = session.instance(doubted=True)
    try:
        data, question = _to_verify(instance, asked, given)
        with progress("checking", None) as advance:
            seen = 0

            def tell(done: int) -> None:
                nonlocal seen
                advance(done - seen)
                seen = done

            found = check_figure(
                instance.store,
                instance.store.totals,
                instance.log,
                instance.log_keys,
                question,
                data,
                tell=tell,
            )
    except AuditError as error:
        return _wrong(error, as_json=as_json)
    finally:
        instance.close()
    if as_json:
        print_json({"holds": True, **found.said()})
        return 0
    for step, number in found.steps:
        click.echo(f"{_HELD[step]}: {number:,}")
    click.echo(f"days not closed yet: {found.unclosed:,}")
    click.echo(f"the figures hold, under the root {found.root} of {found.size:,} entries")
    return 0


def _to_verify(
    instance: Instance, asked: Mapping[str, str], given: Path | None
) -> tuple[bytes, Question]:
    """The report that is doubted, and its question at its block."""
    if given is not None:
        data = given.read_bytes().strip()
        return data, question_of(data)
    question = ask(asked)
    made = mixed_report(instance.store.totals, instance.log, question)
    height = made.head["block"]["height"]  # others may seal meanwhile
    return b"".join(report_parts(made)), msgspec.structs.replace(question, at_block=height)


def _wrong(error: AuditError, *, as_json: bool) -> int:
    said = said_of(error)
    if as_json:
        print_json({"holds": False, **said})
    else:
        place, expected, found = (said[name] for name in ("place", "expected", "found"))
        click.echo(f"wrong: {said['step']} {place}: expected {expected}, found {found}")
    return 1


_HELD: Final = {
    "document": "documents that hash to their password areas",
    "entry": "entries of theirs in the log",
    "root": "entries under the signed root",
    "closing": "days closed by these sums",
    "report": "rows that follow from these documents",
}


def print_mix(totals: Mapping[str, Any]) -> None:
    """A report of version 3 as a table, in yuan."""
    by, block = totals["by"], totals["block"]
    columns = [
        *by,
        "invoices",
        "gross ¥",
        "of it tax ¥",
        "reversed",
        "reversed ¥",
        "net ¥",
        "share",
    ]
    rows = [[*_labels(by, row), *_cells(row), row["share"]] for row in totals["rows"]]
    blank = [""] * (len(by) - 1)
    if "rest" in totals:
        rows.append([f"{totals['rest']['rows']:,} more", *blank, *_cells(totals["rest"]), ""])
    rows.append(["total", *blank, *_cells(totals), ""])
    print_table(columns, rows, title=title_of(totals), left=len(by))
    for note in totals["notes"]:
        click.echo(f"{note['zh']} {note['en']}")
    print_block(block, "root")


def title_of(totals: Mapping[str, Any]) -> str:
    """Of which days a report is, and of which block."""
    days = f"{totals['from']} to {totals['to']}" if totals["from"] else "no days"
    return f"{days} at block {totals['block']['height']}"


def print_block(block: Mapping[str, Any], name: str) -> None:
    """Say when a report's block was sealed, and its ``name`` (root or seal)."""
    if block["height"]:
        click.echo(f"block {block['height']}, sealed {block['sealed_at']}, {name} {block[name]}")
    else:
        click.echo("block 0 is the log before its first block: nothing had been sealed by then")


def _labels(by: Sequence[str], row: Mapping[str, Any]) -> list[str]:
    names = row["names"]
    return [f"{row['keys'][name]} {names.get(name, {}).get('zh', '')}".strip() for name in by]


def _cells(row: Mapping[str, Any]) -> list[str]:
    gross, back, net = (row[side] for side in _SIDES)
    return [
        f"{gross['count']:,}",
        format_yuan(int(gross["total"])),
        format_yuan(int(gross["tax"])),
        f"{back['count']:,}",
        format_yuan(int(back["total"])),
        format_yuan(int(net["total"])),
    ]
