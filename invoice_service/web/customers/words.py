"""What each verdict says to people: Chinese first, English beside, an icon beside the colour."""

from typing import NamedTuple

from chain.errors import MalformedError, Problem
from invoice_service.domain.verdict import NAMES_ZH, Verdict, Verification


class Words(NamedTuple):
    """One verdict in one glance; ``style`` names its colour."""

    style: str
    icon: str
    zh: str
    en: str
    text_zh: str
    text_en: str


VERDICTS: dict[Verdict, Words] = {
    Verdict.AUTHENTIC: Words(
        "authentic",
        "tick",
        NAMES_ZH[Verdict.AUTHENTIC],
        "Authentic",
        "本票真实，号码、金额与开具时一致，并已记入公开账本。",
        "Genuine: number and amount are as issued, and it stands in the public log.",
    ),
    Verdict.PENDING: Words(
        "pending",
        "clock",
        NAMES_ZH[Verdict.PENDING],
        "Genuine, not yet in the log",
        "本票已开具，号码、金额一致，约一分钟内记入公开账本。请稍后再查一次。",
        "It was issued, and number and amount agree. It enters the public log within about a"
        " minute; check again then.",
    ),
    Verdict.REVERSED: Words(
        "reversed",
        "back",
        NAMES_ZH[Verdict.REVERSED],
        "Reversed: no longer valid",
        "本票曾经开具，但已被红字发票全额冲销，不能用于报销。",
        "It was issued, and then taken back in full by a red invoice. It cannot be reimbursed.",
    ),
    Verdict.PARTLY_REVERSED: Words(
        "partly_reversed",
        "back",
        NAMES_ZH[Verdict.PARTLY_REVERSED],
        "Partly reversed",
        "本票的部分金额已被红字发票冲销，只有余额有效。",
        "Part of it was taken back by a red invoice; only the rest is valid.",
    ),
    Verdict.MISMATCH: Words(
        "mismatch",
        "cross",
        NAMES_ZH[Verdict.MISMATCH],
        "Does not match: likely forged",
        "密码区存在，但号码或金额与开具时不同。此凭证被改动过，请勿接受。",
        "We issued an invoice with this password area, but with another number or amount."
        " The slip was altered; do not accept it.",
    ),
    Verdict.UNKNOWN: Words(
        "unknown",
        "question",
        NAMES_ZH[Verdict.UNKNOWN],
        "Not issued here",
        "已查遍全部记录，从未开具过此密码区的发票。若二维码扫描完整，请勿接受此凭证。",
        "All records were searched: no invoice with this password area was ever issued here."
        " If the code was scanned whole, do not accept the slip.",
    ),
}

RED = Words(
    "red",
    "back",
    "红字发票",
    "Red invoice",
    "这是一张真实的红字发票，用于冲销先前的发票，不能用于报销。",
    "A genuine red invoice: it takes back an earlier one. It cannot be reimbursed.",
)

MALFORMED = Words(
    "malformed",
    "link",
    "链接不完整",
    "Not a complete code",
    "这不是完整的发票二维码，没有进行查验，不代表发票真假。请重新扫描。",
    "This is not a complete invoice code, so nothing was checked."
    " It says nothing about the invoice. Scan it again.",
)

DIFFERS = Words(
    "malformed",
    "link",
    "内容前后不一",
    "Two things are said of one invoice",
    "此处对同一张发票有两种说法，没有进行查验，不代表发票真假。请只扫描或粘贴一张发票的二维码，不要另填其他内容。",
    "What is given here says two different things of one invoice, so nothing was checked. It says"
    " nothing about the invoice. Scan or paste the code of one invoice alone.",
)

TWICE = Words(
    "malformed",
    "link",
    "链接被改动",
    "The address was altered",
    "链接中有一项内容重复，没有进行查验，不代表发票真假。请直接扫描发票上的二维码，不要使用转发的链接。",
    "One part of the address stands in it twice, so nothing was checked. It says nothing about the"
    " invoice. Scan the code on the invoice itself, not an address that was passed on.",
)

ORDINARY = Words(
    "malformed",
    "link",
    "不是本系统的发票",
    "Not an invoice of this service",
    "这是普通增值税发票的二维码，不在此查验，不代表发票真假。请到国家税务总局全国增值税发票查验平台查验。",
    "This is the code of an ordinary VAT invoice, which is not checked here. It says nothing about"
    " the invoice. Check it at the tax administration's platform for VAT invoices.",
)

BY_CODE = {
    "claims_differ": DIFFERS,
    "duplicate_parameter": TWICE,
    "qr_ordinary_vat": ORDINARY,
}
"""What is said where "not a complete code, scan it again" would be wrong."""

UNAVAILABLE = Words(
    "unavailable",
    "triangle",
    "暂时无法查验",
    "Cannot check right now",
    "系统暂时读不到记录，没有得出结论，不代表发票真假。请稍后重试。",
    "We cannot read our records just now, so there is no verdict."
    " It says nothing about the invoice. Try again shortly.",
)

NOT_FOUND = Words(
    "malformed",
    "link",
    "没有这个页面",
    "There is no such page",
    "此地址不存在。要查验发票，请扫描发票上的二维码。",
    "Nothing is at this address. To check an invoice, scan its code.",
)

NOT_SO = Words(
    "malformed",
    "link",
    "不能这样打开",
    "Not to be called like this",
    "此地址只供打开，不接受所用的请求方法，没有进行查验。请从下面重新查验。",
    "This address does not take what was sent to it, so nothing was checked. Start again below.",
)

TOO_OFTEN = Words(
    "unavailable",
    "clock",
    "请求过于频繁",
    "Too many requests",
    "来自您网络的请求过多，本次没有查验，不代表发票真假。请稍候再试。",
    "Too many requests came from your network, so nothing was checked."
    " It says nothing about the invoice. Wait a moment, then try again.",
)

LIST_UNREADABLE = Words(
    "malformed",
    "link",
    "清单无法读取",
    "The list cannot be read",
    "没有查验其中任何一张，不代表发票真假。原因见下。",
    "None of its invoices was checked; it says nothing about them. The reason stands below.",
)

NO_VERDICT = Words(
    "malformed",
    "link",
    "未查验",
    "Not checked",
    "这一行没有得出结论，不代表发票真假。",
    "There is no verdict on this line; it says nothing about the invoice.",
)

BROKEN = Words(
    "unavailable",
    "triangle",
    "系统出错",
    "Something broke on our side",
    "系统内部出错，没有得出结论，不代表发票真假。请稍后重试。",
    "It is our fault, and recorded; there is no verdict."
    " It says nothing about the invoice. Try again shortly.",
)


OF_LISTS = frozenset(
    {
        *("not_csv", "not_xlsx", "not_utf8", "empty_body", "too_many_records", "body_too_large"),
        *("unsupported_media_type", "several_lists"),
    }
)
"""Codes of what is wrong with a list as a whole."""


def words_of(result: Verification) -> Words:
    """What to say of a verdict; a red invoice never looks like one that is worth money."""
    genuine = result.verdict in {Verdict.AUTHENTIC, Verdict.PENDING}
    if genuine and result.face is not None and result.face["type"] == "red":
        return RED
    return VERDICTS[result.verdict]


def words_for(problem: Problem, status: int) -> Words:
    """What to say when no verdict was reached; never anything about the invoice itself."""
    by_status = {404: NOT_FOUND, 405: NOT_SO, 429: TOO_OFTEN, 500: BROKEN}
    if status in by_status:
        return by_status[status]
    if problem.code in OF_LISTS:
        return LIST_UNREADABLE
    if isinstance(problem, MalformedError):
        return BY_CODE.get(problem.code, MALFORMED)
    return UNAVAILABLE


STEPS_ZH = {
    "groups": "存档内容与密码区一致",
    "slip": "号码、金额与开具时一致",
    "entry": "账本条目对应此密码区",
    "signature": "账本最新检查点签名有效",
    "inclusion": "条目确在账本之中",
    "seal": "区块封印确在账本之中",
    "block": "封印所封区块包含此条目",
    "state": "账本状态图与此处所述一致",
    "reversal": "红字发票指向本票",
}

PROOF_STEPS = (
    ("票据内容与密码区一致", "the groups hash to the password area"),
    ("账本条目对应此密码区", "the log entry names that password area"),
    ("账本签署了检查点", "the log signed the checkpoint"),
    ("条目确在账本之中", "the entry is under the checkpoint's root"),
    ("区块封印确在账本之中", "the seal is under the same root"),
    ("该封印是检查点下最新的", "the seal is the newest under the checkpoint"),
    ("封印中的状态表证实本票状态", "the state map as of that seal says this of the document"),
)
"""The steps of ``chain.proof.verify``, in order: Chinese, and its own English."""

GROUPS_ZH = {"face": "票面", "buyer": "购买方", "lines": "明细"}
