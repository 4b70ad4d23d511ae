"""Check notes and proofs of ours with metamorphic-log, which is written in Rust.

The order, as JSON on standard input: the log's ``key``, a ``note``, ``entries`` (index, leaf hash
and path) and ``old`` (note and consistency proof); hashes in hex. Printed: what was checked.
"""

import json
import sys
from typing import Any

import metamorphic_log as rust  # type: ignore[import-not-found]


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Raise what metamorphic-log raises for the first thing that does not hold."""
    note, keys = order["note"], [order["key"]]
    head = rust.checkpoint_verify(note, keys)
    for index, leaf, path in order["entries"]:
        rust.checkpoint_verify_inclusion(note, keys, index, bytes.fromhex(leaf), raw(path))
    for old, path in order["old"]:
        rust.checkpoint_verify_consistency(old, note, keys, raw(path))
    return {
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "entries": len(order["entries"]),
        "trees": len(order["old"]),
    }


def raw(path: list[str]) -> list[bytes]:
    """Hashes from hex."""
    return [bytes.fromhex(text) for text in path]


json.dump(main(json.load(sys.stdin)), sys.stdout)
