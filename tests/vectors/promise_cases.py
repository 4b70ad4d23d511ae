"""Golden promises of both versions: good ones, and bent ones with the code that refuses them."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from chain.commitment import password_area
from chain.entry import format_time
from chain.hashing import Digest, sha256
from chain.proof.promise import open_promise, sign_group
from chain.signing.note import SignerKey, parse_note, sign_note

PROMISE = SignerKey("log.example/fapiao/promise", bytes(range(1, 33)))
OTHER = SignerKey(PROMISE.name, bytes(range(2, 34)))
LOG = SignerKey("log.example/fapiao", bytes(range(32)))
NOON = datetime(2026, 8, 10, 4, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Bent = Iterator[tuple[str, str, str]]
"""(name, code, text) of each."""


def promises() -> object:
    """What ``promise.json`` holds."""
    hash_, given, deadline = parse_note(alone().encode()).text.split("\n")[1:4]
    first, last = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
    good = {"version 1": alone(), "1: the first year": alone(hash_, first, deadline)}
    good["1: the last year"] = alone(hash_, given, last)
    for size in (*range(1, 9), 200):
        for index, text in enumerate(group(size)):
            if size <= 8 or index in (0, 127, 199):
                good[f"leaf {index} of {size}"] = text
    bent = {name: {"code": code, "text": text} for name, code, text in _bent()}
    return {
        "key": PROMISE.verifier.text(),
        "good": {name: {"text": text, **_says(text)} for name, text in good.items()},
        "bent": bent,
        "saved": {
            name: {"code": code, "base64": base64.b64encode(data).decode()}
            for name, code, data in _saved()
        },
    }


def documents(size: int) -> list[Digest]:
    """So many documents."""
    return [sha256(b"document %d" % number) for number in range(size)]


def group(size: int, seed: int = 1, signer: SignerKey = PROMISE) -> list[str]:
    """Promises of version 2 over ``documents(size)``; the blinders follow from ``seed``."""

    def blinders(length: int) -> bytes:
        count = -(-length // 32)
        return b"".join(sha256(b"%d %d" % (seed, n)) for n in range(count))[:length]

    return sign_group(signer, documents(size), NOON, NOON + MINUTE, blinders)


def alone(*lines: str, name: str = PROMISE.name, signer: SignerKey = PROMISE) -> str:
    """A promise of version 1; ``lines`` instead of what stands below the name."""
    good = (password_area(documents(1)[0]), format_time(NOON), format_time(NOON + MINUTE))
    text = "".join(f"{line}\n" for line in (name, *(lines or good)))
    return sign_note(text, signer).decode()


def resigned(text: str, place: int, line: str, signer: SignerKey = PROMISE) -> str:
    """A promise of version 2 with another line in its note, signed again."""
    head, _, note = text.partition("\n\n")
    lines = parse_note(note.encode()).text.split("\n")
    lines[place] = line
    signed = sign_note("\n".join(lines), signer)
    return f"{head}\n\n{signed.decode()}"


def _says(text: str) -> dict[str, object]:
    promise = open_promise(text.encode(), PROMISE.verifier)
    return {
        "version": promise.version,
        "origin": promise.origin,
        "hash": promise.hash,
        "anchor": promise.anchor.hex(),
        "given": format_time(promise.given),
        "deadline": format_time(promise.deadline),
    }


def _bent() -> Bent:
    yield from _bent_alone()
    good = group(5)[2]
    yield from _bent_path(good)
    yield from _bent_note(good)
    yield from _bent_spelling(good)


def _bent_alone() -> Bent:
    hash_, given, deadline = parse_note(alone().encode()).text.split("\n")[1:4]
    yield "1: another key", "signature_missing", alone(signer=OTHER)
    yield "1: another time", "signature", alone().replace("04:01", "04:02")
    yield "1: another log", "promise_of_another", alone(name="other.example/promise")
    yield "1: too short", "promise_malformed", alone(hash_, given)
    yield "1: too long", "promise_malformed", alone(hash_, given, deadline, "more")
    yield "1: before its issue", "promise_malformed", alone(hash_, deadline, given)
    yield "1: no password area", "password_area", alone(hash_[2:], given, deadline)
    yield "1: no time", "time_malformed", alone(hash_, "2026-08-10", deadline)
    yield "1: no day of the calendar", "time_malformed", alone(hash_, given, "2026-02-30T00:00:00Z")
    yield "1: no signature", "note", alone().rpartition("\n\n")[0] + "\n"
    yield "1: year 1, in three digits", "time_malformed", alone(hash_, "001-01-01T00:00:00Z", given)
    for name, text in _signed_otherwise(alone()):
        yield f"1: {name}", "note", text


def _bent_path(good: str) -> Bent:
    head, _, note = good.partition("\n\n")
    lines = head.split("\n")
    path, other = lines[4:], _to_base64(sha256(b"other"))

    def placed(path: list[str]) -> str:
        return "\n".join([*lines[:4], *path]) + "\n\n" + note

    for at in range(len(path)):
        changed = [*path[:at], other, *path[at + 1 :]]
        yield f"hash {at} changed", "root_mismatch", placed(changed)
        yield f"hash {at} left out", "path_length", placed(path[:at] + path[at + 1 :])
        yield f"hash {at} twice", "path_length", placed(path[: at + 1] + path[at:])
    yield "no path", "path_length", placed([])
    yield "the path turned round", "root_mismatch", placed(path[::-1])
    for index in (0, 1, 3):
        yield f"index {index}", "root_mismatch", good.replace("index 2", f"index {index}")
    yield "index 4", "path_length", good.replace("index 2", "index 4")
    yield "index 5", "index_outside", good.replace("index 2", "index 5")
    for name, place in (("hash", 1), ("blinder", 3)):
        theirs = group(5)[3].split("\n")[place]
        yield f"another's {name}", "root_mismatch", good.replace(lines[place], theirs)
    short = re.sub("blinder .*", f"blinder {_to_base64(bytes(15))}", good)
    yield "a short blinder", "promise_malformed", short
    yield (
        "a group of one, with a path",
        "path_length",
        group(1)[0].replace("\n\n", f"\n{other}\n\n", 1),
    )


def _bent_note(good: str) -> Bent:
    head = good.partition("\n\n")[0]
    other = group(5, seed=2)[2].partition("\n\n")[2]
    yield "another group", "root_mismatch", f"{head}\n\n{other}"
    yield "a note of version 1", "promise_malformed", f"{head}\n\n{alone()}"
    yield "the note alone", "promise_malformed", good.partition("\n\n")[2]
    yield "another key", "signature_missing", group(5, signer=OTHER)[2]
    yield "another time", "signature", good.replace("04:01", "04:02")
    yield "another log", "promise_of_another", resigned(good, 0, "other.example/promise")
    yield "version 1 inside", "promise_malformed", resigned(good, 1, "v1")
    yield "count 0", "index_outside", resigned(good, 2, "0")
    yield "count 05", "promise_malformed", resigned(good, 2, "05")
    yield "count 2", "index_outside", resigned(good, 2, "2")
    yield "count 9", "path_length", resigned(good, 2, "9")
    yield "too many leaves", "tree_size", resigned(good, 2, str(2**63))
    yield "another root", "root_mismatch", resigned(good, 3, _to_base64(bytes(32)))
    yield "a short root", "promise_malformed", resigned(good, 3, _to_base64(bytes(31)))
    yield "no root", "promise_malformed", resigned(good, 3, "?")
    yield "no time", "time_malformed", resigned(good, 4, "2026-08-10")
    yield "before its issue", "promise_malformed", resigned(good, 5, "2026-08-10T03:59:59Z")
    yield "a line more", "promise_malformed", resigned(good, 5, "2026-08-10T04:01:00Z\nmore")
    for name, text in _signed_otherwise(good):
        yield name, "note", text


def _signed_otherwise(good: str) -> Iterator[tuple[str, str]]:
    """Its signature holds, but is not written as signatures are."""
    bare = good.rstrip("=\n")
    pad = good[len(bare) : -1]
    yield "a bit behind the signature", f"{bare[:-1]}{chr(ord(bare[-1]) + 1)}{pad}\n"
    yield "no last line feed", f"{bare}{pad}"
    yield "a line feed more", f"{good}\n"
    yield "a blank behind the signature", f"{bare}{pad} \n"
    yield "a signature without padding", f"{bare}\n"
    yield "a signature that is none", f"{good}\N{EM DASH} other AAAA\n"
    yield "a signature of no key's name", f"{good}\N{EM DASH} an+other AAAAAAAA\n"
    yield "a signature of no name", f"{good}\N{EM DASH}  AAAAAAAA\n"
    more = "".join(f"\N{EM DASH} other{n} AAAAAAAA\n" for n in range(100))
    yield "too many signatures", good + more


def _bent_spelling(good: str) -> Bent:
    head, _, note = good.partition("\n\n")
    hash_, index, blinder = head.split("\n")[1:4]
    malformed = "promise_malformed"
    yield "version 3", "signature", good.replace("@v2", "@v3")
    yield "carriage returns", malformed, good.replace("\n", "\r\n").replace("@v2\r", "@v2")
    yield "leading zero", malformed, good.replace("index 2", "index 02")
    yield "no number", malformed, good.replace("index 2", "index two")
    yield "no index", malformed, good.replace("index 2\n", "")
    yield "another order", malformed, good.replace(f"{hash_}\n{index}", f"{index}\n{hash_}")
    yield "another word", malformed, good.replace("blinder ", "blinded ")
    yield "without padding", malformed, good.replace(blinder, blinder.rstrip("="))
    yield "a blank more", malformed, good.replace(blinder, f"{blinder} ")
    yield "capitals", "password_area", good.replace(hash_, f"hash {hash_[5:].upper()}")
    yield "not ASCII", malformed, good.replace("index 2", "index ２")
    yield "no empty line", malformed, good.replace("\n\n", "\n", 1).rpartition("\n\n")[0]
    yield "no note", "note", f"{head}\n\n"
    more = f"\n{_to_base64(bytes(32))}" * 63
    yield "too long a path", malformed, f"{head}{more}\n\n{note}"


def _saved() -> Iterator[tuple[str, str, bytes]]:
    """(name, code, bytes) of files: what was made of a promise is named, the rest is left alone."""
    for version, text in (("1", alone()), ("2", group(5)[2])):
        for name, saved in _saved_otherwise(text):
            yield f"{version}: {name}", "promise_malformed", saved
        yield f"{version}: as it was given", "", text.encode()
        yield f"{version}: behind another line", "", f"See below.\n{text}".encode()
    log = "log.example/fapiao\n7\nAAAA\n"
    yield "a checkpoint with carriage returns", "", log.replace("\n", "\r\n").encode()
    yield "a checkpoint within JSON", "", json.dumps({"checkpoint": log}).encode()
    yield "nothing", "", b""
    yield "blanks", "", b" \r\n\t"
    yield "JSON of nothing", "", b"{}"
    yield "half of a mark", "", b"\xff\xfe\x00"


def _saved_otherwise(text: str) -> Iterator[tuple[str, bytes]]:
    """The promise, as programs save, copy and quote it."""
    data = text.encode()
    yield "a mark", b"\xef\xbb\xbf" + data
    yield "carriage returns", data.replace(b"\n", b"\r\n")
    yield "a mark and carriage returns", b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")
    yield "empty lines before it", b"\n \n" + data
    yield "empty lines behind it", data + b"\n\r\n"
    yield "a blank behind it", data[:-1] + b" \n"
    yield "a blank behind each line", data.replace(b"\n", b" \n")
    yield "tabs behind its first line", data.replace(b"\n", b"\t\t\n", 1)
    yield "no last line feed", data[:-1]
    yield "quotation marks", b'"' + data + b'"'
    yield "UTF-16, the low byte first", b"\xff\xfe" + text.encode("utf-16-le")
    yield "UTF-16, the high byte first", b"\xfe\xff" + text.encode("utf-16-be")
    windows = text.replace("\n", "\r\n")
    yield "UTF-16 with carriage returns", b"\xff\xfe" + windows.encode("utf-16-le")
    yield "a text of JSON", json.dumps(text).encode()
    answer = {"hash": "01", "promise": text}
    yield "an answer", json.dumps(answer).encode()
    yield "an answer in lines", json.dumps([answer], ensure_ascii=False, indent=2).encode()
    yield "an answer with \\/", json.dumps(answer).replace("/", "\\/").encode()
    yield "an answer with a mark", b"\xef\xbb\xbf" + json.dumps(answer).encode()
    yield "an answer in UTF-16", b"\xff\xfe" + json.dumps(answer).encode("utf-16-le")
    yield "lines of answers", f"{json.dumps(answer)}\n{json.dumps(answer)}\n".encode()


def _to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
