"""The only mapping from our errors to HTTP: status, RFC 9457 body, headers."""

from http import HTTPStatus
from typing import Final

import msgspec
from flask import Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from invoice_service.api.catalog import CATALOG
from invoice_service.openapi.operation import Words, says

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = "2"  # seconds; a busy database or a full group clears in less

CHALLENGE = 'Bearer realm="fapiao"'
CHALLENGES = {
    "key_malformed": f'{CHALLENGE}, error="invalid_token"',
    "key_unknown": f'{CHALLENGE}, error="invalid_token"',
    "key_revoked": f'{CHALLENGE}, error="invalid_token"',
    "key_expired": f'{CHALLENGE}, error="invalid_token"',
    "key_suspended": f'{CHALLENGE}, error="invalid_token"',
    "scope_required": f'{CHALLENGE}, error="insufficient_scope"',
    "role_required": f'{CHALLENGE}, error="insufficient_scope"',
}
"""RFC 6750, section 3: no error where no key was shown at all."""

WORDS: Final[Words] = {
    "ProblemBody.type": says("An address that explains the code"),
    "ProblemBody.title": says("A sentence for people, the same for every problem of that code"),
    "ProblemBody.title_zh": says("The same in Chinese"),
    "ProblemBody.status": says("The HTTP status"),
    "ProblemBody.code": says("A fixed name for programs"),
    "ProblemBody.detail": says("What exactly"),
    "ProblemBody.pointer": says("A JSON pointer, or a parameter's name, to what is wrong"),
    "ProblemBody.incident": says("Of 5xx answers: the number under which our log has the cause"),
    "ProblemBody.detail_zh": says("Of some codes: the detail in Chinese"),
    "ProblemBody.first_hash": says(
        "Of a conflict of orders: the hash of the order's first invoice"
    ),
    "ProblemBody.first_number": says("The number of that invoice"),
    "ProblemBody.first_issued_at": says("When it was issued, RFC 3339 with +08:00"),
    "ProblemBody.first_state": says("The verdict on it"),
    "ProblemBody.order_total": says("Of `order_total_exceeded`: what may stand in all, fen"),
    "ProblemBody.left": says(
        "Of `order_total_exceeded`: what may still be issued; of `return_too_large`: what may still"
        " be taken back; fen"
    ),
    "ProblemBody.reversed_by": says("Of `already_reversed`: the hash of the last red invoice"),
    "ProblemBody.line": says("Of `return_too_large`: the invoice's line"),
    "ProblemBody.quantity_left": says("Of that line: how much may still be taken back"),
    "ProblemBody.rates": says("Of `rate_needed`: those to choose from"),
}

STATUS_BY_FAULT: dict[type[Problem], int] = {
    MalformedError: 422,
    VerificationError: 500,  # only our own stored data is verified behind HTTP
    ConflictError: 409,
    RefusedError: 403,
    NotFoundError: 404,
    UnavailableError: 503,
}

HTTP_CODES = {
    400: "bad_request",
    404: "no_such_address",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "body_too_large",
    414: "address_too_long",
    415: "unsupported_media_type",
}


class ProblemBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """RFC 9457, and ``code`` for programs. Some codes bring further members."""

    type: str
    title: str
    title_zh: str
    status: int
    code: str
    detail: str
    pointer: str = ""
    incident: str = ""
    detail_zh: str = ""
    first_hash: str = ""
    first_number: str = ""
    first_issued_at: str = ""
    first_state: str = ""
    order_total: int = 0
    left: int = 0
    reversed_by: str = ""
    line: int = 0
    quantity_left: str = ""
    rates: str = ""


def status_of(problem: Problem) -> int:
    """The catalog's status for its code, else that of its class; 500 for no class that we know."""
    entry = CATALOG.get(problem.code)
    if entry is not None and entry.status:
        return entry.status
    return next(
        (status for fault, status in STATUS_BY_FAULT.items() if isinstance(problem, fault)), 500
    )


def describe(problem: Problem, base: str = "") -> dict[str, object]:
    """RFC 9457 members, and ours: ``code`` (stable), ``title_zh``, ``pointer`` (where it is)."""
    status = status_of(problem)
    body: dict[str, object] = dict(problem.extra)
    body |= {
        "type": f"{base}/problems#{problem.code}",
        "title": title(problem),
        "title_zh": title_zh(problem),
        "status": status,
        "code": problem.code,
        "detail": problem.detail,
    }
    if problem.pointer:
        body["pointer"] = problem.pointer
    return body


def title(problem: Problem) -> str:
    """A sentence for people, the same for every problem of that code."""
    entry = CATALOG.get(problem.code)
    return entry.title if entry else HTTPStatus(status_of(problem)).phrase


def title_zh(problem: Problem) -> str:
    """The same in Chinese, or "" for a code that is not in the catalog."""
    entry = CATALOG.get(problem.code)
    return entry.title_zh if entry else ""


def refusals(base: str) -> dict[str, dict[str, object]]:
    """Every code's problem as it is answered, but for its detail."""
    return {code: describe(Problem(code, entry.title), base) for code, entry in CATALOG.items()}


def respond(problem: Problem, base: str = "") -> Response:
    """The problem as an answer of its own, never cached."""
    body = describe(problem, base)
    status = status_of(problem)
    response = Response(msgspec.json.encode(body), status, content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    challenge = CHALLENGES.get(problem.code, CHALLENGE)
    if status == HTTPStatus.UNAUTHORIZED or problem.code in CHALLENGES:
        response.headers["WWW-Authenticate"] = challenge
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def from_http(error: HTTPException) -> Problem:
    """What the framework refuses (no such route, wrong method, too large), in our words."""
    status = error.code or 500
    code = HTTP_CODES.get(status, "bad_request" if status < 500 else "internal_error")
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return MalformedError(code, f"this address answers {allowed}", allow=allowed)
    entry = CATALOG[code]
    fault: type[Problem] = NotFoundError if status == 404 else MalformedError
    return fault(code, entry.title)
