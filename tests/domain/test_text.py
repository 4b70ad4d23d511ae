"""Texts: something of them is seen, no character forges a line, an identifier has one spelling."""

import json
import re
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.text import (
    DEFAULT_IGNORABLE,
    check_identifier,
    check_name,
    given_text,
    is_blank,
)
from tests.outside import need

UNSEEN = [
    *("\u200b", "\u00ad", "\u034f", "\u115f", "\u3164", "\uffa0", "\u2800", "\ufe0f", "\ufeff"),
    *("\u2060", "\u17b4", "\U000e0020", "\u061c", "\u180e", "\ufffc"),
    *("\U0001d159", "\U00013441", "\U00013442"),
]
"""Characters that show nothing, of every kind: some Python even calls printable."""


def code_of(check: object, text: str) -> str:
    """The code of the refusal, "" for none."""
    assert callable(check)
    try:
        check(text, "/x")
    except MalformedError as problem:
        return problem.code if problem.detail.isprintable() else "detail_unprintable"
    return ""


@pytest.mark.parametrize(
    "sign",
    [
        *("\r", "\n", "\t", "\x00", "\x1b", "\x7f", "\x85", "\x9f", "\u2028", "\u2029"),
        *("\u202e", "\u2066", "\ud800", "\udfff", "\ufffe", "\ufdd0", "\U0010ffff"),
    ],
)
def test_controls_are_refused_with_their_place(sign: str) -> None:
    with pytest.raises(MalformedError) as caught:
        given_text(f"茶{sign}水", "/remark")
    assert (caught.value.code, caught.value.pointer) == ("control_character", "/remark")
    assert f"U+{ord(sign):04X}" in caught.value.detail
    assert caught.value.detail.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "餐费",
        "宝\u3000安",
        "a\u00a0b",
        "👨\u200d🍳",
        "❤\ufe0f",
        "é",
        "e\u0301",
        "王\ue000",
        "\U00031350茶",
        " a ",
    ],
)
def test_whatever_people_write_may_stand(text: str) -> None:
    assert given_text(text, "/name") == text


@given(st.characters())
def test_no_control_of_unicode_gets_through(sign: str) -> None:
    if unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"}:
        with pytest.raises(MalformedError):
            given_text(sign, "")


@pytest.mark.parametrize(
    "sign",
    [
        *(*UNSEEN, " ", "\u3000", "\u00a0", "\u0301", "\u20dd"),
        *("\ue000", "\U000f0000", "\u0378", "\U0003fff0"),  # private, and nobody's yet
    ],
)
def test_what_nobody_can_see_was_not_given(sign: str) -> None:
    for text in (sign, sign * 2, f" {sign}\u200b"):
        assert is_blank(text)
        assert code_of(check_name, text) == "text_empty"
        assert given_text(text, "/x") == ""
        assert code_of(check_identifier, text) == "text_empty"
    assert code_of(check_name, f"茶{sign}") == ""


def test_a_text_that_is_not_there_is_missing_only_where_it_must_be() -> None:
    assert given_text("", "/x") == ""
    assert code_of(check_name, "") == code_of(check_identifier, "") == "text_empty"


@pytest.mark.parametrize("check", [given_text, check_name, check_identifier])
def test_a_character_that_was_lost_on_the_way_is_named(check: object) -> None:
    assert code_of(check, "拿\ufffd铁") == "text_damaged"


@pytest.mark.parametrize("sign", [*UNSEEN, "\u3000", "\u00a0", "\u2003"])
def test_an_identifier_shows_all_its_characters(sign: str) -> None:
    assert code_of(check_identifier, "订单 A-0001") == ""
    assert code_of(check_identifier, f"a{sign}b") == "control_character"


@pytest.mark.parametrize("text", ["a\nb", "a\x00b", "a\u202eb"])
def test_no_control_stands_in_an_identifier(text: str) -> None:
    assert code_of(check_identifier, text) == "control_character"


@pytest.mark.parametrize("text", ["A1 ", " A1", "A  1", "Cafe\u0301-1", "\u212b1", "\uf900"])
def test_an_identifier_has_one_spelling(text: str) -> None:
    assert code_of(check_identifier, text) == "identifier_ambiguous"


@given(st.text())
def test_an_identifier_survives_whoever_normalises_it_or_drops_what_is_unseen(text: str) -> None:
    if not code_of(check_identifier, text):
        seen = "".join(sign for sign in text if sign == " " or sign.isprintable())
        assert unicodedata.normalize("NFC", " ".join(seen.split())) == text


def test_what_may_be_ignored_is_what_another_program_says() -> None:
    """Node carries the Unicode tables: every code point is asked, in one run."""
    ask = (
        "const found = []; for (let c = 0; c < 0x110000; c++)"
        " if (/\\p{Default_Ignorable_Code_Point}/u.test(String.fromCodePoint(c))) found.push(c);"
        " console.log(JSON.stringify(found))"
    )
    done = subprocess.run([need("node"), "-e", ask], capture_output=True, check=True)
    ours = re.findall(f"[{DEFAULT_IGNORABLE}]", "".join(map(chr, range(0x110000))))
    assert [ord(sign) for sign in ours] == json.loads(done.stdout)
