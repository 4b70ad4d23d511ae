"""From a row of a report to the question of which it is the answer."""

from collections.abc import Mapping
from typing import Final

from invoice_service.services.reporting.periods import UNITS, days_of
from invoice_service.services.reporting.question import FILTERS

AS_FILTER: Final = {
    "section": "industry",
    "division": "industry",
    "group": "industry",
    "class": "industry",
    "industry": "industry",
    "district": "district",
    "merchant": "merchant",
    "rate": "rate",
}
"""Which filter keeps to a row of that dimension."""

_KEPT: Final = ("from", "to", "by", "at_block", *FILTERS)


def kept(words: Mapping[str, str]) -> dict[str, str]:
    """The question without rank and comparison, which only choose among its figures."""
    return {name: words[name] for name in _KEPT if name in words}


def narrowed(
    words: Mapping[str, str], keys: Mapping[str, str], days: tuple[str, str]
) -> dict[str, str]:
    """The question that a row answers, alone or among few: its days, its filters.

    ``days`` are those of the report. A till, a kind and a state are no filters: such a row comes
    back beside its like.
    """
    found, (first, last) = kept(words), days
    for name, key in keys.items():
        if name in UNITS:
            begin, end = (one.isoformat() for one in days_of(name, key))
            first, last = max(first, begin), min(last, end)
        elif key and name in AS_FILTER:
            same = found.get(AS_FILTER[name], "")
            if name not in _INDUSTRY or len(key) >= len(same):  # the narrower of two
                found[AS_FILTER[name]] = key
    return {**found, "from": first, "to": last} if first else found


_INDUSTRY: Final = frozenset(name for name, filter_ in AS_FILTER.items() if filter_ == "industry")
