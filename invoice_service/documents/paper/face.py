"""What stands on the paper, box by box; who sets it adds no word of its own but the labels.

What may not be seen is not in it: see ``face_of``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from invoice_service.documents.paper.fitting import MISSING, Fitted, fitted, missing_in, shown_text
from invoice_service.documents.paper.lines import ListPage, Row, table_of
from invoice_service.documents.paper.words import in_words
from invoice_service.documents.qr import qr_drawn
from invoice_service.documents.slip import NOT_SHOWN, RED, TITLE, yuan
from invoice_service.domain.document import read_lines
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.numbering import format_issued_at
from invoice_service.domain.verdict import NAMES_ZH, Verdict, shown_buyer_name

BUYER: Final = {
    "name": "名称：",
    "tax_id": "纳税人识别号：",
    "address_phone": "地址、电话：",
    "payment_id": "电子支付标识：",
}
SELLER: Final = {
    "name": "名称：",
    "tax_id": "纳税人识别号：",
    "address_phone": "地址、电话：",
    "bank_account": "开户行及账号：",
}
PENDING: Final = "待上链"
SAMPLE: Final = "样本"
_GROUPS: Final = {"buyer": "购买方", "lines": "明细"}
_PARTY: Final = (72.0, 5.2)
"""Millimetres of the box for one value of a party."""
_REMARK: Final = (68.0, 19.0)
_ROWS: Final = 4
"""Of the password area."""
_MOST_NUMBERS: Final = 8
_STATES: Final = {"full": Verdict.REVERSED, "part": Verdict.PARTLY_REVERSED}


class Standing(NamedTuple):
    """What has become of an invoice beside what its row says; all by numbers of invoices.

    ``reds`` took it back, ``later`` stand in its place, ``first`` is the one in whose place it
    stands. ``waits`` is whether the proof inside does not know of the newest red one yet.
    """

    reds: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    first: str = ""
    waits: bool = False


class Told(NamedTuple):
    """What the paper says beside the invoice itself.

    ``link`` is what its code says. ``as_of`` is the block's height and time that its proof is of,
    None while it has none. ``bureau`` is the tax office whose service this is; "" for nobody's.
    ``hidden`` are groups that somebody hides who could show them.
    """

    link: str
    as_of: tuple[int, str] | None
    bureau: str = ""
    hidden: frozenset[str] = frozenset()
    standing: Standing = Standing()


class Boxed(msgspec.Struct, frozen=True):
    """A label with its value."""

    label: str
    value: Fitted


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice on paper: ``standing`` is what became of it, ``notes`` change by the block."""

    title: str
    code: str
    number: str
    date: str
    check_code: str
    password: list[str]
    buyer: list[Boxed]
    seller: list[Boxed]
    rows: list[Row]
    pages: list[ListPage]
    amount: str
    tax: str
    total: str
    words: Fitted
    remark: Fitted
    payee: str
    reviewer: str
    drawer: str
    red: bool
    marks: list[str]
    sample: str
    bureau: str
    stamp_name: str
    stamp_id: str
    qr: str
    lacking: str
    standing: list[str]
    notes: list[str]


def face_of(invoice: StoredInvoice, shown: frozenset[str], told: Told) -> Face:
    """The paper of an invoice.

    Without ``buyer`` among the groups that are ``shown`` there is no more of the buyer than in a
    verdict: an individual's name is masked. Without ``lines`` there are none. What is ``hidden``
    is shown to nobody, and the paper says so.
    """
    shown -= told.hidden
    face: dict[str, Any] = msgspec.json.decode(invoice.face)
    buyer = _buyer(invoice, shown, told.hidden)
    lines = read_lines(invoice.lines) if "lines" in shown else None
    table = table_of(lines)
    seller: dict[str, str] = face["seller"]
    texts = [*buyer.values(), *seller.values(), face["remark"], face["payee"], face["reviewer"]]
    texts += [face["drawer"], *(line.name for line in lines or ())]
    texts += [line.spec for line in lines or () if isinstance(line.spec, str)]
    texts += [line.unit for line in lines or () if isinstance(line.unit, str)]
    return Face(
        title=TITLE,
        code=invoice.code,
        number=invoice.number,
        date=day_of(format_issued_at(invoice.issued_at)),
        check_code=invoice.check_code,
        password=spaced(invoice.hash),
        buyer=_boxes(BUYER, buyer),
        seller=_boxes(SELLER, seller),
        rows=table.rows,
        pages=table.pages,
        amount=yuan(invoice.amount),
        tax=yuan(invoice.tax),
        total=yuan(invoice.total),
        words=fitted(in_words(invoice.total), 88, 6),
        remark=fitted(face["remark"], *_REMARK, 8),
        payee=shown_text(face["payee"]),
        reviewer=shown_text(face["reviewer"]),
        drawer=shown_text(face["drawer"]),
        red=invoice.type == "red",
        marks=list(_marks(invoice, told)),
        sample="" if told.bureau else SAMPLE,
        bureau=shown_text(told.bureau),
        stamp_name=shown_text(seller["name"]),
        stamp_id=seller["tax_id"],
        qr=qr_drawn(told.link).decode(),
        lacking=_lacking(texts),
        standing=list(_standing(invoice, told.standing)),
        notes=list(_notes(invoice, told)),
    )


def buyer_texts(buyer: Mapping[str, str], *, whole: bool) -> dict[str, str]:
    """What is printed of the buyer."""
    if whole:
        return {name: buyer[name] for name in BUYER}
    return dict.fromkeys(BUYER, "") | {"name": shown_buyer_name(buyer)}


def _buyer(invoice: StoredInvoice, shown: frozenset[str], hidden: frozenset[str]) -> dict[str, str]:
    if "buyer" in hidden:
        return dict.fromkeys(BUYER, "") | {"name": NOT_SHOWN}
    return buyer_texts(msgspec.json.decode(invoice.buyer), whole="buyer" in shown)


def day_of(issued_at: str) -> str:
    """The day as invoices write it, of a time as the face has it."""
    return f"{issued_at[:4]}年{issued_at[5:7]}月{issued_at[8:10]}日"


def spaced(hash_: str) -> list[str]:
    """The password area in four rows, a space between any two characters."""
    width = -(-len(hash_) // _ROWS)
    return [" ".join(hash_[at : at + width]) for at in range(0, len(hash_), width)]


def _boxes(labels: Mapping[str, str], values: Mapping[str, str]) -> list[Boxed]:
    return [Boxed(label, fitted(values[name], *_PARTY)) for name, label in labels.items()]


def _marks(invoice: StoredInvoice, told: Told) -> Iterable[str]:
    """What must not be overlooked."""
    if invoice.type == "red":
        yield RED
    if invoice.reversal is not None:
        yield NAMES_ZH[_STATES[invoice.reversal]]
    if told.as_of is None:
        yield PENDING
    if told.hidden:
        yield f"未显示：{_hidden(told)}"


def _hidden(told: Told) -> str:
    return "、".join(name for group, name in _GROUPS.items() if group in told.hidden)


def _standing(invoice: StoredInvoice, standing: Standing) -> Iterable[str]:
    """What has become of it, in sentences; none while it stands as it was issued."""
    if invoice.reversal == "full":
        yield f"本发票已全部红冲，不得报销。红字发票：{_numbers(standing.reds)}"
    elif invoice.reversal == "part":
        left = yuan(invoice.left)
        yield f"本发票已部分红冲，仅余 {left} 有效。红字发票：{_numbers(standing.reds)}"
    if standing.waits:
        yield "红冲尚未写入公开账本，所附证明为此前状态；约一分钟后重新下载。"
    if standing.later:
        yield f"同一订单已换开发票：{_numbers(standing.later)}"
    if standing.first:
        yield f"本发票为换开，原发票：{standing.first}"
    if invoice.erased:
        yield "购买方个人信息已依申请删除。"


def _numbers(numbers: tuple[str, ...]) -> str:
    """Some of them, and how many there are."""
    more = f" 等 {len(numbers)} 张" if len(numbers) > _MOST_NUMBERS else ""
    return "、".join(numbers[:_MOST_NUMBERS]) + more


def _notes(invoice: StoredInvoice, told: Told) -> Iterable[str]:
    """What the lower half of the sheet says: how this is checked, and as of when it is true."""
    site = told.link.partition("/verify/scan")[0]
    yield f"查验：扫描左上角二维码，或访问 {shown_text(site)} 。以查验结果为准。"
    if told.as_of is None:
        yield "本发票已开具，尚未写入公开账本（待上链）；约一分钟后重新下载，即含证明文件。"
        return
    if told.hidden:
        yield f"持有人未出示{_hidden(told)}：其内容不在本文件中，只存摘要；其余内容的证明依然成立。"
    height, sealed_at = told.as_of
    name = f"{invoice.number}.fapiao.json"
    yield f"本文件内附证明文件 {name}，不联网亦可核验；核验时比对版面、二维码与证明。"
    yield f"状态截至第 {height} 区块（{sealed_at}）。此后是否红冲，请扫码查验。"


def _lacking(texts: Iterable[str]) -> str:
    """Which letters the font lacks: they are named, not left out."""
    signs = missing_in("".join(texts))
    if not signs:
        return ""
    named = " ".join(f"U+{ord(sign):04X}" for sign in signs)
    return f"{MISSING} 为打印字体所缺之字，依次为 {named}"
