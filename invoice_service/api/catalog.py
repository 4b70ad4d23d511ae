"""Every error code that leaves the service: its status, and a sentence that a cashier understands.

Codes are promises: programs compare them. Add, never rename.
"""

from typing import Final, NamedTuple

from invoice_service.api.codes_of_admission import ADMISSION
from invoice_service.api.codes_of_claims import CLAIM, WALLET
from invoice_service.api.codes_of_files import FILES
from invoice_service.api.codes_of_help import HELP
from invoice_service.api.codes_of_invoices import INVOICE
from invoice_service.api.codes_of_officials import OFFICIALS
from invoice_service.api.codes_of_people import PEOPLE
from invoice_service.api.codes_of_prepaid import PREPAID
from invoice_service.api.codes_of_tills import TILL
from invoice_service.api.entry import Entry


class Subject(NamedTuple):
    """What some codes are about; ``name`` is where the page of codes has them."""

    name: str
    title: str
    title_zh: str
    codes: dict[str, Entry]


_REQUEST: Final = {
    "bad_request": Entry(400, "The request could not be read", "请求无法读取"),
    "request_incomplete": Entry(
        400,
        "The request ended before all of it had come; nothing was done, send it again",
        "请求未完整送达，未作任何处理，请重新发送",
    ),
    "host_invalid": Entry(
        400, "The request needs one Host header, well formed", "请求须带一个格式正确的 Host 头"
    ),
    "head_too_large": Entry(431, "The request's headers are too large", "请求头过大"),
    "no_such_address": Entry(404, "There is nothing at this address", "此地址不存在"),
    "method_not_allowed": Entry(
        405, "This address does not take this method", "此地址不支持该方法"
    ),
    "not_acceptable": Entry(
        406, "None of the types asked for can be given", "无法提供所要求的格式"
    ),
    "request_timeout": Entry(408, "The request took too long to arrive", "请求传输超时"),
    "body_too_large": Entry(
        413,
        "The request is too large: shorten a long text, send smaller files, or split a long list,"
        " or an order of very many lines, and send the pieces",
        "请求内容过大：请缩短过长的文字，压缩照片或文件；清单请分批发送，明细行很多的订单请拆分开具",
    ),
    "too_many_records": Entry(413, "There are too many records in one batch", "单批记录过多"),
    "address_too_long": Entry(414, "The address is too long", "地址过长"),
    "unsupported_media_type": Entry(
        415, "This address does not take a body of this type", "此地址不支持该内容类型"
    ),
    "unsupported_encoding": Entry(415, "Send the body uncompressed", "请发送未压缩的内容"),
    "not_json": Entry(400, "The body is not JSON", "内容不是有效的 JSON"),
    "not_utf8": Entry(400, "The body is not UTF-8 text", "内容不是 UTF-8 文本"),
    "not_csv": Entry(
        400, "The body is not a table (CSV) with the columns named here", "内容不是带所需列名的表格"
    ),
    "not_xlsx": Entry(
        400,
        "The body is not an Excel workbook that can be read; save it anew as .xlsx",
        "内容不是可读取的 Excel 工作簿，请另存为 .xlsx 后重新发送",
    ),
    "several_lists": Entry(
        400,
        "The form has more than one list: send one file, or paste codes, not both",
        "表单中有多份清单：请只选择一个文件，或只粘贴二维码内容",
    ),
    "lone_surrogate": Entry(400, "A text has half a character", "文本含有不完整的字符"),
    "duplicate_key": Entry(400, "A field stands twice", "字段重复"),
    "too_deep": Entry(400, "The JSON is nested too deeply", "JSON 嵌套过深"),
    "not_canonical": Entry(
        400, "The JSON holds something that is not taken here", "JSON 含有不支持的内容"
    ),
    "empty_body": Entry(400, "The body is empty", "请求内容为空"),
    "query_malformed": Entry(400, "The address's query could not be read", "网址参数无法读取"),
    "unknown_parameter": Entry(
        400, "The address has a parameter that is not known here", "网址含有未知参数"
    ),
    "duplicate_parameter": Entry(400, "A parameter stands twice", "参数重复"),
    "missing_parameter": Entry(400, "A parameter is missing", "缺少参数"),
    "parameter_malformed": Entry(400, "A parameter is not well formed", "参数格式不正确"),
    "idempotency_key_invalid": Entry(
        400,
        "Idempotency-Key must be 1 to 255 visible ASCII characters",
        "幂等键须为 1 至 255 个可见 ASCII 字符",
    ),
    "slip_too_long": Entry(
        422,
        "The slip is too long for a picture; ask for the short form, or print it",
        "小票过长，无法生成图片，请改用简式或直接打印",
    ),
    "module_size": Entry(400, "QR modules have 4 to 32 dots", "二维码模块须为 4 至 32 点"),
    "idempotency_key_conflict": Entry(
        409,
        "This Idempotency-Key stands for another request; make a new one for each sale",
        "幂等键已用于另一请求，每笔交易请使用新的幂等键",
    ),
}

_SLIP: Final = {
    "password_area": Entry(
        400,
        "The password area is not 01 and 64 hex digits: scan the code again",
        "密码区格式不正确，请重新扫描",
    ),
    "bill_num_invalid": Entry(400, "An invoice number has 8 digits", "发票号码应为 8 位数字"),
    "amount_invalid": Entry(
        400, "The amount is not a plain whole number of fen", "金额应为以分为单位的整数"
    ),
    "qr_invalid": Entry(400, "This is not the code of an invoice", "这不是发票二维码"),
    "claims_differ": Entry(
        400,
        "Two things are said of one invoice: send one code, and beside it only what it says",
        "内容前后不一致：请只提交一张发票的二维码，其他所填内容须与之相同",
    ),
    "pdf_unreadable": Entry(
        422,
        "This is no PDF, or it is damaged or locked: send the file as it was given",
        "文件不是 PDF，或已损坏、加密，请发送原文件",
    ),
    "pdf_missing": Entry(
        400,
        "There is no file in the form: choose the PDF of an invoice, then send it",
        "表单中没有文件，请先选择发票 PDF 再发送",
    ),
    "pdf_too_much": Entry(
        422,
        "The PDF takes too much to read, which no invoice does; scan its code instead",
        "PDF 过大或过于复杂，不是发票文件，请改为扫描二维码",
    ),
    "pdf_too_long": Entry(
        422,
        "The PDF has more pages than any invoice; send the invoice alone",
        "PDF 页数过多，请只发送发票文件",
    ),
    "pdf_active": Entry(
        422,
        "The PDF has scripts, forms, links or notes, which no invoice has; do not open it, and"
        " scan the code instead",
        "PDF 含有脚本、表单、链接或批注，发票文件中不会有这些内容，请勿打开，改为扫描二维码",
    ),
    "pdf_several": Entry(
        422,
        "The PDF holds several invoices; send one at a time",
        "PDF 中有多张发票，请逐张发送",
    ),
    "pdf_no_invoice": Entry(
        422,
        "The PDF shows no invoice of this kind: neither its code nor its proof",
        "PDF 中没有本类发票：未见二维码或证明文件",
    ),
    "qr_ordinary_vat": Entry(
        400,
        "This is the code of an ordinary VAT invoice, which is not checked here",
        "这是普通增值税发票的二维码，不在此查验",
    ),
}

_KEY: Final = {
    "key_missing": Entry(401, "Send your API key", "请提供接口密钥"),
    "authorization_scheme": Entry(
        401,
        "Write the header as: Authorization: Bearer, a space, your API key",
        "请按此格式发送：Authorization: Bearer，空格，接口密钥",
    ),
    "key_malformed": Entry(401, "This is not how an API key is written", "接口密钥格式不正确"),
    "key_unknown": Entry(401, "This API key is not known", "接口密钥无效"),
    "key_revoked": Entry(401, "This API key has been revoked", "接口密钥已被吊销"),
    "key_expired": Entry(
        401,
        "This API key's time is over; take the one made after it",
        "接口密钥已到期，请使用新密钥",
    ),
    "key_suspended": Entry(
        401,
        "Whoever holds this API key was suspended or removed; ask an administrator of the bureau",
        "此接口密钥的持有人已被停用或移除，请联系税务机关管理员",
    ),
    "role_required": Entry(
        403,
        "You may not do this with this key or role; ask whoever manages them",
        "此密钥或角色无权进行该操作，请联系管理员",
    ),
    "scope_required": Entry(
        403,
        "This key is not for this; take one with the scope that it names",
        "此密钥不含所需权限，请使用具有相应权限的密钥",
    ),
    "operations_only": Entry(
        403,
        "Only from the service's own machine, or with the operations token",
        "仅限本机访问，或使用运维令牌",
    ),
    "merchant_suspended": Entry(
        403,
        "This merchant may not issue at present; ask the tax office",
        "商户已被暂停开票，请联系税务机关",
    ),
    "quota_exhausted": Entry(
        403,
        "The quota of invoices is used up; ask the tax office",
        "开票限额已用完，请联系税务机关",
    ),
    "quota_money_spent": Entry(
        403,
        "This month's quota of money is used up; ask for more quota, or issue next month",
        "本月开票金额额度不足，请申请增加额度，或下月再开",
    ),
    "invoice_over_limit": Entry(
        403,
        "The invoice is above the merchant's limit for one; split the sale, or ask for more quota",
        "超过单张发票限额，请拆分开票或申请提高限额",
    ),
    "merchant_left": Entry(
        403,
        "This merchant has left and issues no more; ask the tax office to be admitted again",
        "商户已退出，不能再开票；如需恢复请联系税务机关重新准入",
    ),
    "readmission_needed": Entry(
        409,
        "This merchant has left; readmit it first, if it is to issue again",
        "商户已退出；如需恢复开票，请先重新准入",
    ),
    "number_range_exhausted": Entry(
        403,
        "This year's invoice numbers are used up; operators have to look",
        "本年度发票号码已用完，需运维处理",
    ),
    "numbering_changed": Entry(
        403,
        "The numbering was changed within the year; operators have to look",
        "年度内发票编码设置被更改，需运维处理",
    ),
    "rate_limited": Entry(
        429,
        "Too many requests in a short time; wait as long as it says, then send the same",
        "请求过于频繁，请按提示时间等候后原样重试",
    ),
    "tax_id_taken": Entry(
        409,
        "A merchant with this tax id is admitted already; check the tax id",
        "该税号的商户已登记，请核对税号",
    ),
    "merchant_unknown": Entry(
        404, "There is no such merchant; check its number", "没有这个商户，请核对编号"
    ),
    "api_key_unknown": Entry(
        404, "There is no such key; load the list again", "没有这个密钥，请刷新列表"
    ),
}

_LOG: Final = {
    "not_in_log": Entry(
        409, "Not in the public log yet; try again in a minute", "尚未记入公开账本，请一分钟后重试"
    ),
    "not_published": Entry(
        409,
        "Not in the published log yet; try again in a minute",
        "尚未记入公开账本，请一分钟后重试",
    ),
    "block_unknown": Entry(404, "There is no such block", "没有这个区块"),
    "no_block": Entry(404, "There is no such block", "没有这个区块"),
    "no_entry": Entry(404, "There is no such entry in the log", "账本中没有这个条目"),
    "no_closing": Entry(404, "The log does not close this day", "账本中没有这一天的日结"),
    "act_unknown": Entry(
        404,
        "There is no such act of yours; take one from the list",
        "没有与您有关的这项决定，请从列表中选取",
    ),
    "no_checkpoint": Entry(404, "The log has not been published yet", "账本尚未发布"),
    "no_statement": Entry(404, "There is no such key statement", "没有这份公钥声明"),
    "no_tile": Entry(404, "This tile is not there", "没有这个数据块"),
    "tile_path": Entry(404, "This is not how the address of a tile is written", "数据块地址不正确"),
    "store_damaged": Entry(
        503,
        "The log's records cannot be read; operators have to look",
        "账本记录无法读取，需运维处理",
    ),
    "log_behind": Entry(
        503,
        "The public log is behind, so nothing can be promised; send the same again in a minute",
        "公开账本滞后，暂不能承诺入账，请一分钟后原样重试",
    ),
    "log_unreadable": Entry(503, "The log cannot be read just now", "暂时无法读取账本"),
}

_REPORT: Final = {
    "by_unknown": Entry(
        400,
        "A report cannot be broken down by this; choose something else",
        "不支持按此项汇总，请选择其他项目",
    ),
    "time_invalid": Entry(
        422, "A time is written like 2027-01-31T00:00:00Z", "时间格式应为 2027-01-31T00:00:00Z"
    ),
    "day_invalid": Entry(400, "A day is written like 2018-08-10", "日期格式应为 2018-08-10"),
    "range_invalid": Entry(
        400, "The first day is after the last; exchange them", "起始日期晚于结束日期，请调换"
    ),
    "report_too_large": Entry(
        400,
        "The report has too many rows for this form; ask for fewer days, a filter, fewer things to"
        " break it down by, or for CSV",
        "报表行数过多，请缩短日期范围、增加筛选、减少汇总项，或改用 CSV",
    ),
    "view_unnamed": Entry(
        422, "A saved question needs a name; give it one", "保存查询须有名称，请填写"
    ),
    "too_many_views": Entry(
        409,
        "Fifty questions are saved already; remove one first",
        "已保存 50 个查询，请先移除一个",
    ),
    "check_too_large": Entry(
        400,
        "There are too many invoices to be checked while you wait; choose fewer days, or run fapiao"
        " report --verify on the service's machine",
        "发票过多，无法在线核对，请缩短日期范围，或在服务器上运行 fapiao report --verify",
    ),
    "check_busy": Entry(
        503,
        "Another figure is being checked just now; try again in a moment",
        "正在核对另一项数字，请稍后重试",
    ),
    "totals_behind": Entry(
        503,
        "The totals of this block are not ready yet; try again in a moment",
        "该区块的汇总尚未完成，请稍后重试",
    ),
}

_SERVER: Final = {
    "too_many_connections": Entry(
        503,
        "Too many open connections of this address; close some, or use fewer",
        "来自此地址的连接过多，请减少连接数",
    ),
    "too_busy": Entry(
        503,
        "Too many large requests at once; send the same again",
        "大量请求处理中，请稍后原样重试",
    ),
    "database_busy": Entry(503, "Too busy just now; send the same again", "系统繁忙，请原样重试"),
    "database_refused": Entry(
        503, "The record could not be stored; send the same again", "记录未能保存，请原样重试"
    ),
    "database_unavailable": Entry(
        503,
        "The records cannot be read just now; try again in a moment",
        "暂时无法读取记录，请稍后重试",
    ),
    "database_damaged": Entry(
        503, "The records cannot be read; operators have to look", "记录无法读取，需运维处理"
    ),
    "record_damaged": Entry(
        503, "This record cannot be read; operators have to look", "该记录无法读取，需运维处理"
    ),
    "record_unreadable": Entry(
        503, "This record cannot be read; operators have to look", "该记录无法读取，需运维处理"
    ),
    "disk_full": Entry(503, "There is no space left to store anything", "存储空间已满"),
    "clock_behind": Entry(
        503,
        "The clock is wrong, so nothing is issued; operators have to look",
        "系统时钟异常，暂停开票，需运维处理",
    ),
    "clock_ahead": Entry(
        503,
        "The clock has leapt ahead, so nothing is issued; operators have to look",
        "系统时钟跳前，暂停开票，需运维确认",
    ),
    "font_missing": Entry(
        503,
        "The font for pictures of slips is missing; operators have to install the service anew",
        "小票图片所用字体缺失，需运维重新安装服务",
    ),
    "paper_busy": Entry(
        503,
        "Others are printing just now; try again in a moment",
        "打印任务较多，请稍后重试",
    ),
    "paper_failed": Entry(
        503,
        "The paper could not be made; the invoice stands, and the slip can be had",
        "版式文件生成失败；发票有效，可先打印小票",
    ),
    "paper_unsigned": Entry(
        503,
        "The paper cannot be signed; the invoice stands. See certificate and key in config.toml",
        "版式文件签名失败；发票有效。请检查 config.toml 中的证书和密钥",
    ),
    "key_unreadable": Entry(503, "A key of the service cannot be read", "服务密钥无法读取"),
    "not_initialised": Entry(503, "The service has not been set up", "服务尚未初始化"),
    "init_unfinished": Entry(
        503, "Setting up the service was interrupted; run it again", "服务初始化被中断，请重新运行"
    ),
    "instance_incomplete": Entry(
        503,
        "A part of the service's data or keys is missing; operators have to put it back",
        "部分数据或密钥缺失，需运维恢复",
    ),
    "erased_list_unusable": Entry(
        503,
        "The list of those who were erased cannot be read or written; operators have to mend it",
        "已删除人员清单无法读写，需运维处理",
    ),
    "instance_mixed": Entry(
        503,
        "Data and keys are not of one instance; operators have to put together what belongs"
        " together",
        "数据与密钥不属于同一实例，需运维处理",
    ),
    "keys_behind": Entry(
        503,
        "The keys are older than the log; operators have to put the newest back",
        "密钥旧于账本，需运维恢复最新密钥",
    ),
    "invoices_missing": Entry(
        503,
        "The records are older than the log; operators have to put the newer back",
        "记录旧于账本，需运维恢复较新的记录",
    ),
    "data_unreadable": Entry(503, "The data folder cannot be read", "数据目录无法读取"),
    "internal_error": Entry(
        500,
        "Something broke on our side, and is recorded; send the same again",
        "系统内部错误，已记录，请原样重试",
    ),
}

SUBJECTS: Final = (
    Subject("request", "The request", "请求", _REQUEST),
    Subject("slip", "The code on a slip", "二维码与查验", _SLIP),
    Subject("invoice", "The invoice", "发票内容", INVOICE),
    Subject("file", "Files of orders", "订单文件", FILES),
    Subject("till", "At the till", "收银", TILL),
    Subject("claim", "Claiming and payments", "自助开票与支付通知", CLAIM),
    Subject("help", "Reports of slips", "问题小票反馈", HELP),
    Subject("admission", "Admission and quotas", "准入与额度", ADMISSION),
    Subject("wallet", "Wallets", "电子钱包", WALLET),
    Subject("prepaid", "Prepaid accounts", "预付账户", PREPAID),
    Subject("key", "API keys and merchants", "密钥与商户", _KEY),
    Subject("people", "Signing in and people", "登录与人员", PEOPLE),
    Subject("official", "Officials", "税务人员", OFFICIALS),
    Subject("log", "The public log", "公开账本", _LOG),
    Subject("report", "Reports", "统计报表", _REPORT),
    Subject("server", "The service itself", "服务本身", _SERVER),
)
"""What codes are about, in the order in which a call meets them."""

CATALOG: dict[str, Entry] = {
    code: entry for subject in SUBJECTS for code, entry in subject.codes.items()
}
