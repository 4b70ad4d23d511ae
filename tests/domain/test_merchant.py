"""Merchants: their tax id, industry and district are real ones."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from chain.errors import MalformedError
from invoice_service.domain.merchant import (
    MerchantRequest,
    check_tax_id,
    districts,
    industries,
    parse_merchant,
)

from .samples import COMPANY_TAX_ID, RESTAURANT

GOOD = {"tax_id": RESTAURANT.tax_id, "name": "餐厅", "industry": "6210", "district": "440303"}


def test_a_merchant_is_read() -> None:
    request = parse_merchant(msgspec.json.encode(GOOD | {"quota": 500, "drawer": "李四"}))
    assert request == msgspec.convert({**GOOD, "quota": 500, "drawer": "李四"}, MerchantRequest)
    assert parse_merchant(msgspec.json.encode(GOOD | {"quota": None})).quota is None


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"tax_id": RESTAURANT.tax_id[:-1] + "X"}, "tax_id_invalid", "/tax_id"),
        ({"industry": "9999"}, "industry_unknown", "/industry"),
        ({"industry": "H"}, "industry_unknown", "/industry"),
        ({"industry": "62"}, "industry_unknown", "/industry"),
        ({"district": "440301"}, "district_unknown", "/district"),
        ({"district": ""}, "district_unknown", "/district"),
        ({"name": ""}, "text_empty", "/name"),
        ({"name": " "}, "text_empty", "/name"),
        ({"name": "a\nb"}, "control_character", "/name"),
        ({"bank_account": "a\tb"}, "control_character", "/bank_account"),
        ({"payee": "x" * 41}, "text_too_long", "/payee"),
        ({"quota": -1}, "amount_out_of_range", "/quota"),
        ({"quota": "5"}, "wrong_type", "/quota"),
        ({"status": "active"}, "unknown_field", "/status"),
    ],
)
def test_bad_merchant(changes: dict[str, object], code: str, pointer: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_merchant(msgspec.json.encode(GOOD | changes))
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_a_key_named_twice_is_refused() -> None:
    body = msgspec.json.encode(GOOD).replace(b"{", b'{"quota":null,"quota":5,')
    with pytest.raises(MalformedError, match="duplicate_key"):
        parse_merchant(body)


@pytest.mark.parametrize("tax_id", ["91110000600037341L", COMPANY_TAX_ID, "914403001922038216"])
def test_real_tax_ids_are_valid(tax_id: str) -> None:
    check_tax_id(tax_id)


@given(st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_any_one_wrong_sign_is_found(place: int, sign: str) -> None:
    bent = COMPANY_TAX_ID[:place] + sign + COMPANY_TAX_ID[place + 1 :]
    if bent == COMPANY_TAX_ID:
        return
    with pytest.raises(MalformedError):
        check_tax_id(bent)


@pytest.mark.parametrize(
    "text",
    [
        *("", COMPANY_TAX_ID.lower(), " " + COMPANY_TAX_ID, COMPANY_TAX_ID + "\n"),
        *("91440300-71526726XG", "91440300 71526726XG", "９144030071526726XG", "1" * 15),
    ],
)
def test_a_tax_id_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        check_tax_id(text, "/buyer/tax_id")
    assert (caught.value.code, caught.value.pointer) == ("tax_id_invalid", "/buyer/tax_id")


def test_the_library_alone_would_forgive_other_spellings() -> None:
    assert uscc.is_valid(COMPANY_TAX_ID.lower())


def test_industries_are_groups_and_classes() -> None:
    known = industries()
    assert known["6210"].name_zh == "正餐服务" == known["621"].name_zh
    assert known["6232"].name_en == "Coffee shops"
    assert "6230" not in known  # 623 has classes of its own
    assert "0110" not in known  # the classes of 01 are not listed, so none is known
    assert {code for code in known if not code.isdigit()} == set()
    assert sum(len(code) == 3 for code in known) == 473


def test_the_districts_of_shenzhen() -> None:
    assert len(districts()) == 9
    assert districts()["440305"].name_zh == "南山区"
