"""Verdicts for programs: one by its address, many as NDJSON, CSV, a workbook or QR texts."""

from itertools import chain as joined

from flask import Blueprint, Response

from invoice_service.api.answers import CSV, NDJSON, XLSX, json_answer, raw_answer
from invoice_service.api.checking.listing import TEXT, List, Lists
from invoice_service.api.checking.results import HEADER, Results
from invoice_service.api.checking.workbook import workbook_of
from invoice_service.api.parts import Parts
from invoice_service.api.requests import Said, accepts, media_type, query, spooled_body
from invoice_service.domain.qrtext import FIELDS, QrText, claim_of

WHERE = "POST /v1/verifications"


def blueprint(parts: Parts) -> Blueprint:
    """Verdicts on one slip, and on many."""
    check = parts.verifier.verify
    config = parts.config
    blueprint = Blueprint("verifications", __name__, url_prefix="/v1/verifications")
    lists = Lists(check, config.limits)

    @blueprint.get("")
    def one() -> Response:
        return json_answer(check(asked_for()))

    @blueprint.post("")
    def many() -> Response:
        kind = media_type(NDJSON, CSV, TEXT, XLSX)
        wanted = accepts(NDJSON, CSV, XLSX)
        asked = lists.open(kind, spooled_body(config.limits.batch_bytes))
        answer = _answer(wanted, asked, Results(config.service.public_url))
        answer.call_on_close(asked.close)
        return answer

    return blueprint


def asked_for(said: Said | None = None) -> QrText:
    """What the query says of one slip. MalformedError as ``query`` and ``claim_of``."""
    asked = query(*FIELDS, "qr", said=said)
    return claim_of(asked, asked.get("qr"))


def _answer(wanted: str, asked: List, written: Results) -> Response:
    """The results in the form that is wanted: line by line, or a workbook, which is made whole."""
    if wanted == CSV:
        lines = asked.each(WHERE, written.csv)
        return raw_answer(joined([HEADER], lines), f"{CSV}; charset=utf-8")
    if wanted == NDJSON:
        return raw_answer(asked.each(WHERE, written.ndjson), NDJSON)
    answer = raw_answer(workbook_of(asked.each(WHERE, written.row)), XLSX)
    answer.headers["Content-Disposition"] = 'attachment; filename="verifications.xlsx"'
    return answer
