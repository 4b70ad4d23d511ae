"""Asking witnesses for cosignatures: all at once, each within its time, none believed unchecked."""

import re
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Final, TypeAlias

from chain.deadline import Deadline
from chain.errors import (
    ConflictError,
    MalformedError,
    Problem,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from chain.exchange import Address, Reply
from chain.hashing import Digest
from chain.signing.cosignature import (
    MAX_LINES_BYTES,
    add_signatures,
    checked_cosignatures,
    open_cosignatures,
)
from chain.signing.note import Note, Signature, VerifierKey, parse_note
from chain.signing.policy import Policy
from chain.witness.judge import Request, read_checkpoint
from chain.witness.post import Poster

CALL: Final = "add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"

Prove: TypeAlias = Callable[[int], Sequence[Digest]]
"""Makes the consistency proof to the checkpoint from an earlier size that is not zero."""

_SIZE_BODY: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_OK, _CONFLICT = 200, 409
_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds: for all that passes with one witness, and to wait on once the quorum is met."""

    exchange: float = 5.0
    grace: float = 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking one witness: checked cosignatures, or the problem that it made.

    ``problem.code`` says which: ``witness_slow``, ``witness_unreachable``, ``witness_no_url``,
    ``witness_refused`` (with its ``status``), ``witness_ahead`` (it has cosigned a larger
    tree: was the log rolled back?), ``witness_moved``, ``witness_answer``,
    ``cosignature_lines``, ``signature``, ``signature_missing``; or what ``prove`` raised.
    """

    url: str
    keys: tuple[VerifierKey, ...]
    cosignatures: Mapping[VerifierKey, Signature] = field(default_factory=dict)
    problem: Problem | None = None

    def __str__(self) -> str:
        who = ", ".join(key.name for key in self.keys)
        return f"{who}: {'cosigned' if self.problem is None else self.problem}"


@dataclass(frozen=True, slots=True)
class Gathered:
    """A checkpoint with the cosignatures it has, old and new.

    ``met`` says whether they make the policy's quorum, ``cosignatures`` are the new ones, and
    ``answers`` tell what came of asking each witness that had not cosigned before.
    """

    note: bytes
    met: bool
    cosignatures: Mapping[VerifierKey, Signature]
    answers: tuple[Answer, ...]

    def failures(self) -> tuple[Answer, ...]:
        """The answers that brought nothing, each with its problem."""
        return tuple(answer for answer in self.answers if answer.problem is not None)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """Where to ask, and whose cosignatures must come back from there: one witness's, mostly."""

    address: Address
    keys: tuple[VerifierKey, ...]


class Witnesses:
    """The witnesses of a policy, to be asked again and again. Safe for threads."""

    def __init__(
        self, policy: Policy, limits: Limits | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """Raise MalformedError ``witness_url`` for an address that cannot be asked."""
        self._policy = policy
        self._limits = limits or Limits()
        self._poster = Poster(tls)
        self._endpoints = _endpoints(policy)
        self._nowhere = tuple(key for key in policy.witnesses if key not in policy.urls)

    def close(self) -> None:
        """Close the connections that are kept for the next time."""
        self._poster.close()

    def gather(
        self,
        note: bytes,
        *,
        sizes: Mapping[VerifierKey, int],
        prove: Prove,
        enough: Callable[[Sequence[Answer]], None] | None = None,
        late: Callable[[Answer], None] | None = None,
    ) -> Gathered:
        """Ask every witness that has not cosigned ``note`` yet; return with what has come.

        That is when all have answered, or the quorum has been met for the time of grace, or the
        time for an exchange is over. ``sizes`` are those of the trees that the witnesses have
        last cosigned, as far as known: a wrong one costs a second request. ``enough`` is handed
        what has come as soon as it makes the quorum, before the time of grace. Whoever cosigns
        after this has returned is handed to ``late``, from another thread, once. Raises
        MalformedError and VerificationError for a note that cannot be, what ``enough`` raises,
        and nothing else.
        """
        checkpoint = read_checkpoint(parse_note(note).text)
        had = checked_cosignatures(note, self._policy.witnesses)
        asked = [one for one in self._endpoints if not had.keys() >= set(one.keys)]
        proofs = _Proofs(prove, checkpoint.size)
        inbox = _Inbox(late)
        for endpoint in asked:
            old = max(sizes.get(key, 0) for key in endpoint.keys)
            errand = _Errand(self._poster, self._policy, endpoint, self._limits.exchange)
            arguments = (errand, _uncosigned(note, self._policy), old, proofs, inbox)
            threading.Thread(target=_run, args=arguments, daemon=True).start()
        answers = self._collect(inbox, asked, had.keys(), enough or _ignore)
        answers += [_no_url(key) for key in self._nowhere if key not in had]
        fresh = {key: line for answer in answers for key, line in answer.cosignatures.items()}
        met = self._policy.met_by({*had, *fresh})
        return Gathered(add_signatures(note, fresh.values()), met, fresh, tuple(answers))

    def _collect(
        self,
        inbox: "_Inbox",
        asked: Sequence[_Endpoint],
        had: Iterable[VerifierKey],
        enough: Callable[[Sequence[Answer]], None],
    ) -> list[Answer]:
        """Wait for answers as long as it makes sense; who has not answered by then was too slow."""
        cosigned = set(had)
        waiting = {endpoint.address.url: endpoint for endpoint in asked}
        answers: list[Answer] = []
        met = self._policy.met_by(cosigned)
        end = Deadline(self._limits.exchange)
        with suppress(TimeoutError, Empty):
            while waiting:
                if self._policy.met_by(cosigned):  # from the first time on, the grace runs out
                    end.restart(min(self._limits.grace, end.left()))
                answer = inbox.next(end.left())
                answers.append(answer)
                cosigned.update(answer.cosignatures)
                del waiting[answer.url]
                if waiting and not met and self._policy.met_by(cosigned):
                    met = True
                    enough(tuple(answers))
        for answer in inbox.close():
            answers.append(answer)
            del waiting[answer.url]
        return answers + [_too_slow(endpoint) for endpoint in waiting.values()]


class _Inbox:
    """Takes the answers as they come, and sends on what comes after closing time."""

    def __init__(self, late: Callable[[Answer], None] | None) -> None:
        self._late = late
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Answer] = SimpleQueue()
        self._closed = False

    def next(self, seconds: float) -> Answer:
        """Wait for the next answer; Empty when there is none in time."""
        return self._queue.get(timeout=seconds)

    def close(self) -> list[Answer]:
        """Return what has come and was not taken; from now on all are late."""
        with self._lock:
            self._closed = True
        return [self._queue.get() for _ in range(self._queue.qsize())]

    def put(self, answer: Answer) -> None:
        """Hand in an answer."""
        with self._lock:
            if not self._closed:
                self._queue.put(answer)
                return
        if self._late is not None and answer.cosignatures:
            self._late(answer)


class _Proofs:
    """Proofs to one checkpoint, each made once, however many witnesses need it."""

    def __init__(self, prove: Prove, size: int) -> None:
        self._prove = prove
        self._lock = threading.Lock()
        self._made: dict[int, tuple[Digest, ...]] = {0: (), size: ()}
        self.size = size

    def since(self, old: int) -> tuple[Digest, ...]:
        """The proof from the tree of ``old`` entries."""
        with self._lock:
            if old not in self._made:
                self._made[old] = tuple(self._prove(old))
            return self._made[old]


@dataclass(frozen=True, slots=True)
class _Errand:
    """Asking one witness for its cosignature of one checkpoint."""

    poster: Poster
    policy: Policy
    endpoint: _Endpoint
    seconds: float

    def ask(self, note: Note, old: int, proofs: _Proofs) -> dict[VerifierKey, Signature]:
        """Return checked cosignatures, one by this witness among them; raise a Problem if not."""
        deadline = Deadline(self.seconds)
        old = min(old, proofs.size)
        reply = self._post(note, old, proofs, deadline)
        if reply.status == _CONFLICT:
            old = _latest_size(reply, old, proofs.size)
            reply = self._post(note, old, proofs, deadline)
        if reply.status == _CONFLICT:
            raise ConflictError("witness_moved", "it has another size than it said a moment ago")
        if reply.status != _OK:
            raise _refused(reply)
        found = open_cosignatures(note.text, reply.body, self.policy.witnesses)
        if found.keys().isdisjoint(self.endpoint.keys):
            raise VerificationError("signature_missing", "its own cosignature is not there")
        return found

    def _post(self, note: Note, old: int, proofs: _Proofs, deadline: Deadline) -> Reply:
        body = Request(old, proofs.since(old), note.to_bytes()).to_bytes()
        return self.poster.post(self.endpoint.address, body, deadline, MAX_LINES_BYTES)


def _ignore(_: Sequence[Answer]) -> None:
    """Do nothing with what has come."""


def _run(errand: _Errand, note: Note, old: int, proofs: _Proofs, inbox: _Inbox) -> None:
    endpoint = errand.endpoint
    try:
        answer = Answer(endpoint.address.url, endpoint.keys, errand.ask(note, old, proofs))
    except Problem as problem:
        answer = Answer(endpoint.address.url, endpoint.keys, problem=problem)
    inbox.put(answer)


def _endpoints(policy: Policy) -> tuple[_Endpoint, ...]:
    """The places to ask: witnesses of one URL are asked once for all their cosignatures."""
    keys: dict[str, list[VerifierKey]] = {}
    for key in policy.witnesses:
        if key in policy.urls:
            keys.setdefault(policy.urls[key], []).append(key)
    return tuple(
        _Endpoint(Address.parse(url, CALL, "witness_url"), tuple(of)) for url, of in keys.items()
    )


def _uncosigned(note: bytes, policy: Policy) -> Note:
    """The note as its log signed it: no witness needs the others' cosignatures."""
    parsed = parse_note(note)
    cosigners = {(key.name, key.key_id) for key in policy.witnesses}
    mine = (line for line in parsed.signatures if (line.name, line.key_id) not in cosigners)
    return Note(parsed.text, tuple(mine))


def _latest_size(reply: Reply, sent: int, most: int) -> int:
    """Read which size the witness has cosigned last, from its 409."""
    found = _SIZE_BODY.fullmatch(reply.body) if reply.media_type == SIZE_TYPE else None
    size = sent if found is None else int(found[1])
    if size == sent == most:  # so said witnesses of tlog-witness 1.0 what others say by 422
        problem = "409 it has cosigned another root of this size"
        raise RefusedError("witness_refused", problem, status=reply.status)
    if size == sent:
        raise MalformedError("witness_answer", "its 409 does not say which other size it knows")
    if size > most:
        raise ConflictError(
            "witness_ahead",
            f"it has cosigned a tree of {size} entries, and this one has {most}",
            size=size,
        )
    return size


def _refused(reply: Reply) -> RefusedError:
    words = reply.body[:_SHOWN].decode("ascii", "replace").strip()
    shown = "".join(char if char.isprintable() else " " for char in words)
    return RefusedError("witness_refused", f"{reply.status} {shown}", status=reply.status)


def _too_slow(endpoint: _Endpoint) -> Answer:
    problem = UnavailableError("witness_slow", "it has not answered in time")
    return Answer(endpoint.address.url, endpoint.keys, problem=problem)


def _no_url(key: VerifierKey) -> Answer:
    problem = UnavailableError("witness_no_url", "the policy does not say where to ask it")
    return Answer("", (key,), problem=problem)
