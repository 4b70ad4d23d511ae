"""Bad input, as a table: what can be wrong, in each of the formats, and the code that says so.

The tests of each module look closer; here it is seen that no cell is empty.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from chain.audit.fetch import FolderSource
from chain.audit.proven import ProvenTree
from chain.canonical import encode
from chain.errors import Problem
from chain.hashing import DIGEST_SIZE, sha256
from chain.proof.file import MAX_PROOF_BYTES, parse_proof
from chain.proof.tlogproof import MAX_TLOG_PROOF, parse_tlog_proof, tlog_proof_of, verify_tlog_proof
from chain.proof.verify import verify_proof
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.note import MAX_NOTE_SIZE, MAX_SIGNATURES, SignerKey, open_note, sign_note
from chain.tree.tiles import TILE_WIDTH, TileId, encode_bundle, parse_tile_path
from tests.chain.books import ORIGIN, SIGNER, Books
from tests.chain.forged import Forge
from tests.chain.served import go_another_way

SIZE = 300
FULL, LAST = TileId(0, 0), TileId(0, 1, SIZE - TILE_WIDTH)
BUNDLE, LAST_BUNDLE = TileId(None, 0), TileId(None, 1, SIZE - TILE_WIDTH)
ENTRY_LIMIT = 2 + 0xFFFF
KEY = SIGNER.verifier
OTHER = SignerKey("other.example/log", bytes(range(1, 33)))
KINDS = {"truncated", "reordered", "oversized", "non-canonical", "wrong origin", "wrong size"}

Json = Any  # whatever the json module gives


@dataclass(frozen=True)
class Bad:
    """One thing that is wrong, of one ``kind``, and the code by which it is refused."""

    kind: str
    what: str
    read: Callable[[], object]
    code: str


def refused(bad: Bad) -> None:
    """It is, by this code."""
    with pytest.raises(Problem) as problem:
        bad.read()
    assert problem.value.code == bad.code


def whole(kinds: set[str]) -> None:
    """Whatever can be wrong is in the table."""
    assert kinds == KINDS


# Tiles and bundles, as a mirror reads them from a folder that it does not trust


class Folder:
    """The published files of a log of 300 entries; one of them is replaced at a time."""

    def __init__(self, books: Books, other: Books) -> None:
        self.tree = ProvenTree(
            open_checkpoint(books.published(), KEY), FolderSource(books.log_folder)
        )
        self.mine, self.others = books.log_folder, other.log_folder

    def bytes_of(self, tile: TileId) -> bytes:
        """A file as it is."""
        return (self.mine / tile.path()).read_bytes()

    def from_other(self, tile: TileId) -> bytes:
        """The file at that path in another log."""
        return (self.others / tile.path()).read_bytes()

    def reading(self, tile: TileId, data: bytes) -> Callable[[], object]:
        """Read it with these bytes in its place."""

        def read() -> object:
            with self._replaced(tile, data):
                tree = ProvenTree(self.tree.checkpoint, FolderSource(self.mine))
                return tree.entries(tile.n) if tile.level is None else tree.hashes(0, tile.n)

        return read

    @contextmanager
    def _replaced(self, tile: TileId, data: bytes) -> Iterator[None]:
        path, before = self.mine / tile.path(), self.bytes_of(tile)
        path.write_bytes(data)
        try:
            yield
        finally:
            path.write_bytes(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Made once: every case puts back what it has changed."""
    logs = []
    for name in ("mine", "other"):
        path = tmp_path_factory.mktemp(name)
        logs.append(Books(path))
    logs[0].grow(SIZE - 1)
    go_another_way(logs[1], SIZE - 1)
    return Folder(*logs)


def tiles(folder: Folder) -> list[Bad]:
    """A full tile, which leads to the tile above, and the last one, which leads to the root."""
    full, last = folder.bytes_of(FULL), folder.bytes_of(LAST)
    swapped = full[DIGEST_SIZE : 2 * DIGEST_SIZE] + full[:DIGEST_SIZE] + full[2 * DIGEST_SIZE :]
    turned = last[DIGEST_SIZE:] + last[:DIGEST_SIZE]
    read = folder.reading
    return [
        Bad("truncated", "a hash less", read(FULL, full[:-DIGEST_SIZE]), "tile_damaged"),
        Bad("truncated", "a byte less", read(LAST, last[:-1]), "tile_damaged"),
        Bad("truncated", "empty", read(LAST, b""), "tile_damaged"),
        Bad("reordered", "two hashes", read(FULL, swapped), "tile_damaged"),
        Bad("reordered", "the last one's", read(LAST, turned), "root_mismatch"),
        Bad("oversized", "a hash more", read(FULL, full + full[:DIGEST_SIZE]), "file_too_long"),
        Bad("oversized", "a byte more", read(LAST, last + b"\n"), "file_too_long"),
        Bad("non-canonical", "its path", lambda: parse_tile_path("tile/0/0"), "tile_path"),
        Bad("non-canonical", "its level", lambda: parse_tile_path("tile/00/000"), "tile_path"),
        Bad("wrong origin", "another log's", read(FULL, folder.from_other(FULL)), "tile_damaged"),
        Bad("wrong origin", "the last", read(LAST, folder.from_other(LAST)), "root_mismatch"),
        Bad("wrong size", "the partial one's", read(FULL, last), "tile_damaged"),
        Bad("wrong size", "its width", lambda: parse_tile_path("tile/0/000.p/256"), "tile_path"),
    ]


def test_tiles(folder: Folder) -> None:
    for bad in tiles(folder):
        refused(bad)
    whole({bad.kind for bad in tiles(folder)})


def bundles(folder: Folder) -> list[Bad]:
    """The same of entries, which must be those of their tile."""
    full, last = folder.bytes_of(BUNDLE), folder.bytes_of(LAST_BUNDLE)
    entries = folder.tree.entries(0)
    turned = encode_bundle([*entries[1:], entries[0]])
    spaced = encode_bundle([entries[0] + b" ", *entries[1:]])
    too_long = full + bytes(TILE_WIDTH * ENTRY_LIMIT)
    others = folder.from_other
    read = folder.reading
    return [
        Bad(
            "truncated", "an entry less", read(BUNDLE, encode_bundle(entries[:-1])), "tile_damaged"
        ),
        Bad("truncated", "a byte less", read(LAST_BUNDLE, last[:-1]), "tile_damaged"),
        Bad("truncated", "half a length", read(LAST_BUNDLE, last + b"\0"), "tile_damaged"),
        Bad("reordered", "the first at the end", read(BUNDLE, turned), "tile_damaged"),
        Bad("oversized", "beyond any bundle", read(BUNDLE, too_long), "file_too_long"),
        Bad("oversized", "an empty entry more", read(BUNDLE, full + b"\0\0"), "tile_damaged"),
        Bad("non-canonical", "a space more", read(BUNDLE, spaced), "tile_damaged"),
        Bad("non-canonical", "path", lambda: parse_tile_path("tile/entries/x000"), "tile_path"),
        Bad("wrong origin", "another log's", read(BUNDLE, others(BUNDLE)), "tile_damaged"),
        Bad("wrong origin", "the last", read(LAST_BUNDLE, others(LAST_BUNDLE)), "tile_damaged"),
        Bad("wrong size", "the partial one's", read(BUNDLE, last), "tile_damaged"),
    ]


def test_bundles(folder: Folder) -> None:
    for bad in bundles(folder):
        refused(bad)
    whole({bad.kind for bad in bundles(folder)})


# Notes and checkpoints


CHECKPOINT = Checkpoint(ORIGIN, 11, sha256(b"root"))
TEXT = CHECKPOINT.to_text()
NOTE = sign_note(TEXT, SIGNER)
LINE = SIGNER.sign(TEXT).line()
RAW = base64.b64decode(LINE.split(" ")[2])


def note(data: bytes | str) -> Callable[[], object]:
    """Open it with the log's key."""
    content = data if isinstance(data, bytes) else data.encode()
    return lambda: open_note(content, [KEY])


def line(raw: bytes) -> str:
    """A signature line of the log's."""
    return f"\u2014 {ORIGIN} {base64.b64encode(raw).decode()}\n"


NOTES = [
    Bad("truncated", "no signature", note(TEXT + "\n"), "note"),
    Bad("truncated", "no last line feed", note(NOTE[:-1]), "note"),
    Bad("truncated", "in the signature", note(NOTE[:-3] + b"\n"), "note"),
    Bad("reordered", "the signature first", note(f"{LINE}\n{TEXT}"), "note"),
    Bad("reordered", "lines of the text", note(f"11\n{ORIGIN}\n\n{LINE}"), "signature"),
    Bad("oversized", "too long", note(NOTE + b"x" * MAX_NOTE_SIZE), "note"),
    Bad("oversized", "too many", note(f"{TEXT}\n{LINE * (MAX_SIGNATURES + 1)}"), "note"),
    Bad("non-canonical", "other line ends", note(NOTE.replace(b"\n", b"\r\n")), "note"),
    Bad("non-canonical", "a hyphen", note(NOTE.replace("\u2014".encode(), b"-")), "note"),
    Bad("non-canonical", "no padding", note(NOTE.replace(b"=", b"")), "note"),
    Bad("non-canonical", "not UTF-8", note(NOTE + b"\xff"), "note"),
    Bad("wrong origin", "another's", note(sign_note(TEXT, OTHER)), "signature_missing"),
    Bad("wrong origin", "its name", note(NOTE.replace(b"\x94 b", b"\x94 x")), "signature_missing"),
    Bad("wrong size", "a byte less", note(f"{TEXT}\n{line(RAW[:-1])}"), "signature"),
    Bad("wrong size", "a byte more", note(f"{TEXT}\n{line(RAW + RAW[-1:])}"), "signature"),
    Bad("wrong size", "only the key's id", note(f"{TEXT}\n{line(RAW[:4])}"), "note"),
]


@pytest.mark.parametrize("bad", NOTES, ids=lambda bad: f"{bad.kind}: {bad.what}")
def test_notes(bad: Bad) -> None:
    refused(bad)


def checkpoint(*lines: str, by: SignerKey = SIGNER) -> Callable[[], object]:
    """Open a checkpoint of these lines, which the log has signed."""
    data = sign_note("".join(f"{one}\n" for one in lines), by)
    return lambda: open_checkpoint(data, KEY)


ROOT = base64.b64encode(CHECKPOINT.root).decode()
SHORT = base64.b64encode(CHECKPOINT.root[:-1]).decode()
MIXED = ROOT[:-2] + chr(ord(ROOT[-2]) + 1) + "="
RENAMED = SignerKey("other.example/log", bytes(range(32)))

CHECKPOINTS = [
    Bad("truncated", "no root", checkpoint(ORIGIN, "11"), "checkpoint"),
    Bad("truncated", "a shorter root", checkpoint(ORIGIN, "11", SHORT), "checkpoint"),
    Bad("reordered", "size and root", checkpoint(ORIGIN, ROOT, "11"), "checkpoint"),
    Bad("reordered", "origin last", checkpoint("11", ROOT, ORIGIN), "checkpoint"),
    Bad("oversized", "a line more", checkpoint(ORIGIN, "11", ROOT, "more"), "checkpoint"),
    Bad("oversized", "2^63", checkpoint(ORIGIN, str(2**63), ROOT), "checkpoint"),
    Bad("oversized", "many digits", checkpoint(ORIGIN, "9" * 5000, ROOT), "checkpoint"),
    Bad("non-canonical", "011", checkpoint(ORIGIN, "011", ROOT), "checkpoint"),
    Bad("non-canonical", "+11", checkpoint(ORIGIN, "+11", ROOT), "checkpoint"),
    Bad("non-canonical", "full-width", checkpoint(ORIGIN, "\uff11\uff11", ROOT), "checkpoint"),
    Bad("non-canonical", "no padding", checkpoint(ORIGIN, "11", ROOT[:-1]), "checkpoint"),
    Bad("non-canonical", "bits left over", checkpoint(ORIGIN, "11", MIXED), "checkpoint"),
    Bad("wrong origin", "in the text", checkpoint(OTHER.name, "11", ROOT), "origin_mismatch"),
    Bad("wrong origin", "all", checkpoint(OTHER.name, "11", ROOT, by=OTHER), "signature_missing"),
    Bad("wrong origin", "a name", checkpoint(ORIGIN, "11", ROOT, by=RENAMED), "signature_missing"),
    Bad("wrong size", "none, with a root", checkpoint(ORIGIN, "0", ROOT), "empty_root"),
    Bad("wrong size", "negative", checkpoint(ORIGIN, "-1", ROOT), "checkpoint"),
]


@pytest.mark.parametrize("bad", CHECKPOINTS, ids=lambda bad: f"{bad.kind}: {bad.what}")
def test_checkpoints(bad: Bad) -> None:
    refused(bad)


# Proof files and tlog-proofs


PROOF = Forge().proof()
FILE = PROOF.to_bytes()
CONTENT: Json = json.loads(FILE)
PATH: list[str] = CONTENT["path"]
SEAL: Json = CONTENT["seal"]


def proof(data: bytes) -> Callable[[], object]:
    """Verify it."""
    return lambda: verify_proof(parse_proof(data), KEY)


def proof_with(**changed: Json) -> Callable[[], object]:
    """Verify it in its canonical spelling, with something else in it."""
    return proof(encode(CONTENT | changed))


def signed_for(text: str, by: SignerKey = SIGNER) -> str:
    """A checkpoint's note as it stands in a proof file."""
    return sign_note(text, by).decode()


FORGED_TEXT = PROOF.checkpoint.decode().rpartition("\n\n")[0] + "\n"
OTHERS = FORGED_TEXT.replace(ORIGIN, OTHER.name)
TWENTY = FORGED_TEXT.replace("\n11\n", "\n20\n")
FIVE = FORGED_TEXT.replace("\n11\n", "\n5\n")

PROOFS = [
    Bad("truncated", "the file", proof(FILE[:-1]), "not_json"),
    Bad("truncated", "in a character", proof(FILE[: FILE.index(b"\xe2") + 1]), "not_utf8"),
    Bad("truncated", "the path", proof_with(path=PATH[:-1]), "path_length"),
    Bad("truncated", "the seal's path", proof_with(seal=SEAL | {"path": []}), "path_length"),
    Bad("reordered", "keys", proof(json.dumps(CONTENT).encode()), "not_canonical"),
    Bad("reordered", "the path", proof_with(path=PATH[::-1]), "root_mismatch"),
    Bad("reordered", "both entries", proof_with(entry=SEAL["entry"]), "entry_kind"),
    Bad("oversized", "the file", proof(FILE + b" " * MAX_PROOF_BYTES), "proof_too_long"),
    Bad("oversized", "the path", proof_with(path=PATH * 20), "path_length"),
    Bad("oversized", "states", proof_with(state={"siblings": PATH[:1] * 257}), "state_depth"),
    Bad("non-canonical", "a space", proof(FILE.replace(b":", b": ", 1)), "not_canonical"),
    Bad(
        "non-canonical",
        "capitals",
        proof_with(path=[PATH[0].upper(), *PATH[1:]]),
        "proof_malformed",
    ),
    Bad("non-canonical", "a key twice", proof(b'{"index":5,' + FILE[1:]), "duplicate_key"),
    Bad("wrong origin", "text", proof_with(checkpoint=signed_for(OTHERS)), "origin_mismatch"),
    Bad(
        "wrong origin", "all", proof_with(checkpoint=signed_for(OTHERS, OTHER)), "signature_missing"
    ),
    Bad("wrong size", "larger", proof_with(checkpoint=signed_for(TWENTY)), "path_length"),
    Bad("wrong size", "smaller", proof_with(checkpoint=signed_for(FIVE)), "index_outside"),
    Bad("wrong size", "the index", proof_with(index=11), "index_outside"),
]


@pytest.mark.parametrize("bad", PROOFS, ids=lambda bad: f"{bad.kind}: {bad.what}")
def test_proofs(bad: Bad) -> None:
    refused(bad)


TLOG = tlog_proof_of(PROOF).to_bytes()
TLOG_LINES = TLOG.partition(b"\n\n")[0].split(b"\n")


def tlog(data: bytes) -> Callable[[], object]:
    """Verify it of the entry."""
    return lambda: verify_tlog_proof(parse_tlog_proof(data), PROOF.placed.entry, KEY)


def tlog_with(*lines: bytes, note: bytes = PROOF.checkpoint) -> Callable[[], object]:
    """Verify one of these lines, over some checkpoint."""
    return tlog(b"\n".join(lines) + b"\n\n" + note)


TOP, EXTRA, INDEX, *HASHES = TLOG_LINES
ALL = TLOG_LINES

TLOG_PROOFS = [
    Bad("truncated", "at its head", tlog(TOP), "tlog_proof"),
    Bad("truncated", "no checkpoint", tlog(b"\n".join(ALL) + b"\n\n"), "note"),
    Bad("truncated", "the path", tlog_with(*ALL[:-1]), "path_length"),
    Bad("reordered", "the path", tlog_with(TOP, EXTRA, INDEX, *HASHES[::-1]), "root_mismatch"),
    Bad("reordered", "the index", tlog_with(TOP, EXTRA, *HASHES, INDEX), "tlog_proof"),
    Bad("reordered", "the extra data", tlog_with(TOP, INDEX, EXTRA, *HASHES), "tlog_proof"),
    Bad("oversized", "the file", tlog(TLOG + b" " * MAX_TLOG_PROOF), "tlog_proof_too_long"),
    Bad("oversized", "64 hashes", tlog_with(TOP, INDEX, *HASHES[:1] * 64), "tlog_proof"),
    Bad("oversized", "a hash more", tlog_with(*ALL, HASHES[0]), "path_length"),
    Bad("non-canonical", "index 05", tlog_with(TOP, EXTRA, b"index 05", *HASHES), "tlog_proof"),
    Bad("non-canonical", "padding", tlog_with(*ALL[:-1], ALL[-1][:-1]), "tlog_proof"),
    Bad("non-canonical", "line ends", tlog(TLOG.replace(b"\n", b"\r\n")), "tlog_proof"),
    Bad("non-canonical", "version", tlog_with(TOP[:-1] + b"2", *ALL[1:]), "tlog_proof"),
    Bad("wrong origin", "text", tlog_with(*ALL, note=sign_note(OTHERS, SIGNER)), "origin_mismatch"),
    Bad("wrong origin", "all", tlog_with(*ALL, note=sign_note(OTHERS, OTHER)), "signature_missing"),
    Bad("wrong size", "larger", tlog_with(*ALL, note=sign_note(TWENTY, SIGNER)), "path_length"),
    Bad("wrong size", "smaller", tlog_with(*ALL, note=sign_note(FIVE, SIGNER)), "index_outside"),
]


@pytest.mark.parametrize("bad", TLOG_PROOFS, ids=lambda bad: f"{bad.kind}: {bad.what}")
def test_tlog_proofs(bad: Bad) -> None:
    refused(bad)


@pytest.mark.parametrize("table", [NOTES, CHECKPOINTS, PROOFS, TLOG_PROOFS])
def test_no_cell_of_the_table_is_empty(table: list[Bad]) -> None:
    whole({bad.kind for bad in table})
