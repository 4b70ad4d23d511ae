"""What stands in the published file stays there, and nothing unchecked is put beside it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chain.errors import VerificationError
from chain.signing.note import Signature, parse_note
from chain.signing.policy import Policy
from tests.chain.books import Books
from tests.witness.inside import NOW, cosigner

WAYS: dict[str, Callable[[Books], object]] = {
    "publish": Books.publish,
    "put": lambda books: books.log.publisher.put(),
}


def _cosigned(books: Books, number: int) -> Signature:
    """The cosignature of what the file ``checkpoint`` says by this witness."""
    return cosigner(number).cosign(parse_note(books.published()).text, NOW)


@pytest.mark.parametrize("way", WAYS)
def test_lines_that_the_database_lost_stay_in_their_place(tmp_path: Path, way: str) -> None:
    """Whoever has read the file finds every line again, though an older database was restored."""
    books = Books(tmp_path)
    books.grow(3)
    lost = books.published() + _cosigned(books, 2).line().encode()
    (books.log_folder / "checkpoint").write_bytes(lost)
    WAYS[way](books)
    assert books.published() == lost
    more = _cosigned(books, 1)
    books.store.add_signatures(4, [more])
    WAYS[way](books)
    assert books.published() == lost + more.line().encode()


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_cosignature_is_not_added_to_what_is_published(tmp_path: Path, way: str) -> None:
    one, two = (cosigner(number) for number in (1, 2))
    books = Books(tmp_path, policy=Policy((one.verifier, two.verifier), 1))
    books.publish()
    books.add(3)
    books.publish()
    signed = books.store.latest_checkpoint()
    assert signed is not None
    books.store.add_signatures(4, [one.cosign(parse_note(signed.note).text, NOW)])
    books.publish()
    before = books.published()
    assert one.verifier.name.encode() in before
    books.store.add_signatures(4, [two.cosign("another\ntext\n", NOW)])
    with pytest.raises(VerificationError, match=r"^signature\b"):
        WAYS[way](books)
    assert books.published() == before
