"""``fapiao audit``: derive everything again from what is stored, here or in mirrors."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from chain.audit.finding import AuditError
from invoice_service.commands.evidence import (
    audit_mirrors,
    audit_promise,
    the_mirror,
    the_promise_key,
)
from invoice_service.commands.log_keys import (
    KEY_HELP,
    log_keys_or_own,
    policy_told,
    promise_key_or_own,
    read_key,
)
from invoice_service.commands.output import json_option, print_json, progress
from invoice_service.commands.session import Session
from invoice_service.domain.money import format_yuan
from invoice_service.services.checking.audit import InstanceAudit, audit_instance
from invoice_service.services.checking.audit_acts import ActsAudit
from invoice_service.services.checking.audit_papers import audit_papers
from invoice_service.services.checking.audit_prepaid import PrepaidAudit
from invoice_service.wiring import Instance

_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_folder = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option("--mirror", "mirrors", multiple=True, type=_folder, help="Check this mirror.")
@click.option("--promise", type=_file, help="Look whether this promise was kept, in a --mirror.")
@click.option("--key", "keys", multiple=True, help=f"{KEY_HELP} Else the instance's.")
@click.option("--promise-key", help="The log's public promise key, likewise.")
@click.option("--witness", "witnesses", multiple=True, help="A witness whose time is believed.")
@click.option("--policy", type=_file, help="Of a --promise: ask these witnesses for the time.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("evidence.json"),
    show_default=True,
    help="Where the evidence is written, when there is some.",
)
@json_option
@click.pass_obj
def audit(
    session: Session,
    *,
    mirrors: tuple[Path, ...],
    promise: Path | None,
    keys: tuple[str, ...],
    promise_key: str | None,
    witnesses: tuple[str, ...],
    policy: Path | None,
    out: Path,
    as_json: bool,
) -> int:
    """Check every digest, path, seal, signature, number, sum and total of the instance.

    Names the first thing that is wrong and exits with 1. May run beside a working instance. With
    --mirror, checks copies of a log instead, alone and against each other.
    """
    if promise is None and not mirrors:
        return _audit_here(session, as_json=as_json)
    log_keys = log_keys_or_own(session, keys)
    try:
        if promise is None:
            return audit_mirrors(mirrors, log_keys, out, as_json=as_json)
        mirror = the_mirror(mirrors)
        promiser = the_promise_key(promise_key_or_own(session, promise_key, keys))
        seen_by = [read_key(text) for text in witnesses]
        demand = policy_told(policy)
        return audit_promise(
            *(promise, mirror, log_keys, promiser, seen_by, out), policy=demand, as_json=as_json
        )
    except AuditError as error:
        _tell_wrong(error, as_json=as_json)
        return 1


def _audit_here(session: Session, *, as_json: bool) -> int:
    instance = session.instance(doubted=True)
    try:
        found = run_audit(instance)
    except AuditError as error:
        _tell_wrong(error, as_json=as_json)
        return 1
    finally:
        instance.close()
    if as_json:
        print_json({"clean": True, **_described(found)})
    else:
        _tell(found)
    return 0


def run_audit(instance: Instance) -> InstanceAudit:
    """Audit with a progress bar; AuditError for the first wrong thing."""
    with progress("auditing", None) as advance:
        seen = 0

        def report(done: int, _total: int) -> None:
            nonlocal seen
            advance(done - seen)
            seen = done

        return audit_instance(
            instance.log_store,
            instance.config.log_dir,
            instance.log_keys,
            instance.store,
            instance.store.totals,
            instance.store,
            instance.store,
            instance.store,
            report,
            partial(audit_papers, instance.store, instance.admission_store.papers),
        )


def _described(found: InstanceAudit) -> dict[str, Any]:
    return {
        "origin": found.log.origin,
        "size": found.log.size,
        "root": found.log.root.hex(),
        "blocks": found.log.blocks,
        "checkpoints": found.log.checkpoints,
        "tiles": found.log.tiles,
        "published": found.log.published,
        "invoices": found.invoices,
        "pending": found.pending,
        "closings": found.closings,
        "unclosed_days": found.unclosed,
        "blocks_totalled": found.totalled,
        "acts": found.trail.acts,
        "acts_for_log": found.logged._asdict(),
        "trail_head": found.trail.head.hex(),
        "refusals": found.trail.refusals,
        "buyers_erased": found.trail.erased,
        "prepaid": {
            "accounts": found.prepaid.accounts,
            "events": found.prepaid.events,
            **found.prepaid.sums._asdict(),
        },
        "papers": found.papers._asdict(),
    }


def _tell(found: InstanceAudit) -> None:
    log = found.log
    click.secho("clean: everything was derived again and is the same", fg="green", bold=True)
    click.echo(
        f"  {log.origin}: {log.size:,} entries in {log.blocks:,} blocks, root {log.root.hex()}"
    )
    click.echo(f"  {log.checkpoints:,} signed checkpoints, {log.tiles:,} tiles and bundles")
    click.echo(
        f"  {found.invoices:,} invoices, {found.pending:,} of them not in the log yet;"
        f" {found.closings:,} closed days"
    )
    click.echo(
        f"  {found.trail.acts:,} acts in the trail, the last with hash {found.trail.head.hex()};"
        f" {found.trail.refusals:,} refusals counted"
    )
    click.echo(_bound(found))
    click.echo(_acts(found.logged))
    if found.trail.erased:
        click.echo(f"  {found.trail.erased:,} documents whose buyers were erased")
    if found.prepaid.accounts:
        click.echo(_prepaid(found.prepaid))
    if found.papers.pages:
        click.echo(f"  {found.papers.pages:,} pages of applications' papers")
    if found.papers.missing:
        click.secho(f"  {found.papers.missing:,} pages of papers are not there", fg="yellow")
    if found.unclosed:
        click.secho(f"  {found.unclosed:,} days have ended and are not closed yet", fg="yellow")


def _bound(found: InstanceAudit) -> str:
    since = found.trail.acts - found.logged.bound
    held = f"the first {found.logged.bound:,} of them are held by the log"
    return f"  {held}; {since:,} since then by their own hashes alone"


def _acts(found: ActsAudit) -> str:
    older = f"; {found.before:,} are older, and not in the log" if found.before else ""
    return f"  {found.documents:,} acts for the log, {found.pending:,} not in it yet{older}"


def _prepaid(found: PrepaidAudit) -> str:
    sums = found.sums
    return (
        f"  {found.accounts:,} prepaid accounts, {found.events:,} events: of"
        f" {format_yuan(sums.paid_in)} yuan, {format_yuan(sums.held)} are held,"
        f" {format_yuan(sums.released)} released, {format_yuan(sums.paid_back)} paid back"
    )


def _tell_wrong(error: AuditError, *, as_json: bool) -> None:
    if as_json:
        print_json({"clean": False, "code": error.code, "detail": error.detail, **error.extra})
        return
    click.secho("wrong: this is not what was issued and signed", fg="red", bold=True)
    for name in ("kind", "place", "expected", "found"):
        click.echo(f"  {name:<8} {error.extra[name]}")
