"""``fapiao witness``: run a witness: the command of ``chain``, which needs no service."""

import sys

import click

from chain.witness import server as witness_server


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def witness(arguments: tuple[str, ...]) -> None:
    """Cosign what is consistent with what was seen before: init, serve, status."""
    sys.exit(witness_server.main(arguments))
