"""What is alike where names are searched, and what is not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoice_service.domain.likeness import folded, typed_tax_id

ALIKE = (
    ("ＡＢＣ１２３", "abc123"),
    ("（南山）【一】", "(南山)【一】"),
    ("CAFÉ", "café"),
    ("Cafe\u0301", "CAFÉ"),
    ("STRASSE", "straße"),
    ("Ⅻ", "xii"),
    ("ﬁlm", "FILM"),
    ("℡", "tel"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("ｶﾌｪ", "カフェ"),
    ("I", "i"),
    ("İ", "i\u0307"),
    ("甲\u3000乙", "甲 乙"),
)
APART = (
    *(("发", "發"), ("海岸咖啡館", "海岸咖啡馆"), ("ı", "i"), ("İ", "i")),
    *(("é", "e"), ("0", "O"), ("甲乙", "甲 乙")),
)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_width_and_case_make_no_difference(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_only_looks_or_means_alike_stays_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text())
def test_folded_once_is_folded(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert unicodedata.is_normalized("NFKC", folded(text))
    assert folded(text) == folded(unicodedata.normalize("NFD", text))


def test_a_tax_id_is_typed_in_groups_and_wide() -> None:
    assert typed_tax_id(" 9144 0300\u300071526726ｘｇ ") == "9144030071526726XG"
