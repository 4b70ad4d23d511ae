"""Applications and requests for quota: what is sent, what is answered."""

from typing import Final, Literal

from invoice_service.api.admission.applicants import MOST, RECEIPT
from invoice_service.api.admission.bodies import (
    AccountRequest,
    AnswerRequest,
    ApplicationBody,
    ApplicationPage,
    AppliedBody,
    ApplyRequest,
    DecisionRequest,
    InvitationBody,
    MoreBody,
    MorePage,
    MoreRequest,
    NoticedBody,
    NoticePage,
    TextRequest,
)
from invoice_service.domain.application import (
    CREDITS,
    LONGEST_MESSAGE,
    RISKS,
    STATES,
    STEPS,
    WARNINGS,
)
from invoice_service.domain.bounds import LARGEST
from invoice_service.openapi.operation import (
    JSON,
    LOOKING,
    OCTETS,
    PURPOSE,
    STORE,
    TAX_ID,
    Operation,
    Parameter,
    Shapes,
    Words,
    page,
    says,
    whole,
)
from invoice_service.services.admission.bench import LONGEST_BATCH, LONGEST_REASON, LONGEST_SEARCH
from invoice_service.services.admission.owner import OWNER_STATES
from invoice_service.services.admission.ports import KINDS, REQUEST_STATES
from invoice_service.services.people.person import LONGEST_NAME
from invoice_service.services.people.roles import Power

_TIME: Final = {"format": "date-time"}
_ASKED: Final = {
    "tax_id": says(
        "18 digits and capital letters, the last a check digit (GB 32100-2015)", pattern=TAX_ID
    ),
    "name": says("As in the register", minLength=1, maxLength=100),
    "industry": says("A group or class of GB/T 4754-2017", pattern="^[0-9]{3,4}$"),
    "district": says("A district of Shenzhen by GB/T 2260", pattern="^4403[0-9]{2}$"),
    "address_phone": says("As it is to be printed on invoices", maxLength=100),
    "message": says("What the office should know", maxLength=LONGEST_MESSAGE),
}
_FOUND: Final = {
    "risk": says("What the official found", enum=[*RISKS]),
    "credit": says("Tax credit class", enum=[*CREDITS]),
    "warning": says("`blue`, `yellow` or `red`; absent for none", enum=[*WARNINGS]),
    "batch": says("The pilot's batch", maxLength=LONGEST_BATCH),
}
_LIMITS: Final = {
    "quota": says("Blue invoices in all"),
    "month_quota": says("Money in a calendar month of Shenzhen, fen without tax"),
    "invoice_limit": says("The most on one invoice, fen without tax"),
}

WORDS: Final[Words] = {
    **{f"ApplyRequest.{name}": text for name, text in _ASKED.items()},
    **{f"ApplicationBody.{name}": text for name, text in {**_ASKED, **_FOUND}.items()},
    **{f"DecisionRequest.{name}": text for name, text in {**_FOUND, **_LIMITS}.items()},
    **{f"MoreRequest.{name}": text for name, text in _LIMITS.items()},
    **{f"MoreBody.{name}": text for name, text in _LIMITS.items()},
    **{f"AnswerRequest.{name}": text for name, text in _LIMITS.items()},
    "ApplyRequest.contact": says("How the office reaches you", minLength=1, maxLength=100),
    "ApplyRequest.nonce": says(
        "Made up by you: the same sent twice is one application", pattern="^([0-9a-f]{48})?$"
    ),
    "TextRequest.text": says("What is said", minLength=1, maxLength=LONGEST_MESSAGE),
    "DecisionRequest.version": says("The `version` of the application that was decided about"),
    "DecisionRequest.decision": says("The step to take", enum=[*STEPS]),
    "DecisionRequest.reason": says(
        "Why; a refusal has one, which the applicant reads", maxLength=LONGEST_REASON
    ),
    "DecisionRequest.rivals": says(
        "To admit: the `rivals` that were seen, which are refused; others that came since are told"
        " by `application_changed`"
    ),
    "CommentBody.at": says("When it was said", **_TIME),
    "CommentBody.whose": says("Who said it; `public`: an objection"),
    "CommentBody.text": says("What was said"),
    "ApplicationBody.id": says("Its number"),
    "ApplicationBody.version": says("Grows with all that happens to it but objections"),
    "ApplicationBody.state": says("How it stands", enum=[*STATES]),
    "ApplicationBody.at": says("When it came", **_TIME),
    "ApplicationBody.changed_at": says("When something happened to it last", **_TIME),
    "ApplicationBody.contact": says("How the applicant is reached; erased once it is closed"),
    "ApplicationBody.papers": says("Numbers of the pages of its papers"),
    "ApplicationBody.paper_sha256": says(
        "SHA-256 of each of these as it is kept, in hex; empty for pages of before that was kept"
    ),
    "ApplicationBody.notice_until": says("Until when anybody may object", **_TIME),
    "ApplicationBody.reason": says("Why it was refused"),
    "ApplicationBody.merchant": says("The merchant that it became"),
    "ApplicationBody.account": says("That of a merchant that was admitted"),
    "ApplicationBody.rivals": says("Other open applications with its tax id; for officials"),
    "ApplicationBody.taken_by": says("The merchant that has its tax id already; for officials"),
    "ApplicationBody.comments": says("To and fro, in order"),
    "AccountBody.state": says(
        "`offered` to the applicant, who has named nobody yet; `invited`: named, and without a"
        " password; `open`: with one; `over`: its time is; `closed`: nothing is offered",
        enum=[*OWNER_STATES],
    ),
    "AccountBody.until": says("Until when it is offered", **_TIME),
    "AccountBody.login": says("The owner's sign-in name, once named"),
    "AccountRequest.name": says("The owner's name", maxLength=LONGEST_NAME),
    "AccountRequest.login": says("What stands before the @ of the sign-in name", maxLength=32),
    "InvitationBody.invitation": says("The link by which the owner sets a password, once"),
    "InvitationBody.login": says("The owner's sign-in name"),
    "InvitationBody.expires_at": says("Until when it is good", **_TIME),
    "AppliedBody.receipt": says("Leads back to it; shown this once, sent in a header"),
    "AppliedBody.link": says("The applicant's page; the receipt stands behind #, unsent"),
    "AppliedBody.application": says("The application"),
    "ApplicationPage.applications": says("In order, without papers and comments"),
    "ApplicationPage.next": says("The `after` of the following page; null on the last"),
    "NoticeBody.id": says("Its number"),
    "NoticeBody.name": says("Who wants to be admitted"),
    "NoticeBody.industry": says("GB/T 4754-2017"),
    "NoticeBody.district": says("GB/T 2260"),
    "NoticeBody.date": says("Shanghai date of the application", format="date"),
    "NoticeBody.until": says("Until when anybody may object", **_TIME),
    "NoticePage.notices": says("In order"),
    "NoticePage.next": says("The `after` of the following page; null on the last"),
    "NoticedBody.application": says("Against which the objection is"),
    "MoreRequest.kind": says("`quota` for more, `leave` to leave", enum=[*KINDS]),
    "MoreRequest.reason": says("What it is needed for", maxLength=LONGEST_REASON),
    "AnswerRequest.version": says("The `version` of the request that is answered"),
    "AnswerRequest.granted": says("Whether it is granted; as asked, unless limits are named"),
    "AnswerRequest.answer": says(
        "What the merchant is told; a refusal says why", maxLength=LONGEST_REASON
    ),
    "MoreBody.id": says("Its number"),
    "MoreBody.version": says("Grows with its answer, or when it is taken back"),
    "MoreBody.merchant": says("Whose it is"),
    "MoreBody.name": says("The merchant's name"),
    "MoreBody.kind": says("`quota` for more, `leave` to leave"),
    "MoreBody.at": says("When it came", **_TIME),
    "MoreBody.state": says("How it stands", enum=[*REQUEST_STATES]),
    "MoreBody.reason": says("What it is needed for"),
    "MoreBody.answer": says("What the merchant is told"),
    "MoreBody.answered_at": says("When it was answered, or taken back", **_TIME),
    "MorePage.requests": says("In order"),
    "MorePage.next": says("The `after` of the following page; null on the last"),
}

_MINE: Final = Parameter(
    RECEIPT, "The receipt, as it was answered", "header", {"type": "string"}, required=True
)
_ONE: Final = Parameter("application", "The application's number", "path", whole(1, LARGEST))
_PAPER: Final = Parameter("paper", "Which of its pages", "path", whole(1, 99))
_REQUEST: Final = Parameter("request", "The request's number", "path", whole(1, LARGEST))
_TEXTS: Final = ("control_character", "text_damaged", "text_empty", "text_too_long")
_UNKNOWN: Final = ("application_unknown", *STORE)
_LIMITED: Final = ("applications_limited", "applications_full", "application_closed")
_PICTURES: Final = (
    *("picture_kind", "picture_too_large", "picture_unreadable", "picture_too_much"),
    *("too_many_pictures", "pictures_busy", "write_failed"),
    *("pdf_unreadable", "pdf_too_much", "pdf_too_long", "pdf_active"),
)
_NUMBER: Final = ("parameter_malformed", *_UNKNOWN)


def _mine(
    method: Literal["get", "post"],
    address: str,
    name: str,
    summary: str,
    *codes: str,
    body: Shapes = (),
) -> Operation:
    return Operation(
        method,
        f"/v1/applications/mine{address}",
        name,
        "admission",
        summary,
        "The application, without what officials found",
        ((JSON, ApplicationBody),),
        "",
        (_MINE,),
        body,
        codes=("missing_parameter", *codes, *_UNKNOWN),
        large=OCTETS in dict(body),
    )


def _official(
    method: Literal["get", "post", "delete"],
    address: str,
    name: str,
    summary: str,
    *codes: str,
    body: Shapes = (),
    power: Power | None = None,
) -> Operation:
    """``power`` is that of whoever looks or examines, where no other is said."""
    return Operation(
        method,
        f"/v1/applications/{{application}}{address}",
        name,
        "admission",
        summary,
        "The application",
        ((JSON, ApplicationBody),),
        "official",
        (_ONE, PURPOSE) if method == "get" else (_ONE,),
        body,
        scope="read" if method == "get" else "manage",
        power=power or ("applications" if method == "get" else "examine"),
        codes=(*codes, *(LOOKING if method == "get" else ()), *_NUMBER),
    )


_APPLYING: Final = (
    Operation(
        "post",
        "/v1/applications",
        "apply",
        "admission",
        "Apply to be admitted as a merchant",
        "The application with its receipt",
        ((JSON, AppliedBody),),
        "",
        (),
        ((JSON, ApplyRequest),),
        (201, 200),
        codes=(
            *(*_TEXTS, "tax_id_invalid", "industry_unknown", "district_unknown"),
            *("form_incomplete", "applications_limited", "applications_full"),
            *("tax_id_taken", "application_pending", *STORE),
        ),
    ),
    _mine("get", "", "readApplied", "How my application stands"),
    _mine(
        *("post", "/comments", "commentApplied", "Say something to the office"),
        *(*_TEXTS, *_LIMITED),
        body=((JSON, TextRequest),),
    ),
    _mine(
        *("post", "/papers", "addPaper", "Add a paper of the register: a picture, or a PDF"),
        *(*_LIMITED, *_PICTURES),
        body=((OCTETS, "bytes"),),
    ),
    _mine("post", "/withdrawal", "withdrawApplied", "Withdraw it", "application_closed"),
    Operation(
        "post",
        "/v1/applications/mine/invitation",
        "inviteApplied",
        "admission",
        "Name the owner of the first account of the merchant that was admitted; again: the same",
        "The link by which the owner sets a password",
        ((JSON, InvitationBody),),
        "",
        (_MINE,),
        ((JSON, AccountRequest),),
        (201, 200),
        codes=(
            *(*_TEXTS, "login_invalid", "login_taken", "account_not_offered"),
            *("applications_limited", "missing_parameter", *_UNKNOWN),
        ),
    ),
    Operation(
        "get",
        "/v1/applications/notices",
        "listNotices",
        "admission",
        "Applications whose public notice runs",
        "A page of them",
        ((JSON, NoticePage),),
        "",
        page(MOST),
        codes=("parameter_malformed", *STORE),
    ),
    Operation(
        "post",
        "/v1/applications/notices/{application}/objections",
        "objectTo",
        "admission",
        "Object to an application whose notice runs",
        "It has arrived",
        ((JSON, NoticedBody),),
        "",
        (_ONE,),
        ((JSON, TextRequest),),
        (201,),
        codes=(*_TEXTS, *_LIMITED, *_NUMBER),
    ),
)

_EXAMINING: Final = (
    Operation(
        "get",
        "/v1/applications",
        "listApplications",
        "admission",
        "Applications",
        "A page of them",
        ((JSON, ApplicationPage),),
        "official",
        (
            *page(MOST),
            Parameter("state", "Only those in this state", schema={"enum": list(STATES)}),
            Parameter(
                "text",
                "Only those with this in their name, or at the beginning of their tax id",
                schema={"type": "string", "maxLength": LONGEST_SEARCH},
            ),
        ),
        scope="read",
        power="applications",
        codes=("parameter_malformed", *STORE),
    ),
    _official("get", "", "readApplication", "An application"),
    Operation(
        "get",
        "/v1/applications/{application}/papers/{paper}",
        "applicationPaper",
        "admission",
        "A page of an application's papers",
        "JPEG, made anew from what was sent",
        (("image/jpeg", "bytes"),),
        "official",
        (_ONE, _PAPER, PURPOSE),
        scope="read",
        power="applications",
        codes=(*_NUMBER, *LOOKING, "data_unreadable"),
    ),
    _official(
        *("post", "/comments", "commentApplication", "Ask or tell the applicant something"),
        *(*_TEXTS, "application_closed", "applications_full"),
        body=((JSON, TextRequest),),
    ),
    _official(
        *("post", "/decision", "decideApplication", "Take a step: notice, examine, admit, refuse"),
        *(*_TEXTS, "value_unknown", "amount_out_of_range", "finding_missing"),
        *("application_changed", "application_step", "application_risky", "notice_running"),
        *("paper_missing", "tax_id_taken", "database_refused"),
        body=((JSON, DecisionRequest),),
    ),
    _official(
        "post",
        "/invitation",
        "offerAccount",
        "Offer whoever was admitted the first account anew",
        "account_not_offered",
        "database_refused",
        power="admit",
    ),
    _official(
        "delete",
        "/invitation",
        "withholdAccount",
        "Offer it no more; an unused invitation is void",
        "account_not_offered",
        "database_refused",
        power="admit",
    ),
)

_ASKING: Final = (
    Operation(
        "get",
        "/v1/quota-requests",
        "listQuotaRequests",
        "admission",
        "What merchants ask for; a merchant sees its own",
        "A page of them",
        ((JSON, MorePage),),
        "any",
        (
            *page(MOST),
            Parameter("state", "Only those in this state", schema={"enum": list(REQUEST_STATES)}),
            PURPOSE,
        ),
        scope="read",
        power="applications",
        codes=("role_required", "parameter_malformed", *LOOKING, *STORE),
    ),
    Operation(
        "post",
        "/v1/quota-requests",
        "askQuota",
        "admission",
        "Ask for more quota, or to leave",
        "The request",
        ((JSON, MoreBody),),
        "merchant",
        (),
        ((JSON, MoreRequest),),
        (201,),
        scope="manage",
        codes=(
            *(*_TEXTS, "value_unknown", "amount_out_of_range", "limits_missing", "request_pending"),
            *("merchant_left", "database_refused", *STORE),
        ),
    ),
    Operation(
        "post",
        "/v1/quota-requests/{request}/answer",
        "answerQuota",
        "admission",
        "Grant or refuse what a merchant asks for",
        "The request",
        ((JSON, MoreBody),),
        "official",
        (_REQUEST,),
        ((JSON, AnswerRequest),),
        scope="manage",
        power="examine",
        codes=(
            *(*_TEXTS, "amount_out_of_range", "parameter_malformed", "request_unknown"),
            *("request_changed", "merchant_revoked", "database_refused", *STORE),
        ),
    ),
    Operation(
        "post",
        "/v1/quota-requests/{request}/withdrawal",
        "withdrawQuota",
        "admission",
        "Take back what was asked for and waits; again changes nothing",
        "The request",
        ((JSON, MoreBody),),
        "merchant",
        (_REQUEST,),
        scope="manage",
        codes=("parameter_malformed", "request_unknown", "request_changed", *STORE),
    ),
)

OPERATIONS: Final = (*_APPLYING, *_EXAMINING, *_ASKING)
