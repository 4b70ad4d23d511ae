"""Title codes: read in every form that is in use, and nothing else taken for one."""

from base64 import b64encode, urlsafe_b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from invoice_service.domain.titles import Title, crc16, is_title_code, parse_title

FIELDS = "深圳市采购有限公司</>91330100799655058B</>福田区|0755-1</>银行|62"
GOOD = Title("深圳市采购有限公司", "91330100799655058B", "福田区 0755-1", "银行 62", sure=True)


def sum_of(text: str, charset: str = "gb18030") -> str:
    return f"{crc16(text.encode(charset)):X}"


def spelled(text: str, charset: str = "utf-8") -> str:
    return b64encode(text.encode(charset)).decode()


def test_the_sum_is_the_one_of_its_name() -> None:
    assert crc16(b"123456789") == 0xFEE8  # CRC-16/BUYPASS, the catalogue's check value


@pytest.mark.parametrize(
    "body",
    [
        f"{FIELDS}</>{sum_of(f'{FIELDS}</>')}",
        f"{FIELDS}</>{sum_of(FIELDS).lower()}",
        f"{FIELDS}</>{sum_of(FIELDS, 'utf-8')}",
        spelled(f"{FIELDS}</>{sum_of(FIELDS)}"),
        spelled(f"{FIELDS}</>{sum_of(FIELDS)}", "gb18030"),
        f"{FIELDS}</>{sum_of(FIELDS)}".encode("gb18030").decode("latin-1"),
        urlsafe_b64encode(f"{FIELDS}</>{sum_of(FIELDS)}".encode()).decode(),
    ],
)
def test_every_way_of_writing_it_is_read(body: str) -> None:
    assert parse_title(f" $01{body}$\n") == GOOD
    assert is_title_code(f" $01{body}$")


def test_a_sum_that_is_missing_or_wrong_is_said() -> None:
    assert not parse_title(f"$01{FIELDS}$").sure
    assert not parse_title(f"$01{FIELDS}</>{int(sum_of(FIELDS), 16) ^ 1:X}$").sure
    assert parse_title("$01某某局</>$") == Title("某某局")


@pytest.mark.parametrize(
    "text",
    [
        *("", "$01$", "$01公司$", "$01</>91330100799655058B$", "$02a</>b$", "01a</>b", "$01YQ==$"),
        *("$01%$", f"$01{'长' * 101}</>x$", f"$01{'a</>' * 9}$", f"$01{'a' * 3000}$"),
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedError) as refused:
        parse_title(text)
    assert refused.value.code == "title_invalid"


@given(st.text(max_size=80))
def test_no_text_makes_it_fall_over(text: str) -> None:
    for body in (text, spelled(text, "utf-8") if text.isprintable() else text):
        with suppress(MalformedError):
            parse_title(f"$01{body}$")
