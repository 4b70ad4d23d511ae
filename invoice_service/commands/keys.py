"""``fapiao keys``: API keys of merchants and officials, and the log's public keys."""

import os
from contextlib import suppress
from typing import Final, get_args

import click

from chain.errors import Problem, UnavailableError
from chain.signing.keys import LogKey
from chain.signing.statement import KeyStatement
from chain.witness.loglist import list_item
from invoice_service.commands.merchants import find_merchant
from invoice_service.commands.options import NUMBER, key_id
from invoice_service.commands.output import json_option, print_json, print_table, reason_option
from invoice_service.commands.session import Session
from invoice_service.domain.acts import Said
from invoice_service.domain.numbering import format_utc
from invoice_service.keys.people import rotate as rotate_people_key
from invoice_service.keys.secrets import NEW_PASSPHRASE, PASSPHRASE, encrypt_keys, find_passphrase
from invoice_service.keys.wallet import wallet_keys
from invoice_service.services.people import admit
from invoice_service.services.people.person import Whose
from invoice_service.services.people.ports import UNLESS_SAID, ApiKey, KeyTerms, Scope
from invoice_service.services.people.roles import OFFICIALS, OfficialRole
from invoice_service.wiring import Instance, secret_keys

SECONDS_A_DAY: Final = 86_400


@click.group()
def keys() -> None:
    """API keys of merchants and officials: create, list, rotate, revoke.

    The log's keys: log shows the public ones, list-log prints them for the witness network,
    rotate-log changes them; encrypt and passphrase protect the secret ones on the disk.
    rotate-people changes the key that seals people's one-time codes, rotate-wallet makes or changes
    the one that signs for wallets.
    """


@keys.command()
@click.option("--merchant", help="Tax id or number of the merchant.")
@click.option("--official", is_flag=True, help="A key for an official instead.")
@click.option(
    "--role", "office", type=click.Choice(OFFICIALS), help="An official's role; else administrator."
)
@click.option("--person", type=NUMBER, help="The official who holds it, by number.")
@click.option("--label", default="", help="What it is for, to tell keys apart.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(get_args(Scope)))
@click.option("--till", default="", help="The till whose key it is.")
@click.option("--days", type=click.IntRange(1, 36_500), help="Good for so many days.")
@json_option
@click.pass_obj
def create(
    session: Session,
    *,
    merchant: str | None,
    official: bool,
    office: OfficialRole | None,
    person: int | None,
    label: str,
    scopes: tuple[Scope, ...],
    till: str,
    days: int | None,
    as_json: bool,
) -> None:
    """Make an API key and print it, only now.

    It is never shown again: only its digest is kept. Without --scope a merchant's key is for all
    but manage.
    """
    instance = session.instance()
    merchant_id, by = _owner(instance, merchant, official=official), instance.operator()
    terms = KeyTerms(
        scopes=scopes or None,
        till=till,
        expires_at=days and by.at + days * SECONDS_A_DAY,
        office=office,
        person=None if person is None else _official(instance, person),
    )
    key, text = admit.create_key(
        instance.store,
        "official" if official else "merchant",
        merchant_id,
        label,
        by=by,
        randbytes=instance.randbytes,
        terms=terms,
    )
    _tell_new(key, text, as_json=as_json)
    instance.close()


@keys.command()
@click.argument("number", type=NUMBER)
@click.option("--merchant", help="Tax id or number of the merchant.")
@click.option("--official", is_flag=True, help="It is a key of the officials.")
@click.option(
    "--overlap",
    type=click.IntRange(0, admit.LONGEST_OVERLAP),
    default=SECONDS_A_DAY,
    help="Seconds for which the old one goes on; a day unless given.",
)
@json_option
@click.pass_obj
def rotate(
    session: Session,
    *,
    number: int,
    merchant: str | None,
    official: bool,
    overlap: int,
    as_json: bool,
) -> None:
    """Make a new API key in the place of the key NUMBER, and print it, only now.

    The old one goes on for a while, so that no till stands still.
    """
    instance = session.instance()
    owner = _owner(instance, merchant, official=official)
    by, randbytes = instance.operator(), instance.randbytes
    key, text = admit.rotate_key(
        instance.store, number, overlap, by, merchant_id=owner, randbytes=randbytes
    )
    _tell_new(key, text, as_json=as_json)
    instance.close()


def _tell_new(key: ApiKey, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**_described(key), "key": text})
    else:
        click.echo(f"key {key.id}, shown only now:")
        click.echo(text)


@keys.command("list")
@click.option("--merchant", help="Tax id or number of the merchant.")
@click.option("--official", is_flag=True, help="The officials' keys instead.")
@json_option
@click.pass_obj
def list_(session: Session, *, merchant: str | None, official: bool, as_json: bool) -> None:
    """Print API keys; never their text.

    Those of a merchant, or those of the officials.
    """
    instance = session.instance()
    found = instance.store.keys(_owner(instance, merchant, official=official))
    if as_json:
        print_json([_described(key) for key in found])
    else:
        rows = [
            (
                key.id,
                _office(key),
                key.label,
                key.terms.till,
                " ".join(key.terms.scopes or UNLESS_SAID[key.role]),
                format_utc(key.created_at),
                "" if key.used_at is None else format_utc(key.used_at),
                _state(key),
            )
            for key in found
        ]
        print_table(["no.", "role", "label", "till", "for", "made", "used", "state"], rows)
    instance.close()


@keys.command()
@click.argument("number", type=NUMBER)
@reason_option
@json_option
@click.pass_obj
def revoke(session: Session, *, number: int, reason: str, as_json: bool) -> None:
    """Revoke the API key NUMBER, for ever.

    Requests under way with it are refused as well.
    """
    instance = session.instance()
    key = admit.revoke_key(instance.store, number, instance.operator(), reason)
    if as_json:
        print_json(_described(key))
    else:
        click.echo(f"key {key.id} is {_state(key)}")
    instance.close()


@keys.command()
@json_option
@click.pass_obj
def log(session: Session, *, as_json: bool) -> None:
    """Print the log's public keys and their state.

    First the one to give to others (while two sign, the older one), below it that of promises.
    """
    instance = session.instance()
    said = instance.keys.newest()
    instance.close()
    if as_json:
        print_json(
            {
                "log_key": said.keys.signing[0].text(),
                "promise_key": said.keys.promise[-1].text(),
                "statement": said.number,
                "keys": [_described_log_key(key) for key in said.keys.keys],
            }
        )
        return
    click.echo(said.keys.signing[0].text())
    click.echo(said.keys.promise[-1].text())
    if len(said.keys.keys) > 1:
        click.echo("")
        _tell_log_keys(said)


@keys.command("list-log")
@click.option("--requests", type=int, required=True, help="How often a day it asks a witness.")
@click.option("--contact", required=True, help="Where its operator is reached.")
@click.pass_obj
def list_log(session: Session, *, requests: int, contact: str) -> None:
    """Print the log's lines for a log list.

    As the public witness network takes them (logs/v0).
    """
    instance = session.instance()
    signing = instance.keys.newest().keys.signing
    instance.close()
    click.echo("\n".join(list_item(key, requests, contact) for key in signing), nl=False)


@keys.command("rotate-log")
@click.option("--finish", is_flag=True, help="End the overlap: retire the older key.")
@click.option(
    "--stolen",
    metavar="ID",
    type=key_id,
    help="Revoke the key with this id, 8 hexadecimal digits.",
)
@json_option
@click.pass_obj
def rotate_log(session: Session, *, finish: bool, stolen: str | None, as_json: bool) -> None:
    """Change the log's key, in two steps.

    Puts a new key beside the old one, so that both sign; with --finish, goes on with the new.

    With --stolen ID, at once: the key with that id (see `fapiao keys log`) counts for nothing any
    more, and if no other signs, a new one does. The service may run meanwhile. Killed at any point,
    the same command again finishes. Whom to tell: docs/operations.md, "Rotating the log key".
    """
    if finish and stolen is not None:
        raise click.UsageError("--finish retires a key, --stolen revokes one: say which")
    instance = session.instance()
    try:
        said = _rotate(instance, "finish" if finish else "start", stolen)
    finally:
        instance.close()
    if as_json:
        keys = [_described_log_key(key) for key in said.keys.keys]
        print_json({"statement": said.number, "keys": keys})
        return
    _tell_log_keys(said)
    if len(said.keys.signing) == 1:
        click.secho(
            "The secrets of keys that sign no more are deleted here. Backups of keys/ and free"
            "\nblocks of the disk may hold them still: destroy those, and back up keys/ anew.",
            fg="yellow",
        )
    else:
        click.echo(
            "Both sign from now on. Back up keys/, tell witnesses the new key, and when everybody"
            "\nknows it: fapiao keys rotate-log --finish"
        )


def _rotate(instance: Instance, step: str, stolen: str | None) -> KeyStatement:
    """One step, with its acts: ``begun`` before anything is signed, then what came of it."""
    what: Said = {"step": step} if stolen is None else {"step": "revoke", "key": stolen}
    try:
        instance.record("log_key", "log", "begun", after=what)
    except UnavailableError as problem:
        if stolen is None:
            raise
        click.secho(f"not in the trail, and going on: {problem}", fg="yellow", err=True)
    rotation = instance.rotation()
    try:
        if stolen is not None:
            said = rotation.revoke(stolen)
        else:
            said = rotation.finish() if step == "finish" else rotation.start()
    except Problem as problem:
        with suppress(UnavailableError):
            instance.record("log_key", "log", "refused", after=what, code=problem.code)
        raise
    with suppress(UnavailableError):  # it is done, and the log's statement says so, too
        instance.record("log_key", "log", after={**what, "statement": said.number})
    return said


@keys.command("rotate-people")
@json_option
@click.pass_obj
def rotate_people(session: Session, *, as_json: bool) -> None:
    """Change the key that seals people's one-time codes, at once.

    They go on with the same codes. The service may run meanwhile; killed at any point, the same
    command finishes. Browsers that were known by their mark are strangers again.
    """
    instance = session.instance()
    with instance.keys.changing():
        done = rotate_people_key(instance.people_key, instance.store)
    instance.record("people_key", "keys", after={"secrets": done})
    instance.close()
    if as_json:
        print_json({"secrets": done})
    else:
        click.echo(f"a new key seals the codes of {done} people; back up keys/ anew")


@keys.command("rotate-wallet")
@click.option(
    "--stolen",
    metavar="ID",
    type=key_id,
    help="Revoke the key with this id, 8 hexadecimal digits.",
)
@json_option
@click.pass_obj
def rotate_wallet(session: Session, *, stolen: str | None, as_json: bool) -> None:
    """Make the key that signs for wallets, or a new one in its place.

    Before the first there is nothing for wallets here. What older ones signed stays good; what a
    --stolen one did, counts for nothing. Killed at any point, the same command goes on.
    """
    instance = session.instance()
    try:
        keys = wallet_keys(instance.keys, instance.log_store, instance.randbytes)
        said = keys.rotate() if stolen is None else keys.revoke(stolen)
        what: Said = {"step": "rotate"} if stolen is None else {"step": "revoke", "key": stolen}
        instance.record("wallet_key", "log", after={**what, "statement": said.number})
    finally:
        instance.close()
    states = [
        ("signs" if key == said.keys.wallet[-1] else "counts", key.text())
        for key in said.keys.wallet
    ] + [("revoked", key.text()) for key in said.keys.wallet_revoked]
    if as_json:
        listed = [{"state": state, "key": key} for state, key in states]
        print_json({"statement": said.number, "keys": listed})
        return
    print_table(["state", "key"], states, title=f"Statement {said.number} of the log's keys")
    click.echo("back up keys/ anew; whoever checks credentials needs the newest key statement")


@keys.command()
@click.pass_obj
def encrypt(session: Session) -> None:
    """Encrypt the secret keys on the disk.

    With the passphrase in FAPIAO_PASSPHRASE or FAPIAO_PASSPHRASE_FILE.

    Killed at any point, each key can still be read, and the same command finishes.
    """
    _protect(session, _passphrase(PASSPHRASE), None)


@keys.command()
@click.pass_obj
def passphrase(session: Session) -> None:
    """Change the passphrase of the secret keys.

    To that in FAPIAO_NEW_PASSPHRASE or FAPIAO_NEW_PASSPHRASE_FILE.

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
    with instance.keys.changing():  # a rotation would have other files meanwhile
        written = encrypt_keys(secret_keys(instance.config), new, old, instance.randbytes)
    instance.record("encryption", "keys", after={"files": len(written)})
    instance.close()
    for path in written:
        click.echo(f"encrypted {path}")
    if not written:
        click.echo("all keys were under this passphrase already")


def _tell_log_keys(said: KeyStatement) -> None:
    """Each key of the log, and what it is worth."""
    rows = [(_log_key_state(key), key.verifier.text()) for key in said.keys.keys]
    print_table(["state", "key"], rows, title=f"Statement {said.number} of the log's keys")


def _log_key_state(key: LogKey) -> str:
    if key.revoked:
        return "revoked"
    return "signs" if key.last is None else f"retired at size {key.last.size}"


def _described_log_key(key: LogKey) -> dict[str, object]:
    described: dict[str, object] = {
        "key": key.verifier.text(),
        "id": key.verifier.key_id.hex(),
        "state": _log_key_state(key).partition(" ")[0],
    }
    if key.last is not None:
        described |= {"size": key.last.size, "root": key.last.root.hex()}
    return described


def _owner(instance: Instance, merchant: str | None, *, official: bool) -> int | None:
    """The merchant's number, None for the officials."""
    if official == (merchant is not None):
        raise click.UsageError("say whose: --merchant MERCHANT, or --official")
    return None if merchant is None else find_merchant(instance, merchant).id


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {format_utc(key.revoked_at)}"
    ends = key.terms.expires_at
    return "in use" if ends is None else f"until {format_utc(ends)}"


def _official(instance: Instance, number: int) -> int:
    """An official's number; NotFoundError ``person_unknown``."""
    return instance.people.staff.of(Whose(None), number).id


def _office(key: ApiKey) -> str:
    """Whose key it is: a merchant's, or of which of the officials' roles."""
    return "merchant" if key.role == "merchant" else key.terms.office or "administrator"


def _described(key: ApiKey) -> dict[str, object]:
    """A key without its digest, which is nobody's business."""
    return {
        "id": key.id,
        "role": key.role,
        "office": _office(key),
        "person": key.terms.person,
        "merchant_id": key.merchant_id,
        "label": key.label,
        "created_at": format_utc(key.created_at),
        "revoked_at": _time(key.revoked_at),
        "scopes": key.terms.scopes or UNLESS_SAID[key.role],
        "till": key.terms.till,
        "expires_at": _time(key.terms.expires_at),
        "used_at": _time(key.used_at),
    }


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else format_utc(seconds)
