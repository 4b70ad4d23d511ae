"""``fapiao trail``: who did what on this machine's instance, and how often callers were refused."""

from collections.abc import Iterator
from datetime import datetime

import click
import msgspec

from invoice_service.commands.output import json_option, print_json, print_table
from invoice_service.commands.session import Session
from invoice_service.domain.acts import ACT_TYPES, Recorded, Said
from invoice_service.domain.numbering import SHANGHAI, format_utc
from invoice_service.services.people.trail import ActFilter, RefusalRow, in_acts
from invoice_service.storage.sqlite import SqliteStore

PAGE = 500
DAY_SECONDS = 86_400
TIMES = ("hour", "first_at", "last_at")

_day = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option("--subject", help="What it was done to: merchant:1, key:7, log, clock, …")
@click.option("--actor", help="Who did it: key:7, machine:USER.")
@click.option("--type", "type_", type=click.Choice(ACT_TYPES), help="What was done.")
@click.option("--from", "first", type=_day, metavar="DAY", help="From this Shanghai date on.")
@click.option("--to", "last", type=_day, metavar="DAY", help="Until this date, included.")
@click.option("--after", type=click.IntRange(0, 2**53), default=0, help="From the act after N on.")
@click.option("--refusals", is_flag=True, help="Counts of 401 and 403 by hour instead.")
@json_option
@click.pass_obj
def trail(
    session: Session,
    *,
    subject: str | None,
    actor: str | None,
    type_: str | None,
    first: datetime | None,
    last: datetime | None,
    after: int,
    refusals: bool,
    as_json: bool,
) -> None:
    """Print who did what, oldest first; with --json one act (or count) a line.

    The last act's number and hash, kept elsewhere, show later whether anything before was changed.
    """
    since = None if first is None else _midnight(first)
    until = None if last is None else _midnight(last) + DAY_SECONDS
    wanted = ActFilter(subject=subject, actor=actor, type=type_, since=since, until=until)
    instance = session.instance()
    try:
        if refusals:
            _show_refusals(_refusals(instance.store, since, until, after), as_json=as_json)
        else:
            _show_acts(_acts(instance.store, wanted, after), as_json=as_json)
    finally:
        instance.close()


def _midnight(day: datetime) -> int:
    return int(day.replace(tzinfo=SHANGHAI).timestamp())


def _acts(store: SqliteStore, wanted: ActFilter, after: int) -> Iterator[tuple[Recorded, str, str]]:
    """Acts, each with how its actor and its subject are called now, "" where nobody knows."""
    while page := store.acts(wanted, after, PAGE):
        names = store.called(in_acts(page))
        for one in page:
            yield one, names.get(one.act.actor, ""), names.get(one.act.subject, "")
        after = page[-1].seq


def _refusals(
    store: SqliteStore, since: int | None, until: int | None, after: int
) -> Iterator[RefusalRow]:
    while page := store.refusals(since, until, after, PAGE):
        yield from page
        after = page[-1].id


def _show_acts(found: Iterator[tuple[Recorded, str, str]], *, as_json: bool) -> None:
    if as_json:
        for one, who, whom in found:
            act = msgspec.structs.asdict(one.act) | {"at": format_utc(one.act.at)}
            names = {"actor_name": who, "subject_name": whom}
            print_json({"seq": one.seq, **act, **names, "hash": one.hash.hex()})
        return
    print_table(
        ["no.", "when", "who", "from", "what", "of", "outcome", "before", "after", "hash"],
        (
            (
                one.seq,
                format_utc(one.act.at),
                f"{one.act.actor} {who}".rstrip(),
                one.act.origin,
                one.act.type,
                f"{one.act.subject} {whom}".rstrip(),
                " ".join(filter(None, (one.act.outcome, one.act.code, one.act.reason))),
                _words(one.act.before),
                _words(one.act.after),
                one.hash.hex()[:16],
            )
            for one, who, whom in found
        ),
    )


def _show_refusals(found: Iterator[RefusalRow], *, as_json: bool) -> None:
    if as_json:
        for row in found:
            said = msgspec.structs.asdict(row)
            print_json(said | {name: format_utc(said[name]) for name in TIMES})
        return
    print_table(
        ["hour", "code", "who", "from", "count"],
        ((format_utc(row.hour), row.code, row.who, row.origin, row.count) for row in found),
        left=4,
    )


def _words(said: Said) -> str:
    return ", ".join(f"{name} {value}" for name, value in said.items())
