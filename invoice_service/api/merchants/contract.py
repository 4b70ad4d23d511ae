"""Merchants and their keys: what is sent, what is answered."""

from typing import Annotated, Final

import msgspec

from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.openapi.operation import (
    JSON,
    Operation,
    Parameter,
    page,
    whole,
)

MERCHANT = Parameter("merchant", "The merchant's id", "path", whole(1, LARGEST))
KEY = Parameter("key", "The key's id", "path", whole(1, LARGEST))

Quota = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


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


class QuotaRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many blue invoices a merchant may issue in all; null: no limit."""

    quota: Quota | None


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


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key to make; ``label`` says where it is used."""

    label: str = ""


OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/merchants",
        "listMerchants",
        "officials",
        "Admitted merchants",
        "A page",
        ((JSON, MerchantPage),),
        "official",
        page(1000),
    ),
    Operation(
        "post",
        "/v1/merchants",
        "admit",
        "officials",
        "Admit a merchant",
        "The merchant",
        ((JSON, MerchantBody),),
        "official",
        (),
        ((JSON, MerchantRequest),),
        (201,),
    ),
    Operation(
        "get",
        "/v1/merchants/{merchant}",
        "readMerchant",
        "officials",
        "One merchant",
        "The merchant",
        ((JSON, MerchantBody),),
        "official",
        (MERCHANT,),
    ),
    Operation(
        "post",
        "/v1/merchants/{merchant}/suspension",
        "suspend",
        "officials",
        "Suspend a merchant",
        "The merchant",
        ((JSON, MerchantBody),),
        "official",
        (MERCHANT,),
    ),
    Operation(
        "delete",
        "/v1/merchants/{merchant}/suspension",
        "resume",
        "officials",
        "Let a merchant issue again",
        "The merchant",
        ((JSON, MerchantBody),),
        "official",
        (MERCHANT,),
    ),
    Operation(
        "put",
        "/v1/merchants/{merchant}/quota",
        "setQuota",
        "officials",
        "Set how many invoices a merchant may issue in all",
        "The merchant",
        ((JSON, MerchantBody),),
        "official",
        (MERCHANT,),
        ((JSON, QuotaRequest),),
    ),
    Operation(
        "get",
        "/v1/merchants/{merchant}/keys",
        "listKeys",
        "officials",
        "A merchant's API keys",
        "All keys, without their texts",
        ((JSON, KeyList),),
        "official",
        (MERCHANT,),
    ),
    Operation(
        "post",
        "/v1/merchants/{merchant}/keys",
        "createKey",
        "officials",
        "Make an API key",
        "The key; its text is shown here only",
        ((JSON, KeyBody),),
        "official",
        (MERCHANT,),
        ((JSON, KeyRequest),),
        (201,),
    ),
    Operation(
        "delete",
        "/v1/merchants/{merchant}/keys/{key}",
        "revokeKey",
        "officials",
        "Revoke an API key, for ever",
        "The key",
        ((JSON, KeyBody),),
        "official",
        (MERCHANT, KEY),
    ),
)
