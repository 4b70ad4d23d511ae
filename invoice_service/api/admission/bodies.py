"""Applications and requests as callers send them, and as they are answered. Times UTC."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chain.entry import format_time
from invoice_service.domain.application import (
    ApplicationRequest,
    Credit,
    Risk,
    State,
    Step,
    Warning_,
)
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.quota import Quotas
from invoice_service.domain.reading import Wire
from invoice_service.services.admission.owner import Opening, OwnerState
from invoice_service.services.admission.ports import (
    Application,
    Comment,
    QuotaRequest,
    RequestKind,
    RequestState,
    Whose,
)

Fen = Annotated[int, Meta(ge=0, le=LARGEST)]
Version = Annotated[int, Meta(ge=1, le=LARGEST)]


class ApplyRequest(ApplicationRequest, frozen=True):
    """An application; sent twice with one ``nonce`` it is one."""

    nonce: str = ""


class TextRequest(Wire, frozen=True):
    """What somebody says."""

    text: str


class DecisionRequest(Wire, frozen=True):
    """A step, and what it needs; ``version`` is that of the application as it was seen."""

    version: Version
    decision: Step
    risk: Risk | None = None
    credit: Credit | None = None
    warning: Warning_ = ""
    batch: str = ""
    quota: Fen | None = None
    month_quota: Fen | None = None
    invoice_limit: Fen | None = None
    reason: str = ""
    rivals: Annotated[list[Version], Meta(max_length=10_000)] | None = None


class CommentBody(msgspec.Struct):
    """What was said, and by whom."""

    at: str
    whose: Whose
    text: str


class AccountRequest(Wire, frozen=True):
    """Who is to own the merchant's first account; nothing where somebody was named before."""

    name: str = ""
    login: str = ""


class AccountBody(msgspec.Struct, omit_defaults=True):
    """How it stands with the first account of a merchant that was admitted."""

    state: OwnerState
    until: str = ""
    login: str = ""


class InvitationBody(msgspec.Struct):
    """The link by which the owner sets a password, once."""

    invitation: str
    login: str
    expires_at: str


class ApplicationBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An application; what is not there yet, or was erased, is absent."""

    id: int
    version: int
    state: State
    at: str
    changed_at: str
    tax_id: str
    name: str
    industry: str
    district: str
    contact: str = ""
    address_phone: str = ""
    message: str = ""
    papers: tuple[int, ...] = ()
    paper_sha256: tuple[str, ...] = ()
    notice_until: str = ""
    risk: Risk | None = None
    credit: Credit | None = None
    warning: Warning_ = ""
    batch: str = ""
    reason: str = ""
    merchant: int | None = None
    account: AccountBody | None = None
    rivals: list[int] = []
    taken_by: int | None = None
    comments: list[CommentBody] = []


class AppliedBody(msgspec.Struct):
    """What leads back to an application, shown this once."""

    receipt: str
    link: str
    application: ApplicationBody


class ApplicationPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    applications: list[ApplicationBody]
    next: int | None


class NoticeBody(msgspec.Struct):
    """What the public sees of an application."""

    id: int
    name: str
    industry: str
    district: str
    date: str
    until: str


class NoticePage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    notices: list[NoticeBody]
    next: int | None


class NoticedBody(msgspec.Struct):
    """An objection has arrived."""

    application: int


class MoreRequest(Wire, frozen=True):
    """What a merchant asks for, and why; or to leave."""

    kind: RequestKind = "quota"
    quota: Fen | None = None
    month_quota: Fen | None = None
    invoice_limit: Fen | None = None
    reason: str = ""


class AnswerRequest(Wire, frozen=True):
    """Granted: as it was asked, or with these limits instead; or refused, with the reason."""

    version: Version
    granted: bool
    quota: Fen | None = None
    month_quota: Fen | None = None
    invoice_limit: Fen | None = None
    answer: str = ""


class MoreBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request; what was not asked for is absent."""

    id: int
    version: int
    merchant: int
    name: str
    kind: RequestKind
    at: str
    state: RequestState
    quota: int | None = None
    month_quota: int | None = None
    invoice_limit: int | None = None
    reason: str = ""
    answer: str = ""
    answered_at: str = ""


class MorePage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    requests: list[MoreBody]
    next: int | None


def quotas_of(asked: DecisionRequest | MoreRequest | AnswerRequest) -> Quotas:
    """The limits that a body names."""
    return Quotas(
        quota=asked.quota, month_quota=asked.month_quota, invoice_limit=asked.invoice_limit
    )


def application_body(
    found: Application, account: Opening | None = None, *, public: bool = True
) -> ApplicationBody:
    """As officials are answered; without what strangers said, as its applicant is (``public``).

    ``account`` is that of a merchant that was admitted.
    """
    said = [one for one in found.comments if public or one.whose != "public"]
    return ApplicationBody(
        id=found.id,
        version=found.version,
        state=found.state,
        at=time_text(found.at),
        changed_at=time_text(found.changed_at),
        tax_id=found.tax_id,
        name=found.name,
        industry=found.industry,
        district=found.district,
        contact=found.contact,
        address_phone=found.address_phone,
        message=found.message,
        papers=tuple(paper.number for paper in found.papers),
        paper_sha256=tuple(paper.digest.hex() for paper in found.papers),
        notice_until="" if found.notice_until is None else time_text(found.notice_until),
        risk=found.risk if public else None,
        credit=found.credit if public else None,
        warning=found.warning if public else "",
        batch=found.batch,
        reason=found.reason,
        merchant=found.merchant_id,
        account=None if account is None or found.merchant_id is None else _account(account),
        rivals=[one.id for one in found.rivals] if public else [],
        taken_by=found.taken_by if public else None,
        comments=[_comment(one) for one in said],
    )


def request_body(found: QuotaRequest) -> MoreBody:
    """A merchant's request as it is answered."""
    return MoreBody(
        id=found.id,
        version=found.version,
        merchant=found.merchant_id,
        name=found.merchant,
        kind=found.kind,
        at=time_text(found.at),
        state=found.state,
        **msgspec.structs.asdict(found.quotas),
        reason=found.reason,
        answer=found.answer,
        answered_at="" if found.answered_at is None else time_text(found.answered_at),
    )


def time_text(seconds: int) -> str:
    """Unix seconds as RFC 3339 in UTC."""
    return format_time(datetime.fromtimestamp(seconds, UTC))


def _account(opening: Opening) -> AccountBody:
    until = "" if opening.until is None else time_text(opening.until)
    return AccountBody(opening.state, until, opening.login)


def _comment(one: Comment) -> CommentBody:
    return CommentBody(time_text(one.at), one.whose, one.text)
