"""Evidence that a log has lied: making it from mirrors, and checking what others made."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import click

from chain.audit.evidence import (
    MAX_EVIDENCE_BYTES,
    BrokenPromise,
    Fork,
    is_evidence,
    open_mirror,
    promise_evidence,
    verify_evidence,
)
from chain.audit.fetch import FolderSource
from chain.audit.mirror import MirrorReport, check_mirror, compare_mirrors
from chain.durable import write_file
from chain.entry import format_time
from chain.errors import MalformedError, VerificationError
from chain.proof.promise import MAX_PROMISE_BYTES, is_promise, open_promise, refuse_bent
from chain.signing.checkpoint import Checkpoint
from chain.signing.keys import TrustedKeys
from chain.signing.note import VerifierKey
from chain.signing.policy import NO_WITNESSES, Policy
from chain.witness.cosigning import cosign_again
from invoice_service.commands.mirror import described, steps
from invoice_service.commands.options import judged, named_file
from invoice_service.commands.output import print_json, progress


def read_evidence(what: str) -> bytes | None:
    """The evidence file of that name; None when it is anything else."""
    path = named_file(what)
    if path is None:
        return None
    with path.open("rb") as file:
        data = file.read(MAX_EVIDENCE_BYTES + 1)
    return data if is_evidence(data) else None


def read_promise(what: str) -> bytes | None:
    """The promise in the file of that name; None when it is anything else.

    MalformedError ``promise_malformed`` for one that was not saved as it was given.
    """
    path = named_file(what)
    if path is None:
        return None
    with path.open("rb") as file:
        data = file.read(MAX_PROMISE_BYTES + 1)
    refuse_bent(data)
    return data if is_promise(data) else None


def tell_promise(data: bytes, keys: Sequence[VerifierKey], *, as_json: bool) -> None:
    """Say what was promised; errors as ``open_promise``."""
    promise = open_promise(data, *keys)
    said: dict[str, object] = {
        "promised": True,
        "origin": promise.origin,
        "hash": promise.hash,
        "given": format_time(promise.given),
        "deadline": format_time(promise.deadline),
        "version": promise.version,
    }
    if as_json:
        print_json(said)
        return
    click.secho("promised: by its deadline the invoice will be in the log", fg="green", bold=True)
    for name, value in list(said.items())[1:]:
        click.echo(f"  {name:<10} {value}")


def audit_mirrors(
    mirrors: Sequence[Path], log_key: TrustedKeys, out: Path, *, as_json: bool
) -> int:
    """Check each mirror, then hold each two against each other; status 1 where they differ."""
    reports = [_check(mirror, log_key) for mirror in mirrors]
    # One alone is held against the checkpoints that it has refused.
    pairs = list(combinations(mirrors, 2)) or [(mirrors[0], mirrors[0])]
    for one, other in pairs:
        with judged():
            data = compare_mirrors(one, other, log_key)
        if data is not None:
            write_file(out, data)
            tell_evidence(verify_evidence(data, log_key), as_json=as_json, file=out)
            return 1
    if as_json:
        print_json({"clean": True, "mirrors": [described(report) for report in reports]})
        return 0
    click.secho("clean: everything was derived again, and the mirrors agree", fg="green", bold=True)
    for mirror, report in zip(mirrors, reports, strict=True):
        click.echo(f"  {mirror}: {report.size:,} entries in {report.blocks:,} blocks")
    return 0


def audit_promise(
    file: Path,
    mirror: Path,
    log_key: TrustedKeys,
    promise_key: VerifierKey,
    witnesses: Sequence[VerifierKey],
    out: Path,
    *,
    policy: Policy = NO_WITNESSES,
    as_json: bool,
) -> int:
    """Status 0 when the promise was kept, 1 (with the evidence written) when it was broken.

    The witnesses of ``policy`` are asked what the time is now, and believed like the others.
    """
    with file.open("rb") as opened:
        promise = opened.read(MAX_PROMISE_BYTES + 1)
    witnesses = [*witnesses, *policy.witnesses]
    note = None
    if policy.witnesses:
        tree = open_mirror(mirror, log_key)
        note = cosign_again(FolderSource(mirror).checkpoint(), tree, policy)
    try:
        data = promise_evidence(promise, log_key, promise_key, mirror, witnesses, note)
    except VerificationError as error:
        if error.code != "promise_kept":
            raise
        if as_json:
            print_json({"kept": True, **error.extra})
        else:
            click.secho(f"kept: {error.detail}", fg="green", bold=True)
        return 0
    write_file(out, data)
    found = verify_evidence(data, log_key, promise_key, mirror, witnesses)
    tell_evidence(found, as_json=as_json, file=out)
    return 1


def tell_evidence(found: Fork | BrokenPromise, *, as_json: bool, file: Path | None = None) -> None:
    """Say what is proved, and in which file it stands."""
    said = _fork(found) if isinstance(found, Fork) else _broken(found)
    if file is not None:
        said["evidence"] = str(file)
    if as_json:
        print_json(said)
        return
    words = "forked: the log signed two histories"
    if isinstance(found, BrokenPromise):
        words = "broken promise: the document was not in the log in time"
    click.secho(f"PROVED, {words}", fg="red", bold=True)
    for name, value in said.items():
        click.echo(f"  {name:<10} {value}")


def the_mirror(mirrors: Sequence[Path]) -> Path:
    """The one mirror that a promise is held against."""
    if len(mirrors) != 1:
        raise click.UsageError("a promise is held against one --mirror")
    return mirrors[0]


def the_promise_key(key: VerifierKey | None) -> VerifierKey:
    """The promise key; MalformedError ``key_text`` when nobody told it."""
    if key is None:
        raise MalformedError("key_text", "with --key, say the --promise-key as well")
    return key


def _check(mirror: Path, log_key: TrustedKeys) -> MirrorReport:
    with progress(f"checking {mirror}", None) as advance, judged():
        return check_mirror(mirror, log_key, steps(advance))


def _fork(found: Fork) -> dict[str, object]:
    return {
        "proved": "fork",
        "origin": found.origin,
        "one": _checkpoint(found.one),
        "other": _checkpoint(found.other),
        "found": f"{found.found.hex()} at size {found.one.size} of the other",
    }


def _broken(found: BrokenPromise) -> dict[str, object]:
    return {
        "proved": "broken_promise",
        "origin": found.origin,
        "hash": found.hash,
        "deadline": format_time(found.deadline),
        "size": found.size,
        "seen_at": format_time(found.seen_at),
        "by": found.witness or "the log's own last seal",
    }


def _checkpoint(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.root.hex()} at size {checkpoint.size}"
