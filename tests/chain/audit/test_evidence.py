"""That a log lied: what proves it, what does not, and every way to bend it."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chain import canonical
from chain.audit.evidence import (
    MAX_EVIDENCE_BYTES,
    BrokenPromise,
    Fork,
    fork_evidence,
    is_evidence,
    promise_evidence,
    verify_evidence,
)
from chain.audit.fetch import FolderSource
from chain.audit.mirror import compare_mirrors, mirror_log
from chain.commitment import anchor, password_area
from chain.entry import anchor_entry, format_time
from chain.errors import MalformedError, Problem, UnavailableError, VerificationError
from chain.hashing import sha256
from chain.proof.promise import open_promise, sign_group
from chain.signing.checkpoint import open_checkpoint
from chain.signing.cosignature import Cosigner, add_signatures
from chain.signing.note import SignerKey, sign_note
from tests.chain.books import NOON, ORIGIN, SIGNER, Books, prove_one
from tests.chain.served import go_another_way, roll_back

KEY = SIGNER.verifier
PROMISER = SignerKey(f"{ORIGIN}/promise", bytes(range(1, 33)))
PROMISE_KEY = PROMISER.verifier
WITNESS = Cosigner(SignerKey("witness.example", bytes(range(2, 34))))
DOCUMENT = sha256(b"the promised document")


class Forked:
    """A log of ``common`` entries that went on in two ways, and a mirror of each."""

    def __init__(self, folder: Path, counts: tuple[int, int], common: int = 8) -> None:
        for name in ("log", "mirrors"):
            (folder / name).mkdir()
        first = Books(folder / "log")
        first.grow(common - 1)
        second = roll_back(first, folder / "fork")
        first = Books(folder / "log")
        first.grow(counts[0])
        go_another_way(second, counts[1])
        self.notes = [first.published(), second.published()]
        self.mirrors = (folder / "mirrors" / "one", folder / "mirrors" / "two")
        for books, mirror in zip((first, second), self.mirrors, strict=True):
            mirror_log(FolderSource(books.log_folder), mirror, KEY)


@pytest.mark.parametrize("common", [1, 2, 8, 13, 256, 300])
@pytest.mark.parametrize("counts", [(5, 5), (5, 9), (9, 5), (1, 700)])
def test_two_mirrors_of_a_fork_make_evidence(
    tmp_path: Path, common: int, counts: tuple[int, int]
) -> None:
    forked = Forked(tmp_path, counts, max(common, 2))
    for mirrors in (forked.mirrors, (forked.mirrors[1], forked.mirrors[0])):
        data = compare_mirrors(*mirrors, KEY)
        assert data is not None
        found = verify_evidence(data, KEY)
        assert isinstance(found, Fork)
        assert found.origin == ORIGIN
        assert {found.one, found.other} == {open_checkpoint(note, KEY) for note in forked.notes}
        assert is_evidence(data)


def test_two_mirrors_of_one_log_make_none(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    books = Books(tmp_path / "log")
    books.grow(3)
    mirror_log(FolderSource(books.log_folder), tmp_path / "one", KEY)
    books.grow(300)
    mirror_log(FolderSource(books.log_folder), tmp_path / "two", KEY)
    assert compare_mirrors(tmp_path / "one", tmp_path / "two", KEY) is None
    old = (tmp_path / "one" / "checkpoint").read_bytes()
    with pytest.raises(VerificationError, match=r"^no_fork\b"):
        fork_evidence(old, books.published(), books.tiles.reader(305), KEY)
    with pytest.raises(VerificationError, match=r"^no_fork\b"):
        fork_evidence(old, old, None, KEY)
    with pytest.raises(MalformedError, match=r"^tree_missing\b"):
        fork_evidence(old, books.published(), None, KEY)


def test_what_a_mirror_refused_is_compared_too(tmp_path: Path) -> None:
    """One mirror that was shown both histories is enough."""
    forked = Forked(tmp_path, (5, 9))
    with pytest.raises(VerificationError, match=r"^log_forked\b"):
        mirror_log(FolderSource(forked.mirrors[1]), forked.mirrors[0], KEY)
    data = compare_mirrors(forked.mirrors[0], forked.mirrors[0], KEY)
    # Its own tree is the shorter one: the refused checkpoint's evidence lies beside it.
    assert data is None
    [kept] = (forked.mirrors[0] / "refused").glob("*.evidence.json")
    assert isinstance(verify_evidence(kept.read_bytes(), KEY), Fork)
    assert compare_mirrors(*forked.mirrors, KEY) is not None


def test_a_damaged_mirror_accuses_nobody(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    books = Books(tmp_path / "log")
    books.grow(300)
    for name in ("one", "two"):
        mirror_log(FolderSource(books.log_folder), tmp_path / name, KEY)
        books.grow(300)
    tile = tmp_path / "two" / "tile/0/001"
    tile.write_bytes(bytes(8192))
    with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
        compare_mirrors(tmp_path / "one", tmp_path / "two", KEY)


@pytest.fixture
def fork(tmp_path: Path) -> bytes:
    """Evidence over two sizes, 14 and 18."""
    data = compare_mirrors(*Forked(tmp_path, (5, 9)).mirrors, KEY)
    assert data is not None
    return data


def _swap(said: dict[str, Any]) -> None:
    said["checkpoints"].reverse()


def _same_twice(said: dict[str, Any]) -> None:
    said["checkpoints"][1] = said["checkpoints"][0]


def _no_prefix(said: dict[str, Any]) -> None:
    del said["prefix"]


def _flip_root(said: dict[str, Any]) -> None:
    said["prefix"]["root"] = sha256(b"another").hex()


def _claim_root(said: dict[str, Any]) -> None:
    one = open_checkpoint(said["checkpoints"][0].encode(), KEY)
    said["prefix"]["root"] = one.root.hex()


def _short_path(said: dict[str, Any]) -> None:
    said["prefix"]["path"].pop()


def _long_path(said: dict[str, Any]) -> None:
    said["prefix"]["path"].append("00" * 32)


def _flip_path(said: dict[str, Any]) -> None:
    said["prefix"]["path"][0] = "00" * 32


def _bend_note(said: dict[str, Any]) -> None:
    said["checkpoints"][0] = said["checkpoints"][0].replace("\n14\n", "\n13\n")


def _other_signer(said: dict[str, Any]) -> None:
    text = said["checkpoints"][1].partition("\n\n")[0] + "\n"
    said["checkpoints"][1] = sign_note(text, SignerKey(ORIGIN, bytes(32))).decode()


def _unknown_field(said: dict[str, Any]) -> None:
    said["note"] = ""


def _version(said: dict[str, Any]) -> None:
    said["version"] = 2


def _kind(said: dict[str, Any]) -> None:
    said["kind"] = "rumour"


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (_swap, "evidence_malformed"),
        (_same_twice, "evidence_malformed"),
        (_no_prefix, "evidence_malformed"),
        (_flip_root, "root_mismatch"),
        (_claim_root, "root_mismatch"),
        (_short_path, "path_length"),
        (_long_path, "path_length"),
        (_flip_path, "root_mismatch"),
        (_bend_note, "signature"),
        (_other_signer, "signature_missing"),
        (_unknown_field, "evidence_malformed"),
        (_version, "evidence_version"),
        (_kind, "evidence_malformed"),
    ],
)
def test_bent_evidence_proves_nothing(
    fork: bytes, bend: Callable[[dict[str, Any]], None], code: str
) -> None:
    said = json.loads(fork)
    bend(said)
    with pytest.raises(Problem) as caught:
        verify_evidence(canonical.encode(said), KEY)
    assert caught.value.code == code


def test_every_byte_counts(fork: bytes) -> None:
    for place in range(0, len(fork), 3):
        bent = bytearray(fork)
        bent[place] ^= 1
        with pytest.raises((MalformedError, VerificationError)):
            verify_evidence(bytes(bent), KEY)
    for bent_file in (fork + b"\n", fork[:-1], b" " + fork, b"", bytes(MAX_EVIDENCE_BYTES + 1)):
        with pytest.raises(MalformedError):
            verify_evidence(bent_file, KEY)


def test_a_growing_log_cannot_be_accused(tmp_path: Path) -> None:
    """With honest checkpoints no prefix at all makes evidence."""
    books = Books(tmp_path)
    books.grow(5)
    small = books.published()
    books.grow(7)
    large = books.published()
    path = [d.hex() for d in books.log.consistency(6, 14)]
    for root in (sha256(b"x"), open_checkpoint(small, KEY).root):
        said = {
            "version": 1,
            "kind": "fork",
            "checkpoints": [small.decode(), large.decode()],
            "prefix": {"path": path, "root": root.hex()},
        }
        with pytest.raises(VerificationError, match=r"root_mismatch|no_fork"):
            verify_evidence(canonical.encode(said), KEY)


def test_the_empty_log_contradicts_nothing(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.publish()
    empty = books.published()
    books.grow(5)
    with pytest.raises(VerificationError, match=r"^no_fork\b"):
        fork_evidence(empty, books.published(), books.tiles.reader(6), KEY)


def test_two_of_one_size_have_one_order(tmp_path: Path) -> None:
    data = compare_mirrors(*Forked(tmp_path, (5, 5)).mirrors, KEY)
    assert data is not None
    said = json.loads(data)
    assert "prefix" not in said
    _swap(said)
    with pytest.raises(MalformedError, match=r"^evidence_malformed\b"):
        verify_evidence(canonical.encode(said), KEY)


def test_a_proof_file_is_no_evidence_file(tmp_path: Path) -> None:
    data = prove_one(tmp_path).to_bytes()
    assert not is_evidence(data)
    assert not is_evidence(b"{")
    with pytest.raises(MalformedError, match=r"^evidence_malformed\b"):
        verify_evidence(data, KEY)


class Promised:
    """A log that promised DOCUMENT by a minute after noon, and a mirror of it."""

    def __init__(self, folder: Path, version: int = 1) -> None:
        (folder / "log").mkdir()
        self.books = Books(folder / "log")
        self.mirror = folder / "mirror"
        self.deadline = NOON + timedelta(minutes=1)
        self.version = version
        self.note = promise(self.deadline) if version == 1 else of_a_group(self.deadline)

    def seal(self, at: datetime, *, anchored: bool = False) -> None:
        """Seal a block then, with or without what was promised; and mirror it."""
        head = self.books.log.head()
        document = DOCUMENT if anchored else sha256(b"%d" % head.size)
        draft = anchor_entry("invoice", anchor(document))
        self.books.log.sequence(head, [draft], sealed_at=at, cursor=head.cursor + 1)
        self.books.publish()
        self.copy()

    def copy(self) -> None:
        """Bring the mirror up to date."""
        mirror_log(FolderSource(self.books.log_folder), self.mirror, KEY)

    def evidence(self) -> bytes:
        """What can be shown with the mirror."""
        return promise_evidence(self.note, KEY, PROMISE_KEY, self.mirror, [WITNESS.verifier])

    def verify(self, data: bytes) -> BrokenPromise:
        """What it proves to somebody else."""
        found = verify_evidence(data, KEY, PROMISE_KEY, self.mirror, [WITNESS.verifier])
        assert isinstance(found, BrokenPromise)
        return found


def promise(deadline: datetime, signer: SignerKey = PROMISER) -> bytes:
    """A promise of DOCUMENT."""
    times = f"{format_time(NOON)}\n{format_time(deadline)}"
    return sign_note(f"{signer.name}\n{password_area(DOCUMENT)}\n{times}\n", signer)


def of_a_group(deadline: datetime, signer: SignerKey = PROMISER) -> bytes:
    """A promise of DOCUMENT and two others."""
    documents = [sha256(b"one"), DOCUMENT, sha256(b"two")]
    return sign_group(signer, documents, NOON, deadline, Random(1).randbytes)[1].encode()


@pytest.fixture(params=[1, 2])
def promised(tmp_path: Path, request: pytest.FixtureRequest) -> Promised:
    """A log with a block from before the deadline."""
    promised = Promised(tmp_path, request.param)
    promised.seal(NOON)
    return promised


SECOND = timedelta(seconds=1)


def test_a_promise_that_was_broken(promised: Promised) -> None:
    promised.seal(promised.deadline + SECOND)
    found = promised.verify(promised.evidence())
    assert (found.hash, found.size) == (password_area(DOCUMENT), 4)
    assert (found.seen_at, found.witness) == (promised.deadline + SECOND, None)


def test_late_is_broken_as_well(promised: Promised) -> None:
    promised.seal(promised.deadline + SECOND, anchored=True)
    assert promised.verify(promised.evidence()).deadline == promised.deadline


def test_a_promise_that_was_kept_is_no_evidence(promised: Promised) -> None:
    promised.seal(promised.deadline, anchored=True)
    with pytest.raises(VerificationError, match=r"^promise_kept\b") as caught:
        promised.evidence()
    assert caught.value.extra["block"] == 2
    promised.seal(promised.deadline + SECOND)
    with pytest.raises(VerificationError, match=r"^promise_kept\b"):
        promised.evidence()
    said = {
        "version": promised.version,
        "kind": "broken_promise",
        "promise": promised.note.decode(),
        "checkpoint": promised.books.published().decode(),
    }
    with pytest.raises(VerificationError, match=r"^promise_kept\b"):
        promised.verify(canonical.encode(said))


def test_before_its_time_nothing_is_broken(promised: Promised) -> None:
    promised.seal(promised.deadline)
    with pytest.raises(UnavailableError, match=r"^promise_not_due\b"):
        promised.evidence()


def test_a_witness_knows_the_time_as_well(promised: Promised) -> None:
    """The log has sealed nothing since; who cosigned it later has seen nothing newer."""
    note = promised.books.published()
    checkpoint = open_checkpoint(note, KEY)
    for late, holds in ((0, False), (1, True)):
        time = int(promised.deadline.timestamp()) + late
        signature = WITNESS.cosign(checkpoint.to_text(), time)
        cosigned = add_signatures(note, [signature])
        (promised.mirror / "checkpoint").write_bytes(cosigned)
        if holds:
            found = promised.verify(promised.evidence())
            assert (found.witness, found.seen_at) == ("witness.example", promised.deadline + SECOND)
            with pytest.raises(UnavailableError, match=r"^promise_not_due\b"):
                verify_evidence(promised.evidence(), KEY, PROMISE_KEY, promised.mirror)
        else:
            with pytest.raises(UnavailableError, match=r"^promise_not_due\b"):
                promised.evidence()


def test_a_mirror_that_went_on_shows_the_same(promised: Promised) -> None:
    promised.seal(promised.deadline + SECOND)
    data = promised.evidence()
    promised.books.grow(300)
    promised.copy()
    assert promised.verify(data).size == 4


def test_what_else_is_needed_for_a_broken_promise(promised: Promised, tmp_path: Path) -> None:
    promised.seal(promised.deadline + SECOND)
    data = promised.evidence()
    with pytest.raises(UnavailableError, match=r"^mirror_missing\b"):
        verify_evidence(data, KEY)
    with pytest.raises(VerificationError, match=r"^signature_missing\b"):
        verify_evidence(data, KEY, SignerKey(PROMISER.name, bytes(32)).verifier, promised.mirror)
    (tmp_path / "short").mkdir()
    behind = Promised(tmp_path / "short")
    behind.seal(NOON)
    with pytest.raises(VerificationError, match=r"^mirror_behind\b"):
        verify_evidence(data, KEY, PROMISE_KEY, behind.mirror)
    behind.books.grow(9)
    behind.copy()
    with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
        verify_evidence(data, KEY, PROMISE_KEY, behind.mirror)
    (promised.mirror / "tile/entries/000.p/4").write_bytes(b"")
    with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
        verify_evidence(data, KEY, PROMISE_KEY, promised.mirror)


def test_a_promise_of_another_log_is_none_of_this_one(promised: Promised) -> None:
    promised.seal(promised.deadline + SECOND)
    stranger = SignerKey("other.example/promise", bytes(range(32)))
    said = json.loads(promised.evidence())
    make = promise if promised.version == 1 else of_a_group
    said["promise"] = make(promised.deadline, stranger).decode()
    with pytest.raises(VerificationError, match=r"^promise_of_another\b"):
        verify_evidence(canonical.encode(said), KEY, stranger.verifier, promised.mirror)


def test_the_file_is_of_its_promise_s_version(promised: Promised) -> None:
    promised.seal(promised.deadline + SECOND)
    said = json.loads(promised.evidence())
    assert said["version"] == promised.version
    assert said["promise"] == promised.note.decode()
    for version, refused in ((3 - promised.version, "evidence_malformed"), (3, "evidence_version")):
        with pytest.raises(MalformedError, match=rf"^{refused}\b"):
            promised.verify(canonical.encode(said | {"version": version}))


def test_a_path_to_another_group_is_no_evidence(promised: Promised) -> None:
    promised.seal(promised.deadline + SECOND)
    said = json.loads(promised.evidence())
    if promised.version == 2:
        other = of_a_group(promised.deadline + SECOND).decode()
        said["promise"] = said["promise"].replace("index 1", "index 0")
        with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
            promised.verify(canonical.encode(said))
        said["promise"] = other.replace("index 1", "index 2")
        with pytest.raises(VerificationError, match=r"^(root_mismatch|path_length)\b"):
            promised.verify(canonical.encode(said))


def test_a_bent_promise_is_none() -> None:
    good = promise(NOON)
    assert open_promise(good, PROMISE_KEY).anchor == anchor(DOCUMENT)
    text = good.decode().partition("\n\n")[0] + "\n"
    plain = SignerKey(ORIGIN, bytes(range(32)))
    cases: list[tuple[str, SignerKey, str]] = [
        (text + "more\n", PROMISER, "promise_malformed"),
        (text.replace("/promise", "/promised"), PROMISER, "promise_of_another"),
        (text.replace(PROMISER.name, ORIGIN), plain, "promise_of_another"),
        (text.replace("\n01", "\n02"), PROMISER, "password_area"),
        (text.replace("Z\n", "+00:00\n"), PROMISER, "time_malformed"),
        (
            text.replace(format_time(NOON), format_time(NOON + SECOND), 1),
            PROMISER,
            "promise_malformed",
        ),
    ]
    for bent, signer, code in cases:
        with pytest.raises(Problem, match=rf"^{code}\b"):
            open_promise(sign_note(bent, signer), signer.verifier)
    with pytest.raises(VerificationError, match=r"^signature\b"):
        open_promise(good.replace(b"2026", b"2027"), PROMISE_KEY)
