"""The issuing process and its client: faster, never another answer, and never in the way."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec
import pytest

from chain.errors import ConflictError, Problem, RefusedError, UnavailableError
from invoice_service import issuer
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.issuer import DirectIssuer, IssuerClient, IssuingProcess, run_process
from invoice_service.services.ports import Issuer
from tests.domain.samples import line
from tests.storage.shop import Shop, codes, locked

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


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop in ``tmp_path``."""
    shop = Shop(tmp_path)
    yield shop
    shop.store.close()


def direct(shop: Shop) -> DirectIssuer:
    """Issuing on the shop's own store."""
    return DirectIssuer(shop.store, shop.clock)


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
        thread.join(10)
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
        _wait(lambda: IssuerClient(folder / SOCKET, Refusing()).alive())
        yield process
    finally:
        process.kill()
        process.join()


class TestAnswers:
    """Through the process, every answer is what the store would have given."""

    def test_issued_replayed_and_refused(self, shop: Shop, tmp_path: Path) -> None:
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        with running(tmp_path, direct(shop)):
            batch = [shop.draft("A-1"), shop.draft("A-1"), shop.draft("A-1", remark="other")]
            answers = client.issue(batch)
            assert codes(answers) == ["issued", "replayed", "order_id_conflict"]
            assert isinstance(answers[2], ConflictError)
            blue = answers[0]
            assert isinstance(blue, Issued)
            assert codes(client.issue([shop.red(blue)])) == ["issued"]
            twice = client.issue([shop.red(blue)])[0]
        stored = shop.store.invoice_at(1)
        assert stored is not None
        assert isinstance(twice, ConflictError)
        assert twice.extra == {"reversed_by": stored.reversed_by}
        assert twice.detail == "this invoice is reversed already"

    def test_a_problem_keeps_its_class_pointer_and_extras(self, tmp_path: Path) -> None:
        problems: list[Issued | Problem] = [
            RefusedError("quota_exhausted", "used up", pointer="/quota", quota=7),
            UnavailableError("clock_behind", "wrong", seconds=99),
        ]

        class Stubborn:
            def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
                return problems[: len(batch)]

        shop = Shop(tmp_path)
        with running(tmp_path, Stubborn()):
            answers = IssuerClient(tmp_path / SOCKET, Refusing()).issue([shop.draft("A")] * 2)
        for got, sent in zip(answers, problems, strict=True):
            assert type(got) is type(sent)
            assert vars(got) == vars(sent)
        shop.store.close()

    def test_when_nothing_can_be_stored_every_record_hears_why(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path, busy_seconds=0.1)
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        with running(tmp_path, direct(shop)):
            with locked(tmp_path):
                answers = client.issue([shop.draft("A-1"), shop.draft("A-2")])
            assert codes(answers) == ["database_busy"] * 2
            assert codes(client.issue([shop.draft("A-1")])) == ["issued"]
        shop.store.close()

    def test_it_says_whether_it_is_there(self, shop: Shop, tmp_path: Path) -> None:
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        assert not client.alive()
        with running(tmp_path, direct(shop)):
            assert client.alive()
        assert not client.alive()


class TestGrouping:
    """What waits together is committed together; large batches are cut."""

    def test_requests_that_wait_share_a_transaction(self, shop: Shop, tmp_path: Path) -> None:
        recorder = Recorder(direct(shop))
        drafts = [shop.draft(f"A-{i}") for i in range(9)]
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        with running(tmp_path, recorder), ThreadPoolExecutor(9) as pool:
            with locked(tmp_path):
                first = pool.submit(client.issue, drafts[:1])
                _wait(lambda: recorder.batches == [1])
                rest = [pool.submit(client.issue, [draft]) for draft in drafts[1:]]
                time.sleep(0.3)
            answers = [one for done in [first, *rest] for one in done.result()]
        assert codes(answers) == ["issued"] * 9
        assert recorder.batches == [1, 8]

    def test_a_batch_is_cut_by_bytes_and_answered_in_order(
        self, shop: Shop, tmp_path: Path
    ) -> None:
        recorder = Recorder(direct(shop))
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        drafts = [shop.draft(f"A-{i}") for i in range(400)]
        with running(tmp_path, recorder):
            answers = client.issue(drafts)
        issued = [answer for answer in answers if isinstance(answer, Issued)]
        assert [answer.order_id for answer in issued] == [f"A-{i}" for i in range(400)]
        assert len(recorder.batches) > 2
        assert sum(recorder.batches) == 400

    def test_records_as_large_as_they_get_fit_a_message(self, shop: Shop, tmp_path: Path) -> None:
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        lines = [line(name="餐" * 100, spec="规" * 40, unit="份" * 40) for _ in range(100)]
        large = [shop.draft(f"A-{i}", lines=lines, remark="备" * 230) for i in range(3)]
        assert len(msgspec.msgpack.encode(large[0])) > 60_000
        with running(tmp_path, direct(shop)):
            assert codes(client.issue(large)) == ["issued"] * 3

    def test_a_record_too_large_for_a_message_goes_to_the_store(
        self, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issuer, "MAX_MESSAGE", 2_000)
        through, past = Recorder(direct(shop)), Recorder(direct(shop))
        client = IssuerClient(tmp_path / SOCKET, past)
        large = shop.draft("A-2", lines=[line() for _ in range(30)])
        with running(tmp_path, through):
            answers = client.issue([shop.draft("A-1"), large, shop.draft("A-3")])
        assert codes(answers) == ["issued"] * 3
        assert (through.batches, past.batches) == ([1, 1], [1])

    def test_the_store_is_never_held_for_a_whole_large_batch(self, shop: Shop) -> None:
        sizes: list[int] = []

        class Noting:
            def issue(
                self, batch: Sequence[Prepared], clock: Callable[[], int]
            ) -> list[Issued | Problem]:
                sizes.append(len(batch))
                return shop.store.issue(batch, clock)

        drafts = [shop.draft(f"A-{i}") for i in range(issuer.MAX_TOGETHER + 1)]
        answers = DirectIssuer(Noting(), shop.clock).issue(drafts)
        assert codes(answers) == ["issued"] * len(drafts)
        assert sizes == [issuer.MAX_TOGETHER, 1]


class TestWithoutTheProcess:
    """Missing, silent, broken or leaving: the store answers, once."""

    def test_no_socket(self, shop: Shop, tmp_path: Path) -> None:
        client = IssuerClient(tmp_path / SOCKET, direct(shop))
        assert codes(client.issue([shop.draft("A-1")])) == ["issued"]

    def test_a_socket_whose_process_has_died(self, shop: Shop, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
            dead.bind(str(tmp_path / SOCKET))
        client = IssuerClient(tmp_path / SOCKET, direct(shop))
        assert codes(client.issue([shop.draft("A-1")])) == ["issued"]

    def test_a_kept_connection_finds_the_next_process(self, shop: Shop, tmp_path: Path) -> None:
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        for number in range(3):
            with running(tmp_path, direct(shop)):
                assert codes(client.issue([shop.draft(f"A-{number}")])) == ["issued"]

    def test_a_silent_process_costs_one_wait_and_is_then_left_alone(
        self, shop: Shop, tmp_path: Path
    ) -> None:
        client = IssuerClient(tmp_path / SOCKET, direct(shop), patience=0.3)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
            silent.bind(str(tmp_path / SOCKET))
            silent.listen()
            started = time.monotonic()
            assert codes(client.issue([shop.draft("A-1")])) == ["issued"]
            assert 0.3 <= time.monotonic() - started < 2
            started = time.monotonic()
            assert codes(client.issue([shop.draft("A-2")])) == ["issued"]
            assert time.monotonic() - started < 0.2

    @pytest.mark.parametrize("reply", [b"nonsense", b"\x90", b"\x91\x92\xc0\xc0"])
    def test_a_process_that_answers_nonsense(
        self, shop: Shop, tmp_path: Path, reply: bytes
    ) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as broken:
            broken.bind(str(tmp_path / SOCKET))
            broken.listen()

            def babble() -> None:
                for _ in range(2):
                    peer, _ = broken.accept()
                    with peer:
                        peer.recv(100_000)
                        peer.send(reply)

            thread = threading.Thread(target=babble)
            thread.start()
            client = IssuerClient(tmp_path / SOCKET, direct(shop))
            assert codes(client.issue([shop.draft("A-1")])) == ["issued"]
            thread.join()

    def test_an_answer_lost_on_the_way_is_not_a_second_invoice(
        self, shop: Shop, tmp_path: Path
    ) -> None:
        """The process stores the record and dies before it answers."""

        class Dying:
            def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
                answers = direct(shop).issue(batch)
                raise SystemExit(repr(answers))

        process = IssuingProcess(tmp_path / SOCKET, Dying())
        ours, theirs = socket.socketpair()

        def run() -> None:
            with pytest.raises(SystemExit):
                process.run(theirs)
            process.close()

        thread = threading.Thread(target=run)
        thread.start()
        client = IssuerClient(tmp_path / SOCKET, direct(shop))
        answer = client.issue([shop.draft("A-1")])[0]
        thread.join()
        assert isinstance(answer, Issued)
        # Whoever asked has not heard before that it was issued: for him it is the first time.
        assert (answer.seq, answer.replayed) == (1, False)
        assert shop.store.last_seq() == 1
        ours.close()
        theirs.close()

    def test_a_path_longer_than_a_sockets_address(self, shop: Shop, tmp_path: Path) -> None:
        deep = tmp_path / ("x" * 60) / ("y" * 60)
        deep.mkdir(parents=True)
        with running(deep, direct(shop)):
            assert codes(IssuerClient(deep / SOCKET, Refusing()).issue([shop.draft("A")])) == [
                "issued"
            ]


class TestBadClients:
    """One client's behaviour is no other's business."""

    @pytest.fixture
    def connect(self, shop: Shop, tmp_path: Path) -> Iterator[Callable[[], socket.socket]]:
        """Raw connections to a running process; afterwards it must still answer others."""
        sockets: list[socket.socket] = []

        def one() -> socket.socket:
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            peer.settimeout(5)
            peer.connect(str(tmp_path / SOCKET))
            sockets.append(peer)
            return peer

        with running(tmp_path, direct(shop)):
            yield one
            client = IssuerClient(tmp_path / SOCKET, Refusing())
            assert codes(client.issue([shop.draft("last")])) == ["issued"]
        for peer in sockets:
            peer.close()

    @pytest.mark.parametrize(
        "message",
        [
            b"\xc1",
            b"not msgpack",
            msgspec.msgpack.encode([[1, 2]]),
            msgspec.msgpack.encode({}),
            bytes(issuer.MAX_MESSAGE + 1),
        ],
    )
    def test_nonsense_closes_its_own_connection(
        self, connect: Callable[[], socket.socket], message: bytes
    ) -> None:
        peer = connect()
        peer.send(message)
        assert peer.recv(100) == b""

    def test_leaving_before_the_answer(
        self, connect: Callable[[], socket.socket], shop: Shop
    ) -> None:
        peer = connect()
        peer.send(msgspec.msgpack.encode([shop.draft("A-1")]))
        peer.close()
        _wait(lambda: shop.store.last_seq() == 1)  # it was asked for, and is issued

    def test_leaving_without_a_word(self, connect: Callable[[], socket.socket]) -> None:
        connect().close()

    def test_asking_without_ever_reading(
        self, connect: Callable[[], socket.socket], shop: Shop
    ) -> None:
        peer = connect()
        message = msgspec.msgpack.encode([shop.draft("A-1")])
        peer.settimeout(0.5)
        with pytest.raises(OSError):  # noqa: PT011 # closed, or full for good
            _send_for_ever(peer, message)


class TestRealProcesses:
    """Signals, locks, sleep."""

    def test_it_answers_and_ends_on_sigterm(self, shop: Shop, tmp_path: Path) -> None:
        with real_process(tmp_path) as process:
            client = IssuerClient(tmp_path / SOCKET, Refusing())
            assert codes(client.issue([shop.draft("A-1")])) == ["issued"]
            assert process.pid is not None
            os.kill(process.pid, signal.SIGTERM)
            process.join(10)
            assert process.exitcode == 0
        assert not (tmp_path / SOCKET).exists()

    def test_what_was_taken_is_answered_before_it_ends(self, shop: Shop, tmp_path: Path) -> None:
        with real_process(tmp_path) as process, ThreadPoolExecutor(1) as pool:
            client = IssuerClient(tmp_path / SOCKET, Refusing())
            assert process.pid is not None
            with locked(tmp_path):
                answer = pool.submit(client.issue, [shop.draft("A-1")])
                time.sleep(0.3)  # it has been taken, and waits for the lock
                os.kill(process.pid, signal.SIGTERM)
                time.sleep(0.2)
            assert codes(answer.result()) == ["issued"]
            process.join(10)
            assert process.exitcode == 0

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
            assert client.alive()
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
        killer = threading.Thread(target=_kill_again_and_again, args=(tmp_path, stop))
        killer.start()
        drafts = [[shop.draft(f"{who}-{n}") for n in range(150)] for who in range(6)]
        past = Recorder(direct(shop))
        client = IssuerClient(tmp_path / SOCKET, past)
        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda mine: [client.issue([one])[0] for one in mine], drafts))
        stop.set()
        killer.join()
        answers = [answer for mine in done for answer in mine]
        assert codes(answers) == ["issued"] * 900
        assert 0 < len(past.batches) < 900  # some each way
        acknowledged = {(a.order_id, a.seq, a.hash) for a in answers if isinstance(a, Issued)}
        stored = shop.rows("SELECT order_id, seq, '01' || lower(hex(hash)) FROM invoices")
        assert acknowledged == set(stored)
        assert len(stored) == 900
        numbers = shop.rows("SELECT seq, CAST(number AS INTEGER) FROM invoices ORDER BY seq")
        assert numbers == [(n, n) for n in range(1, 901)]
        shop.store.close()


def _kill_again_and_again(folder: Path, stop: threading.Event) -> None:
    pauses = iter([0.03, 0.11, 0.07, 0.19, 0.05] * 200)
    while not stop.is_set():
        process = fork.Process(target=serve, args=(folder,))
        process.start()
        time.sleep(next(pauses))
        process.kill()
        process.join()


def _send_for_ever(peer: socket.socket, message: bytes) -> None:
    for _ in range(20_000):
        peer.send(message)


def _ticks(pid: int) -> int:
    """Processor time of a process so far, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _wait(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)
