"""What a report of a mix is asked: read strictly from texts, and written again as texts."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from chain.errors import MalformedError
from invoice_service.domain.bounds import HIGHEST_BLOCK
from invoice_service.domain.merchant import districts, industry_places, is_tax_id
from invoice_service.domain.tax import is_rate
from invoice_service.services.reporting.dimensions import OF_DOCUMENTS, PARTS
from invoice_service.services.reporting.periods import UNITS

DIMENSIONS: Final = (*UNITS, *PARTS, *OF_DOCUMENTS)
MEASURES: Final = ("net", "count", "amount", "tax", "total", "reversed")
COMPARED: Final = ("before", "year_before")
MOST_RANKED: Final = 1_000
MOST_DIMENSIONS: Final = 3

FILTERS: Final = ("merchant", "industry", "district", "rate")
WORDS: Final = (
    *("from", "to", "by", "at_block", "measure", "compare", "top", "bottom"),
    *FILTERS,
)
"""The parameters of a question, in the order in which it is written."""

NEW_WORDS: Final = frozenset({*WORDS, "version"}) - {"from", "to", "by", "at_block"}
"""Those that the report of one dimension does not know."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked; days as they were written, "" for what is not asked.

    ``measure`` ranks rows and is what shares are of; ``top`` and ``bottom`` are numbers of rows,
    0 for all of them in the order of their keys.
    """

    by: tuple[str, ...] = ("day",)
    first: str | None = None
    last: str | None = None
    at_block: int | None = None
    measure: str = "net"
    compare: tuple[str, ...] = ()
    top: int = 0
    bottom: int = 0
    merchant: str = ""
    industry: str = ""
    district: str = ""
    rate: str = ""

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}

    @property
    def times(self) -> tuple[str, ...]:
        """The periods among what it is by."""
        return tuple(name for name in self.by if name in UNITS)

    def words(self) -> dict[str, str]:
        """The question as parameters; those that are not said are left out."""
        said: dict[str, Any] = {
            "from": self.first,
            "to": self.last,
            "by": ",".join(self.by),
            "at_block": self.at_block,
            "measure": self.measure,
            "compare": ",".join(self.compare),
            "top": self.top or None,
            "bottom": self.bottom or None,
            **self.filters,
        }
        return {name: str(value) for name, value in said.items() if value not in (None, "")}


def is_new(words: Mapping[str, str]) -> bool:
    """Whether it asks for what the report of one dimension does not tell."""
    by = words.get("by", "day")
    plain = ("day", "industry", "district", "rate", "merchant", "till")
    return by not in plain or not NEW_WORDS.isdisjoint(words)


def ask(words: Mapping[str, str]) -> Question:
    """Read a question. MalformedError ``by_unknown``, ``parameter_malformed``; days are not read.

    A till is its merchant's, who is put before it where it is not asked for.
    """
    by = _by(words.get("by", "day"))
    compare = _list(words, "compare", COMPARED)
    top, bottom = (_number(words, name, 1, MOST_RANKED) or 0 for name in ("top", "bottom"))
    if top and bottom:
        raise _malformed(
            "bottom", "either the top or the bottom is asked for", "与“只看前几名”只能填其一"
        )
    question = Question(
        by=by,
        first=words.get("from"),
        last=words.get("to"),
        at_block=_number(words, "at_block", 0, HIGHEST_BLOCK),
        measure=(_list(words, "measure", MEASURES) or ("net",))[0],
        compare=compare,
        top=top,
        bottom=bottom,
        **{name: words.get(name, "") for name in FILTERS},
    )
    if compare and len(question.times) > 1:
        raise _malformed(
            "compare", "with one period among what it is by, or none", "汇总项中最多有一项是时间"
        )
    _check_filters(words)
    return question


def _by(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in DIMENSIONS]
    counted = [name for name in names if name != "merchant" or "till" not in names]
    if unknown or len(set(names)) < len(names) or len(counted) > MOST_DIMENSIONS:
        raise MalformedError(
            "by_unknown",
            f"a report is by up to {MOST_DIMENSIONS} different ones of {', '.join(DIMENSIONS)}",
            pointer="/by",
            detail_zh=f"最多按 {MOST_DIMENSIONS} 项汇总，且各不相同",
        )
    if "till" in names and "merchant" not in names:
        at = names.index("till")
        return (*names[:at], "merchant", *names[at:])
    return names


def _list(words: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    if name not in words:
        return ()
    found = tuple(words[name].split(","))
    if not set(found) <= set(allowed) or len(set(found)) < len(found):
        raise _malformed(name, f"it is of {', '.join(allowed)}", f"可选 {'、'.join(allowed)}")
    if name == "measure" and len(found) > 1:
        raise _malformed(name, "one measure ranks the rows", "只能选一项")
    return tuple(one for one in allowed if one in found)


def _number(words: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = words.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= 16 and str(int(text)) == text:  # noqa: SIM102 # the bounds are of a number
        if least <= int(text) <= most:
            return int(text)
    raise _malformed(
        name, f"a whole number from {least} to {most}", f"请填 {least} 至 {most} 的整数"
    )


def _check_filters(words: Mapping[str, str]) -> None:
    known: dict[str, Callable[[str], bool]] = {
        "merchant": is_tax_id,
        "industry": lambda code: code in industry_places(),
        "district": lambda code: code in districts(),
        "rate": is_rate,
    }
    said = {
        "merchant": ("a tax id of 18 characters", "请填 18 位纳税人识别号"),
        "industry": (
            "a section, division, group or class of GB/T 4754",
            "请填 GB/T 4754 的门类、大类、中类或小类代码",
        ),
        "district": ("one of Shenzhen's districts, six digits", "请填深圳市各区的六位代码"),
        "rate": ("a rate like 0.06", "请填税率，如 0.06"),
    }
    for name, holds in known.items():
        if name in words and not holds(words[name]):
            raise _malformed(name, *said[name])


_CALLED: Final = {
    "at_block": "截至区块",
    "top": "只看前几名",
    "bottom": "只看后几名",
    "measure": "排序与占比依据",
    "compare": "对比",
    "merchant": "商户",
    "industry": "行业代码",
    "district": "所在区",
    "rate": "税率",
}
"""What the fields of a question are called on pages in Chinese."""


def _malformed(name: str, detail: str, chinese: str) -> MalformedError:
    return MalformedError(
        "parameter_malformed",
        f"{name}: {detail}",
        pointer=name,
        detail_zh=f"{_CALLED.get(name, name)}：{chinese}",
    )
