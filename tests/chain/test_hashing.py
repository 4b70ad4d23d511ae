"""Digests: known values, and one strict door for bytes from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from chain.hashing import (
    EMPTY_ROOT,
    ZERO,
    Digest,
    digest_from_hex,
    leaf_hash,
    leaf_hashes,
    node_hash,
    node_hashes,
    sha256,
    sha256_each,
    sha256_of_parts,
    sha256_state,
    to_digest,
)

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, example 1


def test_known_digest() -> None:
    assert sha256(b"abc").hex() == ABC
    assert sha256_state(b"abc").hexdigest() == ABC


def test_a_leaf_is_never_a_node() -> None:
    left, right = sha256(b"left"), sha256(b"right")
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"abc") == sha256(b"\x00abc")
    assert node_hash(left, right) == sha256(b"\x01" + left + right)


@given(st.lists(st.binary(max_size=80), max_size=9))
def test_many_at_once_are_the_same_as_one_by_one(entries: list[bytes]) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    assert leaf_hashes(entries) == leaves
    assert sha256_each(entries) == [sha256(entry) for entry in entries]
    pairs = [leaves[at : at + 2] for at in range(0, len(leaves) - 1, 2)]
    assert node_hashes(leaves) == [node_hash(left, right) for left, right in pairs]


def test_constants() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert bytes(32) == ZERO


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_only_32_bytes_become_a_digest(length: int) -> None:
    with pytest.raises(MalformedError) as caught:
        to_digest(bytes(length))
    assert caught.value.code == "digest_length"


@pytest.mark.parametrize("raw", [bytearray(32), memoryview(bytes(32)), "0" * 32])
def test_what_is_not_bytes_does_not_become_a_digest(raw: object) -> None:
    with pytest.raises(MalformedError):
        to_digest(raw)  # type: ignore[arg-type]


def test_digest_from_hex() -> None:
    assert digest_from_hex(ABC) == sha256(b"abc")
    assert to_digest(sha256(b"abc")) == Digest(bytes.fromhex(ABC))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ABC[:-1],
        ABC + "0",
        ABC.upper(),
        " " + ABC[1:],
        ABC[:-1] + "\n",
        ABC[:-1] + "g",
        ABC[:-2] + "\uff10\uff10",  # full-width digits
        "0x" + ABC[2:],
    ],
)
def test_hex_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        digest_from_hex(text)
    assert caught.value.code == "digest_hex"


@pytest.mark.parametrize("parts", [[], [b"abc"], [b"a", b"", b"bc"]])
def test_parts_make_the_digest_of_the_whole(parts: list[bytes]) -> None:
    assert sha256_of_parts(iter(parts)) == sha256(b"".join(parts))
