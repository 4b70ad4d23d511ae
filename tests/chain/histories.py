"""Logs that tell one history or another: checkpoints, proofs and requests to cosign, at will."""

from collections.abc import Sequence

from chain.hashing import Digest, leaf_hash
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import SignerKey, VerifierKey
from chain.tree.merkle import consistency_path
from chain.tree.merkle_slow import slow_root
from chain.witness.judge import Request
from tests.chain.trees import Leaves

ORIGIN = "history.example/log"
SIGNER = SignerKey(ORIGIN, bytes(range(32)))


class History:
    """A log of made-up entries, signed by ``signers`` under the name of the first."""

    def __init__(self, leaves: Sequence[Digest], *signers: SignerKey) -> None:
        self.leaves = list(leaves)
        self.signers = signers or (SIGNER,)
        self.origin = self.signers[0].name

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The keys by which its signatures are known."""
        return tuple(signer.verifier for signer in self.signers)

    def fork(self, at: int) -> "History":
        """A log that agrees with this one in its first ``at`` entries, and in no other."""
        other = [leaf_hash(b"another %d" % index) for index in range(at, len(self.leaves))]
        return History(self.leaves[:at] + other, *self.signers)

    def checkpoint(self, size: int) -> Checkpoint:
        """The checkpoint over the first ``size`` entries."""
        return Checkpoint(self.origin, size, slow_root(self.leaves[:size]))

    def note(self, size: int) -> bytes:
        """The same, signed."""
        return sign_checkpoint(self.checkpoint(size), *self.signers)

    def proof(self, old: int, new: int) -> tuple[Digest, ...]:
        """That the first ``old`` entries are those of ``new``; nothing from 0, as in requests."""
        return tuple(consistency_path(Leaves(self.leaves), old, new)) if old else ()

    def request(self, old: int, new: int) -> bytes:
        """The body that asks to cosign ``new`` entries, after ``old`` of them."""
        return Request(old, self.proof(old, new), self.note(new)).to_bytes()


def history(entries: int, *signers: SignerKey) -> History:
    """A log of so many entries."""
    return History([leaf_hash(b"entry %d" % index) for index in range(entries)], *signers)
