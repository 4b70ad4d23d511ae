"""The explorer, as ``/openapi.json`` has it: each address a page, and JSON beside it."""

from typing import Final, Literal

import msgspec

from invoice_service.domain.bounds import HIGHEST_BLOCK
from invoice_service.openapi.operation import (
    DAY,
    HTML,
    JSON,
    LOG,
    STORE,
    TEXT,
    Operation,
    Parameter,
    Words,
    says,
    whole,
)
from invoice_service.services.explorer import (
    BlockView,
    ClosingsView,
    ClosingView,
    EntryView,
    ExploredBlocks,
    KeysView,
    LogOverview,
)


class FoundPlace(msgspec.Struct, kw_only=True):
    """Something in the log, and its address below the service's own."""

    what: Literal["block", "entry", "closing"]
    address: str


class SearchView(msgspec.Struct, kw_only=True):
    """What was found; ``unsaid`` is why something was not looked up, or empty."""

    found: list[FoundPlace]
    unsaid: Literal["", "password_area", "number", "unclear"]


class ActsView(msgspec.Struct, kw_only=True):
    """How many acts of each kind the log has as of a block; ``block`` is 0 before the first."""

    origin: str
    block: int
    sealed_at: str | None
    size: int
    total: int
    counts: dict[str, int]


_PLACE: Final = says("A digest, hex", pattern="^[0-9a-f]{64}$")
_TIME: Final = says("UTC", format="date-time")

WORDS: Final[Words] = {
    "FoundPlace.what": says("What it is"),
    "FoundPlace.address": says("Where it is shown"),
    "SearchView.found": says("Everything that the text may mean and that is there"),
    "SearchView.unsaid": says(
        "`password_area`: it opens an invoice, so its anchor is to be asked for; `number`: looking"
        " up numbers of invoices is for officials; `unclear`: nothing that the log has a place for"
    ),
    "ActsView.origin": says("The log's name"),
    "ActsView.block": says("As of which block; 0 before the first"),
    "ActsView.sealed_at": says("When it was sealed, UTC; null before the first"),
    "ActsView.size": says("Entries in the log after it"),
    "ActsView.total": says("Acts of all kinds among them"),
    "ActsView.counts": says("How many of each kind; of whom, the log does not say"),
    "WitnessSeen.name": says("The witness's name"),
    "WitnessSeen.key": says("Its public key"),
    "WitnessSeen.size": says("The largest size that it has cosigned; 0 for none"),
    "WitnessSeen.cosigned_at": says("When, as the witness says, in UTC; null for never"),
    "WitnessSeen.newest": says("Whether it has cosigned the newest checkpoint"),
    "LogOverview.origin": says("The log's name"),
    "LogOverview.size": says("Entries under the newest checkpoint, seals included"),
    "LogOverview.root": says("The tree's root, hex; empty before the first checkpoint"),
    "LogOverview.blocks": says("Published blocks"),
    "LogOverview.sealed_at": says("When the last of them was sealed, UTC; null before the first"),
    "LogOverview.checkpoint": says("The newest signed checkpoint, as at `/log/checkpoint`"),
    "LogOverview.witnesses": says("Those of the log's policy"),
    "LogOverview.quorum_met": says("Whether as many as the policy asks for cosigned the newest"),
    "LogOverview.keys": says("The public keys that sign now, the oldest first"),
    "LogOverview.promise_key": says("The public key of promises"),
    "LogOverview.statements": says("How many statements of its keys the log has signed"),
    "LogOverview.last_closed": says(
        "The newest closed day among the last 31; null for none", format="date"
    ),
    "ExploredBlock.height": says("Counted from 1"),
    "ExploredBlock.first": says("The index of its first entry"),
    "ExploredBlock.count": says("How many entries it seals"),
    "ExploredBlock.seal_index": says("The index of its seal, after its entries"),
    "ExploredBlock.seal": says("The digest of its seal, hex"),
    "ExploredBlock.size": says("Entries in the log after the seal"),
    "ExploredBlock.root": says("The root of the log's tree at that size, hex"),
    "ExploredBlock.sealed_at": _TIME,
    "ExploredBlocks.size": says("The size of the newest checkpoint"),
    "ExploredBlocks.height": says("The height of the newest block"),
    "ExploredBlocks.blocks": says("At most 50, the newest first"),
    "ExploredBlocks.next": says("The `before` of the following page; null on the last"),
    "EntryLine.index": says("Counted from 0"),
    "EntryLine.kind": says("The entry's kind, also one that is not known here"),
    "EntryLine.names": says("Its anchor, its day, or the commitment of an act; else empty"),
    "BlockView.block": says("As at `/log/blocks/{height}`"),
    "BlockView.entries": says("At most 100 of its entries, in order, the seal last"),
    "BlockView.next": says("The `from` of the following page; null on the last"),
    "InclusionView.size": says("Entries in the log after the entry's block"),
    "InclusionView.root": says("The tree's root at that size, hex"),
    "InclusionView.path": says("From the leaf's sibling upwards (RFC 9162), hex"),
    "EntryView.index": says("Counted from 0"),
    "EntryView.kind": says("The entry's kind, also one that is not known here"),
    "EntryView.entry": says("Its exact bytes, which are UTF-8 text"),
    "EntryView.leaf": _PLACE,
    "EntryView.block": says("The height of its block"),
    "EntryView.inclusion": says("That it stands under the root after that block"),
    "ClosingView.day": says("A Shanghai date", format="date"),
    "ClosingView.state": says("Whether an entry commits to it", enum=["closed", "open"]),
    "ClosingView.index": says("The index of the closing entry; null while open"),
    "ClosingView.block": says("The height of that entry's block; null while open"),
    "ClosingView.through": says("The last entry that the totals cover; null while open"),
    "ClosingView.commitment": says("The salted digest of the totals, hex; null while open"),
    "ClosingsView.closings": says("At most 31 days, the newest first"),
    "ClosingsView.next": says("The `before` of the following page; null on the last"),
    "StatedKey.state": says(
        "What it does",
        enum=["log", "retired", "revoked", "promise", "wallet", "wallet-revoked"],
    ),
    "StatedKey.key": says("The public key"),
    "StatedKey.size": says("Of a retired one: the last size that it counts for"),
    "StatementView.number": says("Counted from 1"),
    "StatementView.note": says("The signed note, as at `/log/keys/{number}`"),
    "KeysView.origin": says("The log's name"),
    "KeysView.keys": says("As the newest statement has them"),
    "KeysView.statements": says("At most 20, the newest first"),
    "KeysView.next": says("The `before` of the following page; null on the last"),
}

_HEIGHT: Final = Parameter("height", "Counted from 1", "path", whole(1, HIGHEST_BLOCK))
_INDEX: Final = Parameter("index", "Counted from 0", "path", whole(0, HIGHEST_BLOCK))
_BEFORE: Final = Parameter("before", "`next` of the page before", schema=whole(0, HIGHEST_BLOCK))


def _view(
    path: str,
    name: str,
    summary: str,
    shape: type[msgspec.Struct],
    parameters: tuple[Parameter, ...] = (),
    codes: tuple[str, ...] = (),
    statuses: tuple[int, ...] = (200,),
) -> Operation:
    """A call that gives a page or JSON, as ``Accept`` says."""
    return Operation(
        "get",
        f"/explorer/{path}",
        name,
        "log",
        summary,
        "JSON, or a page for whoever names text/html",
        ((JSON, shape), (HTML, "string")),
        "",
        parameters,
        statuses=statuses,
        codes=(*codes, *LOG),
        errors="either",
        kept=True,
        strict=False,
    )


_ASKED: Final = ("duplicate_parameter", "parameter_malformed")

OPERATIONS: Final = (
    _view("", "exploreLog", "The log at a glance", LogOverview, codes=("key_unreadable",)),
    _view(
        "blocks",
        "exploreBlocks",
        "Blocks, the newest first",
        ExploredBlocks,
        (_BEFORE,),
        _ASKED,
    ),
    _view(
        "blocks/{height}",
        "exploreBlock",
        "One block with its entries",
        BlockView,
        (
            _HEIGHT,
            Parameter(
                "from",
                "The first entry shown: `next` of the page before",
                schema=whole(0, HIGHEST_BLOCK),
            ),
        ),
        ("no_block", "no_entry", *_ASKED),
    ),
    _view(
        "entries/{index}",
        "exploreEntry",
        "One entry, byte by byte, with its path to its block's root",
        EntryView,
        (_INDEX,),
        ("no_entry",),
    ),
    Operation(
        "get",
        "/explorer/entries/{index}/proof",
        "entryProof",
        "log",
        "That an entry is in the log, under the newest checkpoint",
        "c2sp.org/tlog-proof",
        ((TEXT, "string"),),
        "",
        (_INDEX,),
        codes=("no_entry", *LOG),
        errors="either",
        kept=True,
        strict=False,
    ),
    _view(
        "closings",
        "exploreClosings",
        "Days and the commitments to their totals, the newest first",
        ClosingsView,
        (Parameter("before", "`next` of the page before", schema=DAY),),
        _ASKED,
    ),
    _view(
        "closings/{day}",
        "exploreClosing",
        "The closing of one day",
        ClosingView,
        (Parameter("day", "A Shanghai date", "path", DAY),),
        ("no_closing",),
    ),
    _view(
        "keys",
        "exploreKeys",
        "The log's keys, and what it said of them",
        KeysView,
        (_BEFORE,),
        (*_ASKED, "key_unreadable", "no_statement"),
    ),
    _view(
        "acts",
        "exploreActs",
        "Decisions of the tax office by kind, counted, never whom",
        ActsView,
        (
            Parameter(
                "block",
                "As of which block, for ever; else the newest",
                schema=whole(1, HIGHEST_BLOCK),
            ),
        ),
        ("no_block", *_ASKED, "no_checkpoint", *STORE),
    ),
    _view(
        "search",
        "exploreSearch",
        "Where something is: a height, an index, a day, an anchor",
        SearchView,
        (Parameter("q", "What to look for; never a password area"),),
        ("duplicate_parameter",),
        statuses=(200, 303),
    ),
    Operation(
        "get",
        "/explorer/compare",
        "comparePage",
        "log",
        "A page on which the browser compares two copies of the log",
        "A page",
        ((HTML, "string"),),
        codes=("key_unreadable", "no_statement"),
        errors="either",
        kept=True,
        strict=False,
    ),
)
