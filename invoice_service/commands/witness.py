"""``fapiao witness``: run a witness: the command of ``chain``, which needs no service."""

import click

from chain.witness import server as witness_server


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def witness(arguments: tuple[str, ...]) -> int:
    """Cosign what is consistent with what was seen before: init, add-key, serve, status."""
    try:
        return witness_server.main(arguments, "fapiao witness")
    except SystemExit as left:  # of argparse: after its help, or a line that it does not take
        return left.code if isinstance(left.code, int) else 0
