"""``fapiao anchor``: what the worker does every second, once, by hand."""

from dataclasses import asdict, replace

import click

from invoice_service.commands.output import json_option, print_json, progress
from invoice_service.commands.session import Session
from invoice_service.services.anchoring.anchor import Anchored, anchor_pending
from invoice_service.wiring import Instance


@click.command()
@json_option
@click.pass_obj
def anchor(session: Session, *, as_json: bool) -> None:
    """Take all pending invoices into the log and publish it. Safe beside a running worker."""
    instance = session.instance()
    done = anchor_all(instance)
    if as_json:
        print_json(
            {**asdict(replace(done, left=())), "left": [str(problem) for problem in done.left]}
        )
    else:
        click.echo(
            f"anchored {done.invoices} invoices in {done.blocks} blocks;"
            f" the log has {done.size} entries"
        )
        if done.published < done.size:
            click.echo(f"published: {done.published}; the rest waits for witnesses")
        for witness in done.missing or ():
            click.echo(f"not cosigned by {witness}", err=True)
        for problem in done.left:
            click.echo(f"left for a later run: {problem}", err=True)
    instance.close()


def anchor_all(instance: Instance) -> Anchored:
    """Anchor with a progress bar."""
    pending = instance.store.last_seq() - instance.log.head().cursor
    with progress("anchoring", pending) as advance:
        seen = 0

        def report(total: int) -> None:
            nonlocal seen
            advance(total - seen)
            seen = total

        return anchor_pending(instance.anchoring(), report)
