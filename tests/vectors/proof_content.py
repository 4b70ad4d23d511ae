"""Good proofs, and cases about what stands in the log: entries, seals, states, paths."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from chain.canonical import encode
from chain.commitment import anchor, password_area
from chain.entry import anchor_entry, closing_entry, lock_entry, seal_entry
from chain.hashing import ZERO, Digest, leaf_hash, sha256
from chain.proof.file import Proof
from chain.tree.states import StateLeaf, StateProof
from tests.chain.books import DOCUMENTS, NOON, shown
from tests.chain.forged import BLUE, Forge, hide, with_everything
from tests.chain.state_map import State, map_root, prove
from tests.vectors.proof_case import BENT, OK, Case


def good() -> Iterator[Case]:
    """Proofs that hold."""
    rich, plain = with_everything(), Forge().proof()
    yield Case("with everything", rich.to_bytes(), OK)
    for names in ((), ("face",), ("buyer",), ("lines",), ("face", "buyer", "lines")):
        bent = replace(plain, groups={**plain.groups, **hide(plain, names)})
        yield Case(f"hidden: {', '.join(names) or 'nothing'}", bent.to_bytes(), OK)
    for how in ("part", "full"):
        yield Case(f"a red invoice, {how}", _red(how).to_bytes(), OK)
    for how in ("part", "full"):
        yield Case(f"a red invoice with lines, {how}", _red(how, RETURNED).to_bytes(), OK)
    for index in (0, 1, 2, 4, 5, 6, 8, 9):
        yield Case(f"entry {index} of 11", _at(index).to_bytes(), OK)
    yield from (Case(f"state: {name}", data, OK) for name, data in _states())
    text = "汉字 \U0001f600 \x7f \u2028 <b>&amp;</b>"
    odd = encode({"code": text, "__proto__": {"reverses": 1}, "constructor": [], "": True})
    yield Case("any text in the face", _with(face=odd), OK)
    face = encode({"a": -1, "b": 2**53 - 1, "c": False, "é": "", "z": 1 - 2**53})
    yield Case("numbers", _with(face=face), OK)
    # The file, its groups, the lines and their document are levels too.
    yield Case("nested to the limit", _with(lines=b"[" * 29 + b"]" * 29), OK)


def entries() -> Iterator[Case]:
    """Well proved entries that say something else, or nothing."""
    forge = Forge()
    mine, blue = anchor(forge.document), anchor(BLUE)
    long = f'{{"anchor":"{mine.hex()}","kind":"invoice","x":"{"x" * 1024}"}}'.encode()
    half = f'{{"anchor":"{mine.hex()}","kind":"invoice","reverses":"{blue.hex()}"}}'.encode()
    itself = half.replace(b'"reverses"', b'"reversal":"full","reverses"').replace(
        blue.hex().encode(), mine.hex().encode()
    )
    for name, entry, outcome in (
        ("of another document", anchor_entry("invoice", blue), ("anchor_mismatch", 2)),
        (
            "reverses, the face does not",
            anchor_entry("invoice", mine, reverses=blue, reversal="full"),
            ("reversal_mismatch", 2),
        ),
        ("a lock", lock_entry("reimbursement", mine, "locked", blue), ("entry_kind", 2)),
        ("a closing", closing_entry("2026-11-21", 4, blue), ("entry_kind", 2)),
        (
            "a closing of no day",
            b'{"day":"2026-02-29","kind":"closing","through":4,"totals":"'
            + bytes(32).hex().encode()
            + b'"}',
            ("day_malformed", 2),
        ),
        ("a seal", seal_entry(2, blue, 4, 1, NOON), ("entry_kind", 2)),
        ("too long", long, ("entry_too_long", 2)),
        ("half a reversal", half, ("entry_malformed", 2)),
        ("reverses itself", itself, ("entry_malformed", 2)),
        (
            "the password area, not the anchor",
            anchor_entry("invoice", forge.document),
            ("anchor_mismatch", 2),
        ),
        ("a string", b'"invoice"', ("entry_malformed", 2)),
        ("a list", b"[]", ("entry_malformed", 2)),
        ("empty", b"{}", ("entry_malformed", 2)),
        ("an unknown kind", b'{"kind":"constructor"}', ("entry_malformed", 2)),
        ("a kind that is a number", b'{"kind":1}', ("entry_malformed", 2)),
    ):
        bent = Forge()
        bent.entries[5] = entry
        yield Case(f"entry: {name}", bent.proof().to_bytes(), outcome)
    for name, said, outcome in (
        ("names another", password_area(sha256(b"x")), ("reversal_mismatch", 2)),
        ("names no password area", "01", ("password_area", 2)),
        ("names one in capitals", password_area(BLUE).upper(), ("password_area", 2)),
        ("names a number", 1, ("reversal_mismatch", 2)),
        ("names nothing", "", ("password_area", 2)),
        ("names false", False, ("reversal_mismatch", 2)),
        ("names an object", {}, ("reversal_mismatch", 2)),
    ):
        for reverses in (None, anchor(BLUE)):
            face = encode({"reverses": said})
            bent = Forge(groups=shown({**DOCUMENTS, "face": face}))
            if reverses:
                bent.entries[5] = anchor_entry(
                    "invoice", anchor(bent.document), reverses=reverses, reversal="full"
                )
            yield Case(
                f"face: {name}{', the entry the blue one' if reverses else ''}",
                bent.proof().to_bytes(),
                outcome,
            )
    bent = Forge()
    bent.entries[5] = anchor_entry("invoice", mine, reverses=blue, reversal="part")
    hidden = bent.proof()
    yield Case(
        "entry: reverses, the face is hidden",
        replace(hidden, groups={**hidden.groups, **hide(hidden, ["face"])}).to_bytes(),
        OK,
    )


def seals() -> Iterator[Case]:
    """Seals that are not the newest, or seal nothing here."""
    plain = Forge()
    yield Case(
        "seal: the block's own, a newer one follows",
        Forge(seal_index=7).proof().to_bytes(),
        ("seal_not_newest", 6),
    )
    yield Case("seal: the first", Forge(seal_index=3).proof().to_bytes(), ("seal_not_newest", 6))
    yield Case("seal: an invoice", Forge(seal_index=9).proof().to_bytes(), ("seal_kind", 6))
    yield Case("seal: the entry itself", Forge(seal_index=5).proof().to_bytes(), ("seal_kind", 6))
    previous = leaf_hash(plain.entries[7])
    seal = (
        '{"count":2,"first":8,"height":3,"kind":"seal","previous":"'
        + previous.hex()
        + '","sealed_at":"%s","states":"'
        + ZERO.hex()
        + '"}'
    )
    for name, entry, outcome in (
        ("first one too low", seal_entry(3, previous, 7, 2, NOON), ("seal_place", 6)),
        ("count one too high", seal_entry(3, previous, 8, 3, NOON), ("seal_place", 6)),
        (
            "first and count beyond 2^53",
            seal_entry(3, previous, 2**53 - 1, 2**53 - 2, NOON),
            ("seal_place", 6),
        ),
        ("a lock", lock_entry("reimbursement", previous, "locked", previous), ("seal_kind", 6)),
        ("a block of nothing but the whole log", seal_entry(3, previous, 0, 10, NOON), OK),
        ("an empty block", seal_entry(3, previous, 10, 0, NOON), OK),
        (
            "height 0",
            seal.replace('"height":3', '"height":0').encode() % b"2026-11-21T04:00:00Z",
            ("entry_malformed", 6),
        ),
        (
            "count -1",
            seal.replace('"count":2', '"count":-1').encode() % b"2026-11-21T04:00:00Z",
            ("entry_malformed", 6),
        ),
        (
            "count a string",
            seal.replace('"count":2', '"count":"2"').encode() % b"2026-11-21T04:00:00Z",
            ("entry_malformed", 6),
        ),
        (
            "a field more",
            seal.replace('"count":2', '"count":2,"day":""').encode() % b"2026-11-21T04:00:00Z",
            ("entry_malformed", 6),
        ),
    ):
        yield Case(f"seal: {name}", _sealed(entry).to_bytes(), outcome)
    for moment in (
        *(
            "2026-11-21T04:00:00",
            "2026-11-21T04:00:00.0Z",
            "2026-11-21 04:00:00Z",
            "2026-11-21T04:00:00+00:00",
        ),
        *(
            "2026-11-21T12:00:00+08:00",
            "2026-11-21T24:00:00Z",
            "2026-11-21T04:60:00Z",
            "2026-11-21T04:00:60Z",
        ),
        *(
            "2026-02-29T04:00:00Z",
            "2026-13-01T04:00:00Z",
            "2026-00-01T04:00:00Z",
            "2026-11-00T04:00:00Z",
        ),
        *(
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "+002026-11-21T04:00:00Z",
            "2026-11-21t04:00:00z",
        ),
        *(
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "",
            "now",
            "20261121T040000Z",
            "2026-W47-6T04:00:00Z",
        ),
        "２026-11-21T04:00:00Z",
    ):
        yield Case(
            f"seal: sealed at {moment or 'no time'}",
            _sealed((seal % moment).encode()).to_bytes(),
            ("time_malformed", 6),
        )
    for moment in (
        "0001-01-01T00:00:00Z",
        "0099-12-31T23:59:59Z",
        "2024-02-29T23:59:59Z",
        "9999-12-31T23:59:59Z",
    ):
        yield Case(f"seal: sealed at {moment}", _sealed((seal % moment).encode()).to_bytes(), OK)


def states() -> Iterator[Case]:
    """Proofs of the state map that lead elsewhere."""
    items = _map(Forge().document)
    mine = anchor(Forge().document)
    (leaf, siblings), root = prove(items, mine), map_root(items)
    other = next(key for key in items if key != mine)
    absent = {key: value for key, value in items.items() if key != mine}
    gone, beside = prove(absent, mine)
    assert leaf is not None
    away = StateLeaf(Digest(bytes([mine[0] ^ 0x80]) + mine[1:]), {"reversal": "full"})
    partly: dict[Digest, State] = {**items, mine: {"reversal": "part"}}
    part, besides = prove(partly, mine)
    parted = map_root(partly)
    for name, states, found, path, outcome in (
        ("reversed, and hidden", root, None, siblings, ("state_root", 7)),
        ("another value", root, StateLeaf(mine, {"reversal": "part"}), siblings, ("state_root", 7)),
        ("the older map", root, gone, beside, ("state_root", 7)),
        ("full where it is part", parted, leaf, besides, ("state_root", 7)),
        ("part of before, it is full", root, part, siblings, ("state_root", 7)),
        ("nothing of a part", parted, None, besides, ("state_root", 7)),
        ("two reversals", parted, StateLeaf(mine, {"reversal": "part full"}), besides, BENT),
        ("nothing said of a full map", root, None, [], ("state_root", 7)),
        ("a leaf in an empty map", ZERO, leaf, [], ("state_root", 7)),
        ("siblings reversed", root, leaf, siblings[::-1], ("state_root", 7)),
        ("a sibling less", root, leaf, siblings[:-1], BENT),
        ("an empty sibling more", root, leaf, [*siblings, ZERO], ("state_shape", 7)),
        ("a sibling more", root, leaf, [*siblings, sha256(b"x")], ("state_root", 7)),
        ("257 siblings", root, leaf, [sha256(b"x")] * 257, ("state_depth", 7)),
        ("256 siblings", root, leaf, [sha256(b"x")] * 256, ("state_root", 7)),
        ("the leaf of another key", root, *prove(items, other), BENT),
        ("a leaf on another way", root, away, siblings, ("state_elsewhere", 7)),
        ("no word of a value", root, StateLeaf(mine, {}), siblings, ("state_value", 7)),
        ("an unknown name", root, StateLeaf(mine, {"x": "full"}), siblings, ("state_value", 7)),
        (
            "a name of JavaScript",
            root,
            StateLeaf(mine, {"__proto__": "full"}),
            siblings,
            ("state_value", 7),
        ),
        (
            "an unknown word",
            root,
            StateLeaf(mine, {"reversal": "none"}),
            siblings,
            ("state_value", 7),
        ),
        (
            "a released lock",
            root,
            StateLeaf(mine, {"reimbursement": "released"}),
            siblings,
            ("state_value", 7),
        ),
    ):
        proof = Forge(states=states, state=StateProof(found, tuple(path))).proof()
        yield Case(f"state: {name}", proof.to_bytes(), outcome)


def paths() -> Iterator[Case]:
    """Indexes and paths, each bent at every place."""
    for index in (0, 5, 9):
        good_file = json.loads(_at(index).to_bytes())
        for part in ("entry", "seal"):
            place: Callable[[Any], Any] = (
                (lambda file: file) if part == "entry" else (lambda file: file["seal"])
            )
            path = place(good_file)["path"]
            bends: dict[str, list[str]] = {
                "empty": [],
                "reversed": path[::-1],
                "first twice": [path[0], *path],
                "last twice": [*path, path[-1]],
                "zeros more": [*path, ZERO.hex()],
            }
            for at in range(len(path)):
                bends[f"without hash {at}"] = path[:at] + path[at + 1 :]
                bends[f"hash {at} changed"] = [
                    *path[:at],
                    sha256(path[at].encode()).hex(),
                    *path[at + 1 :],
                ]
            for name, bent in bends.items():
                if bent == path:
                    continue
                file = json.loads(json.dumps(good_file))
                place(file)["path"] = bent
                yield Case(f"path of the {part} at {index}: {name}", encode(file), BENT)
            for other in (0, 4, 6, 8, 10, 11, 12, 16, 2**32, 2**53 - 1):
                if other == place(good_file)["index"]:
                    continue
                file = json.loads(json.dumps(good_file))
                place(file)["index"] = other
                number = 4 if part == "entry" else 5
                outcome = ("index_outside", number) if other > 10 else BENT
                yield Case(f"index of the {part} at {index}: {other}", encode(file), outcome)


def _with(**documents: bytes) -> bytes:
    """A proof of a document with other groups than usual."""
    return Forge(groups=shown({**DOCUMENTS, **documents})).proof().to_bytes()


RETURNED = encode(
    [
        {
            "amount": -2642,
            "line": 1,
            "name": "*餐饮服务*拿铁",
            "quantity": "-1",
            "spec": "",
            "tax": -158,
            "tax_rate": "0.06",
            "unit": "杯",
            "unit_price": 2800,
        },
        {
            "amount": 31,
            "name": "*餐饮服务*拿铁",
            "nature": "discount",
            "tax": 2,
            "tax_rate": "0.06",
        },
        {
            "amount": -442,
            "line": 3,
            "name": "*餐饮服务*蛋糕",
            "nature": "allowance",
            "tax": -58,
            "tax_rate": "0.13",
        },
    ]
)
"""Lines of a red invoice: one of a dish, what had been taken off it, and money for another."""


def _red(how: str, lines: bytes = DOCUMENTS["lines"]) -> Proof:
    face = encode({"reverses": password_area(BLUE), "type": "red"})
    forge = Forge(groups=shown({**DOCUMENTS, "face": face, "lines": lines}))
    assert how in ("part", "full")
    forge.entries[5] = anchor_entry(
        "invoice",
        anchor(forge.document),
        reverses=anchor(BLUE),
        reversal="part" if how == "part" else "full",
    )
    return forge.proof()


def _at(index: int) -> Proof:
    """The proof of the document where it stands somewhere else in the log."""
    forge = Forge()
    mine = forge.mine()
    forge.entries[5], forge.entries[index] = forge.entries[index], mine
    forge.index = index
    return forge.proof()


def _sealed(entry: bytes) -> Proof:
    """A proof whose newest entry is ``entry``."""
    forge = Forge()
    forge.entries[10] = entry
    return forge.proof()


def _map(document: Digest) -> dict[Digest, State]:
    """A map with a reversed document among others, some of them close to it."""
    mine = anchor(document)
    close = [Digest(bytes([mine[0], mine[1] ^ 1 << bit]) + mine[2:]) for bit in (0, 5)]
    others = [sha256(b"other %d" % number) for number in range(6)]
    return {mine: {"reversal": "full"}} | {
        key: {"reimbursement": "locked", "pledge": "pledged"} for key in [*close, *others]
    }


def _states() -> Iterator[tuple[str, bytes]]:
    """Proofs over maps in which the document has a state, and in which it has none."""
    document = Forge().document
    mine = anchor(document)
    full = _map(document)
    absent = {key: value for key, value in full.items() if key != mine}
    far = {key: value for key, value in full.items() if bool(key[0] >> 7) != bool(mine[0] >> 7)}
    alone: dict[Digest, State] = {mine: {"reversal": "part", "reimbursement": "closed"}}
    everything: dict[Digest, State] = {
        **full,
        mine: {"reversal": "part", "reimbursement": "locked", "pledge": "pledged"},
    }
    returned: dict[Digest, State] = {**absent, mine: {"reversal": "part"}}
    maps = {
        "reversed": full,
        "everything": everything,
        "alone": alone,
        "absent, another leaf there": absent,
        "absent, an empty subtree there": far,
        "absent, one other in the map": {sha256(b"x"): {"reversal": "full"}},
        "reversed in part": returned,
        "reversed in part, beside one in full": {
            sha256(b"x"): {"reversal": "full"},
            mine: {"reversal": "part"},
        },
    }
    for name, items in maps.items():
        leaf, siblings = prove(items, mine)
        state = StateProof(leaf, tuple(siblings))
        yield name, Forge(states=map_root(items), state=state).proof().to_bytes()
