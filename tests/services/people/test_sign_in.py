"""Signing in: one code for each way to fail, and the same work for each."""

import random
from pathlib import Path

import pytest

from chain.errors import RefusedError
from chain.hashing import Digest
from invoice_service.services.people.admit import create_key, revoke_key
from invoice_service.services.people.ports import ApiKey, Role
from invoice_service.services.people.sign_in import (
    KeyReader,
    Principal,
    key_digest,
    merchant_of,
    new_key,
    require_official,
    sign_in,
)
from tests.domain.samples import BY, NOON
from tests.storage.shop import FILE, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop without keys."""
    return Shop(tmp_path)


def make(shop: Shop, merchant_id: int | None = 1) -> tuple[ApiKey, str]:
    """A new key and its text."""
    role: Role = "official" if merchant_id is None else "merchant"
    randbytes = random.Random(5).randbytes
    return create_key(shop.store, role, merchant_id, "till", by=BY, randbytes=randbytes)


def code_of(keys: KeyReader, text: str | None) -> str:
    """With which code this text is refused."""
    with pytest.raises(RefusedError) as caught:
        sign_in(keys, text, NOON)
    return caught.value.code


def test_a_merchants_key(shop: Shop) -> None:
    key, text = make(shop)
    principal = sign_in(shop.store, text, NOON)
    assert principal == Principal(role="merchant", merchant_id=1, key_id=key.id)
    assert merchant_of(principal, "issue") == 1
    with pytest.raises(RefusedError) as caught:
        require_official(principal, "totals")
    assert caught.value.code == "role_required"


def test_an_officials_key(shop: Shop) -> None:
    key, text = make(shop, None)
    principal = sign_in(shop.store, text, NOON)
    assert principal == Principal(role="official", merchant_id=None, key_id=key.id)
    require_official(principal, "totals")
    with pytest.raises(RefusedError) as caught:
        merchant_of(principal, "issue")
    assert caught.value.code == "role_required"


def test_a_key_is_fk_and_32_random_bytes() -> None:
    assert new_key(lambda size: bytes(size)) == "fk_" + "A" * 43
    assert new_key(lambda size: b"\xff" * size) == "fk_" + "_" * 42 + "8"


def test_the_key_itself_is_nowhere_in_the_files(shop: Shop, tmp_path: Path) -> None:
    key, text = make(shop)
    assert key.digest == key_digest(text)
    shop.store.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (tmp_path / FILE).exists()
    assert text.encode() not in stored
    assert text[3:].encode() not in stored
    assert stored.count(key.digest) > 0


@pytest.mark.parametrize("text", [None, ""])
def test_no_key(shop: Shop, text: str | None) -> None:
    assert code_of(shop.store, text) == "key_missing"


@pytest.mark.parametrize(
    "text",
    ["fk_", "fk_" + "A" * 42, "fk_" + "A" * 44, "fk-" + "A" * 43, "FK_" + "A" * 43]
    + ["fk_" + "A" * 42 + extra for extra in ("+", "\n", "é", "\udc80", "Ａ")]
    + ["fk_" + "A" * 43 + "\n", " fk_" + "A" * 43, "x" * 10_000],
)
def test_malformed_keys(shop: Shop, text: str) -> None:
    assert code_of(shop.store, text) == "key_malformed"


def test_unknown_keys(shop: Shop) -> None:
    _, text = make(shop)
    other = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert code_of(shop.store, other) == "key_unknown"
    assert code_of(shop.store, "fk_" + "A" * 43) == "key_unknown"


def test_revoked_keys(shop: Shop) -> None:
    key, text = make(shop)
    revoke_key(shop.store, key.id, BY)
    assert code_of(shop.store, text) == "key_revoked"


def test_every_text_costs_one_lookup(shop: Shop) -> None:
    """The work says nothing of whether a key is well formed, known or revoked."""
    looked_up: list[Digest] = []

    class Counting:
        def key(self, digest: Digest) -> ApiKey | None:
            looked_up.append(digest)
            return shop.store.key(digest)

    key, text = make(shop)
    sign_in(Counting(), text, NOON)
    revoke_key(shop.store, key.id, BY)
    for refused in (text, "nonsense", "fk_" + "A" * 43):
        code_of(Counting(), refused)
    assert looked_up == [key_digest(t) for t in (text, text, "nonsense", "fk_" + "A" * 43)]


def test_a_key_that_the_store_mistakes_for_another_is_unknown(shop: Shop) -> None:
    """A damaged index could give out another row."""
    key, _ = make(shop)

    class Mistaken:
        def key(self, digest: Digest) -> ApiKey | None:
            return key

    assert code_of(Mistaken(), "fk_" + "A" * 43) == "key_unknown"
