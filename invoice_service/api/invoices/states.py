"""How own invoices stand now, many at once."""

from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.errors import MalformedError, Problem
from invoice_service.api.access import Access
from invoice_service.api.answers import NDJSON, json_bytes, raw_answer
from invoice_service.api.incidents import StreamedResults
from invoice_service.api.lists import RecordList
from invoice_service.api.parts import Parts
from invoice_service.api.problems import ProblemBody, describe
from invoice_service.api.requests import media_type, query
from invoice_service.domain.reading import Wire, read_json
from invoice_service.openapi.operation import HASH_TEXT, LOG, STORE, Operation, Words, says
from invoice_service.services.issuing.standing import Standing, Standings

PATH: Final = "/v1/invoices/states"
_LONGEST: Final = 4096


class StateRecord(Wire, frozen=True):
    """One invoice to look up."""

    hash: str


class StateResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one line of the list came to."""

    line: int
    invoice: Standing | None = None
    problem: ProblemBody | None = None


WORDS: Final[Words] = {
    "StateRecord.hash": says("The password area of an invoice of one's own", **HASH_TEXT),
    "StateResult.line": says("The line of the request, counted from 1", minimum=1),
    "StateResult.invoice": says("How it stands now; without a problem"),
    "StateResult.problem": says("Why nothing is said of it"),
    "Standing.left": says(
        "Fen of it that stand, tax included; absent where nothing was taken back"
    ),
    "Standing.reversed_by": says(
        "The numbers of the red invoices that took it or parts of it back"
    ),
    "Standing.replaced_by": says(
        "The numbers of the invoices that were issued later for the same order, or part of it"
    ),
    "Standing.buyer_erased": says("`true`: the buyer was a person, and was erased"),
    "InvoiceDetail.replaced_by": says(
        "Of what was taken back: the hashes of the invoices that stand in its place now"
    ),
}

OPERATIONS: Final = (
    Operation(
        "post",
        PATH,
        "invoiceStates",
        "reading",
        "How own invoices stand now",
        "One result a line, in order",
        ((NDJSON, StateResult),),
        "merchant",
        (),
        ((NDJSON, StateRecord),),
        scope="read",
        codes=("too_many_records", *STORE, *LOG),
        large=True,
    ),
)


def blueprint(parts: Parts) -> Blueprint:
    """``POST /v1/invoices/states``; merchants only."""
    access = Access(parts.store, parts.clock)
    base, limits = parts.config.service.public_url, parts.config.limits
    standings = Standings(parts.store, parts.log.taken)
    routes = Blueprint("states", __name__)

    @routes.post(PATH)
    def states() -> Response:
        query()
        _, merchant_id = access.merchant("read")
        media_type(NDJSON)
        asked = RecordList(limits)
        found = standings.each(merchant_id, map(_hash, asked.records()))
        stream = StreamedResults(f"POST {PATH}")
        answer = raw_answer(stream.all(asked.numbers, found, write), NDJSON)
        answer.call_on_close(asked.close)
        return answer

    def write(number: int, result: Standing | Problem) -> bytes:
        if isinstance(result, Problem):
            return json_bytes({"line": number, "problem": describe(result, base)}) + b"\n"
        return json_bytes({"line": number, "invoice": result}) + b"\n"

    return routes


def _hash(line: bytes) -> str | Problem:
    """What a line asks for, or why nobody can tell."""
    try:
        return read_json(line, _decoder, max_bytes=_LONGEST).hash
    except MalformedError as problem:
        return problem


_decoder: Final = msgspec.json.Decoder(StateRecord)
