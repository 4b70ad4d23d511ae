"""The keys of payment services, from the files that the settings name."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from chain.errors import UnavailableError
from invoice_service.sections import Payments
from invoice_service.services.claims.alipay import AlipayKeys
from invoice_service.services.claims.wechat import WechatKeys, serial_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_KEY_BYTES: Final = 32
_LEAST_BITS: Final = 2048
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"


def wechat_keys(settings: Payments) -> WechatKeys | None:
    """None where nothing is set; UnavailableError ``payment_keys_unreadable``."""
    if not settings.wechat_key:
        return None
    path = Path(settings.wechat_key)
    key = _bytes(path).strip()
    if len(key) != _KEY_BYTES:
        raise _unreadable(path, f"an APIv3 key has {_KEY_BYTES} characters")
    folder = Path(settings.wechat_signers)
    signers = dict(map(_signer, sorted(folder.glob("*.pem"))))
    if not signers:
        raise _unreadable(folder, "there is no certificate (*.pem) in it")
    return WechatKeys(signers, key, settings.wechat_merchant)


def alipay_keys(settings: Payments) -> AlipayKeys | None:
    """None where nothing is set; UnavailableError ``payment_keys_unreadable``."""
    if not settings.alipay_key:
        return None
    path = Path(settings.alipay_key)
    return AlipayKeys(_public_key(path, _bytes(path)), settings.alipay_app_id)


def _signer(path: Path) -> tuple[str, "RSAPublicKey"]:
    """A certificate by its serial number, a bare key by its file's name."""
    data = _bytes(path)
    if _CERTIFICATE not in data:
        return serial_of(path.stem), _public_key(path, data)
    from cryptography.x509 import load_pem_x509_certificate

    try:
        certificate = load_pem_x509_certificate(data)
        return serial_of(f"{certificate.serial_number:X}"), _rsa(path, certificate.public_key())
    except ValueError as error:
        raise _unreadable(path, str(error)) from error


def _public_key(path: Path, data: bytes) -> "RSAPublicKey":
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return _rsa(path, load_pem_public_key(data))
    except ValueError as error:
        raise _unreadable(path, str(error)) from error


def _rsa(path: Path, key: object) -> "RSAPublicKey":
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_BITS:
        raise _unreadable(path, f"it is no RSA key of {_LEAST_BITS} bits or more")
    return key


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, why: str) -> UnavailableError:
    return UnavailableError("payment_keys_unreadable", f"{path}: {why}")
