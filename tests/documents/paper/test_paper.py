"""The paper as other people's programs read it."""

import random
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pdfplumber
import pytest
import zxingcpp
from PIL import Image, ImageChops

from invoice_service.documents.paper.press import printed
from invoice_service.documents.paper.typeset import typeset
from invoice_service.domain.invoice import StoredInvoice
from tests.documents.paper.printing import (
    ALL,
    FACE,
    face,
    job,
    link_of,
    pictured,
    read,
    run,
    scanned,
    text_of,
)
from tests.documents.test_slip import red_of
from tests.domain.samples import company, issued, line, order
from tests.outside import need
from tests.scale import WHOLE, share

MARKUP = '#panic("x") $x$ *b* _i_ \\ #sys.inputs <a> @b [c] // /* `r` "'
RARE = "龘䶮𠮷é"
Make = Callable[..., Path]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Prints in this process: the same code, without starting another one each time."""
    folder = tmp_path_factory.mktemp("papers")
    count = iter(range(10**6))

    def made(*invoices: StoredInvoice, proof: str = "", two_up: bool = False, **how: Any) -> Path:  # noqa: ANN401
        path = folder / f"{next(count)}.pdf"
        faces = [face(invoice, **how) for invoice in invoices]
        path.write_bytes(typeset(job(faces, proof, two_up=two_up)))
        return path

    return made


def meal(**changes: object) -> StoredInvoice:
    """A company's meal."""
    buyer = company(address_phone="科技园 0755-86013388", payment_id="ali-4711")
    return issued(order(**({"buyer": buyer, "remark": "靠窗"} | changes)))


def labelled(text: str, label: str, value: str) -> bool:
    """Whether the value stands behind its label, as readers of these invoices look for it."""
    return re.search(rf"{label}[:：]\s*{re.escape(value)}(\s|$)", text) is not None


def read_as_others_do(path: Path, invoice: StoredInvoice, name: str) -> None:
    """Code, number, date, check code, buyer and total by their labels, by two programs."""
    with pdfplumber.open(path) as document:
        plumbed = document.pages[0].extract_text()
    total = f"{abs(invoice.total) // 100:,}.{abs(invoice.total) % 100:02}"
    by_blocks = text_of(path)  # whose order is poppler's guess
    for text in (by_blocks, text_of(path, "-layout"), text_of(path, "-raw"), plumbed):
        assert labelled(text, "发票代码", invoice.code), text
        assert labelled(text, "发票号码", invoice.number), text
        assert labelled(text, "开票日期", "2018年08月10日"), text
        assert labelled(text, "校验码", invoice.check_code), text
        assert re.search(
            rf"（小写）\s*{'-' if invoice.total < 0 else ''}[￥¥]{re.escape(total)}", text
        )
        names = [
            found.split("  ")[0].split(" 0 1 ")[0].strip()
            for found in re.findall(r"名称：(.*)", text)
        ]
        assert names[0].startswith(name) or text is by_blocks, text
        assert any(found.startswith(name) for found in names), text


def test_everything_stands_on_the_paper_by_its_label(make: Make) -> None:
    invoice = meal(
        lines=[line(quantity="2", unit="份", spec="大"), line(name="*饮品*茶", discount=100)]
    )
    path = make(invoice)
    read_as_others_do(path, invoice, "腾讯科技（深圳）有限公司")
    text = text_of(path)
    fourth = re.search(
        r"名称：.*\n(?:.*\n)*?.*纳税人识别号：(.*)\n地址、电话：(.*)\n电子支付标识：(.*)", text
    )
    assert fourth is not None
    assert fourth.groups() == ("9144030071526726XG", "科技园 0755-86013388", "ali-4711")
    squeezed = "".join(text.split())
    assert invoice.hash in squeezed
    people = ("收款人：王五", "复核：赵六", "开票人：李四")
    notes = ("靠窗", "招商银行755900001234", "样本", "第12区块")
    for word in ("叁佰叁拾捌元整", "*饮品*茶（折扣）", *people, *notes):
        assert word in squeezed, word
    assert "监制" not in squeezed  # stamps are drawings


def test_qpdf_finds_no_fault_and_the_font_is_inside(make: Make) -> None:
    path = make(meal(), proof='{"a": 1}')
    assert "No syntax or stream encoding errors" in run("qpdf", "--check", path)
    fonts = run("pdffonts", path).splitlines()[2:]
    assert fonts
    assert all(row.split()[-5:-2] == ["yes", "yes", "yes"] for row in fonts), fonts
    data = path.read_bytes()
    assert b"<pdfaid:part>3</pdfaid:part>" in data
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in data


def test_the_proof_is_inside_as_it_was(make: Make) -> None:
    _, files = read(make(meal(), proof='{"proof": "餐"}').read_bytes())
    assert files == {"00000001.fapiao.json": '{"proof": "餐"}'.encode()}


@pytest.mark.parametrize("dpi", [100, 150, 300])
def test_two_decoders_read_the_code_from_a_scan(make: Make, dpi: int) -> None:
    invoice = meal()
    path = make(invoice)
    picture = pictured(path, dpi)
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [link_of(invoice)]
    scanned = path.with_suffix(f".{dpi}.png")
    done = subprocess.run(
        [need("zbarimg"), "--quiet", "--raw", scanned], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [link_of(invoice)]


def test_no_text_of_an_invoice_is_markup_or_lost(make: Make) -> None:
    invoice = meal(
        remark=MARKUP,
        payee='#"x"',
        buyer=company(name=MARKUP[:60], payment_id=MARKUP[:60]),
        lines=[line(name=MARKUP[:60], spec="#1+1", unit="$")],
    )
    text = "".join(text_of(make(invoice)).split())
    for said in (MARKUP, MARKUP[:60], '收款人：#"x"', "#1+1"):
        assert "".join(said.split()) in text
    assert "〓" not in text


def test_letters_that_the_font_lacks_are_named(make: Make) -> None:
    text = text_of(make(meal(buyer=company(name=f"店{RARE}𠀁\U0001f600"))))
    assert f"名称：店{RARE}〓〓" in text
    assert "U+20001 U+1F600" in text


def test_by_the_hash_alone_neither_lines_nor_a_persons_name(make: Make) -> None:
    person = {"kind": "individual", "name": "张三丰", "payment_id": "wx-4711"}
    text = text_of(make(meal(buyer=person), shown=FACE))
    assert "名称：张**" in text
    assert "明细未在本件中显示" in text
    assert not re.search("三丰|wx-4711|餐费", text)


def test_a_red_invoice_is_negative_and_names_the_blue_one(make: Make) -> None:
    blue = meal()
    path = make(red_of(blue))
    text = text_of(path)
    assert "（负数）壹佰壹拾叁元整" in text
    assert "红字发票" in text
    assert f"号码:{blue.number}" in "".join(text.split())
    read_as_others_do(path, red_of(blue), "腾讯科技")
    red, green, _ = pictured(path, 50).convert("RGB").split()
    assert ImageChops.subtract(red, green).point(lambda value: 255 * (value > 120)).getbbox()


def test_what_is_not_in_the_log_says_so_and_a_bureaus_is_no_sample(make: Make) -> None:
    assert "待上链" in text_of(make(meal(), as_of=None))
    text = text_of(make(meal(), bureau="深圳市税务局"))
    assert "待上链" not in text
    assert "样本" not in "".join(text.split())


def test_many_lines_go_to_a_list_of_several_pages(make: Make) -> None:
    lines = [line(name=f"*餐饮服务*第{n}道菜", quantity=str(n + 1)) for n in range(300)]
    path = make(meal(lines=lines))
    pages = text_of(path).split("\f")[:-1]
    assert "详见销货清单" in pages[0]
    assert all("销货清单" in page and "小" in page for page in pages[1:])
    squeezed = "".join(text_of(path).split())
    assert all(f"*餐饮服务*第{n}道菜" in squeezed for n in range(300))
    assert f"共{len(pages) - 1}页第{len(pages) - 1}页" in squeezed


def test_two_stand_on_a_sheet_and_lists_follow(make: Make) -> None:
    long = meal(lines=[line(name=f"*餐饮*{n}") for n in range(60)])
    path = make(meal(), long, red_of(meal()), two_up=True)
    pages = text_of(path).split("\f")[:-1]
    assert len(pages) == 4
    assert [page.count("发票代码：") for page in pages] == [2, 1, 1, 1]
    codes = zxingcpp.read_barcodes(pictured(path, 150))
    assert sorted(code.text for code in codes) == sorted([link_of(meal()), link_of(long)])


@pytest.mark.parametrize("name", ["店））A", "（甲）《乙》、。“丙”……——丁·（）", "店））" * 30])
def test_marks_that_meet_keep_their_columns(make: Make, name: str) -> None:
    """Pushed into one another, as fine print has them, they are read again as several rows."""
    path = make(meal(buyer=company(name=name)))
    for way in ("-raw", "-layout"):
        found = re.search(r"名称：(.*)", text_of(path, way))
        assert found is not None
        printed = found[1].split("  ")[0]
        assert name.startswith(printed)
        assert len(printed) >= min(len(name), 28), printed


def test_the_same_job_gives_the_same_bytes_in_a_process_of_its_own(make: Make) -> None:
    one = job([face(meal())], "{}")
    assert printed(one) == printed(one) == make(meal(), proof="{}").read_bytes()


def any_invoice(draw: random.Random) -> tuple[StoredInvoice, str]:
    """One of all kinds, and its buyer's name as printed."""
    letters = "深圳市腾讯科技餐饮有限公司（）店ABCxyz-·龘𠮷 "
    name = "店" + "".join(draw.choices(letters, k=draw.choice([3, 12, 60, 90]))).strip()
    count = draw.choice([1, 1, 2, 5, 12, 60, 300])
    lines = [
        line(
            name=f"*餐饮服务*{''.join(draw.choices(letters, k=draw.randint(1, 40)))}菜",
            unit_price=draw.randint(1, 10 ** draw.randint(3, 8)),
            quantity=draw.choice(["1", "2", "0.333", "17.5"]),
            unit=draw.choice(["份", "kg", ""]),
            tax_rate=draw.choice(["0", "0.06", "0.13"]),
        )
        for _ in range(count)
    ]
    blue = meal(
        buyer=company(name=name, payment_id="ali-4711"),
        lines=lines,
        remark="备注" * draw.randint(0, 40),
    )
    return (red_of(blue) if draw.random() < 0.2 else blue), name


def check_page(path: Path, invoice: StoredInvoice, name: str, dpis: Sequence[int]) -> None:
    """All that other programs find on a paper, and that they find no fault with it."""
    read_as_others_do(path, invoice, name)
    assert "No syntax or stream" in run("qpdf", "--check", path)
    fonts = run("pdffonts", path).splitlines()[2:]
    assert fonts
    assert all(row.split()[-5:-2] == ["yes", "yes", "yes"] for row in fonts), fonts
    for dpi in dpis:
        page = scanned(path, dpi)
        with Image.open(page) as picture:
            codes = zxingcpp.read_barcodes(picture)
        assert [code.text for code in codes] == [link_of(invoice)], dpi
        assert run("zbarimg", "--quiet", "--raw", page).split() == [link_of(invoice)], dpi
        page.unlink()


def fourth_row(text: str) -> str:
    """What stands in the buyer's fourth row, where ordinary invoices have a bank account."""
    labels = ".*?".join(("名称：", "纳税人识别号：", "地址、电话：", "电子支付标识：\\s*(\\S+)"))
    rows = re.search(labels, text, re.DOTALL)
    return rows[1] if rows else ""


@pytest.mark.scaled
@pytest.mark.parametrize("part", range(share(10, 1)))
def test_a_thousand_invoices_of_all_kinds_are_read_by_others(make: Make, part: int) -> None:
    draw = random.Random(20180810 + part)
    for _ in range(share(100, 8)):
        invoice, name = any_invoice(draw)
        shown = draw.choice([ALL, FACE])
        path = make(invoice, shown=shown)
        dpis = (100, 150, 300) if WHOLE else (draw.choice((100, 150, 300)),)
        check_page(path, invoice, name[:3], dpis)
        if shown == ALL:
            assert fourth_row(text_of(path, "-raw")) == "ali-4711"
        path.unlink()
