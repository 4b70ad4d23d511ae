"""What stands in a group is written in canonical order: the checked encoder says the same."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from chain import canonical
from chain.errors import MalformedError
from invoice_service.domain.document import (
    DAY,
    BlueForm,
    BuyerGroup,
    Line,
    Rest,
    Seller,
    fill,
    write,
    write_open,
)
from invoice_service.domain.money import LIMIT
from invoice_service.domain.numbering import format_issued_at

STRUCTS = (BlueForm, Seller, BuyerGroup, Line, Rest)

texts = st.text(st.characters(codec="utf-8"), max_size=40)
fen = st.integers(-LIMIT, LIMIT)
told = {
    "order_total": fen | st.just(UNSET),
    "part": st.integers(1, 5) | st.just(UNSET),
    "parts": st.integers(1, 5) | st.just(UNSET),
    "replaces": texts | st.just(UNSET),
    "till": texts | st.just(UNSET),
}
"""What stands in a face and a request where it was told."""
sellers = st.builds(Seller, texts, texts, texts, texts)
forms = st.builds(
    BlueForm,
    district=texts,
    drawer=texts,
    industry=texts,
    payee=texts,
    remark=texts,
    reviewer=texts,
    seller=sellers,
    business_day=st.just(DAY) | st.just(UNSET),
    **told,
)
buyers = st.builds(
    BuyerGroup, address_phone=texts, kind=texts, name=texts, payment_id=texts, tax_id=texts
)
lines = st.builds(
    Line,
    amount=fen,
    name=texts,
    quantity=texts,
    spec=texts,
    tax=fen,
    tax_rate=texts,
    unit=texts,
    unit_price=fen,
)
rests = st.builds(
    Rest,
    drawer=texts,
    order_id=texts,
    payee=texts,
    remark=texts,
    reviewer=texts,
    business_day=st.just("2018-08-10") | st.just(UNSET),
    **told,
)
values = st.fixed_dictionaries(
    {
        "amount": fen,
        "business_day": st.dates().map(str),
        "code": st.from_regex(r"[0-9]{12}", fullmatch=True),
        "issued_at": st.integers(0, 4_000_000_000),
        "number": st.from_regex(r"[0-9]{8}", fullmatch=True),
        "order_id": texts,
        "tax": fen,
        "total": fen,
    }
)


def as_json(value: object) -> object:
    """The same as dictionaries, for the encoder that sorts and checks."""
    return msgspec.to_builtins(value)


@pytest.mark.parametrize("struct", STRUCTS)
def test_the_fields_stand_in_canonical_order(struct: type[msgspec.Struct]) -> None:
    assert list(struct.__struct_fields__) == sorted(struct.__struct_fields__)


@given(buyers | rests | st.lists(lines, max_size=4))
def test_what_is_written_is_what_the_checked_encoder_gives(
    group: BuyerGroup | Rest | list[Line],
) -> None:
    assert write(group) == canonical.encode(as_json(group))


@given(forms, values)
def test_a_filled_form_is_what_the_checked_encoder_gives(
    form: BlueForm, given: dict[str, Any]
) -> None:
    fields = msgspec.structs.asdict(form) | given | {"seller": as_json(form.seller)}
    if form.business_day is UNSET:
        del fields["business_day"]
    fields = {name: value for name, value in fields.items() if value is not UNSET}
    fields["issued_at"] = format_issued_at(given["issued_at"])
    expected = canonical.encode(fields)
    assert fill(write(form), **given) == expected
    # And a face that was read back can be opened and filled anew, whatever else stands in it.
    read = json.loads(expected) | {"reverses": "01" + "0" * 64, "later": "\0"}
    assert fill(write_open(read), **given) == canonical.encode(read)


@pytest.mark.parametrize("bent", [b"{}\0", b'{"code":\0codes\0}', b"\0\0", b"\0code\0\0"])
@given(values)
def test_what_is_no_form_is_not_filled(bent: bytes, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="gap"):
        fill(bent, **given)


def test_half_a_character_is_refused() -> None:
    for group in (
        BuyerGroup(address_phone="", kind="", name="\ud800", payment_id="", tax_id=""),
        Rest(drawer="\udfff", order_id="", payee="", remark="", reviewer=""),
    ):
        with pytest.raises(MalformedError) as caught:
            write(group)
        assert caught.value.code == "not_canonical"
