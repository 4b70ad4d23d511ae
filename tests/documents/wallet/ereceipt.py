"""What an eReceipt has, as a JSON Schema of our own: its parts by the rulebook 2.0, closed."""

from typing import Any, Final

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
FEN: Final[Schema] = {"type": "integer"}
_CODES: Final = {"enum": ["S", "Z", "E", "AE", "K", "G", "O", "L", "M", "B"]}


def _object(optional: Schema | None = None, /, **parts: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**parts, **(optional or {})},
        "required": list(parts),
        "additionalProperties": False,
    }


def _some(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


_PRODUCT_VAT: Final = _object(
    {"VATCode": _CODES},
    VATRate=TEXT,
    VATAmount=FEN,
    totalAmountExcVAT=FEN,
    totalAmountIncVAT=FEN,
)
_PRODUCT: Final = _object(
    {"unitPriceIncVATDecimal": TEXT, "discounts": {"type": "array"}, "freeText": TEXT},
    name=TEXT,
    quantity=TEXT,
    quantityCode=TEXT,
    unitPriceIncVAT=FEN,
    totalAmountExcVAT=FEN,
    totalAmountIncVAT=FEN,
    vats=_some(_PRODUCT_VAT),
)
_VAT: Final = _object(
    {"VATCode": _CODES},
    VATRate=TEXT,
    totalVATAmount=FEN,
    totalAmountExcVAT=FEN,
    totalAmountIncVAT=FEN,
)
_MERCHANT: Final = _object(
    name=TEXT,
    companyID=TEXT,
    branch=_object(id=TEXT, posId=TEXT, name=TEXT),
    address=_object(
        streetAddress=TEXT,
        city=TEXT,
        zipCode=TEXT,
        country={"type": "string", "pattern": "^[A-Z]{2}$"},
    ),
)
_VERIFICATION: Final = _object(
    type={"enum": ["EMV", "OCMF", "SCT", "SCT-INST"]},
    version=TEXT,
    publicKey=TEXT,
    transactionId=TEXT,
)
_PAYMENT: Final = _object(
    {"attributes": {"type": "object"}},
    type={"enum": ["CARD", "CREDIT_TRANSFER", "MOBILEPAY", "GIFTCARD"]},
    amount=FEN,
)
_STATUS: Final = _object(
    status_list=_object(idx={"type": "integer", "minimum": 0}, uri={"type": "string"})
)

ERECEIPT: Final = _object(
    {
        "status": _STATUS,
        "customAttributes": {"type": "array"},
        "originalReceiptNumber": TEXT,
    },
    iss={"type": "string", "pattern": "^https://"},
    iat={"type": "integer", "minimum": 0},
    exp={"type": "integer", "minimum": 0},
    cnf={"type": "object", "properties": {"jwk": {"type": "object"}}},
    vct={"const": "eu.we-build.ereceipt.1"},
    attestation_legal_category={"enum": ["QEAA", "PuB-EAA", "non-qualified-EAA"]},
    type={"enum": ["PURCHASE", "RETURN", "PURCHASE_AND_RETURN"]},
    receiptNumber=TEXT,
    receiptTimeStamp={"type": "string", "format": "date-time"},
    currencyISOCode={"type": "string", "pattern": "^[A-Z]{3}$"},
    totalPriceExcVAT=FEN,
    totalVATAmount=FEN,
    totalPriceIncVAT=FEN,
    merchant=_MERCHANT,
    products=_some(_PRODUCT),
    vats=_some(_VAT),
    payments=_some(_PAYMENT),
    verifications=_some(_VERIFICATION),
)


def negative(claims: Any) -> list[str]:  # noqa: ANN401  # any JSON
    """Where an amount is below 0; of a purchase none may be (IR-10)."""
    found: list[str] = []
    if isinstance(claims, dict):
        found += [name for name, one in claims.items() if isinstance(one, int) and one < 0]
    children = claims.values() if isinstance(claims, dict) else claims
    if isinstance(claims, dict | list):
        found += [name for child in children for name in negative(child)]
    return found
