"""A red invoice takes the whole blue one back: same parties, the exact opposite amounts."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain import commitment
from chain.errors import RefusedError
from invoice_service.domain.invoice import Prepared, StoredInvoice, finish
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.numbering import Allotment
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import ReversalRequest

from .samples import FIRST, SALTS, company, issued, line, order, stored

SECOND = Allotment(FIRST.code, "00000002", FIRST.issued_at + 60)
RED_SALTS = SALTS[::-1]
BLUE = issued(
    order(
        buyer=company(),
        lines=[line(), line(quantity="1.5", unit_price=999, tax_rate="0.13", unit="杯")],
        remark="桌 8",
        drawer="收银一",
    )
)


def red_of(blue: StoredInvoice, reason: Reason = Reason.SALES_RETURN) -> Prepared:
    return prepare_red(blue, ReversalRequest(reason=reason), RED_SALTS, key_id=3)


def test_the_face_names_what_it_reverses_and_negates_every_amount() -> None:
    face = json.loads(finish(red_of(BLUE), SECOND).face)
    blue = json.loads(BLUE.face)
    assert face == blue | {
        "type": "red",
        "number": "00000002",
        "issued_at": "2018-08-10T12:01:00+08:00",
        "amount": -blue["amount"],
        "tax": -blue["tax"],
        "total": -blue["total"],
        "reverses": BLUE.hash,
        "remark": "对应正数发票代码:144031809110号码:00000001 红冲原因:销货退回 SALES_RETURN",
    }


def test_the_lines_turn_negative_but_for_the_price() -> None:
    for red, blue in zip(json.loads(red_of(BLUE).lines), json.loads(BLUE.lines), strict=True):
        assert red == blue | {
            "quantity": "-" + blue["quantity"],
            "amount": -blue["amount"],
            "tax": -blue["tax"],
        }
        assert red["unit_price"] > 0


def test_the_buyer_is_the_same_behind_a_fresh_salt() -> None:
    red = red_of(BLUE)
    assert red.buyer == BLUE.buyer
    assert red.buyer_digest == commitment.group_digest("buyer", RED_SALTS[16:32], BLUE.buyer)


def test_what_the_store_needs_of_it() -> None:
    red = red_of(BLUE)
    assert (red.kind, red.merchant_id, red.order_id, red.key_id) == ("red", 7, "A-0001", 3)
    assert red.reverses == commitment.parse_password_area(BLUE.hash)
    assert red.rates == [(rate, -amount, -tax) for rate, amount, tax in BLUE.rates]
    assert (red.industry, red.district) == (BLUE.industry, BLUE.district)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(red), type=Prepared) == red


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            lambda price, rate: line(unit_price=price, tax_rate=rate, quantity="1.5"),
            st.integers(1, 10**6),
            st.sampled_from(["0", "0.01", "0.06", "0.13"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_blue_and_red_come_to_nothing(lines: list[dict[str, Any]]) -> None:
    blue = issued(order(lines=lines))
    red = red_of(blue)
    assert (red.amount, red.tax, red.total) == (-blue.amount, -blue.tax, -blue.total)
    written = json.loads(red.lines)
    assert red.amount == sum(line["amount"] for line in written)
    assert red.tax == sum(line["tax"] for line in written)


def test_another_reason_or_invoice_is_another_request() -> None:
    other = issued(order(order_id="A-0002"))
    drafts = [red_of(BLUE), red_of(BLUE, Reason.ISSUE_ERROR), red_of(other)]
    assert len({draft.request_digest for draft in drafts}) == 3
    again = prepare_red(BLUE, ReversalRequest(reason=Reason.SALES_RETURN), SALTS)
    assert again.request_digest == drafts[0].request_digest


def test_a_red_invoice_cannot_be_reversed() -> None:
    red = red_of(BLUE)
    row = stored(red, finish(red, SECOND), seq=2, reverses=1, reverses_hash=BLUE.hash)
    with pytest.raises(RefusedError) as caught:
        red_of(row)
    assert caught.value.code == "not_reversible"


@pytest.mark.parametrize(
    ("by", "returned", "reversal"),
    [((), 0, None), (("01ab",), 1, "part"), (("01ab", "01cd"), BLUE.total, "full")],
)
def test_an_invoice_knows_how_far_it_is_reversed(
    by: tuple[str, ...], returned: int, reversal: str | None
) -> None:
    row = msgspec.structs.replace(BLUE, reversed_by=by, returned=returned)
    assert (row.reversal, row.left) == (reversal, BLUE.total - returned)
