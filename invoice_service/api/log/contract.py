"""The public log: what is answered. Times in UTC."""

from typing import Final

import msgspec

from invoice_service.api.answers import OCTETS
from invoice_service.domain.bounds import HIGHEST_BLOCK
from invoice_service.openapi.operation import (
    JSON,
    LOG,
    STORE,
    TEXT,
    Operation,
    Parameter,
    Words,
    page,
    says,
    whole,
)

NOTE = "c2sp.org/signed-note"


class BlockBody(msgspec.Struct):
    """A published block: entries ``first`` to ``first + count - 1``, its seal after them."""

    height: int
    first: int
    count: int
    seal_index: int
    seal: str
    size: int
    root: str
    sealed_at: str


class ActCountsBody(msgspec.Struct):
    """How many acts of each type are among the log's first ``size`` entries."""

    origin: str
    size: int
    total: int
    counts: dict[str, int]


class BlockPage(msgspec.Struct):
    """``size`` is that of the newest checkpoint."""

    size: int
    blocks: list[BlockBody]
    next: int | None


_TILE: Final = {
    "type": "string",
    "pattern": r"^([0-9]{1,2}|entries)/(x[0-9]{3}/){0,5}[0-9]{3}(\.p/[0-9]{1,3})?$",
}

WORDS: Final[Words] = {
    "BlockBody.height": says("Counted from 1"),
    "BlockBody.first": says("The index of its first entry"),
    "BlockBody.count": says("How many entries it seals"),
    "BlockBody.seal_index": says("The index of its seal, after its entries"),
    "BlockBody.seal": says("The digest of its seal, hex"),
    "BlockBody.size": says("Entries in the log after the seal"),
    "BlockBody.root": says("The root of the log's tree at that size, hex"),
    "BlockBody.sealed_at": says("UTC", format="date-time"),
    "ActCountsBody.origin": says("The log's name"),
    "ActCountsBody.size": says("The size of the newest checkpoint"),
    "ActCountsBody.total": says("Of all types"),
    "ActCountsBody.counts": says("By type; of whom and what is not said"),
    "BlockPage.size": says("The size of the newest checkpoint"),
    "BlockPage.blocks": says("In order of height"),
    "BlockPage.next": says("The `after` of the following page; null on the last"),
}

OPERATIONS: Final = (
    Operation(
        "get",
        "/log/checkpoint",
        "checkpoint",
        "log",
        "The newest signed checkpoint",
        "c2sp.org/tlog-checkpoint",
        ((TEXT, "string"),),
        codes=("no_checkpoint", "log_unreadable"),
        kept=True,
        strict=False,
    ),
    Operation(
        "get",
        "/log/tile/{tile}",
        "tile",
        "log",
        "A tile or an entry bundle; the path may hold slashes",
        "c2sp.org/tlog-tiles",
        ((OCTETS, "bytes"),),
        "",
        (Parameter("tile", "L/N[.p/W] or entries/N[.p/W]", "path", _TILE),),
        codes=("tile_path", "no_tile", "log_unreadable"),
        kept=True,
        strict=False,
    ),
    Operation(
        "get",
        "/log/key",
        "publicKeys",
        "log",
        "Public keys: the log's, and that of promises",
        "Two lines",
        ((TEXT, "string"),),
        codes=("key_unreadable",),
        kept=True,
        strict=False,
    ),
    Operation(
        "get",
        "/log/keys",
        "signedKeys",
        "log",
        "The newest statement",
        NOTE,
        ((TEXT, "string"),),
        codes=("key_unreadable",),
        kept=True,
        strict=False,
    ),
    Operation(
        "get",
        "/log/keys/{number}",
        "keyStatement",
        "log",
        "What the log said of its keys, signed by them",
        NOTE,
        ((TEXT, "string"),),
        "",
        (Parameter("number", "Counted from 1", "path", whole(1, 10**9 - 1)),),
        codes=("no_statement", "key_unreadable"),
        kept=True,
        strict=False,
    ),
    Operation(
        "get",
        "/log/blocks",
        "listBlocks",
        "log",
        "Published blocks",
        "A page, in order of height",
        ((JSON, BlockPage),),
        "",
        page(1000, HIGHEST_BLOCK),
        codes=("parameter_malformed", *LOG),
        kept=True,
    ),
    Operation(
        "get",
        "/log/blocks/{height}",
        "readBlock",
        "log",
        "One published block",
        "The block",
        ((JSON, BlockBody),),
        "",
        (Parameter("height", "Counted from 1", "path", whole(1, HIGHEST_BLOCK)),),
        codes=("parameter_malformed", "no_block", *LOG),
        kept=True,
        strict=False,
    ),
    Operation(
        "get",
        "/log/acts",
        "countActs",
        "log",
        "How many acts of each type the published log has",
        "Counts",
        ((JSON, ActCountsBody),),
        codes=("no_checkpoint", *STORE, *LOG),
        kept=True,
    ),
)
