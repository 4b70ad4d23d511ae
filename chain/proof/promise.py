"""The promise that a document will be in the log by a certain time, in two versions.

Version 2 is signed once for a group of documents. Each has a leaf behind 16 random bytes of its
own (its blinder), and the promise key (named after the log's origin, with ``/promise``) signs the
tree's root. What a holder gets is one text: where the document stands, and the note.

    fapiao/promise@v2
    hash <password area>
    index <the leaf's index, decimal>
    blinder <16 bytes, base64>
    <base64 of each hash of the path, from the leaf's sibling upwards>

    <origin>/promise
    v2
    <number of leaves>
    <base64 root>
    <the earliest issue of the group>
    <by when all anchors of the group will be in the log>

    <the signature's line>

Version 1 is a note for one document alone: the key's name, the password area, when the document
was issued, by when its anchor will be in the log. It is read, and made no more.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from chain.commitment import SALT_SIZE, anchor, parse_password_area, password_area
from chain.entry import format_time, parse_time
from chain.errors import MalformedError, VerificationError
from chain.hashing import Digest, leaf_hash, to_digest
from chain.signing.keys import LogKeys, TrustedKeys
from chain.signing.note import MAX_NOTE_SIZE, SignerKey, VerifierKey, open_note, sign_note
from chain.tree.merkle import rows, verify_inclusion

HEADER: Final = "fapiao/promise@v2"
MAX_PATH: Final = 63
MAX_PROMISE_BYTES: Final = MAX_NOTE_SIZE + 4096
"""Room for a note, and the longest path."""

_NAME = "/promise"
_DOMAIN = b"fapiao/v1/promise\n"
_VERSION_2 = "v2"
_HEAD_LINES = 4  # header, hash, index, blinder
_ALONE_LINES = 3  # below the name: hash, given, deadline
_GROUP_LINES = 5  # below the name: version, count, root, given, deadline
_BEGINNING = re.compile(rb"fapiao/promise@|[^\n]*/promise\n")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_AROUND = b'\xef\xbb\xbf \t\r\n"'
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*[{\["]')
_WITHIN = re.compile(rb'"(?:fapiao\\?/promise@[^"]{1,9}|[^"\n]{1,300}?\\?/promise)\\n')


@dataclass(frozen=True, slots=True)
class Promise:
    """``anchor`` will be in the log of ``origin`` by ``deadline``.

    It was said of a document issued at ``given``, or, in version 2, then or later.
    """

    origin: str
    hash: str
    anchor: Digest
    given: datetime
    deadline: datetime
    version: Literal[1, 2]


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands above the note of a promise of version 2."""

    hash: str
    index: int
    blinder: bytes
    path: tuple[Digest, ...]
    note: bytes


@dataclass(frozen=True, slots=True)
class _Group:
    """What the promise key signed in version 2."""

    origin: str
    count: int
    root: Digest
    given: datetime
    deadline: datetime


def sign_group(
    signer: SignerKey,
    documents: Sequence[Digest],
    given: datetime,
    deadline: datetime,
    randbytes: Callable[[int], bytes],
) -> list[str]:
    """Promise all ``documents`` (at least one) by one signature; the text for each, in order.

    ``given`` is the issue of the earliest; ``randbytes`` must be fit for secrets, or who holds one
    promise can guess which other documents were promised with it.
    """
    fresh = randbytes(SALT_SIZE * len(documents))
    blinders = [fresh[at : at + SALT_SIZE] for at in range(0, len(fresh), SALT_SIZE)]
    tree = rows([_leaf(*one) for one in zip(blinders, documents, strict=True)])
    times = f"{format_time(given)}\n{format_time(deadline)}"
    count, root = len(documents), _to_base64(tree[-1][0])
    note = sign_note(f"{signer.name}\n{_VERSION_2}\n{count}\n{root}\n{times}\n", signer).decode()
    return [
        f"{_head(password_area(document), index, blinder, path)}\n{note}"
        for index, (document, blinder, path) in enumerate(
            zip(documents, blinders, _paths(tree), strict=True)
        )
    ]


def is_promise(data: bytes) -> bool:
    """Tell a promise, well made or not, from other files."""
    return _BEGINNING.match(data) is not None


def refuse_bent(data: bytes) -> None:
    """MalformedError ``promise_malformed`` for a promise that was not saved as it was given.

    Only one spelling is read, but whoever saved it should learn what it is: with a mark, blanks,
    empty lines, quotation marks or other line ends around its lines, or in UTF-16.
    """
    utf8 = _from_utf16(data)
    lines = utf8.strip(_AROUND).replace(b"\r", b"").split(b"\n")
    plain = b"\n".join(line.rstrip() for line in lines) + b"\n"
    if is_promise(plain) and plain != data:
        raise _malformed(
            "it seems to be one, but with a blank, a mark or line ends that were not there; save"
            " the text as it was given, and check it with `fapiao verify FILE`, or against the log"
            " with `fapiao audit --promise FILE --mirror DIR`"
        )


def refuse_within(data: bytes) -> None:
    """MalformedError ``promise_malformed`` for JSON, of no other meaning here, with a promise."""
    utf8 = _from_utf16(data)
    if _JSON.match(utf8) and _WITHIN.search(utf8):
        raise _malformed(
            "one stands within this JSON, as in the service's answers; save the text of `promise`"
            " alone (jq -j .promise ANSWER.json > FILE), and check that file"
        )


def _from_utf16(data: bytes) -> bytes:
    """What Windows writes as "Unicode", in UTF-8; anything else as it is."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    return data.decode("utf-16", "replace").encode()


def promise_keys(trusted: TrustedKeys) -> tuple[VerifierKey, ...]:
    """The promise keys of a log: the one that is trusted, or those that its statements name.

    MalformedError ``promise_key_missing`` where nothing but keys of the log itself is known.
    """
    if isinstance(trusted, VerifierKey) and trusted.name.endswith(_NAME):
        return (trusted,)
    found = trusted.promise if isinstance(trusted, LogKeys) else ()
    if not found:
        raise MalformedError(
            "promise_key_missing",
            "nothing says which key signs promises: name it, or the log's key and its statements",
        )
    return found


def open_promise(data: bytes, *keys: VerifierKey) -> Promise:
    """Return what was promised of one document, in either version, or raise.

    1. one of ``keys``, the promise keys of one log and named after it, signed the note;
    2. (version 2) the path leads from the leaf of this document and its blinder to the root;
    3. the deadline is not before the time of issue.

    Raises MalformedError: ``note``, ``promise_malformed``, ``password_area``, ``time_malformed``,
    and those of ``verify_inclusion``; VerificationError: ``signature``, ``signature_missing``,
    ``promise_of_another``, ``path_length``, ``root_mismatch``.
    """
    if data.startswith(f"{HEADER}\n".encode()):
        promise = _open_placed(_parse(data), keys)
    else:
        promise = _open_alone(data, keys)
    if promise.deadline < promise.given:
        raise _malformed("the deadline is before the time of issue")
    return promise


def _open_alone(note: bytes, keys: Sequence[VerifierKey]) -> Promise:
    """Version 1."""
    origin, lines = _open_lines(note, keys)
    if len(lines) != _ALONE_LINES:
        raise _malformed("a promise of version 1 has four lines")
    document = parse_password_area(lines[0])
    given, deadline = map(parse_time, lines[1:])
    return Promise(origin, lines[0], anchor(document), given, deadline, 1)


def _open_placed(place: _Place, keys: Sequence[VerifierKey]) -> Promise:
    """Version 2."""
    group = _open_group(place.note, keys)
    document = parse_password_area(place.hash)
    leaf = _leaf(place.blinder, document)
    verify_inclusion(leaf, place.index, group.count, place.path, group.root)
    return Promise(group.origin, place.hash, anchor(document), group.given, group.deadline, 2)


def _open_group(note: bytes, keys: Sequence[VerifierKey]) -> _Group:
    origin, lines = _open_lines(note, keys)
    if len(lines) != _GROUP_LINES or lines[0] != _VERSION_2:
        raise _malformed("the note is not that of a group")
    _, count, root, given, deadline = lines
    if not _NUMBER.fullmatch(count):
        raise _malformed("the number of leaves is not a number")
    return _Group(origin, int(count), _digest(root), parse_time(given), parse_time(deadline))


def _open_lines(note: bytes, keys: Sequence[VerifierKey]) -> tuple[str, list[str]]:
    """The log's name, and the lines below it, of a note that one of the keys signed."""
    opened = open_note(note, keys)
    name, *lines = opened.text.removesuffix("\n").split("\n")
    if name != opened.signatures[0].name or not name.endswith(_NAME):
        raise VerificationError("promise_of_another", "the promise is of another log than the key")
    return name.removesuffix(_NAME), lines


def _parse(data: bytes) -> _Place:
    """Take a promise of version 2 apart without believing it; only one spelling is read."""
    head, _, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _malformed("its first lines are not ASCII") from None
    if not _HEAD_LINES <= len(lines) <= _HEAD_LINES + MAX_PATH:
        raise _malformed("it lacks a line, or its path is too long")
    hash_, index, blinder = (line.partition(" ")[2] for line in lines[1:_HEAD_LINES])
    if not _NUMBER.fullmatch(index):
        raise _malformed("its index is not a number")
    path = tuple(map(_digest, lines[_HEAD_LINES:]))
    place = _Place(hash_, int(index), _from_base64(blinder), path, note)
    ways = "".join(f"{_to_base64(one)}\n" for one in path)
    if _head(hash_, place.index, place.blinder, ways).encode() != head + b"\n":
        raise _malformed("it is spelled otherwise than the format says")
    return place


def _paths(tree: Sequence[Sequence[Digest]]) -> list[str]:
    """The lines of each leaf's path. Each node's are put together once, from the root down."""
    ways = [""]
    for row in reversed(tree[:-1]):
        lines = [f"{_to_base64(node)}\n" for node in row]
        lone = len(row) - 1 if len(row) & 1 else -1
        ways = [ways[i >> 1] if i == lone else lines[i ^ 1] + ways[i >> 1] for i in range(len(row))]
    return ways


def _leaf(blinder: bytes, document: Digest) -> Digest:
    # A blinder of any other length could move the border between it and the document.
    if len(blinder) != SALT_SIZE:
        raise _malformed(f"a blinder has {SALT_SIZE} bytes, not {len(blinder)}")
    return leaf_hash(_DOMAIN + blinder + document)


def _head(hash_: str, index: int, blinder: bytes, path: str) -> str:
    """All above the empty line; ``path`` is lines."""
    return f"{HEADER}\nhash {hash_}\nindex {index}\nblinder {_to_base64(blinder)}\n{path}"


def _digest(text: str) -> Digest:
    raw = _from_base64(text)
    if _to_base64(raw) != text:
        raise _malformed("a hash is not spelled in base64")
    try:
        return to_digest(raw)
    except MalformedError:
        raise _malformed("a hash has another length") from None


def _to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text)  # leniently: who reads compares
    except (binascii.Error, ValueError):
        raise _malformed("a line is not base64") from None


def _malformed(why: str) -> MalformedError:
    return MalformedError("promise_malformed", f"this is not a promise: {why}")
