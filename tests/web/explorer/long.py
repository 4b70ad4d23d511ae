"""A log of very many blocks, made through the log's own code: sealed, tiled, signed."""

from typing import Final

from chain.entry import anchor_entry, closing_entry
from chain.hashing import Digest, sha256
from tests.api.desk import Desk

A_DAY: Final = 25
"""Blocks of a day; the first of each closes the day before."""

AT_ONCE: Final = 100
"""Blocks between two checkpoints."""


def lengthen(desk: Desk, blocks: int) -> None:
    """Add so many blocks, of one to three entries each, and publish them."""
    log = desk.instance.log
    for number in range(blocks):
        head = log.head()
        count = 1 + number % 3
        drafts = [anchor_entry("invoice", anchor_at(head.size + n)) for n in range(count)]
        if number and number % A_DAY == 0:
            day = desk.clock().date().isoformat()
            drafts[0] = closing_entry(day, through=head.size - 1, totals=anchor_at(number))
            desk.clock.forward(days=1)
        log.sequence(head, drafts, sealed_at=desk.clock(), cursor=head.cursor)
        desk.clock.forward(seconds=1)
        if number % AT_ONCE == AT_ONCE - 1:
            publish(desk)
    publish(desk)


def publish(desk: Desk) -> None:
    """Sign and publish what is sealed."""
    with desk.instance.anchoring().signers() as signers:
        desk.instance.log.publish(*signers, signed_at=desk.clock())


def anchor_at(index: int) -> Digest:
    """The made-up anchor of the entry there."""
    return sha256(b"long %d" % index)
