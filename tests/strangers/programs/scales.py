"""Read a log with tlog-scales: an order as JSON on standard input, what was checked on output.

Signature, root, the entries that are asked for with their proofs, and earlier checkpoints.
"""

import json
import sys
from typing import Any

from tlog_scales import backend, tiles, tlog  # type: ignore[import-not-found]
from tlog_scales.reader import TilesReader  # type: ignore[import-not-found]
from tlog_scales.signing import Vkey  # type: ignore[import-not-found]


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Raise whatever tlog-scales raises when something is wrong."""
    reader = TilesReader(backend.make_backend(order["url"]))
    checkpoint = reader.get_checkpoint()
    key = Vkey.from_string(order["key"])
    checkpoint.verify(key)
    root = reader.calculate_root_hash()
    if root != checkpoint.root_hash:
        raise ValueError("the tiles lead to another root")
    for index in order["entries"]:
        proof = reader.get_inclusion_proof(index, checkpoint.size)
        proof.check(tiles.leaf_hash(reader.get_entry(index)), root)
    for note in order["old"]:
        old = tlog.Checkpoint.from_text(note)
        old.verify(key)
        continues = reader.get_consistency_proof(old.size, checkpoint.size)
        continues.check(old.root_hash, root)
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": root.hex(),
        "entries": len(order["entries"]),
        "trees": len(order["old"]),
    }


json.dump(main(json.load(sys.stdin)), sys.stdout)
