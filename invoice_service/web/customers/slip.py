"""From a page's address to what the slip says."""

from urllib.parse import parse_qsl

from chain.errors import MalformedError
from invoice_service.domain.money import parse_amount
from invoice_service.domain.numbering import parse_bill_number
from invoice_service.domain.qrtext import QrText, parse_qr_text

FIELDS = ("hash", "bill_num", "total_amount")
MAX_FIELDS = 30
LONGEST = 4096


def read_slip(query: bytes) -> QrText:
    """Read ``hash``, ``bill_num`` and ``total_amount``, or a whole QR text as ``text``.

    Chat apps add parameters of their own to a shared address; they are passed over. Ours must
    stand once each. Raises MalformedError: query_malformed, missing_parameter,
    duplicate_parameter, and as ``parse_qr_text`` does.
    """
    values = _values(query)
    if "text" in values:
        return parse_qr_text(values["text"])
    for name in FIELDS:
        if name not in values:
            raise MalformedError("missing_parameter", f"the parameter {name} is missing")
    return QrText(
        hash=values["hash"],
        number=parse_bill_number(values["bill_num"]),
        total=parse_amount(values["total_amount"]),
    )


def _values(query: bytes) -> dict[str, str]:
    try:
        if len(query) > LONGEST:
            raise ValueError
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise MalformedError("query_malformed", "the address could not be read") from None
    ours = [pair for pair in pairs if pair[0] in {*FIELDS, "text"}]
    if len(dict(ours)) != len(ours):
        raise MalformedError("duplicate_parameter", "a parameter stands twice in the address")
    return dict(ours)
