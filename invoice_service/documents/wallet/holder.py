"""A wallet's proof that it has a key (OpenID4VCI, proof type jwt): bound to that."""

from typing import Final

from chain.errors import MalformedError, Problem
from chain.signing.es256 import WalletKey
from invoice_service.documents.wallet.credential import key_of_jwk
from invoice_service.documents.wallet.sdjwt import any_json, check_signature, parse_jws

PROOF_TYPE: Final = "openid4vci-proof+jwt"
MAX_PROOF: Final = 8192
_AHEAD, _OLD = 300, 300


def proven_key(text: str, audience: str, now: int) -> tuple[WalletKey, str]:
    """The key that signed this for us just now, and the nonce that it signed.

    MalformedError ``proof_invalid`` for anything else.
    """
    try:
        if len(text) > MAX_PROOF:
            raise _invalid("it is too long")
        signed = parse_jws(text, any_json)
        header, claims = signed.header, signed.claims
        if header.get("typ") != PROOF_TYPE or header.get("alg") != "ES256":
            raise _invalid("it is of another type, or signed in another way")
        if "crit" in header:  # RFC 7515, section 4.1.11: what is not understood is not passed over
            raise _invalid("it asks for what is not known here")
        key = key_of_jwk(header.get("jwk"), "holder")
        check_signature(signed, key)
    except Problem as problem:
        raise _invalid(problem.detail.partition(": ")[2] or problem.detail) from problem
    nonce, made = claims.get("nonce"), claims.get("iat")
    if claims.get("aud") != audience:
        raise _invalid("it was signed for somebody else")
    if not isinstance(made, int) or not now - _OLD <= made <= now + _AHEAD:
        raise _invalid("it was not signed just now")
    return key, nonce if isinstance(nonce, str) else ""


def _invalid(why: str) -> MalformedError:
    return MalformedError(
        "proof_invalid", f"this does not prove a wallet's key: {why}", error="invalid_proof"
    )
