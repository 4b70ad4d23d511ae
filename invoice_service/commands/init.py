"""``fapiao init``: a new, empty instance."""

import sys

import click

from chain.errors import ConflictError
from invoice_service.commands.address import change_address
from invoice_service.commands.output import json_option, print_json
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
        _tell_fixed(session.config)
        if not yes and not as_json and sys.stdin.isatty():
            _ask(session)
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


def _tell_fixed(config: Config) -> None:
    """Say what this instance can never change."""
    click.secho(
        f"一经使用不可更改 Fixed for ever from now on: the log is named {config.log_origin}"
        + ("" if config.log.origin else f"\n(from service.public_url, {config.service.public_url})")
        + ", and QR codes lead there for as long as invoices are kept."
        "\nSet service.public_url, and log.origin if its name should differ, in config.toml"
        " before you go on.",
        fg="yellow",
        err=True,
    )


def _ask(session: Session) -> None:
    """Go on under this name, or under another address, which is told anew; raises click.Abort."""
    while True:
        said = click.prompt(
            "用此名称创建？ Make the instance under this name? (y, n, or another address https://…)",
            default="n",
            show_default=False,
            err=True,
        ).strip()
        if said.lower() in {"y", "yes", "是"}:
            return
        if "://" not in said:
            raise click.Abort
        _tell_fixed(change_address(session, said))


def _tell(instance: Instance) -> None:
    config = instance.config
    click.echo(f"新实例 A new instance: {config.data_dir}, log {config.log_origin}")
    click.echo("公钥，给所有查验的人 The log's public key, for everyone who checks invoices:")
    click.echo(f"  {instance.log_key.text()}")
    click.secho(
        f"立即备份 Back up {config.keys_dir} now, where only you can read: without the log key"
        "\nnothing more can be anchored under this name; whoever else has it can sign a false log."
        "\n密钥丢失后无法再用此名称开票。 The rest, while it runs: docs/operations.md, Backup.",
        fg="yellow",
    )
    if all_encrypted(secret_keys(config)):
        click.echo("Both are encrypted. Without the passphrase they are lost: keep it elsewhere.")
    else:
        click.secho(
            "未加密 The secret keys are NOT ENCRYPTED: whoever reads these files, or a copy of this"
            f" disk,\ncan sign. Set {PASSPHRASE} or {PASSPHRASE}_FILE, then `fapiao keys encrypt`.",
            fg="red",
        )
