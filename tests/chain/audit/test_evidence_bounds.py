"""Evidence of what stands first, in the middle or last, and of the longest."""

import json
from pathlib import Path

import pytest

from chain.audit.evidence import (
    MAX_EVIDENCE_BYTES,
    Fork,
    fork_evidence,
    promise_evidence,
    verify_evidence,
)
from chain.commitment import anchor
from chain.entry import anchor_entry
from chain.errors import MalformedError, VerificationError
from chain.hashing import sha256
from chain.signing.cosignature import add_signatures
from chain.signing.note import parse_note
from tests.chain.audit.test_evidence import (
    DOCUMENT,
    KEY,
    PROMISE_KEY,
    SECOND,
    WITNESS,
    Promised,
)
from tests.chain.histories import history
from tests.chain.trees import Leaves

HISTORY = history(12)


def sealed(promised: Promised, *documents: bytes) -> bytes:
    """Seal a block of these after the deadline, and return the checkpoint's note."""
    head = promised.books.log.head()
    drafts = [anchor_entry("invoice", anchor(sha256(name))) for name in documents]
    at = promised.deadline + SECOND
    promised.books.log.sequence(head, drafts, sealed_at=at, cursor=head.cursor + len(drafts))
    promised.books.publish()
    return promised.books.published()


@pytest.fixture
def promised(tmp_path: Path) -> Promised:
    """A log without entries, and a promise."""
    return Promised(tmp_path)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_promise_is_kept_wherever_in_a_block(promised: Promised, place: int) -> None:
    others = [anchor_entry("invoice", anchor(sha256(b"%d" % n))) for n in range(2)]
    others.insert(place, anchor_entry("invoice", anchor(DOCUMENT)))
    head = promised.books.log.head()
    promised.books.log.sequence(head, others, sealed_at=promised.deadline, cursor=head.cursor + 3)
    sealed(promised, b"later")
    promised.copy()
    with pytest.raises(VerificationError, match=r"^promise_kept\b"):
        promised.evidence()


def test_the_checkpoint_that_is_given_is_the_one_that_is_shown(promised: Promised) -> None:
    older = sealed(promised, *(b"%d" % n for n in range(300)))
    sealed(promised, *(b"%d" % n for n in range(1000, 1400)))
    promised.copy()
    data = promise_evidence(promised.note, KEY, PROMISE_KEY, promised.mirror, (), older)
    assert json.loads(data)["checkpoint"] == older.decode()
    assert promised.verify(data).size == 301
    assert json.loads(promised.evidence())["checkpoint"] == promised.books.published().decode()


@pytest.mark.parametrize("small", [1, 2, 5])
def test_the_first_entry_is_enough_to_differ(small: int) -> None:
    notes = (HISTORY.fork(0).note(small), HISTORY.note(9))
    data = fork_evidence(*notes, Leaves(HISTORY.leaves), HISTORY.keys[0])
    found = verify_evidence(data, HISTORY.keys[0])
    assert isinstance(found, Fork)
    assert (found.one.size, found.other.size) == (small, 9)
    assert found.found == HISTORY.checkpoint(small).root


def test_a_time_that_no_calendar_has(promised: Promised) -> None:
    note = sealed(promised, b"x")
    promised.copy()
    line = WITNESS.cosign(parse_note(note).text, 2**62)
    younger, witnesses = add_signatures(note, [line]), [WITNESS.verifier]
    with pytest.raises(MalformedError, match=r"^cosignature_time\b"):
        promise_evidence(promised.note, KEY, PROMISE_KEY, promised.mirror, witnesses, younger)


def test_a_file_of_the_longest_length_is_read() -> None:
    with pytest.raises(MalformedError, match=r"^not_json\b"):
        verify_evidence(b" " * MAX_EVIDENCE_BYTES, KEY)
    with pytest.raises(MalformedError, match=r"^evidence_malformed\b"):
        verify_evidence(b" " * (MAX_EVIDENCE_BYTES + 1), KEY)
