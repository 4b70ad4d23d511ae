"""The process tree: whatever ends, and however, nothing is left behind and work goes on."""

import json
import os
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from chain.proof.promise import open_promise
from invoice_service.commands.remote import Remote
from invoice_service.files.samples import read_sample_bills
from invoice_service.wiring import Instance, open_instance
from tests.journeys.service import Service
from tests.patience import NEVER, PATIENCE, wait_until
from tests.scale import share


def _pick(service: Service, program: str, place: int = 0) -> int:
    return service.pids(program)[place]


@pytest.mark.slow
def test_a_second_is_refused_and_asked_to_stop_every_process_ends(service: Service) -> None:
    service.start()
    before = service.pids()
    service.fapiao("serve", status=3)
    assert service.pids() == before
    assert service.is_ready()
    assert len(service.pids("web")) == 3  # the server and its two processes
    for program in ("supervisor", "issuer", "worker", "beat"):
        assert len(service.pids(program)) == 1, program
    assert service.stop(signal.SIGINT) == 0
    assert service.pids() == []


@pytest.mark.slow
def test_with_port_0_it_takes_a_free_one_also_of_version_6_and_says_which(
    service: Service,
) -> None:
    settings = re.sub("port = [0-9]+", "port = 0", service.settings.read_text())
    service.settings.write_text(settings.replace("[web]", '[web]\nhost = "::1"'))
    service.serve()
    said = service.folder / "serve.out"
    wait_until(lambda: "ready: " in said.read_text(), "it says that it is ready")
    [url] = re.findall(r"listening on (http://\[::1\]:[0-9]+)", said.read_text())
    assert Remote(url).get("/healthz")
    assert service.stop() == 0


@pytest.mark.slow
def test_asked_twice_to_stop_it_kills_what_hangs(service: Service) -> None:
    service.start()
    os.kill(_pick(service, "worker"), signal.SIGSTOP)  # it will not hear that it should end
    assert service.serving is not None
    service.serving.send_signal(signal.SIGINT)
    wait_until(lambda: not service.pids("beat"), "the others have ended")
    assert len(service.pids("worker")) == 1
    assert service.stop(signal.SIGINT) == 0
    said = (service.data / "output/supervisor.log").read_text()
    assert "killing" not in said, "it waited until the supervisor gave up on the worker"
    wait_until(lambda: not service.pids(), "the kernel has ended the worker")


@pytest.mark.slow
def test_a_killed_supervisor_leaves_no_orphans_and_the_next_start_works(service: Service) -> None:
    service.start()
    os.kill(_pick(service, "supervisor"), signal.SIGKILL)
    assert service.serving is not None
    assert service.serving.wait(timeout=PATIENCE) == 3
    wait_until(lambda: not service.pids(), "the kernel has ended all programs")
    service.start()
    assert service.stop() == 0


@pytest.mark.slow
def test_a_killed_serve_takes_everything_with_it_and_the_next_start_works(
    service: Service,
) -> None:
    service.start()
    before = service.pids()
    assert service.serving is not None
    service.serving.kill()
    service.serving.wait()
    service.start()  # at once: it waits for the remains to end
    wait_until(
        lambda: (
            bool(service.pids("beat")) and not {*service.pids()} & {*before} and service.is_ready()
        ),
        "a new tree has taken the old one's place",
    )
    assert service.stop() == 0
    assert service.pids() == []


@pytest.mark.slow
@pytest.mark.scaled
def test_twenty_kills_under_load_lose_no_invoice_and_break_no_promise(tmp_path: Path) -> None:
    """kill -9 of one program after the other while four cashiers issue as fast as they can.

    In a usual run of eight.
    """
    # No machine is so busy that time alone breaks a promise: what is lost would.
    with closing(Service(tmp_path, anchor={"max_delay": int(NEVER)})) as service:
        _sell_through_kills(service)


def _sell_through_kills(service: Service) -> None:
    service.init()
    _, key = service.admit()
    service.start()
    one_of_the_servers_processes, the_server_with_all = ("web", 1), ("web", 0)
    victims: list[tuple[str, int]] = [
        *[("issuer", 0), one_of_the_servers_processes] * share(6, 2),
        *[("worker", 0), ("issuer", 0), the_server_with_all, ("beat", 0)] * share(2, 1),
    ]
    assert len(victims) == share(20, 8)
    closing_time = Event()
    with ThreadPoolExecutor(4) as cashiers:
        tills = [
            cashiers.submit(_sell, service.remote(key), till, closing_time) for till in range(4)
        ]
        try:
            for program, place in victims:
                service.kill(program, place)
        finally:
            closing_time.set()
        issued = [one for till in tills for one in till.result()]
    hashes = [one["hash"] for one in issued]
    assert len(hashes) == len(set(hashes)) > share(100, 40)
    service.wait_until_anchored(len(hashes))
    audit = service.asked("audit")
    assert (audit["clean"], audit["invoices"], audit["pending"]) == (True, len(hashes), 0)
    anybody = service.remote()
    for one in issued[:: len(issued) // 20]:
        assert anybody.get_json("/v1/verifications", {"qr": one["qr"]})["verdict"] == "authentic"
    with closing(open_instance(service.config)) as instance:
        assert all(_is_kept(instance, one) for one in issued)


def _is_kept(instance: Instance, issued: dict[str, Any]) -> bool:
    """Whether the answer's promise is of this invoice, and the log has it in time."""
    promise = open_promise(issued["promise"].encode(), instance.promise_key)
    assert promise.hash == issued["hash"]
    index = instance.log.find(promise.anchor)
    return index is not None and instance.log.block_of(index).sealed_at <= promise.deadline


@pytest.mark.slow
def test_while_the_web_server_starts_again_clients_wait_and_none_is_refused(
    service: Service,
) -> None:
    service.start()
    before = set(service.pids("web"))
    os.kill(_pick(service, "web"), signal.SIGKILL)  # the first: its processes end with it
    wait_until(lambda: not before & set(service.pids("web")), "the web server is gone")
    place = ("127.0.0.1", service.config.web.port)
    with socket.create_connection(place, timeout=PATIENCE) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.slow
def test_of_two_instances_on_one_port_only_one_is_served(service: Service, tmp_path: Path) -> None:
    other = Service(tmp_path, web={"port": service.config.web.port, "workers": 1})
    try:
        other.init()
        service.serve()
        other.serve()
        both = (service.serving, other.serving)
        wait_until(
            lambda: any(one is not None and one.poll() is not None for one in both),
            "one of them has given up",
        )
        statuses = [one.poll() for one in both if one is not None]
        assert sorted(statuses, key=str) == [3, None]
        loser = service if statuses[0] == 3 else other
        assert "port_in_use" in (loser.folder / "serve.out").read_text()
        wait_until(service.is_ready, "the other one is ready")
    finally:
        other.close()


def _sell(remote: Remote, till: int, closing_time: Event) -> list[dict[str, Any]]:
    """Issue bills until closing time; a request that gets no answer is simply sent again."""
    issued = []
    for number, bill in enumerate(cycle(read_sample_bills())):
        if closing_time.is_set():
            break
        order = bill.body.replace(b"bill-", b"till-%d-%d-" % (till, number))
        issued.append(json.loads(remote.post("/v1/invoices", order)))
    return issued


@pytest.mark.slow
def test_a_cashier_killed_in_the_middle_goes_on_and_issues_nothing_twice(service: Service) -> None:
    number, _ = service.admit()
    orders = _orders(service.folder / "orders.ndjson", 3000)
    results = orders.with_name("orders.ndjson.results.ndjson")
    for more in (1, 700, 1400):
        issuing = service.background("issue", str(orders), "--merchant", number)
        wait_until(
            lambda more=more: _lines(results) >= more,  # type: ignore[misc]
            "some more results are there",
        )
        issuing.kill()
        issuing.wait()
    issued = _lines(results)
    assert issued < 3000
    last = service.asked("issue", str(orders), "--merchant", number)
    assert last["refused"] == 0
    assert last["done_before"] >= issued - 100
    assert last["done_before"] + last["replayed"] + last["issued"] == 3000
    assert _lines(results) == 3000
    service.fapiao("anchor")
    audit = service.asked("audit")
    assert (audit["invoices"], audit["pending"]) == (3000, 0)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _orders(path: Path, count: int) -> Path:
    """So many orders as NDJSON: the sample's bills, over and over."""
    bills = [record.body for record in read_sample_bills()]
    lines = (
        bills[n % len(bills)].replace(b'"order_id":"bill-', b'"order_id":"%d-' % n)
        for n in range(count)
    )
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path
