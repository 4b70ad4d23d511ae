"""Why something is not done at a till."""

from typing import Final

from invoice_service.api.entry import Entry

TILL: Final = {
    "till_needed": Entry(
        409, "Choose which till this is, then do it again", "请先选择本机是哪个收银台"
    ),
    "till_unknown": Entry(
        404, "There is no such till; ask an owner to name it", "没有这个收银台，请由店主添加"
    ),
    "till_taken": Entry(
        409,
        "There is a till of this name, or of one that looks the same; choose another",
        "已有同名或看起来相同的收银台，请换一个名称",
    ),
    "too_many_tills": Entry(
        409, "There are too many tills; remove one first", "收银台过多，请先删除不用的"
    ),
    "till_id_invalid": Entry(
        422,
        "The page made an id that cannot be; load it again",
        "页面生成的编号无效，请刷新页面后重试",
    ),
    "till_id_taken": Entry(
        409,
        "This id stands for another return; load the page again",
        "该编号已用于另一笔退款，请刷新页面后重试",
    ),
    "list_changed": Entry(
        409,
        "Somebody has changed this meanwhile; load it again, and make your change there",
        "内容已被他人修改，请重新载入后再修改",
    ),
    "list_twice": Entry(
        422, "Something stands there twice; leave one of them", "内容重复，请只保留一项"
    ),
    "menu_header_unknown": Entry(
        422,
        "The table's first row needs a column for the name and one for the price",
        "表格首行须有菜名和价格两列",
    ),
    "menu_too_long": Entry(
        422, "A menu has 2,000 dishes at most; leave some out", "菜单最多 2000 道菜，请删减"
    ),
    "bill_unknown": Entry(
        404, "There is no such bill; load the page again", "没有这张账单，请刷新页面"
    ),
    "bill_changed": Entry(
        409,
        "This bill was changed at another till; look at it as it is now",
        "账单已在其他收银台修改，请核对最新内容",
    ),
    "bill_settling": Entry(
        409,
        "This bill is being paid already; finish that first",
        "账单正在结账，请先完成该次结账",
    ),
    "bill_settled": Entry(
        409,
        "This bill is paid already, as its invoices say that are named; take no money for it again",
        "账单已结清，发票见所列，请勿重复收款",
    ),
    "too_many_bills": Entry(
        409, "Too many bills are open; settle or drop some", "未结账单过多，请先结账或取消一些"
    ),
    "parts_incomplete": Entry(
        422,
        "The parts do not add up to the bill; divide all of it, and nothing twice",
        "各分单合计与账单不符，请完整分配且不重复",
    ),
    "part_unclear": Entry(
        422,
        "Divide the bill in one way: by dishes, or by amounts",
        "请只用一种方式分单：按菜品，或按金额",
    ),
    "payments_differ": Entry(
        422,
        "What is paid is not what is due; take the right amount, which stands here",
        "收付金额与应收应退金额不符，请按所列金额核对",
    ),
    "shift_unknown": Entry(
        404, "There is no such shift; load the page again", "没有这个班次，请刷新页面"
    ),
    "shift_closed": Entry(
        409,
        "This shift was closed with another count; open a new one",
        "该班次已按其他盘点结束，请开始新的班次",
    ),
    "till_open": Entry(
        409, "This till is open already; close it first", "该收银台已开班，请先交班"
    ),
    "bills_open": Entry(
        409,
        "Bills of this till are not paid; settle them, drop them, or leave them to the next shift",
        "该收银台还有未结账单，请先结账或取消，或留给下一班",
    ),
    "day_empty": Entry(
        404, "Nothing was sold on this day; choose another", "该日没有发票，请选择其他日期"
    ),
    "day_too_long": Entry(
        422,
        "Too many invoices are of this day for one file; open them one by one, or have the office"
        " print them (fapiao print)",
        "该日发票过多，无法合并为一个文件，请逐张打开，或由管理员用 fapiao print 打印",
    ),
    "too_many_feeds": Entry(
        503,
        "Too many pages are open here; close some, or load this one again in a minute",
        "打开的页面过多，请关闭一些，或一分钟后刷新",
    ),
}
