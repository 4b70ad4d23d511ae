"""``fapiao print``: invoices on A4, one or two to a sheet, in one PDF."""

from contextlib import closing
from pathlib import Path
from typing import Final

import click

from chain.commitment import parse_password_area
from chain.durable import write_file
from invoice_service.commands.session import Session
from invoice_service.documents.paper.assemble import Printers
from invoice_service.documents.paper.printing import job_of
from invoice_service.documents.paper.sealing import maker_of
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.records import own_invoice

CAN_HIDE: Final = ("buyer", "lines")


@click.command("print")
@click.argument("hashes", metavar="HASH...", nargs=-1, required=True)
@click.option("--two-up", is_flag=True, help="Two invoices to a sheet; lists of lines follow.")
@click.option(
    "--hide", type=click.Choice(CAN_HIDE), multiple=True, help="Show it nowhere: buyer or lines."
)
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the PDF here.",
)
@click.pass_obj
def print_paper(
    session: Session, *, hashes: tuple[str, ...], two_up: bool, hide: tuple[str, ...], output: Path
) -> None:
    """Print the invoices of these password areas, with all that is in them, into one PDF.

    Each one's proof file is inside. One that is not in the log yet says so, and has none. What is
    hidden is neither on the paper nor in the proof; both still hold for the rest.
    """
    with closing(session.instance()) as instance:
        config = instance.config
        printers = Printers(
            instance.store, instance.log, config.service.public_url, config.bureau.name
        )
        digests = [parse_password_area(read_hash(text)) for text in dict.fromkeys(hashes)]
        invoices = [own_invoice(instance.store, digest, None) for digest in digests]
        papers = [printers.paper(invoice, ALL_GROUPS, frozenset(hide)) for invoice in invoices]
    job = job_of(invoices, papers, two_up=two_up)
    write_file(output, maker_of(config.paper)(job))
    click.echo(str(output))
