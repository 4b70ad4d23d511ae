"""Calls of wallets: what is sent, what is answered, by OpenID4VCI 1.0."""

from typing import Annotated, Final

import msgspec

from invoice_service.documents.wallet.claims import VCT
from invoice_service.documents.wallet.statuslist import MEDIA as STATUS_LIST
from invoice_service.openapi.operation import (
    FIELDS,
    HASH,
    JSON,
    LOG,
    STORE,
    Operation,
    Parameter,
    Words,
    says,
    whole,
)

GRANT: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

NUMBER_OF_LIST: Final = Parameter(
    "number", "As the `uri` in a credential has it", "path", whole(0, 999_999_999)
)


class TokenRequest(msgspec.Struct, rename={"code": "pre-authorized_code"}):
    """A code for a token."""

    grant_type: str
    code: str


class Token(msgspec.Struct, kw_only=True):
    """An access token; good for one credential."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105  # its kind
    expires_in: int


class Nonce(msgspec.Struct):
    """What a key has to sign."""

    c_nonce: str


class Proofs(msgspec.Struct):
    """One proof of one key."""

    jwt: Annotated[list[str], msgspec.Meta(min_length=1, max_length=1)]


class CredentialRequest(msgspec.Struct):
    """What a wallet asks for, and for which key."""

    credential_configuration_id: str
    proofs: Proofs


class Offer(msgspec.Struct):
    """An invoice that a wallet may fetch."""

    offer: str
    expires_in: int


class OneCredential(msgspec.Struct):
    """An SD-JWT."""

    credential: str


class Credentials(msgspec.Struct):
    """The one there is."""

    credentials: list[OneCredential]


WORDS: Final[Words] = {
    "TokenRequest.grant_type": says("The one that there is", enum=[GRANT]),
    "TokenRequest.pre-authorized_code": says("From the offer"),
    "Token.access_token": says("Good for one credential"),
    "Token.token_type": says("How it is sent", enum=["Bearer"]),
    "Token.expires_in": says("Seconds"),
    "Nonce.c_nonce": says("For the proof"),
    "CredentialRequest.credential_configuration_id": says("The one that there is", enum=[VCT]),
    "CredentialRequest.proofs": says("By which the wallet shows its key"),
    "Credentials.credentials": says("One"),
    "Offer.offer": says("What a wallet scans or opens: `openid-credential-offer://…`"),
    "Offer.expires_in": says("Seconds"),
    "Proofs.jwt": says("`openid4vci-proof+jwt`, signed by the key that the credential is for"),
    "OneCredential.credential": says("`dc+sd-jwt`; docs/formats.md"),
}

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/invoices/{hash}/wallet",
        "walletOffer",
        "wallet",
        "Offer an invoice to a wallet, which takes it within ten minutes",
        "The offer; the five newest of an invoice are good",
        ((JSON, Offer),),
        "any",
        (HASH,),
        codes=(
            *("role_required", "password_area", "invoice_unknown", "wallet_off"),
            *("key_unreadable", *STORE),
        ),
        scope="read",
        power="look",
    ),
    Operation(
        "get",
        "/v1/wallet/status/{number}",
        "walletStatus",
        "wallet",
        "What has become of the invoices at 131,072 places of the log, as a signed status list",
        "A status list token (draft-ietf-oauth-status-list), at most a minute behind the log",
        ((STATUS_LIST, "string"),),
        "",
        (NUMBER_OF_LIST,),
        codes=("status_list_unknown",),
    ),
    Operation(
        "get",
        "/.well-known/openid-credential-issuer",
        "credentialIssuer",
        "wallet",
        "What is issued to wallets here, and where",
        "The metadata of a credential issuer",
        ((JSON, "object"),),
        codes=("wallet_off",),
        strict=False,
    ),
    Operation(
        "get",
        "/.well-known/oauth-authorization-server",
        "authorizationServer",
        "wallet",
        "Where a code becomes a token",
        "The metadata of an authorization server",
        ((JSON, "object"),),
        codes=("wallet_off",),
        strict=False,
    ),
    Operation(
        "get",
        "/.well-known/jwt-vc-issuer",
        "credentialKeys",
        "wallet",
        "The keys that sign credentials",
        "The metadata of an issuer of SD-JWT VC; the log's key statement says the same, signed",
        ((JSON, "object"),),
        codes=("wallet_off",),
        strict=False,
    ),
    Operation(
        "post",
        "/v1/wallet/token",
        "walletToken",
        "wallet",
        "A token for the code of an offer, once",
        "The token",
        ((JSON, Token),),
        body=((FIELDS, TokenRequest),),
        codes=("grant_unsupported", "grant_invalid", "key_unreadable", *STORE),
    ),
    Operation(
        "post",
        "/v1/wallet/nonce",
        "walletNonce",
        "wallet",
        "A nonce for the proof of a key",
        "The nonce, good for five minutes",
        ((JSON, Nonce),),
        codes=("key_unreadable",),
    ),
    Operation(
        "post",
        "/v1/wallet/credential",
        "walletCredential",
        "wallet",
        "The credential, with the token as Authorization: Bearer",
        "The one credential",
        ((JSON, Credentials),),
        body=((JSON, CredentialRequest),),
        codes=(
            *("wallet_token", "credential_request", "proof_invalid", "nonce_invalid"),
            *("wallet_off", "wallet_needs_https", "wallet_key_missing", "wallet_unavailable"),
            *("invoice_unknown", "not_in_log", "not_published", "receipt_missing"),
            *("key_unreadable", *STORE, *LOG),
        ),
    ),
)
