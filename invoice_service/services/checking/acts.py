"""Acts in the log: who is concerned is shown them and proven them, everybody how many there are."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from chain.entry import ACT_TYPES, ActEntry, act_key, parse_entry
from chain.errors import ConflictError, MalformedError, NotFoundError, VerificationError
from chain.hashing import Digest
from chain.proof.act import build_act_proof
from chain.signing.checkpoint import Checkpoint
from invoice_service.domain.acts import LoggedAct
from invoice_service.services.anchoring.acts import ActDocuments, last_in_log
from invoice_service.services.checking.prove import ProofLog
from invoice_service.services.records import damaged


class ActReader(ActDocuments, Protocol):
    """Reading the acts that the log commits to; ``merchant_id`` None is whoever is concerned."""

    def logged_acts(
        self, after: int, limit: int, merchant_id: int | None = None
    ) -> Sequence[LoggedAct]:
        """Return up to ``limit`` acts above ``after``, lowest first."""
        ...

    def logged_act(self, commitment: Digest, merchant_id: int | None = None) -> LoggedAct | None:
        """Return the act with this commitment."""
        ...

    def count_logged(self, through: int) -> dict[str, int]:
        """Return how many acts there are of each type, up to the one with that ``seq``."""
        ...


class CountLog(Protocol):
    """What counting needs of the log."""

    def find(self, key: bytes) -> int | None:
        """Return the index of the entry with this key."""
        ...

    def latest_checkpoint(self) -> tuple[Checkpoint, bytes]:
        """Return the published checkpoint and its note."""
        ...


class ActCounts(NamedTuple):
    """How many acts of each type are among the first ``size`` entries of the log ``origin``."""

    origin: str
    size: int
    counts: dict[str, int]

    def total(self) -> int:
        """Of all types."""
        return sum(self.counts.values())


def count_acts(acts: ActReader, log: CountLog, size: int | None = None) -> ActCounts:
    """Count what the published log has, without reading it: its entries come in the acts' order.

    With ``size``, what it had when it had so many entries, at most those of the checkpoint.

    ``fapiao acts`` counts the log itself, and ``fapiao audit`` holds one against the other. Raises
    NotFoundError ``no_checkpoint``.
    """
    checkpoint = log.latest_checkpoint()[0]
    size = checkpoint.size if size is None else min(size, checkpoint.size)
    found = acts.count_logged(last_in_log(acts, log, size))
    return _counts(checkpoint.origin, size, found)


def count_entries(
    checkpoint: Checkpoint, bundles: Iterable[Sequence[bytes]], tell: Callable[[int], None]
) -> ActCounts:
    """Count the entries themselves; ``tell`` hears of how many have been read."""
    found: dict[str, int] = {}
    for entries in bundles:
        for data in entries:
            entry = parse_entry(data) if b'"kind":"act"' in data else None
            if isinstance(entry, ActEntry):
                found[entry.type] = found.get(entry.type, 0) + 1
        tell(len(entries))
    return _counts(checkpoint.origin, checkpoint.size, found)


def prove_act(acts: ActReader, log: ProofLog, commitment: Digest, merchant_id: int | None) -> bytes:
    """The proof file of an act, for the merchant whom it concerns, or an official (None).

    Raises NotFoundError ``act_unknown``, also of an act that concerns others; ConflictError
    ``not_in_log`` or ``not_published`` while it waits; UnavailableError ``record_damaged``.
    """
    act = acts.logged_act(commitment, merchant_id)
    if act is None:
        raise NotFoundError("act_unknown", "there is no such act")
    index = log.find(act_key(commitment))
    if index is None:
        raise ConflictError("not_in_log", "this act is not in the log yet; try again")
    try:
        return build_act_proof(log, index, act.salt, act.document).to_bytes()
    except (MalformedError, VerificationError, NotFoundError) as problem:
        raise damaged(f"the log cannot prove entry {index}: {problem}") from problem


def _counts(origin: str, size: int, found: dict[str, int]) -> ActCounts:
    return ActCounts(origin, size, {name: found.get(name, 0) for name in ACT_TYPES})
