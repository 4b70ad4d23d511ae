"""Merchants: tax id (GB 32100-2015), industry (GB/T 4754-2017), district (GB/T 2260)."""

import csv
import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from stdnum.cn import uscc

from chain import canonical
from chain.errors import MalformedError, RefusedError
from chain.hashing import sha256

from .money import LIMIT
from .quota import Quotas
from .reading import Wire, read_json
from .text import check_name, given_texts

_TAX_ID = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")

_ORGANISATION = re.compile(r"[0-9A-Z]{8}[0-9X]")
_BASE_36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "0X987654321"
"""By the remainder r of the weighed sum: 11 - r, where 10 is X and 11 is 0."""

CLASSED_DIVISIONS: Final = frozenset({"51", "52", "61", "62"})
"""The divisions whose classes the data file lists; of the others it has the groups only."""

_PREFIX: Final = b"fapiao/v1/merchant\n"
_PARTICULARS: Final = (
    *("tax_id", "name", "industry", "district", "address_phone", "bank_account"),
    *("drawer", "payee", "reviewer"),
)

_LONGEST: Final = 100  # characters
_LONGEST_PERSON: Final = 40

Name = Annotated[str, Meta(min_length=1, max_length=_LONGEST)]
Contact = Annotated[str, Meta(max_length=_LONGEST)]
Person = Annotated[str, Meta(max_length=_LONGEST_PERSON)]
Batch = Annotated[str, Meta(max_length=_LONGEST_PERSON)]
Quota = Annotated[int, Meta(ge=0, le=LIMIT)]
Status = Literal["active", "suspended", "left", "revoked"]
"""Whether a merchant may issue: one that has left may be admitted again, by an official; one that
was revoked never is."""


class MerchantRequest(Wire, frozen=True):
    """What an official enters to admit a merchant; without a quota there is no limit.

    ``month_quota`` and ``invoice_limit`` are in fen without tax; ``batch`` is of the pilot.
    """

    tax_id: str
    name: Name
    industry: str
    district: str
    address_phone: Contact = ""
    bank_account: Contact = ""
    drawer: Person = ""
    payee: Person = ""
    reviewer: Person = ""
    quota: Quota | None = None
    month_quota: Quota | None = None
    invoice_limit: Quota | None = None
    batch: Batch = ""


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """An admitted merchant; ``quota`` is the most blue invoices in all, None for no limit.

    ``month_quota`` is the most that it may issue in a month of Shenzhen's calendar, and
    ``invoice_limit`` on one invoice, both in fen without tax; ``batch`` the pilot's, "" for none.
    """

    id: int
    tax_id: str
    name: str
    industry: str
    district: str
    address_phone: str = ""
    bank_account: str = ""
    drawer: str = ""
    payee: str = ""
    reviewer: str = ""
    quota: int | None = None
    month_quota: int | None = None
    invoice_limit: int | None = None
    batch: str = ""
    status: Status = "active"

    def quotas(self) -> Quotas:
        """What it may issue."""
        return Quotas(
            quota=self.quota, month_quota=self.month_quota, invoice_limit=self.invoice_limit
        )


def refuse_unless_active(status: str) -> None:
    """RefusedError ``merchant_suspended``, ``merchant_left``, ``merchant_revoked`` for a merchant
    that may not issue.
    """
    if status == "revoked":
        raise RefusedError("merchant_revoked", "this merchant was revoked for good")
    if status == "left":
        raise RefusedError("merchant_left", "this merchant has left; its invoices stand")
    if status != "active":
        raise RefusedError("merchant_suspended", "this merchant is suspended")


def particulars(merchant: MerchantRequest | Merchant) -> str:
    """The digest of what invoices take over of a merchant, in hex: nobody changes it later."""
    said = {name: str(getattr(merchant, name)) for name in _PARTICULARS}
    return sha256(_PREFIX + canonical.encode(said)).hex()


def masked_name(name: str) -> str:
    """A merchant's name for who may see that there is one, and not which: its first character."""
    return f"{name[:1]}***"


def masked_tax_id(tax_id: str) -> str:
    """Of a tax id the kind of registration and the region (8 characters), which many share."""
    return f"{tax_id[:8]}**********"


class Place(msgspec.Struct, frozen=True):
    """An industry or a district with its names; the English one may be empty."""

    code: str
    name_zh: str
    name_en: str


def parse_merchant(body: bytes, *, max_bytes: int = 65_536) -> MerchantRequest:
    """Read and check one merchant; MalformedError with the code and pointer of what is wrong."""
    request = read_json(body, _decoder, max_bytes=max_bytes)
    return check_merchant(request)


def check_merchant(merchant: MerchantRequest) -> MerchantRequest:
    """The merchant without its blank texts, whether it came as JSON, by a form or a command.

    Raises MalformedError: tax id, industry, district or a text is not what it must be.
    """
    check_tax_id(merchant.tax_id, "/tax_id")
    check_industry(merchant.industry)
    check_district(merchant.district)
    check_name(merchant.name, "/name")
    people = ("drawer", "payee", "reviewer")
    for name in ("name", "address_phone", "bank_account", "batch", *people):
        longest = _LONGEST if name in ("name", "address_phone", "bank_account") else _LONGEST_PERSON
        if len(getattr(merchant, name)) > longest:
            raise MalformedError(
                "text_too_long", f"it has at most {longest} characters", pointer=f"/{name}"
            )
    return given_texts(merchant, ("address_phone", "bank_account", "batch", *people), "")


def check_tax_id(text: str, pointer: str = "/tax_id") -> None:
    """Refuse all but the one spelling of a valid tax id: "tax_id_invalid"."""
    if not is_tax_id(text):
        raise MalformedError(
            "tax_id_invalid",
            "a tax id has 18 digits and capital letters, the last one a check digit (GB 32100)",
            pointer=pointer,
        )


def holds_organisation_code(tax_id: str) -> bool:
    """Whether characters 9 to 17 are an organisation code with its own check digit (GB 11714).

    Tax ids of 18 characters have one inside. A few were given out that do not fit, so that
    nothing is refused for it; whoever types one looks twice.
    """
    code = tax_id[8:17]
    if not _ORGANISATION.fullmatch(code):
        return False
    weighed = sum(w * _BASE_36.index(c) for w, c in zip(_WEIGHTS, code, strict=False))
    return code[8] == _CHECKS[weighed % 11]


@lru_cache(maxsize=4096)
def is_tax_id(text: str) -> bool:
    """Whether it is the one spelling of a tax id; its own check digit holds (GB 32100).

    Kept for the companies that come back: the check digit costs more than a whole line.
    """
    # stdnum forgives spaces, hyphens and small letters; a document must not.
    return _TAX_ID.fullmatch(text) is not None and bool(uscc.is_valid(text))


def check_industry(code: str, pointer: str = "/industry") -> None:
    """Refuse what is neither a group nor a class of GB/T 4754: "industry_unknown"."""
    if code not in industries():
        raise MalformedError(
            "industry_unknown", "not a group or class of GB/T 4754-2017", pointer=pointer
        )


def check_district(code: str, pointer: str = "/district") -> None:
    """Refuse what is not one of Shenzhen's districts: "district_unknown"."""
    if code not in districts():
        raise MalformedError(
            "district_unknown", "not an administrative district of Shenzhen", pointer=pointer
        )


@cache
def industries() -> dict[str, Place]:
    """Groups and classes by code, with the class "6210" of a group "621" that has only one."""
    rows = _rows("gbt4754-2017.csv")
    divided = {row["parent"] for row in rows if row["level"] == "class"}
    found: dict[str, Place] = {}
    for row in rows:
        if row["level"] not in {"group", "class"}:
            continue
        place = Place(row["code"], row["name_zh"], row["name_en"])
        found[place.code] = place
        whole = row["level"] == "group" and place.code not in divided
        if whole and row["parent"] in CLASSED_DIVISIONS:
            found[f"{place.code}0"] = msgspec.structs.replace(place, code=f"{place.code}0")
    return found


@cache
def industry_places() -> dict[str, Place]:
    """Sections and divisions by code, too."""
    rows = [row for row in _rows("gbt4754-2017.csv") if row["level"] in {"section", "division"}]
    above = {row["code"]: Place(row["code"], row["name_zh"], row["name_en"]) for row in rows}
    return above | industries()


@cache
def _sections() -> dict[str, str]:
    rows = _rows("gbt4754-2017.csv")
    return {row["code"]: row["parent"] for row in rows if row["level"] == "division"}


def section_of(division: str) -> str:
    """The letter of a division's section; "" for what is no division."""
    return _sections().get(division, "")


@cache
def districts() -> dict[str, Place]:
    """Shenzhen's districts by their code of six digits."""
    rows = _rows("shenzhen_districts.csv")
    return {row["code"]: Place(row["code"], row["name_zh"], row["name_en"]) for row in rows}


def _rows(name: str) -> list[dict[str, str]]:
    text = files("invoice_service").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


_decoder = msgspec.json.Decoder(MerchantRequest)
