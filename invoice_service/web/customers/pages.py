"""Pages for people: a check's verdict, and a form to ask for one."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, current_app, redirect, request, url_for
from werkzeug import Response as WerkzeugResponse

from chain.errors import MalformedError, Problem
from invoice_service.domain.money import format_yuan, read_yuan
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.domain.qrtext import FIELDS, QrText, claim_in_query, read_hash
from invoice_service.domain.vat import find_vat
from invoice_service.domain.verdict import Verdict, Verification
from invoice_service.web.customers.words import (
    OF_FILES,
    OF_LISTS,
    OF_PAPERS,
    PROOF_STEPS,
    VAT_KINDS,
    words_for,
    words_of,
)
from invoice_service.web.ground.language import detail_of
from invoice_service.web.ground.page import page

Check = Callable[[QrText], Verification]

SHOUTED: Final = "/VERIFY/SCAN"
"""The scan page's path as programs write it that put a code into capitals: it needs fewer dots."""

_TYPED: Final = ("hash", "number", "total")
PATHS: Final = ("/verify/", SHOUTED)
NO_PAGES: Final = frozenset({404, 405})
"""Where, and with which statuses, a problem's page offers to check a code."""


def pages_blueprint(
    check: Check,
    log_key: Callable[[], str],
    statements: Callable[[], list[bytes]],
    witnesses: Sequence[str],
    clock: Callable[[], datetime],
    site: str,
) -> Blueprint:
    """``log_key`` gives the log's public key; ``site`` is the address that people compare.

    ``statements`` of the log's keys, and the keys of ``witnesses``, are what phones check with.
    """
    blueprint = Blueprint("pages", __name__)
    blueprint.add_app_template_filter(yuan)
    blueprint.add_app_template_filter(shanghai)

    @blueprint.get("/verify", strict_slashes=False)
    @blueprint.get("/")  # first of all, so that links have it
    def landing() -> Response:
        return page("customers/landing.html")

    @blueprint.get("/verify/typed")
    def typed() -> WerkzeugResponse:
        """The scan page of what was typed, each once: blanks between groups, yuan."""
        if any(len(request.args.getlist(name)) > 1 for name in _TYPED):
            raise MalformedError("duplicate_parameter", "a field stands twice in the address")
        said = {name: request.args.get(name, "").strip() for name in _TYPED}
        total = read_yuan(said["total"])
        hash_ = read_hash(re.sub("\\s", "", said["hash"]))
        found = url_for("pages.scan", hash=hash_, bill_num=said["number"], total_amount=total)
        return redirect(found, 303)

    @blueprint.get(SHOUTED, strict_slashes=False)
    @blueprint.get("/verify/scan", strict_slashes=False)  # first of all, so that links have it
    def scan() -> Response:
        claim = claim_in_query(request.query_string.decode("utf-8", "replace"))
        result = check(claim)
        return page(
            "customers/scan.html",
            verdict=result.verdict,
            words=words_of(result),
            result=result,
            face=result.face,
            claim=claim if result.verdict is Verdict.MISMATCH else None,
            log_key=log_key(),
            statements=lambda: [note.decode() for note in statements()],
            witnesses=witnesses,
            steps=PROOF_STEPS,
            now=clock(),
            site=site,
            report=_report_link(claim),
        )

    return blueprint


def _report_link(claim: QrText) -> str:
    """To the form, with what was scanned and nothing else."""
    if text := request.args.get("text", ""):
        return url_for("report_page.show", text=text)
    said = zip(FIELDS, (claim.hash, claim.number, claim.total), strict=True)
    fields: dict[str, Any] = {name: text for name, text in said if text is not None}
    return url_for("report_page.show", **fields)


def problem_page(problem: Problem, status: int, title: str) -> Response:
    """No verdict was reached: say so, why, and nothing about the invoice."""
    listing = request.path == url_for("list_page.show")
    vat = find_vat(request.query_string.decode("utf-8", "replace"))
    return page(
        "customers/scan.html",
        status,
        vat=vat if problem.code == "qr_ordinary_vat" else None,
        vat_kinds=VAT_KINDS,
        verdict="none",
        words=words_for(problem, status, listing=listing),
        of_list=listing and problem.code in OF_LISTS,
        again=request.path if _is_form() else "",
        of_paper=problem.code in OF_PAPERS,
        of_file=problem.code in OF_FILES,
        of_slip=request.path.startswith(PATHS) or status in NO_PAGES,
        problem={
            "code": problem.code,
            "detail": detail_of(problem),
            "title": title,
            "incident": problem.extra.get("incident"),
        },
    )


def _is_form() -> bool:
    """Whether what was sent comes from a page that stands at the same address."""
    here = current_app.url_map.bind("")
    return request.method == "POST" and here.test(request.path, "GET")


def yuan(fen: int) -> str:
    """Money as a slip prints it: 11300 is "¥113.00"."""
    whole, cents = format_yuan(abs(fen)).split(".")
    return f"{'-' if fen < 0 else ''}¥{int(whole):,}.{cents}"


def shanghai(moment: str | datetime) -> str:
    """A time as clocks in Shenzhen show it."""
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return when.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
