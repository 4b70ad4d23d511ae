"""Asking a log for what it has: blocks, ways to entries, and a code for what is not there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chain.entry import format_time
from chain.errors import NotFoundError, VerificationError
from chain.hashing import leaf_hash
from chain.tree.merkle import verify_inclusion
from tests.chain.books import NOON, Books


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """A log without entries."""
    return Books(tmp_path)


def test_what_is_not_there_has_its_code(books: Books) -> None:
    for ask, code in (
        (books.log.block, "no_block"),
        (books.log.block_of, "no_block"),
        (books.log.entry, "no_entry"),
    ):
        with pytest.raises(NotFoundError) as caught:
            ask(0)
        assert caught.value.code == code


def test_a_page_of_blocks_has_a_hundred(books: Books) -> None:
    for _ in range(101):
        books.add(1)
    assert [block.height for block in books.log.blocks()] == list(range(1, 101))
    assert [block.height for block in books.log.blocks(100)] == [101]


def test_the_way_up_from_a_full_tile_comes_in_two_parts(books: Books) -> None:
    books.grow(300)
    size = books.log.head().size
    for index in (0, 255):
        way = books.log.way_in_tile(index)
        assert way is not None
        above = books.log.way_above_tile(index, size)
        assert [*way, *above] == books.log.inclusion(index, size)


def test_when_a_checkpoint_was_signed_is_noted(books: Books) -> None:
    books.grow(1)
    with closing(sqlite3.connect(books.folder / "log.db")) as connection:
        noted = connection.execute("SELECT signed_at FROM checkpoints").fetchall()
    assert noted == [(format_time(NOON),)]


def test_blocks_that_were_published_together_have_their_ways_by_the_last_ones_tiles(
    books: Books,
) -> None:
    first, last = books.add(3), books.add(5)
    books.publish()
    for index in range(first.size):
        leaf = leaf_hash(books.log.entry(index))
        way = books.log.inclusion(index, first.size, last.size)
        verify_inclusion(leaf, index, first.size, way, first.root)
        whole = books.log.inclusion(index, last.size)
        verify_inclusion(leaf, index, last.size, whole, last.root)
        assert books.log.inclusion(index, last.size, first.size) == whole
    with pytest.raises(VerificationError, match="tile_missing"):
        books.log.inclusion(0, first.size)
