"""By what a report can be mixed: the same of each as an expression of SQL, and of a cell."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, NamedTuple

from invoice_service.domain.merchant import Place, districts, industry_places, section_of
from invoice_service.domain.tax import split_rate_name
from invoice_service.services.anchoring.spans import DISTRICT, INDUSTRY, MERCHANT, RATE, Cell


class Part(NamedTuple):
    """One of them: what of a mix it needs, and how it is read."""

    needs: int
    sql: Callable[[], str]
    of: Callable[[Cell], str]
    names: Callable[[], Mapping[str, Place]] = dict


@cache
def _section_sql() -> str:
    """Sections are runs of divisions, in order: so a section is a question of how far."""
    last: dict[str, str] = {}
    for code in industry_places():
        if len(code) == 2:
            section = section_of(code)
            last[section] = max(last.get(section, ""), code)
    ordered = sorted(last.items(), key=lambda pair: pair[1])
    whens = " ".join(f"WHEN substr(k.industry, 1, 2) <= '{end}' THEN '{s}'" for s, end in ordered)
    return f"CASE {whens} ELSE '' END"


_KIND_AT: Final = "instr(k.rate, ' ')"

PARTS: Final[dict[str, Part]] = {
    "section": Part(
        INDUSTRY, _section_sql, lambda cell: section_of(cell.industry[:2]), industry_places
    ),
    "division": Part(
        INDUSTRY,
        lambda: "substr(k.industry, 1, 2)",
        lambda cell: cell.industry[:2],
        industry_places,
    ),
    "group": Part(
        INDUSTRY,
        lambda: "substr(k.industry, 1, 3)",
        lambda cell: cell.industry[:3],
        industry_places,
    ),
    "class": Part(INDUSTRY, lambda: "k.industry", lambda cell: cell.industry, industry_places),
    "industry": Part(INDUSTRY, lambda: "k.industry", lambda cell: cell.industry, industry_places),
    "district": Part(DISTRICT, lambda: "k.district", lambda cell: cell.district, districts),
    "merchant": Part(MERCHANT, lambda: "k.merchant", lambda cell: cell.merchant),
    "till": Part(MERCHANT, lambda: "k.till", lambda cell: cell.till),
    "rate": Part(
        RATE,
        lambda: f"CASE {_KIND_AT} WHEN 0 THEN k.rate ELSE substr(k.rate, 1, {_KIND_AT} - 1) END",
        lambda cell: split_rate_name(cell.rate)[0],
    ),
    "tax_kind": Part(
        RATE,
        lambda: f"CASE {_KIND_AT} WHEN 0 THEN '' ELSE substr(k.rate, {_KIND_AT} + 1) END",
        lambda cell: split_rate_name(cell.rate)[1],
    ),
}
"""What a cell says; of an industry its code as registered is "class" and "industry"."""

OF_DOCUMENTS: Final = ("type", "state")
"""What an invoice is, and has become: no cell says it."""
