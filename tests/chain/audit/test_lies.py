"""A log that lies about itself, though every digest fits: the audit names it all the same."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from chain.audit.audit import audit_log
from chain.audit.finding import AuditError
from chain.entry import anchor_entry, parse_entry, seal_entry
from chain.hashing import ZERO
from tests.chain.books import NOON, SIGNER, Books, name

COUNTS = (3, 300, 1, 250, 20)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound log, to be copied."""
    folder = tmp_path_factory.mktemp("sound")
    books = Books(folder)
    books.publish()
    books.grow(*COUNTS)
    books.store.close()
    return folder


@pytest.fixture
def books(sound: Path, tmp_path: Path) -> Books:
    """A copy of the sound log."""
    shutil.copytree(sound, tmp_path / "copy")
    return Books(tmp_path / "copy")


def named(books: Books) -> tuple[str, int | str]:
    """What the audit names: kind and place."""
    with pytest.raises(AuditError) as found:
        audit_log(books.store, books.log_folder, SIGNER.verifier)
    extra = found.value.extra
    assert found.value.code == "audit_failed"
    assert f"{extra['kind']} {extra['place']}: expected {extra['expected']}" in str(found.value)
    kind, place = extra["kind"], extra["place"]
    assert isinstance(kind, str)
    return kind, place


def _lying_log(books: Books, seal: Callable[[int], bytes]) -> Books:
    """Seal one more block whose seal says what ``seal`` makes of the first index; publish it."""
    real = books.log.head()

    def lie(*_a: object, **_k: object) -> bytes:
        return seal(real.size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chain.log.log.seal_entry", lie)
        books.add(2)
    books.publish()
    return books


@pytest.mark.parametrize(
    "part", ["height", "previous", "first", "count", "sealed_at"], ids=lambda part: part
)
def test_a_seal_that_does_not_fit_its_block(books: Books, part: str) -> None:
    head = books.log.head()
    height = 7 if part == "height" else 6
    previous = ZERO if part == "previous" else head.seal
    count = 3 if part == "count" else 2
    moment = NOON if part == "sealed_at" else NOON.replace(second=5)

    def seal(first: int) -> bytes:
        return seal_entry(height, previous, first - (part == "first"), count, moment)

    kind, place = named(_lying_log(books, seal))
    assert (kind, place) == ("block" if part == "sealed_at" else "seal", 6)


def test_a_seal_in_the_middle_of_a_block(books: Books) -> None:
    seal = seal_entry(6, books.log.head().seal, 579, 1, NOON.replace(second=5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chain.log.log._parse_draft", parse_entry)
        books.log.sequence(books.log.head(), [seal], sealed_at=NOON.replace(second=6), cursor=999)
    books.publish()
    assert named(books) == ("entry", 579)


# The state map


def _reverse(books: Books, mine: int, whom: int) -> None:
    draft = anchor_entry("invoice", name(mine), reverses=name(whom), reversal="full")
    head = books.log.head()
    books.log.sequence(head, [draft], sealed_at=NOON.replace(second=6), cursor=999)


def test_states_are_derived_again(books: Books) -> None:
    _reverse(books, 9001, 0)
    _reverse(books, 9002, 1)
    books.publish()
    assert audit_log(books.store, books.log_folder, SIGNER.verifier).blocks == 7


def test_a_seal_with_states_that_do_not_follow(books: Books) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chain.log.log.state_changes", lambda *_: {name(0): {"reversal": "full"}})
        books.add(1)
    books.publish()
    assert named(books) == ("seal", books.log.head().height)


def test_a_node_of_the_state_map_that_was_changed(books: Books) -> None:
    _reverse(books, 9001, 0)
    books.publish()
    books.tamper("UPDATE state_nodes SET body = CAST(x'02' || hash AS BLOB)")
    assert named(books)[0] == "state"
