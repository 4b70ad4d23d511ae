"""An issuing process for the tests, in a thread or for real, and issuers that watch."""

import multiprocessing
import random
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

from chain.errors import Problem
from chain.proof.promise import Promise, open_promise
from chain.signing.note import SignerKey
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.processes.issuer import DirectIssuer, IssuerClient, IssuingProcess, run_process
from invoice_service.services.issuing.issue import Issuer
from invoice_service.services.issuing.promise import Promiser
from tests.patience import PATIENCE, wait_until
from tests.storage.shop import Shop

PROMISER = SignerKey("town.example/log/promise", bytes(range(32)))
DELAY = 60
fork = multiprocessing.get_context("fork")
SOCKET = "issuer.sock"


class Recorder:
    """An issuer that notes how many records came together, and how often."""

    def __init__(self, inner: Issuer) -> None:
        self.inner = inner
        self.batches: list[int] = []

    def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        """Note and pass on."""
        if batch:
            self.batches.append(len(batch))
        return self.inner.issue(batch)


class Refusing:
    """A fallback that must not be needed."""

    def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        """Fail the test."""
        raise AssertionError(f"{len(batch)} records went past the issuing process")


def direct(shop: Shop) -> DirectIssuer:
    """Issuing on the shop's own store, with promises for who wants them."""
    return DirectIssuer(shop.store, shop.clock, promiser(shop))


def promiser(shop: Shop) -> Promiser:
    """Signs as a log that has taken nothing yet."""
    return Promiser(lambda: PROMISER, DELAY, shop.clock, lambda: 0, random.Random(1).randbytes)


def promise_of(answer: Issued | Problem) -> Promise:
    """What the answer's promise says; it must be of this invoice."""
    assert isinstance(answer, Issued)
    assert answer.promise is not None
    promise = open_promise(answer.promise.encode(), PROMISER.verifier)
    assert promise.hash == answer.hash
    return promise


@contextmanager
def running(folder: Path, inner: Issuer) -> Iterator[None]:
    """An issuing process in a thread of this one."""
    process = IssuingProcess(folder / SOCKET, inner)
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=process.run, args=(theirs,))
    thread.start()
    try:
        yield
    finally:
        ours.send(b"x")
        thread.join(PATIENCE)
        assert not thread.is_alive()
        process.close()
        ours.close()
        theirs.close()


def serve(folder: Path) -> None:
    """The whole of a real issuing process."""
    shop = Shop(folder)
    run_process(folder / SOCKET, direct(shop))


@contextmanager
def real_process(folder: Path) -> Iterator[BaseProcess]:
    """A real issuing process, killed at the end if it still runs."""
    process = fork.Process(target=serve, args=(folder,))
    process.start()
    try:
        wait_until(lambda: IssuerClient(folder / SOCKET, Refusing()).alive(), "it answers")
        yield process
    finally:
        process.kill()
        process.join()
