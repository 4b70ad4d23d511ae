"""A table of orders to begin with: its columns as a workbook or CSV, Chinese or English.

A workbook's cells are texts from the start: so a spreadsheet neither rounds a number nor makes a
date of one. What each column is for stands in a sheet of its own; the first has no examples that
somebody could send.
"""

from typing import Final, Literal, NamedTuple

from invoice_service.documents.spreadsheet import BOM, Sheet, csv_of, sheets_workbook

Tongue = Literal["zh", "en"]


class Column(NamedTuple):
    """One column: its name, what it is for, an example; in Chinese and in English."""

    name: str
    zh: str
    en: str
    for_zh: str
    for_en: str
    example: str = ""
    asked: bool = True
    """Whether it stands in the template; all stand in the explanations."""


COLUMNS: Final = (
    Column(
        "order_id",
        "订单号",
        "Order no",
        "必填。同一订单的各行须相邻；同一营业日内不可重复",
        "Needed. Lines of one order stand together; a number is used once a day",
        "001",
    ),
    Column(
        "time",
        "时间",
        "Time",
        "日期（及时间），日期即营业日；如 2026-11-28 12:01",
        "Date, and time of day; the date is the business day, like 2026-11-28 12:01",
        "2026-11-28 12:01",
    ),
    Column("item", "商品名称", "Item", "必填", "Needed", "*餐饮服务*餐费"),
    Column("spec", "规格型号", "Spec", "规格", "Model or size"),
    Column("unit", "计量单位", "Unit", "如 份、瓶、千克", "What is counted", "份"),
    Column("quantity", "数量", "Quantity", "如 2、0.5；无此列则为 1", "2, 0.5; 1 without it", "2"),
    Column(
        "unit_price",
        "单价",
        "Unit price",
        "含税单价（元），最多两位小数；单价、小计、精细单价三者必填其一",
        "Yuan with tax, two decimals at most; this, the line total, or the fine price",
        "106.60",
    ),
    Column(
        "total",
        "小计",
        "Total",
        "该行含税金额（元），代替单价",
        "Yuan with tax, instead of a price",
    ),
    Column(
        "tax_rate",
        "税率",
        "Tax rate",
        "必填。如 6%、0.06、免税、不征税、零税率",
        "Needed. 6%, 0.06, 免税 (exempt), 不征税 (untaxed), 零税率 (zero-rated)",
        "6%",
    ),
    Column(
        "discount",
        "优惠金额",
        "Discount",
        "该行优惠（元），写正数",
        "Yuan taken off this line, without a minus sign",
    ),
    Column(
        "order_discount",
        "订单优惠",
        "Order discount",
        "整单优惠（元），只写一行，或每行写相同金额",
        "Yuan taken off the whole order: once, or the same in each of its lines",
    ),
    Column(
        "till", "收银台", "Till", "多个收银台各自编号时填写", "Where tills number by themselves"
    ),
    Column(
        "business_day",
        "营业日",
        "Business day",
        "跨零点营业时填写，代替时间中的日期",
        "Instead of the date in Time, for those who are open past midnight",
    ),
    Column(
        "buyer",
        "购买方",
        "Buyer",
        "发票抬头，不填为个人",
        "The title; without one, an individual without a name",
    ),
    Column(
        "buyer_tax_id",
        "购买方税号",
        "Buyer tax id",
        "单位抬头必填，18 位",
        "Of a company: 18 digits and letters",
    ),
    Column(
        "buyer_kind",
        "购买方类型",
        "Buyer kind",
        "个人、企业、组织；不填时，有税号为企业，否则为个人",
        "individual, company, organisation; else a company if there is a tax id",
        asked=False,
    ),
    Column(
        "buyer_address_phone",
        "购买方地址电话",
        "Buyer address phone",
        "可不填",
        "As printed",
        asked=False,
    ),
    Column(
        "buyer_payment_id", "付款标识", "Buyer payment id", "可不填", "How it was paid", asked=False
    ),
    Column(
        "remark", "发票备注", "Remark", "印在发票上；不填则写下单时间", "Printed on the invoice"
    ),
    Column("drawer", "开票人", "Drawer", "可不填", "As printed", asked=False),
    Column("payee", "收款人", "Payee", "可不填", "As printed", asked=False),
    Column("reviewer", "复核人", "Reviewer", "可不填", "As printed", asked=False),
    Column(
        "unit_price_yuan",
        "unit_price_yuan",
        "Unit price yuan",
        "精细单价（元），最多八位小数，代替单价",
        "A price of up to eight decimals, instead of Unit price",
        asked=False,
    ),
    Column(
        "tax_kind",
        "税率类型",
        "Tax kind",
        "税率为 0 时：免税、不征税、零税率",
        "With rate 0: exempt, untaxed, zero",
        asked=False,
    ),
    Column(
        "invoice_total",
        "开票金额",
        "Invoice total",
        "整单应开金额（元），与各行之和不符则不开具",
        "What the order comes to: refused where its lines come to something else",
        asked=False,
    ),
    Column(
        "part", "分单号", "Part", "多人分开开票：第几张", "Of a shared bill: which", asked=False
    ),
    Column("parts", "分单数", "Parts", "共几张，最多 5", "How many, 5 at most", asked=False),
    Column(
        "order_total",
        "分单总额",
        "Order total",
        "整张账单金额（元），各分单之和不超过它",
        "What the whole bill comes to",
        asked=False,
    ),
    Column(
        "replaces",
        "替代密码区",
        "Replaces",
        "红冲后重开：原发票密码区",
        "After a return: the hash of the order's first invoice",
        asked=False,
    ),
)

_SHEETS: Final = {"zh": ("订单", "填写说明"), "en": ("Orders", "How to fill it in")}
_HEADINGS: Final = {
    "zh": ("列名", "说明", "示例", "也可写作"),
    "en": ("Column", "What it is for", "Example", "Also called"),
}
_MORE: Final = {
    "zh": (
        "第一张表的首行为列名，顺序不限；只需保留用到的列。",
        "其他列不影响开票，会原样保留在结果文件中。",
        "金额单位为元，均含税。单元格均为文本格式，请勿改为数字或日期格式。",
    ),
    "en": (
        "The first row of the first sheet names the columns, in any order; keep those you need.",
        "Other columns change nothing, and are kept in the result file.",
        "Amounts are yuan with tax. Cells are texts: leave them so, and no digit is lost.",
    ),
}


def header(tongue: Tongue) -> list[str]:
    """The first row."""
    return [column.zh if tongue == "zh" else column.en for column in COLUMNS if column.asked]


def template_csv(tongue: Tongue) -> bytes:
    """The header alone; a spreadsheet that opens it may bend numbers, so the workbook is better."""
    return BOM.encode() + csv_of([header(tongue)])


def template_workbook(tongue: Tongue, others: dict[str, tuple[str, ...]]) -> bytes:
    """The workbook; ``others`` are the further names by which each column is known."""
    orders, how = _SHEETS[tongue]
    rows = [[text] for text in _MORE[tongue]]
    rows += [[], list(_HEADINGS[tongue])]
    for column in COLUMNS:
        name = column.zh if tongue == "zh" else column.en
        said = column.for_zh if tongue == "zh" else column.for_en
        also = [one for one in (column.name, *others.get(column.name, ())) if one != name]
        rows.append([name, said, column.example, ", ".join(also)])
    return sheets_workbook([Sheet(orders, [header(tongue)]), Sheet(how, rows)])
