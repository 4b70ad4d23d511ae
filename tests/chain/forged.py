"""Proofs from trees made by hand, honest or not, by the slow definitions alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chain import canonical
from chain.commitment import anchor, group_digest, password_area
from chain.entry import anchor_entry, seal_entry
from chain.hashing import ZERO, Digest, leaf_hash, sha256
from chain.proof.file import Group, HiddenGroup, Placed, Proof, ShownGroup
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import SignerKey, parse_note
from chain.signing.receipt import with_receipts
from chain.tree.merkle_slow import slow_inclusion_path, slow_root
from chain.tree.states import StateLeaf, StateProof, state_leaf_hash, state_node_hash
from tests.chain.books import DOCUMENTS, NOON, ORIGIN, SIGNER, digest_of, drafts_from, shown

BLUE = sha256(b"the document that is reversed")


@dataclass
class Forge:
    """A log of three blocks; the document stands at ``index``. Change what you like, then prove."""

    groups: dict[str, Group] = field(default_factory=shown)
    states: Digest = ZERO
    state: StateProof = field(default_factory=StateProof)
    signer: SignerKey = SIGNER
    index: int = 5
    seal_index: int = 10

    def __post_init__(self) -> None:
        self.document = digest_of(self.groups)
        first = [*drafts_from(0, 3), seal_entry(1, ZERO, 0, 3, NOON)]
        second = [*drafts_from(4, 1), self.mine(), *drafts_from(6, 1)]
        seal = seal_entry(2, leaf_hash(first[3]), 4, 3, NOON)
        newest = seal_entry(3, leaf_hash(seal), 8, 2, NOON, self.states)
        third = [*drafts_from(8, 2), newest]
        self.entries = [*first, *second, seal, *third]

    def mine(self) -> bytes:
        """The document's entry."""
        return anchor_entry("invoice", anchor(self.document))

    def note(self) -> bytes:
        """The signed checkpoint over the entries as they are."""
        root = slow_root(leaves(self.entries))
        return sign_checkpoint(Checkpoint(ORIGIN, len(self.entries), root), self.signer)

    def proof(self) -> Proof:
        """The proof that the entries give, whatever they say."""
        return Proof(
            document=self.document,
            groups=self.groups,
            placed=self._place(self.index),
            checkpoint=self.note(),
            seal=self._place(self.seal_index),
            state=self.state,
        )

    def _place(self, index: int) -> Placed:
        path = slow_inclusion_path(leaves(self.entries), index)
        return Placed(self.entries[index], index, tuple(path))


def leaves(entries: Sequence[bytes]) -> list[Digest]:
    """The leaf hash of each entry."""
    return [leaf_hash(entry) for entry in entries]


def hide(proof: Proof, names: Sequence[str]) -> dict[str, HiddenGroup]:
    """The named groups, hidden."""
    hidden = {}
    for name in names:
        group = proof.groups[name]
        assert isinstance(group, ShownGroup)
        hidden[name] = HiddenGroup(group_digest(name, group.salt, group.document))
    return hidden


def with_everything() -> Proof:
    """A proof that has all there can be: a reversal, a hidden group, a state beside another."""
    face = canonical.encode({"reverses": password_area(BLUE), "code": "144032609110"})
    groups = shown(DOCUMENTS | {"face": face})
    document = Forge(groups=groups).document
    leaf = StateLeaf(anchor(document), {"reimbursement": "locked"})
    other = sha256(b"everything that stands beside it")
    pair = [state_leaf_hash(leaf), other][:: -1 if leaf.key[0] & 0x80 else 1]
    forge = Forge(groups=groups, states=state_node_hash(*pair), state=StateProof(leaf, (other,)))
    forge.entries[5] = anchor_entry(
        "invoice", anchor(document), reverses=anchor(BLUE), reversal="full"
    )
    proof = forge.proof()
    return replace(proof, groups={**proof.groups, **hide(proof, ["buyer"])})


def with_receipt() -> Proof:
    """The same under a checkpoint that the log signed for receipts, too."""
    proof = with_everything()
    checkpoint = Checkpoint.parse(parse_note(proof.checkpoint).text)
    return replace(proof, checkpoint=sign_checkpoint(checkpoint, *with_receipts([SIGNER])))
