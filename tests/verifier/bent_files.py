"""Proof files by the number, bent at every depth, for holding one verifier against another.

Most bends of a file's bytes are seen before anything is checked. So there are files here whose
checkpoint was signed after it had been bent, and logs that lie in their entries and their maps.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from chain.commitment import anchor
from chain.hashing import Digest, sha256
from chain.proof.file import Proof
from chain.tree.states import StateProof
from tests.chain.books import SIGNER
from tests.chain.forged import Forge, with_everything
from tests.chain.state_map import map_root, prove
from tests.fuzz.bending import bent, bent_json, canonical
from tests.vectors.proof_case import KEY, OTHER, text_of

Json = Any  # whatever the json module gives

STATES = (
    {"reversal": "full"},
    {"reversal": "part", "reimbursement": "locked"},
    {"reimbursement": "closed"},
    {"pledge": "pledged"},
)


@dataclass(frozen=True)
class BentFile:
    """A file and the text of the key by which it is to be checked."""

    name: str
    data: bytes
    key: str


def bent_file(number: int) -> BentFile:
    """File ``number``: the same one for ever."""
    chance = Random(number)
    make = chance.choice(_MAKERS)
    key = KEY
    if chance.random() < 0.05:
        keys = (KEY.encode(), OTHER.verifier.text().encode())
        key = bent(keys[0], keys, chance).decode("utf-8", "replace")
    return BentFile(f"{make.__name__[1:]} {number}", make(chance), key)


def _bytes_bent(chance: Random) -> bytes:
    return bent(chance.choice(_FILES), _FILES, chance)


def _note_signed_anew(chance: Random) -> bytes:
    """A checkpoint that says otherwise, and that the log has signed; or a note of odd lines."""
    proof = chance.choice(_PROOFS)
    file = json.loads(proof.to_bytes())
    text = text_of(proof)
    if chance.random() < 0.7:
        text = _text(bent(text.encode(), (text.encode(),), chance))
        if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
            text = text_of(proof)
    lines = SIGNER.sign(text).line()
    if chance.random() < 0.4:
        lines = _text(bent(lines.encode(), (lines.encode(), *_FILES), chance))
    return canonical(file | {"checkpoint": f"{text}\n{lines}"})


def _entry_bent(chance: Random) -> bytes:
    """A log that has sequenced what is no entry, or another's, at the place that is proved."""
    forge = Forge(index=chance.choice((5, 5, 5, 3, 4, 8)))
    index = chance.choice((forge.index, forge.seal_index, forge.index, forge.seal_index, 3))
    other = chance.choice(forge.entries) if chance.random() < 0.2 else forge.entries[index]
    entry = json.loads(other)
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        entry = bent_json(entry, chance)
    forge.entries[index] = canonical(entry)
    forge.seal_index = chance.choice((10, 10, 10, 10, 7, 9))
    return canonical(_file(forge.proof()))


def _state_bent(chance: Random) -> bytes:
    """A map with some states in it, and what the file says of one of them, bent or not."""
    forge = Forge()
    me = anchor(forge.document)
    keys = [_near(me, chance) for _ in range(chance.randrange(6))]
    items = {key: chance.choice(STATES) for key in keys}
    if chance.random() < 0.5:
        items[me] = chance.choice(STATES)
    leaf, siblings = prove(items, chance.choice([me, me, me, *items]))
    forge = Forge(states=map_root(items), state=StateProof(leaf, tuple(siblings)))
    file = _file(forge.proof())
    if chance.random() < 0.7:
        file["state"] = bent_json(file["state"], chance)
    if chance.random() < 0.05:
        file["state"] = {"siblings": [sha256(b"s").hex()] * chance.choice((255, 256, 257))}
    return canonical(file)


def _paths_bent(chance: Random) -> bytes:
    """Indices and paths, bent or of other entries."""
    one, other = Forge().proof(), Forge(index=chance.choice((0, 6, 9)), seal_index=7).proof()
    file, else_ = _file(one), _file(other)
    for _ in range(chance.randint(1, 2)):
        part = chance.choice((file, file["seal"]))
        what = chance.choice(("index", "path", "both"))
        if what == "both":
            part |= {name: else_[name] for name in ("index", "path")}
        else:
            part[what] = bent_json([part[what]], chance)
            part[what] = part[what][0] if len(part[what]) == 1 else part[what]
    return canonical(file)


def _file(proof: Proof) -> dict[str, Json]:
    """A proof file whose entries need not be entries; ``Proof.to_bytes`` would refuse them."""
    good = json.loads(Forge().proof().to_bytes())
    leaf = proof.state.leaf
    state: dict[str, Json] = {"siblings": [digest.hex() for digest in proof.state.siblings]}
    if leaf is not None:
        state["leaf"] = {"key": leaf.key.hex(), "value": leaf.value}
    changed: dict[str, Json] = good | {
        "entry": json.loads(proof.placed.entry),
        "index": proof.placed.index,
        "path": [digest.hex() for digest in proof.placed.path],
        "checkpoint": proof.checkpoint.decode(),
        "seal": {
            "entry": json.loads(proof.seal.entry),
            "index": proof.seal.index,
            "path": [digest.hex() for digest in proof.seal.path],
        },
        "state": state,
    }
    return changed


def _near(key: Digest, chance: Random) -> Digest:
    """Another key, with few or many bits in common."""
    depth = chance.choice((0, 1, 2, 7, 9, 255))
    number = int.from_bytes(key, "big") ^ (1 << (255 - depth))
    number ^= chance.getrandbits(255 - depth) if depth < 255 else 0
    return Digest(number.to_bytes(32, "big"))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


_PROOFS = (with_everything(), Forge().proof())
_FILES = tuple(proof.to_bytes() for proof in _PROOFS)
_MAKERS: tuple[Callable[[Random], bytes], ...] = (
    *(_bytes_bent, _note_signed_anew, _entry_bent, _state_bent, _paths_bent),
)
