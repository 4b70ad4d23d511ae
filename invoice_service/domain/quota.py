"""Quotas as money: by calendar month in Shenzhen, in fen without tax (不含税金额)."""

from datetime import datetime
from functools import lru_cache
from typing import Final

import msgspec

from chain.errors import RefusedError

from .numbering import SHANGHAI, shanghai_time


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant may issue: ``quota`` blue invoices in all; money in fen without tax.

    None is no limit.
    """

    quota: int | None = None
    month_quota: int | None = None
    invoice_limit: int | None = None

    def said(self) -> dict[str, int | str]:
        """As an act of the trail says it: what has no limit is absent."""
        given = msgspec.structs.asdict(self).items()
        return {name: value for name, value in given if value is not None}


QUOTAS: Final[tuple[str, ...]] = Quotas.__struct_fields__


@lru_cache(maxsize=64)  # invoices that are issued together have one time
def shanghai_month(moment: int) -> str:
    """The month of a unix second in Shenzhen: "2026-11"."""
    return f"{shanghai_time(moment):%Y-%m}"


@lru_cache(maxsize=64)
def month_begins(month: str) -> int:
    """The unix second at which a month begins in Shenzhen."""
    return int(datetime.strptime(month, "%Y-%m").replace(tzinfo=SHANGHAI).timestamp())


def check_limit(amount: int, limit: int | None) -> None:
    """RefusedError ``invoice_over_limit`` for more than ``limit`` fen without tax."""
    if limit is not None and amount > limit:
        raise RefusedError(
            "invoice_over_limit",
            f"{amount} fen without tax, and one invoice of this merchant has at most {limit}",
            limit=limit,
        )


def check_left(amount: int, left: int | None) -> None:
    """RefusedError ``quota_money_spent`` for more than is ``left`` this month; None: no limit."""
    if left is not None and amount > left:
        raise RefusedError(
            "quota_money_spent",
            f"{amount} fen without tax, and {left} are left of this month's quota",
            left=left,
        )
