"""Issuing over HTTP: one, many, and taking one back."""

from collections import deque
from collections.abc import Iterator

from flask import Blueprint, Response

from chain.commitment import anchor, parse_password_area
from chain.errors import MalformedError, Problem
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, NDJSON, json_answer, json_bytes, raw_answer
from invoice_service.api.bodies import Bodies
from invoice_service.api.parts import Parts
from invoice_service.api.problems import describe
from invoice_service.api.requests import (
    body,
    count_lines,
    filled_lines,
    idempotency_key,
    media_type,
    preferences,
    query,
    spooled_body,
)
from invoice_service.api.waiting import Waiting
from invoice_service.domain.invoice import Issued
from invoice_service.domain.tax import TaxRates
from invoice_service.domain.verdict import Verdict
from invoice_service.services.issue import IssuingDesk, issue_many, issue_one
from invoice_service.services.reverse import ReversingDesk, reverse

CREATED, OK = 201, 200


class IssuingCalls:
    """``POST`` on invoices; merchants only."""

    def __init__(self, parts: Parts, access: Access, bodies: Bodies) -> None:
        self._access = access
        self._bodies = bodies
        self._limits = limits = parts.config.limits
        self._base = parts.config.service.public_url
        self._waiting = Waiting(parts.log, parts.config.web.threads)
        self._desk = IssuingDesk(
            merchants=parts.store,
            issuer=parts.issuer,
            rates=TaxRates(parts.config.tax.rates),
            randbytes=parts.randbytes,
            max_bytes=limits.body_bytes,
            max_lines=limits.lines,
        )
        self._reversing = ReversingDesk(
            parts.store, parts.issuer, parts.randbytes, limits.body_bytes
        )

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("issuing", __name__, url_prefix="/v1/invoices")
        routes.post("")(self.issue)
        routes.post("/batch")(self.batch)
        routes.post("/<hash_>/reversals")(self.reversals)
        return routes

    def issue(self) -> Response:
        """One invoice; on disk when this returns."""
        query()
        principal, merchant_id = self._access.merchant()
        media_type(JSON)
        issued = issue_one(
            self._desk,
            merchant_id,
            body(self._limits.body_bytes),
            key_id=principal.key_id,
            idempotency_key=idempotency_key(),
        )
        return self._answer(issued)

    def batch(self) -> Response:
        """Many, each answered by itself while later ones are still being issued."""
        query()
        principal, merchant_id = self._access.merchant()
        media_type(NDJSON)
        minimal = preferences().minimal
        spool = spooled_body(self._limits.batch_bytes)
        count_lines(spool, self._limits.batch_records)
        numbers: deque[int] = deque()
        records = _noting(numbers, filled_lines(spool))
        results = issue_many(self._desk, merchant_id, records, key_id=principal.key_id)
        answer = raw_answer(
            (self._result(numbers.popleft(), result, minimal=minimal) for result in results),
            NDJSON,
        )
        answer.call_on_close(spool.close)
        return answer

    def reversals(self, hash_: str) -> Response:
        """The red invoice that takes a blue one back."""
        query()
        principal, merchant_id = self._access.merchant()
        digest = parse_password_area(hash_)
        media_type(JSON)
        try:
            issued = reverse(
                self._reversing,
                merchant_id,
                digest,
                body(self._limits.body_bytes),
                key_id=principal.key_id,
                idempotency_key=idempotency_key(),
            )
        except MalformedError as problem:
            if problem.code == "unknown_field" and problem.pointer == "/lines":
                raise _whole_only() from None
            raise
        return self._answer(issued, reverses=hash_)

    def _answer(self, issued: Issued, reverses: str | None = None) -> Response:
        wanted = preferences()
        shown = self._bodies.issued(issued, minimal=wanted.minimal, reverses=reverses)
        applied = ["return=minimal"] if wanted.minimal else []
        if wanted.wait:
            entry = anchor(parse_password_area(issued.hash))
            waited, published = self._waiting.until_published(entry, wanted.wait)
            if waited:
                applied.append(f"wait={wanted.wait}")
            if published and shown.state is Verdict.PENDING:
                shown.state = Verdict.AUTHENTIC
        answer = json_answer(shown, OK if issued.replayed else CREATED)
        if issued.replayed:
            answer.headers["Idempotency-Replayed"] = "true"
        if applied:
            answer.headers["Preference-Applied"] = ", ".join(applied)
        return answer

    def _result(self, number: int, result: Issued | Problem, *, minimal: bool) -> bytes:
        line: dict[str, object] = {"line": number}
        try:
            if isinstance(result, Problem):
                raise result
            shown = self._bodies.issued(result, minimal=minimal)
            line |= {"status": OK if result.replayed else CREATED, "invoice": shown}
        except Problem as problem:
            described = describe(problem, self._base)
            line |= {"status": described["status"], "problem": described}
        return json_bytes(line) + b"\n"


def _noting(numbers: deque[int], lines: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    """The lines, their numbers noted: results come later, and in the same order."""
    for number, line in lines:
        numbers.append(number)
        yield line


def _whole_only() -> MalformedError:
    return MalformedError(
        "partial_reversal_not_available", "send a reason only: the whole invoice is reversed"
    )
