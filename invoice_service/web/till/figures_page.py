"""The sums of a day and of its month, drawn."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from flask import Response
from flask_babel import gettext as _

from invoice_service.domain.money import Fen
from invoice_service.web.customers.pages import yuan
from invoice_service.web.ground.catalogs import N_
from invoice_service.web.ground.charts import Bar
from invoice_service.web.ground.page import page

Figures = dict[str, Any]

_KINDS: Final = {
    "cash": N_("Cash"),
    "wechat": N_("WeChat"),
    "alipay": N_("Alipay"),
    "card": N_("Card"),
    "other": N_("Other"),
    "prepaid": N_("Prepaid"),
    "unrecorded": N_("by program"),
}
_OPENS: Final = 10  # o'clock
_CLOSES: Final = 21
_UNTAXED: Final = {"exempt": N_("exempt"), "untaxed": N_("not taxed")}


class Misfit(msgspec.Struct, frozen=True):
    """An invoice by its number, and how many scans of it did not fit."""

    number: str
    count: int


def figures_page(
    day: str, of_day: Figures, month: str, of_month: Figures, misfits: Sequence[Misfit]
) -> Response:
    """A part of the page of the day."""
    return page(
        "till/figures.html",
        day=of_day,
        day_title=_("Day %(day)s", day=day),
        hours=_hours({row["hour"]: row["net"] for row in of_day["by_hour"]}),
        kinds={kind: _(name) for kind, name in _KINDS.items()},
        month=of_month,
        month_title=_("Month %(month)s", month=month),
        misfits=misfits,
    )


def _hours(nets: Mapping[int, Fen]) -> list[Bar]:
    """A bar for each hour of a usual day, and for those before and after that had something."""
    first, last = min({*nets, _OPENS}), max({*nets, _CLOSES})
    return [
        Bar(f"{hour:02}", nets.get(hour, 0), yuan(nets.get(hour, 0)))
        for hour in range(first, last + 1)
    ]


def rate_name(row: Mapping[str, Any]) -> str:
    """A rate in per cent; of 0 what it means."""
    kind = _UNTAXED.get(row.get("tax_kind", ""))
    return _(kind) if kind else f"{(Decimal(row['rate']) * 100).normalize():f}%"
