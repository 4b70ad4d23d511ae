"""Several processes on one file: fair, gap-free, and safe across forks."""

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from chain.errors import UnavailableError
from invoice_service.domain.invoice import Issued
from invoice_service.storage.sqlite import SqliteStore, create_store
from invoice_service.storage.sqlite.turnstile import Turnstile
from tests.domain.samples import BY
from tests.patience import NEVER, PATIENCE, returns, wait_until
from tests.storage.shop import FILE, Shop, locked, somebody_queues

fork = multiprocessing.get_context("fork")
spawn = multiprocessing.get_context("spawn")


def issue_some(folder: Path, name: int, count: int) -> None:
    """A process that issues one by one."""
    shop = Shop(folder, seed=name)
    for number in range(count):
        shop.issue(shop.draft(f"{name}-{number}"))


def test_processes_leave_no_gap(tmp_path: Path) -> None:
    Shop(tmp_path).store.close()
    workers = [spawn.Process(target=issue_some, args=(tmp_path, n, 60)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    shop = Shop(tmp_path)
    numbers = shop.rows("SELECT seq, number FROM invoices ORDER BY seq")
    assert numbers == [(n, f"{n:08}") for n in range(1, 181)]
    assert shop.rows("SELECT count(DISTINCT order_id) FROM invoices") == [(180,)]


def share_a_bill(folder: Path, name: int, rounds: int) -> None:
    """A till whose guests share bills with those of another; it sells each number of the day."""
    shop = Shop(folder, seed=name)
    bill: dict[str, Any] = {"business_day": "2018-08-10", "parts": 5, "order_total": 4 * 11300}
    for number in range(rounds):
        for part in range(1, 6):
            shop.hand_in(shop.draft(f"{number}", part=part, remark=f"{name}", **bill))
        shop.hand_in(shop.draft(f"whole {number}", business_day="2018-08-10", remark=f"{name}"))


def test_two_tills_never_sell_an_order_twice_nor_beyond_its_bill(tmp_path: Path) -> None:
    Shop(tmp_path).store.close()
    rounds = 12
    tills = [spawn.Process(target=share_a_bill, args=(tmp_path, n, rounds)) for n in range(3)]
    for till in tills:
        till.start()
    for till in tills:
        till.join()
        assert till.exitcode == 0
    shop = Shop(tmp_path)
    bills = shop.rows("SELECT count(*), sum(total) FROM invoices WHERE part > 0 GROUP BY order_id")
    assert bills == [(4, 4 * 11300)] * rounds
    wholes = shop.rows("SELECT count(*) FROM invoices WHERE part = 0 GROUP BY order_id")
    assert wholes == [(1,)] * rounds
    numbers = shop.rows("SELECT seq, CAST(number AS INTEGER) FROM invoices ORDER BY seq")
    assert numbers == [(n, n) for n in range(1, 5 * rounds + 1)]


def issue_until(folder: Path, stop: Event) -> None:
    """A process that leaves hardly a gap between its transactions."""
    shop = Shop(folder, seed=99)
    number = 0
    while not stop.is_set():
        shop.hand_in(*(shop.draft(f"busy-{number}-{i}") for i in range(20)))
        number += 1


def _waiting(folder: Path) -> int:
    """How many stand in the queue for the database, the first of them not counted."""
    node = f":{(folder / f'{FILE}-turn').stat().st_ino} "
    locks = Path("/proc/locks").read_text().splitlines()
    return sum("-> FLOCK" in line and node in line for line in locks)


def test_who_asks_first_is_served_first(tmp_path: Path) -> None:
    """SQLite's own waiting is a lottery, which whoever has just committed wins again and again."""
    shop = Shop(tmp_path, busy_seconds=NEVER)
    orders = [f"A-{n}" for n in range(7)]
    with ThreadPoolExecutor(len(orders)) as pool, locked(tmp_path):
        for place, order in enumerate(orders):
            pool.submit(shop.issue, shop.draft(order))
            if place:
                wait_until(lambda place=place: _waiting(tmp_path) == place, "it waits")  # type: ignore[misc]  # its default
            else:
                wait_until(lambda: somebody_queues(tmp_path), "the first waits")
    assert shop.rows("SELECT order_id FROM invoices ORDER BY seq") == [(one,) for one in orders]


def test_a_forked_process_opens_its_own_connection(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.issue(shop.draft("A-1"))
    here = id(shop.store.connections.database)

    def child() -> None:
        assert id(shop.store.connections.database) != here
        shop.issue(shop.draft("A-2"))
        shop.store.close()  # must leave the parent's connection alone

    worker = fork.Process(target=child)
    worker.start()
    worker.join()
    assert worker.exitcode == 0
    assert shop.store.last_seq() == 2
    assert isinstance(shop.issue(shop.draft("A-3")), Issued)


def wait_with_a_child(folder: Path) -> None:
    """Wait for the lock, first in the queue, with a child that has inherited everything."""
    shop = Shop(folder, busy_seconds=NEVER)
    child = os.fork()
    if child == 0:
        time.sleep(NEVER)
        os._exit(0)
    (folder / "child").write_text(str(child))
    shop.hand_in(shop.draft("A-1"))


def test_a_waiting_writer_that_is_killed_holds_up_nobody_even_if_it_had_forked(
    tmp_path: Path,
) -> None:
    Shop(tmp_path).store.close()
    with locked(tmp_path):
        victim = fork.Process(target=wait_with_a_child, args=(tmp_path,))
        victim.start()
        wait_until((tmp_path / "child").exists, "it waits")
        time.sleep(0.3)
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
    after = fork.Process(target=issue_some, args=(tmp_path, 7, 1))
    after.start()
    after.join(PATIENCE)
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)
    after.kill()
    assert after.exitcode == 0


def test_a_writer_that_stands_still_makes_others_fail_not_hang(tmp_path: Path) -> None:
    Shop(tmp_path).store.close()
    stop = fork.Event()
    busy = fork.Process(target=issue_until, args=(tmp_path, stop))
    busy.start()
    shop = Shop(tmp_path, busy_seconds=0.3)
    assert busy.pid is not None
    try:
        wait_until(lambda: shop.store.last_seq() > 0, "the other one issues")
        _stop_inside(shop, busy.pid)
        with pytest.raises(UnavailableError) as caught:
            returns(lambda: shop.hand_in(shop.draft("A-1")))
        assert caught.value.code == "database_busy"
    finally:
        os.kill(busy.pid, signal.SIGCONT)
        stop.set()
        busy.join()
    assert isinstance(shop.issue(shop.draft("A-1")), Issued)


def queue(folder: Path, at_front: Event) -> None:
    """A process that came to the front of the queue, and stands still there."""
    assert Turnstile(folder / f"{FILE}-turn").enter(0.0)
    at_front.set()
    signal.pause()


def test_one_that_stands_still_at_the_front_of_the_queue_makes_others_fail_not_hang(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, busy_seconds=0.1)
    at_front = fork.Event()
    still = fork.Process(target=queue, args=(tmp_path, at_front))
    still.start()
    try:
        assert at_front.wait(NEVER)
        threads = threading.active_count()
        for _ in range(5):
            with pytest.raises(UnavailableError) as caught:
                returns(lambda: shop.hand_in(shop.draft("A-1")))
            assert caught.value.code == "database_busy"
        mine = shop.draft("A-1")
        for _ in range(5):  # one thread asks again and again: one waits aside for it
            with pytest.raises(UnavailableError):
                shop.hand_in(mine)
        assert threading.active_count() <= threads + 1 + 5
    finally:
        still.kill()
        still.join()
    assert isinstance(shop.issue(shop.draft("A-1")), Issued)
    assert isinstance(shop.issue(shop.draft("A-2")), Issued)
    wait_until(lambda: not somebody_queues(tmp_path), "nobody keeps a place that nobody wants")


def make(folder: Path) -> None:
    """Make the database, or find it made."""
    create_store(folder / FILE)
    SqliteStore(folder / FILE).last_seq()


def test_several_may_create_the_store_at_once(tmp_path: Path) -> None:
    workers = [spawn.Process(target=make, args=(tmp_path,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert Shop(tmp_path).store.last_seq() == 0


def _stop_inside(shop: Shop, pid: int) -> None:
    """Stop the process while it is inside a transaction."""
    for _ in range(200):
        os.kill(pid, signal.SIGSTOP)
        try:
            shop.store.set_quota(shop.merchant.id, None, BY)
        except UnavailableError:
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.003)
    pytest.fail("the other process is never inside a transaction")


def test_a_thread_that_ends_leaves_no_open_file(tmp_path: Path) -> None:
    shop = Shop(tmp_path)

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    shop.store.last_seq()
    before = open_files()
    for _ in range(20):
        thread = threading.Thread(target=shop.store.last_seq)
        thread.start()
        thread.join()
    assert open_files() <= before + 1


def test_closing_takes_no_connection_from_under_a_thread(tmp_path: Path) -> None:
    """It brings the process down: SQLite's library looks for a database that is gone."""
    shop = Shop(tmp_path)
    reads, rests, closed, looked = (threading.Event() for _ in range(4))

    def read() -> int:
        with shop.store.connections.reading() as connection:
            rows = connection.execute("VALUES (1), (2), (3)")
            first: int = rows.fetchone()[0]
            reads.set()
            assert closed.wait(PATIENCE)
            return first + sum(int(row[0]) for row in rows)

    def rest() -> None:
        shop.store.last_seq()
        rests.set()
        assert looked.wait(PATIENCE)

    with ThreadPoolExecutor(2) as threads:
        reader, _ = threads.submit(read), threads.submit(rest)
        assert reads.wait(PATIENCE)
        assert rests.wait(PATIENCE)
        assert len(connections_to(tmp_path)) == 3
        shop.store.close()
        closed.set()
        assert reader.result(PATIENCE) == 6
        found = connections_to(tmp_path)  # while the other thread is still there
        looked.set()
    assert found == []


def connections_to(folder: Path) -> list[Path]:
    """The open files of this process that are the database there."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if handle.readlink() == folder / FILE:
                found.append(handle)
    return found
