"""Copying a log into a folder that any static web server can serve as the same log.

Everything is verified on its way in; the order of the writes is that of the log itself:

1. ``checkpoints/<size>``: each checkpoint seen, once it continues the one before;
2. tiles and entry bundles, each proven under that checkpoint (``proven.ProvenTree``);
3. ``checkpoint``, once every entry has been read: seals chain, states follow, all is on disk.

A crash leaves whole files, which the next run reads instead of fetching them. A checkpoint that
does not continue what has been seen is kept in ``refused/``, with the evidence where there is any.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chain.audit.evidence import fork_evidence, open_mirror
from chain.audit.fetch import CHECKPOINT, FolderSource, LogSource
from chain.audit.proven import ProvenTree
from chain.audit.sealed import SealChain
from chain.durable import make_folder, write_file, write_files
from chain.errors import NotFoundError, Problem, UnavailableError, VerificationError
from chain.hashing import Digest
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.keys import TrustedKeys, keys_of
from chain.signing.note import parse_note
from chain.tree import merkle
from chain.tree.tiles import TileFolder, TileId, encode_bundle

Progress = Callable[[int, int], None]
"""Called with the entries copied so far and those there are."""

SEEN: Final = "checkpoints"
REFUSED: Final = "refused"

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_BATCH_FILES: Final = 64
_BATCH_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class MirrorReport:
    """What the mirror now holds; ``before`` is the size that it had."""

    origin: str
    before: int
    size: int
    root: Digest
    blocks: int
    sealed_at: str


def mirror_log(
    source: LogSource, folder: Path, log_key: TrustedKeys, progress: Progress | None = None
) -> MirrorReport:
    """Bring the mirror in ``folder`` up to the log's newest checkpoint; may be interrupted.

    Raises VerificationError: ``log_forked`` and ``log_shrank`` for a checkpoint that does not
    continue those that were seen (``kept`` names the file, ``evidence`` the proof),
    ``tile_damaged``, ``tile_missing``, ``root_mismatch``, ``audit_failed``, and those of notes;
    MalformedError; UnavailableError, ``mirror_busy`` among others. Then nothing of it is published.
    """
    make_folder(folder)
    with _alone(folder):
        return _Mirror(source, folder, log_key, progress).run()


def check_mirror(
    folder: Path, log_key: TrustedKeys, progress: Progress | None = None
) -> MirrorReport:
    """Read a whole mirror again, as ``mirror_log`` read the log; the same errors, no writes."""
    tree = open_mirror(folder, log_key)
    chain = SealChain()
    for tile in tree.tiles(0):
        _add(chain, tree, tile, progress)
    chain.finish()
    return _report(tree.checkpoint, tree.checkpoint.size, chain)


def seen_checkpoints(folder: Path, log_key: TrustedKeys) -> list[tuple[Checkpoint, bytes]]:
    """Return every checkpoint that a mirror has seen, refused ones too, in order of size.

    Those by a key that has been revoked since are among them: they may be its thief's.
    """
    ever = keys_of(log_key).ever()
    paths = [*(folder / SEEN).glob("*"), *(folder / REFUSED).glob("*.note"), folder / CHECKPOINT]
    found: dict[tuple[int, bytes], tuple[Checkpoint, bytes]] = {}
    for path in paths:
        if path.is_file() and not path.name.startswith("."):
            note = path.read_bytes()
            checkpoint = open_checkpoint(note, ever)
            found[checkpoint.size, checkpoint.root] = checkpoint, note
    return [found[key] for key in sorted(found)]


def compare_mirrors(one: Path, other: Path, log_key: TrustedKeys) -> bytes | None:
    """Return the evidence that two mirrors were shown different logs, or None.

    Every checkpoint that either has seen is held against the larger one's tree. Raises as
    ``ProvenTree`` when a mirror is damaged; that says nothing of the log. Where one of the two was
    signed by a key that is revoked by now, the evidence is against whoever had that key.
    """
    ever = keys_of(log_key).ever()
    tree = max((open_mirror(path, log_key) for path in (one, other)), key=_size_of)
    longer: dict[int, tuple[Checkpoint, bytes]] = {}
    for checkpoint, note in seen_checkpoints(one, log_key) + seen_checkpoints(other, log_key):
        if checkpoint.size <= tree.checkpoint.size:
            if _differs(tree, checkpoint):
                return fork_evidence(note, _note(tree, one, other, log_key), tree, ever)
        # Signed, but neither has its tree yet: two of one size tell by themselves.
        elif longer.setdefault(checkpoint.size, (checkpoint, note))[0] != checkpoint:
            return fork_evidence(note, longer[checkpoint.size][1], None, ever)
    return None


class _Mirror:
    """One run."""

    def __init__(
        self, source: LogSource, folder: Path, log_key: TrustedKeys, progress: Progress | None
    ) -> None:
        self._source = source
        self._folder = folder
        self._key = log_key
        self._ever = keys_of(log_key).ever()  # for what was seen before a key was revoked
        self._progress = progress
        self._local = FolderSource(folder)
        self._batch: dict[Path, bytes] = {}

    def run(self) -> MirrorReport:
        """See ``mirror_log``."""
        note = self._source.checkpoint()
        checkpoint = open_checkpoint(note, self._key)
        before = self._published()
        tree = self._continue(checkpoint, note)
        note = self._best(checkpoint, note)
        # A crash after this line: the next run goes on from here, and refuses what forks from it.
        write_file(self._folder / SEEN / str(checkpoint.size), note)
        chain = self._copy(tree)
        # A crash before this line leaves tiles that nobody looks for yet.
        write_file(self._folder / CHECKPOINT, note)
        # A crash before this line leaves partial tiles beside full ones, which does no harm.
        TileFolder(self._folder).drop_partials(before, checkpoint.size)
        return _report(checkpoint, before, chain)

    def _published(self) -> int:
        try:
            return open_checkpoint(self._local.checkpoint(), self._ever).size
        except NotFoundError:
            return 0

    def _seen(self) -> tuple[Checkpoint, bytes] | None:
        """The largest checkpoint seen; it continues all the others."""
        names = [path.name for path in (self._folder / SEEN).glob("*")]
        sizes = [int(name) for name in names if _SIZE.fullmatch(name)]
        if not sizes:
            return None
        note = (self._folder / SEEN / str(max(sizes))).read_bytes()
        return open_checkpoint(note, self._ever), note

    def _best(self, checkpoint: Checkpoint, note: bytes) -> bytes:
        """Of two notes over one checkpoint that with more signatures, the first seen if alike."""
        seen = self._seen()
        if seen is None or seen[0] != checkpoint:
            return note
        return max(seen[1], note, key=lambda one: len(parse_note(one).signatures))

    def _continue(self, checkpoint: Checkpoint, note: bytes) -> ProvenTree:
        """Return the log's tree, if it continues what was seen; nothing is written before that."""
        seen = self._seen()
        if seen is not None and checkpoint.size < seen[0].size:
            raise self._shrank(checkpoint, note, seen)
        if seen is not None and checkpoint.size == seen[0].size and checkpoint != seen[0]:
            evidence = fork_evidence(seen[1], note, None, self._ever)
            raise self._refuse("log_forked", checkpoint, note, seen[0], evidence)
        tree = ProvenTree(checkpoint, self._local, self._source)
        if seen is not None and _differs(tree, seen[0]):
            evidence = fork_evidence(seen[1], note, tree, self._ever)
            raise self._refuse("log_forked", checkpoint, note, seen[0], evidence)
        return tree

    def _shrank(
        self, checkpoint: Checkpoint, note: bytes, seen: tuple[Checkpoint, bytes]
    ) -> Problem:
        """Name a smaller checkpoint: an old one, or (as far as our copy tells) one of a fork."""
        try:
            tree = open_mirror(self._folder, self._ever)
            if checkpoint.size <= tree.checkpoint.size and _differs(tree, checkpoint):
                evidence = fork_evidence(self._local.checkpoint(), note, tree, self._ever)
                return self._refuse("log_forked", checkpoint, note, seen[0], evidence)
        except NotFoundError:
            pass  # our first copy was interrupted
        return self._refuse("log_shrank", checkpoint, note, seen[0], b"")

    def _refuse(
        self, code: str, checkpoint: Checkpoint, note: bytes, seen: Checkpoint, evidence: bytes
    ) -> Problem:
        """Keep the other checkpoint aside, durably, and say so."""
        name = f"{checkpoint.size}-{checkpoint.root.hex()[:16]}"
        extra = {"kept": f"{REFUSED}/{name}.note"}
        files = [(self._folder / REFUSED / f"{name}.note", note)]
        if evidence:
            extra["evidence"] = f"{REFUSED}/{name}.evidence.json"
            files.append((self._folder / extra["evidence"], evidence))
        write_files(files)
        what = "is shorter than" if code == "log_shrank" else "contradicts"
        detail = (
            f"the log shows {checkpoint.size} entries, which {what} the {seen.size} seen before"
        )
        return VerificationError(code, detail, **extra)

    def _copy(self, tree: ProvenTree) -> SealChain:
        """Copy and check everything; durable once it returns."""
        chain = SealChain()
        for tile in tree.tiles(0):
            entries = _add(chain, tree, tile, self._progress)
            self._put(tile._replace(level=None), encode_bundle(entries))
            self._put(tile, b"".join(tree.hashes(0, tile.n)))
        for level in tree.levels()[1:]:
            for tile in tree.tiles(level):
                self._put(tile, b"".join(tree.hashes(level, tile.n)))
        self._flush()
        chain.finish()
        return chain

    def _put(self, tile: TileId, data: bytes) -> None:
        self._batch[self._folder / tile.path()] = data
        full = sum(map(len, self._batch.values())) >= _BATCH_BYTES
        if full or len(self._batch) >= _BATCH_FILES:
            self._flush()

    def _flush(self) -> None:
        # A crash in here leaves some of the files, each whole. Those that are there already stay,
        # and their folders are synced again: a run before this one may not have come to that.
        write_files(self._batch.items())
        self._batch.clear()


def _add(
    chain: SealChain, tree: ProvenTree, tile: TileId, progress: Progress | None
) -> list[bytes]:
    """Take the entries of one bundle into the chain; return them."""
    entries = tree.entries(tile.n)
    for entry, leaf in zip(entries, tree.hashes(0, tile.n), strict=True):
        chain.add(entry, leaf)
    if progress is not None:
        progress(chain.size, tree.checkpoint.size)
    return entries


def _report(checkpoint: Checkpoint, before: int, chain: SealChain) -> MirrorReport:
    return MirrorReport(
        origin=checkpoint.origin,
        before=before,
        size=checkpoint.size,
        root=checkpoint.root,
        blocks=chain.height,
        sealed_at="" if chain.last is None else chain.last.sealed_at,
    )


def _differs(tree: ProvenTree, checkpoint: Checkpoint) -> bool:
    """Whether the tree had another root when it had the checkpoint's size."""
    return bool(checkpoint.size) and merkle.root(tree, checkpoint.size) != checkpoint.root


def _size_of(tree: ProvenTree) -> int:
    return tree.checkpoint.size


def _note(tree: ProvenTree, one: Path, other: Path, log_key: TrustedKeys) -> bytes:
    """The published note under which that tree stands."""
    for path in (one, other):
        note = FolderSource(path).checkpoint()
        if open_checkpoint(note, log_key) == tree.checkpoint:
            return note
    raise UnavailableError("mirror_busy", "a mirror has moved on while it was read; try again")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # freed when its holder dies
        except BlockingIOError:
            detail = "another program is copying to this folder"
            raise UnavailableError("mirror_busy", detail) from None
        yield
    finally:
        os.close(handle)
