"""``fapiao print``: invoices on A4, one or two to a sheet, in one PDF."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import click
import msgspec

from chain.commitment import parse_password_area
from chain.durable import write_file
from invoice_service.commands.session import Session
from invoice_service.documents.paper.assemble import Paper, Printers
from invoice_service.documents.paper.job import Attached, Job
from invoice_service.documents.paper.press import printed
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.records import own_invoice


@click.command("print")
@click.argument("hashes", metavar="HASH...", nargs=-1, required=True)
@click.option("--two-up", is_flag=True, help="Two invoices to a sheet; lists of lines follow.")
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the PDF here.",
)
@click.pass_obj
def print_paper(session: Session, *, hashes: tuple[str, ...], two_up: bool, output: Path) -> None:
    """Print the invoices of these password areas, with all that is in them, into one PDF.

    Each one's proof file is inside. One that is not in the log yet says so, and has none.
    """
    with closing(session.instance()) as instance:
        config = instance.config
        printers = Printers(
            instance.store, instance.log, config.service.public_url, config.bureau.name
        )
        digests = [parse_password_area(read_hash(text)) for text in dict.fromkeys(hashes)]
        invoices = [own_invoice(instance.store, digest, None) for digest in digests]
        papers = [printers.paper(invoice, ALL_GROUPS) for invoice in invoices]
    job = Job(
        faces=[paper.face for paper in papers],
        attached=list(_named_once(papers)),
        made=max(invoice.issued_at for invoice in invoices),
        two_up=two_up,
    )
    write_file(output, printed(job))
    click.echo(str(output))


def _named_once(papers: Iterable[Paper]) -> Iterator[Attached]:
    """The proofs; of two with one number, the second by code and number."""
    names: set[str] = set()
    for face, proof in papers:
        if proof is None:
            continue
        if proof.name in names:
            proof = msgspec.structs.replace(proof, name=f"{face.code}-{proof.name}")
        names.add(proof.name)
        yield proof
