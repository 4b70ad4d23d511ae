"""``fapiao verify``: is this invoice what it seems to be?"""

from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import msgspec

from chain.audit.evidence import verify_evidence
from chain.commitment import parse_password_area
from chain.entry import format_time
from chain.errors import NotFoundError
from chain.hashing import Digest
from chain.proof.file import Proof
from chain.proof.memory import Continued
from chain.proof.verify import Evidence, verify_proof
from chain.signing.keys import TrustedKeys, keys_of
from chain.signing.policy import Policy
from invoice_service.commands.act_proof import read_act, tell_act
from invoice_service.commands.claims import Claim, read_claim
from invoice_service.commands.evidence import (
    read_evidence,
    read_promise,
    tell_evidence,
    tell_promise,
)
from invoice_service.commands.log_keys import (
    KEY_HELP,
    keys_told,
    log_keys_of,
    log_keys_or_own,
    policy_told,
    promise_key_or_own,
    promise_keys_of,
    read_key,
)
from invoice_service.commands.memory import (
    Remembering,
    memory_options,
    refuse_memory,
    remembering,
    seen_wire,
    tell_seen,
)
from invoice_service.commands.output import json_option, print_json
from invoice_service.commands.papers import refuted
from invoice_service.commands.remote import Remote
from invoice_service.commands.session import Session
from invoice_service.commands.tlog import read_cose, read_tlog, tell_cose, tell_tlog
from invoice_service.commands.wallet import (
    check_credential,
    check_status,
    read_credential,
    tell_credential,
)
from invoice_service.documents.wallet.judging import slip_of
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.money import format_yuan
from invoice_service.domain.qrtext import QrText
from invoice_service.domain.verdict import Step, Verdict, Verification, judge
from invoice_service.services.checking.prove import build_receipt

WORDS: Final = {
    Verdict.AUTHENTIC: ("green", "真 · in the log, as issued"),
    Verdict.PENDING: ("yellow", "已开具，待上链 · issued, not yet in the log"),
    Verdict.REVERSED: ("red", "已红冲 · reversed: not valid any more"),
    Verdict.PARTLY_REVERSED: ("red", "部分红冲 · reversed in part"),
    Verdict.MISMATCH: ("red", "不符 · a real hash with another number or amount: a forged slip"),
    Verdict.UNKNOWN: ("red", "查无此票 · no such invoice was issued here"),
}
NO_PATIENCE: Final = 0.0
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument(
    "what", metavar="HASH|QR-TEXT|PROOF-FILE|TLOG-PROOF|RECEIPT|PROMISE|EVIDENCE-FILE|PICTURE"
)
@click.option("--offline", is_flag=True, help="Check a proof file with --key alone, no server.")
@click.option("--key", "log_keys", multiple=True, help=KEY_HELP)
@click.option("--policy", type=_FILE, help="Of a proof: a tlog-policy for its witnesses.")
@click.option("--status-list", type=_FILE, help="Of a credential: the list that it names, fetched.")
@click.option("--receipt", type=_FILE, help="Of a credential that has none inside: its receipt.")
@click.option("--hash", "hash_", help="Of a tlog-proof or a COSE receipt: the invoice's hash.")
@click.option("--url", envvar="FAPIAO_URL", help="Ask the service at this address.")
@memory_options
@click.option("--promise-key", help="Of a promise, or evidence: the log's public promise key.")
@click.option("--mirror", type=_FOLDER, help="For evidence of a broken promise: a mirror.")
@click.option("--witness", "witnesses", multiple=True, help="A witness whose time is believed.")
@json_option
@click.pass_obj
def verify(
    session: Session,
    *,
    what: str,
    offline: bool,
    log_keys: tuple[str, ...],
    policy: Path | None,
    status_list: Path | None,
    receipt: Path | None,
    hash_: str | None,
    url: str | None,
    memory: Path | None,
    no_memory: bool,
    log: str | None,
    promise_key: str | None,
    mirror: Path | None,
    witnesses: tuple[str, ...],
    as_json: bool,
) -> int:
    """Check an invoice. Exit status 0 only when it is authentic.

    A proof file with --offline and --key needs no server, and says what was true at the block it
    names. Everything else asks the service at --url, or this machine's instance, what is true now.

    Of an evidence file, says what it proves against the log; of a tlog-proof or a COSE receipt,
    that the invoice with --hash is in the log; of an act's proof, what was decided; of a promise,
    by when it will be. Exit status 0 when it does.

    The checkpoint of a proof is remembered, and refused where an earlier one contradicts it.
    """
    seen = remembering(memory, log, nothing=no_memory)
    remote = None if url is None or offline else Remote(url, patience=NO_PATIENCE)
    asked = _Asked(log_keys, policy, memory, log)
    if _told_in_log(session, what, hash_, asked, seen, as_json=as_json):
        return 0
    if (accusation := read_evidence(what)) is not None:
        _refuse_policy(policy, "of evidence, name each --witness")
        refuse_memory(memory, log)
        promiser = promise_key_or_own(session, promise_key, log_keys)
        trusted = log_keys_or_own(session, log_keys), promiser
        seen_by = [read_key(text) for text in witnesses]
        tell_evidence(verify_evidence(accusation, *trusted, mirror, seen_by), as_json=as_json)
        return 0
    if (promised := read_promise(what)) is not None:
        _refuse_policy(policy, "a promise has no checkpoint")
        refuse_memory(memory, log)
        keys = promise_keys_of(session, promise_key, log_keys, remote)
        tell_promise(promised, keys, as_json=as_json)
        return 0
    if (credential := read_credential(what)) is not None:
        _refuse_policy(policy, "a receipt has no cosignatures")
        refuse_memory(memory, log)
        trusting = keys_of(log_keys_or_own(session, log_keys))
        fetch = None if offline else partial(_receipt, session, remote)
        found_in = check_credential(credential, trusting, receipt, fetch)
        status = check_status(found_in, status_list, trusting) if status_list else None
        if offline:
            tell_credential(found_in, status, as_json=as_json)
            return 1 if (status or found_in).state else 0
        claim = Claim(found_in.hash, slip_of(found_in))
    else:
        claim = read_claim(what)
    if claim.proof is None:
        _refuse_policy(policy, "only they have cosignatures")
        refuse_memory(memory, log)
    if offline and (claim.proof is None or not log_keys):
        raise click.UsageError("--offline needs a proof file and the log's public --key")
    demand = _Demand(keys_told(log_keys), policy_told(policy), seen)
    checked = demand.check(session, claim.proof, remote)
    if (
        claim.paper is not None
        and checked is not None
        and refuted(claim.paper, checked.evidence, as_json=as_json)
    ):
        return 1
    found = _found(session, claim, checked, remote, offline=offline)
    _say(found, checked, offline=offline, as_json=as_json)
    return 0 if found.verdict is Verdict.AUTHENTIC else 1


def _receipt(session: Session, remote: Remote | None, hash_: str) -> bytes:
    """The newest receipt of an invoice, from the service that is asked."""
    if remote is not None:
        return remote.get(f"/v1/invoices/{hash_}/proof", {"format": "cose"})
    with closing(session.instance()) as instance:
        return build_receipt(instance.store, instance.log, parse_password_area(hash_))


class _Asked(NamedTuple):
    """What a command line says of a log: whose keys, whose cosignatures, what was seen of it."""

    log_keys: tuple[str, ...]
    policy: Path | None
    memory: Path | None
    log: str | None


def _told_in_log(
    session: Session,
    what: str,
    hash_: str | None,
    asked: _Asked,
    seen: Remembering,
    *,
    as_json: bool,
) -> bool:
    """Check a tlog-proof, a receipt or an act's proof, and say what it proves; if it is one."""
    if (tlog := read_tlog(what)) is not None:
        keys = log_keys_or_own(session, asked.log_keys)
        tell_tlog(tlog, hash_, keys, policy_told(asked.policy), seen, as_json=as_json)
        return True
    if (act := read_act(what)) is not None:
        keys = log_keys_or_own(session, asked.log_keys)
        tell_act(act, keys, policy_told(asked.policy), seen, as_json=as_json)
        return True
    if (receipt := read_cose(what)) is None:
        return False
    _refuse_policy(asked.policy, "a receipt has no cosignatures")
    refuse_memory(asked.memory, asked.log)
    tell_cose(receipt, hash_, log_keys_or_own(session, asked.log_keys), as_json=as_json)
    return True


class _Checked(NamedTuple):
    """What a proof file says by itself, and how its checkpoint stands to those before."""

    evidence: Evidence
    continued: Continued | None


class _Demand(NamedTuple):
    """What is asked of a proof file."""

    keys: TrustedKeys | None
    policy: Policy
    seen: Remembering

    def check(
        self, session: Session, proof: Proof | None, remote: Remote | None
    ) -> _Checked | None:
        """Check it with our keys, or the service's own, or this machine's; None without a proof."""
        if proof is None:
            return None
        keys = self.keys
        if keys is None:
            keys = log_keys_or_own(session, ()) if remote is None else log_keys_of(remote)
        evidence = verify_proof(proof, keys, self.policy)
        return _Checked(evidence, self.seen.hold(proof.checkpoint, keys))


def _found(
    session: Session,
    claim: Claim,
    checked: _Checked | None,
    remote: Remote | None,
    *,
    offline: bool,
) -> Verification:
    """The verdict, with what the proof file alone knows."""
    if checked is not None and offline:
        found = _from_evidence(checked.evidence)
    elif remote is not None:
        found = _ask_remote(remote, claim)
    else:
        found = _ask_here(session, claim)
    if checked is None:
        return found
    evidence = checked.evidence
    return msgspec.structs.replace(found, witnesses=evidence.witnesses, hidden=evidence.hidden)


def _ask_here(session: Session, claim: Claim) -> Verification:
    with closing(session.instance()) as instance:
        slip = claim.slip or _own_slip(instance.store.invoice, claim.hash)
        return instance.verifier.verify(slip)


def _own_slip(find: Callable[[Digest], StoredInvoice | None], hash_: str) -> QrText:
    """The slip of whoever has the hash alone: what is said of number and amount is true."""
    invoice = find(parse_password_area(hash_))
    if invoice is None:
        return QrText(hash=hash_, number="00000000")
    return QrText(hash=hash_, number=invoice.number, total=invoice.total)


def _ask_remote(remote: Remote, claim: Claim) -> Verification:
    """The service's verdict."""
    slip = claim.slip or _remote_slip(remote, claim.hash)
    if slip is None:
        return Verification(verdict=Verdict.UNKNOWN, hash=claim.hash)
    return msgspec.json.decode(remote.get("/v1/verifications", _said(slip)), type=Verification)


class _Listed(msgspec.Struct):
    number: str
    total: int


def _remote_slip(remote: Remote, hash_: str) -> QrText | None:
    """The slip of the invoice that the service knows by this hash; None when it knows none."""
    try:
        found = msgspec.json.decode(remote.get(f"/v1/invoices/{hash_}"), type=_Listed)
    except NotFoundError as problem:
        if problem.code != "invoice_unknown":
            raise
        return None
    return QrText(hash=hash_, number=found.number, total=found.total)


def _said(slip: QrText) -> dict[str, str]:
    """All that the slip says, as the service is asked about it."""
    total = "" if slip.total is None else str(slip.total)
    if slip.code is None:
        return {"hash": slip.hash, "bill_num": slip.number, "total_amount": total}
    day = (slip.day or "").replace("-", "")
    amount = format_yuan(slip.amount or 0)
    code = f"01,10,{slip.code},{slip.number},{slip.seller_tax_id},{amount},{day},{slip.hash}"
    return {"qr": code, "total_amount": total} if total else {"qr": code}


def _from_evidence(evidence: Evidence) -> Verification:
    """What a proof says on its own: true as of its block."""
    reversal = (evidence.state or {}).get("reversal")
    verdict = judge(known=True, slip_agrees=True, reversal=reversal, anchored=True)
    face = evidence.shown.get("face")
    return Verification(
        verdict=verdict,
        hash=evidence.hash,
        block=evidence.height,
        sealed_at=format_time(evidence.sealed_at),
        index=evidence.index,
        log_size=evidence.size,
        steps=tuple(Step(step.number, step.name, step.text) for step in evidence.steps),
        face=face if isinstance(face, dict) else None,
        witnesses=evidence.witnesses,
    )


def _refuse_policy(policy: Path | None, why: str) -> None:
    if policy is not None:
        raise click.UsageError(f"--policy is for proof files: {why}")


def _say(found: Verification, checked: _Checked | None, *, offline: bool, as_json: bool) -> None:
    if as_json:
        seen_before = seen_wire(checked.continued) if checked else {}
        print_json(msgspec.to_builtins(found) | seen_before)
    else:
        _tell(found, checked, offline=offline)


def _tell(found: Verification, checked: _Checked | None, *, offline: bool) -> None:
    color, words = WORDS[found.verdict]
    click.secho(f"{found.verdict.value}: {words}", fg=color, bold=True)
    if found.face is not None:
        _tell_face(found.face)
    if found.hidden:
        click.echo(f"  hidden by whoever made this file: {', '.join(found.hidden)}")
    for step in found.steps:
        click.echo(f"  {click.style('✓', fg='green')} {step.number} {step.name}: {step.text}")
    if found.block is not None:
        of_block = "true as of" if offline else "in"
        click.echo(
            f"entry {found.index}, {of_block} block {found.block}, sealed {found.sealed_at},"
            f" under a checkpoint of {found.log_size} entries"
        )
    if found.witnesses:
        click.echo(f"cosigned by {', '.join(found.witnesses)}")
    if checked is not None:
        tell_seen(checked.continued, checked.evidence.size)
    for red in found.returns:
        click.echo(f"¥{format_yuan(red.total)} taken back {red.issued_at} by {red.hash}")
    if found.left:
        click.echo(f"¥{format_yuan(found.left)} of it stands")
    if offline:
        click.echo("whether it was reversed since that block, a newer proof or a scan says")


def _tell_face(face: Mapping[str, Any]) -> None:
    """A few lines of the invoice, whatever they hold: a proof may be about anything."""
    seller = face.get("seller")
    name = seller.get("name") if isinstance(seller, Mapping) else None
    total = face.get("total")
    amount = f"¥{format_yuan(total)}" if isinstance(total, int) else "?"
    click.echo(f"  {face.get('code')} {face.get('number')}, issued {face.get('issued_at')}")
    click.echo(f"  {name}: {amount}")
    if face.get("type") == "red":
        click.echo(f"  红字发票 · a red invoice: it takes back {face.get('reverses')}")
