"""``/v1/wallet``: a code for a token, once; a nonce; the credential, for a proven key."""

from typing import Final
from urllib.parse import parse_qsl

import msgspec
from flask import Blueprint, Response, request

from chain.commitment import parse_password_area
from chain.errors import MalformedError, Problem, RefusedError
from invoice_service.api.answers import JSON, json_answer
from invoice_service.api.parts import Parts
from invoice_service.api.requests import body, media_type, query
from invoice_service.api.wallet.contract import (
    GRANT,
    CredentialRequest,
    Credentials,
    Nonce,
    OneCredential,
    Token,
)
from invoice_service.documents.wallet.claims import VCT
from invoice_service.documents.wallet.holder import proven_key
from invoice_service.openapi.operation import FIELDS
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.claims.offers import TOKEN_SECONDS

_LONGEST: Final = 16 << 10
_BEARER: Final = "Bearer "
_TX_CODE: Final = "tx_code"
_OURS: Final = ("grant_type", "pre-authorized_code")
_read: Final = msgspec.json.Decoder(CredentialRequest).decode


class WalletCalls:
    """What a wallet calls, with a code or a token; no key of ours."""

    def __init__(self, parts: Parts) -> None:
        self._offers, self._wallets = parts.wallets.offers, parts.wallets
        self._issuer, self._clock = parts.config.service.public_url, parts.clock

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("wallet", __name__, url_prefix="/v1/wallet")
        routes.post("/token")(self.token)
        routes.post("/nonce")(self.nonce)
        routes.post("/credential")(self.credential)
        return routes

    def token(self) -> Response:
        """An access token for a code, once."""
        query()
        media_type(FIELDS)
        fields = _fields(body(_LONGEST))
        if fields.get("grant_type") != GRANT:
            raise MalformedError(
                "grant_unsupported",
                "only a pre-authorized code is taken here",
                error="unsupported_grant_type",
            )
        found = self._offers.token(fields.get("pre-authorized_code", ""))
        return json_answer(Token(access_token=found, expires_in=TOKEN_SECONDS))

    def nonce(self) -> Response:
        """What the wallet's key has to sign."""
        query()
        return json_answer(Nonce(self._offers.nonce()))

    def credential(self) -> Response:
        """The credential, for the key that signed the nonce."""
        query()
        media_type(JSON)
        token = _token()
        key, nonce = proven_key(self._proof(), self._issuer, int(self._clock().timestamp()))
        self._offers.check_nonce(nonce)
        hash_ = self._offers.take(token)
        try:
            text = self._wallets.credential(parse_password_area(hash_), ALL_GROUPS, key)
        except Problem:
            self._offers.give_back(token)
            raise
        return json_answer(Credentials([OneCredential(text)]))

    def _proof(self) -> str:
        """The one proof of the one credential that is asked for."""
        try:
            asked = _read(body(_LONGEST))
        except msgspec.MsgspecError as error:
            raise MalformedError(
                "credential_request",
                f"not a request for a credential: {error}",
                error="invalid_credential_request",
            ) from None
        if asked.credential_configuration_id != VCT:
            raise MalformedError(
                "credential_request",
                f"only {VCT} is issued here",
                error="unknown_credential_configuration",
            )
        [proof] = asked.proofs.jwt
        return proof


def _fields(sent: bytes) -> dict[str, str]:
    """A form's fields, ours each once (RFC 6749, section 3.2), and no code that no offer asks for.

    MalformedError: duplicate_parameter, unknown_parameter.
    """
    pairs = parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True)
    ours = [name for name, _ in pairs if name in _OURS]
    fields = dict(pairs)
    if len(ours) != len(set(ours)):
        raise MalformedError(
            "duplicate_parameter", "a field stands twice in the form", error="invalid_request"
        )
    if _TX_CODE in fields:  # OpenID4VCI 1.0, section 6.3
        raise MalformedError(
            "unknown_parameter", "our offers ask for no transaction code", error="invalid_request"
        )
    return fields


def _token() -> str:
    said = request.headers.get("Authorization", "")
    if not said.startswith(_BEARER):
        raise RefusedError(
            "wallet_token", "this call needs the token of an offer", error="invalid_token"
        )
    return said.removeprefix(_BEARER)
