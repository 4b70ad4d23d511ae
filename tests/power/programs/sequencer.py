"""Sequence and publish blocks of a log, and tell a socket how far it has come.

Usage: sequencer FOLDER SALT SIZES..., where each size is the number of drafts of one block and
SALT makes its drafts differ from those of another run.
"""

import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from chain.entry import anchor_entry
from chain.hashing import Digest
from chain.log.database import SqliteLogStore
from chain.log.log import Log
from chain.signing.note import SignerKey
from chain.tree.tiles import TileFolder
from tests.power.programs.careless import forget

ORIGIN = "power.test/log"
SIGNER = SignerKey.generate(ORIGIN, Random(1).randbytes)
STARTED = datetime(2026, 7, 1, tzinfo=UTC)


def open_log(folder: Path) -> tuple[Log, SqliteLogStore]:
    """Open the log whose database and published folder stand in ``folder``."""
    store = SqliteLogStore(folder / "log.db")
    published = folder / "log"
    published.mkdir(exist_ok=True)
    return Log(ORIGIN, store, TileFolder(published), published), store


def drafts(salt: str, height: int, count: int) -> list[bytes]:
    """Return the entries of one block; another salt gives others."""
    rng = Random(f"{salt} {height}")
    return [anchor_entry("invoice", Digest(rng.randbytes(32))) for _ in range(count)]


def add_block(log: Log, salt: str, count: int) -> int:
    """Sequence one block and return its height."""
    head = log.head()
    moment = STARTED + timedelta(seconds=head.height, minutes=len(salt))
    block = log.sequence(
        head,
        drafts(salt, head.height, count),
        sealed_at=moment,
        cursor=head.cursor + count,
    )
    return block.height


def main(folder: str, salt: str, *sizes: str) -> None:
    """Add a block of each size; the socket hears of each height once it is durable."""
    forget(os.environ.get("FORGET", ""))
    told, _listener = socket.socketpair()
    log, store = open_log(Path(folder))
    for size in sizes:
        told.send(b"height %d" % add_block(log, salt, int(size)))
        told.send(b"published %d" % log.publish(SIGNER).size)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
