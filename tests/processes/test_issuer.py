"""The issuing process and its client: faster, never another answer, and never in the way."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from chain.errors import ConflictError, Problem, RefusedError, UnavailableError
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.processes import issuer
from invoice_service.processes.issuer import DirectIssuer, IssuerClient, IssuingProcess
from invoice_service.services.issuing.promise import Promised
from tests.domain.samples import NOON, line
from tests.issuing import DELAY, SOCKET, Recorder, Refusing, direct, promise_of, running
from tests.patience import NEVER, PATIENCE, growing, wait_until
from tests.storage.shop import Shop, codes, locked


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop in ``tmp_path``."""
    shop = Shop(tmp_path)
    yield shop
    shop.store.close()


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
        assert twice.extra == {"reversed_by": stored.reversed_by[0]}
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

    def test_a_store_that_breaks_is_answered_and_outlived(self, shop: Shop, tmp_path: Path) -> None:
        class Broken:
            broken = True

            def issue(
                self, batch: Sequence[Prepared], clock: Callable[[], int]
            ) -> list[Issued | Problem]:
                if self.broken:
                    raise ZeroDivisionError("nobody foresaw this")
                return shop.store.issue(batch, clock)

        store = Broken()
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        with running(tmp_path, DirectIssuer(store, shop.clock)):
            answers = client.issue([shop.draft("A-1"), shop.draft("A-2")])
            assert codes(answers) == ["internal_error"] * 2
            store.broken = False
            assert codes(client.issue([shop.draft("A-1")])) == ["issued"]

    def test_it_says_whether_it_is_there(self, shop: Shop, tmp_path: Path) -> None:
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        assert not client.alive()
        with running(tmp_path, direct(shop)):
            assert client.alive()
        assert not client.alive()


class TestPromises:
    """Signed once for all that is committed together, wherever that is."""

    def test_the_process_signs_and_each_answer_has_its_own(
        self, shop: Shop, tmp_path: Path
    ) -> None:
        with running(tmp_path, direct(shop)):
            client = Promised(IssuerClient(tmp_path / SOCKET, Refusing()), 10 * DELAY)
            answers = client.issue([shop.draft(f"A-{number}") for number in range(9)])
        assert len({promise_of(answer).hash for answer in answers}) == 9
        texts = [str(one.promise) for one in answers if isinstance(one, Issued)]
        assert len({text.partition("\n\n")[2] for text in texts}) == 1

    def test_who_wants_none_has_nothing_signed(self, shop: Shop, tmp_path: Path) -> None:
        with running(tmp_path, direct(shop)):
            client = IssuerClient(tmp_path / SOCKET, Refusing())
            minimal = Promised(client, 10 * DELAY, signed=False)
            for [answer] in (client.issue([shop.draft("A")]), minimal.issue([shop.draft("B")])):
                assert isinstance(answer, Issued)
                assert (answer.promise, answer.no_promise) == (None, None)

    def test_the_shortest_records_of_a_message_fit_its_answer(
        self, shop: Shop, tmp_path: Path
    ) -> None:
        sizes = Recorder(direct(shop))
        with running(tmp_path, sizes):
            client = Promised(IssuerClient(tmp_path / SOCKET, Refusing()), 10 * DELAY)
            tiny = [line(name="x", unit_price=1)]
            answers = client.issue([shop.draft(f"{n}", lines=tiny) for n in range(300)])
        for answer in answers:
            promise_of(answer)
        assert max(sizes.batches) > 50


class TestGrouping:
    """What waits together is committed together; large batches are cut."""

    def test_requests_that_wait_share_a_transaction(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path, busy_seconds=NEVER)
        pauses = growing(0.3)  # on a busy machine it takes longer until all of them wait
        assert any(self._together(shop, tmp_path, pause) == [1, 8] for pause in pauses)
        shop.store.close()

    def _together(self, shop: Shop, tmp_path: Path, pause: float) -> list[int]:
        """One is issued, and eight more ask within ``pause`` seconds: the transactions' sizes."""
        recorder = Recorder(direct(shop))
        drafts = [shop.draft(f"A-{i}-{pause}") for i in range(9)]
        client = IssuerClient(tmp_path / SOCKET, Refusing(), patience=NEVER)
        with running(tmp_path, recorder), ThreadPoolExecutor(9) as pool:
            with locked(tmp_path):
                first = pool.submit(client.issue, drafts[:1])
                wait_until(lambda: recorder.batches == [1], "the first is taken")
                rest = [pool.submit(client.issue, [draft]) for draft in drafts[1:]]
                time.sleep(pause)
            answers = [one for done in [first, *rest] for one in done.result()]
        assert codes(answers) == ["issued"] * 9
        return recorder.batches

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

    def test_the_longest_order_goes_through_in_pieces(self, shop: Shop, tmp_path: Path) -> None:
        recorder = Recorder(direct(shop))
        client = IssuerClient(tmp_path / SOCKET, Refusing())
        lines = [line(name="餐" * 100, spec="规" * 20, discount=1) for _ in range(2_000)]
        large = [shop.draft(f"A-{i}", lines=lines) for i in range(2)]
        assert len(msgspec.msgpack.encode(large[0])) > 15 * issuer.MAX_MESSAGE
        with running(tmp_path, recorder):
            answers = client.issue([large[0], shop.draft("B-1"), large[1]])
        assert codes(answers) == ["issued"] * 3
        assert recorder.batches == [1, 1, 1]
        stored = shop.store.invoice_at(3)
        assert stored is not None
        assert stored.lines == large[1].lines

    def test_a_record_too_large_for_pieces_goes_to_the_store(
        self, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issuer, "MAX_MESSAGE", 2_000)
        monkeypatch.setattr(issuer, "MAX_WHOLE", 2_000)
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
            assert time.monotonic() - started >= 0.3
            silent.accept()[0].close()
            assert codes(client.issue([shop.draft("A-2")])) == ["issued"]
            silent.setblocking(False)
            with pytest.raises(BlockingIOError):  # nobody has asked it a second time
                silent.accept()

    @pytest.mark.parametrize(
        "reply", [b"nonsense", b"\x90", b"\x91\x92\xc0\xc0", b"\x91\x92\xc0\x95\xa1\xff"]
    )
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
                if answers:  # a round in which somebody only came in has none
                    shop.now += 5
                    raise SystemExit(repr(answers))
                return answers

        process = IssuingProcess(tmp_path / SOCKET, Dying())
        ours, theirs = socket.socketpair()

        def run() -> None:
            with pytest.raises(SystemExit):
                process.run(theirs)
            process.close()

        thread = threading.Thread(target=run)
        thread.start()
        client = Promised(IssuerClient(tmp_path / SOCKET, direct(shop)), 10 * DELAY)
        answer = client.issue([shop.draft("A-1")])[0]
        thread.join()
        assert isinstance(answer, Issued)
        # Its promise went with the process: the writer makes another one, by the same deadline.
        assert promise_of(answer).deadline == datetime.fromtimestamp(NOON + DELAY, UTC)
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
            peer.settimeout(PATIENCE)
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
            b"\xc1\x00",
            b"\xc1\x02",
            b"not msgpack",
            msgspec.msgpack.encode([[1, 2]]),
            msgspec.msgpack.encode({}),
            b"\x91\xdc\x00\x13\x01\x02\xa4blue\xa1\xff",
            b"\x91\xdc\x00\x13\x01\x02\xa4blue\xa1A\xa0\xc4\x00\x81\xa1a" + b"\x91" * 90_000,
            msgspec.msgpack.encode([None, bytes(issuer.MAX_MESSAGE)]),
        ],
    )
    def test_nonsense_closes_its_own_connection(
        self, connect: Callable[[], socket.socket], message: bytes
    ) -> None:
        peer = connect()
        peer.send(message)
        assert peer.recv(100) == b""

    def test_a_message_that_breaks_into_one_in_pieces(
        self, connect: Callable[[], socket.socket], shop: Shop
    ) -> None:
        peer = connect()
        whole = msgspec.msgpack.encode([shop.draft("A-1")])
        peer.send(b"\xc1\x01" + whole[:100])
        peer.send(whole)
        assert peer.recv(100) == b""
        assert shop.store.last_seq() == 0

    def test_leaving_in_the_middle_of_a_message(
        self, connect: Callable[[], socket.socket], shop: Shop
    ) -> None:
        peer = connect()
        peer.send(b"\xc1\x01" + msgspec.msgpack.encode([shop.draft("A-1")])[:100])
        peer.close()

    def test_leaving_before_the_answer(
        self, connect: Callable[[], socket.socket], shop: Shop
    ) -> None:
        peer = connect()
        peer.send(msgspec.msgpack.encode([shop.draft("A-1")]))
        peer.close()
        wait_until(lambda: shop.store.last_seq() == 1, "what was asked for is issued")

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


def _send_for_ever(peer: socket.socket, message: bytes) -> None:
    for _ in range(20_000):
        peer.send(message)
