"""Totals for officials: JSON in fen, or the same as CSV or a workbook for their spreadsheets."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

from flask import Blueprint, Response

from invoice_service.api.access import Access
from invoice_service.api.answers import CSV, JSON, XLSX, json_answer, raw_answer
from invoice_service.api.parts import Parts
from invoice_service.api.requests import accepts, one_of, query, whole_number
from invoice_service.documents.mixed import mixed_csv, mixed_workbook
from invoice_service.documents.spreadsheet import totals_csv, totals_workbook
from invoice_service.domain.bounds import HIGHEST_BLOCK
from invoice_service.openapi.operation import FROM, LOG, STORE, TO, Operation, Parameter, whole
from invoice_service.services.reporting.masking import masked_report, masked_totals
from invoice_service.services.reporting.mix import STREAMED, MixedReport, mixed_report, report_parts
from invoice_service.services.reporting.question import (
    COMPARED,
    DIMENSIONS,
    MEASURES,
    MOST_RANKED,
    WORDS,
    ask,
    is_new,
)
from invoice_service.services.reporting.report import BY, report_bytes, totals_report

_LIST: Final = r"^[a-z_]+(,[a-z_]+)*$"
_VERSIONS: Final = {"3": True, "2": False}

_QUESTION: Final = (
    FROM,
    TO,
    Parameter(
        "by",
        f"What the rows are: up to three of {', '.join(DIMENSIONS)}, with commas between",
        schema={"type": "string", "pattern": _LIST},
    ),
    Parameter("at_block", "Default: the newest", schema=whole(0, HIGHEST_BLOCK)),
    Parameter("measure", "What ranks rows and is shared", schema={"enum": list(MEASURES)}),
    Parameter(
        "compare",
        f"Sides beside: {', '.join(COMPARED)}, with commas between",
        schema={"enum": [*COMPARED, ",".join(COMPARED)]},
    ),
    Parameter("top", "Only the first rows by measure", schema=whole(1, MOST_RANKED)),
    Parameter("bottom", "Only the last", schema=whole(1, MOST_RANKED)),
    Parameter("merchant", "Of one merchant, by tax id; not for a viewer"),
    Parameter("industry", "Of a section, division, group or class of GB/T 4754"),
    Parameter("district", "Of one district"),
    Parameter("rate", "Of one rate, like 0.06"),
)

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/reports/totals",
        "totals",
        "officials",
        "Totals of some days (dates of sealing), as of a block",
        "The report; the same for ever at the same block. Version 2 where it is by one of"
        f" {', '.join(BY)} and nothing else is asked, else version 3",
        ((JSON, "object"), (CSV, "string"), (XLSX, "bytes")),
        "official",
        (*_QUESTION, Parameter("version", "Of the answer", schema={"enum": list(_VERSIONS)})),
        scope="read",
        power="totals",
        codes=(
            "not_acceptable",
            "parameter_malformed",
            "by_unknown",
            "report_too_large",
            "day_invalid",
            "range_invalid",
            "block_unknown",
            "totals_behind",
            *STORE,
            *LOG,
        ),
    ),
    Operation(
        "get",
        "/v1/reports/totals/check",
        "checkTotals",
        "officials",
        "Make a report again from documents, and prove each step up to it",
        "What held, or the first thing that does not fit",
        ((JSON, "object"),),
        "official",
        _QUESTION,
        scope="read",
        power="totals",
        codes=(
            "parameter_malformed",
            "by_unknown",
            "report_too_large",
            "check_too_large",
            "check_busy",
            "not_published",
            "day_invalid",
            "range_invalid",
            "block_unknown",
            "totals_behind",
            *STORE,
            *LOG,
        ),
    ),
)

Write = Callable[[Mapping[str, Any]], bytes]


def blueprint(parts: Parts) -> Blueprint:
    """The totals of an instance."""
    access = Access(parts.store, parts.clock)
    blueprint = Blueprint("reports", __name__, url_prefix="/v1/reports")
    writers: dict[str, tuple[Write, str]] = {
        JSON: (report_bytes, "json"),
        CSV: (totals_csv, "csv"),
        XLSX: (totals_workbook, "xlsx"),
    }

    @blueprint.get("/totals")
    def totals() -> Response:
        access.official("totals")
        kind = accepts(*writers)
        asked = query(*WORDS, "version")
        looks = _looks(access, asked)
        new = one_of(asked, "version", _VERSIONS) if "version" in asked else is_new(asked)
        if new:
            mixed = mixed_report(parts.store.totals, parts.log, ask(asked))
            return _mixed_answer(mixed if looks else masked_report(mixed), kind)
        report = totals_report(
            parts.store.totals,
            parts.log,
            asked.get("from"),
            asked.get("to"),
            asked.get("by", "day"),
            whole_number(asked, "at_block", 0, HIGHEST_BLOCK, least=0)
            if "at_block" in asked
            else None,
        )
        report = report if looks else masked_totals(report)
        write, ending = writers[kind]
        return _answer(write(report), kind, ending, report["by"], report["block"])

    @blueprint.get("/totals/check")
    def check() -> Response:
        access.official("totals")
        asked = query(*WORDS)
        looks = _looks(access, asked)
        block, held, wrong = parts.figures.check(ask(asked))
        if held is not None:
            return json_answer({"holds": True, "block": block, **held.said()})
        if not looks:  # what was found may be a merchant's, letter by letter
            wrong = {"step": wrong["step"]}
        return json_answer({"holds": False, "block": block, **wrong})

    return blueprint


def _looks(access: Access, asked: Mapping[str, str]) -> bool:
    """Whether who asks may see which merchants they are, and may ask of one.

    RefusedError ``role_required``, ``scope_required``.
    """
    if "merchant" in asked:
        access.official("look")
    return access.known().has("look")


def _mixed_answer(report: MixedReport, kind: str) -> Response:
    """The report as it is made, or as a whole where it is short."""
    body: bytes | Iterator[bytes]
    if kind == XLSX:
        body, ending = mixed_workbook(report), "xlsx"
    else:
        made, ending = (
            (report_parts(report), "json") if kind == JSON else (mixed_csv(report), "csv")
        )
        first = list(islice(made, STREAMED + 2))
        rest = next(made, None)
        body = b"".join(first) if rest is None else chain(first, [rest], made)
    return _answer(body, kind, ending, "-".join(report.head["by"]), report.head["block"])


def _answer(
    body: bytes | Iterator[bytes], kind: str, ending: str, by: str, block: Mapping[str, Any]
) -> Response:
    charset = "; charset=utf-8" if kind == CSV else ""
    answer = raw_answer(body, kind + charset)
    answer.headers["Vary"] = "Accept"
    if kind != JSON:
        name = f"totals-{by}-block-{block['height']}.{ending}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
