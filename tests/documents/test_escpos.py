"""Slips as a printer takes them: read back by one that knows Epson's command list alone."""

import re
from typing import Any, Final

import pytest
import zxingcpp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from invoice_service.documents.columns import columns_of, printable, printed, wrapped
from invoice_service.documents.escpos import escpos
from invoice_service.documents.slip import (
    FORMS,
    PAPERS,
    Asked,
    Code,
    Pair,
    Rule,
    Slip,
    Text,
    slip_of,
    yuan,
)
from invoice_service.domain.money import LIMIT
from invoice_service.domain.qrtext import scan_url
from invoice_service.domain.text import is_blank
from tests.documents.printer import Paper, Printer, WrongBytesError
from tests.documents.test_slip import ALL, LINK, red_of
from tests.domain.samples import company, issued, line, order

WIDTHS = sorted(PAPERS)
AREA = "01" + "ab3f" * 16
LONG = {
    "remark": "请放在门口，谢谢。 Please leave it at the door, and ring the bell twice before noon",
    "buyer": company(name="北京某某国际酒店管理有限公司深圳分公司 A Rather Long Company Name Ltd"),
    "lines": [
        line(name=f"*餐饮服务*{'极其丰盛的' * 9}套餐", spec="大份 large", quantity="123.456789"),
        line(name="Supercalifragilisticexpialidocious" * 2, unit_price=10**12, unit="kg"),
    ],
}


def on_paper(slip: Slip, **how: bool) -> Paper:
    """What comes out of the printer for it."""
    return Printer(slip.paper.dots).take(escpos(slip, **how))


def together(texts: list[str]) -> str:
    """Texts as one, whatever lines they were broken into."""
    return re.sub(r"\s", "", "".join(texts))


def said(slip: Slip) -> str:
    """The same of a slip's blocks."""
    return together([
        text
        for block in slip.blocks
        for text in (block[:2] if isinstance(block, Pair) else block[:1])
        if isinstance(text, str) and not isinstance(block, Code)
    ])  # fmt: skip


def slips(body: dict[str, Any]) -> list[Slip]:
    """An invoice's slips in every width and form, and those of the red one."""
    blue = issued(body)
    return [
        slip_of(invoice, Asked(width, form, copy), LINK, ALL, sample=False)
        for invoice in (blue, red_of(blue))
        for width in WIDTHS
        for form in FORMS
        for copy in (False, True)
    ]


@pytest.mark.parametrize("body", [order(), order(**LONG)], ids=["plain", "long"])
def test_the_paper_says_what_the_layout_says(body: dict[str, Any]) -> None:
    for slip in slips(body):
        paper = on_paper(slip)
        lines = [text for text in paper.texts if text.strip("-")]
        assert together(lines) == together([printable(said(slip))])
        assert [code.text for code in paper.codes] == [LINK]
        assert (paper.cuts, paper.drawer) == (1, 0)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_line_across_the_paper_is_as_wide_as_the_paper(width: Any) -> None:  # noqa: ANN401
    paper = on_paper(Slip(PAPERS[width], (Rule(),)))
    assert [line.dots for line in paper.lines] == [PAPERS[width].dots]


def test_a_figure_stands_at_the_right_edge() -> None:
    for width in WIDTHS:
        slip = slip_of(issued(order(**LONG)), Asked(width), LINK, ALL, sample=False)
        figures = {block.right for block in slip.blocks if isinstance(block, Pair)}
        ends = {line.text.split(" ")[-1] for line in on_paper(slip).lines
                if line.start + line.dots == slip.paper.dots}  # fmt: skip
        assert {figure.split(" ")[-1] for figure in figures} <= ends


def test_the_largest_total_stands_on_one_line_twice_as_high() -> None:
    total = Pair("价税合计", yuan(-LIMIT), bold=True, tall=True)
    (line,) = on_paper(Slip(PAPERS[58], (total,))).lines
    assert (line.wide, line.high, line.bold) == (False, True, True)
    assert re.fullmatch(r"价税合计 +-￥100,000,000,000\.00", line.text)


@pytest.mark.parametrize(("name", "lines"), [("a" * 24, 1), ("a" * 25, 2), ("a" * 40, 1 + 1)])
def test_between_a_name_and_its_figure_is_white(name: str, lines: int) -> None:
    found = on_paper(Slip(PAPERS[58], (Pair(name, "1234.56"),))).lines
    assert len(found) == lines
    assert found[-1].text.endswith(" 1234.56")


def test_styles_end_with_their_lines() -> None:
    slip = Slip(
        PAPERS[58],
        (Text("甲", "center", bold=True, large=True), Text("乙"), Code(LINK), Text("丙")),
    )
    first, second, *_, last = on_paper(slip).lines
    assert (first.bold, first.wide, first.start) == (True, True, (384 - 48) // 2)
    for plain in (second, last):
        assert (plain.bold, plain.wide, plain.start) == (False, False, 0)


def test_the_drawer_opens_when_it_is_asked_to() -> None:
    slip = slip_of(issued(order()), Asked(), LINK, ALL, sample=False)
    assert on_paper(slip, drawer=True).drawer == 1


def side_of(text: str) -> int:
    """Modules on a side of the code, as another program makes it."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")
    return int(code.to_image(scale=1, add_quiet_zones=False).shape[0])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "base",
    ["http://h", "https://fapiao.example.cn", "https://" + "a" * 40 + ".example.org/tax/fapiao"],
)
def test_the_code_is_as_large_as_the_paper_lets_it_be(base: str, width: Any) -> None:  # noqa: ANN401
    text = scan_url(base, AREA, "00000001", 49810)
    (code,) = on_paper(Slip(PAPERS[width], (Code(text),))).codes
    assert (code.text, code.level, code.model, code.align) == (text, "Q", 2, "center")
    dots, side = PAPERS[width].dots, side_of(text)
    assert 4 <= code.module <= 6
    assert (side + 8) * code.module <= dots
    assert code.module == 6 or (side + 4 + 8) * (code.module + 1) > dots  # a version is 4 modules


def test_an_address_as_ours_has_five_dots_a_module_on_58_mm() -> None:
    text = scan_url("https://fapiao.example.cn", AREA, "00000001", 49810)
    (code,) = on_paper(Slip(PAPERS[58], (Code(text),))).codes
    assert code.module == 5


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a" * 33, ["a" * 32, "a"]),
        ("中" * 17, ["中" * 16, "中"]),
        ("a" + "中" * 16, ["a" + "中" * 15, "中"]),
        ("one two three four five six seven", ["one two three four five six", "seven"]),
        ("中文 then some English words here", ["中文 then some English words", "here"]),
        ("x" * 32 + " y", ["x" * 32, "y"]),
    ],
)
def test_lines_are_broken_where_people_would(text: str, lines: list[str]) -> None:
    assert wrapped(text, 32) == lines


VISIBLE = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn", "Co"]), min_size=1, max_size=100
)


@settings(max_examples=60, deadline=None)
@given(VISIBLE, st.integers(-LIMIT, LIMIT), st.sampled_from(WIDTHS))
def test_whatever_is_printed_fits_and_no_figure_is_broken(name: str, fen: int, width: Any) -> None:  # noqa: ANN401
    blocks = (Text(name), Text(name, "center", large=True), Pair(name, yuan(fen), tall=True))
    lines = list(printed(Slip(PAPERS[width], blocks)))
    for item in lines:
        assert columns_of(item.text) * item.across <= PAPERS[width].columns  # type: ignore[union-attr]
    assert lines[-1].text.endswith(yuan(fen))
    kept = together([printable(name)])
    assert together([item.text for item in lines]) == kept * 3 + yuan(fen)


MOVED: Final = "\u1e3f" + "".join(map(chr, (*range(0x9FB4, 0x9FBC), *range(0xFE10, 0xFE1A))))
"""Letters that editions of GB 18030 have at different places."""


@settings(max_examples=25, deadline=None)
@given(VISIBLE.filter(lambda text: not is_blank(text)))
@example(MOVED)
def test_every_letter_comes_out_of_the_printer(name: str) -> None:
    paper = on_paper(Slip(PAPERS[80], (Text(name),)))
    assert together(paper.texts) == together([printable(name)])


@pytest.mark.parametrize(
    "job",
    [b"\x1b", b"\x1bZ\n", b"\x07", "中".encode("gb18030") + b"\n", b"a" * 33 + b"\n", b"left"],
)
def test_the_reader_takes_nothing_else(job: bytes) -> None:
    with pytest.raises((WrongBytesError, AssertionError)):
        Printer(384).take(job)
