"""Receipts for wallets: what they say, how large they are, and that nothing changed passes."""

import random
import string
from dataclasses import replace

import jsonschema
import pytest

from chain.errors import MalformedError, Problem, VerificationError
from chain.hashing import Digest
from invoice_service.documents.wallet.credential import (
    LIFE,
    PROOF,
    SMALL,
    Checked,
    key_of_jwk,
    receipt_elsewhere,
    verify_credential,
)
from invoice_service.documents.wallet.sdjwt import (
    Claims,
    Disclosure,
    disclosed,
    join,
    parse_presented,
    sign,
)
from tests.documents.wallet.ereceipt import ERECEIPT, negative
from tests.documents.wallet.purse import (
    HOLDER,
    KEYS,
    LATER,
    LOG,
    OTHER,
    WALLET,
    Purse,
    presented,
)
from tests.domain.samples import NOON
from tests.scale import share

PURSE = Purse(16)
LARGE = Purse(60, seed=3)
TEXT = PURSE.credential(0)
SIGNS = string.ascii_letters + string.digits + "-_.~=+/ é"


def code_of(text: str, now: int = LATER, keys: object = KEYS) -> str:
    """The code with which a credential is refused, or "ok"."""
    try:
        verify_credential(text, keys, now)  # type: ignore[arg-type]
    except (MalformedError, VerificationError) as problem:
        return problem.code
    return "ok"


def resigned(claims: Claims, disclosures: tuple[Disclosure, ...] = ()) -> str:
    """A credential as the wallet's key itself would sign it."""
    header = parse_presented(TEXT).signed.header
    return join(sign(header, claims, WALLET), disclosures)


@pytest.mark.scaled
def test_every_invoice_is_an_ereceipt_that_adds_up_and_is_small() -> None:
    """Whole: 10,000 invoices of all kinds, checked by nobody but the verifier."""
    purse = Purse(share(10_000, 100), seed=20260601)
    schema = jsonschema.Draft202012Validator(ERECEIPT, format_checker=jsonschema.FormatChecker())
    for at, invoice in enumerate(purse.invoices):
        text = purse.credential(at)
        assert len(text) < SMALL, (at, len(text))
        # Where it would pass 4,096 characters, its receipt is not inside, and is brought along.
        found = verify_credential(text, KEYS, LATER, purse.receipt(at).to_bytes())
        assert (found.hash, found.logged.index, found.holder) == (invoice.hash, at, False)
        assert found.state == ("part" if at == 3 else "")
        claims = found.claims
        schema.validate(claims)
        assert claims["receiptNumber"] == invoice.code + invoice.number
        assert claims["totalPriceIncVAT"] == invoice.total
        assert (claims["type"] == "RETURN") == (invoice.type == "red")
        assert (claims.get("originalReceiptNumber") is None) == (invoice.type == "blue")
        if claims["type"] == "PURCHASE":
            assert negative(claims) == []
        assert len(purse.receipt(at).to_bytes()) < 700


@pytest.mark.parametrize("levels", [20, 24, 40])
def test_it_is_as_small_in_a_log_of_any_size(levels: int) -> None:
    """Of a million entries, of sixteen, of a million million: then the receipt stands elsewhere."""
    places = []
    for at in range(len(LARGE.invoices)):
        found = LARGE.receipt(at)
        path = tuple(Digest(LARGE.draw.randbytes(32)) for _ in range(levels))
        signed = replace(found.signed, size=1 << levels)
        text = LARGE.credential(at, receipt=replace(found, signed=signed, index=at, path=path))
        assert len(text) < SMALL, (at, len(text))
        places.append(receipt_elsewhere(text))
    hashes = [one.hash for one in LARGE.invoices]
    assert all(place in (None, hash_) for place, hash_ in zip(places, hashes, strict=True))
    assert any(places)


def test_a_receipt_that_stands_elsewhere_is_handed_along() -> None:
    claims = parse_presented(TEXT).signed.claims
    attributes = claims["customAttributes"]
    assert isinstance(attributes, list)
    proof, *rest = attributes
    assert isinstance(proof, dict)
    uri = f"https://fapiao.example.cn/v1/invoices/{proof['hash']}/proof?format=cose"
    apart: Claims = {"type": PROOF, "hash": proof["hash"], "receiptUri": uri}
    text = resigned(
        {**claims, "customAttributes": [apart, *rest]}, parse_presented(TEXT).disclosures
    )
    assert receipt_elsewhere(text) == PURSE.invoices[0].hash
    assert receipt_elsewhere(TEXT) is None
    with pytest.raises(MalformedError, match="hand it along") as caught:
        verify_credential(text, KEYS, LATER)
    assert caught.value.code == "credential"
    found = verify_credential(text, KEYS, LATER, PURSE.receipt(0).to_bytes())
    assert (found.hash, found.logged.index) == (PURSE.invoices[0].hash, 0)
    with pytest.raises(VerificationError):
        verify_credential(text, KEYS, LATER, PURSE.receipt(1).to_bytes())
    with pytest.raises(VerificationError):  # what is inside counts, whatever is handed along
        verify_credential(
            resigned({**claims, "customAttributes": [{**proof, "hash": PURSE.invoices[1].hash}]}),
            KEYS,
            LATER,
            PURSE.receipt(1).to_bytes(),
        )


@pytest.mark.scaled
def test_no_changed_character_passes() -> None:
    """Whole: 100,000 changes; a group that vanishes without a word counts as passed, too."""
    draw = random.Random(9901)
    texts = [PURSE.credential(at) for at in range(len(PURSE.invoices))]
    texts += [presented(text) for text in texts]
    for _ in range(share(100_000, 1000)):
        text = draw.choice(texts)
        at = draw.randrange(len(text))
        other = draw.choice(SIGNS.replace(text[at], ""))
        bent = text[:at] + draw.choice([other, "", other + text[at]]) + text[at + 1 :]
        assert bent == text or code_of(bent) != "ok", (at, text[at], other)


def test_a_disclosure_that_was_changed_or_added_is_named() -> None:
    """What two common libraries pass over in silence."""
    jwt, *parts = TEXT.rstrip("~").split("~")
    draw = random.Random(1)
    strange = Disclosure.make("freeText", "paid in full", draw.randbytes)
    bent = Disclosure.make("products", [], draw.randbytes)
    for shown in ([strange.text, *parts], [*parts, strange.text], [bent.text, *parts[1:]]):
        assert code_of("~".join([jwt, *shown]) + "~") == "disclosure_unknown"
    assert code_of("~".join([jwt, parts[0], *parts]) + "~") == "disclosure_unknown"


def test_its_holder_keeps_back_lines_and_buyer() -> None:
    at = next(at for at, one in enumerate(PURSE.invoices) if b'"company"' in one.buyer)
    text = PURSE.credential(at)
    jwt, products, buyer = text.rstrip("~").split("~")
    hidden = {
        f"{jwt}~{products}~{buyer}~": (),
        f"{jwt}~{buyer}~": ("lines",),
        f"{jwt}~{products}~": ("buyer",),
        f"{jwt}~": ("lines", "buyer"),
    }
    for shown, names in hidden.items():
        found = verify_credential(shown, KEYS, LATER)
        assert (found.hidden, "products" in found.claims) == (names, "lines" not in names)
    name = parse_presented(text).disclosures[1].value
    assert isinstance(name, dict)
    assert str(name["name"]) not in str(verify_credential(f"{jwt}~", KEYS, LATER).claims)


def test_what_may_not_be_seen_is_not_in_it() -> None:
    for at in range(len(PURSE.invoices)):
        found = verify_credential(PURSE.credential(at, frozenset({"face"})), KEYS, LATER)
        products, attributes = found.claims["products"], found.claims["customAttributes"]
        assert isinstance(products, list)
        assert isinstance(attributes, list)
        assert [str(one["name"])[:3] for one in products if isinstance(one, dict)] == ["（明细"]
        assert len(attributes) == 1
        assert found.hidden == ()


def test_who_holds_it_shows_so() -> None:
    found = verify_credential(presented(TEXT), KEYS, LATER)
    assert (found.holder, found.audience, found.nonce) == (True, "https://shop.example", "n-1")
    assert code_of(presented(TEXT, by=OTHER)) == "signature"
    assert code_of(presented(TEXT, sd_hash="x")) == "holder_differs"
    assert code_of(presented(TEXT, nonce="", aud=1)) == "holder_differs"
    assert found.shown_at == LATER
    for time in (LATER + 301, -1, True, str(LATER)):
        assert code_of(presented(TEXT, iat=time), LATER) == "holder_differs"
    assert code_of(presented(TEXT, iat=LATER + 300), LATER) == "ok"
    jwt = TEXT.partition("~")[0]
    own = presented(TEXT).rpartition("~")[2]
    assert code_of(f"{jwt}~{own}") == "holder_differs"  # signed for what showed more


def test_whose_key_signed_it_and_until_when() -> None:
    assert code_of(TEXT) == "ok"
    assert code_of(TEXT, NOON + LIFE) == "credential_expired"
    assert code_of(PURSE.credential(0, signer=OTHER)) == "signature_missing"
    revoked = replace(KEYS, wallet=(OTHER.verifier,), wallet_revoked=(WALLET.verifier,))
    assert code_of(TEXT, keys=revoked) == "key_revoked"
    later = replace(KEYS, wallet=(WALLET.verifier, OTHER.verifier))
    assert code_of(TEXT, keys=later) == "ok"
    # A key of another with our key's id in the header.
    parts = parse_presented(PURSE.credential(0, signer=OTHER))
    header = parts.signed.header | {"kid": WALLET.verifier.key_id.hex()}
    assert code_of(join(sign(header, parts.signed.claims, OTHER), parts.disclosures)) == "signature"


BENT: dict[str, tuple[Claims, str]] = {
    "IR-01": ({"totalPriceExcVAT": 1}, "claims_differ"),
    "IR-02": ({"vats": []}, "claims_differ"),
    "IR-03": ({"payments": []}, "claims_differ"),
    "no sums": ({"vats": "none"}, "credential"),
    "no place for the buyer": ({"customAttributes": []}, "disclosure_unknown"),
    "another vct": ({"vct": "eu.we-build.ereceipt.2"}, "credential"),
    "no end": ({"exp": "never"}, "credential_expired"),
    "a claim twice": ({"products": []}, "disclosure_unknown"),
}


@pytest.mark.parametrize("name", BENT)
def test_our_own_key_cannot_sign_nonsense(name: str) -> None:
    parts = parse_presented(TEXT)
    change, code = BENT[name]
    assert code_of(resigned(parts.signed.claims | change, parts.disclosures)) == code


def test_the_receipt_inside_must_be_of_its_hash_and_of_this_log() -> None:
    other, keep = PURSE.invoices[1], parse_presented(TEXT)
    proof, *rest = keep.signed.claims["customAttributes"]  # type: ignore[misc, str-unpack]
    assert isinstance(proof, dict)
    assert proof["type"] == PROOF
    for change, code in (
        ({"hash": other.hash}, "signature"),
        ({"hash": "01"}, "credential"),
        ({"type": "another"}, "credential"),
        ({"receipt": str(proof["receipt"])[:-4]}, "credential"),
    ):
        claims = keep.signed.claims | {"customAttributes": [proof | change, *rest]}
        assert code_of(resigned(claims, keep.disclosures)) == code
    stranger = replace(KEYS, keys=(replace(KEYS.keys[0], verifier=HOLDER_OF_LOG),))
    assert code_of(TEXT, keys=stranger) == "signature_missing"


HOLDER_OF_LOG = type(LOG)(LOG.name, bytes(32)).verifier


def test_disclosures_within_disclosures_have_their_place() -> None:
    draw = random.Random(3)
    inner = Disclosure.make("city", "深圳", draw.randbytes)
    outer = Disclosure.make("place", {"_sd": [inner.digest], "country": "CN"}, draw.randbytes)
    text = resigned({"_sd": [outer.digest]}, (outer, inner))
    assert disclosed(parse_presented(text)) == {"place": {"city": "深圳", "country": "CN"}}
    alone = resigned({"_sd": [outer.digest]}, (inner,))
    with pytest.raises(VerificationError):
        disclosed(parse_presented(alone))


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        None,
        {"kty": "RSA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {"kty": "EC", "crv": "P-384", "x": "A" * 43, "y": "A" * 43},
    ],
)
def test_a_holders_key_is_a_public_point_of_p256(jwk: object) -> None:
    with pytest.raises(Problem) as caught:
        key_of_jwk(jwk, "holder")
    assert caught.value.code == "key_text"


def test_a_holders_secret_is_not_taken() -> None:
    found: Checked = verify_credential(TEXT, KEYS, LATER)
    bound = found.claims["cnf"]
    assert isinstance(bound, dict)
    assert key_of_jwk(bound["jwk"], "holder") == HOLDER.verifier
    with pytest.raises(Problem):
        key_of_jwk(bound["jwk"] | {"d": "AA"}, "holder")  # type: ignore[operator]
