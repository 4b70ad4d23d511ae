"""Publishing under a policy: real logs, real witnesses on real sockets, some of them in trouble."""

import shutil
import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chain.audit.audit import audit_log
from chain.audit.finding import AuditError
from chain.entry import anchor_entry
from chain.errors import UnavailableError, VerificationError
from chain.hashing import sha256
from chain.proof.verify import verify_proof
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import SignerKey, open_note, parse_note
from chain.signing.policy import NO_WITNESSES
from chain.witness import cosigning
from chain.witness.client import Limits
from tests.chain.books import NOON, ORIGIN, SIGNER, Books, prove_one
from tests.patience import NEVER, PATIENCE
from tests.witness.desk import ALL, ONE, THREE, TWO, Desk, published
from tests.witness.inside import NOW, cosigner, http_answer
from tests.witness.room import LIMITS


def test_it_is_published_when_the_policy_holds_and_not_before(desk: Desk) -> None:
    books, cosigners = desk.open(3)
    books.publish()
    assert published(books) == (0, set())  # an empty log says nothing that needs a witness
    books.grow(5)
    assert published(books)[0] == 0
    assert books.log.latest_checkpoint()[0].size == 0
    gathered = cosigners.run()
    assert gathered is not None
    assert gathered.met
    assert published(books) == (6, set(ALL))
    assert books.log.latest_checkpoint() == (books.publish(), books.published())


def test_a_proof_carries_the_cosignatures(desk: Desk) -> None:
    folder = desk.folder / "one"
    folder.mkdir()
    proof = prove_one(folder)  # published without witnesses; then the policy is switched on
    books, cosigners = desk.open(2, folder)
    books.publish()
    assert published(books)[1] == set()
    cosigners.run()
    size, cosigned = published(books)
    assert size == books.log.head().size
    assert cosigned == set(ALL)
    policy = desk.policy(3)
    with pytest.raises(VerificationError, match=r"^quorum\b"):
        verify_proof(proof, SIGNER.verifier, policy)
    later = replace(proof, checkpoint=books.published())
    assert len(verify_proof(later, SIGNER.verifier, policy).witnesses) == 3


@pytest.mark.parametrize("trouble", ["gone", "silent", "lying", "failing"])
def test_a_missing_witness_delays_nothing_that_is_not_required(desk: Desk, trouble: str) -> None:
    if trouble == "gone":
        desk.gone(THREE)
    elif trouble == "silent":
        desk.peer(THREE)
    elif trouble == "lying":
        desk.peer(THREE, lambda _: http_answer(409, b"99\n", "text/x.tlog.size"))
    else:
        desk.peer(THREE, lambda _: http_answer(500, b"no"))
    books, cosigners = desk.open(2, limits=Limits(exchange=NEVER, grace=0.2))
    for count in (3, 4):
        books.grow(count)
        cosigners.confirm()
        gathered = cosigners.run()
        assert gathered is None or gathered.met  # None: confirming has published already
        assert published(books) == (books.log.head().size, {ONE, TWO})


def test_it_is_published_before_the_time_of_grace(desk: Desk) -> None:
    """Whoever is silent is waited for, but not before others can see what the quorum has."""
    held = threading.Event()

    def silent(_: bytes) -> bytes:
        held.wait(PATIENCE)
        return http_answer(500, b"no")

    desk.peer(THREE, silent)
    books, cosigners = desk.open(2, limits=LIMITS)
    books.grow(3)
    asking = threading.Thread(target=cosigners.run)
    asking.start()
    while not (books.log_folder / "checkpoint").exists():
        assert asking.is_alive()
    assert published(books) == (4, {ONE, TWO})
    assert asking.is_alive(), "it still waits for the third"
    held.set()
    asking.join()


def test_it_waits_for_the_quorum_and_then_publishes_the_newest(desk: Desk) -> None:
    both = dict(desk.urls)
    desk.gone(TWO)
    desk.gone(THREE)
    books, cosigners = desk.open(2)
    for count in (3, 300):  # the log goes on meanwhile
        books.grow(count)
        gathered = cosigners.run()
        assert gathered is not None
        assert not gathered.met
        assert len(gathered.failures()) == 2
    assert not (books.log_folder / "checkpoint").exists()
    desk.urls = both
    books, cosigners = desk.open(2)
    cosigners.run()
    assert published(books) == (305, set(ALL))
    audit_log(books.store, books.log_folder, SIGNER.verifier)


def test_whoever_comes_late_is_published_later(desk: Desk) -> None:
    working = desk.urls[THREE]
    desk.gone(THREE)
    books, cosigners = desk.open(1)
    books.grow(3)
    cosigners.run()
    early = books.published()
    assert published(books) == (4, {ONE, TWO})
    desk.urls[THREE] = working
    books, cosigners = desk.open(1)
    cosigners.run()
    assert published(books) == (4, set(ALL))
    assert books.published().startswith(early)  # who has read it finds it unchanged


def test_a_quorum_for_an_older_checkpoint_counts(desk: Desk) -> None:
    """Witnesses too slow for a log in a hurry: what they cosigned is published all the same."""
    desk.gone(THREE)
    books, cosigners = desk.open(2)
    books.grow(3)
    stored = books.store.latest_checkpoint()
    assert stored is not None
    text = parse_note(stored.note).text
    books.grow(3)
    slow = [cosigner(number).cosign(text, NOW) for number in (1, 2)]
    books.store.add_signatures(4, slow)
    books.publish()
    assert published(books) == (4, {ONE, TWO})
    cosigners.run()
    assert published(books) == (8, {ONE, TWO})
    books.store.add_signatures(4, [cosigner(3).cosign(text, NOW)])
    books.publish()
    assert published(books) == (8, {ONE, TWO})  # never back


def test_a_damaged_cosignature_is_not_published(desk: Desk) -> None:
    books, cosigners = desk.open(2)
    books.grow(3)
    cosigners.run()
    books.grow(3)
    cosigners.run()
    before = books.published()
    books.add(1)
    books.log.publisher.publish([SIGNER], None)
    wrong = cosigner(1).cosign("another\ntext\n", NOW)
    books.store.add_signatures(10, [wrong])
    with pytest.raises(VerificationError, match=r"^signature\b"):
        books.publish()
    assert books.published() == before


def test_who_has_cosigned_is_not_asked_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    working = desk.urls[THREE]
    silent = desk.peer(THREE, lambda _: http_answer(500, b"no"))
    books, cosigners = desk.open(2)
    books.grow(3)
    assert cosigners.run() is not None
    assert cosigners.run() is None  # it is published: no hurry
    assert len(silent.requests) == 1
    monkeypatch.setattr(cosigning, "PATIENCE", 0.0)
    again = cosigners.run()
    assert again is not None
    assert len(silent.requests) == 2
    assert [len(desk.asked[key]) for key in (ONE, TWO)] == [1, 1]
    desk.urls[THREE] = working
    books, cosigners = desk.open(2)
    cosigners.run()
    assert cosigners.run() is None
    assert published(books)[1] == set(ALL)


def test_while_it_is_not_published_the_missing_are_asked_each_time(desk: Desk) -> None:
    failing = desk.peer(THREE, lambda _: http_answer(500, b"no"))
    books, cosigners = desk.open(3)
    books.grow(3)
    for _ in range(3):
        assert cosigners.run() is not None
    assert len(failing.requests) == 3
    assert [len(desk.asked[key]) for key in (ONE, TWO)] == [1, 1]


class TestRollback:
    """An older copy of everything is put back: the witnesses know better."""

    @pytest.fixture
    def restored(self, desk: Desk) -> Path:
        """The log's folder as it was at 4 entries; the witnesses have cosigned 10."""
        books, cosigners = desk.open(2)
        books.grow(3)
        cosigners.run()
        copy = desk.folder / "restored"
        copy.mkdir()
        for part in ("log.db", "log.db-wal"):
            shutil.copy(desk.folder / part, copy / part)
        shutil.copytree(desk.folder / "log", copy / "log")
        books.grow(5)
        cosigners.run()
        return copy

    def test_nothing_is_signed(self, desk: Desk, restored: Path) -> None:
        books, cosigners = desk.open(2, restored)
        books.add(2)
        for _ in range(2):
            with pytest.raises(VerificationError, match=r"^log_rolled_back\b"):
                cosigners.confirm()
        assert books.log.head().size == 7
        stored = books.store.latest_checkpoint()
        assert stored is not None
        assert stored.size == 4

    def test_whoever_signs_all_the_same_publishes_nothing(self, desk: Desk, restored: Path) -> None:
        books, cosigners = desk.open(2, restored)
        for count in (2, 20):  # smaller than what the witnesses saw, and larger
            books.grow(count)
            with pytest.raises(VerificationError, match=r"^log_rolled_back\b"):
                cosigners.run()
            assert published(books)[0] == 4

    def test_a_second_root_for_one_size(self, desk: Desk, restored: Path) -> None:
        books, cosigners = desk.open(2, restored)
        head = books.log.head()
        later = NOON + timedelta(minutes=1)
        books.log.sequence(head, _others(5), sealed_at=later, cursor=head.cursor + 5)
        books.publish()
        assert books.log.head().size == 10
        with pytest.raises(VerificationError, match="another history"):
            cosigners.run()

    def test_a_database_that_is_new(self, desk: Desk, restored: Path) -> None:
        empty = desk.folder / "empty"
        empty.mkdir()
        books, cosigners = desk.open(2, empty)
        books.publish()
        with pytest.raises(VerificationError, match=r"^log_rolled_back\b"):
            cosigners.confirm()

    def test_one_witness_alone_stops_nobody(self, desk: Desk, restored: Path) -> None:
        """It may be the witness that is wrong."""
        for number in (1, 2):
            shutil.rmtree(desk.folder / f"w{number}", ignore_errors=True)
        desk.stack.close()
        for number in (1, 2, 3):
            desk.witness(number)
        books, cosigners = desk.open(2, restored)
        books.grow(2)
        assert cosigners.confirm() is not None
        gathered = cosigners.run()
        if gathered is not None:
            assert len(cosigners.contradictions(gathered)) == 1
        assert published(books) == (7, {ONE, TWO})


def _others(count: int) -> list[bytes]:
    return [anchor_entry("invoice", sha256(b"other %d" % index)) for index in range(count)]


def test_confirming_asks_anew_and_once(desk: Desk) -> None:
    books, cosigners = desk.open(2)
    books.grow(3)
    cosigners.run()
    _, another = desk.open(2)
    assert another.confirm() is not None
    assert another.confirm() is None
    assert [len(desk.asked[key]) for key in ALL] == [2, 2, 2]


def test_without_a_quorum_nothing_more_is_signed(desk: Desk) -> None:
    """Nothing could be published, and whether we were rolled back nobody can tell."""
    books, cosigners = desk.open(2)
    books.grow(3)
    cosigners.run()
    desk.gone(ONE)
    desk.gone(TWO)
    _, another = desk.open(2)
    with pytest.raises(UnavailableError, match=r"^witnesses_away\b") as caught:
        another.confirm()
    assert ONE.name in str(caught.value)
    assert THREE.name not in str(caught.value)


def test_an_empty_log_needs_no_quorum_to_begin(desk: Desk) -> None:
    for key in ALL:
        desk.gone(key)
    books, cosigners = desk.open(2)
    books.publish()
    cosigners.confirm()


def test_another_worker_is_no_contradiction(desk: Desk) -> None:
    """It has signed more, and had it cosigned, between our signing and our asking."""
    books, cosigners = desk.open(2)
    books.grow(3)
    other, others = desk.open(2)
    signed = books.log.publisher.signed()
    assert signed is not None
    other.grow(3)
    others.run()
    gathered = cosigners._gather(signed)
    assert {answer.problem.code for answer in gathered.failures() if answer.problem} == {
        "witness_ahead"
    }
    assert cosigners.contradictions(gathered) == ()
    assert published(books)[0] == 8


def test_a_new_key_signs_the_newest_checkpoint_too(desk: Desk) -> None:
    """Rotation: the log's next key takes effect although nothing new has come."""
    books, cosigners = desk.open(2)
    books.grow(3)
    cosigners.run()
    before = books.published()
    second = SignerKey(ORIGIN, bytes([9]) * 32)
    for _ in range(2):
        books.log.publish(SIGNER, second)
    assert books.published().startswith(before)
    found = open_note(books.published(), [SIGNER.verifier, second.verifier])
    assert len(found.signatures) == 2
    assert published(books) == (4, set(ALL))
    audit_log(books.store, books.log_folder, SIGNER.verifier)


def test_a_new_key_alone_is_enough_to_confirm(tmp_path: Path) -> None:
    """After a theft the witnesses know the new key only, which has signed beside the old one."""
    second = SignerKey(ORIGIN, bytes([9]) * 32)
    with ExitStack() as stack:
        desk = Desk(tmp_path, stack)
        for number in (1, 2, 3):
            desk.witness(number, second.verifier)
        books, cosigners = desk.open(2)
        books.grow(3)
        with pytest.raises(UnavailableError, match="witnesses_away"):
            cosigners.confirm()
        books.log.publish(second)
        assert cosigners.confirm() is not None
        assert published(books) == (4, set(ALL))


def test_a_new_key_signs_nothing_that_is_not_in_the_tiles(desk: Desk) -> None:
    books = Books(desk.folder, policy=NO_WITNESSES)
    books.grow(3)
    stored = books.store.latest_checkpoint()
    assert stored is not None
    false = sign_checkpoint(Checkpoint(ORIGIN, 4, sha256(b"false")), SIGNER)
    books.tamper("UPDATE checkpoints SET note = ? WHERE size = 4", false)
    second = SignerKey(ORIGIN, bytes([9]) * 32)
    with pytest.raises(VerificationError, match=r"^root_mismatch\b"):
        books.log.publish(SIGNER, second)
    assert books.store.signatures(4) == []


def test_the_audit_finds_a_line_that_nobody_stored(desk: Desk) -> None:
    books, cosigners = desk.open(2)
    books.grow(3)
    cosigners.run()
    audit_log(books.store, books.log_folder, SIGNER.verifier)
    text = parse_note(books.published()).text
    more = cosigner(7).cosign(text, NOW).line().encode()
    (books.log_folder / "checkpoint").write_bytes(books.published() + more)
    with pytest.raises(AuditError):
        audit_log(books.store, books.log_folder, SIGNER.verifier)
