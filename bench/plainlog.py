"""A plain log to measure beside ours: what any log of tiles does, and nothing else.

It hashes each entry and the nodes of its tile once, and writes both, synced, into files. No
database, no seal, no read-back, no totals: a stand-in for logs in other languages, which are not
to be had wherever this runs (docs/performance.md says how one of them compares with it).
"""

import os
import secrets
import time
from pathlib import Path
from typing import Final

from Crypto.Hash import SHA256

ENTRY_BYTES: Final = 500
WIDTH: Final = 256


def plain_log(folder: Path, count: int) -> float:
    """Return the processor seconds that an entry takes, over ``count`` entries."""
    entries = [secrets.token_bytes(ENTRY_BYTES) for _ in range(count)]
    before = time.process_time()
    roots = []
    for first in range(0, count, WIDTH):
        part = entries[first : first + WIDTH]
        row = [SHA256.digest(b"\x00" + entry) for entry in part]
        bundle = [len(entry).to_bytes(2, "big") + entry for entry in part]
        _write(folder / f"entries-{first}", b"".join(bundle))
        _write(folder / f"hashes-{first}", b"".join(row))
        while len(row) > 1:
            pairs = zip(row[::2], row[1::2], strict=False)
            row = [SHA256.digest(b"\x01" + left + right) for left, right in pairs]
        roots += row
    _write(folder / "roots", b"".join(roots))
    return (time.process_time() - before) / count


def _write(path: Path, data: bytes) -> None:
    aside = path.with_suffix(".tmp")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
