"""Pages for people: a check's verdict, a form to ask for one, and the list of error codes."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from chain.errors import Problem
from invoice_service.domain.money import format_yuan
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.domain.qrtext import QrText, claim_in_query
from invoice_service.domain.verdict import Verification
from invoice_service.web.customers.words import STEPS_ZH, words_for, words_of

Check = Callable[[QrText], Verification]

SHOUTED: Final = "/VERIFY/SCAN"
"""The scan page's path as programs write it that put a code into capitals: it needs fewer dots."""

# Our own style sheet and pictures, and nothing else: no script, no frame around us.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def pages_blueprint(
    check: Check,
    log_key: Callable[[], str],
    clock: Callable[[], datetime],
    codes: Iterable[Mapping[str, object]],
) -> Blueprint:
    """``log_key`` gives the log's public key; ``codes`` are the rows of the list of errors."""
    blueprint = Blueprint("pages", __name__)
    blueprint.add_app_template_filter(yuan)
    blueprint.add_app_template_filter(shanghai)
    blueprint.add_app_template_filter(step_zh)

    @blueprint.get("/")
    def landing() -> Response:
        return page("customers/landing.html")

    @blueprint.get(SHOUTED, strict_slashes=False)
    @blueprint.get("/verify/scan", strict_slashes=False)  # first of all, so that links have it
    def scan() -> Response:
        result = check(claim_in_query(request.query_string.decode("utf-8", "replace")))
        return page(
            "customers/scan.html",
            verdict=result.verdict,
            words=words_of(result),
            result=result,
            face=result.face,
            log_key=log_key(),
            now=clock(),
        )

    @blueprint.get("/problems")
    def problems() -> Response:
        return page("customers/problems.html", rows=codes)

    return blueprint


def problem_page(problem: Problem, status: int, title_zh: str) -> Response:
    """No verdict was reached: say so, why, and nothing about the invoice."""
    return page(
        "customers/scan.html",
        status,
        verdict="none",
        words=words_for(problem, status),
        problem={"code": problem.code, "detail": problem.detail, "title_zh": title_zh},
    )


def page(template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 # whatever a template shows
    """A rendered page that is kept by nobody and runs nothing."""
    answer = Response(render_template(template, **values), status)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Frame-Options"] = "DENY"
    return answer


def yuan(fen: int) -> str:
    """Money as a slip prints it: 11300 is "¥113.00"."""
    whole, cents = format_yuan(abs(fen)).split(".")
    return f"{'-' if fen < 0 else ''}¥{int(whole):,}.{cents}"


def shanghai(moment: str | datetime) -> str:
    """A time as clocks in Shenzhen show it."""
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return when.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def step_zh(name: str) -> str:
    """A check's Chinese name."""
    return STEPS_ZH.get(name, "")
