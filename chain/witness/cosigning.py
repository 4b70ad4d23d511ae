"""Having the newest checkpoint cosigned: ask, keep what comes, publish what the policy allows.

Nothing here decides what is true. A witness that is away delays nothing that the policy does
not require; one that contradicts us is told to the operator, and stops us from signing on only
if the policy could not be met without it.
"""

from collections.abc import Collection, Sequence
from contextlib import closing, suppress
from time import monotonic
from typing import Final, Protocol

from chain.block import StoredCheckpoint
from chain.errors import Problem, UnavailableError, VerificationError
from chain.hashing import Digest
from chain.log.publish import Publisher, PublishStore, checkpoint_of
from chain.signing.note import Note, parse_note
from chain.signing.policy import Policy
from chain.tree.merkle import NodeReader, consistency_path
from chain.witness.client import Answer, Gathered, Limits, Witnesses
from chain.witness.judge import read_checkpoint

PATIENCE: Final = 10.0
"""Seconds until a witness that the policy can do without is asked again for the same."""

_CONTRADICTED: Final = (409, 422)
"""Statuses of a refusal by who has cosigned a tree which this one does not continue."""


class Consistent(Protocol):
    """What proves to a witness that the log only grew."""

    def consistency(self, old_size: int, new_size: int) -> list[Digest]:
        """The proof that the log of ``new_size`` only adds to that of ``old_size``."""
        ...


class Cosigning:
    """Asks a policy's witnesses on behalf of one log. For one thread; several may exist."""

    def __init__(
        self,
        store: PublishStore,
        log: Consistent,
        publisher: Publisher,
        policy: Policy,
        witnesses: Witnesses,
    ) -> None:
        """``witnesses`` are those of ``policy``, which the publisher goes by, too."""
        self._store = store
        self._log = log
        self._publisher = publisher
        self._policy = policy
        self._witnesses = witnesses
        self._confirmed = False
        self._asked: tuple[StoredCheckpoint | None, float] | None = None

    def close(self) -> None:
        """Close the connections to the witnesses."""
        self._witnesses.close()

    def confirm(self) -> Gathered | None:
        """Once in a process, before its first signature: is our history the one that they saw?

        A database restored from an old copy would make us sign a second history, and its own
        checkpoint would not tell. So the quorum has to cosign the last signed checkpoint anew.
        Raises VerificationError ``log_rolled_back`` when those who contradict us leave too few;
        UnavailableError ``witnesses_away`` while too few answer: nothing could be published now.
        """
        signed = None if self._confirmed else self._publisher.signed()
        if signed is None:
            return None
        bare = StoredCheckpoint(signed.size, _uncosigned(signed.note, self._policy))
        gathered = self._gather(bare)
        self._refuse_contradiction(gathered)
        # There may be witnesses that do not cosign the empty tree.
        if signed.size and not self._policy.met_by(gathered.cosignatures):
            raise UnavailableError(
                "witnesses_away", "too few witnesses confirm the log: " + _told(gathered.answers)
            )
        self._confirmed = True
        return gathered

    def run(self) -> Gathered | None:
        """Ask who has not cosigned the newest signed checkpoint, and publish what can be.

        None when there was nobody to ask. Raises VerificationError ``log_rolled_back`` as
        ``confirm``, and as ``Log.publish``.
        """
        signed = self._publisher.signed()
        if signed is None or not signed.size or self._is_early(signed):
            return None
        gathered = self._gather(signed)
        self._asked = self._publisher.signed(), monotonic()
        if not gathered.answers:
            return None
        self._refuse_contradiction(gathered)
        return gathered

    def _is_early(self, signed: StoredCheckpoint) -> bool:
        """Whether the same was asked just now, and is published without those that are missing."""
        if self._asked is None or self._asked[0] != signed:
            return False
        published = self._publisher.published()
        done = published is not None and published[0].size == signed.size
        return done and monotonic() - self._asked[1] < PATIENCE

    def _gather(self, signed: StoredCheckpoint) -> Gathered:
        size = checkpoint_of(signed).size

        def keep(answer: Answer) -> None:
            with suppress(Problem):  # on a thread of its own; what is lost is asked for again
                self._store.add_signatures(size, answer.cosignatures.values())

        def publish(answers: Sequence[Answer]) -> None:
            """Keep what came, and publish: nobody waits for a witness that is not needed."""
            lines = [line for answer in answers for line in answer.cosignatures.values()]
            # A crash before this returns loses cosignatures: the witnesses give them again.
            self._store.add_signatures(size, lines)
            self._publisher.put()

        gathered = self._witnesses.gather(
            signed.note,
            sizes={
                key: self._store.signed_size(key.name, key.key_id) for key in self._policy.witnesses
            },
            prove=lambda old: self._log.consistency(old, size),
            enough=publish,
            late=keep,
        )
        publish(gathered.answers)
        return gathered

    def contradictions(self, gathered: Gathered) -> tuple[Answer, ...]:
        """The answers of witnesses who have cosigned what our log is not, or not any more.

        None is who has cosigned what another worker of ours has signed meanwhile.
        """
        latest = self._store.latest_checkpoint()
        size = 0 if latest is None else latest.size
        return tuple(one for one in gathered.answers if _contradicts(one.problem, size))

    def _refuse_contradiction(self, gathered: Gathered) -> None:
        against = self.contradictions(gathered)
        keys = {key for answer in against for key in answer.keys}
        if keys and not self._policy.met_by([k for k in self._policy.witnesses if k not in keys]):
            raise VerificationError(
                "log_rolled_back",
                "witnesses have seen another history: was an older database restored? "
                + _told(against),
            )


def cosign_again(
    note: bytes, tree: NodeReader, policy: Policy, limits: Limits | None = None
) -> bytes:
    """Have somebody else's checkpoint cosigned anew; anybody may ask a witness for that.

    The time in a cosignature is when the witness saw the tree, so this shows that a log that
    stands still is what it was. ``tree`` proves to a witness that has seen less. Raises
    VerificationError ``log_has_grown`` when one has seen more; UnavailableError
    ``witnesses_away`` when none cosigns; MalformedError as ``parse_note``.
    """
    size = read_checkpoint(parse_note(note).text).size
    with closing(Witnesses(policy, limits or Limits(grace=Limits().exchange))) as witnesses:
        gathered = witnesses.gather(
            _uncosigned(note, policy),
            sizes=dict.fromkeys(policy.witnesses, size),
            prove=lambda old: consistency_path(tree, old, size),
        )
    if gathered.cosignatures:
        return gathered.note
    if any(one.problem and one.problem.code == "witness_ahead" for one in gathered.answers):
        raise VerificationError(
            "log_has_grown", "a witness has seen more of the log: " + _told(gathered.answers)
        )
    raise UnavailableError("witnesses_away", "no witness cosigns: " + _told(gathered.answers))


def _uncosigned(note: bytes, policy: Policy) -> bytes:
    """The note with the signatures of all its log's keys, and without those of the witnesses."""
    parsed = parse_note(note)
    known = {(key.name, key.key_id) for key in policy.witnesses}
    own = (line for line in parsed.signatures if (line.name, line.key_id) not in known)
    return Note(parsed.text, tuple(own)).to_bytes()


def _contradicts(problem: Problem | None, size: int) -> bool:
    if problem is None:
        return False
    if problem.code == "witness_ahead":
        return int(problem.extra.get("size", 0)) > size
    return problem.code == "witness_refused" and problem.extra.get("status") in _CONTRADICTED


def _told(answers: Collection[Answer]) -> str:
    return "; ".join(str(answer) for answer in answers if answer.problem is not None)
