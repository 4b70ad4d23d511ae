"""Issuing over HTTP: one, many, and taking one back."""

from typing import Final, NamedTuple

from flask import Blueprint, Response, request

from chain.commitment import anchor, parse_password_area
from chain.errors import Problem
from invoice_service.api.access import Access, record_refusals
from invoice_service.api.answers import JSON, NDJSON, Answer, json_bytes, json_whole, raw_answer
from invoice_service.api.incidents import StreamedResults
from invoice_service.api.invoices.bodies import Bodies
from invoice_service.api.invoices.contract import InvoiceBody
from invoice_service.api.invoices.waiting import Waiting
from invoice_service.api.lists import RecordList
from invoice_service.api.parts import Parts
from invoice_service.api.problems import describe
from invoice_service.api.requests import (
    Preferences,
    Said,
    body,
    idempotency_key,
    media_type,
    preferences,
    query,
)
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.domain.merchant import Merchant
from invoice_service.domain.qrtext import read_hash
from invoice_service.domain.tax import TaxRates
from invoice_service.domain.verdict import Verdict
from invoice_service.services.issuing.issue import (
    IssuingDesk,
    issue_many,
    issue_one,
    prepare_one,
    single,
)
from invoice_service.services.issuing.promise import Promised
from invoice_service.services.issuing.reverse import ReversingDesk, reverse
from invoice_service.services.people.sign_in import Principal

CREATED, OK = 201, 200
PREPARED: Final = "fapiao.prepared"
"""In the request's ``environ``: the invoice as it was prepared when it was first looked at."""

Shown = tuple[int, InvoiceBody]
"""A status and what stands under it."""


class Desks(NamedTuple):
    """Who issues and who reverses, and how what they issue is promised."""

    promised: Promised
    issuing: IssuingDesk
    reversing: ReversingDesk


def blueprint(parts: Parts) -> Blueprint:
    """Issuing one, many, and taking one back; merchants only."""
    return IssuingCalls(parts).blueprint()


class IssuingCalls:
    """``POST`` on invoices; merchants only."""

    def __init__(self, parts: Parts) -> None:
        self._access = Access(parts.store, parts.clock)
        self._bodies = Bodies(parts)
        self._clock, self._limits = parts.clock, parts.config.limits
        self._base = parts.config.service.public_url
        self._path = parts.config.public_path
        self._waiting = Waiting(parts.log, parts.config.web.threads)
        self._promising = self._desks(parts, signed=True)
        self._minimal = self._desks(parts, signed=False)

    def _desks(self, parts: Parts, *, signed: bool) -> Desks:
        """Those whose answers carry promises, or need none."""
        limits = self._limits
        issuer = Promised(parts.issuer, parts.config.anchor.max_delay, signed=signed)
        issuing = IssuingDesk(
            merchants=parts.store,
            issuer=issuer,
            rates=TaxRates(parts.config.tax.rates),
            randbytes=parts.randbytes,
            max_bytes=limits.body_bytes,
            max_lines=limits.lines,
        )
        reversing = ReversingDesk(parts.store, issuer, parts.randbytes, limits.body_bytes)
        return Desks(issuer, issuing, reversing)

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
        principal, merchant_id = self._access.merchant("issue")
        media_type(JSON)
        wanted = preferences()
        begun: Prepared | None = request.environ.get(PREPARED)
        if begun is not None:
            return self._answer(single(self._desks_for(wanted).promised, begun), wanted)
        issued = issue_one(
            self._desks_for(wanted).issuing,
            merchant_id,
            body(self._limits.body_bytes),
            key_id=principal.key_id,
            idempotency_key=idempotency_key(),
        )
        return self._answer(issued, wanted)

    def batch(self) -> Response:
        """Many, each answered by itself while later ones are still being issued."""
        query()
        principal, merchant_id = self._access.merchant("issue")
        media_type(NDJSON)
        desk = self._desks_for(preferences()).issuing
        asked = RecordList(self._limits)
        results = issue_many(
            desk, merchant_id, asked.records(), key_id=principal.key_id, ahead=True
        )
        shown = (self._shown(result) for result in results)
        refused = record_refusals(principal, self._clock)
        stream = StreamedResults("POST /v1/invoices/batch", refused)
        answer = raw_answer(stream.all(asked.numbers, shown, self._line), NDJSON)
        answer.call_on_close(asked.close)
        return answer

    def reversals(self, hash_: str) -> Response:
        """The red invoice that takes a blue one back."""
        query()
        principal, merchant_id = self._access.merchant("reverse")
        hash_ = read_hash(hash_)
        digest = parse_password_area(hash_)
        media_type(JSON)
        wanted = preferences()
        issued = reverse(
            self._desks_for(wanted).reversing,
            merchant_id,
            digest,
            body(self._limits.body_bytes),
            key_id=principal.key_id,
            idempotency_key=idempotency_key(),
        )
        return self._answer(issued, wanted, reverses=hash_)

    def _desks_for(self, wanted: Preferences) -> Desks:
        return self._minimal if wanted.minimal else self._promising

    def prepare(
        self,
        merchant: Merchant,
        principal: Principal,
        wanted: Preferences,
        said: Said,
        asked: bytes,
    ) -> Prepared:
        """What ``issue`` would hand over; raises Problem where it would refuse."""
        media_type(JSON, said=said)
        key = idempotency_key(said)
        desks = self._desks_for(wanted)
        prepared = prepare_one(
            desks.issuing, merchant, asked, key_id=principal.key_id, idempotency_key=key
        )
        return desks.promised.bound(prepared)

    def _answer(self, issued: Issued, wanted: Preferences, reverses: str | None = None) -> Response:
        return self.answer(issued, wanted, reverses).response()

    def answer(self, issued: Issued, wanted: Preferences, reverses: str | None = None) -> Answer:
        """What is answered to an issue or a reversal."""
        shown = self._bodies.issued(issued, reverses=reverses)
        applied = ["return=minimal"] if wanted.minimal else []
        if wanted.wait:
            entry = anchor(parse_password_area(issued.hash))
            waited, published = self._waiting.until_published(entry, wanted.wait)
            if waited:
                applied.append(f"wait={wanted.wait}")
            if published and shown.state is Verdict.PENDING:
                shown.state = Verdict.AUTHENTIC
        answer = json_whole(shown, OK if issued.replayed else CREATED)
        answer.headers.append(("Location", f"{self._path}/v1/invoices/{issued.hash}"))
        if issued.replayed:
            answer.headers.append(("Idempotency-Replayed", "true"))
        if applied:
            answer.headers.append(("Preference-Applied", ", ".join(applied)))
        return answer

    def _shown(self, result: Issued | Problem) -> Shown | Problem:
        if isinstance(result, Problem):
            return result
        try:
            body = self._bodies.issued(result)
        except Problem as problem:
            return problem
        return OK if result.replayed else CREATED, body

    def _line(self, number: int, result: Shown | Problem) -> bytes:
        if isinstance(result, Problem):
            problem = describe(result, self._base)
            line = {"line": number, "status": problem["status"], "problem": problem}
        else:
            status, invoice = result
            line = {"line": number, "status": status, "invoice": invoice}
        return json_bytes(line) + b"\n"
