"""Backup and restore as docs/operations.md tells it; a restore never forks the log."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Event

import pytest

from invoice_service.commands.issue import desk_of
from invoice_service.config import load
from invoice_service.files.samples import read_sample_bills
from invoice_service.retention import backup as copying
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.services.issuing.issue import issue_one
from invoice_service.wiring import open_instance
from tests.cli.town import Town

SCRIPT = Path("scripts/backup.py").resolve()


def _back_up(town: Town, name: str, status: int = 0, says: str = "") -> Path:
    target = town.folder / name
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(town.folder / "var/main"), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert says in done.stderr
    return target


def _restore(town: Town, backup: Path) -> Path:
    """Put the copy and the keys in the place of the data; returns where the old data went."""
    data, damaged = town.folder / "var/main", town.folder / "damaged"
    data.rename(damaged)
    shutil.copytree(backup, data)
    shutil.copytree(damaged / "keys", data / "keys")
    return damaged


@pytest.fixture
def open_day(town: Town) -> Town:
    """Three invoices in the log, four pending."""
    town.sell(3)
    town.run("anchor")
    town.sell(7)
    return town


def test_a_copy_of_the_newest_state_goes_on_where_it_ended(open_day: Town) -> None:
    backup = _back_up(open_day, "backup")
    assert not (backup / "keys").exists()
    _restore(open_day, backup)
    found = open_day.asked("audit")
    assert (found["clean"], found["invoices"], found["pending"]) == (True, 7, 4)
    assert open_day.asked("anchor")["invoices"] == 4
    assert {result["status"] for result in open_day.sell(8)} == {"issued"}
    assert open_day.asked("audit")["invoices"] == 8


def test_a_copy_that_is_behind_a_seen_checkpoint_signs_nothing(open_day: Town) -> None:
    backup = _back_up(open_day, "backup")
    open_day.run("anchor")  # the world has seen a checkpoint that the copy does not know
    damaged = _restore(open_day, backup)
    newest = damaged / "log/checkpoint"
    shutil.copy2(newest, open_day.folder / "var/main/log/checkpoint")
    wrong = open_day.asked("audit", status=1)
    assert (wrong["kind"], wrong["place"]) == ("published", "checkpoint")
    for _ in range(2):
        assert "log_rolled_back" in open_day.refusal("anchor", status=3)
    published = open_day.folder / "var/main/log/checkpoint"
    assert published.read_bytes() == newest.read_bytes()


def test_a_log_without_its_invoices_is_noticed(open_day: Town) -> None:
    """What copying in the wrong order would give."""
    older = _back_up(open_day, "older")
    open_day.sell(9)
    open_day.run("anchor")
    newer = _back_up(open_day, "newer")
    shutil.copy2(older / "invoices.db", newer / "invoices.db")
    _restore(open_day, newer)
    assert open_day.asked("audit", status=1)["clean"] is False
    assert "invoices_missing" in open_day.refusal("anchor", status=3)


def test_copies_taken_while_the_service_works_are_all_sound(town: Town) -> None:
    """Somebody issues and anchors without pause; every copy can be restored."""
    over = Event()
    with ThreadPoolExecutor(1) as others:
        working = others.submit(_work, town, over)
        backups = [_back_up(town, f"backup-{n}") for n in range(5)]
        over.set()
        working.result()
    sizes = []
    for backup in backups:
        shutil.copytree(town.folder / "var/main/keys", backup / "keys")
        settings = backup / "config.toml"
        settings.write_text('[service]\npublic_url = "https://fapiao.test"\ndata_dir = "."\n')
        assert town.asked("--config", str(settings), "audit")["clean"]
        town.run("--config", str(settings), "anchor")
        after = town.asked("--config", str(settings), "audit")
        assert (after["clean"], after["pending"]) == (True, 0)
        sizes.append(after["invoices"])
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]  # the work did go on meanwhile


def _work(town: Town, over: Event) -> None:
    instance = open_instance(load(town.folder / "config.toml", {}))
    desk = desk_of(instance)
    for bill in cycle(read_sample_bills()):
        if over.is_set():
            break
        order = bill.body.replace(b"bill-", b"%d-" % instance.store.last_seq())
        issue_one(desk, 1, order)
        anchor_pending(instance.anchoring())
    instance.close()


def test_a_backup_overwrites_nothing_and_says_what_is_wrong(open_day: Town) -> None:
    _back_up(open_day, "backup")
    _back_up(open_day, "backup", status=1)
    shutil.rmtree(open_day.folder / "var/main")
    _back_up(open_day, "another", status=1)
    assert not (open_day.folder / "another").exists()


@pytest.mark.parametrize("inside", ["var/main/backup", "var/main/log/backup", "var/main"])
def test_a_backup_within_the_instance_is_refused(open_day: Town, inside: str) -> None:
    """It would be lost with it."""
    before = sorted(open_day.folder.rglob("*"))
    _back_up(open_day, inside, status=1, says="is within the instance")
    assert sorted(open_day.folder.rglob("*")) == before


def test_publishing_goes_on_while_databases_and_full_tiles_are_copied(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is of one moment all the same."""
    town.sell(300)
    town.run("anchor")
    sold = 300

    def beside_work(really: Callable[..., None]) -> Callable[..., None]:
        def copy(*what: object) -> None:
            nonlocal sold
            sold += 1
            town.sell(sold)
            done = town.asked("anchor")
            assert done["published"] == done["size"] > sold
            really(*what)

        return copy

    for owner, name in ((copying, "copy_database"), (copying.Moment, "_copy")):
        monkeypatch.setattr(owner, name, beside_work(getattr(owner, name)))
    backup = town.folder / "backup"
    copying.back_up(town.folder / "var/main", backup)
    assert sold == 304  # two databases, a full tile and its bundle
    _restore(town, backup)
    found = town.asked("audit")
    assert (found["clean"], found["invoices"]) == (True, 300)


def test_a_backup_into_the_folder_where_one_stands_is_refused_in_one_line(
    open_day: Town,
) -> None:
    for target in (".", "/"):
        done = subprocess.run(
            [sys.executable, "-I", str(SCRIPT), "var/main", target],
            capture_output=True,
            text=True,
            check=False,
            cwd=open_day.folder,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1


def test_a_lost_tile_is_noticed_by_the_backup(town: Town) -> None:
    town.sell(300)
    town.run("anchor")
    (town.folder / "var/main/log/tile/0/000").unlink()
    _back_up(town, "backup", status=1, says="log/tile/0/000 is missing: `fapiao anchor`")
    assert not (town.folder / "backup").exists()


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p", "tile/entries/001.p"])
def test_a_link_among_tiles_is_no_tile_and_leads_no_key_into_a_backup(
    town: Town, name: str
) -> None:
    town.sell(300)
    town.run("anchor")
    keys = town.folder / "var/main/keys"
    place = town.folder / "var/main/log" / name
    if place.is_dir():
        (found,) = place.iterdir()
        found.unlink()
        found.symlink_to(keys / "log.key")
    else:
        place.unlink()
        place.symlink_to(keys / "log.key")
    _back_up(town, "backup", status=1, says="is missing: `fapiao anchor`")
    assert not (town.folder / "backup").exists()


def test_a_copy_whose_totals_are_ahead_of_its_log_is_not_gone_on_with(open_day: Town) -> None:
    older = _back_up(open_day, "older")
    open_day.run("anchor")
    newer = _back_up(open_day, "newer")
    shutil.copy2(older / "log.db", newer / "log.db")
    shutil.copytree(older / "log", newer / "log", dirs_exist_ok=True)
    _restore(open_day, newer)
    said = open_day.refusal("anchor", status=3)
    assert "log_rolled_back" in said
