"""The trail: writing an act that was refused, and reading what was done."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, get_args

import msgspec

from chain import canonical
from chain.errors import ConflictError, MalformedError, NotFoundError, RefusedError
from chain.hashing import ZERO, Digest, sha256
from invoice_service.domain.acts import Act, ActType, By, Recorded, Said, act_by
from invoice_service.domain.quota import Quotas
from invoice_service.domain.text import given_text

_PREFIX: Final = b"fapiao/v1/refusals\n"


Desk: TypeAlias = Literal["application", "quota_request", "proposal"]
"""What officials decide on: the subject of the acts about it begins so."""
DESKS: Final[tuple[Desk, ...]] = get_args(Desk)
ABOUT: Final[dict[tuple[str, str], Desk]] = {
    ("admission", "application"): "application",
    ("quota", "quota_request"): "quota_request",
    ("proposal", "proposal"): "proposal",
}
"""Type and beginning of the subject of an act, and which desk it is of."""

LONGEST_REASON: Final = 200  # characters

REFUSALS: Final = "refusals"
"""The subject of the acts that close hours."""

TRAIL: Final = "trail"
"""The subject of the acts that say what the trail came to; they are in the log."""
BOUND_WITHIN: Final = 600
"""Seconds that an act waits at most, while the worker runs, for one that binds it to the log."""

NEWEST: Final = 1 << 62
"""Beyond every place of an act."""


class ActFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts to list; None leaves a condition out. Unix seconds, ``until`` excluded."""

    subject: str | None = None
    actor: str | None = None
    type: str | None = None
    since: int | None = None
    until: int | None = None


class Head(NamedTuple):
    """The newest act's place and hash; 0 and ZERO when there is none."""

    seq: int
    hash: Digest

    def said(self) -> Said:
        """What an act says of the trail before it."""
        return {"acts": self.seq, "hash": self.hash.hex()}


class RefusalRow(msgspec.Struct, frozen=True):
    """How often one was refused within an hour; times in unix seconds."""

    id: int
    hour: int
    code: str
    who: str
    origin: str
    count: int
    first_at: int
    last_at: int

    def added_to(self, before: Digest) -> Digest:
        """The digest of an hour's rows up to this one, of which ``before`` is that of the others.

        ZERO before the first. Rows count in the order of their ids.
        """
        return sha256(_PREFIX + before + canonical.encode(msgspec.structs.asdict(self)))


class HourSums:
    """What an act says of an hour's refusals once it is closed: rows, their sum, their digest."""

    def __init__(self) -> None:
        self._rows = self._count = 0
        self._digest = ZERO

    def add(self, row: RefusalRow) -> None:
        """The next row, in the order of ids."""
        self._rows += 1
        self._count += row.count
        self._digest = row.added_to(self._digest)

    def said(self, hour: int) -> Said:
        """As the act says it."""
        return {
            "hour": hour,
            "rows": self._rows,
            "count": self._count,
            "digest": self._digest.hex(),
        }


class MerchantStanding(NamedTuple):
    """A merchant's row, and ``after`` of the newest act of each kind about it."""

    id: int
    tax_id: str
    particulars: str
    status: str
    quotas: Quotas
    batch: str
    suspension: Any
    allowance: Any
    admission: Any


class Decided(msgspec.Struct, frozen=True):
    """What an act of the trail says of a row that officials decide on."""

    at: int
    actor: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str


class DecisionStanding(NamedTuple):
    """The row of an application, a request or a proposal, and the acts about it, oldest first."""

    id: int
    row: dict[str, Any]
    acts: list[Decided]


class KeyStanding(NamedTuple):
    """A key's row, and ``after`` of the acts that made, last revoked and replaced it."""

    id: int
    role: str
    merchant_id: int | None
    revoked_at: int | None
    scopes: str | None
    expires_at: int | None
    till: str
    office: str | None
    person: int | None
    creation: Any
    revocation: Any
    replacement: Any


class PersonStanding(NamedTuple):
    """A person's row, and ``after`` of the newest act about role and removal."""

    id: int
    role: str
    merchant_id: int | None
    removed_at: int | None
    suspended_at: int | None
    said: Any


class BuyerStanding(NamedTuple):
    """A key of a person among the buyers: whose invoice's, and how it stands.

    ``sealed`` is whether the invoice has something under it, ``told`` whether an act erased it.
    """

    invoice: int
    gone: bool
    sealed: bool
    told: bool


class ActStore(Protocol):
    """Where acts are kept."""

    def record(self, act: Act) -> int:
        """Append an act by itself; returns its place."""
        ...


class TrailReader(Protocol):
    """Reading the trail."""

    def called(self, who: Iterable[str]) -> Mapping[str, str]:
        """Names of ``person:3``, ``key:7`` (whose it is) and ``merchant:1``, as far as known."""
        ...

    def acts(self, wanted: ActFilter, after: int, limit: int) -> list[Recorded]:
        """Matching acts with ``seq`` above ``after``, in order, ``limit`` at most."""
        ...

    def newest_acts(self, wanted: ActFilter, before: int, limit: int) -> list[Recorded]:
        """Matching acts with ``seq`` below ``before``, the newest first."""
        ...

    def refusals(
        self, since: int | None, until: int | None, after: int, limit: int
    ) -> list[RefusalRow]:
        """Counts of the hours from ``since`` to before ``until``, above the row ``after``."""
        ...


def in_acts(found: Iterable[Recorded]) -> set[str]:
    """By whom and to whom, of acts: for ``TrailReader.called``."""
    return {who for one in found for who in (one.act.actor, one.act.subject)}


def given_reason(text: str) -> str:
    """Why an official does something, as an act keeps it.

    MalformedError ``control_character``, ``text_damaged``, ``text_too_long``.
    """
    reason = given_text(text, "/reason")
    if len(reason) > LONGEST_REASON:
        raise MalformedError(
            "text_too_long",
            f"a reason has at most {LONGEST_REASON} characters",
            pointer="/reason",
            detail_zh=f"事由最多 {LONGEST_REASON} 个字符",
        )
    return reason


@contextmanager
def refusals_recorded(store: ActStore, by: By, type_: ActType, subject: str) -> Iterator[None]:
    """What is refused within becomes an act of its own, and is raised.

    A request that cannot be read is no act, and one that meets a database that cannot be used
    has no place to stand.
    """
    try:
        yield
    except (ConflictError, NotFoundError, RefusedError) as problem:
        store.record(act_by(by, type_, subject, outcome="refused", code=problem.code))
        raise
