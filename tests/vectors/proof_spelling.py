"""Cases about the file itself: every field bent in turn, and other spellings of the same JSON."""

import json
from collections.abc import Iterator
from typing import Any

from chain.canonical import JsonValue, encode
from chain.proof.file import MAX_PROOF_BYTES
from tests.chain.forged import Forge, with_everything
from tests.vectors.proof_case import BENT, OK, Case

Steps = tuple[str | int, ...]

NOT_CANONICAL = ("not_canonical", None)
MALFORMED = ("proof_malformed", None)


def fields() -> Iterator[Case]:
    """Each part of a file with everything: gone, of another type, changed, with one more beside."""
    file = json.loads(with_everything().to_bytes())
    for steps, value in _parts(file, ()):
        where = "/".join(map(str, steps))
        for what, bent in _bends(value):
            yield Case(f"{where}: {what}", encode(_put(file, steps, bent)), BENT)
        if steps:
            yield Case(f"{where}: gone", encode(_without(file, steps)), BENT)
    types: dict[str, JsonValue] = {"boolean": True, "string": "1", "object": {}, "list": [1]}
    for name, other in types.items():
        yield Case(f"version a {name}", encode(file | {"version": other}), MALFORMED)
        yield Case(f"the file is a {name}", encode(other), MALFORMED)
    for number in (0, 2, -1, 2**53 - 1):
        yield Case(f"version {number}", encode(file | {"version": number}), ("proof_version", None))
        alone = encode({"version": number})
        yield Case(f"version {number} and nothing else", alone, ("proof_version", None))
    groups = file["groups"]
    for group in ("face", "lines"):
        both = groups | {group: groups[group] | {"digest": "0" * 64}}
        yield Case(f"{group} shown and hidden", encode(file | {"groups": both}), MALFORMED)
        bad = file | {"groups": both, "hash": "x"}
        yield Case(f"{group} both, and the hash bad", encode(bad), ("password_area", None))
    for name, said in {
        "of 65 characters": file["hash"][:-1],
        "of 67 characters": file["hash"] + "0",
        "in capitals": file["hash"].upper(),
        "of version 02": "02" + file["hash"][2:],
        "with a line feed": file["hash"] + "\n",
        "in full-width digits": "０１" + file["hash"][2:],
        "empty": "",
    }.items():
        yield Case(f"hash {name}", encode(file | {"hash": said}), ("password_area", None))


def spelling() -> Iterator[Case]:
    """The same JSON in other spellings, and what is no JSON."""
    data = Forge().proof().to_bytes()
    text = data.decode()
    escape = text.replace('"kind"', '"k\\u0069nd"', 1)
    doubled = text.replace('"index":5,', '"index":5,"index":5,', 1)
    for name, bent in {
        "a space at the end": text + " ",
        "a line feed at the end": text + "\n",
        "a space at the start": " " + text,
        "a space after a colon": text.replace(":", ": ", 1),
        "a line feed after a comma": text.replace(",", ",\n", 1),
        "a tab before the end": text[:-1] + "\t}",
        "a carriage return at the end": text + "\r",
        "an escape that is not needed": escape,
        "an escaped slash": text.replace("books.example/log", "books.example\\/log", 1),
        "an escaped line feed as a number": text.replace("\\n", "\\u000a", 1),
        "an escaped dash": text.replace("—", "\\u2014", 1),
        "keys in another order": _reordered(text),
        "inner keys in another order": text.replace(
            '"siblings":[]', '"siblings":[],"leaf":{"value":{},"key":""}', 1
        ),
        "-0": text.replace('"first":8', '"first":-0', 1),
        "null": text.replace('"index":5', '"index":null', 1),
        "null alone": "null",
        "half a pair": text.replace("*food*", "\\ud800", 1),
        "the other half": text.replace("*food*", "\\udc00", 1),
        "halves in the wrong order": text.replace("*food*", "\\ude00\\ud83d", 1),
        "half a pair as a key": text.replace('"name":', '"\\ud800":', 1),
        "a pair escaped": text.replace("*food*", "\\ud83d\\ude00", 1),
        "a key beyond U+FFFF": text.replace('"name":', '"\U0001f600":', 1),
        "an escape in capitals": text.replace("*food*", "\\u001F", 1),
    }.items():
        yield Case(f"spelling: {name}", bent.encode(), NOT_CANONICAL)
    for name, bent in {
        "the same key twice": doubled,
        "the same key twice, spelled in two ways": doubled.replace('"index"', '"inde\\u0078"', 1),
        "another value first": text.replace('"index":5,', '"index":6,"index":5,', 1),
        "another value last": text.replace('"index":5,', '"index":5,"index":6,', 1),
        "twice inside a group": text.replace('"buyer":{', '"buyer":{"salt":"","salt":"",', 1),
        "__proto__ twice": text.replace('"buyer":{', '"buyer":{"__proto__":1,"__proto__":1,', 1),
        "twice, then cut off": text.replace('"siblings":[]', '"siblings":[],"siblings":[]')[:-1],
    }.items():
        yield Case(f"spelling: {name}", bent.encode(), ("duplicate_key", None))
    for name, bent in {
        "5.0": "5.0",
        "5e0": "5e0",
        "5E+0": "5E+0",
        "0.5e1": "0.5e1",
        "-0.0": "-0.0",
        "1e400": "1e400",
        "NaN": "NaN",
        "Infinity": "Infinity",
        "-Infinity": "-Infinity",
        "a long fraction": "5." + "0" * 400,
    }.items():
        whole = text.replace('"index":5', f'"index":{bent}', 1)
        yield Case(f"number: {name}", whole.encode(), ("number_not_integer", None))
    for number in (2**53, -(2**53), 2**53 + 1, 2**63, 2**64, 2**64 + 5, -(2**63) - 1, 10**400):
        whole = text.replace('"index":5', f'"index":{number}', 1)
        name = str(number) if abs(number) < 10**30 else "10^400"
        yield Case(f"number: {name}", whole.encode(), ("number_out_of_range", None))
    for name, bent in {
        "empty": "",
        "white space": " \n",
        "a brace": "{",
        "cut off": text[:-1],
        "cut off in a string": text[: text.index("books") + 3],
        "cut off after an escape": text[: text.index("\\n") + 1],
        "twice": text + text,
        "a zero byte after": text + "\0",
        "something after": text + "x",
        "a byte order mark": "\ufeff" + text,
        "a no-break space before": "\xa0" + text,
        "a form feed before": "\f" + text,
        "single quotes": text.replace('"', "'"),
        "a comma at the end": text[:-1] + ",}",
        "a comma at the end of a list": text.replace("],", ",],", 1),
        "a comment": "/**/" + text,
        "no quotes": text.replace('"index"', "index", 1),
        "05": text.replace('"index":5', '"index":05', 1),
        "+5": text.replace('"index":5', '"index":+5', 1),
        "5.": text.replace('"index":5', '"index":5.', 1),
        ".5": text.replace('"index":5', '"index":.5', 1),
        "5e": text.replace('"index":5', '"index":5e', 1),
        "-": text.replace('"index":5', '"index":-', 1),
        "0x5": text.replace('"index":5', '"index":0x5', 1),
        "1_0": text.replace('"index":5', '"index":1_0', 1),
        "full-width 5": text.replace('"index":5', '"index":５', 1),
        "True": text.replace('"index":5', '"index":True', 1),
        "undefined": text.replace('"index":5', '"index":undefined', 1),
        "a line feed in a string": text.replace("*food*", "\n", 1),
        "a zero byte in a string": text.replace("*food*", "\0", 1),
        "U+001F in a string": text.replace("*food*", "\x1f", 1),
        "an unknown escape": text.replace("*food*", "\\x41", 1),
        "an escape of three digits": text.replace("*food*", "\\u004", 1),
        "an escape with a sign": text.replace("*food*", "\\u+041", 1),
        "an escape with an underscore": text.replace("*food*", "\\u0_41", 1),
        "a number beyond all, then a letter": text.replace('"index":5', '"index":5x', 1),
        "no colon": text.replace('"index":5', '"index" 5', 1),
        "a list closed as an object": text.replace('"siblings":[]', '"siblings":[}', 1),
    }.items():
        yield Case(f"spelling: {name}", bent.encode(), ("not_json", None))
    yield Case(
        "number: too big, then a letter",
        b'{"a":99999999999999999999x',
        ("number_out_of_range", None),
    )
    for name, raw in {
        "UTF-16": text.encode("utf-16"),
        "a lone byte": data.replace(b"*food*", b"\xff"),
        "a surrogate encoded": data.replace(b"*food*", b"\xed\xa0\x80"),
        "a slash too long": data.replace(b"books.example/", b"books.example\xc0\xaf", 1),
        "beyond U+10FFFF": data.replace(b"*food*", b"\xf4\x90\x80\x80"),
        "cut off in a character": data.replace(b"*food*", b"\xe6\xb1"),
        "not UTF-8, and too deep": b"[" * 100 + b"\xff",
    }.items():
        yield Case(f"bytes: {name}", raw, ("not_utf8", None))
    for depth, outcome in ((32, MALFORMED), (33, ("too_deep", None)), (5000, ("too_deep", None))):
        lists = b"[" * depth + b"]" * depth
        yield Case(f"depth: {depth} lists", lists, outcome)
        objects = b'{"a":' * depth + b"1" + b"}" * depth
        yield Case(f"depth: {depth} objects", objects, outcome)
    yield Case("depth: 40 lists, cut off", b"[" * 40, ("too_deep", None))
    yield Case("depth: 20 lists, cut off", b"[" * 20, ("not_json", None))
    yield Case("depth: brackets in a string", b'"' + b"[" * 99 + b'"', MALFORMED)
    yield Case("depth: a quote escaped before them", b'"\\"' + b"[" * 99 + b'"', MALFORMED)
    yield Case("size: one byte too long", data, ("proof_too_long", None), spaces=_room(data) + 1)
    yield Case("size: the longest", data, NOT_CANONICAL, spaces=_room(data))
    yield Case("spelling: as it is written", data, OK)


def _room(data: bytes) -> int:
    return MAX_PROOF_BYTES - len(data)


def _parts(value: JsonValue, steps: Steps) -> Iterator[tuple[Steps, JsonValue]]:
    """Every value inside ``value``, itself first."""
    yield steps, value
    inner: Iterator[tuple[str | int, JsonValue]] = iter(())
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for step, item in inner:
        yield from _parts(item, (*steps, step))


def _bends(value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """Other values in its place: of another type, and near it."""
    if not isinstance(value, dict):
        yield "an object", {}
    else:
        yield "a field more", value | {"more": 1}
        yield "__proto__ more", value | {"__proto__": {}}
    if isinstance(value, list):
        yield "one more", [*value, "0" * 64]
        yield from (("the last twice", [*value, value[-1]]) for _ in value[:1])
    else:
        yield "a list", []
    if isinstance(value, str):
        yield from _other_texts(value)
    else:
        yield "a string", "0"
    if type(value) is int:
        yield from ((str(number), number) for number in (value + 1, value - 1, -1 - value))
    else:
        yield "a number", 1
    yield "true", True


def _other_texts(value: str) -> Iterator[tuple[str, str]]:
    yield "empty", "" if value else "x"
    yield "a character more", value + "0"
    yield "a line feed more", value + "\n"
    if value:
        yield "a character less", value[:-1]
        yield "the first changed", chr(ord(value[0]) ^ 1) + value[1:]
    if value.upper() != value:
        yield "in capitals", value.upper()


def _put(file: JsonValue, steps: Steps, value: JsonValue) -> JsonValue:
    if not steps:
        return value
    copy: Any = json.loads(json.dumps(file))
    holder = copy
    for step in steps[:-1]:
        holder = holder[step]
    holder[steps[-1]] = value
    changed: JsonValue = copy
    return changed


def _without(file: JsonValue, steps: Steps) -> JsonValue:
    copy: Any = json.loads(json.dumps(file))
    holder = copy
    for step in steps[:-1]:
        holder = holder[step]
    del holder[steps[-1]]
    shorter: JsonValue = copy
    return shorter


def _reordered(text: str) -> str:
    return json.dumps(
        dict(reversed(json.loads(text).items())), ensure_ascii=False, separators=(",", ":")
    )
