"""Totals as pages show them: several questions at one block, rows with names and ways down."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _

from invoice_service.services.anchoring.totals import Blocks
from invoice_service.services.reporting.collect import MixStore
from invoice_service.services.reporting.masking import masked_report
from invoice_service.services.reporting.mix import MixedReport, mixed_report
from invoice_service.services.reporting.question import COMPARED, ask
from invoice_service.web.bureau.narrowing import AS_FILTER, kept, narrowed
from invoice_service.web.ground.catalogs import N_
from invoice_service.web.ground.language import either, place_name

SIDES: Final = ("gross", "reversed", "net")
_BELOW: Final = {
    "year": "quarter",
    "quarter": "month",
    "month": "day",
    "week": "day",
    "section": "division",
    "division": "class",
    "group": "class",
    "class": "merchant",
    "industry": "merchant",
    "district": "division",
    "rate": "merchant",
}
"""What a row of one dimension is taken apart by, when somebody goes down."""


_WORDS: Final = {
    ("type", "blue"): N_("blue invoice"),
    ("type", "red"): N_("red invoice"),
    ("state", "valid"): N_("valid"),
    ("state", "part"): N_("partly taken back"),
    ("state", "full"): N_("all taken back"),
    ("tax_kind", ""): N_("no kind of zero"),
    ("tax_kind", "exempt"): N_("exempt"),
    ("tax_kind", "untaxed"): N_("not taxable"),
    ("till", ""): N_("no till said"),
}
"""What keys that stand for themselves are called."""

_PLACES: Final = ("section", "division", "group", "class", "industry", "district")


class Store(MixStore, Protocol):
    """The totals, and which block they have come to."""

    def last_height(self) -> int:
        """The last block whose totals are stored; 0 for none."""
        ...


class Row(NamedTuple):
    """A line of a table: its name, whole numbers, and where it leads ("" for nowhere).

    ``then`` is its net total on each side that it is compared with, where there is one, in fen.
    ``link`` goes down from it, ``check`` makes it again from documents.
    """

    name: str
    link: str
    check: str
    share: str
    sums: Mapping[str, Mapping[str, int]]
    then: Mapping[str, int]


class Shown(NamedTuple):
    """A report as a page shows it; ``words`` ask for the very same again."""

    words: dict[str, str]
    head: dict[str, Any]
    rows: list[Row]
    check: str
    cut: bool = False  # there are more rows

    @property
    def whole(self) -> Mapping[str, Mapping[str, int]]:
        """What all rows come to."""
        return numbers(self.head)

    @property
    def rest(self) -> Mapping[str, Mapping[str, int]]:
        """What the rows beside those of a rank come to; nothing where there are none."""
        rest = self.head.get("rest", {"rows": 0})
        return numbers(rest) if rest["rows"] else {}

    @property
    def then(self) -> Mapping[str, int]:
        """What all of it came to on each side that it is compared with, net, in fen."""
        return _then(self.head)


class Figures:
    """Asks; every answer of one page is of one block, or figures would not fit each other."""

    def __init__(self, store: Store, log: Blocks) -> None:
        self._store, self._log = store, log

    def newest(self) -> int:
        """The height that a page is shown at."""
        return self._store.last_height()

    def report(self, words: Mapping[str, str], *, looks: bool) -> MixedReport:
        """The answer; Problems as ``ask`` and ``mixed_report``.

        Merchants are masked for who has not the power to look at single ones (``looks``).
        """
        report = mixed_report(self._store, self._log, ask(words))
        return report if looks else masked_report(report)

    def show(self, words: Mapping[str, str], height: int) -> Shown:
        """The answer for a page of everybody's, as of a block; Problems as ``report``."""
        return self.few({**words, "at_block": str(height)}, None, looks=False)

    def few(self, words: Mapping[str, str], most: int | None, *, looks: bool) -> Shown:
        """The same with ``most`` rows at most; ``words`` name the block; as ``report``."""
        report = self.report(words, looks=looks)
        days = report.head["from"], report.head["to"]
        rows = [_row(row, words, days, looks=looks) for row in islice(report.rows, most)]
        more = next(report.rows, None) is not None
        return Shown(dict(words), report.head, rows, _check(kept(words)), more)


def numbers(found: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The sums of a report or a row: counts, and fen."""
    return {side: {name: int(n) for name, n in found[side].items()} for side in SIDES}


def _then(found: Mapping[str, Any]) -> dict[str, int]:
    return {side: int(found[side]["net"]["total"]) for side in COMPARED if side in found}


def _row(
    row: Mapping[str, Any], words: Mapping[str, str], days: tuple[str, str], *, looks: bool
) -> Row:
    keys = row["keys"]
    name = " · ".join(_name(one, key, row["names"].get(one)) for one, key in keys.items())
    hidden = "merchant" in keys and not looks
    link = "" if hidden else _down(keys, words)
    check = "" if hidden else _check(narrowed(words, keys, days))
    return Row(name, link, check, row["share"], numbers(row), _then(row))


def _check(words: Mapping[str, str]) -> str:
    return f"{url_for('bureau_totals.check')}?{urlencode(words)}"


def _name(dimension: str, key: str, named: Mapping[str, str] | None) -> str:
    """What people call it, and its code where that is not all of it."""
    if dimension == "rate":
        return f"{float(key) * 100:g}%"
    if not named:
        return _(_WORDS[dimension, key]) if (dimension, key) in _WORDS else key
    if dimension in _PLACES:
        return place_name(named.get("en", ""), named.get("zh", ""), key)
    return either(named.get("en", ""), named.get("zh", "")) or named.get("zh", "") or key


def _down(keys: Mapping[str, str], words: Mapping[str, str]) -> str:
    """Where a touch on a row leads: to what is in it, or to the merchant's file."""
    if "merchant" in keys:
        return url_for("bureau_merchants.found", tax_id=keys["merchant"])
    narrower = {name: value for name, value in words.items() if name not in ("top", "bottom")}
    below = ""
    for name, key in keys.items():
        if name in AS_FILTER:
            narrower[AS_FILTER[name]] = key
        below = _BELOW.get(name, below)
    if len(keys) > 1 or not below or not set(keys) <= set(AS_FILTER):
        return ""
    return f"{url_for('bureau_totals.show')}?{urlencode({**narrower, 'by': below})}"
