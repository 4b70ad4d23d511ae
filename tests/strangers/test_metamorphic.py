"""metamorphic-log, by somebody else and in Rust, checks our notes and the proofs that we make."""

from typing import Any

import pytest

from chain.hashing import Digest, leaf_hash
from chain.tree.merkle import consistency_path, inclusion_path
from chain.tree.tiles import TileFolder
from tests.strangers.bent import flipped, forked
from tests.strangers.homes import home, refused, told
from tests.strangers.logs import EVEN, SIZES, Grown

pytestmark = pytest.mark.slow
SCRIPT = "metamorphic.py"


def order(log: Grown, *old: Grown) -> dict[str, Any]:
    """What we would give to somebody who does not read tiles."""
    tiles = TileFolder(log.folder)
    reader = tiles.reader(log.size)
    entries = [
        [index, leaf_hash(entry).hex(), _hex(inclusion_path(reader, index, log.size))]
        for index, entry in enumerate(tiles.entries(0, log.size))
        if log.size <= 257 or index % 997 == 0 or index >= log.size - 2
    ]
    continues = [
        [one.note.read_text(), _hex(consistency_path(reader, one.size, log.size))] for one in old
    ]
    note = log.note.read_text()
    return {"key": log.key.text(), "note": note, "entries": entries, "old": continues}


def _hex(path: list[Digest]) -> list[str]:
    return [digest.hex() for digest in path]


@pytest.mark.parametrize("size", [2, 255, EVEN, 257, 65_536, 70_000])
def test_it_takes_our_notes_and_proofs(size: int, logs: dict[int, Grown]) -> None:
    old = [] if size == EVEN else [logs[earlier] for earlier in SIZES if 0 < earlier < size]
    asked = order(logs[size], *old)
    assert told(home("metamorphic-log"), SCRIPT, asked) == {
        "origin": logs[size].checkpoint.origin,
        "size": size,
        "root": logs[size].checkpoint.root.hex(),
        "entries": len(asked["entries"]),
        "trees": len(old),
    }


def test_it_refuses_each_that_is_bent(logs: dict[int, Grown]) -> None:
    """One hash of one proof, the leaf, the index, the note, the older note, the key."""
    good = order(logs[257], logs[255])
    good["entries"] = good["entries"][100:101]
    index, leaf, path = good["entries"][0]
    note, proof = good["old"][0]
    bent: list[dict[str, Any]] = [
        {"key": logs[EVEN].key.text()},
        {"note": good["note"].replace("\n257\n", "\n258\n")},
        {"entries": [[index + 1, leaf, path]]},
        {"entries": [[index, _bent(leaf), path]]},
        {"entries": [[index, leaf, path[:-1]]]},
        {"entries": [[index, leaf, [*path, path[0]]]]},
        {"old": [[note.replace("\n255\n", "\n254\n"), proof]]},
        {"old": [[note, proof[:-1]]]},
        {"old": [[forked(logs[257], 255).decode(), proof]]},
        *({"entries": [[index, leaf, changed]]} for changed in _each_bent(path)),
        *({"old": [[note, changed]]} for changed in _each_bent(proof)),
    ]
    told(home("metamorphic-log"), SCRIPT, good)
    for change in bent:
        assert "VerifyError" in refused(home("metamorphic-log"), SCRIPT, good | change), change


def _bent(text: str) -> str:
    return flipped(bytes.fromhex(text), 31).hex()


def _each_bent(path: list[str]) -> list[list[str]]:
    return [[*path[:n], _bent(text), *path[n + 1 :]] for n, text in enumerate(path)]
