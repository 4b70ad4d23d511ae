"""Notices of WeChat Pay, API v3.

The headers ``Wechatpay-Timestamp``, ``-Nonce``, ``-Serial`` and ``-Signature`` (RSA with SHA-256 in
base64, over time, nonce and body, a line each) prove it; ``resource`` is sealed with AES-256-GCM
under the merchant's own APIv3 key. The serial names the key: a platform certificate's serial
number in hex, or the id of a public key (``PUB_KEY_ID_…``).
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec

from chain.errors import RefusedError
from invoice_service.services.claims.notices import Paid, forged, malformed, require_signed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

WINDOW: Final = 300
"""Seconds by which a notice's time may be off: what is older was caught and sent again."""

_SUCCESS: Final = "TRANSACTION.SUCCESS"
_Read = TypeVar("_Read", bound=msgspec.Struct)
_ALGORITHM: Final = "AEAD_AES_256_GCM"


class WechatKeys(NamedTuple):
    """Whose signatures count, by serial; the key of the contents; for whom, "" for anybody."""

    signers: Mapping[str, "RSAPublicKey"]
    key: bytes
    merchant: str = ""


class Headers(NamedTuple):
    """What proves a notice."""

    timestamp: str
    nonce: str
    serial: str
    signature: str


class WechatResource(msgspec.Struct, frozen=True):
    """What a notice says, sealed."""

    algorithm: str
    ciphertext: str
    nonce: str
    associated_data: str = ""


class WechatNotice(msgspec.Struct, frozen=True):
    """A notice of WeChat Pay, API v3; further members are passed over."""

    id: str
    event_type: str
    resource: WechatResource


class _Amount(msgspec.Struct, frozen=True):
    total: int
    currency: str = "CNY"


class _Transaction(msgspec.Struct, frozen=True):
    out_trade_no: str
    transaction_id: str
    trade_state: str
    amount: _Amount
    mchid: str = ""
    sp_mchid: str = ""


def read_notice(keys: WechatKeys, headers: Headers, body: bytes, now: int) -> Paid | None:
    """What a notice says that was proven; None where it says nothing of money that came.

    1. its time is within ``WINDOW`` of ours;
    2. its serial is that of a key that we know;
    3. the signature is that key's, over time, nonce and body;
    4. the content opens under our key, and is for our merchant.

    Raises RefusedError: payment_time_over (1), payment_serial_unknown (2),
    payment_signature_invalid (3, 4); MalformedError ``payment_malformed``.
    """
    _check_time(headers.timestamp, now)
    signer = keys.signers.get(serial_of(headers.serial))
    if signer is None:
        raise RefusedError(
            "payment_serial_unknown", f"no key here has serial {headers.serial[:64]}"
        )
    said = b"%b\n%b\n%b\n" % (headers.timestamp.encode(), headers.nonce.encode(), body)
    require_signed(signer, _signature(headers.signature), said)
    notice = _read(body, WechatNotice)
    if notice.event_type != _SUCCESS:
        return None
    transaction = _read(_opened(keys.key, notice.resource), _Transaction)
    return _paid(keys, transaction)


def serial_of(text: str) -> str:
    """A serial as it is looked for: some write a number's first zero, some do not."""
    return text.strip().upper().lstrip("0")


def _check_time(text: str, now: int) -> None:
    if not text.isascii() or not text.isdecimal() or abs(now - int(text[:12])) > WINDOW:
        raise RefusedError(
            "payment_time_over", f"Wechatpay-Timestamp is not within {WINDOW} seconds of now"
        )


def _signature(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise forged("the signature is not base64") from None


def _opened(key: bytes, resource: WechatResource) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if resource.algorithm != _ALGORITHM:
        raise malformed(f"the content is not sealed with {_ALGORITHM}")
    try:
        sealed = b64decode(resource.ciphertext, validate=True)
        return AESGCM(key).decrypt(
            resource.nonce.encode(), sealed, resource.associated_data.encode()
        )
    except (InvalidTag, ValueError):
        raise forged("the content was not sealed under our key") from None


def _paid(keys: WechatKeys, transaction: _Transaction) -> Paid | None:
    if transaction.trade_state != "SUCCESS":
        return None
    merchants = {transaction.mchid, transaction.sp_mchid}
    if keys.merchant and keys.merchant not in merchants:
        raise forged("it is for another merchant of the payment service")
    if transaction.amount.currency != "CNY":
        raise malformed("the amount is not in CNY")
    return Paid(
        "wechat", transaction.transaction_id, transaction.out_trade_no, transaction.amount.total
    )


def _read(data: bytes, shape: type[_Read]) -> _Read:
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise malformed(f"it is not as WeChat Pay writes them: {error}") from None
