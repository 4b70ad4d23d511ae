"""The issuing transaction against a model of it: sell, split, repeat, return, issue anew."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from invoice_service.domain.invoice import Issued, Prepared
from tests.domain.samples import line
from tests.storage.shop import Shop, codes

QUOTA = 12
DAY = 86_400
TEN_MINUTES = 600


class Sale(NamedTuple):
    """What a till asks for; ``replaces`` is a ``seq``, 0 for none."""

    number: str
    price: int
    till: str = ""
    day: str = ""
    part: tuple[int, int, int] = (0, 0, 0)
    replaces: int = 0

    @property
    def order(self) -> tuple[str, str, str]:
        """What the order is known by."""
        return self.number, self.till, self.day

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
        return {"lines": [line(unit_price=self.price)]} | {k: v for k, v in told.items() if v}


@dataclass
class Blue:
    """An invoice that was sold."""

    sale: Sale
    seq: int
    at: int
    keyed: bool
    back: bool = False


@dataclass
class Model:
    """What must become of each request; the last number that was given out."""

    blues: list[Blue] = field(default_factory=list)
    keys: dict[str, tuple[object, int]] = field(default_factory=dict)
    last: int = 0
    last_at: int = 0

    def sell(self, sale: Sale, key: str, now: int) -> tuple[str, int]:
        """(code, seq of the answer or 0)."""
        if key in self.keys:
            known, seq = self.keys[key]
            return ("replayed", seq) if known == sale else ("idempotency_key_conflict", 0)
        code, seq = self._sell(sale, bool(key), now)
        if key and seq:
            self.keys[key] = sale, seq
        return code, seq

    def _sell(self, sale: Sale, keyed: bool, now: int) -> tuple[str, int]:  # a model
        bill = [blue for blue in self.blues if blue.sale.order == sale.order]
        own = [blue for blue in bill if blue.sale.part[0] == sale.part[0]]
        for blue in reversed(own):
            young = abs(now - blue.at) <= TEN_MINUTES and not keyed and not blue.keyed
            if blue.sale == sale and (sale.day or young):
                return "replayed", blue.seq
        refusal = self._refusal(sale, bill, own, now)
        if refusal:
            return refusal, 0
        if len(self.blues) >= QUOTA:
            return "quota_exhausted", 0
        seq = self.number(now)
        self.blues.append(Blue(sale, seq, self.last_at, keyed))
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
        most = sale.part[2] or (own[0].sale.price if own else sale.price)
        stands = sum(blue.sale.price for blue in bill if not blue.back)
        return "order_total_exceeded" if stands + sale.price > most else ""

    def take_back(self, blue: Blue, now: int) -> tuple[str, int]:
        """The same of a reversal."""
        if blue.back:
            return "already_reversed", 0
        blue.back = True
        return "issued", self.number(now)

    def number(self, now: int) -> int:
        """The next one; time never goes back."""
        self.last, self.last_at = self.last + 1, max(now, self.last_at)
        return self.last


parts = st.sampled_from([(0, 0, 0)] * 3 + [(1, 2, 5), (2, 2, 5), (1, 2, 4), (1, 3, 5), (1, 1, 3)])
sales = st.builds(
    Sale,
    number=st.sampled_from(["1", "2"]),
    price=st.integers(1, 4),
    till=st.sampled_from(["", "", "a"]),
    day=st.sampled_from(["", "2018-08-10", "2018-08-10", "2018-08-11"]),
    part=parts,
    replaces=st.just(0),
)
keys = st.sampled_from(["", "", "", "k", "l"])


class Till(RuleBasedStateMachine):
    """A till, its guests and the clock on the wall."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.shop, self.model = Shop(Path(self.folder.name), quota=QUOTA), Model()
        self.hashes: dict[int, str] = {}

    @rule(sale=sales, key=keys)
    def sell(self, sale: Sale, key: str) -> None:
        self._hand_in([(sale, key)])

    @rule(asked=st.lists(st.tuples(sales, keys), min_size=2, max_size=5))
    def sell_many(self, asked: list[tuple[Sale, str]]) -> None:
        self._hand_in(asked)

    @rule(data=st.data(), key=keys)
    def repeat(self, data: st.DataObject, key: str) -> None:
        if self.model.blues:
            self._hand_in([(data.draw(st.sampled_from(self.model.blues)).sale, key)])

    @rule(data=st.data(), price=st.integers(1, 5), key=keys)
    def sell_anew(self, data: st.DataObject, price: int, key: str) -> None:
        """In the place of an invoice that is the first of its order, or is not."""
        if self.model.blues:
            old = data.draw(st.sampled_from(self.model.blues))
            new = old.sale._replace(price=price, replaces=old.seq)
            self._hand_in([(new, key)])

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        if self.model.blues:
            blue = data.draw(st.sampled_from(self.model.blues))
            stored = self.shop.store.invoice_at(blue.seq)
            assert stored is not None
            self._compare([self.shop.red_over(stored)], [self.model.take_back(blue, self.shop.now)])

    @rule(seconds=st.sampled_from([1, 60, 540, 601, DAY, DAY + 1, -30]))
    def wait(self, seconds: int) -> None:
        if self.shop.now + seconds >= self.model.last_at - 60:  # else nothing is issued at all
            self.shop.now += seconds

    @invariant()
    def no_gap_and_no_order_beyond_its_first_sale(self) -> None:
        assert self.shop.rows("SELECT seq, CAST(number AS INTEGER) FROM invoices") == [
            (n, n) for n in range(1, self.model.last + 1)
        ]
        assert self.shop.rows("SELECT used FROM merchants") == [(len(self.model.blues),)]
        stands: dict[object, int] = {}
        for blue in self.model.blues:
            order = *blue.sale.order, blue.sale.part[1:]
            stands[order] = stands.get(order, 0) + (0 if blue.back else blue.sale.price)
        for blue in self.model.blues:
            first = next(one for one in self.model.blues if one.sale.order == blue.sale.order)
            most = blue.sale.part[2] or first.sale.price
            assert stands[*blue.sale.order, blue.sale.part[1:]] <= most

    def teardown(self) -> None:
        self.shop.store.close()
        self.folder.cleanup()

    def _hand_in(self, asked: list[tuple[Sale, str]]) -> None:
        hashes = dict(self.hashes)  # what a till knows before the batch
        drafts = [
            self.shop.draft(sale.number, idempotency_key=key, **sale.fields(hashes))
            for sale, key in asked
        ]
        self._compare(drafts, [self.model.sell(sale, key, self.shop.now) for sale, key in asked])

    def _compare(self, drafts: list[Prepared], expected: list[tuple[str, int]]) -> None:
        answers = self.shop.hand_in(*drafts)
        assert codes(answers) == [code for code, _ in expected]
        issued = {n: answer for n, answer in enumerate(answers) if isinstance(answer, Issued)}
        assert [issued[n].seq if n in issued else 0 for n in range(len(answers))] == [
            seq for _, seq in expected
        ]
        self.hashes |= {answer.seq: answer.hash for answer in issued.values()}


Till.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestTill = Till.TestCase
