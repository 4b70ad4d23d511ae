"""Cases about the checkpoint: its signature lines, its text, and Ed25519 at its edges."""

from collections.abc import Iterator

from chain.hashing import EMPTY_ROOT
from chain.signing.note import COSIGNATURE_V1, Signature, VerifierKey
from tests.chain.books import ORIGIN, SIGNER
from tests.chain.forged import Forge
from tests.chain.odd_signatures import add_order, signed_beside, signed_with_nothing
from tests.vectors.proof_case import (
    BENT,
    OK,
    OTHER,
    Case,
    line_of,
    next_digit,
    noted,
    raw_of,
    signature,
    signed,
    text_of,
    to_base64,
)

SEED = bytes(range(32))
WITNESS = VerifierKey("witness.example/w1", COSIGNATURE_V1, OTHER.verifier.public)


def notes() -> Iterator[Case]:
    """Signature lines."""
    proof = Forge().proof()
    text, line = text_of(proof), line_of(proof)
    other = OTHER.sign(text).line()
    cosigned = Signature(WITNESS.name, WITNESS.key_id, bytes(8) + bytes(64)).line()
    for name, lines in {
        "another key's before": [other, line],
        "another key's after": [line, other],
        "a witness's": [line, cosigned],
        "an unknown key's that is bad": [
            line,
            signature(OTHER.name, OTHER.verifier.key_id, bytes(64)),
        ],
        "an unknown type's": [line, signature("pq.example", b"\1\2\3\4", bytes(2420))],
        "our name with another id": [line, signature(ORIGIN, bytes(4), bytes(64))],
        "our id with another name": [line, signature("x", SIGNER.verifier.key_id, bytes(64))],
        "ours twice": [line, line],
        "names with unusual characters": [line, signature("é\ufeff\x7f\U0001f600", bytes(4), b"x")],
        "99 unknown": [line, *[signature(f"n{n}", bytes(4), b"x") for n in range(99)]],
    }.items():
        yield Case(f"signatures: {name}", noted(proof, text + "\n" + "".join(lines)), OK)
    bad = signature(ORIGIN, SIGNER.verifier.key_id, bytes(64))
    for name, lines in {
        "ours and ours that is bad": [line, bad],
        "ours that is bad, and ours": [bad, line],
        "ours too short": [signature(ORIGIN, SIGNER.verifier.key_id, raw_of(proof)[:63])],
        "ours too long": [signature(ORIGIN, SIGNER.verifier.key_id, raw_of(proof) + b"\0")],
        "ours of another text": [SIGNER.sign(text + text).line()],
    }.items():
        yield Case(
            f"signatures: {name}", noted(proof, text + "\n" + "".join(lines)), ("signature", 3)
        )
    for name, lines in {
        "another key's only": [other],
        "our name with another id only": [signature(ORIGIN, bytes(4), raw_of(proof))],
        "another name with our id only": [signature("x", SIGNER.verifier.key_id, raw_of(proof))],
    }.items():
        yield Case(
            f"signatures: {name}",
            noted(proof, text + "\n" + "".join(lines)),
            ("signature_missing", 3),
        )
    encoded = line.split(" ")[2].rstrip("\n")
    stem = f"— {ORIGIN} "
    for name, note in {
        "none": text + "\n",
        "no empty line": text + line,
        "nothing": "",
        "CRLF": (text + "\n" + line).replace("\n", "\r\n"),
        "CR before the last line feed": text + "\n" + line[:-1] + "\r\n",
        "a CR in the text": text.replace("\n", "\r\n", 1) + "\n" + line,
        "no last line feed": text + "\n" + line[:-1],
        "an empty line more": text + "\n" + line + "\n",
        "a text line after": text + "\n" + line + "x\n",
        "a hyphen for the dash": text + "\n" + line.replace("—", "-"),
        "two spaces": text + "\n" + line.replace(f"{ORIGIN} ", f"{ORIGIN}  "),
        "a space at the end": text + "\n" + line[:-1] + " \n",
        "a name with a plus": text + "\n" + line + signature("a+b", bytes(4), b"x"),
        "a name with U+0085": text + "\n" + line + signature("a\x85b", bytes(4), b"x"),
        "a name with U+00A0": text + "\n" + line + signature("a\xa0b", bytes(4), b"x"),
        "a name with U+3000": text + "\n" + line + signature("a\u3000b", bytes(4), b"x"),
        "a name with U+2028": text + "\n" + line + signature("a\u2028b", bytes(4), b"x"),
        "a name with a tab": text + "\n" + line + signature("a\tb", bytes(4), b"x"),
        "a name with U+001F": text + "\n" + line + signature("a\x1fb", bytes(4), b"x"),
        "no name": text + "\n" + line + signature("", bytes(4), b"x"),
        "no payload": text + "\n" + line + signature("x", bytes(4), b""),
        "no key id": text + "\n" + line + "— x \n",
        "no base64": text + "\n" + line + "— x\n",
        "101 of them": text
        + "\n"
        + line
        + "".join(signature(f"n{n}", bytes(4), b"x") for n in range(100)),
        "base64 without padding": text + "\n" + stem + encoded.rstrip("=") + "\n",
        "base64 with more padding": text + "\n" + stem + encoded + "=\n",
        "base64 with a space": text + "\n" + stem + encoded[:8] + " " + encoded[8:] + "\n",
        "base64 with a tab": text + "\n" + stem + encoded[:8] + "\t" + encoded[8:] + "\n",
        "base64 with a line feed": text + "\n" + stem + encoded[:8] + "\n" + encoded[8:] + "\n",
        "base64 with bits behind": text + "\n" + stem + next_digit(encoded) + "\n",
        "base64 for addresses": text
        + "\n"
        + stem
        + encoded.replace("+", "-").replace("/", "_")
        + "-_==\n",
        "base64 with padding inside": text + "\n" + stem + "AA==" + encoded + "\n",
        "base64 with a full-width letter": text + "\n" + stem + "Ａ" + encoded[1:] + "\n",
        "NUL in the text": "\0" + text + "\n" + line,
        "a tab in the text": text.replace("\n", "\t\n", 1) + "\n" + line,
    }.items():
        yield Case(f"note: {name}", noted(proof, note), ("note", 3))
    room = 1_000_000 - len(f"{text}\n{line}".encode())
    for size, outcome in ((room, ("signature", 3)), (room + 1, ("note", 3))):
        long = noted(proof, f"~{text}\n{line}")
        yield Case(f"note: {1_000_000 + size - room} bytes", long, outcome, stretch=size)


def checkpoints() -> Iterator[Case]:
    """Texts that the log did sign, and that are no checkpoint of these entries."""
    proof = Forge().proof()
    origin, size, root, _ = text_of(proof).split("\n")
    for name, text in {
        "a line more": f"{origin}\n{size}\n{root}\nmore\n",
        "an empty line more": f"{origin}\n{size}\n{root}\n\n",
        "a line less": f"{origin}\n{size}\n",
        "size 011": f"{origin}\n0{size}\n{root}\n",
        "size +11": f"{origin}\n+{size}\n{root}\n",
        "size -11": f"{origin}\n-{size}\n{root}\n",
        "size 1_1": f"{origin}\n1_1\n{root}\n",
        "size 11.0": f"{origin}\n{size}.0\n{root}\n",
        "size in full-width digits": f"{origin}\n１１\n{root}\n",
        "size with a space": f"{origin}\n{size} \n{root}\n",
        "no size": f"{origin}\n\n{root}\n",
        "size 2^63": f"{origin}\n{2**63}\n{root}\n",
        "size 2^64 + 11": f"{origin}\n{2**64 + 11}\n{root}\n",
        "no origin": f"\n{size}\n{root}\n",
        "origin with a space": f"{origin} x\n{size}\n{root}\n",
        "origin with a plus": f"{origin}+x\n{size}\n{root}\n",
        "root too short": f"{origin}\n{size}\n{to_base64(bytes(31))}\n",
        "root too long": f"{origin}\n{size}\n{to_base64(bytes(33))}\n",
        "no root": f"{origin}\n{size}\n\n",
        "root without padding": f"{origin}\n{size}\n{root.rstrip('=')}\n",
        "root with bits behind": f"{origin}\n{size}\n{next_digit(root)}\n",
        "root with a space": f"{origin}\n{size}\n{root} \n",
        "root in hex": f"{origin}\n{size}\n{bytes(32).hex()}\n",
    }.items():
        yield Case(f"checkpoint: {name}", signed(proof, text), ("checkpoint", 3))
    for name, text, outcome in (
        ("another origin", f"x{origin}\n{size}\n{root}\n", ("origin_mismatch", 3)),
        ("size 0, another root", f"{origin}\n0\n{root}\n", ("empty_root", 3)),
        ("size 0, its root", f"{origin}\n0\n{to_base64(EMPTY_ROOT)}\n", ("index_outside", 4)),
        ("size 5: the index", f"{origin}\n5\n{root}\n", ("index_outside", 4)),
        ("size 6", f"{origin}\n6\n{root}\n", ("path_length", 4)),
        ("size 10", f"{origin}\n10\n{root}\n", BENT),
        ("size 12", f"{origin}\n12\n{root}\n", BENT),
        ("size 2^53", f"{origin}\n{2**53}\n{root}\n", ("path_length", 4)),
        ("size 2^63 - 1", f"{origin}\n{2**63 - 1}\n{root}\n", ("path_length", 4)),
        ("another root", f"{origin}\n{size}\n{to_base64(bytes(32))}\n", ("root_mismatch", 4)),
    ):
        yield Case(f"checkpoint: {name}", signed(proof, text), outcome)


def signatures() -> Iterator[Case]:
    """Ed25519 at its edges; the secret key is known, so that each equation can be made to hold."""
    proof = Forge().proof()
    text, raw = text_of(proof), raw_of(proof)
    message = text.encode()
    for name, payload in {
        "S + L": add_order(raw),
        "S + 2L": add_order(raw, 2),
        "S + 7L": add_order(raw, 7),
        "S = L, R neutral": add_order(bytes([1]) + bytes(63)),
        "S with its highest bit": raw[:63] + bytes([raw[63] | 0x80]),
        "all zeros": bytes(64),
        "all ones": b"\xff" * 64,
        "R + a point of order 8": signed_beside(SEED, message),
        "R + a point of order 4": signed_beside(SEED, message, bytes(32)),
        "R + the point of order 2": signed_beside(SEED, message, b"\xec" + b"\xff" * 30 + b"\x7f"),
        "R not on the curve": b"\2" + bytes(31) + raw[32:],
        "R spelled as p": b"\xed" + b"\xff" * 30 + b"\x7f" + raw[32:],
        "R neutral, S 0": bytes([1]) + bytes(63),
        "R neutral with the other sign": signed_with_nothing(SEED, message)[:31]
        + b"\x80"
        + signed_with_nothing(SEED, message)[32:],
        "S and R exchanged": raw[32:] + raw[:32],
        "empty": b"\0",
    }.items():
        line = signature(ORIGIN, SIGNER.verifier.key_id, payload)
        yield Case(f"Ed25519: {name}", noted(proof, f"{text}\n{line}"), ("signature", 3))
    for place in (0, 31, 32, 63):
        flipped = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        line = signature(ORIGIN, SIGNER.verifier.key_id, flipped)
        yield Case(
            f"Ed25519: byte {place} changed", noted(proof, f"{text}\n{line}"), ("signature", 3)
        )
    line = signature(ORIGIN, SIGNER.verifier.key_id, signed_with_nothing(SEED, message))
    yield Case("Ed25519: R neutral, and it holds", noted(proof, f"{text}\n{line}"), OK)
