"""Cut the power while a buyer is erased: all of it or nothing, and what was answered is gone."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.trail import ActFilter
from invoice_service.storage.sqlite import update_store
from tests.power.disk import Disk
from tests.power.harness import Cut, check_cuts, everywhere, power_cuts
from tests.power.programs.office import STARTED, Office, found_office
from tests.power.promises import check_invoices
from tests.power.tracing import trace_run
from tests.scale import share

FILE = "invoices.db"
SALT = "now"
ERASED = 1
"""Which invoice; the one that takes it back is the last of four."""


def keys(office: Office) -> dict[int, bytes]:
    """The keys that stand in the database."""
    with office.store.connections.reading() as connection:
        return dict(connection.execute("SELECT invoice, key FROM buyer_keys"))


def on_disk(folder: Path) -> bytes:
    """All that the database has there."""
    return b"".join(path.read_bytes() for path in folder.glob(f"{FILE}*"))


def rehearsed(folder: Path) -> dict[int, bytes]:
    """The keys of the four invoices, which are the same whenever they are issued."""
    rehearsal = folder / "rehearsal"
    if not rehearsal.exists():
        found_office(rehearsal)
        office = Office(rehearsal, SALT)
        office.issue(3)
        office.close()
    office = Office(rehearsal, SALT)
    found = keys(office)
    office.close()
    return found


@pytest.mark.slow
@pytest.mark.scaled
def test_no_power_cut_leaves_half_of_it(tmp_path: Path, states: Path) -> None:
    destroyed = {seq: key for seq, key in rehearsed(tmp_path).items() if seq in (ERASED, 4)}
    kept = {seq: key for seq, key in rehearsed(tmp_path).items() if seq not in destroyed}
    data = tmp_path / "data"
    found_office(data)
    disk = Disk.holding(data)
    command = [sys.executable, "-m", "tests.power.programs.office", str(data), SALT]
    calls = trace_run(tmp_path / "trace", [*command, "issue:3", f"erase:{ERASED}", "issue:1"], {})

    def check(folder: Path, cut: Cut) -> None:
        told = b"erased 1" in cut.sent
        if told:  # nothing else has looked at the disk yet
            assert not [seq for seq, key in destroyed.items() if key in on_disk(folder)]
        update_store(folder / FILE)  # as whoever opens the instance does
        office = Office(folder, "after the cut", now=STARTED + timedelta(days=3))
        try:
            rows = check_invoices(office.store, [])
            if len(rows) < 4:
                assert not told
                return
            done = bool(rows[ERASED - 1].erased)
            assert done or not told, "it was answered, and did not happen"
            assert bool(rows[3].erased) is done
            assert len(office.store.acts(ActFilter(type="erasure"), 0, 9)) == done
            assert audit_trail(office.store).erased == 2 * done
            assert kept.items() <= keys(office).items()
            found = [seq for seq, key in destroyed.items() if key in on_disk(folder)]
            assert found == ([] if done else sorted(destroyed))
            office.erase(ERASED)
            assert not [seq for seq, key in destroyed.items() if key in on_disk(folder)]
        finally:
            office.close()

    cuts = power_cuts(calls, disk, where=everywhere, seed=11, torn=2)
    assert check_cuts(cuts, states, check, 5) > share(30, 6)
