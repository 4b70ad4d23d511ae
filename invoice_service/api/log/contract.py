"""The public log: what is answered. Times in UTC."""

from typing import Final

import msgspec

from invoice_service.api.answers import OCTETS
from invoice_service.domain.bounds import HIGHEST_BLOCK
from invoice_service.openapi.operation import (
    JSON,
    TEXT,
    Operation,
    Parameter,
    page,
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


class BlockPage(msgspec.Struct):
    """``size`` is that of the newest checkpoint."""

    size: int
    blocks: list[BlockBody]
    next: int | None


OPERATIONS: Final = (
    Operation(
        "get",
        "/log/checkpoint",
        "checkpoint",
        "log",
        "The newest signed checkpoint",
        "c2sp.org/tlog-checkpoint",
        ((TEXT, "string"),),
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
        (Parameter("tile", "L/N[.p/W] or entries/N[.p/W]", "path"),),
    ),
    Operation(
        "get",
        "/log/key",
        "publicKeys",
        "log",
        "Public keys: the log's, and that of promises",
        "Two lines",
        ((TEXT, "string"),),
    ),
    Operation(
        "get", "/log/keys", "signedKeys", "log", "The newest statement", NOTE, ((TEXT, "string"),)
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
        page(1000),
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
    ),
)
