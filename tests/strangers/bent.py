"""A log that has been tampered with: what a static server answers instead of the true files."""

from collections.abc import Iterator
from pathlib import Path

from chain.hashing import leaf_hash, sha256
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import SignerKey
from chain.tree.tiles import decode_bundle, encode_bundle, entry_bundle_path, tile_path
from tests.strangers.logs import Grown

Bend = dict[str, bytes]
"""Path below the log's address, and the bytes that stand there instead."""


def few_bends(log: Grown) -> Iterator[tuple[str, Bend]]:
    """One bit in the middle of each kind of file, and one lie that takes two files."""
    for path in ("checkpoint", *last_files(log)):
        data = (log.folder / path).read_bytes()
        yield path, {path: flipped(data, len(data) // 2)}
    yield "an entry and its hash", other_entry(log)


def bends(log: Grown) -> Iterator[tuple[str, Bend]]:
    """Every way in which this log can be bent, each with what to call it."""
    for number, line in enumerate(("origin", "size", "root", "empty line", "signature")):
        yield f"checkpoint, {line}", {"checkpoint": _bent_line(log.note.read_bytes(), number)}
    for path in last_files(log):
        data = (log.folder / path).read_bytes()
        for place, at in (("first", 0), ("middle", len(data) // 2), ("last", len(data) - 1)):
            yield f"{path}, {place} byte", {path: flipped(data, at)}
        yield f"{path}, cut off", {path: data[:-1]}
        yield f"{path}, a byte too many", {path: data + b"\0"}
    yield "an entry and its hash", other_entry(log)


def last_files(log: Grown) -> list[str]:
    """The last full and the partial file of every kind that a log of this size has."""
    size = log.size
    full, partial = divmod(size, 256)
    found = [entry_bundle_path(full, partial)] if partial else []
    found += [entry_bundle_path(full - 1)] if full else []
    level = 0
    while size:
        full, partial = divmod(size, 256)
        found += [tile_path(level, full, partial)] if partial else []
        found += [tile_path(level, full - 1)] if full else []
        level, size = level + 1, full
    return found


def other_entry(log: Grown) -> Bend:
    """Another last entry, with the hash that belongs to it: only the tree above can tell."""
    n, width = divmod(log.size, 256)
    n, width = (n, width) if width else (n - 1, 256)
    bundle, tile = entry_bundle_path(n, width), tile_path(0, n, width)
    entries = decode_bundle((log.folder / bundle).read_bytes(), width)
    entries[-1] = entries[-1].replace(b'"kind":"seal"', b'"kind":"soul"')
    hashes = (log.folder / tile).read_bytes()[:-32] + leaf_hash(entries[-1])
    return {bundle: encode_bundle(entries), tile: hashes}


def forked(log: Grown, size: int) -> bytes:
    """A checkpoint of another history, under the log's own key: only a proof can tell."""
    signer = SignerKey.parse((log.data / "keys" / "log.key").read_text().strip())
    return sign_checkpoint(Checkpoint(signer.name, size, sha256(b"another history")), signer)


def flipped(data: bytes, at: int) -> bytes:
    """The same bytes but for one bit."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _bent_line(note: bytes, number: int) -> bytes:
    lines = note.splitlines(keepends=True)
    line = lines[number]
    lines[number] = flipped(line, len(line) // 2) if len(line) > 1 else b" \n"
    return b"".join(lines)


def all_files(folder: Path) -> set[str]:
    """Every tile and bundle below a log's folder, by its path."""
    return {
        str(path.relative_to(folder)) for path in (folder / "tile").rglob("*") if path.is_file()
    }


def telling(size: int) -> list[int]:
    """Entries whose proofs together lead through every byte of the last files of this size."""
    last = range(max(0, (size - 1) // 256 * 256 - 256), size)
    return [*{0, 65_535, *last} & set(range(size))]
