"""Texts: no character that would forge a line or read otherwise than it is stored."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.text import check_identifier, check_text


@pytest.mark.parametrize(
    "sign",
    [
        *("\r", "\n", "\t", "\x00", "\x1b", "\x7f", "\x85", "\x9f", "\u2028", "\u2029"),
        *("\u202e", "\u2066", "\ud800", "\udfff", "\ufffe"),
    ],
)
def test_controls_are_refused_with_their_place(sign: str) -> None:
    with pytest.raises(MalformedError) as caught:
        check_text(f"茶{sign}水", "/remark")
    assert (caught.value.code, caught.value.pointer) == ("control_character", "/remark")
    assert f"U+{ord(sign):04X}" in caught.value.detail
    assert caught.value.detail.isprintable()


@pytest.mark.parametrize(
    "text", ["", "餐费", "宝\u3000安", "a\u00a0b", "👨\u200d🍳", "é", "e\u0301", "\ue000"]
)
def test_whatever_people_write_may_stand(text: str) -> None:
    check_text(text, "/name")


@given(st.characters())
def test_no_control_of_unicode_gets_through(sign: str) -> None:
    if unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"}:
        with pytest.raises(MalformedError):
            check_text(sign, "")


@pytest.mark.parametrize("text", ["a\u200bb", "a\u3000b", "a\u00a0b", "a\nb", "a\u00adb"])
def test_an_identifier_shows_all_its_characters(text: str) -> None:
    check_identifier("订单 A-0001", "/order_id")
    with pytest.raises(MalformedError) as caught:
        check_identifier(text, "/order_id")
    assert (caught.value.code, caught.value.pointer) == ("control_character", "/order_id")
