"""``fapiao keys``: API keys of merchants and officials, and the log's public keys."""

import os

import click

from invoice_service.commands.merchants import find_merchant
from invoice_service.commands.output import json_option, print_json, print_table
from invoice_service.commands.session import Session
from invoice_service.domain.numbering import format_utc
from invoice_service.keyring import NEW_PASSPHRASE, PASSPHRASE, encrypt_keys, find_passphrase
from invoice_service.services import admit
from invoice_service.services.ports import ApiKey
from invoice_service.wiring import Instance, secret_keys


@click.group()
def keys() -> None:
    """API keys: create, list, revoke. The log's keys: show the public, encrypt the secret ones."""


@keys.command()
@click.option("--merchant", help="Tax id or number of the merchant.")
@click.option("--official", is_flag=True, help="A key for an official instead.")
@click.option("--label", default="", help="What it is for, to tell keys apart.")
@json_option
@click.pass_obj
def create(
    session: Session, *, merchant: str | None, official: bool, label: str, as_json: bool
) -> None:
    """Make a key and print it: now, and never again. Only its digest is kept."""
    instance = session.instance()
    merchant_id = _owner(instance, merchant, official=official)
    key, text = admit.create_key(
        instance.store,
        "official" if official else "merchant",
        merchant_id,
        label,
        now=int(instance.clock().timestamp()),
        randbytes=instance.randbytes,
    )
    if as_json:
        print_json({**_described(key), "key": text})
    else:
        click.echo(f"key {key.id}, shown only now:")
        click.echo(text)
    instance.close()


@keys.command("list")
@click.option("--merchant", help="Tax id or number of the merchant.")
@click.option("--official", is_flag=True, help="The officials' keys instead.")
@json_option
@click.pass_obj
def list_(session: Session, *, merchant: str | None, official: bool, as_json: bool) -> None:
    """Print the keys of a merchant, or of the officials; never their text."""
    instance = session.instance()
    found = instance.store.keys(_owner(instance, merchant, official=official))
    if as_json:
        print_json([_described(key) for key in found])
    else:
        rows = [
            (key.id, key.role, key.label, format_utc(key.created_at), _state(key)) for key in found
        ]
        print_table(["no.", "role", "label", "made", "state"], rows)
    instance.close()


@keys.command()
@click.argument("number", type=int)
@json_option
@click.pass_obj
def revoke(session: Session, *, number: int, as_json: bool) -> None:
    """Revoke the key NUMBER, for ever; requests under way with it are refused as well."""
    instance = session.instance()
    key = admit.revoke_key(instance.store, number, int(instance.clock().timestamp()))
    if as_json:
        print_json(_described(key))
    else:
        click.echo(f"key {key.id} is {_state(key)}")
    instance.close()


@keys.command()
@json_option
@click.pass_obj
def log(session: Session, *, as_json: bool) -> None:
    """Print the log's public key, and below it that of its promises."""
    instance = session.instance()
    if as_json:
        print_json({"log_key": instance.log_key.text(), "promise_key": instance.promise_key.text()})
    else:
        click.echo(instance.log_key.text())
        click.echo(instance.promise_key.text())
    instance.close()


@keys.command()
@click.pass_obj
def encrypt(session: Session) -> None:
    """Encrypt the secret keys with the passphrase in FAPIAO_PASSPHRASE or FAPIAO_PASSPHRASE_FILE.

    Killed at any point, each key can still be read, and the same command finishes.
    """
    _protect(session, _passphrase(PASSPHRASE), None)


@keys.command()
@click.pass_obj
def passphrase(session: Session) -> None:
    """Change the passphrase to that in FAPIAO_NEW_PASSPHRASE or FAPIAO_NEW_PASSPHRASE_FILE.

    The old one is in FAPIAO_PASSPHRASE or FAPIAO_PASSPHRASE_FILE. Killed at any point, each key can
    be read with one of the two, and the same command finishes. Stop the service first, and start it
    with the new one.
    """
    _protect(session, _passphrase(NEW_PASSPHRASE), _passphrase(PASSPHRASE))


def _passphrase(name: str) -> bytes:
    found = find_passphrase(os.environ, name)
    if found is None:
        raise click.UsageError(f"set {name}, or {name}_FILE to the name of a file with it")
    return found


def _protect(session: Session, new: bytes, old: bytes | None) -> None:
    instance = session.instance()
    instance.close()
    written = encrypt_keys(secret_keys(instance.config), new, old, instance.randbytes)
    for path in written:
        click.echo(f"encrypted {path}")
    if not written:
        click.echo("both keys were under this passphrase already")


def _owner(instance: Instance, merchant: str | None, *, official: bool) -> int | None:
    """The merchant's number, None for the officials."""
    if official == (merchant is not None):
        raise click.UsageError("say whose: --merchant MERCHANT, or --official")
    return None if merchant is None else find_merchant(instance, merchant).id


def _state(key: ApiKey) -> str:
    return "in use" if key.revoked_at is None else f"revoked {format_utc(key.revoked_at)}"


def _described(key: ApiKey) -> dict[str, object]:
    """A key without its digest, which is nobody's business."""
    return {
        "id": key.id,
        "role": key.role,
        "merchant_id": key.merchant_id,
        "label": key.label,
        "created_at": format_utc(key.created_at),
        "revoked_at": None if key.revoked_at is None else format_utc(key.revoked_at),
    }
