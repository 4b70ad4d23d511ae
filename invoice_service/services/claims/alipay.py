"""Notices of Alipay: a form, signed with RSA2 over its sorted fields but those of the signature."""

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl

from chain.errors import MalformedError
from invoice_service.domain.money import parse_yuan
from invoice_service.services.claims.notices import Paid, forged, malformed, require_signed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

RSA2: Final = "RSA2"
_UNSIGNED: Final = ("sign", "sign_type")
_PAID: Final = ("TRADE_SUCCESS", "TRADE_FINISHED")
_BACK: Final = ("gmt_refund", "refund_fee")
"""What a notice has that says money went back: its status and amount are those of the payment."""
_CHARSETS: Final = {"utf-8": "utf-8", "gbk": "gb18030", "gb2312": "gb18030"}
_MOST_FIELDS: Final = 100


class AlipayKeys(NamedTuple):
    """Whose signature counts; for which application, "" for any."""

    signer: "RSAPublicKey"
    app_id: str = ""


def read_notice(keys: AlipayKeys, body: bytes) -> Paid | None:
    """What a notice says that was proven; None where it says nothing of money that came.

    The same notice may come for a day: ``trade_no`` is written down once, so that a second time is
    no news. Raises RefusedError ``payment_signature_invalid``, also for another application's;
    MalformedError ``payment_malformed``.
    """
    fields, charset = _fields(body)
    if fields.get("sign_type", RSA2) != RSA2:
        raise forged(f"it is not signed with {RSA2}")
    require_signed(keys.signer, _signature(fields), _signed(fields).encode(charset))
    if keys.app_id and fields.get("app_id") != keys.app_id:
        raise forged("it is for another application of the payment service")
    if fields.get("trade_status") not in _PAID or any(name in fields for name in _BACK):
        return None
    try:
        return Paid(
            "alipay", fields["trade_no"], fields["out_trade_no"], parse_yuan(fields["total_amount"])
        )
    except (KeyError, MalformedError):
        raise malformed("trade_no, out_trade_no or total_amount is missing or no amount") from None


def _fields(body: bytes) -> tuple[dict[str, str], str]:
    """The form's fields, each once, and how their texts were written."""
    try:
        plain = body.decode("ascii")
        named = dict(parse_qsl(plain, keep_blank_values=True, errors="replace"))
        charset = _CHARSETS[named.get("charset", "utf-8").lower()]
        pairs = parse_qsl(
            plain,
            keep_blank_values=True,
            strict_parsing=True,
            encoding=charset,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except (ValueError, KeyError):
        raise malformed("it is no form, or in no charset that is known here") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise malformed("a field stands twice")
    return fields, charset


def _signed(fields: dict[str, str]) -> str:
    return "&".join(
        f"{name}={value}" for name, value in sorted(fields.items()) if name not in _UNSIGNED
    )


def _signature(fields: dict[str, str]) -> bytes:
    try:
        return b64decode(fields.get("sign", ""), validate=True)
    except (binascii.Error, ValueError):
        raise forged("the signature is not base64") from None
