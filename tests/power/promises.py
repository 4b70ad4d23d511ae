"""What must hold of an instance after any power cut, checked with the instance's own parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chain.commitment import anchor, parse_password_area
from chain.hashing import Digest, leaf_hash
from chain.log.database import SqliteLogStore
from chain.log.log import Log
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.note import VerifierKey
from chain.tree.merkle_slow import slow_root
from chain.tree.tiles import TileFolder
from invoice_service.domain.invoice import StoredInvoice, stored_digest
from invoice_service.services.anchoring.totals import RED, Dimension
from invoice_service.services.ports import InvoiceFilter
from invoice_service.storage.sqlite import SqliteStore


@dataclass(frozen=True, slots=True)
class Promised:
    """An invoice as it was answered before the cut."""

    seq: int
    hash: str
    number: str


def check_invoices(store: SqliteStore, promised: Sequence[Promised]) -> list[StoredInvoice]:
    """Every answered invoice is there as it was answered, whole, and no number is missing."""
    rows = store.invoices(InvoiceFilter(), 0, 1_000_000)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1)), "rows with gaps"
    numbers = [int(row.number) for row in rows]
    assert numbers == list(range(1, len(rows) + 1)), f"numbers with gaps: {numbers}"
    for row in rows:
        digest = stored_digest(row)
        assert digest == parse_password_area(row.hash), f"half a row: {row.seq}"
    by_seq = {row.seq: row for row in rows}
    for one in promised:
        assert one.seq in by_seq, f"invoice {one.seq} was answered and is gone"
        kept = by_seq[one.seq]
        assert (kept.hash, kept.number) == (one.hash, one.number), f"invoice {one.seq} is another"
    return list(rows)


def check_served(folder: Path, key: VerifierKey) -> int:
    """Whoever fetches the published checkpoint finds all tiles below it; return its size."""
    path = folder / "checkpoint"
    if not path.exists():
        return 0
    checkpoint = open_checkpoint(path.read_bytes(), key)
    tiles = TileFolder(folder)
    leaves = [leaf_hash(entry) for entry in tiles.entries(0, checkpoint.size)]
    assert slow_root(leaves) == checkpoint.root, "the bundles are not those of the checkpoint"
    for n in range(-(-checkpoint.size // 256)):
        part = leaves[n * 256 : (n + 1) * 256]
        assert tiles.read_hashes(0, n, len(part)) == part, f"tile {n} is not that of the bundle"
    return checkpoint.size


def stored_leaves(store: SqliteLogStore) -> list[Digest]:
    """Return the leaf hashes of everything sequenced."""
    return [leaf_hash(row.entry) for row in store.rows(0, store.head().size)]


def check_history(leaves: Sequence[Digest], checkpoints: Sequence[Checkpoint]) -> None:
    """The log, as it stands, continues every checkpoint that anyone has seen: no fork."""
    for checkpoint in checkpoints:
        assert checkpoint.size <= len(leaves), f"a log of {checkpoint.size} has been published"
        root = slow_root(leaves[: checkpoint.size])
        assert root == checkpoint.root, f"another history of size {checkpoint.size}"


def check_anchored(rows: Sequence[StoredInvoice], log: Log) -> None:
    """Every invoice is in the log, once and in order of issue."""
    places = [log.find(anchor(parse_password_area(row.hash))) for row in rows]
    found = [place for place in places if place is not None]
    assert len(found) == len(rows), f"{len(rows) - len(found)} invoices are not in the log"
    assert found == sorted(set(found)), "invoices are out of order in the log"
    assert log.head().cursor == len(rows), "the log has taken another number of invoices"


def check_totals(rows: Sequence[StoredInvoice], store: SqliteStore, log: Log) -> None:
    """The kept totals are what the rows add up to."""
    height = log.head().height
    assert store.totals.last_height() == height, "blocks without totals"
    sums = store.totals.sums_at(Dimension.ALL, "", height)
    blue = [row.total for row in rows if row.type == "blue"]
    red = [row.total for row in rows if row.type == "red"]
    expected = (len(blue), sum(blue), len(red), sum(red))
    assert (sums[0], sums[3], sums[RED], sums[RED + 3]) == expected, "totals differ from the rows"
