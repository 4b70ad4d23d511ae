"""A service whose secret keys are encrypted: every program opens its own, and none says how."""

import json
from itertools import count
from pathlib import Path

import pytest

from invoice_service.commands.remote import Remote
from tests.journeys.service import Service
from tests.patience import wait_until

PASSPHRASE = "six words nobody would guess 暗号"


def _holding(folder: Path, *texts: str) -> list[Path]:
    """Files below that hold one of the texts; sockets are none."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(text.encode() in path.read_bytes() for text in texts)]


def _told(pids: list[int]) -> set[str]:
    """Which programs have the passphrase, or where it is, in their environment."""
    found = set()
    for pid in pids:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        if b"FAPIAO_PASSPHRASE" in environ:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
            names = ("issuer", "processes.web", "worker", "beat", "supervisord", "serve")
            found.add(next((name for name in names if name in command), command))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("from_file", [False, True], ids=["environment", "file"])
def test_it_issues_anchors_and_tells_nobody(service: Service, from_file: bool) -> None:
    if from_file:
        file = service.folder / "passphrase"
        file.touch(0o600)
        file.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
        service.environ["FAPIAO_PASSPHRASE_FILE"] = "passphrase"  # from where `serve` starts
    else:
        service.environ["FAPIAO_PASSPHRASE"] = PASSPHRASE
    service.fapiao("keys", "encrypt")
    _, key = service.admit()
    service.start()
    till, numbers = Remote(service.url, key), count(1)

    def is_promised() -> bool:
        """Of a new order: while the issuing process begins, web processes issue without it."""
        meal = {"name": "*餐饮服务*餐费", "unit_price": 11300, "tax_rate": "0.06"}
        order = {"order_id": f"T{next(numbers)}", "lines": [meal]}
        return "promise" in json.loads(till.post("/v1/invoices", json.dumps(order).encode()))

    wait_until(is_promised, "the issuing process has opened its key")
    assert _told(service.pids()) == {"issuer", "serve", "supervisord", "worker"}
    service.wait_until_anchored(1)  # and the worker the log's
    assert service.stop() == 0
    assert _holding(service.data, PASSPHRASE, "PRIVATE+KEY", "six words") == []
    assert PASSPHRASE not in (service.folder / "serve.out").read_text(encoding="utf-8")


@pytest.mark.slow
def test_it_does_not_start_without_the_passphrase(service: Service) -> None:
    service.environ["FAPIAO_PASSPHRASE"] = PASSPHRASE
    service.fapiao("keys", "encrypt")
    del service.environ["FAPIAO_PASSPHRASE"]
    service.fapiao("serve", status=1)
    assert service.pids() == []
    service.environ["FAPIAO_PASSPHRASE"] = "another"
    service.fapiao("serve", status=1)
    assert not (service.data / "run" / "supervisord.conf").exists()
