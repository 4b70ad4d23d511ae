"""A loop's line to the issuing process: together what waits together, and nobody left waiting."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from chain.errors import Problem
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.processes.issuing_line import IssuingLine
from invoice_service.processes.turns import FEW
from tests.issuing import SOCKET, Recorder, direct, running
from tests.patience import NEVER, PATIENCE
from tests.storage.shop import Shop, codes

Answer = Issued | Problem | None


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.store.close()


async def _all(line: IssuingLine, batch: Sequence[Prepared]) -> list[Answer]:
    """Ask for all at once; what each heard."""
    loop = asyncio.get_running_loop()
    heard: list[asyncio.Future[Answer]] = []
    for prepared in batch:
        heard.append(loop.create_future())
        line.ask(prepared, heard[-1].set_result)
    async with asyncio.timeout(PATIENCE):
        return list(await asyncio.gather(*heard))


def _ask(folder: Path, *batches: Sequence[Prepared], patience: float = NEVER) -> list[list[Answer]]:
    async def main() -> list[list[Answer]]:
        line = IssuingLine(folder / SOCKET, asyncio.get_running_loop(), patience=patience)
        try:
            return [await _all(line, batch) for batch in batches]
        finally:
            line.close()

    return asyncio.run(main())


def _codes(answers: Sequence[Answer]) -> list[str]:
    return ["nobody knows" if one is None else codes([one])[0] for one in answers]


def test_those_who_wait_together_are_issued_together(shop: Shop, tmp_path: Path) -> None:
    recorder = Recorder(direct(shop))
    with running(tmp_path, recorder):
        batch = [shop.draft(f"A-{n}") for n in range(FEW + 3)]
        one, more = _ask(tmp_path, [shop.draft("B")], batch)
    assert _codes(one) == ["issued"]
    assert _codes(more) == ["issued"] * (FEW + 3)
    assert recorder.batches == [1, FEW, 3]
    orders = [answer.order_id for answer in more if isinstance(answer, Issued)]
    assert orders == [f"A-{n}" for n in range(FEW + 3)]


def test_one_who_cannot_hear_keeps_nobody_else_waiting(
    shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        line = IssuingLine(tmp_path / SOCKET, loop, patience=NEVER)
        heard: list[asyncio.Future[Answer]] = [loop.create_future() for _ in range(2)]

        def breaks(_: Answer) -> None:
            line.ask(shop.draft("B"), heard[1].set_result)  # which waits for the next message
            raise OSError

        line.ask(shop.draft("A"), breaks)
        line.ask(shop.draft("C"), heard[0].set_result)
        try:
            async with asyncio.timeout(PATIENCE):
                return _codes(await asyncio.gather(*heard))
        finally:
            line.close()

    with running(tmp_path, Recorder(direct(shop))):
        assert asyncio.run(main()) == ["issued", "issued"]
    assert "was not handed on" in caplog.text


def test_of_more_than_go_together_callers_take_turns(shop: Shop, tmp_path: Path) -> None:
    async def main() -> list[str]:
        line = IssuingLine(tmp_path / SOCKET, asyncio.get_running_loop(), patience=NEVER)
        loop, heard = asyncio.get_running_loop(), list[str]()
        last = loop.create_future()

        def hear(name: str, answer: Answer) -> None:
            heard.append(f"{name} {_codes([answer])[0]}")
            if len(heard) == 2 * FEW + 2:
                last.set_result(None)

        for n in range(2 * FEW):
            line.ask(shop.draft(f"M-{n}"), partial(hear, "many"), "192.0.2.1")
        for n in range(2):
            line.ask(shop.draft(f"F-{n}"), partial(hear, "few"), "192.0.2.2")
        async with asyncio.timeout(PATIENCE):
            await last
        line.close()
        return heard

    with running(tmp_path, direct(shop)):
        heard = asyncio.run(main())
    assert heard[:4] == ["many issued", "few issued", "many issued", "few issued"]
    assert heard[4:] == ["many issued"] * (2 * FEW - 2)


def test_each_hears_of_its_own_record(shop: Shop, tmp_path: Path) -> None:
    with running(tmp_path, direct(shop)):
        batch = [shop.draft("A"), shop.draft("A", remark="other"), shop.draft("A")]
        (answers,) = _ask(tmp_path, batch)
    assert _codes(answers) == ["issued", "order_id_conflict", "replayed"]


def test_without_a_process_all_hear_that_nobody_knows(shop: Shop, tmp_path: Path) -> None:
    assert _ask(tmp_path, [shop.draft("A"), shop.draft("B")]) == [[None, None]]
    assert shop.store.last_seq() == 0


def test_a_line_finds_the_process_that_comes_later(shop: Shop, tmp_path: Path) -> None:
    async def main() -> list[str]:
        line = IssuingLine(tmp_path / SOCKET, asyncio.get_running_loop(), patience=NEVER)
        found = _codes(await _all(line, [shop.draft("A")]))
        for _ in range(2):  # the second has an old connection to get rid of
            with running(tmp_path, direct(shop)):
                found += _codes(await _all(line, [shop.draft("A")]))
            found += _codes(await _all(line, [shop.draft("A")]))
        line.close()
        return found

    found = asyncio.run(main())
    assert found == ["nobody knows", "issued", "nobody knows", "replayed", "nobody knows"]


def test_a_process_that_hangs_keeps_nobody(shop: Shop, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.bind(str(tmp_path / SOCKET))
        silent.listen()
        answers = _ask(tmp_path, [shop.draft("A")], [shop.draft("B")], patience=0.05)
    assert answers == [[None], [None]]


def test_of_a_process_that_hangs_one_waits_and_others_are_told(shop: Shop, tmp_path: Path) -> None:
    told: list[str] = []

    async def main(silent: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        line = IssuingLine(
            tmp_path / SOCKET, loop, patience=0.3, silent=lambda: told.append("silent")
        )
        assert await _all(line, [shop.draft("A")]) == [None]
        silent.accept()[0].close()
        assert await _all(line, [shop.draft("B")]) == [None]
        with pytest.raises(BlockingIOError):  # nobody has come a second time
            silent.accept()

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.bind(str(tmp_path / SOCKET))
        silent.listen()
        silent.setblocking(False)
        asyncio.run(main(silent))
    assert told == ["silent"]


@pytest.mark.parametrize("reply", [b"", b"\x00", b"\x90", b"\xc1" * 30])
def test_an_answer_that_is_none_is_nobodys(shop: Shop, tmp_path: Path, reply: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as odd:
        odd.bind(str(tmp_path / SOCKET))
        odd.listen()

        def answer() -> None:
            client, _ = odd.accept()
            with client:
                client.recv(1 << 20)
                client.send(reply or b"\x90")

        thread = threading.Thread(target=answer)
        thread.start()
        assert _ask(tmp_path, [shop.draft("A")]) == [[None]]
        thread.join(PATIENCE)
