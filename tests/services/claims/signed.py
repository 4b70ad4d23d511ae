"""Payment services of our own, with keys that were made for the tests."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

API_KEY = b"0123456789abcdef0123456789abcdef"
SERIAL = 0x5157F09EFDC096DE15EBE81A47057A7232F1B8E1
MERCHANT, APP = "1900000109", "2014072300007148"
NONCE = b"d215b0511e9c"


@cache
def key(number: int) -> RSAPrivateKey:
    """A payment service's key; another number is somebody else's."""
    return generate_private_key(65537, 2048)


@cache
def certificate() -> bytes:
    """The platform certificate of key 0."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "platform")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key(0).public_key(),
        serial_number=SERIAL,
        not_valid_before=day,
        not_valid_after=day + timedelta(days=1825),
    ).sign(key(0), SHA256())
    return built.public_bytes(Encoding.PEM)


def public(number: int = 0) -> bytes:
    """A key's public half."""
    return key(number).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def settings(folder: Path) -> dict[str, str]:
    """Files of both services in a folder, and the settings that name them."""
    (folder / "signers").mkdir(parents=True)
    (folder / "apiv3").write_bytes(API_KEY + b"\n")
    (folder / "signers" / "platform.pem").write_bytes(certificate())
    (folder / "signers" / "PUB_KEY_ID_0116.pem").write_bytes(public(1))
    (folder / "alipay.pem").write_bytes(public())
    return {
        "FAPIAO_PAYMENTS_WECHAT_KEY": str(folder / "apiv3"),
        "FAPIAO_PAYMENTS_WECHAT_SIGNERS": str(folder / "signers"),
        "FAPIAO_PAYMENTS_WECHAT_MERCHANT": MERCHANT,
        "FAPIAO_PAYMENTS_ALIPAY_KEY": str(folder / "alipay.pem"),
        "FAPIAO_PAYMENTS_ALIPAY_APP_ID": APP,
    }


def transaction(order: str, total: int, **changes: object) -> dict[str, object]:
    """What WeChat Pay says of a payment."""
    said: dict[str, object] = {
        "mchid": MERCHANT,
        "appid": "wxd678efh567hg6787",
        "out_trade_no": order,
        "transaction_id": "1217752501201407033233368018",
        "trade_type": "NATIVE",
        "trade_state": "SUCCESS",
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        "amount": {"total": total, "payer_total": total, "currency": "CNY"},
    }
    return said | changes


def notice(
    said: dict[str, object], event: str = "TRANSACTION.SUCCESS", key_: bytes = API_KEY
) -> bytes:
    """The body of a notice."""
    text = json.dumps(said).encode()
    sealed = AESGCM(key_).encrypt(NONCE, text, b"transaction")
    return json.dumps(
        {
            "id": "EV-2018022511223320873",
            "create_time": "2026-11-21T12:30:00+08:00",
            "resource_type": "encrypt-resource",
            "event_type": event,
            "resource": {
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": b64encode(sealed).decode(),
                "associated_data": "transaction",
                "nonce": NONCE.decode(),
                "original_type": "transaction",
            },
        }
    ).encode()


def headers(
    body: bytes, at: int, *, signer: int = 0, serial: str = f"{SERIAL:X}"
) -> dict[str, str]:
    """What proves a body at a time."""
    said = b"%d\nc5ac7061fccab6bf3e254dcf98995b8c\n%b\n" % (at, body)
    return {
        "Content-Type": "application/json",
        "Wechatpay-Timestamp": str(at),
        "Wechatpay-Nonce": "c5ac7061fccab6bf3e254dcf98995b8c",
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": sign(said, signer),
    }


def sign(said: bytes, signer: int = 0) -> str:
    """RSA with SHA-256, base64."""
    return b64encode(key(signer).sign(said, PKCS1v15(), SHA256())).decode()


def alipay(
    order: str, amount: str, *, signer: int = 0, charset: str = "utf-8", **more: str
) -> bytes:
    """The form of Alipay's notice."""
    fields = {
        "notify_time": "2026-11-21 12:30:00",
        "notify_type": "trade_status_sync",
        "notify_id": "ac05099524730693a8b330c5ecf72da9786",
        "app_id": APP,
        "charset": charset,
        "version": "1.0",
        "sign_type": "RSA2",
        "trade_no": "2013112011001004330000121536",
        "out_trade_no": order,
        "trade_status": "TRADE_SUCCESS",
        "total_amount": amount,
        "subject": "餐费 & 茶",
        "body": "",
        **more,
    }
    encoding = "gb18030" if charset == "GBK" else "utf-8"
    said = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "sign_type")
    signed = fields | {"sign": sign(said.encode(encoding), signer)}
    return urlencode(signed, encoding=encoding).encode()
