"""What the tables of the bureau's pages are called, and their columns, when they are taken along.

Titles are for people, in Chinese and English beside each other; names are for programs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from invoice_service.documents.taken import Basis, Column, Kind, Row, Table

_SIDES: Final = {"gross": "开具 gross", "reversed": "红冲 reversed", "net": "净额 net"}
_MONEY: Final = {"amount": "金额 amount", "tax": "税额 tax", "total": "价税合计 total"}
_LIMITED: Final[tuple[tuple[str, str, Kind], ...]] = (
    ("quota", "发票总份数 invoices in all", "count"),
    ("month_quota", "每月限额(不含税) in a month CNY", "fen"),
    ("invoice_limit", "单张限额(不含税) on one invoice CNY", "fen"),
)

TITLES: Final = {
    "trail": "操作记录 the trail",
    "acts": "操作 acts",
    "lookups": "查阅记录 look-ups",
    "merchants": "商户 merchants",
    "merchant": "商户 merchant",
    "whole": "合计 whole",
    "months": "按月 months",
    "rates": "按税率 rates",
    "scans": "查验不符 scans",
    "decisions": "历次决定 decisions",
    "invoices": "发票 invoices",
    "people": "税务机关人员 people",
    "proposals": "提议 proposals",
    "applications": "准入申请 applications",
    "quota_requests": "额度申请 requests",
    "reports": "问题小票反馈 reports",
}
"""Of tables and of pages, by their names."""

ACTS: Final = (
    Column("seq", "操作序号 act", "count"),
    Column("at", "时间 time", "time"),
    Column("type", "操作 what was done", "word"),
    Column("changed", "变化 what it changed", "shown"),
    Column("before", "", "data"),
    Column("after", "", "data"),
    Column("subject", "对象 to what"),
    Column("subject_name", "对象名称 its name"),
    Column("actor", "身份 by"),
    Column("actor_name", "操作人 by whom"),
    Column("origin", "来源 from where"),
    Column("outcome", "结果 how it ended", "word"),
    Column("code", "代码 code"),
    Column("reason", "事由 why"),
    Column("hash", "记录摘要 hash"),
)
LOOKUPS: Final = (
    Column("at", "时间 time", "time"),
    Column("official", "查阅人 official"),
    Column("actor", "身份 actor"),
    Column("origin", "来源 from"),
    Column("what", "内容 what", "word"),
    Column("subject", "对象 of"),
    Column("purpose", "目的 purpose"),
    Column("act", "操作序号 act", "count"),
)
MERCHANTS: Final = (
    Column("id", "编号 id", "count"),
    Column("name", "名称 name"),
    Column("tax_id", "纳税人识别号 tax id"),
    Column("district", "区 district", "word"),
    Column("industry", "行业 industry", "word"),
    Column("used", "已开份数 invoices", "count"),
    Column("quota", "发票总份数 quota", "count"),
    Column("status", "状态 state", "word"),
)
LIMITS: Final = (
    Column("admitted_at", "准入时间 admitted", "time"),
    Column("month_quota", "每月限额(不含税) month quota CNY", "fen"),
    Column("month", "月份 month"),
    Column("month_used", "当月已用 used in it CNY", "fen"),
    Column("invoice_limit", "单张限额(不含税) invoice limit CNY", "fen"),
    Column("batch", "批次 batch"),
)
FIGURES: Final = tuple(
    column
    for side, said in _SIDES.items()
    for column in (
        Column(f"{side}_count", f"{said} 份数 count", "count"),
        *(Column(f"{side}_{one}", f"{said} {money} CNY", "fen") for one, money in _MONEY.items()),
    )
)
MONTHS: Final = (Column("month", "月份 month"), *FIGURES)
RATES: Final = (Column("rate", "税率 rate", "share"), *FIGURES)
SCANS: Final = (
    Column("hash", "密码区 invoice"),
    Column("count", "次数 scans", "count"),
    Column("first_day", "首日 first day"),
    Column("last_day", "末日 last day"),
)
INVOICES: Final = (
    Column("code", "代码 code"),
    Column("number", "号码 number"),
    Column("type", "类型 type", "word"),
    Column("issued_at", "开票时间 issued", "time"),
    Column("till", "收银台 till"),
    Column("order_id", "订单 order"),
    Column("amount", "金额 amount CNY", "fen"),
    Column("tax", "税额 tax CNY", "fen"),
    Column("total", "价税合计 total CNY", "fen"),
    Column("stands", "未红冲 stands CNY", "fen"),
    Column("reverses", "红冲的密码区 takes back"),
    Column("hash", "密码区 hash"),
)
PEOPLE: Final = (
    Column("id", "编号 id", "count"),
    Column("name", "姓名 name"),
    Column("login", "登录名 sign-in name"),
    Column("role", "角色 role", "word"),
    Column("state", "状态 state", "word"),
    Column("one_time_codes", "动态口令 one-time codes", "word", {"yes": "有 yes"}),
    Column("created_at", "邀请时间 invited", "time"),
    Column("suspended_at", "停用时间 suspended", "time"),
    Column("removed_at", "移除时间 removed", "time"),
)
PROPOSALS: Final = (
    Column("id", "编号 id", "count"),
    Column("kind", "提议 what", "word"),
    Column("subject", "对象 about"),
    Column("subject_name", "对象名称 its name"),
    Column("name", "姓名 name"),
    Column("login", "登录名 sign-in name"),
    Column("role", "角色 role", "word"),
    Column("reason", "事由 why"),
    Column("actor", "身份 by"),
    Column("actor_name", "提议人 by whom"),
    Column("at", "提议时间 proposed", "time"),
    Column("expires_at", "有效期至 until", "time"),
    Column("state", "状态 state", "word"),
    Column("decided_by", "决定身份 decided by"),
    Column("decided_by_name", "决定人 by whom"),
    Column("decided_at", "决定时间 decided", "time"),
)
APPLICATIONS: Final = (
    Column("id", "编号 id", "count"),
    Column("state", "状态 state", "word"),
    Column("name", "名称 name"),
    Column("tax_id", "纳税人识别号 tax id"),
    Column("industry", "行业 industry", "word"),
    Column("district", "区 district", "word"),
    Column("at", "提交时间 sent", "time"),
    Column("notice_until", "公示截止 objections until", "time"),
    Column("competing", "同识别号申请 with this tax id", "count"),
)
QUOTA_REQUESTS: Final = (
    Column("id", "编号 id", "count"),
    Column("state", "状态 state", "word"),
    Column("kind", "申请 wants", "word"),
    Column("merchant", "商户编号 merchant", "count"),
    Column("merchant_name", "商户 its name"),
    Column("at", "提交时间 sent", "time"),
    *(Column(name, f"申请 {title}", kind) for name, title, kind in _LIMITED),
    Column("reason", "事由 reason"),
    Column("answer", "答复 answer"),
    Column("answered_at", "答复时间 answered", "time"),
    *(Column(f"{name}_now", f"现行 {title}", kind) for name, title, kind in _LIMITED),
    Column("used", "已开份数 invoices issued", "count"),
)

REPORTS: Final = (
    Column("id", "编号 report", "count"),
    Column("at", "提交时间 sent", "time"),
    Column("state", "状态 state", "word"),
    Column("photographs", "照片 photographs", "count"),
    Column("said", "二维码内容 what the code said"),
    Column("message", "问题 what is wrong"),
    Column("place", "小票来源 where it is from"),
    Column("note", "答复 what its sender is told"),
)


def table(
    name: str,
    columns: Sequence[Column],
    words: Mapping[str, Mapping[str, str]],
    rows: Callable[[], Iterable[Row]],
    basis: Basis,
) -> Table:
    """The table of that name; ``words`` are what people read in columns of words, by name."""
    told = [
        column._replace(words=words[column.name]) if column.name in words else column
        for column in columns
    ]
    return Table(name, TITLES[name], told, rows, basis)
