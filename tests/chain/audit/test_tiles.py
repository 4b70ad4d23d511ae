"""The audit of tiles alone: what it says of each file, and which files it looks at."""

from pathlib import Path

import pytest

from chain.audit.finding import AuditError
from chain.audit.tiles import TileAudit
from chain.durable import write_file
from chain.hashing import Digest, leaf_hash
from chain.tree.merkle import Edge
from chain.tree.tiles import encode_bundle

ENTRIES = [b"entry %d" % index for index in range(600)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
BUNDLE = encode_bundle(ENTRIES[:256])


def tile(first: int, end: int) -> bytes:
    """The hashes of these entries."""
    return b"".join(LEAVES[first:end])


def above(count: int) -> bytes:
    """The hashes of the first full tiles."""
    return b"".join(map(_root, range(count)))


def _root(n: int) -> Digest:
    edge = Edge()
    edge.extend(LEAVES[256 * n : 256 * (n + 1)])
    return edge.root()


def audited(folder: Path, size: int, published: int, grown: int | None = None) -> TileAudit:
    """An audit that was fed the first ``size`` entries, and is finished."""
    audit = TileAudit(folder, published, lambda: size if grown is None else grown)
    for entry, leaf in zip(ENTRIES[:size], LEAVES, strict=False):
        audit.add(entry, leaf)
    audit.finish()
    return audit


def wrong(audit: TileAudit) -> tuple[int | str, ...]:
    """What it found."""
    assert isinstance(audit.wrong, AuditError)
    extra = audit.wrong.extra
    return extra["kind"], extra["place"], extra["expected"], extra["found"]


def lay(folder: Path, files: dict[str, bytes]) -> None:
    """Write files below ``tile/``."""
    for name, data in files.items():
        write_file(folder / "tile" / name, data)


def test_one_published_entry_needs_its_files(tmp_path: Path) -> None:
    lay(tmp_path, {"0/000.p/1": tile(0, 1)})
    audit = audited(tmp_path, 1, 1)
    assert wrong(audit) == ("bundle", "tile/entries/000.p/1", "a file", "nothing")
    lay(tmp_path, {"entries/000.p/1": encode_bundle(ENTRIES[:1])})
    audit = audited(tmp_path, 1, 1)
    assert (audit.wrong, audit.checked) == (None, 2)


def test_one_entry_that_is_not_published_needs_none(tmp_path: Path) -> None:
    audit = audited(tmp_path, 1, 0)
    assert (audit.wrong, audit.checked) == (None, 0)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (tile(0, 3)[:-1] + b"x", 95),
        (b"x" + tile(0, 3)[1:], 0),
        (tile(0, 3)[:40], 40),
        (tile(0, 4), 96),
        (b"", 0),
    ],
)
def test_where_a_file_differs_is_said(tmp_path: Path, data: bytes, place: int) -> None:
    lay(tmp_path, {"0/000.p/3": data, "entries/000.p/3": encode_bundle(ENTRIES[:3])})
    found = f"other bytes from {place} on"
    said = ("tile", "tile/0/000.p/3", "what the entries give", found)
    assert wrong(audited(tmp_path, 3, 3)) == said


BEYOND = ("nothing beyond the log's end", "a file")


def test_a_file_that_ends_with_the_log_is_compared_whole(tmp_path: Path) -> None:
    """As long as what is known: another end is not taken for growth, and neither cut off."""
    lay(tmp_path, {"0/000.p/2": tile(0, 2) + b"x"})
    assert wrong(audited(tmp_path, 2, 0, 9))[2:] == (
        "what the entries give",
        "other bytes from 64 on",
    )


def test_a_file_of_a_log_that_has_grown_is_compared_as_far_as_known(tmp_path: Path) -> None:
    lay(tmp_path, {"0/000.p/4": tile(0, 4)})
    assert audited(tmp_path, 2, 0, 4).wrong is None
    assert wrong(audited(tmp_path, 2, 0, 3)) == ("tile", "tile/0/000.p/4", *BEYOND)


def test_a_tile_of_tiles_ends_where_the_log_does(tmp_path: Path) -> None:
    """Of 520 entries level 1 has two hashes, and no third until there are 768."""
    lay(tmp_path, {"1/000.p/3": above(2) + bytes(32)})
    said = ("tile", "tile/1/000.p/3", *BEYOND)
    assert wrong(audited(tmp_path, 520, 0, 767)) == said
    assert audited(tmp_path, 520, 0, 768).wrong is None


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("entries/001", "bundle", "tile/entries/001"),
        ("entries/001.p/7", "bundle", "tile/entries/001"),
        ("0/001", "tile", "tile/0/001"),
        ("0/001.p/7", "tile", "tile/0/001"),
        ("1/000.p/1", "tile", "tile/1/000"),
    ],
)
def test_a_file_behind_the_end(tmp_path: Path, name: str, kind: str, place: str) -> None:
    lay(tmp_path, {name: b"whatever"})
    assert wrong(audited(tmp_path, 3, 0)) == (kind, place, *BEYOND)


@pytest.mark.parametrize("name", ["256", "0", "03", "1000", "x"])
def test_what_is_no_width_of_a_partial_tile_is_passed_over(tmp_path: Path, name: str) -> None:
    lay(tmp_path, {f"0/001.p/{name}": b"whatever"})
    assert audited(tmp_path, 3, 0).wrong is None


def test_a_file_where_a_folder_belongs_holds_no_partial_tiles(tmp_path: Path) -> None:
    lay(tmp_path, {"0/000.p": b"", "entries/000.p/1": encode_bundle(ENTRIES[:1])})
    said = ("tile", "tile/0/000.p/1", "a file", "nothing")
    assert wrong(audited(tmp_path, 1, 1)) == said


def test_a_file_that_comes_right_after_the_end_was_read_is_no_alarm(tmp_path: Path) -> None:
    whole = {"0/000": tile(0, 256), "1/000.p/1": above(1), "entries/000": BUNDLE}
    lay(tmp_path, whole)

    def grown() -> int:
        """The log's end; the worker goes on at once."""
        lay(tmp_path, {"0/001.p/1": tile(256, 257), "entries/001.p/1": encode_bundle([b""])})
        return 256

    audit = TileAudit(tmp_path, 256, grown)
    for entry, leaf in zip(ENTRIES[:256], LEAVES, strict=False):
        audit.add(entry, leaf)
    audit.finish()
    assert audit.wrong is None
    grown()
    assert wrong(audited(tmp_path, 256, 256))[2:] == ("nothing beyond the log's end", "a file")
