"""Why an invoice is not issued, and why nothing of one is taken back."""

from typing import Final

from invoice_service.api.entry import Entry

INVOICE: Final = {
    "unknown_field": Entry(422, "The request has a field that is not known", "请求含有未知字段"),
    "missing_field": Entry(422, "A field is missing; fill it in", "缺少必填字段，请补全"),
    "wrong_type": Entry(422, "A field has the wrong type", "字段类型不正确"),
    "amount_not_fen": Entry(
        422,
        "An amount is not a whole number of fen; write 49810 for 498.10 yuan",
        "金额须为整数，单位是分；498.10 元请写 49810",
    ),
    "value_unknown": Entry(
        422,
        "A field has a value that is not in its list; take one that is",
        "字段取值不在允许范围内，请从列表中选择",
    ),
    "text_empty": Entry(
        422,
        "A text that must be there is empty, or nothing of it can be seen; fill it in",
        "必填的文本为空或不可见，请填写",
    ),
    "text_too_long": Entry(422, "A text is too long; shorten it", "文本过长，请缩短"),
    "control_character": Entry(
        422,
        "A text holds characters that cannot be printed; type it again",
        "文本含有不可打印的字符，请重新输入",
    ),
    "text_damaged": Entry(
        422,
        "A text has lost characters on its way: send it as UTF-8, as it was written",
        "文本在传输中丢失了字符，请按 UTF-8 原样发送",
    ),
    "identifier_ambiguous": Entry(
        422,
        "An identifier has more than one spelling: compose it (NFC), and leave out needless"
        " spaces; a till's name has letters and digits in plain form (NFKC, 2 for ２), and no /",
        "编号存在多种写法，请使用 NFC 形式并去掉多余空格；"
        "收银台名称中的字母和数字用半角（NFKC），且不含 /",
    ),
    "no_lines": Entry(
        422, "The invoice has no lines; add what was sold", "发票没有明细行，请先添加"
    ),
    "too_many_lines": Entry(
        422,
        "The order has too many lines for one invoice: split them, and send each part as an"
        " invoice of its own",
        "明细行过多，请将订单拆分，每部分各开一张发票",
    ),
    "quantity_invalid": Entry(
        422,
        "A quantity is not a plain decimal number; write it like 2 or 0.35",
        "数量格式不正确，请填写如 2 或 0.35",
    ),
    "quantity_not_positive": Entry(422, "A quantity must be above zero", "数量必须大于零"),
    "unit_price_not_positive": Entry(
        422,
        "A price cannot be below zero; write what is taken off as the discount",
        "单价不能为负数；优惠请填写在折扣（discount）中",
    ),
    "unit_price_yuan_invalid": Entry(
        422,
        'A price in yuan is a text like "0.4981", with at most 8 decimals',
        '以元为单位的单价须写成文本，如 "0.4981"，最多 8 位小数',
    ),
    "price_twice": Entry(
        422,
        "A line's price is given twice; keep one of unit_price, unit_price_yuan and total",
        "同一行的价格重复；单价（unit_price 或 unit_price_yuan）与合计（total）只能填写一项",
    ),
    "line_total_negative": Entry(
        422,
        "A line cannot come to less than zero; write what is taken off as the discount",
        "明细行合计不能为负数；优惠请填写在折扣（discount）中",
    ),
    "discount_negative": Entry(
        422,
        "A discount is written without a minus: what is taken off, in fen",
        "折扣请填写优惠的金额（单位：分），不带负号",
    ),
    "discount_too_large": Entry(
        422,
        "A discount is larger than what it is taken off; check both",
        "折扣大于可优惠的金额，请核对",
    ),
    "tax_kind_with_rate": Entry(
        422,
        "Zero-rated, exempt and untaxed go with rate 0 only; leave the kind out, or write rate 0",
        "零税率、免税、不征税只能与税率 0 同用；请去掉该项，或将税率改为 0",
    ),
    "total_zero": Entry(
        422,
        "The invoice comes to zero, and there is nothing to invoice; check prices and discounts",
        "发票合计为零，无需开票；请核对单价与折扣",
    ),
    "tax_rate_unknown": Entry(
        422,
        "This tax rate is not in force; choose one of those that are named",
        "税率无效，请从所列税率中选择",
    ),
    "amount_out_of_range": Entry(
        422, "An amount or number is out of range; check it", "金额或数值超出范围，请核对"
    ),
    "totals_mismatch": Entry(
        422, "The totals do not add up; check the lines", "合计与明细不符，请核对"
    ),
    "tax_id_invalid": Entry(
        422, "The tax id is wrong; check it digit by digit", "纳税人识别号有误，请逐位核对"
    ),
    "buyer_incomplete": Entry(
        422,
        "A company needs a name and a tax id, another organisation a name",
        "企业抬头须填写名称和税号，其他单位须填写名称",
    ),
    "industry_unknown": Entry(422, "This industry code is not in GB/T 4754", "行业代码无效"),
    "district_unknown": Entry(422, "This is not a district of Shenzhen", "行政区划代码无效"),
    "return_unclear": Entry(
        422,
        "Say what comes back in one way: lines, or an amount with its rate, or neither for all that"
        " is left",
        "请只用一种方式填写红冲内容：明细行，或金额（及税率）；都不填则红冲全部剩余",
    ),
    "line_unknown": Entry(
        422,
        "The invoice has no such line to take back; count its stored lines from 1, and name the"
        " line before a discount, not the discount",
        "发票没有这一行可红冲；请从 1 开始数明细行，折扣行随其上一行，不单独填写",
    ),
    "line_twice": Entry(
        422, "A line is named twice; name it once, with the sum", "同一明细行重复；请合并为一行"
    ),
    "rate_needed": Entry(
        422,
        "The invoice has several tax rates; say from which one the amount is taken",
        "发票有多个税率，请注明金额对应的税率",
    ),
    "rate_not_on_invoice": Entry(
        422,
        "The invoice has nothing at this tax rate; look at its lines",
        "发票中没有该税率的项目，请核对明细",
    ),
    "amount_not_positive": Entry(
        422, "What is taken back is written above zero, in fen", "红冲金额须大于零（单位：分）"
    ),
    "not_reversible": Entry(
        403,
        "A red invoice cannot be reversed; sell anew what was taken back by mistake",
        "红字发票不能再红冲；误红冲的请重新开票",
    ),
    "business_day_invalid": Entry(
        422, "A business day is written like 2018-08-10", "营业日格式应为 2018-08-10"
    ),
    "business_day_ahead": Entry(
        422,
        "This business day has not come: look at the till's date; tomorrow is the last one"
        " possible",
        "该营业日尚未到来：请核对收银台日期，最晚可填明天",
    ),
    "parts_invalid": Entry(
        422,
        "A part of a bill has part, parts (1 to 5) and order_total; send all three",
        "分单须同时填写 part、parts（1 至 5）和 order_total，且 part 不得大于 parts",
    ),
    "order_id_conflict": Entry(
        409,
        "This order already has an invoice with other content: send the same again, take that one"
        " back first, or use another number",
        "该订单已开具内容不同的发票：请原样重发，或先红冲，或使用新的订单号",
    ),
    "order_id_reused": Entry(
        409,
        "This order number was used before: give another sale another number, or send its"
        " business_day; repeat a call with its Idempotency-Key",
        "该订单号已使用过：另一笔交易请使用新的订单号或填写营业日，重发请沿用原幂等键",
    ),
    "order_parts_conflict": Entry(
        409,
        "The bill's first invoice says another number of parts, or another order_total: send the"
        " same, or use another number",
        "分单数或总额与该账单首张发票不符：请保持一致，或使用新的订单号",
    ),
    "replaces_not_first": Entry(
        409,
        "What it replaces is not this order's first invoice: look at the order's number, till and"
        " day, and send that invoice's hash",
        "replaces 不是该订单首张发票的密码区：请核对订单号、收银台和营业日后重填",
    ),
    "order_total_exceeded": Entry(
        409,
        "More would stand under this order than was first sold: take back first what stands, or"
        " issue no more than what is left",
        "该订单开票金额将超过首次销售金额：请先红冲，或不超过剩余金额",
    ),
    "already_reversed": Entry(
        409,
        "This invoice has been reversed already; look at the red invoice that is named",
        "该发票已被红冲，请核对所列红字发票",
    ),
    "return_too_large": Entry(
        409,
        "More is taken back than is left of it; take at most what is left",
        "红冲超过剩余可红冲的数量或金额；请不要超过剩余部分",
    ),
    "return_repeated": Entry(
        409,
        "Just this was taken back before; look at the red invoice named here, and send an"
        " Idempotency-Key of its own if it comes back once more",
        "相同的内容已红冲过一次；请核对所列红字发票，如确需再次红冲，请使用新的 Idempotency-Key",
    ),
    "buyer_not_erasable": Entry(
        403,
        "Only a person who told a name or the like can be erased: companies' and organisations'"
        " invoices are kept, and an invoice to nobody has nothing to erase",
        "只能删除个人购买方的信息：单位发票须依法保存；未填写个人信息的发票无可删除内容",
    ),
    "buyer_erased": Entry(
        409,
        "The buyer was erased a moment ago; send the same again",
        "购买方信息刚刚已被删除，请原样重试",
    ),
    "invoice_unknown": Entry(
        404,
        "There is no such invoice; check its number or hash",
        "没有这张发票，请核对号码或密码区",
    ),
}
