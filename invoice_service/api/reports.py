"""Totals for officials: JSON in fen, or the same as CSV or a workbook for their spreadsheets."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, Response

from invoice_service.api.access import Access
from invoice_service.api.answers import CSV, JSON, XLSX, raw_answer
from invoice_service.api.parts import Parts
from invoice_service.api.requests import accepts, query, whole_number
from invoice_service.documents.spreadsheet import totals_csv, totals_workbook
from invoice_service.domain.bounds import HIGHEST_BLOCK
from invoice_service.openapi.operation import FROM, LOG, STORE, TO, Operation, Parameter, whole
from invoice_service.services.reporting.report import BY, report_bytes, totals_report

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/reports/totals",
        "totals",
        "officials",
        "Totals of some days (dates of sealing), as of a block",
        "The report; the same for ever at the same block",
        ((JSON, "object"), (CSV, "string"), (XLSX, "bytes")),
        "official",
        (
            FROM,
            TO,
            Parameter(
                "by",
                "What the rows are",
                schema={"enum": list(BY)},
            ),
            Parameter("at_block", "Default: the newest", schema=whole(0, HIGHEST_BLOCK)),
        ),
        scope="read",
        power="totals",
        codes=(
            "not_acceptable",
            "parameter_malformed",
            "by_unknown",
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
        asked = query("from", "to", "by", "at_block")
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
        write, ending = writers[kind]
        charset = "; charset=utf-8" if kind == CSV else ""
        answer = raw_answer(write(report), kind + charset)
        answer.headers["Vary"] = "Accept"
        if kind != JSON:
            name = f"totals-{report['by']}-block-{report['block']['height']}.{ending}"
            answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    return blueprint
