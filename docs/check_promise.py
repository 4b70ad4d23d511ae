"""Check a promise with nothing but Python: ``python3 check_promise.py PROMISE KEY``.

PROMISE is the file with the promise's text, KEY the log's promise key as `GET /log/key` shows it
(name+id+base64). Prints what was promised and exits with 0, or says what is wrong and exits with 1.

This is written from docs/formats.md alone and shares no line with the service: read it before you
believe it. Ed25519 is as in RFC 8032, slow and not for secrets; the tree is that of RFC 6962.
"""

import base64
import hashlib
import sys
from datetime import datetime
from pathlib import Path

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
WHEN = "%Y-%m-%dT%H:%M:%SZ"
SIGNATURES = 100  # at most, below a note
Point = tuple[int, int]


def need(holds: object, why: str) -> None:
    if not holds:
        raise ValueError(why)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def recover(data: bytes) -> Point:
    """A point of the curve from its 32 bytes."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need(y < P and (x * x - square) % P == 0 and (x or not sign), "a point is not on the curve")
    return (P - x if x & 1 != sign else x), y


def add(one: Point, other: Point) -> Point:
    (a, b), (c, d) = one, other
    product = D * a * b * c * d % P
    x = (a * d + b * c) * pow(1 + product, -1, P)
    y = (b * d + a * c) * pow(1 - product, -1, P)
    return x % P, y % P


def times(factor: int, point: Point) -> Point:
    total = 0, 1
    for bit in bin(factor)[2:]:
        total = add(total, total)
        total = add(total, point) if bit == "1" else total
    return total


BASE = recover((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def check_signature(public: bytes, message: bytes, signature: bytes) -> None:
    factor = int.from_bytes(signature[32:], "little")
    need(len(signature) == 64 and factor < ORDER, "the signature is none")
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    key = recover(public)
    need(times(ORDER, key) == (0, 1) != key, "the key is weak")
    right = add(recover(signature[:32]), times(challenge, key))
    need(times(factor, BASE) == right, "the signature does not hold")


def open_note(note: str, key: str) -> list[str]:
    """The lines of a note that the key signed."""
    name, key_id, encoded = key.split("+", 2)
    kind_and_key = read_base64(encoded)
    need(kind_and_key[:1] == b"\1" and len(kind_and_key) == 33, "the key is not of type 1")
    known = sha256(name.encode(), b"\n", kind_and_key)[:4]
    need(known.hex() == key_id, "the key's id is not its own")
    text, _, signatures = note.rpartition("\n\n")
    *lines, rest = signatures.split("\n")
    need(lines and not rest, "its last line does not end in a line feed")
    need(len(lines) <= SIGNATURES, "it has too many signatures")
    found = 0
    for line in lines:
        dash, signer, encoded = line.split(" ")
        need(dash == "\u2014", "a signature's line does not begin with a dash")
        raw = read_base64(encoded)
        need(signer and "+" not in signer and len(raw) > 4, "a signature is none")
        if signer == name and raw[:4] == known:
            check_signature(kind_and_key[1:], f"{text}\n".encode(), raw[4:])
            found += 1
    need(found, "this key did not sign it")
    first, *lines = text.split("\n")
    need(first == name and name.endswith("/promise"), "it is of another log than the key")
    return lines


def check_path(leaf: bytes, index: int, count: int, path: list[bytes], root: bytes) -> None:
    """RFC 6962: climb from the leaf to the root, row by row."""
    need(index < count, "there is no such leaf")
    node, last = leaf, count - 1
    for sibling in path:
        need(last, "the path is too long")
        if index & 1 or index == last:
            node = sha256(b"\1", sibling, node)
            while not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\1", node, sibling)
        index, last = index >> 1, last >> 1
    need(last == 0, "the path is too short")
    need(node == root, "the path leads to another root")


def read_base64(text: str, size: int = 0) -> bytes:
    """The bytes, of that size if one is given, if this is their one spelling."""
    raw = base64.b64decode(text, validate=True)
    need(base64.b64encode(raw).decode() == text, "bad base64")
    need(len(raw) == (size or len(raw)), "bad length")
    return raw


def number(text: str) -> int:
    need(text.isascii() and text.isdigit() and str(int(text)) == text, "not a number")
    return int(text)


def document_of(password_area: str) -> bytes:
    digits = password_area[2:]
    need(password_area[:2] == "01" and len(digits) == 64, "not a password area")
    need(set(digits) <= set("0123456789abcdef"), "not a password area")
    return bytes.fromhex(digits)


def check(text: str, key: str) -> tuple[str, str, str]:
    """(password area, given, deadline), or ValueError."""
    if not text.startswith("fapiao/promise@v2\n"):
        hash_, given, deadline = open_note(text, key)  # version 1: a note for one invoice alone
        document_of(hash_)
    else:
        head, _, note = text.partition("\n\n")
        _, hash_, index, blinder, *path = head.split("\n")
        names, values = zip(*(line.split(" ") for line in (hash_, index, blinder)), strict=True)
        need(names == ("hash", "index", "blinder"), "its first lines are others")
        hash_, index, blinder = values
        version, count, root, given, deadline = open_note(note, key)
        need(version == "v2", "the note is not that of a group")
        blinded = b"fapiao/v1/promise\n" + read_base64(blinder, 16) + document_of(hash_)
        siblings = [read_base64(line, 32) for line in path]
        leaf, top = sha256(b"\0", blinded), read_base64(root, 32)
        check_path(leaf, number(index), number(count), siblings, top)
    moments = [datetime.strptime(text, WHEN) for text in (given, deadline)]
    # Not strftime: its %Y writes years before 1000 with fewer than four digits.
    spelled = [f"{moment.isoformat()}Z" for moment in moments]
    need(spelled == [given, deadline], "not a time")
    need(moments[0] <= moments[1], "the deadline is before the issue")
    return hash_, given, deadline


def main() -> int:
    _, file, key = sys.argv
    try:
        hash_, given, deadline = check(Path(file).read_bytes().decode(), key)
    except ValueError as wrong:
        print(f"NO PROMISE: {wrong}")
        return 1
    name = key.split("+")[0]
    print(f"{hash_}\nissued {given} or later, in the log by {deadline}: so {name} signed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
