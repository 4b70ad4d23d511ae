"""Admitting merchants and giving out keys."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem
from invoice_service.services.people.admit import (
    admit,
    create_key,
    get_merchant,
    leave,
    readmit,
    resume,
    revoke_key,
    set_quota,
    suspend,
)
from tests.domain.samples import BY, NOON
from tests.storage.shop import TAX_IDS, Shop, request


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose merchant is the first one admitted."""
    return Shop(tmp_path)


def test_an_admitted_merchant_may_issue_at_once(shop: Shop) -> None:
    account = admit(shop.store, request(1, quota=3), BY)
    assert (account.merchant.status, account.used, account.created_at) == ("active", 0, NOON)
    assert get_merchant(shop.store, account.merchant.id) == account
    shop.issue(shop.draft("A-1", merchant=account.merchant))
    assert get_merchant(shop.store, account.merchant.id).used == 1


@pytest.mark.parametrize("change", [suspend, resume])
def test_of_two_officials_at_once_none_brings_back_who_has_left(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, change: Callable[..., object]
) -> None:
    """How it stood before the other pressed is what the second one still reads."""
    before = get_merchant(shop.store, 1)
    leave(shop.store, 1, BY)
    with monkeypatch.context() as reading:
        reading.setattr(shop.store, "account", lambda _: before)
        with pytest.raises(ConflictError, match="readmission_needed"):
            change(shop.store, 1, BY)
    assert get_merchant(shop.store, 1).merchant.status == "left"
    assert readmit(shop.store, 1, BY).merchant.status == "active"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tax_id": TAX_IDS[1][:-1] + "A"}, "tax_id_invalid"),
        ({"tax_id": TAX_IDS[1].lower()}, "tax_id_invalid"),
        ({"industry": "9999"}, "industry_unknown"),
        ({"district": "110101"}, "district_unknown"),
        ({"name": "a\r\nb"}, "control_character"),
    ],
)
def test_what_is_not_right_is_refused_and_not_stored(
    shop: Shop, change: dict[str, str], code: str
) -> None:
    bad = msgspec.structs.replace(request(1), **change)
    with pytest.raises(MalformedError) as caught:
        admit(shop.store, bad, BY)
    assert caught.value.code == code
    assert len(shop.store.accounts(0, 10)) == 1


def test_a_tax_id_is_admitted_once(shop: Shop) -> None:
    with pytest.raises(ConflictError) as caught:
        admit(shop.store, request(0), BY)
    assert caught.value.code == "tax_id_taken"


def test_suspending_and_resuming(shop: Shop) -> None:
    assert suspend(shop.store, 1, BY).merchant.status == "suspended"
    assert suspend(shop.store, 1, BY).merchant.status == "suspended"
    assert shop.refused(shop.draft("A-1")) == "merchant_suspended"
    assert resume(shop.store, 1, BY).merchant.status == "active"
    shop.issue(shop.draft("A-1"))


def test_a_quota_below_what_is_used_stops_at_once(shop: Shop) -> None:
    for number in range(3):
        shop.issue(shop.draft(f"A-{number}"))
    assert set_quota(shop.store, 1, 2, BY).merchant.quota == 2
    assert shop.refused(shop.draft("A-3")) == "quota_exhausted"
    assert set_quota(shop.store, 1, 4, BY).used == 3
    shop.issue(shop.draft("A-3"))
    assert set_quota(shop.store, 1, None, BY).merchant.quota is None


@pytest.mark.parametrize(
    "call",
    [
        lambda shop: get_merchant(shop.store, 9),
        lambda shop: suspend(shop.store, 9, BY),
        lambda shop: resume(shop.store, 9, BY),
        lambda shop: set_quota(shop.store, 9, 1, BY),
        lambda shop: make_key(shop, 9),
        lambda shop: make_key(shop, None),
    ],
)
def test_merchants_that_are_not_there(shop: Shop, call: Callable[[Shop], object]) -> None:
    with pytest.raises(NotFoundError) as caught:
        call(shop)
    assert caught.value.code == "merchant_unknown"


def test_keys_of_one_merchant(shop: Shop) -> None:
    first, second = make_key(shop, 1), make_key(shop, 1)
    assert [key.id for key in shop.store.keys(1)] == [first, second]
    assert revoke_key(shop.store, first, BY).revoked_at == NOON
    assert [key.revoked_at for key in shop.store.keys(1)] == [NOON, None]


def test_an_officials_key_belongs_to_no_merchant(shop: Shop) -> None:
    official, _ = create_key(shop.store, "official", 1, "", by=BY, randbytes=bytes)
    assert official.merchant_id is None


def test_keys_that_are_not_there_and_labels_that_cannot_be(shop: Shop) -> None:
    with pytest.raises(NotFoundError) as missing:
        revoke_key(shop.store, 9, BY)
    assert missing.value.code == "api_key_unknown"
    with pytest.raises(Problem) as bad:
        create_key(shop.store, "merchant", 1, "a\nb", by=BY, randbytes=bytes)
    assert bad.value.code == "control_character"
    assert shop.store.keys(1) == []


def make_key(shop: Shop, merchant_id: int | None) -> int:
    """A new merchant's key."""
    key, _ = create_key(
        shop.store, "merchant", merchant_id, "", by=BY, randbytes=shop.random.randbytes
    )
    return key.id
