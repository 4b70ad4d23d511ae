"""``fapiao verify`` of a tlog-proof or a COSE receipt: that an entry is in the log."""

from typing import Any, Final

import click

from chain.commitment import parse_password_area
from chain.errors import MalformedError
from chain.proof.receipt import (
    BEGINNING,
    MAX_RECEIPT,
    Receipt,
    parse_receipt,
    verify_receipt,
)
from chain.proof.tlogproof import (
    HEADER,
    MAX_TLOG_PROOF,
    Logged,
    TlogProof,
    entry_of,
    parse_tlog_proof,
    verify_tlog_proof,
)
from chain.signing.keys import TrustedKeys
from chain.signing.policy import Policy
from invoice_service.commands.memory import Remembering, seen_wire, tell_seen
from invoice_service.commands.options import named_file
from invoice_service.commands.output import print_json
from invoice_service.domain.qrtext import read_hash

_ELSE: Final = "whether it was reversed, a proof file or a scan says"


def read_tlog(text: str) -> TlogProof | None:
    """The tlog-proof in the file of that name; None if it is something else.

    Raises MalformedError ``tlog_proof`` for one that cannot be read.
    """
    path = named_file(text)
    if path is None:
        return None
    with path.open("rb") as file:
        start = file.read(len(HEADER))
        if start != HEADER.encode():
            if path.suffix == ".tlog-proof":
                raise MalformedError("tlog_proof", f"{path} is a damaged tlog-proof")
            return None
        return parse_tlog_proof(start + file.read(MAX_TLOG_PROOF + 1 - len(start)))


def read_cose(text: str) -> Receipt | None:
    """The COSE receipt in the file of that name; None if it is something else.

    Raises MalformedError ``receipt`` for one that cannot be read, and as ``parse_receipt``.
    """
    path = named_file(text)
    if path is None:
        return None
    with path.open("rb") as file:
        start = file.read(len(BEGINNING))
        if start != BEGINNING and path.suffix != ".cose":
            return None
        return parse_receipt(start + file.read(MAX_RECEIPT))


def tell_cose(receipt: Receipt, hash_: str | None, keys: TrustedKeys, *, as_json: bool) -> None:
    """Check it and say what it proves of the invoice with that password area; raises if nothing."""
    hash_ = _asked(hash_, "a COSE receipt")
    found = verify_receipt(receipt, receipt.entry(parse_password_area(hash_)), keys)
    _tell(hash_, found, {}, as_json=as_json)
    if not as_json:
        click.echo(_ELSE)


def tell_tlog(
    proof: TlogProof,
    hash_: str | None,
    keys: TrustedKeys,
    policy: Policy,
    seen: Remembering,
    *,
    as_json: bool,
) -> None:
    """Check it and say what it proves of the invoice with that password area; raises if nothing."""
    hash_ = _asked(hash_, "a tlog-proof")
    found = verify_tlog_proof(proof, entry_of(proof, parse_password_area(hash_)), keys, policy)
    continued = seen.hold(proof.checkpoint, keys)
    _tell(hash_, found, seen_wire(continued), as_json=as_json)
    if not as_json:
        tell_seen(continued, found.checkpoint.size)
        click.echo(_ELSE)


def _asked(hash_: str | None, what: str) -> str:
    if hash_ is None:
        raise click.UsageError(f"{what} does not say of which invoice it is: give --hash")
    return read_hash(hash_)


def _tell(hash_: str, found: Logged, seen: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "proved": "in_log",
                "hash": hash_,
                "origin": found.checkpoint.origin,
                "index": found.index,
                "log_size": found.checkpoint.size,
                "witnesses": found.witnesses,
            }
            | seen
        )
        return
    click.secho("in the log", fg="green", bold=True, nl=False)
    click.echo(f": entry {found.index} of {found.checkpoint.size} in {found.checkpoint.origin}")
    if found.witnesses:
        click.echo(f"  cosigned by {', '.join(found.witnesses)}")
