"""The ledger against a model that only counts: whatever happens, in whatever order, it adds up.

Two accounts' money is opened, eaten, taken back, refused, paid back, asked for and runs out; calls
come twice, and processes die before, within and after a transaction.
"""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import count, repeat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chain.commitment import parse_password_area
from chain.entry import format_time
from chain.errors import Problem
from invoice_service.domain.invoice import Issued, Prepared, parse_request, prepare
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.prepaid import MOST_RELEASES, Sums
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import ReversalRequest
from invoice_service.keys.people import PeopleKey
from invoice_service.services.checking.audit_prepaid import audit_prepaid
from invoice_service.services.prepaid.desk import PrepaidDesk, prepaid_links
from invoice_service.services.prepaid.ports import Done
from invoice_service.storage.sqlite import prepaid as rows
from tests.patience import PATIENCE
from tests.scale import share
from tests.services.town import RATES, Town

STEPS = 50
EXAMPLES = share(200, 2)
"""Of so many steps each: 10,000 in all, or a hundredth."""

DAY = 86_400
fen = st.integers(1, 400)
deaths = st.sampled_from(["", "", "", "within", "after"])
twice = st.booleans()


class DiedError(BaseException):
    """The process of whoever met it is gone."""


@dataclass
class Meal:
    """An invoice that was paid, and what of it came back."""

    hash: str
    amount: int
    returned: int = 0
    refused: bool = False

    @property
    def left(self) -> int:
        return 0 if self.refused else self.amount - self.returned


@dataclass
class Purse:
    """An account as it must stand."""

    id: str
    token: str
    paid_in: int
    expires_at: int
    meals: list[Meal] = field(default_factory=list)
    paid_back: int = 0
    asked: bool = False

    @property
    def released(self) -> int:
        return sum(meal.left for meal in self.meals)

    @property
    def held(self) -> int:
        return self.paid_in - self.released - self.paid_back

    def pays(self, total: int, now: int) -> str:
        """Why it pays no meal of so much, or ""."""
        if self.asked or self.paid_back or now >= self.expires_at:
            return "prepaid_ended"
        return "prepaid_short" if total > self.held else ""


@cache
def _settled() -> Path:
    """A town in which nothing has been issued yet, with a key for links; to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="settled-"))
    town = Town(folder)
    town.settle_in()
    town.close()
    PeopleKey(folder / "people.key", random.Random(3).randbytes).make()
    return folder


class Restaurant(RuleBasedStateMachine):
    """A till, a wallet, a customer, and whoever pulls the plug."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="prepaid-"))
        shutil.copytree(_settled(), self.folder, dirs_exist_ok=True)
        self.purses: list[Purse] = []
        self.numbers = count(1)
        self.town = Town(self.folder)
        self.desk = self._desk()

    def teardown(self) -> None:
        found = audit_prepaid(self.town.store)
        assert (found.accounts, found.sums) == (len(self.purses), self._sums())
        self.town.close()
        shutil.rmtree(self.folder)

    def _desk(self) -> PrepaidDesk:
        store, draw = self.town.store, self.town.random.randbytes
        links = prepaid_links(PeopleKey(self.folder / "people.key", draw), draw, "https://f.test")
        return PrepaidDesk(store, store, links, self.now, draw)

    def now(self) -> int:
        return int(self.town.now.timestamp())

    @precondition(lambda self: len(self.purses) < 3)
    @rule(amount=st.integers(1, 1_000), days=st.integers(1, 4), again=twice)
    def open(self, amount: int, days: int, *, again: bool) -> None:
        ends = self.now() + days * DAY
        said = {
            "request_id": f"open-{len(self.purses)}",
            "merchant": self.town.merchants[0].tax_id,
            "amount": amount,
            "terms": "十次午餐",
            "expires_at": format_time(self.town.now + timedelta(days=days)),
        }
        done = self._twice(lambda: self.desk.open("bank", msgspec.json.encode(said)), again=again)
        account = done.whole.account
        token = self.desk.links.address(account.sealed).rpartition("/")[2]
        self.purses.append(Purse(account.id, token, amount, ends))

    @precondition(lambda self: self.purses)
    @rule(data=st.data(), price=fen, dies=deaths)
    def eat(self, data: st.DataObject, price: int, dies: str) -> None:
        """Issue and pay in one transaction, whoever dies when."""
        purse = data.draw(st.sampled_from(self.purses))
        draft = self._draft(price, purse.id)
        refused = purse.pays(draft.total, self.now())
        if dies == "within" and not refused:  # what is refused comes to no write to die at
            with pytest.raises(DiedError), _dying():
                self._issue(draft)
        answers = [self._issue(draft) for _ in range(2 if dies == "after" else 1)]
        for answer in answers:
            assert (answer.code if isinstance(answer, Problem) else "") == refused
        if not refused:
            assert len({one.hash for one in answers if isinstance(one, Issued)}) == 1
            purse.meals.append(Meal(_hash(answers[0]), draft.total))

    @precondition(lambda self: self.purses)
    @rule(data=st.data(), price=fen, again=twice)
    def pay_later(self, data: st.DataObject, price: int, *, again: bool) -> None:
        """The invoice was issued before."""
        purse = data.draw(st.sampled_from(self.purses))
        issued = self._issue(self._draft(price))
        body = msgspec.json.encode({"hash": _hash(issued)})
        merchant = self.town.merchants[0].id
        refused = purse.pays(price, self.now())
        code = self._code(lambda: self.desk.release(merchant, purse.id, body), again=again)
        assert code == refused
        if not refused:
            purse.meals.append(Meal(_hash(issued), price))

    @precondition(lambda self: any(purse.meals for purse in self.purses))
    @rule(data=st.data(), whole=twice)
    def take_back(self, data: st.DataObject, *, whole: bool) -> None:
        """What was not refused is held again, by part too."""
        meal = self._meal(data)
        stands = meal.amount - meal.returned
        if not stands:
            return
        amount = stands if whole else data.draw(st.integers(1, stands))
        blue = self.town.store.invoice(parse_password_area(meal.hash))
        assert blue is not None
        asked = ReversalRequest(reason=Reason.SALES_DISCOUNT, amount=amount)
        salts = self.town.random.randbytes(48)
        red = prepare_red(blue, asked, salts=salts, idempotency_key=str(next(self.numbers)))
        for _ in range(2):
            assert isinstance(self._issue(red), Issued)
        meal.returned += amount

    @precondition(lambda self: any(purse.meals for purse in self.purses))
    @rule(data=st.data(), again=twice)
    def refuse(self, data: st.DataObject, *, again: bool) -> None:
        meal = self._meal(data)
        purse = next(one for one in self.purses if meal in one.meals)
        said = {"request_id": f"no-{next(self.numbers)}", "hash": meal.hash, "reason": "不是我"}
        body = msgspec.json.encode(said)
        code = self._code(lambda: self.desk.refuse("bank", purse.id, body), again=again)
        assert code == ("" if meal.left else "prepaid_given_back")
        if not code:
            meal.refused = True

    @precondition(lambda self: self.purses)
    @rule(data=st.data(), amount=st.one_of(st.none(), fen), again=twice)
    def pay_back(self, data: st.DataObject, amount: int | None, *, again: bool) -> None:
        purse = data.draw(st.sampled_from(self.purses))
        said: dict[str, Any] = {"request_id": f"back-{next(self.numbers)}"}
        if amount is not None:
            said["amount"] = amount
        held = purse.held
        body = msgspec.json.encode(said)
        code = self._code(lambda: self.desk.refund("bank", purse.id, body), again=again)
        assert code == ("" if held and (amount or 0) <= held else "prepaid_short")
        if not code:
            purse.paid_back += amount or held

    @precondition(lambda self: self.purses)
    @rule(data=st.data())
    def ask_back(self, data: st.DataObject) -> None:
        purse = data.draw(st.sampled_from(self.purses))
        for _ in range(2):
            self.desk.ask_back(purse.token)
        purse.asked = True

    @rule()
    def sleep(self) -> None:
        self.town.pass_days(1)

    @rule()
    def start_again(self) -> None:
        self.town.close()
        now, draw = self.town.now, self.town.random
        self.town = Town(self.folder)
        self.town.now, self.town.random = now, draw
        self.desk = self._desk()

    @invariant()
    def everything_adds_up(self) -> None:
        now = self.now()
        for purse in self.purses:
            whole = self.desk.one(purse.id)
            sums = whole.sums
            assert sums == Sums(purse.paid_in, purse.held, purse.released, purse.paid_back)
            assert sums.held + sums.released + sums.paid_back == sums.paid_in
            ended = bool(purse.pays(0, now))
            assert whole.due(now) == (purse.held if ended else 0)
            assert (whole.state(now) == "open") == (not ended)
        assert self.town.store.prepaid_sums() == self._sums()

    def _sums(self) -> Sums:
        names = ("paid_in", "held", "released", "paid_back")
        return Sums(*(sum(getattr(one, name) for one in self.purses) for name in names))

    def _meal(self, data: st.DataObject) -> Meal:
        meals = [meal for purse in self.purses for meal in purse.meals]
        return data.draw(st.sampled_from(meals))

    def _draft(self, price: int, prepaid: str = "") -> Prepared:
        told = {"prepaid": prepaid} if prepaid else {}
        line = {"name": "*餐饮服务*餐费", "unit_price": price, "tax_rate": "0.06"}
        body = {"order_id": f"P{next(self.numbers)}", "lines": [line], **told}
        return prepare(
            parse_request(msgspec.json.encode(body)),
            self.town.merchants[0],
            salts=self.town.random.randbytes(48),
            rates=RATES,
            new_key=self.town.random.randbytes,
        )

    def _issue(self, draft: Prepared) -> Issued | Problem:
        return self.town.store.issue([draft], self.now)[0]

    def _twice(self, call: Callable[[], Done], *, again: bool) -> Done:
        done = call()
        assert done.new
        if again:
            repeated = call()
            assert (repeated.new, repeated.whole) == (False, done.whole)
        return done

    def _code(self, call: Callable[[], Done], *, again: bool) -> str:
        try:
            self._twice(call, again=again)
        except Problem as problem:
            return problem.code
        return ""


@contextmanager
def _dying() -> Iterator[None]:
    """Whoever issues dies once the release is written and not yet committed."""
    real = rows.release

    def dying(*args: Any) -> None:  # noqa: ANN401 # as the real one
        real(*args)
        raise DiedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "release", dying)
        yield


def _hash(answer: Issued | Problem) -> str:
    assert isinstance(answer, Issued), answer
    return answer.hash


Restaurant.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestRestaurant = pytest.mark.scaled(Restaurant.TestCase)


@pytest.fixture
def restaurant() -> Iterator[Restaurant]:
    """One with an account of 500 fen."""
    restaurant = Restaurant()
    restaurant.open(500, 3, again=False)
    yield restaurant
    restaurant.teardown()


def test_two_at_once_never_release_more_than_is_held(restaurant: Restaurant) -> None:
    """Eight tills, each of a thread of its own, want 200 of 500 at the same time."""
    (purse,) = restaurant.purses
    drafts = [restaurant._draft(200, purse.id) for _ in range(8)]
    with ThreadPoolExecutor(8) as tills:
        answers = list(tills.map(restaurant._issue, drafts, timeout=PATIENCE))
    issued = [one for one in answers if isinstance(one, Issued)]
    refused = {one.code for one in answers if isinstance(one, Problem)}
    assert (len(issued), refused) == (2, {"prepaid_short"})
    assert restaurant.town.store.last_seq() == 2
    purse.meals += [Meal(one.hash, 200) for one in issued]
    restaurant.everything_adds_up()


def test_a_batch_pays_in_its_order_beside_what_is_paid_otherwise(restaurant: Restaurant) -> None:
    (purse,) = restaurant.purses
    wanted = [("", 100), (purse.id, 300), ("", 50), (purse.id, 300), (purse.id, 200)]
    drafts = [restaurant._draft(price, account) for account, price in wanted]
    answers = restaurant.town.store.issue(drafts, restaurant.now)
    codes = [one.code if isinstance(one, Problem) else "" for one in answers]
    assert codes == ["", "", "", "prepaid_short", ""]
    purse.meals += [Meal(_hash(answers[1]), 300), Meal(_hash(answers[4]), 200)]
    restaurant.everything_adds_up()


def test_an_account_pays_so_many_meals_and_no_more(restaurant: Restaurant) -> None:
    restaurant.open(2 * MOST_RELEASES, 3, again=False)
    purse = restaurant.purses[1]
    drafts = [restaurant._draft(1, purse.id) for _ in range(MOST_RELEASES + 1)]
    *issued, last = restaurant.town.store.issue(drafts, restaurant.now)
    assert isinstance(last, Problem)
    assert last.code == "prepaid_full"
    purse.meals += [Meal(_hash(one), 1) for one in issued]


def test_another_merchant_s_account_pays_nothing(restaurant: Restaurant) -> None:
    (purse,) = restaurant.purses
    draft = restaurant._draft(100, purse.id)
    other = restaurant.town.merchants[1].id
    answer = restaurant._issue(msgspec.structs.replace(draft, merchant_id=other))
    assert isinstance(answer, Problem)
    assert answer.code == "prepaid_unknown"


def test_the_same_order_paid_otherwise_is_another_order(restaurant: Restaurant) -> None:
    (purse,) = restaurant.purses
    number = next(restaurant.numbers)
    restaurant.numbers = repeat(number)  # type: ignore[assignment] # the same each time
    paid = restaurant._draft(100, purse.id)
    purse.meals.append(Meal(_hash(restaurant._issue(paid)), 100))
    again = restaurant._issue(restaurant._draft(100, purse.id))
    assert isinstance(again, Issued)
    assert again.replayed
    answer = restaurant._issue(restaurant._draft(100))
    assert isinstance(answer, Problem)
    assert answer.code == "order_id_conflict"
    restaurant.everything_adds_up()
