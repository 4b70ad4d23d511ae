"""A town against a model of it: sell, split, repeat, take back, sell anew, kills in between.

At every step what is left of each line and rate is what the model says, numbers have no gap, and
the verdict, the log's state map, the database and the report say the same.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chain.commitment import anchor, parse_password_area
from chain.errors import Problem
from invoice_service.domain.document import read_lines
from invoice_service.domain.invoice import Issued, Prepared, parse_request, prepare
from invoice_service.domain.qrtext import QrText
from invoice_service.domain.red import prepare_red
from invoice_service.domain.returns import left_of
from invoice_service.domain.verdict import Verdict
from invoice_service.services.checking.verify import Verifier
from invoice_service.services.people.admit import set_quota
from invoice_service.services.reporting.report import totals_report
from tests.domain.samples import BY, order
from tests.faults.killing import killed_at
from tests.scale import share
from tests.services.sales_model import (
    DAY,
    QUOTA,
    Back,
    Blue,
    Dish,
    Model,
    Outcome,
    Sale,
    Sums,
    split,
)
from tests.services.town import RATES, Town
from tests.storage.shop import codes

EXAMPLES: Final = share(400, 12)
STEPS: Final = 30

NAMING: Final = {"return_repeated": "first_hash", "already_reversed": "reversed_by"}
"""Refusals that name a red invoice, and where."""

VERDICTS: Final = {"part": Verdict.PARTLY_REVERSED, "full": Verdict.REVERSED}

parts = st.sampled_from([(0, 0, 0)] * 3 + [(1, 2, 5), (2, 2, 5), (1, 2, 4), (1, 3, 5), (1, 1, 3)])
few = st.builds(
    lambda price: (Dish(price, "1", "0.06"),), st.integers(1, 4)
)  # so that the same is sold again
dishes = st.lists(
    st.builds(
        Dish,
        price=st.sampled_from([0, 1, 2, 7, 99, 2800]),
        much=st.sampled_from(["1", "2", "3", "0.5", "1.5"]),
        rate=st.sampled_from(["0.06", "0.06", "0.13", "0", "0 exempt"]),
        off=st.sampled_from([0, 0, 0, 1, 3]),
    ),
    min_size=1,
    max_size=3,
).filter(lambda all_: all(one.off <= one.gross for one in all_))
feasts = dishes.map(lambda all_: (*all_, Dish(300, "2", "0.06")))
sales = st.builds(
    Sale,
    number=st.sampled_from(["1", "2"]),
    dishes=st.one_of(few, feasts),
    till=st.sampled_from(["", "", "a"]),
    day=st.sampled_from(["", "2018-08-10", "2018-08-10", "2018-08-11"]),
    part=parts,
    replaces=st.just(0),
)
keys = st.sampled_from(["", "", "", "k", "l"])


@cache
def _settled() -> Path:
    """A town in which nothing has been issued yet, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="settled-"))
    town = Town(folder)
    town.settle_in()
    set_quota(town.store, town.merchants[0].id, QUOTA, BY)
    town.close()
    return folder


@dataclass
class Sealed:
    """What was true when the log was published last."""

    sums: Sums = field(default_factory=Sums)
    states: dict[int, str | None] = field(default_factory=dict)
    at: int = 0


class Restaurant(RuleBasedStateMachine):
    """Two tills, their guests, the worker that anchors, and whoever pulls the plug."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="sales-"))
        shutil.copytree(_settled(), self.folder, dirs_exist_ok=True)
        self.model, self.sealed = Model(), Sealed()
        self.hashes: dict[int, str] = {}
        self.seed = 1
        self.town = Town(self.folder)
        self.verifier = self._verifier()

    def teardown(self) -> None:
        self.town.close()
        shutil.rmtree(self.folder)

    @rule(sale=sales, key=keys)
    def sell(self, sale: Sale, key: str) -> None:
        self._hand_in([self._sale(sale, key)])

    @rule(asked=st.lists(st.tuples(sales, keys), min_size=2, max_size=5))
    def sell_many(self, asked: list[tuple[Sale, str]]) -> None:
        self._hand_in([self._sale(sale, key) for sale, key in asked])

    @rule(data=st.data(), key=keys)
    def repeat(self, data: st.DataObject, key: str) -> None:
        if self.model.blues:
            self._hand_in([self._sale(data.draw(st.sampled_from(self.model.blues)).sale, key)])

    @rule(data=st.data(), new=st.one_of(few, feasts), key=keys)
    def sell_anew(self, data: st.DataObject, new: tuple[Dish, ...], key: str) -> None:
        """In the place of an invoice that is the first of its order, or is not."""
        if self.model.blues:
            old = data.draw(st.sampled_from(self.model.blues))
            anew = old.sale._replace(dishes=new, replaces=old.seq)
            self._hand_in([self._sale(anew, key)])

    @precondition(lambda self: self.model.blues)
    @rule(data=st.data(), count=st.integers(1, 3))
    def take_back(self, data: st.DataObject, count: int) -> None:
        """One return, or several that know nothing of each other, in one transaction."""
        self._hand_in([self._return(*self._wanted(data)) for _ in range(count)])

    @precondition(lambda self: any(blue.backs for blue in self.model.blues))
    @rule(data=st.data(), key=keys)
    def take_back_again(self, data: st.DataObject, key: str) -> None:
        """Just what was taken back before."""
        blue = data.draw(st.sampled_from([blue for blue in self.model.blues if blue.backs]))
        self._hand_in([self._return(blue, data.draw(st.sampled_from(blue.backs)), key)])

    @rule(data=st.data(), asked=st.lists(st.tuples(sales, keys), max_size=2), kept=st.booleans())
    def pull_the_plug(self, data: st.DataObject, asked: list[tuple[Sale, str]], kept: bool) -> None:
        """Whoever commits is killed, before or after; then the very same calls come again."""
        calls = [self._sale(sale, key) for sale, key in asked]
        if self.model.blues:
            calls += [
                self._return(*self._wanted(data)) for _ in range(data.draw(st.integers(1, 2)))
            ]
        if not calls:
            return
        drafts = [call.draft for call in calls]
        assert killed_at(
            1,
            kept=kept,
            prepare=self._reopened,
            work=lambda town: town.store.issue(drafts, self._unix),
        )
        self._reopen()
        before = [call.expected() for call in calls] if kept else []
        assert self.town.store.last_seq() == self.model.last
        for call, (code, seq) in zip(calls, before, strict=False):
            if seq:  # its answer was lost, so it is made again
                call.expected = partial(_as_before, code, seq)
        self._hand_in(calls)

    @rule()
    def anchor(self) -> None:
        self.town.anchor()
        self._seal()

    @rule(write=st.integers(1, 25), kept=st.booleans())
    def kill_the_worker(self, write: int, kept: bool) -> None:
        """At a write of its; nothing is wrong then, only undone, and the next one does the rest."""
        killed_at(write, kept=kept, prepare=self._reopened, work=Town.anchor)
        self._reopen()
        for blue in self.model.blues:
            self._check_verdict(blue, among=(Verdict.PENDING, Verdict.AUTHENTIC))
        self.anchor()

    @rule(seconds=st.sampled_from([1, 60, 540, 601, DAY, DAY + 1, -30]))
    def wait(self, seconds: int) -> None:
        if self._unix() + seconds >= max(self.model.last_at, self.sealed.at) - 60:
            self.town.now += timedelta(seconds=seconds)  # else nothing is issued at all

    @rule()
    def open_again(self) -> None:
        self._reopen()

    @invariant()
    def numbers_have_no_gap_and_no_order_is_beyond_its_first_sale(self) -> None:
        model = self.model
        with self.town.store.connections.reading() as connection:
            rows = connection.execute(
                "SELECT seq, CAST(number AS INTEGER) FROM invoices"
            ).fetchall()
            [(used,)] = connection.execute("SELECT used FROM merchants WHERE id = 1").fetchall()
        assert rows == [(n, n) for n in range(1, model.last + 1)]
        assert used == len(model.blues)
        stands: dict[object, int] = {}
        for blue in model.blues:
            order_ = *blue.sale.order, blue.sale.part[1:]
            stands[order_] = stands.get(order_, 0) + blue.stands
        for blue in model.blues:
            first = next(one for one in model.blues if one.sale.order == blue.sale.order)
            most = blue.sale.part[2] or first.sale.total
            assert stands[*blue.sale.order, blue.sale.part[1:]] <= most

    @invariant()
    def what_is_left_is_what_the_model_says(self) -> None:
        for blue in self.model.blues:
            self._check_left(blue)

    @invariant()
    def verdict_and_state_map_say_the_same(self) -> None:
        size = self.town.log.latest_checkpoint()[0].size
        for blue in self.model.blues:
            anchored = blue.seq in self.sealed.states
            self._check_verdict(blue, (Verdict.AUTHENTIC if anchored else Verdict.PENDING,))
            if anchored:
                key = anchor(parse_password_area(self.hashes[blue.seq]))
                leaf = self.town.log.prove_state(key, size).leaf
                said = leaf.value if leaf is not None and leaf.key == key else {}
                assert said.get("reversal") == self.sealed.states[blue.seq]

    @invariant()
    def the_report_is_what_was_sealed(self) -> None:
        report = totals_report(self.town.store.totals, self.town.log, by="rate")
        sums = self.sealed.sums
        assert (report["gross"]["count"], report["reversed"]["count"]) == sums.counts
        said = Sums()
        for row in report["rows"]:
            rate = f"{row['rate']} {row.get('tax_kind', '')}".rstrip()
            for name in ("amount", "tax"):
                said.gross[rate, name] += row["gross"][name]
                said.net[rate, name] += row["net"][name]
                assert row["gross"][name] + row["reversed"][name] == row["net"][name]
        assert (+said.gross, +said.net) == (+sums.gross, +sums.net)

    def _check_left(self, blue: Blue) -> None:
        """Each line, each rate, and all of it, from what is stored."""
        store = self.town.store
        stored, reds = store.invoice_at(blue.seq), store.returns_of(blue.seq)
        assert stored is not None
        assert [red.seq for red in reds] == blue.reds
        assert stored.reversed_by == tuple(red.hash for red in reds)
        assert (stored.total, stored.left, stored.reversal) == (
            blue.sale.total,
            blue.stands,
            blue.reversal,
        )
        lines = left_of(read_lines(stored.lines), [read_lines(red.lines) for red in reds])
        assert [(one.number, one.rate, one.quantity, one.gross, one.net) for one in lines] == [
            (one.number, one.rate, int(one.count * 1_000_000), one.gross, one.net)
            for one in blue.left
        ]
        by_rate: Counter[tuple[str, int]] = Counter()
        for one in blue.left:
            for n, part in enumerate(split(one.net, one.rate)):
                by_rate[one.rate, n] -= part
        for name, amount, tax in (rate for row in (stored, *reds) for rate in row.rates):
            by_rate[name, 0] += amount
            by_rate[name, 1] += tax
        assert not any(by_rate.values()), by_rate

    def _check_verdict(self, blue: Blue, among: Sequence[Verdict]) -> None:
        slip = QrText(hash=self.hashes[blue.seq], number=f"{blue.seq:08}", total=blue.sale.total)
        found = self.verifier.verify(slip)
        reversal = blue.reversal
        assert found.verdict in ((VERDICTS[reversal],) if reversal else among)
        assert found.left == (blue.stands if reversal else None)
        assert [int(one.number) for one in found.returns] == blue.reds

    def _sale(self, sale: Sale, key: str) -> "Call":
        seller = self.town.merchants[0]
        body = order(order_id=sale.number, **sale.fields(self.hashes))
        draft = prepare(
            parse_request(msgspec.json.encode(body)),
            seller,
            salts=self.town.random.randbytes(48),
            rates=RATES,
            idempotency_key=key,
        )
        return Call(draft, lambda: self.model.sell(sale, key, self._unix()))

    def _return(self, blue: Blue, back: Back, key: str) -> "Call":
        stored = self.town.store.invoice_at(blue.seq)
        assert stored is not None
        salts = self.town.random.randbytes(48)
        draft = prepare_red(stored, back.request, salts, idempotency_key=key)
        expected = partial(self._taken, blue, back, key)
        return Call(draft, expected, lambda: _reds_named(blue, back))

    def _taken(self, blue: Blue, back: Back, key: str) -> Outcome:
        return self.model.take_back(blue, back, key, self._unix())

    def _wanted(self, data: st.DataObject) -> tuple[Blue, Back, str]:
        """Any return of any invoice: possible or not, new or one of before."""
        blue = data.draw(st.sampled_from(self.model.blues))
        kind = data.draw(st.sampled_from(["lines", "lines", "money", "money", "all"]))
        back = Back()
        if kind == "lines":
            numbers = st.sampled_from([*(one.number for one in blue.left), 9])
            chosen = data.draw(st.lists(numbers, min_size=1, max_size=3, unique=True))
            counts = st.sampled_from(["", "0.5", "1", "2", "0.333333"])
            back = Back(lines=tuple((n, data.draw(counts)) for n in sorted(chosen)))
        elif kind == "money":
            rates = st.sampled_from(["", *(one.rate for one in blue.left), "0.03"])
            most = st.integers(1, blue.stands + 1)
            back = Back(amount=data.draw(most), rate=data.draw(rates))
        return blue, back, data.draw(keys)

    def _hand_in(self, calls: Sequence["Call"]) -> None:
        """All in one transaction; each becomes what the model says."""
        answers = self.town.store.issue([call.draft for call in calls], self._unix)
        expected = [call.expected() for call in calls]
        assert codes(answers) == [code for code, _ in expected]
        issued = [answer.seq if isinstance(answer, Issued) else 0 for answer in answers]
        assert issued == [seq for _, seq in expected]
        self.hashes |= {one.seq: one.hash for one in answers if isinstance(one, Issued)}
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, Problem) and answer.code in NAMING:
                name = NAMING[answer.code]
                assert answer.extra[name] == self.hashes[call.named()[answer.code]]

    def _seal(self) -> None:
        states = {blue.seq: blue.reversal for blue in self.model.blues}
        self.sealed = Sealed(self.model.sums(), states, self._unix())

    def _reopened(self) -> Town:
        """Another process's view of the same folder, at the same time."""
        self.seed += 1
        town = Town(self.folder, seed=self.seed)
        town.now = self.town.now
        return town

    def _reopen(self) -> None:
        town = self._reopened()
        self.town.close()
        self.town = town
        self.verifier = self._verifier()

    def _verifier(self) -> Verifier:
        return Verifier(self.town.store, self.town.log, lambda: self.town.signer.verifier)

    def _unix(self) -> int:
        return int(self.town.now.timestamp())


@dataclass
class Call:
    """What is handed in, and what the model makes of it."""

    draft: Prepared
    expected: Callable[[], Outcome]
    named: Callable[[], dict[str, int]] = dict
    """The ``seq`` of the red invoice that a refusal names, by its code."""


def _reds_named(blue: Blue, back: Back) -> dict[str, int]:
    first = blue.reds[blue.backs.index(back)] if back in blue.backs else 0
    return {"return_repeated": first, "already_reversed": blue.reds[-1]}


def _as_before(code: str, seq: int) -> Outcome:
    return code, seq


Restaurant.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestRestaurant = pytest.mark.scaled(Restaurant.TestCase)
