"""Acts: who did what, when and from where, allowed or refused; a chain of digests ties them."""

from typing import Final, Literal, TypeAlias, get_args

import msgspec

from chain import canonical
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
    "log_key",
    "wallet_key",
    "encryption",
    "erasure",
    "report",
    "role",
    "proposal",
    "lookup",
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
