"""Hiding groups: the proof still holds, says less, and what it hides cannot be guessed."""

import random
from dataclasses import replace
from itertools import combinations

import pytest

from chain.canonical import encode
from chain.commitment import GROUPS, SALT_SIZE, group_digest
from chain.errors import MalformedError, VerificationError
from chain.hashing import sha256
from chain.proof.file import HiddenGroup, Proof, ShownGroup, hidden_in, parse_proof
from chain.proof.hide import hide_groups
from chain.proof.verify import verify_proof
from tests.chain.books import SIGNER
from tests.chain.forged import Forge, with_everything

GOOD = Forge().proof()
KEY = SIGNER.verifier
SUBSETS = [names for size in range(4) for names in combinations(GROUPS, size)]
NAMES = [f"{family}{given}" for family in "王李张刘陈杨黄赵" for given in "伟芳娜敏静丽强磊军洋"]


@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
def test_a_proof_with_hidden_groups_holds_and_says_which(names: tuple[str, ...]) -> None:
    data = hide_groups(GOOD, names).to_bytes()
    proof = parse_proof(data)
    evidence = verify_proof(proof, KEY)
    assert evidence.hidden == hidden_in(proof) == names
    assert set(evidence.shown) == set(GROUPS) - set(names)
    assert evidence.hash == verify_proof(GOOD, KEY).hash
    for name, group in GOOD.groups.items():
        assert isinstance(group, ShownGroup)
        assert (group.salt.hex().encode() in data) == (name not in names)


def test_hiding_step_by_step_or_twice_is_hiding_at_once() -> None:
    at_once = hide_groups(GOOD, ["buyer", "lines"])
    assert hide_groups(hide_groups(GOOD, ["lines"]), ["buyer", "lines"]) == at_once
    assert hide_groups(with_everything(), []) == with_everything()  # its buyer stays hidden


def test_there_are_three_groups() -> None:
    with pytest.raises(MalformedError) as caught:
        hide_groups(GOOD, ["buyer", "colour"])
    assert caught.value.code == "group_unknown"


@pytest.mark.parametrize("changed", GROUPS)
def test_hiding_does_not_cover_up_which_group_was_changed(changed: str) -> None:
    bent = replace(GOOD, groups={**GOOD.groups, changed: ShownGroup(bytes(16), b"{}")})
    with pytest.raises(VerificationError) as caught:
        hide_groups(bent, ["buyer"])
    assert caught.value.code == "hash_mismatch"


def test_a_hidden_group_cannot_come_back_as_another() -> None:
    hidden = hide_groups(GOOD, ["buyer"])
    for lie in (ShownGroup(bytes(16), b'{"name":"x"}'), HiddenGroup(sha256(b"other"))):
        with pytest.raises(VerificationError) as caught:
            verify_proof(replace(hidden, groups={**hidden.groups, "buyer": lie}), KEY)
        assert caught.value.code == "hash_mismatch"


def _buyer(name: str) -> bytes:
    """The canonical bytes of a private buyer, of whom only the name is not known beforehand."""
    buyer = {"kind": "individual", "name": name, "tax_id": "", "address_phone": ""}
    return encode({**buyer, "payment_id": ""})


def _hidden_buyer(name: str, salt: bytes) -> tuple[Proof, bytes]:
    """A verified proof that hides such a buyer, and the digest that stands in its place."""
    groups = Forge().groups | {"buyer": ShownGroup(salt, _buyer(name))}
    proof = hide_groups(Forge(groups=groups).proof(), ["buyer"])
    assert verify_proof(proof, KEY).hidden == ("buyer",)
    group = proof.groups["buyer"]
    assert isinstance(group, HiddenGroup)
    return proof, group.digest


def _confirmed(digest: bytes, salt: bytes) -> list[str]:
    """Every name in the directory that would give this digest with this salt."""
    return [name for name in NAMES if group_digest("buyer", salt, _buyer(name)) == digest]


def test_salts_make_guessing_hopeless() -> None:
    """Why each group has 16 random bytes of salt, shown on commitments as they are made.

    Names are few: whoever had the salt would go through a directory and see from the digest
    which name it is. So the salt leaves the file together with the document. Without it the
    right name gives another digest for every salt, and there are 2**128 of them: nothing tells
    the right name from a wrong one, and two hidden buyers of one name do not even look alike.
    """
    rng = random.Random(20180810)
    salt, name = rng.randbytes(SALT_SIZE), "陈静"
    proof, digest = _hidden_buyer(name, salt)
    assert _confirmed(digest, salt) == [name]  # with the salt one guess is enough
    assert salt.hex().encode() not in proof.to_bytes()  # and so it is not in the file
    for _ in range(200):  # without: every name is refuted alike, the right one too
        assert _confirmed(digest, rng.randbytes(SALT_SIZE)) == []
    unsalted = bytes(SALT_SIZE)  # one salt for all would be none: a table made once opens all
    assert _confirmed(_hidden_buyer(name, unsalted)[1], unsalted) == [name]


def test_the_same_buyer_looks_different_on_every_invoice() -> None:
    rng = random.Random(7)
    digests = {_hidden_buyer("陈静", rng.randbytes(SALT_SIZE))[1] for _ in range(50)}
    assert len(digests) == 50


def test_one_bit_of_salt_changes_half_of_the_digest() -> None:
    """No salt is nearly right: a near miss tells nothing."""
    salt = int.from_bytes(random.Random(3).randbytes(SALT_SIZE), "big")

    def digest(number: int) -> int:
        made = group_digest("buyer", number.to_bytes(SALT_SIZE, "big"), _buyer("陈静"))
        return int.from_bytes(made, "big")

    flips = [(digest(salt) ^ digest(salt ^ 1 << bit)).bit_count() for bit in range(128)]
    assert all(80 < count < 176 for count in flips)
    assert 120 < sum(flips) // len(flips) < 136


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_a_shorter_salt_is_refused(size: int) -> None:
    with pytest.raises(MalformedError) as caught:
        group_digest("buyer", bytes(size), _buyer("陈静"))
    assert caught.value.code == "salt_length"
