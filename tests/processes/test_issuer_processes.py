"""The issuing process as the machine treats it: signals, stops, kill -9 under load."""

import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import cycle
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from chain.errors import ConflictError
from invoice_service.domain.invoice import Issued
from invoice_service.processes.issuer import IssuerClient, IssuingProcess
from invoice_service.services.issuing.promise import Promised
from tests.domain.samples import NOON
from tests.issuing import (
    DELAY,
    SOCKET,
    Recorder,
    Refusing,
    direct,
    fork,
    promise_of,
    real_process,
    running,
    serve,
)
from tests.patience import PATIENCE, wait_until
from tests.storage.shop import Shop, codes, locked, somebody_queues


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop in ``tmp_path``."""
    shop = Shop(tmp_path)
    yield shop
    shop.store.close()


def processor_ticks(pid: int) -> int:
    """Time that a process has computed, in the kernel's ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class TestRealProcesses:
    """Signals, locks, sleep."""

    def test_it_answers_and_ends_on_sigterm(self, shop: Shop, tmp_path: Path) -> None:
        with real_process(tmp_path) as process:
            client = IssuerClient(tmp_path / SOCKET, Refusing())
            assert codes(client.issue([shop.draft("A-1")])) == ["issued"]
            assert process.pid is not None
            os.kill(process.pid, signal.SIGTERM)
            process.join(PATIENCE)
            assert process.exitcode == 0
        assert not (tmp_path / SOCKET).exists()

    def test_what_was_taken_is_answered_before_it_ends(self, shop: Shop, tmp_path: Path) -> None:
        with real_process(tmp_path) as process, ThreadPoolExecutor(1) as pool:
            client = IssuerClient(tmp_path / SOCKET, Refusing())
            assert process.pid is not None
            with locked(tmp_path):
                answer = pool.submit(client.issue, [shop.draft("A-1")])
                wait_until(lambda: somebody_queues(tmp_path), "it is taken, and waits")
                os.kill(process.pid, signal.SIGTERM)
                time.sleep(0.2)
            assert codes(answer.result()) == ["issued"]
            process.join(PATIENCE)
            assert process.exitcode == 0

    def test_when_files_run_out_it_waits_for_room_without_spinning(
        self, shop: Shop, tmp_path: Path
    ) -> None:
        """Who cannot be let in is no reason to be asked a million times a second."""
        with real_process(tmp_path) as process, ExitStack() as connections:
            assert process.pid is not None
            few = len(list(Path(f"/proc/{process.pid}/fd").iterdir())) + 3
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (few, few))
            for _ in range(20):
                waiting = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                connections.enter_context(waiting).connect(str(tmp_path / SOCKET))
            time.sleep(0.3)  # it has met the limit by now
            before = processor_ticks(process.pid)
            time.sleep(1.0)
            assert processor_ticks(process.pid) - before < os.sysconf("SC_CLK_TCK") // 4
            connections.close()
            client = IssuerClient(tmp_path / SOCKET, Refusing())
            assert codes(client.issue([shop.draft("A-1")])) == ["issued"]

    def test_only_one_at_a_time(self, shop: Shop, tmp_path: Path) -> None:
        with real_process(tmp_path), pytest.raises(ConflictError) as caught:
            IssuingProcess(tmp_path / SOCKET, direct(shop))
        assert caught.value.code == "issuer_running"

    def test_the_next_one_takes_over_from_one_that_was_killed(
        self, shop: Shop, tmp_path: Path
    ) -> None:
        with real_process(tmp_path) as process:
            process.kill()
            process.join()
        assert (tmp_path / SOCKET).exists()  # nobody was left to remove it
        with real_process(tmp_path):
            client = IssuerClient(tmp_path / SOCKET, Refusing())
            assert codes(client.issue([shop.draft("A-1")])) == ["issued"]

    def test_the_socket_is_the_owners_alone(self, shop: Shop, tmp_path: Path) -> None:
        with running(tmp_path, direct(shop)):
            assert (tmp_path / SOCKET).stat().st_mode & 0o777 == 0o600

    def test_it_sleeps_while_nobody_asks(self, tmp_path: Path) -> None:
        with real_process(tmp_path) as process:
            assert process.pid is not None
            before = _ticks(process.pid)
            time.sleep(0.5)
            assert _ticks(process.pid) - before <= 1

    def test_a_stopped_process_is_gone_around(self, shop: Shop, tmp_path: Path) -> None:
        with real_process(tmp_path) as process:
            client = IssuerClient(tmp_path / SOCKET, direct(shop), patience=0.3)
            assert process.pid is not None
            os.kill(process.pid, signal.SIGSTOP)
            try:
                assert codes(client.issue([shop.draft("A-1")])) == ["issued"]
            finally:
                os.kill(process.pid, signal.SIGCONT)
            # It wakes up, finds the same request, and answers nobody with the same invoice.
            time.sleep(0.4)
            assert codes(client.issue([shop.draft("A-2")])) == ["issued"]
            assert shop.store.last_seq() == 2


class TestKilledUnderLoad:
    """kill -9, again and again, while others issue: nothing acknowledged is lost or doubled."""

    def test_nothing_is_lost_doubled_or_skipped(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path)
        stop = threading.Event()
        drafts = [[shop.draft(f"{who}-{n}") for n in range(150)] for who in range(6)]
        past = Recorder(direct(shop))
        client = Promised(IssuerClient(tmp_path / SOCKET, past), 10 * DELAY)
        with real_process(tmp_path) as first, ThreadPoolExecutor(6) as pool:
            killer = threading.Thread(target=_kill_again_and_again, args=(shop, first, stop))
            killer.start()
            done = list(pool.map(lambda mine: [client.issue([one])[0] for one in mine], drafts))
        stop.set()
        killer.join()
        answers = [answer for mine in done for answer in mine]
        assert codes(answers) == ["issued"] * 900
        assert 0 < len(past.batches) < 900  # some each way
        for answer in answers:
            assert promise_of(answer).deadline == datetime.fromtimestamp(NOON + DELAY, UTC)
        acknowledged = {(a.order_id, a.seq, a.hash) for a in answers if isinstance(a, Issued)}
        stored = shop.rows("SELECT order_id, seq, '01' || lower(hex(hash)) FROM invoices")
        assert acknowledged == set(stored)
        assert len(stored) == 900
        numbers = shop.rows("SELECT seq, CAST(number AS INTEGER) FROM invoices ORDER BY seq")
        assert numbers == [(n, n) for n in range(1, 901)]
        shop.store.close()


def _kill_again_and_again(shop: Shop, process: BaseProcess, stop: threading.Event) -> None:
    """Kill the first one once it has issued some, and those after it whatever they have done."""
    wait_until(lambda: stop.is_set() or shop.store.last_seq() > 50, "it issues")
    for pause in cycle([0.03, 0.11, 0.07, 0.19, 0.05]):
        process.kill()
        process.join()
        if stop.is_set():
            return
        process = fork.Process(target=serve, args=(shop.folder,))
        process.start()
        time.sleep(pause)


def _ticks(pid: int) -> int:
    """Processor time of a process so far, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
