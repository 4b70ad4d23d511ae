"""What an eReceipt (WE BUILD rulebook 2.0) says of an invoice: every amount in fen, as it stands.

The rulebook's shapes have no word for some of what invoices say, and ask for some that they do
not: docs/formats.md lists what stands in these places.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from chain.canonical import JsonValue
from invoice_service.domain.document import Line
from invoice_service.domain.money import Fen

VCT: Final = "eu.we-build.ereceipt.1"
SEE_LIST: Final = "（详见销货清单）"
HIDDEN: Final = "（明细未在本件中显示）"

Claims = dict[str, JsonValue]

_UNITS: Final = {
    **dict.fromkeys(("kg", "千克", "公斤"), "KGM"),
    **dict.fromkeys(("g", "克"), "GRM"),
    **dict.fromkeys(("L", "l", "升"), "LTR"),
    **dict.fromkeys(("ml", "mL", "毫升"), "MLT"),
    **dict.fromkeys(("m", "米"), "MTR"),
    **dict.fromkeys(("kWh", "千瓦时", "度"), "KWH"),
    **dict.fromkeys(("小时", "h"), "HUR"),
}
_PIECE: Final = "H87"
_SEVERAL: Final = "*"  # the rates of a line in place of lines of several; the sums name them
_CITY, _COUNTRY = "深圳市", "CN"


def face_claims(face: Mapping[str, Any]) -> Claims:
    """What everyone sees: seller, time, number, sums."""
    red, seller = face["type"] == "red", face["seller"]
    return {
        "type": "RETURN" if red else "PURCHASE",
        "receiptNumber": face["code"] + face["number"],
        "receiptTimeStamp": face["issued_at"],
        "currencyISOCode": face["currency"],
        "totalPriceExcVAT": face["amount"],
        "totalVATAmount": face["tax"],
        "totalPriceIncVAT": face["total"],
        "merchant": {
            "name": seller["name"],
            "companyID": seller["tax_id"],
            "branch": {"id": face["district"], "posId": face.get("till", ""), "name": ""},
            "address": {
                "streetAddress": seller["address_phone"],
                "city": _CITY,
                "zipCode": "",
                "country": _COUNTRY,
            },
        },
        # The code list has neither cash nor "not told", and an invoice does not tell.
        "payments": [{"type": "MOBILEPAY", "amount": face["total"]}],
    }


class _Vat(NamedTuple):
    """Money under one rate: without tax, and the tax."""

    rate: str
    code: str
    amount: Fen
    tax: Fen

    def claims(self, tax: str) -> Claims:
        """As claims; the tax is named in two ways."""
        return {
            "VATRate": self.rate,
            tax: self.tax,
            "totalAmountExcVAT": self.amount,
            "totalAmountIncVAT": self.amount + self.tax,
        }


def vat_claims(lines: Iterable[Line]) -> list[JsonValue]:
    """The sums by rate."""
    return [{**vat.claims("totalVATAmount"), "VATCode": vat.code} for vat in _sums(lines)]


def product_claims(lines: Sequence[Line]) -> list[JsonValue]:
    """What was sold, each with its discount taken off."""
    following = [*lines[1:], None]
    return [
        _product(line, after if after is not None and after.nature == "discount" else None)
        for line, after in zip(lines, following, strict=True)
        if line.nature != "discount"
    ]


def folded_claims(lines: Iterable[Line], name: str) -> list[JsonValue]:
    """One line in place of all, as invoices have it whose list is elsewhere."""
    sums = _sums(lines)
    amount, tax = sum(vat.amount for vat in sums), sum(vat.tax for vat in sums)
    rate = sums[0].rate if len(sums) == 1 else _SEVERAL
    return [_priced(name, "1", _PIECE, amount + tax, _Vat(rate, "", amount, tax))]


def _sums(lines: Iterable[Line]) -> list[_Vat]:
    sums: defaultdict[tuple[str, str], list[Fen]] = defaultdict(lambda: [0, 0])
    for line in lines:
        found = sums[_rate(line)]
        found[0] += line.amount
        found[1] += line.tax
    return [_Vat(*rate, *found) for rate, found in sorted(sums.items())]


def _product(line: Line, discount: Line | None) -> Claims:
    amount, tax = line.amount, line.tax
    if discount is not None:
        amount, tax = amount + discount.amount, tax + discount.tax
    quantity = line.quantity if isinstance(line.quantity, str) else "1"
    unit = _UNITS.get(line.unit, _PIECE) if isinstance(line.unit, str) else _PIECE
    vat = _Vat(*_rate(line), amount, tax)
    found = _priced(line.name, quantity, unit, _price(line, quantity), vat)
    if isinstance(line.unit_price_yuan, str):
        found["unitPriceIncVATDecimal"] = line.unit_price_yuan
    if discount is not None:
        found["discounts"] = [{"amountIncVAT": -discount.total}]
    return found


def _priced(name: str, quantity: str, unit: str, price: Fen, vat: _Vat) -> Claims:
    return {
        "name": name,
        "quantity": quantity,
        "quantityCode": unit,
        "unitPriceIncVAT": price,
        "totalAmountExcVAT": vat.amount,
        "totalAmountIncVAT": vat.amount + vat.tax,
        "vats": [vat.claims("VATAmount")],
    }


def _price(line: Line, quantity: str) -> Fen:
    """Fen for one, tax included, before discounts; rounded where it is finer or was not told."""
    if isinstance(line.unit_price, int):
        return line.unit_price
    if isinstance(line.unit_price_yuan, str):
        exact = Decimal(line.unit_price_yuan) * 100
    else:
        exact = Decimal(line.total) / (Decimal(quantity) or 1)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _rate(line: Line) -> tuple[str, str]:
    """Per cent as a decimal, and the code of the kind of tax."""
    if line.tax_kind is not UNSET:
        return "0", "E" if line.tax_kind == "exempt" else "O"
    return f"{(Decimal(line.tax_rate) * 100).normalize():f}", "S" if Decimal(line.tax_rate) else "Z"
