"""A log that lacks what it should have: nothing is published or said in its place."""

from pathlib import Path

import pytest

from chain.errors import VerificationError
from chain.signing.policy import Policy
from tests.chain.books import Books, name
from tests.witness.inside import cosigner


def test_the_log_publishes_by_its_policy(tmp_path: Path) -> None:
    """Signed, but not published before a witness has cosigned it."""
    books = Books(tmp_path, policy=Policy((cosigner(1).verifier,), 1))
    books.add(3)
    assert books.publish().size == 4
    assert not (books.log_folder / "checkpoint").exists()


def test_a_block_that_does_not_end_in_a_seal_has_no_states(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.grow(3)
    other = books.log.entry(0)
    books.tamper("UPDATE entries SET entry = ? WHERE idx = 3", other)
    with pytest.raises(VerificationError) as caught:
        Books(tmp_path).log.prove_state(name(0), 4)
    assert caught.value.code == "seal_missing"
