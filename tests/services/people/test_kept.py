"""Kept sign-ins: nothing is read twice for nothing, and nothing is believed for long."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.errors import RefusedError
from chain.hashing import Digest
from invoice_service.services.people import kept
from invoice_service.services.people.admit import create_key, revoke_key, suspend
from invoice_service.services.people.kept import LOOK_SECONDS, KeptSignIns
from invoice_service.services.people.ports import ApiKey
from invoice_service.services.people.trail import Head
from invoice_service.services.ports import Account
from tests.domain.samples import BY
from tests.storage.shop import Shop


class Counting:
    """A store that counts what it is asked."""

    def __init__(self, shop: Shop) -> None:
        self._store = shop.store
        self.asked: list[str] = []

    def key(self, digest: Digest) -> ApiKey | None:
        self.asked.append("key")
        return self._store.key(digest)

    def account(self, merchant_id: int) -> Account | None:
        self.asked.append("account")
        return self._store.account(merchant_id)

    def last_act(self) -> Head:
        self.asked.append("act")
        return self._store.last_act()


class Desk:
    """A key of merchant 1, sign-ins that are kept, and a clock in seconds."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.now = 100.0
        self.store = Counting(shop)
        self.kept = KeptSignIns(self.store, lambda: self.now)
        self.key, self.text = create_key(
            shop.store, "merchant", 1, "till", by=BY, randbytes=random.Random(5).randbytes
        )

    def code(self) -> str:
        with pytest.raises(RefusedError) as caught:
            self.kept.seller(self.text)
        return caught.value.code


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    shop = Shop(tmp_path)
    yield Desk(shop)
    shop.store.close()


def test_a_seller_is_looked_up_once(desk: Desk) -> None:
    first = desk.kept.seller(desk.text)
    assert first is not None
    assert (first.principal.key_id, first.merchant.id) == (desk.key.id, 1)
    assert desk.store.asked == ["act", "key", "account"]
    assert desk.kept.seller(desk.text) is first
    desk.now += LOOK_SECONDS
    assert desk.kept.seller(desk.text) is first
    assert desk.store.asked == ["act", "key", "account", "act"]


def test_a_revoked_key_is_out_when_the_counter_is_looked_at(desk: Desk) -> None:
    assert desk.kept.seller(desk.text)
    revoke_key(desk.shop.store, desk.key.id, BY)
    assert desk.kept.seller(desk.text), "a moment later it is still believed"
    desk.now += LOOK_SECONDS
    assert desk.code() == "key_revoked"


def test_any_act_has_all_looked_up_again(desk: Desk) -> None:
    first = desk.kept.seller(desk.text)
    suspend(desk.shop.store, 1, BY)
    desk.now += LOOK_SECONDS
    again = desk.kept.seller(desk.text)
    assert again is not first
    assert again is not None
    assert again.merchant.status == "suspended"


def test_a_refusal_is_not_kept(desk: Desk) -> None:
    text = desk.text
    desk.text = "fk_" + "A" * 43
    assert desk.code() == "key_unknown"
    assert desk.code() == "key_unknown"
    assert desk.store.asked.count("key") == 2
    desk.text = text
    assert desk.kept.seller(text)


def test_nobody_and_officials_are_no_sellers(desk: Desk) -> None:
    with pytest.raises(RefusedError) as caught:
        desk.kept.seller("")
    assert caught.value.code == "key_missing"
    _, desk.text = create_key(
        desk.shop.store, "official", None, "x", by=BY, randbytes=random.Random(6).randbytes
    )
    assert desk.code() == "role_required"


def test_no_more_are_kept_than_there_is_room_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_KEPT", 1)
    _, other = create_key(
        desk.shop.store, "merchant", 1, "two", by=BY, randbytes=random.Random(6).randbytes
    )
    for text in (desk.text, other, desk.text):
        assert desk.kept.seller(text)
    assert desk.store.asked.count("key") == 3
