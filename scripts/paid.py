"""Payment services and a wallet for recorded examples: keys of their own, the same each time."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from Crypto.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

API_KEY: Final = b"0123456789abcdef0123456789abcdef"
SERIAL: Final = "PUB_KEY_ID_0114232134912410000000000000"
_NONCE: Final = "593BEC0C930BF1AFEB40B4A08C8FB242"
_SEALED: Final = b"fdasflkja484"


class PaymentServices:
    """Both; they sign with one key."""

    def __init__(self, folder: Path, randbytes: Callable[[int], bytes]) -> None:
        made = RSA.generate(2048, randfunc=randbytes)
        key = load_pem_private_key(made.export_key(), None)
        assert isinstance(key, RSAPrivateKey)  # noqa: S101 # for who reads types
        self._key = key
        (folder / "signers").mkdir(parents=True)
        (folder / "apiv3").write_bytes(API_KEY)
        for name in (f"signers/{SERIAL}.pem", "alipay.pem"):
            (folder / name).write_bytes(made.public_key().export_key())
        self.settings = {
            "FAPIAO_PAYMENTS_WECHAT_KEY": str(folder / "apiv3"),
            "FAPIAO_PAYMENTS_WECHAT_SIGNERS": str(folder / "signers"),
            "FAPIAO_PAYMENTS_ALIPAY_KEY": str(folder / "alipay.pem"),
        }

    def wechat(self, order: dict[str, Any], at: int) -> tuple[dict[str, str], dict[str, Any]]:
        """(headers, body) of a notice that an order was paid."""
        said = {
            "out_trade_no": order["id"],
            "transaction_id": "1217752501201407033233368018",
            "trade_state": "SUCCESS",
            "amount": {"total": order["total"], "currency": "CNY"},
        }
        sealed = AESGCM(API_KEY).encrypt(_SEALED, json.dumps(said).encode(), b"transaction")
        body = {
            "id": "EV-2018022511223320873",
            "event_type": "TRANSACTION.SUCCESS",
            "resource": {
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": b64encode(sealed).decode(),
                "nonce": _SEALED.decode(),
                "associated_data": "transaction",
            },
        }
        signed = f"{at}\n{_NONCE}\n{json.dumps(body, ensure_ascii=False)}\n"
        proof = {"Timestamp": str(at), "Nonce": _NONCE, "Serial": SERIAL}
        proof["Signature"] = self._sign(signed)
        return {f"Wechatpay-{name}": text for name, text in proof.items()}, body

    def alipay(self, order: dict[str, Any]) -> dict[str, str]:
        """The form of a notice that an order was paid."""
        fields = {
            "out_trade_no": order["id"],
            "trade_no": "2013112011001004330000121536",
            "total_amount": f"{order['total'] // 100}.{order['total'] % 100:02}",
            "trade_status": "TRADE_SUCCESS",
        }
        said = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
        return fields | {"sign": self._sign(said), "sign_type": "RSA2"}

    def _sign(self, text: str) -> str:
        return b64encode(self._key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


class Wallet:
    """One that holds what customers paid in advance."""

    NAME: Final = "digital-yuan"

    def __init__(self, folder: Path) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        folder.mkdir(parents=True)
        public = self._key.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{self.NAME}.pem").write_bytes(pem)
        self.settings = {"FAPIAO_PREPAID_WALLETS": str(folder)}

    def proof(self, path: str, body: dict[str, Any], at: int) -> dict[str, str]:
        """The headers of a POST."""
        sent = json.dumps(body, ensure_ascii=False)
        said = f"fapiao/v1/wallet\nPOST\n{path}\n{at}\n{sent}"
        signature = b64encode(self._key.sign(said.encode())).decode()
        return {"Wallet": self.NAME, "Wallet-Time": str(at), "Wallet-Signature": signature}
