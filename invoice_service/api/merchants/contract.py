"""Merchants and their keys: what is sent, what is answered."""

from typing import Annotated, Final

import msgspec

from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.merchant import MerchantRequest, Status
from invoice_service.openapi.operation import (
    JSON,
    LOOKING,
    PURPOSE,
    STORE,
    TAX_ID,
    TEXTS,
    Operation,
    Parameter,
    Words,
    page,
    says,
    whole,
)
from invoice_service.services.people.admit import LONGEST_OVERLAP
from invoice_service.services.people.ports import SCOPES, Scope

MERCHANT = Parameter("merchant", "The merchant's id", "path", whole(1, LARGEST))
KEY = Parameter("key", "The key's id", "path", whole(1, LARGEST))

Quota = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


class MerchantBody(msgspec.Struct, kw_only=True):
    """An admitted merchant; a quota that is null: no limit; ``used``: blue invoices issued.

    Money is in fen without tax; ``month_left`` is for the month that it is now, in Shenzhen.
    """

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
    month_quota: int | None
    month_left: int | None
    invoice_limit: int | None
    batch: str
    status: Status
    used: int
    created_at: str


class MerchantPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    merchants: list[MerchantBody]
    next: int | None


class QuotaRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a merchant may issue; null: no limit. Money that is not named stays as it is."""

    quota: Quota | msgspec.UnsetType | None = msgspec.UNSET
    month_quota: Quota | msgspec.UnsetType | None = msgspec.UNSET
    invoice_limit: Quota | msgspec.UnsetType | None = msgspec.UNSET
    reason: str = ""


class ReasonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why an official does it: an act of the trail says so, too."""

    reason: str = ""


class KeyBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An API key; ``key`` itself stands only in the answer that makes it."""

    id: int
    label: str
    created_at: str
    revoked_at: str | None = None
    scopes: tuple[Scope, ...]
    expires_at: str | None = None
    till: str = ""
    used_at: str | None = None
    key: str | None = None


class KeyList(msgspec.Struct):
    """All keys of a merchant, revoked ones too."""

    keys: list[KeyBody]


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key to make; ``label`` says where it is used."""

    label: str = ""
    scopes: tuple[Scope, ...] | None = None
    expires_at: str | None = None
    till: str = ""


class RotationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How long the old key goes on beside the new one."""

    overlap_seconds: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_OVERLAP)] = 86_400


_MERCHANT_FIELDS = (
    *(*TEXTS, "amount_out_of_range"),
    *("tax_id_invalid", "industry_unknown", "district_unknown"),
)
_ONE = ("parameter_malformed", "merchant_unknown", *STORE)
_WRITE = ("database_refused", *STORE)
REASON = ("control_character", "text_damaged", "text_too_long")

_FIELDS: Final = {
    "tax_id": says(
        "18 digits and capital letters, the last a check digit (GB 32100-2015)", pattern=TAX_ID
    ),
    "name": says("As printed on invoices; something of it can be seen", minLength=1, maxLength=100),
    "industry": says(
        "A group or class of GB/T 4754-2017, such as 6210: restaurants", pattern="^[0-9]{3,4}$"
    ),
    "district": says("A district of Shenzhen by GB/T 2260", pattern="^4403[0-9]{2}$"),
    "address_phone": says("As printed", maxLength=100),
    "bank_account": says("As printed", maxLength=100),
    "drawer": says("Who writes invoices, unless they say so themselves", maxLength=40),
    "payee": says("Who takes the money, unless invoices say so", maxLength=40),
    "reviewer": says("Who checks invoices, unless they say so", maxLength=40),
    "quota": says("How many blue invoices it may issue in all; null: no limit"),
    "month_quota": says(
        "How much it may issue in a calendar month of Shenzhen, fen without tax; null: no limit"
    ),
    "invoice_limit": says("The most on one invoice, fen without tax; null: no limit"),
    "batch": says("The pilot's batch into which it was admitted", maxLength=40),
}

WORDS: Final[Words] = {
    **{f"MerchantRequest.{name}": text for name, text in _FIELDS.items()},
    **{f"MerchantBody.{name}": text for name, text in _FIELDS.items()},
    "MerchantBody.tax_id": says(
        "For a viewer its last ten characters are stars",
        pattern=r"^[0-9A-HJ-NPQRTUWXY]{8}([0-9A-HJ-NPQRTUWXY]{10}|\*{10})$",
    ),
    "MerchantBody.id": says("Given out here"),
    "MerchantBody.status": says(
        "`active` alone may issue", enum=["active", "suspended", "left", "revoked"]
    ),
    "MerchantBody.month_left": says(
        "What is left of the month's quota now, fen without tax; null: no limit"
    ),
    "MerchantBody.used": says("Blue invoices issued"),
    "MerchantBody.created_at": says("When it was admitted, UTC", format="date-time"),
    "MerchantPage.merchants": says("In order of their ids"),
    "MerchantPage.next": says("The `after` of the following page; null on the last"),
    "QuotaRequest.quota": _FIELDS["quota"],
    "QuotaRequest.month_quota": _FIELDS["month_quota"],
    "QuotaRequest.invoice_limit": _FIELDS["invoice_limit"],
    "QuotaRequest.reason": says("Why, in the official's words", maxLength=200),
    "ReasonRequest.reason": says("Why, in the official's words", maxLength=200),
    "KeyBody.id": says("Names the key, without opening anything"),
    "KeyRequest.label": says("Where the key is used", maxLength=100),
    "KeyBody.label": says("Where the key is used"),
    "KeyBody.created_at": says("UTC", format="date-time"),
    "KeyBody.revoked_at": says("UTC; absent while the key is good", format="date-time"),
    "KeyRequest.scopes": says(
        "What it is for; all but `manage` unless given", items={"enum": [*SCOPES["merchant"]]}
    ),
    "KeyRequest.expires_at": says("Until when it is good, UTC; for ever unless given"),
    "KeyRequest.till": says("The till whose key it is", maxLength=32),
    "KeyBody.scopes": says("What it is for"),
    "KeyBody.expires_at": says("UTC; absent without an end", format="date-time"),
    "KeyBody.till": says("The till whose key it is; absent for none"),
    "KeyBody.used_at": says(
        "When it was used last, to within five minutes, UTC; absent for never", format="date-time"
    ),
    "RotationRequest.overlap_seconds": says("For how long the old key goes on; a day unless given"),
    "KeyBody.key": says("The key itself: only in the answer that makes it"),
    "KeyList.keys": says("All of them, revoked ones too"),
}


def _standing(address: str, name: str, summary: str) -> Operation:
    """A call that changes whether a merchant may issue, and says why."""
    return Operation(
        "post",
        f"/v1/merchants/{{merchant}}/{address}",
        name,
        "officials",
        summary,
        "The merchant",
        ((JSON, MerchantBody),),
        "official",
        (MERCHANT,),
        ((JSON, ReasonRequest),),
        scope="manage",
        power="admit",
        codes=(*_ONE, *REASON, "merchant_revoked", *_WRITE),
    )


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
        scope="read",
        power="lists",
        codes=("parameter_malformed", *STORE),
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
        scope="manage",
        power="admit",
        codes=(*_MERCHANT_FIELDS, "tax_id_taken", *_WRITE),
        headers=(("Location", "Where the merchant is"),),
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
        (MERCHANT, PURPOSE),
        scope="read",
        power="look",
        codes=(*_ONE, *LOOKING),
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
        ((JSON, ReasonRequest),),
        scope="manage",
        power="suspend",
        codes=(*_ONE, *REASON, "readmission_needed", "merchant_revoked", *_WRITE),
        bodiless=True,
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
        ((JSON, ReasonRequest),),
        scope="manage",
        power="admit",
        codes=(*_ONE, *REASON, "readmission_needed", "merchant_revoked", *_WRITE),
        bodiless=True,
    ),
    Operation(
        "post",
        "/v1/merchants/{merchant}/revocation",
        "revoke",
        "officials",
        "Revoke a merchant: it never issues again",
        "The merchant",
        ((JSON, MerchantBody),),
        "official",
        (MERCHANT,),
        ((JSON, ReasonRequest),),
        scope="manage",
        power="admit",
        codes=(*_ONE, *REASON, "two_needed", *_WRITE),
        bodiless=True,
    ),
    _standing("leaving", "letLeave", "Let a merchant go, whose invoices stand"),
    _standing("readmission", "readmit", "Admit a merchant again that is suspended or has left"),
    Operation(
        "put",
        "/v1/merchants/{merchant}/quota",
        "setQuota",
        "officials",
        "Set what a merchant may issue: invoices in all, money in a month and on one",
        "The merchant",
        ((JSON, MerchantBody),),
        "official",
        (MERCHANT,),
        ((JSON, QuotaRequest),),
        scope="manage",
        power="admit",
        codes=(*_ONE, *REASON, "amount_out_of_range", "limits_missing", *_WRITE),
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
        (MERCHANT, PURPOSE),
        scope="read",
        power="look",
        codes=(*_ONE, *LOOKING),
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
        scope="manage",
        power="keys",
        codes=(
            *(*_ONE, *TEXTS, "value_unknown", "amount_out_of_range", "time_invalid"),
            *("till_taken", *_WRITE),
        ),
    ),
    Operation(
        "post",
        "/v1/merchants/{merchant}/keys/{key}/rotation",
        "rotateKey",
        "officials",
        "Make a new key in the place of one, which goes on for a while",
        "The new key; its text is shown here only",
        ((JSON, KeyBody),),
        "official",
        (MERCHANT, KEY),
        ((JSON, RotationRequest),),
        (201,),
        codes=(*_ONE, "api_key_unknown", "amount_out_of_range", *_WRITE),
        scope="manage",
        power="keys",
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
        ((JSON, ReasonRequest),),
        scope="manage",
        power="keys",
        codes=(*_ONE, *REASON, "api_key_unknown", *_WRITE),
        bodiless=True,
    ),
)
