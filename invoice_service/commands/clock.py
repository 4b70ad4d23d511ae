"""``fapiao clock``: what is known of the time, and somebody's word that the clock is right."""

from datetime import datetime
from typing import Any

import click

from chain.errors import ConflictError, Problem, UnavailableError
from invoice_service.commands.output import json_option, print_json
from invoice_service.commands.session import Session
from invoice_service.domain.clock import Known, check_ahead, check_behind
from invoice_service.domain.numbering import format_issued_at, shanghai_day
from invoice_service.wiring import Instance

_TOO_LATE = (
    "if the clock is right, promises are broken, and their holders can prove it; if it has leapt,"
    " set it back before anything is sealed: they can still be kept"
)


@click.group()
def clock() -> None:
    """Show what is known of the time, and confirm the machine's clock.

    Issuing and sealing stop when the clock is far ahead of what is known; issuing stops when it is
    behind the last invoice or the last seal.
    """


@clock.command()
@json_option
@click.pass_obj
def show(session: Session, *, as_json: bool) -> int:
    """Print the clock and what it is held against; exit status 3 when it is not believed."""
    instance = session.instance()
    said = _described(instance, _now(instance), _known(instance))
    instance.close()
    _show(said, as_json=as_json)
    return 3 if said["problem"] else 0


@clock.command()
@click.argument("date", metavar="DATE", type=click.DateTime(formats=["%Y-%m-%d"]))
@json_option
@click.pass_obj
def confirm(session: Session, *, date: datetime, as_json: bool) -> int:
    """Say that the machine's clock is right: DATE is today's in Shenzhen, from a calendar.

    From then on invoices and seals may be dated as the clock says, up to `clock.max_forwards`
    beyond it. If the last invoice or the last seal is ahead of the clock, issuing goes on with its
    time until the clock has caught up. Who confirmed stands in the trail.
    """
    instance = session.instance()
    by = instance.operator()
    today = shanghai_day(by.at)
    if f"{date:%Y-%m-%d}" != today:
        raise ConflictError(
            "clock_differs", f"the machine's clock says {today}, not {date:%Y-%m-%d}: set it first"
        )
    instance.store.confirm_clock(by)
    said = _described(instance, by.at, _known(instance))
    instance.close()
    _show(said, as_json=as_json)
    return 3 if said["problem"] else 0


def _now(instance: Instance) -> int:
    return int(instance.clock().timestamp())


def _known(instance: Instance) -> Known:
    return instance.store.known_times()


def _described(instance: Instance, now: int, known: Known) -> dict[str, Any]:
    times = {
        "clock": now,
        "last_invoice": known.issued,
        "last_seal": _sealed(instance),
        "confirmed": known.confirmed,
    }
    said = {name: format_issued_at(moment) if moment else "" for name, moment in times.items()}
    problem = _problem(instance, now, known)
    found = {"problem": problem.code if problem else "", "detail": str(problem or "")}
    return {**said, **_waiting(instance, now), **found}


def _waiting(instance: Instance, now: int) -> dict[str, Any]:
    """What waits for the log, by when the oldest of it is due there, and whether that is over."""
    taken = instance.log.taken()
    oldest = instance.store.issued_at(taken + 1)
    if oldest is None:
        return {"waiting": 0, "due": "", "too_late": False}
    by = oldest + instance.config.anchor.max_delay
    count = instance.store.last_seq() - taken
    return {"waiting": count, "due": format_issued_at(by), "too_late": by < now}


def _sealed(instance: Instance) -> int:
    sealed_at = instance.log.head().sealed_at
    return 0 if sealed_at is None else int(sealed_at.timestamp())


def _problem(instance: Instance, now: int, known: Known) -> Problem | None:
    settings = instance.config.clock
    try:
        check_ahead(now, known, settings.max_forwards)
        check_behind(now, known, settings.max_backwards)
    except UnavailableError as problem:
        return problem
    return None


def _show(said: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(said)
        return
    for name in ("clock", "last_invoice", "last_seal", "confirmed"):
        click.echo(f"{name.replace('_', ' '):<13} {said[name] or 'none'}")
    if said["waiting"]:
        click.echo(f"waiting       {said['waiting']}, the oldest due in it by {said['due']}")
    if said["too_late"]:
        click.secho(_TOO_LATE, fg="yellow")
    if said["problem"]:
        click.secho(said["detail"], fg="red")
    else:
        click.secho("the clock is believed", fg="green")
