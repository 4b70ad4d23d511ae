"""``fapiao issue``: invoices for a file of orders."""

from collections import Counter
from pathlib import Path

import click

from chain.durable import write_file
from invoice_service.commands.merchants import find_merchant
from invoice_service.commands.output import json_option, print_json, progress
from invoice_service.commands.remote import Remote
from invoice_service.commands.session import Session
from invoice_service.commands.submitters import RemoteSubmitter
from invoice_service.documents.order_columns import NAMES
from invoice_service.documents.order_template import template_csv, template_workbook
from invoice_service.domain.tax import TaxRates
from invoice_service.files.desk import LocalSubmitter
from invoice_service.files.orders import open_orders
from invoice_service.files.record import Source
from invoice_service.files.results import ResultFile
from invoice_service.files.samples import NAMES as SAMPLES
from invoice_service.files.samples import open_sample
from invoice_service.files.submit import Submitter, submit_all
from invoice_service.services.issuing.issue import IssuingDesk
from invoice_service.services.issuing.standing import Standings
from invoice_service.wiring import Instance


@click.command()
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--sample", type=click.Choice(SAMPLES), help="The shipped orders instead of a file.")
@click.option("--merchant", help="Issue on this machine's instance as this merchant (or tax id).")
@click.option("--url", envvar="FAPIAO_URL", help="Issue through the service at this address…")
@click.option("--key", envvar="FAPIAO_KEY", help="…with this API key of a merchant.")
@click.option(
    "--results",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that says what became of each record; else beside the input.",
)
@click.option(
    "--template",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a table with the columns to this file (.xlsx or .csv), and issue nothing.",
)
@json_option
@click.pass_obj
def issue(
    session: Session,
    *,
    file: Path | None,
    sample: str | None,
    merchant: str | None,
    url: str | None,
    key: str | None,
    results: Path | None,
    template: Path | None,
    as_json: bool,
) -> int:
    """Issue an invoice for every order in FILE: NDJSON, CSV or .xlsx.

    NDJSON has one request a line, as POST /v1/invoices takes it. A table has one line an item, the
    lines of an order together, prices in yuan with tax. Its columns, in any order, in English or
    Chinese: order_id, item, tax_rate, and unit_price or total, perhaps time, quantity, discount,
    order_discount, buyer and others; --template writes one and explains them. Columns that nobody
    knows go into the result file, which says of each invoice how it stands now.

    Interrupted in whatever way, the same command goes on, and issues nothing twice. The exit
    status is 1 when a record was refused; the result file says which and why.
    """
    if template is not None:
        write_file(template, _template(template))
        return 0
    source, name = _source(file, sample)
    if (merchant is None) == (url is None):
        raise click.UsageError("say where: --merchant M for this machine's instance, or --url U")
    kept = ResultFile(results or name.with_name(f"{name.name}.results.ndjson"))
    total = sum(1 for _ in source())  # also refuses a CSV file that is wrong as a whole
    instance = None if merchant is None else session.instance()
    submitter = _submitter(instance, merchant or "", url or "", key or "")
    with progress("issuing", total) as advance:
        counts = submit_all(source, submitter, kept, advance)
    if instance is not None:
        instance.close()
    _tell(counts, kept.path, as_json=as_json)
    return 1 if counts["refused"] else 0


def _template(path: Path) -> bytes:
    return template_csv("zh") if path.suffix == ".csv" else template_workbook("zh", NAMES)


def _source(file: Path | None, sample: str | None) -> tuple[Source, Path]:
    """The records, and the name that the result file goes by."""
    if file is not None and sample is None:
        return open_orders(file), file
    if sample is not None and file is None:
        return open_sample(sample), Path(f"sample-{sample}")
    raise click.UsageError("name a FILE, or a --sample")


def _submitter(instance: Instance | None, merchant: str, url: str, key: str) -> Submitter:
    if instance is not None:
        standings = Standings(instance.store, instance.log.taken)
        return LocalSubmitter(desk_of(instance), standings, find_merchant(instance, merchant).id)
    if not key:
        raise click.UsageError("--url needs the merchant's --key (or FAPIAO_KEY)")
    return RemoteSubmitter(Remote(url, key))


def desk_of(instance: Instance) -> IssuingDesk:
    """What issuing on this machine works with."""
    limits = instance.config.limits
    return IssuingDesk(
        merchants=instance.store,
        issuer=instance.issuer,
        rates=TaxRates(instance.config.tax.rates),
        randbytes=instance.randbytes,
        max_bytes=limits.body_bytes,
        max_lines=limits.lines,
    )


def _tell(counts: Counter[str], results: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "issued": counts["issued"],
                "replayed": counts["replayed"],
                "refused": counts["refused"],
                "done_before": counts["done before"],
                "results": str(results),
            }
        )
        return
    click.echo(
        f"issued {counts['issued']:,}, already issued {counts['replayed']:,}, refused"
        f" {counts['refused']:,}, done before {counts['done before']:,}; each in {results}"
    )
