"""What a wallet reads first, at the addresses that its standards fix."""

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response

from chain.errors import NotFoundError
from invoice_service.api.answers import json_answer, json_bytes
from invoice_service.api.parts import Parts
from invoice_service.api.wallet.contract import GRANT
from invoice_service.documents.wallet.claims import VCT
from invoice_service.documents.wallet.credential import jwk_of
from invoice_service.documents.wallet.sdjwt import TYPE

CALLS = "/v1/wallet"
_FRESH = "max-age=60"


def wallets_reach(issuer: str) -> bool:
    """Whether wallets find us again: by https, and not below a path."""
    where = urlsplit(issuer)
    return where.scheme == "https" and where.path in ("", "/")


def offer_address(issuer: str, code: str) -> str:
    """What a wallet scans or opens."""
    offer = {
        "credential_issuer": issuer,
        "credential_configuration_ids": [VCT],
        "grants": {GRANT: {"pre-authorized_code": code}},
    }
    return f"openid-credential-offer://?credential_offer={quote(json_bytes(offer))}"


def wallet_door(parts: Parts) -> tuple[Callable[[], bool], Callable[[str], str]]:
    """Whether invoices go to wallets here, and what makes an offer of one by its hash."""
    issuer = parts.config.service.public_url

    def on() -> bool:
        return bool(parts.keys.keys().wallet) and wallets_reach(issuer)

    return on, lambda hash_: offer_address(issuer, parts.wallets.offers.code(hash_))


def known_blueprint(parts: Parts) -> Blueprint:
    """``/.well-known``; 404 ``wallet_off`` while no key signs for wallets."""
    routes = Blueprint("wallet_known", __name__, url_prefix="/.well-known")
    issuer = parts.config.service.public_url

    def answer(value: object) -> Response:
        if not parts.keys.keys().wallet or not wallets_reach(issuer):
            raise NotFoundError("wallet_off", "nothing is issued to wallets here")
        return json_answer(value, cache=_FRESH)

    @routes.get("/openid-credential-issuer")
    def credential_issuer() -> Response:
        return answer(
            {
                "credential_issuer": issuer,
                "credential_endpoint": f"{issuer}{CALLS}/credential",
                "nonce_endpoint": f"{issuer}{CALLS}/nonce",
                "credential_configurations_supported": {VCT: _configuration()},
            }
        )

    @routes.get("/oauth-authorization-server")
    def authorization_server() -> Response:
        return answer(
            {
                "issuer": issuer,
                "token_endpoint": f"{issuer}{CALLS}/token",
                "grant_types_supported": [GRANT],
                "response_types_supported": [],
                "pre-authorized_grant_anonymous_access_supported": True,
            }
        )

    @routes.get("/jwt-vc-issuer")
    def vc_issuer() -> Response:
        keys = parts.keys.keys().wallet
        named = [
            {**jwk_of(key), "kid": key.key_id.hex(), "alg": "ES256", "use": "sig"} for key in keys
        ]
        return answer({"issuer": issuer, "jwks": {"keys": named}})

    return routes


def _configuration() -> dict[str, object]:
    return {
        "format": TYPE,
        "vct": VCT,
        "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": ["ES256"],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
        "credential_metadata": {
            "display": [
                {"name": "电子发票", "locale": "zh-CN"},
                {"name": "E-invoice", "locale": "en"},
            ]
        },
    }
