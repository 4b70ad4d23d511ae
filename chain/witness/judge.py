"""A witness: it cosigns a checkpoint only if it continues the one that it cosigned last.

The protocol is C2SP tlog-witness, add-checkpoint. What is remembered goes to a store, the time
comes from a clock, both given; HTTP is elsewhere (``chain.witness.server``).
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from chain.hashing import Digest, to_digest
from chain.signing.checkpoint import Checkpoint
from chain.signing.cosignature import Signer
from chain.signing.note import Note, VerifierKey, open_note, parse_note
from chain.tree.merkle import MAX_SIZE, verify_consistency

MAX_REQUEST_BYTES: Final = 1 << 17
"""Room for 63 hashes and 16 signatures, post-quantum ones included."""

MAX_PROOF_LINES: Final = 63

Clock = Callable[[], int]
"""Tells the time in POSIX seconds."""

_OLD_LINE: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_CHECKPOINT_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Request:
    """A checkpoint, and the proof that it continues the one of ``old_size`` entries."""

    old_size: int
    proof: tuple[Digest, ...]
    note: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read what ``to_bytes`` writes; MalformedError ``witness_request`` for anything else."""
        if len(body) > MAX_REQUEST_BYTES:
            raise _unreadable(f"it is longer than {MAX_REQUEST_BYTES} bytes")
        head, gap, note = body.partition(b"\n\n")
        first, *proof = head.decode("ascii", "replace").split("\n")
        found = _OLD_LINE.fullmatch(first)
        if not gap or found is None or int(found[1]) > MAX_SIZE:
            raise _unreadable(
                "it begins with the line 'old <size>' and a proof up to an empty line"
            )
        if len(proof) > MAX_PROOF_LINES:
            raise _unreadable(f"its proof has more than {MAX_PROOF_LINES} lines")
        return cls(int(found[1]), tuple(map(_proof_hash, proof)), note)

    def to_bytes(self) -> bytes:
        """Return the body to post to ``<prefix>/add-checkpoint``."""
        lines = [f"old {self.old_size}", *(base64.b64encode(h).decode() for h in self.proof)]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.note


@dataclass(frozen=True, slots=True)
class Seen:
    """The latest checkpoint of a log that this witness has cosigned, and when (POSIX seconds).

    ``note`` holds the log's signatures and, below, one by each key of the witness.
    """

    checkpoint: Checkpoint
    time: int
    note: Note


@dataclass(frozen=True, slots=True)
class Inconsistent:
    """A checkpoint that its log has signed, and that did not continue what was seen; and why."""

    checkpoint: Checkpoint
    code: str
    note: Note


class SeenStore(Protocol):
    """What a witness needs to remember."""

    def update(self, origin: str, change: Callable[[Seen | None], Seen]) -> Seen:
        """Replace what was seen of a log by what ``change`` makes of it, and return that.

        No other update of this log comes in between, and the new state is durable when this
        returns. What ``change`` raises passes, and nothing has changed then. Raises
        UnavailableError ``disk_full`` and the like.
        """
        ...

    def keep(self, inconsistent: Inconsistent) -> None:
        """Keep what may prove that a log lied; there may be a limit to how much is kept."""
        ...

    def noted(self, origin_hash: str) -> bytes | None:
        """The note cosigned last of the log whose name has this SHA-256, in lower-case hex."""
        ...


class Witness:
    """One witness: its keys, the logs it knows, what it remembers. Safe for threads."""

    def __init__(
        self,
        cosigner: Signer,
        logs: Sequence[VerifierKey],
        store: SeenStore,
        clock: Clock,
        *others: Signer,
    ) -> None:
        """Know ``logs`` by their keys; several of one name are several keys of that log.

        ``others`` are further keys of this witness: each signs whatever ``cosigner`` signs.
        """
        self.name: Final = cosigner.verifier.name
        self._cosigners = (cosigner, *others)
        self._store = store
        self._clock = clock
        self._logs: dict[str, list[VerifierKey]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)

    def add_checkpoint(self, body: bytes) -> str:
        """Return the cosignature lines for the checkpoint in ``body``, or raise why not.

        1. the request can be read: else MalformedError;
        2. the checkpoint's log is known: else NotFoundError ``log_unknown``;
        3. the log signed it, by a key that is trusted: else RefusedError ``signature`` or
           ``signature_missing``;
        4. a tree without entries has the empty root: else VerificationError ``empty_root``;
        5. the old size is not above the checkpoint's: else MalformedError ``old_size_ahead``;
        6. the old size is that of the latest checkpoint cosigned: else ConflictError
           ``old_size``, whose ``extra["size"]`` is that size;
        7. the proof leads from that checkpoint to this one: else VerificationError;
        8. this one is stored as the latest, and only then its cosignatures leave.
        """
        request = Request.parse(body)
        note = self._open(request.note)
        checkpoint = read_checkpoint(note.text)
        if request.old_size > checkpoint.size:
            raise MalformedError("old_size_ahead", "the old size is above the checkpoint's")

        latest: Seen | None = None

        def change(seen: Seen | None) -> Seen:
            nonlocal latest
            latest = seen
            _check_old_size(seen, request)
            _check_continues(seen, request, checkpoint)
            return self._cosigned(seen, checkpoint, note)

        try:
            seen = self._store.update(checkpoint.origin, change)
        except (ConflictError, VerificationError) as refusal:
            if code := _suspicion(latest, checkpoint, refusal):
                self._store.keep(Inconsistent(checkpoint, code, note))
            raise
        own = seen.note.signatures[-len(self._cosigners) :]
        return "".join(signature.line() for signature in own)

    def latest(self, origin_hash: str) -> bytes | None:
        """The note cosigned last of the log whose name has this SHA-256, in hex."""
        return self._store.noted(origin_hash) if _HASH.fullmatch(origin_hash) else None

    def _open(self, data: bytes) -> Note:
        """Check the log's signatures, and leave out all others."""
        origin = parse_note(data).text.partition("\n")[0]
        keys = self._logs.get(origin)
        if keys is None:
            raise NotFoundError("log_unknown", "this witness does not know this log")
        try:
            return open_note(data, keys)
        except VerificationError as error:
            raise RefusedError(error.code, error.detail) from error

    def _cosigned(self, seen: Seen | None, checkpoint: Checkpoint, note: Note) -> Seen:
        now = self._clock()
        if now <= 0:
            raise UnavailableError("clock_wrong", "this witness does not know the time")
        time = now if seen is None else max(now, seen.time)  # a clock set back says nothing new
        own = (cosigner.cosign(note.text, time) for cosigner in self._cosigners)
        return Seen(checkpoint, time, Note(note.text, (*note.signatures, *own)))


def read_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint; those of other people's logs may have extension lines below."""
    lines = text.split("\n")[:-1]
    if not all(lines):
        raise MalformedError("checkpoint", "a checkpoint has no empty lines")
    return Checkpoint.parse("".join(f"{line}\n" for line in lines[:_CHECKPOINT_LINES]))


def _proof_hash(line: str) -> Digest:
    try:
        raw = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if base64.b64encode(raw).decode() != line:
        raise _unreadable("a line of its proof is not base64")
    try:
        return to_digest(raw)
    except MalformedError:
        raise _unreadable("a line of its proof is not a hash") from None


def _check_old_size(seen: Seen | None, request: Request) -> None:
    size = 0 if seen is None else seen.checkpoint.size
    if request.old_size != size:
        raise ConflictError(
            "old_size",
            f"the latest checkpoint cosigned has size {size}, not {request.old_size}",
            size=size,
        )


def _check_continues(seen: Seen | None, request: Request, new: Checkpoint) -> None:
    if seen is None or seen.checkpoint.size == 0:
        if request.proof:
            raise VerificationError("proof_from_nothing", "from an empty tree nothing is proved")
        return
    old = seen.checkpoint
    if old.size == new.size and old.root != new.root:
        raise VerificationError("root_differs", "another root of this size has been cosigned")
    verify_consistency(old.size, old.root, new.size, new.root, request.proof)


def _suspicion(
    seen: Seen | None, new: Checkpoint, refusal: ConflictError | VerificationError
) -> str:
    """Why a refused checkpoint is worth keeping, or "": two roots of one size are proof enough."""
    if seen is not None and seen.checkpoint.size == new.size:
        return "root_differs" if seen.checkpoint.root != new.root else ""
    return refusal.code if isinstance(refusal, VerificationError) else ""


def _unreadable(why: str) -> MalformedError:
    return MalformedError("witness_request", f"this is not a request to cosign: {why}")
