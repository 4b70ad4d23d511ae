"""A receipt for wallets: an invoice's claims, signed for one holder, with its receipt of the log.

What the signature of the wallet's key says: the service issued this invoice, and gave it to the
holder of that key. What the receipt inside says, under the log's own key: an invoice of that hash
is in the log. Lines and buyer may be kept back, each as a whole.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from chain.canonical import JsonValue
from chain.commitment import parse_password_area
from chain.errors import MalformedError, Problem, VerificationError
from chain.proof.receipt import parse_receipt, verify_receipt
from chain.proof.tlogproof import Logged
from chain.signing.es256 import WalletKey, WalletSigner
from chain.signing.keys import LogKeys
from invoice_service.documents.wallet.claims import (
    HIDDEN,
    SEE_LIST,
    VCT,
    face_claims,
    folded_claims,
    product_claims,
    vat_claims,
)
from invoice_service.documents.wallet.sdjwt import (
    TYPE,
    Claims,
    Disclosure,
    Presented,
    check_signature,
    digest_of,
    digests,
    disclosed,
    from_base64url,
    join,
    malformed,
    named_key,
    parse_presented,
    sign,
    to_base64url,
)
from invoice_service.documents.wallet.statuslist import Place, Status, read_status
from invoice_service.domain.document import Line, read_lines
from invoice_service.domain.invoice import StoredInvoice

SMALL: Final = 4096
"""Characters that a credential stays below, in a log of whatever size; one of six rates and more,
by a seller of very long names, may not."""

LIFE: Final = 10 * 366 * 86_400
"""Seconds for which one is good: as long as accounts are kept."""

PROOF, BUYER = "fapiao/v1", "fapiao/v1/buyer"
HOLDER_TYPE: Final = "kb+jwt"
_AHEAD: Final = 300
"""Seconds by which a holder's clock may be ahead."""
_CATEGORY: Final = "non-qualified-EAA"
_JWK: Final = {"kty": "EC", "crv": "P-256"}


@dataclass(frozen=True, slots=True)
class Terms:
    """Who issues a credential, to whom, and when (unix seconds).

    ``issuer`` is an address without a slash at its end. ``receipt`` is that of the invoice, whose
    entry stands at ``index`` in the log, ``state`` how far it was taken back as of that, by the
    log's state map ("", "part", "full"). ``original`` is the code and number of the invoice that
    this one takes back.
    """

    issuer: str
    holder: WalletKey
    issued_at: int
    receipt: bytes
    index: int
    state: str = ""
    original: str = ""


def make_credential(
    invoice: StoredInvoice,
    shown: frozenset[str],
    terms: Terms,
    signer: WalletSigner,
    randbytes: Callable[[int], bytes],
) -> str:
    """Return the SD-JWT; groups that are not ``shown`` are not in it."""
    lines, face = read_lines(invoice.lines), msgspec.json.decode(invoice.face)
    claims = face_claims(face) | _terms(invoice, terms, signer) | {"vats": vat_claims(lines)}
    header = {"alg": "ES256", "kid": signer.verifier.key_id.hex(), "typ": TYPE}
    text = ""
    for products, buyer, inside in _contents(invoice, lines, shown):
        apart = [Disclosure.make("products", products, randbytes)]
        held = [Disclosure.make(None, buyer, randbytes)] if buyer else []
        attributes: list[JsonValue] = [
            _proof(invoice, terms, inside=inside),
            *(one.place() for one in held),
        ]
        body = claims | digests(apart) | {"customAttributes": attributes}
        text = join(sign(header, body, signer), [*apart, *held])
        if len(text) < SMALL:
            break
    return text


def _terms(invoice: StoredInvoice, terms: Terms, signer: WalletSigner) -> Claims:
    key_id = signer.verifier.key_id.hex()
    found: Claims = {
        "iss": terms.issuer,
        "iat": terms.issued_at,
        "exp": terms.issued_at + LIFE,
        "vct": VCT,
        "cnf": {"jwk": jwk_of(terms.holder)},
        "attestation_legal_category": _CATEGORY,
        "status": Place.of(terms.index).claim(terms.issuer),
        # The code list has no word for a log.
        "verifications": [
            {
                "type": "SCT",
                "version": "1.0",
                "publicKey": key_id,
                "transactionId": invoice.check_code,
            }
        ],
    }
    return found | ({"originalReceiptNumber": terms.original} if terms.original else {})


def _proof(invoice: StoredInvoice, terms: Terms, *, inside: bool) -> Claims:
    """The receipt, or where it is: of a large log it is a third of what there is room for."""
    found: Claims = {"type": PROOF, "hash": invoice.hash}
    if inside:
        found["receipt"] = to_base64url(terms.receipt)
    else:
        found["receiptUri"] = f"{terms.issuer}/v1/invoices/{invoice.hash}/proof?format=cose"
    return found | ({"state": terms.state} if terms.state else {})


def _contents(
    invoice: StoredInvoice, lines: Sequence[Line], shown: frozenset[str]
) -> Iterator[tuple[list[JsonValue], Claims | None, bool]]:
    """What stands apart, and whether the receipt is inside; from all of it to what is smallest."""
    buyer: Claims | None = None
    if "buyer" in shown and not invoice.erased:
        document: dict[str, str] = msgspec.json.decode(invoice.buyer)
        told: Claims = {name: text for name, text in document.items() if text}
        buyer = {"type": BUYER, **told}
    if "lines" in shown:
        yield product_claims(lines), buyer, True
    folded = folded_claims(lines, SEE_LIST if "lines" in shown else HIDDEN)
    yield folded, buyer, True
    yield folded, buyer, False
    yield folded, None, False


def jwk_of(key: WalletKey) -> Claims:
    """A public key as JWK (RFC 7517)."""
    return {**_JWK, "x": to_base64url(key.x), "y": to_base64url(key.y)}


def key_of_jwk(jwk: object, name: str) -> WalletKey:
    """The P-256 key of a JWK, of which no more is read; MalformedError ``key_text``."""
    if isinstance(jwk, Mapping) and all(jwk.get(part) == value for part, value in _JWK.items()):
        x, y = jwk.get("x"), jwk.get("y")
        if isinstance(x, str) and isinstance(y, str) and "d" not in jwk:
            try:
                return WalletKey(name, from_base64url(x), from_base64url(y))
            except MalformedError:
                pass
    raise MalformedError("key_text", "a holder's key is a public P-256 key as JWK")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a credential says, once it holds: ``logged`` is where the invoice is in the log.

    ``state`` is how far it had been taken back when the credential was made ("", "part", "full").
    ``hidden`` are the groups that its holder kept back. ``status`` is the address of the list in
    which its state stands since, at ``place``; "" for one from before there were lists. ``holder``
    is whether the holder's key signed this presentation, for the ``audience`` and ``nonce`` that it
    names, at ``shown_at`` (unix seconds): whoever has caught one can show it again, so who asks
    compares all three.
    """

    claims: Claims
    hash: str
    state: str
    logged: Logged
    hidden: tuple[str, ...]
    holder: bool
    status: str
    place: int
    audience: str = ""
    nonce: str = ""
    shown_at: int = 0


def receipt_elsewhere(text: str) -> str | None:
    """The hash of the invoice whose receipt is not inside; None where it is. Nothing is believed.

    MalformedError ``credential``.
    """
    proof = _proof_in(parse_presented(text).signed.claims)
    hash_ = proof.get("hash")
    return hash_ if "receipt" not in proof and isinstance(hash_, str) else None


def verify_credential(text: str, keys: LogKeys, now: int, receipt: bytes = b"") -> Checked:
    """Return what a credential establishes under a log's keys, at ``now``, or raise a Problem.

    ``receipt`` is that of its invoice, for one that has none inside (``receipt_elsewhere``).

    1. it is an SD-JWT VC of this kind, in its one spelling: else MalformedError ``credential``;
    2. a key that the log's statements name for wallets signed it: else ``signature_missing``,
       ``key_revoked``, ``signature``;
    3. each disclosure has its place among what was signed, once: else ``disclosure_unknown``;
    4. the claims add up, as the rulebook's IR-01 to IR-03 ask, and so do lines that are shown:
       else ``claims_differ``;
    5. the invoice of its hash is in the log, by the receipt; errors as ``verify_receipt``;
       and where it names a status list, it is the one for that place: else ``status_other``;
    6. it has not expired: else ``credential_expired``;
    7. where its holder signed the presentation, it was with the key that it was issued to, at a
       time that is not to come: else ``holder_differs``, ``signature``.
    """
    presented = parse_presented(text)
    key = _key(presented, keys)
    check_signature(presented.signed, key)
    claims = disclosed(presented)
    _check_sums(claims)
    hash_, state, logged = _in_log(claims, keys, receipt)
    status, place = _status(claims, logged)
    expires = claims.get("exp")
    if not isinstance(expires, int) or expires <= now:
        raise VerificationError("credential_expired", "this credential is past its time")
    audience, nonce, shown_at = _check_holder(presented, claims, now)
    return Checked(
        claims=claims,
        hash=hash_,
        state=state,
        logged=logged,
        hidden=tuple(_hidden(presented, claims)),
        holder=presented.holder is not None,
        status=status,
        place=place,
        audience=audience,
        nonce=nonce,
        shown_at=shown_at,
    )


def _key(presented: Presented, keys: LogKeys) -> WalletKey:
    header, claims = presented.signed.header, presented.signed.claims
    key_id = header.get("kid")
    if header != {"alg": "ES256", "kid": key_id, "typ": TYPE} or claims.get("vct") != VCT:
        raise malformed("it is of another kind")
    return named_key(key_id, keys)


def _check_sums(claims: Claims) -> None:
    """IR-01 to IR-03, and lines that are shown come to the total."""
    try:
        amount, tax, total = (claims[name] for name in _TOTALS)
        vats, payments = _each(claims["vats"]), _each(claims["payments"])
        fits = amount + tax == total  # type: ignore[operator]  # what is no number is caught
        fits &= _sum(vats, "totalVATAmount") == tax
        fits &= _sum(vats, "totalAmountExcVAT") == amount
        fits &= _sum(payments, "amount") == total
        if "products" in claims:
            fits &= _sum(_each(claims["products"]), "totalAmountIncVAT") == total
    except (KeyError, TypeError):
        raise malformed("it lacks sums") from None
    if not fits:
        raise VerificationError("claims_differ", "the sums in this credential do not add up")


_TOTALS: Final = ("totalPriceExcVAT", "totalVATAmount", "totalPriceIncVAT")


def _each(value: JsonValue) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _sum(rows: list[Any], name: str) -> int:
    return sum(row[name] for row in rows)


def _proof_in(claims: Claims) -> Claims:
    return next((one for one in _attributes(claims) if one.get("type") == PROOF), {})


def _in_log(claims: Claims, keys: LogKeys, receipt: bytes) -> tuple[str, str, Logged]:
    proof = _proof_in(claims)
    hash_, inside = proof.get("hash"), proof.get("receipt", "")
    if not isinstance(hash_, str) or not isinstance(inside, str):
        raise malformed("it has no receipt of a log inside")
    if not inside and not receipt:
        raise malformed(
            f"its receipt of the log is not inside; hand it along, from {proof.get('receiptUri')}"
        )
    try:
        found = parse_receipt(from_base64url(inside) if inside else receipt)
        entry = found.entry(parse_password_area(hash_))
    except MalformedError as problem:
        raise malformed(problem.detail) from problem
    return hash_, str(proof.get("state", "")), verify_receipt(found, entry, keys)


def _status(claims: Claims, logged: Logged) -> tuple[str, int]:
    """The address of the list that it names, and its place there."""
    place = Place.of(logged.index)
    if "status" not in claims:
        return "", place.at
    if claims["status"] != place.claim(str(claims.get("iss"))):
        raise VerificationError(
            "status_other", "it names a status list that is not for its place in the log"
        )
    return place.address(str(claims.get("iss"))), place.at


def read_state(found: Checked, text: str, keys: LogKeys, now: int) -> Status:
    """What a status list says of a credential; errors as ``read_status``."""
    return read_status(text, found.status, found.place, keys, now)


def _attributes(claims: Claims) -> list[Claims]:
    found = claims.get("customAttributes")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _hidden(presented: Presented, claims: Claims) -> Iterator[str]:
    """What was signed and is not shown."""
    signed = presented.signed.claims
    if "products" not in claims:
        yield "lines"
    if len(_attributes(claims)) < len(_attributes(signed)):
        yield "buyer"


def _check_holder(presented: Presented, claims: Claims, now: int) -> tuple[str, str, int]:
    """Whom its holder showed it to, for which question, and when; "" where nobody signed it."""
    own, bound = presented.holder, claims.get("cnf")
    if own is None:
        return "", "", 0
    try:
        key = key_of_jwk(bound.get("jwk") if isinstance(bound, dict) else None, "holder")
    except Problem:
        raise malformed("it was issued to no key") from None
    check_signature(own, key)
    digest, audience, nonce = (own.claims.get(name) for name in ("sd_hash", "aud", "nonce"))
    shown_at = own.claims.get("iat")
    if (
        own.header != {"alg": "ES256", "typ": HOLDER_TYPE}
        or digest != digest_of(presented.shown)
        or not isinstance(audience, str)
        or not isinstance(nonce, str)
        or type(shown_at) is not int
    ):
        raise VerificationError("holder_differs", "its holder signed another presentation")
    if not 0 <= shown_at <= now + _AHEAD:
        raise VerificationError("holder_differs", "its holder signed it at no time that has been")
    return audience, nonce, shown_at
