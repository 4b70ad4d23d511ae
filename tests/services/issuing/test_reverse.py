"""Reversing by a request's bytes."""

from pathlib import Path

import pytest

from chain.commitment import parse_password_area
from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, UnavailableError
from chain.hashing import Digest, sha256
from invoice_service.processes.issuer import DirectIssuer
from invoice_service.services.issuing.reverse import ReversingDesk, reverse
from tests.domain.samples import BY
from tests.storage.shop import Shop, request, tamper

RETURN = b'{"reason":"SALES_RETURN"}'


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop with one invoice."""
    shop = Shop(tmp_path)
    shop.issue(shop.draft("A-1"))
    return shop


@pytest.fixture
def desk(shop: Shop) -> ReversingDesk:
    """A desk in front of the shop's store."""
    return ReversingDesk(shop.store, DirectIssuer(shop.store, shop.clock), shop.random.randbytes)


def first(shop: Shop) -> Digest:
    """The digest of the shop's first invoice."""
    invoice = shop.store.invoice_at(1)
    assert invoice is not None
    return parse_password_area(invoice.hash)


def test_a_red_invoice_negates_the_blue_one(shop: Shop, desk: ReversingDesk) -> None:
    red = reverse(desk, 1, first(shop), RETURN)
    assert (red.type, red.amount, red.tax, red.total) == ("red", -10660, -640, -11300)
    stored = shop.store.invoice_at(red.seq)
    assert stored is not None
    assert parse_password_area(stored.reverses_hash or "") == first(shop)


def test_a_second_one_is_refused_unless_it_is_the_same_request(
    shop: Shop, desk: ReversingDesk
) -> None:
    red = reverse(desk, 1, first(shop), RETURN, idempotency_key="r")
    again = reverse(desk, 1, first(shop), RETURN, idempotency_key="r")
    assert (again.hash, again.replayed) == (red.hash, True)
    for key in ("", "other"):
        with pytest.raises(ConflictError) as caught:
            reverse(desk, 1, first(shop), RETURN, idempotency_key=key)
        assert caught.value.code == "already_reversed"


def test_a_red_one_cannot_be_reversed(shop: Shop, desk: ReversingDesk) -> None:
    red = reverse(desk, 1, first(shop), RETURN)
    with pytest.raises(Problem) as caught:
        reverse(desk, 1, parse_password_area(red.hash), RETURN)
    assert caught.value.code == "not_reversible"


def test_what_is_not_ones_own_is_not_there(shop: Shop, desk: ReversingDesk) -> None:
    other = shop.store.add_merchant(request(1), BY).merchant
    for merchant_id, digest in ((other.id, first(shop)), (1, sha256(b"nothing"))):
        with pytest.raises(NotFoundError) as caught:
            reverse(desk, merchant_id, digest, RETURN)
        assert caught.value.code == "invoice_unknown"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "missing_field"),
        (b'{"reason":"BOREDOM"}', "value_unknown"),
        (b'{"reason":"SALES_RETURN","much":1}', "unknown_field"),
        (b"", "not_json"),
    ],
)
def test_bad_requests_store_nothing(
    shop: Shop, desk: ReversingDesk, body: bytes, code: str
) -> None:
    with pytest.raises(MalformedError) as caught:
        reverse(desk, 1, first(shop), body)
    assert caught.value.code == code
    assert shop.store.last_seq() == 1


@pytest.mark.parametrize(
    "change",
    ["lines = CAST('[]' AS BLOB)", "total = 1", "salts = zeroblob(48)", "salts = x''"],
)
def test_a_damaged_invoice_is_not_reversed(
    shop: Shop, desk: ReversingDesk, tmp_path: Path, change: str
) -> None:
    tamper(tmp_path, f"UPDATE invoices SET {change}")
    with pytest.raises(UnavailableError) as caught:
        reverse(desk, 1, first(shop), RETURN)
    assert caught.value.code == "record_damaged"
    assert shop.store.last_seq() == 1
