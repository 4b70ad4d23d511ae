"""The city's invoices, prepared up to their numbers; in a process of its own while others issue."""

import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from multiprocessing.queues import Queue
from queue import Empty
from typing import Final

import msgspec

from chain.errors import UnavailableError
from invoice_service.domain.invoice import SALTS_SIZE, Prepared, prepare
from invoice_service.domain.merchant import Merchant
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.domain.tax import TaxRates
from invoice_service.replay.city import City, build_city
from invoice_service.replay.days import Sale, invoices_by_day, sales
from invoice_service.replay.tied import end_with_starter

AHEAD: Final = 40  # batches that may wait between the two processes
MOMENTS_A_DAY: Final = 24  # a day is issued in about so many batches, each at one moment
SMALLEST_BATCH: Final = 100  # each costs a sync to disk
LARGEST_BATCH: Final = 1_000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate; the same plan makes the same orders, salts included."""

    invoices: int
    merchants: int
    seed: int
    days: int
    first_day: date


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Invoices that are issued together at ``moment`` (unix seconds); maybe the day's last."""

    moment: int
    ends_day: bool
    prepared: list[Prepared]


def batches(plan: Plan, merchants: list[Merchant], rates: tuple[str, ...]) -> Iterator[Batch]:
    """Everything that the plan's city issues, in the order of time; each day has a last batch."""
    city = build_city(plan.seed, plan.merchants)
    known = TaxRates(rates)
    counts = invoices_by_day(plan.first_day, plan.days, plan.invoices)
    for offset, count in enumerate(counts):
        day = plan.first_day + timedelta(days=offset)
        yield from _day(plan, city, merchants, known, day, count)


def _day(
    plan: Plan, city: City, merchants: list[Merchant], rates: TaxRates, day: date, count: int
) -> Iterator[Batch]:
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp())
    rng = random.Random(f"salts/{plan.seed}/{day}")  # noqa: S311 # a simulation that must repeat
    size = min(max(count // MOMENTS_A_DAY, SMALLEST_BATCH), LARGEST_BATCH)
    waiting: list[Sale] = []
    for sale in sales(city, plan.seed, day, count):
        waiting.append(sale)
        if len(waiting) == size:
            yield _batch(midnight, waiting, merchants, rates, rng)
            waiting = []
    if waiting:
        yield _batch(midnight, waiting, merchants, rates, rng)
    yield Batch(midnight + 86_399, ends_day=True, prepared=[])


def _batch(
    midnight: int,
    waiting: list[Sale],
    merchants: list[Merchant],
    rates: TaxRates,
    rng: random.Random,
) -> Batch:
    prepared = [
        prepare(
            sale.request,
            merchants[sale.shop],
            salts=rng.randbytes(SALTS_SIZE),
            rates=rates,
            new_key=rng.randbytes,
        )
        for sale in waiting
    ]
    return Batch(midnight + waiting[-1].second, ends_day=False, prepared=prepared)


@contextmanager
def batches_apart(
    plan: Plan, merchants: list[Merchant], rates: tuple[str, ...]
) -> Iterator[Iterator[Batch]]:
    """``batches``, made by a second process a little ahead of who reads them."""
    context = multiprocessing.get_context("spawn")
    queue: Queue[bytes] = context.Queue(AHEAD)
    process = context.Process(target=_fill, args=(queue, plan, merchants, rates), daemon=True)
    process.start()
    try:
        yield _drain(queue, process)
    finally:
        process.kill()
        process.join()


def _fill(
    queue: "Queue[bytes]", plan: Plan, merchants: list[Merchant], rates: tuple[str, ...]
) -> None:
    end_with_starter()
    encode = msgspec.msgpack.Encoder().encode
    for batch in batches(plan, merchants, rates):
        queue.put(encode(batch))
    queue.put(b"")


def _drain(queue: "Queue[bytes]", process: multiprocessing.process.BaseProcess) -> Iterator[Batch]:
    decode = msgspec.msgpack.Decoder(Batch).decode
    while data := _next(queue, process):
        yield decode(data)


def _next(queue: "Queue[bytes]", process: multiprocessing.process.BaseProcess) -> bytes:
    """What comes next; UnavailableError ``replay_ended`` when the other process has died."""
    while True:
        try:
            return queue.get(timeout=1)
        except Empty:
            if not process.is_alive() and queue.empty():
                raise UnavailableError(
                    "replay_ended", f"the preparing process ended ({process.exitcode})"
                ) from None
