"""Absence: in a log of 20,000 invoices every proof says the truth, and no bent one passes.

The log is a real one: 300 of its blue invoices are reversed in full by 300 red ones (a usual run
has a part of them). It is published three times, so that every reversed invoice has a proof from
before its reversal.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from chain.commitment import anchor, password_area
from chain.entry import anchor_entry
from chain.errors import Problem
from chain.hashing import ZERO, Digest, sha256
from chain.proof.file import Group, Proof, ShownGroup, build_proof, parse_proof
from chain.proof.verify import Evidence, verify_proof
from chain.tree.states import StateLeaf, StateProof, state_leaf_hash
from tests.chain.books import DOCUMENTS, NOON, SIGNER, Books, digest_of
from tests.scale import share

pytestmark = [pytest.mark.slow, pytest.mark.scaled]

INVOICES = share(20_000, 2_000)
REVERSED = share(300, 60)
SAMPLE = share(500, 150)
FULL = {"reversal": "full"}
KEY = SIGNER.verifier

Outcome = tuple[str, int | None]
Bend = tuple[str, Proof, Outcome]

STATE_ROOT: Outcome = ("state_root", 7)
ELSEWHERE: Outcome = ("state_elsewhere", 7)


@dataclass(frozen=True)
class Invoice:
    """One invoice as its holder has it; ``reverses`` is the digest of the blue one."""

    document: Digest
    groups: dict[str, Group]
    reverses: Digest | None

    def entry(self) -> bytes:
        """What stands in the log for it."""
        if self.reverses is None:
            return anchor_entry("invoice", anchor(self.document))
        return anchor_entry(
            "invoice", anchor(self.document), reverses=anchor(self.reverses), reversal="full"
        )


class City:
    """The log, what everybody holds, and what the reversed could prove before."""

    def __init__(self, folder: Path) -> None:
        self._chance = random.Random(20181110)
        self.books = Books(folder, cache_tiles=512)
        self.invoices: list[Invoice] = []
        self.index: dict[Digest, int] = {}
        self.reversed: list[Invoice] = []
        self.before: dict[Digest, Proof] = {}
        blue = INVOICES - REVERSED
        self._append([self._invoice(number) for number in range(blue // 2)])
        self.books.publish()
        self._append([self._invoice(number) for number in range(blue // 2, blue)])
        self.books.publish()
        self.normal_size = self.books.log.head().size
        self.reversed = self._chance.sample(self.invoices, REVERSED)
        for invoice in self.reversed:  # while it is still true that nothing stands against it
            self.before[invoice.document] = self.prove(invoice)
        reds = [
            self._invoice(blue + place, blue_one.document)
            for place, blue_one in enumerate(self.reversed)
        ]
        self._append(reds)
        self.books.publish()

    def prove(self, invoice: Invoice) -> Proof:
        """Its proof under the newest checkpoint."""
        index = self.index[invoice.document]
        return build_proof(self.books.log, index, invoice.document, invoice.groups)

    def normal(self) -> list[Invoice]:
        """Against which nothing stands; the red ones are among them."""
        reversed_ = {invoice.document for invoice in self.reversed}
        return [invoice for invoice in self.invoices if invoice.document not in reversed_]

    def _invoice(self, number: int, reverses: Digest | None = None) -> Invoice:
        face = b'{"code":"144032609110","number":"%08d"}' % number
        if reverses is not None:
            said = password_area(reverses).encode()
            face = b'{"code":"144032609110","number":"%08d","reverses":"%s"}' % (number, said)
        salts = {name: sha256(b"%d %s" % (number, name.encode()))[:16] for name in DOCUMENTS}
        content = DOCUMENTS | {"face": face}
        groups: dict[str, Group] = {
            name: ShownGroup(salts[name], content[name]) for name in DOCUMENTS
        }
        return Invoice(digest_of(groups), groups, reverses)

    def _append(self, waiting: list[Invoice]) -> None:
        """Seal them in blocks of every size up to a few hundred."""
        while waiting:
            block = waiting[: self._chance.choice((1, 2, 3, 5, 40, 255, 256, 257, 390, 700))]
            waiting = waiting[len(block) :]
            head = self.books.log.head()
            self.books.log.sequence(
                head,
                [invoice.entry() for invoice in block],
                sealed_at=NOON + timedelta(seconds=head.height),
                cursor=head.cursor + len(block),
            )
            for place, invoice in enumerate(block, head.size):
                self.index[invoice.document] = place
            self.invoices += block


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Made once: the tests only read it."""
    return City(tmp_path_factory.mktemp("city"))


def outcome_of(proof: Proof) -> Outcome:
    """The code and the step of the refusal, ("ok", None) if it passes."""
    try:
        verify_proof(proof, KEY)
    except Problem as problem:
        step = problem.extra["step"]
        assert isinstance(step, int)
        return problem.code, step
    return "ok", None


def with_state(proof: Proof, leaf: StateLeaf | None, siblings: tuple[Digest, ...]) -> Proof:
    """The same proof with another word on the document's state."""
    return replace(proof, state=StateProof(leaf, siblings))


def test_every_proof_says_the_truth(city: City) -> None:
    assert len(city.invoices) == INVOICES
    expected = dict.fromkeys((invoice.document for invoice in city.reversed), FULL)
    assert len(expected) == REVERSED
    newest = city.books.log.latest_checkpoint()[0].size
    ends = set()
    for invoice in city.invoices:
        evidence = verify_proof(city.prove(invoice), KEY)
        assert evidence.hash == password_area(invoice.document)
        assert evidence.state == expected.get(invoice.document)
        assert (evidence.index, evidence.size) == (city.index[invoice.document], newest)
        assert evidence.reverses == (None if not invoice.reverses else anchor(invoice.reverses))
        ends.add(_end(city.prove(invoice)) if evidence.index % 50 == 0 else "")
    assert ends >= {"empty", "other leaf"}, "the proofs of absence end in both ways"


def _end(proof: Proof) -> str:
    leaf = proof.state.leaf
    if leaf is None:
        return "empty"
    return "own leaf" if leaf.key == anchor(proof.document) else "other leaf"


def test_what_the_verifier_reads_are_the_file_s_bytes(city: City) -> None:
    for invoice in [*city.reversed, *city.normal()[::100]]:
        proof = city.prove(invoice)
        assert parse_proof(proof.to_bytes()) == proof


def test_no_reversed_invoice_passes_as_normal(city: City) -> None:
    chance = random.Random(7)
    normal = city.normal()
    seen: dict[Outcome, int] = {}
    for invoice in city.reversed:
        proof, other = city.prove(invoice), _of_another(city, invoice, normal)
        beside = _of_another(city, invoice, city.reversed)
        assert verify_proof(proof, KEY).state == FULL
        bends = [
            *_with_bent_states(proof, other, beside),
            *_with_bent_siblings(proof, chance),
            *_with_older_seals(city, proof, city.before[invoice.document]),
        ]
        for name, bent, expected in bends:
            found = outcome_of(bent)
            assert found == expected, f"{invoice.document.hex()}: {name}"
            seen[found] = seen.get(found, 0) + 1
    assert set(seen) >= {
        *(("state_root", 7), ("state_elsewhere", 7), ("state_shape", 7), ("state_depth", 7)),
        *(("state_value", 7), ("seal_not_newest", 6), ("seal_kind", 6), ("signature", 3)),
        *(("root_mismatch", 5), ("anchor_mismatch", 2), ("hash_mismatch", 1)),
    }


def _of_another(city: City, invoice: Invoice, among: Sequence[Invoice]) -> Proof:
    """The proof of one whose state proof does not end at this invoice's own leaf.

    Keys that begin alike share a way: such a proof would say the truth of both.
    """
    chance = random.Random(invoice.document)
    while True:
        other = city.prove(chance.choice(among))
        if other.state.leaf is None or other.state.leaf.key != anchor(invoice.document):
            return other


def _with_bent_states(proof: Proof, other: Proof, beside: Proof) -> Iterator[Bend]:
    """Its own seal and checkpoint, and an untrue word about its state."""
    key, siblings = anchor(proof.document), proof.state.siblings
    yield "the leaf is dropped", with_state(proof, None, siblings), STATE_ROOT
    yield "the map is empty", with_state(proof, None, ()), STATE_ROOT
    for value in ({"reversal": "part"}, {"pledge": "pledged"}, {**FULL, "pledge": "pledged"}):
        bent = with_state(proof, StateLeaf(key, value), siblings)
        yield f"reversed as {value}", bent, STATE_ROOT
    nothing: tuple[dict[str, str], ...] = ({}, {"reversal": "none"}, {"reversal": ""}, {"": "full"})
    for value in nothing:
        bent = with_state(proof, StateLeaf(key, value), siblings)
        yield f"no state {value}", bent, ("state_value", 7)
    yield "another's proof of absence", replace(proof, state=other.state), _absent(key, other.state)
    yield "another's leaf", replace(proof, state=beside.state), _absent(key, beside.state)
    taken = with_state(proof, None, other.state.siblings)
    yield "siblings of another key", taken, STATE_ROOT
    assert beside.state.leaf is not None
    there = with_state(proof, beside.state.leaf, siblings)
    yield "another leaf stands there", there, _leads(key, beside.state.leaf.key, len(siblings))
    near = Digest(key[:-1] + bytes([key[-1] ^ 1]))
    for value in ({"reversal": "part"}, FULL):
        bent = with_state(proof, StateLeaf(near, value), siblings)
        yield "a made-up leaf on the same way stands there", bent, STATE_ROOT
    own = state_leaf_hash(StateLeaf(key, FULL))
    yield "its own leaf as the last sibling", with_state(proof, None, (*siblings, own)), STATE_ROOT
    yield "a fork for its leaf", with_state(proof, None, (*siblings, ZERO)), ("state_shape", 7)


def _absent(key: Digest, state: StateProof) -> Outcome:
    """How another key's whole proof fails: at its leaf, unless that is on the same way."""
    return STATE_ROOT if state.leaf is None else _leads(key, state.leaf.key, len(state.siblings))


def _leads(key: Digest, other: Digest, depth: int) -> Outcome:
    """A leaf off the key's way is told from its key, one on the way from the root alone."""
    mine, theirs = (int.from_bytes(one, "big") >> (256 - depth) for one in (key, other))
    return STATE_ROOT if mine == theirs else ELSEWHERE


def _with_bent_siblings(proof: Proof, chance: random.Random) -> Iterator[Bend]:
    """The way down cut, lengthened, put in another order, with and without the leaf."""
    siblings, leaf = proof.state.siblings, proof.state.leaf
    assert len(siblings) > 2
    at = chance.randrange(len(siblings))
    changed = Digest(bytes([siblings[at][0] ^ 1]) + siblings[at][1:])
    ways: dict[str, tuple[Digest, ...]] = {
        "the last cut off": siblings[:-1],
        "the first cut off": siblings[1:],
        "one taken out": siblings[:at] + siblings[at + 1 :],
        "one twice": siblings[: at + 1] + siblings[at:],
        "one changed": (*siblings[:at], changed, *siblings[at + 1 :]),
        "one more": (*siblings, sha256(b"more")),
        "one more before": (sha256(b"more"), *siblings),
        "turned round": siblings[::-1],
        "all alike": (siblings[0],) * len(siblings),
        "as deep as can be": siblings + (siblings[0],) * (256 - len(siblings)),
    }
    for name, way in ways.items():
        if way == siblings:
            continue
        ends_empty = way[-1] == ZERO
        expected: Outcome = ("state_shape", 7) if ends_empty else STATE_ROOT
        yield f"no leaf, {name}", with_state(proof, None, way), expected
        yield f"the leaf, {name}", with_state(proof, leaf, way), expected
    deep = (*siblings, *(siblings[0],) * (257 - len(siblings)))
    yield "too deep", with_state(proof, None, deep), ("state_depth", 7)


def _with_older_seals(city: City, proof: Proof, before: Proof) -> Iterator[Bend]:
    """What was true before the reversal, under what is signed now, and the other way round."""
    log = city.books.log
    size = log.latest_checkpoint()[0].size
    old_seal = replace(before.seal, path=tuple(log.inclusion(before.seal.index, size)))
    older = replace(proof, seal=old_seal, state=before.state)
    assert outcome_of(replace(proof, seal=old_seal)) == ("seal_not_newest", 6)
    yield "an older seal and its state", older, ("seal_not_newest", 6)
    yield "the older state", replace(proof, state=before.state), _absent_before(proof, before)
    pretended = replace(proof, seal=replace(proof.seal, entry=before.seal.entry))
    yield "the older seal in the newest's place", pretended, ("root_mismatch", 5)
    moved = replace(before.seal, index=size - 1, path=proof.seal.path)
    yield "the older seal as the last", replace(older, seal=moved), ("root_mismatch", 5)
    yield "its entry as the seal", replace(proof, seal=proof.placed), ("seal_kind", 6)
    forged = replace(proof.seal, entry=_without_states(proof.seal.entry))
    yield "a seal over the empty map", replace(proof, seal=forged), ("root_mismatch", 5)
    old_note = replace(proof, checkpoint=before.checkpoint)
    yield "the older checkpoint", old_note, _misplaced(proof, before)
    placed = replace(old_note, placed=before.placed)
    yield "the older checkpoint and path", placed, ("index_outside", 5)
    young = replace(placed, seal=before.seal)
    yield "the older checkpoint, path and seal", young, _absent_before(before, proof)
    mixed = replace(before, checkpoint=proof.checkpoint)
    yield "the newest checkpoint over the older rest", mixed, _misplaced(proof, before)
    text, _, line = proof.checkpoint.decode().rpartition("\n\n")
    _, _, old_line = before.checkpoint.decode().rpartition("\n\n")
    swapped = replace(proof, checkpoint=f"{text}\n\n{old_line}".encode())
    yield "signed as the older one", swapped, ("signature", 3)
    old_text = before.checkpoint.decode().rpartition("\n\n")[0]
    resigned = replace(before, checkpoint=f"{old_text}\n\n{line}".encode())
    yield "the older one, signed as the newest", resigned, ("signature", 3)
    yield from _as_another(proof, city.prove(city.invoices[0]))


def _as_another(proof: Proof, other: Proof) -> Iterator[Bend]:
    """An honest proof of a normal invoice, shown as this one's."""
    if other.document == proof.document:
        return
    yield "another's proof, my groups", replace(other, groups=proof.groups), ("hash_mismatch", 1)
    mine = replace(other, groups=proof.groups, document=proof.document)
    yield "another's proof, my groups and hash", mine, ("anchor_mismatch", 2)
    entry = replace(other.placed, entry=proof.placed.entry)
    yield "my entry in another's place", replace(mine, placed=entry), ("root_mismatch", 4)


def _absent_before(proof: Proof, state_of: Proof) -> Outcome:
    """Another block's word on this invoice, under this proof's seal."""
    return _absent(anchor(proof.document), state_of.state)


def _misplaced(proof: Proof, before: Proof) -> Outcome:
    """A path of one size under the root of another."""
    alike = len(proof.placed.path) == len(before.placed.path)
    return ("root_mismatch" if alike else "path_length"), 4


def _without_states(seal: bytes) -> bytes:
    start = seal.index(b'"states":"') + len(b'"states":"')
    return seal[:start] + b"0" * 64 + seal[start + 64 :]


def test_an_older_proof_says_how_old_it_is(city: City) -> None:
    """Kept from before its reversal it still holds, as of a block that is not the newest."""
    newest = verify_proof(city.prove(city.reversed[0]), KEY)
    for invoice in city.reversed:
        evidence: Evidence = verify_proof(city.before[invoice.document], KEY)
        assert evidence.state is None
        assert evidence.size == city.normal_size < newest.size
        assert evidence.height < newest.height
        assert evidence.sealed_at < newest.sealed_at


def test_no_normal_invoice_passes_as_reversed(city: City) -> None:
    chance = random.Random(8)
    for invoice in chance.sample(city.normal(), SAMPLE):
        proof = city.prove(invoice)
        beside = city.prove(chance.choice(city.reversed))
        while beside.state == proof.state:  # at whose leaf this one's way ends: it is the truth
            beside = city.prove(chance.choice(city.reversed))
        assert verify_proof(proof, KEY).state is None
        for name, bent, expected in _claimed_reversed(proof, beside):
            assert outcome_of(bent) == expected, f"{invoice.document.hex()}: {name}"


def _claimed_reversed(proof: Proof, beside: Proof) -> Iterator[Bend]:
    """The ways to say of a normal invoice that it has been reversed."""
    key, siblings = anchor(proof.document), proof.state.siblings
    leaf = StateLeaf(key, FULL)
    assert beside.state.leaf is not None
    yield "a leaf is put in", with_state(proof, leaf, siblings), STATE_ROOT
    yield "alone in the map", with_state(proof, leaf, ()), STATE_ROOT
    yield (
        "reversed in part",
        with_state(proof, StateLeaf(key, {"reversal": "part"}), siblings),
        (STATE_ROOT),
    )
    taken = with_state(proof, leaf, beside.state.siblings)
    yield "the siblings of a reversed one", taken, STATE_ROOT
    whole = replace(proof, state=beside.state)
    yield "the state of a reversed one", whole, _absent(key, beside.state)
    if proof.state.leaf is not None:
        renamed = with_state(proof, StateLeaf(key, proof.state.leaf.value), siblings)
        yield "the leaf that stands there, renamed", renamed, STATE_ROOT
        split = with_state(proof, leaf, (*siblings, state_leaf_hash(proof.state.leaf)))
        yield "beside the leaf that stands there", split, STATE_ROOT
    yield "one level higher", with_state(proof, leaf, siblings[:-1]), _shape(siblings[:-1])
    yield "one level deeper", with_state(proof, leaf, (*siblings, ZERO)), ("state_shape", 7)


def _shape(siblings: tuple[Digest, ...]) -> Outcome:
    return ("state_shape", 7) if siblings and siblings[-1] == ZERO else STATE_ROOT
