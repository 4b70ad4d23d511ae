"""Proof files: building them, and checking them without a server, step by step."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.service import Site
from bench.timing import Rate, repeat, summary
from chain.commitment import anchor, document_digest, group_digest, parse_password_area
from chain.entry import SealEntry, parse_entry
from chain.hashing import Digest, digest_from_hex, leaf_hash
from chain.proof.file import Placed, Proof, ShownGroup, parse_proof
from chain.proof.verify import verify_proof
from chain.signing.checkpoint import open_checkpoint
from chain.signing.note import VerifierKey
from chain.tree.merkle import verify_inclusion
from chain.tree.states import verify_state
from invoice_service.services.checking.prove import build
from invoice_service.wiring import open_instance

PROOFS = 300

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checks:
    """Over ``PROOFS`` random invoices; ``steps`` are seconds of each step of ``verify_proof``."""

    build: Rate
    verify: Rate
    proof_bytes: float
    steps: dict[str, float]


def checks(site: Site) -> Checks:
    """Build proofs of invoices of the site, and check them with nothing but file and key."""
    instance = open_instance(site.config)
    last = instance.store.last_seq()
    digests: list[Digest] = []
    for seq in random.Random(3).sample(range(1, last + 1), min(PROOFS, last)):
        invoice = instance.store.invoice_at(seq)
        assert invoice is not None
        digests.append(parse_password_area(invoice.hash))
    files: list[bytes] = []
    log, invoices, key = instance.log, instance.store, instance.log_key
    built = _each(digests, lambda digest: files.append(build(invoices, log, digest)))
    verified = _each(files, lambda file: verify_proof(parse_proof(file), key))
    instance.close()
    return Checks(built, verified, sum(map(len, files)) / len(files), _steps(files[0], key))


def _each(items: Sequence[T], action: Callable[[T], object]) -> Rate:
    durations = []
    for item in items:
        before = time.perf_counter()
        action(item)
        durations.append(time.perf_counter() - before)
    return summary(durations, sum(durations))


def _steps(file: bytes, key: VerifierKey) -> dict[str, float]:
    """Time each step of ``verify_proof`` by the public functions that it calls."""
    proof = parse_proof(file)
    seal = parse_entry(proof.seal.entry)
    assert isinstance(seal, SealEntry)
    states, name = digest_from_hex(seal.states), anchor(proof.document)
    actions: dict[str, Callable[[], object]] = {
        "0 read the file": lambda: parse_proof(file),
        "1 groups": lambda: _groups(proof),
        "2 entry": lambda: (parse_entry(proof.placed.entry), anchor(proof.document)),
        "3 signature": lambda: open_checkpoint(proof.checkpoint, key),
        "4 inclusion": _path(proof.placed, proof, key),
        "5 seal": _path(proof.seal, proof, key),
        "6 block": lambda: parse_entry(proof.seal.entry),
        "7 state": lambda: verify_state(states, name, proof.state.leaf, proof.state.siblings),
    }
    return {step: repeat(action, 0.1).p50 for step, action in actions.items()}


def _groups(proof: Proof) -> Digest:
    shown = [(name, group) for name, group in proof.groups.items() if isinstance(group, ShownGroup)]
    face, buyer, lines = (group_digest(name, group.salt, group.document) for name, group in shown)
    return document_digest(face, buyer, lines)


def _path(placed: Placed, proof: Proof, key: VerifierKey) -> Callable[[], None]:
    checkpoint = open_checkpoint(proof.checkpoint, key)
    size, root = checkpoint.size, checkpoint.root
    return lambda: verify_inclusion(leaf_hash(placed.entry), placed.index, size, placed.path, root)
