"""What the answers look like. Money in fen; ``issued_at`` RFC 3339 with +08:00, log times UTC."""

from typing import Annotated

import msgspec

from invoice_service.domain.lifecycle import Type
from invoice_service.domain.verdict import Verdict, Verification

Group = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": ["object", "array"]})]
"""Canonical JSON, passed on as it is stored."""

Quota = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class InvoiceBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An invoice without its groups; ``state`` is its verdict when nothing was altered."""

    hash: str
    code: str
    number: str
    check_code: str
    type: Type
    issued_at: str
    order_id: str
    amount: int
    tax: int
    total: int
    state: Verdict
    qr: str
    reverses: str | None = None
    reversed_by: str | None = None
    promise: str | None = None


class InvoiceDetail(InvoiceBody, kw_only=True, omit_defaults=True):
    """An invoice with its groups, the very bytes that were frozen.

    A group that the asker may not see is ``{"digest": "…"}`` instead.
    """

    face: Group
    buyer: Group
    lines: Group


class InvoicePage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    invoices: list[InvoiceBody]
    next: str | None


class ProblemBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """RFC 9457, and ``code`` for programs. Some codes bring further members."""

    type: str
    title: str
    title_zh: str
    status: int
    code: str
    detail: str
    pointer: str = ""
    incident: str = ""


class BatchResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of one line of a batch: what a single request would have got."""

    line: int
    status: int
    invoice: InvoiceBody | None = None
    problem: ProblemBody | None = None


class CheckResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one of many checks came to."""

    line: int
    verification: Verification | None = None
    problem: ProblemBody | None = None


class MerchantBody(msgspec.Struct, kw_only=True):
    """An admitted merchant; ``quota`` null: no limit; ``used``: blue invoices issued."""

    id: int
    tax_id: str
    name: str
    industry: str
    district: str
    address_phone: str
    bank_account: str
    drawer: str
    payee: str
    reviewer: str
    quota: int | None
    status: str
    used: int
    created_at: str


class MerchantPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    merchants: list[MerchantBody]
    next: int | None


class KeyBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An API key; ``key`` itself stands only in the answer that makes it."""

    id: int
    label: str
    created_at: str
    revoked_at: str | None = None
    key: str | None = None


class KeyList(msgspec.Struct):
    """All keys of a merchant, revoked ones too."""

    keys: list[KeyBody]


class BlockBody(msgspec.Struct):
    """A published block: entries ``first`` to ``first + count - 1``, its seal after them."""

    height: int
    first: int
    count: int
    seal_index: int
    seal: str
    size: int
    root: str
    sealed_at: str


class BlockPage(msgspec.Struct):
    """``size`` is that of the newest checkpoint."""

    size: int
    blocks: list[BlockBody]
    next: int | None


class QuotaRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many blue invoices a merchant may issue in all; null: no limit."""

    quota: Quota | None


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key to make; ``label`` says where it is used."""

    label: str = ""
