"""Codes of the tax administration's own invoices: named, their sums checked."""

import pytest

from chain.errors import MalformedError
from invoice_service.domain.qrtext import parse_qr_text
from invoice_service.domain.vat import KINDS, VatCode, crc16, find_vat, read_vat

PRINTED = [
    "01,04,1100174320,40184419,329.25,20180512,82190984023325258452,8E15,",
    "01,10,033001800111,25672225,76.72,20180610,82076771121721427121,CB32,",
    "01,10,031001700111,91076602,187.18,20170710,61052145051968576568,3977",
]
"""Real ones, published by others: their sums are not ours."""

BODY = "01,32,,26442000000014209621,112,20260215,,"
DIGITAL = f"{BODY}{crc16(BODY.encode()):04X}"


@pytest.mark.parametrize("text", PRINTED)
def test_the_sums_of_printed_codes_fit_and_of_changed_ones_do_not(text: str) -> None:
    code = read_vat(text)
    assert code is not None
    assert code.fits
    for place, sign in enumerate(text):
        if sign.isdigit() and place < text.rindex(",", 0, len(text) - 1):
            bent = read_vat(f"{text[:place]}{(int(sign) + 1) % 10}{text[place + 1 :]}")
            assert bent is None or not bent.fits


def test_what_a_digital_invoice_s_code_says() -> None:
    assert read_vat(DIGITAL) == VatCode(
        kind="32",
        name="digital_ordinary",
        code="",
        number="26442000000014209621",
        amount=11_200,
        day="2026-02-15",
        check="",
        fits=True,
    )


@pytest.mark.parametrize("kind", [f"{kind:02}" for kind in range(1, 33)])
def test_every_kind_is_named(kind: str) -> None:
    code = read_vat(f"01,{kind},144031800111,12345678,-469.91,20180810,12345678901234567890,A1B2,")
    assert code is not None
    assert code.name == KINDS.get(kind, "other")
    assert code.amount == -46_991
    assert not code.fits
    with pytest.raises(MalformedError) as caught:
        parse_qr_text(f"发票 {DIGITAL.replace('01,32', f'01,{kind}')} 谢谢")
    assert caught.value.code == "qr_ordinary_vat"
    assert f"kind {kind}" in caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "01",
            "01,33,144031800111,12345678,1,20180810,1,A1B2,",
            "01,00,,12345678,1,20180810,,0",
        ),
        *(DIGITAL.replace("26442", "2644"), DIGITAL.replace("2026", "1926"), f"{DIGITAL},,"),
        *(f"{DIGITAL}G", DIGITAL.replace(",112,", ",1e2,"), DIGITAL.rpartition(",")[0]),
    ],
)
def test_what_is_none_of_them(text: str) -> None:
    assert read_vat(text) is None


def test_one_is_found_within_a_text_and_an_address() -> None:
    assert find_vat(f"看这张 {DIGITAL} 好吗") == read_vat(DIGITAL)
    assert find_vat("text=" + DIGITAL.replace(",", "%2C")) == read_vat(DIGITAL)
    assert find_vat("text=01%2C10") is None
