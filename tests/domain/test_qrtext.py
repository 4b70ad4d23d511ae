"""The text of a QR code: what we print reads back, and only what is in use is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.money import LIMIT
from invoice_service.domain.qrtext import QrText, parse_qr_text, scan_url

HASH = "01" + "0123456789abcdef" * 4
URL = f"https://bcfp.example/verify/scan?hash={HASH}&bill_num=00000001&total_amount=49810"
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


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "https://", "ftp" + URL[5:], URL + "#x", URL + "&x=1"),
        URL.replace("/verify/scan", "/verify/scam"),
        URL.replace("hash=", "Hash="),
        URL.replace("hash=", "hash=1&hash="),
        URL.replace("bcfp.example", "evil@bcfp.example"),
        URL.replace("bcfp", "发票"),
        URL.replace("49810", "４"),
        URL.replace("bcfp", "a b"),
        URL.replace("&bill_num=00000001", ""),
        f"https://h/verify/scan?bill_num=00000001&hash={HASH}&total_amount=1",
        URL + "&" * 3000,
        *(COMMAS.replace("20180810", day) for day in ("20181310", "20180832", "2018081", "")),
        *(COMMAS + ",x", COMMAS.replace("01,10", "02,10"), COMMAS.replace("144031809110", "1440")),
        COMMAS.replace(",", ";"),
    ],
)
def test_what_is_neither_form_is_refused(text: str) -> None:
    assert code_of(text) == "qr_invalid"


@pytest.mark.parametrize("amount", ["1e3", "+5", "05", "5.0", "", "-0", "%35", "5 x"])
def test_a_total_of_another_spelling_is_refused(amount: str) -> None:
    assert code_of(URL.replace("49810", amount)) == "amount_invalid"


@pytest.mark.parametrize(
    "bent", [HASH[:-1], HASH + "0", HASH.upper(), "02" + HASH[2:], "%30" + HASH[1:]]
)
def test_a_hash_of_another_spelling_is_refused(bent: str) -> None:
    assert code_of(URL.replace(HASH, bent)) == "password_area"


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
