"""``fapiao wallet``: an invoice as a credential; and ``fapiao verify`` of one."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from chain import canonical
from chain.commitment import parse_password_area
from chain.durable import write_file
from chain.entry import format_time
from chain.errors import MalformedError
from chain.proof.receipt import MAX_RECEIPT
from chain.signing.es256 import WalletKey, WalletSigner
from chain.signing.keys import LogKeys
from invoice_service.commands.options import named_file
from invoice_service.commands.output import print_json
from invoice_service.commands.session import Session
from invoice_service.documents.wallet.credential import (
    Checked,
    key_of_jwk,
    read_state,
    receipt_elsewhere,
    verify_credential,
)
from invoice_service.documents.wallet.issue import Wallets
from invoice_service.documents.wallet.judging import slip_of
from invoice_service.documents.wallet.lists import StatusLists
from invoice_service.documents.wallet.sdjwt import MAX_CREDENTIAL
from invoice_service.documents.wallet.statuslist import MAX_LIST, Status
from invoice_service.domain.money import format_yuan
from invoice_service.domain.numbering import format_utc
from invoice_service.domain.qrtext import read_hash
from invoice_service.keys.wallet import wallet_keys
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.records import own_invoice
from invoice_service.wiring import Instance, now

ENDING: Final = ".sd-jwt"
CAN_HIDE: Final = ("buyer", "lines")
_START: Final = b"eyJ"
_MOST_JWK: Final = 4096


@click.command()
@click.argument("hash_", metavar="HASH")
@click.option(
    "--holder",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The wallet's public key, P-256, as a file with its JWK.",
)
@click.option("--hide", type=click.Choice(CAN_HIDE), multiple=True, help="Leave this group out.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write here; else into this folder, named by the number.",
)
@click.pass_obj
def wallet(
    session: Session, *, hash_: str, holder: Path, hide: tuple[str, ...], output: Path | None
) -> None:
    """Write the invoice with the password area HASH as a credential for a wallet (SD-JWT VC).

    Lines and buyer are in it, apart: its holder shows them or keeps them back. What is left out
    with --hide is not in it. The key that signs is made once: fapiao keys rotate-wallet.
    """
    key, digest = _holder(holder), parse_password_area(read_hash(hash_))
    with closing(session.instance()) as instance:
        desk = wallets_of(instance, wallet_signer(instance))
        text = desk.credential(digest, ALL_GROUPS - set(hide), key)
        number = own_invoice(instance.store, digest, None).number
    path = output or Path(f"{number}{ENDING}")
    write_file(path, text.encode())
    click.echo(str(path))


def wallet_signer(instance: Instance) -> WalletSigner:
    """The key that signs for wallets now; errors as ``WalletKeys.signer``."""
    return wallet_keys(instance.keys, instance.log_store, instance.randbytes).signer()


def status_lists_of(instance: Instance) -> StatusLists:
    """The lists that say what became of invoices in wallets; the worker keeps them."""
    return StatusLists(
        instance.config.status_dir,
        instance.log_store,
        lambda: instance.log.latest_checkpoint()[0].size,
        wallet_signers(instance),
        instance.config.service.public_url,
    )


def wallet_signers(instance: Instance) -> Callable[[], WalletSigner]:
    """The same, for whoever asks again and again: the key may be a new one."""
    known: list[WalletSigner] = []

    def signer() -> WalletSigner:
        named = instance.keys.keys().wallet
        if not known or known[0].verifier not in named[-1:]:
            known[:] = [wallet_signer(instance)]
        return known[0]

    return signer


def wallets_of(instance: Instance, signer: WalletSigner) -> Wallets:
    """What issues to wallets, with that key."""
    return Wallets(
        invoices=instance.store,
        log=instance.log,
        signer=signer,
        public_url=instance.config.service.public_url,
        clock=lambda: int(instance.clock().timestamp()),
        randbytes=instance.randbytes,
    )


def _holder(file: Path) -> WalletKey:
    with file.open("rb") as source:
        data = source.read(_MOST_JWK + 1)
    if len(data) > _MOST_JWK:
        raise MalformedError("key_text", f"{file} is no JWK: it is longer than {_MOST_JWK} bytes")
    return key_of_jwk(canonical.decode(data), "holder")


def read_credential(text: str) -> str | None:
    """The credential in the file of that name; None if it is something else."""
    path = named_file(text)
    if path is None:
        return None
    with path.open("rb") as file:
        data = file.read(MAX_CREDENTIAL + 2).removesuffix(b"\n")
    if path.suffix != ENDING and not (data.startswith(_START) and b"~" in data):
        return None
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedError("credential", f"{path} is a damaged receipt for wallets") from None


def check_credential(
    text: str, keys: LogKeys, receipt: Path | None, fetch: Callable[[str], bytes] | None
) -> Checked:
    """What a credential establishes now; errors as ``verify_credential``.

    A receipt that is not inside is in a file, or ``fetch`` has it by the invoice's hash.
    """
    brought = b""
    if receipt is not None:
        with receipt.open("rb") as file:
            brought = file.read(MAX_RECEIPT + 1)
    elif fetch is not None and (hash_ := receipt_elsewhere(text)) is not None:
        brought = fetch(read_hash(hash_))
    return verify_credential(text, keys, int(now().timestamp()), brought)


def check_status(found: Checked, file: Path, keys: LogKeys) -> Status:
    """What a status list in a file says of a credential now; errors as ``read_state``."""
    with file.open("rb") as source:
        data = source.read(MAX_LIST + 2).removesuffix(b"\n")
    text = data.decode("ascii", "replace")
    return read_state(found, text, keys, int(now().timestamp()))


def _shown_at(found: Checked) -> str:
    return format_time(datetime.fromtimestamp(found.shown_at, UTC))


def tell_credential(found: Checked, status: Status | None, *, as_json: bool) -> None:
    """What a credential says and proves, without asking anybody."""
    claims, logged = found.claims, found.logged
    if as_json:
        print_json(
            {
                "proved": "credential",
                "hash": found.hash,
                "state": (found if status is None else status).state or None,
                "as_of": None if status is None else format_utc(status.as_of.at),
                "origin": logged.checkpoint.origin,
                "index": logged.index,
                "log_size": logged.checkpoint.size,
                "hidden": found.hidden,
                "holder": found.holder,
                "audience": found.audience,
                "nonce": found.nonce,
                "shown_at": _shown_at(found) if found.holder else None,
                "claims": claims,
            }
        )
        return
    slip, merchant = slip_of(found), claims.get("merchant")
    name = merchant.get("name") if isinstance(merchant, dict) else None
    click.secho("issued by this service, and in the log", fg="green", bold=True, nl=False)
    click.echo(f": entry {logged.index} of {logged.checkpoint.size} in {logged.checkpoint.origin}")
    click.echo(f"  {claims.get('receiptNumber')}, issued {claims.get('receiptTimeStamp')}")
    click.echo(f"  {name}: ¥{format_yuan(slip.total or 0)}")
    state = (found if status is None else status).state
    when = "when this was made" if status is None else f"as of {format_utc(status.as_of.at)}"
    if state:
        taken = "whole" if state == "full" else "in part"
        click.secho(f"  taken back, {taken}, {when}", fg="red")
    elif status is not None:
        click.echo(f"  nothing of it was taken back, {when}")
    elif found.status:
        click.echo(f"  whether it was taken back since says {found.status}: --status-list FILE")
    if found.hidden:
        click.echo(f"  kept back by its holder: {', '.join(found.hidden)}")
    if found.holder:
        when = _shown_at(found)
        click.echo(f"  shown by its holder to {found.audience}, for {found.nonce}, {when}")
    else:
        click.echo("  nobody has shown to be its holder: it may be a copy")
