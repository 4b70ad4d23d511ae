"""The key that seals second factors: made once, read again when it changes, one purpose a seal."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_IMODE

import pytest
from Crypto.Random import get_random_bytes

from chain.errors import MalformedError, UnavailableError
from invoice_service.keys.people import PeopleKey, rotate
from invoice_service.services.claims.links import CLAIM
from invoice_service.services.links import SecretLinks
from invoice_service.services.prepaid.ports import PREPAID


@pytest.fixture
def key(tmp_path: Path) -> PeopleKey:
    """One that was made."""
    key = PeopleKey(tmp_path / "people.key", random.Random(3).randbytes)
    key.make()
    return key


def test_what_was_sealed_is_opened_for_its_purpose_alone(key: PeopleKey) -> None:
    sealed = key.seal(b"secret", "totp:1")
    assert key.open(sealed, "totp:1") == b"secret"
    assert key.seal(b"secret", "totp:1") != sealed
    for bent in (sealed[:-1], sealed + b"x", b"", sealed[:4], bytes(len(sealed))):
        with pytest.raises(MalformedError, match="seal_invalid"):
            key.open(bent, "totp:1")
    with pytest.raises(MalformedError, match="seal_invalid"):
        key.open(sealed, "totp:2")


def test_every_bit_counts(key: PeopleKey) -> None:
    sealed = key.seal(b"secret", "totp:1")
    for at in range(len(sealed)):
        bent = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(MalformedError):
            key.open(bent, "totp:1")


def test_of_those_who_make_it_the_first_does_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "people.key"
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda seed: PeopleKey(path, random.Random(seed).randbytes).make(), range(4)
            )
        )
    assert [file.name for file in tmp_path.iterdir()] == ["people.key"]
    assert S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    PeopleKey(path, random.Random(9).randbytes).make()
    assert path.read_text() == text


def test_a_rotation_opens_what_was_sealed_before_until_it_ends(key: PeopleKey) -> None:
    other = PeopleKey(key.path, random.Random(5).randbytes)  # another process
    before = key.seal(b"old", "x")
    key.begin_rotation()
    key.begin_rotation()
    after = other.seal(b"new", "x")
    assert (other.open(before, "x"), key.open(after, "x")) == (b"old", b"new")
    key.end_rotation()
    assert other.open(after, "x") == b"new"
    with pytest.raises(MalformedError):
        other.open(before, "x")


@pytest.mark.parametrize(
    "text", ["", "x\n", "fapiao/people@v1 AAAA\n", "fapiao/people@v2 " + "A" * 43 + "=\n"]
)
def test_what_cannot_be_read_is_said(key: PeopleKey, text: str) -> None:
    key.path.write_text(text)
    with pytest.raises(UnavailableError, match="key_unreadable"):
        key.check()


def test_a_key_that_is_gone_is_not_made_anew_by_its_users(key: PeopleKey) -> None:
    key.path.unlink()
    with pytest.raises(UnavailableError, match="put it back"):
        key.seal(b"x", "x")
    assert not key.path.exists()


class Kept:
    """Sealed secrets; ``late`` is what another process stores while the first are sealed anew."""

    def __init__(self, sealed: dict[int, bytes], late: dict[int, bytes]) -> None:
        self.sealed, self.late = sealed, late
        self.links: dict[tuple[str, int], tuple[bytes, bytes]] = {}

    def sealed_totps(self) -> list[tuple[int, bytes]]:
        return list(self.sealed.items())

    def seal_again(self, sealed: list[tuple[int, bytes, bytes]]) -> None:
        for person, old, new in sealed:
            assert self.sealed[person] == old
            self.sealed[person] = new
        self.sealed |= self.late
        self.late = {}

    def sealed_links(self, newest: bytes) -> list[tuple[str, int, bytes]]:
        return [
            (of, seq, link[0]) for (of, seq), link in self.links.items() if link[0][:4] != newest
        ]

    def seal_links_again(self, links: Sequence[tuple[str, int, bytes, bytes]]) -> None:
        self.links |= {(of, seq): (sealed, mark) for of, seq, sealed, mark in links}


def test_a_rotation_seals_everything_anew_also_what_came_meanwhile(key: PeopleKey) -> None:
    first = {person: key.seal(b"%d" % person, f"totp:{person}") for person in (1, 2)}
    kept = Kept(first, {3: key.seal(b"3", "totp:3")})
    before = key.path.read_text()
    assert rotate(key, kept) == 3
    assert len(key.path.read_text().splitlines()) == 1
    assert key.path.read_text() != before
    assert {one: key.open(kept.sealed[one], f"totp:{one}") for one in kept.sealed} == {
        1: b"1",
        2: b"2",
        3: b"3",
    }


@pytest.mark.parametrize("of", [CLAIM, PREPAID])
def test_links_are_found_while_keys_change_and_after(key: PeopleKey, of: str) -> None:
    links = SecretLinks(key, get_random_bytes, "https://fapiao.test", of)
    link = links.new()
    token = links.address(link.sealed).removeprefix(f"https://fapiao.test/{of}/")
    kept = Kept({}, {})
    kept.links = {(of, 1): (link.sealed, link.mark)}
    key.begin_rotation()
    assert link.mark in links.marks(token)
    assert rotate(key, kept) == 1
    sealed, mark = kept.links[of, 1]
    assert mark != link.mark
    assert links.marks(token) == (mark,)
    assert links.address(sealed).endswith(token)
