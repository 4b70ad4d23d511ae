"""Which key counts for which checkpoint: one that signs, a retired one, a revoked one."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from chain.audit.audit import audit_log
from chain.audit.evidence import Fork, fork_evidence, verify_evidence
from chain.audit.fetch import FolderSource
from chain.audit.finding import AuditError
from chain.audit.mirror import check_mirror, compare_mirrors, mirror_log
from chain.errors import MalformedError, Problem, VerificationError
from chain.hashing import Digest, sha256
from chain.proof.tlogproof import tlog_proof_of, verify_tlog_proof
from chain.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from chain.signing.cosignature import Cosigner
from chain.signing.keys import Last, LogKey, LogKeys, TrustedKeys, keys_of
from chain.signing.note import Note, Signature, SignerKey, VerifierKey
from tests.chain.books import NOON, ORIGIN, SIGNER, Books, prove_one

OLD, NEW = SIGNER, SignerKey(ORIGIN, bytes([2]) * 32)
STRANGER = SignerKey(ORIGIN, bytes([9]) * 32)
ROOT, OTHER_ROOT = sha256(b"root"), sha256(b"another")
RETIRED = LogKeys(
    ORIGIN, (LogKey(NEW.verifier), LogKey(OLD.verifier, last=Last(10, ROOT))), (OLD.verifier,)
)
REVOKED = LogKeys(ORIGIN, (LogKey(NEW.verifier), LogKey(OLD.verifier, revoked=True)))


def signed(size: int, *signers: SignerKey, root: Digest = ROOT) -> bytes:
    """A checkpoint."""
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), *signers)


def opened(note: bytes, keys: TrustedKeys) -> str:
    """What comes of opening it: "ok" or the code."""
    try:
        open_checkpoint(note, keys)
    except Problem as problem:
        return problem.code
    return "ok"


@pytest.mark.parametrize(
    ("size", "signers", "root", "said"),
    [
        (1, [OLD], ROOT, "ok"),
        (9, [OLD], OTHER_ROOT, "ok"),
        (10, [OLD], ROOT, "ok"),
        (10, [OLD], OTHER_ROOT, "key_retired"),
        (11, [OLD], ROOT, "key_retired"),
        (10, [OLD, NEW], OTHER_ROOT, "ok"),
        (11, [OLD, NEW], ROOT, "ok"),
        (11, [NEW, OLD], ROOT, "ok"),
        (1, [NEW], ROOT, "ok"),
        (11, [STRANGER], ROOT, "signature_missing"),
        (11, [STRANGER, OLD], ROOT, "key_retired"),
        (11, [STRANGER, NEW], ROOT, "ok"),
    ],
)
def test_a_retired_key_counts_up_to_its_last_checkpoint(
    size: int, signers: Sequence[SignerKey], root: Digest, said: str
) -> None:
    assert opened(signed(size, *signers, root=root), RETIRED) == said


@pytest.mark.parametrize("size", [0, 1, 10, 11])
def test_a_revoked_key_counts_for_nothing(size: int) -> None:
    root = sha256(b"") if size == 0 else ROOT
    assert opened(signed(size, OLD, root=root), REVOKED) == "key_revoked"
    assert opened(signed(size, OLD, NEW, root=root), REVOKED) == "ok"
    assert opened(signed(size, OLD, root=root), REVOKED.ever()) == "ok"


def test_retired_and_revoked_together_are_told_as_retired() -> None:
    third = SignerKey(ORIGIN, bytes([3]) * 32)
    keys = LogKeys(
        ORIGIN,
        (
            LogKey(third.verifier),
            LogKey(OLD.verifier, last=Last(10, ROOT)),
            LogKey(NEW.verifier, revoked=True),
        ),
    )
    assert opened(signed(11, OLD, NEW), keys) == "key_retired"
    assert opened(signed(10, OLD, NEW), keys) == "ok"


@pytest.mark.parametrize("keys", [RETIRED, REVOKED, LogKeys.of(OLD.verifier, NEW.verifier)])
@pytest.mark.parametrize("wrong", [OLD, NEW])
def test_a_wrong_signature_of_any_known_key_refuses_the_note(
    keys: LogKeys, wrong: SignerKey
) -> None:
    text = Checkpoint(ORIGIN, 5, ROOT).to_text()
    bad = Signature(ORIGIN, wrong.verifier.key_id, bytes(64))
    good = [signer.sign(text) for signer in (OLD, NEW) if signer is not wrong]
    assert opened(Note(text, (*good, bad)).to_bytes(), keys) == "signature"


def test_one_key_is_as_it_always_was() -> None:
    assert opened(signed(5, OLD), OLD.verifier) == "ok"
    assert opened(signed(5, OLD, NEW), OLD.verifier) == "ok"
    assert opened(signed(5, NEW), OLD.verifier) == "signature_missing"
    assert keys_of(OLD.verifier) == LogKeys.of(OLD.verifier)
    assert keys_of(RETIRED) is RETIRED


def test_the_origin_is_still_the_log_s() -> None:
    note = sign_checkpoint(Checkpoint("other.example", 5, ROOT), NEW)
    assert opened(note, RETIRED) == "origin_mismatch"


def test_keys_that_are_not_of_one_log_are_refused() -> None:
    with pytest.raises(VerificationError) as several:
        LogKeys.of(OLD.verifier, SignerKey("x", bytes(32)).verifier)
    with pytest.raises(MalformedError) as witness:
        LogKeys.of(Cosigner(OLD).verifier)
    with pytest.raises(MalformedError) as twice:
        LogKeys(ORIGIN, (LogKey(OLD.verifier), LogKey(OLD.verifier, revoked=True)))
    with pytest.raises(MalformedError) as promise:
        LogKeys(ORIGIN, (LogKey(OLD.verifier),), (Cosigner(OLD).verifier,))
    codes = [caught.value.code for caught in (several, witness, twice, promise)]
    assert codes == ["origin_mismatch", "key_type", "key_ambiguous", "key_type"]


def test_those_that_sign_are_told_from_the_others() -> None:
    assert RETIRED.signing == (NEW.verifier,)
    assert RETIRED.verifiers == (NEW.verifier, OLD.verifier)
    assert LogKeys.of(OLD.verifier, NEW.verifier, OLD.verifier).signing == (
        OLD.verifier,
        NEW.verifier,
    )


def rotated(folder: Path) -> tuple[Books, LogKeys]:
    """A log of three blocks: the old key signed the first, both the second, the new the third."""
    folder.mkdir()
    books = Books(folder)
    books.grow(3)
    books.add(2)
    last = books.log.publish(OLD, NEW, signed_at=NOON)
    books.add(4)
    books.log.publish(NEW, signed_at=NOON)
    old = LogKey(OLD.verifier, last=Last(last.size, last.root))
    return books, LogKeys(ORIGIN, (LogKey(NEW.verifier), old))


def only_new(keys: LogKeys) -> VerifierKey:
    """The key that signs now, alone."""
    return keys.signing[0]


def test_an_audit_takes_the_whole_history(tmp_path: Path) -> None:
    books, keys = rotated(tmp_path / "a")
    assert audit_log(books.store, books.log_folder, keys).checkpoints == 3
    revoked = LogKeys(ORIGIN, (keys.keys[0], LogKey(OLD.verifier, revoked=True)))
    assert audit_log(books.store, books.log_folder, revoked).checkpoints == 3
    with pytest.raises(AuditError):
        audit_log(books.store, books.log_folder, only_new(keys))


def test_the_published_checkpoint_needs_a_key_that_counts(tmp_path: Path) -> None:
    tmp_path.joinpath("a").mkdir()
    books = Books(tmp_path / "a")
    books.grow(3)
    with pytest.raises(AuditError) as caught:
        audit_log(books.store, books.log_folder, REVOKED)
    assert "key_revoked" in caught.value.extra["found"]  # type: ignore[operator]


def test_a_mirror_follows_through_a_rotation_and_a_theft(tmp_path: Path) -> None:
    """What it saw before stays; what the log shows now needs a key that counts."""
    books = Books(tmp_path)
    books.grow(3)
    source, folder = FolderSource(books.log_folder), tmp_path / "mirror"
    assert mirror_log(source, folder, OLD.verifier).size == 4
    books.grow(2)
    with pytest.raises(VerificationError) as caught:
        mirror_log(source, folder, REVOKED)
    assert caught.value.code == "key_revoked"
    books.add(2)
    books.log.publish(NEW, signed_at=NOON)
    assert mirror_log(source, folder, REVOKED).before == 4
    assert check_mirror(folder, REVOKED).size == books.log.head().size
    assert compare_mirrors(folder, books.log_folder, REVOKED) is None


def test_a_thief_s_fork_is_kept_and_is_no_evidence_against_the_log(tmp_path: Path) -> None:
    """Whoever still trusts the stolen key is shown two histories; who knows better is not."""
    books = Books(tmp_path)
    books.grow(3)
    source, folder = FolderSource(books.log_folder), tmp_path / "mirror"
    mirror_log(source, folder, OLD.verifier)
    size = books.log.head().size
    forged = sign_checkpoint(Checkpoint(ORIGIN, size, OTHER_ROOT), OLD)
    (folder / "refused").mkdir()
    (folder / "refused" / "x.note").write_bytes(forged)
    books.add(2)
    books.log.publish(NEW, signed_at=NOON)
    mirror_log(source, folder, REVOKED)
    evidence = compare_mirrors(folder, folder, REVOKED)
    assert evidence is not None
    with pytest.raises(VerificationError) as caught:
        verify_evidence(evidence, REVOKED)
    assert caught.value.code == "key_revoked"
    verify_evidence(evidence, REVOKED.ever())
    twice = fork_evidence(forged, signed(size, OLD), None, OLD.verifier)
    with pytest.raises(VerificationError):
        verify_evidence(twice, REVOKED)


def test_evidence_holds_across_a_rotation(tmp_path: Path) -> None:
    """Two histories are two histories, whichever of the log's keys signed them."""
    books, keys = rotated(tmp_path / "a")
    last = keys.keys[1].last
    assert last is not None
    small = signed(4, OLD, root=OTHER_ROOT)
    published = books.published()
    evidence = fork_evidence(small, published, books.tiles.reader(12), keys)
    fork = verify_evidence(evidence, keys)
    assert isinstance(fork, Fork)
    assert (fork.one.size, fork.other.size) == (4, 12)
    with pytest.raises(VerificationError) as caught:
        verify_evidence(evidence, OLD.verifier)
    assert caught.value.code == "signature_missing"
    for size, root in ((last.size, OTHER_ROOT), (last.size + 1, ROOT)):
        with pytest.raises(VerificationError) as late:
            fork_evidence(signed(size, OLD, root=root), published, books.tiles.reader(12), keys)
        assert late.value.code == "key_retired"  # its thief's, perhaps


def test_a_tlog_proof_under_all_keys(tmp_path: Path) -> None:
    proof = prove_one(tmp_path)
    tlog, entry = tlog_proof_of(proof), proof.placed.entry
    assert verify_tlog_proof(tlog, entry, LogKeys.of(NEW.verifier, OLD.verifier)).index
    with pytest.raises(VerificationError) as caught:
        verify_tlog_proof(tlog, entry, REVOKED)
    assert caught.value.code == "key_revoked"
