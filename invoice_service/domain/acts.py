"""Acts: who did what, when and from where, allowed or refused; a chain of digests ties them."""

from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from chain import canonical
from chain.commitment import act_digest
from chain.entry import ACT_TYPES as IN_LOG
from chain.entry import ActType as InLog
from chain.entry import act_entry, format_time
from chain.hashing import Digest, sha256

ActType: TypeAlias = Literal[
    "init",
    "setup",
    "admission",
    "suspension",
    "quota",
    "key",
    "key_revocation",
    "key_replacement",
    "person",
    "invitation",
    "credential",
    "sign_in",
    "sign_out",
    "till",
    "shift",
    "menu",
    "return",
    "orders_file",
    "people_key",
    "access",
    "clock",
    "refusals",
    "finding",
    "consent",
    "log_key",
    "wallet_key",
    "encryption",
    "erasure",
    "report",
    "role",
    "proposal",
    "lookup",
    "trail",
]
"""What is done: docs/api.md, "The trail", says what stands in ``before`` and ``after`` of each."""

Outcome: TypeAlias = Literal["begun", "done", "refused"]
Said: TypeAlias = dict[str, int | str]
"""What holds of a subject; what is not said is absent, never null."""

ACT_TYPES: Final[tuple[str, ...]] = get_args(ActType)
UNKNOWN: Final = "unknown"
"""Whoever has shown no key that we know, or came from no address."""

CLAIMER: Final = "claimer"
"""Whoever has claimed the invoice: their browser's secret says so, and no more is kept of them."""

SERVICE: Final = "service"
"""The service itself: nobody asked for it."""

LOGGED_VERSION: Final = 1
"""Of the documents of acts that the log commits to."""

_MERCHANT: Final = "merchant"
_PREFIX: Final = b"fapiao/v1/trail\n"


class By(msgspec.Struct, frozen=True):
    """Who acts (``key:7``, ``person:3``, ``machine:<user>``, ``setup``), and when, unix seconds.

    ``origin`` is the address from which; empty on the machine itself.
    """

    actor: str
    at: int
    origin: str = ""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act. ``code`` says why it was refused; ``before`` and ``after``, what it changed."""

    at: int
    actor: str
    origin: str = ""
    type: ActType
    subject: str
    outcome: Outcome = "done"
    code: str = ""
    before: Said = {}
    after: Said = {}
    reason: str = ""


class LoggedAct(msgspec.Struct, frozen=True):
    """An act of which the log has an entry, or will have one.

    ``seq`` counts such acts from 1, ``trail`` is the act's place in the trail. ``document`` holds
    the canonical bytes to which, with ``salt``, the entry commits.
    """

    seq: int
    trail: int
    type: str
    subject: str
    salt: bytes
    document: bytes
    commitment: Digest

    def entry(self) -> bytes:
        """Return the log entry that commits to it. Raises MalformedError."""
        return act_entry(msgspec.convert(self.type, InLog), self.commitment)


class Recorded(msgspec.Struct, frozen=True):
    """An act at its place in the trail; ``hash`` covers it and, through them, all before it."""

    seq: int
    act: Act
    hash: Digest


def act_by(
    by: By,
    type_: ActType,
    subject: str,
    *,
    before: Said | None = None,
    after: Said | None = None,
    outcome: Outcome = "done",
    code: str = "",
    reason: str = "",
) -> Act:
    """The act of ``by``."""
    return Act(
        at=by.at,
        actor=by.actor,
        origin=by.origin,
        type=type_,
        subject=subject,
        outcome=outcome,
        code=code,
        before=before or {},
        after=after or {},
        reason=reason,
    )


def act_hash(previous: Digest, seq: int, act: Act) -> Digest:
    """The digest of the act at ``seq``, after one with the digest ``previous`` (ZERO: none)."""
    said = {name: value for name, value in msgspec.structs.asdict(act).items() if value != ""}
    said = {name: value for name, value in said.items() if value != {}}
    return sha256(_PREFIX + previous + canonical.encode({"seq": seq, **said}))


def is_logged(act: Act) -> bool:
    """Whether the log commits to the act: to decisions, and not to what was only tried."""
    return act.type in IN_LOG and act.outcome == "done"


def act_document(act: Act, previous: Digest | None) -> bytes:
    """The canonical document of an act; ``previous`` is the commitment to its subject's last one.

    What an act does not say is absent. From where somebody acted is for the trail alone.
    """
    said = {
        "version": LOGGED_VERSION,
        "type": act.type,
        "at": format_time(datetime.fromtimestamp(act.at, UTC)),
        "by": act.actor,
        "subject": act.subject,
        "before": act.before,
        "after": act.after,
        "reason": act.reason,
        "previous": "" if previous is None else previous.hex(),
    }
    return canonical.encode({name: value for name, value in said.items() if value not in ("", {})})


def logged_act(seq: int, trail: int, act: Act, salt: bytes, previous: Digest | None) -> LoggedAct:
    """The act as the log commits to it, behind 16 random bytes of salt."""
    document = act_document(act, previous)
    commitment = act_digest(salt, document)
    return LoggedAct(seq, trail, act.type, act.subject, salt, document, commitment)


def concerned(act: Act) -> int | None:
    """The merchant whom an act concerns: its subject, or whom it names; None for nobody."""
    kind, _, number = act.subject.partition(":")
    if kind == _MERCHANT and number.isascii() and number.isdigit():
        return int(number)
    named = act.after.get(_MERCHANT, act.before.get(_MERCHANT))
    return named if isinstance(named, int) else None
