"""What is promised is kept: a clock that was wrong for a while, and witnesses that are away."""

import json
import signal
import sqlite3
import urllib.error
import urllib.request
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from chain.witness.server import init
from invoice_service.domain.numbering import shanghai_day
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.wiring import now, open_instance
from tests.journeys.service import Service
from tests.patience import wait_until
from tests.witness.running import WitnessProcess

pytestmark = pytest.mark.slow

LINE = {"name": "*餐饮服务*餐费", "unit_price": 11300, "tax_rate": "0.06"}


def order(name: str) -> bytes:
    """An order of one meal."""
    return json.dumps({"order_id": name, "lines": [LINE]}).encode()


def told(service: Service) -> set[str]:
    """The codes of what stops issuing or is worth a look, as this machine is told; none unasked."""
    try:
        with urllib.request.urlopen(f"{service.url}/readyz") as answer:  # our own address
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        found = json.load(error)
    except OSError:
        return set()
    return {one["code"] for one in (*found["problems"], *found["warnings"])}


def refused(service: Service, key: str, name: str) -> str:
    """The code with which an order is refused."""
    with pytest.raises(UnavailableError) as caught:
        service.remote(key, patience=0).post("/v1/invoices", order(name))
    return caught.value.code


def test_a_clock_that_ran_ahead_for_one_seal(service: Service) -> None:
    _, key = service.admit()
    service.start()
    service.remote(key).post("/v1/invoices", order("o1"))
    service.wait_until_anchored(1)
    service.stop()
    orders = Path(service.folder / "orders.csv")
    orders.write_text(
        "order_id,time,item,quantity,unit_price,tax_rate\no2,,*餐饮服务*餐费,1,113.00,0.06\n",
        encoding="utf-8",
    )
    service.fapiao("issue", str(orders), "--merchant", "91440300618810208N")
    leapt = now() + timedelta(days=3)
    with closing(open_instance(service.config, clock=lambda: leapt)) as instance:
        assert anchor_pending(instance.anchoring()).blocks == 1

    service.serve()
    wait_until(lambda: "clock_behind" in told(service), "requests are answered, and it is said")
    assert refused(service, key, "o3") == "clock_behind"
    service.fapiao("clock", "confirm", shanghai_day(int(now().timestamp())))
    wait_until(service.is_ready, "the service is ready")
    issued = json.loads(service.remote(key).post("/v1/invoices", order("o3")))
    assert issued["issued_at"][:10] == shanghai_day(int(leapt.timestamp()))
    service.wait_until_anchored(3)
    promise = service.folder / "promise.note"
    promise.write_text(issued["promise"], encoding="utf-8")
    audit = ("audit", "--promise", str(promise), "--mirror", str(service.config.log_dir))
    assert "kept: it stands in block" in service.fapiao(*audit)
    assert service.stop() == 0


def test_leaps_that_sum_up_stop_the_worker_and_the_tills(service: Service) -> None:
    _, key = service.admit()
    service.start()
    service.remote(key).post("/v1/invoices", order("o1"))
    service.wait_until_anchored(1)
    with closing(sqlite3.connect(service.config.invoices_db)) as other, other:
        # As if the clock had been three days behind, after another leap of two.
        other.execute("UPDATE clock_noted SET at = at - 259200, leapt = 172800")
    wait_until(lambda: "clock_ahead" in told(service), "the leaps are noticed")
    wait_until(lambda: "worker_failing" in told(service), "the worker does not seal")
    service.fapiao("clock", "confirm", shanghai_day(int(now().timestamp())))
    wait_until(service.is_ready, "the service is ready")
    service.remote(key).post("/v1/invoices", order("o2"))
    service.wait_until_anchored(2)
    assert service.stop() == 0


def test_witnesses_that_are_away(tmp_path: Path) -> None:
    """The log goes on being sealed, but nobody can check it: nothing is promised meanwhile."""
    (tmp_path / "service").mkdir()
    service = Service(
        tmp_path / "service",
        anchor={"max_delay": 4},
        witness={"policy": "policy", "timeout": 1.0},
    )
    policy = service.folder / "policy"
    policy.write_text("quorum none\n")
    with ExitStack() as stack:
        stack.callback(service.close)
        service.init()
        _, key = service.admit()
        init(tmp_path / "w", "witness.example/w1", [service.asked("keys", "log")["log_key"]])
        witness = WitnessProcess(tmp_path / "w").start()
        stack.callback(witness.end, signal.SIGKILL)
        policy.write_text(f"witness w {witness.key.text()} {witness.url}\nquorum w\n")
        service.start()
        service.remote(key).post("/v1/invoices", order("o1"))
        service.wait_until_anchored(1)

        witness.kill()
        service.remote(key).post("/v1/invoices", order("o2"))
        wait_until(lambda: "log_behind" in told(service), "it has waited for half of the delay")
        assert refused(service, key, "o3") == "log_behind"
        with closing(open_instance(service.config)) as instance:
            assert instance.log.head().cursor == 2, "it is sealed all the same"

        witness.start()
        wait_until(service.is_ready, "the service is ready")
        service.remote(key).post("/v1/invoices", order("o3"))
        service.wait_until_anchored(3)
        assert service.stop() == 0
