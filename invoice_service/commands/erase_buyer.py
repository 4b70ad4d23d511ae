"""``fapiao erase-buyer``: of an invoice everything stays but who the person was."""

import re
from typing import Final

import click

from chain.commitment import parse_password_area
from chain.errors import NotFoundError
from chain.hashing import Digest
from invoice_service.commands.output import json_option, print_json
from invoice_service.commands.session import Session
from invoice_service.domain.numbering import format_utc
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.ports import InvoiceFilter, InvoiceReader

_IN_TRAIL: Final = re.compile(r"(?:invoice:)?([0-9]{12})-([0-9]{8})", re.ASCII)


@click.command("erase-buyer")
@click.argument("invoices", metavar="INVOICE...", nargs=-1)
@click.option("--rewrite", is_flag=True, help="Then write invoices.db anew, in a quiet hour.")
@json_option
@click.pass_obj
def erase_buyer(
    session: Session, *, invoices: tuple[str, ...], rewrite: bool, as_json: bool
) -> None:
    """Erase the person to whom each INVOICE was issued, for ever, in all documents of the sale.

    INVOICE is a hash, or CODE-NUMBER as the trail has it. Companies and organisations are kept.
    The act stands in the trail, without the person. Backups made before still hold the key: see
    docs/operations.md, "Erasing a buyer".
    """
    if not invoices and not rewrite:
        raise click.UsageError("name an INVOICE, or --rewrite")
    instance = session.instance()
    for text in invoices:
        digest = _digest(instance.store, text)
        erased = instance.keeping.erase_buyer(digest, None, instance.operator())
        at, invoice = format_utc(erased.at), erased.invoice
        if as_json:
            print_json({"hash": invoice.hash, "erased_at": at})
        else:
            click.echo(f"the buyer of invoice {invoice.code}-{invoice.number} is erased, {at}")
    if rewrite:
        instance.store.connections.rewrite()
    instance.close()


def _digest(reader: InvoiceReader, text: str) -> Digest:
    named = _IN_TRAIL.fullmatch(text)
    if named is None:
        return parse_password_area(read_hash(text))
    code, number = named.groups()
    for invoice in reader.invoices(InvoiceFilter(number=number), 0, 1000):
        if invoice.code == code:
            return parse_password_area(invoice.hash)
    raise NotFoundError("invoice_unknown", f"there is no invoice {text}")
