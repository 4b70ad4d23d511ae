"""The invoice document: its exact bytes, its commitment, its sums, and what is refused."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from Crypto.Hash import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from chain import canonical, commitment
from chain.errors import MalformedError
from invoice_service.domain.invoice import (
    Prepared,
    document_digest,
    finish,
    parse_request,
    prepare,
    split_salts,
)
from invoice_service.domain.money import line_total, split_tax

from .samples import FIRST, RATES, RESTAURANT, SALTS, company, line, order, prepared

FACE = (
    '{"amount":10660,"code":"144031809110","currency":"CNY","district":"440303","drawer":"李四",'
    '"industry":"6210","issued_at":"2018-08-10T12:00:00+08:00","number":"00000001",'
    '"order_id":"A-0001","payee":"王五","remark":"桌 8","reviewer":"赵六","seller":'
    '{"address_phone":"深圳市罗湖区人民南路 0755-82210000",'
    '"bank_account":"招商银行 7559 0000 1234",'
    '"name":"深圳市旋转餐厅有限公司","tax_id":"91440300708461136T"},"tax":640,"total":11300,'
    '"type":"blue"}'
)
BUYER = '{"address_phone":"","kind":"individual","name":"","payment_id":"","tax_id":""}'
LINES = (
    '[{"amount":10660,"name":"*餐饮服务*餐费","quantity":"1","spec":"","tax":640,'
    '"tax_rate":"0.06","unit":"","unit_price":11300}]'
)


def refused(body: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(MalformedError) as caught:
        prepared(body)
    return caught.value.code, caught.value.pointer


def sha256(data: bytes) -> bytes:
    return SHA256.new(data).digest()


def test_the_document_is_these_bytes() -> None:
    draft = prepared(order(remark="桌 8"))
    assert finish(draft, FIRST).face.decode() == FACE
    assert draft.buyer.decode() == BUYER
    assert draft.lines.decode() == LINES


def test_the_password_area_is_the_formula_of_the_design() -> None:
    # Written out from docs/formats.md, sharing no code with the domain.
    groups = [
        sha256(b"fapiao/v1/" + name + b"\n" + SALTS[16 * i : 16 * i + 16] + text.encode())
        for i, (name, text) in enumerate(((b"face", FACE), (b"buyer", BUYER), (b"lines", LINES)))
    ]
    expected = "01" + sha256(b"fapiao/v1/invoice\n" + b"".join(groups)).hex()
    frozen = finish(prepared(order(remark="桌 8")), FIRST)
    assert frozen.hash == expected
    assert frozen.check_code == expected[-5:]
    assert len(frozen.hash) == 66


def test_stored_bytes_give_the_same_digest_again() -> None:
    draft = prepared(order(buyer=company()))
    frozen = finish(draft, FIRST)
    assert document_digest(frozen.face, draft.buyer, draft.lines, SALTS) == frozen.digest
    for bent in (
        (frozen.face + b" ", draft.buyer, draft.lines, SALTS),
        (frozen.face, draft.buyer + b" ", draft.lines, SALTS),
        (frozen.face, draft.buyer, draft.lines + b" ", SALTS),
        (frozen.face, draft.buyer, draft.lines, SALTS[::-1]),
    ):
        assert document_digest(*bent) != frozen.digest


def test_everything_before_the_number_is_ready() -> None:
    draft = prepared(order(lines=[line(), line(tax_rate="0.13", quantity="2")]))
    assert (draft.kind, draft.merchant_id, draft.key_id, draft.order_id) == ("blue", 7, 3, "A-0001")
    assert (draft.industry, draft.district, draft.reverses) == ("6210", "440303", None)
    assert draft.rates == [("0.06", 10660, 640), ("0.13", 20000, 2600)]
    assert (draft.amount, draft.tax, draft.total) == (30660, 3240, 33900)
    assert not any(name in draft.form for name in (b'"0000', b'"2018-', b"reverses"))


def test_a_prepared_invoice_travels_and_finishes_the_same() -> None:
    draft = prepared(order(buyer=company()))
    arrived = msgspec.msgpack.decode(msgspec.msgpack.encode(draft), type=Prepared)
    assert arrived == draft
    assert finish(arrived, FIRST) == finish(draft, FIRST)


def test_another_number_or_salt_is_another_invoice() -> None:
    draft = prepared(order())
    second = msgspec.structs.replace(FIRST, number="00000002")
    later = msgspec.structs.replace(FIRST, issued_at=FIRST.issued_at + 1)
    salted = msgspec.structs.replace(draft, salts=bytes(16) + SALTS[16:])
    digests = {finish(draft, place).digest for place in (FIRST, second, later)}
    assert len(digests | {finish(salted, FIRST).digest}) == 4


def test_the_people_of_the_request_come_before_the_merchants() -> None:
    face = json.loads(finish(prepared(order(drawer="收银一")), FIRST).face)
    assert (face["drawer"], face["payee"], face["reviewer"]) == ("收银一", "王五", "赵六")


names = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1)
lines_of = st.lists(
    st.fixed_dictionaries(
        {
            "name": names.map(lambda text: text[:100]),
            "unit_price": st.integers(1, 10**7),
            "tax_rate": st.sampled_from(RATES.texts),
            "quantity": st.sampled_from(["1", "2", "1.5", "0.001", "12.125", "3.000"]),
        }
    ),
    min_size=1,
    max_size=5,
).filter(lambda lines: all(slow_total(line) for line in lines))


def slow_total(line: dict[str, Any]) -> int:
    return line_total(Decimal(line["quantity"]), line["unit_price"])


@settings(max_examples=60)
@given(lines_of)
def test_every_sum_is_that_of_the_slow_definition(lines: list[dict[str, Any]]) -> None:
    draft = prepared(order(lines=lines))
    split = [split_tax(slow_total(line), Decimal(line["tax_rate"])) for line in lines]
    written = json.loads(draft.lines)
    assert [(line["amount"], line["tax"]) for line in written] == split
    assert [Decimal(line["quantity"]) for line in written] == [
        Decimal(line["quantity"]) for line in lines
    ]
    assert draft.amount == sum(amount for amount, _ in split)
    assert draft.tax == sum(tax for _, tax in split)
    assert draft.total == sum(map(slow_total, lines)) == draft.amount + draft.tax
    assert [rate for rate, _, _ in draft.rates] == sorted({line["tax_rate"] for line in lines})
    assert sum(amount for _, amount, _ in draft.rates) == draft.amount
    assert sum(tax for _, _, tax in draft.rates) == draft.tax


@settings(max_examples=60)
@given(lines_of, names)
def test_what_is_stored_is_canonical(lines: list[dict[str, Any]], remark: str) -> None:
    draft = prepared(order(lines=lines, remark=remark[:200], buyer=company()))
    for stored_bytes in (finish(draft, FIRST).face, draft.buyer, draft.lines):
        assert canonical.encode(canonical.decode_canonical(stored_bytes)) == stored_bytes


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"quantity": "0"}, "quantity_not_positive", "/quantity"),
        ({"quantity": "-2"}, "quantity_not_positive", "/quantity"),
        ({"quantity": "two"}, "quantity_invalid", "/quantity"),
        ({"quantity": ""}, "quantity_invalid", "/quantity"),
        ({"unit_price": -11300}, "unit_price_not_positive", "/unit_price"),
        ({"tax_rate": "0.07"}, "tax_rate_unknown", "/tax_rate"),
        ({"tax_rate": "6%"}, "tax_rate_unknown", "/tax_rate"),
        ({"quantity": "999999999", "unit_price": 10**13}, "amount_out_of_range", ""),
    ],
)
def test_a_bad_line_is_refused_with_its_place(
    changes: dict[str, Any], code: str, field: str
) -> None:
    assert refused(order(lines=[line(), line(**changes)])) == (code, f"/lines/1{field}")


def test_a_sum_out_of_range_is_refused() -> None:
    assert refused(order(lines=[line(unit_price=10**13)] * 2))[0] == "amount_out_of_range"


@pytest.mark.parametrize("claim", [{"total": 11300}, {"amount": 10660}, {"tax": 640}, {}])
def test_totals_that_agree_change_nothing(claim: dict[str, int]) -> None:
    assert prepared(order(**claim)) == prepared(order())


@pytest.mark.parametrize("field", ["total", "amount", "tax"])
@pytest.mark.parametrize("off_by", [-1, 1])
def test_totals_that_do_not_add_up_are_refused_and_say_what_would(field: str, off_by: int) -> None:
    right = {"total": 11300, "amount": 10660, "tax": 640}[field]
    with pytest.raises(MalformedError) as caught:
        prepared(order(**{field: right + off_by}))
    assert (caught.value.code, caught.value.pointer) == ("totals_mismatch", f"/{field}")
    assert caught.value.extra == {"expected": right}


def test_requests_that_mean_the_same_have_the_same_digest() -> None:
    plain = prepared(order()).request_digest
    for same in (
        order(total=11300),
        order(remark="", buyer={}),
        order(buyer={"kind": "individual", "name": ""}),
        order(lines=[line(quantity="1.000", spec="")]),
        dict(reversed(order().items())),
    ):
        assert prepared(same).request_digest == plain
    moved = msgspec.structs.replace(RESTAURANT, name="新名", drawer="新人")
    request = parse_request(msgspec.json.encode(order()))
    later = prepare(request, moved, salts=SALTS[::-1], rates=RATES, idempotency_key="k")
    assert later.request_digest == plain


@pytest.mark.parametrize(
    "changes",
    [
        *({"order_id": "A-0002"}, {"remark": "x"}, {"drawer": "x"}, {"payee": "x"}),
        *({"reviewer": "x"}, {"buyer": company()}, {"lines": [line(), line()]}),
        *({"lines": [line(name=1 * "y")]}, {"lines": [line(unit="份")]}),
        *({"lines": [line(quantity="2")]}, {"lines": [line(unit_price=11301)]}),
    ],
)
def test_requests_that_differ_anywhere_have_another_digest(changes: dict[str, Any]) -> None:
    assert prepared(order(**changes)).request_digest != prepared(order()).request_digest


@pytest.mark.parametrize("salts", [b"", bytes(47), bytes(49)])
def test_three_salts_have_48_bytes(salts: bytes) -> None:
    assert split_salts(SALTS) == (SALTS[:16], SALTS[16:32], SALTS[32:])
    request = parse_request(msgspec.json.encode(order()))
    with pytest.raises(MalformedError) as caught:
        prepare(request, RESTAURANT, salts=salts, rates=RATES)
    assert caught.value.code == "salt_length"


@pytest.mark.parametrize(
    ("price", "amount", "tax"),
    [(11300, 10660, 640), (49810, 46991, 2819), (30000, 28302, 1698)],
)
def test_the_figures_on_real_invoices(price: int, amount: int, tax: int) -> None:
    draft = prepared(order(lines=[line(unit_price=price)]))
    assert (draft.amount, draft.tax, draft.total) == (amount, tax, price)


def test_the_password_area_reads_back() -> None:
    frozen = finish(prepared(order()), FIRST)
    assert commitment.parse_password_area(frozen.hash) == frozen.digest
