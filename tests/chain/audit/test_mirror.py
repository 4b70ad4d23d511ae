"""Copying a log: all of it or nothing new, whatever is bent and wherever it is interrupted."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from chain.audit.evidence import Fork, open_mirror, verify_evidence
from chain.audit.fetch import FolderSource, HttpSource
from chain.audit.mirror import MirrorReport, check_mirror, compare_mirrors, mirror_log
from chain.entry import anchor_entry, lock_entry, seal_entry
from chain.errors import MalformedError, Problem, UnavailableError, VerificationError
from chain.hashing import ZERO, leaf_hash, sha256
from chain.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from chain.signing.cosignature import Cosigner, add_signatures
from chain.signing.note import SignerKey
from chain.tree.merkle_slow import slow_root
from chain.tree.tiles import TileFolder, TileId, decode_bundle
from tests.chain.books import NOON, ORIGIN, SIGNER, Books, drafts_from, name
from tests.chain.log.test_crash import Fuse, PowerCut
from tests.chain.served import Served, go_another_way, roll_back, serve

KEY = SIGNER.verifier


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """A log of 545 entries in three blocks, one of which changes states."""
    (tmp_path / "log").mkdir()
    books = Books(tmp_path / "log")
    books.grow(3, 300)
    head = books.log.head()
    red = anchor_entry("invoice", sha256(b"red"), reverses=name(0), reversal="full")
    drafts = [red, *drafts_from(head.size + 1, 238)]
    books.log.sequence(head, drafts, sealed_at=NOON + timedelta(minutes=1), cursor=600)
    books.publish()
    return books


@pytest.fixture
def served(books: Books) -> Iterator[Served]:
    """The same, behind a web server."""
    with serve(books.log_folder) as served:
        yield served


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where the mirror will be."""
    return tmp_path / "mirror"


def _mirror(served: Served, copy: Path) -> MirrorReport:
    with closing(HttpSource(served.url)) as source:
        return mirror_log(source, copy, KEY)


def _from(books: Books, copy: Path) -> MirrorReport:
    return mirror_log(FolderSource(books.log_folder), copy, KEY)


def _files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tmp"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _size(copy: Path) -> int:
    path = copy / "checkpoint"
    return open_checkpoint(path.read_bytes(), KEY).size if path.exists() else 0


def test_the_copy_is_the_log(books: Books, served: Served, copy: Path, tmp_path: Path) -> None:
    report = _mirror(served, copy)
    assert (report.before, report.size, report.blocks) == (0, 545, 3)
    found, log = _files(copy), _files(books.log_folder)
    assert found.pop("checkpoints/545") == books.published()
    assert found.items() <= log.items()
    again = check_mirror(copy, KEY)
    assert (again.root, again.blocks, again.sealed_at) == (report.root, 3, report.sealed_at)
    with serve(copy) as second:  # and so it serves as a log, for the next mirror
        assert _mirror(second, tmp_path / "second").root == report.root
    assert _files(tmp_path / "second") == _files(copy)


def test_an_empty_log_has_a_mirror_too(tmp_path: Path, copy: Path) -> None:
    (tmp_path / "new").mkdir()
    books = Books(tmp_path / "new")
    books.publish()
    assert _from(books, copy).size == 0
    books.grow(3)
    assert _from(books, copy).size == 4


def test_it_grows_with_the_log_and_fetches_no_whole_tile_twice(
    books: Books, served: Served, copy: Path
) -> None:
    _mirror(served, copy)
    books.grow(1000)
    served.asked.clear()
    report = _mirror(served, copy)
    assert (report.before, report.size) == (545, 1546)
    assert not {"tile/0/000", "tile/0/001", "tile/entries/000"} & set(served.asked)
    assert {path.name for path in (copy / "checkpoints").iterdir()} == {"545", "1546"}
    assert not (copy / "tile/0/002.p").exists()  # superseded
    assert compare_mirrors(copy, books.log_folder, KEY) is None


def test_nothing_new_changes_nothing(served: Served, copy: Path) -> None:
    _mirror(served, copy)
    before = _files(copy)
    assert _mirror(served, copy).before == 545
    assert _files(copy) == before


def test_progress_ends_at_the_end(books: Books, copy: Path) -> None:
    told: list[tuple[int, int]] = []
    mirror_log(
        FolderSource(books.log_folder), copy, KEY, lambda done, all_: told.append((done, all_))
    )
    assert told == [(256, 545), (512, 545), (545, 545)]


@pytest.mark.parametrize("kept", [True, False])
def test_interrupted_at_every_write_it_goes_on(
    books: Books, copy: Path, monkeypatch: pytest.MonkeyPatch, *, kept: bool, tmp_path: Path
) -> None:
    """What is published is whole after each cut, and the end is as if there had been none."""
    wanted = tmp_path / "wanted"
    _from(books, wanted)
    rename, cuts, copies = Path.rename, 0, tmp_path
    while True:
        copy = copies / f"cut{cuts}"
        fuse = Fuse(cuts, kept=kept)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", lambda *a, fuse=fuse: fuse.around(lambda: rename(*a)))
            try:
                _from(books, copy)
                break
            except PowerCut:
                cuts += 1
        if _size(copy):
            assert open_mirror(copy, KEY).checkpoint.size == 545
            assert _files(copy) == _files(wanted)
        _from(books, copy)
        assert _files(copy) == _files(wanted)
    assert cuts == len(_files(wanted))


@pytest.mark.parametrize("kept", [True, False])
def test_an_interrupted_update_leaves_the_old_log_or_the_new_one(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, kept: bool
) -> None:
    start, rename, unlink = tmp_path / "start", Path.rename, Path.unlink
    _from(books, start)
    books.grow(300)
    cuts, sizes = 0, set()
    while True:
        copy = tmp_path / f"cut{cuts}"
        shutil.copytree(start, copy)
        fuse = Fuse(cuts, kept=kept)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", lambda *a, fuse=fuse: fuse.around(lambda: rename(*a)))
            patch.setattr(
                Path,
                "unlink",
                lambda *a, fuse=fuse, **k: fuse.around(lambda: unlink(*a, **k)),
            )
            try:
                _from(books, copy)
                break
            except PowerCut:
                cuts += 1
        size = check_mirror(copy, KEY).size
        sizes.add(size)
        assert _from(books, copy).before == size
        assert check_mirror(copy, KEY).size == 846
    assert sizes == {545, 846}


def test_a_kill_leaves_what_the_next_run_does_not_fetch_again(served: Served, copy: Path) -> None:
    served.bent["tile/entries/002.p/33"] = 503
    with pytest.raises(UnavailableError, match=r"^log_status\b"):
        _mirror(served, copy)
    assert not (copy / "checkpoint").exists()
    # The files of a batch are written together; as if it had been full:
    TileFolder(copy).write_range(0, 512, [leaf_hash(e) for e in _entries(served)], _entries(served))
    served.bent.clear()
    served.asked.clear()
    assert _mirror(served, copy).size == 545
    assert [path for path in served.asked if "entries" in path] == ["tile/entries/002.p/33"]


def _entries(served: Served) -> list[bytes]:
    with closing(HttpSource(served.url)) as source:
        return [e for n in (0, 1) for e in decode_bundle(source.tile(TileId(None, n)), 256)]


def test_a_damaged_copy_is_fetched_again(served: Served, copy: Path) -> None:
    _mirror(served, copy)
    before = _files(copy)
    for path in ("tile/0/000", "tile/entries/001"):
        (copy / path).write_bytes(before[path][:-1] + b"?")
        with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
            check_mirror(copy, KEY)
    _mirror(served, copy)
    assert _files(copy) == before


BENDS: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "short": lambda data: data[:-1],
    "long": lambda data: data + b"x",
    "empty": lambda _data: b"",
}


@pytest.mark.parametrize("bend", BENDS)
@pytest.mark.parametrize(
    "path",
    [
        *("tile/0/000", "tile/0/001", "tile/0/002.p/33", "tile/1/000.p/2"),
        *("tile/entries/000", "tile/entries/001", "tile/entries/002.p/33"),
    ],
)
def test_a_bent_file_is_named_and_nothing_is_published(
    books: Books, served: Served, copy: Path, path: str, bend: str
) -> None:
    data = (books.log_folder / path).read_bytes()
    served.bent[path] = BENDS[bend](data)
    with pytest.raises(Problem) as caught:
        _mirror(served, copy)
    at_the_end = bend == "flipped" and path in ("tile/0/002.p/33", "tile/1/000.p/2")
    too_long = bend == "long" and "entries" not in path
    code = "file_too_long" if too_long else "root_mismatch" if at_the_end else "tile_damaged"
    assert caught.value.code == code
    if code == "tile_damaged":
        assert caught.value.extra["path"] == path
    assert not (copy / "checkpoint").exists()
    served.bent.clear()
    assert _mirror(served, copy).size == 545


@pytest.mark.parametrize("path", ["tile/0/001", "tile/entries/002.p/33", "tile/1/000.p/2"])
def test_a_missing_file_is_named(served: Served, copy: Path, path: str) -> None:
    served.bent[path] = 404
    with pytest.raises(VerificationError, match=r"^tile_missing\b") as caught:
        _mirror(served, copy)
    assert caught.value.extra["path"] == path


def test_a_bent_checkpoint_is_refused(books: Books, served: Served, copy: Path) -> None:
    note = books.published()
    thief = SignerKey(ORIGIN, bytes(32))
    checkpoint = open_checkpoint(note, KEY)
    cases: list[tuple[bytes, str]] = [
        (note.replace(b"545", b"546"), "signature"),
        (note[:-2], "note"),
        (b"", "note"),
        (sign_checkpoint(checkpoint, thief), "signature_missing"),
        (sign_checkpoint(Checkpoint(ORIGIN, 545, sha256(b"")), SIGNER), "root_mismatch"),
    ]
    for bent, code in cases:
        served.bent["checkpoint"] = bent
        with pytest.raises((MalformedError, VerificationError)) as caught:
            _mirror(served, copy)
        assert caught.value.code == code
        assert not (copy / "checkpoint").exists()


def test_a_log_whose_seals_lie_is_refused(tmp_path: Path, copy: Path) -> None:
    """Signed and hashed rightly, and no chain of blocks all the same."""
    good = [*drafts_from(0, 2), seal_entry(1, ZERO, 0, 2, NOON)]
    seal = leaf_hash(good[2])
    earlier = NOON - timedelta(seconds=1)
    bent: list[tuple[list[bytes], str]] = [
        ([*drafts_from(0, 2), seal_entry(2, ZERO, 0, 2, NOON)], "height 1"),
        ([*drafts_from(0, 2), seal_entry(1, seal, 0, 2, NOON)], "previous"),
        ([*drafts_from(0, 2), seal_entry(1, ZERO, 1, 2, NOON)], "first 0"),
        ([*drafts_from(0, 2), seal_entry(1, ZERO, 0, 1, NOON)], "count 2"),
        ([*drafts_from(0, 2), seal_entry(1, ZERO, 0, 2, NOON, seal)], "states"),
        ([*good, *drafts_from(3, 1), seal_entry(2, ZERO, 3, 1, NOON)], "previous"),
        ([*good, *drafts_from(3, 1), seal_entry(2, seal, 3, 1, earlier)], "sealed_at"),
        ([*good, *drafts_from(3, 1)], "a seal at the log's end"),
        ([b"{}"], "a canonical entry"),
        ([_lock(), seal_entry(1, ZERO, 0, 1, NOON)], "states that follow"),
    ]
    for place, (entries, expected) in enumerate([(good, ""), *bent]):
        log = tmp_path / f"log{place}"
        leaves = [leaf_hash(entry) for entry in entries]
        log.mkdir()
        TileFolder(log).write_range(0, len(entries), leaves, entries)
        checkpoint = Checkpoint(ORIGIN, len(entries), slow_root(leaves))
        (log / "checkpoint").write_bytes(sign_checkpoint(checkpoint, SIGNER))
        target = tmp_path / f"copy{place}"
        if not expected:
            assert mirror_log(FolderSource(log), target, KEY).blocks == 1
            continue
        with pytest.raises(VerificationError, match=expected) as caught:
            mirror_log(FolderSource(log), target, KEY)
        assert caught.value.code == "audit_failed"
        assert not (target / "checkpoint").exists()


def _lock() -> bytes:
    return lock_entry("reimbursement", name(0), "released", sha256(b"holder"))


@pytest.mark.parametrize("size", ["longer", "same", "shorter"])
def test_a_log_that_forks_is_refused_with_evidence(
    books: Books, copy: Path, tmp_path: Path, size: str
) -> None:
    fork = roll_back(books, tmp_path / "fork")
    books = Books(books.folder)
    books.grow(50)
    go_another_way(fork, {"longer": 90, "same": 50, "shorter": 20}[size])
    _from(books, copy)
    before = _files(copy)
    with pytest.raises(VerificationError, match=r"^log_forked\b") as caught:
        _from(fork, copy)
    after = _files(copy)
    kept, evidence = (str(caught.value.extra[name]) for name in ("kept", "evidence"))
    assert after.pop(kept) == fork.published()
    found = verify_evidence(after.pop(evidence), KEY)
    assert isinstance(found, Fork)
    assert {found.one.size, found.other.size} == {545 + 51, fork.log.head().size}
    assert after == before  # nothing of the other history came in
    assert _from(books, copy).size == 596


def test_a_log_that_shrinks_is_refused(books: Books, copy: Path, tmp_path: Path) -> None:
    old = roll_back(books, tmp_path / "old")
    books = Books(books.folder)
    books.grow(50)
    _from(books, copy)
    with pytest.raises(VerificationError, match=r"^log_shrank\b") as caught:
        _from(old, copy)
    assert (copy / str(caught.value.extra["kept"])).read_bytes() == old.published()
    assert "evidence" not in caught.value.extra  # an old checkpoint proves nothing
    assert _size(copy) == 596


def test_what_was_seen_but_not_yet_copied_binds_too(
    books: Books, copy: Path, tmp_path: Path
) -> None:
    """Interrupted after it has seen a checkpoint, it takes no history that contradicts it."""
    _from(books, copy)
    fork = roll_back(books, tmp_path / "fork")
    books = Books(books.folder)
    books.grow(50)
    with serve(books.log_folder) as served:
        served.bent["tile/entries/002.p/84"] = 503
        with pytest.raises(UnavailableError):
            _mirror(served, copy)
    assert _size(copy) == 545
    go_another_way(fork, 90)
    with pytest.raises(VerificationError, match=r"^log_forked\b"):
        _from(fork, copy)


def test_two_that_saw_a_fork_but_copied_nothing_of_it_tell_too(
    books: Books, tmp_path: Path
) -> None:
    mirrors = tmp_path / "one", tmp_path / "two"
    for mirror in mirrors:
        _from(books, mirror)
    fork = roll_back(books, tmp_path / "fork")
    books = Books(books.folder)
    books.grow(50)
    go_another_way(fork, 50)
    for log, mirror in zip((books, fork), mirrors, strict=True):
        with serve(log.log_folder) as served:
            served.bent["tile/entries/002.p/84"] = 503
            with pytest.raises(UnavailableError):
                _mirror(served, mirror)
    evidence = compare_mirrors(*mirrors, KEY)
    assert evidence is not None
    found = verify_evidence(evidence, KEY)
    assert isinstance(found, Fork)
    assert found.one.size == found.other.size == 596


def test_cosignatures_that_come_late_are_kept(books: Books, copy: Path) -> None:
    witness = Cosigner(SignerKey("witness.example", bytes(range(2, 34))))
    plain = books.published()
    text = open_checkpoint(plain, KEY).to_text()
    cosigned = add_signatures(plain, [witness.cosign(text, 1_800_000_000)])
    for served, kept in ((plain, plain), (cosigned, cosigned), (plain, cosigned)):
        (books.log_folder / "checkpoint").write_bytes(served)
        _from(books, copy)
        assert (copy / "checkpoint").read_bytes() == kept
        assert (copy / "checkpoints/545").read_bytes() == kept


def test_one_at_a_time(books: Books, copy: Path) -> None:
    class Nested(FolderSource):
        def checkpoint(self) -> bytes:
            _from(books, copy)
            return super().checkpoint()

    with pytest.raises(UnavailableError, match=r"^mirror_busy\b"):
        mirror_log(Nested(books.log_folder), copy, KEY)


def test_a_full_disk_publishes_nothing(
    books: Books, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError, match=r"^disk_full\b"):
        _from(books, copy)
    assert not (copy / "checkpoint").exists()
