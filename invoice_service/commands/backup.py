"""``fapiao backup``: a copy of the instance while it runs, by the time at which it was made."""

from contextlib import closing
from pathlib import Path

import click

from invoice_service.commands.output import json_option, print_json
from invoice_service.commands.session import Session
from invoice_service.domain.numbering import format_utc
from invoice_service.retention.folder import make_backup, papers_in
from invoice_service.retention.rules import DAY


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--prune", is_flag=True, help="Then delete copies older than retention.backup_days.")
@json_option
@click.pass_obj
def backup(session: Session, *, folder: Path | None, prune: bool, as_json: bool) -> None:
    """Copy the instance into a new folder below FOLDER (retention.backups unless given).

    The keys are not in it: keep them apart. The newest copy is never deleted.
    """
    with closing(session.instance()) as instance:
        config, keeping = instance.config, instance.keeping
        named = str(folder) if folder else config.retention.backups
        if not named:
            raise click.UsageError("name a FOLDER, or set retention.backups")
        made = make_backup(config.data_dir, Path(named), keeping.now())
        papers = papers_in(made)
        keeping.list_erased_in(Path(named))
        gone = keeping.prune(Path(named)) if prune else 0
        days = config.retention.backup_days
    until = format_utc(made.at + days * DAY) if days else None
    if as_json:
        said = {"folder": str(made.path), "kept_until": until, "deleted": gone}
        print_json({**said, "papers": papers._asdict()})
        return
    click.echo(f"copied to {made.path}; the keys are not in it")
    click.echo(f"with {papers.whole} pages of applicants' papers, held against their digests")
    if papers.gone:
        click.echo(f"{papers.gone} pages more are not there", err=True)
    if papers.damaged:
        named = "`fapiao audit` names the first"
        click.echo(f"{papers.damaged} pages are not what was sent: {named}", err=True)
    if until is not None:
        click.echo(f"to be deleted from {until} on: fapiao backup --prune")
    if gone:
        click.echo(f"deleted {gone} older copies")
