"""Cases about the key that a proof is checked with."""

import base64
from collections.abc import Iterator

from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import eddsa

from chain.hashing import sha256
from chain.signing.note import COSIGNATURE_V1, SignerKey, VerifierKey
from tests.chain.books import ORIGIN, SIGNER
from tests.chain.forged import Forge
from tests.chain.odd_signatures import EIGHTH
from tests.chain.signing.test_note_weak import LOW_ORDER, OTHER_SPELLINGS
from tests.vectors.proof_case import BENT, KEY, OTHER, Case, to_base64

WITNESS = VerifierKey("witness.example/w1", COSIGNATURE_V1, OTHER.verifier.public)


def keys() -> Iterator[Case]:
    """The key that is checked with."""
    data = Forge().proof().to_bytes()
    name, key_id, encoded = KEY.split("+", 2)
    raw = base64.b64decode(encoded)
    for said, key, outcome in (
        ("another log's", OTHER.verifier.text(), ("signature_missing", 3)),
        (
            "another key of that name",
            SignerKey(ORIGIN, bytes(32)).verifier.text(),
            ("signature_missing", 3),
        ),
        (
            "that key under another name",
            VerifierKey("x", 1, raw[1:]).text(),
            ("signature_missing", 3),
        ),
        ("a witness's", WITNESS.text(), ("key_type", 3)),
        ("with another id", f"{name}+00000000+{encoded}", ("key_id", None)),
        ("with its id in capitals", f"{name}+{key_id.upper()}+{encoded}", ("key_id", None)),
        ("with a short id", f"{name}+{key_id[:-1]}+{encoded}", ("key_id", None)),
        ("of type 2", f"{name}+{key_id}+{to_base64(bytes([2]) + raw[1:])}", ("key_type", None)),
        ("too short", f"{name}+{key_id}+{to_base64(raw[:-1])}", ("key_text", None)),
        ("too long", f"{name}+{key_id}+{to_base64(raw + bytes(1))}", ("key_text", None)),
        ("without base64", f"{name}+{key_id}", ("key_text", None)),
        ("empty", "", ("key_text", None)),
        ("with a line feed", KEY + "\n", ("key_text", None)),
        ("with a space before", " " + KEY, ("key_text", None)),
        (
            "without padding",
            KEY.rstrip("=") + "=",
            BENT if KEY.endswith("=") else ("key_text", None),
        ),
        ("with a space in its name", f"a b+{key_id}+{encoded}", ("key_text", None)),
        ("with U+0085 in its name", f"a\x85b+{key_id}+{encoded}", ("key_text", None)),
        ("with U+FEFF in its name", f"a\ufeffb+{key_id}+{encoded}", ("key_id", None)),
        ("without a name", f"+{key_id}+{encoded}", ("key_text", None)),
        ("the secret", SIGNER.text(), ("key_text", None)),
    ):
        yield Case(f"key: {said}", data, outcome, key=key)
    for public, code in (
        *((low, "key_weak") for low in LOW_ORDER),
        *((odd, "key_text") for odd in OTHER_SPELLINGS),
    ):
        full = bytes([1]) + bytes.fromhex(public)
        weak = sha256(ORIGIN.encode() + b"\n" + full)[:4].hex()
        yield Case(f"key: {public}", data, (code, None), key=f"{ORIGIN}+{weak}+{to_base64(full)}")
    mixed = mixed_order(raw[1:])
    mixed_id = sha256(ORIGIN.encode() + b"\n\1" + mixed)[:4].hex()
    yield Case(
        "key: of mixed order",
        data,
        ("key_weak", None),
        key=f"{ORIGIN}+{mixed_id}+{to_base64(bytes([1]) + mixed)}",
    )
    yield Case("key: and the file is bad too", data + b" ", ("not_canonical", None), key="")


def mixed_order(public: bytes) -> bytes:
    """A good key plus a point of order 8."""
    good, low = (eddsa.import_public_key(raw).pointQ for raw in (public, EIGHTH))
    raw = EccKey(point=good + low).export_key(format="raw")
    assert isinstance(raw, bytes)
    return raw
