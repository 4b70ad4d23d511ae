"""Cases about proofs of acts; they have steps of their own (``chain/proof/act.py``)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from chain.canonical import encode
from chain.commitment import act_digest
from chain.entry import act_entry, anchor_entry, closing_entry, seal_entry
from chain.hashing import ZERO
from tests.chain.books import NOON
from tests.chain.forged_act import ACT, BAD_DOCUMENTS, SALT, Forge
from tests.vectors.proof_case import BENT, OK, OTHER, Case


def acts() -> Iterator[Case]:
    """Proofs that hold, and ones bent in one way each."""
    yield Case("whole", Forge().proof().to_bytes(), OK)
    for name in ("before", "after", "reason", "previous"):
        yield Case(f"without {name}", _act({key: it for key, it in ACT.items() if key != name}), OK)
    yield Case(
        "any words", _act({**ACT, "by": "\u2028 <b>", "after": {"__proto__": 1, "": ""}}), OK
    )
    yield Case("numbers", _act({**ACT, "after": {"a": 2**53 - 1, "b": 1 - 2**53, "c": 0}}), OK)
    yield from _documents()
    yield from _entries()
    yield from _paths()
    yield from _files()


def _act(document: dict[str, Any]) -> bytes:
    return Forge(document=encode(document)).proof().to_bytes()


def _documents() -> Iterator[Case]:
    for name, members in BAD_DOCUMENTS.items():
        code = "time_malformed" if "time" in name else "act_malformed"
        yield Case(f"document: {name}", _act({**ACT, **members}), (code, 1))
    for name in ("version", "type", "at", "by", "subject"):
        lacking = {key: it for key, it in ACT.items() if key != name}
        yield Case(f"document lacks {name}", _act(lacking), ("act_malformed", 1))
    for text in (b"[]", b"7", b'"act"'):
        data = Forge(document=text).proof().to_bytes()
        yield Case(f"document is {text.decode()}", data, ("act_malformed", 1))


def _entries() -> Iterator[Case]:
    commitment = act_digest(SALT, Forge().document)
    for name, entry, outcome in (
        ("of another act", act_entry("suspension", ZERO), ("act_mismatch", 1)),
        ("of another type", act_entry("quota", commitment), ("act_type", 1)),
        ("of an invoice", anchor_entry("invoice", commitment), ("entry_kind", 1)),
        ("of a closing", closing_entry("2026-11-21", 4, commitment), ("entry_kind", 1)),
        ("of no type", _no_type(commitment.hex()), ("entry_malformed", 1)),
    ):
        forge = Forge()
        forge.entries[5] = entry
        yield Case(f"entry {name}", forge.proof().to_bytes(), outcome)


def _no_type(commitment: str) -> bytes:
    return encode({"kind": "act", "type": "sign_in", "act": commitment})


def _paths() -> Iterator[Case]:
    good = Forge().proof()
    yield Case("another key", Forge(signer=OTHER).proof().to_bytes(), BENT)
    for step, name in ((3, "placed"), (4, "seal")):
        place = getattr(good, name)
        for how, path, code in (
            ("bent", (ZERO, *place.path[1:]), "root_mismatch"),
            ("short", place.path[:-1], "path_length"),
            ("long", (*place.path, ZERO), "path_length"),
        ):
            bent = replace(good, **{name: replace(place, path=path)})
            yield Case(f"{name}: path {how}", bent.to_bytes(), (code, step))
    for index, code in ((3, "seal_not_newest"), (4, "seal_kind")):
        forge = Forge()
        forge.seal_index = index
        yield Case(f"sealed by entry {index}", forge.proof().to_bytes(), (code, 5))
    forge = Forge()
    forge.entries[7] = seal_entry(2, ZERO, 4, 2, NOON)
    yield Case("a seal of fewer", forge.proof().to_bytes(), ("seal_place", 5))


_FILES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "another version": ("proof_version", lambda file: file.update(version=2)),
    "a version in words": ("proof_malformed", lambda file: file.update(version="1")),
    "a short salt": ("proof_malformed", lambda file: file.update(salt="00" * 15)),
    "a salt in capitals": ("proof_malformed", lambda file: file.update(salt="AB" * 16)),
    "another salt": ("act_mismatch", lambda file: file.update(salt="00" * 16)),
    "one letter": ("act_mismatch", lambda file: file["document"].update(reason="地址不苻")),
    "a state": ("proof_malformed", lambda file: file.update(state={})),
    "an index below": ("proof_malformed", lambda file: file.update(index=-1)),
    "another index": ("root_mismatch", lambda file: file.update(index=4)),
    "a short hash": ("proof_malformed", lambda file: file["path"].append("00")),
    "no note": ("proof_malformed", lambda file: file.update(checkpoint=7)),
    "another note": ("note", lambda file: file.update(checkpoint="x")),
}


def _files() -> Iterator[Case]:
    data = Forge().proof().to_bytes()
    steps = {"act_mismatch": 1, "note": 2, "root_mismatch": 3}
    for name, (code, bend) in _FILES.items():
        file = json.loads(data)
        bend(file)
        yield Case(f"file: {name}", encode(file), (code, steps.get(code)))
    for name in json.loads(data):
        file = json.loads(data)
        del file[name]
        outcome = BENT if name == "kind" else ("proof_malformed", None)
        yield Case(f"file lacks {name}", encode(file), outcome)
    yield Case("a blank behind", data, ("not_canonical", None), spaces=1)
