"""Anchoring the simulated city in a process of its own, as the worker does in earnest."""

import multiprocessing
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.queues import Queue
from queue import Empty, Full
from typing import Final, NamedTuple

from chain.errors import Problem, UnavailableError
from invoice_service.config import Config
from invoice_service.replay.clock import Clock
from invoice_service.replay.patient import patiently
from invoice_service.replay.tied import end_with_starter
from invoice_service.services.anchoring.anchor import Pending, anchor_pending
from invoice_service.services.ports import PendingInvoice
from invoice_service.wiring import open_instance

AHEAD: Final = 20  # orders to anchor that may wait
LOOK_SECONDS: Final = 1.0


class Order(NamedTuple):
    """Anchor all invoices up to ``seq`` as if it were ``moment`` (unix seconds)."""

    moment: int
    seq: int


class UpTo:
    """The pending invoices up to one of them: later ones belong to a later moment."""

    def __init__(self, invoices: Pending, seq: int) -> None:
        self._invoices = invoices
        self._seq = seq

    def invoices_after(self, seq: int, limit: int) -> Sequence[PendingInvoice]:
        """As the store, but none above the last that may be taken."""
        return self._invoices.invoices_after(seq, min(limit, self._seq - seq))


class Anchors:
    """The other process, as seen from here."""

    def __init__(self, config: Config, seed: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._orders: Queue[Order | None] = context.Queue(AHEAD)
        self._answers: Queue[int | Problem] = context.Queue()
        self._process = context.Process(
            target=_work, args=(config, seed, self._orders, self._answers), daemon=True
        )
        self._process.start()

    def order(self, order: Order | None) -> None:
        """Hand an order over, once there is room; raises what has gone wrong over there."""
        while True:
            try:
                return self._orders.put(order, timeout=LOOK_SECONDS)
            except Full:
                self._raise_trouble()

    def finish(self) -> int:
        """Wait until everything is anchored; returns the log's size."""
        self.order(None)
        while True:
            try:
                answer = self._answers.get(timeout=LOOK_SECONDS)
            except Empty:
                self._raise_trouble()
                continue
            if isinstance(answer, Problem):
                raise answer
            return answer

    def kill(self) -> None:
        """End it, done or not."""
        self._process.kill()
        self._process.join()

    def _raise_trouble(self) -> None:
        if self._process.is_alive():
            return
        try:
            answer = self._answers.get(timeout=LOOK_SECONDS)
        except Empty:
            answer = UnavailableError(
                "replay_ended", f"the anchoring process ended ({self._process.exitcode})"
            )
        if isinstance(answer, Problem):
            raise answer
        self._answers.put(answer)


@contextmanager
def anchors_apart(config: Config, seed: int) -> Iterator[Anchors]:
    """An anchoring process for as long as it is needed."""
    anchors = Anchors(config, seed)
    try:
        yield anchors
    finally:
        anchors.kill()


def _work(
    config: Config, seed: int, orders: "Queue[Order | None]", answers: "Queue[int | Problem]"
) -> None:
    end_with_starter()
    clock = Clock(0)
    rng = random.Random(f"closings/{seed}")  # noqa: S311 # a simulation that must repeat
    instance = open_instance(config, clock=clock, randbytes=rng.randbytes)
    parts = instance.anchoring()
    try:
        while (order := orders.get()) is not None:
            clock.moment = order.moment
            now = replace(parts, invoices=UpTo(instance.store, order.seq))
            patiently(partial(anchor_pending, now))
    except Problem as problem:
        answers.put(problem)
    else:
        answers.put(instance.log.head().size)
