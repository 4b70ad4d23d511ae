"""``fapiao proof``: the file with which anyone can check an invoice alone."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from chain.commitment import parse_password_area, password_area
from chain.durable import write_file
from chain.proof.file import MAX_PROOF_BYTES, Proof, parse_proof
from chain.proof.hide import hide_groups
from chain.proof.receipt import receipt_of
from chain.proof.tlogproof import tlog_proof_of
from invoice_service.commands.claims import proof_slip
from invoice_service.commands.output import print_data
from invoice_service.commands.remote import Remote
from invoice_service.commands.session import Session
from invoice_service.domain.qrtext import read_hash
from invoice_service.services.checking import prove

CAN_HIDE: Final = ("buyer", "lines")


@click.command()
@click.argument("hash_", metavar="[HASH]", required=False)
@click.option("--hide", type=click.Choice(CAN_HIDE), multiple=True, help="Leave this group out.")
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Start from this proof file, without any network, instead of HASH.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write here; - for the standard output; else into this folder, named by the number.",
)
@click.option("--tlog", is_flag=True, help="Write a C2SP tlog-proof: that the entry is in the log.")
@click.option("--cose", is_flag=True, help="Write a COSE receipt (RFC 9942) that says the same.")
@click.option("--url", envvar="FAPIAO_URL", help="Ask the service at this address…")
@click.option("--key", envvar="FAPIAO_KEY", help="…with this API key; without: the face only.")
@click.pass_obj
def proof(
    session: Session,
    *,
    hash_: str | None,
    hide: Sequence[str],
    file: Path | None,
    output: Path | None,
    tlog: bool,
    cose: bool,
    url: str | None,
    key: str | None,
) -> None:
    """Write the proof file of the invoice with the password area HASH.

    What is hidden stays provable: its digest takes its place. Whoever holds a proof file can hide
    more of it with --from, and needs nobody for that. A --tlog proof and a
    --cose receipt hold nothing of the invoice.
    """
    if (hash_ is None) == (file is None):
        raise click.UsageError("name the invoice: HASH, or --from a proof file")
    if tlog and cose:
        raise click.UsageError("--tlog and --cose are two files: ask twice")
    if file is not None:
        found = _read(file)
    elif url is not None:
        found = parse_proof(Remote(url, key or "").get(_address(str(hash_), hide)))
    else:
        found = _build(session, str(hash_))
    found = hide_groups(found, hide)
    if cose:
        _write(receipt_of(found).to_bytes(), output or Path(f"{_name(found)}.cose"))
        return
    if tlog:
        _write(tlog_proof_of(found).to_bytes(), output or Path(f"{_name(found)}.tlog-proof"))
        return
    ending = ".hidden.fapiao.json" if file and hide else ".fapiao.json"  # beside the first file
    _write(found.to_bytes(), output or Path(f"{_name(found)}{ending}"))


def _read(file: Path) -> Proof:
    with file.open("rb") as source:
        return parse_proof(source.read(MAX_PROOF_BYTES + 1))


def _address(hash_: str, hide: Sequence[str]) -> str:
    """Where the service gives the proof; what is to be hidden does not even leave it."""
    query = "&".join(f"hide={name}" for name in dict.fromkeys(hide))
    return f"/v1/invoices/{read_hash(hash_)}/proof" + (f"?{query}" if query else "")


def _build(session: Session, hash_: str) -> Proof:
    digest = parse_password_area(read_hash(hash_))
    instance = session.instance()
    data = prove.build(instance.store, instance.log, digest)
    instance.close()
    return parse_proof(data)


def _write(data: bytes, path: Path) -> None:
    if path == Path("-"):
        print_data(data)
        return
    write_file(path, data)
    click.echo(str(path))


_NUMBER = re.compile(r"[0-9]{8}")


def _name(found: Proof) -> str:
    """The invoice's number where the face shows one, as it names a file; else the hash."""
    slip = proof_slip(found)
    if slip is not None and _NUMBER.fullmatch(slip.number):
        return slip.number
    return password_area(found.document)
