"""What stands on a slip, in each form, for whoever may see what."""

from typing import Any

import msgspec
import pytest

from invoice_service.documents.slip import Asked, Code, Form, Pair, Rule, Slip, Text, slip_of
from invoice_service.domain.invoice import StoredInvoice, finish
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import ReversalRequest
from tests.domain.samples import FIRST, SALTS, company, issued, line, order, stored

LINK = "https://fapiao.example.cn/verify/scan?hash=01" + "ab" * 32
ALL = frozenset({"face", "buyer", "lines"})
FACE = frozenset({"face"})
PERSON = {"kind": "individual", "name": "张三丰", "payment_id": "wx-4711"}


def red_of(blue: StoredInvoice) -> StoredInvoice:
    """The red invoice that takes it back."""
    draft = prepare_red(blue, ReversalRequest(reason=Reason.SALES_RETURN), SALTS)
    return stored(draft, finish(draft, FIRST), reverses=1, reverses_hash=blue.hash)


def texts(slip: Slip) -> list[str]:
    """Everything on it, a block each; a pair with a stroke between."""
    return [" | ".join(block[:2]) if isinstance(block, Pair) else block.text
            for block in slip.blocks if isinstance(block, Text | Pair)]  # fmt: skip


def printed(body: dict[str, Any], shown: frozenset[str] = ALL, **asked: Any) -> list[str]:  # noqa: ANN401
    return texts(slip_of(issued(body), Asked(**asked), LINK, shown, sample=False))


def test_the_full_slip_says_what_the_invoice_says() -> None:
    body = order(
        remark="靠窗",
        buyer=company(address_phone="科技园 0755-86013388", payment_id="ali-1"),
        lines=[line(quantity="2", unit="份", spec="大"), line(name="*饮品*茶", unit_price=1200)],
    )
    assert printed(body) == [
        "深圳电子普通发票",
        "发票代码 | 144031809110",
        "发票号码 | 00000001",
        "开票日期 | 2018-08-10 12:00:00",
        f"校验码 | {issued(body).hash[-5:]}",
        "销售方: 深圳市旋转餐厅有限公司",
        "税号: 91440300708461136T",
        "地址、电话: 深圳市罗湖区人民南路 0755-82210000",
        "开户行及账号: 招商银行 7559 0000 1234",
        "购买方: 腾讯科技（深圳）有限公司",
        "税号: 9144030071526726XG",
        "地址、电话: 科技园 0755-86013388",
        "电子支付标识: ali-1",
        "*餐饮服务*餐费 大",
        "  2份 x ￥113.00 | ￥226.00",
        "*饮品*茶",
        "  1 x ￥12.00 | ￥12.00",
        "税率6%",
        "金额 | ￥224.53",
        "税额 | ￥13.47",
        "价税合计 | ￥238.00",
        "扫码查验真伪",
        f"密码区: {issued(body).hash}",
        "备注: 靠窗",
        "收款人: 王五",
        "复核: 赵六",
        "开票人: 李四",
        "订单号: A-0001",
    ]


def test_the_short_slip_has_neither_buyer_nor_lines() -> None:
    found = printed(order(buyer=PERSON), form="short")
    assert found[:2] == ["深圳电子普通发票", "发票代码 | 144031809110"]
    assert "价税合计 | ￥113.00" in found
    assert not [text for text in found if "张" in text or "餐费" in text or "密码区" in text]


def test_the_electronic_slip_leads_to_the_invoice_and_says_no_more() -> None:
    slip = slip_of(issued(order(buyer=PERSON)), Asked(form="electronic"), LINK, ALL, sample=False)
    assert texts(slip) == [
        "深圳电子普通发票",
        "深圳市旋转餐厅有限公司",
        "发票号码 | 00000001",
        "开票日期 | 2018-08-10 12:00:00",
        "价税合计 | ￥113.00",
        "扫码查看并保存电子发票",
    ]


@pytest.mark.parametrize("form", ["full", "short", "electronic"])
@pytest.mark.parametrize("width", [58, 80])
def test_every_slip_has_its_code_once(form: Form, width: Any) -> None:  # noqa: ANN401
    slip = slip_of(issued(order()), Asked(width, form), LINK, ALL, sample=False)
    assert [block for block in slip.blocks if isinstance(block, Code)] == [Code(LINK)]
    assert not [block for block in slip.blocks if not isinstance(block, Text | Pair | Rule | Code)]


def test_by_the_hash_alone_a_persons_name_is_masked_and_nothing_of_the_lines_is_there() -> None:
    found = printed(order(buyer=PERSON), FACE)
    assert "购买方: 张**" in found
    assert not [text for text in found if "三丰" in text or "wx-4711" in text or "餐费" in text]


def test_by_the_hash_alone_a_company_is_named_without_its_tax_id() -> None:
    found = printed(order(buyer=company(payment_id="ali-1")), FACE)
    assert "购买方: 腾讯科技（深圳）有限公司" in found
    assert [text for text in found if text.startswith("税号")] == ["税号: 91440300708461136T"]
    assert not [text for text in found if "ali-1" in text]


@pytest.mark.parametrize("buyer", [PERSON, company(payment_id="ali-1")])
@pytest.mark.parametrize("shown", [ALL, FACE])
def test_what_is_hidden_on_purpose_is_shown_to_nobody_and_said(
    buyer: dict[str, str], shown: frozenset[str]
) -> None:
    found = printed(order(buyer=buyer), shown, hidden=ALL - FACE)
    assert {"购买方: （未显示）", "明细: （未显示）"} <= set(found)
    told = "".join(found)
    assert not [text for text in (buyer["name"], buyer["name"][0] + "**", "餐费") if text in told]
    assert not [text for text in buyer.values() if "-" in text and text in told]
    assert "（未显示）" not in "".join(printed(order(buyer=buyer), shown))


@pytest.mark.parametrize("form", ["full", "short", "electronic"])
@pytest.mark.parametrize("copy", [False, True])
def test_a_sample_says_so_below_its_title_in_every_form(form: Form, *, copy: bool) -> None:
    """Only that is added, so a bureau's slip has no room left for it."""
    red = red_of(issued(order()))
    for invoice in (issued(order()), red):
        ours, theirs = (
            texts(slip_of(invoice, Asked(58, form, copy), LINK, ALL, sample=sample))
            for sample in (True, False)
        )
        at = ours.index("样本")
        assert at == theirs.index("深圳电子普通发票") + (2 if invoice is red else 1)
        assert [*ours[:at], *ours[at + 1 :]] == theirs


def test_a_second_slip_says_that_it_is_one() -> None:
    assert printed(order(), copy=True)[0] == "副本"
    assert "副本" not in printed(order())


def test_a_red_slip_says_so_and_is_negative_throughout() -> None:
    blue = issued(order(lines=[line(quantity="2")]))
    found = texts(slip_of(red_of(blue), Asked(), LINK, ALL, sample=False))
    assert found[1] == "红字发票"
    assert "  -2 x ￥113.00 | -￥226.00" in found
    assert "价税合计 | -￥226.00" in found
    assert any(blue.number in text and "红冲原因" in text for text in found)


def test_the_slip_of_what_was_taken_back_says_so_in_every_form() -> None:
    gone = msgspec.structs.replace(issued(order()), reversed_by=("01" + "f" * 64,), returned=11300)
    for form in ("full", "short", "electronic"):
        assert texts(slip_of(gone, Asked(form=form), LINK, ALL, sample=False))[1].startswith(
            "已红冲"
        )


def test_rates_stand_by_their_lines_where_there_are_several() -> None:
    found = printed(
        order(lines=[line(), line(name="*饮料*酒", tax_rate="0.13"), line(tax_rate="0")])
    )
    assert "  1 x ￥113.00 税率6% | ￥113.00" in found
    assert "  1 x ￥113.00 税率13% | ￥113.00" in found
    assert "  1 x ￥113.00 税率0% | ￥113.00" in found


def test_discounts_totals_fine_prices_and_kinds_of_rates_are_told() -> None:
    lines = [
        line(quantity="2", discount=600),
        line(name="*饮品*茶", unit_price=None, total=10000, quantity="3"),
        line(
            name="*供电*电", unit_price=None, unit_price_yuan="0.61235", quantity="100", unit="度"
        ),
        line(name="*免税*蔬菜", unit_price=900, tax_rate="0", tax_kind="exempt"),
        line(name="*预付卡*充值", tax_rate="0", tax_kind="untaxed"),
    ]
    found = printed(order(lines=lines))
    at = found.index("*餐饮服务*餐费")
    assert found[at : at + 11] == [
        "*餐饮服务*餐费",
        "  2 x ￥113.00 税率6% | ￥226.00",
        "  折扣 | -￥6.00",
        "*饮品*茶",
        "  3 税率6% | ￥100.00",
        "*供电*电",
        "  100度 x ￥0.61235 税率6% | ￥61.24",
        "*免税*蔬菜",
        "  1 x ￥9.00 免税 | ￥9.00",
        "*预付卡*充值",
        "  1 x ￥113.00 不征税 | ￥113.00",
    ]
