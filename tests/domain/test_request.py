"""Every bad request is refused with its own code and the place where it is bad."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.request import (
    check_idempotency_key,
    parse_request,
    parse_reversal,
)

from .samples import COMPANY_TAX_ID, company, line, order

LONG = "餐" * 1000


def refused(body: bytes) -> tuple[str, str]:
    """(code, pointer) of the refusal of this body."""
    with pytest.raises(MalformedError) as caught:
        parse_request(body)
    assert caught.value.detail
    return caught.value.code, caught.value.pointer


def encoded(**changes: object) -> bytes:
    return msgspec.json.encode(order(**changes))


def with_line(**changes: object) -> bytes:
    """An order whose second line is changed."""
    return encoded(lines=[line(), line(**changes)])


GOOD = encoded()


def outcome(body: bytes) -> str:
    """The code of the refusal, or "" when the request is accepted; nothing else may happen."""
    try:
        parse_request(body)
    except MalformedError as error:
        return error.code
    return ""


CODES = {
    *(
        "",
        "not_json",
        "not_utf8",
        "lone_surrogate",
        "duplicate_key",
        "wrong_type",
        "amount_not_fen",
    ),
    *(
        "unknown_field",
        "missing_field",
        "control_character",
        "identifier_ambiguous",
        "text_too_long",
    ),
}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b"", "not_json", ""),
        (b"{", "not_json", ""),
        (b"hello", "not_json", ""),
        (b"NaN", "not_json", ""),
        (GOOD + b"{}", "not_json", ""),
        (GOOD.decode().encode("utf-16"), "not_utf8", ""),
        (GOOD.decode().encode("utf-16-be"), "not_utf8", ""),
        (b"\xef\xbb\xbf" * 2 + GOOD, "not_json", ""),
        (GOOD.replace(b"11300", b"+5"), "not_json", ""),
        (GOOD.replace(b"11300", b"05"), "not_json", ""),
        (GOOD.replace(b"11300", "５".encode()), "not_json", ""),
        (GOOD.replace(b"A-0001", b"A\n1"), "not_json", ""),
        (GOOD.replace(b"A-0001", b"\xff"), "not_utf8", ""),
        (GOOD.replace(b"A-0001", b"\xed\xa0\x80"), "not_utf8", ""),
        (GOOD[:-1] + b"\xff}", "not_utf8", ""),
        ('{"订单":1}'.encode("gb18030"), "not_utf8", ""),
        (GOOD.replace(b"A-0001", b"\\ud800"), "lone_surrogate", ""),
        (GOOD.replace(b"A-0001", b"\\udc00\\ud83d"), "lone_surrogate", ""),
        (b"[]", "wrong_type", ""),
        (b"null", "wrong_type", ""),
        (b'"x"', "wrong_type", ""),
        (encoded(order_id=5), "wrong_type", "/order_id"),
        (GOOD.replace(b'"A-0001"', b"null"), "wrong_type", "/order_id"),
        (encoded(lines={}), "wrong_type", "/lines"),
        (encoded(lines=[line(), 7]), "wrong_type", "/lines/1"),
        (encoded(buyer="x"), "wrong_type", "/buyer"),
        (encoded(buyer={"kind": 1}), "wrong_type", "/buyer/kind"),
        (GOOD.replace(b"11300", b"113.0"), "amount_not_fen", "/lines/0/unit_price"),
        (GOOD.replace(b"11300", b"1e3"), "amount_not_fen", "/lines/0/unit_price"),
        (GOOD.replace(b"11300", b'"11300"'), "amount_not_fen", "/lines/0/unit_price"),
        (GOOD.replace(b"11300", b"true"), "amount_not_fen", "/lines/0/unit_price"),
        (with_line(quantity=2), "wrong_type", "/lines/1/quantity"),
        (with_line(tax_rate=0.06), "wrong_type", "/lines/1/tax_rate"),
        (encoded(total="11300"), "amount_not_fen", "/total"),
        (encoded(total=113.0), "amount_not_fen", "/total"),
        (encoded(unknown=1), "unknown_field", "/unknown"),
        (encoded(**{"a/b~c": 1}), "unknown_field", "/a~1b~0c"),
        (with_line(price=1), "unknown_field", "/lines/1/price"),
        (encoded(buyer={"nmae": "x"}), "unknown_field", "/buyer/nmae"),
        (b"{}", "missing_field", "/order_id"),
        (encoded(order_id=None), "missing_field", "/order_id"),
        (encoded(lines=None), "missing_field", "/lines"),
        (with_line(name=None), "missing_field", "/lines/1/name"),
        (with_line(unit_price=None), "missing_field", "/lines/1/unit_price"),
        (with_line(tax_rate=None), "missing_field", "/lines/1/tax_rate"),
        (encoded(lines=[]), "no_lines", "/lines"),
        (encoded(lines=[line()] * 2001), "too_many_lines", "/lines"),
        (encoded(order_id=""), "text_empty", "/order_id"),
        (with_line(name=""), "text_empty", "/lines/1/name"),
        (with_line(name=" \u3000"), "text_empty", "/lines/1/name"),
        (encoded(order_id="  "), "text_empty", "/order_id"),
        (with_line(name="\u200b\u200b"), "text_empty", "/lines/1/name"),
        *((with_line(name=sign), "text_empty", "/lines/1/name") for sign in "\ufffc\ue000\u0378"),
        (encoded(buyer=company(name="\u200b")), "buyer_incomplete", "/buyer/name"),
        (encoded(buyer=company(name="腾\ufffd讯")), "text_damaged", "/buyer/name"),
        (encoded(order_id="A-0001 "), "identifier_ambiguous", "/order_id"),
        (encoded(order_id="\u115f"), "text_empty", "/order_id"),
        (encoded(order_id="x" * 65), "text_too_long", "/order_id"),
        (encoded(remark=LONG), "text_too_long", "/remark"),
        (with_line(name=LONG), "text_too_long", "/lines/1/name"),
        (encoded(buyer=company(name=LONG)), "text_too_long", "/buyer/name"),
        (GOOD.replace(b"11300", b"9" * 30), "amount_out_of_range", "/lines/0/unit_price"),
        (GOOD.replace(b"11300", b"9" * 5000), "amount_out_of_range", "/lines/0/unit_price"),
        (encoded(total=-(10**13) - 1), "amount_out_of_range", "/total"),
        (encoded(buyer={"kind": "firm"}), "value_unknown", "/buyer/kind"),
        (encoded(buyer=company(name="")), "buyer_incomplete", "/buyer/name"),
        (encoded(buyer=company(name=" ")), "buyer_incomplete", "/buyer/name"),
        (encoded(buyer=company(tax_id="")), "buyer_incomplete", "/buyer/tax_id"),
        (encoded(buyer={"kind": "company"}), "buyer_incomplete", "/buyer/name"),
        (encoded(buyer=company(tax_id="9144030071526726XX")), "tax_id_invalid", "/buyer/tax_id"),
        (encoded(buyer={"tax_id": "1"}), "tax_id_invalid", "/buyer/tax_id"),
        (encoded(order_id="A\r\nSet-Cookie: x"), "control_character", "/order_id"),
        (encoded(order_id="A\u200b1"), "control_character", "/order_id"),
        (encoded(remark="a\nb"), "control_character", "/remark"),
        (encoded(payee="\x7f"), "control_character", "/payee"),
        (with_line(name="饭\t菜"), "control_character", "/lines/1/name"),
        (with_line(spec="\n"), "control_character", "/lines/1/spec"),
        (with_line(unit="\u202e"), "control_character", "/lines/1/unit"),
        (encoded(buyer=company(payment_id="\x00")), "control_character", "/buyer/payment_id"),
    ],
)
def test_bad_request(body: bytes, code: str, pointer: str) -> None:
    assert refused(body) == (code, pointer)


@pytest.mark.parametrize(
    "body",
    [
        GOOD.replace(b"{", b'{"order_id":"B",', 1),
        GOOD.replace(b"{", b'{"order_\\u0069d":"\\"",', 1),
        GOOD.replace(b'"name"', b'"name":"x","name"'),
        GOOD.replace(b"}]}", b'}],"buyer":{"name":"a","name":""}}'),
        GOOD.replace(b"}]}", b'}],"remark":"","remark":""}'),
        GOOD.replace(b"}]}", b'}],"total":11300, "total" : 11300}'),
        # Quotes inside the string that is kept make up for those of the key that is not.
        GOOD.replace(b"A-0001", b"\\u0022\\u0022\\u0022\\u0022").replace(
            b"{", b'{"order_id":"x",', 1
        ),
        # So do defaults that are spelled out, the other way round.
        GOOD.replace(b"}]}", b'}],"remark":"","buyer":{},"buyer":{}}'),
    ],
)
def test_a_key_named_twice_is_refused(body: bytes) -> None:
    assert json.loads(body)  # lenient readers take it
    assert refused(body)[0] == "duplicate_key"


@pytest.mark.parametrize(
    "body",
    [
        GOOD[:-1] + b',"lines":[]}',
        b'{"lines":[],' + GOOD[1:],
        b'{"order_id":1,"order_id":"x"}',
        b'{"lines":[{"unit_price":1.5,"unit_price":2}]}',
        b'{"colour":{"red":1,"red":2}}',
        b'{"remark":null,"remark":null,"lines":[]}',
    ],
)
def test_a_key_named_twice_is_found_before_a_field_that_is_wrong(body: bytes) -> None:
    assert refused(body)[0] == "duplicate_key"


@pytest.mark.parametrize("end", [b"", b"}}", b"} x", b',"a":1,}', b',"a":NaN}', b',"a":01}'])
def test_what_is_no_json_behind_a_field_that_is_wrong(end: bytes) -> None:
    assert refused(b'{"order_id":1' + end)[0] == "not_json"


def test_of_many_fields_that_are_none_of_ours_the_first_is_named() -> None:
    """Looking for one that stands twice takes no longer than reading them."""
    many = {f"k{number}": 0 for number in range(80_000)}
    assert refused(json.dumps(many).encode()) == ("unknown_field", "/k0")
    assert refused(json.dumps({**many, "lines": []}).encode())[0] == "unknown_field"


texts = st.text(st.characters(codec="utf-8"), max_size=6)


@given(
    st.dictionaries(st.sampled_from(["remark", "drawer", "payee", "reviewer"]), texts),
    st.booleans(),
    st.sampled_from([None, 0, 2]),
    st.sampled_from([None, "remark", "order_id"]),
)
def test_repeated_keys_are_found_however_the_body_is_spelled(
    given_texts: dict[str, str], ascii_only: bool, indent: int | None, repeated: str | None
) -> None:
    body = json.dumps(order(**given_texts), ensure_ascii=ascii_only, indent=indent)
    if repeated is not None:
        body = "{" + f'"{repeated}": "x",' * 2 + body[1:]
    refused = {"control_character", "text_empty", "text_damaged"}
    expected = {"duplicate_key"} if repeated else {"", *refused}
    assert outcome(body.encode()) in expected


def test_a_byte_order_mark_is_no_part_of_a_body() -> None:
    assert parse_request(b"\xef\xbb\xbf" + GOOD) == parse_request(GOOD)
    reversal = b'{"reason":"SALES_RETURN"}'
    assert parse_reversal(b"\xef\xbb\xbf" + reversal) == parse_reversal(reversal)


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\u3164", "\ufffc", "\ue000", "\u0378"])
def test_a_text_that_shows_nothing_is_left_out_wherever_it_may_be(blank: str) -> None:
    """Whatever fills the field of a till's form: the same invoice, and the same order again."""
    texts = dict.fromkeys(["remark", "drawer", "payee", "reviewer"], blank)
    of_line = dict.fromkeys(["spec", "unit"], blank)
    of_buyer = dict.fromkeys(["name", "address_phone", "payment_id"], blank)
    body = {**order(lines=[line() | of_line]), **texts, "buyer": of_buyer}
    assert parse_request(json.dumps(body).encode()) == parse_request(GOOD)
    assert outcome(encoded(buyer=company(name=blank))) == "buyer_incomplete"


def test_null_is_no_field_wherever_a_field_may_be_left_out() -> None:
    nothing = dict.fromkeys(["total", "amount", "tax", "remark", "drawer", "payee", "reviewer"])
    of_line = dict.fromkeys(["quantity", "spec", "unit"])
    of_buyer = dict.fromkeys(["name", "tax_id", "address_phone", "payment_id", "kind"])
    body = {**order(lines=[line() | of_line]), **nothing}
    assert parse_request(json.dumps({**body, "buyer": None}).encode()) == parse_request(GOOD)
    assert parse_request(json.dumps({**body, "buyer": of_buyer}).encode()) == parse_request(GOOD)


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({**order(), "order_id": None}, "wrong_type", "/order_id"),
        ({**order(), "lines": None}, "wrong_type", "/lines"),
        ({**order(), "lines": [None]}, "wrong_type", "/lines/0"),
        ({**order(), "lines": [{**line(), "name": None}]}, "wrong_type", "/lines/0/name"),
        ({**order(), "colour": None}, "unknown_field", "/colour"),
        ({**order(), "remark": None, "total": 1.5}, "amount_not_fen", "/total"),
        ({**order(), "remark": None, "total": 10**40}, "amount_out_of_range", "/total"),
    ],
)
def test_null_hides_nothing_that_is_wrong(body: object, code: str, pointer: str) -> None:
    assert refused(json.dumps(body).encode()) == (code, pointer)


def test_null_beside_a_value_is_a_key_that_stands_twice() -> None:
    for second in (b'"remark":"x","remark":null}', b'"remark":null,"remark":"x"}'):
        assert refused(GOOD[:-1] + b"," + second)[0] == "duplicate_key"


def test_a_body_beyond_the_limit_is_not_even_read() -> None:
    with pytest.raises(MalformedError) as caught:
        parse_request(b"{" * ((1 << 20) + 1))
    assert caught.value.code == "body_too_large"
    assert parse_request(GOOD.ljust(65_536)).order_id == "A-0001"


def test_as_many_lines_as_the_settings_allow() -> None:
    assert len(parse_request(encoded(lines=[line()] * 100)).lines) == 100
    with pytest.raises(MalformedError, match="too_many_lines"):
        parse_request(encoded(lines=[line()] * 3), max_lines=2)


def test_everything_that_may_be_given_is_kept() -> None:
    body = order(
        buyer=company(address_phone="深圳 0755", payment_id="wx-1"),
        lines=[line(spec="大", unit="份", quantity="2")],
        total=22600,
        remark="桌 8",
        drawer="a",
        payee="b",
        reviewer="c",
    )
    request = parse_request(msgspec.json.encode(body))
    assert msgspec.to_builtins(request) == body
    assert request.buyer.tax_id == COMPANY_TAX_ID


def test_escapes_and_defaults_spelled_out_are_accepted() -> None:
    body = order(remark="", buyer={"kind": "individual", "name": "张三"}, drawer="\\")
    spelled = json.dumps(body, ensure_ascii=True, indent=1).encode()
    assert parse_request(spelled) == parse_request(msgspec.json.encode(body))


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_nothing_but_a_named_refusal_escapes_from_any_bytes(body: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_request(body)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
PLACES = [
    *("order_id", "lines", "buyer", "total", "amount", "remark", "drawer"),
    *("name", "unit_price", "tax_rate", "quantity", "spec", "unit", "`", "a` - at `$.b"),
]


@settings(max_examples=300)
@given(st.sampled_from(PLACES), JSON, st.booleans())
def test_nothing_but_a_named_refusal_escapes_from_any_field(
    place: str, value: object, in_line: bool
) -> None:
    body = order(lines=[line() | {place: value}]) if in_line else order() | {place: value}
    assert outcome(json.dumps(body).encode()) not in {"not_json", "not_utf8"}


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_nothing_but_a_named_refusal_escapes_from_a_bent_request(place: int, byte: int) -> None:
    assert outcome(GOOD[:place] + bytes([byte]) + GOOD[place + 1 :]) in CODES


def test_a_reversal_names_its_reason() -> None:
    assert parse_reversal(b'{"reason":"SALES_RETURN"}').reason is Reason.SALES_RETURN


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b"{}", "missing_field", "/reason"),
        (b'{"reason":"BORED"}', "value_unknown", "/reason"),
        (b'{"reason":null}', "wrong_type", "/reason"),
        (b'{"reason":"SALES_RETURN","lines":[]}', "no_lines", "/lines"),
        (b'{"reason":"SALES_RETURN","lines":[{"line":0}]}', "amount_out_of_range", "/lines/0/line"),
        (b'{"reason":"SALES_RETURN","lines":[{"quantity":"1"}]}', "missing_field", "/lines/0/line"),
        (
            b'{"reason":"SALES_RETURN","lines":[{"line":1,"quantity":"-1"}]}',
            "quantity_not_positive",
            "/lines/0/quantity",
        ),
        (b'{"reason":"SALES_RETURN","lines":[{"line":1},{"line":1}]}', "line_twice", "/lines"),
        (
            b'{"reason":"SALES_RETURN","amount":1,"lines":[{"line":1}]}',
            "return_unclear",
            "/amount",
        ),
        (b'{"reason":"SALES_RETURN","rate":"0.06"}', "return_unclear", "/rate"),
        (b'{"reason":"SALES_RETURN","amount":1,"tax_kind":"zero"}', "return_unclear", "/tax_kind"),
        (b'{"reason":"SALES_RETURN","amount":0}', "amount_not_positive", "/amount"),
        (b'{"reason":"SALES_RETURN","amount":1.5}', "amount_not_fen", "/amount"),
        (b'{"reason":"SALES_RETURN","reason":"ISSUE_ERROR"}', "duplicate_key", ""),
    ],
)
def test_bad_reversal(body: bytes, code: str, pointer: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_reversal(body)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


@pytest.mark.parametrize("text", ["", "a b", "a\r\nX: y", "键", "x" * 256, "\x7f"])
def test_an_idempotency_key_is_visible_ascii(text: str) -> None:
    assert check_idempotency_key("5f0c-1/+=") == "5f0c-1/+="
    with pytest.raises(MalformedError) as caught:
        check_idempotency_key(text)
    assert caught.value.code == "idempotency_key_invalid"
