"""Issue a simulated city, day after day, through the service's own parts."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chain.commitment import parse_password_area
from chain.errors import ConflictError, Problem
from invoice_service.config import Config
from invoice_service.domain.invoice import SALTS_SIZE, Issued, Prepared, StoredInvoice
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.merchant import Merchant
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import ReversalRequest
from invoice_service.replay.apart import Order
from invoice_service.replay.city import build_city
from invoice_service.replay.clock import Clock
from invoice_service.replay.patient import patiently
from invoice_service.replay.produce import Batch, Plan
from invoice_service.services.people.admit import admit
from invoice_service.wiring import Instance, open_instance

REVERSED_SHARE: Final = 0.004  # of a day's invoices, reversed at the end of the next
PART_SHARE: Final = 0.4  # of them, taken back only in part
ANCHOR_EVERY: Final = 5_000  # invoices; and at the end of each day


@dataclass(slots=True)
class Outcome:
    """What a replay has come to; money in fen."""

    invoices: int = 0
    reversals: int = 0
    total: int = 0
    log_size: int = 0


@dataclass(slots=True)
class Issuing:
    """The part of a replay that issues; it has others anchor."""

    instance: Instance
    clock: Clock
    rng: random.Random
    anchor: Callable[[Order], None]
    advance: Callable[[int], None]
    outcome: Outcome = field(default_factory=Outcome)
    _today: list[Issued] = field(default_factory=list)
    _yesterday: list[Issued] = field(default_factory=list)
    _pending: int = 0
    _to_reverse: float = 0.0

    def take(self, batch: Batch) -> None:
        """Issue one batch; at a day's end reverse a few of the day before, and close the day."""
        self.clock.moment = batch.moment
        if batch.prepared:
            issued = self._issue(batch.prepared)
            self._today += issued
            self.outcome.invoices += len(issued)
            self.outcome.total += sum(invoice.total for invoice in issued)
            self.advance(len(issued))
        if batch.ends_day:
            self._reverse_some()
        if batch.ends_day or self._pending >= ANCHOR_EVERY:
            self.anchor(Order(batch.moment, self.outcome.invoices + self.outcome.reversals))
            self._pending = 0

    def _issue(self, prepared: list[Prepared]) -> list[Issued]:
        answers = patiently(lambda: self.instance.store.issue(prepared, self.clock.unix))
        self._pending += len(answers)
        for answer in answers:
            if isinstance(answer, Problem):
                raise answer
        return [answer for answer in answers if isinstance(answer, Issued)]

    def _reverse_some(self) -> None:
        self._to_reverse += len(self._yesterday) * REVERSED_SHARE
        chosen = self.rng.sample(self._yesterday, int(self._to_reverse))
        self._to_reverse -= len(chosen)  # small days add up to a reversal in time
        self._yesterday, self._today = self._today, []
        if not chosen:
            return
        reds = self._issue([self._red(blue) for blue in chosen])
        self.outcome.reversals += len(reds)
        self.outcome.total += sum(red.total for red in reds)

    def _red(self, blue: Issued) -> Prepared:
        stored = self.instance.store.invoice(parse_password_area(blue.hash))
        if stored is None:
            raise ConflictError("invoice_unknown", f"invoice {blue.hash} has gone")
        return prepare_red(
            stored,
            self._asked(stored),
            salts=self.rng.randbytes(SALTS_SIZE),
            new_key=self.rng.randbytes,
        )

    def _asked(self, stored: StoredInvoice) -> ReversalRequest:
        """All of it, or now and then a part: of one rate where there are several."""
        reason = self.rng.choice(list(Reason))
        if self.rng.random() >= PART_SHARE or stored.total < 2:
            return ReversalRequest(reason=reason)
        rate, amount, tax = max(stored.rates, key=lambda one: one[1] + one[2])
        fen = self.rng.randrange(1, amount + tax)
        if len(stored.rates) == 1:
            return ReversalRequest(reason=reason, amount=fen)
        return ReversalRequest(reason=reason, amount=fen, rate=rate)


def plan_clock(plan: Plan) -> Clock:
    """A clock that stands where the plan begins."""
    first = plan.first_day
    return Clock(int(datetime(first.year, first.month, first.day, tzinfo=SHANGHAI).timestamp()))


def open_simulated(config: Config, plan: Plan) -> tuple[Instance, Clock]:
    """The instance, on a clock that stands where the plan begins.

    ConflictError ``not_empty`` when it has invoices: simulated ones never mix with others.
    """
    clock = plan_clock(plan)
    instance = open_instance(config, clock=clock)
    if instance.store.last_seq():
        raise ConflictError("not_empty", f"{config.data_dir} has invoices already")
    return instance, clock


def admit_city(instance: Instance, plan: Plan) -> list[Merchant]:
    """Enter the city's merchants into the register, in their order."""
    by = instance.operator()
    shops = build_city(plan.seed, plan.merchants).shops
    return [admit(instance.store, shop.request, by).merchant for shop in shops]


def issue_city(
    instance: Instance,
    clock: Clock,
    plan: Plan,
    batches: Iterable[Batch],
    anchor: Callable[[Order], None],
    advance: Callable[[int], None],
) -> Outcome:
    """Issue all batches; raises the first refusal, since there should be none."""
    rng = random.Random(f"reversals/{plan.seed}")  # noqa: S311 # a simulation that must repeat
    issuing = Issuing(instance, clock, rng, anchor, advance)
    for batch in batches:
        issuing.take(batch)
    return issuing.outcome
