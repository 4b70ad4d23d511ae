"""``python -m chain verify FILE --key KEY``: check a proof file with this package alone.

``--key`` may stand again, with the log's key statements; ``--policy FILE`` asks for witnesses.
What was seen of a log is remembered, and held against what comes next; ``--log`` asks the log.

A COSE receipt and a C2SP tlog-proof are taken, too, beside the ``--hash`` of their document; so is
the proof file of an act.

``python -m chain witness …`` runs an independent witness; see ``chain.witness.server``.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from chain.commitment import parse_password_area
from chain.entry import format_time
from chain.errors import Problem, VerificationError
from chain.hashing import Digest
from chain.proof.act import (
    ActEvidence,
    is_act_proof,
    parse_act_proof,
    verify_act_proof,
)
from chain.proof.file import MAX_PROOF_BYTES, Proof, parse_proof
from chain.proof.memory import (
    Ask,
    Continued,
    ForkedError,
    Memory,
    default_place,
    remember,
    told,
)
from chain.proof.promise import is_promise, open_promise, promise_keys, refuse_bent, refuse_within
from chain.proof.receipt import BEGINNING, parse_receipt, verify_receipt
from chain.proof.tlogproof import (
    HEADER,
    Logged,
    entry_of,
    parse_tlog_proof,
    verify_tlog_proof,
)
from chain.proof.verify import Evidence, verify_proof
from chain.signing.keys import TrustedKeys
from chain.signing.policy import NO_WITNESSES, Policy
from chain.signing.trusted import read_policy, read_trusted

YES, NO, CANNOT = 0, 1, 2
"""Exit statuses: the proof holds; it does not; a file, key or policy cannot be read."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status says what came out."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["witness"]:
        return _witness(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="python -m chain",
        description="Check proof files, or run a witness (python -m chain witness --help).",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verifier = commands.add_parser("verify", help=_WHAT)
    _add_options(verifier)
    return _verify(verifier, parser.parse_args(arguments))


def verify() -> int:
    """``fapiao-verify FILE --key KEY``: the command of the wheel that only verifies."""
    parser = argparse.ArgumentParser(description=_WHAT)  # under the name that it was called by
    _add_options(parser)
    return _verify(parser, parser.parse_args())


def _verify(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.no_memory and (options.log or options.memory):
        parser.error("--no-memory remembers nothing: not with --memory or --log")
    try:
        with options.file.open("rb") as file:
            data = file.read(MAX_PROOF_BYTES + 1)
    except OSError as error:
        sys.stderr.write(_plain(f"cannot read {options.file}: {error.strerror}"))
        return CANNOT
    try:
        keys = read_trusted(options.keys)
        policy = NO_WITNESSES if options.policy is None else read_policy(options.policy)
        refuse_bent(data)
    except Problem as problem:
        return _cannot_ask(problem, as_json=options.json)
    if is_promise(data):
        if options.policy or options.log or options.memory:
            parser.error("a promise has no checkpoint: not with --policy, --log or --memory")
        return _tell_promise(data, keys, as_json=options.json)
    if data.startswith((BEGINNING, HEADER.encode())):
        return _tell_in_log(parser, options, data, keys, policy)
    if options.hash:
        parser.error("--hash is for a receipt or a tlog-proof: a proof file names its document")
    if is_act_proof(data):
        return _tell_act(options, data, keys, policy)
    return _tell_proof(options, data, keys, policy)


def _tell_in_log(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    data: bytes,
    keys: TrustedKeys,
    policy: Policy,
) -> int:
    """Check a receipt or a tlog-proof: that a document's entry is in the log, and no more."""
    if options.hash is None:
        parser.error("this does not say of which document it is: name it by --hash")
    if options.log or options.memory or (options.policy and data.startswith(BEGINNING)):
        parser.error("--log and --memory take a proof file; a receipt has no --policy, either")
    try:
        document = parse_password_area(options.hash)
        logged = _logged(data, document, keys, policy)
    except VerificationError as problem:
        return _refuse(problem, as_json=options.json)
    except Problem as problem:
        return _cannot_ask(problem, as_json=options.json)
    origin, size = logged.checkpoint.origin, logged.checkpoint.size
    if options.json:
        said = {"proved": "in_log", "hash": options.hash, "origin": origin, "size": size}
        said |= {"index": logged.index, "witnesses": logged.witnesses}
        sys.stdout.write(json.dumps(said) + "\n")
        return YES
    lines = ("IN THE LOG", f"hash       {options.hash}", f"log        {origin}, {size} entries")
    sys.stdout.write("".join(map(_plain, (*lines, f"entry      {logged.index}", _STATE_ELSEWHERE))))
    return YES


def _logged(data: bytes, document: Digest, keys: TrustedKeys, policy: Policy) -> Logged:
    if data.startswith(BEGINNING):
        receipt = parse_receipt(data)
        return verify_receipt(receipt, receipt.entry(document), keys)
    proof = parse_tlog_proof(data)
    return verify_tlog_proof(proof, entry_of(proof, document), keys, policy)


def _tell_proof(options: argparse.Namespace, data: bytes, keys: TrustedKeys, policy: Policy) -> int:
    try:
        proof = _parse(data)
    except Problem as problem:
        return _cannot_ask(problem, as_json=options.json)
    try:
        evidence = verify_proof(proof, keys, policy)
    except Problem as problem:
        return _refuse(problem, as_json=options.json)

    def write(continued: Continued | None) -> str:
        tell = _evidence_json if options.json else _evidence_text
        return tell(evidence, _unchecked(policy), continued)

    return _tell_seen(options, proof.checkpoint, keys, write)


def _tell_act(options: argparse.Namespace, data: bytes, keys: TrustedKeys, policy: Policy) -> int:
    try:
        proof = parse_act_proof(data)
    except Problem as problem:
        return _cannot_ask(problem, as_json=options.json)
    try:
        evidence = verify_act_proof(proof, keys, policy)
    except Problem as problem:
        return _refuse(problem, as_json=options.json)

    def write(continued: Continued | None) -> str:
        tell = _act_json if options.json else _act_text
        return tell(evidence, json.loads(proof.document), _unchecked(policy), continued)

    return _tell_seen(options, proof.checkpoint, keys, write)


def _tell_seen(
    options: argparse.Namespace,
    note: bytes,
    keys: TrustedKeys,
    write: Callable[[Continued | None], str],
) -> int:
    """Say what a proof holds, once its checkpoint was held against those that were seen."""
    try:
        continued = _remember(options, note, keys)
    except ForkedError as problem:
        return _refuse(problem, as_json=options.json)
    except Problem as problem:
        return _cannot_ask(problem, as_json=options.json)
    if continued is not None and continued.unkept:
        sys.stderr.write(_plain(f"nothing is remembered of this checkpoint: {continued.unkept}"))
    sys.stdout.write(write(continued))
    return YES


def _unchecked(policy: Policy) -> list[str]:
    return [f"{key.name} (type {key.kind})" for key in policy.unchecked]


def _parse(data: bytes) -> Proof:
    try:
        return parse_proof(data)
    except Problem as problem:
        refuse_within(data)
        problem.detail = f"no proof file, or a damaged one: {problem.detail}"
        raise


def _tell_promise(data: bytes, keys: TrustedKeys, *, as_json: bool) -> int:
    try:
        promise = open_promise(data, *promise_keys(keys))
    except VerificationError as problem:
        return _refuse(problem, as_json=as_json)
    except Problem as problem:
        return _cannot_ask(problem, as_json=as_json)
    given, deadline = map(format_time, (promise.given, promise.deadline))
    if as_json:
        said = asdict(promise) | {"anchor": promise.anchor.hex()}
        said |= {"promised": True, "given": given, "deadline": deadline}
        sys.stdout.write(json.dumps(said) + "\n")
        return YES
    lines = (f"hash       {promise.hash}", f"log        {promise.origin}")
    times = (f"issued     at {given} or later", f"in the log by {deadline}")
    sys.stdout.write("".join(map(_plain, ("PROMISED", *lines, *times))))
    return YES


def _remember(options: argparse.Namespace, note: bytes, keys: TrustedKeys) -> Continued | None:
    """Hold the proof's checkpoint against those of earlier proofs; errors as ``remember``."""
    if options.no_memory:
        return None
    memory = Memory(options.memory or default_place(os.environ))
    ask = _asking(options.log, keys)
    return remember(memory, note, keys, ask, lambda forked: _evidence_of(forked, keys))


def _asking(where: str | None, keys: TrustedKeys) -> Ask | None:
    """Who asks the log, if its place was named; only then is anything loaded that can."""
    if where is None:
        return None
    from chain.audit.continuity import ask_log

    return lambda seen: ask_log(where, keys, seen)


def _evidence_of(forked: ForkedError, keys: TrustedKeys) -> bytes:
    """The evidence file, or nothing where only the verifier is installed."""
    try:
        from chain.audit.evidence import fork_evidence
    except ModuleNotFoundError:
        return b""
    return fork_evidence(*forked.notes, None, keys)


def _witness(arguments: Sequence[str]) -> int:
    """Only here: who checks a proof loads no server and no database, and may not have them."""
    try:
        from chain.witness import server
    except ModuleNotFoundError as error:
        if error.name != "chain.witness":
            raise
        sys.stderr.write("the witness comes with the whole service: this is only its verifier\n")
        return CANNOT
    return server.main(arguments)


_STATE_ELSEWHERE: Final = "state      unknown: a proof file says whether it was reversed"
_WHAT: Final = "check a proof file or a promise; without --log, without any network"


def _add_options(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "file", type=Path, metavar="FILE", help="the proof file, a promise, a receipt"
    )
    verify.add_argument(
        "--key",
        dest="keys",
        action="append",
        required=True,
        metavar="KEY",
        help="the log's key (of a promise, the promise key): name+id+base64, or a file with it;"
        " again: others, and key statements",
    )
    verify.add_argument(
        "--hash", help="of a COSE receipt or a tlog-proof: the password area of its document"
    )
    verify.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="a tlog-policy: who must have cosigned",
    )
    verify.add_argument(
        "--log",
        metavar="URL|FOLDER",
        help="ask the log, or a mirror of it, whether it contains all that was seen of it",
    )
    verify.add_argument(
        "--memory",
        type=Path,
        metavar="FILE",
        help="what was seen before (fapiao/checkpoints.json in XDG_STATE_HOME or ~/.local/state)",
    )
    verify.add_argument("--no-memory", action="store_true", help="remember nothing")
    verify.add_argument("--json", action="store_true", help="print for programs")


def _cannot_ask(problem: Problem, *, as_json: bool) -> int:
    """Say what is wrong with a key, statement, policy or file: that is no verdict."""
    if as_json:
        answer = {"proved": None, "code": problem.code, "detail": problem.detail, **problem.extra}
        sys.stdout.write(json.dumps(answer) + "\n")
    else:
        sys.stderr.write(_plain(f"{problem.detail} ({problem.code})"))
    return CANNOT


def _refuse(problem: Problem, *, as_json: bool) -> int:
    sys.stdout.write(_refusal_json(problem) if as_json else _refusal_text(problem))
    return NO


def _refusal_text(problem: Problem) -> str:
    step = f" at step {problem.extra['step']}" if "step" in problem.extra else ""
    proof = (
        f"; the evidence is in {problem.extra['evidence']}" if "evidence" in problem.extra else ""
    )
    return _plain(f"NOT PROVED{step}: {problem.detail} ({problem.code}){proof}")


def _refusal_json(problem: Problem) -> str:
    answer = {"proved": False, "code": problem.code, "detail": problem.detail, **problem.extra}
    return json.dumps(answer) + "\n"


def _seen_before(size: int, continued: Continued | None) -> list[str]:
    heads = ("seen       ", "           ")
    lines = [] if continued is None else told(continued, size)
    return [head + line for head, line in zip(heads, lines, strict=False)]


def _cosigned(witnesses: Sequence[str], unchecked: Sequence[str]) -> list[str]:
    return [
        *([f"cosigned   {', '.join(witnesses)}"] if witnesses else []),
        *([f"not asked  {', '.join(unchecked)}: no such keys are known here"] if unchecked else []),
    ]


def _evidence_text(
    evidence: Evidence, unchecked: Sequence[str], continued: Continued | None
) -> str:
    lines = [f"{step.number}. {step.text}: yes" for step in evidence.steps]
    lines += [
        "PROVED",
        f"hash       {evidence.hash}",
        f"log        {evidence.origin}, {evidence.size} entries",
        f"entry      {evidence.index}",
        f"as of      block {evidence.height}, sealed {format_time(evidence.sealed_at)}",
        *_seen_before(evidence.size, continued),
        f"state      {_state(evidence)}",
        f"hidden     {', '.join(evidence.hidden) or 'nothing'}",
        *_cosigned(evidence.witnesses, unchecked),
    ]
    return "".join(map(_plain, lines))


def _plain(line: str) -> str:
    """A line that any terminal can show; what a stranger wrote in the file moves no cursor."""
    shown = line.encode("ascii", "backslashreplace").decode()
    return "".join(char if char.isprintable() else "?" for char in shown) + "\n"


def _state(evidence: Evidence) -> str:
    if evidence.state is None:
        return "nothing stands against it"
    return ", ".join(f"{name} {value}" for name, value in sorted(evidence.state.items()))


def _evidence_json(
    evidence: Evidence, unchecked: Sequence[str], continued: Continued | None
) -> str:
    answer = {
        "proved": True,
        "hash": evidence.hash,
        "anchor": evidence.anchor.hex(),
        "origin": evidence.origin,
        "size": evidence.size,
        "index": evidence.index,
        "height": evidence.height,
        "sealed_at": format_time(evidence.sealed_at),
        "state": evidence.state,
        "shown": evidence.shown,
        "hidden": evidence.hidden,
        "witnesses": evidence.witnesses,
        "unchecked": unchecked,
        "memory": None if continued is None else asdict(continued),
        "steps": [{"number": step.number, "name": step.name} for step in evidence.steps],
    }
    return json.dumps(answer) + "\n"


def _act_text(
    evidence: ActEvidence,
    document: dict[str, Any],
    unchecked: Sequence[str],
    continued: Continued | None,
) -> str:
    lines = [f"{step.number}. {step.text}: yes" for step in evidence.steps]
    lines += [
        "PROVED",
        f"act        {evidence.commitment.hex()}",
        f"log        {evidence.origin}, {evidence.size} entries",
        f"entry      {evidence.index}",
        f"as of      block {evidence.height}, sealed {format_time(evidence.sealed_at)}",
        *_seen_before(evidence.size, continued),
        *(f"{name:<10} {_said(document[name])}" for name in _ACT_NAMES if name in document),
        *_cosigned(evidence.witnesses, unchecked),
    ]
    return "".join(map(_plain, lines))


_ACT_NAMES: Final = ("type", "at", "by", "subject", "before", "after", "reason", "previous")


def _said(value: str | dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    return ", ".join(f"{name} {said}" for name, said in value.items())


def _act_json(
    evidence: ActEvidence,
    document: dict[str, Any],
    unchecked: Sequence[str],
    continued: Continued | None,
) -> str:
    answer = {
        "proved": True,
        "act": evidence.commitment.hex(),
        "document": document,
        "origin": evidence.origin,
        "size": evidence.size,
        "index": evidence.index,
        "height": evidence.height,
        "sealed_at": format_time(evidence.sealed_at),
        "witnesses": evidence.witnesses,
        "unchecked": unchecked,
        "memory": None if continued is None else asdict(continued),
        "steps": [{"number": step.number, "name": step.name} for step in evidence.steps],
    }
    return json.dumps(answer) + "\n"


if __name__ == "__main__":
    sys.exit(main())
