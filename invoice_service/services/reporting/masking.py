"""Reports by merchant for who may not look at single merchants: names and tax ids masked.

As in the list of merchants: rows stay apart and sums as they are, and nothing tells whose they are.
"""

from collections.abc import Mapping
from typing import Any, Final

from invoice_service.domain.merchant import masked_name, masked_tax_id
from invoice_service.services.reporting.mix import MixedReport

_NOTE: Final = {
    "code": "masked",
    "zh": "您无权查看单个商户，商户名称和税号已隐去。",
    "en": "Merchants' names and tax ids are masked: you may not look at single merchants.",
}


def masked_report(report: MixedReport) -> MixedReport:
    """The report of a mix with its merchants masked, and a note that says so."""
    if "merchant" not in report.head["by"]:
        return report
    head = {**report.head, "notes": [*report.head["notes"], _NOTE]}
    return MixedReport(head, (_masked(row) for row in report.rows))


def masked_totals(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report of one dimension with its merchants masked; it has no place for a note."""
    rows = (
        {**row, "merchant": masked_tax_id(row["merchant"])} if "merchant" in row else row
        for row in report["rows"]
    )
    return {**report, "rows": list(rows)}


def _masked(row: Mapping[str, Any]) -> dict[str, Any]:
    named = row["names"]["merchant"]
    return {
        **row,
        "keys": {**row["keys"], "merchant": masked_tax_id(row["keys"]["merchant"])},
        "names": {**row["names"], "merchant": {**named, "zh": masked_name(named["zh"])}},
    }
