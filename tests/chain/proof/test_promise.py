"""Promises of both versions: what is read, and every way to bend one."""

import base64
import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chain.commitment import SALT_SIZE, anchor, password_area
from chain.errors import MalformedError, Problem, VerificationError
from chain.hashing import Digest, leaf_hash, sha256
from chain.proof.promise import (
    HEADER,
    MAX_PATH,
    Promise,
    is_promise,
    open_promise,
    promise_keys,
    refuse_bent,
    refuse_within,
    sign_group,
)
from chain.signing.keys import LogKey, LogKeys
from chain.signing.note import SignerKey, parse_note, sign_note
from chain.tree.merkle_slow import slow_inclusion_path, slow_root
from tests.chain.trees import flip

NOON = datetime(2026, 8, 10, 4, 0, 0, tzinfo=UTC)
DEADLINE = NOON + timedelta(minutes=1)
SIGNER = SignerKey("log.example/fapiao/promise", bytes(range(1, 33)))
KEY = SIGNER.verifier
DOCUMENT = sha256(b"an invoice")
HASH = password_area(DOCUMENT)
ALONE = (SIGNER.name, HASH, "2026-08-10T04:00:00Z", "2026-08-10T04:01:00Z")
SIZES = range(1, 9)


def group(size: int, seed: int = 1) -> list[str]:
    """The promises of ``documents(size)``."""
    fresh = random.Random(seed).randbytes
    return sign_group(SIGNER, documents(size), NOON, DEADLINE, fresh)


def documents(size: int) -> list[Digest]:
    """So many documents."""
    return [sha256(b"document %d" % number) for number in range(size)]


def opened(text: str, key: SignerKey = SIGNER) -> Promise:
    """What it says."""
    return open_promise(text.encode(), key.verifier)


def code(text: str) -> str:
    """The code with which it is refused."""
    with pytest.raises(Problem) as caught:
        opened(text)
    return caught.value.code


def signed(*lines: str, signer: SignerKey = SIGNER) -> str:
    """A note over these lines."""
    return sign_note("".join(f"{line}\n" for line in lines), signer).decode()


def to_base64(raw: bytes) -> str:
    """As the format writes bytes."""
    return base64.b64encode(raw).decode()


class Parts:
    """A promise of version 2 taken apart, to be put together otherwise."""

    def __init__(self, text: str) -> None:
        head, _, self.note = text.partition("\n\n")
        self.header, self.hash, self.index, self.blinder, *self.path = head.split("\n")

    def text(self, *, path: Sequence[str] | None = None, **others: str) -> str:
        """With other parts."""
        said: dict[str, str] = vars(self) | others
        lines = [said["header"], said["hash"], said["index"], said["blinder"]]
        lines += self.path if path is None else path
        return "\n".join(lines) + "\n\n" + said["note"]

    def resigned(self, place: int, line: str) -> str:
        """With another line in what the key signed, and signed again."""
        lines = parse_note(self.note.encode()).text.removesuffix("\n").split("\n")
        lines[place] = line
        return self.text(note=signed(*lines))


@pytest.mark.parametrize("size", [*SIZES, 100, 257])
def test_each_of_a_group_has_its_own(size: int) -> None:
    for text, document in zip(group(size), documents(size), strict=True):
        assert opened(text) == Promise(
            origin="log.example/fapiao",
            hash=password_area(document),
            anchor=anchor(document),
            given=NOON,
            deadline=DEADLINE,
            version=2,
        )


def test_the_text_has_the_form_of_the_specification() -> None:
    fresh = random.Random(1).randbytes(16 * 3)
    blinders = [fresh[at : at + 16] for at in (0, 16, 32)]
    hashes = [
        leaf_hash(b"fapiao/v1/promise\n" + blinder + document)
        for blinder, document in zip(blinders, documents(3), strict=True)
    ]
    note = signed(SIGNER.name, "v2", "3", to_base64(slow_root(hashes)), ALONE[2], ALONE[3])
    for index, text in enumerate(group(3)):
        head = [
            "fapiao/promise@v2",
            f"hash {password_area(documents(3)[index])}",
            f"index {index}",
            f"blinder {to_base64(blinders[index])}",
            *map(to_base64, slow_inclusion_path(hashes, index)),
        ]
        assert text == "\n".join(head) + "\n\n" + note


def test_the_same_document_is_blinded_anew() -> None:
    one, other = (Parts(group(1, seed)[0]) for seed in (1, 2))
    assert (one.hash, one.index) == (other.hash, other.index)
    assert one.blinder != other.blinder
    assert one.note != other.note


class TestSteps:
    """One test for each number of ``open_promise``."""

    def test_1_another_key(self) -> None:
        other = SignerKey(SIGNER.name, bytes(32))
        for text in (signed(*ALONE), group(3)[1]):
            with pytest.raises(VerificationError, match=r"^signature_missing\b"):
                opened(text, other)
        forged = signed(*ALONE).replace("04:01", "04:02")
        assert code(forged) == "signature"
        assert code(group(3)[1].replace("04:01", "04:02")) == "signature"

    def test_1_a_key_of_another_name(self) -> None:
        plain = SignerKey("log.example/fapiao", bytes(32))
        for lines in (ALONE[1:], _group_lines()[1:]):
            text = signed(plain.name, *lines, signer=plain)
            text = text if len(lines) == 3 else Parts(group(3)[1]).text(note=text)
            with pytest.raises(VerificationError, match=r"^promise_of_another\b"):
                opened(text, plain)
        assert code(signed("other.example/promise", *ALONE[1:])) == "promise_of_another"
        assert code(Parts(group(3)[1]).resigned(0, "x/promise")) == "promise_of_another"

    def test_2_another_document(self) -> None:
        parts = Parts(group(3)[1])
        assert code(parts.text(hash=f"hash {HASH}")) == "root_mismatch"

    def test_3_a_deadline_before_the_issue(self) -> None:
        early = "2026-08-10T03:59:59Z"
        assert code(signed(*ALONE[:3], early)) == "promise_malformed"
        assert code(Parts(group(3)[1]).resigned(5, early)) == "promise_malformed"
        assert opened(signed(*ALONE[:3], ALONE[2])).deadline == NOON


def _group_lines() -> list[str]:
    return parse_note(Parts(group(3)[1]).note.encode()).text.removesuffix("\n").split("\n")


@pytest.mark.parametrize("size", SIZES)
def test_every_bent_path_is_refused(size: int) -> None:
    for index, text in enumerate(group(size)):
        parts = Parts(text)
        for bent in _bent_paths(parts.path):
            assert code(parts.text(path=bent)) in {"root_mismatch", "path_length"}
        for other in range(size + 2):
            if other != index:
                wanted = {"root_mismatch", "path_length"} if other < size else {"index_outside"}
                assert code(parts.text(index=f"index {other}")) in wanted


def _bent_paths(path: list[str]) -> Iterator[list[str]]:
    more = to_base64(sha256(b"more"))
    for place in range(len(path) + 1):
        yield [*path[:place], more, *path[place:]]
    for place, line in enumerate(path):
        digest = Digest(base64.b64decode(line))
        yield path[:place] + path[place + 1 :]
        yield [*path[:place], line, line, *path[place + 1 :]]
        for bit in (0, 100, 255):
            yield [*path[:place], to_base64(flip(digest, bit)), *path[place + 1 :]]
    for place in range(len(path) - 1):
        yield [*path[:place], path[place + 1], path[place], *path[place + 2 :]]


@pytest.mark.parametrize("size", SIZES)
def test_nobody_has_anothers_place(size: int) -> None:
    texts = group(size)
    every = [Parts(text) for text in texts]
    for mine in every:
        for other in every:
            if other is not mine:
                assert code(mine.text(hash=other.hash)) == "root_mismatch"
                assert code(mine.text(blinder=other.blinder)) == "root_mismatch"
                bent = mine.text(blinder=other.blinder, index=other.index, path=other.path)
                assert code(bent) == "root_mismatch"
                assert mine.text(**_whole(other), path=other.path) in texts


def _whole(parts: Parts) -> dict[str, str]:
    return {name: getattr(parts, name) for name in ("hash", "blinder", "index")}


@pytest.mark.parametrize("size", SIZES)
def test_every_bent_blinder_and_group_is_refused(size: int) -> None:
    for index, text in enumerate(group(size)):
        parts = Parts(text)
        raw = base64.b64decode(parts.blinder.removeprefix("blinder "))
        for bit in range(0, 128, 9):
            bent = bytearray(raw)
            bent[bit // 8] ^= 1 << bit % 8
            assert code(parts.text(blinder=f"blinder {to_base64(bytes(bent))}")) == "root_mismatch"
        for other in (bytes(0), raw[:-1], raw + b"\0"):
            refused = code(parts.text(blinder=f"blinder {to_base64(other)}"))
            assert refused == "promise_malformed"
        note = Parts(group(size, seed=2)[index]).note
        assert code(parts.text(note=note)) == "root_mismatch"  # of the same documents, blinded anew
        root = base64.b64decode(_signed_lines(parts)[3])
        assert code(parts.resigned(3, to_base64(flip(Digest(root), 7)))) == "root_mismatch"


def _signed_lines(parts: Parts) -> list[str]:
    return parse_note(parts.note.encode()).text.split("\n")


@pytest.mark.parametrize("size", SIZES)
def test_another_number_of_leaves_moves_nobody(size: int) -> None:
    """The path's length says of which trees it can be; a leaf may stand where it stood."""
    for index, text in enumerate(group(size)):
        parts = Parts(text)
        for count in (0, size - 1, size + 1, 2 * size, 2**63 - 1, 2**63):
            bent = parts.resigned(2, str(count))
            try:
                promise = opened(bent)
            except Problem as problem:
                assert problem.code in {  # noqa: PT017 # some counts hold
                    *("root_mismatch", "path_length", "index_outside", "tree_size"),
                }
            else:
                assert promise.hash == password_area(documents(size)[index])


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        (ALONE[:3], "promise_malformed"),
        ((*ALONE, "x"), "promise_malformed"),
        (ALONE[:1], "promise_malformed"),
        ((ALONE[0], HASH[2:], *ALONE[2:]), "password_area"),
        ((ALONE[0], f"02{HASH[2:]}", *ALONE[2:]), "password_area"),
        ((*ALONE[:2], "2026-08-10 04:00", ALONE[3]), "time_malformed"),
        ((*ALONE[:3], "2026-08-10T04:01:00+00:00"), "time_malformed"),
        ((ALONE[0], "v2", "1", to_base64(bytes(32)), *ALONE[2:]), "promise_malformed"),
    ],
)
def test_what_the_key_signed_but_is_no_promise(lines: tuple[str, ...], refused: str) -> None:
    assert code(signed(*lines)) == refused


@pytest.mark.parametrize(
    ("place", "line", "refused"),
    [
        (1, "v1", "promise_malformed"),
        (1, "v3", "promise_malformed"),
        (2, "03", "promise_malformed"),
        (2, "+3", "promise_malformed"),
        (2, "3 ", "promise_malformed"),
        (2, "٣", "promise_malformed"),
        (2, "9" * 20, "promise_malformed"),
        (3, to_base64(bytes(31)), "promise_malformed"),
        (3, to_base64(bytes(32))[:-1], "promise_malformed"),
        (3, to_base64(bytes(32)).replace("A=", "B="), "promise_malformed"),
        (3, "?", "promise_malformed"),
        (4, "2026-08-10", "time_malformed"),
        (5, "2026-08-10T04:01:00", "time_malformed"),
        (5, f"{ALONE[3]}\nmore", "promise_malformed"),
    ],
)
def test_what_the_key_signed_of_a_group_but_is_no_promise(
    place: int, line: str, refused: str
) -> None:
    assert code(Parts(group(3)[1]).resigned(place, line)) == refused


def test_only_one_spelling_is_read() -> None:
    good = group(3)[1]
    parts = Parts(good)
    for bent in (
        good.replace("@v2\n", "@v2\r\n"),
        good.replace("\n", "\r\n"),
        good.replace("index 1", "index 01"),
        good.replace("index 1", "index +1"),
        good.replace("index 1", "index  1"),
        good.replace("index 1", "Index 1"),
        good.replace("index 1", "index ١"),
        good.replace("index 1", "index -1"),
        good.replace("hash ", "hush "),
        good.replace("blinder ", "binder "),
        good.replace(parts.blinder, parts.blinder.rstrip("=")),
        good.replace(parts.blinder, f"{parts.blinder} "),
        parts.text(path=[f"{parts.path[0]} ", *parts.path[1:]]),
        parts.text(path=[parts.path[0].rstrip("="), *parts.path[1:]]),
        parts.text(path=["?", *parts.path]),
        parts.text(path=[to_base64(bytes(31)), *parts.path]),
        parts.text(path=[to_base64(bytes(32))] * (MAX_PATH + 1)),
        parts.text(hash=parts.index, index=parts.hash),
        f"{HEADER}\n\n{parts.note}",
        f"{HEADER}\n{parts.hash}\n{parts.index}\n\n{parts.note}",
    ):
        assert code(bent) in {"promise_malformed", "note"}, bent
    assert code(parts.text(path=[to_base64(bytes(32))] * MAX_PATH)) == "path_length"
    assert code(parts.text(hash="hash 01" + "AB" * 32)) == "password_area"
    for bent in (f" {good}", f"{good}\n", good.replace("@v2", "@v3"), f"{HEADER}\n", HEADER, ""):
        assert code(bent) in {"promise_malformed", "note", "signature"}, bent
    assert code(parts.text(path=["", *parts.path])) == "signature"  # its note begins too early
    assert code(parts.text(note=signed(*ALONE))) == "promise_malformed"
    assert code(parts.note) == "promise_malformed"  # the group's note is nobody's promise


def test_bytes_that_are_no_text() -> None:
    for data in (b"\xff", f"{HEADER}\n".encode() + b"\xff\n\n", b"fapiao/promise@v2\n" * 9):
        with pytest.raises(MalformedError):
            open_promise(data, KEY)


@pytest.mark.parametrize("text", [signed(*ALONE), group(6)[3], group(1)[0]])
def test_no_changed_byte_passes(text: str) -> None:
    data = text.encode()
    for place in range(len(data)):
        bent = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises((VerificationError, MalformedError)):
            open_promise(bent, KEY)


def test_any_of_a_log_s_promise_keys_may_have_signed() -> None:
    older = SignerKey(SIGNER.name, bytes(32))
    keys = (older.verifier, KEY)
    for text in (signed(*ALONE), group(3)[1]):
        assert open_promise(text.encode(), *keys) == opened(text)
    stranger = SignerKey("other.example/promise", bytes(32))
    assert open_promise(group(3)[1].encode(), stranger.verifier, KEY) == opened(group(3)[1])
    crossed = Parts(group(3)[1]).resigned(0, "other.example/promise")
    with pytest.raises(VerificationError, match=r"^promise_of_another\b"):
        open_promise(crossed.encode(), stranger.verifier, KEY)


def test_which_keys_are_those_of_promises() -> None:
    log = SignerKey("log.example/fapiao", bytes(range(32))).verifier
    stated = LogKeys(log.name, (LogKey(log),), (SignerKey(SIGNER.name, bytes(32)).verifier, KEY))
    assert promise_keys(KEY) == (KEY,)
    assert promise_keys(stated) == stated.promise
    for unknown in (log, LogKeys.of(log)):
        with pytest.raises(MalformedError, match=r"^promise_key_missing\b"):
            promise_keys(unknown)


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (b"fapiao/promise@v2\nanything", True),
        (b"fapiao/promise@v3\n", True),
        (b"log.example/promise\n01", True),
        (b"log.example/promise", False),
        (b"log.example\n/promise\n", False),
        (b" fapiao/promise@v2\n", False),
        (b'{"promise":"log.example/promise\\n"}', False),
        (b"", False),
    ],
)
def test_a_promise_is_told_from_other_files(data: bytes, is_one: bool) -> None:
    assert is_promise(data) is is_one


@pytest.mark.parametrize("text", [signed(*ALONE), group(3)[1]], ids=["alone", "group"])
def test_a_promise_that_was_not_saved_as_it_was_given_is_named(text: str) -> None:
    data = text.encode()
    utf16 = [b"\xff\xfe" + text.encode("utf-16-le"), b"\xfe\xff" + text.encode("utf-16-be")]
    around = [b"\n" + data, data.replace(b"\n", b"\r\n"), b'"' + data, b"\xef\xbb\xbf" + data]
    behind = [data + b"\n", data[:-1], data[:-1] + b" \n", data.replace(b"\n", b"\t\n", 1)]
    behind += [data.replace(b"\n", b"\n\r", 1)]
    for bent in (*around, *behind, *utf16):
        with pytest.raises(MalformedError, match=r"^promise_malformed\b.*fapiao audit --promise"):
            refuse_bent(bent)
        refuse_within(bent)
    for other in (data, b"", b"{}", b"\n[]", b"\xff\xfe\x00", b"x" + data, b"x\n" + data):
        refuse_bent(other)


@pytest.mark.parametrize("text", [signed(*ALONE), group(3)[1]], ids=["alone", "group"])
def test_a_promise_within_json_is_named(text: str) -> None:
    answer = json.dumps({"promise": text})
    quoted = [
        json.dumps(text),
        answer,
        f"[{answer}]",
        f"\ufeff {answer}",
        answer.replace("/", "\\/"),
        f"{answer}\n" * 2,
    ]
    for within in (*map(str.encode, quoted), b"\xff\xfe" + answer.encode("utf-16-le")):
        with pytest.raises(MalformedError, match=r"^promise_malformed\b.*jq -j \.promise"):
            refuse_within(within)
    others = [text, f"x{answer}", json.dumps({"note": "log.example\n/promise"}), "", "{}"]
    for other in (*others, json.dumps({"a": "x/promises\n"})):
        refuse_within(other.encode())


def test_each_document_gets_a_blinder_of_its_own() -> None:
    with pytest.raises(ValueError, match="longer"):
        sign_group(SIGNER, documents(3), NOON, DEADLINE, lambda count: bytes(count - SALT_SIZE))
