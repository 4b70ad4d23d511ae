"""``fapiao proof``: the file with which anyone can check an invoice alone."""

import re
import sys
from pathlib import Path

import click
import msgspec

from chain.commitment import parse_password_area
from chain.durable import write_file
from invoice_service.commands.remote import Remote
from invoice_service.commands.session import Session
from invoice_service.services import prove


@click.command()
@click.argument("hash_", metavar="HASH")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write here; - for the standard output; else NUMBER.fapiao.json in this folder.",
)
@click.option("--url", envvar="FAPIAO_URL", help="Ask the service at this address…")
@click.option("--key", envvar="FAPIAO_KEY", help="…with this API key; without: the face only.")
@click.pass_obj
def proof(
    session: Session, *, hash_: str, output: Path | None, url: str | None, key: str | None
) -> None:
    """Write the proof file of the invoice with the password area HASH."""
    digest = parse_password_area(hash_)
    if url is not None:
        data = Remote(url, key or "").get(f"/v1/invoices/{hash_}/proof")
    else:
        instance = session.instance()
        data = prove.build(instance.store, instance.log, digest)
        instance.close()
    if output == Path("-"):
        sys.stdout.buffer.write(data)
        return
    path = output or Path(f"{_number(data) or hash_}.fapiao.json")
    write_file(path, data)
    click.echo(str(path))


_NUMBER = re.compile(r"[0-9]{8}")


class _Face(msgspec.Struct, frozen=True):
    number: str = ""


class _Group(msgspec.Struct, frozen=True):
    document: _Face = _Face()


class _Groups(msgspec.Struct, frozen=True):
    face: _Group = _Group()


class _Proof(msgspec.Struct, frozen=True):
    groups: _Groups = _Groups()


def _number(data: bytes) -> str:
    """The invoice's number where the face is shown; it names a file, so it must be one."""
    number = msgspec.json.decode(data, type=_Proof).groups.face.document.number
    return number if _NUMBER.fullmatch(number) else ""
