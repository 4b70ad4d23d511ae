"""What stands in a group is written in canonical order: the checked encoder says the same."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import canonical
from chain.errors import MalformedError
from invoice_service.domain.document import (
    BuyerGroup,
    Face,
    Line,
    Rest,
    Seller,
    close_face,
    write,
    write_open,
)
from invoice_service.domain.money import LIMIT
from invoice_service.domain.numbering import Allotment, format_issued_at

from .samples import FIRST

STRUCTS = (Face, Seller, BuyerGroup, Line, Rest)

texts = st.text(st.characters(codec="utf-8"), max_size=40)
fen = st.integers(-LIMIT, LIMIT)
sellers = st.builds(Seller, texts, texts, texts, texts)
faces = st.builds(
    Face,
    amount=fen,
    district=texts,
    drawer=texts,
    industry=texts,
    order_id=texts,
    payee=texts,
    remark=texts,
    reviewer=texts,
    seller=sellers,
    tax=fen,
    total=fen,
    type=st.sampled_from(["blue", "red"]),
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
rests = st.builds(Rest, drawer=texts, order_id=texts, payee=texts, remark=texts, reviewer=texts)
allotments = st.builds(
    Allotment,
    code=st.from_regex(r"[0-9]{12}", fullmatch=True),
    number=st.from_regex(r"[0-9]{8}", fullmatch=True),
    issued_at=st.integers(0, 4_000_000_000),
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


@given(faces, allotments)
def test_a_closed_face_is_what_the_checked_encoder_gives(face: Face, allotment: Allotment) -> None:
    fields = msgspec.structs.asdict(face) | {
        "seller": msgspec.structs.asdict(face.seller),
        "code": allotment.code,
        "number": allotment.number,
        "issued_at": format_issued_at(allotment.issued_at),
    }
    expected = canonical.encode(fields)
    assert close_face(write(face), allotment) == expected
    # And a face that was read back can be opened and closed anew, whatever else stands in it.
    read = json.loads(expected) | {"reverses": "01" + "0" * 64, "till": "\0"}
    assert close_face(write_open(read), allotment) == canonical.encode(read)


@pytest.mark.parametrize("bent", [b"", b"{}", b'{"code":\0,"issued_at":\0}', b"\0\0\0\0"])
def test_what_is_no_open_face_is_not_closed(bent: bytes) -> None:
    with pytest.raises(ValueError, match="unpack"):
        close_face(bent, FIRST)


def test_half_a_character_is_refused() -> None:
    for group in (
        BuyerGroup(address_phone="", kind="", name="\ud800", payment_id="", tax_id=""),
        Rest(drawer="\udfff", order_id="", payee="", remark="", reviewer=""),
    ):
        with pytest.raises(MalformedError) as caught:
            write(group)
        assert caught.value.code == "not_canonical"
