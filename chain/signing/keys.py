"""The keys of one log over time, and which of them count for a checkpoint.

All have the log's name and differ in their ids. While one takes over from another both sign;
afterwards the older one is retired: it counts up to the checkpoint at which it was. A key that
was stolen is revoked and counts for nothing, since nobody can tell when its thief signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

from chain.errors import MalformedError, VerificationError
from chain.hashing import Digest
from chain.signing.es256 import WalletKey
from chain.signing.note import ED25519, Signature, VerifierKey


@dataclass(frozen=True, slots=True)
class Last:
    """The last checkpoint that a retired key counts for."""

    size: int
    root: Digest


@dataclass(frozen=True, slots=True)
class LogKey:
    """One key: it signs now, or was retired after ``last``, or is revoked."""

    verifier: VerifierKey
    last: Last | None = None
    revoked: bool = False

    @property
    def signs(self) -> bool:
        """Whether the log signs with it now."""
        return self.last is None and not self.revoked

    def counts(self, size: int, root: Digest) -> bool:
        """Whether its signature is worth something under a checkpoint of ``size`` and ``root``."""
        if self.revoked or self.last is None:
            return not self.revoked
        return size < self.last.size or (size == self.last.size and root == self.last.root)


@dataclass(frozen=True, slots=True)
class LogKeys:
    """All keys of the log ``origin`` that are known; of those that sign, the oldest stands first.

    ``promise`` holds the keys of its promises, ``wallet`` those that sign for wallets, the newest
    last, ``wallet_revoked`` those of them that were stolen or lost. MalformedError ``key_type``
    for a witness's key, ``key_ambiguous`` for one that stands twice; VerificationError
    ``origin_mismatch``.
    """

    origin: str
    keys: tuple[LogKey, ...]
    promise: tuple[VerifierKey, ...] = ()
    wallet: tuple[WalletKey, ...] = ()
    wallet_revoked: tuple[WalletKey, ...] = ()

    def __post_init__(self) -> None:
        if any(key.kind != ED25519 for key in (*self.verifiers, *self.promise)):
            # A witness's key says who has seen a log, not whose it is.
            raise MalformedError("key_type", "this is not the key of a log")
        if len({(key.name, key.key_id) for key in self.verifiers}) != len(self.keys):
            raise MalformedError("key_ambiguous", "a key of the log stands twice")
        if any(key.name != self.origin for key in self.verifiers):
            raise VerificationError("origin_mismatch", "these are keys of several logs")

    @classmethod
    def of(cls, *keys: VerifierKey) -> Self:
        """The keys of a log of which nothing else is known: all of them sign. Needs one or more."""
        return cls(keys[0].name, tuple(map(LogKey, dict.fromkeys(keys))))

    @property
    def verifiers(self) -> tuple[VerifierKey, ...]:
        """Every key, whatever it is worth."""
        return tuple(key.verifier for key in self.keys)

    @property
    def signing(self) -> tuple[VerifierKey, ...]:
        """The keys that sign now, the oldest first."""
        return tuple(key.verifier for key in self.keys if key.signs)

    def ever(self) -> Self:
        """The same keys, each as if it signed now: to read again what was accepted before."""
        return replace(self, keys=tuple(LogKey(key) for key in self.verifiers))

    def check(self, size: int, root: Digest, signatures: Sequence[Signature]) -> None:
        """Check that one of the keys behind these checked ``signatures`` counts here.

        Raises VerificationError ``key_retired`` or ``key_revoked`` when none does.
        """
        known = {(key.verifier.name, key.verifier.key_id): key for key in self.keys}
        signed = [known[who.name, who.key_id] for who in signatures]
        if any(key.counts(size, root) for key in signed):
            return
        if all(key.revoked for key in signed):
            raise VerificationError(
                "key_revoked",
                "only a key that was stolen or lost signed this checkpoint: ask for a newer one",
            )
        raise VerificationError(
            "key_retired", "a key signed this checkpoint that was no longer the log's by then"
        )


TrustedKeys: TypeAlias = VerifierKey | LogKeys
"""Who may have signed a log's checkpoint: one key, or all that is known of the log's keys."""


def keys_of(trusted: TrustedKeys) -> LogKeys:
    """The same as ``LogKeys``; errors as there."""
    return trusted if isinstance(trusted, LogKeys) else LogKeys.of(trusted)
