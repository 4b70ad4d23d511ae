"""Cut the power under the real process tree while clients issue over HTTP and a worker anchors."""

import json
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import urllib3

from chain.audit.audit import audit_log
from chain.log.database import SqliteLogStore
from chain.signing.checkpoint import open_checkpoint
from invoice_service.config import Config, load
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.processes.supervise import free_port
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.services.people.admit import admit, create_key
from invoice_service.wiring import init_instance, open_instance
from tests.patience import PATIENCE, wait_until
from tests.power.disk import Disk
from tests.power.harness import Cut, around_syncs, check_cuts, power_cuts
from tests.power.promises import (
    Promised,
    check_anchored,
    check_history,
    check_invoices,
    check_served,
    check_totals,
    stored_leaves,
)
from tests.power.trace import Call
from tests.power.tracing import load as load_trace
from tests.power.tracing import traced_process
from tests.scale import share

NOT_WATCHED = frozenset({"broker", "output", "run"})  # nothing in there outlives a restart
HASH = re.compile(rb"01[0-9a-f]{64}")
CLIENTS, EACH = 4, 10
ORDER = {"lines": [{"name": "*餐饮服务*餐费", "unit_price": 11300, "tax_rate": "0.06"}]}


class City:
    """A new instance in ``folder``, one merchant, and the settings for its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "FAPIAO_SERVICE_DATA_DIR": str(folder / "main"),
            "FAPIAO_SERVICE_PUBLIC_URL": "http://power.test",
            "FAPIAO_WEB_PORT": str(free_port("127.0.0.1")),
            "FAPIAO_WEB_WORKERS": "2",
            "FAPIAO_ANCHOR_INTERVAL": "0.4",
        }
        instance = init_instance(self.config_at(folder))
        request = MerchantRequest(
            tax_id="91440300708461136T", name="旋转餐厅", industry="621", district="440303"
        )
        merchant = admit(instance.store, request, instance.operator()).merchant
        _, self.key = create_key(
            instance.store,
            "merchant",
            merchant.id,
            "power",
            by=instance.operator(),
            randbytes=instance.randbytes,
        )
        instance.close()
        self.url = f"http://127.0.0.1:{self.environ['FAPIAO_WEB_PORT']}"

    def config_at(self, folder: Path) -> Config:
        """Return the same settings for a copy of the instance in another folder."""
        return load(None, self.environ | {"FAPIAO_SERVICE_DATA_DIR": str(folder / "main")})

    def wait(self, what: str) -> None:
        """Wait until ``/readyz`` says that ``what`` is so: "ready", or "settled" (none pending)."""
        wait_until(lambda: self._is(what), f"the service is {what}")

    def _is(self, what: str) -> bool:
        with suppress(urllib3.exceptions.HTTPError):
            answer = urllib3.request("GET", f"{self.url}/readyz", timeout=PATIENCE, retries=False)
            health = answer.json()
            return health["ready"] and (what == "ready" or not health["pending"])
        return False

    def issue(self, order: str) -> None:
        """Issue one invoice over HTTP."""
        answer = urllib3.request(
            "POST",
            f"{self.url}/v1/invoices",
            body=json.dumps({"order_id": order, **ORDER}),
            headers={
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
            },
            timeout=PATIENCE,
            retries=False,
        )
        assert answer.status == 201, answer.data


def _rush(city: City) -> None:
    """Issue from several clients at once."""

    def client(number: int) -> None:
        for n in range(EACH):
            city.issue(f"order-{number}-{n}")
            time.sleep(0.05)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _traced(tmp_path: Path, **environ: str) -> tuple[City, Disk, list[Call]]:
    city = City(tmp_path / "data")
    disk = Disk.holding(city.folder, NOT_WATCHED)
    output = tmp_path / "trace"
    serve = [sys.executable, "-m", "invoice_service.cli", "serve"]
    with traced_process(output, serve, city.environ | environ):
        city.wait("ready")
        _rush(city)
        city.wait("settled")
    return city, disk, load_trace(output)


class Checker:
    """Checks states in the order of their cuts; knows what every answer had said by then."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.known: set[str] = set()
        self._heard = 0
        instance = open_instance(city.config_at(city.folder))
        self._key = instance.log_key
        rows = check_invoices(instance.store, [])
        instance.close()
        self.final = {row.hash: Promised(row.seq, row.hash, row.number) for row in rows}

    def hear(self, sent: Sequence[bytes]) -> list[Promised]:
        """Return every invoice whose password area had left through a socket by then."""
        for message in sent[self._heard :]:
            self.known |= {found.decode() for found in HASH.findall(message)}
        self._heard = len(sent)
        assert self.known <= set(self.final), "an invoice was answered and is not there at the end"
        return [self.final[known] for known in self.known]

    def check(self, folder: Path, cut: Cut) -> None:
        """Check what was promised; then anchor what is pending, and check all again."""
        promised = self.hear(cut.sent)
        config = self._city.config_at(folder)
        instance = open_instance(config)
        log_store = SqliteLogStore(config.log_db)
        seen = [open_checkpoint(note, self._key) for note in cut.seen]
        try:
            check_invoices(instance.store, promised)
            check_served(config.log_dir, self._key)
            check_history(stored_leaves(log_store), seen)
            anchor_pending(instance.anchoring())
            rows = check_invoices(instance.store, promised)
            check_anchored(rows, instance.log)
            check_totals(rows, instance.store, instance.log)
            check_history(stored_leaves(log_store), seen)
            audit_log(log_store, config.log_dir, self._key)
        finally:
            log_store.close()
            instance.close()


def _cuts(disk: Disk, calls: list[Call]) -> Iterator[Cut]:
    where = around_syncs(0.02, seed=8)
    return power_cuts(calls, disk, where=where, seed=8, torn=1, watch="main/log/checkpoint")


@pytest.mark.slow
@pytest.mark.scaled
def test_no_power_cut_under_the_running_service_breaks_a_promise(
    tmp_path: Path, states: Path
) -> None:
    city, disk, calls = _traced(tmp_path)
    checker = Checker(city)
    cuts = _cuts(disk, calls)
    assert check_cuts(cuts, states, checker.check, 5) > share(60, 10)
    assert len(checker.final) == CLIENTS * EACH
    assert len(checker.known) == CLIENTS * EACH, "the trace misses an answer"
    for name, data in disk.visible().items():
        path = city.folder / name
        assert data == (path.read_bytes() if path.is_file() else None), f"{name} is modelled wrong"


@pytest.mark.slow
def test_a_running_service_that_does_not_sync_its_databases_is_found(
    tmp_path: Path, states: Path
) -> None:
    """The same, with processes that forget to: the harness sees it through all of them."""
    site = Path(__file__).parent / "programs" / "site"
    path = f"{site}:{Path(__file__).parents[2]}"
    city, disk, calls = _traced(tmp_path, FORGET="database-syncs", PYTHONPATH=path)
    checker = Checker(city)
    with pytest.raises(AssertionError, match="cut after step"):
        check_cuts(_cuts(disk, calls), states, checker.check)
