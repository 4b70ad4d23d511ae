"""Proofs of acts from trees made by hand, honest or not, by the slow definitions alone."""

from dataclasses import dataclass
from typing import Any

from chain import canonical
from chain.commitment import act_digest
from chain.entry import act_entry, seal_entry
from chain.hashing import ZERO, leaf_hash, sha256
from chain.proof.act import ActProof
from chain.proof.file import Placed
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import SignerKey
from chain.tree.merkle_slow import slow_inclusion_path, slow_root
from tests.chain.books import NOON, ORIGIN, SIGNER, drafts_from
from tests.chain.forged import leaves

SALT = bytes(range(16))
ACT: dict[str, Any] = {
    "version": 1,
    "type": "suspension",
    "at": "2026-08-10T04:00:00Z",
    "by": "person:2",
    "subject": "merchant:7",
    "before": {"status": "active"},
    "after": {"status": "suspended", "until": 7},
    "reason": "地址不符",
    "previous": sha256(b"before").hex(),
}


@dataclass
class Forge:
    """A log of two blocks, made by hand; the act stands at 5. Change what you like, then prove."""

    document: bytes = canonical.encode(ACT)
    salt: bytes = SALT
    index: int = 5
    signer: SignerKey = SIGNER

    def __post_init__(self) -> None:
        first = [*drafts_from(0, 3), seal_entry(1, ZERO, 0, 3, NOON)]
        mine = act_entry("suspension", act_digest(self.salt, self.document))
        seal = seal_entry(2, leaf_hash(first[3]), 4, 3, NOON)
        self.entries = [*first, *drafts_from(4, 1), mine, *drafts_from(6, 1), seal]
        self.seal_index = len(self.entries) - 1

    def proof(self) -> ActProof:
        """The proof that the entries give, whatever they say."""
        root = slow_root(leaves(self.entries))
        note = sign_checkpoint(Checkpoint(ORIGIN, len(self.entries), root), self.signer)
        return ActProof(
            self.salt, self.document, self._place(self.index), note, self._place(self.seal_index)
        )

    def _place(self, index: int) -> Placed:
        path = slow_inclusion_path(leaves(self.entries), index)
        return Placed(self.entries[index], index, tuple(path))


BAD_DOCUMENTS: dict[str, Any] = {
    "another version": {"version": 2},
    "no type of the log's": {"type": "sign_in"},
    "no time": {"at": "2026-08-10 04:00"},
    "a time of another zone": {"at": "2026-08-10T12:00:00+08:00"},
    "nobody": {"by": ""},
    "of nothing": {"subject": ""},
    "nothing before": {"before": {}},
    "a list after": {"after": ["x"]},
    "a truth after": {"after": {"x": True}},
    "deeper": {"after": {"x": {"y": 1}}},
    "an empty reason": {"reason": ""},
    "a short previous": {"previous": "00"},
    "something else": {"origin": "192.0.2.7"},
}
"""What is no act, all else being as it should: members in the place of good ones."""
