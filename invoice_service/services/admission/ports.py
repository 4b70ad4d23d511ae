"""Applications and requests for quota as they are kept, and what keeps them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, Literal, Protocol, TypeAlias, get_args

import msgspec

from chain.hashing import sha256
from invoice_service.domain.acts import By
from invoice_service.domain.application import (
    ApplicationRequest,
    Credit,
    Finding,
    Risk,
    State,
    Step,
    Warning_,
)
from invoice_service.domain.quota import Quotas

Whose = Literal["applicant", "official", "public"]
RequestKind = Literal["quota", "leave"]
KINDS: Final[tuple[RequestKind, ...]] = get_args(RequestKind)
RequestState = Literal["open", "granted", "refused", "withdrawn"]
REQUEST_STATES: Final[tuple[RequestState, ...]] = get_args(RequestState)

Sha256: TypeAlias = bytes
APPLICANT: Final = "applicant"
"""Who acts with a receipt: no more is known of them."""
_MARK: Final = b"fapiao/erased-application@v1\n"


def erased_mark(receipt: bytes) -> bytes:
    """What stands for one that was withdrawn in the list of the erased (ADR 0047), by the digest
    of its receipt, which is no secret: no older copy brings it back.
    """
    return bytes(sha256(_MARK + receipt))


Listed: TypeAlias = Callable[[bytes], object]
"""Told the mark of an application before anything of it is erased."""


class Comment(msgspec.Struct, frozen=True):
    """What was said of an application, and by whom; unix seconds."""

    id: int
    at: int
    whose: Whose
    text: str


class Paper(msgspec.Struct, frozen=True):
    """A page of the register's paper, made anew as JPEG; ``name`` is that of its file.

    ``digest`` is the SHA-256 of these bytes; b"" of what older releases have kept.
    """

    number: int
    at: int
    bytes: int
    name: str
    digest: Sha256 = b""


class Rival(msgspec.Struct, frozen=True):
    """Another open application with the same tax id; unix seconds."""

    id: int
    name: str
    state: State
    at: int


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """An application; ``version`` grows with all but objections. Times in unix seconds.

    ``rivals`` and ``taken_by``, the merchant that has its tax id already, are for officials.
    """

    id: int
    version: int
    state: State
    at: int
    changed_at: int
    tax_id: str
    name: str
    industry: str
    district: str
    address_phone: str
    contact: str
    message: str
    notice_until: int | None = None
    risk: Risk | None = None
    credit: Credit | None = None
    warning: Warning_ = ""
    batch: str = ""
    reason: str = ""
    merchant_id: int | None = None
    papers: tuple[Paper, ...] = ()
    comments: tuple[Comment, ...] = ()
    rivals: tuple[Rival, ...] = ()
    taken_by: int | None = None

    @property
    def finding(self) -> Finding | None:
        """What was found of it; None before."""
        if self.risk is None or self.credit is None:
            return None
        return Finding(self.risk, self.credit, self.warning)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A step that an official takes, and what it needs.

    ``version`` is that of the application as the official has seen it. Whoever is admitted is
    offered the merchant's first account for ``offer_seconds``. To admit one refuses its
    ``rivals``: those whom the official has seen, None where nothing is said of that. Another one
    is told first, but where more than ``crowd`` compete: there it stays, and keeps nobody waiting.
    """

    step: Step
    version: int
    finding: Finding | None = None
    batch: str = ""
    quotas: Quotas = Quotas()
    reason: str = ""
    notice_days: int = 0
    offer_seconds: int = 0
    rivals: frozenset[int] | None = None
    crowd: int = 8


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """How much of applications is kept: open ones, bytes of papers in all, texts.

    Of those with one tax id the first ``rivals`` take up room among all (``open``); the others
    wait in a room of their own, as large (ADR 0064).
    """

    open: int
    paper_bytes: int
    papers: int = 12
    comments: int = 100
    objections: int = 50
    rivals: int = 8


class ApplicationStore(Protocol):
    """Keeps applications. Each decision writes its act of the trail with it, or neither."""

    def add_application(
        self,
        receipt: bytes,
        asked: ApplicationRequest,
        papers: Sequence[Paper],
        at: int,
        room: Room,
    ) -> bool:
        """Keep one; False where there is one under this receipt.

        ConflictError ``tax_id_taken``, ``application_pending``; RefusedError ``applications_full``.
        """
        ...

    def applied(self, receipt: bytes) -> Application | None:
        """The one of a receipt, by its digest."""
        ...

    def application(self, id_: int) -> Application | None:
        """The one with that number."""
        ...

    def applications(
        self,
        states: Collection[State],
        after: int,
        limit: int,
        *,
        noticed_at: int | None = None,
        text: str = "",
    ) -> list[Application]:
        """Those in these states above ``after``, in order, without comments and papers.

        With ``noticed_at``, only those whose notice runs then; with ``text``, those that have it in
        their name, whatever the case, or at the beginning of their tax id.
        """
        ...

    def application_counts(self) -> dict[State, int]:
        """How many there are in each state."""
        ...

    def competing(self, tax_ids: Collection[str]) -> dict[str, int]:
        """How many are open with each of these tax ids, where it is more than one."""
        ...

    def add_papers(self, id_: int, papers: Sequence[Paper], at: int, room: Room) -> list[str]:
        """Add pages to an open one, but for those that it has; the names of these.

        ConflictError ``application_closed``; RefusedError ``applications_full``; MalformedError
        ``too_many_pictures``.
        """
        ...

    def add_comment(self, id_: int, whose: Whose, text: str, at: int, room: Room) -> None:
        """Add what somebody says; ConflictError ``application_closed``.

        RefusedError ``applications_full`` for more than there is room for.
        """
        ...

    def decide(self, id_: int, decision: Decision, by: By) -> None:
        """Take a step.

        Admitting one refuses its rivals, in the same transaction. NotFoundError
        ``application_unknown``; ConflictError ``application_changed``,
        ``application_step``, ``notice_running``, ``application_risky``, ``paper_missing``,
        ``tax_id_taken``.
        """
        ...

    def withdraw_application(self, id_: int, by: By) -> list[str]:
        """End an open one, and take out what leads to people; ``application_closed``.

        Returns the names of its papers' files, which are nobody's any more.
        """
        ...


class QuotaRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant asks for more, or to leave; ``quotas`` is what it asks for."""

    id: int
    version: int
    merchant_id: int
    merchant: str
    kind: RequestKind
    at: int
    state: RequestState
    quotas: Quotas
    reason: str
    answer: str = ""
    answered_at: int | None = None


class QuotaRequestStore(Protocol):
    """Keeps what merchants ask for. Each answer writes its act with it, or neither."""

    def add_quota_request(
        self, merchant_id: int, kind: RequestKind, quotas: Quotas, reason: str, by: By
    ) -> QuotaRequest:
        """Keep one; ConflictError ``request_pending`` where one of its kind waits.

        RefusedError ``rate_limited`` for who has taken many back within a day, ``merchant_left``
        for who asks to leave and has.
        """
        ...

    def quota_requests(
        self, merchant_id: int | None, state: RequestState | None, after: int, limit: int
    ) -> list[QuotaRequest]:
        """Those above ``after``, in order; None for all merchants, or every state."""
        ...

    def quota_request(self, id_: int) -> QuotaRequest | None:
        """The one with that number."""
        ...

    def answer_quota_request(
        self, id_: int, version: int, granted: Quotas | None, answer: str, by: By
    ) -> None:
        """Grant these quotas (or let it leave), or refuse (None).

        NotFoundError ``request_unknown``; ConflictError ``request_changed``.
        """
        ...

    def withdraw_quota_request(self, id_: int, merchant_id: int, by: By) -> QuotaRequest:
        """Take back what this merchant asked for; again changes nothing.

        NotFoundError ``request_unknown``, also for another's; ConflictError ``request_changed``
        for one that is answered.
        """
        ...


class PaperFiles(Protocol):
    """Keeps pages as files."""

    def write(self, data: bytes) -> str:
        """Keep one, durably; returns the name of its file."""
        ...

    def read(self, name: str) -> bytes | None:
        """One of them; None where it is gone."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Take these away; what cannot be goes later."""
        ...
