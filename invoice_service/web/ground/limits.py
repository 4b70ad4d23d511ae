"""Limits as people type and read them: invoices as numbers, money in yuan without tax."""

from chain.errors import MalformedError
from invoice_service.documents.slip import yuan
from invoice_service.domain.money import LIMIT, read_yuan
from invoice_service.domain.quota import Quotas

_LONGEST = 20  # digits: what a field takes


def limits_typed(fields: dict[str, str]) -> Quotas:
    """Those that a form names; MalformedError ``amount_out_of_range``, ``amount_invalid``."""
    quota = fields.get("quota", "").strip()
    plain = quota.isascii() and quota.isdecimal() and len(quota) <= _LONGEST
    if quota and not (plain and int(quota) <= LIMIT):
        raise MalformedError("amount_out_of_range", "a plain whole number", pointer="/quota")
    return Quotas(
        quota=int(quota) if quota else None,
        month_quota=_money(fields, "month_quota"),
        invoice_limit=_money(fields, "invoice_limit"),
    )


def typed_limits(limits: Quotas) -> dict[str, str]:
    """As a form shows them again; what has no limit is absent."""
    shown = {"quota": "" if limits.quota is None else str(limits.quota)}
    if limits.month_quota is not None:
        shown["month_quota"] = yuan(limits.month_quota)
    if limits.invoice_limit is not None:
        shown["invoice_limit"] = yuan(limits.invoice_limit)
    return {name: text for name, text in shown.items() if text}


def _money(fields: dict[str, str], name: str) -> int | None:
    text = fields.get(name, "").strip()
    if not text:
        return None
    try:
        return read_yuan(text)
    except MalformedError as problem:
        raise MalformedError(problem.code, problem.detail, pointer=f"/{name}") from None
