"""``fapiao init``: a new, empty instance."""

import sys

import click

from chain.errors import ConflictError
from invoice_service.commands.output import json_option, print_json, print_table
from invoice_service.commands.session import Session
from invoice_service.config import Config
from invoice_service.inventory import is_untouched
from invoice_service.keys.secrets import PASSPHRASE, all_encrypted
from invoice_service.wiring import Instance, init_instance, secret_keys


@click.command()
@click.option("--if-missing", is_flag=True, help="Succeed quietly where an instance is already.")
@click.option("--yes", is_flag=True, help="Ask nothing; what is fixed for ever is as it should be.")
@json_option
@click.pass_obj
def init(session: Session, *, if_missing: bool, yes: bool, as_json: bool) -> None:
    """Make the databases, the keys and the empty log of an instance.

    The secret keys are encrypted when FAPIAO_PASSPHRASE or FAPIAO_PASSPHRASE_FILE is set.
    """
    if is_untouched(session.config):
        _tell_fixed(session.config, ask=not yes and not as_json and sys.stdin.isatty())
    try:
        instance = init_instance(session.config)
    except ConflictError as error:
        if if_missing and error.code == "already_initialised":
            return
        raise
    if as_json:
        print_json(
            {
                "data_dir": str(instance.config.data_dir),
                "origin": instance.config.log_origin,
                "log_key": instance.log_key.text(),
                "promise_key": instance.promise_key.text(),
                "keys_encrypted": all_encrypted(secret_keys(instance.config)),
            }
        )
    else:
        _tell(instance)
    instance.close()


def _tell_fixed(config: Config, *, ask: bool) -> None:
    """Say what this instance can never change; on a terminal, ask. Raises click.Abort."""
    click.secho(
        f"Fixed for ever from now on: the log is named {config.log_origin}"
        + ("" if config.log.origin else f"\n(from service.public_url, {config.service.public_url})")
        + ", and QR codes lead there for as long as invoices are kept."
        "\nSet service.public_url, and log.origin if its name should differ, in config.toml"
        " before you go on.",
        fg="yellow",
        err=True,
    )
    if ask:
        click.confirm("Make the instance under this name?", abort=True, err=True)


def _tell(instance: Instance) -> None:
    config = instance.config
    rows = [
        ("invoices", config.invoices_db, "issued invoices, merchants, API keys"),
        ("log", config.log_db, "entries, blocks and checkpoints of the log"),
        ("published log", config.log_dir, "checkpoint and tiles, for everyone"),
        ("log key", config.keys_dir / "log.key", "signs checkpoints: SECRET"),
        ("promise key", config.keys_dir / "promise.key", "signs promises: SECRET"),
    ]
    print_table(["made", "where", "what"], rows, title=f"A new instance, log {config.log_origin}")
    click.echo("The log's public key, for everyone who checks invoices:")
    click.echo(f"  {instance.log_key.text()}")
    click.secho(
        f"\nBack up {config.keys_dir} now, somewhere that only you can read. Without the log key"
        "\nnothing more can be anchored under this name; whoever else has it can sign a false log."
        "\nHow to back up the rest while it runs: docs/operations.md.",
        fg="yellow",
    )
    if all_encrypted(secret_keys(config)):
        click.echo("Both are encrypted. Without the passphrase they are lost: keep it elsewhere.")
    else:
        click.secho(
            "The secret keys are NOT ENCRYPTED: whoever reads these files, or a copy of this disk,"
            f"\ncan sign. Set {PASSPHRASE} or {PASSPHRASE}_FILE, then `fapiao keys encrypt`.",
            fg="red",
        )
