"""Make the proof cases: ``python -m tests.vectors.make_proofs`` writes, ``--check`` compares.

One file a family under ``proofs/``, one case a line: {name, key, file, expected, step}. A file
that is not UTF-8 stands as ``base64``; ``spaces`` says how many more follow it, ``stretch`` how
often its first ``~`` stands. ``statements`` are the log's key statements, in order, ``policy``
is a policy file, if there are any. A case that holds has ``evidence`` too. Whoever writes another
verifier runs it on these.
"""

import argparse
import base64
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from chain.errors import Problem
from chain.proof.act import is_act_proof, parse_act_proof, verify_act_proof
from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from chain.signing.keys import TrustedKeys
from chain.signing.note import VerifierKey
from chain.signing.policy import NO_WITNESSES, Policy, parse_policy
from chain.signing.statement import follow
from tests.vectors import (
    proof_act,
    proof_content,
    proof_keys,
    proof_mldsa,
    proof_notes,
    proof_policy,
    proof_rotation,
    proof_spelling,
)
from tests.vectors.proof_case import Case, Outcome

FOLDER = Path(__file__).parent / "proofs"

FAMILIES: dict[str, Callable[[], Iterator[Case]]] = {
    "good": proof_content.good,
    "fields": proof_spelling.fields,
    "spelling": proof_spelling.spelling,
    "notes": proof_notes.notes,
    "checkpoints": proof_notes.checkpoints,
    "signatures": proof_notes.signatures,
    "keys": proof_keys.keys,
    "entries": proof_content.entries,
    "seals": proof_content.seals,
    "states": proof_content.states,
    "paths": proof_content.paths,
    "rotation": proof_rotation.rotation,
    "statements": proof_rotation.statements,
    "policies": proof_policy.policies,
    "witnesses": proof_policy.witnesses,
    "mldsa": proof_mldsa.modern,
    "acts": proof_act.acts,
}


def check(
    data: bytes, key: str, statements: Sequence[str] = (), policy: str | None = None
) -> tuple[Outcome, dict[str, object]]:
    """What the Python verifier says: (code, step), and the evidence where the proof holds."""
    try:
        demand = NO_WITNESSES if policy is None else parse_policy(policy.encode())
        if is_act_proof(data):
            return ("ok", None), _of_act(data, _trusted(key, statements), demand)
        evidence = verify_proof(parse_proof(data), _trusted(key, statements), demand)
    except Problem as problem:
        step = problem.extra.get("step")
        assert step is None or isinstance(step, int)
        return (problem.code, step), {}
    return ("ok", None), {
        "hash": evidence.hash,
        "anchor": evidence.anchor.hex(),
        "origin": evidence.origin,
        "size": str(evidence.size),
        "index": evidence.index,
        "height": evidence.height,
        "sealed_at": evidence.sealed_at.replace(tzinfo=None).isoformat() + "Z",
        "state": evidence.state,
        "reverses": None if evidence.reverses is None else evidence.reverses.hex(),
        "reversal": evidence.reversal,
        "shown": sorted(evidence.shown),
        "hidden": sorted(evidence.hidden),
        **({} if policy is None else {"witnesses": evidence.witnesses}),
    }


def _of_act(data: bytes, keys: TrustedKeys, policy: Policy) -> dict[str, object]:
    evidence = verify_act_proof(parse_act_proof(data), keys, policy)
    return {
        "act": evidence.commitment.hex(),
        "origin": evidence.origin,
        "size": str(evidence.size),
        "index": evidence.index,
        "height": evidence.height,
        "sealed_at": evidence.sealed_at.replace(tzinfo=None).isoformat() + "Z",
    }


def _trusted(key: str, statements: Sequence[str]) -> TrustedKeys:
    pinned = VerifierKey.parse(key)
    return follow([pinned], [text.encode() for text in statements]) if statements else pinned


def line_of(case: Case) -> str:
    """One case as it stands in its file; it fails where the verifier does not say as expected."""
    found, evidence = check(case.whole(), case.key, case.statements, case.policy)
    if case.outcome is None:
        assert found[0] != "ok", f"{case.name} holds"
    else:
        assert found == case.outcome, f"{case.name}: {found}, not {case.outcome}"
    row: dict[str, object] = {"name": case.name, "key": case.key}
    try:
        row["file"] = case.data.decode("utf-8")
    except UnicodeDecodeError:
        row["base64"] = base64.b64encode(case.data).decode()
    if case.spaces:
        row["spaces"] = case.spaces
    if case.stretch > 1:
        row["stretch"] = case.stretch
    if case.statements:
        row["statements"] = case.statements
    if case.policy is not None:
        row["policy"] = case.policy
    row |= {"expected": found[0], "step": found[1]}
    if evidence:
        row["evidence"] = evidence
    return json.dumps(row, separators=(",", ":")) + "\n"


def text_of(family: str) -> str:
    """All cases of one family; those of one name, or that say the same, are mistakes."""
    cases = list(FAMILIES[family]())
    assert len({case.name for case in cases}) == len(cases), f"{family}: a name stands twice"
    return "".join(map(line_of, cases))


def path_of(family: str) -> Path:
    """Where a family's cases are."""
    return FOLDER / f"{family}.jsonl"


def main() -> int:
    """Write the files, or say which differ from what they should be."""
    parser = argparse.ArgumentParser(description="make the proof cases")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if one differs")
    check_only: bool = parser.parse_args().check
    differs = 0
    for family in FAMILIES:
        path, text = path_of(family), text_of(family)
        if path.exists() and path.read_text("utf-8") == text:
            continue
        differs += 1
        sys.stdout.write(f"{path.name} {'differs' if check_only else 'written'}\n")
        if not check_only:
            path.write_text(text, "utf-8", newline="\n")
    return 1 if check_only and differs else 0


if __name__ == "__main__":
    sys.exit(main())
