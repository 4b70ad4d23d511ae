"""``fapiao retention``: what goes when."""

from contextlib import closing
from typing import Final

import click

from invoice_service.commands.output import json_option, print_json
from invoice_service.commands.session import Session
from invoice_service.domain.numbering import format_utc
from invoice_service.retention.rules import Standing, standing

_WHAT: Final = {
    "claim_days": "browsers known by what they claimed",
    "order_days": "orders that nobody claimed",
    "mail_days": "that letters were sent or given up",
    "person_days": "who the buyers were, of people",
    "result_days": "result files of files of orders",
    "files": "files of orders that were sent (fixed)",
    "log_days": "the programs' older output",
    "backup_days": "backups, but for the newest",
}


@click.command()
@click.option("--apply", is_flag=True, help="Let what is due go now, all of it.")
@json_option
@click.pass_obj
def retention(session: Session, *, apply: bool, as_json: bool) -> None:
    """Show what is kept for how long ([retention] in the settings), what is due, and what is next.

    The worker lets what is due go by itself, a little each minute.
    """
    with closing(session.instance()) as instance:
        keeping = instance.keeping
        all_rules = keeping.rules()
        while apply and keeping.step(all_rules):
            pass
        found = list(standing(all_rules, keeping.now()))
    if as_json:
        print_json({"retention": [_row(one) for one in found]})
        return
    for one in found:
        click.echo(f"{one.name:12} {_WHAT[one.name]}: {_said(one)}")


def _row(one: Standing) -> dict[str, object]:
    following = None if one.next is None else format_utc(one.next)
    return {"name": one.name, "days": one.days, "due": one.due, "next": following}


def _said(one: Standing) -> str:
    if not one.days:
        return "kept for ever"
    kept = f"{one.days} days; {one.due:,} due"
    return kept if one.next is None or one.due else f"{kept}, the next on {format_utc(one.next)}"
