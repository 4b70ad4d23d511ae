"""What an order comes to, by the book and in fractions: this shares no code with the service.

A line is its total, or price times quantity, rounded half up to the fen; what is left of it after
its own discount and its part of the order's is split by its rate, rounded half up.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

Sums = Counter[tuple[str, str, str]]
"""Fen of ``amount`` and ``tax`` by rate and kind: (rate, kind, which of the two)."""


def due(order: Mapping[str, Any]) -> Sums:
    """The order's sums."""
    found: Sums = Counter()
    lines = order["lines"]
    left = [_gross(line) - line.get("discount", 0) for line in lines]
    for line, part, share in zip(lines, left, _shares(order.get("discount", 0), left), strict=True):
        rate, kind = line["tax_rate"], line.get("tax_kind", "")
        amount = _rounded(Fraction(part - share) / (1 + Fraction(rate)))
        found[rate, kind, "amount"] += amount
        found[rate, kind, "tax"] += part - share - amount
    return found


def total(sums: Sums) -> int:
    """Fen, tax included."""
    return sum(sums.values())


def _gross(line: Mapping[str, Any]) -> int:
    if "total" in line:
        return int(line["total"])
    fine = Fraction(line.get("unit_price_yuan", "0")) * 100
    price = Fraction(line["unit_price"]) if "unit_price" in line else fine
    return _rounded(price * Fraction(line.get("quantity", "1")))


def _shares(discount: int, left: Sequence[int]) -> list[int]:
    """Each line's exact share, rounded up for those that lose most by rounding down."""
    if not discount:
        return [0] * len(left)
    exact = [Fraction(discount * part, sum(left)) for part in left]
    places = sorted(range(len(left)), key=lambda place: (floor(exact[place]) - exact[place], place))
    up = set(places[: discount - sum(map(floor, exact))])
    return [floor(share) + (place in up) for place, share in enumerate(exact)]


def _rounded(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))
