"""What must become of every sale and every return, in the plainest way: lists, fractions, no store.

It shares no arithmetic with the service: money and quantities are fractions, which round here.
"""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

from msgspec import UNSET

from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.request import ReturnedLine, ReversalRequest
from tests.domain.samples import line

QUOTA = 12
DAY = 86_400
TEN_MINUTES = 600

Outcome = tuple[str, int]
"""What becomes of a call: a code, and the ``seq`` of the invoice that answers it, or 0."""


def rounded(value: Fraction) -> int:
    """Half up; nothing here is negative."""
    return floor(value + Fraction(1, 2))


def split(total: int, rate: str) -> tuple[int, int]:
    """(amount, tax) of money that includes tax at a rate, or at a kind of rate 0."""
    amount = rounded(total / (1 + Fraction(rate.partition(" ")[0])))
    return amount, total - amount


class Dish(NamedTuple):
    """A line of an order: so much at a price (fen), a little taken off."""

    price: int
    much: str
    rate: str
    off: int = 0

    @property
    def gross(self) -> int:
        """What it comes to before its discount."""
        return rounded(self.price * Fraction(self.much))

    @property
    def fields(self) -> dict[str, Any]:
        """The line of the request."""
        rate, _, kind = self.rate.partition(" ")
        told = {"discount": self.off or None, "tax_kind": kind or None}
        return line(unit_price=self.price, quantity=self.much, tax_rate=rate, **told)


class Sale(NamedTuple):
    """What a till asks for; ``replaces`` is a ``seq``, 0 for none."""

    number: str
    dishes: tuple[Dish, ...]
    till: str = ""
    day: str = ""
    part: tuple[int, int, int] = (0, 0, 0)
    replaces: int = 0

    @property
    def order(self) -> tuple[str, str, str]:
        """What the order is known by."""
        return self.number, self.till, self.day

    @property
    def total(self) -> int:
        """What it comes to."""
        return sum(dish.gross - dish.off for dish in self.dishes)

    def fields(self, hashes: dict[int, str]) -> dict[str, Any]:
        """The request."""
        part, parts, whole = self.part
        told = {
            "till": self.till,
            "business_day": self.day,
            "part": part,
            "parts": parts,
            "order_total": whole,
            "replaces": hashes.get(self.replaces, ""),
        }
        lines = [dish.fields for dish in self.dishes]
        return {"lines": lines} | {name: value for name, value in told.items() if value}


class Back(NamedTuple):
    """A return that is asked for: lines with quantities ("" for all of it), or money at a rate."""

    lines: tuple[tuple[int, str], ...] = ()
    amount: int = 0
    rate: str = ""

    @property
    def whole(self) -> bool:
        """Whether all that is left is meant."""
        return not self.lines and not self.amount

    @property
    def request(self) -> ReversalRequest:
        """As the service is asked."""
        named = [ReturnedLine(line=n, quantity=count or UNSET) for n, count in self.lines]
        rate, _, kind = self.rate.partition(" ")
        return ReversalRequest(
            reason=Reason.SALES_RETURN,
            lines=named or UNSET,
            amount=self.amount or UNSET,
            rate=rate or UNSET,
            tax_kind=kind or UNSET,  # type: ignore[arg-type] # one of the kinds
        )


@dataclass
class Left:
    """What is left of a line; ``number`` is that of the stored line."""

    number: int
    rate: str
    count: Fraction
    gross: int
    net: int


def served(dishes: tuple[Dish, ...]) -> list[Left]:
    """All of an order; a discount has a stored line of its own."""
    left: list[Left] = []
    number = 1
    for dish in dishes:
        count, net = Fraction(dish.much), dish.gross - dish.off
        left.append(Left(number, dish.rate, count, dish.gross, net))
        number += 2 if dish.off else 1
    return left


@dataclass
class Blue:
    """An invoice that was sold, and what is left of it."""

    sale: Sale
    seq: int
    at: int
    keyed: bool
    left: list[Left] = field(default_factory=list)
    backs: list[Back] = field(default_factory=list)
    reds: list[int] = field(default_factory=list)

    @property
    def stands(self) -> int:
        """What is left of it, in fen."""
        return sum(one.net for one in self.left)

    @property
    def reversal(self) -> str | None:
        """What the state map says of it."""
        return ("part" if self.stands else "full") if self.reds else None

    def take(self, back: Back) -> str:
        """The code of the refusal, or "" when it has been taken."""
        if back.amount:
            return self._take_money(back)
        wanted = dict(back.lines) or {one.number: "" for one in self.left}
        if wanted.keys() - {one.number for one in self.left}:
            return "line_unknown"
        taken: list[tuple[Left, Fraction, int, int]] = []
        for one in self.left:
            if one.number not in wanted:
                continue
            count = Fraction(wanted[one.number]) if wanted[one.number] else one.count
            if back.lines and (count > one.count or not count):
                return "return_too_large"
            share = count / one.count if one.count else Fraction(0)
            taken.append((one, count, rounded(one.gross * share), rounded(one.net * share)))
        if not sum(net for *_, net in taken):
            return "total_zero"
        for one, count, gross, net in taken:
            one.count, one.gross, one.net = one.count - count, one.gross - gross, one.net - net
        return ""

    def _take_money(self, back: Back) -> str:
        worth = {one.rate for one in self.left if one.net}
        if not back.rate and len(worth) > 1:
            return "rate_needed"
        if back.rate and back.rate not in {one.rate for one in self.left}:
            return "rate_not_on_invoice"
        among = [one for one in self.left if back.rate in ("", one.rate)]
        if back.amount > sum(one.net for one in among):
            return "return_too_large"
        for one, part in zip(among, shared(back.amount, [o.net for o in among]), strict=True):
            one.net -= part
        return ""


def shared(amount: int, over: list[int]) -> list[int]:
    """By largest remainders, the first of equals first."""
    exact = [Fraction(amount * one, sum(over)) for one in over]
    parts = [floor(one) for one in exact]
    order = sorted(range(len(over)), key=lambda n: (parts[n] - exact[n], n))
    for n in order[: amount - sum(parts)]:
        parts[n] += 1
    return parts


@dataclass
class Model:
    """What must become of each call; the last number that was given out."""

    blues: list[Blue] = field(default_factory=list)
    keys: dict[str, tuple[object, int]] = field(default_factory=dict)
    last: int = 0
    last_at: int = 0

    def sell(self, sale: Sale, key: str, now: int) -> Outcome:
        """A sale under an Idempotency-Key, or "" for none."""
        return self._keyed(sale, key) or self._remember(
            sale, key, self._sell(sale, keyed=bool(key), now=now)
        )

    def take_back(self, blue: Blue, back: Back, key: str, now: int) -> Outcome:
        """A return, likewise."""
        what = ("back", blue.seq, back)
        return self._keyed(what, key) or self._remember(
            what, key, self._take(blue, back, keyed=bool(key), now=now)
        )

    def _keyed(self, what: object, key: str) -> Outcome | None:
        if key not in self.keys:
            return None
        known, seq = self.keys[key]
        return ("replayed", seq) if known == what else ("idempotency_key_conflict", 0)

    def _remember(self, what: object, key: str, outcome: Outcome) -> Outcome:
        if key and outcome[1]:
            self.keys[key] = what, outcome[1]
        return outcome

    def _sell(self, sale: Sale, *, keyed: bool, now: int) -> Outcome:
        bill = [blue for blue in self.blues if blue.sale.order == sale.order]
        own = [blue for blue in bill if blue.sale.part[0] == sale.part[0]]
        for blue in bill:
            young = abs(now - blue.at) <= TEN_MINUTES and not keyed and not blue.keyed
            if blue.sale == sale and (sale.day or young):
                return "replayed", blue.seq
        refusal = self._refusal(sale, bill, own, now)
        if refusal:
            return refusal, 0
        if len(self.blues) >= QUOTA:
            return "quota_exhausted", 0
        seq = self._number(now)
        self.blues.append(Blue(sale, seq, self.last_at, keyed, served(sale.dishes)))
        return "issued", seq

    def _refusal(self, sale: Sale, bill: list[Blue], own: list[Blue], now: int) -> str:
        if bill:
            agree = bill[0].sale.part[1:] == sale.part[1:]
            today = bool(sale.day) or abs(now - bill[0].at) <= DAY
            if not today and not (own and agree):
                return "order_id_reused"
            if not agree:
                return "order_parts_conflict"
        if own and any(blue.sale == sale for blue in own):
            return "order_id_reused"
        if sale.replaces:
            if not own or own[0].seq != sale.replaces:
                return "replaces_not_first"
        elif own:
            young = bool(sale.day) or abs(now - own[-1].at) <= TEN_MINUTES
            return "order_id_conflict" if young else "order_id_reused"
        most = sale.part[2] or (own[0].sale.total if own else sale.total)
        stands = sum(blue.stands for blue in bill)
        return "order_total_exceeded" if stands + sale.total > most else ""

    def _take(self, blue: Blue, back: Back, *, keyed: bool, now: int) -> Outcome:
        if not keyed and not back.whole and back in blue.backs:
            return "return_repeated", 0
        if not blue.stands:
            return "already_reversed", 0
        refusal = blue.take(back)
        if refusal:
            return refusal, 0
        seq = self._number(now)
        blue.backs.append(back)
        blue.reds.append(seq)
        return "issued", seq

    def _number(self, now: int) -> int:
        """The next one; time never goes back."""
        self.last, self.last_at = self.last + 1, max(now, self.last_at)
        return self.last

    def sums(self) -> "Sums":
        """What a report as of now says."""
        sums = Sums()
        for blue in self.blues:
            for sold, left in zip(served(blue.sale.dishes), blue.left, strict=True):
                before, after = split(sold.net, sold.rate), split(left.net, left.rate)
                for n, name in enumerate(("amount", "tax")):
                    sums.gross[sold.rate, name] += before[n]
                    sums.net[sold.rate, name] += after[n]
        sums.counts = len(self.blues), sum(len(blue.reds) for blue in self.blues)
        return sums


@dataclass
class Sums:
    """Money by rate, and the number of blue and of red invoices."""

    gross: Counter[tuple[str, str]] = field(default_factory=Counter)
    net: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: tuple[int, int] = (0, 0)
