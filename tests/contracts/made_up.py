"""Made-up blocks: a store derives nothing, so it takes them."""

from datetime import UTC, datetime, timedelta

from chain.block import Block, Head, Row
from chain.hashing import sha256
from chain.log.log import LogStore

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


def block_after(head: Head, count: int, cursor: int = 0) -> tuple[list[Row], Block]:
    """Made-up rows and a made-up block that fit behind ``head``; a store derives nothing."""
    indexes = range(head.size, head.size + count)
    rows = [Row(index, b"entry %d" % index, sha256(b"key %d" % index)) for index in indexes]
    rows.append(Row(head.size + count, b"seal", None))
    block = Block(
        height=head.height + 1,
        first=head.size,
        count=count,
        size=head.size + count + 1,
        root=sha256(b"root %d" % head.height),
        edge=b"edge",
        seal=sha256(b"seal %d" % head.height),
        sealed_at=NOON + timedelta(seconds=head.height),
        cursor=cursor,
    )
    return rows, block


def fill(store: LogStore, *counts: int) -> list[Block]:
    """Append a block for each count."""
    blocks = []
    for count in counts:
        head = store.head()
        rows, block = block_after(head, count)
        nodes = {sha256(b"node %d" % head.height): b"body %d" % head.height}
        store.append(head, rows, block, nodes)
        blocks.append(block)
    return blocks
