"""Texts in their boxes: nothing is cut, nothing runs out, and what cannot be shown is seen."""

from hypothesis import given
from hypothesis import strategies as st

from invoice_service.documents.columns import columns_of
from invoice_service.documents.paper.fitting import (
    LEADING,
    MILLIMETRES,
    MISSING,
    SIZES,
    fitted,
    missing_in,
    shown_text,
)
from invoice_service.documents.paper.lines import (
    FACE_HEIGHT,
    LIST_HEIGHT,
    SEE_LIST,
    WIDTHS,
    table_of,
    texts_of,
)
from invoice_service.domain.document import Line


@given(st.text(st.sampled_from("餐饮aW1 -*。𠮷é"), max_size=300), st.floats(10, 90))
def test_all_of_a_text_stands_in_its_box(text: str, width: float) -> None:
    box = fitted(text, width, 5.2)
    assert "".join(box.rows).replace(" ", "") == shown_text(text).replace(" ", "")
    assert all(columns_of(row) * box.size * MILLIMETRES / 2 <= width for row in box.rows)
    fits = len(box.rows) * box.size * LEADING * MILLIMETRES <= 5.2
    assert fits or box.size == SIZES[-1]


def test_a_long_word_becomes_smaller_and_is_broken_not_cut() -> None:
    box = fitted("W" * 100, 72, 5.2)
    assert "".join(box.rows) == "W" * 100
    assert box.size < SIZES[0]


def test_letters_that_the_font_lacks_are_seen_and_named() -> None:
    assert shown_text("张𠀁\ue000\U0001f600") == f"张{MISSING * 3}"
    assert missing_in("张𠀁𠀁\U0001f600") == ["𠀁", "\U0001f600"]
    assert missing_in("张𠮷䶮龘㙍") == []  # of names, beyond GBK
    assert missing_in("深圳 Ab1 ￥¥") == []


def lines(count: int, **changes: object) -> list[Line]:
    said: dict[str, object] = {"amount": 10660, "tax": 640, "tax_rate": "0.06", "quantity": "1"}
    return [Line(name=f"*餐饮*第{n}道", **(said | changes)) for n in range(count)]  # type: ignore[arg-type]


def test_prices_are_without_tax_to_eight_places() -> None:
    (third,) = lines(1, quantity="3")
    assert texts_of(third)[3:] == ("3", "35.53333333", "106.60", "6%", "6.40")
    (whole,) = lines(1, quantity="-2", amount=-21320)
    assert texts_of(whole)[4] == "106.60"
    (money,) = lines(1, quantity="1", nature="discount")
    assert texts_of(money)[0].endswith("（折扣）")


def test_what_the_face_cannot_hold_goes_into_a_list_line_by_line() -> None:
    few = table_of(lines(5))
    assert (len(few.rows), few.pages) == (5, [])
    many = lines(137)
    table = table_of(many)
    assert table.rows[0].cells[0].rows == [SEE_LIST]
    rows = [row for page in table.pages for row in page.rows]
    assert ["".join(row.cells[0].rows) for row in rows] == [line.name for line in many]
    assert table.pages[0].first == 1
    assert sum(len(page.rows) for page in table.pages[:-1]) + 1 == table.pages[-1].first
    for page in table.pages:
        assert sum(row.height for row in page.rows) <= LIST_HEIGHT
        assert (
            page.amount == f"￥{10660 * len(page.rows) // 100:,}.{10660 * len(page.rows) % 100:02}"
        )
    assert sum(row.height for row in few.rows) <= FACE_HEIGHT
    assert sum(WIDTHS) == 194


def test_lines_that_may_not_be_seen_are_not_there() -> None:
    table = table_of(None)
    assert "未在本件中显示" in table.rows[0].cells[0].rows[0]
    assert table.pages == []
