"""What the description says of the service as a whole, in both languages."""

from typing import Final, NamedTuple

TITLE: Final = "电子发票接口 · E-invoices"

INTRODUCTION: Final = (
    "任何人都能查验的电子发票。"
    "金额一律是以分（0.01 元）为单位的整数，不带小数点和指数：写 `100`，不写 `100.0`。"
    "文本只能含可打印的字符。`/v1` 下的调用不接受此处未说明的参数或字段，也不接受重复的。"
    "地址不支持的方法答复 405 `method_not_allowed`，不存在的地址答复 404 `no_such_address`。"
    "`RateLimit` 和 `RateLimit-Policy` 说明调用方还可以请求多少。"
    "错误一律按 RFC 9457 答复，其中的 `code` 永不改变，逐个说明见[错误代码](problems)。"
    "JSON Schema 不能表达的规则写在字段的说明里。\n\n"
    "E-invoices that anyone can check. Money is a whole number of fen (CNY 0.01), written without "
    "a fraction or an exponent: `100`, not `100.0`. Texts hold printable characters. In calls "
    "under `/v1` a parameter or a field that is not described here is refused, and so is one that "
    "stands twice. A method that an address does not have answers 405 `method_not_allowed`, an "
    "address that is not there 404 `no_such_address`. `RateLimit` and `RateLimit-Policy` say what "
    "a caller may still ask for. Errors are RFC 9457 problems; `code` never changes, and "
    "[Error codes](problems) explains each. "
    "A rule that JSON Schema cannot say stands in a field's description."
)


class Tag(NamedTuple):
    """What some calls have in common."""

    name: str
    zh: str
    en: str


TAGS: Final = (
    Tag("issuing", "开具与红冲", "Invoices are issued, and taken back"),
    Tag("orders", "顾客自助开票与支付通知", "Customers claim their invoices; payments are told of"),
    Tag("wallet", "电子钱包（OpenID4VCI）", "Invoices as credentials in wallets (OpenID4VCI)"),
    Tag("prepaid", "预付账户（元管家）", "Money paid in advance that stays the customer's"),
    Tag("reading", "读取发票、证明文件与二维码", "Invoices, their proof files and codes"),
    Tag("checking", "查验", "Verdicts on slips"),
    Tag("officials", "税务机关：商户、密钥、报表、留痕", "Merchants, keys, reports, the trail"),
    Tag("admission", "准入与额度", "Merchants apply, ask for more, leave; officials decide"),
    Tag("people", "人员与收银台", "Who may sign in, and the keys of tills"),
    Tag("log", "公开账本", "The public log"),
    Tag("operations", "运行状态", "How the service is doing"),
    Tag("pages", "网页", "Pages for people"),
)
"""In the order in which they are shown; every call has one of them."""
