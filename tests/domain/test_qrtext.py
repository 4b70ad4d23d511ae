"""The text of a QR code: what we print reads back, and only what is in use is read."""

import re
from urllib.parse import parse_qsl, quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.money import LIMIT
from invoice_service.domain.qrtext import (
    FIELDS,
    QrText,
    claim_as_printed,
    claim_of,
    parse_qr_text,
    read_hash,
    scan_url,
)
from tests.domain.bent import EXAMPLE, bent, several

HASH = "01" + "0123456789abcdef" * 4
URL = EXAMPLE
COMMAS = f"01,10,144031809110,00000001,91440300708461136T,469.91,20180810,{HASH}"


def code_of(text: str) -> str:
    with pytest.raises(MalformedError) as caught:
        parse_qr_text(text)
    return caught.value.code


def test_the_url_form_is_the_pilots() -> None:
    assert scan_url("https://bcfp.example", HASH, "00000001", 49810) == URL
    assert parse_qr_text(URL) == QrText(
        hash=HASH, number="00000001", total=49810, host="bcfp.example"
    )


def test_the_comma_form_has_the_seller_fifth_and_no_tax_in_the_amount() -> None:
    assert parse_qr_text(COMMAS) == QrText(
        hash=HASH,
        number="00000001",
        code="144031809110",
        seller_tax_id="91440300708461136T",
        amount=46991,
        day="2018-08-10",
    )


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 99_999_999),
    st.integers(-LIMIT, LIMIT),
    st.sampled_from(["http://127.0.0.1:8000", "https://a.cn", "https://a.cn/fapiao"]),
)
def test_every_code_that_we_print_reads_back(
    digest: bytes, number: int, total: int, public_url: str
) -> None:
    found = parse_qr_text(scan_url(public_url, "01" + digest.hex(), f"{number:08}", total))
    assert (found.hash, found.number, found.total) == (
        "01" + digest.hex(),
        f"{number:08}",
        total,
    )


def test_the_host_is_compared_without_case_and_pasted_blanks_are_nothing() -> None:
    shouted = URL.replace("https://bcfp.example", "HTTPS://BCFP.Example:8443")
    assert parse_qr_text(f" {shouted}\r\n").host == "bcfp.example:8443"


SAID = QrText(hash=HASH, number="00000001", total=49810, host="bcfp.example")

BENT = bent(URL)


@pytest.mark.parametrize("bend", BENT)
def test_a_bent_address_says_what_it_said(bend: str) -> None:
    assert parse_qr_text(BENT[bend]) == SAID


def test_capitals_marks_and_words_change_nothing_in_the_comma_form() -> None:
    said = parse_qr_text(COMMAS)
    for text in (
        *(COMMAS.replace(HASH, HASH.upper()), f"\ufeff{COMMAS}\r\n", f"「{COMMAS}」"),
        *(f"**{COMMAS}**", f"🧾{COMMAS}🧾", f"{COMMAS}电话12345"),
        *(f"发票查验：{COMMAS}，", quote(COMMAS), f"https://a.cn/?target={quote(COMMAS)}"),
        *(f"{COMMAS} please check", f"{COMMAS}, please check, and thanks"),
        f"{COMMAS}\nBest regards,\nZhang",
    ):
        assert parse_qr_text(text) == said


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "https://", "ftp" + URL[5:], "看看 https://bcfp.example/verify/scan?x=1"),
        *(
            f"看看 https://a.cn/ {URL.removeprefix('https://')}",
            "x" + COMMAS,
            quote(quote(quote(URL))),
        ),
        URL.replace("/verify/scan", "/verify/scam"),
        URL.replace("bcfp.example", "evil@bcfp.example"),
        URL.replace("bcfp", "发票"),
        URL.replace("bcfp", "a b"),
        URL.replace("&bill_num=00000001", ""),
        URL + "&" * 5000,
        *(COMMAS.replace("20180810", day) for day in ("20181310", "20180832", "2018081", "")),
        *(COMMAS + ",x", COMMAS.replace("01,10", "02,10"), COMMAS.replace("144031809110", "1440")),
        COMMAS.replace(",", ";"),
    ],
)
def test_what_is_neither_form_is_refused(text: str) -> None:
    assert code_of(text) == "qr_invalid"


@pytest.mark.parametrize("name", FIELDS)
def test_a_parameter_that_stands_twice_is_never_chosen_from(name: str) -> None:
    value = re.search(rf"{name}=([^&]*)", URL)[1]  # type: ignore[index]
    for again in (f"{name}={value}", f"{name}=", f"{name.upper()}=1", f"amp;{name}={value}"):
        assert (
            code_of(f"{URL}&{again}")
            == code_of(URL.replace("?", f"?{again}&"))
            == ("duplicate_parameter")
        )


OTHER = URL.replace(HASH, HASH[:-1] + "0")


@pytest.mark.parametrize("text", several(URL, OTHER).values(), ids=several(URL, OTHER))
def test_of_several_codes_none_is_chosen(text: str) -> None:
    assert code_of(text) in {"claims_differ", "duplicate_parameter"}


def test_one_code_twice_is_one_code() -> None:
    for text in (f"{URL}\n{URL}", f"{URL} {URL}", f"[{URL}]({URL})", f"{URL}&again={quote(URL)}"):
        assert parse_qr_text(text) == SAID
    assert parse_qr_text(f"{URL} {COMMAS}").amount == 46991


def test_a_hash_in_the_words_is_not_passed_over() -> None:
    assert parse_qr_text(f"密码区 {HASH.upper()}：{URL}") == SAID
    assert code_of(f"密码区 {HASH[:-1]}0：{URL}") == "claims_differ"


def test_an_address_has_at_most_so_many_parameters() -> None:
    assert code_of(URL + "&" * 31 + "&".join(f"a{n}=1" for n in range(40))) == "query_malformed"


@pytest.mark.parametrize("amount", ["1e3", "+5", "05", "5.0", "", "-0", "%2B5", "5 x", "４"])
def test_a_total_of_another_spelling_is_refused(amount: str) -> None:
    assert code_of(URL.replace("49810", amount)) == "amount_invalid"


@pytest.mark.parametrize(
    "behind",
    [
        *("４", "万", "元", "．50", "，500", "×2", "²", "①", "€", "x", " 5", "*5", "**5"),
        *("please", " x", " k", " yuan", "\nRMB", " fen, please", ". 5", ",50", "\n5 more", " e5"),
    ],
)
def test_what_may_belong_to_the_total_is_not_cut_off(behind: str) -> None:
    assert code_of(URL + behind) == "amount_invalid"


@pytest.mark.parametrize(
    "bent", [HASH[:-1], HASH + "0", "02" + HASH[2:], "g1" + HASH[2:], "０" + HASH[1:]]
)
def test_a_hash_that_is_none_is_refused(bent: str) -> None:
    assert code_of(URL.replace(HASH, bent)) == "password_area"
    with pytest.raises(MalformedError) as caught:
        read_hash(bent)
    assert caught.value.code == "password_area"


FIELDS_SAID = {"hash": HASH, "bill_num": "00000001", "total_amount": "49810"}


def test_fields_and_code_are_one_claim_where_they_agree() -> None:
    assert claim_of(FIELDS_SAID) == msgspec.structs.replace(SAID, host=None)
    assert claim_of(FIELDS_SAID, URL) == claim_of({}, URL) == SAID
    both = claim_of(FIELDS_SAID, COMMAS)
    assert (both.total, both.amount) == (49810, 46991)  # which the check holds against the face


@pytest.mark.parametrize(
    "beside",
    [{"hash": HASH[:-1] + "0"}, {"bill_num": "00000009"}, {"total_amount": "1"}],
)
def test_a_field_that_says_something_else_than_the_code_is_never_passed_over(
    beside: dict[str, str],
) -> None:
    with pytest.raises(MalformedError) as caught:
        claim_of(FIELDS_SAID | beside, URL)
    assert caught.value.code == "claims_differ"
    with pytest.raises(MalformedError) as caught:
        claim_of(beside, URL)
    assert caught.value.code == "claims_differ"


@pytest.mark.parametrize("name", FIELDS)
def test_without_a_code_every_field_is_needed(name: str) -> None:
    with pytest.raises(MalformedError) as caught:
        claim_of({key: value for key, value in FIELDS_SAID.items() if key != name})
    assert (caught.value.code, caught.value.pointer) == ("missing_parameter", name)


def test_numbers_are_read_strictly_in_both_forms() -> None:
    assert code_of(URL.replace("00000001", "1")) == "bill_num_invalid"
    assert code_of(COMMAS.replace("00000001", "1")) == "bill_num_invalid"
    assert code_of(COMMAS.replace("469.91", "469.915")) == "amount_invalid"
    assert code_of(COMMAS[:-1] + "G") == "password_area"


@pytest.mark.parametrize(
    "text",
    [
        "01,10,144031800111,12345678,469.91,20180810,12345678901234567890,A1B2,",
        "01,04,044001800104,12345678,469.91,20180810,12345678901234567890,0C3F,",
    ],
)
def test_an_ordinary_vat_code_is_named_as_that(text: str) -> None:
    assert code_of(text) == "qr_ordinary_vat"


@pytest.mark.parametrize("total", [1, 11300, LIMIT - 1, 0, -5, LIMIT, 10 * LIMIT])
def test_an_address_as_we_print_it_is_read_as_any_other(total: int) -> None:
    """Nothing is decided by the short way: what it reads, the long one reads alike."""
    query = scan_url("", f"01{'0a' * 32}", "00000042", total).partition("?")[2]
    short = claim_as_printed(query)
    assert short is None or short == claim_of(dict(parse_qsl(query)))
    assert (short is not None) == (0 < total < LIMIT)


@pytest.mark.parametrize("change", ["&x=1", "#a", " ", "\n", "0" * 14])
def test_an_address_that_somebody_changed_is_left_to_the_long_way(change: str) -> None:
    query = scan_url("", f"01{'0a' * 32}", "00000042", 11300).partition("?")[2]
    assert claim_as_printed(query) is not None
    assert claim_as_printed(query + change) is None
    assert claim_as_printed(query.replace("0a", "0A")) is None
    assert claim_as_printed(query.replace("hash=", "hash=01")) is None
