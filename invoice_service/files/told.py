"""A result file as people read it: a table in their language, each invoice as it stands now."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, Literal

from invoice_service.domain.money import format_yuan
from invoice_service.domain.verdict import NAMES_ZH, Verdict
from invoice_service.files.results import Result, Standings

Tongue = Literal["zh", "en"]

_HEADINGS: Final = {
    "zh": (
        *("行", "订单号", "收银台", "营业日", "处理结果", "当前状态", "发票代码", "发票号码"),
        *("密码区", "金额（元）", "剩余金额（元）", "红字发票号码", "重开发票号码"),
        *("错误代码", "原因", "说明"),
    ),
    "en": (
        *("Line", "Order", "Till", "Business day", "Outcome", "State now", "Code", "Number"),
        *("Hash", "Total (yuan)", "Left (yuan)", "Red invoices", "Replaced by"),
        *("Error code", "Why", "Detail"),
    ),
}
_STATUS: Final = {
    "zh": {"issued": "已开具", "replayed": "此前已开具", "refused": "未开具"},
    "en": {"issued": "issued", "replayed": "issued before", "refused": "refused"},
}
_STATES: Final = {
    Verdict.AUTHENTIC: "authentic",
    Verdict.PENDING: "authentic, pending",
    Verdict.REVERSED: "taken back",
    Verdict.PARTLY_REVERSED: "taken back in part",
}
AMOUNTS: Final = frozenset({9, 10})
"""The places of columns that hold yuan."""

_AT_ONCE: Final = 500


def table(
    results: Iterable[Result], standings: Standings, tongue: Tongue, title: Callable[[str], str]
) -> Iterator[list[str]]:
    """A header, then a row for each; ``title`` is the sentence of an error's code.

    Columns of the shop's own stand at the right, in the order in which they are met.
    """
    kept: list[Result] = []
    left = iter(results)
    while some := list(islice(left, _AT_ONCE)):
        kept += _now(some, standings)
    others = list(dict.fromkeys(chain.from_iterable(one.columns for one in kept)))
    yield [*_HEADINGS[tongue], *others]
    for one in kept:
        yield [*_row(one, tongue, title), *(one.columns.get(name, "") for name in others)]


def _now(results: Sequence[Result], standings: Standings) -> list[Result]:
    stand = standings([one.hash for one in results if one.hash])
    return [one.now(stand[one.hash]) if one.hash in stand else one for one in results]


def _row(one: Result, tongue: Tongue, title: Callable[[str], str]) -> list[str]:
    line = " ".join(map(str, one.lines)) if one.status == "refused" else ""
    detail = one.detail_zh if tongue == "zh" else one.detail
    return [
        *(line, one.order_id, one.till, one.business_day, _STATUS[tongue][one.status]),
        *(state_name(one.state, tongue), one.invoice_code, one.number, one.hash),
        format_yuan(one.total) if one.hash else "",
        "" if one.left is None else format_yuan(one.left),
        *(" ".join(one.reversed_by), " ".join(one.replaced_by)),
        *(one.code, title(one.code) if one.code else "", detail),
    ]


def state_name(state: str, tongue: Tongue) -> str:
    """What a state is called to people; "" for none."""
    if not state:
        return ""
    verdict = Verdict(state)
    return NAMES_ZH[verdict] if tongue == "zh" else _STATES.get(verdict, state)
