"""Backups that older versions made are restored, migrated through every change since, and go on.

``first`` was made by commit 01ceea94, whose schema was three changes old; ``tills`` by e53faa49,
with people at tills and a person on an open bill; ``before-roles`` by 8513ff0d, with claims and
prepaid accounts. ``make.py`` says how.
"""

import json
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from sqlite_utils import Database

from chain.log.schema import log_migrations
from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from chain.signing.note import VerifierKey
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.storage.sqlite.schema import migrations
from tests.journeys.service import Service
from tests.patience import wait_until

pytestmark = pytest.mark.slow

HERE: Final = Path(__file__).parent
BY: Final = ("day", "rate", "industry", "district")
MEAL: Final = {"name": "*餐饮服务*餐费", "unit_price": 49810, "tax_rate": "0.06"}
NEW: Final = {"order_id": "new", "lines": [MEAL]}
PERSON: Final = "李小明".encode()


class Old:
    """A service on the restored data of an older one."""

    def __init__(self, name: str) -> None:
        at = {"public_url": "https://fapiao.test", "data_dir": "data"}
        self.service = Service(Path(tempfile.mkdtemp(prefix="fapiao-")), service=at)
        with tarfile.open(HERE / f"{name}.tar.xz") as archive:
            archive.extractall(self.service.folder, filter="data")
        self._kept = self.service.folder / "kept"
        self.said: dict[str, Any] = json.loads((self._kept / "said.json").read_bytes())
        self.height = str(json.loads((self._kept / "day.json").read_bytes())["block"]["height"])

    def lacks(self) -> set[str]:
        """The changes of schemas that its databases have not seen."""
        files = {"invoices.db": migrations, "log.db": log_migrations}
        return {
            f"{file} {change.name}"
            for file, changes in files.items()
            for change in changes.pending(Database(self.service.data / file))
        }

    def proofs_hold(self) -> list[str]:
        """Check its proof files as a stranger does, with the key of then; of which invoices."""
        key = (self.service.data / "keys" / "log.vkey").read_text().strip()
        files = sorted(self._kept.glob("*.fapiao.json"))
        for file in files:
            verify_proof(parse_proof(file.read_bytes()), VerifierKey.parse(key))
        return [file.name.partition(".")[0] for file in files]

    def totals(self) -> Iterator[tuple[bytes, bytes]]:
        """What it said of totals then, and what the console says now of the same block."""
        for by in BY:
            now = self.service.fapiao("report", "--by", by, "--at-block", self.height, "--json")
            yield (self._kept / f"{by}.json").read_bytes(), now.rstrip("\n").encode()

    def confirm_clock(self) -> None:
        """Say that so much time has passed since: a copy is days old."""
        today = datetime.now(UTC).astimezone(SHANGHAI).date()
        self.service.fapiao("clock", "confirm", today.isoformat())

    def stranger_reads(self, text: bytes) -> bool:
        """Whether a text stands in any file of its databases."""
        return any(text in file.read_bytes() for file in self.service.data.glob("invoices.db*"))


@pytest.fixture
def old(request: pytest.FixtureRequest) -> Iterator[Old]:
    """One of them; its processes end with the test."""
    found = Old(request.param)
    yield found
    found.service.close()


def figures(report: bytes) -> Any:  # noqa: ANN401 # any JSON
    """A report's rows as numbers and texts; the first version wrote fen as numbers."""

    def told(value: Any) -> Any:  # noqa: ANN401 # as above
        if isinstance(value, dict):
            return {name: told(one) for name, one in value.items() if name != "version"}
        if isinstance(value, list):
            return [told(one) for one in value]
        return str(value)

    return told(json.loads(report))


@pytest.mark.parametrize("old", ["first", "tills", "before-roles"], indirect=True)
def test_it_is_migrated_and_goes_on(old: Old, tmp_path: Path) -> None:
    service = old.service
    assert old.lacks()
    assert service.asked("audit")["clean"]
    assert not old.lacks()
    hashes = old.proofs_hold()
    assert len(hashes) == 6
    for then, now in old.totals():
        assert then == now or (b'"version":1' in then and figures(then) == figures(now))

    assert service.fapiao("anchor", status=3) == ""  # it would be days late: is the clock right?
    old.confirm_clock()
    service.fapiao("anchor")  # what waited in the copy
    assert service.fapiao("verify", old.said["waits"]["hash"])
    orders = tmp_path / "orders.ndjson"
    orders.write_text(json.dumps(NEW))
    seller = ("--merchant", "91440300708461136T")
    service.fapiao("issue", str(orders), *seller)
    service.fapiao("reverse", old.said["waits"]["hash"], "--reason", "SALES_RETURN", *seller)
    service.fapiao("anchor")
    assert service.asked("report", "--verify", "--by", "day,state")["holds"]
    found = service.asked("audit")
    assert (found["clean"], found["pending"]) == (True, 0)
    assert not old.stranger_reads(PERSON)
    assert old.proofs_hold() == hashes
    _copied_and_restored(service, tmp_path)


def _copied_and_restored(service: Service, folder: Path) -> None:
    """Today's backup of it opens in its place, and is clean."""
    made = Path(service.asked("backup", str(folder))["folder"])
    (service.data / "keys").rename(made / "keys")
    service.data.rename(folder / "away")
    made.rename(service.data)
    assert service.asked("audit")["clean"]
    assert list(Database(service.data / "invoices.db")["instance"].rows)


@pytest.mark.parametrize("old", ["before-roles"], indirect=True)
def test_all_processes_start_at_once_on_what_is_not_migrated(old: Old) -> None:
    """And those who had keys have them: a till sells, an official reads the same bytes."""
    service = old.service
    service.serve()
    wait_until(lambda: not old.lacks(), "its databases are up to date")
    old.confirm_clock()
    wait_until(service.is_ready, "the service is ready")
    till = service.remote(old.said["key"])
    sold = json.loads(till.post("/v1/invoices", json.dumps(NEW).encode()))
    service.wait_until_anchored(json.loads(till.get("/readyz"))["issued"])
    asked = {"by": "day", "at_block": old.height}
    official = service.remote(old.said["official"])
    assert official.get("/v1/reports/totals", asked) == next(old.totals())[0]
    assert json.loads(official.get("/v1/trail"))["acts"]  # it has come to be an administrator's
    proof = parse_proof(till.get(f"/v1/invoices/{sold['hash']}/proof"))
    key = VerifierKey.parse((service.data / "keys" / "log.vkey").read_text().strip())
    assert verify_proof(proof, key)
