"""``fapiao acts``: how many acts of each type a log has, counted from its entries alone."""

from pathlib import Path

import click

from chain.audit.evidence import open_mirror
from invoice_service.commands.log_keys import KEY_HELP, log_keys_or_own
from invoice_service.commands.output import json_option, print_json, print_table, progress
from invoice_service.commands.session import Session
from invoice_service.services.checking.acts import count_entries

_folder = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option("--mirror", type=_folder, help="Count this mirror of a log instead.")
@click.option("--key", "keys", multiple=True, help=f"{KEY_HELP} Else the instance's.")
@json_option
@click.pass_obj
def acts(session: Session, *, mirror: Path | None, keys: tuple[str, ...], as_json: bool) -> None:
    """Count the acts of officials and operators in the published log, by type.

    Of whom, and what, the log does not say; whoever is concerned has a proof file. Every entry is
    proven under the log's signed checkpoint before it counts.
    """
    log_keys = log_keys_or_own(session, keys)
    folder = session.config.log_dir if mirror is None else mirror
    tree = open_mirror(folder, log_keys)
    with progress("counting", tree.checkpoint.size) as advance:
        bundles = (tree.entries(tile.n) for tile in tree.tiles(0))
        found = count_entries(tree.checkpoint, bundles, advance)
    if as_json:
        print_json({**found._asdict(), "total": found.total()})
        return
    click.echo(f"{found.origin}: {found.total():,} acts among {found.size:,} entries")
    print_table(["type", "acts"], found.counts.items())
