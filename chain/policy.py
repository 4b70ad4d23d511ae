"""What a verifier demands beside the log's own signature: k of these witnesses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chain.errors import MalformedError, VerificationError
from chain.note import COSIGNATURE_V1, Signature, VerifierKey


@dataclass(frozen=True, slots=True)
class Policy:
    """At least ``quorum`` of ``witnesses`` must have cosigned a checkpoint."""

    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int = 0

    def __post_init__(self) -> None:
        """Refuse a policy that cannot be met, or that counts one key twice."""
        if any(key.kind != COSIGNATURE_V1 for key in self.witnesses):
            raise MalformedError("policy", "a witness signs with a cosignature key")
        if len({key.public for key in self.witnesses}) != len(self.witnesses):
            raise MalformedError("policy", "one key stands for two witnesses")
        if not 0 <= self.quorum <= len(self.witnesses):
            raise MalformedError("policy", "the quorum is from none to all of the witnesses")

    def cosigners(self, signatures: Sequence[Signature]) -> tuple[str, ...]:
        """Names of the witnesses among checked ``signatures``; VerificationError ``quorum``."""
        signed = {(signature.name, signature.key_id) for signature in signatures}
        names = tuple(key.name for key in self.witnesses if (key.name, key.key_id) in signed)
        if len(names) < self.quorum:
            raise VerificationError(
                "quorum", f"{len(names)} of the {self.quorum} witnesses needed have cosigned"
            )
        return names


NO_WITNESSES: Final = Policy()
"""The log's signature is enough."""
